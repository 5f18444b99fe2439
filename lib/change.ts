/**
 * What changed: every key on every shown day, and over the shown days as a whole, against its own past.
 *
 * Three passes. First each key's recent counts are laid out over the calendar and every comparison with support is
 * noted: counts, expectation, dispersion. Then dispersions are shrunk, p and q computed over all comparisons together.
 * Last, the rows that will be shown get what costs more: interval, robust z, first and last day, overall mean.
 */
import { type BaselineOptions, type Window, type Windows } from "./baseline.ts";
import { type Coverage, isUsable, OBSERVED, PARTIAL } from "./coverage.ts";
import { falseDiscovery, rateRatioInterval, twoSidedTail, widenTail } from "./distributions.ts";
import { groupRows, type KeyedRows, rowOfDay } from "./keyed-rows.ts";
import type { Category, ChangeKind, ChangeRow, TestCounts } from "./statistics.ts";

/** Day and baseline together must hold this many: independent of how they split when nothing changed. */
export const MIN_SUPPORT = 5;
/** Keys that must have a dispersion of their own before their median speaks for a kind. */
const MIN_TYPE_KEYS = 5;
/** Keys too rare to have a dispersion of their own take this quantile of their kind's, or this value without one. */
const RARE_QUANTILE = 0.9;
const RARE_DISPERSION = 4;
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

/** Comparisons as columns; a fleet comparison has sensor -1. */
class Tests {
  length = 0;
  kind = new Uint8Array(1024);
  slot = new Int16Array(1024);
  sensor = new Int32Array(1024);
  key = new Int32Array(1024);
  count = new Float64Array(1024);
  baseline = new Float64Array(1024);
  expected = new Float64Array(1024);
  /** The expectation that is scored against: never 0. */
  mu = new Float64Array(1024);
  /** Exposure judged over exposure of the baseline; for the fleet the average its sensors amount to. */
  ratio = new Float64Array(1024);
  /** Own dispersion, at least 1; NaN where the daily mean is below 1. Shrunk in place later. */
  dispersion = new Float64Array(1024);
  /** Days the dispersion was measured on, less one. */
  degrees = new Uint16Array(1024);
  /** Nothing from the judged days to the archive's end. */
  silent = new Uint8Array(1024);
  p = new Float64Array(1024);

  push(
    kind: number,
    slot: number,
    sensor: number,
    key: number,
    count: number,
    baseline: number,
    expected: number,
    mu: number,
    ratio: number,
    dispersion: number,
    degrees: number,
    silent: boolean,
  ): void {
    const at = this.length++;
    if (at === this.kind.length) this.#grow();
    this.kind[at] = kind;
    this.slot[at] = slot;
    this.sensor[at] = sensor;
    this.key[at] = key;
    this.count[at] = count;
    this.baseline[at] = baseline;
    this.expected[at] = expected;
    this.mu[at] = mu;
    this.ratio[at] = ratio;
    this.dispersion[at] = dispersion;
    this.degrees[at] = degrees;
    this.silent[at] = silent ? 1 : 0;
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
    this.degrees = wider(this.degrees);
    this.silent = wider(this.silent);
    this.p = wider(this.p);
  }
}

const FLEET = -1;

