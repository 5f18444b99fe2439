/**
 * What tells one line from another, where lines that stand in several logs are to count once.
 *
 * Tested in `test/lib/logs/log-set.test.ts`.
 */

const CR = 0x0d;

/** Hash of a line without its LF and CR: as much of 64 bits as a double holds exactly. */
export function hashLine(line: Uint8Array): number {
  const text = line.at(-1) === CR ? line.subarray(0, -1) : line;
  return Number(Bun.hash.xxHash3(text) >> 11n);
}
