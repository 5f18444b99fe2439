/**
 * Rows whose key, however many columns it has, is one number: what counting, ledgers and tests run over.
 *
 * Keys are typed tuples of codes. They are never joined into one text, so `a:b` with `c` and `a` with `b:c` stay two.
 */
import type { KeyColumn, KeyValue } from "../reduced/kinds.ts";
import {
  type ComparableKind,
  isTextColumn,
  keyOf,
  namesOf,
  rowsOf,
  type ShownColumn,
  type ShownKind,
} from "../reduced/origin-kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { sharedInts } from "../columns/shared-arrays.ts";
import { hashTuple, TupleNumbers } from "../columns/tuple-numbers.ts";
import { widened } from "../columns/growing-column.ts";

/**
 * What is compared: kinds by their keys, events by `eventid` alone, counts of distinct values, and families of keys that only
 * sources are counted of.
 */
export type ChangeKind = ComparableKind | "distinct" | SourceFamily;

/** What is counted: events, or the distinct addresses that they came from. */
export type Unit = "events" | "sources";

/** Keys of which sources are counted and events are not: parts of keys, and keys put together. */
export const SOURCE_FAMILIES = {
  username: { columns: ["username"], word: "username" },
  password: { columns: ["password"], word: "password" },
  program: { columns: ["input"], word: "program" },
  hash: { columns: ["shasum"], word: "downloaded file" },
  client_key: { columns: ["key", "fingerprint"], word: "offered key" },
  subnet: { columns: ["src_ip"], word: "subnet" },
  destination: { columns: ["dst_ip", "dst_port"], word: "proxy destination" },
} as const satisfies Record<string, { readonly columns: readonly KeyColumn[]; readonly word: string }>;
export type SourceFamily = keyof typeof SOURCE_FAMILIES;

/** Values in the order of the kind's key columns (`KINDS`); `[eventid]` for event; `[name]` for distinct counts. */
export type KeyValues = KeyValue[];

export interface KeyedRows {
  readonly kind: ChangeKind;
  readonly rows: number;
  /** In (day, sensor) order; a key may stand in several rows of a sensor-day, which add up. */
  readonly day: Int32Array;
  readonly sensor: Int32Array;
  readonly count: Float64Array;
  /** The key of each row, 0..keys-1. */
  readonly key: Int32Array;
  readonly keys: number;
  /** Whether counts add up over days; counts of distinct values do not. */
  readonly additive: boolean;
  readonly unit: Unit;
  /** 32 bits made of each key's text, where there are so many keys that a sample of them is drawn. */
  readonly marks?: Uint32Array;
  /** Of sources: the events that came from them. */
  readonly events?: Float64Array;
  /** By slot of the windows: counts of the whole fleet, where they are no sums of its sensors'. */
  readonly fleet?: readonly FleetRows[];
}

/** Counts of keys on days; the sensors are those that have a window for a slot. */
export interface FleetRows {
  /** Ascending; a key at most once a day. */
  readonly day: Int32Array;
  readonly key: Int32Array;
  readonly count: Float64Array;
  readonly events: Float64Array;
}

/**
 * A table's rows of one kind by their numbered keys; `event` is keyed by its id alone.
 *
 * @param markedFrom More keys have marks.
 */
export function toKeyedRows(table: ReducedTable, kind: ComparableKind, interned: InternedRows, markedFrom = MARKED_KEYS): KeyedRows {
  const { rows, day, sensor, count } = rowsOf(table, kind)!;
  const { key, keys } = interned;
  const columns = keyNames(kind).map(name => ({
    codes: rowsOf(table, kind)!.keys[name]!,
    texts: isTextColumn(name) ? namesOf(table, name) : undefined,
  }));
  const marks = keys > markedFrom ? { marks: markTexts(columns, interned) } : {};
  return { ...marks, kind, rows, day, sensor, count, key, keys, additive: true, unit: "events" };
}

/** Fewer keys are all looked at, wherever a sample is enough of more. */
export const MARKED_KEYS = 64;

/**
 * 32 bits for each key that depend on nothing but its values: what a sample of keys is chosen by.
 *
 * @param columns What was numbered; without texts a column's codes are numbers themselves.
 */
