/**
 * Collects events column by column and hands them on as an {@link EventTable}.
 *
 * Rows are gathered in batches of a fixed size; once many batches have gathered they go into a temporary file, so memory
 * grows with distinct texts and not with events.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dictionary } from "../columns/dictionary.ts";
import type { BuiltEventTable, EventBatch } from "./event-table.ts";
import { NORMALIZE, NUMBER_COLUMN_NAMES, TEXT_COLUMNS, type TextColumn } from "./schema.ts";

/** Rows of a batch: its columns take some 9 MB, and tables get few record batches. */
export const BATCH_ROWS = 1 << 16;

/** Bytes of batches kept in memory before they go to a temporary file. */
const MEMORY_MAX_BYTES = 64 << 20;

type Cells = Int32Array | Float64Array;

interface SealedBatch {
  readonly rows: number;
  readonly timestampUs: Float64Array;
  /** Codes, -1 = null, per text column; undefined where the column has no text yet. */
  readonly codes: readonly (Int32Array | undefined)[];
  /** Values, NaN = null, per number column; undefined where no row has a value. */
  readonly numbers: readonly (Float64Array | undefined)[];
  readonly lineHash: Float64Array | undefined;
}

/** Cells of a batch being filled. */
interface BatchCells {
  readonly codes: readonly Int32Array[];
  readonly numbers: readonly Float64Array[];
  readonly timestampUs: Float64Array;
}

/** Cells of finished tables, all null again: a folder of small logs would spend its time on making new ones. */
const spareCells: BatchCells[] = [];

function makeCells(): BatchCells {
  return {
    codes: TEXT_COLUMNS.map(() => new Int32Array(BATCH_ROWS).fill(-1)),
    numbers: NUMBER_COLUMN_NAMES.map(() => new Float64Array(BATCH_ROWS).fill(NaN)),
    timestampUs: new Float64Array(BATCH_ROWS),
  };
}

export class EventBuilder {
  /** One dictionary per text column, of the texts as the log has them. */
  readonly dictionaries = TEXT_COLUMNS.map(() => new Dictionary());
  /** `codes[column][row]` of the batch being filled; -1 = null. */
  readonly codes: readonly Int32Array[];
  /** `numbers[column][row]` of the batch being filled; NaN = null. */
  readonly numbers: readonly Float64Array[];
  /** Microseconds since 1970-01-01 UTC of the batch being filled. */
  readonly timestampUs: Float64Array;
  /** Earliest and latest time of the finished table. */
  firstSeenUs = Infinity;
  lastSeenUs = -Infinity;
  /** Rows in the batch being filled. Whoever fills the cells of this row raises it by {@link endRow}. */
  row = 0;

  /** Hash of the line that each row of the batch being filled stands on, where duplicates are to be found. */
  readonly lineHash: Float64Array | undefined;

  readonly #cells: BatchCells;
  readonly #batches: BatchStore;
  readonly #numberUsed = new Uint8Array(NUMBER_COLUMN_NAMES.length);
  #rows = 0;

