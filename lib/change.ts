/**
 * What changed: every key on every shown day, and over the shown days as a whole, against its own past.
 *
 * Three passes. First each key's recent counts are laid out over the calendar and every comparison with support is
 * noted: counts, expectation, dispersion. Then dispersions are shrunk, p and q computed over all comparisons together.
 * Last, the rows that will be shown get what costs more: interval, robust z, first and last day, overall mean.
 */
import { type BaselineOptions, type Window, type Windows } from "./baseline.ts";
import { type Coverage, isUsable, OBSERVED, PARTIAL } from "./coverage.ts";
import { falseDiscovery, rateRatioInterval, isTailAbove, twoSidedTail, widenTail } from "./distributions.ts";
import { groupRows, type KeyedRows, rowOfDay } from "./keyed-rows.ts";
import type { Category, ChangeRow, TestCounts } from "./statistics.ts";

/** Day and baseline together must hold this many: independent of how they split when nothing changed. */
export const MIN_SUPPORT = 5;
/** Keys that must have a dispersion of their own before their median speaks for a kind. */
const MIN_TYPE_KEYS = 5;
/** Keys too rare to have a dispersion of their own take this quantile of their kind's, or this value without one. */
const RARE_QUANTILE = 0.9;
const RARE_DISPERSION = 4;
/** Counts near their expectation have a p above this: no need to compute it. A test walks the whole region. */
export const OBVIOUS_CEILING = 0.05;
/** An expectation this large makes a lasting zero "gone". */
const GONE_EXPECTED = 5;

export interface ChangeOptions extends BaselineOptions {
  thresholdPercent: number;
  q: number;
  strict: boolean;
  returningAfterDays: number;
  burnInDays: number;
  rows: "reported" | "all";
}

/** The comparisons that may be reported, as columns; a fleet comparison has sensor -1. */
class Tests {
  length = 0;
  kind = new Uint8Array(256);
  slot = new Int16Array(256);
  sensor = new Int32Array(256);
  key = new Int32Array(256);
  count = new Float64Array(256);
  baseline = new Float64Array(256);
  /** Own dispersion, at least 1; NaN where the daily mean is below 1. Settled in place. */
  expected = new Float64Array(256);
  mu = new Float64Array(256);
  ratio = new Float64Array(256);
  dispersion = new Float64Array(256);
  silent = new Uint8Array(256);
  p = new Float64Array(256);

  push(test: Test, kind: number, p: number): void {
    const at = this.length++;
    if (at === this.kind.length) this.#grow();
    this.kind[at] = kind;
    this.slot[at] = test.slot;
    this.sensor[at] = test.sensor;
    this.key[at] = test.key;
    this.count[at] = test.count;
    this.baseline[at] = test.baseline;
    this.expected[at] = test.expected;
    this.mu[at] = test.mu;
    this.ratio[at] = test.ratio;
    this.dispersion[at] = test.dispersion;
    this.silent[at] = test.silent ? 1 : 0;
    this.p[at] = p;
  }

  #grow(): void {
    const wider = <A extends { set(from: A): void; length: number }>(from: A): A => {
      const to = new (from.constructor as new (length: number) => A)(from.length * 2);
      to.set(from);
      return to;
    };
    this.kind = wider(this.kind);
    this.slot = wider(this.slot);
    this.sensor = wider(this.sensor);
    this.key = wider(this.key);
    this.count = wider(this.count);
    this.baseline = wider(this.baseline);
    this.expected = wider(this.expected);
    this.mu = wider(this.mu);
    this.ratio = wider(this.ratio);
    this.dispersion = wider(this.dispersion);
    this.silent = wider(this.silent);
    this.p = wider(this.p);
  }
}

/** One comparison, while it is looked at. */
interface Test {
  slot: number;
  sensor: number;
  key: number;
  count: number;
  baseline: number;
  expected: number;
  /** The expectation that is scored against: never 0. */
  mu: number;
  /** Exposure judged over exposure of the baseline; for the fleet the average its sensors amount to. */
  ratio: number;
  /** Own dispersion, at least 1; NaN where the daily mean is below 1. */
  dispersion: number;
  /** Days the dispersion was measured on, less one. */
  degrees: number;
  /** Nothing from the judged days to the archive's end. */
  silent: boolean;
}

const FLEET = -1;