/**
 * Find every change that passes, and count the tests it was found among.
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
  const tests = new Tests();
  let withoutSupport = 0;
  for (const [at, kind] of kinds.entries()) withoutSupport += collectTests(tests, at, kind, coverage, windows);
  settleDispersions(tests, kinds.length, windows.slots);
  for (let i = 0; i < tests.length; i++) {
    const mu = tests.mu[i]!;
    const p = twoSidedTail(tests.count[i]!, mu, tests.dispersion[i]! * mu * (1 + tests.ratio[i]!));
    tests.p[i] = widenTail(p, tests.degrees[i]!);
  }
  const q = falseDiscovery(tests.p.subarray(0, tests.length), options.strict, options.q);
  const isReported = (i: number) => {
    if (q[i]! > options.q) return false;
    const expected = tests.expected[i]!;
    return expected === 0 || 100 * Math.abs(tests.count[i]! - expected) >= options.thresholdPercent * expected;
  };
  const wanted: number[] = [];
  let reported = 0;
  for (let i = 0; i < tests.length; i++) {
    const passes = isReported(i);
    if (passes) reported++;
    if (passes || options.rows === "all") wanted.push(i);
  }
  // Above the ceiling q was left at 1; where every row is shown it is computed for every row.
  const shownQ = options.rows === "all" ? falseDiscovery(tests.p.subarray(0, tests.length), options.strict) : q;
  const rows: ChangeRow[] = [];
  for (const [at, kind] of kinds.entries()) {
    const ofKind = wanted.filter(i => tests.kind[i] === at);
    if (ofKind.length > 0) rows.push(...describeRows(tests, ofKind, kind, coverage, windows, options, shownQ, isReported));
  }
  return { rows: sortChanges(rows), tests: countTests(tests, kinds, windows, coverage, options, reported, isReported, withoutSupport) };
}

/** Note every comparison of a kind that has support; returns how many of the recent keys had none anywhere. */
function collectTests(tests: Tests, at: number, kind: KeyedRows, coverage: Coverage, windows: Windows): number {
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
    if (totals[key]! >= MIN_SUPPORT) slotOf[key] = keyOf.push(key) - 1;
  }
  const { offsets, rows } = groupRows(kind.key, slotOf, keyOf.length, startRow);

  const laid = new Float64Array(sensors.length * days);
  const touched: number[] = [];
  const isTouched = new Uint8Array(sensors.length);
  const lastOffset = new Int32Array(sensors.length).fill(-1);
  const sensorTotals = new Float64Array(sensors.length);
  const fleet = new FleetSlot(days);
  const half = fleetHalfCounts(windows, sensors.length);
  let tested = 0;
  for (let place = 0; place < keyOf.length; place++) {
    const key = keyOf[place]!;
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) {
      const row = rows[i]!;
      const sensor = kind.sensor[row]!;
      const offset = kind.day[row]! - firstDay;
      if (offset < windows.firstOffset[sensor]!) continue;
      laid[sensor * days + offset]! += kind.count[row]!;
      if (isTouched[sensor] === 0) {
        isTouched[sensor] = 1;
        touched.push(sensor);
        sensorTotals[sensor] = 0;
      }
      sensorTotals[sensor]! += kind.count[row]!;
      lastOffset[sensor] = offset;
    }
    const before = tests.length;
    for (let slot = 0; slot < slots; slot++) {
      const isPeriod = slot === slots - 1;
      if (isPeriod && !kind.additive) continue;
      fleet.clear();
      for (const sensor of touched) {
        const window = windows.windows[sensor * slots + slot];
        if (window === undefined) continue;
        const count = sumCells(laid, window.judged);
        const baseline = sumCells(laid, window.baseline);
        const spread = window.spread === window.baseline ? baseline : sumCells(laid, window.spread);
        const ratio = window.exposure / window.baselineExposure;
        const spreadRate = spread / window.spreadExposure;
        const silent = isSilent(count, lastOffset[sensor]!, sensor * days, window);
        if (count + baseline >= MIN_SUPPORT) {
          const own = spreadRate >= 1 ? ownDispersion(laid, exposure, window.spread, spreadRate) : NaN;
          const mu = ratio * (baseline + 0.5);
          tests.push(at, slot, sensor, key, count, baseline, ratio * baseline, mu, ratio, own, window.spread.length - 1, silent);
        }
        fleet.add(window, count, baseline, ratio, spreadRate, silent, laid, exposure, sensor * days);
      }
      if (kind.additive && sensors.length > 1 && fleet.count + fleet.baseline >= MIN_SUPPORT) {
        const mu = fleet.expected + half[slot]!;
        const ratio = fleet.expected > 0 ? fleet.weightedRatio / fleet.expected : half[slot]! * 2;
        tests.push(
          at,
          slot,
          FLEET,
          key,
          fleet.count,
          fleet.baseline,
          fleet.expected,
          mu,
          ratio,
          fleet.dispersion(),
          Math.max(1, fleet.days - 1),
          fleet.silent,
        );
      }
    }
    if (tests.length > before) tested++;
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) {
      laid[kind.sensor[rows[i]!]! * days + kind.day[rows[i]!]! - firstDay] = 0;
    }
    for (const sensor of touched) isTouched[sensor] = 0;
    touched.length = 0;
  }
  return recent - tested;
}

