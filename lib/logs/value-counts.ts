/**
 * How often each value of a column, or each combination of several, occurs.
 *
 * Tested in `test/scripts/value-counts.test.ts`.
 */
import { hasText, textOf } from "../columns/dictionary.ts";
import { checkColumns, type EventColumn, DerivedColumn, openColumn, TimeColumn } from "../events/event-columns.ts";
import { type Condition, EventFilter } from "../events/event-filter.ts";
import { take } from "../columns/group.ts";
import type { Origins } from "../origin/origins.ts";
import type { EventScope } from "../events/scope.ts";
import type { LogSet } from "./log-set.ts";
import { openTables } from "./walk-tables.ts";
import { TupleCounter, type TupleCounts } from "../columns/tuple-counter.ts";

export const GROUPINGS = ["day", "month", "sensor", "hour"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface ValueCountOptions {
  /** Ids of the events that count; none = all. */
  readonly events: readonly string[];
  /** At least one. */
  readonly columns: readonly string[];
  readonly by?: Grouping;
  /** Give addresses a country and a network, which are columns then. */
  readonly origins?: Origins | undefined;
  readonly scope: EventScope;
  readonly conditions: readonly Condition[];
  /** Rows per group; 0 = all. */
  readonly limit: number;
}

export type Value = string | number | null;

export interface ValueCountRow {
  /** The day, month, sensor or hour; null where nothing is grouped. */
  readonly group: Value;
  /** In the order of the columns; null = the event has none. */
  readonly values: readonly Value[];
  readonly count: number;
  /** Of all events counted in the group, 0..1. */
  readonly share: number;
}

export interface ValueCounts {
  /** By group, then by count falling, then by values rising; null comes first. */
  readonly rows: readonly ValueCountRow[];
  /** Combinations there are, before the cut to the limit. */
  readonly distinct: number;
  /** Events counted, and events that had no value in any of the columns. */
  readonly counted: number;
  readonly without: number;
  /** Ids that no event has, a line each; safe to show. */
  readonly missing: readonly string[];
}

/** What moved a file: hashes of other events are of recordings, or answers about a file. */
const FILE_EVENTS = ["session.file_download", "session.file_upload"];
/** What was typed, not what became of each part of it. */
const COMMAND_EVENTS = ["command.input"];
/** Where a key is planted, and where one is offered; later Cowries log an offer as a login too. */
const KEY_EVENTS = ["command.input", "client.fingerprint"];

/**
 * Count the values of columns over a set of logs.
 *
 * Hashes are those of files, unless other events are asked for by id; events without one do not count then: a download
 * with an empty hash is one that failed. Techniques and purposes are those of lines that were typed.
 *
 * @throws {UsageError} if a column is neither one of the event table's nor a key of the events looked at, or if no log
 *   has an event of any of the ids.
 */
export async function countValues(set: LogSet, options: ValueCountOptions): Promise<ValueCounts> {
  const { scope, by, limit, conditions } = options;
  const hash = options.columns.indexOf("shasum");
  const asksForIds = options.events.length > 0 || conditions.some(({ column }) => column.name === "eventid");
  const events = asksForIds ? options.events : eventsOf(options.columns);
  const filter = new EventFilter(events, scope, conditions);
  const columns = options.columns.map(name => openColumn(name, scope.sensorAliases, options.origins));
  const group =
    by === undefined ? undefined : by === "sensor" ? openColumn(by, scope.sensorAliases) : new TimeColumn(by);
  // An event counts once for each of its values: of one such column, others stand beside it as they are.
  const spread = columns.find(column => column instanceof DerivedColumn);
  const counter = new TupleCounter(columns.length + (group === undefined ? 0 : 1));
  let without = 0;
  for await (const { table } of openTables(set)) {
    for await (const batch of table.batches()) {
      let rows = filter.select(table, batch);
      if (rows.length === 0) continue;
      let list: Int32Array | undefined;
      if (spread instanceof DerivedColumn) {
        const { places, codes } = spread.readEach(table, batch, rows);
        without += rows.length - new Set(places).size;
        rows = take(rows, places);
        list = codes;
      }
      let keys = columns.map(column => (list !== undefined && column === spread ? list : column.read(table, batch, rows)));
      const valued = hash < 0 ? findValued(keys, rows.length) : findHashes(columns[hash]!, keys[hash]!);
      if (valued.length < rows.length) {
        without += rows.length - valued.length;
        keys = keys.map(codes => take(codes, valued));
        rows = take(rows, valued);
      }
      if (group !== undefined) keys.unshift(group.read(table, batch, rows));
      counter.add(keys);
    }
  }
  const missing = options.events.length > 0 ? filter.checkPatterns() : [];
  checkColumns([...conditions.map(({ column }) => column), ...columns]);
  const counts = counter.finish();
  return { ...rank(counts, columns, group, limit), without, missing };
}

/** Events that count unless others are asked for; none = all. */
function eventsOf(columns: readonly string[]): readonly string[] {
  if (columns.includes("shasum")) return FILE_EVENTS;
  if (columns.includes("ssh_key")) return KEY_EVENTS;
  return columns.includes("technique") || columns.includes("purpose") ? COMMAND_EVENTS : [];
}

/** Places at which one of the columns has a value. */
function findValued(keys: readonly Int32Array[], length: number): Int32Array {
  const hasValue = new Uint8Array(length);
  for (const codes of keys) for (let i = 0; i < length; i++) if (codes[i]! >= 0) hasValue[i] = 1;
  const places = new Int32Array(length);
  let found = 0;
  for (let i = 0; i < length; i++) if (hasValue[i] === 1) places[found++] = i;
  return places.subarray(0, found);
}

/** Places at which there is a hash that is not empty. */
function findHashes({ values }: EventColumn, codes: Int32Array): Int32Array {
  return Int32Array.from(codes.keys()).filter(i => hasText(values, codes[i]!));
}

/** The rows to be shown, in their order. */
function rank(
  { rows, keys, count }: TupleCounts,
  columns: readonly EventColumn[],
  group: EventColumn | undefined,
  limit: number,
): Omit<ValueCounts, "without" | "missing"> {
  const groups = new Map<number, number[]>();
  for (let row = 0; row < rows; row++) {
    const code = group === undefined ? 0 : keys[0]![row]!;
    const list = groups.get(code);
    if (list === undefined) groups.set(code, [row]);
    else list.push(row);
  }
  const valueKeys = group === undefined ? keys : keys.slice(1);
  let counted = 0;
  const ranked = [...groups].map(([code, list]) => {
    const total = list.reduce((sum, row) => sum + count[row]!, 0);
    counted += total;
    const shown = mostFrequent(list, count, limit).map(row => ({
      count: count[row]!,
      values: columns.map((column, i) => valueOf(column, valueKeys[i]![row]!)),
    }));
    shown.sort((a, b) => b.count - a.count || compareTuples(a.values, b.values));
    const name = group === undefined ? null : valueOf(group, code);
    return {
      name,
      rows: (limit === 0 ? shown : shown.slice(0, limit)).map(row => ({ ...row, share: row.count / total })),
    };
  });
  ranked.sort((a, b) => compareValues(a.name, b.name));
  return {
    rows: ranked.flatMap(({ name, rows }) => rows.map(row => ({ group: name, ...row }))),
    distinct: rows,
    counted,
  };
}

/** The rows that may be among the first `limit`: those of equal count all, since their texts are not known yet. */
function mostFrequent(rows: readonly number[], count: Float64Array, limit: number): readonly number[] {
  if (limit === 0 || rows.length <= limit) return rows;
  const least = Float64Array.from(rows, row => count[row]!).sort()[rows.length - limit]!;
  return rows.filter(row => count[row]! >= least);
}

function valueOf(column: EventColumn, code: number): Value {
  if (code < 0) return null;
  const text = textOf(column.values, code);
  return column.isNumeric ? Number(text) : text;
}

function compareTuples(a: readonly Value[], b: readonly Value[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareValues(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers by size, texts by UTF-16 code units, null first. */
function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return a < b ? -1 : 1;
}
