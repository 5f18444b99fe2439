/**
 * Tables of what the statistics say, cell by cell as they are shown.
 *
 * Tested in `test/lib/pages/stats-page.test.ts`.
 */
import { intervalMark } from "./chart.ts";
import { formatInstant, formatNumber, plural, toIsoDay } from "../text/format.ts";
import { keyOf, type ShownColumn, wordOf as wordOfKind } from "../reduced/origin-kinds.ts";
import { sensorLabel, toChange } from "../text/labels.ts";
import type { Markup } from "./markup.ts";
import { type PartView, toParts } from "./report-view.ts";
import type { ChangeRow } from "../statistics/change.ts";
import { withoutEchoes } from "../statistics/echoes.ts";
import { type ChangeKind, type KeyValues, SOURCE_FAMILIES, type SourceFamily } from "../statistics/keyed-rows.ts";
import type { LedgerEntry } from "../statistics/ledger.ts";
import type { TrendRow } from "../statistics/trend.ts";
import type { ValueType } from "../statistics/value-rows.ts";
import { clipMiddle, cutLong } from "../text/cut.ts";

/** Rows of one table in the page; the rest is in the statistics' own output. */
const ROWS_MOST = 300;
/** Ratios that the pictures of intervals reach: of a change, and of a trend's week. */
const CHANGE_REACH = 32;
const TREND_REACH = 3;

const isFamily = (kind: ChangeKind): kind is SourceFamily => kind in SOURCE_FAMILIES;
export const changeWord = (kind: ChangeKind) =>
  kind === "distinct" ? "distinct" : isFamily(kind) ? SOURCE_FAMILIES[kind].word : wordOfKind(kind);
export const TYPE_WORDS: Readonly<Record<ValueType, { readonly one: string; readonly many: string }>> = {
  credential: { one: "credential", many: "credentials" },
  command: { one: "command pattern", many: "command patterns" },
  hash: { one: "file", many: "files, downloaded or uploaded" },
  urlHost: { one: "download host", many: "download hosts" },
  address: { one: "address", many: "addresses" },
  clientVersion: { one: "client version", many: "client versions" },
  hassh: { one: "HASSH", many: "HASSH" },
  sshKey: { one: "SSH key", many: "SSH keys" },
};

export interface CellView {
  readonly className: string;
  /** A number or a text to sort by. */
  readonly sort: string | number;
  readonly parts: readonly PartView[];
  readonly text?: string;
  /** A picture. */
  readonly mark?: Markup;
}

export interface TableView {
  readonly id: string;
  readonly name: string;
  readonly shown: string;
  readonly columns: readonly { readonly name: string; readonly className: string }[];
  readonly rows: readonly { readonly cells: readonly CellView[] }[];
}

const EMPTY = { className: "", parts: [] };

export function textCell(text: string, sort: string | number = text, className = ""): CellView {
  return { ...EMPTY, text, sort, className };
}

export function numberCell(value: number | null, text = value === null ? "–" : formatNumber(value)): CellView {
  return textCell(text, value ?? -Infinity, "number");
}

/** An instant in UTC; a dash where there is none. */
export function instantCell(us: number | null): CellView {
  return textCell(us === null ? "–" : formatInstant(us), us ?? 0, "time");
}

/** A cell of attacker text: escaped for the eye here, for HTML where it is written. */
function partsCell(parts: readonly PartView[]): CellView {
  return { ...EMPTY, parts, className: "keys", sort: parts.map(part => part.text).join(" ") };
}

function svgCell(mark: Markup, sort: number): CellView {
  return { ...EMPTY, mark, sort };
}

/** A column of a table: its heading, its class, and what stands in it. */
type Column<Row> = readonly [name: string, className: "" | "number", toCell: (row: Row) => CellView];

/** Rows cut to `most`, and words for how many there are. */
export function toTable<Row>(
  id: string,
  name: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  most = ROWS_MOST,
): TableView {
  const shown = rows.slice(0, most);
  return {
    id,
    name,
    shown:
      shown.length < rows.length
        ? `First ${formatNumber(shown.length)} of ${formatNumber(rows.length)}`
        : plural(rows.length, "row"),
    columns: columns.map(([title, className]) => ({ name: title, className })),
    rows: shown.map(row => ({ cells: columns.map(([, , toCell]) => toCell(row)) })),
  };
}

export function keyCell(kind: ChangeKind, key: KeyValues): CellView {
  if (kind === "distinct") return textCell(`distinct ${String(key[0])}`);
  if (kind === "event") return partsCell(keyParts(["eventid"], key));
  if (isFamily(kind)) return partsCell(keyParts(SOURCE_FAMILIES[kind].columns, key));
  // Of a client either the version or the fingerprint is known; the other needs no word.
  const columns = [...keyOf(kind)].filter((_, i) => kind !== "client" || key[i] !== null);
  return partsCell(keyParts(columns, kind === "client" ? key.filter(value => value !== null) : key));
}

