/**
 * Statistics of one slice of a table, in two rounds. The first notes how much its keys vary, and all that needs no comparison;
 * once that is known of every slice, the second holds its keys against their own past. What both leave is small: samples,
 * lists cut to what is shown, comparisons that may be reported and the number of the others. Kinds are looked at one after the
 * other, and no more of them is held than the days that are looked at.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { COMPARED_KINDS, type Kind } from "../reduced/kinds.ts";
import { rowsOf } from "../reduced/origin-kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { maskCommand } from "../text/masks.ts";
import { type ChangeRow, describeChanges } from "./change.ts";
import { compareKeys, type KindComparisons, measureDispersions } from "./comparisons.ts";
import { type DispersionSamples, learnOwn, type UsualDispersions } from "./dispersion.ts";
import { type FirstPlace, placeOfRow } from "./first-places.ts";
import { type ComparedName, joinSamples, learnOf } from "./join-samples.ts";
import { buildLedger, type LedgerEntry } from "./ledger.ts";
import { countDistinctPerDay, DISTINCT_OF, type DistinctSeries } from "./distinct.ts";
import { type ChangeKind, type InternedRows, internRows, keyColumns, type KeyedRows, type KeyValues, toKeyedRows, type Unit, valuesOf } from "./keyed-rows.ts";
import { findNovelty, ledgerDays, type TypeNovelty } from "./novelty.ts";
import { countShared, countSpread, findStandOuts, type KindStandOuts, listOnlyHere, type SpreadCounts } from "./sensor-compare.ts";
import { type Holding, HOLDINGS, type SliceName, sourcesIn, type StatisticsSlices, typesIn } from "./slice-rules.ts";
import { countSources, familiesOf, familyAsk, familyColumns, familyValues, SOURCE_KINDS, toSourceAsk } from "./source-counts.ts";
import { ceilingOf, type ComparedRows, toComparedDistinct } from "./statistics.ts";
import { type PartContext, toStandOutOptions, windowsOf } from "./statistics-parts.ts";
import { fitLeaders, type TrendRow } from "./trend.ts";
import { type NamedValueRows, toValueRows, VALUE_TYPES, type ValueType } from "./value-rows.ts";

/** What a slice knows of keys that are compared. */
export interface MeasuredKeys extends ComparedName {
  readonly keys: number;
  /** Their `key` leads to `sampled`. */
  readonly samples: DispersionSamples;
  readonly sampled: readonly { readonly mark: number; readonly first: FirstPlace }[];
}

/** What the second round must know of the first. */
export interface MeasuredSamples {
  readonly compared: readonly MeasuredKeys[];
  readonly distinct: readonly (readonly DistinctSeries[])[];
}

export interface MeasuredKind {
  readonly kind: ChangeKind;
  readonly standOuts: KindStandOuts;
  /** The most frequent keys, whose trends are told. */
  readonly leaders: readonly { readonly total: number; readonly first: FirstPlace; readonly trends: readonly TrendRow[] }[];
}

/** An entry, and what settles which of two equal ones comes first. */
export type Ordered<Entry = LedgerEntry> = Entry & { readonly order: FirstPlace };
type OrderedLists<Value> = { readonly [List in "new" | "newHere" | "returning" | "gone"]: readonly Ordered<TypeNovelty<Value>[List][number]>[] };

/** @typeParam Value Codes until they are named. */
export interface MeasuredValues<Value = (string | null)[]> extends OrderedLists<Value> {
  readonly total: TypeNovelty["total"];
  readonly onlyHere: readonly Ordered<LedgerEntry<Value>>[];
  readonly distinct: readonly DistinctSeries[];
  readonly spread: SpreadCounts;
  /** Values that two sensors both saw, of all sensors, see `countShared`. */
  readonly shared: Float64Array;
}

/** What the last step tells of the first round. */
export interface Listed {
  /** In the order in which they are compared. */
  readonly kinds: readonly MeasuredKind[];
  /** By `VALUE_TYPES`. */
  readonly values: readonly MeasuredValues[];
}

/** What came of the comparisons of some keys. */
export interface ComparedPart extends ComparedName {
  readonly keys: number;
  readonly comparisons: KindComparisons;
  /** The kept comparisons one by one, told as if they were reported. */
  readonly rows: readonly ChangeRow[];
}

