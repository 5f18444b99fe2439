/**
 * Where the history is read from: a table in memory, or one that stays in its file, of which no more is held than the rows of
 * one family's frequent keys.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import { isTextKey } from "../reduced/kinds.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { throughMap } from "../statistics/value-rows.ts";
import { KeyLeaders } from "./day-series.ts";
import { FAMILIES, type Family, type FamilySpec } from "./families.ts";

export interface HistorySource {
  readonly dictionaries: ReducedTable["dictionaries"];
  /** The rows of events; read anew each time. */
  readonly events: Iterable<KindTable>;
  /** By sensor: how many rows of connections it has. */
  readonly connects: Float64Array;
  /** Its counts add up, by kind and day, to those of all rows. */
  readonly totals: ReducedTable;
  /** A table that has all rows of the frequent keys of a family. */
  tableOf(family: Family): ReducedTable;
}

export function toHistorySource(table: ReducedTable): HistorySource {
  const { connect, event } = table.kinds;
  const connects = new Float64Array(table.dictionaries.sensor.length);
  for (let row = 0; row < connect.rows; row++) connects[connect.sensor[row]!]!++;
  return { dictionaries: table.dictionaries, events: [event], connects, totals: table, tableOf: () => table };
}

/** @param cells The sums of the table. */
export function toStoredSource(stored: StoredTable, { table: totals, rows }: CellSums): HistorySource {
  const { connect } = totals.kinds;
  const connects = new Float64Array(stored.dictionaries.sensor.length);
  for (let row = 0; row < connect.rows; row++) connects[connect.sensor[row]!]! += rows.connect[row]!;
  return {
    dictionaries: stored.dictionaries,
    events: { [Symbol.iterator]: () => stored.parts("event") },
    connects,
    totals,
    tableOf: family => gatherFamily(stored, family),
  };
}

/** All rows of the keys of a family that its series are chosen of. */
function gatherFamily(stored: StoredTable, family: Family): ReducedTable {
  const spec: FamilySpec = FAMILIES[family];
  const columnsOf = familyColumns(stored, spec);
  const numbers = new TupleNumbers(spec.columns.length);
  const leaders = new KeyLeaders();
  for (const part of stored.parts(spec.kind)) {
    const { rows, day, count } = part;
    leaders.add({ rows, day, count }, numbers.number(columnsOf(part), rows), numbers.size);
  }
  const chosen = new ChosenTuples(leaders.finish().map(key => numbers.tupleOf(key)));
  const gatherer = new RowGatherer(true);
  for (const part of stored.parts(spec.kind)) gatherer.add(part, chosen.find(columnsOf(part), part.rows).rows);
  return gatherer.finish(stored);
}

/** The columns that are numbered; of texts that are counted as others, one of these. */
function familyColumns({ dictionaries }: StoredTable, { columns, mask }: FamilySpec): (part: KindTable) => readonly Int32Array[] {
  const [only] = columns;
  if (mask === undefined || !isTextKey(only!)) return ({ keys }) => columns.map(column => keys[column]!);
  const numbers = new Map<string, number>();
  const codes = Int32Array.from(dictionaries[only], text => {
    const masked = mask(text);
    const known = numbers.get(masked) ?? numbers.size;
    if (known === numbers.size) numbers.set(masked, known);
    return known;
  });
  return ({ keys }) => [throughMap(keys[only]!, codes)];
}
