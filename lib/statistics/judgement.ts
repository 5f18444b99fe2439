/**
 * Which comparisons are reported: false reports are controlled over all of them together.
 *
 * Events and sources are two families that share the rate of false reports alike. Within a family the fleet's rows come
 * first, at half of its share (Benjamini-Hochberg). Where a row of the fleet is reported, its sensors are asked which of them
 * went the same way (Holm, at the same half: they are few, and have not to compete with all sensors' thousands). All other
 * rows of sensors are a pool of their own, at the other half. With one sensor there is one pool.
 */
import type { BaselineOptions, Windows } from "./baseline.ts";
import type { Comparisons, KindComparisons } from "./comparisons.ts";
import type { Coverage } from "./coverage.ts";
import { falseDiscovery } from "./distributions.ts";
import type { ChangeKind, Unit } from "./keyed-rows.ts";
import { FLEET } from "./local-windows.ts";

/** How many comparisons were made; the rate of false reports is controlled over all of them together. */
export type TestCounts = ReturnType<typeof countTests>;

/** In step with the comparisons of a kind: adjusted p, and 1 where the comparison is reported. */
export interface JudgedKind {
  readonly q: Float64Array;
  readonly reported: Uint8Array;
}

export interface JudgeOptions extends BaselineOptions {
  readonly thresholdPercent: number;
  readonly q: number;
  readonly strict: boolean;
}

interface ComparedKind {
  readonly kind: ChangeKind;
  readonly unit: Unit;
  readonly compared: KindComparisons;
}

/** One comparison among those of all kinds of a family. */
interface Place {
  readonly at: number;
  readonly i: number;
}

/** Share of the rate of false reports that each half of a family with a fleet has. */
const HALF = 2;

/**
 * The p above which nothing is reported, whatever else is found.
 *
 * @param families How many share the rate of false reports.
 */
export function largestReported(q: number, families: number, sensors: number): number {
  return q / families / (sensors > 1 ? HALF : 1);
}

/** Control false reports over the comparisons of all kinds together. */
export function judgeComparisons(
  kinds: readonly ComparedKind[],
  coverage: Coverage,
  windows: Windows,
  options: JudgeOptions,
) {
  const judged = kinds.map(({ compared: { kept } }) => ({
    q: new Float64Array(kept.length).fill(1),
    reported: new Uint8Array(kept.length),
  }));
  const families = Map.groupBy(kinds.keys(), at => kinds[at]!.unit);
  for (const members of families.values()) judgeFamily(members, families.size, kinds, judged, options);
  return { tests: countTests(kinds, judged, coverage, windows, options), kinds: judged };
}

/** @param families How many there are: each has its part of the rate of false reports. */
function judgeFamily(
  members: readonly number[],
  families: number,
  kinds: readonly ComparedKind[],
  judged: readonly JudgedKind[],
  options: JudgeOptions,
): void {
  const keptOf = (at: number) => kinds[at]!.compared.kept;
  const places = members.flatMap(at => Array.from(keptOf(at).p, (_, i): Place => ({ at, i })));
  const count = (of: (compared: KindComparisons) => number) => members.reduce((sum, at) => sum + of(kinds[at]!.compared), 0);
  const fleetTests = count(({ fleetScope }) => fleetScope);
  let sensorTests = count(({ tests }) => tests) - fleetTests;
  const scale = families * (fleetTests > 0 ? HALF : 1);
  const settle = ({ at, i }: Place, p: number) => {
    const q = Math.min(1, p * scale);
    judged[at]!.q[i] = q;
    judged[at]!.reported[i] = q <= options.q && isLarge(keptOf(at), i, options.thresholdPercent) ? 1 : 0;
  };
  const control = (of: readonly Place[], tests: number) => {
    const adjusted = falseDiscovery(Float64Array.from(of, ({ at, i }) => keptOf(at).p[i]!), options.strict, tests);
    of.forEach((place, nth) => settle(place, adjusted[nth]!));
  };

  const [fleet, sensors] = [true, false].map(wanted => places.filter(({ at, i }) => (keptOf(at).sensor[i] === FLEET) === wanted));
  control(fleet!, fleetTests);
  const gates = new Map<string, Place>();
  for (const place of fleet!) {
    if (judged[place.at]!.reported[place.i] === 1) gates.set(nameOf(keptOf(place.at), place), place);
  }
  const gated = Map.groupBy(sensors!, place => gates.get(nameOf(keptOf(place.at), place)));
  for (const gate of gates.values()) {
    const kept = keptOf(gate.at);
    const tests = isAbove(kept, gate.i) ? kept.above[gate.i]! : kept.notAbove[gate.i]!;
    sensorTests -= tests;
    const own = gated.get(gate) ?? [];
    const adjusted = holm(Float64Array.from(own, ({ i }) => kept.p[i]!), tests);
    // Never surer than the row of the fleet that led there.
    own.forEach((place, nth) => settle(place, Math.max(adjusted[nth]!, judged[gate.at]!.q[gate.i]! / scale)));
  }
  control(gated.get(undefined) ?? [], sensorTests);
}

