/**
 * Everything the statistics say about a reduced table: plain data, ready for JSON, CSV and the page.
 *
 * Days are whole numbers since 1970-01-01 UTC, instants microseconds since then; `null` is "cannot be said", never 0.
 * Every string that comes from a log is as the attacker wrote it: escape before showing.
 */
import { ORIGIN_KINDS, rowsOf } from "../reduced/origin-kinds.ts";
import { buildWindows, type Windows } from "./baseline.ts";
import { type ChangeRow, sortChanges } from "./change.ts";
import {
  buildCoverage,
  type Coverage,
  CUT,
  type Outage,
  type SensorCoverage,
  type SilentSensor,
  toSensorCoverage,
} from "./coverage.ts";
import { type DistinctSeries, toDistinctRows } from "./distinct.ts";
import { formatNumber } from "../text/format.ts";
import {
  type ChangeKind,
  type InternedRows,
  keyColumns,
  type KeyedRows,
  type KeyValues,
  toKeyedRows,
  type Unit,
  valuesOf,
} from "./keyed-rows.ts";
import { COMPARED_KINDS, type Kind, KIND_NAMES } from "../reduced/kinds.ts";
import { judgeComparisons, largestReported, type TestCounts } from "./judgement.ts";
import { type LedgerEntry, nameEntries } from "./ledger.ts";
import { joinNovelty, nameNovelty, type Novelty, type TypeNovelty } from "./novelty.ts";
import { whyNoComparison, whyNothingNew } from "./no-comparison.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { judgeStandOuts, type KindStandOuts, type SensorComparison } from "./sensor-compare.ts";
import {
  type FamilyColumns,
  familiesOf,
  familyAsk,
  familyColumns,
  familyValues,
  SOURCE_KINDS,
  sourceWindows,
  toSourceAsk,
} from "./source-counts.ts";
import {
  type LedgerPart,
  PartCall,
  type PartContext,
  type PartName,
  type Parts,
  toStandOutOptions,
  workOut,
} from "./statistics-parts.ts";
import type { TrendRow } from "./trend.ts";
import { type NamedValueRows, toValueRows, VALUE_TYPES, type ValueRows } from "./value-rows.ts";
import { type StatisticsOptions, type StatisticsSettings, toSettings } from "./settings.ts";

/** A sensor-day known only from cut counts: what is not listed lies between 0 and the smallest count listed. */
export type CutDay = ReturnType<typeof listCutDays>[number];

export interface Statistics {
  version: 2;
  options: StatisticsSettings;
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

/**
 * Work out all statistics of a reduced table in this thread.
 *
 * Pure: the same table and options give the same answer, and no clock is read.
 *
 * @throws {RangeError} if an option is out of range.
 */
export function computeStatistics(table: ReducedTable, options: StatisticsOptions = {}): Statistics {
  const { context, steps } = planStatistics(table, options);
  return settleAll(steps, ({ name, ask }) => workOut(context, name, ask));
}

/** Work all parts out one after another. */
export function settleAll<Result>(steps: Generator<readonly PartCall[], Result>, work: (call: PartCall) => Parts[PartName]["answer"]): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    for (const call of step.value) call.settle(work(call));
  }
}

/** What is to be worked out: step by step, the parts of a step in any order. Whoever drives it settles the calls. */
export interface StatisticsPlan {
  readonly context: PartContext;
  readonly steps: Generator<readonly PartCall[], Statistics>;
}

/**
 * What holds for all parts.
 *
 * @param table Its sums by sensor-day do as well.
 * @throws {RangeError} if an option is out of range.
 */
export function planContext(table: ReducedTable, options: StatisticsOptions = {}): PartContext {
  const { downtime = [], partlyCut, newSinceDay } = options;
  const settings = toSettings(options);
  const coverage = buildCoverage(table, { quietDays: settings.quietDays, downtime, ...(partlyCut && { partlyCut }) });
  const windows = buildWindows(coverage, settings);
  const known = sourceWindows(table, coverage, windows, of => buildWindows(of, settings));
  const novelty = {
    sinceDay: newSinceDay ?? coverage.firstDay + windows.shownOffset,
    returningAfterDays: settings.returningAfterDays,
    burnInDays: settings.burnInDays,
    limit: settings.listLimit,
  };
  return { coverage, windows, sourceWindows: known, settings, novelty };
}

