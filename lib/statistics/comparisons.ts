/**
 * Every comparison of one kind: each key on every shown day, and over the shown days as a whole, against its own past.
 *
 * One walk notes how much keys vary, counts the comparisons, and keeps those that may turn out to be unusual with what each key's own
 * days say of it; once it is known what is usual these are weighed by it.
 *
 * Tested in `test/lib/statistics/change.test.ts`.
 */
import type { Windows } from "./baseline.ts";
import { type Look, walkComparisons } from "./comparison-walk.ts";
import type { Coverage } from "./coverage.ts";
import { type DispersionSamples, SampleList, sampleSizes, type UsualDispersions } from "./dispersion.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { FLEET, MIN_SUPPORT, type Test } from "./local-windows.ts";
import { type Baseline, GRID, meanDispersion, MIN_LEARNT, mixtureP, weighOwn, weighUsual } from "./mixture.ts";
import { ObviousCounts } from "./obvious.ts";
import { widened } from "../columns/growing-column.ts";

/** What is known of a comparison before it is known what is usual. */
const FOUND = ["slot", "sensor", "key", "count", "baseline", "ratio", "burstDays", "silent", "above", "notAbove"] as const;
const COLUMNS = [...FOUND, "dispersion", "p"] as const;

/**
 * The comparisons that may be reported, column by column; a fleet comparison has the sensor {@link FLEET}.
 *
 * `ratio` = exposure judged over exposure of the baseline, for the fleet what its sensors amount to, so `ratio * baseline` is
 * expected. `above`, `notAbove` of a fleet comparison: how many sensors were compared on that side of their expectation.
 */
export type Comparisons = { readonly length: number } & Readonly<Record<(typeof COLUMNS)[number], Float64Array>>;

/** How many comparisons of one kind were made. */
interface ComparisonCounts {
  readonly tests: number;
  readonly periodView: number;
  readonly fleetScope: number;
  /** Keys of the windows that no comparison has support for. */
  readonly withoutSupport: number;
}

/** What came of the comparisons of one kind. */
export interface KindComparisons extends ComparisonCounts {
  readonly kept: Comparisons;
}

/** What one walk over the keys of a kind finds. */
export interface ExaminedKeys extends ComparisonCounts {
  /** How much keys vary that have counts enough to tell: all, or a sample where there are very many. */
  readonly samples: DispersionSamples;
  /** The comparisons that are not obviously nothing. */
  readonly open: OpenComparisons;
}

/** Comparisons whose p hangs on what is usual: one in fifty. Of the i-th the likelihoods of dispersions begin at `i * GRID`. */
export type OpenComparisons = { readonly length: number; readonly likelihoods: Float64Array } & Readonly<Record<(typeof FOUND)[number], Float64Array>>;

/** Comparisons while they are gathered. */
class OpenList {
  length = 0;
  #columns = FOUND.map(() => new Float64Array(64));
  #likelihoods = new Float64Array(64 * GRID);