export function markTexts(
  columns: readonly { readonly codes: Int32Array; readonly texts: readonly string[] | undefined }[],
  { keys, firstRow }: InternedRows,
): Uint32Array {
  const marks = new Uint32Array(new SharedArrayBuffer(keys * Uint32Array.BYTES_PER_ELEMENT));
  for (const { codes, texts } of columns) {
    const hashes = texts && Uint32Array.from(texts, text => Bun.hash.xxHash32(text));
    for (let key = 0; key < keys; key++) {
      const code = codes[firstRow[key]!]!;
      marks[key] = hashTuple(marks[key]!, code < 0 || hashes === undefined ? code : hashes[code]!, code < 0 ? 1 : 0);
    }
  }
  return marks;
}

/** The columns of a kind's key, to be numbered by {@link internRows}. */
export function keyColumns(table: ReducedTable, kind: ComparableKind): Int32Array[] {
  return keyNames(kind).map(name => rowsOf(table, kind)!.keys[name]!);
}

function keyNames(kind: ShownKind): readonly ShownColumn[] {
  return kind === "event" ? ["eventid"] : keyOf(kind);
}

/** What a numbered key stands for; `names` are the columns that were numbered, those of the kind's key if not others. */
export function valuesOf(
  table: ReducedTable,
  kind: ShownKind,
  { firstRow }: InternedRows,
  key: number,
  names: readonly ShownColumn[] = keyNames(kind),
): KeyValues {
  return names.map(name => {
    const code = rowsOf(table, kind)!.keys[name]![firstRow[key]!]!;
    if (code < 0) return null;
    return isTextColumn(name) ? namesOf(table, name)[code]! : code;
  });
}

/** In memory that threads share. */
export interface InternedRows {
  key: Int32Array;
  keys: number;
  /** The first row of each key; keys are numbered in the order of these. */
  firstRow: Int32Array;
}

/**
 * Number the distinct tuples of some columns, in order of first appearance.
 *
 * One column, and two of few enough pairs, are numbered through a table with a place for each; others by hashing.
 */
export function internRows(columns: readonly Int32Array[], rows: number): InternedRows {
  const [a, b, c] = columns;
  if (b === undefined) return internCodes(a!, rows);
  const width = c === undefined ? denseWidth(a!, b, rows) : undefined;
  return width === undefined ? internTuples(columns, rows) : internPairs(a!, b, width, rows);
}

function internCodes(column: Int32Array, rows: number): InternedRows {
  let most = -1;
  for (let row = 0; row < rows; row++) if (column[row]! > most) most = column[row]!;
  const key = sharedInts(rows);
  let firstRow = new Int32Array(1024);
  let keys = 0;
  const keyOfCode = new Int32Array(most + 2).fill(-1);
  for (let row = 0; row < rows; row++) {
    const code = column[row]! + 1;
    if (keyOfCode[code]! < 0) {
      if (keys === firstRow.length) firstRow = widened(firstRow);
      firstRow[keys] = row;
      keyOfCode[code] = keys++;
    }
    key[row] = keyOfCode[code]!;
  }
  return { key, keys, firstRow: shared(firstRow.subarray(0, keys)) };
}

/** Few enough pairs for one place each: ascending keys of a sensor-day walk the table in order. */
function internPairs(a: Int32Array, b: Int32Array, { places, second, rank }: DenseWidth, rows: number): InternedRows {
  const key = sharedInts(rows);
  let firstRow = new Int32Array(1024);
  let keys = 0;
  const keyOfPair = new Int32Array(places).fill(-1);
  for (let row = 0; row < rows; row++) {
    const place = (a[row]! + 1) * second + rank[b[row]! + 1]!;
    if (keyOfPair[place]! < 0) {
      if (keys === firstRow.length) firstRow = widened(firstRow);
      firstRow[keys] = row;
      keyOfPair[place] = keys++;
    }
    key[row] = keyOfPair[place]!;
  }
  return { key, keys, firstRow: shared(firstRow.subarray(0, keys)) };
}