/**
 * Find every change that passes, and count the tests it was found among.
 *
 * Comparisons whose p is above q are counted and let go at once: no control of the false-discovery rate brings a q
 * below its p.
 *
 * @param kinds Rows by kind; cut sensor-days take no part because the calendar gives them no exposure.
 * @returns Rows reported first, the largest change first; with `rows: "all"` the others behind them.
 */
export function findChanges(
  kinds: readonly KeyedRows[],
  coverage: Coverage,
  windows: Windows,
  options: ChangeOptions,
): { rows: ChangeRow[]; tests: TestCounts } {
  const counts: TestCounts = {
    m: 0,
    dayView: 0,
    periodView: 0,
    sensorScope: 0,
    fleetScope: 0,
    byKind: kinds.map(({ kind }) => ({ kind, tests: 0, reported: 0 })),
    reported: 0,
    withoutSupport: 0,
    refused: windows.refused.map(({ sensor, offset, reason }) => ({
      sensor: coverage.sensors[sensor]!,
      day: coverage.firstDay + offset,
      reason,
    })),
    method: options.strict ? "Benjamini-Yekutieli" : "Benjamini-Hochberg",
  };
  // Dispersions come first, from the frequent keys alone: what is usual in a kind, and on a sensor over all kinds.
  const overall = new Dispersions();
  const own = kinds.map(() => new Dispersions());
  const enough = Math.max(MIN_SUPPORT, leastSpread(windows));
  for (const [at, kind] of kinds.entries()) {
    eachTest(kind, coverage, windows, enough, test => {
      if (Number.isNaN(test.dispersion)) return;
      const group = groupOf(test, windows.slots);
      own[at]!.add(group, test.dispersion);
      overall.add(group, test.dispersion);
    });
  }
  for (const dispersions of [overall, ...own]) dispersions.close();

  const kept = new Tests();
  const ceiling = options.rows === "all" ? 1 : options.q;
  for (const [at, kind] of kinds.entries()) {
    const ofKind = counts.byKind[at]!;
    counts.withoutSupport += eachTest(kind, coverage, windows, MIN_SUPPORT, test => {
      const group = groupOf(test, windows.slots);
      test.dispersion = settleDispersion(test.dispersion, own[at]!.usual(group) ?? overall.usual(group));
      ofKind.tests++;
      if (test.slot === windows.slots - 1) counts.periodView++;
      if (test.sensor === FLEET) counts.fleetScope++;
      const p = score(test, ceiling);
      if (p <= ceiling) kept.push(test, at, p);
    });
    counts.m += ofKind.tests;
  }
  counts.dayView = counts.m - counts.periodView;
  counts.sensorScope = counts.m - counts.fleetScope;

  const q = falseDiscovery(kept.p.subarray(0, kept.length), options.strict, counts.m);
  const reported = new Uint8Array(kept.length);
  const wanted: number[][] = kinds.map(() => []);
  for (let i = 0; i < kept.length; i++) {
    const expected = kept.expected[i]!;
    const isLarge =
      expected === 0 || 100 * Math.abs(kept.count[i]! - expected) >= options.thresholdPercent * expected;
    if (q[i]! <= options.q && isLarge) {
      reported[i] = 1;
      counts.reported++;
      counts.byKind[kept.kind[i]!]!.reported++;
    }
    if (reported[i] === 1 || options.rows === "all") wanted[kept.kind[i]!]!.push(i);
  }
  const rows: ChangeRow[] = [];
  for (const [at, kind] of kinds.entries()) {
    for (const row of describeRows(kept, wanted[at]!, kind, coverage, windows, options, q, reported)) rows.push(row);
  }
  return { rows: sortChanges(rows), tests: counts };
}

/** Two-sided p of a comparison; 1 where it can be seen cheaply that it lies above the ceiling. */
function score(test: Test, ceiling: number): number {
  const { count, mu } = test;
  const variance = test.dispersion * mu * (1 + test.ratio);
  if (ceiling <= OBVIOUS_CEILING && isObviouslyLikely(count, mu, variance)) return 1;
  if (ceiling < 1 && isTailAbove(ceiling / 2, count, mu, variance)) return 1;
  const p = twoSidedTail(count, mu, variance);
  // Widening only ever raises p.
  return p <= ceiling ? widenTail(p, test.degrees) : p;
}

/** The least exposure that a dispersion is measured on: with fewer counts no daily mean reaches 1. */
function leastSpread(windows: Windows): number {
  let least = Infinity;
  for (const window of windows.windows) if (window !== undefined) least = Math.min(least, window.spreadExposure);
  return least;
}

