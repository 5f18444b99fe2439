/**
 * Every comparison of one kind: each key on every shown day, and over the shown days as a whole, against its own past.
 *
 * Two passes of the same walk. The first notes how much keys vary; the second weighs what is usual by each key's own days,
 * counts the comparison, and keeps it if it may be reported.
 *
 * Tested in `test/lib/statistics/change.test.ts`.
 */
import type { Windows } from "./baseline.ts";
import { type Look, walkComparisons } from "./comparison-walk.ts";
import type { Coverage } from "./coverage.ts";
import { type DispersionSamples, SampleList, sampleSizes, type UsualDispersions } from "./dispersion.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { FLEET, MIN_SUPPORT, type Test } from "./local-windows.ts";
import { GRID, meanDispersion, MIN_LEARNT, mixtureP, weighDispersions } from "./mixture.ts";
import { ObviousCounts } from "./obvious.ts";
import { widened } from "../columns/growing-column.ts";

/** The columns of {@link Comparisons}. */
const COLUMNS = [
  "slot",
  "sensor",
  "key",
  "count",
  "baseline",
  "ratio",
  "dispersion",
  "burstDays",
  "silent",
  "above",
  "notAbove",
  "p",
] as const;

/**
 * The comparisons that may be reported, column by column; a fleet comparison has the sensor {@link FLEET}.
 *
 * `ratio` = exposure judged over exposure of the baseline, for the fleet what its sensors amount to, so `ratio * baseline` is
 * expected. `above`, `notAbove` of a fleet comparison: how many sensors were compared on that side of their expectation.
 */
export type Comparisons = { readonly length: number } & Readonly<Record<(typeof COLUMNS)[number], Float64Array>>;

/** What came of the comparisons of one kind. */
export interface KindComparisons {
  readonly kept: Comparisons;
  readonly tests: number;
  readonly periodView: number;
  readonly fleetScope: number;
  /** Keys of the windows that no comparison has support for. */
  readonly withoutSupport: number;
}

/** Comparisons while they are gathered. */
class ComparisonList {
  length = 0;
  #columns = COLUMNS.map(() => new Float64Array(256));

  push(test: Test, dispersion: number, p: number): void {
    if (this.length === this.#columns[0]!.length) this.#columns = this.#columns.map(column => widened(column));
    const at = this.length++;
    COLUMNS.forEach((name, i) => {
      const value = name === "p" ? p : name === "dispersion" ? dispersion : Number(test[name]);
      this.#columns[i]![at] = value;
    });
  }

  finish(): Comparisons {
    const columns = COLUMNS.map((name, i) => [name, this.#columns[i]!.slice(0, this.length)] as const);
    return { length: this.length, ...(Object.fromEntries(columns) as Record<(typeof COLUMNS)[number], Float64Array>) };
  }
}

/** Note how much keys vary that have counts enough to tell: all, or a sample where there are very many. */
export function measureDispersions(kind: KeyedRows, coverage: Coverage, windows: Windows): DispersionSamples {
  const { slots } = windows;
  const fleets = kind.additive && coverage.sensors.length > 1 ? slots : 0;
  const samples = new SampleList(
    (coverage.sensors.length + 1) * slots,
    windows.windows.filter(window => window !== undefined).length + fleets,
  );
  const enough = sampleSizes(coverage.sensors.length);
  const { marks } = kind;
  const share = (key: number) => (marks === undefined ? 1 : (marks[key]! + 1) / 2 ** 32);
  const visit = (test: Test, look: Look) => {
    const isPeriod = test.slot === slots - 1;
    if (test.baseline < MIN_LEARNT && !isPeriod) return true;
    const group = groupOf(test, slots);
    if (!samples.wants(group)) return true;
    const days = look.takeDays(test);
    const most = test.sensor === FLEET ? enough.fleet : enough.sensor;
    if (days.count >= MIN_LEARNT) samples.add(group, test.key, days, most, share(test.key));
    return true;
  };
  walkComparisons(kind, coverage, windows, visit, { ...(marks && { marks }), isDone: () => samples.isFull });
  return samples.finish();
}

/**
 * Compare every key of a kind that has support with its own past.
 *
 * @param own What is usual in this kind, and `pooled` in all kinds: for groups of which this one knows nothing.
 * @param ceiling Comparisons with a larger p are counted and let go: no control of the false-discovery rate brings a q
 *   below its p.
 */
export function compareKeys(
  kind: KeyedRows,
  coverage: Coverage,
  windows: Windows,
  usual: { readonly own: UsualDispersions; readonly pooled: UsualDispersions },
  ceiling: number,
): KindComparisons {
  const kept = new ComparisonList();
  const obvious = new ObviousCounts(ceiling);
  const weights = new Float64Array(GRID);
  const period = windows.slots - 1;
  let tests = 0;
  let periodView = 0;
  let fleetScope = 0;
  const score = (test: Test, look: Look): number => {
    if (test.isCalm && obvious.has(test.count, test.baseline, test.ratio)) return 1;
    const days = look.takeDays(test);
    if (!isTestable(test, kind, period)) return NaN;
    const group = groupOf(test, windows.slots);
    weighDispersions(days, usual.own.get(group) ?? usual.pooled.get(group), weights);
    return mixtureP(test, weights, ceiling);
  };
  const withoutSupport = walkComparisons(kind, coverage, windows, (test, look) => {
    if (!isTestable(test, kind, period)) return false;
    const p = score(test, look);
    if (Number.isNaN(p)) return false;
    tests++;
    if (test.slot === period) periodView++;
    if (test.sensor === FLEET) fleetScope++;
    if (p <= ceiling) kept.push(test, meanDispersion(weights), p);
    return true;
  });
  return { kept: kept.finish(), tests, periodView, fleetScope, withoutSupport };
}

/**
 * Whether a comparison has support, and a baseline to be held against.
 *
 * Of a key that was not there before, novelty tells. Only that so many sources come with it on one day is tested as well: of
 * events one source sends as many as it likes, and a period may begin with any burst (on shuffled days of real logs such
 * rows passed p = 0.001 five times as often as they should).
 */
function isTestable(test: Test, kind: KeyedRows, period: number): boolean {
  if (test.count + test.baseline < MIN_SUPPORT) return false;
  return test.baseline > 0 || (kind.unit === "sources" && test.slot !== period);
}

/** The group of dispersions that a comparison belongs to. */
function groupOf(test: Test, slots: number): number {
  return (test.sensor + 1) * slots + test.slot;
}
