/**
 * The comparisons of a table that stays in its file as tasks, each for one slice of the keys of one unit: how much they vary, then
 * how they stand against their own past, then all about those that are told. Rows are read anew each time, and none is left behind.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import { type Given, lookUp } from "../reduced/stored-pool.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { type ChangeRow, describeChanges } from "./change.ts";
import { compareKeys, type Comparisons, type KindComparisons, measureDispersions } from "./comparisons.ts";
import { type CodedTexts, codesIn, type ComparedUnit } from "./compared-units.ts";
import type { DispersionSamples, UsualDispersions } from "./dispersion.ts";
import { type KeyedRows, MARKED_KEYS, type Unit } from "./keyed-rows.ts";
import type { JudgedKind } from "./judgement.ts";
import { findStandOuts, type KindStandOuts } from "./sensor-compare.ts";
import { type PartContext, toStandOutOptions, windowsOf } from "./statistics-parts.ts";
import { type KeySlice, readUnit, SliceKeys } from "./unit-rows.ts";

/** What all tasks look at. */
export interface StoredContext {
  readonly context: PartContext;
  readonly units: readonly ComparedUnit[];
  readonly coded: CodedTexts;
  readonly cells: CellSums["table"]["kinds"];
  /** The first day that any comparison looks at. */
  readonly fromDay: number;
}

export interface UnitAsk {
  readonly given: Given<StoredContext>;
  /** Place among the units. */
  readonly unit: number;
}

export interface KeySliceAsk extends UnitAsk {
  readonly slice: KeySlice;
}

/** Codes of keys, of each column of the unit: those of key k are `codes[column][k]`. */
type KeyCodes = readonly Int32Array[];

/** How much some keys vary: of those that are a sample, in its order, the codes and marks. */
export interface UnitSamples {
  readonly keys: number;
  readonly samples: DispersionSamples;
  readonly codes: KeyCodes;
  readonly marks: Uint32Array;
}

export interface MeasuredUnit {
  readonly events?: UnitSamples & { readonly standOuts: KindStandOuts<number[]> };
  readonly sources?: UnitSamples;
}

function measureUnit(stored: StoredTable, { given, unit: place, slice }: KeySliceAsk): MeasuredUnit {
  const { context, units, coded, cells, fromDay } = lookUp(given);
  const unit = units[place]!;
  const keys = new SliceKeys(unit.columns.length, slice);
  const { events, sources } = readUnit(stored, unit, context, coded, { first: fromDay }, keys, keys, wantedOf(unit));
  const standOuts = events && findStandOuts(events, context.coverage, toStandOutOptions(context.settings), cells[unit.kind]);
  return {
    ...(events && { events: { ...sampleKeys(events, keys, context), standOuts: { ...standOuts!, found: standOuts!.found.map(row => ({ ...row, key: codesOfKey(keys, row.key) })) } } }),
    ...(sources && { sources: sampleKeys(sources, keys, context) }),
  };
}

function wantedOf({ family, hasSources }: ComparedUnit) {
  return { events: family === undefined, sources: hasSources };
}

function codesOfKey(keys: SliceKeys, key: number): number[] {
  return keys.codesOf(Int32Array.of(key)).map(column => column[0]!);
}

function sampleKeys(rows: KeyedRows, keys: SliceKeys, context: PartContext): UnitSamples {
  const samples = measureDispersions(rows, context.coverage, windowsOf(context, rows));
  const { places, key } = numberAnew(samples.key);
  return { keys: rows.keys, samples: { ...samples, key }, codes: keys.codesOf(places), marks: Uint32Array.from(places, of => rows.marks![of]!) };
}

/** Some of many keys by their places among those that occur. */
function numberAnew(keys: ArrayLike<number>) {
  const known = new Map<number, number>();
  const key = Int32Array.from(keys, of => {
    const place = known.get(of) ?? known.size;
    known.set(of, place);
    return place;
  });
  return { places: Int32Array.from(known.keys()), key };
}

/** What came of the comparisons of some keys; `kept.key` leads to the codes. */
export interface ComparedKeys {
  readonly comparisons: KindComparisons;
  readonly codes: KeyCodes;
  /** Rows of each of these keys on the days that are compared. */
  readonly rows: Int32Array;
}