/**
 * Visit every comparison of a kind that has support.
 *
 * @param minTotal Keys with fewer counts than this, in all windows of all sensors, are passed over.
 * @param visit Gets the same object each time.
 * @returns How many keys of the windows had no comparison with support.
 */
function eachTest(
  kind: KeyedRows,
  coverage: Coverage,
  windows: Windows,
  minTotal: number,
  visit: (test: Test) => void,
): number {
  const { days, firstDay, sensors, exposure } = coverage;
  const { slots } = windows;
  const firstOffset = windows.firstOffset.reduce((least, offset) => Math.min(least, offset), days);
  if (firstOffset >= days) return 0;
  const startRow = rowOfDay(kind.day, firstDay + firstOffset);

  // Most keys are seen once and never again: they are left out before anything is laid out.
  const totals = new Float64Array(kind.keys);
  for (let row = startRow; row < kind.rows; row++) {
    const sensor = kind.sensor[row]!;
    if (kind.day[row]! - firstDay >= windows.firstOffset[sensor]!) totals[kind.key[row]!]! += kind.count[row]!;
  }
  const slotOf = new Int32Array(kind.keys).fill(-1);
  const keyOf: number[] = [];
  let recent = 0;
  for (let key = 0; key < kind.keys; key++) {
    if (totals[key]! > 0) recent++;
    if (totals[key]! >= minTotal) slotOf[key] = keyOf.push(key) - 1;
  }
  const { offsets, rows } = groupRows(kind.key, slotOf, keyOf.length, startRow);

  // Only the days of the windows are laid out, so that a key's counts on all sensors stay in the nearest cache.
  const span = days - firstOffset;
  const laid = new Float64Array(sensors.length * span);
  const placeOf = (sensor: number, cell: number) => cell - sensor * days - firstOffset + sensor * span;
  const local = layOut(windows, sensors.length, exposure, placeOf);
  const usable = windows.usable.map((cells, sensor) =>
    cells.filter(cell => cell - sensor * days >= windows.firstOffset[sensor]!).map(cell => placeOf(sensor, cell)),
  );
  const touched: number[] = [];
  const isTouched = new Uint8Array(sensors.length);
  const lastOffset = new Int32Array(sensors.length).fill(-1);
  // Running sums over each sensor's usable cells: `running[sensor][i]` = counts on the first i of them.
  const running = usable.map(places => new Float64Array(places.length + 1));
  const fleet = new FleetDispersion(span);
  const half = fleetHalfCounts(windows, sensors.length);
  const test: Test = {
    slot: 0,
    sensor: 0,
    key: 0,
    count: 0,
    baseline: 0,
    expected: 0,
    mu: 0,
    ratio: 0,
    dispersion: 1,
    degrees: 1,
    silent: false,
  };
  let tested = 0;
  for (let place = 0; place < keyOf.length; place++) {
    test.key = keyOf[place]!;
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) {
      const row = rows[i]!;
      const sensor = kind.sensor[row]!;
      const offset = kind.day[row]! - firstDay;
      if (offset < windows.firstOffset[sensor]!) continue;
      laid[sensor * span + offset - firstOffset]! += kind.count[row]!;
      lastOffset[sensor] = offset;
      if (isTouched[sensor] === 1) continue;
      isTouched[sensor] = 1;
      touched.push(sensor);
    }
    for (const sensor of touched) {
      const places = usable[sensor]!;
      const sums = running[sensor]!;
      let sum = 0;
      for (let i = 0; i < places.length; i++) {
        sum += laid[places[i]!]!;
        sums[i + 1] = sum;
      }
    }
    let isTested = false;
    for (let slot = 0; slot < slots; slot++) {
      if (slot === slots - 1 && !kind.additive) continue;
      test.slot = slot;
      let fleetCount = 0;
      let fleetBaseline = 0;
      let fleetExpected = 0;
      let fleetRatio = 0;
      let fleetRate = 0;
      let fleetSilent = true;
      for (let t = 0; t < touched.length; t++) {
        const sensor = touched[t]!;
        const window = local[sensor * slots + slot];
        if (window === undefined) continue;
        const sums = running[sensor]!;
        const { ratio } = window;
        const count = sums[window.judgedEnd]! - sums[window.judgedStart]!;
        const baseline =
          window.baselineEnd > 0
            ? sums[window.baselineEnd]! - sums[window.baselineStart]!
            : sumPlaces(laid, window.baseline);
        if (count + baseline === 0) continue;
        const spreadRate = (window.isSame ? baseline : sumPlaces(laid, window.spread)) / window.spreadExposure;
        const silent = count === 0 && lastOffset[sensor]! < window.firstJudged;
        fleetCount += count;
        fleetBaseline += baseline;
        fleetExpected += ratio * baseline;
        fleetRatio += ratio * ratio * baseline;
        fleetRate += spreadRate;
        if (!silent) fleetSilent = false;
        if (count + baseline < MIN_SUPPORT) continue;
        test.sensor = sensor;
        test.count = count;
        test.baseline = baseline;
        test.expected = ratio * baseline;
        test.mu = ratio * (baseline + 0.5);
        test.ratio = ratio;
        test.dispersion = spreadRate >= 1 ? ownDispersion(laid, window, spreadRate) : NaN;
        test.degrees = window.spread.length - 1;
        test.silent = silent;
        isTested = true;
        visit(test);
      }
      if (kind.additive && sensors.length > 1 && fleetCount + fleetBaseline >= MIN_SUPPORT) {
        fleet.measure(laid, local, touched, slot, slots, span, fleetRate);
        test.sensor = FLEET;
        test.count = fleetCount;
        test.baseline = fleetBaseline;
        test.expected = fleetExpected;
        test.mu = fleetExpected + half[slot]!;
        test.ratio = fleetExpected > 0 ? fleetRatio / fleetExpected : half[slot]! * 2;
        test.dispersion = fleet.dispersion;
        test.degrees = fleet.degrees;
        test.silent = fleetSilent;
        isTested = true;
        visit(test);
      }
    }
    if (isTested) tested++;
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) {
      const row = rows[i]!;
      const offset = kind.day[row]! - firstDay;
      // A sensor with later windows has earlier rows that were never laid out; theirs may be no place at all.
      if (offset >= firstOffset) laid[kind.sensor[row]! * span + offset - firstOffset] = 0;
    }
    for (const sensor of touched) isTouched[sensor] = 0;
    touched.length = 0;
  }
  return recent - tested;
}

