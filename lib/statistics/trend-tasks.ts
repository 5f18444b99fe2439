/**
 * The most frequent keys of a kind over all days of a table that stays in its file, and their trends.
 *
 * No key is counted that cannot be among them: rows are summed up by one column first, and keys are looked at in the order of
 * these sums, until the next sum is less than what the last of the most frequent has.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { widened } from "../columns/growing-column.ts";
import { take } from "../columns/group.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import { isTextKey } from "../reduced/kinds.ts";
import { lookUp } from "../reduced/stored-pool.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { type CodedTexts, codesIn, type ComparedUnit } from "./compared-units.ts";
import { chooseTrendKeys, fitLaid, LaidKeys, TREND_KEYS, TREND_MIN_COUNT, type TrendRow } from "./trend.ts";
import type { UnitAsk } from "./unit-tasks.ts";

/** Values of the column whose keys are counted together: at first, and at most, as what is counted takes memory. */
const VALUES_FIRST = 1 << 10;
const VALUES_MOST = 1 << 16;

/** The trends of the most frequent keys of a unit in their order, each by its codes. */
function findTrends(stored: StoredTable, { given, unit: place }: UnitAsk): TrendRow<number[]>[] {
  const { context, units, coded } = lookUp(given);
  const unit = units[place]!;
  const top = findLeaders(stored, unit, coded);
  if (top.length === 0) return [];
  const laid = new LaidKeys(top.length, context.coverage);
  const finder = new ChosenTuples(top.map(({ codes }) => codes));
  const columnsOf = codesIn(unit, coded);
  const slotOf = Uint8Array.from(top, (_, slot) => slot + 1);
  for (const part of stored.parts(unit.kind)) {
    const { rows, numbers: key } = finder.find(columnsOf(part), part.rows);
    if (rows.length > 0) laid.add({ rows: rows.length, key, day: take(part.day, rows), sensor: take(part.sensor, rows), count: take(part.count, rows) }, slotOf);
  }
  return top.flatMap(({ codes }, slot) => fitLaid(unit.name, laid, { key: slot, slot }).map(row => ({ ...row, key: codes })));
}

interface Leader {
  readonly codes: number[];
  readonly total: number;
  /** The place of its first row among those of its kind, which settles ties. */
  readonly first: number;
}

function findLeaders(stored: StoredTable, unit: ComparedUnit, coded: CodedTexts): Leader[] {
  const column = widestColumn(unit, coded);
  const sums = sumBy(stored, unit, coded, column);
  const order = Int32Array.from(sums.keys()).filter(at => sums[at]! >= TREND_MIN_COUNT).sort((a, b) => sums[b]! - sums[a]!);
  let top: Leader[] = [];
  for (let start = 0, size = VALUES_FIRST; start < order.length; start += size, size = Math.min(VALUES_MOST, 8 * size)) {
    if (top.length === TREND_KEYS && sums[order[start]!]! < top.at(-1)!.total) break;
    const isWanted = new Uint8Array(sums.length);
    for (const at of order.subarray(start, start + size)) isWanted[at] = 1;
    const found = countKeys(stored, unit, coded, column, isWanted);
    top = [...top, ...found].sort((a, b) => b.total - a.total || a.first - b.first).slice(0, TREND_KEYS);
  }
  return top;
}

/** The place of the column that has most values. */
function widestColumn({ columns }: ComparedUnit, { hashes }: CodedTexts): number {
  const sizes = columns.map(name => (isTextKey(name) ? (hashes[name]?.length ?? 0) : 0));
  return sizes.indexOf(sizes.reduce((most, size) => Math.max(most, size), 0));
}

/** How much there is of each value of a column, by code + 1. */
function sumBy(stored: StoredTable, unit: ComparedUnit, coded: CodedTexts, column: number): Float64Array {
  const columnsOf = codesIn(unit, coded);
  let sums = new Float64Array(1 << 10);
  for (const part of stored.parts(unit.kind)) {
    const codes = columnsOf(part)[column]!;
    const { rows, count } = part;
    let most = 0;
    for (let row = 0; row < rows; row++) if (codes[row]! > most) most = codes[row]!;
    if (most + 2 > sums.length) sums = widened(sums, most + 2);
    for (let row = 0; row < rows; row++) sums[codes[row]! + 1]! += count[row]!;
  }
  return sums;
}

/** The most frequent of the keys that have one of some values in a column, given by code + 1. */
function countKeys(stored: StoredTable, unit: ComparedUnit, coded: CodedTexts, column: number, isWanted: Uint8Array): Leader[] {
  const columnsOf = codesIn(unit, coded);
  const numbers = new TupleNumbers(unit.columns.length);
  let totals = new Float64Array(1 << 10);
  let firsts = new Float64Array(1 << 10);
  let [at, known] = [0, 0];
  for (const part of stored.parts(unit.kind)) {
    const columns = columnsOf(part);
    const codes = columns[column]!;
    const picked: number[] = [];
    for (let row = 0; row < part.rows; row++) if (isWanted[codes[row]! + 1] === 1) picked.push(row);
    if (picked.length > 0) {
      const rows = Int32Array.from(picked);
      const key = numbers.number(columns.map(codes => take(codes, rows)), rows.length);
      if (numbers.size > totals.length) [totals, firsts] = [widened(totals, numbers.size), widened(firsts, numbers.size)];
      const { count } = part;
      for (let i = 0; i < rows.length; i++) {
        if (key[i] === known) firsts[known++] = at + rows[i]!;
        totals[key[i]!]! += count[rows[i]!]!;
      }
    }
    at += part.rows;
  }
  return chooseTrendKeys(totals, known).map(key => ({ codes: numbers.tupleOf(key), total: totals[key]!, first: firsts[key]! }));
}

export const TREND_TASKS = { findTrends };
