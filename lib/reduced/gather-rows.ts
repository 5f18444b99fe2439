/**
 * Rows out of a stored table into memory that threads share: all of some parts, or those that are picked.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { type AddressSets, renumberSets, SetDictionary } from "../columns/address-sets.ts";
import { take } from "../columns/group.ts";
import { sharedFloats, sharedInts } from "../columns/shared-arrays.ts";
import { type Kind, KIND_NAMES } from "./kinds.ts";
import type { LazyBatch } from "./sorted-table.ts";
import { emptyTable, type KindTable, mapColumns, type ReducedTable } from "./reduced-table.ts";

/** Columns that a comparison of counts does not look at are not kept. */
export type WithoutTimes = boolean;

export class RowGatherer {
  readonly #withoutTimes: WithoutTimes;
  readonly #sets = new SetDictionary();
  readonly #tables = new Map<Kind, KindTable[]>();

  /** @param withoutTimes Leave out when rows were seen first and last, and what succeeded. */
  constructor(withoutTimes: WithoutTimes = false) {
    this.#withoutTimes = withoutTimes;
  }

  /** Add rows behind all of their kind that were added; they are copied. `rows` are those wanted, undefined = all. */
  add(part: LazyBatch, rows?: Int32Array): void {
    if (rows?.length === 0) return;
    const wanted = this.#withoutTimes ? leanOf(part) : part;
    this.addTaken(mapColumns(wanted, column => (rows === undefined || column.length === 0 ? (column.slice() as typeof column) : take(column, rows))), part.sets);
  }

  /** The same with rows whose columns are nobody else's. */
  addTaken(taken: KindTable, sets: AddressSets): void {
    if (taken.addresses !== null) {
      const codeOf = this.#sets.internFrom(sets);
      for (let row = 0; row < taken.addresses.length; row++) {
        const code = taken.addresses[row]!;
        if (code >= 0) taken.addresses[row] = codeOf(code);
      }
    }
    const tables = this.#tables.get(taken.kind) ?? [];
    this.#tables.set(taken.kind, tables);
    tables.push(taken);
  }

  /** All that was added as a table; nothing may be added afterwards. */
  finish({ info, dictionaries }: Pick<ReducedTable, "info" | "dictionaries">): ReducedTable {
    const joined = KIND_NAMES.map(kind => {
      const tables = this.#tables.get(kind);
      this.#tables.delete(kind);
      return [kind, tables === undefined ? emptyTable(kind) : joinShared(tables)] as const;
    });
    const kinds = Object.fromEntries(joined) as unknown as ReducedTable["kinds"];
    const sets = renumberSets(this.#sets, joined.flatMap(([, { addresses }]) => addresses ?? []), sharedInts);
    return { info, dictionaries, sets, kinds };
  }
}

function leanOf(part: LazyBatch): KindTable {
  const { kind, rows, day, sensor, keys, count, addresses } = part;
  const nothing = new Float64Array(0);
  return { kind, rows, day, sensor, keys, count, success: nothing, addresses, firstSeenUs: nothing, lastSeenUs: nothing };
}

/** Elements of a column from which on what it was joined of is swept up at once. */
const SWEPT_ELEMENTS = 1 << 20;

/** The rows of several tables of a kind, at least one, in memory that threads share; they are let go column by column. */
function joinShared(tables: KindTable[]): KindTable {
  const lists: (Int32Array | Float64Array)[][] = [];
  for (const table of tables) {
    let at = 0;
    mapColumns(table, column => {
      (lists[at++] ??= []).push(column);
      return column;
    });
  }
  const first = tables[0]!;
  tables.length = 0;
  let at = 0;
  const joined = mapColumns(first, column => {
    const list = lists[at++]!;
    const length = list.reduce((sum, part) => sum + part.length, 0);
    const whole = (column instanceof Int32Array ? sharedInts(length) : sharedFloats(length)) as unknown as typeof column;
    let filled = 0;
    for (const part of list) {
      whole.set(part, filled);
      filled += part.length;
    }
    list.length = 0;
    if (length >= SWEPT_ELEMENTS) Bun.gc(true);
    return whole;
  });
  return { ...joined, rows: joined.day.length };
}
