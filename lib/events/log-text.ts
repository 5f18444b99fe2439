/**
 * One log as a stream of text bytes: plain, gzip or zstd, told by its first bytes, never by its name.
 *
 * Files are read in blocks, not mapped into memory: a log that is truncated while it is read ends early, it does not
 * kill the process.
 */
import { closeSync, createReadStream, fstatSync, readSync, statSync } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { openInput } from "../columns/regular-file.ts";
import type { FileIdentity } from "./source.ts";

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
  const unpack = compression === "gzip" ? createGunzip() : createZstdDecompress();
  const source = createReadStream("", { fd: file, start: 0, highWaterMark: BLOCK_BYTES });
  source.on("error", error => unpack.destroy(error));
  return chunkedText(compression, source.pipe(unpack), () => {
    source.destroy();
    unpack.destroy();
  });
}

/** Text of a stream such as standard input, unpacked if its first bytes say so. */
export function streamText(head: Uint8Array, all: AsyncIterable<Uint8Array>): TextStream {
  const compression = compressionOf(head);
  if (compression === "none") return chunkedText("none", all);
  const unpack = compression === "gzip" ? createGunzip() : createZstdDecompress();
  const source = Readable.from(all);
  source.on("error", error => unpack.destroy(error));
  return chunkedText(compression, source.pipe(unpack), () => unpack.destroy());
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
  return "none";
}

/** What the file system says of a file now. */
export function identifyFile(path: string): FileIdentity {
  const stat = statSync(path, { bigint: true });
  return {
    sizeBytes: Number(stat.size),
    mtimeNs: String(stat.mtimeNs),
    ctimeNs: String(stat.ctimeNs),
    inode: String(stat.ino),
  };
}

/** Hash over the whole text, fed in any pieces; the same text gives the same hash. */
export class TextHash {
  sizeBytes = 0;
  #block = new Uint8Array(BLOCK_BYTES);
  #filled = 0;
  #hash = 0n;

  /**
   * Go on where another hash was.
   *
   * @param sizeBytes A multiple of {@link BLOCK_BYTES}.
   * @param blockHash What {@link blockHash} was then.
   */
  static resume(sizeBytes: number, blockHash: string): TextHash {
    const hash = new TextHash();
    hash.sizeBytes = sizeBytes;
    hash.#hash = BigInt(`0x${blockHash}`);
    return hash;
  }

  /** State after the last whole block of {@link BLOCK_BYTES}. */
  get blockHash(): string {
    return this.#hash.toString(16);
  }

  /** Add the next bytes of the text. */
  add(bytes: Uint8Array): void {
    this.sizeBytes += bytes.length;
    let at = 0;
    // Whole blocks are hashed where they lie.
    if (this.#filled === 0) {
      for (; bytes.length - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
        this.#hash = Bun.hash.xxHash3(bytes.subarray(at, at + BLOCK_BYTES), this.#hash);
      }
    }
    while (at < bytes.length) {
      const n = Math.min(bytes.length - at, BLOCK_BYTES - this.#filled);
      this.#block.set(bytes.subarray(at, at + n), this.#filled);
      this.#filled += n;
      at += n;
      if (this.#filled === BLOCK_BYTES) {
        this.#hash = Bun.hash.xxHash3(this.#block, this.#hash);
        this.#filled = 0;
      }
    }
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    const hash = Bun.hash.xxHash3(this.#block.subarray(0, this.#filled), this.#hash);
    return hash.toString(16).padStart(16, "0");
  }
}

/** Bytes of the first line that go into its hash. */
const HEAD_BYTES = 4096;

/** Hash of the first line, or of as much of it as there is; 16 hexadecimal digits. */
export function hashHead(text: Uint8Array): string {
  const lf = text.indexOf(0x0a);
  const head = text.subarray(0, Math.min(lf < 0 ? text.length : lf + 1, HEAD_BYTES));
  return Bun.hash.xxHash3(head).toString(16).padStart(16, "0");
}

/** Hash of the first line of a log, to find logs that may hold the same text. */
export async function readHead(path: string): Promise<string> {
  const text = openText(path);
  try {
    const head = new Uint8Array(HEAD_BYTES);
    return hashHead(head.subarray(0, await text.read(head, 0, HEAD_BYTES)));
  } finally {
    text.close();
  }
}

/** Hash of all the text of a log as it is now, and its size in bytes. */
export async function hashText(path: string): Promise<{ wholeHash: string; sizeBytes: number }> {
  const text = openText(path);
  try {
    const hash = new TextHash();
    const block = new Uint8Array(BLOCK_BYTES);
    for (let n = await text.read(block, 0, BLOCK_BYTES); n > 0; n = await text.read(block, 0, BLOCK_BYTES)) {
      hash.add(block.subarray(0, n));
    }
    return { wholeHash: hash.digest(), sizeBytes: hash.sizeBytes };
  } finally {
    text.close();
  }
}

/** How the texts of two logs stand to each other; "differ" also when one of them cannot be read to its end. */
export async function compareTexts(a: string, b: string): Promise<"equal" | "a opens b" | "b opens a" | "differ"> {
  const streams = [openText(a)];
  try {
    streams.push(openText(b));
    const [left, right] = [new Uint8Array(BLOCK_BYTES), new Uint8Array(BLOCK_BYTES)];
    for (;;) {
      const leftBytes = await streams[0]!.read(left, 0, BLOCK_BYTES);
      const rightBytes = await streams[1]!.read(right, 0, BLOCK_BYTES);
      const shared = Math.min(leftBytes, rightBytes);
      if (Buffer.compare(left.subarray(0, shared), right.subarray(0, shared)) !== 0) return "differ";
      if (leftBytes !== rightBytes) return leftBytes < rightBytes ? "a opens b" : "b opens a";
      if (leftBytes === 0) return "equal";
    }
  } catch {
    // Damaged compressed data: its own reading will say so.
    return "differ";
  } finally {
    for (const stream of streams) stream.close();
  }
}
