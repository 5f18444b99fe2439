/**
 * What was made of a log, its digest, packed: a third of it, for a tenth of what reading the log costs. So it waits until it is added
 * up, as it takes many times as much unpacked; and of very many logs in a file, so that memory does not grow with the logs.
 *
 * Rows, sessions and who led what lie side by side, each packed by itself: who adds up rows looks at no session.
 *
 * Tested in `test/lib/logs/log-digests.test.ts`.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "bun:jsc";
import type { LogSessions } from "./log-sessions.ts";
import type { ReducedRows } from "../reduced/reduced-builder.ts";

/** Bytes of a length: of rows and of sessions, at the start of a digest. */
const LENGTH_BYTES = 8;
/** Bytes of digests that are held in memory; of more, each lies in a file. */
const HELD_MOST_BYTES = 16 << 20;

export interface LogDigest {
  readonly rows: ReducedRows;
  /** See `LogResult`. */
  readonly sessions: readonly LogSessions[];
}

/** A packed digest: in memory, or where it lies in a file that is open; any thread of this process can read it. */
export type Packed = Uint8Array | { readonly file: number; readonly at: number; readonly bytes: number };

export function isPacked(value: unknown): value is Packed {
  return value instanceof Uint8Array || (typeof value === "object" && value !== null && "file" in value);
}

/** Bytes of a packed digest. */
export function packedBytes(packed: Packed): number {
  return packed instanceof Uint8Array ? packed.length : packed.bytes;
}

export function packDigest({ rows, sessions }: LogDigest): Uint8Array {
  const parts = [rows, sessions.map(({ reach: _, reachAddresses: __, ...log }) => log), sessions.map(toLed)].map(pack);
  const head = Buffer.alloc(2 * LENGTH_BYTES);
  head.writeDoubleLE(parts[0]!.length, 0);
  head.writeDoubleLE(parts[1]!.length, LENGTH_BYTES);
  return Buffer.concat([head, ...parts]);
}

function pack(part: unknown): Uint8Array {
  return Bun.zstdCompressSync(serialize(part, { binaryType: "nodebuffer" }) as Buffer<ArrayBuffer>, { level: 1 });
}

/** How far the sessions of a log came: all that is looked at to tell who led a peak. */
export type Led = Pick<LogSessions, "sensors" | "reach" | "reachAddresses">;

function toLed({ sensors, reach, reachAddresses }: LogSessions): Led {
  return { sensors, reach, reachAddresses };
}

/** Undo {@link packDigest}, each part when it is asked for. Of bytes that are our own alone. */
export function unpackDigest(packed: Packed): LogDigest & { readonly led: readonly Led[] } {
  const start = 2 * LENGTH_BYTES;
  const lengthAt = (at: number) => Buffer.from(readPart(packed, at, at + LENGTH_BYTES)).readDoubleLE();
  const unpack = (from: number, to?: number) => deserialize(Bun.zstdDecompressSync(readPart(packed, from, to) as Uint8Array<ArrayBuffer>));
  const second = start + lengthAt(0);
  const third = second + lengthAt(LENGTH_BYTES);
  return {
    get rows() {
      return unpack(start, second) as ReducedRows;
    },
    get sessions() {
      const led = unpack(third) as readonly Led[];
      return (unpack(second, third) as readonly Omit<LogSessions, keyof Led>[]).map((log, i) => ({ ...log, ...led[i]! }));
    },
    get led() {
      return unpack(third) as readonly Led[];
    },
  };
}

function readPart(packed: Packed, from: number, to?: number): Uint8Array {
  if (packed instanceof Uint8Array) return packed.subarray(from, to);
  return readAt(packed.file, packed.at + from, (to ?? packed.bytes) - from);
}

/** @throws {Error} if the file is shorter. */
export function readAt(file: number, at: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  for (let got = 0; got < bytes; ) {
    const n = readSync(file, buffer, got, bytes - got, at + got);
    if (n === 0) throw new Error("Cannot read digests of logs: they were cut short");
    got += n;
  }
  return buffer;
}

/** Holds packed digests until it is disposed of. */
export class DigestStore implements Disposable {
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
  const path = join(folder, "digests");
  const file = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  rmdirSync(folder);
  return file;
}
