/**
 * From rows by value to what a page carries of them to count distinct values under any filter.
 *
 * Tested in `test/lib/view/distinct-values.test.ts`.
 */
import { type Calculation, takeAtOnce } from "../process/pause.ts";
import { type DayRange } from "./axis.ts";
import { addCells, type Cells, type Grid, lowerBound } from "./cells.ts";
import { type DistinctData, gapClasses, type SharedValues } from "./distinct-values.ts";
import { compareText } from "../text/text.ts";
import type { ValuePart } from "../statistics/value-rows.ts";

export type DistinctPart = Pick<ValuePart, "rows" | "day" | "sensor" | "value">;

/** How finely gaps are told apart, the finest that keeps to the bound first. */
const GAPS_APART = [Infinity, 28, 7, 2];
/** What a page can afford: cells of gaps, about a byte each once packed, and bytes for the sets of shared values. */
export type DistinctRoom = ReturnType<typeof roomOf>;

function roomOf({ days, sensors }: Grid) {
  return { gapCells: 150_000, sharedBytes: Math.min(600_000, 40_000 + 60 * days * sensors) };
}

/** Lengths of the ranges at the end, and before it, that are exact whatever gaps are told apart. */
const WINDOWS = [7, 28, 90];

/**
 * Gather what is carried of the values of one type.
 *
 * @param parts Rows in (day, sensor) order; a value stands in one part only, -1 in none.
 * @param values How many numbers there are.
 */
export function buildDistinct(
  parts: Iterable<DistinctPart>,
  values: number,
  grid: Grid,
  room: DistinctRoom = roomOf(grid),
): DistinctData {
  return takeAtOnce(calculateDistinct(parts, values, grid, room));
}

/**
 * {@link buildDistinct} in steps; parts are read as often as need be.
 *
 * @param nameOf What tells a value from others wherever it is numbered; its number if not given.
 */
export function* calculateDistinct(
  parts: Iterable<DistinctPart>,
  values: number,
  grid: Grid,
  room: DistinctRoom = roomOf(grid),
  nameOf?: NameOf,
): Calculation<DistinctData> {
  return joinDistinct([yield* measureDistinct(parts, values, grid, room, nameOf)], grid, room);
}

type NameOf = (value: number) => string | number;

/** What is known of the values of a table, or of one slice: no value is in two. */
export interface MeasuredDistinct {
  readonly values: number;
  /** For each of `GAPS_APART`, by sensor, then of all together; undefined where these values alone need more room than there is. */
  readonly gaps: readonly (readonly Cells[] | undefined)[];
  /** Of each of the windows that are exact, in the same order, how many values are seen in it: by sensor, then on all. */
  readonly windows: readonly (readonly number[])[];
  /** Values seen on several sensors, by a class of how many: their number, and as many as may be carried. */
  readonly shared: readonly (SharedClass | undefined)[];
}

interface SharedClass {
  readonly values: number;
  /** By their marks. */
  readonly candidates: readonly SharedValue[];
}

interface SharedValue {
  readonly name: string | number;
  readonly mark: number;
  readonly cells: Int32Array;
}

export function* measureDistinct(
  parts: Iterable<DistinctPart>,
  values: number,
  grid: Grid,
  room: DistinctRoom = roomOf(grid),
  nameOf: NameOf = value => value,
): Calculation<MeasuredDistinct> {
  const lists = yield* listCells(parts, values, grid);
  return { values: lists.values, ...countGaps(lists, grid, room.gapCells), shared: classShared(lists, grid, room.sharedBytes, nameOf) };
}

