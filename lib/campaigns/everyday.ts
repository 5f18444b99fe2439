/**
 * Commands that say nothing of who typed them: a look around in few words, a way into a shell.
 *
 * They count where a chain is equal to another, but a chain of a few of them alone joins nobody.
 *
 * Tested in `test/lib/campaigns/marks.test.ts`.
 */

/** Programs that anybody starts with; the words behind them may be options or places everybody looks at. */
const PROGRAMS =
  /^(?:uname|id|whoami|w|who|last|ls|ll|dir|pwd|hostname|uptime|free|ps|top|htop|df|nproc|lscpu|ifconfig|netstat|mount|env|date|history|help|enable|system|shell|linuxshell|sh|bash|su|exit|quit|logout|cd|clear|echo|cat|ssh|arch|lspci|ip|show|start|config|terminal|development|busybox|\/bin\/busybox)$/;
const WORD = /^(?:-{1,2}[\w-]{1,12}|\d{1,6}|\/|~|\.|root|ok|\/proc\/\w{1,16}|\/etc\/(?:passwd|issue|[\w-]*release|hosts|resolv\.conf|shadow)|\/(?:tmp|root|home|var|etc)\/?|a|addr|auxw{0,3}|axu?|-aux|<name>)$/i;
const WORDS_MOST = 3;
/** A chain of fewer different ones, and nothing else, is everybody's. */
const CHAIN_MIN = 5;

/** @param command Masked. */
export function isEveryday(command: string): boolean {
  return command.length <= 80 && command.split(/;|&&|\|\|/).every(isEverydayPiece);
}

function isEverydayPiece(piece: string): boolean {
  const [program, ...words] = piece.trim().split(/[ \t]+/);
  if (program === undefined || program === "") return true;
  return PROGRAMS.test(program) && words.length < WORDS_MOST && words.every(word => WORD.test(word));
}

/**
 * Whether a chain says nothing of who typed it.
 *
 * @param commands Masked, repeats in a row merged.
 */
export function isEverydayChain(commands: readonly string[]): boolean {
  return new Set(commands).size < CHAIN_MIN && commands.every(isEveryday);
}
