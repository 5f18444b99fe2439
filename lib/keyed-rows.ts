/**
 * Rows whose key, however many columns it has, is one number: what counting, ledgers and tests run over.
 *
 * Keys are typed tuples of codes. They are never joined into one text, so `a:b` with `c` and `a` with `b:c` stay two.
 */
import { isTextKey, type KeyColumn, type Kind, KINDS } from "./kinds.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";
import type { ChangeKind, KeyValues } from "./statistics.ts";

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
  /** Whether counts add up over days and sensors; counts of distinct values do not. */
  readonly additive: boolean;
  readonly valuesOf: (key: number) => KeyValues;
}

/**
 * A table's rows of one kind; `event` is keyed by its id alone.
 *
 * @param interned The keys, where they have been numbered before.
 */
export function toKeyedRows(
  table: ReducedTable,
  kind: Exclude<ChangeKind, "distinct">,
  interned?: InternedRows,
): KeyedRows {
  const rows = table.kinds[kind];
  const names: readonly KeyColumn[] = kind === "event" ? ["eventid"] : KINDS[kind];
  const { key, keys, firstRow } = interned ?? internRows(names.map(name => rows.keys[name]!), rows.rows);
  return {
    kind,
    rows: rows.rows,
    day: rows.day,
    sensor: rows.sensor,
    count: rows.count,
    key,
    keys,
    additive: true,
    valuesOf: id => names.map(name => valueOf(table, rows, name, firstRow[id]!)),
  };
}

function valueOf(table: ReducedTable, rows: KindTable, name: KeyColumn, row: number): string | number | null {
  const code = rows.keys[name]![row]!;
  if (code < 0) return null;
  return isTextKey(name) ? table.dictionaries[name][code]! : code;
}

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
  const key = new Int32Array(rows);
  let firstRow = new Int32Array(1024);
  let keys = 0;
  if (columns.length === 1) {
    const column = columns[0]!;
    let most = -1;
    for (let row = 0; row < rows; row++) if (column[row]! > most) most = column[row]!;
    const keyOfCode = new Int32Array(most + 2).fill(-1);
    for (let row = 0; row < rows; row++) {
      const code = column[row]! + 1;
      if (keyOfCode[code]! < 0) {
        if (keys === firstRow.length) firstRow = doubled(firstRow);
        firstRow[keys] = row;
        keyOfCode[code] = keys++;
      }
      key[row] = keyOfCode[code]!;
    }
    return { key, keys, firstRow: firstRow.subarray(0, keys) };
  }
  const a = columns[0]!;
  const b = columns[1]!;
  const width = denseWidth(a, b, rows);
  if (columns.length === 2 && width !== undefined) {
    // Few enough pairs for one place each: ascending keys of a sensor-day walk the table in order.
    const keyOfPair = new Int32Array(width.places).fill(-1);
    for (let row = 0; row < rows; row++) {
      const place = (a[row]! + 1) * width.second + width.rank[b[row]! + 1]!;
      if (keyOfPair[place]! < 0) {
        if (keys === firstRow.length) firstRow = doubled(firstRow);
        firstRow[keys] = row;
        keyOfPair[place] = keys++;
      }
      key[row] = keyOfPair[place]!;
    }
    return { key, keys, firstRow: firstRow.subarray(0, keys) };
  }
  // A third column that is not there is the second again: comparing it twice costs less than a branch.
  const c = columns[2] ?? b;
  // Four numbers a slot, the tuple and its key + 1: a look-up touches one line of the cache.
  let bits = 12;
  let slots = new Int32Array(4 << bits);
  for (let row = 0; row < rows; row++) {
    if (keys * 2 >= slots.length / 4) {
      const old = slots;
      slots = new Int32Array(4 << ++bits);
      for (let from = 0; from < old.length; from += 4) {
        if (old[from + 3] === 0) continue;
        let to = (hashTuple(old[from]!, old[from + 1]!, old[from + 2]!) >>> (32 - bits)) * 4;
        while (slots[to + 3] !== 0) to = (to + 4) & (slots.length - 1);
        slots.set(old.subarray(from, from + 4), to);
      }
    }
    const x = a[row]!;
    const y = b[row]!;
    const z = c[row]!;
    let at = (hashTuple(x, y, z) >>> (32 - bits)) * 4;
    while (slots[at + 3] !== 0 && (slots[at] !== x || slots[at + 1] !== y || slots[at + 2] !== z)) {
      at = (at + 4) & (slots.length - 1);
    }
    if (slots[at + 3] === 0) {
      slots[at] = x;
      slots[at + 1] = y;
      slots[at + 2] = z;
      if (keys === firstRow.length) firstRow = doubled(firstRow);
      firstRow[keys++] = row;
      slots[at + 3] = keys;
    }
    key[row] = slots[at + 3]! - 1;
  }
  return { key, keys, firstRow: firstRow.subarray(0, keys) };
}

function doubled(list: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(list.length * 2);
  wider.set(list);
  return wider;
}

/** Most places of a table with one for each pair: 64 MB. */
const DENSE_PLACES = 1 << 24;

/** How pairs of codes are numbered when there are few enough of them; the second column's values are ranked first. */
function denseWidth(
  a: Int32Array,
  b: Int32Array,
  rows: number,
): { places: number; second: number; rank: Int32Array } | undefined {
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

function hashTuple(a: number, b: number, c: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35) ^ Math.imul(c, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return Math.imul(h ^ (h >>> 13), 0x9e3779b1);
}

/** The rows of chosen keys: rows of key k are `rows[offsets[k]] .. rows[offsets[k + 1] - 1]`, in row order. */
export interface RowsByKey {
  offsets: Int32Array;
  rows: Int32Array;
}

/**
 * Sort rows by key, keeping their order within one.
 *
 * @param slotOf Place of each key in the result, -1 for keys to leave out.
 * @param slots How many places there are.
 * @param startRow Rows before this one are left out.
 */
export function groupRows(key: Int32Array, slotOf: Int32Array, slots: number, startRow = 0): RowsByKey {
  const offsets = new Int32Array(slots + 1);
  for (let row = startRow; row < key.length; row++) {
    const slot = slotOf[key[row]!]!;
    if (slot >= 0) offsets[slot + 1]!++;
  }
  for (let slot = 0; slot < slots; slot++) offsets[slot + 1]! += offsets[slot]!;
  const next = offsets.slice(0, slots);
  const rows = new Int32Array(offsets[slots]!);
  for (let row = startRow; row < key.length; row++) {
    const slot = slotOf[key[row]!]!;
    if (slot >= 0) rows[next[slot]!++] = row;
  }
  return { offsets, rows };
}

/** First row of a day or a later one; rows are in day order. */
export function rowOfDay(day: Int32Array, wanted: number): number {
  let low = 0;
  let high = day.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (day[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The kinds that are compared by key. */
export const COMPARED_KINDS = [
  "event",
  "login",
  "command",
  "pre_disconnect_command",
  "connect",
  "session_closed",
  "file_download",
  "file_upload",
  "proxy_request",
  "client",
] as const satisfies readonly Kind[];
