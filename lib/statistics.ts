/**
 * Everything the statistics say about a reduced table: plain data, ready for JSON, CSV and the page.
 *
 * Days are whole numbers since 1970-01-01 UTC, instants microseconds since then; `null` is "cannot be said", never 0.
 * Every string that comes from a log is as the attacker wrote it: escape before showing.
 */
import { buildWindows, type Windows } from "./baseline.ts";
import { findChanges } from "./change.ts";
import {
  buildCoverage,
  type Coverage,
  CUT,
  type Downtime,
  isUsable,
  type Outage,
  type SensorCoverage,
  type SilentSensor,
  toSensorCoverage,
} from "./coverage.ts";
import { countDistinct, DISTINCT_OF, toDistinctRows } from "./distinct.ts";
import { COMPARED_KINDS, internRows, type KeyedRows, toKeyedRows } from "./keyed-rows.ts";
import { KIND_NAMES, type Kind } from "./kinds.ts";
import { addNovelty, buildLedger, emptyNovelty } from "./novelty.ts";
import type { ReducedTable } from "./reduced-table.ts";
import { findStandOuts, listOnlyHere, summarizeSpread } from "./sensor-compare.ts";
import { fitSlope, mannKendall, TREND_MIN_COUNT, TREND_MIN_DAYS } from "./trend.ts";
import { toValueRows, VALUE_TYPES } from "./value-rows.ts";

/** What is compared: the shown kinds by their keys, events by `eventid` alone, and counts of distinct values. */
export type ChangeKind = Exclude<Kind, "last_command" | "scan"> | "distinct";

/** Values in the order of the kind's key columns (`KINDS`); `[eventid]` for event; `[name]` for distinct counts. */
export type KeyValues = (string | number | null)[];

export type Category = "new" | "new here" | "returning" | "up" | "down" | "gone" | "steady";