/** A sensor's name; the fleet, where there is none. */
export function scopeCell(sensor: string | null): CellView {
  if (sensor === null) return textCell("fleet", "", "none");
  return sensor === "" ? textCell("(no name)", " ", "none") : partsCell(keyParts(["source"], [sensor]));
}

function keyParts(columns: readonly ShownColumn[], key: KeyValues): PartView[] {
  return toParts(
    columns,
    key.map(value => (typeof value === "string" ? cutLong(value) : value)),
  );
}

/** A probability: as small as it needs to be told apart, no smaller. */
export function formatProbability(p: number): string {
  if (p < 0.0001) return "<0.0001";
  return p < 0.1 ? String(Number(p.toPrecision(2))) : p.toFixed(2);
}

function changeText(row: ShownChange): string {
  if (row.percent === null) return row.count > 0 ? "from none" : "–";
  return toChange(row.percent / 100);
}

const CHANGE_COLUMNS: readonly Column<ShownChange>[] = [
  ["Verdict", "", row => textCell(`${row.category}${row.disagrees ? ", doubtful" : ""}`, row.category, `change ${toneOf(row)}`)],
  ["Count", "number", row => numberCell(row.count)],
  ["Expected", "number", row => numberCell(row.expected, formatNumber(row.expected, row.expected < 10 ? 1 : 0))],
  ["Change", "number", row => ({ ...numberCell(row.percent ?? Infinity, changeText(row)), className: `number change ${toneOf(row)}` })],
  ["Times the former rate, 95 %", "", row => svgCell(intervalMark(row.low, row.ratio, row.high ?? Infinity, CHANGE_REACH), row.ratio)],
  ["q", "number", row => numberCell(row.q, formatProbability(row.q))],
];

/** Rows that speak for everything: of the fleet, or of the only sensor there is. */
export function isOverall(row: { readonly sensor: string | null }, sensors: readonly string[]): boolean {
  return row.sensor === null || sensors.length === 1;
}

/** A change as far as tables show it. */
export type ShownChange = Pick<
  ChangeRow,
  | "view"
  | "sensor"
  | "kind"
  | "key"
  | "unit"
  | "eventsPerSource"
  | "firstDay"
  | "lastDay"
  | "count"
  | "expected"
  | "percent"
  | "ratio"
  | "low"
  | "high"
  | "q"
  | "category"
  | "disagrees"
  | "sensorsSeen"
  | "sensorsUp"
>;

/** @param sensors How many there are: the only one is not named in every row. */
export function buildChangesTable(
  id: string,
  name: string,
  found: readonly ShownChange[],
  sensors: number,
  most?: number,
): TableView {
  const rows = withoutEchoes(found);
  // A column that says the same in every row is left out.
  const hasDays = rows.some(row => row.view === "day");
  const hasFleet = rows.some(row => row.sensor === null);
  const hasSensors = sensors > 1 && rows.some(row => row.sensor !== null);
  const hasUnits = rows.some(row => row.unit === "sources");
  const hasEventsPerSource = rows.some(row => row.eventsPerSource !== null);
  const columns: Column<ShownChange>[] = [
    ["Kind", "", row => textCell(changeWord(row.kind), changeWord(row.kind), "what")],
    ["Value", "", row => keyCell(row.kind, row.key)],
  ];
  if (hasDays) columns.unshift(["Day", "", row => textCell(toIsoDay(row.firstDay), row.firstDay, "time")]);
  if (hasSensors) columns.push(["Where", "", row => scopeCell(row.sensor)]);
  if (hasUnits) columns.push(["Counted", "", row => textCell(row.unit)]);
  columns.push(...CHANGE_COLUMNS);
  if (hasEventsPerSource) columns.push(["Events a source", "number", eventsPerSourceCell]);
  if (hasFleet) columns.push(["Seen on", "number", seenOnCell]);
  return toTable(id, name, columns, rows, most);
}

function seenOnCell({ sensor, sensorsSeen, sensorsUp }: ShownChange): CellView {
  return sensor === null ? numberCell(sensorsSeen, `${sensorsSeen} of ${sensorsUp}`) : numberCell(null, "");
}

function eventsPerSourceCell({ eventsPerSource: value }: ShownChange): CellView {
  return value === null ? numberCell(null) : numberCell(value, formatNumber(value, value < 10 ? 1 : 0));
}

function toneOf(row: ShownChange): string {
  if (row.category === "steady") return "same";
  return row.category === "gone" || row.category === "down" ? "less" : "more";
}