/** A window as {@link eachTest} lays counts out. */
interface LocalWindow {
  /** Ranges of the sensor's running sums; a baseline of weekdays has none and ends at 0. */
  judgedStart: number;
  judgedEnd: number;
  baselineStart: number;
  baselineEnd: number;
  baseline: Int32Array;
  /** The baseline is the spread. */
  isSame: boolean;
  spread: Int32Array;
  /** Exposure of each place of the spread. */
  exposures: Float64Array;
  spreadExposure: number;
  /** Exposure judged over exposure of the baseline. */
  ratio: number;
  /** Day of the first judged cell, counted from the archive's first. */
  firstJudged: number;
}

function layOut(
  windows: Windows,
  sensors: number,
  exposure: Float64Array,
  placeOf: (sensor: number, cell: number) => number,
): (LocalWindow | undefined)[] {
  const days = exposure.length / sensors;
  return windows.windows.map((window, at) => {
    if (window === undefined) return undefined;
    const sensor = Math.floor(at / windows.slots);
    const { judged, baseline } = window.ranges;
    // Running sums begin with the first usable cell that any window reaches back to.
    const skipped = windows.usable[sensor]!.findIndex(cell => cell - sensor * days >= windows.firstOffset[sensor]!);
    const hasRange = baseline.end > 0;
    return {
      judgedStart: judged.start - skipped,
      judgedEnd: judged.end - skipped,
      baselineStart: hasRange ? baseline.start - skipped : 0,
      baselineEnd: hasRange ? baseline.end - skipped : 0,
      baseline: window.baseline.map(cell => placeOf(sensor, cell)),
      isSame: window.spread === window.baseline,
      spread: window.spread.map(cell => placeOf(sensor, cell)),
      exposures: Float64Array.from(window.spread, cell => exposure[cell]!),
      spreadExposure: window.spreadExposure,
      ratio: window.exposure / window.baselineExposure,
      firstJudged: window.judged[0]! - sensor * days,
    };
  });
}

function sumPlaces(laid: Float64Array, places: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < places.length; i++) sum += laid[places[i]!]!;
  return sum;
}

