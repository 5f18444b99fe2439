/**
 * What `reduced.json` shows of rows that come as a stream: of each kind the first entries of every sensor-day.
 *
 * Tested in `test/lib/reduced/combine-sorted.test.ts`.
 */
import { NO_SETS } from "../columns/address-sets.ts";
import { JSON_KINDS, type Kind, KIND_NAMES } from "./kinds.ts";
import { topRows } from "./reduced-json.ts";
import { emptyTable, joinTables, type KindTable, type ReducedTable, sliceRows, takeRows } from "./reduced-table.ts";

/** Kinds without entries of their own: events tell that a sensor-day was, verdicts are joined with downloads. */
const KEPT = new Map<Kind, "one a day" | "all">([["event", "one a day"], ["scan", "all"]]);

export class TopRows {
  readonly #n: number;
  readonly #tables = new Map<Kind, KindTable[]>();
  /** Rows of the last sensor-day so far, which may go on. */
  readonly #open = new Map<Kind, KindTable>();

  /** @param n Entries of a kind per sensor-day; 0 = all. */
  constructor(n: number) {
    this.#n = n;
  }

  /** Add rows of one kind that come behind all that were added; they are copied. */
  add(table: KindTable): void {
    const { kind } = table;
    const most = KEPT.get(kind) === "one a day" ? 1 : KEPT.has(kind) ? 0 : this.#n;
    if (!KEPT.has(kind) && !JSON_KINDS.some(name => name === kind)) return;
    const open = this.#open.get(kind);
    const whole = joinTables(kind, open === undefined ? [table] : [open, table]);
    const { rows, day, sensor } = whole;
    const kept: number[] = [];
    let last = 0;
    for (let start = 0, end = 0; start < rows; start = end) {
      while (end < rows && day[end] === day[start] && sensor[end] === sensor[start]) end++;
      last = kept.length;
      // In the order of the keys again, by which those of equal counts are told apart once more.
      for (const row of topRows(whole, start, end, most).sort((a, b) => a - b)) kept.push(row);
    }
    const taken = takeRows(whole, Int32Array.from(kept));
    this.#open.set(kind, sliceRows(taken, last, taken.rows));
    const tables = this.#tables.get(kind) ?? [];
    this.#tables.set(kind, tables);
    if (last > 0) tables.push(sliceRows(taken, 0, last));
  }

  /** A table that gives the same `reduced.json` as all rows. */
  toTable({ info, dictionaries }: Pick<ReducedTable, "info" | "dictionaries">): ReducedTable {
    const tableOf = (kind: Kind) => {
      const tables = [...(this.#tables.get(kind) ?? []), ...[this.#open.get(kind) ?? []].flat()];
      return tables.length === 0 ? emptyTable(kind) : joinTables(kind, tables);
    };
    const kinds = Object.fromEntries(KIND_NAMES.map(kind => [kind, tableOf(kind)])) as unknown as ReducedTable["kinds"];
    return { info, dictionaries, sets: NO_SETS, kinds };
  }
}
