/**
 * Batches of a log that is being read: in memory at first, in a temporary file once they are many, so that memory grows with
 * distinct texts and not with events.
 *
 * Tested in `test/lib/events/event-builder.test.ts`.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PackedColumn } from "../columns/packed-column.ts";

/** Bytes of batches kept in memory before they go to a temporary file. */
const MEMORY_MAX_BYTES = 64 << 20;

export interface StoredBatch {
  readonly rows: number;
  /** Texts by column, then numbers, then timestamps; undefined = no row has a value. */
  readonly columns: readonly (PackedColumn | undefined)[];
  /** Hash of the line that each row stands on, where they are wanted. */
  readonly lineHash: Float64Array | undefined;
}

type Values = PackedColumn["values"];

/** An array in the file. */
interface Place {
  readonly at: number;
  readonly bytes: number;
  readonly make: new (buffer: ArrayBuffer) => Values;
}
interface PlacedBatch {
  readonly rows: number;
  readonly columns: readonly ({ readonly nulls: number; readonly validity: Place; readonly values: Place } | undefined)[];
  readonly lineHash: Place | undefined;
}

export class BatchStore {
  #inMemory: StoredBatch[] = [];
  #memoryBytes = 0;
  /** Batches in the file, which come before those in memory. */
  #inFile: PlacedBatch[] = [];
  #file: number | undefined;
  #fileBytes = 0;
  readonly #memoryMaxBytes: number;

  /** @param memoryMaxBytes Of batches kept in memory before they go to a temporary file. */
  constructor(memoryMaxBytes = MEMORY_MAX_BYTES) {
    this.#memoryMaxBytes = memoryMaxBytes;
  }

  add(batch: StoredBatch): void {
    this.#inMemory.push(batch);
    for (const column of batch.columns) {
      this.#memoryBytes += column === undefined ? 0 : column.validity.byteLength + column.values.byteLength;
    }
    this.#memoryBytes += batch.lineHash?.byteLength ?? 0;
    if (this.#memoryBytes > this.#memoryMaxBytes) this.#spill();
  }

  /** All batches in order; may be walked again. */
  *read(): Generator<StoredBatch> {
    for (const placed of this.#inFile) yield this.#load(placed);
    yield* this.#inMemory;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#inFile = [];
    this.#inMemory = [];
  }

  #spill(): void {
    for (const { rows, columns, lineHash } of this.#inMemory) {
      this.#inFile.push({
        rows,
        columns: columns.map(
          column => column && { nulls: column.nulls, validity: this.#put(column.validity), values: this.#put(column.values) },
        ),
        lineHash: lineHash && this.#put(lineHash),
      });
    }
    this.#inMemory = [];
    this.#memoryBytes = 0;
  }

  #put(array: Values): Place {
    this.#file ??= openNamelessFile();
    const at = this.#fileBytes;
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let put = 0; put < bytes.length; ) put += writeSync(this.#file, bytes, put, bytes.length - put, at + put);
    this.#fileBytes += bytes.length;
    return { at, bytes: bytes.length, make: array.constructor as Place["make"] };
  }

  #load({ rows, columns, lineHash }: PlacedBatch): StoredBatch {
    return {
      rows,
      columns: columns.map(
        column =>
          column && {
            nulls: column.nulls,
            validity: this.#take(column.validity) as Uint8Array,
            values: this.#take(column.values),
          },
      ),
      lineHash: lineHash && (this.#take(lineHash) as Float64Array),
    };
  }

  #take({ at, bytes, make }: Place): Values {
    const buffer = new Uint8Array(bytes);
    for (let got = 0; got < bytes; ) {
      const n = readSync(this.#file!, buffer, got, bytes - got, at + got);
      if (n === 0) throw new Error("Cannot read back the temporary table: it was cut short");
      got += n;
    }
    return new make(buffer.buffer);
  }
}

/** A temporary file that is gone from its folder at once, so nothing is left behind however the process ends. */
function openNamelessFile(): number {
  const path = join(tmpdir(), `cowrie-events-${process.pid}-${crypto.randomUUID()}`);
  const file = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return file;
}