/**
 * Pearson's chi-square per degree of freedom around a constant rate, at least 1.
 *
 * With whole days it is sample variance over mean; shorter days weigh by their exposure.
 */
function ownDispersion(laid: Float64Array, window: LocalWindow, rate: number): number {
  const { spread, exposures } = window;
  if (spread.length < 2) return NaN;
  let sum = 0;
  for (let i = 0; i < spread.length; i++) {
    const mean = rate * exposures[i]!;
    const off = laid[spread[i]!]! - mean;
    sum += (off * off) / mean;
  }
  return Math.max(1, sum / (spread.length - 1));
}

/**
 * Dispersion of a key over the sensors that were up, each with its own window.
 *
 * A day is compared with the sum of what its sensors are used to, so a sensor that joins or falls away moves nothing.
 */
class FleetDispersion {
  /** As {@link ownDispersion}, over the days of all sensors' windows; NaN below a daily mean of 1. */
  dispersion = NaN;
  degrees = 1;
  readonly #found: Float64Array;
  readonly #wanted: Float64Array;
  readonly #offsets: number[] = [];

  constructor(span: number) {
    this.#found = new Float64Array(span);
    this.#wanted = new Float64Array(span);
  }

  /** @param rate Sum of the sensors' rates a day. */
  measure(
    laid: Float64Array,
    windows: readonly (LocalWindow | undefined)[],
    sensors: readonly number[],
    slot: number,
    slots: number,
    span: number,
    rate: number,
  ): void {
    const found = this.#found;
    const wanted = this.#wanted;
    const offsets = this.#offsets;
    this.dispersion = NaN;
    this.degrees = 1;
    for (let s = 0; s < sensors.length; s++) {
      const sensor = sensors[s]!;
      const window = windows[sensor * slots + slot];
      if (window === undefined) continue;
      const { spread, exposures } = window;
      if (spread.length - 1 > this.degrees) this.degrees = spread.length - 1;
      // No day can expect more than all sensors' whole days together.
      if (rate < 1) continue;
      const own = sumPlaces(laid, spread) / window.spreadExposure;
      if (own === 0) continue;
      for (let i = 0; i < spread.length; i++) {
        const offset = spread[i]! - sensor * span;
        if (wanted[offset] === 0) offsets.push(offset);
        wanted[offset]! += own * exposures[i]!;
        found[offset]! += laid[spread[i]!]!;
      }
    }
    const n = offsets.length;
    let sum = 0;
    let total = 0;
    for (let i = 0; i < n; i++) {
      const offset = offsets[i]!;
      const mean = wanted[offset]!;
      const off = found[offset]! - mean;
      sum += (off * off) / mean;
      total += mean;
      wanted[offset] = found[offset] = 0;
    }
    offsets.length = 0;
    if (n < 2 || total < n) return;
    this.dispersion = Math.max(1, sum / (n - 1));
    this.degrees = n - 1;
  }
}

function sumCells(laid: Float64Array, cells: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < cells.length; i++) sum += laid[cells[i]!]!;
  return sum;
}

/**
 * Half a count over the average baseline, per slot: what keeps the fleet's expectation above 0.
 *
 * One half for the fleet and not one per sensor: a hundred sensors that never saw a key would else be expected to see
 * it twice a day, and a key of one sensor would seem to have fallen.
 */
function fleetHalfCounts(windows: Windows, sensors: number): Float64Array {
  const half = new Float64Array(windows.slots);
  for (let slot = 0; slot < windows.slots; slot++) {
    let up = 0;
    for (let sensor = 0; sensor < sensors; sensor++) {
      const window = windows.windows[sensor * windows.slots + slot];
      if (window === undefined) continue;
      half[slot]! += (0.5 * window.exposure) / window.baselineExposure;
      up++;
    }
    if (up > 0) half[slot]! /= up;
  }
  return half;
}

interface UsualDispersion {
  middle: number;
  high: number;
}

/** The dispersions of frequent keys by group, see {@link groupOf}: what is usual there. */
class Dispersions {
  readonly #lists = new Map<number, number[]>();
  readonly #usual = new Map<number, UsualDispersion>();

  add(group: number, dispersion: number): void {
    const list = this.#lists.get(group);
    if (list === undefined) this.#lists.set(group, [dispersion]);
    else list.push(dispersion);
  }

