/**
 * Which sensor-days a day, or a period, is compared with.
 *
 * A baseline lies wholly in the past: the most recent observed days behind a guard of calendar days, so that a change
 * that began yesterday does not hide itself. Days that were not watched are passed over, never counted as zero.
 */
import { chiSquareUpper } from "./distributions.ts";
import { type Coverage, CUT, isUsable } from "./coverage.ts";
import type { StatisticsSettings } from "./settings.ts";

/** Where there are at least this many observed days before a day, its weekday may matter. */
const WEEKDAY_DAYS = 56;
/** A weekday effect is taken for real at this p (Kruskal-Wallis over the sensor's daily totals). */
const WEEKDAY_P = 0.001;

/** One comparison of a sensor, the same for all its keys. Cells index the arrays of {@link Coverage}. */
export interface Window {
  /** What is judged: one cell in the day view. */
  judged: Int32Array;
  /** What it is compared with. */
  baseline: Int32Array;
  /** Where the dispersion is measured; in the day view the baseline itself. */
  spread: Int32Array;
  exposure: number;
  baselineExposure: number;
  spreadExposure: number;
  /** Expected value came from the same weekdays. */
  weekday: boolean;
  /**
   * The same three as ranges in the sensor's list of usable cells, half-open, where they follow each other there; sums
   * over them are then differences of running sums. A baseline of weekdays does not: its range is empty.
   */
  ranges: { judged: Range; baseline: Range; spread: Range };
}

export interface Range {
  start: number;
  end: number;
}

export type BaselineOptions = Pick<StatisticsSettings, "lastDays" | "baselineDays" | "guardDays" | "minBaselineDays">;

export interface Windows {
  /** Comparisons per sensor: the shown days in order, and the period last. */
  slots: number;
  /** `windows[sensor * slots + slot]`; undefined where no test can be made. */
  windows: (Window | undefined)[];
  /** First day of what is judged, counted from the archive's first. */
  shownOffset: number;
  /** The usable cells of each sensor, ascending. */
  usable: Int32Array[];
  /** First day, counted likewise, that any window of the sensor reaches back to. */
  firstOffset: Int32Array;
  refused: { sensor: number; offset: number; reason: "not watched" | "short baseline" | "cut" }[];
}

/** Choose the days of every comparison. Weekdays are looked at where there are eight weeks. */
export function buildWindows(coverage: Coverage, options: BaselineOptions): Windows {
  const { days, sensors, status } = coverage;
  const shownOffset = Math.max(0, days - options.lastDays);
  const shown = days - shownOffset;
  const slots = shown + 1;
  const result: Windows = {
    slots,
    windows: new Array<Window | undefined>(sensors.length * slots).fill(undefined),
    shownOffset,
    usable: [],
    firstOffset: new Int32Array(sensors.length).fill(days),
    refused: [],
  };
  for (let sensor = 0; sensor < sensors.length; sensor++) {
    const base = sensor * days;
    const usable: number[] = [];
    for (let offset = 0; offset < days; offset++) if (isUsable(coverage, base + offset)) usable.push(base + offset);
    result.usable.push(Int32Array.from(usable));
    const keep = (slot: number, cells: Omit<Window, "ranges">) => {
      result.windows[sensor * slots + slot] = { ...cells, ranges: rangesOf(cells, usable) };
      const first = Math.min(cells.baseline[0]!, cells.spread[0]!) - base;
      result.firstOffset[sensor] = Math.min(result.firstOffset[sensor]!, first);
    };
    for (let offset = shownOffset; offset < days; offset++) {
      const cell = base + offset;
      if (!isUsable(coverage, cell)) {
        result.refused.push({ sensor, offset, reason: status[cell] === CUT ? "cut" : "not watched" });
        continue;
      }
      const past = usable.filter(other => other < cell - options.guardDays);
      const baseline = chooseBaseline(coverage, cell, past, options);
      if (baseline.cells.length < options.minBaselineDays) {
        result.refused.push({ sensor, offset, reason: "short baseline" });
        continue;
      }
      const cells = Int32Array.from(baseline.cells);
      const watched = sumExposure(coverage, cells);
      keep(offset - shownOffset, {
        judged: Int32Array.of(cell),
        baseline: cells,
        spread: cells,
        exposure: coverage.exposure[cell]!,
        baselineExposure: watched,
        spreadExposure: watched,
        weekday: baseline.weekday,
      });
    }
    const period = periodWindow(coverage, base, shownOffset, usable, options);
    if (period !== undefined) keep(shown, period);
  }
  return result;
}

