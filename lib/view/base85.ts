/**
 * Bytes as text for a page: five characters for four bytes, where base64 takes five and a third.
 *
 * The alphabet leaves out what has a meaning in HTML, in JSON and in scripts: quotes, `<`, `>`, `&`, backslash and
 * blank.
 */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%()*+,-./:;=?@[]^_`{|}~";
const BASE = 85;

/** Write bytes as text; a last group of less than four bytes takes one character more than it has bytes. */
export function toBase85(bytes: Uint8Array): string {
  const letters = Uint8Array.from(ALPHABET, letter => letter.charCodeAt(0));
  const groups = Math.ceil(bytes.length / 4);
  const text = new Uint8Array(5 * groups);
  for (let group = 0; group < groups; group++) {
    let value = 0;
    for (let at = 4 * group; at < 4 * group + 4; at++) value = value * 256 + (bytes[at] ?? 0);
    for (let at = 5 * group + 4; at >= 5 * group; at--) {
      text[at] = letters[value % BASE]!;
      value = Math.floor(value / BASE);
    }
  }
  const missing = 4 * groups - bytes.length;
  return new TextDecoder().decode(text.subarray(0, text.length - missing));
}

/** Read what {@link toBase85} wrote. */
export function fromBase85(text: string): Uint8Array<ArrayBuffer> {
  const digitOf = new Uint8Array(128);
  for (let i = 0; i < BASE; i++) digitOf[ALPHABET.charCodeAt(i)] = i;
  const rest = text.length % 5;
  const bytes = new Uint8Array(Math.floor(text.length / 5) * 4 + (rest === 0 ? 0 : rest - 1));
  for (let at = 0, out = 0; at < text.length; at += 5) {
    let value = 0;
    // The characters left out of a last group stand for the largest digit, so that its bytes round as they were.
    for (let i = at; i < at + 5; i++)
      value = value * BASE + (i < text.length ? digitOf[text.charCodeAt(i)]! : BASE - 1);
    for (let shift = 24; shift >= 0 && out < bytes.length; shift -= 8) bytes[out++] = (value / 2 ** shift) & 255;
  }
  return bytes;
}