/** What is carried of the values of all slices together. */
export function joinDistinct(parts: readonly MeasuredDistinct[], grid: Grid, room: DistinctRoom = roomOf(grid)): DistinctData {
  let gapsApart = Infinity;
  let scopes: readonly Cells[] = [];
  for (const [level, apart] of GAPS_APART.entries()) {
    gapsApart = apart;
    const own = parts.map(({ gaps }) => gaps[level] ?? undefined).filter(gaps => gaps !== undefined);
    if (own.length < parts.length) continue;
    scopes = Array.from({ length: grid.sensors + 1 }, (_, scope) => addCells(own.map(gaps => gaps[scope]!)));
    if (countEntries(scopes) <= room.gapCells) break;
  }
  gapsApart = Math.min(gapsApart, grid.days);
  const countsOf = (window: number) => Array.from(scopes, (_, scope) => parts.reduce((sum, { windows }) => sum + windows[window]![scope]!, 0));
  return {
    total: parts.reduce((sum, { values }) => sum + values, 0),
    gapsApart,
    scopes,
    windows: gapsApart === grid.days ? [] : listWindows(grid).map((range, window) => ({ range, counts: countsOf(window) })),
    shared: chooseShared(joinClasses(parts), grid, room.sharedBytes),
  };
}

function countEntries(scopes: readonly Cells[]): number {
  return scopes.reduce((sum, { at }) => sum + at.length, 0);
}

/** `cells[starts[value] .. starts[value + 1]]` = cells of the value, rising, each once. */
interface CellLists {
  readonly cells: Int32Array;
  readonly starts: Int32Array;
  /** How many values have any. */
  readonly values: number;
}

function* listCells(parts: Iterable<DistinctPart>, values: number, grid: Grid): Calculation<CellLists> {
  const last = new Int32Array(values).fill(-1);
  const starts = new Int32Array(values + 1);
  const forEach = function* (visit: (value: number, cell: number) => void): Calculation<void> {
    last.fill(-1);
    for (const { rows, day, sensor, value } of parts) {
      for (let row = 0; row < rows; row++) {
        const offset = day[row]! - grid.firstDay;
        if (value[row]! < 0 || offset < 0 || offset >= grid.days) continue;
        const cell = offset * grid.sensors + sensor[row]!;
        if (last[value[row]!] === cell) continue;
        last[value[row]!] = cell;
        visit(value[row]!, cell);
      }
      yield;
    }
  };
  yield* forEach(value => starts[value + 1]!++);
  let found = 0;
  for (let value = 0; value < values; value++) {
    if (starts[value + 1]! > 0) found++;
    starts[value + 1]! += starts[value]!;
  }
  const cells = new Int32Array(starts[values]!);
  const next = starts.slice(0, values);
  yield* forEach((value, cell) => (cells[next[value]!++] = cell));
  return { cells, starts, values: found };
}

/** Gaps of values that are gathered at once. */
const CODES_AT_ONCE = 1 << 24;

/** Per sensor, then for all together, each day's values by the gap to the day they were last seen, as finely told apart as there is room for. */
function countGaps(lists: CellLists, grid: Grid, most: number): Pick<MeasuredDistinct, "gaps" | "windows"> {
  const gaps: (Cells[] | undefined)[] = GAPS_APART.map(() => []);
  const ranges = listWindows(grid);
  const windows: number[][] = ranges.map(() => []);
  const sizes = new Int32Array(grid.sensors + 1);
  forEachGap(lists, grid, scope => sizes[scope]!++);
  const counted = new Int32Array(grid.days * (grid.days + 1));
  for (let first = 0; first <= grid.sensors; ) {
    let end = first + 1;
    for (let sum = sizes[first]!; end <= grid.sensors && sum + sizes[end]! <= CODES_AT_ONCE; end++) sum += sizes[end]!;
    const codes = Array.from(sizes.subarray(first, end), size => new Int32Array(size));
    const next = new Int32Array(end - first);
    forEachGap(lists, grid, (scope, code) => {
      if (scope >= first && scope < end) codes[scope - first]![next[scope - first]!++] = code;
    });
    for (const list of codes) {
      const exact = countEqual(list, counted);
      ranges.forEach((range, window) => windows[window]!.push(countWindow(exact, grid, range)));
      for (const [level, gapsApart] of GAPS_APART.entries()) {
        const own = gaps[level];
        if (own === undefined) continue;
        own.push(gapsApart < grid.days ? joinGaps(exact, gapsApart, grid.days) : exact);
        if (level < GAPS_APART.length - 1 && countEntries(own) > most) gaps[level] = undefined;
      }
    }
    first = end;
  }
  return { gaps, windows };
}