/** Key, days and direction: what a sensor has in common with its fleet. */
function nameOf(kept: Comparisons, { at, i }: Place): string {
  return `${at} ${kept.slot[i]} ${kept.key[i]} ${isAbove(kept, i)}`;
}

function isAbove({ count, ratio, baseline }: Comparisons, i: number): boolean {
  return count[i]! > ratio[i]! * baseline[i]!;
}

function isLarge({ count, ratio, baseline }: Comparisons, i: number, thresholdPercent: number): boolean {
  const expected = ratio[i]! * baseline[i]!;
  return expected === 0 || 100 * Math.abs(count[i]! - expected) >= thresholdPercent * expected;
}

/**
 * Adjusted p of Holm, in the order of `p`: holds under any dependence.
 *
 * @param m How many tests there were; those left out have larger p.
 */
export function holm(p: Float64Array, m: number): Float64Array {
  const adjusted = new Float64Array(p.length);
  let most = 0;
  for (const [rank, i] of Uint32Array.from(p.keys()).sort((a, b) => p[a]! - p[b]! || a - b).entries()) {
    most = Math.max(most, p[i]! * Math.max(1, m - rank));
    adjusted[i] = Math.min(1, most);
  }
  return adjusted;
}

function countTests(
  kinds: readonly ComparedKind[],
  judged: readonly JudgedKind[],
  coverage: Coverage,
  windows: Windows,
  options: JudgeOptions,
) {
  const sum = (of: (compared: KindComparisons) => number) => kinds.reduce((all, { compared }) => all + of(compared), 0);
  const m = sum(({ tests }) => tests);
  const periodView = sum(compared => compared.periodView);
  const fleetScope = sum(compared => compared.fleetScope);
  const byKind = kinds.map(({ kind, unit, compared: { tests } }, at) => ({
    kind,
    unit,
    tests,
    reported: judged[at]!.reported.reduce((all, one) => all + one, 0),
  }));
  return {
    /** All tests together. */
    m,
    dayView: m - periodView,
    periodView,
    sensorScope: m - fleetScope,
    fleetScope,
    byKind,
    reported: byKind.reduce((all, { reported }) => all + reported, 0),
    /** Keys of the days looked at that were too rare for any test: under five events in day and baseline together. */
    withoutSupport: kinds.reduce((all, { unit, compared }) => all + (unit === "events" ? compared.withoutSupport : 0), 0),
    /** Sensor-days of the shown days without a test: not watched, too short a baseline, or cut counts. */
    refused: windows.refused.map(({ sensor, offset, reason }) => ({
      sensor: coverage.sensors[sensor]!,
      day: coverage.firstDay + offset,
      reason,
    })),
    method: options.strict ? "Benjamini-Yekutieli" : "Benjamini-Hochberg",
  };
}