/** One comparison: a key on a day (or in a period) against its own past. */
export interface ChangeRow {
  view: "day" | "period";
  /** null: the fleet, over the sensors that were up. */
  sensor: string | null;
  kind: ChangeKind;
  key: KeyValues;
  /** First and last day of what is judged; the same day in the day view. */
  firstDay: number;
  lastDay: number;
  count: number;
  /** What the baseline leads one to expect at the same exposure. */
  expected: number;
  /** Change against `expected`; null when the baseline holds none at all. */
  percent: number | null;
  /** (count + 1/2) / (expected for scoring + 1/2): what rows are sorted by. */
  ratio: number;
  /** 95 % interval of the rate ratio, widened by the dispersion; `high` null = without bound. */
  low: number;
  high: number | null;
  /** Two-sided; q is p after control of the false-discovery rate over all tests of the report. */
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
  baselineExposure: number;
  exposure: number;
  /** Variance over mean that the test allowed for; 1 = Poisson. */
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

/** How many comparisons were made; the false-discovery rate is controlled over all of them together. */
export interface TestCounts {
  /** All tests together. */
  m: number;
  dayView: number;
  periodView: number;
  sensorScope: number;
  fleetScope: number;
  byKind: { kind: ChangeKind; tests: number; reported: number }[];
  reported: number;
  /** Keys of the days looked at that were too rare for any test: under five in day and baseline together. */
  withoutSupport: number;
  /** Sensor-days of the shown days without a test: not watched, too short a baseline, or cut counts. */
  refused: { sensor: string; day: number; reason: "not watched" | "short baseline" | "cut" }[];
  method: "Benjamini-Hochberg" | "Benjamini-Yekutieli";
}

export type ValueType =
  | "credential"
  | "command"
  | "hash"
  | "urlHost"
  | "address"
  | "clientVersion"
  | "hassh"
  | "sshKey";

/** One value in the ledger. */
export interface LedgerEntry {
  type: ValueType;
  /** The value; `[username, password]` for a credential, one text otherwise. */
  value: (string | null)[];
  firstSeenUs: number;
  lastSeenUs: number;
  count: number;
  /** The sensors that saw it, whoever saw it first in front. */
  sensors: { sensor: string; firstSeenUs: number; lastSeenUs: number; count: number }[];
}

export interface NewHereEntry extends LedgerEntry {
  /** The sensors on which it is new since the day in question, though others knew it before. */
  newOn: string[];
}

export interface ReturningEntry extends LedgerEntry {
  /** Last day before the silence and first day after it. */
  lastSeenBefore: number;
  returnedOn: number;
  absentDays: number;
}

export interface Novelty {
  /** What "since" means in the lists below. */
  sinceDay: number;
  /** No claim of novelty before this day: the burn-in of the archive; null when it never ends. */
  claimsFromDay: number | null;
  /** Per type: distinct values in the archive, and the true lengths of the lists, which may be cut. */
  totals: {
    type: ValueType;
    values: number;
    active: number;
    new: number;
    newHere: number;
    returning: number;
    gone: number;
  }[];
  new: LedgerEntry[];
  newHere: NewHereEntry[];
  returning: ReturningEntry[];
  /** Seen on three days or more, and on none of the last `returningAfterDays` watched days of a sensor that knew it. */
  gone: LedgerEntry[];
  /** How many entries of one type a list holds at most; 0 = all. */
  limit: number;
}

export type DistinctName = "addresses" | "credentials" | "hashes";

/** Distinct values per day, from sets: they do not add up over days or sensors. Arrays run over the archive's days. */
export interface DistinctSeries {
  name: DistinctName;
  /** null: the fleet. */
  sensor: string | null;
  perDay: number[];
  /** Of those, how many were never seen before in this scope. */
  newPerDay: number[];
  /** Distinct over the whole archive. */
  total: number;
}

/** How one type of value spreads over the sensors. */
export interface SpreadSummary {
  type: ValueType;
  /** `sensorsSeen[i]` = values seen by exactly i + 1 sensors. */
  sensorsSeen: number[];
  perSensor: { sensor: string; values: number; onlyHere: number; seenFirst: number }[];
  /** Jaccard similarity of the sets of values, sensors in the order of `Statistics.sensors`. */
  similarity: number[][];
}

/** A value whose share on one sensor stands out against the share on all others. */
export interface StandOut {
  sensor: string;
  kind: ChangeKind;
  key: KeyValues;
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

export interface TrendRow {
  sensor: string | null;
  kind: ChangeKind;
  key: KeyValues;
  observedDays: number;
  count: number;
  /** Percent per week with its 95 % interval, quasi-Poisson; null when no slope can be fitted. */
  percentPerWeek: number | null;
  low: number | null;
  high: number | null;
  dispersion: number;
  p: number;
  /** Mann-Kendall check of the same series: tau and two-sided p. */
  tau: number;
  kendallP: number;
}

/** A sensor-day known only from cut counts: what is not listed lies between 0 and the smallest count listed. */
export interface CutDay {
  sensor: string;
  day: number;
  kinds: { kind: Kind; listed: number; smallestCount: number }[];
}

export interface StatisticsOptions {
  /** How many of the archive's last days are in question. */
  lastDays?: number;
  /** Smallest change reported, percent. */
  thresholdPercent?: number;
  /** Observed days in a baseline, calendar days left out before the day, fewest observed days that make a baseline. */
  baselineDays?: number;
  guardDays?: number;
  minBaselineDays?: number;
  /** False-discovery rate. */
  q?: number;
  /** Benjamini-Yekutieli in place of Benjamini-Hochberg: holds under any dependence, and finds less. */
  strict?: boolean;
  quietDays?: "unknown" | "zero";
  downtime?: readonly Downtime[];
  returningAfterDays?: number;
  burnInDays?: number;
  /** First day of "what is new since"; default: the first of the last days. */
  newSinceDay?: number;
  /** Most entries of a list of values, per type; 0 = all. */
  listLimit?: number;
  /** `all` keeps every tested comparison in `changes`, not only the reported. */
  rows?: "reported" | "all";
}

export interface Statistics {
  version: 1;
  options: Required<Omit<StatisticsOptions, "downtime" | "newSinceDay">>;
  /** The archive's first and last day, and the days in question. */
  firstDay: number;
  lastDay: number;
  days: number;
  shownFirstDay: number;
  sensors: string[];
  coverage: SensorCoverage[];
  outages: Outage[];
  silent: SilentSensor[];
  cutDays: CutDay[];
  /** Sorted: reported first, then by how far the shrunken ratio is from 1, then scope, kind and key. */
  changes: ChangeRow[];
  tests: TestCounts;
  novelty: Novelty;
  distinct: DistinctSeries[];
  comparison: SensorComparison;
  trends: TrendRow[];
  /** Weekday: for which sensors the expected value came from the same weekdays, and why not for the others. */
  weekday: { adjusted: string[]; note: string };
  /** Plain sentences a reader must know to read the figures. */
  notes: string[];
}

export const STATISTICS_DEFAULTS = {
  lastDays: 7,
  thresholdPercent: 20,
  baselineDays: 28,
  guardDays: 1,
  minBaselineDays: 7,
  q: 0.05,
  strict: false,
  quietDays: "unknown",
  returningAfterDays: 30,
  burnInDays: 14,
  listLimit: 1000,
  rows: "reported",
} as const satisfies Statistics["options"];

/** Keys per kind whose trend is fitted for the fleet, and event ids per sensor. */
const TREND_KEYS = 10;
const TREND_SENSOR_KEYS = 3;

/**
 * Work out all statistics of a reduced table.
 *
 * Pure: the same table and options give the same answer, and no clock is read. Memory beside the table is about
 * 10 bytes per row and 24 numbers per sensor-day.
 *
 * @throws {RangeError} if an option is out of range.
 */
export function computeStatistics(table: ReducedTable, options: StatisticsOptions = {}): Statistics {
  const { downtime = [], newSinceDay, ...given } = options;
  const settings: Statistics["options"] = { ...STATISTICS_DEFAULTS, ...dropUndefined(given) };
  checkOptions(settings);
  const coverage = buildCoverage(table, { quietDays: settings.quietDays, downtime });
  const { sensors, firstDay, days } = coverage;
  const windows = buildWindows(coverage, settings);
  const shownFirstDay = firstDay + windows.shownOffset;

  const noveltyOptions = {
    sinceDay: newSinceDay ?? shownFirstDay,
    returningAfterDays: settings.returningAfterDays,
    burnInDays: settings.burnInDays,
    limit: settings.listLimit,
  };
  const novelty = emptyNovelty(coverage, noveltyOptions);
  const distinct: DistinctSeries[] = [];
  const spread: SpreadSummary[] = [];
  const onlyHere: LedgerEntry[] = [];
  const { username, password } = table.kinds.login.keys;
  const logins = internRows([username!, password!], table.kinds.login.rows);
  for (const type of VALUE_TYPES) {
    const rows = toValueRows(table, type, logins);
    const name = DISTINCT_OF.get(rows.type);
    const ledger = buildLedger(rows, coverage, noveltyOptions.sinceDay);
    if (name !== undefined) distinct.push(...countDistinct(ledger, name, coverage));
    addNovelty(novelty, ledger, coverage, noveltyOptions);
    spread.push(summarizeSpread(ledger, sensors));
    onlyHere.push(...listOnlyHere(ledger, sensors, settings.listLimit));
  }

  const kinds: KeyedRows[] = COMPARED_KINDS.map(kind =>
    toKeyedRows(table, kind, kind === "login" ? logins : undefined),
  );
  const compared = [...kinds, toDistinctRows(distinct, coverage)];
  const { rows: changes, tests } = findChanges(compared, coverage, windows, settings);
  const { standOut, tests: standOutTests, ...range } = findStandOuts(kinds, coverage, {
    q: settings.q,
    strict: settings.strict,
    days: settings.baselineDays,
    limit: settings.listLimit,
  });
  const cutDays = listCutDays(table, coverage);
  const weekday = describeWeekdays(coverage, windows);
  const statistics: Statistics = {
    version: 1,
    options: settings,
    firstDay,
    lastDay: firstDay + days - 1,
    days,
    shownFirstDay,
    sensors: [...sensors],
    coverage: toSensorCoverage(coverage),
    outages: coverage.outages,
    silent: coverage.silent,
    cutDays,
    changes,
    tests,
    novelty,
    distinct,
    comparison: { spread, onlyHere, standOut, standOutTests, ...range },
    trends: fitTrends(kinds, coverage),
    weekday,
    notes: [],
  };
  statistics.notes = listNotes(statistics, coverage);
  return statistics;
}

function dropUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function checkOptions(options: Statistics["options"]): void {
  const least = [
    ["lastDays", 1],
    ["baselineDays", 2],
    ["guardDays", 0],
    ["minBaselineDays", 2],
    ["returningAfterDays", 1],
    ["burnInDays", 0],
    ["listLimit", 0],
  ] as const;
  for (const [name, min] of least) {
    if (!Number.isSafeInteger(options[name]) || options[name] < min) {
      throw new RangeError(`Cannot use ${name} ${options[name]}: expected a whole number >= ${min}`);
    }
  }
  if (options.minBaselineDays > options.baselineDays) {
    throw new RangeError(
      `Cannot use minBaselineDays ${options.minBaselineDays}: expected at most baselineDays ${options.baselineDays}`,
    );
  }
  if (!(options.q > 0 && options.q < 1)) throw new RangeError(`Cannot use q ${options.q}: expected 0 < q < 1`);
  if (!(options.thresholdPercent >= 0)) {
    throw new RangeError(`Cannot use thresholdPercent ${options.thresholdPercent}: expected a number >= 0`);
  }
}

/** The cut sensor-days, and per kind the smallest count listed: what is not listed lies between 0 and that. */
function listCutDays(table: ReducedTable, coverage: Coverage): CutDay[] {
  const { sensors, days, firstDay, status } = coverage;
  if (!status.includes(CUT)) return [];
  const cells = new Map<number, Map<Kind, { listed: number; smallestCount: number }>>();
  for (const kind of KIND_NAMES) {
    if (kind === "scan") continue;
    const rows = table.kinds[kind];
    for (let row = 0; row < rows.rows; row++) {
      const cell = rows.sensor[row]! * days + rows.day[row]! - firstDay;
      if (status[cell] !== CUT) continue;
      const kinds = cells.get(cell) ?? new Map<Kind, { listed: number; smallestCount: number }>();
      cells.set(cell, kinds);
      const known = kinds.get(kind) ?? { listed: 0, smallestCount: Infinity };
      kinds.set(kind, { listed: known.listed + 1, smallestCount: Math.min(known.smallestCount, rows.count[row]!) });
    }
  }
  return [...cells]
    .sort(([a], [b]) => a - b)
    .map(([cell, kinds]) => ({
      sensor: sensors[Math.floor(cell / days)]!,
      day: firstDay + (cell % days),
      kinds: [...kinds].map(([kind, seen]) => ({ kind, ...seen })),
    }));
}

function describeWeekdays(coverage: Coverage, windows: Windows): Statistics["weekday"] {
  const { slots } = windows;
  const adjusted = coverage.sensors.filter((_, sensor) =>
    windows.windows.slice(sensor * slots, (sensor + 1) * slots).some(window => window?.weekday === true),
  );
  const longEnough = windows.usable.some(cells => cells.length > 56);
  const note =
    adjusted.length > 0
      ? "For these sensors the weekday makes a difference: days were compared with the same weekdays of eight weeks."
      : longEnough
        ? "Not adjusted for weekdays: over eight weeks no sensor's daily totals depend on them."
        : "Not adjusted for weekdays: no sensor was observed for eight weeks before the days in question.";
  return { adjusted, note };
}

/** Slopes of the most frequent keys: per kind for the fleet, per event id for each sensor. */
function fitTrends(kinds: readonly KeyedRows[], coverage: Coverage): TrendRow[] {
  const { sensors, days, firstDay } = coverage;
  const trends: TrendRow[] = [];
  for (const kind of kinds) {
    const totals = new Float64Array(kind.keys);
    for (let row = 0; row < kind.rows; row++) totals[kind.key[row]!]! += kind.count[row]!;
    const top: number[] = [];
    for (let key = 0; key < kind.keys; key++) {
      const total = totals[key]!;
      if (total < TREND_MIN_COUNT) continue;
      if (top.length === TREND_KEYS && total <= totals[top.at(-1)!]!) continue;
      top.push(key);
      top.sort((a, b) => totals[b]! - totals[a]! || a - b);
      if (top.length > TREND_KEYS) top.pop();
    }
    // Bytes, so that the table stays in the cache while every row asks it.
    const slotOf = new Uint8Array(kind.keys);
    for (const [slot, key] of top.entries()) slotOf[key] = slot + 1;
    const cells = sensors.length * days;
    const laidAll = new Float64Array(top.length * cells);
    for (let row = 0; row < kind.rows; row++) {
      const slot = slotOf[kind.key[row]!]! - 1;
      if (slot < 0) continue;
      laidAll[slot * cells + kind.sensor[row]! * days + kind.day[row]! - firstDay]! += kind.count[row]!;
    }
    for (const [slot, key] of top.entries()) {
      const laid = laidAll.subarray(slot * cells, (slot + 1) * cells);
      const all = sensors.map((_, sensor) => sensor);
      const scopes: (number | null)[] = sensors.length > 1 ? [null] : [0];
      if (sensors.length > 1 && kind.kind === "event" && slot < TREND_SENSOR_KEYS) scopes.push(...all);
      for (const scope of scopes) {
        const trend = fitTrend(laid, coverage, scope === null ? all : [scope]);
        if (trend === undefined) continue;
        trends.push({
          sensor: scope === null ? null : sensors[scope]!,
          kind: kind.kind,
          key: kind.valuesOf(key),
          ...trend,
        });
      }
    }
  }
  return trends;
}

/**
 * One series over the sensors that were up, day by day.
 *
 * A sensor counts as so much exposure as its own mean rate, so that one that joins or leaves makes no trend.
 */
function fitTrend(
  laid: Float64Array,
  coverage: Coverage,
  sensors: readonly number[],
): Omit<TrendRow, "sensor" | "kind" | "key"> | undefined {
  const { days, exposure } = coverage;
  const counts = new Float64Array(days);
  const wanted = new Float64Array(days);
  for (const sensor of sensors) {
    let sum = 0;
    let watched = 0;
    for (let cell = sensor * days; cell < (sensor + 1) * days; cell++) {
      if (!isUsable(coverage, cell)) continue;
      sum += laid[cell]!;
      watched += exposure[cell]!;
    }
    if (sum === 0) continue;
    for (let offset = 0; offset < days; offset++) {
      const cell = sensor * days + offset;
      if (!isUsable(coverage, cell)) continue;
      counts[offset]! += laid[cell]!;
      wanted[offset]! += (sum / watched) * exposure[cell]!;
    }
  }
  const observed: number[] = [];
  for (let offset = 0; offset < days; offset++) if (wanted[offset]! > 0) observed.push(offset);
  const count = observed.reduce((sum, offset) => sum + counts[offset]!, 0);
  if (observed.length < TREND_MIN_DAYS || count < TREND_MIN_COUNT) return undefined;
  const slope = fitSlope(observed, observed.map(offset => counts[offset]!), observed.map(offset => wanted[offset]!));
  const kendall = mannKendall(observed.map(offset => counts[offset]! / wanted[offset]!));
  return {
    observedDays: observed.length,
    count,
    percentPerWeek: slope?.percentPerWeek ?? null,
    low: slope?.low ?? null,
    high: slope?.high ?? null,
    dispersion: slope?.dispersion ?? 1,
    p: slope?.p ?? 1,
    tau: kendall.tau,
    kendallP: kendall.p,
  };
}

function listNotes(statistics: Statistics, coverage: Coverage): string[] {
  const { tests, cutDays, weekday, silent, options, novelty } = statistics;
  const notes: string[] = [];
  const q = 100 * options.q;
  if (statistics.days === 0) return ["The table holds no day."];
  notes.push(
    tests.m === 0
      ? "Nothing was tested: no sensor has a baseline long enough before the days in question."
      : `${tests.m} comparisons were made together; of those reported, about ${q} % at most are expected to be chance.`,
  );
  notes.push(
    "Reported means unusual against its own past. It never means malicious, and not reported never means harmless.",
  );
  notes.push(weekday.note);
  const ofSensors = `of ${statistics.sensors.length} sensors`;
  if (silent.length > 0) notes.push(`Silent when the archive ends: ${silent.length} ${ofSensors}.`);
  if (cutDays.length > 0) {
    notes.push(
      `${cutDays.length} sensor-days come from counts cut to the most frequent: they are shown and never tested.`,
    );
  }
  const unknown = statistics.coverage.reduce((sum, { days }) => sum + days.split("?").length - 1, 0);
  if (unknown > 0 && options.quietDays === "unknown") {
    notes.push(`${unknown} sensor-days without any event may be quiet or down; they are left out.`);
  }
  if (novelty.claimsFromDay === null) {
    notes.push(`Nothing is called new: the archive is not longer than its burn-in, ${options.burnInDays} observed days.`);
  }
  if (statistics.sensors.length === 1) notes.push("There is one sensor, so there is no fleet to compare it with.");
  else if (coverage.sensors.length > 1) {
    notes.push("The fleet's expectation is the sum over the sensors that were up, each against its own past.");
  }
  return notes;
}

/** Say in one or two sentences what a row means; names and values are left to the caller, who escapes them. */
export function explainChange(row: ChangeRow): string {
  const number = (value: number) =>
    value >= 100 ? Math.round(value).toString() : value >= 10 ? value.toFixed(1) : value.toFixed(2);
  const when = row.view === "period" ? "in the period" : "on the day";
  const ofFleet = `on ${row.sensorsSeen} of ${row.sensorsUp} sensors that were up`;
  const where = row.sensor === null ? ofFleet : "on this sensor";
  const against = `${number(row.expected)} expected from ${row.baselineDays} observed days before`;
  switch (row.category) {
    case "new":
      return `Seen ${row.count} times ${when}, ${where}, and never before in the archive.`;
    case "new here":
      return `Seen ${row.count} times ${when}, for the first time ${where}; other sensors knew it.`;
    case "returning":
      return `Seen ${row.count} times ${when}, ${where}, after an absence as long as the baseline or longer.`;
    case "gone":
      return `Not seen ${when} or since, ${where.replace(/^on 0 of/, "on any of")}: ${against}.`;
    default: {
      const change = row.percent === null ? "" : ` (${row.percent > 0 ? "+" : ""}${Math.round(row.percent)} %)`;
      const high = row.high === null ? "any number of" : number(row.high);
      const range = `${number(row.low)} to ${high} times the former rate`;
      const verdict = row.reported ? "Unusual against its own past" : "Within what its own past allows";
      return `${row.count} ${when}, ${where}, ${against}${change}; likely ${range}. ${verdict}.`;
    }
  }
}