  /** Work out what is usual where enough is known; nothing may be added afterwards. */
  close(): void {
    for (const [group, list] of this.#lists) {
      if (list.length < MIN_TYPE_KEYS) continue;
      const sorted = Float64Array.from(list).sort();
      const high = sorted[Math.floor(RARE_QUANTILE * sorted.length)]!;
      this.#usual.set(group, { middle: medianSorted(sorted), high });
    }
    this.#lists.clear();
  }

  usual(group: number): UsualDispersion | undefined {
    return this.#usual.get(group);
  }
}

/** One group per sensor (or the fleet) and shown day: one sensor never moves another, nor one day the next. */
function groupOf(test: Test, slots: number): number {
  return (test.sensor + 1) * slots + test.slot;
}

/**
 * The dispersion that a test allows for.
 *
 * A frequent key's own is pulled half-way up to the median of its kind, and never down: keys differ in how bursty they
 * are, and the burstiest would be taken for changed day after day. A rare key, whose own days cannot tell, takes a high
 * quantile of the others'.
 *
 * @param own NaN for a rare key.
 */
function settleDispersion(own: number, usual: UsualDispersion | undefined): number {
  if (Number.isNaN(own)) return usual?.high ?? RARE_DISPERSION;
  return usual === undefined ? own : Math.max(own, (own + usual.middle) / 2);
}

/**
 * Tell at a glance that a count is nothing unusual: within 0.9 standard deviations, and not from the most skewed of
 * negative binomials. Its two-sided p is then above {@link OBVIOUS_CEILING}; most counts are of this sort.
 */
export function isObviouslyLikely(count: number, mean: number, variance: number): boolean {
  const off = count - mean;
  return off * off <= 0.81 * variance && 10 * mean * mean >= variance - mean;
}

/** Median of a list that is not empty. */
export function median(values: readonly number[]): number {
  return medianSorted(Float64Array.from(values).sort());
}

function medianSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Square root that makes Poisson noise about as wide everywhere: standard deviation 1. */
export function anscombe(count: number): number {
  return 2 * Math.sqrt(Math.max(0, count) + 0.375);
}

/**
 * How far a count lies from the median of others, in robust standard deviations of the square-root scale.
 *
 * The floor of 1 is Poisson noise: a window of zeros does not blow up, and one earlier spike hides nothing.
 */
export function robustZ(count: number, others: readonly number[]): number {
  const scaled = others.map(anscombe);
  const middle = median(scaled);
  const spread = 1.4826 * median(scaled.map(value => Math.abs(value - middle)));
  return (anscombe(count) - middle) / Math.max(spread, 1);
}

