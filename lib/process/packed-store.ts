/**
 * What waits packed: a third of its size, or less, until it is looked at; of much, in a file, so that memory does not grow with it.
 *
 * Tested in `test/lib/logs/log-digests.test.ts`.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "bun:jsc";

/** Bytes that are held in memory; of more, each piece lies in a file. */
const HELD_MOST_BYTES = 16 << 20;

/** Something packed: in memory, or where it lies in a file that is open; any thread of this process can read it. */
export type Packed = Uint8Array | { readonly file: number; readonly at: number; readonly bytes: number };

export function isPacked(value: unknown): value is Packed {
  return value instanceof Uint8Array || (typeof value === "object" && value !== null && "file" in value);
}

export function packedBytes(packed: Packed): number {
  return packed instanceof Uint8Array ? packed.length : packed.bytes;
}

export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  return Bun.zstdCompressSync(serialize(value, { binaryType: "nodebuffer" }) as Buffer<ArrayBuffer>, { level: 1 }) as Uint8Array<ArrayBuffer>;
}

/** Undo {@link pack}, of bytes that are our own alone; or of a part of them that was packed by itself. */
export function unpack(packed: Packed, from = 0, to?: number): unknown {
  return deserialize(Bun.zstdDecompressSync(readPart(packed, from, to) as Uint8Array<ArrayBuffer>));
}

export function readPart(packed: Packed, from: number, to?: number): Uint8Array {
  if (packed instanceof Uint8Array) return packed.subarray(from, to);
  return readAt(packed.file, packed.at + from, (to ?? packed.bytes) - from);
}

/** @throws {Error} if the file is shorter. */
export function readAt(file: number, at: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  for (let got = 0; got < bytes; ) {
    const n = readSync(file, buffer, got, bytes - got, at + got);
    if (n === 0) throw new Error("Cannot read what was packed: it was cut short");
    got += n;
  }
  return buffer;
}

/** Holds what is packed until it is disposed of. */
export class PackedStore implements Disposable {
  readonly #heldMost: number;
  #heldBytes = 0;
  #file: number | undefined;
  #end = 0;

  /** @param heldMost Bytes that are held in memory. */
  constructor(heldMost = HELD_MOST_BYTES) {
    this.#heldMost = heldMost;
  }

  hold(packed: Uint8Array): Packed {
    this.#heldBytes += packed.length;
    if (this.#heldBytes <= this.#heldMost) return packed;
    try {
      const file = (this.#file ??= openNameless());
      const at = this.#end;
      for (let put = 0; put < packed.length; ) put += writeSync(file, packed, put, packed.length - put, at + put);
      this.#end += packed.length;
      return { file, at, bytes: packed.length };
    } catch {
      // No room, or no such folder: memory has to do.
      return packed;
    }
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** A file that goes with its last descriptor, however this process ends. */
function openNameless(): number {
  const folder = mkdtempSync(join(tmpdir(), "cowrie-"));
  const path = join(folder, "packed");
  const file = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  rmdirSync(folder);
  return file;
}