/** @throws {RangeError} if an option is out of range. */
export function planStatistics(table: ReducedTable, options: StatisticsOptions = {}): StatisticsPlan {
  const context = planContext(table, options);
  return { context, steps: runSteps(table, context) };
}

function* runSteps(table: ReducedTable, context: PartContext): StatisticsPlan["steps"] {
  const { kinds, sources, named, ledgers, standOuts, trends } = yield* prepareSteps(table, context);
  // Counts of distinct values are compared like any others; they are few.
  const compared = [...kinds, toComparedDistinct(ledgers.flatMap(({ distinct }) => distinct), context.coverage), ...sources];
  const { changes, tests } = yield* compare(compared, context);
  const nameKeys = <R extends { readonly key: number }>(rows: readonly R[], at: number) =>
    rows.map(row => ({ ...row, key: compared[at]!.nameOf(row.key) }));
  return toStatistics(table, context, {
    ledgers: ledgers.map((ledger, i) => nameLedger(ledger, named[i]!.textOf)),
    standOuts: standOuts.map((kind, i) => ({ ...kind, found: nameKeys(kind.found, i) })),
    trends: trends.flatMap(nameKeys),
    changes: changes.flatMap(nameKeys),
    tests,
  });
}

/** What is to be compared, and all that can be said without a comparison. */
interface Prepared {
  /** Events by kind, and sources. */
  readonly kinds: readonly ComparedRows[];
  readonly sources: readonly ComparedRows[];
  /** In step with `ledgers`, by {@link VALUE_TYPES}. */
  readonly named: readonly Pick<NamedValueRows, "textOf">[];
  readonly ledgers: readonly LedgerPart[];
  /** In step with `kinds`. */
  readonly standOuts: readonly Parts["standOuts"]["answer"][];
  readonly trends: readonly Parts["trends"]["answer"][];
}

function* prepareSteps(table: ReducedTable, context: PartContext): Generator<readonly PartCall[], Prepared> {
  const { settings } = context;
  const comparedKinds = [...COMPARED_KINDS, ...ORIGIN_KINDS].filter(
    kind => settings.kinds.includes(kind) && rowsOf(table, kind) !== undefined,
  );
  const numbered = comparedKinds.map(kind => {
    const { rows } = rowsOf(table, kind)!;
    return new PartCall("number", { columns: keyColumns(table, kind), rows }, rows);
  });
  const families = context.sourceWindows === undefined ? [] : familiesOf(settings.kinds).map(family => familyColumns(table, family));
  const familyKeys = families.map(({ kind, columns }) => {
    const { rows } = table.kinds[kind];
    return new PartCall("number", { columns, rows }, rows);
  });
  // Credentials are numbered logins; the other values need no numbers first.
  const valueRows = VALUE_TYPES.map(type => (type === "credential" ? undefined : toValueRows(table, type)));
  const early = valueRows.map(values => (values === undefined ? undefined : ledgerCall(values.rows)));
  yield [...numbered, ...familyKeys, ...early.filter(call => call !== undefined)];

  const kinds = comparedKinds.map((kind, i) => {
    const keys = numbered[i]!.answer;
    const rows = toKeyedRows(table, kind, keys);
    return { kind, rows, nameOf: (key: number) => valuesOf(table, kind, keys, key) };
  });
  const sources = planSources(table, context, kinds, families.map((family, i) => ({ family, keys: familyKeys[i]!.answer })));
  const logins = numbered[comparedKinds.indexOf("login")]?.answer;
  const named = valueRows.map(values => values ?? toValueRows(table, "credential", logins));
  const ledgers = named.map(({ rows }, i) => early[i] ?? ledgerCall(rows));
  const ofEach = <N extends "standOuts" | "trends">(name: N) =>
    kinds.map(({ rows }) => new PartCall(name, rows, rows.rows));
  const standOuts = ofEach("standOuts");
  const trends = ofEach("trends");
  const counted = sources.map(({ call }) => call);
  yield [...ledgers.filter((_, i) => early[i] === undefined), ...standOuts, ...trends, ...counted];
  return {
    kinds,
    sources: sources.map(({ call, kind, nameOf }) => ({ kind, rows: call.answer, nameOf })),
    named,
    ledgers: answersOf(ledgers),
    standOuts: answersOf(standOuts),
    trends: answersOf(trends),
  };
}

