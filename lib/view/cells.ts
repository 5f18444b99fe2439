/**
 * Counts per day and sensor as the report's page carries them: sparse, and small enough to be filtered in a browser.
 *
 * A cell is `(day - firstDay) * sensors + sensor`; cells without an event are left out.
 */
import { type DayRange, dayCount } from "./axis.ts";
import { widened } from "../columns/growing-column.ts";

export interface Cells {
  /** Cell numbers, rising, each at most once. */
  readonly at: Int32Array;
  /** `count[i]` belongs to `at[i]`, is a whole number and above 0. */
  readonly count: Float64Array;
}

/** What the cells are numbered by. */
export interface Grid {
  readonly firstDay: number;
  readonly days: number;
  readonly sensors: number;
  /** Code of what stands for all sensors that are not drawn one by one; undefined = every one is. */
  readonly others?: number;
}

/** The days and sensors that are looked at. */
export interface Filter {
  readonly range: DayRange;
  /** `sensors[code]` = 1 for those chosen. */
  readonly sensors: Uint8Array;
}

export function wholeRange(grid: Grid): DayRange {
  return { first: grid.firstDay, last: grid.firstDay + grid.days - 1 };
}

export function everything(grid: Grid): Filter {
  return { range: wholeRange(grid), sensors: new Uint8Array(grid.sensors).fill(1) };
}

export function isEverything(grid: Grid, filter: Filter): boolean {
  const { first, last } = filter.range;
  return (
    first <= grid.firstDay && last >= grid.firstDay + grid.days - 1 && filter.sensors.every(chosen => chosen === 1)
  );
}

/** Call `visit(day - range.first, sensor, count)` for each cell inside the filter, by day, then sensor. */
export function forEachCell(
  cells: Cells,
  grid: Grid,
  filter: Filter,
  visit: (day: number, sensor: number, count: number) => void,
): void {
  const end = lowerBound(cells.at, (filter.range.last + 1 - grid.firstDay) * grid.sensors);
  const shift = filter.range.first - grid.firstDay;
  for (let i = lowerBound(cells.at, shift * grid.sensors); i < end; i++) {
    const cell = cells.at[i]!;
    const day = Math.floor(cell / grid.sensors);
    const sensor = cell - day * grid.sensors;
    if (filter.sensors[sensor] === 1) visit(day - shift, sensor, cells.count[i]!);
  }
}

/** The sum of several lists, or of each cell what `join` makes of two counts. */
export function addCells(lists: readonly Cells[], join: (a: number, b: number) => number = (a, b) => a + b): Cells {
  const [first, ...rest] = lists.filter(({ at }) => at.length > 0);
  if (first === undefined || rest.length === 0) return first ?? { at: new Int32Array(0), count: new Float64Array(0) };
  const sums = new Map<number, number>();
  for (const { at, count } of [first, ...rest]) {
    for (let i = 0; i < at.length; i++) {
      const known = sums.get(at[i]!);
      sums.set(at[i]!, known === undefined ? count[i]! : join(known, count[i]!));
    }
  }
  const at = Int32Array.from(sums.keys()).sort();
  return { at, count: Float64Array.from(at, cell => sums.get(cell)!) };
}

/** First position in rising `values` whose value is not below `wanted`. */
export function lowerBound(values: Int32Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Written out, as a page sums hundreds of lists for every choice: two to four times as fast as by {@link forEachCell}. */
export function sumCells({ at, count }: Cells, { firstDay, sensors: width }: Grid, { range, sensors }: Filter): number {
  const start = lowerBound(at, (range.first - firstDay) * width);
  const end = lowerBound(at, (range.last + 1 - firstDay) * width);
  let sum = 0;
  if (!sensors.includes(0)) for (let i = start; i < end; i++) sum += count[i]!;
  else for (let i = start; i < end; i++) if (sensors[at[i]! % width] === 1) sum += count[i]!;
  return sum;
}

/** How many cells inside the filter hold an event. */
export function countCells(cells: Cells, grid: Grid, filter: Filter): number {
  let n = 0;
  forEachCell(cells, grid, filter, () => n++);
  return n;
}

/** `sums[day - range.first]`; written out for the same reason as {@link sumCells}. */
export function sumByDay({ at, count }: Cells, { firstDay, sensors: width }: Grid, { range, sensors }: Filter): Float64Array {
  const sums = new Float64Array(dayCount(range));
  const areAll = !sensors.includes(0);
  let start = (range.first - firstDay) * width;
  let i = lowerBound(at, start);
  for (let day = 0; day < sums.length; day++, start += width) {
    let sum = 0;
    for (; i < at.length && at[i]! < start + width; i++) if (areAll || sensors[at[i]! - start] === 1) sum += count[i]!;
    sums[day] = sum;
  }
  return sums;
}

/** Write lists of cells as one run of bytes; {@link decodeCells} reads it. */
export function encodeCells(lists: readonly Cells[]): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(1 << 16);
  let end = 0;
  // Base 128, low digits first; counts may pass 2^31, so no shifts.
  const put = (value: number) => {
    // What is no whole number would be divided for ever.
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`Cannot write ${value}: expected a count`);
    if (end + 10 > bytes.length) bytes = widened(bytes);
    while (value >= 128) {
      bytes[end++] = (value % 128) + 128;
      value = Math.floor(value / 128);
    }
    bytes[end++] = value;
  };
  put(lists.length);
  for (const { at, count } of lists) {
    put(at.length);
    // Gaps first, then counts: like stands beside like, which compresses better.
    for (let i = 0; i < at.length; i++) put(i === 0 ? at[0]! : at[i]! - at[i - 1]! - 1);
    for (const value of count) put(value);
  }
  return bytes.slice(0, end);
}

export function decodeCells(bytes: Uint8Array): Cells[] {
  return [...readCells(bytes)].filter(cells => cells !== undefined);
}

/** Numbers read between two pauses of {@link readCells}: some milliseconds on a slow machine. */
const PAUSE_AFTER = 30_000;

/** Read what {@link encodeCells} wrote, list by list; an undefined in between is a place to pause at. */
export function* readCells(bytes: Uint8Array): Generator<Cells | undefined> {
  let position = 0;
  const take = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[position++]!;
      if (byte < 128) return value + byte * factor;
      value += (byte - 128) * factor;
    }
  };
  for (let left = take(); left > 0; left--) {
    const length = take();
    const at = new Int32Array(length);
    const count = new Float64Array(length);
    let last = -1;
    for (let i = 0; i < length;) {
      for (const end = Math.min(length, i + PAUSE_AFTER); i < end; i++) at[i] = last += 1 + take();
      if (i < length) yield undefined;
    }
    for (let i = 0; i < length;) {
      for (const end = Math.min(length, i + PAUSE_AFTER); i < end; i++) count[i] = take();
      if (i < length) yield undefined;
    }
    yield { at, count };
  }
}