/** Visit each day of each value on each sensor and on all, with the day and the gap, 0 for the first, as `day * (days + 1) + gap`. */
function forEachGap({ cells, starts }: CellLists, { days, sensors }: Grid, visit: (scope: number, code: number) => void): void {
  const classes = days + 1;
  // The place of the value's first cell tells what is left over of other values.
  const lastDay = new Int32Array(sensors);
  const lastValue = new Int32Array(sensors).fill(-1);
  for (let value = 0; value + 1 < starts.length; value++) {
    let lastOfAll = -1;
    for (let i = starts[value]!; i < starts[value + 1]!; i++) {
      // Whole, and in fewer steps than by rounding.
      const day = (cells[i]! / sensors) | 0;
      const sensor = cells[i]! - day * sensors;
      visit(sensor, day * classes + (lastValue[sensor] === value ? day - lastDay[sensor]! : 0));
      lastDay[sensor] = day;
      lastValue[sensor] = value;
      if (day === lastOfAll) continue;
      visit(sensors, day * classes + (lastOfAll < 0 ? 0 : day - lastOfAll));
      lastOfAll = day;
    }
  }
}

/**
 * Numbers as cells, rising: each once, with how often it stood there.
 *
 * @param counted A place for each number there may be; zeros, before and after.
 */
function countEqual(numbers: Int32Array, counted: Int32Array): Cells {
  let size = 0;
  for (let i = 0; i < numbers.length; i++) if (counted[numbers[i]!]!++ === 0) size++;
  const at = new Int32Array(size);
  const count = new Float64Array(size);
  let found = 0;
  // Many numbers are looked up in all places there are, few are sorted.
  if (size * 16 >= counted.length) {
    for (let number = 0; number < counted.length; number++) if (counted[number] !== 0) at[found++] = number;
  } else {
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      if (counted[number]! < 0) continue;
      at[found++] = number;
      // Taken note of.
      counted[number] = -counted[number]!;
    }
    at.sort();
  }
  for (let i = 0; i < size; i++) {
    count[i] = Math.abs(counted[at[i]!]!);
    counted[at[i]!] = 0;
  }
  return { at, count };
}

/** Gaps that are all told apart, put into classes. */
function joinGaps({ at, count }: Cells, gapsApart: number, days: number): Cells {
  const firsts = gapClasses(gapsApart, days);
  const classOf = Int32Array.from({ length: days + 1 }, (_, gap) => (gap === 0 ? 0 : lowerBound(firsts, gap + 1) - 1));
  const joined = { at: new Int32Array(at.length), count: new Float64Array(at.length) };
  let size = 0;
  for (let i = 0; i < at.length; i++) {
    const day = Math.floor(at[i]! / (days + 1));
    const cell = day * firsts.length + classOf[at[i]! - day * (days + 1)]!;
    if (size === 0 || joined.at[size - 1] !== cell) joined.at[size++] = cell;
    joined.count[size - 1]! += count[i]!;
  }
  return { at: joined.at.slice(0, size), count: joined.count.slice(0, size) };
}

function listWindows({ firstDay, days }: Grid): DayRange[] {
  const last = firstDay + days - 1;
  const ends = WINDOWS.flatMap(length => [
    { first: last - length + 1, last },
    { first: last - 2 * length + 1, last: last - length },
  ]);
  return [{ first: firstDay, last }, ...ends.filter(({ first }) => first > firstDay)];
}

function countWindow({ at, count }: Cells, { firstDay, days }: Grid, range: DayRange): number {
  const start = range.first - firstDay;
  let sum = 0;
  const end = lowerBound(at, (range.last - firstDay + 1) * (days + 1));
  for (let i = lowerBound(at, start * (days + 1)); i < end; i++) {
    const day = Math.floor(at[i]! / (days + 1));
    const gap = at[i]! - day * (days + 1);
    if (gap === 0 || gap > day - start) sum += count[i]!;
  }
  return sum;
}

/** Bytes that a value takes. */
function bytesOf(cells: number, { days, sensors }: Grid): number {
  const all = days * sensors;
  return 1 + Math.min(all / 6, (cells * (Math.log2(all / cells) + 1.5)) / 8);
}

