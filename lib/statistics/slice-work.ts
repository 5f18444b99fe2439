/**
 * Statistics of one slice of a table, in two rounds. The first notes how much its keys vary, and all that needs no comparison;
 * once that is known of every slice, the second holds its keys against their own past. What both leave is small: samples,
 * lists cut to what is shown, comparisons that may be reported and the number of the others.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import type { Slices } from "../reduced/table-slices.ts";
import { type ChangeRow, describeChanges } from "./change.ts";
import { compareKeys, type KindComparisons } from "./comparisons.ts";
import { type DispersionSamples, learnOwn } from "./dispersion.ts";
import { joinMeasures, learnOf } from "./join-slices.ts";
import { buildLedger, type LedgerEntry } from "./ledger.ts";
import { countDistinctPerDay, DISTINCT_OF, type DistinctSeries } from "./distinct.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { findNovelty, type TypeNovelty } from "./novelty.ts";
import { countShared, countSpread, findStandOuts, type KindStandOuts, listOnlyHere, type SpreadCounts } from "./sensor-compare.ts";
import { type SliceName, toStatisticsTables } from "./slice-rules.ts";
import { ceilingOf, type ComparedRows, type FirstPlace, planContext, type Prepared, prepareSteps, settleAll, unitsOf } from "./statistics.ts";
import { type LedgerPart, type PartContext, type PartName, toStandOutOptions, windowsOf, workOut } from "./statistics-parts.ts";
import type { StatisticsOptions } from "./settings.ts";
import { fitLeaders, type TrendRow } from "./trend.ts";
import { maskCommand } from "../text/masks.ts";
import { type NamedValueRows, type ValueSource, VALUE_TYPES, type ValueType } from "./value-rows.ts";

export type StatisticsSlices = Slices<SliceName>;

/** What a slice knows of keys that are compared. */
export interface MeasuredKeys extends Pick<KeyedRows, "kind" | "unit" | "keys"> {
  /** Their `key` leads to `sampled`. */
  readonly samples: DispersionSamples;
  readonly sampled: readonly { readonly mark: number; readonly first: FirstPlace }[];
}

export interface MeasuredKind extends MeasuredKeys {
  readonly standOuts: KindStandOuts;
  /** The most frequent keys, whose trends are told. */
  readonly leaders: readonly { readonly total: number; readonly first: FirstPlace; readonly trends: readonly TrendRow[] }[];
}

/** An entry, and what settles which of two equal ones comes first. */
export type Ordered<Entry extends LedgerEntry = LedgerEntry> = Entry & { readonly order: FirstPlace };
type OrderedLists = { readonly [List in "new" | "newHere" | "returning" | "gone"]: readonly Ordered<TypeNovelty[List][number]>[] };

export interface MeasuredValues extends OrderedLists {
  readonly total: TypeNovelty["total"];
  readonly onlyHere: readonly Ordered[];
  readonly distinct: readonly DistinctSeries[];
  readonly spread: SpreadCounts;
  /** Values that two sensors both saw, of all sensors, see `countShared`. */
  readonly shared: Float64Array;
}

/** What the first round leaves of one slice. */
export interface Measures {
  /** In the order in which they are compared. */
  readonly kinds: readonly MeasuredKind[];
  readonly sources: readonly MeasuredKeys[];
  /** By `VALUE_TYPES`. */
  readonly values: readonly MeasuredValues[];
}

/** What the second round leaves, kind by kind and then sources by sources. */
export interface SliceComparisons {
  readonly compared: readonly {
    readonly keys: number;
    readonly comparisons: KindComparisons;
    /** The kept comparisons one by one, told as if they were reported. */
    readonly rows: readonly ChangeRow[];
  }[];
}

/** @throws {RangeError} if an option is out of range. */
export function measureSlice(slices: StatisticsSlices, options: StatisticsOptions): Measures {
  const context = planContext(slices.cells.table, options);
  const values = new Map<ValueType, SpreadOfType>();
  const prepared = prepare(slices, context, values);
  return {
    kinds: prepared.kinds.map((one, i) => measureKind(one, prepared.standOuts[i]!, context)),
    sources: prepared.sources.map(one => measureKeys(one, context)),
    values: VALUE_TYPES.map((type, i) => {
      const order = orderOf(type, slices, prepared, prepared.named[i]!.textOf);
      return measureValues(prepared.ledgers[i]!, values.get(type)!, prepared.named[i]!.textOf, order);
    }),
  };
}

/** @param measured The first round of every slice. */
export function compareSlice(slices: StatisticsSlices, options: StatisticsOptions, measured: readonly Measures[]): SliceComparisons {
  const context = planContext(slices.cells.table, options);
  const { kinds, sources } = prepare(slices, context);
  const joined = joinMeasures(measured, context);
  const usual = learnOf(joined);
  const compared = [...kinds, ...sources];
  const ceiling = ceilingOf(context, unitsOf(compared).length);
  return {
    compared: compared.map((one, i) => {
      const { kind, rows, nameOf } = one;
      const pooled = usual.get(rows.unit)!;
      const windows = windowsOf(context, rows);
      const own = learnOwn(joined.samples[i]!, pooled);
      const comparisons = compareKeys(rows, context.coverage, windows, { own, pooled }, ceiling);
      const { kept } = comparisons;
      const judged = { q: kept.p, reported: new Uint8Array(kept.length).fill(1) };
      const of = compared.find(other => other.kind === kind && other.rows.unit === "sources")?.rows;
      const changes = describeChanges(rows, kept, judged, context.coverage, windows, context.settings, of);
      return { keys: rows.keys, comparisons, rows: changes.map(row => ({ ...row, key: nameOf(row.key) })) };
    }),
  };
}

