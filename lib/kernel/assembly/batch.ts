/**
 * Cells of the batch being filled: a code, a number or none in each row of each column, and the row's timestamp.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { BATCH_ROWS, COLUMN_EXTRA, NUMBER_COLUMN_COUNT, TEXT_COLUMN_COUNT } from "../layout.ts";
import { Dictionary, dictionaryOf, intern, truncate } from "./dictionaries.ts";

/** Cells are emptied so many rows ahead: all columns of them fit into the cache, and a small log empties few. */
const EMPTIED_ROWS: i32 = 1024;

const CODES: usize = memory.data(TEXT_COLUMN_COUNT * BATCH_ROWS * 4, 16);
const NUMBERS: usize = memory.data(NUMBER_COLUMN_COUNT * BATCH_ROWS * 8, 16);
const TIMES: usize = memory.data(BATCH_ROWS * 8, 16);
/** Start and end of the line that each row stands on, where they are asked for. */
export const LINES: usize = memory.data(BATCH_ROWS * 8, 16);

/** The NaN that JavaScript writes too: what stands behind a null is the same by either path. */
const NO_NUMBER: u64 = 0x7ff8_0000_0000_0000;
const NO_NUMBERS: v128 = i64x2.splat(NO_NUMBER);

/** Rows filled. */
export let row: i32 = 0;

@inline export function codesOf(column: i32): usize {
  return CODES + column * (BATCH_ROWS * 4);
}

@inline export function numbersOf(column: i32): usize {
  return NUMBERS + column * (BATCH_ROWS * 8);
}

@inline export function codeIn(column: i32, at: i32): i32 {
  return load<i32>(codesOf(column) + (<usize>at << 2));
}

@inline export function numberIn(column: i32, at: i32): f64 {
  return load<f64>(numbersOf(column) + (<usize>at << 3));
}

@inline export function timeIn(at: i32): f64 {
  return load<f64>(TIMES + (<usize>at << 3));
}

/** Have empty cells at {@link row}; to be called before a row is filled. */
@inline export function openRow(): void {
  addedCount = 0;
  if ((row & (EMPTIED_ROWS - 1)) == 0) emptyRows();
}

function emptyRows(): void {
  for (let column = 0; column < TEXT_COLUMN_COUNT; column++) memory.fill(codesOf(column) + (row << 2), 0xff, EMPTIED_ROWS * 4);
  for (let column = 0; column < NUMBER_COLUMN_COUNT; column++) {
    const end = numbersOf(column) + ((row + EMPTIED_ROWS) << 3);
    for (let at = numbersOf(column) + (row << 3); at < end; at += 16) v128.store(at, NO_NUMBERS);
  }
}

@inline export function codeAt(column: i32): i32 {
  return load<i32>(codesOf(column) + (<usize>row << 2));
}

@inline export function setCode(column: i32, code: i32): void {
  store<i32>(codesOf(column) + (<usize>row << 2), code);
}

@inline export function hasNumber(column: i32): bool {
  const number = load<f64>(numbersOf(column) + (<usize>row << 3));
  return number == number;
}

@inline export function setNumber(column: i32, number: f64): void {
  store<f64>(numbersOf(column) + (<usize>row << 3), number);
}

/** Take the cells as a row. */
@inline export function closeRow(us: f64): void {
  store<f64>(TIMES + (<usize>row << 3), us);
  row++;
}

export function startBatch(): void {
  row = 0;
}

// ---- Texts of a row that is given up

/** Dictionaries that got a text from the row being filled: one a column at most. */
const ADDED: usize = memory.data(TEXT_COLUMN_COUNT * 4);
let addedCount: i32 = 0;

/** Code of a text for a cell of the row being filled. */
@inline export function internCell(column: i32, text: usize, length: u32): i32 {
  const d = dictionaryOf(column);
  const size = d.size;
  const code = intern(d, text, length);
  if (d.size != size) noteAdded(d);
  return code;
}

/** Remember that a dictionary got a text that goes again if the row does. */
@inline export function noteAdded(d: Dictionary): void {
  store<u32>(ADDED + (<usize>addedCount << 2), <u32>changetype<usize>(d));
  addedCount++;
}

/**
 * Give up the row being filled: its cells are empty again, and the texts that came with it are gone. So a table is the same
 * whichever path read its lines.
 */
export function takeBackRow(): void {
  while (addedCount > 0) {
    addedCount--;
    const d = changetype<Dictionary>(load<u32>(ADDED + (<usize>addedCount << 2)));
    truncate(d, d.size - 1);
  }
  for (let column = 0; column <= COLUMN_EXTRA; column++) setCode(column, -1);
  for (let column = 0; column < NUMBER_COLUMN_COUNT; column++) store<u64>(numbersOf(column) + (<usize>row << 3), NO_NUMBER);
}
