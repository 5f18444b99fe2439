/**
 * What `reduced.json` shows of rows that come as a stream: of each kind the first entries of every sensor-day.
 *
 * Tested in `test/lib/reduced/combine-sorted.test.ts`.
 */
import { NO_SETS } from "../columns/address-sets.ts";
import { allTexts, type Texts } from "../columns/dictionary.ts";
import { widened } from "../columns/growing-column.ts";
import { keepUsedTexts } from "../columns/pick-texts.ts";
import { JSON_KINDS, type KeyColumn, type Kind, KIND_NAMES, KINDS } from "./kinds.ts";
import { topRows } from "./reduced-json.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { emptyTable, joinTables, type KindTable, type ReducedInfo, type ReducedTable, sliceRows, takeRows } from "./reduced-table.ts";

/** Kinds without entries of their own: events tell that a sensor-day was, verdicts are joined with downloads. */
const KEPT = new Map<Kind, "one a day" | "all">([["event", "one a day"], ["scan", "all"]]);

/** Behind the last row of the sensor-day of a row. */
function endOfCell({ rows, day, sensor }: KindTable, start: number): number {
  let end = start;
  while (end < rows && day[end] === day[start] && sensor[end] === sensor[start]) end++;
  return end;
}

/** Columns of a kind that `reduced.json` says something of. */
function shownColumns({ kind, day, sensor, keys, count, success, lastSeenUs }: KindTable): readonly (Int32Array | Float64Array)[] {
  const own = [day, sensor, ...KINDS[kind].map((name: KeyColumn) => keys[name]!), count];
  if (kind === "login") return [...own, success];
  // Of several verdicts the last one holds.
  return kind === "scan" ? [...own, lastSeenUs] : own;
}

/** Rows of a kind that are kept: of a year of a hundred sensors a million. */
class KeptRows {
  readonly #kind: Kind;
  #rows = 0;
  #columns: (Int32Array | Float64Array)[];

  constructor(kind: Kind) {
    this.#kind = kind;
    this.#columns = [...shownColumns(emptyTable(kind))];
  }

  /** Copy some rows of a table of the kind. */
  add(table: KindTable, rows: readonly number[]): void {
    const end = this.#rows + rows.length;
    if (end > this.#columns[0]!.length) this.#columns = this.#columns.map(column => widened(column, end));
    shownColumns(table).forEach((from, i) => {
      const to = this.#columns[i]!;
      for (let k = 0; k < rows.length; k++) to[this.#rows + k] = from[rows[k]!]!;
    });
    this.#rows = end;
  }

  /** With zeros in the columns that nobody looks at. */
  toTable(): KindTable {
    const kind = this.#kind;
    const rows = this.#rows;
    const [day, sensor, ...others] = this.#columns.map(column => column.subarray(0, rows)) as [Int32Array, Int32Array, ...Int32Array[]];
    const keys = Object.fromEntries(KINDS[kind].map((name, i) => [name, others[i]!]));
    const [count, last] = others.slice(KINDS[kind].length) as unknown as [Float64Array, Float64Array];
    const nothing = new Float64Array(rows);
    const [success, lastSeenUs] = [kind === "login" ? last : nothing, kind === "scan" ? last : nothing];
    return { kind, rows, day, sensor, keys, count, success, addresses: null, firstSeenUs: nothing, lastSeenUs };
  }
}

export class TopRows {
  readonly #n: number;
  readonly #kept = new Map<Kind, KeptRows>();
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
    const taken: number[] = [];
    let last = 0;
    for (let start = begin, end = begin; start < rows; start = end) {
      end = endOfCell(table, start);
      last = taken.length;
      // In the order of the keys again, by which those of equal counts are told apart once more.
      for (const row of topRows(table, start, end, most).sort((a, b) => a - b)) taken.push(row);
    }
    if (taken.length === 0) return;
    this.#close(kind);
    this.#keptOf(kind).add(table, taken.slice(0, last));
    this.#open.set(kind, takeRows(table, Int32Array.from(taken.slice(last))));
  }

  #keptOf(kind: Kind): KeptRows {
    const kept = this.#kept.get(kind) ?? new KeptRows(kind);
    this.#kept.set(kind, kept);
    return kept;
  }

  /** The last sensor-day of a kind goes on no more. */
  #close(kind: Kind): void {
    const open = this.#open.get(kind);
    if (open !== undefined) this.#keptOf(kind).add(open, [...open.day.keys()]);
    this.#open.delete(kind);
  }

  /**
   * A table that gives the same `reduced.json` as all rows, with the texts alone that it shows; once.
   *
   * @param texts Of the rows that were added.
   */
  toTable(info: ReducedInfo, texts: Readonly<Record<CodedColumn, Texts>>): ReducedTable {
    const tableOf = (kind: Kind) => {
      this.#close(kind);
      return this.#kept.get(kind)?.toTable() ?? emptyTable(kind);
    };
    const kinds = Object.fromEntries(KIND_NAMES.map(kind => [kind, tableOf(kind)])) as unknown as ReducedTable["kinds"];
    // Sensors are in the order of their codes.
    const shown = (name: CodedColumn) => (name === "sensor" ? texts.sensor : keepUsedTexts(texts[name], KIND_NAMES.flatMap(kind => kinds[kind].keys[name] ?? [])));
    const dictionaries = Object.fromEntries(CODED_COLUMNS.map(name => [name, allTexts(shown(name))])) as unknown as ReducedTable["dictionaries"];
    return { info, dictionaries, sets: NO_SETS, kinds };
  }
}
