/** Words of a shell command, whoever wrote them: attackers did some. */

const PLAIN = /^[A-Za-z0-9_./:@%+,=][A-Za-z0-9_./:@%+,=-]*$/;
const PRINTABLE = /^[\x20-\x7e]*$/;

const encoder = new TextEncoder();

/** A text as one word for any POSIX shell, in quotes and otherwise as it is. */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Quote a word for bash and zsh, where a person copies it.
 *
 * What is not printable ASCII is written as `$'\x1b'`: a terminal that is pasted into sees no control character, and
 * a reader no letter that only looks like another.
 */
export function quoteShell(word: string): string {
  if (PLAIN.test(word)) return word;
  if (PRINTABLE.test(word)) return quoteWord(word);
  const bytes = Array.from(encoder.encode(word), byte => {
    if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `$'${bytes.join("")}'`;
}
