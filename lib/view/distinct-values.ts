/**
 * How many distinct values there are on the days and sensors chosen. Such numbers do not add up, so a page carries for
 * each sensor, and for all together, how many values each day has by the days since they were last seen there: a
 * value is new to a range of days if it was last seen before the range. That makes any range exact for one sensor and
 * for all. What several sensors share is counted on sets of cells, of all shared values or of a sample of them.
 */
import { dayCount, type DayRange } from "./axis.ts";
import { type Cells, type Filter, type Grid, lowerBound } from "./cells.ts";
import { formatNumber } from "../text/format.ts";

/** Standard errors that an estimate must keep within this share of itself to be shown as a number. */
const ERRORS = 2.5;
const SHARE_MOST = 0.03;

/** What is counted by distinct values: addresses as the statistics know them; files by the hashes of downloads. */
const DISTINCT_VALUES = ["addresses", "commands", "files", "flagged"] as const;
export type DistinctValue = (typeof DISTINCT_VALUES)[number];

/** Values that were seen on about equally many sensors, of which some are carried with their cells. */
export interface SharedValues {
  /** How many there are, and of how many the cells are carried. */
  readonly values: number;
  readonly carried: number;
  /** Runs of carried values, `at` = number in the run * days * sensors + cell; counts are all 1. */
  readonly runs: readonly Cells[];
}

export interface DistinctData {
  /** Distinct values of all days and sensors. */
  readonly total: number;
  /** Gaps up to this many days are told apart; longer ones by classes, each {@link GAP_RATIO} times as long. */
  readonly gapsApart: number;
  /** By sensor, then of all together: `at` = day * classes + class of the gap, see {@link gapClasses}. */
  readonly scopes: readonly Cells[];
  /** Ranges of days that are counted exactly where gaps are not all told apart; `counts[scope]`. */
  readonly windows: readonly { readonly range: DayRange; readonly counts: readonly number[] }[];
  readonly shared: readonly SharedValues[];
}

const GAP_RATIO = 1.3;

/**
 * First gap of each class: class 0 holds values never seen before, class i those seen `classes[i]` days before or
 * longer, up to what the next class begins with.
 */
export function gapClasses(gapsApart: number, days: number): Int32Array {
  const first = [0];
  for (let gap = 1; gap <= days;) {
    first.push(gap);
    gap = gap < gapsApart ? gap + 1 : Math.max(gap + 1, Math.floor(gap * GAP_RATIO));
  }
  return Int32Array.from(first);
}

