/**
 * Sensors side by side: who saw what first, what only one saw, whose share of a value stands out, who resembles whom.
 */
import { type Coverage, isUsable } from "./coverage.ts";
import { binomialTwoSided, falseDiscovery } from "./distributions.ts";
import { type ChangeKind, gatherRows, type KeyedRows, type KeyValues, rowOfDay } from "./keyed-rows.ts";
import { type Describe, describeValues, firstSensorOf, isSeenByOne, type Ledger, type LedgerEntry, listSeenBy, mostFrequent } from "./ledger.ts";

/** A share stands out when it is this many times the others' (or this part of it) and the test passes. */
const STAND_OUT_RATIO = 2;
/** Fewer counts than this on all sensors together are not tested. */
const STAND_OUT_SUPPORT = 10;
/** A sensor that holds none of a value is tested when it was to hold this many. */
const MISSED_EXPECTED = 5;

/** Counts near their expectation have a p above this: no need to compute it. A test walks the whole region. */
export const OBVIOUS_CEILING = 0.05;

/** Sensors whose values are held against each other: the pairs of each value's sensors are counted. */
const COMPARED_MOST = 100;

/** How one type of value spreads over the sensors. */
export type SpreadSummary = ReturnType<typeof describeSpread>;

/** A value whose share on one sensor stands out against the share on all others. */
export interface StandOut<Key = KeyValues> {
  sensor: string;
  kind: ChangeKind;
  key: Key;
  count: number;
  /** 0..1: of all the sensor's counts of the kind; of all others' counts. */
  share: number;
  othersShare: number;
  /** Shrunken ratio of the two. */
  ratio: number;
  p: number;
  q: number;
}

export interface SensorComparison {
  spread: SpreadSummary[];
  /** Values that one sensor alone saw, most frequent first. */
  onlyHere: LedgerEntry[];
  standOut: StandOut[];
  standOutTests: number;
  /** Days that `standOut` looks at. */
  firstDay: number;
  lastDay: number;
}

/** Values of a type by the sensors that saw them, see {@link countSpread}. */
export type SpreadCounts = ReturnType<typeof countSpread>;

export function countSpread(ledger: Ledger) {
  const n = ledger.sensors;
  const sensorsSeen = new Array<number>(n).fill(0);
  const sizes = new Float64Array(n);
  const only = new Float64Array(n);
  const first = new Float64Array(n);
  const seenBy: number[] = [];
  for (let value = 0; value < ledger.rows.values; value++) {
    const firstSensor = firstSensorOf(ledger, value);
    if (firstSensor < 0) continue;
    first[firstSensor]!++;
    listSeenBy(ledger, value, seenBy);
    sensorsSeen[seenBy.length - 1]!++;
    if (seenBy.length === 1) only[firstSensor]!++;
    for (const sensor of seenBy) sizes[sensor]!++;
  }
  return { type: ledger.rows.type, sensorsSeen, sizes, only, first };
}

/** How the values of a type spread over the sensors. */
export function summarizeSpread(ledger: Ledger, sensors: readonly string[]): SpreadSummary {
  return describeSpread(countSpread(ledger), sensors, compared => countShared(ledger, compared));
}

/** @param sharedOf Values that two sensors both saw, of some sensors, given ascending: see {@link countShared}. */
export function describeSpread(
  { type, sensorsSeen, sizes, only, first }: SpreadCounts,
  sensors: readonly string[],
  sharedOf: (compared: readonly number[]) => Float64Array,
) {
  const compared = [...sizes.keys()]
    .sort((a, b) => sizes[b]! - sizes[a]! || a - b)
    .slice(0, COMPARED_MOST)
    .sort((a, b) => a - b);
  return {
    type,
    /** `sensorsSeen[i]` = values seen by exactly i + 1 sensors. */
    sensorsSeen,
    perSensor: sensors.map((sensor, s) => ({ sensor, values: sizes[s]!, onlyHere: only[s]!, seenFirst: first[s]! })),
    /** Jaccard similarity of the sets of values, of the sensors in `compared`. */
    similarity: measureSimilarity(compared, sizes, sharedOf(compared)),
    /** Sensors in the order of `Statistics.sensors`; where there are very many, those that saw the most values. */
    compared: compared.map(sensor => sensors[sensor]!),
  };
}