export interface CompareAsk extends KeySliceAsk {
  readonly usual: Readonly<Partial<Record<Unit, { readonly own: UsualDispersions; readonly pooled: Given<UsualDispersions> }>>>;
  readonly ceiling: number;
}

function compareUnit(stored: StoredTable, { given, unit: place, slice, usual, ceiling }: CompareAsk): Partial<Record<Unit, ComparedKeys>> {
  const { context, units, coded, fromDay } = lookUp(given);
  const unit = units[place]!;
  const keys = new SliceKeys(unit.columns.length, slice);
  const read = readUnit(stored, unit, context, coded, { first: fromDay }, keys, keys, wantedOf(unit));
  const compare = (rows: KeyedRows): ComparedKeys => {
    const { own, pooled } = usual[rows.unit]!;
    const comparisons = compareKeys(rows, context.coverage, windowsOf(context, rows), { own, pooled: lookUp(pooled) }, ceiling);
    const { places, key } = numberAnew(comparisons.kept.key);
    const rowsOf = new Int32Array(rows.keys);
    for (let row = 0; row < rows.rows; row++) rowsOf[rows.key[row]!]!++;
    return { comparisons: { ...comparisons, kept: { ...comparisons.kept, key: Float64Array.from(key) } }, codes: keys.codesOf(places), rows: places.map(of => rowsOf[of]!) };
  };
  return { ...(read.events && { events: compare(read.events) }), ...(read.sources && { sources: compare(read.sources) }) };
}

export interface DescribeAsk extends UnitAsk {
  readonly counted: Unit;
  /** The keys that are told; the `key` of what is kept leads there. */
  readonly codes: KeyCodes;
  readonly kept: Comparisons;
  readonly judged: JudgedKind;
}

/** All about comparisons that are told, from the rows of their keys on all days. */
function describeUnit(stored: StoredTable, { given, unit: place, counted, codes, kept, judged }: DescribeAsk): ChangeRow<number>[] {
  const { context, units, coded } = lookUp(given);
  const unit = units[place]!;
  const size = codes[0]!.length;
  const finder = new ChosenTuples(tuplesOf(codes));
  const { events, sources } = readUnit(stored, unit, context, coded, {}, finder, { size, codesOf: () => codes }, { events: counted === "events", sources: unit.hasSources });
  const rows = (counted === "events" ? events : sources)!;
  return describeChanges(rows, kept, judged, context.coverage, windowsOf(context, rows), context.settings, sources);
}

function tuplesOf(codes: KeyCodes): number[][] {
  return Array.from(codes[0]!, (_, key) => codes.map(column => column[key]!));
}

export interface FirstsAsk extends UnitAsk {
  readonly codes: KeyCodes;
}

export interface KeyFirsts {
  /** How many keys the unit has on all days; more than {@link MARKED_KEYS} are not counted on. */
  readonly keys: number;
  /** The place of the first row of each key that was asked for, among all rows of its kind. */
  readonly first: Float64Array;
}

/** Where keys stand first. No more rows are read than are needed for it. */
function findFirsts(stored: StoredTable, { given, unit: place, codes }: FirstsAsk): KeyFirsts {
  const { units, coded } = lookUp(given);
  const unit = units[place]!;
  const columnsOf = codesIn(unit, coded);
  const all = new TupleNumbers(unit.columns.length);
  const finder = new ChosenTuples(tuplesOf(codes));
  const first = new Float64Array(codes[0]!.length).fill(-1);
  let [missing, at] = [first.length, 0];
  for (const part of stored.parts(unit.kind)) {
    const columns = columnsOf(part);
    if (all.size <= MARKED_KEYS) all.number(columns, part.rows);
    const { rows, numbers } = finder.find(columns, part.rows);
    for (let i = 0; i < rows.length; i++) {
      if (first[numbers[i]!]! >= 0) continue;
      first[numbers[i]!] = at + rows[i]!;
      missing--;
    }
    at += part.rows;
    if (missing === 0 && all.size > MARKED_KEYS) break;
  }
  return { keys: all.size, first };
}

export const UNIT_TASKS = { measureUnit, compareUnit, describeUnit, findFirsts };
