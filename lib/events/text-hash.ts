/**
 * What tells one text from another: the hash of all of it, which goes on where a log has grown, the hash of its first line, and
 * a comparison byte by byte.
 */
import { pauseNowAndThen } from "../process/pause.ts";
import { BLOCK_BYTES, openText, type TextStream } from "./log-text.ts";
import { closing } from "../columns/regular-file.ts";

/** Hash over the whole text, fed in any pieces; the same text gives the same hash. */
export class TextHash {
  sizeBytes = 0;
  /** Room for an unfinished block, made as it is needed: of small logs it would be most of what their hash costs. */
  #block = new Uint8Array(0);
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
      this.#reserve(this.#filled + n);
      this.#block.set(bytes.subarray(at, at + n), this.#filled);
      this.#filled += n;
      at += n;
      if (this.#filled === BLOCK_BYTES) {
        this.#hash = Bun.hash.xxHash3(this.#block, this.#hash);
        this.#filled = 0;
      }
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#block.length) return;
    const grown = new Uint8Array(Math.min(BLOCK_BYTES, Math.max(bytes, this.#block.length * 4)));
    grown.set(this.#block.subarray(0, this.#filled));
    this.#block = grown;
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    const hash = Bun.hash.xxHash3(this.#block.subarray(0, this.#filled), this.#hash);
    return hash.toString(16).padStart(16, "0");
  }
}

/** Bytes of the first line that go into its hash. */
export const HEAD_BYTES = 4096;

/** Hash of the first line, or of as much of it as there is; 16 hexadecimal digits. */
export function hashHead(text: Uint8Array): string {
  return Bun.hash.xxHash3(firstLine(text)).toString(16).padStart(16, "0");
}

function firstLine(text: Uint8Array): Uint8Array {
  const lf = text.indexOf(0x0a);
  return text.subarray(0, Math.min(lf < 0 ? text.length : lf + 1, HEAD_BYTES));
}

/** The first line of a log, as far as it is looked at. */
export interface LogHead {
  /** See {@link hashHead}. */
  readonly hash: string;
  /** With its LF, if that is among the first 4 KiB. */
  readonly sizeBytes: number;
  /** Hash of the first 4 KiB of the text; undefined if it is shorter. */
  readonly blockHash: string | undefined;
}

/** The first 4 KiB of a log, unpacked; all of a shorter one. */
async function readOpening(path: string): Promise<Uint8Array> {
  const text = openText(path);
  using _text = closing(text);
  const bytes = new Uint8Array(HEAD_BYTES);
  return bytes.subarray(0, await text.read(bytes, 0, HEAD_BYTES));
}

/** Look at the first line of a log, to find logs that may hold the same text. */
export async function readHead(path: string): Promise<LogHead> {
  const opening = await readOpening(path);
  const head = firstLine(opening);
  const blockHash = opening.length < HEAD_BYTES ? undefined : Bun.hash.xxHash3(opening).toString(16);
  return { hash: hashHead(head), sizeBytes: head.length, blockHash };
}

/** Hash of all the text of a log as it is now, and its size in bytes. */
export async function hashText(path: string): Promise<{ wholeHash: string; sizeBytes: number }> {
  const text = openText(path);
  using _text = closing(text);
  const hash = new TextHash();
  const block = new Uint8Array(BLOCK_BYTES);
  for (let n = await text.read(block, 0, BLOCK_BYTES); n > 0; n = await text.read(block, 0, BLOCK_BYTES)) {
    hash.add(block.subarray(0, n));
    await pauseNowAndThen();
  }
  return { wholeHash: hash.digest(), sizeBytes: hash.sizeBytes };
}

/** How the texts of two logs stand to each other; "differ" also when one of them cannot be read to its end. */
export async function compareTexts(a: string, b: string): Promise<"equal" | "a opens b" | "b opens a" | "differ"> {
  const streams: TextStream[] = [];
  try {
    for (const path of [a, b]) streams.push(openText(path));
    const [left, right] = [new Uint8Array(BLOCK_BYTES), new Uint8Array(BLOCK_BYTES)];
    for (;;) {
      const leftBytes = await streams[0]!.read(left, 0, BLOCK_BYTES);
      const rightBytes = await streams[1]!.read(right, 0, BLOCK_BYTES);
      const shared = Math.min(leftBytes, rightBytes);
      if (Buffer.compare(left.subarray(0, shared), right.subarray(0, shared)) !== 0) return "differ";
      if (leftBytes !== rightBytes) return leftBytes < rightBytes ? "a opens b" : "b opens a";
      if (leftBytes === 0) return "equal";
      await pauseNowAndThen();
    }
  } catch {
    // Damaged compressed data, or gone: its own reading will say so.
    return "differ";
  } finally {
    for (const stream of streams) stream.close();
  }
}