/** `shared[a * n + b]`, a < b = values that the a-th and the b-th of n sensors, given ascending, both saw. */
export function countShared(ledger: Ledger, sensors: readonly number[]): Float64Array {
  const n = sensors.length;
  const placeOf = new Int32Array(ledger.sensors).fill(-1);
  sensors.forEach((sensor, place) => (placeOf[sensor] = place));
  const shared = new Float64Array(n * n);
  const seenBy: number[] = [];
  const places: number[] = [];
  for (let value = 0; value < ledger.rows.values; value++) {
    if (firstSensorOf(ledger, value) < 0) continue;
    listSeenBy(ledger, value, seenBy);
    places.length = 0;
    for (const sensor of seenBy) if (placeOf[sensor]! >= 0) places.push(placeOf[sensor]!);
    for (let i = 0; i < places.length; i++) {
      for (let j = i + 1; j < places.length; j++) shared[places[i]! * n + places[j]!]!++;
    }
  }
  return shared;
}

/** Jaccard similarity of the sets of values of some sensors, given ascending. */
function measureSimilarity(sensors: readonly number[], sizes: Float64Array, shared: Float64Array): number[][] {
  const n = sensors.length;
  return sensors.map((left, a) =>
    sensors.map((right, b) => {
      if (a === b) return 1;
      const both = shared[Math.min(a, b) * n + Math.max(a, b)]!;
      const either = sizes[left]! + sizes[right]! - both;
      return either > 0 ? both / either : 0;
    }),
  );
}

/** Values that one sensor alone saw, most frequent first; with a single sensor that says nothing and is empty. */
export function listOnlyHere(ledger: Ledger, sensors: readonly string[], limit: number, describe: Describe = describeValues): LedgerEntry<number>[] {
  if (sensors.length < 2) return [];
  const values: number[] = [];
  for (let value = 0; value < ledger.rows.values; value++) if (isSeenByOne(ledger, value)) values.push(value);
  const kept = mostFrequent(values, ledger, limit);
  const entries = describe(ledger, new Set(kept), sensors);
  return kept.map(value => entries.get(value)!);
}

export interface StandOutOptions {
  q: number;
  strict: boolean;
  /** How many of the archive's last days are looked at. */
  days: number;
  limit: number;
}

/** What was found in one kind; whether it stands out is settled over all kinds together. */
export interface KindStandOuts<Key = KeyValues> {
  readonly tests: number;
  /** The p of each test that may pass, smallest part of all tests. */
  readonly ps: Float64Array;
  /** Those far enough from everybody else's share; `at` is the place among `ps`. */
  readonly found: readonly (StandOut<Key> & { readonly at: number })[];
}

/**
 * Test the sensors' shares of every frequent value of a kind against everybody else's.
 *
 * Of all counts of a value, a sensor should hold about its share of all counts of that kind: an exact binomial test.
 * Counts come in bursts, so they are divided first by the value's variance over mean from day to day.
 *
 * @param all Rows of all keys, by day, where those of `kind` are a part of them.
 */
