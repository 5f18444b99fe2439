/**
 * What changed: the comparisons that pass, with all that a reader of one wants to know.
 */
import type { BaselineOptions, Window, Windows } from "./baseline.ts";
import type { Comparisons } from "./comparisons.ts";
import { type Coverage, OBSERVED, PARTIAL } from "./coverage.ts";
import { rateRatioInterval } from "./distributions.ts";
import { type ChangeKind, type FleetRows, gatherRows, type KeyedRows, type KeyValues, placeOfDay, type RowsByKey, type Unit } from "./keyed-rows.ts";
import type { JudgedKind } from "./judgement.ts";
import { FLEET } from "./local-windows.ts";
import { robustZ } from "./robust.ts";
import type { StatisticsSettings } from "./settings.ts";
import { compareText } from "../text/text.ts";

/** An expectation this large makes a lasting zero "gone". */
const GONE_EXPECTED = 5;

export type ChangeOptions = BaselineOptions &
  Pick<StatisticsSettings, "thresholdPercent" | "q" | "strict" | "returningAfterDays" | "burnInDays" | "rows">;

export type Category = "new" | "new here" | "returning" | "up" | "down" | "gone" | "steady";

/** One comparison: a key on a day (or in a period) against its own past. `Key` is a number until it is named. */
export interface ChangeRow<Key = KeyValues> {
  view: "day" | "period";
  /** null: the fleet, over the sensors that were up. */
  sensor: string | null;
  kind: ChangeKind;
  key: Key;
  /** What is counted. */
  unit: Unit;
  /** First and last day of what is judged; the same day in the day view. */
  firstDay: number;
  lastDay: number;
  count: number;
  /** Events for each distinct source and day of it; null where nobody knows the sources. */
  eventsPerSource: number | null;
  /** What the baseline leads one to expect at the same exposure. */
  expected: number;
  /** Change against `expected`; null when the baseline holds none at all. */
  percent: number | null;
  /** (count + 1/2) / (expected for scoring + 1/2): what rows are sorted by. */
  ratio: number;
  /** 95 % interval of the rate ratio, widened by the dispersion; `high` null = without bound. */
  low: number;
  high: number | null;
  /** Two-sided; q is the smallest rate of false reports, of the whole report, at which the row would be reported. */
  p: number;
  q: number;
  /** Robust companion: how many median deviations away on the square-root scale. */
  z: number | null;
  /** p and z point in opposite directions: read with care. */
  disagrees: boolean;
  category: Category;
  /** q and the threshold both passed. */
  reported: boolean;
  /** The baseline: sum, days, summed exposure; and the exposure of what is judged. */
  baselineCount: number;
  baselineDays: number;
  /** Days of an earlier burst that were left out of the sum, and of what is expected. */
  burstDays: number;
  baselineExposure: number;
  exposure: number;
  /** Variance over mean that the test allowed for, geometric mean over its mixture; 1 = Poisson. */
  dispersion: number;
  /** Mean per watched day over all other observed days, and the change against it. */
  otherMean: number | null;
  otherPercent: number | null;
  /** On how many sensors the key was seen on the judged days, and how many were up. */
  sensorsSeen: number;
  sensorsUp: number;
  /** First day in the whole archive (on this sensor, or anywhere for the fleet), last day before what is judged. */
  firstSeenDay: number | null;
  lastSeenBefore: number | null;
  weekdayAdjusted: boolean;
}

/** What the comparisons of one kind are described from. */
interface Described {
  readonly kind: KeyedRows;
  readonly tests: Comparisons;
  readonly judged: JudgedKind;
  readonly coverage: Coverage;
  readonly windows: Windows;
  readonly options: ChangeOptions;
  readonly claims: ReturnType<typeof claimOffsets>;
  /** Counts of the key that is looked at, per sensor-day. */
  readonly laid: Float64Array;
  readonly sources: KeySources | undefined;
}

/** Rows of sources, and those of the key that is looked at. */
interface KeySources {
  readonly kind: KeyedRows;
  readonly rows: RowsByKey;
  /** By slot of the windows, if there is a fleet. */
  readonly fleet: readonly RowsByKey[];
}

/** The sensors a comparison is about, each with its days. */
type Scope = readonly { readonly sensor: number; readonly window: Window }[];

/**
 * The rows of one kind that are shown, with what costs more to know: interval, robust z, first and last day, mean.
 *
 * @param judged Reported comparisons are described; with `rows: "all"` every one.
 * @param sources The same keys' sources, where they are known; of rows that count sources, these themselves.
 */