/** What of a ledger can be added up. */
interface SpreadOfType {
  readonly spread: SpreadCounts;
  readonly shared: Float64Array;
}

/** @param values Takes how the values of each type spread over the sensors; without it nothing but comparisons is prepared. */
function prepare(slices: StatisticsSlices, context: PartContext, values?: Map<ValueType, SpreadOfType>): Prepared {
  const all = slices.cells.table.kinds;
  const { ofType, ...tables } = toStatisticsTables(slices.tables);
  return settleAll(prepareSteps(values === undefined ? tables : { ...tables, ofType: ofType! }, context), call => {
    switch (call.name) {
      case "standOuts": {
        const ask = call.ask as ComparedRows["rows"];
        if (values === undefined) return { tests: 0, ps: new Float64Array(0), found: [] };
        return findStandOuts(ask, context.coverage, toStandOutOptions(context.settings), all[ask.kind as keyof typeof all]);
      }
      case "ledger":
        return readPart(context, call.ask as ValueSource, values!);
      case "trends":
        // Told of leaders, see `measureKind`.
        return [];
      default:
        return workOut(context, call.name as PartName, call.ask);
    }
  });
}

function readPart({ coverage, settings, novelty }: PartContext, rows: ValueSource, values: Map<ValueType, SpreadOfType>): LedgerPart {
  const ledger = buildLedger(rows, coverage, novelty.sinceDay);
  const name = DISTINCT_OF.get(rows.type);
  const [spread, shared] = [countSpread(ledger), countShared(ledger, [...coverage.sensors.keys()])];
  values.set(rows.type, { spread, shared });
  return {
    novelty: findNovelty(ledger, coverage, novelty),
    distinct: name === undefined ? [] : countDistinctPerDay(ledger, name, coverage),
    // Of one slice alone it says nothing.
    spread: { type: rows.type, sensorsSeen: [], perSensor: [], similarity: [], compared: [] },
    onlyHere: listOnlyHere(ledger, coverage.sensors, settings.listLimit),
  };
}

function measureKeys({ rows, firstOf }: ComparedRows, context: PartContext): MeasuredKeys {
  const samples = workOut(context, "dispersions", rows);
  const places = new Map<number, number>();
  const key = samples.key.map(key => {
    const known = places.get(key) ?? places.size;
    places.set(key, known);
    return known;
  });
  const sampled = Array.from(places.keys(), key => ({ mark: rows.marks![key]!, first: firstOf!(key) }));
  const { kind, unit, keys } = rows;
  return { kind, unit, keys, samples: { ...samples, key }, sampled };
}

function measureKind(one: ComparedRows, standOuts: KindStandOuts<number>, context: PartContext): MeasuredKind {
  const { rows, nameOf, firstOf } = one;
  return {
    ...measureKeys(one, context),
    standOuts: { ...standOuts, found: standOuts.found.map(row => ({ ...row, key: nameOf(row.key) })) },
    leaders: fitLeaders(rows, context.coverage).map(({ key, total, trends }) => {
      return { total, first: firstOf!(key), trends: trends.map(row => ({ ...row, key: nameOf(row.key) })) };
    }),
  };
}

function measureValues(
  { novelty, distinct, onlyHere }: LedgerPart,
  { spread, shared }: SpreadOfType,
  textOf: NamedValueRows["textOf"],
  orderOf: (value: number) => FirstPlace,
): MeasuredValues {
  const name = <E extends LedgerEntry<number>>(entries: readonly E[]) =>
    entries.map(entry => ({ ...entry, value: textOf(entry.value), order: orderOf(entry.value) }));
  return {
    total: novelty.total,
    new: name(novelty.new),
    newHere: name(novelty.newHere),
    returning: name(novelty.returning),
    gone: name(novelty.gone),
    onlyHere: name(onlyHere),
    distinct,
    spread,
    shared,
  };
}

/** In which order the values of a type are numbered in a whole table. */
function orderOf(type: ValueType, { tables }: StatisticsSlices, { kinds }: Prepared, textOf: NamedValueRows["textOf"]): (value: number) => FirstPlace {
  if (type === "credential") return kinds.find(({ kind }) => kind === "login")!.firstOf!;
  if (type !== "command") return textOf;
  // By the first of the commands that are counted as one.
  const firsts = new Map<string, string>();
  for (const input of tables.masked.dictionaries.input) {
    const masked = maskCommand(input);
    if (!firsts.has(masked)) firsts.set(masked, input);
  }
  return value => [firsts.get(textOf(value)[0]!)!];
}
