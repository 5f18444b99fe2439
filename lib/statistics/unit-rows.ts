/**
 * The rows of some keys of what is compared, out of a table that stays in its file: events as they are counted, sources counted day
 * by day as they are read. Which keys: those of one slice of all, or chosen ones.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import type { FoundRows } from "../columns/chosen-tuples.ts";
import { widened } from "../columns/growing-column.ts";
import { hashTuple, TupleNumbers } from "../columns/tuple-numbers.ts";
import { KIND_SPECS } from "../reduced/kinds.ts";
import type { LazyBatch } from "../reduced/sorted-table.ts";
import type { StoredDays, StoredTable } from "../reduced/stored-table.ts";
import { type CodedTexts, codesIn, type ComparedUnit, marksOf } from "./compared-units.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { SourceCounter } from "./source-counts.ts";
import type { PartContext } from "./statistics-parts.ts";

/** Keys by a hash of 16 bits of theirs, from `start` on and below `end`. */
export interface KeySlice {
  readonly start: number;
  readonly end: number;
}

const HASHES = 1 << 16;
export const ALL_KEYS: KeySlice = { start: 0, end: HASHES };

/** Slices of one, about as many keys in each. */
export function cutSlice({ start, end }: KeySlice, number: number): KeySlice[] {
  const of = Math.max(1, Math.min(number, end - start));
  const placeOf = (i: number) => start + Math.round(((end - start) * i) / of);
  return Array.from({ length: of }, (_, i) => ({ start: placeOf(i), end: placeOf(i + 1) }));
}

/** Which rows are wanted, and the number of each one's key. */
export interface KeyFinder {
  /** Good until the next are asked for. */
  find(columns: readonly Int32Array[], rows: number): FoundRows;
}

/** The keys of a slice, numbered in the order in which they come. */
export class SliceKeys implements KeyFinder {
  readonly #slice: KeySlice;
  readonly #numbers: TupleNumbers;
  #rows = new Int32Array(0);
  #found = new Int32Array(0);
  readonly #picked: Int32Array[];
  readonly #isAll: boolean;

  /** @param width Columns of a key. */
  constructor(width: number, slice: KeySlice) {
    this.#slice = slice;
    this.#isAll = slice.end - slice.start === HASHES;
    this.#numbers = new TupleNumbers(width);
    this.#picked = Array.from({ length: width }, () => new Int32Array(0));
  }

  get size(): number {
    return this.#numbers.size;
  }

  /** Of each column the codes of some keys, of all if omitted. */
  codesOf(keys?: Int32Array): Int32Array[] {
    return this.#numbers.codesOf(keys);
  }