function rangesOf(cells: Pick<Window, "judged" | "baseline" | "spread">, usable: readonly number[]): Window["ranges"] {
  const rangeOf = (list: Int32Array): Range => {
    const start = usable.indexOf(list[0]!);
    const isRun = usable[start + list.length - 1] === list.at(-1);
    return isRun ? { start, end: start + list.length } : { start: 0, end: 0 };
  };
  const baseline = rangeOf(cells.baseline);
  return { judged: rangeOf(cells.judged), baseline, spread: cells.spread === cells.baseline ? baseline : rangeOf(cells.spread) };
}

function chooseBaseline(
  coverage: Coverage,
  cell: number,
  past: readonly number[],
  options: BaselineOptions,
): { cells: readonly number[]; weekday: boolean } {
  if (past.length >= WEEKDAY_DAYS) {
    const recent = past.slice(-WEEKDAY_DAYS);
    const same = recent.filter(other => (cell - other) % 7 === 0);
    if (same.length >= options.minBaselineDays && hasWeekdays(coverage, recent)) return { cells: same, weekday: true };
  }
  return { cells: past.slice(-options.baselineDays), weekday: false };
}

/** Kruskal-Wallis over the daily totals of all events by weekday: ranks, so that no single burst decides. */
function hasWeekdays(coverage: Coverage, cells: readonly number[]): boolean {
  const n = cells.length;
  const rates = cells.map(cell => coverage.events[cell]! / coverage.exposure[cell]!);
  const order = rates.map((_, i) => i).sort((a, b) => rates[a]! - rates[b]!);
  const sums = new Float64Array(7);
  const sizes = new Float64Array(7);
  let ties = 0;
  for (let i = 0; i < n; ) {
    let end = i;
    while (end < n && rates[order[end]!] === rates[order[i]!]) end++;
    const rank = (i + end + 1) / 2;
    for (let j = i; j < end; j++) {
      // Weekdays need no names here: days seven apart share one.
      const weekday = cells[order[j]!]! % 7;
      sums[weekday]! += rank;
      sizes[weekday]!++;
    }
    ties += (end - i) ** 3 - (end - i);
    i = end;
  }
  let statistic = 0;
  let groups = 0;
  for (let weekday = 0; weekday < 7; weekday++) {
    if (sizes[weekday] === 0) continue;
    statistic += sums[weekday]! ** 2 / sizes[weekday]!;
    groups++;
  }
  const correction = 1 - ties / (n ** 3 - n);
  if (groups < 2 || correction <= 0) return false;
  statistic = ((12 * statistic) / (n * (n + 1)) - 3 * (n + 1)) / correction;
  return chiSquareUpper(statistic, groups - 1) < WEEKDAY_P;
}

/**
 * The shown days as a whole against as many before them; half of either must have been watched.
 *
 * One day is no period: held against the day before alone, shuffled days of real logs passed p = 0.001 six times as often
 * as they should (periods of two days twice, of three and more less often).
 */
function periodWindow(
  coverage: Coverage,
  base: number,
  shownOffset: number,
  usable: readonly number[],
  options: BaselineOptions,
): Omit<Window, "ranges"> | undefined {
  const shown = coverage.days - shownOffset;
  if (shown < 2) return undefined;
  const start = base + shownOffset;
  const judged = Int32Array.from(usable.filter(cell => cell >= start));
  const baseline = Int32Array.from(usable.filter(cell => cell < start && cell >= start - shown));
  const spread = Int32Array.from(usable.filter(cell => cell < start).slice(-options.baselineDays));
  const exposure = sumExposure(coverage, judged);
  const baselineExposure = sumExposure(coverage, baseline);
  if (exposure < shown / 2 || baselineExposure < shown / 2 || spread.length < options.minBaselineDays) return undefined;
  const spreadExposure = sumExposure(coverage, spread);
  return { judged, baseline, spread, exposure, baselineExposure, spreadExposure, weekday: false };
}

function sumExposure(coverage: Coverage, cells: Int32Array): number {
  let sum = 0;
  for (const cell of cells) sum += coverage.exposure[cell]!;
  return sum;
}