export function findStandOuts(kind: KeyedRows, coverage: Coverage, options: StandOutOptions, all: CountedRows = kind): KindStandOuts<number> {
  const { sensors } = coverage;
  // Each sensor logs its events by its own settings; the total of them compares nothing.
  if (sensors.length < 2 || !kind.additive || kind.kind === "event") {
    return { tests: 0, ps: new Float64Array(0), found: [] };
  }
  const found: (StandOut<number> & { at: number })[] = [];
  const ps: number[] = [];
  let tests = 0;
  const everySensor = sensors.map((_, sensor) => sensor);
  eachFrequentKey(kind, all, coverage, options, frequent => {
    const { key, all, counts, touched, dispersion, sensorTotals, total, largestShare } = frequent;
    // A sensor without the value is worth a test only where some of it was to be expected.
    const isMissable = largestShare * all >= MISSED_EXPECTED;
    for (const sensor of isMissable ? everySensor : touched) {
      const ofSensor = sensorTotals[sensor]!;
      const share = ofSensor / total;
      // A sensor alone in its kind has no others to be compared with.
      if (!(share > 0 && share < 1)) continue;
      const count = counts[sensor]!;
      if (count === 0 && share * all < MISSED_EXPECTED) continue;
      const others = all - count;
      const ofOthers = total - ofSensor;
      tests++;
      if (isNearItsShare(count / dispersion, all / dispersion, share) && options.q <= OBVIOUS_CEILING) continue;
      const p = binomialTwoSided(count / dispersion, all / dispersion, share);
      if (p > options.q) continue;
      ps.push(p);
      const ratio = ((count + 0.5) / (ofSensor + 0.5)) / ((others + 0.5) / (ofOthers + 0.5));
      if (ratio < STAND_OUT_RATIO && ratio > 1 / STAND_OUT_RATIO) continue;
      const shares = { share: count / ofSensor, othersShare: others / ofOthers };
      const at = ps.length - 1;
      found.push({ sensor: sensors[sensor]!, kind: kind.kind, key, count, ...shares, ratio, p, q: 1, at });
    }
  });
  return { tests, ps: Float64Array.from(ps), found: listable(found, options.limit) };
}

/** Those that can be listed, whatever is found elsewhere: as many as are listed, and all that are as unlikely and as frequent as the last. */
function listable<Found extends Pick<StandOut, "p" | "count">>(found: Found[], limit: number): Found[] {
  if (limit === 0 || found.length <= limit) return found;
  const compare = (a: Found, b: Found) => a.p - b.p || b.count - a.count;
  const last = found.toSorted(compare)[limit - 1]!;
  return found.filter(one => compare(one, last) <= 0);
}

/** A frequent key on the days that are looked at, and what it is a share of; written over for the next one. */
interface FrequentKey {
  key: number;
  /** Its counts on all sensors together, and on each. */
  all: number;
  readonly counts: Float64Array;
  /** The sensors that have it. */
  readonly touched: number[];
  dispersion: number;
  /** Counts of all keys, per sensor and together; and the largest part of these that one sensor holds. */
  readonly sensorTotals: Float64Array;
  readonly total: number;
  readonly largestShare: number;
}

/** Counts of sensors on days. */
export type CountedRows = Pick<KeyedRows, "rows" | "day" | "sensor" | "count">;

function eachFrequentKey(
  kind: KeyedRows,
  ofAll: CountedRows,
  coverage: Coverage,
  options: StandOutOptions,
  visit: (key: FrequentKey) => void,
): void {
  const { sensors, days, firstDay } = coverage;
  const startOffset = startOf(coverage, options);
  const watched = sensors.map((_, sensor) => {
    let count = 0;
    for (let offset = startOffset; offset < days; offset++) if (isUsable(coverage, sensor * days + offset)) count++;
    return count;
  });
  const startRow = rowOfDay(kind.day, firstDay + startOffset);
  const isIn = (row: number) => isUsable(coverage, kind.sensor[row]! * days + kind.day[row]! - firstDay);
  const keyTotals = new Float64Array(kind.keys);
  const sensorTotals = new Float64Array(sensors.length);
  for (let row = startRow; row < kind.rows; row++) {
    if (!isIn(row)) continue;
    keyTotals[kind.key[row]!]! += kind.count[row]!;
    sensorTotals[kind.sensor[row]!]! += kind.count[row]!;
  }
  if (ofAll !== kind) {
    sensorTotals.fill(0);
    for (let row = rowOfDay(ofAll.day, firstDay + startOffset); row < ofAll.rows; row++) {
      if (isUsable(coverage, ofAll.sensor[row]! * days + ofAll.day[row]! - firstDay)) sensorTotals[ofAll.sensor[row]!]! += ofAll.count[row]!;
    }
  }
  const total = sensorTotals.reduce((sum, count) => sum + count, 0);
  const largestShare = sensorTotals.reduce((most, count) => Math.max(most, count), 0) / total;
  const keyOf: number[] = [];
  for (let key = 0; key < kind.keys; key++) if (keyTotals[key]! >= STAND_OUT_SUPPORT) keyOf.push(key);
  const { offsets, rows } = gatherRows(kind.key, kind.keys, keyOf, startRow);
  const counts = new Float64Array(sensors.length);
  const squares = new Float64Array(sensors.length);
  const touched: number[] = [];
  const one: FrequentKey = { key: 0, all: 0, counts, touched, dispersion: 1, sensorTotals, total, largestShare };
  for (const [slot, key] of keyOf.entries()) {
    for (const sensor of touched) counts[sensor] = squares[sensor] = 0;
    touched.length = 0;
    for (let i = offsets[slot]!; i < offsets[slot + 1]!; i++) {
      const row = rows[i]!;
      if (!isIn(row)) continue;
      const sensor = kind.sensor[row]!;
      if (counts[sensor] === 0) touched.push(sensor);
      counts[sensor]! += kind.count[row]!;
      squares[sensor]! += kind.count[row]! ** 2;
    }
    one.key = key;
    one.all = keyTotals[key]!;
    one.dispersion = burstiness(counts, squares, touched, watched);
    visit(one);
  }
}

