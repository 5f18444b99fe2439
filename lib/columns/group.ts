/**
 * Group and sort rows by several columns of whole numbers at once: typed arrays in, typed arrays out.
 * Tested in `test/lib/columns/dictionary.test.ts`.
 */
import { widened } from "./growing-column.ts";

export interface RowGroups {
  /** Number of distinct keys. */
  readonly size: number;
  /** `groupOf[row]` = group of the row; groups count up from 0 in order of first sight. */
  readonly groupOf: Int32Array;
  /** `firstRow[group]` = the row that opened the group. */
  readonly firstRow: Int32Array;
}

/**
 * Group rows with equal values in every column.
 *
 * @param columns At least one; `columns[i][row]`, each with `rows` values or more.
 */
export function groupRows(columns: readonly Int32Array[], rows: number): RowGroups {
  const hashes = hashRows(columns, rows);
  const groupOf = new Int32Array(rows);
  let firstRow = new Int32Array(Math.min(rows, 1024));
  let size = 0;
  // Open addressing with linear probing; 0 = free, else group + 1. Grows to stay at most half full.
  let slots = new Int32Array(2048);
  let mask = slots.length - 1;
  for (let row = 0; row < rows; row++) {
    let slot = hashes[row]! & mask;
    let group = slots[slot]! - 1;
    while (group >= 0 && !(hashes[firstRow[group]!] === hashes[row] && isEqual(columns, firstRow[group]!, row))) {
      slot = (slot + 1) & mask;
      group = slots[slot]! - 1;
    }
    if (group < 0) {
      group = size++;
      if (group === firstRow.length) firstRow = widened(firstRow);
      firstRow[group] = row;
      slots[slot] = group + 1;
      if (size * 2 > slots.length) {
        slots = new Int32Array(slots.length * 2);
        mask = slots.length - 1;
        for (let old = 0; old < size; old++) {
          let free = hashes[firstRow[old]!]! & mask;
          while (slots[free] !== 0) free = (free + 1) & mask;
          slots[free] = old + 1;
        }
      }
    }
    groupOf[row] = group;
  }
  return { size, groupOf, firstRow: firstRow.subarray(0, size) };
}

function isEqual(columns: readonly Int32Array[], a: number, b: number): boolean {
  for (let i = 0; i < columns.length; i++) if (columns[i]![a] !== columns[i]![b]) return false;
  return true;
}

/** One pass a column, so that each loop runs over one array of one type. */
function hashRows(columns: readonly Int32Array[], rows: number): Int32Array {
  const hashes = new Int32Array(rows);
  for (const column of columns) {
    for (let row = 0; row < rows; row++) {
      const mixed = Math.imul(hashes[row]! ^ column[row]!, 0x9e3779b1);
      hashes[row] = mixed ^ (mixed >>> 15);
    }
  }
  return hashes;
}


/** Values of some rows, in the order of `rows`; `allocate` makes the array that holds them. */
export function take<T extends Int32Array | Float64Array>(
  column: T,
  rows: Int32Array,
  allocate: (length: number) => T = length => new (column.constructor as new (length: number) => T)(length),
): T {
  const taken = allocate(rows.length);
  if (column instanceof Int32Array) takeInts(column, rows, taken as Int32Array);
  else takeFloats(column, rows, taken as Float64Array);
  return taken;
}

// Two functions of one text: each loop then sees arrays of one type only.
function takeInts(column: Int32Array, rows: Int32Array, taken: Int32Array): void {
  for (let i = 0; i < rows.length; i++) taken[i] = column[rows[i]!]!;
}

function takeFloats(column: Float64Array, rows: Int32Array, taken: Float64Array): void {
  for (let i = 0; i < rows.length; i++) taken[i] = column[rows[i]!]!;
}

/**
 * Rows in rising order of the columns, the first column counting most; equal rows keep their order.
 *
 * A stable counting sort per column from the last to the first (radix sort), 16 bits a pass: no comparisons.
 *
 * @param columns Whole numbers >= -1.
 */
export function sortedRows(columns: readonly Int32Array[], rows: number): Int32Array {
  let order = new Int32Array(rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  let next = new Int32Array(rows);
  for (let i = columns.length - 1; i >= 0; i--) {
    const column = columns[i]!;
    let max = -1;
    for (let row = 0; row < rows; row++) if (column[row]! > max) max = column[row]!;
    for (let shift = 0; shift === 0 || (max + 1) >>> shift > 0; shift += 16) {
      const starts = new Int32Array(Math.min((max + 1) >>> shift, 0xffff) + 2);
      for (let row = 0; row < rows; row++) starts[(((column[row]! + 1) >>> shift) & 0xffff) + 1]!++;
      for (let digit = 1; digit < starts.length; digit++) starts[digit]! += starts[digit - 1]!;
      for (let j = 0; j < rows; j++) {
        const row = order[j]!;
        next[starts[((column[row]! + 1) >>> shift) & 0xffff]!++] = row;
      }
      [order, next] = [next, order];
      if (shift === 16) break;
    }
  }
  return order;
}