  find(columns: readonly Int32Array[], rows: number): FoundRows {
    if (this.#rows.length < rows) {
      this.#rows = Int32Array.from({ length: rows }, (_, row) => row);
      this.#found = new Int32Array(rows);
      if (!this.#isAll) this.#picked.forEach((_, i) => (this.#picked[i] = new Int32Array(rows)));
    }
    if (this.#isAll) {
      const numbers = this.#found.subarray(0, rows);
      return { rows: this.#rows.subarray(0, rows), numbers: this.#numbers.number(columns, rows, numbers) };
    }
    const size = this.#pick(columns, rows);
    const numbers = this.#found.subarray(0, size);
    return { rows: this.#rows.subarray(0, size), numbers: this.#numbers.number(this.#picked, size, numbers) };
  }

  #pick(columns: readonly Int32Array[], rows: number): number {
    const { start, end } = this.#slice;
    const [a, b, c] = columns;
    const [toA, toB, toC] = this.#picked;
    const wanted = this.#rows;
    let size = 0;
    for (let row = 0; row < rows; row++) {
      const x = a![row]!;
      const y = b === undefined ? 0 : b[row]!;
      const z = c === undefined ? 0 : c[row]!;
      // The lower bits: tables of a slice's keys go by the upper ones.
      const hash = hashTuple(x, y, z) & (HASHES - 1);
      if (hash < start || hash >= end) continue;
      wanted[size] = row;
      toA![size] = x;
      if (b !== undefined) toB![size] = y;
      if (c !== undefined) toC![size] = z;
      size++;
    }
    return size;
  }
}

/** What is counted of some keys. */
export interface UnitRows {
  /** Of a kind. */
  readonly events: KeyedRows | undefined;
  /** Where they are asked for. */
  readonly sources: KeyedRows | undefined;
}

/**
 * Read the rows of a unit.
 *
 * @param days Sources are told exactly on those of the windows.
 * @param finder Says which, and is asked once for each part.
 * @param keysOf How many keys there are by now, and their codes once all rows are read.
 */
export function readUnit(
  stored: StoredTable,
  unit: ComparedUnit,
  context: PartContext,
  coded: CodedTexts,
  days: Partial<StoredDays>,
  finder: KeyFinder,
  keysOf: { readonly size: number; codesOf(): readonly Int32Array[] },
  wanted: { readonly events: boolean; readonly sources: boolean },
): UnitRows {
  const columnsOf = codesIn(unit, coded);
  const events = wanted.events ? new EventRows() : undefined;
  const sources = wanted.sources ? new SourceReader(unit, context, coded) : undefined;
  for (const part of stored.parts(unit.kind, days)) {
    const columns = columnsOf(part);
    const found = finder.find(columns, part.rows);
    if (found.rows.length === 0) continue;
    events?.add(part, found);
    sources?.add(part, found, columns, keysOf.size);
  }
  const keys = keysOf.size;
  const marks = marksOf(unit, coded, keysOf.codesOf());
  return { events: events?.finish(unit, keys, marks), sources: sources?.finish(keys, marks) };
}

class EventRows {
  #rows = 0;
  #day = new Int32Array(1024);
  #sensor = new Int32Array(1024);
  #key = new Int32Array(1024);
  #count = new Float64Array(1024);

  add({ day, sensor, count }: LazyBatch, { rows, numbers }: FoundRows): void {
    const least = this.#rows + rows.length;
    if (least > this.#day.length) {
      this.#day = widened(this.#day, least);
      this.#sensor = widened(this.#sensor, least);
      this.#key = widened(this.#key, least);
      this.#count = widened(this.#count, least);
    }
    for (let i = 0; i < rows.length; i++) {
      const at = this.#rows + i;
      const row = rows[i]!;
      this.#day[at] = day[row]!;
      this.#sensor[at] = sensor[row]!;
      this.#key[at] = numbers[i]!;
      this.#count[at] = count[row]!;
    }
    this.#rows = least;
  }

  finish({ name }: ComparedUnit, keys: number, marks: Uint32Array): KeyedRows {
    const rows = this.#rows;
    const [day, sensor, key, count] = [this.#day.subarray(0, rows), this.#sensor.subarray(0, rows), this.#key.subarray(0, rows), this.#count.subarray(0, rows)];
    return { kind: name, rows, day, sensor, key, count, keys, marks, additive: true, unit: "events" };
  }
}

/** Gathers the rows of a day, and counts the sources of its keys. */
class SourceReader {
  readonly #unit: ComparedUnit;
  readonly #counter: SourceCounter;
  readonly #addresses: Uint32Array | undefined;
  /** Columns and sets of the day; they grow. */
  readonly #day = {
    sensor: new Int32Array(1024),
    count: new Float64Array(1024),
    key: new Int32Array(1024),
    addresses: { sets: { size: 0, hashes: new Uint32Array(4096), offsets: new Int32Array(1025) }, codes: Int32Array.from({ length: 1024 }, (_, row) => row) },
    nothing: -1,
  };
  #rows = 0;
  #open = -Infinity;
  #keys = 0;

  constructor(unit: ComparedUnit, { coverage, sourceWindows }: PartContext, { addresses }: CodedTexts) {
    this.#unit = unit;
    this.#counter = new SourceCounter(this.#day, coverage, sourceWindows!);
    this.#addresses = KIND_SPECS[unit.kind].hasAddresses ? undefined : addresses;
  }

  /** @param keys Numbers of keys are below. */
  add(part: LazyBatch, { rows, numbers }: FoundRows, columns: readonly Int32Array[], keys: number): void {
    this.#keys = keys;
    const { day, sensor, count } = part;
    const codes = this.#addresses === undefined ? part.addresses! : part.keys.src_ip!;
    // A part of a key that is missing is no key of its own.
    const only = this.#unit.family !== undefined && columns.length === 1 ? columns[0] : undefined;
    const { sets } = part;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      if (day[row] !== this.#open) {
        this.#close();
        this.#open = day[row]!;
      }
      if (only !== undefined && only[row]! < 0) continue;
      const code = codes[row]!;
      const at = this.#rows;
      if (at === this.#day.key.length) this.#grow();
      if (this.#addresses !== undefined) this.#addOne(code);
      // Nobody knows where its events came from.
      else if (code < 0) continue;
      else this.#addSet(sets.hashes, sets.offsets[code]!, sets.offsets[code + 1]!);
      this.#day.sensor[at] = sensor[row]!;
      this.#day.count[at] = count[row]!;
      this.#day.key[at] = numbers[i]!;
      this.#rows = at + 1;
    }
  }

  finish(keys: number, marks: Uint32Array): KeyedRows {
    this.#close();
    return this.#counter.finish({ kind: this.#unit.name, keys, marks });
  }

  #close(): void {
    if (this.#rows > 0) this.#counter.addDay(this.#open, 0, this.#rows, this.#keys);
    this.#rows = 0;
  }

  /** The set of an address; of none the empty one. */
  #addOne(code: number): void {
    const { sets } = this.#day.addresses;
    const start = sets.offsets[this.#rows]!;
    if (start === sets.hashes.length) sets.hashes = widened(sets.hashes);
    if (code >= 0) sets.hashes[start] = this.#addresses![code]!;
    sets.offsets[this.#rows + 1] = start + (code < 0 ? 0 : 1);
  }

  #addSet(hashes: Uint32Array, start: number, end: number): void {
    const { sets } = this.#day.addresses;
    const at = sets.offsets[this.#rows]!;
    if (at + end - start > sets.hashes.length) sets.hashes = widened(sets.hashes, at + end - start);
    for (let i = start; i < end; i++) sets.hashes[at + i - start] = hashes[i]!;
    sets.offsets[this.#rows + 1] = at + end - start;
  }

  #grow(): void {
    const day = this.#day;
    day.sensor = widened(day.sensor);
    day.count = widened(day.count);
    day.key = widened(day.key);
    day.addresses.sets.offsets = widened(day.addresses.sets.offsets, 2 * day.sensor.length + 1);
    day.addresses.codes = Int32Array.from({ length: day.sensor.length }, (_, row) => row);
  }
}
