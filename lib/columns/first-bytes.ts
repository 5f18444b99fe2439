/**
 * The first bytes of a file or a stream: what tells an Arrow table from a log, whatever its name.
 * Tested in `test/lib/columns/regular-file.test.ts`.
 */
import { readSync } from "node:fs";
import { closing, isOpenStream, openRegular } from "./regular-file.ts";

const ARROW_MAGIC = new TextEncoder().encode("ARROW1");

/** Tell an Arrow IPC file or stream by its first bytes. */
export function isArrow(head: Uint8Array): boolean {
  const isFile = ARROW_MAGIC.every((byte, i) => head[i] === byte);
  // A stream starts with the mark of its first message; no text does.
  return isFile || (head.length >= 4 && head.subarray(0, 4).every(byte => byte === 0xff));
}

/** Tell an Arrow file on disk. */
export function isArrowFile(path: string): boolean {
  // Not to be looked into twice.
  if (isOpenStream(path)) return false;
  const file = openRegular(path);
  using _file = closing(file);
  const head = new Uint8Array(8);
  return isArrow(head.subarray(0, readSync(file, head, 0, 8, 0)));
}

/** First bytes of a stream, and the whole of it again. */
export async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head = Buffer.alloc(0) as Uint8Array;
  let isEnded = false;
  while (head.length < 8 && !isEnded) {
    const { done, value } = await iterator.next();
    isEnded = done === true;
    if (!isEnded) head = Buffer.concat([head, value as Uint8Array]);
  }
  async function* all() {
    yield head;
    while (!isEnded) {
      const { done, value } = await iterator.next();
      isEnded = done === true;
      if (!isEnded) yield value as Uint8Array;
    }
  }
  return { head, all: all() };
}
