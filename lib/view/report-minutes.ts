/**
 * What was done by minutes, in a report of a few days: from its first event to its last, by steps that leave room for all.
 *
 * Tested in `test/lib/view/report-minutes.test.ts`.
 */
import { ACTIVITIES } from "../events/activity-events.ts";
import type { MinuteCounts } from "../sessions/minute-counts.ts";
import { type Cells, forEachCell, type Grid } from "./cells.ts";
import type { Line, Steps } from "./chart.ts";
import { sumTallies } from "./report-chains.ts";
import type { Scope } from "./report-view.ts";

const DAY_MINUTES = 1440;
const MINUTE_US = 60_000_000;
/** More days are shown by days. */
export const MINUTE_DAYS = 3;
/** Cells that a page carries at most: some 20 kB. */
const CELLS_MOST = 15_000;
/** Minutes of a step: the first with which there are no more steps than there is room for. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360];
/** Fewer steps make bars that look like walls: room stays free. */
const STEPS_LEAST = 24;

export interface MinutesData {
  /** Of the first event and the last, since 1970-01-01 UTC. */
  readonly first: number;
  readonly last: number;
  /** By activity: a cell is `minute * sensors + sensor`, minutes from the first day's midnight on. */
  readonly cells: readonly Cells[];
}

/**
 * @param times Of events, microseconds.
 * @returns undefined where the days are too many, or the counts.
 */
export function buildMinutesData({ sensors: named, tallies }: MinuteCounts, grid: Grid, sensors: readonly string[], times: { readonly firstUs: number; readonly lastUs: number }): MinutesData | undefined {
  if (grid.days > MINUTE_DAYS) return undefined;
  const minutes = minuteGrid(grid);
  const cells = tallies.map(tally => sumTallies([tally], named, minutes, 1, sensors));
  if (cells.reduce((sum, { at }) => sum + at.length, 0) > CELLS_MOST) return undefined;
  return { first: Math.floor(times.firstUs / MINUTE_US), last: Math.floor(times.lastUs / MINUTE_US), cells };
}

/** The grid with minutes for days. */
function minuteGrid({ firstDay, days, ...grid }: Grid): Grid {
  return { ...grid, firstDay: firstDay * DAY_MINUTES, days: days * DAY_MINUTES };
}

/** Steps from the first event to the last of the days chosen; undefined where the page has no minutes of them. */
export function minuteSteps({ data: { minutes }, filter: { range } }: Scope, most: number): Steps | undefined {
  if (minutes === undefined) return undefined;
  const from = Math.max(range.first * DAY_MINUTES, minutes.first);
  const end = Math.min((range.last + 1) * DAY_MINUTES, minutes.last + 1);
  if (end <= from) return undefined;
  const step = STEPS.find(one => Math.ceil(end / one) - Math.floor(from / one) <= most) ?? STEPS.at(-1)!;
  const start = Math.floor(from / step) * step;
  const n = Math.max(STEPS_LEAST, Math.ceil((end - start) / step));
  const days = step / DAY_MINUTES;
  return { range: { first: start / DAY_MINUTES, last: start / DAY_MINUTES + n * days - 1 }, days, n };
}

/** A row for each activity there was. */
export function minuteLines({ data: { minutes, grid }, filter, watched }: Scope, { range, days, n }: Steps): Line[] {
  const [start, step] = [Math.round(range.first * DAY_MINUTES), Math.round(days * DAY_MINUTES)];
  const dayAt = (at: number) => Math.floor((start + at * step) / DAY_MINUTES) - filter.range.first;
  return ACTIVITIES.flatMap((name, style): Line[] => {
    const values = Array.from({ length: n }, (_, at): number | null => (watched[dayAt(at)] === 0 ? null : 0));
    const wanted = { range: { first: start, last: Math.min(start + n * step, (filter.range.last + 1) * DAY_MINUTES) - 1 }, sensors: filter.sensors };
    let sum = 0;
    forEachCell(minutes!.cells[style]!, minuteGrid(grid), wanted, (minute, _sensor, count) => {
      values[Math.floor(minute / step)] = (values[Math.floor(minute / step)] ?? 0) + count;
      sum += count;
    });
    return sum === 0 ? [] : [{ name, style, values }];
  });
}