/** Values seen on several sensors: those that are alike together, of each as many as could be carried were there no others. */
function classShared({ cells, starts }: CellLists, grid: Grid, bytesMost: number, nameOf: NameOf): (SharedClass | undefined)[] {
  const lastValue = new Int32Array(grid.sensors).fill(-1);
  const groups: number[][] = [];
  for (let value = 0; value + 1 < starts.length; value++) {
    let seenOn = 0;
    for (let i = starts[value]!; i < starts[value + 1]!; i++) {
      const sensor = cells[i]! % grid.sensors;
      if (lastValue[sensor] === value) continue;
      lastValue[sensor] = value;
      seenOn++;
    }
    if (seenOn < 2) continue;
    // Values on equally many sensors are alike, which makes a sample of them good.
    (groups[31 - Math.clz32(seenOn)] ??= []).push(value);
  }
  return Array.from(groups, group => {
    if (group === undefined) return undefined;
    const marks = Uint32Array.from(group, value => markOf(nameOf(value)));
    // Numbers of values rise with their names.
    const order = Uint32Array.from(marks.keys()).sort((a, b) => marks[a]! - marks[b]! || a - b);
    const candidates: SharedValue[] = [];
    // The first that has no room is one of them: there the choice ends.
    for (let bytes = 0, i = 0; i < order.length && bytes <= bytesMost; i++) {
      const value = group[order[i]!]!;
      candidates.push({ name: nameOf(value), mark: marks[order[i]!]!, cells: cells.slice(starts[value]!, starts[value + 1]!) });
      bytes += bytesOf(candidates.at(-1)!.cells.length, grid);
    }
    return { values: group.length, candidates };
  });
}

function joinClasses(parts: readonly MeasuredDistinct[]): (SharedClass | undefined)[] {
  const classes = parts.reduce((most, { shared }) => Math.max(most, shared.length), 0);
  return Array.from({ length: classes }, (_, at) => {
    const own = parts.map(({ shared }) => shared[at] ?? undefined).filter(one => one !== undefined);
    if (own.length === 0) return undefined;
    return { values: own.reduce((sum, { values }) => sum + values, 0), candidates: own.flatMap(({ candidates }) => candidates).sort(byMark) };
  });
}

type Named = Pick<SharedValue, "name" | "mark">;

function byMark(a: Named, b: Named): number {
  return a.mark - b.mark || byName(a, b);
}

function byName({ name: a }: Named, { name: b }: Named): number {
  return typeof a === "number" ? a - Number(b) : compareText(a, String(b));
}

/** All values seen on several sensors, or as many as there is room for. */
function chooseShared(classes: readonly (SharedClass | undefined)[], grid: Grid, bytesMost: number): SharedValues[] {
  const all = grid.days * grid.sensors;
  const groups = classes.filter(group => group !== undefined);
  let room = bytesMost;
  let left = groups.length;
  // The widest seen first: they are few, and each of them counts for many.
  return groups.toReversed().map(group => {
    let share = room / left--;
    const carried: SharedValue[] = [];
    for (const value of group.candidates) {
      const bytes = bytesOf(value.cells.length, grid);
      if (bytes > share) break;
      share -= bytes;
      room -= bytes;
      carried.push(value);
    }
    carried.sort(byName);
    const perRun = Math.max(1, Math.floor((2 ** 31 - 1) / all));
    const runs = Array.from({ length: Math.ceil(carried.length / perRun) }, (_, run) => toRun(carried.slice(run * perRun, (run + 1) * perRun), all));
    return { values: group.values, carried: carried.length, runs };
  });
}

function toRun(values: readonly SharedValue[], all: number): Cells {
  const at: number[] = [];
  values.forEach(({ cells }, i) => {
    for (const cell of cells) at.push(i * all + cell);
  });
  return { at: Int32Array.from(at), count: new Float64Array(at.length).fill(1) };
}

/** Values in an order that has nothing to do with theirs; of texts the same wherever they stand. */
function markOf(name: string | number): number {
  if (typeof name === "number") return mix(name);
  let hash = name.length;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** The finalizer of MurmurHash3: numbers in an order that has nothing to do with theirs. */
function mix(value: number): number {
  let hash = value + 0x9e3779b9;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