/** What is compared, and what its keys stand for. */
export interface ComparedRows {
  readonly kind: ChangeKind;
  readonly rows: KeyedRows;
  readonly nameOf: (key: number) => KeyValues;
}

/** Numbers of distinct values, of all sensors. */
export function toComparedDistinct(distinct: readonly DistinctSeries[], coverage: Coverage): ComparedRows {
  const names = [...new Set(distinct.map(({ name }) => name))];
  return { kind: "distinct", rows: toDistinctRows(distinct, names, coverage), nameOf: key => [names[key]!] };
}

/** The counting of sources: of the kinds that have the same keys for both, then of families of keys. */
function planSources(
  table: ReducedTable,
  context: PartContext,
  kinds: readonly ComparedRows[],
  families: readonly { readonly family: FamilyColumns; readonly keys: InternedRows }[],
) {
  if (context.sourceWindows === undefined) return [];
  const asks = [
    ...SOURCE_KINDS.flatMap(kind => {
      const of = kinds.find(other => other.kind === kind);
      return of === undefined ? [] : [{ ask: toSourceAsk(table, kind, kind, of.rows, of.rows.marks), nameOf: of.nameOf }];
    }),
    ...families.map(({ family: of, keys }) => ({ ask: familyAsk(table, of, keys), nameOf: (key: number) => familyValues(table, of, keys, key) })),
  ];
  return asks.map(({ ask, nameOf }) => ({ kind: ask.kind, nameOf, call: new PartCall("sources", ask, ask.rows) }));
}

/** Compare all that is counted with its own past: how much it varies, what is usual, what passes, and all about that. */
function* compare(
  compared: readonly ComparedRows[],
  context: PartContext,
): Generator<readonly PartCall[], { changes: readonly Parts["changes"]["answer"][]; tests: TestCounts }> {
  const { coverage, windows, settings } = context;
  const units = unitsOf(compared);
  const ceiling = ceilingOf(context, units.length);
  const examined = compared.map(({ rows }) => new PartCall("examined", { rows, ceiling }, rows.rows));
  yield examined;
  const pooled = new Map(
    units.map(unit => {
      const of = examined.filter((_, i) => compared[i]!.rows.unit === unit);
      return [unit, new PartCall("pooled", of.map(({ answer }) => answer.samples), 0)];
    }),
  );
  yield [...pooled.values()];
  const comparisons = compared.map(({ rows: { unit, rows } }, i) => {
    const { samples, ...found } = examined[i]!.answer;
    return new PartCall("comparisons", { unit, samples, found: [found], pooled: pooled.get(unit)!.answer, ceiling }, rows);
  });
  yield comparisons;

  const judgement = judgeComparisons(
    compared.map(({ kind, rows }, i) => ({ kind, unit: rows.unit, compared: comparisons[i]!.answer[0]! })),
    coverage,
    windows,
    settings,
  );
  const changes = compared.map(({ kind, rows }, i) => {
    const sources = compared.find(other => other.kind === kind && other.rows.unit === "sources")?.rows;
    return new PartCall("changes", { rows, kept: comparisons[i]!.answer[0]!.kept, judged: judgement.kinds[i]!, sources }, rows.rows);
  });
  yield changes;
  return { changes: answersOf(changes), tests: judgement.tests };
}

/** What is counted of those that are compared. */
export function unitsOf(compared: readonly { readonly rows: Pick<KeyedRows, "unit"> }[]): Unit[] {
  return [...new Set(compared.map(({ rows }) => rows.unit))];
}

/** The p above which a comparison is let go. */
export function ceilingOf({ settings, coverage }: PartContext, units: number): number {
  return settings.rows === "all" ? 1 : largestReported(settings.q, units, coverage.sensors.length);
}

const answersOf = <N extends PartName>(calls: readonly PartCall<N>[]) => calls.map(({ answer }) => answer);

/** What was found, in words. */
interface FoundInWords {
  readonly ledgers: readonly NamedLedger[];
  readonly standOuts: readonly KindStandOuts[];
  readonly trends: readonly TrendRow[];
  readonly changes: readonly ChangeRow[];
  readonly tests: TestCounts;
}

/** What the ledger of one type of value says. */
export interface JoinedLedger<Value> extends Omit<LedgerPart, "novelty" | "onlyHere"> {
  readonly novelty: TypeNovelty<Value>;
  readonly onlyHere: readonly LedgerEntry<Value>[];
}
/** The same with values by their texts. */
export type NamedLedger = JoinedLedger<(string | null)[]>;

