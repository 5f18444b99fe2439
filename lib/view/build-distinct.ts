/**
 * From rows by value to what a page carries of them to count distinct values under any filter.
 *
 * Tested in `test/lib/view/distinct-values.test.ts`.
 */
import { type Calculation, takeAtOnce } from "../process/pause.ts";
import { type DayRange } from "./axis.ts";
import { type Cells, type Grid, lowerBound } from "./cells.ts";
import { type DistinctData, gapClasses, type SharedValues } from "./distinct-values.ts";
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

/** {@link buildDistinct} in steps; parts are read as often as need be. */
export function* calculateDistinct(
  parts: Iterable<DistinctPart>,
  values: number,
  grid: Grid,
  room: DistinctRoom = roomOf(grid),
): Calculation<DistinctData> {
  const lists = yield* listCells(parts, values, grid);
  const exact = countGaps(lists, grid);
  const entries = (scopes: readonly Cells[]) => scopes.reduce((sum, { at }) => sum + at.length, 0);
  let gapsApart = Infinity;
  let scopes = exact;
  for (gapsApart of GAPS_APART) {
    if (gapsApart < grid.days) scopes = exact.map(cells => joinGaps(cells, gapsApart, grid.days));
    if (entries(scopes) <= room.gapCells) break;
  }
  gapsApart = Math.min(gapsApart, grid.days);
  return {
    total: lists.values,
    gapsApart,
    scopes,
    windows: gapsApart === grid.days ? [] : listWindows(grid).map(range => countWindow(exact, grid, range)),
    shared: chooseShared(lists, grid, room.sharedBytes),
  };
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

/** Per sensor, then for all together, each day's values by the gap to the day they were last seen; all gaps apart. */
function countGaps({ cells, starts }: CellLists, { days, sensors }: Grid): Cells[] {
  const classes = days + 1;
  const sizes = new Int32Array(sensors + 1);
  /** Visit each day of each value on each sensor and on all, with the gap, 0 for the first. */
  const forEach = (visit: (scope: number, code: number) => void) => {
    // The place of the value's first cell tells what is left over of other values.
    const lastDay = new Int32Array(sensors);
    const lastValue = new Int32Array(sensors).fill(-1);
    for (let value = 0; value + 1 < starts.length; value++) {
      let lastOfAll = -1;
      for (let i = starts[value]!; i < starts[value + 1]!; i++) {
        const day = Math.floor(cells[i]! / sensors);
        const sensor = cells[i]! - day * sensors;
        visit(sensor, day * classes + (lastValue[sensor] === value ? day - lastDay[sensor]! : 0));
        lastDay[sensor] = day;
        lastValue[sensor] = value;
        if (day === lastOfAll) continue;
        visit(sensors, day * classes + (lastOfAll < 0 ? 0 : day - lastOfAll));
        lastOfAll = day;
      }
    }
  };
  forEach(scope => sizes[scope]!++);
  const codes = Array.from(sizes, size => new Int32Array(size));
  const next = new Int32Array(sensors + 1);
  forEach((scope, code) => (codes[scope]![next[scope]!++] = code));
  return codes.map(list => countEqual(list.sort()));
}

/** Rising numbers as cells: each once, with how often it stood there. */
function countEqual(sorted: Int32Array): Cells {
  const at: number[] = [];
  const count: number[] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && sorted[i] === sorted[i - 1]) count[count.length - 1]!++;
    else {
      at.push(sorted[i]!);
      count.push(1);
    }
  }
  return { at: Int32Array.from(at), count: Float64Array.from(count) };
}

/** Gaps that are all told apart, put into classes. */
function joinGaps({ at, count }: Cells, gapsApart: number, days: number): Cells {
  const firsts = gapClasses(gapsApart, days);
  const joined: { at: number[]; count: number[] } = { at: [], count: [] };
  for (let i = 0; i < at.length; i++) {
    const day = Math.floor(at[i]! / (days + 1));
    const gap = at[i]! - day * (days + 1);
    const klass = gap === 0 ? 0 : lowerBound(firsts, gap + 1) - 1;
    const cell = day * firsts.length + klass;
    if (joined.at.at(-1) === cell) joined.count[joined.count.length - 1]! += count[i]!;
    else {
      joined.at.push(cell);
      joined.count.push(count[i]!);
    }
  }
  return { at: Int32Array.from(joined.at), count: Float64Array.from(joined.count) };
}

function listWindows({ firstDay, days }: Grid): DayRange[] {
  const last = firstDay + days - 1;
  const ends = WINDOWS.flatMap(length => [
    { first: last - length + 1, last },
    { first: last - 2 * length + 1, last: last - length },
  ]);
  return [{ first: firstDay, last }, ...ends.filter(({ first }) => first > firstDay)];
}

function countWindow(exact: readonly Cells[], { firstDay, days }: Grid, range: DayRange) {
  const start = range.first - firstDay;
  const counts = exact.map(({ at, count }) => {
    let sum = 0;
    const end = lowerBound(at, (range.last - firstDay + 1) * (days + 1));
    for (let i = lowerBound(at, start * (days + 1)); i < end; i++) {
      const day = Math.floor(at[i]! / (days + 1));
      const gap = at[i]! - day * (days + 1);
      if (gap === 0 || gap > day - start) sum += count[i]!;
    }
    return sum;
  });
  return { range, counts };
}

/** Values seen on several sensors, by how many: all of them, or as many as there is room for. */
function chooseShared({ cells, starts }: CellLists, grid: Grid, bytesMost: number): SharedValues[] {
  const all = grid.days * grid.sensors;
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
  const bytesOf = (value: number) => {
    const n = starts[value + 1]! - starts[value]!;
    return 1 + Math.min(all / 6, (n * (Math.log2(all / n) + 1.5)) / 8);
  };
  let room = bytesMost;
  let left = groups.filter(group => group !== undefined).length;
  // The widest seen first: they are few, and each of them counts for many.
  return groups
    .toReversed()
    .filter(group => group !== undefined)
    .map(group => {
      let share = room / left--;
      const mixed = [...group].sort((a, b) => mix(a) - mix(b));
      const carried: number[] = [];
      for (const value of mixed) {
        const bytes = bytesOf(value);
        if (bytes > share) break;
        share -= bytes;
        room -= bytes;
        carried.push(value);
      }
      carried.sort((a, b) => a - b);
      const perRun = Math.max(1, Math.floor((2 ** 31 - 1) / all));
      const runs = Array.from({ length: Math.ceil(carried.length / perRun) }, (_, run) =>
        toRun(carried.slice(run * perRun, (run + 1) * perRun), { cells, starts }, all),
      );
      return { values: group.length, carried: carried.length, runs };
    });
}

function toRun(values: readonly number[], { cells, starts }: Pick<CellLists, "cells" | "starts">, all: number): Cells {
  const at: number[] = [];
  values.forEach((value, i) => {
    for (const cell of cells.subarray(starts[value]!, starts[value + 1]!)) at.push(i * all + cell);
  });
  return { at: Int32Array.from(at), count: new Float64Array(at.length).fill(1) };
}

/** The finalizer of MurmurHash3: numbers in an order that has nothing to do with theirs. */
function mix(value: number): number {
  let hash = value + 0x9e3779b9;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
