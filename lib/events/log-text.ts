/**
 * One log as a stream of text bytes: plain, gzip or zstd, told by its first bytes, never by its name.
 *
 * Files are read in blocks, not mapped into memory: a log that is truncated while it is read ends early, it does not
 * kill the process.
 */
import { closeSync, createReadStream, fstatSync, readSync } from "node:fs";
import type { Transform } from "node:stream";
import { openInput } from "../columns/regular-file.ts";

/** Bytes of text asked for at a time, and the step of the hash over the whole text. */
export const BLOCK_BYTES = 1 << 20;

export type Compression = "none" | "gzip" | "zstd";

/** Kinds of archive that are recognised only to say so. */
const UNSUPPORTED: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68] },
  { name: "zip", magic: [0x50, 0x4b, 0x03, 0x04] },
  { name: "7-Zip", magic: [0x37, 0x7a, 0xbc, 0xaf] },
];

/** A log's text, read from start to end. */
export interface TextStream {
  readonly compression: Compression;
  /**
   * Fill `[at, at + length)` of `into`, or less at the end of the text.
   *
   * @returns Bytes read; 0 at the end.
   * @throws {Error} if compressed data are damaged; what came before has been handed out.
   */
  read(into: Uint8Array, at: number, length: number): number | Promise<number>;
  close(): void;
}

/**
 * Open a log.
 *
 * @throws {Error} if it cannot be opened, is no regular file, or is compressed in a way that is not supported.
 */
export function openText(path: string): TextStream {
  const file = openInput(path);
  let compression: Compression;
  try {
    const head = new Uint8Array(8);
    // A pipe gives its first bytes away once only: it is read as plain text.
    const isFile = fstatSync(file).isFile();
    compression = isFile ? compressionOf(head.subarray(0, readSync(file, head, 0, 8, 0))) : "none";
  } catch (error) {
    closeSync(file);
    throw error;
  }
  if (compression === "none") return plainText(file);
  let stop = () => closeSync(file);
  // Begun when it is first read: damage that nobody waits for yet would end the process.
  async function* chunks() {
    const unpack = makeUnpacker(compression as "gzip" | "zstd");
    const source = createReadStream("", { fd: file, start: 0, highWaterMark: BLOCK_BYTES });
    stop = () => {
      source.destroy();
      unpack.destroy();
    };
    source.on("error", error => unpack.destroy(error));
    yield* source.pipe(unpack);
  }
  return chunkedText(compression, chunks(), () => stop());
}

/** Text of a stream such as standard input, unpacked if its first bytes say so. */
export function streamText(head: Uint8Array, all: AsyncIterable<Uint8Array>): TextStream {
  const compression = compressionOf(head);
  if (compression === "none") return chunkedText("none", all);
  const unpack = makeUnpacker(compression);
  const source = (require("node:stream") as typeof import("node:stream")).Readable.from(all);
  source.on("error", error => unpack.destroy(error));
  return chunkedText(compression, source.pipe(unpack), () => unpack.destroy());
}

/** Loaded for a packed log only: the streams of Node are a fifth of a script's start. */
function makeUnpacker(compression: "gzip" | "zstd"): Transform {
  const { createGunzip, createZstdDecompress } = require("node:zlib") as typeof import("node:zlib");
  return compression === "gzip" ? createGunzip() : createZstdDecompress();
}

/** Text that arrives in chunks of any size. */
export function chunkedText(
  compression: Compression,
  chunks: AsyncIterable<Uint8Array>,
  close: () => void = () => {},
): TextStream {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest = new Uint8Array(0) as Uint8Array;
  let failure: unknown;
  return {
    compression,
    async read(into, at, length) {
      let filled = 0;
      while (filled < length) {
        if (rest.length === 0) {
          if (failure !== undefined) break;
          try {
            const { done, value } = await iterator.next();
            if (done) break;
            rest = value;
          } catch (error) {
            // What came before it is handed out first; the next call tells.
            failure = error;
          }
          continue;
        }
        const n = Math.min(rest.length, length - filled);
        into.set(rest.subarray(0, n), at + filled);
        rest = rest.subarray(n);
        filled += n;
      }
      if (filled === 0 && failure !== undefined) throw failure;
      return filled;
    },
    close,
  };
}

function plainText(file: number): TextStream {
  return {
    compression: "none",
    read(into, at, length) {
      let filled = 0;
      while (filled < length) {
        const n = readSync(file, into, at + filled, length - filled, null);
        if (n === 0) break;
        filled += n;
      }
      return filled;
    },
    close: () => closeSync(file),
  };
}

/** @throws {Error} for a kind of archive that is not read. */
function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return "zstd";
  for (const { name, magic } of UNSUPPORTED) {
    if (magic.every((byte, i) => head[i] === byte)) {
      throw new Error(`it is compressed with ${name}, expected plain text, gzip or zstd: unpack it first`);
    }
  }
  // As PowerShell's ">" writes it.
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new Error("it is UTF-16, expected UTF-8: iconv -f UTF-16 -t UTF-8 makes it that");
  }
  return "none";
}