/** Looks at one holding after another in the first round. */
export class SliceMeasurer {
  readonly #context: PartContext;
  readonly #slices: StatisticsSlices;
  readonly #kinds = new Map<ChangeKind, MeasuredKind>();
  readonly #samples: MeasuredKeys[] = [];
  readonly #values = new Map<ValueType, MeasuredValues>();

  constructor(slices: StatisticsSlices, context: PartContext) {
    this.#slices = slices;
    this.#context = context;
  }

  look(name: SliceName, kinds: readonly Kind[], table: ReducedTable): void {
    const { events, sources } = comparedIn(name, kinds, table, this.#context);
    for (const one of events) {
      this.#kinds.set(one.kind, measureKind(one, this.#context, this.#slices.cells.table));
      this.#samples.push(measureKeys(one, this.#context));
    }
    for (const count of sources) this.#samples.push(measureKeys(count(), this.#context));
    for (const type of typesIn(name, kinds)) this.#values.set(type, measureValues(table, type, this.#context, events[0]?.numbered));
  }

  finish(): { readonly samples: MeasuredSamples; readonly listed: Listed } {
    const values = VALUE_TYPES.map(type => this.#values.get(type)!);
    const kinds = COMPARED_KINDS.flatMap(kind => this.#kinds.get(kind) ?? []);
    return { samples: { compared: this.#samples, distinct: values.map(({ distinct }) => distinct) }, listed: { kinds, values } };
  }
}

/** What is compared, and where its keys stand first. */
interface PlacedRows extends ComparedRows {
  readonly numbered: InternedRows;
  readonly firstOf: (key: number) => FirstPlace;
}

/** What a holding is compared by: events of its kinds, and sources, counted when they are asked for. */
function comparedIn(name: SliceName, kinds: readonly Kind[], table: ReducedTable, context: PartContext, marks = true) {
  const { settings, coverage, sourceWindows } = context;
  // Nobody knows how many keys the other slices have: a sample is drawn by marks.
  const markedFrom = marks ? 0 : Infinity;
  const own = name === "keys" ? COMPARED_KINDS.filter(kind => kinds.includes(kind) && settings.kinds.includes(kind)) : [];
  const events = own.map((kind): PlacedRows => {
    const keys = internRows(keyColumns(table, kind), rowsOf(table, kind)!.rows);
    const rows = toKeyedRows(table, kind, keys, markedFrom);
    return { kind, rows, numbered: keys, nameOf: key => valuesOf(table, kind, keys, key), firstOf: key => placeOfRow(table.kinds[kind], table, keys.firstRow[key]!) };
  });
  const sources = sourceWindows === undefined ? [] : [
    ...events.filter(({ kind }) => (SOURCE_KINDS as readonly ChangeKind[]).includes(kind)).map(({ kind, rows, ...more }) => (): PlacedRows => {
      const ask = toSourceAsk(table, kind as Kind, kind, rows, rows.marks);
      return { kind, rows: countSources(ask, coverage, sourceWindows), ...more };
    }),
    ...sourcesIn(name).filter(family => familiesOf(settings.kinds).includes(family)).map(family => (): PlacedRows => {
      const of = familyColumns(table, family);
      const keys = internRows(of.columns, table.kinds[of.kind].rows);
      const rows = countSources(familyAsk(table, of, keys, markedFrom), coverage, sourceWindows);
      return { kind: family, rows, numbered: keys, nameOf: key => familyValues(table, of, keys, key), firstOf: key => placeOfRow(table.kinds[of.kind], table, keys.firstRow[key]!) };
    }),
  ];
  return { events, sources };
}

function measureKeys({ kind, rows, firstOf }: PlacedRows, context: PartContext): MeasuredKeys {
  const samples = measureDispersions(rows, context.coverage, windowsOf(context, rows));
  const places = new Map<number, number>();
  const key = samples.key.map(key => {
    const known = places.get(key) ?? places.size;
    places.set(key, known);
    return known;
  });
  const sampled = Array.from(places.keys(), key => ({ mark: rows.marks![key]!, first: firstOf(key) }));
  return { kind, unit: rows.unit, keys: rows.keys, samples: { ...samples, key }, sampled };
}

/** @param all The sums of the table. */
function measureKind({ kind, rows, nameOf, firstOf }: PlacedRows, { coverage, settings }: PartContext, { kinds: all }: ReducedTable): MeasuredKind {
  const standOuts = findStandOuts(rows, coverage, toStandOutOptions(settings), all[kind as Kind]);
  return {
    kind,
    standOuts: { ...standOuts, found: standOuts.found.map(row => ({ ...row, key: nameOf(row.key) })) },
    leaders: fitLeaders(rows, coverage).map(({ key, total, trends }) => {
      return { total, first: firstOf(key), trends: trends.map(row => ({ ...row, key: nameOf(row.key) })) };
    }),
  };
}

/** @param numbered The keys of the kind, where they are compared: credentials are those of logins. */
function measureValues(table: ReducedTable, type: ValueType, { coverage, settings, novelty }: PartContext, numbered: InternedRows | undefined): MeasuredValues {
  const logins = type === "credential" ? (numbered ?? internRows(keyColumns(table, "login"), table.kinds.login.rows)) : undefined;
  const { rows, textOf } = toValueRows(table, type, logins);
  const ledger = buildLedger(rows, coverage, ledgerDays(coverage, novelty));
  const distinct = DISTINCT_OF.get(type);
  const found = findNovelty(ledger, coverage, novelty);
  const orderOf = logins === undefined ? orderByText(table, type, textOf) : (value: number) => placeOfRow(table.kinds.login, table, logins.firstRow[value]!);
  const name = <E extends LedgerEntry<number>>(entries: readonly E[]) =>
    entries.map(entry => ({ ...entry, value: textOf(entry.value), order: orderOf(entry.value) }));
  return {
    total: found.total,
    new: name(found.new),
    newHere: name(found.newHere),
    returning: name(found.returning),
    gone: name(found.gone),
    onlyHere: name(listOnlyHere(ledger, coverage.sensors, settings.listLimit)),
    distinct: distinct === undefined ? [] : countDistinctPerDay(ledger, distinct, coverage),
    spread: countSpread(ledger),
    shared: countShared(ledger, [...coverage.sensors.keys()]),
  };
}

/** In which order the values of a type are numbered in a whole table: commands by the first of those that are counted as one. */
function orderByText(table: ReducedTable, type: ValueType, textOf: NamedValueRows["textOf"]): (value: number) => FirstPlace {
  if (type !== "command") return textOf;
  const firsts = new Map<string, string>();
  for (const input of table.dictionaries.input) {
    const masked = maskCommand(input);
    if (!firsts.has(masked)) firsts.set(masked, input);
  }
  return value => [firsts.get(textOf(value)[0]!)!];
}

/** What is usual among the keys of all slices. */
export interface UsualOfAll {
  readonly pooled: ReadonlyMap<Unit, UsualDispersions>;
  /** What is compared, and what is usual in it. */
  readonly own: readonly (ComparedName & { readonly usual: UsualDispersions })[];
  readonly ofDistinct: UsualDispersions;
  /** Numbers of distinct values. */
  readonly series: readonly DistinctSeries[];
  /** The p above which a comparison is let go. */
  readonly ceiling: number;
}

/** @param measured The first round of every slice. */
export function learnFromAll(measured: readonly MeasuredSamples[], context: PartContext): UsualOfAll {
  const { names, samples, ofDistinct, series } = joinSamples(measured, context);
  const pooled = learnOf({ names, samples, ofDistinct });
  const own = names.map((name, i) => ({ ...name, usual: learnOwn(samples[i]!, pooled.get(name.unit)!) }));
  const ceiling = ceilingOf(context, new Set(names.map(({ unit }) => unit)).size);
  return { pooled, own, ofDistinct: learnOwn(ofDistinct, pooled.get("events")!), series, ceiling };
}

/** The second round of one slice. */
export function compareSlice(slices: StatisticsSlices, context: PartContext, usual: UsualOfAll): ComparedPart[] {
  const firstDay = context.coverage.firstDay + firstLookedAt(context);
  return HOLDINGS.flatMap(holding => {
    const { name, kinds } = holding;
    // Values alone are made of the others.
    if (name !== "keys" && sourcesIn(name).length === 0) return [];
    const table = slices.read(name, { kinds, withoutTimes: true, ...(name !== "few" && { firstDay }) });
    const { events, sources } = comparedIn(name, kinds, table, context, false);
    const found = [...events.map(one => compareOne(one, context, usual)), ...sources.map(count => compareOne(count(), context, usual))];
    return tellKept(slices, holding, context, found, name === "few" ? table : undefined);
  });
}

/** Numbers of distinct values, which no slice knows alone. */
export function compareDistinct({ ofDistinct, series, pooled, ceiling }: UsualOfAll, context: PartContext): ComparedPart {
  const { rows, nameOf } = toComparedDistinct(series, context.coverage);
  const usual = { own: ofDistinct, pooled: pooled.get("events")! };
  const comparisons = compareKeys(rows, context.coverage, context.windows, usual, ceiling);
  const changes = describe(rows, comparisons, context, undefined);
  return { kind: "distinct", unit: "events", keys: rows.keys, comparisons, rows: changes.map(row => ({ ...row, key: nameOf(row.key) })) };
}

/** The first day that any comparison looks at, counted from the archive's first. */
function firstLookedAt({ coverage, windows, sourceWindows }: PartContext): number {
  return [...windows.firstOffset, ...(sourceWindows?.firstOffset ?? [])].reduce((least, offset) => Math.min(least, offset), coverage.days);
}

interface FoundInKeys extends ComparedRows {
  readonly comparisons: KindComparisons;
}

function compareOne(one: ComparedRows, context: PartContext, { own, pooled, ceiling }: UsualOfAll): FoundInKeys {
  const { kind, rows } = one;
  const { usual } = own.find(name => name.kind === kind && name.unit === rows.unit)!;
  return { ...one, comparisons: compareKeys(rows, context.coverage, windowsOf(context, rows), { own: usual, pooled: pooled.get(rows.unit)! }, ceiling) };
}

/**
 * The comparisons that are kept, told by all rows of their keys, which are read for it.
 *
 * @param all All rows, where they are at hand.
 */
function tellKept(slices: StatisticsSlices, { name, kinds }: Holding, context: PartContext, found: readonly FoundInKeys[], all: ReducedTable | undefined): ComparedPart[] {
  const named = found.map(one => ({ ...one, names: new Map(Array.from(new Set(one.comparisons.kept.key), key => [key, one.nameOf(key)])) }));
  const isTold = named.some(({ names }) => names.size > 0);
  const table = !isTold ? undefined : (all ?? slices.read(name, { kinds, withoutTimes: true, hashes: new Set(named.flatMap(({ names }) => Array.from(names.values(), values => slices.hashOf(name, kinds[0]!, values)))) }));
  const own = table && comparedIn(name, kinds, table, context, false);
  const sources = own?.sources.map(count => count()) ?? [];
  return named.map(({ kind, rows: { unit, keys }, comparisons, names }) => {
    if (names.size === 0) return { kind, unit, keys, comparisons, rows: [] };
    const ofSources = sources.find(other => other.kind === kind);
    const whole = unit === "sources" ? ofSources! : own!.events.find(other => other.kind === kind)!;
    return { kind, unit, keys, comparisons, rows: describeWhole(whole, names, comparisons, context, ofSources?.rows) };
  });
}

/** Kept comparisons, of keys that have other numbers where all their rows are. */
function describeWhole({ rows, nameOf }: ComparedRows, names: ReadonlyMap<number, KeyValues>, comparisons: KindComparisons, context: PartContext, sources: KeyedRows | undefined): ChangeRow[] {
  const numbers = new Map(Array.from({ length: rows.keys }, (_, key) => [JSON.stringify(nameOf(key)), key]));
  const key = comparisons.kept.key.map(own => numbers.get(JSON.stringify(names.get(own)))!);
  const changes = describe(rows, { ...comparisons, kept: { ...comparisons.kept, key } }, context, sources);
  return changes.map(row => ({ ...row, key: nameOf(row.key) }));
}

function describe(rows: KeyedRows, { kept }: KindComparisons, context: PartContext, sources: KeyedRows | undefined): ChangeRow<number>[] {
  const judged = { q: kept.p, reported: new Uint8Array(kept.length).fill(1) };
  return describeChanges(rows, kept, judged, context.coverage, windowsOf(context, rows), context.settings, sources);
}