function sumCells(laid: Float64Array, cells: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < cells.length; i++) sum += laid[cells[i]!]!;
  return sum;
}

function isSilent(count: number, lastOffset: number, base: number, window: Window): boolean {
  return count === 0 && base + lastOffset < window.judged[0]!;
}

/**
 * Pearson's chi-square per degree of freedom around a constant rate, at least 1.
 *
 * With whole days it is sample variance over mean; shorter days weigh by their exposure.
 */
function ownDispersion(laid: Float64Array, exposure: Float64Array, cells: Int32Array, rate: number): number {
  if (cells.length < 2) return NaN;
  let sum = 0;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    const mean = rate * exposure[cell]!;
    const off = laid[cell]! - mean;
    sum += (off * off) / mean;
  }
  return Math.max(1, sum / (cells.length - 1));
}

/**
 * One comparison of a key over the sensors that were up, each with its own window.
 *
 * The expectation is the sum of the sensors' own expectations, so a sensor that joins or falls away moves nothing.
 */
class FleetSlot {
  count = 0;
  baseline = 0;
  expected = 0;
  weightedRatio = 0;
  silent = true;
  readonly #found: Float64Array;
  readonly #wanted: Float64Array;
  readonly #offsets: number[] = [];

  /** Days on which any of its sensors had a rate. */
  get days(): number {
    return this.#offsets.length;
  }

  constructor(days: number) {
    this.#found = new Float64Array(days);
    this.#wanted = new Float64Array(days);
  }

