/**
 * Times in which a key was above its usual level: begun, ended, come and gone, a burst, a ramp; or below it for a while.
 */
import { BURST_DAYS, type Level, type Shape } from "./levels.ts";
import { segmentCost } from "./segments.ts";

/**
 * What happened to a key.
 *
 * - `began`: it rose, and is still there when the archive ends.
 * - `ended`: it was there when the archive begins, and fell.
 * - `passed`: it came and went.
 * - `burst`: the same within three days.
 * - `ramp`: it rose in several steps.
 * - `paused`: it was gone for some days between two times of about the same level.
 */
export type SpanShape = "began" | "ended" | "passed" | "burst" | "ramp" | "paused";

export interface Span {
  readonly shape: SpanShape;
  /** Places of its first day and behind its last, of the pause where it is one. */
  readonly start: number;
  readonly end: number;
  /** Rates per mean day before, in and behind it; NaN where the archive has no day there. */
  readonly before: number;
  readonly level: number;
  readonly after: number;
  /** Log-likelihood that a rate of its own gains. */
  readonly gain: number;
}

/** A level of so many times that of the days around it is told. */
const LEAST_RATIO = 2;
/** Levels before and behind a pause differ by this factor at most; it lasts no longer than this many watched days. */
const PAUSE_RATIO = 3;
const PAUSE_DAYS = 14;
/** Levels of a ramp, each above the one before, at least. */
const RAMP_LEVELS = 3;

/** The spans of a series, by their first day. */
export function findSpans(
  counts: ArrayLike<number>,
  exposure: ArrayLike<number>,
  size: number,
  { levels, bursts }: Shape,
): Span[] {
  const total = sumOf(counts, exposure, 0, counts.length);
  /** What it gains that some days have a rate, and all others another. */
  const gainOf = (start: number, end: number) => {
    const inside = sumOf(counts, exposure, start, end);
    const whole = segmentCost(total.count, total.exposure, size);
    const apart =
      segmentCost(inside.count, inside.exposure, size) +
      segmentCost(total.count - inside.count, total.exposure - inside.exposure, size);
    return (whole - apart) / 2;
  };
  const rateOf = (start: number, end: number) => {
    const { count, exposure: watched } = sumOf(counts, exposure, start, end);
    return count / watched;
  };
  const levelAt = (place: number) => levels.find(({ start, end }) => place >= start && place < end)!.rate;
  const spans: Span[] = bursts.map(({ start, end, rate }) => ({
    shape: "burst",
    start,
    end,
    before: start === 0 ? NaN : levelAt(start - 1),
    level: rate,
    after: end === counts.length ? NaN : levelAt(end),
    gain: gainOf(start, end),
  }));
  const runs = dropNested(levels, findRuns(levels), run => gainOf(levels[run.from]!.start, levels[run.to]!.end));
  const pauses = findPauses(levels, runs);
  for (const { from, to } of pauses) {
    const [start, end] = [levels[from]!.start, levels[to]!.end];
    const [before, after] = [levels[from - 1]!.rate, levels[to + 1]!.rate];
    spans.push({ shape: "paused", start, end, before, level: rateOf(start, end), after, gain: gainOf(start, end) });
  }
  for (const run of joinOverPauses(runs, pauses)) {
    const { from, to } = run;
    if (from === 0 && to === levels.length - 1) continue;
    const [start, end] = [levels[from]!.start, levels[to]!.end];
    const isShort = end - start <= BURST_DAYS;
    const shape =
      from === 0 ? "ended" : to < levels.length - 1 ? (isShort ? "burst" : "passed") : isRamp(levels, run) ? "ramp" : "began";
    spans.push({
      shape,
      start,
      end,
      before: levels[from - 1]?.rate ?? NaN,
      level: rateOf(start, end),
      after: levels[to + 1]?.rate ?? NaN,
      gain: gainOf(start, end),
    });
  }
  return spans.sort((a, b) => a.start - b.start || a.end - b.end);
}

function sumOf(counts: ArrayLike<number>, exposure: ArrayLike<number>, start: number, end: number) {
  const sum = { count: 0, exposure: 0 };
  for (let i = start; i < end; i++) {
    sum.count += counts[i]!;
    sum.exposure += exposure[i]!;
  }
  return sum;
}

/** Levels `from` to `to`, both included, all above those beside them. */
interface Run {
  readonly from: number;
  readonly to: number;
}

/** All runs that stand out by {@link LEAST_RATIO}, one inside the other too. */
function findRuns(levels: readonly Level[]): Run[] {
  const runs: Run[] = [];
  for (const least of new Set(levels.map(({ rate }) => rate))) {
    for (let from = 0; from < levels.length; from++) {
      if (levels[from]!.rate < least) continue;
      let to = from;
      while (to + 1 < levels.length && levels[to + 1]!.rate >= least) to++;
      const around = Math.max(levels[from - 1]?.rate ?? 0, levels[to + 1]?.rate ?? 0);
      const isWhole = from === 0 && to === levels.length - 1;
      const isThere = runs.some(run => run.from === from && run.to === to);
      if (!isWhole && !isThere && least >= LEAST_RATIO * around) runs.push({ from, to });
      from = to;
    }
  }
  return runs;
}

/** Of runs inside each other that begin or end together, a ramp, or else the one with the greatest gain. */
function dropNested(levels: readonly Level[], runs: readonly Run[], gainOf: (run: Run) => number): Run[] {
  const kept: Run[] = [];
  const isBetter = (a: Run, b: Run) => !isRamp(levels, b) && (isRamp(levels, a) || gainOf(a) > gainOf(b));
  for (const run of runs.toSorted((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from)) {
    const at = kept.findIndex(
      other => other.from <= run.from && run.to <= other.to && (other.from === run.from || other.to === run.to),
    );
    if (at < 0) kept.push(run);
    else if (isBetter(run, kept[at]!)) kept[at] = run;
  }
  return kept;
}

/** Whether a run rises from level to level up to the archive's end. */
function isRamp(levels: readonly Level[], { from, to }: Run): boolean {
  if (to < levels.length - 1 || to - from + 1 < RAMP_LEVELS) return false;
  return levels.slice(from, to).every(({ rate }, i) => rate < levels[from + i + 1]!.rate);
}

/** Low levels between two runs of about the same level. */
function findPauses(levels: readonly Level[], runs: readonly Run[]): Run[] {
  const sorted = runs.toSorted((a, b) => a.from - b.from);
  const pauses: Run[] = [];
  for (let i = 0; i + 1 < sorted.length; i++) {
    const [from, to] = [sorted[i]!.to + 1, sorted[i + 1]!.from - 1];
    if (from > to) continue;
    const days = levels[to]!.end - levels[from]!.start;
    const [before, after] = [levels[from - 1]!.rate, levels[to + 1]!.rate];
    const low = Math.max(...levels.slice(from, to + 1).map(({ rate }) => rate));
    const isAlike = Math.max(before, after) <= PAUSE_RATIO * Math.min(before, after);
    if (days <= PAUSE_DAYS && isAlike && low * PAUSE_RATIO <= Math.min(before, after)) pauses.push({ from, to });
  }
  return pauses;
}

function joinOverPauses(runs: readonly Run[], pauses: readonly Run[]): Run[] {
  const joined = runs.toSorted((a, b) => a.from - b.from);
  for (const pause of pauses) {
    const first = joined.findIndex(run => run.to === pause.from - 1);
    const second = joined.findIndex(run => run.from === pause.to + 1);
    const whole = { from: joined[first]!.from, to: joined[second]!.to };
    joined.splice(second, 1);
    joined[first] = whole;
  }
  return joined;
}