export function nameLedger(ledger: LedgerPart, textOf: NamedValueRows["textOf"]): NamedLedger {
  return { ...ledger, novelty: nameNovelty(ledger.novelty, textOf), onlyHere: nameEntries(ledger.onlyHere, textOf) };
}

/**
 * Put all together.
 *
 * @param table Its sums by sensor-day do as well, where no counts were cut.
 */
export function toStatistics(table: ReducedTable, context: PartContext, found: FoundInWords): Statistics {
  const { coverage, windows, settings, novelty } = context;
  const { firstDay, days } = coverage;
  const { ledgers } = found;
  const statistics: Statistics = {
    version: 2,
    options: settings,
    firstDay,
    lastDay: firstDay + days - 1,
    days,
    shownFirstDay: firstDay + windows.shownOffset,
    sensors: [...coverage.sensors],
    coverage: toSensorCoverage(coverage),
    outages: coverage.outages,
    silent: coverage.silent,
    cutDays: listCutDays(table, coverage),
    changes: sortChanges([...found.changes]),
    tests: found.tests,
    novelty: joinNovelty(
      ledgers.map(ledger => ledger.novelty),
      coverage,
      novelty,
    ),
    distinct: ledgers.flatMap(({ distinct }) => distinct),
    comparison: {
      spread: ledgers.map(({ spread }) => spread),
      onlyHere: ledgers.flatMap(({ onlyHere }) => onlyHere),
      ...judgeStandOuts(found.standOuts, coverage, toStandOutOptions(settings)),
    },
    trends: [...found.trends],
    weekday: describeWeekdays(coverage, windows),
    notes: [],
  };
  statistics.notes = listNotes(statistics, coverage);
  return statistics;
}

/** Reading values into a ledger takes the longest of all parts, row by row: several tables as large as the caches. */
const LEDGER_COST = 4;

function ledgerCall(rows: ValueRows): PartCall<"ledger"> {
  return new PartCall("ledger", rows, LEDGER_COST * rows.parts.reduce((sum, part) => sum + part.rows, 0));
}

/** The cut sensor-days, and per kind the smallest count listed: what is not listed lies between 0 and that. */
function listCutDays(table: ReducedTable, coverage: Coverage) {
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

function listNotes(statistics: Statistics, coverage: Coverage): string[] {
  const { tests, cutDays, weekday, silent, options, novelty } = statistics;
  const notes: string[] = [];
  const q = 100 * options.q;
  if (statistics.days === 0) return ["The table holds no day."];
  notes.push(
    tests.m === 0
      ? `Nothing was compared: ${whyNoComparison(statistics)}.`
      : `${formatNumber(tests.m)} comparisons were made together; of those reported, about ${q} % at most are expected to be chance.`,
  );
  notes.push(
    "Reported means unusual against its own past. It never means malicious, and not reported never means harmless.",
  );
  if (tests.m > 0 && !tests.byKind.some(({ unit }) => unit === "sources")) {
    notes.push("The table does not say which sources its counts came from: events were compared, and nothing else.");
  }
  notes.push(weekday.note);
  const ofSensors = `of ${statistics.sensors.length} sensors`;
  if (silent.length > 0) notes.push(`Silent when the archive ends: ${silent.length} ${ofSensors}.`);
  if (cutDays.length > 0) {
    notes.push(
      `${formatNumber(cutDays.length)} sensor-days come from counts cut to the most frequent: they are shown and never tested.`,
    );
  }
  const unknown = statistics.coverage.reduce((sum, { days }) => sum + days.split("?").length - 1, 0);
  if (unknown > 0 && options.quietDays === "unknown") {
    notes.push(`${formatNumber(unknown)} sensor-days without any event may be quiet or down; they are left out.`);
  }
  if (novelty.claimsFromDay === null) {
    notes.push(`Nothing is called new: ${whyNothingNew(statistics.coverage, options.burnInDays)}.`);
  }
  if (statistics.sensors.length === 1) notes.push("There is one sensor, so there is no fleet to compare it with.");
  else if (coverage.sensors.length > 1) {
    notes.push("The fleet's expectation is the sum over the sensors that were up, each against its own past.");
  }
  return notes;
}
