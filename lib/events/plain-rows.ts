/**
 * Rows without the kernel: every line is left to the plain path, and its cells are gathered here.
 *
 * Tested in `test/lib/events/line-reader.test.ts`.
 */
import { Dictionary } from "../columns/dictionary.ts";
import { packCodes, packInt64, packNumbers } from "../columns/packed-column.ts";
import { BATCH_ROWS } from "../kernel/layout.ts";
import { BatchStore } from "./batch-store.ts";
import type { EventRow } from "./event-row.ts";
import type { EventRows, FinishedRows } from "./event-rows.ts";
import { NUMBER_COLUMN_NAMES, NUMBER_COLUMNS, TEXT_COLUMNS } from "./schema.ts";

/** What a number column is written as. */
const ARRAYS = { uint16: Uint16Array, uint32: Uint32Array, float64: Float64Array } as const;

export class PlainRows implements EventRows {
  rows = 0;
  #room: Uint8Array = new Uint8Array(0);
  readonly #dictionaries = TEXT_COLUMNS.map(() => new Dictionary());
  readonly #batches: BatchStore;
  readonly #wantsHashes: boolean;
  #gathered: { readonly row: EventRow; readonly lineHash: number }[] = [];
  #firstSeenUs = Infinity;
  #lastSeenUs = -Infinity;

  constructor(wantsHashes: boolean, memoryMaxBytes?: number) {
    this.#wantsHashes = wantsHashes;
    this.#batches = new BatchStore(memoryMaxBytes);
  }

  roomFor(bytes: number, kept: number): Uint8Array {
    if (bytes > this.#room.length) {
      const grown = new Uint8Array(Math.max(bytes, this.#room.length * 2));
      grown.set(this.#room.subarray(0, kept));
      this.#room = grown;
    }
    return this.#room.subarray(0, bytes);
  }

  read(start: number): number {
    return start;
  }

  add(row: EventRow, lineHash: number): void {
    if (this.#gathered.length === BATCH_ROWS) this.#seal();
    this.#gathered.push({ row, lineHash });
    this.#firstSeenUs = Math.min(this.#firstSeenUs, row.timestampUs);
    this.#lastSeenUs = Math.max(this.#lastSeenUs, row.timestampUs);
    this.rows++;
  }

  #seal(): void {
    const gathered = this.#gathered;
    const texts = this.#dictionaries.map((dictionary, column) => {
      const codes = Int32Array.from(gathered, ({ row }) => {
        const text = row.texts[column];
        return text === undefined ? -1 : dictionary.internText(text);
      });
      return dictionary.size === 0 ? undefined : packCodes(codes, dictionary.size);
    });
    const numbers = NUMBER_COLUMN_NAMES.map((name, column) => {
      const packed = packNumbers(
        Float64Array.from(gathered, ({ row }) => row.numbers[column] ?? NaN),
        ARRAYS[NUMBER_COLUMNS[name]],
      );
      return packed.nulls === gathered.length ? undefined : packed;
    });
    const times = packInt64(Float64Array.from(gathered, ({ row }) => row.timestampUs));
    this.#batches.add({
      rows: gathered.length,
      columns: [...texts, ...numbers, times],
      lineHash: this.#wantsHashes ? Float64Array.from(gathered, ({ lineHash }) => lineHash) : undefined,
    });
    this.#gathered = [];
  }

  finish(): FinishedRows {
    if (this.#gathered.length > 0) this.#seal();
    return {
      rows: this.rows,
      texts: this.#dictionaries,
      batches: this.#batches,
      firstSeenUs: this.#firstSeenUs,
      lastSeenUs: this.#lastSeenUs,
    };
  }

  [Symbol.dispose](): void {}
}
