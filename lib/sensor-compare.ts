/**
 * Sensors side by side: who saw what first, what only one saw, whose share of a value stands out, who resembles whom.
 */
import { type Coverage, isUsable } from "./coverage.ts";
import { binomialTwoSided, falseDiscovery } from "./distributions.ts";
import { groupRows, type KeyedRows, rowOfDay } from "./keyed-rows.ts";
import { describeValues, isSeenByOne, type Ledger, listSeenBy, mostFrequent } from "./novelty.ts";
import type { LedgerEntry, SpreadSummary, StandOut } from "./statistics.ts";

/** A share stands out when it is this many times the others' (or this part of it) and the test passes. */
const STAND_OUT_RATIO = 2;
/** Fewer counts than this on all sensors together are not tested. */
const STAND_OUT_SUPPORT = 10;
/** A sensor that holds none of a value is tested when it was to hold this many. */
const MISSED_EXPECTED = 5;

/** How the values of a type spread over the sensors. */
export function summarizeSpread(ledger: Ledger, sensors: readonly string[]): SpreadSummary {
  const n = sensors.length;
  const sensorsSeen = new Array<number>(n).fill(0);
  const sizes = new Float64Array(n);
  const only = new Float64Array(n);
  const first = new Float64Array(n);
  const shared = new Float64Array(n * n);
  const seenBy: number[] = [];
  for (let value = 0; value < ledger.rows.values; value++) {
    const firstSensor = ledger.firstSensor[value]!;
    if (firstSensor < 0) continue;
    first[firstSensor]!++;
    listSeenBy(ledger, value, seenBy);
    sensorsSeen[seenBy.length - 1]!++;
    if (seenBy.length === 1) only[firstSensor]!++;
    for (let i = 0; i < seenBy.length; i++) {
      sizes[seenBy[i]!]!++;
      for (let j = i + 1; j < seenBy.length; j++) shared[seenBy[i]! * n + seenBy[j]!]!++;
    }
  }
  return {
    type: ledger.rows.type,
    sensorsSeen,
    perSensor: sensors.map((sensor, s) => ({ sensor, values: sizes[s]!, onlyHere: only[s]!, seenFirst: first[s]! })),
    similarity: sensors.map((_, a) =>
      sensors.map((_, b) => {
        if (a === b) return 1;
        const both = shared[Math.min(a, b) * n + Math.max(a, b)]!;
        const either = sizes[a]! + sizes[b]! - both;
        return either > 0 ? both / either : 0;
      }),
    ),
  };
}

/** Values that one sensor alone saw, most frequent first; with a single sensor that says nothing and is empty. */
export function listOnlyHere(ledger: Ledger, sensors: readonly string[], limit: number): LedgerEntry[] {
  if (sensors.length < 2) return [];
  const values: number[] = [];
  for (let value = 0; value < ledger.rows.values; value++) if (isSeenByOne(ledger, value)) values.push(value);
  const kept = mostFrequent(values, ledger, limit);
  const entries = describeValues(ledger, new Set(kept), sensors);
  return kept.map(value => entries.get(value)!);
}

export interface StandOutOptions {
  q: number;
  strict: boolean;
  /** How many of the archive's last days are looked at. */
  days: number;
  limit: number;
}

/**
 * Find the sensors whose share of a value differs from everybody else's.
 *
 * Of all counts of a value, a sensor should hold about its share of all counts of that kind: an exact binomial test.
 * Counts come in bursts, so they are divided first by the value's variance over mean from day to day.
 */