/** Control the false-discovery rate over the tests of all kinds together. */
export function judgeStandOuts(
  kinds: readonly KindStandOuts[],
  coverage: Coverage,
  options: StandOutOptions,
): Pick<SensorComparison, "standOut" | "standOutTests" | "firstDay" | "lastDay"> {
  const tests = kinds.reduce((sum, kind) => sum + kind.tests, 0);
  const ps = new Float64Array(kinds.reduce((sum, kind) => sum + kind.ps.length, 0));
  const found: (StandOut & { at: number })[] = [];
  let start = 0;
  for (const kind of kinds) {
    ps.set(kind.ps, start);
    for (const row of kind.found) found.push({ ...row, at: start + row.at });
    start += kind.ps.length;
  }
  const q = falseDiscovery(ps, options.strict, tests);
  const passed = found.filter(row => q[row.at]! <= options.q);
  const name = (row: StandOut) => JSON.stringify([row.kind, row.key, row.sensor]);
  passed.sort((a, b) => a.p - b.p || b.count - a.count || (name(a) < name(b) ? -1 : 1));
  const kept = options.limit > 0 ? passed.slice(0, options.limit) : passed;
  return {
    standOut: kept.map(({ at, ...row }) => ({ ...row, q: q[at]! })),
    standOutTests: tests,
    firstDay: coverage.firstDay + startOf(coverage, options),
    lastDay: coverage.firstDay + coverage.days - 1,
  };
}

/** The first day that is looked at, counted from the archive's first. */
export function startOf(coverage: Pick<Coverage, "days">, options: Pick<StandOutOptions, "days">): number {
  return Math.max(0, coverage.days - options.days);
}

/**
 * Tell at a glance that a count is about what its share makes it: within 1.5 standard deviations. Its two-sided p is
 * then above {@link OBVIOUS_CEILING}; most counts are of this sort.
 */
export function isNearItsShare(count: number, n: number, share: number): boolean {
  const off = count - n * share;
  return off * off <= 2.25 * n * share * (1 - share);
}

/** The largest variance over mean of a value's daily counts on any sensor: a burst anywhere makes its count unsafe. */
function burstiness(
  counts: Float64Array,
  squares: Float64Array,
  sensors: readonly number[],
  watched: readonly number[],
): number {
  let most = 1;
  for (const sensor of sensors) {
    most = Math.max(most, dispersionOf(counts[sensor]!, squares[sensor]!, watched[sensor]!));
  }
  return most;
}

function dispersionOf(count: number, squares: number, days: number): number {
  if (count === 0 || days < 2) return 1;
  const mean = count / days;
  return Math.max(1, (squares - days * mean * mean) / (days - 1) / mean);
}
