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

/** Behind the last row of the sensor-day of a row. */
function endOfCell({ rows, day, sensor }: KindTable, start: number): number {
  let end = start;
  while (end < rows && day[end] === day[start] && sensor[end] === sensor[start]) end++;
  return end;
}

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
    const first = endOfCell(table, 0);
    const goesOn = open !== undefined && open.rows > 0 && table.rows > 0 && open.day[0] === table.day[0] && open.sensor[0] === table.sensor[0];
    if (!goesOn) return this.#take(table, 0, most);
    // Those of the sensor-day so far, with what there is more of it.
    const joined = joinTables(kind, [open, sliceRows(table, 0, first)]);
    this.#open.delete(kind);
    this.#take(joined, 0, most);
    if (first < table.rows) this.#take(table, first, most);
  }

  /** Take rows from `begin` on, the first of which is that of a sensor-day. */
  #take(table: KindTable, begin: number, most: number): void {
    const { kind, rows } = table;
    const kept: number[] = [];
    let last = 0;
    for (let start = begin, end = begin; start < rows; start = end) {
      end = endOfCell(table, start);
      last = kept.length;
      // In the order of the keys again, by which those of equal counts are told apart once more.
      for (const row of topRows(table, start, end, most).sort((a, b) => a - b)) kept.push(row);
    }
    if (kept.length === 0) return;
    const taken = takeRows(table, Int32Array.from(kept));
    const tables = this.#tables.get(kind) ?? [];
    this.#tables.set(kind, tables);
    const open = this.#open.get(kind);
    if (open !== undefined && open.rows > 0) tables.push(open);
    this.#open.set(kind, sliceRows(taken, last, taken.rows));
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
