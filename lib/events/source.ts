/**
 * One log that was counted: what tells it from others, how its lines ended, and where it stands in the order of logs.
 *
 * Tested in `test/lib/reduced/reduced-builder.test.ts`.
 */
import { statSync } from "node:fs";
import { plural } from "../text/format.ts";
import { compareText, quoteForMessage } from "../text/text.ts";

/** What the file system says of a file. Whole numbers as text: nanoseconds pass 2^53. */
export interface FileIdentity {
  /** Bytes on disk. */
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly inode: string;
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
  /**
   * Events not counted, as an earlier log holds their line byte for byte; not among `events` and `repaired`. Only where
   * such lines were looked for.
   */
  dropped?: number;
}

/** Counts of no line at all, to add to. */
export function noCounts(): LineCounts {
  return { lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0 };
}

/** Add counts to a sum, or with `sign` -1 take them out of it. */
export function addCounts(sum: LineCounts, counts: LineCounts, sign: 1 | -1 = 1): void {
  for (const name of COUNT_NAMES) sum[name] += sign * counts[name];
  if (counts.dropped !== undefined) sum.dropped = (sum.dropped ?? 0) + sign * counts.dropped;
}
export const COUNT_NAMES = ["lines", "events", "repaired", "rejected", "pending"] as const;

/** Counts of a log some of whose events are dropped; what gave a repaired event is seldom the same line twice. */
export function withDropped(counts: LineCounts, dropped: number): LineCounts {
  const events = Math.max(0, counts.events - dropped);
  return { ...counts, events, repaired: counts.repaired - (dropped - (counts.events - events)), dropped };
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
  /** Of logins it does not say which were accepted (a `reduced.json` of the ancestor). */
  readonly lacksSuccess?: boolean;
  /** Why the source could not be read to its end, when it could not. */
  readonly damage?: string;
  /**
   * First line if it gave no event, and last piece without LF if it did not parse: perhaps the halves of a line that
   * a rotation cut, whose other halves are in the files before and behind.
   */
  readonly head?: string;
  readonly tail?: string;
  /**
   * In a table that was combined of others: the days of it that are counted, where they are not those of the whole table;
   * first and last of each stretch, null = open. See `day-ranges.ts`.
   */
  readonly days?: readonly (readonly [first: number | null, last: number | null])[];
}

/** Canonical order of sources: by the time of the first event, then path as people count, then content. */
export function compareSources(a: SourceInfo, b: SourceInfo): number {
  return (
    (a.firstSeenUs ?? Infinity) - (b.firstSeenUs ?? Infinity) ||
    comparePaths(a.path, b.path) ||
    compareText(a.wholeHash, b.wholeHash)
  );
}

/** Paths with their numbers compared as numbers: `cowrie.json.2` before `cowrie.json.10`. */
export function comparePaths(a: string, b: string): number {
  return comparePieces(toPieces(a), toPieces(b));
}

/** Paths in the order of {@link comparePaths}, each taken apart once. */
export function sortPaths(paths: readonly string[]): string[] {
  return paths.map(toPieces).sort(comparePieces).map(({ path }) => path);
}

/** A path, and its texts and numbers in turn. */
type PathPieces = ReturnType<typeof toPieces>;

function toPieces(path: string) {
  return { path, pieces: path.split(/(\d+)/) };
}

function comparePieces({ path: a, pieces: left }: PathPieces, { path: b, pieces: right }: PathPieces): number {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = i % 2 === 1 ? Number(left[i]) - Number(right[i]) : compareText(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareText(a, b);
}

/** What is said of a log whose compressed data are damaged; safe to show. */
export function describeDamage({ path, damage }: SourceInfo): string {
  return `${quoteForMessage(path)}: ${damage}; what came before it counts`;
}

/** Which log holds no event; safe to show. */
export function describeEmpty({ path, counts }: SourceInfo): string {
  return `${quoteForMessage(path)}: no Cowrie event in ${plural(counts.lines, "line")}`;
}

/** What the file system says of a file now. */
export function identifyFile(path: string): FileIdentity {
  const stat = statSync(path, { bigint: true });
  return {
    sizeBytes: Number(stat.size),
    mtimeNs: String(stat.mtimeNs),
    ctimeNs: String(stat.ctimeNs),
    inode: String(stat.ino),
  };
}