function describeRows(
  tests: Tests,
  wanted: readonly number[],
  kind: KeyedRows,
  coverage: Coverage,
  windows: Windows,
  options: ChangeOptions,
  q: Float64Array,
  reported: Uint8Array,
): ChangeRow[] {
  if (wanted.length === 0) return [];
  const { days, firstDay, sensors, exposure } = coverage;
  const claims = claimOffsets(coverage, options.burnInDays);
  const slotOf = new Int32Array(kind.keys).fill(-1);
  const keyOf: number[] = [];
  for (const i of wanted) {
    const key = tests.key[i]!;
    if (slotOf[key]! < 0) slotOf[key] = keyOf.push(key) - 1;
  }
  const { offsets, rows } = groupRows(kind.key, slotOf, keyOf.length);
  const byPlace: number[][] = keyOf.map(() => []);
  for (const i of wanted) byPlace[slotOf[tests.key[i]!]!]!.push(i);

  const laid = new Float64Array(sensors.length * days);
  const result: ChangeRow[] = [];
  for (const [place, key] of keyOf.entries()) {
    const start = offsets[place]!;
    const end = offsets[place + 1]!;
    for (let j = start; j < end; j++) {
      const row = rows[j]!;
      laid[kind.sensor[row]! * days + kind.day[row]! - firstDay]! += kind.count[row]!;
    }
    for (const i of byPlace[place]!) {
      const sensor = tests.sensor[i]!;
      const slot = tests.slot[i]!;
      const isPeriod = slot === windows.slots - 1;
      const firstJudged = isPeriod ? windows.shownOffset : windows.shownOffset + slot;
      const lastJudged = isPeriod ? days - 1 : firstJudged;
      const scope: { sensor: number; window: Window }[] = [];
      for (let s = 0; s < sensors.length; s++) {
        const window = sensor === FLEET || sensor === s ? windows.windows[s * windows.slots + slot] : undefined;
        if (window !== undefined) scope.push({ sensor: s, window });
      }
      const count = tests.count[i]!;
      const baseline = tests.baseline[i]!;
      const expected = tests.expected[i]!;
      const mu = tests.mu[i]!;
      const history = readHistory(kind, rows, start, end, firstDay, sensor, firstJudged, options.guardDays, isPeriod);
      const { low, high } = rateRatioInterval(count, baseline, tests.ratio[i]!, tests.dispersion[i]!);
      const z = companionZ(count, expected, scope, laid, exposure, isPeriod);
      const other = otherMean(coverage, laid, scope);
      const percent = expected > 0 ? (100 * (count - expected)) / expected : null;
      const otherExpected = other === null ? null : other * scope.reduce((sum, { window }) => sum + window.exposure, 0);
      const isReported = reported[i] === 1;
      const direction = Math.sign(count - mu);
      result.push({
        view: isPeriod ? "period" : "day",
        sensor: sensor === FLEET ? null : sensors[sensor]!,
        kind: kind.kind,
        key: kind.valuesOf(key),
        firstDay: firstDay + firstJudged,
        lastDay: firstDay + lastJudged,
        count,
        expected,
        percent,
        ratio: (count + 0.5) / (mu + 0.5),
        low,
        high,
        p: tests.p[i]!,
        q: q[i]!,
        z,
        disagrees: z !== null && z * direction < 0,
        category: categorize({
          reported: isReported,
          count,
          baseline,
          mu,
          silent: tests.silent[i] === 1,
          history,
          firstJudged,
          claimed: firstJudged >= (sensor === FLEET ? claims.fleet : Math.max(claims.fleet, claims.sensors[sensor]!)),
          options,
        }),
        reported: isReported,
        baselineCount: baseline,
        baselineDays: scope.reduce((most, { window }) => Math.max(most, window.baseline.length), 0),
        baselineExposure: scope.reduce((sum, { window }) => sum + window.baselineExposure, 0),
        exposure: scope.reduce((sum, { window }) => sum + window.exposure, 0),
        dispersion: tests.dispersion[i]!,
        otherMean: other,
        otherPercent: otherExpected ? (100 * (count - otherExpected)) / otherExpected : null,
        sensorsSeen: scope.filter(({ window }) => sumCells(laid, window.judged) > 0).length,
        sensorsUp: scope.length,
        firstSeenDay: history.first === Infinity ? null : firstDay + history.first,
        lastSeenBefore: history.lastBefore < 0 ? null : firstDay + history.lastBefore,
        weekdayAdjusted: scope.some(({ window }) => window.weekday),
      });
    }
    for (let j = start; j < end; j++) laid[kind.sensor[rows[j]!]! * days + kind.day[rows[j]!]! - firstDay] = 0;
  }
  return result;
}

interface History {
  /** First offset in the row's scope, and last one before what is judged. */
  first: number;
  lastBefore: number;
  /** The same two behind the guard: what "before" means for novelty; Infinity and -1 when there is none. */
  firstAnywhere: number;
  lastBehindGuard: number;
}

function readHistory(
  kind: KeyedRows,
  rows: Int32Array,
  start: number,
  end: number,
  firstDay: number,
  sensor: number,
  firstJudged: number,
  guardDays: number,
  isPeriod: boolean,
): History {
  const history: History = { first: Infinity, lastBefore: -1, firstAnywhere: Infinity, lastBehindGuard: -1 };
  const behind = isPeriod ? firstJudged : firstJudged - guardDays;
  for (let j = start; j < end; j++) {
    const row = rows[j]!;
    if (!(kind.count[row]! > 0)) continue;
    const offset = kind.day[row]! - firstDay;
    history.firstAnywhere = Math.min(history.firstAnywhere, offset);
    if (sensor !== FLEET && kind.sensor[row]! !== sensor) continue;
    history.first = Math.min(history.first, offset);
    if (offset < firstJudged) history.lastBefore = Math.max(history.lastBefore, offset);
    if (offset < behind) history.lastBehindGuard = Math.max(history.lastBehindGuard, offset);
  }
  return history;
}