  push(test: Test, days: Baseline): void {
    if (this.length === this.#columns[0]!.length) {
      this.#columns = this.#columns.map(column => widened(column));
      this.#likelihoods = widened(this.#likelihoods);
    }
    const at = this.length++;
    FOUND.forEach((name, i) => (this.#columns[i]![at] = Number(test[name])));
    weighOwn(days, this.#likelihoods, at * GRID);
  }

  finish(): OpenComparisons {
    const columns = FOUND.map((name, i) => [name, this.#columns[i]!.slice(0, this.length)] as const);
    const likelihoods = this.#likelihoods.slice(0, this.length * GRID);
    return { length: this.length, likelihoods, ...(Object.fromEntries(columns) as Record<(typeof FOUND)[number], Float64Array>) };
  }
}

/**
 * Look at every comparison of a kind that has support.
 *
 * Keys with marks come in the order of these, so that of very many a sample is taken by them; the order does nothing else.
 *
 * @param ceiling Comparisons with a larger p will be counted and let go: no control of the false-discovery rate brings a q
 *   below its p. Undefined: the samples are wanted and nothing else.
 */
export function examineKeys(kind: KeyedRows, coverage: Coverage, windows: Windows, ceiling?: number): ExaminedKeys {
  const { slots } = windows;
  const { marks } = kind;
  const fleets = kind.additive && coverage.sensors.length > 1 ? slots : 0;
  const samples = new SampleList((coverage.sensors.length + 1) * slots, windows.windows.filter(window => window !== undefined).length + fleets);
  const enough = sampleSizes(coverage.sensors.length);
  const share = (key: number) => (marks === undefined ? 1 : (marks[key]! + 1) / 2 ** 32);
  const open = new OpenList();
  const obvious = new ObviousCounts(ceiling ?? 1);
  const period = slots - 1;
  const counts = { tests: 0, periodView: 0, fleetScope: 0 };
  const visit = (test: Test, look: Look): boolean => {
    const isCompared = ceiling !== undefined && isTestable(test, kind, period);
    const isObvious = isCompared && test.isCalm && obvious.has(test.count, test.baseline, test.ratio);
    const group = groupOf(test, slots);
    const isSampled = (test.baseline >= MIN_LEARNT || test.slot === period) && samples.wants(group);
    if (isSampled || (isCompared && !isObvious)) {
      const days = look.takeDays(test);
      if (isSampled && days.count >= MIN_LEARNT) samples.add(group, test.key, days, test.sensor === FLEET ? enough.fleet : enough.sensor, share(test.key));
      // Its support may have gone with a burst.
      if (!isCompared || (!isObvious && !isTestable(test, kind, period))) return false;
      if (!isObvious) open.push(test, days);
    }
    if (!isCompared) return false;
    counts.tests++;
    if (test.slot === period) counts.periodView++;
    if (test.sensor === FLEET) counts.fleetScope++;
    return true;
  };
  const isDone = () => ceiling === undefined && samples.isFull;
  const withoutSupport = walkComparisons(kind, coverage, windows, visit, { ...(marks && { marks }), isDone });
  return { samples: samples.finish(), open: open.finish(), ...counts, withoutSupport };
}

/** Note how much keys vary that have counts enough to tell: all, or a sample where there are very many. */
export function measureDispersions(kind: KeyedRows, coverage: Coverage, windows: Windows): DispersionSamples {
  return examineKeys(kind, coverage, windows).samples;
}

/**
 * Hold the comparisons that are open against what is usual.
 *
 * @param slots Of the windows.
 * @param own What is usual in this kind, and `pooled` in all kinds: for groups of which this one knows nothing.
 * @param ceiling As it was when they were looked at.
 */
export function settleComparisons(
  { open, tests, periodView, fleetScope, withoutSupport }: Omit<ExaminedKeys, "samples">,
  slots: number,
  usual: { readonly own: UsualDispersions; readonly pooled: UsualDispersions },
  ceiling: number,
): KindComparisons {
  const kept: number[] = [];
  const p = new Float64Array(open.length);
  const dispersion = new Float64Array(open.length);
  const weights = new Float64Array(GRID);
  const test = { count: 0, baseline: 0, ratio: 0, sensor: 0, slot: 0 };
  for (let i = 0; i < open.length; i++) {
    test.count = open.count[i]!;
    test.baseline = open.baseline[i]!;
    test.ratio = open.ratio[i]!;
    test.sensor = open.sensor[i]!;
    test.slot = open.slot[i]!;
    const group = groupOf(test, slots);
    for (let j = 0; j < GRID; j++) weights[j] = open.likelihoods[i * GRID + j]!;
    weighUsual(weights, usual.own.get(group) ?? usual.pooled.get(group));
    p[i] = mixtureP(test, weights, ceiling);
    if (p[i]! > ceiling) continue;
    dispersion[i] = meanDispersion(weights);
    kept.push(i);
  }
  const all = { ...open, p, dispersion };
  const columns = COLUMNS.map(name => [name, Float64Array.from(kept, i => all[name][i]!)] as const);
  const found = { length: kept.length, ...(Object.fromEntries(columns) as Record<(typeof COLUMNS)[number], Float64Array>) };
  return { kept: found, tests, periodView, fleetScope, withoutSupport };
}

/** Compare every key of a kind that has support with its own past; see {@link examineKeys} and {@link settleComparisons}. */
export function compareKeys(
  kind: KeyedRows,
  coverage: Coverage,
  windows: Windows,
  usual: { readonly own: UsualDispersions; readonly pooled: UsualDispersions },
  ceiling: number,
): KindComparisons {
  return settleComparisons(examineKeys(kind, coverage, windows, ceiling), windows.slots, usual, ceiling);
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
function groupOf(test: Pick<Test, "sensor" | "slot">, slots: number): number {
  return (test.sensor + 1) * slots + test.slot;
}