  clear(): void {
    this.count = this.baseline = this.expected = this.weightedRatio = 0;
    this.silent = true;
    for (const offset of this.#offsets) this.#found[offset] = this.#wanted[offset] = 0;
    this.#offsets.length = 0;
  }

  add(
    window: Window,
    count: number,
    baseline: number,
    ratio: number,
    spreadRate: number,
    silent: boolean,
    laid: Float64Array,
    exposure: Float64Array,
    base: number,
  ): void {
    this.count += count;
    this.baseline += baseline;
    this.expected += ratio * baseline;
    this.weightedRatio += ratio * ratio * baseline;
    if (!silent) this.silent = false;
    if (spreadRate === 0) return;
    for (let i = 0; i < window.spread.length; i++) {
      const cell = window.spread[i]!;
      const offset = cell - base;
      if (this.#wanted[offset] === 0) this.#offsets.push(offset);
      this.#wanted[offset]! += spreadRate * exposure[cell]!;
      this.#found[offset]! += laid[cell]!;
    }
  }

  /** As {@link ownDispersion}, over the days of all sensors' windows; NaN below a daily mean of 1. */
  dispersion(): number {
    const n = this.#offsets.length;
    let sum = 0;
    let total = 0;
    for (const offset of this.#offsets) {
      const mean = this.#wanted[offset]!;
      const off = this.#found[offset]! - mean;
      sum += (off * off) / mean;
      total += mean;
    }
    return n >= 2 && total >= n ? Math.max(1, sum / (n - 1)) : NaN;
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
 * Settle the dispersion of each comparison.
 *
 * A key seen once a day or more has one of its own; it is pulled half-way up to the median of its kind, sensor and day,
 * and never down: keys differ in how bursty they are, and the burstiest would be taken for changed day after day. A
 * rarer key, whose own days cannot tell, takes a high quantile of the others'. Groups are formed per sensor, so that
 * one sensor never moves another.
 */
function settleDispersions(tests: Tests, kinds: number, slots: number): void {
  const groups = new Map<number, number[]>();
  const groupOf = (i: number, kind: number) => ((tests.sensor[i]! + 1) * slots + tests.slot[i]!) * (kinds + 1) + kind;
  const add = (group: number, dispersion: number) => {
    const list = groups.get(group);
    if (list === undefined) groups.set(group, [dispersion]);
    else list.push(dispersion);
  };
  for (let i = 0; i < tests.length; i++) {
    if (Number.isNaN(tests.dispersion[i]!)) continue;
    add(groupOf(i, tests.kind[i]!), tests.dispersion[i]!);
    add(groupOf(i, kinds), tests.dispersion[i]!);
  }
  const typical = new Map<number, { middle: number; high: number }>();
  for (const [group, list] of groups) {
    if (list.length < MIN_TYPE_KEYS) continue;
    const sorted = Float64Array.from(list).sort();
    typical.set(group, { middle: median(list), high: sorted[Math.floor(RARE_QUANTILE * sorted.length)]! });
  }
  for (let i = 0; i < tests.length; i++) {
    const own = tests.dispersion[i]!;
    const group = typical.get(groupOf(i, tests.kind[i]!)) ?? typical.get(groupOf(i, kinds));
    if (Number.isNaN(own)) tests.dispersion[i] = group?.high ?? RARE_DISPERSION;
    else if (group !== undefined) tests.dispersion[i] = Math.max(own, (own + group.middle) / 2);
  }
}

/** Median of a list that is not empty. */
export function median(values: readonly number[] | Float64Array): number {
  const sorted = Float64Array.from(values).sort();
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
  isReported: (i: number) => boolean,
): ChangeRow[] {
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
      const reported = isReported(i);
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
          reported,
          count,
          baseline,
          mu,
          silent: tests.silent[i] === 1,
          history,
          firstJudged,
          claimed: firstJudged >= (sensor === FLEET ? claims.fleet : Math.max(claims.fleet, claims.sensors[sensor]!)),
          options,
        }),
        reported,
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
  const decorated = rows.map(row => ({ row, far: distance(row), name: JSON.stringify([row.kind, row.key, row.sensor]) }));
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

function countTests(
  tests: Tests,
  kinds: readonly KeyedRows[],
  windows: Windows,
  coverage: Coverage,
  options: ChangeOptions,
  reported: number,
  isReported: (i: number) => boolean,
  withoutSupport: number,
): TestCounts {
  const byKind: { kind: ChangeKind; tests: number; reported: number }[] = kinds.map(({ kind }) => ({
    kind,
    tests: 0,
    reported: 0,
  }));
  let periodView = 0;
  let fleetScope = 0;
  for (let i = 0; i < tests.length; i++) {
    const entry = byKind[tests.kind[i]!]!;
    entry.tests++;
    if (isReported(i)) entry.reported++;
    if (tests.slot[i] === windows.slots - 1) periodView++;
    if (tests.sensor[i] === FLEET) fleetScope++;
  }
  return {
    m: tests.length,
    dayView: tests.length - periodView,
    periodView,
    sensorScope: tests.length - fleetScope,
    fleetScope,
    byKind,
    reported,
    withoutSupport,
    refused: windows.refused.map(({ sensor, offset, reason }) => ({
      sensor: coverage.sensors[sensor]!,
      day: coverage.firstDay + offset,
      reason,
    })),
    method: options.strict ? "Benjamini-Yekutieli" : "Benjamini-Hochberg",
  };
}