export function findStandOuts(
  kinds: readonly KeyedRows[],
  coverage: Coverage,
  options: StandOutOptions,
): { standOut: StandOut[]; tests: number; firstDay: number; lastDay: number } {
  const { sensors, days, firstDay } = coverage;
  const n = sensors.length;
  const startOffset = Math.max(0, days - options.days);
  const found: (StandOut & { at: number })[] = [];
  const ps: number[] = [];
  let tests = 0;
  const everySensor = sensors.map((_, sensor) => sensor);
  const watched = sensors.map((_, sensor) => {
    let count = 0;
    for (let offset = startOffset; offset < days; offset++) if (isUsable(coverage, sensor * days + offset)) count++;
    return count;
  });
  for (const kind of n < 2 ? [] : kinds) {
    // Each sensor logs its events by its own settings; the total of them compares nothing.
    if (!kind.additive || kind.kind === "event") continue;
    const startRow = rowOfDay(kind.day, firstDay + startOffset);
    const isIn = (row: number) =>
      isUsable(coverage, kind.sensor[row]! * days + kind.day[row]! - firstDay);
    const keyTotals = new Float64Array(kind.keys);
    const sensorTotals = new Float64Array(n);
    for (let row = startRow; row < kind.rows; row++) {
      if (!isIn(row)) continue;
      keyTotals[kind.key[row]!]! += kind.count[row]!;
      sensorTotals[kind.sensor[row]!]! += kind.count[row]!;
    }
    const total = sensorTotals.reduce((sum, count) => sum + count, 0);
    const slotOf = new Int32Array(kind.keys).fill(-1);
    const keyOf: number[] = [];
    for (let key = 0; key < kind.keys; key++) {
      if (keyTotals[key]! >= STAND_OUT_SUPPORT) slotOf[key] = keyOf.push(key) - 1;
    }
    const { offsets, rows } = groupRows(kind.key, slotOf, keyOf.length, startRow);
    const largestShare = Math.max(...sensorTotals) / total;
    const counts = new Float64Array(n);
    const squares = new Float64Array(n);
    const touched: number[] = [];
    for (let slot = 0; slot < keyOf.length; slot++) {
      const all = keyTotals[keyOf[slot]!]!;
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
      const dispersion = burstiness(counts, squares, touched, watched);
      // A sensor without the value is worth a test only where some of it was to be expected.
      const isMissable = largestShare * all >= MISSED_EXPECTED;
      for (const sensor of isMissable ? everySensor : touched) {
        const share = sensorTotals[sensor]! / total;
        // A sensor alone in its kind has no others to be compared with.
        if (!(share > 0 && share < 1)) continue;
        const count = counts[sensor]!;
        if (count === 0 && share * all < MISSED_EXPECTED) continue;
        const others = all - count;
        const ofOthers = total - sensorTotals[sensor]!;
        tests++;
        const p = binomialTwoSided(count / dispersion, all / dispersion, share);
        if (p > options.q) continue;
        ps.push(p);
        const ratio = ((count + 0.5) / (sensorTotals[sensor]! + 0.5)) / ((others + 0.5) / (ofOthers + 0.5));
        if (ratio < STAND_OUT_RATIO && ratio > 1 / STAND_OUT_RATIO) continue;
        found.push({
          sensor: sensors[sensor]!,
          kind: kind.kind,
          key: kind.valuesOf(keyOf[slot]!),
          count,
          share: count / sensorTotals[sensor]!,
          othersShare: others / ofOthers,
          ratio,
          p,
          q: 1,
          at: ps.length - 1,
        });
      }
    }
  }
  const q = falseDiscovery(Float64Array.from(ps), options.strict, tests);
  const passed = found.filter(row => q[row.at]! <= options.q);
  const name = (row: StandOut) => JSON.stringify([row.kind, row.key, row.sensor]);
  passed.sort((a, b) => a.p - b.p || b.count - a.count || (name(a) < name(b) ? -1 : 1));
  const kept = options.limit > 0 ? passed.slice(0, options.limit) : passed;
  return {
    standOut: kept.map(({ at, ...row }) => ({ ...row, q: q[at]! })),
    tests,
    firstDay: firstDay + startOffset,
    lastDay: firstDay + days - 1,
  };
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
