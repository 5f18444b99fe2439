/**
 * The comparisons of a table that stays in its file as tasks, each for one slice of the keys of one unit: how much they vary and how
 * they stand against their own past, as far as that is known before all are looked at; then all about those that are told. No row
 * is left behind.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import { pack, type Packed, unpack } from "../process/packed-store.ts";
import { type Given, lookUp } from "../reduced/stored-pool.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { type ChangeRow, describeChanges } from "./change.ts";
import { type Comparisons, type ExaminedKeys, examineKeys, type KindComparisons, type OpenComparisons } from "./comparisons.ts";
import { type CodedTexts, codesIn, type ComparedUnit } from "./compared-units.ts";
import { type DispersionSamples, learnPooled, type UsualDispersions } from "./dispersion.ts";
import { type KeyedRows, MARKED_KEYS, type Unit } from "./keyed-rows.ts";
import type { JudgedKind } from "./judgement.ts";
import { findStandOuts, type KindStandOuts } from "./sensor-compare.ts";
import { type PartContext, settle, type SettleAsk, toStandOutOptions, windowsOf } from "./statistics-parts.ts";
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

/** Codes of keys, of each column of the unit: those of key k are `codes[column][k]`. */
type KeyCodes = readonly Int32Array[];

/** How many comparisons there are, and those that are open, packed: of many sensors they are more than all else, and nobody looks at them before all kinds are examined. */
export interface FoundInUnit extends Omit<ExaminedKeys, "samples" | "open"> {
  readonly open: Packed;
}

/** What is found of the keys of a slice. */
export interface ExaminedUnit {
  readonly keys: number;
  readonly samples: DispersionSamples;
  /** Of the sampled keys, to which `samples.key` leads, codes and marks. */
  readonly codes: KeyCodes;
  readonly marks: Uint32Array;
  /** Comparisons, with keys as {@link openKeys} has them. */
  readonly found: FoundInUnit;
  readonly openKeys: OpenKeys;
}

/** Keys that have an open comparison. */
export interface OpenKeys {
  readonly codes: KeyCodes;
  /** Rows of each of them on the days that are compared. */
  readonly rows: Int32Array;
}

export interface MeasuredUnit {
  readonly events?: ExaminedUnit & { readonly standOuts: KindStandOuts<number[]> };
  readonly sources?: ExaminedUnit;
}

export interface MeasureAsk extends UnitAsk {
  readonly slice: KeySlice;
  /** Of comparisons with a larger p no more is told than that they were made. */
  readonly ceiling: number;
}

function measureUnit(stored: StoredTable, { given, unit: place, slice, ceiling }: MeasureAsk): MeasuredUnit {
  const { context, units, coded, cells, fromDay } = lookUp(given);
  const unit = units[place]!;
  const keys = new SliceKeys(unit.columns.length, slice);
  const { family, hasSources } = unit;
  const { events, sources } = readUnit(stored, unit, context, coded, { first: fromDay }, keys, keys, { events: family === undefined, sources: hasSources });
  sweep(events ?? sources);
  const standOuts = events && findStandOuts(events, context.coverage, toStandOutOptions(context.settings), cells[unit.kind]);
  const examine = (rows: KeyedRows) => {
    const examined = examineUnit(rows, keys, context, ceiling);
    sweep(rows);
    return examined;
  };
  return {
    ...(events && { events: { ...examine(events), standOuts: { ...standOuts!, found: standOuts!.found.map(row => ({ ...row, key: codesOfKey(keys, row.key) })) } } }),
    ...(sources && { sources: examine(sources) }),
  };
}

/** Rows from which on what they were put together of is swept up at once: left to itself the engine keeps it for long. */
const SWEPT_ROWS = 1 << 17;

function sweep(rows: KeyedRows | undefined): void {
  if (rows !== undefined && rows.rows >= SWEPT_ROWS) Bun.gc(true);
}

function codesOfKey(keys: SliceKeys, key: number): number[] {
  return keys.codesOf(Int32Array.of(key)).map(column => column[0]!);
}

function examineUnit(rows: KeyedRows, keys: SliceKeys, context: PartContext, ceiling: number): ExaminedUnit {
  const { samples, open, ...counts } = examineKeys(rows, context.coverage, windowsOf(context, rows), ceiling);
  const sampled = numberAnew(samples.key);
  const opened = numberAnew(open.key);
  const rowsOf = new Int32Array(rows.keys);
  for (let row = 0; row < rows.rows; row++) rowsOf[rows.key[row]!]!++;
  return {
    keys: rows.keys,
    samples: { ...samples, key: sampled.key },
    codes: keys.codesOf(sampled.places),
    marks: Uint32Array.from(sampled.places, of => rows.marks![of]!),
    found: { ...counts, open: pack({ ...open, key: Float64Array.from(opened.key) } satisfies OpenComparisons) },
    openKeys: { codes: keys.codesOf(opened.places), rows: opened.places.map(of => rowsOf[of]!) },
  };
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

function learnUsualOf(_: StoredTable, samples: readonly DispersionSamples[]): UsualDispersions {
  return learnPooled(samples);
}

export interface SettleUnitAsk extends Omit<SettleAsk, "pooled" | "found"> {
  readonly given: Given<StoredContext>;
  readonly pooled: Given<UsualDispersions>;
  /** Slice by slice. */
  readonly found: readonly FoundInUnit[];
}

function settleUnit(_: StoredTable, { given, pooled, found, ...ask }: SettleUnitAsk): KindComparisons[] {
  // One slice is unpacked at a time.
  const unpacked = unpackEach(found);
  return settle(lookUp(given).context, { ...ask, found: unpacked, pooled: lookUp(pooled) });
}

function* unpackEach(found: readonly FoundInUnit[]): Generator<Omit<ExaminedKeys, "samples">> {
  for (const one of found) yield { ...one, open: unpack(one.open) as OpenComparisons };
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

export const UNIT_TASKS = { measureUnit, learnUsualOf, settleUnit, describeUnit, findFirsts };
