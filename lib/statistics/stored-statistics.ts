/**
 * The statistics of a table that stays in its file: what `computeStatistics` says of the same table in memory.
 *
 * Comparisons look at the days of their windows, which are held; of earlier days that is held which says how keys went on
 * over the whole archive, for the most frequent of them, and the rest is read where it is asked for. Ledgers are read part
 * by part. So memory grows with the days that are compared and with the values there are, not with the archive.
 */
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import { COMPARED_KINDS, type Kind, KIND_NAMES } from "../reduced/kinds.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { MARKED_KEYS } from "./keyed-rows.ts";
import { recallRows } from "./recall.ts";
import { startOf } from "./sensor-compare.ts";
import type { StatisticsOptions } from "./settings.ts";
import { planContext, type RestOfTable, runSteps, settleAll, type Statistics, type StatisticsPlan } from "./statistics.ts";
import { type PartContext, readLedger, workOut } from "./statistics-parts.ts";
import { runInThreads } from "./statistics-threads.ts";
import { familiesOf, familyColumns } from "./source-counts.ts";
import { keyNames, type KeyTotals, totalsOf } from "./stored-keys.ts";
import { gatherFew, toStoredValues } from "./stored-values.ts";
import { chooseTrendKeys } from "./trend.ts";
import { VALUE_TYPES } from "./value-rows.ts";

/**
 * @param cells The sums of the table, which tell events of all sensor-days that are counted (`tellsEvents`).
 * @param threads 1 = this one.
 * @throws {RangeError} if an option is out of range.
 */
export async function computeStored(stored: StoredTable, cells: CellSums, options: StatisticsOptions, threads: number): Promise<Statistics> {
  if (threads > 1) return await runInThreads(() => planStored(stored, cells, options), threads);
  const { context, steps } = planStored(stored, cells, options);
  return settleAll(steps, ({ name, ask }) => workOut(context, name, ask));
}

function planStored(stored: StoredTable, cells: CellSums, options: StatisticsOptions): StatisticsPlan {
  const context = planContext(cells.table, options);
  const fromDay = firstHeldDay(context);
  const leaders = new Map<Kind, readonly number[][]>();
  const ledgers = readLedgers(stored, context, leaders);
  const table = holdRows(stored, fromDay, context.settings.kinds as readonly Kind[], leaders);
  const rest: RestOfTable = { fromDay, ledgers, recall: (kind, columnsOf, keys) => recallRows(stored, kind, fromDay, columnsOf, keys) };
  return { context, steps: runSteps(table, context, rest) };
}

/** The first day that any comparison looks at. */
function firstHeldDay({ coverage, windows, sourceWindows, settings }: PartContext): number {
  const offsets = [...windows.firstOffset, ...(sourceWindows?.firstOffset ?? []), startOf(coverage, { days: settings.baselineDays })];
  return coverage.firstDay + offsets.reduce((least, offset) => Math.min(least, offset), coverage.days);
}

/** @param leaders Is told the keys whose trends are fitted, where they come to light. */
function readLedgers(stored: StoredTable, context: PartContext, leaders: Map<Kind, readonly number[][]>): RestOfTable["ledgers"] {
  const few = gatherFew(stored);
  const logins = totalsOf(stored, "login");
  leaders.set("login", trendKeys(logins));
  const ledgers = VALUE_TYPES.map(type => {
    const { rows, textOf } = toStoredValues(stored, type, few, logins);
    const ledger = { part: readLedger(context, rows), textOf };
    // Records of all values: left to itself the engine lets those of several types lie about.
    Bun.gc(true);
    return ledger;
  });
  // From now on they are asked for their texts alone.
  logins.numbers.seal();
  return ledgers;
}

/**
 * The rows since a day, and of the days before those of the keys whose trends are fitted, and the first row of each key
 * where keys are looked at in the order in which they came.
 */
function holdRows(stored: StoredTable, fromDay: number, kinds: readonly Kind[], known: ReadonlyMap<Kind, readonly number[][]>): ReducedTable {
  const gatherer = new RowGatherer(true);
  const nothing = new RowGatherer().finish(stored);
  const families = familiesOf(kinds).map(family => familyColumns(nothing, family));
  for (const kind of KIND_NAMES) {
    const isCompared = (COMPARED_KINDS as readonly Kind[]).includes(kind) && kinds.includes(kind);
    const numbered = families.filter(family => family.kind === kind).map(({ columnsOf }) => columnsOf);
    if (!isCompared && numbered.length === 0) continue;
    const columnsOf = ({ keys }: KindTable) => keyNames(kind).map(name => keys[name]!);
    const leaders = new ChosenTuples(isCompared ? (known.get(kind) ?? trendKeys(totalsOf(stored, kind))) : []);
    const firsts = firstRows(stored, kind, fromDay, [columnsOf, ...numbered]);
    let at = 0;
    for (const part of stored.parts(kind, { last: fromDay - 1 })) {
      const { rows } = leaders.find(columnsOf(part), part.rows);
      gatherer.add(part, firsts.size === 0 ? rows : withFirsts(rows, firsts, at, part.rows));
      at += part.rows;
    }
    for (const part of stored.parts(kind, { first: fromDay })) gatherer.add(part);
  }
  return gatherer.finish(stored);
}

/** Rows of a part, and those of its rows whose places, counted from `start`, are among some; rising. */
function withFirsts(rows: Int32Array, firsts: Set<number>, start: number, size: number): Int32Array {
  const wanted = new Set(rows);
  for (const place of firsts) {
    if (place >= start + size) continue;
    wanted.add(place - start);
    firsts.delete(place);
  }
  return Int32Array.from(wanted).sort();
}

type ColumnsOf = (part: KindTable) => readonly Int32Array[];

function trendKeys({ totals, numbers }: KeyTotals): number[][] {
  return chooseTrendKeys(totals, numbers.size).map(key => numbers.tupleOf(key));
}

/** Places, among the rows before a day, of the first rows of the first keys: so many that it is known whether there are more. */
function firstRows(stored: StoredTable, kind: Kind, beforeDay: number, keysOf: readonly ColumnsOf[]): Set<number> {
  const places = new Set<number>();
  for (const columnsOf of keysOf) {
    let numbers: TupleNumbers | undefined;
    let [at, known] = [0, 0];
    for (const part of stored.parts(kind, { last: beforeDay - 1 })) {
      const columns = columnsOf(part);
      numbers ??= new TupleNumbers(columns.length);
      const numbered = numbers.number(columns, part.rows);
      for (let row = 0; row < part.rows && known <= MARKED_KEYS; row++) {
        if (numbered[row] !== known) continue;
        places.add(at + row);
        known++;
      }
      at += part.rows;
      if (known > MARKED_KEYS) break;
    }
  }
  return places;
}
