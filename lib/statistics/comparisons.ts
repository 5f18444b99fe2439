/**
 * Every comparison of one kind: each key on every shown day, and over the shown days as a whole, against its own past.
 *
 * Two passes of the same walk. The first, over frequent keys alone, notes how much they vary; the second settles each
 * comparison's dispersion, counts it, and keeps it if it may be reported.
 *
 * Tested in `test/lib/statistics/change.test.ts`.
 */
import type { Windows } from "./baseline.ts";
import type { Coverage } from "./coverage.ts";
import { type DispersionList, settleDispersion, type UsualDispersions } from "./dispersion.ts";
import { isTailAbove, twoSidedTail, widenTail } from "./distributions.ts";
import { gatherRows, type KeyedRows, rowOfDay } from "./keyed-rows.ts";

/** Day and baseline together must hold this many: independent of how they split when nothing changed. */
const MIN_SUPPORT = 5;
/** Counts near their expectation have a p above this: no need to compute it. A test walks the whole region. */
export const OBVIOUS_CEILING = 0.05;

/** The sensor of a comparison over all sensors that were up. */
export const FLEET = -1;

/** The columns of {@link Comparisons}. */
const COLUMNS = [
  "slot",
  "sensor",
  "key",
  "count",
  "baseline",
  "expected",
  "mu",
  "ratio",
  "dispersion",
  "silent",
  "p",
] as const;

/** The comparisons that may be reported, column by column; a fleet comparison has the sensor {@link FLEET}. */
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

  push(test: Test, p: number): void {
    if (this.length === this.#columns[0]!.length) {
      this.#columns = this.#columns.map(column => {
        const wider = new Float64Array(column.length * 2);
        wider.set(column);
        return wider;
      });
    }
    const [slot, sensor, key, count, baseline, expected, mu, ratio, dispersion, silent, ps] = this.#columns;
    const at = this.length++;
    slot![at] = test.slot;
    sensor![at] = test.sensor;
    key![at] = test.key;
    count![at] = test.count;
    baseline![at] = test.baseline;
    expected![at] = test.expected;
    mu![at] = test.mu;
    ratio![at] = test.ratio;
    dispersion![at] = test.dispersion;
    silent![at] = test.silent ? 1 : 0;
    ps![at] = p;
  }

  finish(): Comparisons {
    const columns = COLUMNS.map((name, i) => [name, this.#columns[i]!.slice(0, this.length)] as const);
    return { length: this.length, ...(Object.fromEntries(columns) as Record<(typeof COLUMNS)[number], Float64Array>) };
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

/** Note how much each key varies that is frequent enough to tell. */
export function measureDispersions(kind: KeyedRows, coverage: Coverage, windows: Windows): DispersionList {
  const enough = Math.max(MIN_SUPPORT, leastSpread(windows));
  const groups: number[] = [];
  const dispersions: number[] = [];
  eachTest(kind, coverage, windows, enough, test => {
    if (Number.isNaN(test.dispersion)) return;
    groups.push(groupOf(test, windows.slots));
    dispersions.push(test.dispersion);
  });
  return { group: Int32Array.from(groups), dispersion: Float64Array.from(dispersions) };
}

/**
 * Compare every key of a kind that has support with its own past.
 *
 * @param own What is usual in this kind, and `overall` in all kinds: for groups of which this one knows too little.
 * @param ceiling Comparisons with a larger p are counted and let go: no control of the false-discovery rate brings a q
 *   below its p.
 */
export function compareKeys(
  kind: KeyedRows,
  coverage: Coverage,
  windows: Windows,
  usual: { readonly own: UsualDispersions; readonly overall: UsualDispersions },
  ceiling: number,
): KindComparisons {
  const kept = new ComparisonList();
  let tests = 0;
  let periodView = 0;
  let fleetScope = 0;
  const withoutSupport = eachTest(kind, coverage, windows, MIN_SUPPORT, test => {
    const group = groupOf(test, windows.slots);
    test.dispersion = settleDispersion(test.dispersion, usual.own.get(group) ?? usual.overall.get(group));
    tests++;
    if (test.slot === windows.slots - 1) periodView++;
    if (test.sensor === FLEET) fleetScope++;
    const p = score(test, ceiling);
    if (p <= ceiling) kept.push(test, p);
  });
  return { kept: kept.finish(), tests, periodView, fleetScope, withoutSupport };
}

/** The group of dispersions that a comparison belongs to. */
function groupOf(test: Test, slots: number): number {
  return (test.sensor + 1) * slots + test.slot;
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
  const keyOf: number[] = [];
  let recent = 0;
  for (let key = 0; key < kind.keys; key++) {
    if (totals[key]! > 0) recent++;
    if (totals[key]! >= minTotal) keyOf.push(key);
  }
  const { offsets, rows } = gatherRows(kind.key, kind.keys, keyOf, startRow);

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

/**
 * Tell at a glance that a count is nothing unusual: within 0.9 standard deviations, and not from the most skewed of
 * negative binomials. Its two-sided p is then above {@link OBVIOUS_CEILING}; most counts are of this sort.
 */
export function isObviouslyLikely(count: number, mean: number, variance: number): boolean {
  const off = count - mean;
  return off * off <= 0.81 * variance && 10 * mean * mean >= variance - mean;
}