export function describeChanges(
  kind: KeyedRows,
  tests: Comparisons,
  judged: JudgedKind,
  coverage: Coverage,
  windows: Windows,
  options: ChangeOptions,
  sources?: KeyedRows,
): ChangeRow<number>[] {
  const byKey = Map.groupBy(describedTests(tests, judged, options), i => tests.key[i]!);
  if (byKey.size === 0) return [];
  const { days, firstDay, sensors } = coverage;
  const chosen = [...byKey.keys()];
  const { offsets, rows } = gatherRows(kind.key, kind.keys, chosen);
  const cellOf = (row: number) => kind.sensor[row]! * days + kind.day[row]! - firstDay;
  const laid = new Float64Array(sensors.length * days);
  const claims = claimOffsets(coverage, options.burnInDays);
  const described: Described = {
    kind, tests, judged, coverage, windows, options, claims, laid,
    sources: sources && gatherSources(sources, chosen),
  };
  const result: ChangeRow<number>[] = [];
  for (const [place, ofKey] of [...byKey.values()].entries()) {
    const rowsOfKey = rows.subarray(offsets[place]!, offsets[place + 1]!);
    // By index: a common key has hundreds of thousands of rows, and an iterator takes three times as long.
    for (let i = 0; i < rowsOfKey.length; i++) laid[cellOf(rowsOfKey[i]!)]! += kind.count[rowsOfKey[i]!]!;
    for (const i of ofKey) result.push(describeChange(described, i, rowsOfKey, place));
    for (let i = 0; i < rowsOfKey.length; i++) laid[cellOf(rowsOfKey[i]!)] = 0;
  }
  return result;
}

function* describedTests(tests: Comparisons, judged: JudgedKind, { rows }: Pick<ChangeOptions, "rows">): Generator<number> {
  for (let i = 0; i < tests.length; i++) if (judged.reported[i] === 1 || rows === "all") yield i;
}

/** The keys that {@link describeChanges} looks at. */
export function describedKeys(tests: Comparisons, judged: JudgedKind, options: Pick<ChangeOptions, "rows">): Set<number> {
  return new Set(Array.from(describedTests(tests, judged, options), i => tests.key[i]!));
}

function gatherSources(kind: KeyedRows, chosen: readonly number[]): KeySources {
  const known = new Map<FleetRows, RowsByKey>();
  const fleet = (kind.fleet ?? []).map(rows => {
    const gathered = known.get(rows) ?? gatherRows(rows.key, kind.keys, chosen);
    known.set(rows, gathered);
    return gathered;
  });
  return { kind, rows: gatherRows(kind.key, kind.keys, chosen), fleet };
}

/** Sources and their events in what is judged: each source once a day. */
function sumSources({ sources, coverage, windows }: Described, place: number, sensor: number, slot: number) {
  if (sources === undefined) return undefined;
  const { kind } = sources;
  const isFleet = sensor === FLEET;
  const of = isFleet ? kind.fleet?.[slot] : kind;
  const gathered = isFleet ? sources.fleet[slot] : sources.rows;
  if (of?.events === undefined || gathered === undefined) return undefined;
  const first = coverage.firstDay + windows.shownOffset + (slot === windows.slots - 1 ? 0 : slot);
  const last = slot === windows.slots - 1 ? Infinity : first;
  let count = 0;
  let events = 0;
  for (let i = gathered.offsets[place]!; i < gathered.offsets[place + 1]!; i++) {
    const row = gathered.rows[i]!;
    if (of.day[row]! < first || of.day[row]! > last || (!isFleet && kind.sensor[row] !== sensor)) continue;
    count += of.count[row]!;
    events += of.events[row]!;
  }
  return { count, events };
}

/**
 * @param rows Those of the comparison's key.
 * @param place The key among all that are described.
 */