/** Which column of the report a type of value is shown like. */
const TYPE_COLUMNS = {
  credential: ["username", "password"],
  command: ["input"],
  hash: ["hassh"],
  urlHost: ["url"],
  address: ["src_ip"],
  clientVersion: ["version"],
  hassh: ["hassh"],
  sshKey: ["input"],
} as const satisfies Record<ValueType, readonly string[]>;

/** Sensors named in a cell; more are counted. */
const SENSORS_NAMED = 3;
const SENSOR_CHARACTERS = 24;

/** A sensor's name where it stands among others. */
export function shortSensor(sensor: string): string {
  return clipMiddle(sensorLabel(sensor), SENSOR_CHARACTERS);
}

export function sensorsText(names: readonly string[]): string {
  const named = names.slice(0, SENSORS_NAMED).map(shortSensor);
  return names.length > SENSORS_NAMED
    ? `${named.join(", ")} and ${names.length - SENSORS_NAMED} more`
    : named.join(", ");
}

/** Values of one kind that a list shows: addresses come by the thousand, and what is rare would drown in them. */
const TYPE_MOST = 50;
/** The rarer a kind, the more one of it tells. */
const TYPE_ORDER: readonly ValueType[] = [
  "sshKey",
  "hash",
  "urlHost",
  "hassh",
  "clientVersion",
  "command",
  "credential",
  "address",
];

/**
 * Values with who saw them when, at most {@link TYPE_MOST} of each kind, in the order given.
 *
 * @param extra A column of its own, before the sensors.
 */
export function buildLedgerTable<Entry extends LedgerEntry>(
  id: string,
  name: string,
  entries: readonly Entry[],
  extra?: Column<Entry>,
): TableView {
  const shown = TYPE_ORDER.flatMap(type => entries.filter(entry => entry.type === type).slice(0, TYPE_MOST));
  const columns: Column<Entry>[] = [
    ["Kind", "", entry => textCell(TYPE_WORDS[entry.type].one, entry.type, "what")],
    ["Value", "", entry => partsCell(keyParts(TYPE_COLUMNS[entry.type], entry.value))],
    ["Count", "number", entry => numberCell(entry.count)],
    ["First seen", "", entry => instantCell(entry.firstSeenUs)],
    ["Last seen", "", entry => instantCell(entry.lastSeenUs)],
    ...(extra === undefined ? [] : [extra]),
    ["Sensors, first to see it first", "", entry => textCell(sensorsText(entry.sensors.map(seen => seen.sensor)), entry.sensors.length)],
  ];
  const table = toTable(id, name, columns, shown, shown.length);
  if (shown.length === entries.length) return table;
  const words = `${formatNumber(shown.length)} of ${formatNumber(entries.length)}, the first ${TYPE_MOST} of each kind`;
  return { ...table, shown: words };
}

const weekly = (percent: number | null) => (percent === null ? "–" : toChange(percent / 100));

const TREND_COLUMNS: readonly Column<TrendRow>[] = [
  ["Kind", "", row => textCell(changeWord(row.kind), changeWord(row.kind), "what")],
  ["Value", "", row => keyCell(row.kind, row.key)],
  ["Where", "", row => scopeCell(row.sensor)],
  ["Count", "number", row => numberCell(row.count)],
  ["Days", "number", row => numberCell(row.observedDays)],
  ["Per week", "number", row => textCell(weekly(row.percentPerWeek), row.percentPerWeek ?? -Infinity, "number range")],
  ["95 %", "number", row => textCell(row.low === null ? "–" : `${weekly(row.low)} to ${weekly(row.high)}`, row.low ?? -Infinity, "number range")],
  ["Factor per week, 95 %", "", factorCell],
  ["p", "number", row => numberCell(row.p, formatProbability(row.p))],
  ["Mann-Kendall τ", "number", row => numberCell(row.tau, formatNumber(row.tau, 2))],
  ["p of τ", "number", row => numberCell(row.kendallP, formatProbability(row.kendallP))],
];

/** @param sensors How many there are: the only one is not named in every row, nor is the fleet. */
export function buildTrendTable(id: string, name: string, rows: readonly TrendRow[], sensors: number): TableView {
  const isNamed = sensors > 1 && rows.some(row => row.sensor !== null);
  return toTable(id, name, isNamed ? TREND_COLUMNS : TREND_COLUMNS.filter(([title]) => title !== "Where"), rows);
}

function factorCell({ low, percentPerWeek, high }: TrendRow): CellView {
  if (percentPerWeek === null) return textCell("–", 0);
  const factor = (percent: number) => 1 + percent / 100;
  const mark = intervalMark(factor(low ?? -100), factor(percentPerWeek), high === null ? Infinity : factor(high), TREND_REACH);
  return svgCell(mark, percentPerWeek);
}
