/**
 * The shape of everything the statistics say about a reduced table: plain data, ready for JSON, CSV and the page.
 *
 * Days are whole numbers since 1970-01-01 UTC, instants microseconds since then; `null` is "cannot be said", never 0.
 * Every string that comes from a log is as the attacker wrote it: escape before showing.
 */
import type { Downtime, Outage, SensorCoverage, SilentSensor } from "./coverage.ts";
import type { Kind } from "./kinds.ts";

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
  /** Comparisons not made, because the key was seen fewer than five times in day and baseline together. */
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
  /** Not seen for `returningAfterDays` watched days or more by the end, on three days or more before. */
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