function internTuples(columns: readonly Int32Array[], rows: number): InternedRows {
  const numbers = new TupleNumbers(columns.length, false);
  const key = sharedInts(rows);
  numbers.number(columns, rows, key);
  const firstRow = sharedInts(numbers.size);
  // Numbers count up in the order of their first rows.
  for (let row = 0, keys = 0; keys < firstRow.length; row++) if (key[row] === keys) firstRow[keys++] = row;
  return { key, keys: numbers.size, firstRow };
}

/** A copy that threads may look at. */
function shared(list: Int32Array): Int32Array {
  const copy = sharedInts(list.length);
  copy.set(list);
  return copy;
}

/** Most places of a table with one for each pair: 64 MB. */
const DENSE_PLACES = 1 << 24;

/** How pairs of codes are numbered when there are few enough of them; the second column's values are ranked first. */
type DenseWidth = NonNullable<ReturnType<typeof denseWidth>>;

function denseWidth(a: Int32Array, b: Int32Array, rows: number) {
  let mostA = -1;
  let mostB = -1;
  for (let row = 0; row < rows; row++) {
    if (a[row]! > mostA) mostA = a[row]!;
    if (b[row]! > mostB) mostB = b[row]!;
  }
  const rank = new Int32Array(mostB + 2).fill(-1);
  let second = 0;
  for (let row = 0; row < rows; row++) {
    if (rank[b[row]! + 1]! >= 0) continue;
    rank[b[row]! + 1] = second++;
    if ((mostA + 2) * second > DENSE_PLACES) return undefined;
  }
  return { places: (mostA + 2) * second, second, rank };
}

/** Some of many keys, and the place of each among them. */
export class ChosenKeys {
  /** A bit a key stays in the cache while every row asks; only rows of chosen keys ask for their place. */
  readonly #isChosen: Uint32Array;
  readonly #placeOf: Int32Array;

  /** @param chosen Keys, each once, `< keys`. */
  constructor(keys: number, chosen: readonly number[]) {
    this.#isChosen = new Uint32Array((keys + 31) >>> 5);
    this.#placeOf = new Int32Array(keys);
    for (let place = 0; place < chosen.length; place++) {
      const key = chosen[place]!;
      this.#isChosen[key >>> 5]! |= 1 << (key & 31);
      this.#placeOf[key] = place;
    }
  }

  /** -1: not chosen. */
  placeOf(key: number): number {
    return (this.#isChosen[key >>> 5]! & (1 << (key & 31))) === 0 ? -1 : this.#placeOf[key]!;
  }
}

/** The rows of chosen keys: rows of the k-th are `rows[offsets[k]] .. rows[offsets[k + 1] - 1]`, in row order. */
export type RowsByKey = ReturnType<typeof gatherRows>;

/**
 * Gather the rows of chosen keys, key by key.
 *
 * @param key The key of each row, `< keys`.
 * @param chosen Keys, each once.
 * @param startRow Rows before this one are left out.
 */
export function gatherRows(key: Int32Array, keys: number, chosen: readonly number[], startRow = 0) {
  const places = new ChosenKeys(keys, chosen);
  // Counted first: a list that grows as it is filled takes twice the memory, and longer.
  const offsets = new Int32Array(chosen.length + 1);
  for (let row = startRow; row < key.length; row++) {
    const place = places.placeOf(key[row]!);
    if (place >= 0) offsets[place + 1]!++;
  }
  for (let place = 0; place < chosen.length; place++) offsets[place + 1]! += offsets[place]!;
  const next = offsets.slice(0, chosen.length);
  const rows = new Int32Array(offsets[chosen.length]!);
  for (let row = startRow; row < key.length; row++) {
    const place = places.placeOf(key[row]!);
    if (place >= 0) rows[next[place]!++] = row;
  }
  return { offsets, rows };
}

/** First row of a day or a later one; rows are in day order. */
export function rowOfDay(day: Int32Array, wanted: number): number {
  return firstPlace(day.length, row => day[row]! >= wanted);
}

/** The same of some rows, in day order themselves: a place among them. */
export function placeOfDay(day: Int32Array, rows: Int32Array, wanted: number): number {
  return firstPlace(rows.length, place => day[rows[place]!]! >= wanted);
}

/** The first of `length` places from which on something holds. */
function firstPlace(length: number, holds: (place: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
