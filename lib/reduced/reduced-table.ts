/**
 * The reduced table: full counts, one row per day, sensor, kind and key.
 *
 * In memory each kind is a table of its own, because rows of different kinds share no key columns; dictionaries are
 * shared, so a source address has one code wherever it occurs. Rows stand in canonical order (day, sensor, then the
 * key columns of the kind, text by its UTF-16 code units, "no value" first), so equal content is equal bytes.
 *
 * Tested in `test/lib/reduced/reduced-builder.test.ts`.
 */
import type { AddressSets } from "../columns/address-sets.ts";
import { type KeyColumn, type Kind, KIND_NAMES, KIND_SPECS, KINDS, type TextKey } from "./kinds.ts";
import type { OriginTables, ShownColumn, SshKeyTables } from "./origin-kinds.ts";
import type { SourceInfo } from "../events/source.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { take } from "../columns/group.ts";

/** All rows of one kind, column by column; every array has `rows` elements. */
export interface KindTable {
  readonly kind: Kind;
  readonly rows: number;
  /** Days since 1970-01-01, UTC. */
  readonly day: Int32Array;
  /** Codes into `dictionaries.sensor`. */
  readonly sensor: Int32Array;
  /**
   * The key columns of the kind: codes into the dictionary of the same name, or the number itself; -1 = no value.
   * Only the columns `KINDS[kind]` names are present.
   */
  readonly keys: Readonly<Partial<Record<ShownColumn, Int32Array>>>;
  /** How many events (for `pre_disconnect_command`: sessions) the row stands for. */
  readonly count: Float64Array;
  /** How many of `count` were successful logins; 0 in every other kind. */
  readonly success: Float64Array;
  /**
   * Codes into `sets`: the addresses that the events of a row came from; -1 = nobody knows, as of counts that were cut or
   * of an older table. Null for the kinds that keep none, see `hasAddresses` in `kinds.ts`; ask `addressesOf` for both.
   */
  readonly addresses: Int32Array | null;
  /** Time of the first and the last event of the row, microseconds since 1970-01-01 UTC. */
  readonly firstSeenUs: Float64Array;
  readonly lastSeenUs: Float64Array;
}

export interface ReducedInfo {
  /** Version of the reduced format. */
  readonly version: number;
  readonly parameters: ReductionParameters;
  /** In canonical order: time of the first event, path, hash. */
  readonly sources: readonly SourceInfo[];
  /** The part of all keys that a table holds; undefined = every one. See `shards.ts`. */
  readonly shard?: Shard;
}

/** One of `of` parts, counted from 1. */
export interface Shard {
  readonly number: number;
  readonly of: number;
}

export interface ReducedTable {
  readonly info: ReducedInfo;
  /** code -> text, sorted by UTF-16 code units. A sensor without a name is "". */
  readonly dictionaries: Readonly<Record<TextKey | "sensor", readonly string[]>>;
  /** What the column `addresses` of all kinds leads to. */
  readonly sets: AddressSets;
  /** Every kind is present, possibly with 0 rows. */
  readonly kinds: Readonly<Record<Kind, KindTable>>;
  /** Connections by country and network, of a table that pages or statistics are made of, see `addOrigins`. */
  readonly origins?: OriginTables;
  /** SSH keys, of a table that a page is made of, see `addKeys`. */
  readonly sshKeys?: SshKeyTables;
}

type Column = Int32Array | Float64Array;

/**
 * The same table with every column put through `map`; the one place that names them all.
 *
 * @param map Given a column, and how to get the same one of another table of the kind.
 */
export function mapColumns(
  table: KindTable,
  map: <T extends Column>(column: T, of: (other: KindTable) => T) => T,
): KindTable {
  const put = <T extends Column>(of: (other: KindTable) => T) => map(of(table), of);
  const names = Object.keys(table.keys) as KeyColumn[];
  return {
    kind: table.kind,
    rows: table.rows,
    day: put(({ day }) => day),
    sensor: put(({ sensor }) => sensor),
    keys: Object.fromEntries(names.map(name => [name, put(({ keys }) => keys[name]!)])),
    count: put(({ count }) => count),
    success: put(({ success }) => success),
    addresses: table.addresses && put(({ addresses }) => addresses!),
    firstSeenUs: put(({ firstSeenUs }) => firstSeenUs),
    lastSeenUs: put(({ lastSeenUs }) => lastSeenUs),
  };
}

/** The column `addresses` of so many rows of a kind of which nobody knows any. */
export function unknownAddresses(kind: Kind, rows: number): Int32Array | null {
  return KIND_SPECS[kind].hasAddresses ? new Int32Array(rows).fill(-1) : null;
}

/** A table of a kind without rows. */
export function emptyTable(kind: Kind): KindTable {
  const keys = Object.fromEntries(KINDS[kind].map(name => [name, new Int32Array(0)]));
  const floats = () => new Float64Array(0);
  return {
    kind,
    rows: 0,
    day: new Int32Array(0),
    sensor: new Int32Array(0),
    keys,
    count: floats(),
    success: floats(),
    addresses: unknownAddresses(kind, 0),
    firstSeenUs: floats(),
    lastSeenUs: floats(),
  };
}

/** The rows of several tables of a kind, in their codes as they are, one table behind the other. */
export function joinTables(kind: Kind, tables: readonly KindTable[]): KindTable {
  const [first = emptyTable(kind)] = tables;
  if (tables.length < 2) return first;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const joined = mapColumns(first, (column, of) => {
    const whole = new (column.constructor as new (length: number) => typeof column)(rows);
    let at = 0;
    for (const table of tables) {
      whole.set(of(table), at);
      at += table.rows;
    }
    return whole;
  });
  return { ...joined, rows };
}

/** Rows `[start, end)` of a table, as views. */
export function sliceRows(table: KindTable, start: number, end: number): KindTable {
  return { ...mapColumns(table, column => column.subarray(start, end) as typeof column), rows: end - start };
}

/** Some rows of a table, in the order of `rows`. */
export function takeRows(table: KindTable, rows: Int32Array): KindTable {
  return { ...mapColumns(table, column => take(column, rows)), rows: rows.length };
}

/** Whether a table counts anything; a verdict on a file holds whatever the days asked for, so it does not. */
export function isEmpty({ kinds }: ReducedTable): boolean {
  return KIND_NAMES.every(kind => kind === "scan" || kinds[kind].rows === 0);
}

/** Rows of all kinds. */
export function countRows({ kinds }: ReducedTable): number {
  return KIND_NAMES.reduce((sum, kind) => sum + kinds[kind].rows, 0);
}