function describeChange(described: Described, i: number, rows: Int32Array, place: number): ChangeRow<number> {
  const { kind, tests, judged, coverage, windows, claims, laid } = described;
  const { days, firstDay, sensors } = coverage;
  const sensor = tests.sensor[i]!;
  const slot = tests.slot[i]!;
  const isPeriod = slot === windows.slots - 1;
  const firstJudged = isPeriod ? windows.shownOffset : windows.shownOffset + slot;
  const scope: Scope = sensors.flatMap((_, s) => {
    const window = sensor === FLEET || sensor === s ? windows.windows[s * windows.slots + slot] : undefined;
    return window === undefined ? [] : [{ sensor: s, window }];
  });
  const count = tests.count[i]!;
  const baseline = tests.baseline[i]!;
  const expected = tests.ratio[i]! * baseline;
  const mu = tests.ratio[i]! * (baseline + 0.5);
  const history = readHistory(described, rows, { sensor, firstJudged, isPeriod });
  const exposure = scope.reduce((sum, { window }) => sum + window.exposure, 0);
  const z = companionZ(count, expected, scope, laid, coverage.exposure, isPeriod);
  // Sources of the fleet are no sum of its sensors': there is no mean of a sensor's day to hold them against.
  const other = sensor === FLEET && kind.fleet !== undefined ? null : otherMean(coverage, windows, laid, scope);
  const sources = sumSources(described, place, sensor, slot);
  const reported = judged.reported[i] === 1;
  const silent = tests.silent[i] === 1;
  const claimed = firstJudged >= (sensor === FLEET ? claims.fleet : Math.max(claims.fleet, claims.sensors[sensor]!));
  return {
    view: isPeriod ? "period" : "day",
    sensor: sensor === FLEET ? null : sensors[sensor]!,
    kind: kind.kind,
    key: tests.key[i]!,
    unit: kind.unit,
    firstDay: firstDay + firstJudged,
    lastDay: firstDay + (isPeriod ? days - 1 : firstJudged),
    count,
    eventsPerSource: sources === undefined || sources.count === 0 ? null : sources.events / sources.count,
    expected,
    percent: percentOff(count, expected),
    ratio: (count + 0.5) / (mu + 0.5),
    ...rateRatioInterval(count, baseline, tests.ratio[i]!, tests.dispersion[i]!),
    p: tests.p[i]!,
    q: judged.q[i]!,
    z,
    disagrees: z !== null && z * Math.sign(count - mu) < 0,
    category: categorize({ reported, count, baseline, mu, silent, history, firstJudged, claimed }, described.options),
    reported,
    baselineCount: baseline,
    baselineDays: scope.reduce((most, { window }) => Math.max(most, window.baseline.length), 0),
    burstDays: tests.burstDays[i]!,
    baselineExposure: scope.reduce((sum, { window }) => sum + window.baselineExposure, 0),
    exposure,
    dispersion: tests.dispersion[i]!,
    otherMean: other,
    otherPercent: other === null ? null : percentOff(count, other * exposure),
    sensorsSeen: scope.filter(({ window }) => sumCells(laid, window.judged) > 0).length,
    sensorsUp: scope.length,
    firstSeenDay: history.first === Infinity ? null : firstDay + history.first,
    lastSeenBefore: history.lastBefore < 0 ? null : firstDay + history.lastBefore,
    weekdayAdjusted: scope.some(({ window }) => window.weekday),
  };
}

/** Change against what is expected; null where that is nothing. */
function percentOff(count: number, expected: number): number | null {
  return expected > 0 ? (100 * (count - expected)) / expected : null;
}

type History = ReturnType<typeof readHistory>;

/** @param rows Those of the key, in day order: whatever is asked lies at one of the ends, or beside the day judged. */
function readHistory(
  { kind, coverage, options }: Described,
  rows: Int32Array,
  { sensor, firstJudged, isPeriod }: { sensor: number; firstJudged: number; isPeriod: boolean },
) {
  const { day, count, sensor: sensorOf } = kind;
  const { firstDay } = coverage;
  const isHere = (row: number) => count[row]! > 0 && (sensor === FLEET || sensorOf[row] === sensor);
  const first = (isWanted: (row: number) => boolean) => {
    for (let i = 0; i < rows.length; i++) if (isWanted(rows[i]!)) return day[rows[i]!]! - firstDay;
    return Infinity;
  };
  const lastBefore = (offset: number) => {
    for (let i = placeOfDay(day, rows, firstDay + offset) - 1; i >= 0; i--) if (isHere(rows[i]!)) return day[rows[i]!]! - firstDay;
    return -1;
  };
  return {
    /** First offset in the row's scope, and last one before what is judged. */
    first: first(isHere),
    lastBefore: lastBefore(firstJudged),
    /** The same two behind the guard: what "before" means for novelty; Infinity and -1 when there is none. */
    firstAnywhere: first(row => count[row]! > 0),
    lastBehindGuard: lastBefore(isPeriod ? firstJudged : firstJudged - options.guardDays),
  };
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

function categorize(
  row: Pick<ChangeRow, "reported" | "count"> & {
    baseline: number;
    mu: number;
    silent: boolean;
    history: History;
    firstJudged: number;
    claimed: boolean;
  },
  options: ChangeOptions,
): Category {
  const { history, firstJudged } = row;
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
  scope: Scope,
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
  { exposure }: Coverage,
  { usable }: Windows,
  laid: Float64Array,
  scope: Scope,
): number | null {
  let sum = 0;
  let watched = 0;
  for (const { sensor, window } of scope) {
    for (const cell of usable[sensor]!) {
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
  const nameOf = (row: ChangeRow) => JSON.stringify([row.kind, row.unit, row.key, row.sensor]);
  const decorated = rows.map(row => ({ row, far: distance(row), name: nameOf(row) }));
  decorated.sort(
    (a, b) =>
      Number(b.row.reported) - Number(a.row.reported) ||
      b.far - a.far ||
      compareText(a.name, b.name) ||
      a.row.lastDay - b.row.lastDay ||
      a.row.firstDay - b.row.firstDay,
  );
  return decorated.map(({ row }) => row);
}

function sumCells(laid: Float64Array, cells: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < cells.length; i++) sum += laid[cells[i]!]!;
  return sum;
}
