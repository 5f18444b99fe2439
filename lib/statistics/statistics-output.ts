/**
 * The statistics for programs and terminals: options of the comparison, JSON, CSV, and the list of what is new.
 */
import type { OptionTable } from "../process/command.ts";
import { toCsvLine } from "../text/csv.ts";
import { formatInstant, plural, toIsoDay, toIsoInstant } from "../text/format.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { NewHereEntry } from "./novelty.ts";
import type { Statistics } from "./statistics.ts";
import { summarizeStatistics } from "./statistics-summary.ts";
import { toSafeJson } from "../text/text.ts";
import { formatTable, type TableOptions, VALUE_MAX_WIDTH } from "../text/text-table.ts";
import { STATISTICS_DEFAULTS } from "./settings.ts";

export const COMPARISON_OPTIONS = {
  threshold: {
    type: "number",
    short: "t",
    min: 0,
    default: STATISTICS_DEFAULTS.thresholdPercent,
    placeholder: "PERCENT",
    help: "Smallest change reported.",
  },
  lastNDays: {
    type: "count",
    // `-n` is the ancestor's letter, which says how many entries everywhere else.
    short: ["l", "n"],
    min: 1,
    default: STATISTICS_DEFAULTS.lastDays,
    help: "Last days held against the days before them.",
  },
} as const satisfies OptionTable;

/** Keys that hold a day without saying so. */
const DAY_KEYS: ReadonlySet<string> = new Set(["day", "lastSeenBefore", "returnedOn"]);

/**
 * The statistics as plain data for other programs: snake_case keys, days as `YYYY-MM-DD`, instants as ISO 8601 in
 * UTC; `null` stays "cannot be said".
 */
export function toPlainStatistics(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map(item => toPlainStatistics(item));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        toSnakeCase(name.replace(/Us$/, "")),
        toPlainStatistics(inner, name),
      ]),
    );
  }
  if (typeof value !== "number") return value;
  if (key.endsWith("Us")) return toIsoInstant(value);
  return DAY_KEYS.has(key) || /[a-z]Day$/.test(key) ? toIsoDay(value) : value;
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}

const CHANGE_COLUMNS = [
  "view",
  "first_day",
  "last_day",
  "sensor",
  "kind",
  "key1",
  "key2",
  "key3",
  "unit",
  "category",
  "reported",
  "count",
  "events_per_source",
  "expected",
  "percent",
  "low",
  "high",
  "p",
  "q",
  "z",
  "baseline_count",
  "baseline_days",
  "burst_days",
  "exposure",
  "dispersion",
  "other_mean",
  "sensors_seen",
  "sensors_up",
  "first_seen_day",
  "last_seen_before",
] as const;

/** The changes as CSV; an empty sensor is the fleet, a sensor without a name is `""`. */
export function* changesToCsv({ changes }: Statistics): Generator<string> {
  yield toCsvLine(CHANGE_COLUMNS);
  const day = (value: number | null) => (value === null ? null : toIsoDay(value));
  for (const row of changes) {
    yield toCsvLine([
      row.view,
      toIsoDay(row.firstDay),
      toIsoDay(row.lastDay),
      row.sensor,
      row.kind,
      row.key[0],
      row.key[1],
      row.key[2],
      row.unit,
      row.category,
      row.reported,
      row.count,
      row.eventsPerSource,
      row.expected,
      row.percent,
      row.low,
      row.high,
      row.p,
      row.q,
      row.z,
      row.baselineCount,
      row.baselineDays,
      row.burstDays,
      row.exposure,
      row.dispersion,
      row.otherMean,
      row.sensorsSeen,
      row.sensorsUp,
      day(row.firstSeenDay),
      day(row.lastSeenBefore),
    ]);
  }
}

/** One value that is new: to everybody, or to some sensors. */
interface NewValue {
  readonly entry: LedgerEntry;
  /** Sensors to which it is new while others knew it; empty when nobody did. */
  readonly newOn: readonly string[];
}

function listNew({ novelty }: Statistics): NewValue[] {
  return [
    ...novelty.new.map(entry => ({ entry, newOn: [] })),
    ...novelty.newHere.map((entry: NewHereEntry) => ({ entry, newOn: entry.newOn })),
  ];
}

/** What is new, as one JSON object with its LF. */
export function newToJson(statistics: Statistics): string {
  const { sinceDay, claimsFromDay, totals, new: fresh, newHere } = statistics.novelty;
  return `${toSafeJson(toPlainStatistics({ sinceDay, claimsFromDay, totals, new: fresh, newHere }))}\n`;
}

export function* newToCsv(statistics: Statistics): Generator<string> {
  yield toCsvLine(["status", "type", "value", "value2", "first_seen", "last_seen", "count", "sensors", "new_on"]);
  for (const { entry, newOn } of listNew(statistics)) {
    yield toCsvLine([
      newOn.length > 0 ? "new here" : "new",
      entry.type,
      entry.value[0],
      entry.value[1],
      toIsoInstant(entry.firstSeenUs),
      toIsoInstant(entry.lastSeenUs),
      entry.count,
      entry.sensors.length,
      newOn.join(" "),
    ]);
  }
}

/** What is new, as a table for people. */
export function newToText(statistics: Statistics, options: TableOptions): string {
  const rows = listNew(statistics).map(({ entry, newOn }) => [
    entry.type,
    entry.value.map(part => part ?? "-").join(" / "),
    entry.count,
    formatInstant(entry.firstSeenUs),
    newOn.length > 0 ? newOn.join(", ") : "fleet",
    entry.sensors.length,
  ]);
  const columns = [
    { title: "type" },
    { title: "value", maxWidth: VALUE_MAX_WIDTH },
    { title: "count" },
    { title: "first seen (UTC)" },
    { title: "new to", maxWidth: VALUE_MAX_WIDTH },
    { title: "sensors" },
  ];
  return formatTable(columns, rows, options);
}

/** What was found, in a few lines for people; safe to show. */
export function describeStatistics(statistics: Statistics): string {
  const { cutDays } = statistics;
  const lines = [
    ...summarizeStatistics(statistics),
    ...(cutDays.length > 0
      ? [["Cut", `${plural(cutDays.length, "sensor-day")} of cut counts, shown and not tested`]]
      : []),
  ];
  return lines.map(([label, text]) => `${label!.padEnd(9)}${text}`).join("\n");
}
