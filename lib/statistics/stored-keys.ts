/**
 * Keys of a kind in a table that stays in its file, and how often each was counted.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import { widened } from "../columns/growing-column.ts";
import { type KeyColumn, type Kind, KINDS } from "../reduced/kinds.ts";
import type { StoredTable } from "../reduced/stored-table.ts";

/** The columns of a kind's key; events are compared by their ids alone. */
export function keyNames(kind: Kind): readonly KeyColumn[] {
  return kind === "event" ? ["eventid"] : KINDS[kind];
}

/** How often each key of a kind was counted. */
export function totalsOf(stored: StoredTable, kind: Kind): KeyTotals {
  const names = keyNames(kind);
  const totals = new KeyTotals(names.length);
  for (const part of stored.parts(kind)) totals.add(names.map(name => part.keys[name]!), part.count);
  return totals;
}

export class KeyTotals {
  readonly numbers: TupleNumbers;
  totals = new Float64Array(1 << 10);

  /** @param width Columns of a key. */
  constructor(width: number) {
    this.numbers = new TupleNumbers(width);
  }

  /** @returns The number of each row's key, in order of first sight. */
  add(columns: readonly Int32Array[], count: Float64Array): Int32Array {
    const numbered = this.numbers.number(columns, count.length);
    if (this.numbers.size > this.totals.length) this.totals = widened(this.totals, this.numbers.size);
    for (let row = 0; row < numbered.length; row++) this.totals[numbered[row]!]! += count[row]!;
    return numbered;
  }
}
