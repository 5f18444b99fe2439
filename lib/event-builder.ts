/**
 * Collects events column by column and hands them on as an {@link EventTable}.
 *
 * Rows are gathered in batches of a fixed size; a full batch is packed to the narrowest width its codes need and,
 * once many have gathered, put into a temporary file, so memory grows with distinct texts and not with events.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dictionary } from "./dictionary.ts";
import type { BuiltEventTable, EventBatch } from "./event-table.ts";
import { NORMALIZE, NUMBER_COLUMN_NAMES, TEXT_COLUMNS, type TextColumn } from "./schema.ts";

/** Rows of a batch: its unpacked columns (some 9 MB) stay near the processor, and tables get few record batches. */
export const BATCH_ROWS = 1 << 16;

/** Packed batches kept in memory before they go to a temporary file. */
const MEMORY_MAX_BYTES = 64 << 20;

type Packed = Uint8Array | Uint16Array | Int32Array | Float64Array;

interface PackedBatch {
  readonly rows: number;
  readonly timestampUs: Float64Array;
  /** Code + 1, 0 = null, per text column; undefined where no row has a value. */
  readonly codes: readonly (Packed | undefined)[];
  /** Values, NaN = null, per number column; undefined where no row has a value. */
  readonly numbers: readonly (Float64Array | undefined)[];
  readonly lineHash: Float64Array | undefined;
}

export class EventBuilder {
  /** One dictionary per text column, of the texts as the log has them. */
  readonly dictionaries = TEXT_COLUMNS.map(() => new Dictionary());
  /** `codes[column][row]` of the batch being filled; -1 = null. */
  readonly codes = TEXT_COLUMNS.map(() => new Int32Array(BATCH_ROWS).fill(-1));
  /** `numbers[column][row]` of the batch being filled; NaN = null. */
  readonly numbers = NUMBER_COLUMN_NAMES.map(() => new Float64Array(BATCH_ROWS).fill(NaN));
  /** Microseconds since 1970-01-01 UTC of the batch being filled. */
  readonly timestampUs = new Float64Array(BATCH_ROWS);
  /** Earliest and latest time of the finished table. */
  firstSeenUs = Infinity;
  lastSeenUs = -Infinity;
  /** Rows in the batch being filled. Whoever fills the cells of this row raises it by {@link endRow}. */
  row = 0;

  /** Hash of the line that each row of the batch being filled stands on, where duplicates are to be found. */
  readonly lineHash: Float64Array | undefined;

  readonly #batches = new BatchStore();
  readonly #numberUsed = new Uint8Array(NUMBER_COLUMN_NAMES.length);
  #rows = 0;

  constructor(options: { readonly lineHashes?: boolean } = {}) {
    this.lineHash = options.lineHashes ? new Float64Array(BATCH_ROWS) : undefined;
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
        for (const batch of store.read()) yield unpack(batch, recodes);
      },
      close: () => store.close(),
    };
  }

  /** Pack the batch being filled and start the next. */
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
      codes: this.codes.map((codes, column) => packCodes(codes, rows, this.dictionaries[column]!.size)),
      numbers: this.numbers.map((values, column) => {
        if (!hasNumber(values, rows)) return undefined;
        this.#numberUsed[column] = 1;
        return values.slice(0, rows);
      }),
      lineHash: this.lineHash?.slice(0, rows),
    });
    for (const column of this.codes) column.fill(-1, 0, rows);
    for (const column of this.numbers) column.fill(NaN, 0, rows);
    this.#rows += rows;
    this.row = 0;
  }
}

function hasNumber(values: Float64Array, rows: number): boolean {
  for (let row = 0; row < rows; row++) if (values[row] === values[row]) return true;
  return false;
}

/** Code + 1 at the narrowest width that holds `cardinality`, or undefined if all rows are null. */
function packCodes(codes: Int32Array, rows: number, cardinality: number): Packed | undefined {
  if (cardinality === 0) return undefined;
  const packed =
    cardinality < 0xff ? new Uint8Array(rows) : cardinality < 0xffff ? new Uint16Array(rows) : new Int32Array(rows);
  let used = 0;
  for (let row = 0; row < rows; row++) {
    const code = codes[row]! + 1;
    packed[row] = code;
    used |= code;
  }
  return used === 0 ? undefined : packed;
}

/** Each column is unpacked when it is first asked for: few readers want all of them. */
function unpack(batch: PackedBatch, recodes: readonly (Int32Array | undefined)[]): EventBatch {
  const { rows, timestampUs, lineHash } = batch;
  const unpacked = new Map<TextColumn, Int32Array>();
  return {
    rows,
    timestampUs,
    codes: {
      get(name) {
        const known = unpacked.get(name);
        if (known !== undefined) return known;
        const column = TEXT_COLUMNS.indexOf(name);
        const packed = batch.codes[column];
        if (packed === undefined) return undefined;
        const codes = unpackCodes(packed, recodes[column]);
        unpacked.set(name, codes);
        return codes;
      },
    },
    numbers: { get: name => batch.numbers[NUMBER_COLUMN_NAMES.indexOf(name)] },
    ...(lineHash === undefined ? {} : { lineHash }),
  };
}

function unpackCodes(packed: Packed, recode: Int32Array | undefined): Int32Array {
  // The constructor widens natively; the loop then runs over one type whatever the width was.
  const codes = new Int32Array(packed);
  if (recode === undefined) {
    for (let row = 0; row < codes.length; row++) codes[row]!--;
  } else {
    for (let row = 0; row < codes.length; row++) codes[row] = codes[row] === 0 ? -1 : recode[codes[row]! - 1]!;
  }
  return codes;
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

/** Packed batches: in memory at first, in a temporary file from {@link MEMORY_MAX_BYTES} on. */
class BatchStore {
  #inMemory: PackedBatch[] = [];
  #memoryBytes = 0;
  /** Batches in the file: where each array lies and what it is. */
  #inFile: PackedShape[] = [];
  #file: number | undefined;
  #fileBytes = 0;

  add(batch: PackedBatch): void {
    this.#inMemory.push(batch);
    for (const array of arraysOf(batch)) this.#memoryBytes += array?.byteLength ?? 0;
    if (this.#memoryBytes > MEMORY_MAX_BYTES) this.#spill();
  }

  *read(): Generator<PackedBatch> {
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
      const place = (array: Packed | undefined): ArrayPlace | undefined => {
        if (array === undefined) return undefined;
        const at = this.#fileBytes;
        writeWhole(this.#file!, new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
        // Eight-byte steps keep every array aligned for the view that reads it back.
        this.#fileBytes += Math.ceil(array.byteLength / 8) * 8;
        return { at, bytes: array.byteLength, make: array.constructor as PackedConstructor };
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

  #load(shape: PackedShape): PackedBatch {
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
      codes: shape.codes.map(place => place && take(place)),
      numbers: shape.numbers.map(place => place && (take(place) as Float64Array)),
      lineHash: shape.lineHash && (take(shape.lineHash) as Float64Array),
    };
  }
}

type PackedConstructor = new (buffer: ArrayBuffer) => Packed;
interface ArrayPlace {
  readonly at: number;
  readonly bytes: number;
  readonly make: PackedConstructor;
}
interface PackedShape {
  readonly rows: number;
  readonly timestampUs: ArrayPlace;
  readonly codes: readonly (ArrayPlace | undefined)[];
  readonly numbers: readonly (ArrayPlace | undefined)[];
  readonly lineHash: ArrayPlace | undefined;
}

function arraysOf(batch: PackedBatch): (Packed | undefined)[] {
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