  /** @param options.memoryMaxBytes Packed batches kept in memory before they go to a temporary file. */
  constructor(options: { readonly lineHashes?: boolean; readonly memoryMaxBytes?: number } = {}) {
    this.lineHash = options.lineHashes ? new Float64Array(BATCH_ROWS) : undefined;
    this.#batches = new BatchStore(options.memoryMaxBytes ?? MEMORY_MAX_BYTES);
    this.#cells = spareCells.pop() ?? makeCells();
    ({ codes: this.codes, numbers: this.numbers, timestampUs: this.timestampUs } = this.#cells);
  }

  /** Take the cells at `row` as an event. */
  endRow(): void {
    this.row++;
    if (this.row === BATCH_ROWS) this.#seal();
  }

  /** Forget what was written into the cells at `row`. */
  clearRow(): void {
    const { row } = this;
    for (const column of this.codes) column[row] = -1;
    for (const column of this.numbers) column[row] = NaN;
  }

  /**
   * The table of all rows so far. The builder must not be used again.
   *
   * @returns A table whose `close` frees the temporary file, if there is one.
   */
  finish(): BuiltEventTable {
    if (this.row > 0) this.#seal();
    spareCells.push(this.#cells);
    const dictionaries = new Map<TextColumn, Dictionary>();
    const recodes: (Int32Array | undefined)[] = [];
    TEXT_COLUMNS.forEach((name, column) => {
      const raw = this.dictionaries[column]!;
      const normalize = name === "extra" ? canonicalMembers : NORMALIZE[name];
      const { dictionary, recode } = normalize ? normalizeTexts(raw, normalize) : { dictionary: raw, recode: undefined };
      dictionaries.set(name, dictionary);
      recodes.push(recode);
    });
    const store = this.#batches;
    return {
      rows: this.#rows,
      dictionaries,
      numbersUsed: NUMBER_COLUMN_NAMES.filter((_, column) => this.#numberUsed[column] === 1),
      *batches() {
        for (const batch of store.read()) yield openBatch(batch, recodes);
      },
      close: () => store.close(),
    };
  }

  #isUsed(column: number): boolean {
    return this.dictionaries[column]!.size > 0;
  }

  /** Put the batch being filled away and start the next. */
  #seal(): void {
    const { row: rows, timestampUs } = this;
    for (let row = 0; row < rows; row++) {
      const us = timestampUs[row]!;
      if (us < this.firstSeenUs) this.firstSeenUs = us;
      if (us > this.lastSeenUs) this.lastSeenUs = us;
    }
    this.#batches.add({
      rows,
      timestampUs: timestampUs.slice(0, rows),
      codes: this.codes.map((codes, column) => (this.#isUsed(column) ? codes.slice(0, rows) : undefined)),
      numbers: this.numbers.map((values, column) => {
        if (!hasNumber(values, rows)) return undefined;
        this.#numberUsed[column] = 1;
        return values.slice(0, rows);
      }),
      lineHash: this.lineHash?.slice(0, rows),
    });
    this.codes.forEach((codes, column) => {
      if (this.#isUsed(column)) codes.fill(-1, 0, rows);
    });
    this.numbers.forEach((values, column) => {
      if (this.#numberUsed[column] === 1) values.fill(NaN, 0, rows);
    });
    this.#rows += rows;
    this.row = 0;
  }
}

function hasNumber(values: Float64Array, rows: number): boolean {
  for (let row = 0; row < rows; row++) if (values[row] === values[row]) return true;
  return false;
}

/** A batch as its readers see it; codes are translated when they are first asked for. */
function openBatch(batch: SealedBatch, recodes: readonly (Int32Array | undefined)[]): EventBatch {
  const { rows, timestampUs, lineHash } = batch;
  const translated = new Map<TextColumn, Int32Array>();
  return {
    rows,
    timestampUs,
    codes: {
      get(name) {
        const column = TEXT_COLUMNS.indexOf(name);
        const raw = batch.codes[column];
        const recode = recodes[column];
        if (raw === undefined || recode === undefined) return raw;
        let codes = translated.get(name);
        if (codes === undefined) translated.set(name, (codes = raw.map(code => (code < 0 ? -1 : recode[code]!))));
        return codes;
      },
    },
    numbers: { get: name => batch.numbers[NUMBER_COLUMN_NAMES.indexOf(name)] },
    ...(lineHash === undefined ? {} : { lineHash }),
  };
}

/**
 * Apply `normalize` to each distinct text; texts that become equal share a code.
 *
 * @returns The new dictionary and `recode[old code]`, which is undefined if no text changed.
 */
function normalizeTexts(
  raw: Dictionary,
  normalize: (text: string) => string,
): { dictionary: Dictionary; recode: Int32Array | undefined } {
  const texts = raw.texts();
  const normal = texts.map(normalize);
  if (normal.every((text, code) => text === texts[code])) return { dictionary: raw, recode: undefined };
  const dictionary = new Dictionary();
  return { dictionary, recode: Int32Array.from(normal, text => dictionary.internText(text)) };
}

/** JSON of an object with the members given as JSON text, in one spelling however they were written. */
function canonicalMembers(members: string): string {
  return JSON.stringify(JSON.parse(`{${members}}`));
}

/** Sealed batches: in memory at first, in a temporary file from {@link MEMORY_MAX_BYTES} on. */
class BatchStore {
  #inMemory: SealedBatch[] = [];
  #memoryBytes = 0;
  /** Batches in the file: where each array lies and what it is. */
  #inFile: SealedShape[] = [];
  #file: number | undefined;
  #fileBytes = 0;
  readonly #memoryMaxBytes: number;

  constructor(memoryMaxBytes: number) {
    this.#memoryMaxBytes = memoryMaxBytes;
  }

  add(batch: SealedBatch): void {
    this.#inMemory.push(batch);
    for (const array of arraysOf(batch)) this.#memoryBytes += array?.byteLength ?? 0;
    if (this.#memoryBytes > this.#memoryMaxBytes) this.#spill();
  }

  *read(): Generator<SealedBatch> {
    for (const shape of this.#inFile) yield this.#load(shape);
    yield* this.#inMemory;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#inFile = [];
    this.#inMemory = [];
  }

  #spill(): void {
    this.#file ??= openNamelessFile();
    for (const batch of this.#inMemory) {
      const place = (array: Cells | undefined): ArrayPlace | undefined => {
        if (array === undefined) return undefined;
        const at = this.#fileBytes;
        writeWhole(this.#file!, new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
        // Eight-byte steps keep every array aligned for the view that reads it back.
        this.#fileBytes += Math.ceil(array.byteLength / 8) * 8;
        return { at, bytes: array.byteLength, make: array.constructor as CellsConstructor };
      };
      this.#inFile.push({
        rows: batch.rows,
        timestampUs: place(batch.timestampUs)!,
        codes: batch.codes.map(place),
        numbers: batch.numbers.map(place),
        lineHash: place(batch.lineHash),
      });
    }
    this.#inMemory = [];
    this.#memoryBytes = 0;
  }

  #load(shape: SealedShape): SealedBatch {
    const take = ({ at, bytes, make }: ArrayPlace) => {
      const buffer = new Uint8Array(bytes);
      for (let got = 0; got < bytes; ) {
        const n = readSync(this.#file!, buffer, got, bytes - got, at + got);
        if (n === 0) throw new Error("Cannot read back the temporary table: it was cut short");
        got += n;
      }
      return new make(buffer.buffer);
    };
    return {
      rows: shape.rows,
      timestampUs: take(shape.timestampUs) as Float64Array,
      codes: shape.codes.map(place => place && (take(place) as Int32Array)),
      numbers: shape.numbers.map(place => place && (take(place) as Float64Array)),
      lineHash: shape.lineHash && (take(shape.lineHash) as Float64Array),
    };
  }
}

type CellsConstructor = new (buffer: ArrayBuffer) => Cells;
interface ArrayPlace {
  readonly at: number;
  readonly bytes: number;
  readonly make: CellsConstructor;
}
interface SealedShape {
  readonly rows: number;
  readonly timestampUs: ArrayPlace;
  readonly codes: readonly (ArrayPlace | undefined)[];
  readonly numbers: readonly (ArrayPlace | undefined)[];
  readonly lineHash: ArrayPlace | undefined;
}

function arraysOf(batch: SealedBatch): (Cells | undefined)[] {
  return [batch.timestampUs, ...batch.codes, ...batch.numbers, batch.lineHash];
}

/** A temporary file that is gone from its folder at once, so nothing is left behind however the process ends. */
function openNamelessFile(): number {
  const path = join(tmpdir(), `cowrie-events-${process.pid}-${crypto.randomUUID()}`);
  const file = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return file;
}

function writeWhole(file: number, bytes: Uint8Array, at: number): void {
  for (let put = 0; put < bytes.length; ) put += writeSync(file, bytes, put, bytes.length - put, at + put);
}
