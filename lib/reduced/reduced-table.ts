/**
 * The reduced table: full counts, one row per day, sensor, kind and key.
 *
 * In memory each kind is a table of its own, because rows of different kinds share no key columns; dictionaries are
 * shared, so a source address has one code wherever it occurs. Rows stand in canonical order (day, sensor, then the
 * key columns of the kind, text by its UTF-16 code units, "no value" first), so equal content is equal bytes.
 */
import type { KeyColumn, Kind, TextKey } from "./kinds.ts";

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
  readonly keys: Readonly<Partial<Record<KeyColumn, Int32Array>>>;
  /** How many events (for `pre_disconnect_command`: sessions) the row stands for. */
  readonly count: Float64Array;
  /** How many of `count` were successful logins; 0 in every other kind. */
  readonly success: Float64Array;
  /** Time of the first and the last event of the row, microseconds since 1970-01-01 UTC. */
  readonly firstSeenUs: Float64Array;
  readonly lastSeenUs: Float64Array;
}

/** How the lines of a source ended; see the counts of {@link SourceInfo}. */
export interface LineCounts {
  /** LF-terminated lines and a last line without LF, blank ones included. */
  lines: number;
  /** Events read from sound lines. */
  events: number;
  /** Events read from lines that needed help; `events + repaired` is the number of events counted. */
  repaired: number;
  /** Lines (or elements of a line that holds an array) that gave no event. */
  rejected: number;
  /** 1 when the last line has no LF and does not parse: the rest of it may still be written. */
  pending: number;
}

/** One log that was counted: what it was, so that it is never counted twice, and what was read from it. */
export interface SourceInfo {
  /** As the user named it; for people, never an identity. */
  readonly path: string;
  /** Size of the log's text in bytes, uncompressed, as far as it was read. */
  readonly sizeBytes: number;
  /**
   * Hash of the first line (of its first 4 KiB): equal for two states of one growing log. Cowrie's lines hold a time to
   * the microsecond and a random session id, so logs that share their first line overlap.
   */
  readonly headHash: string;
  /** Hash of all the text that was read. */
  readonly wholeHash: string;
  readonly counts: LineCounts;
  /** Time of the first and last event, microseconds since 1970-01-01 UTC; undefined when there is none. */
  readonly firstSeenUs?: number;
  readonly lastSeenUs?: number;
  /** Counts were cut to the top n before we saw them (a `reduced.json`): show, do not test. */
  readonly cut?: boolean;
  /** Why the source could not be read to its end, when it could not. */
  readonly damage?: string;
  /**
   * First line if it gave no event, and last piece without LF if it did not parse: perhaps the halves of a line that
   * a rotation cut, whose other halves are in the files before and behind.
   */
  readonly head?: string;
  readonly tail?: string;
}

/** What was left out on purpose, so that a reader of the table can tell "none" from "not asked for". */
export interface ReductionParameters {
  /** Sessions shorter than this are robots. */
  readonly robotMaxSeconds: number;
  /** Nodes whose sessions were held against another limit: name -> its seconds. */
  readonly robotMaxSecondsOf?: Readonly<Record<string, number>>;
  /** First and last day kept, days since 1970-01-01 UTC, both inclusive. */
  readonly sinceDay?: number;
  readonly untilDay?: number;
  /** The sensors kept, after aliases; undefined = all. */
  readonly sensors?: readonly string[];
  /** Name in the log -> name counted under. */
  readonly sensorAliases?: Readonly<Record<string, string>>;
}

export interface ReducedInfo {
  /** Version of the reduced format. */
  readonly version: number;
  readonly parameters: ReductionParameters;
  /** In canonical order: time of the first event, path, hash. */
  readonly sources: readonly SourceInfo[];
}

export interface ReducedTable {
  readonly info: ReducedInfo;
  /** code -> text, sorted by UTF-16 code units. A sensor without a name is "". */
  readonly dictionaries: Readonly<Record<TextKey | "sensor", readonly string[]>>;
  /** Every kind is present, possibly with 0 rows. */
  readonly kinds: Readonly<Record<Kind, KindTable>>;
}