/** A number of distinct values; `low` and `high` are the same where it is exact. */
export interface DistinctCount {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Count the distinct values inside the filter. */
export function countDistinctValues(data: DistinctData, grid: Grid, { range, sensors }: Filter): DistinctCount {
  const classes = gapClasses(data.gapsApart, grid.days);
  const countIn = (scope: number) => countScope(data, grid, classes, scope, range);
  let sum = 0;
  let outside = 0;
  let largest = 0;
  let isExact = true;
  for (let sensor = 0; sensor < grid.sensors; sensor++) {
    const counted = countIn(sensor);
    if (sensors[sensor] !== 1) {
      outside += counted.value;
      continue;
    }
    sum += counted.value;
    largest = Math.max(largest, counted.value);
    isExact &&= counted.isExact;
  }
  if (sum === largest) return atOnce(sum, isExact);
  const all = countIn(grid.sensors);
  if (outside === 0) return atOnce(all.value, all.isExact);
  const { overlap, error } = countOverlap(data.shared, grid, { range, sensors }, sum + outside - all.value);
  const least = Math.max(largest, all.value - outside);
  const most = Math.min(sum, all.value);
  const within = (value: number) => Math.round(Math.min(most, Math.max(least, value)));
  const value = within(sum - overlap);
  if (error === 0) return atOnce(value, isExact);
  return { value, low: within(sum - overlap - ERRORS * error), high: within(sum - overlap + ERRORS * error) };
}

/** What gaps in classes leave open is far less than what an estimate may miss. */
function atOnce(value: number, isExact: boolean): DistinctCount {
  const open = isExact ? 0 : 1;
  return { value, low: value - open, high: value + open };
}

/** Distinct values of one sensor, or of all together, on a range of days. */
function countScope(
  { scopes, windows }: DistinctData,
  grid: Grid,
  classes: Int32Array,
  scope: number,
  { first, last }: DayRange,
): { value: number; isExact: boolean } {
  const window = windows.find(({ range }) => range.first === first && range.last === last);
  if (window !== undefined) return { value: window.counts[scope]!, isExact: true };
  const { at, count } = scopes[scope]!;
  const start = first - grid.firstDay;
  const end = lowerBound(at, (last - grid.firstDay + 1) * classes.length);
  let value = 0;
  let isExact = true;
  for (let i = lowerBound(at, start * classes.length); i < end; i++) {
    const day = Math.floor(at[i]! / classes.length);
    const klass = at[i]! - day * classes.length;
    const span = day - start;
    const least = classes[klass]!;
    const most = klass === 0 ? Infinity : (classes[klass + 1] ?? grid.days + 1) - 1;
    if (klass === 0 || least > span) value += count[i]!;
    else if (most > span) {
      // Some of the class were last seen before the range: taken to be spread evenly over it.
      value += (count[i]! * (most - span)) / (most - least + 1);
      isExact = false;
    }
  }
  return { value: Math.round(value), isExact };
}

/**
 * By how many the sum over the chosen sensors counts too much, and the standard error of that where it is estimated.
 *
 * What a value adds is one less than the sensors it was seen on. The same is known of all sensors together, so the
 * sample only has to tell the ratio of the two.
 *
 * @param ofAll By how many the sum over all sensors counts too much.
 */
function countOverlap(shared: DistinctData["shared"], grid: Grid, filter: Filter, ofAll: number) {
  const groups = shared.filter(({ values }) => values > 0);
  // Nothing is known of these but that they are shared.
  if (groups.some(({ carried }) => carried === 0)) return { overlap: 0, error: Infinity };
  const sums = groups.map(group => sumGroup(group, grid, filter));
  let overlap = 0;
  let overlapOfAll = 0;
  groups.forEach(({ values, carried }, i) => {
    overlap += (sums[i]!.chosen * values) / carried;
    overlapOfAll += (sums[i]!.all * values) / carried;
  });
  if (groups.every(({ values, carried }) => values === carried)) return { overlap, error: 0 };
  if (overlapOfAll === 0) return { overlap: 0, error: ofAll };
  const ratio = overlap / overlapOfAll;
  let variance = 0;
  groups.forEach(({ values, carried }, i) => {
    const { chosen, all, squares, products, squaresOfAll } = sums[i]!;
    const mean = (chosen - ratio * all) / carried;
    const sum = squares - 2 * ratio * products + ratio * ratio * squaresOfAll;
    // One that differs is assumed beside what was met: having met none proves little.
    const spread = Math.max(sum - carried * mean * mean, ratio * ratio) / Math.max(1, carried - 1);
    variance += values * (values - carried) * (spread / carried);
  });
  return { overlap: ratio * ofAll, error: (Math.sqrt(variance) * ofAll) / overlapOfAll };
}

/** Sums over the carried values of what they add on the chosen sensors and on all, and of squares and products. */
function sumGroup({ runs }: SharedValues, grid: Grid, { range, sensors }: Filter) {
  const cells = grid.days * grid.sensors;
  const start = (range.first - grid.firstDay) * grid.sensors;
  const end = start + dayCount(range) * grid.sensors;
  const sums = { chosen: 0, all: 0, squares: 0, products: 0, squaresOfAll: 0 };
  // `seen[sensor]` = the value that was last met there, so that nothing need be cleared.
  const seen = new Float64Array(grid.sensors).fill(-1);
  let met = 0;
  let chosen = 0;
  let all = 0;
  const finish = () => {
    const x = Math.max(0, chosen - 1);
    const y = Math.max(0, all - 1);
    sums.chosen += x;
    sums.all += y;
    sums.squares += x * x;
    sums.products += x * y;
    sums.squaresOfAll += y * y;
    chosen = all = 0;
  };
  for (const { at } of runs) {
    let nextValue = 0;
    for (let i = 0; i < at.length; i++) {
      if (at[i]! >= nextValue) {
        finish();
        met++;
        nextValue = (Math.floor(at[i]! / cells) + 1) * cells;
      }
      const cell = at[i]! - nextValue + cells;
      if (cell < start || cell >= end) continue;
      const sensor = cell % grid.sensors;
      if (seen[sensor] === met) continue;
      seen[sensor] = met;
      all++;
      chosen += sensors[sensor]!;
    }
    finish();
  }
  return sums;
}

/** The number alone. */
export function distinctFigure(count: DistinctCount): string {
  return distinctText(count, "", "").trim();
}

/** `873 addresses`, `≈ 941 addresses` where that is within 3 %, else `880 to 1,000 addresses`. */
export function distinctText({ value, low, high }: DistinctCount, one: string, many: string): string {
  if (low === high) return `${formatNumber(value)} ${value === 1 ? one : many}`;
  if (Math.max(high - value, value - low) > SHARE_MOST * value + 1) {
    return `${formatNumber(low)} to ${formatNumber(high)} ${many}`;
  }
  return `≈ ${formatNumber(Number(value.toPrecision(3)))} ${many}`;
}