/** The days from which novelty is claimed, counted from the archive's first: the burn-in in observed days. */
export function claimOffsets(coverage: Coverage, burnInDays: number): { fleet: number; sensors: Int32Array } {
  const { days, sensors, status } = coverage;
  const claims = new Int32Array(sensors.length).fill(days);
  const isSeen = (cell: number) => status[cell] === OBSERVED || status[cell] === PARTIAL;
  for (let sensor = 0; sensor < sensors.length; sensor++) {
    let seen = 0;
    for (let offset = 0; offset < days; offset++) {
      if (seen >= burnInDays) {
        claims[sensor] = offset;
        break;
      }
      if (isSeen(sensor * days + offset)) seen++;
    }
  }
  let fleet = days;
  let seen = 0;
  for (let offset = 0; offset < days; offset++) {
    if (seen >= burnInDays) {
      fleet = offset;
      break;
    }
    if (sensors.some((_, sensor) => isSeen(sensor * days + offset))) seen++;
  }
  return { fleet, sensors: claims };
}

function categorize(row: {
  reported: boolean;
  count: number;
  baseline: number;
  mu: number;
  silent: boolean;
  history: History;
  firstJudged: number;
  claimed: boolean;
  options: ChangeOptions;
}): Category {
  const { history, firstJudged, options } = row;
  if (row.count > 0 && row.baseline === 0 && row.claimed) {
    if (history.lastBehindGuard >= 0) {
      if (firstJudged - history.lastBehindGuard >= options.returningAfterDays) return "returning";
    } else {
      return history.firstAnywhere < firstJudged - options.guardDays ? "new here" : "new";
    }
  }
  if (!row.reported) return "steady";
  if (row.count === 0 && row.silent && row.mu >= GONE_EXPECTED) return "gone";
  return row.count > row.mu ? "up" : "down";
}

/** z against the baseline days, each brought to the exposure (fleet: the expectation) of the judged day. */
function companionZ(
  count: number,
  expected: number,
  scope: readonly { sensor: number; window: Window }[],
  laid: Float64Array,
  exposure: Float64Array,
  isPeriod: boolean,
): number | null {
  // A period is one sum: there is no sample of other sums to take a median of.
  if (isPeriod) return null;
  if (scope.length === 1) {
    const { window } = scope[0]!;
    const others = Array.from(window.baseline, cell => (laid[cell]! * window.exposure) / exposure[cell]!);
    return robustZ(count, others);
  }
  const found = new Map<number, { found: number; wanted: number }>();
  for (const { window } of scope) {
    const rate = sumCells(laid, window.baseline) / window.baselineExposure;
    const judged = window.judged[0]!;
    for (const cell of window.baseline) {
      // Distance in days from the judged day: the same for all sensors.
      const at = found.get(judged - cell) ?? { found: 0, wanted: 0 };
      at.found += laid[cell]!;
      at.wanted += rate * exposure[cell]!;
      found.set(judged - cell, at);
    }
  }
  const others = [...found.values()].map(at => (at.wanted > 0 ? (at.found / at.wanted) * expected : 0));
  return others.length > 0 ? robustZ(count, others) : null;
}

/** Mean per watched day over all usable days but the judged ones. */
function otherMean(
  coverage: Coverage,
  laid: Float64Array,
  scope: readonly { sensor: number; window: Window }[],
): number | null {
  const { days, exposure } = coverage;
  let sum = 0;
  let watched = 0;
  for (const { sensor, window } of scope) {
    for (let cell = sensor * days; cell < (sensor + 1) * days; cell++) {
      if (!isUsable(coverage, cell)) continue;
      sum += laid[cell]!;
      watched += exposure[cell]!;
    }
    sum -= sumCells(laid, window.judged);
    watched -= window.exposure;
  }
  return watched > 0.25 ? sum / watched : null;
}

/** Reported first, then the farthest from "as expected" on the shrunken ratio; ties by view, scope, kind and key. */
export function sortChanges(rows: ChangeRow[]): ChangeRow[] {
  const distance = (row: ChangeRow) => Math.abs(Math.log(row.ratio));
  const nameOf = (row: ChangeRow) => JSON.stringify([row.kind, row.key, row.sensor]);
  const decorated = rows.map(row => ({ row, far: distance(row), name: nameOf(row) }));
  decorated.sort(
    (a, b) =>
      Number(b.row.reported) - Number(a.row.reported) ||
      b.far - a.far ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) ||
      a.row.lastDay - b.row.lastDay ||
      a.row.firstDay - b.row.firstDay,
  );
  return decorated.map(({ row }) => row);
}
