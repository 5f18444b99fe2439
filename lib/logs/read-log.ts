/**
 * One log, by way of its stored event table where that is still true, to reduced rows.
 *
 * Runs in the main thread or in a worker; takes and returns what can be sent between them.
 *
 * Tested in `test/lib/logs/log-set.test.ts`.
 */
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import {
  type BuiltEventTable,
  EVENT_TABLE,
  type EventTable,
  eventTableToIpc,
  openEventTable,
  type StoredEventTable,
} from "../events/event-table.ts";
import { openText, streamText, type TextStream } from "../events/log-text.ts";
import { KernelSessions } from "./kernel-sessions.ts";
import { type LogSessions, readSessions, SessionReader } from "./log-sessions.ts";
import { verifyKept, writeKept } from "../process/kept-files.ts";
import { mapLog } from "../events/map-log.ts";
import type { Packed } from "../process/packed-store.ts";
import type { ReducedRows } from "../reduced/reduced-builder.ts";
import { KernelReducer } from "../reduced/kernel-reducer.ts";
import { reduceEvents } from "../reduced/reduce.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { type FileIdentity, identifyFile, type SourceInfo } from "../events/source.ts";
import { isArrow, isArrowFile, peek } from "../columns/first-bytes.ts";
import { hashText } from "../events/text-hash.ts";
import { rejectToJson } from "./rejects.ts";
import { closing } from "../columns/regular-file.ts";

export interface LogJob {
  readonly path: string;
  /** Where its event table is, or will be; undefined = nowhere. */
  readonly tablePath?: string;
  /** Name under which a new event table is written. */
  readonly partialPath?: string;
  /** Whoever gave the job gives the new event table its own name. */
  readonly isNamedLater?: boolean;
  /** State in which a table that was found true must still be, see `stateOf`. */
  readonly tableState?: string | undefined;
  /** Map the log even if its stored table is true. */
  readonly isFresh: boolean;
  readonly hasLineHashes: boolean;
  /** Reduce the events by these; undefined = map only. */
  readonly reduction?: ReductionParameters;
  /** Gather what the sessions left. */
  readonly wantsSessions?: boolean;
  /** Both will be kept. */
  readonly keepsDigest?: boolean;
  /** What was kept of it, if it has grown since: good for its table in that state, of a text of so many bytes. */
  before?: { readonly digest: Uint8Array; readonly tableState: string; readonly sizeBytes: number } | undefined;
  /** Rejected lines are appended to this file, one JSON object a line. */
  readonly rejectsPath?: string;
  /** Note in the event table where to go on when the log has grown. */
  readonly wantsResume?: boolean;
}

export interface LogResult {
  readonly source: SourceInfo;
  readonly rows?: ReducedRows;
  /** Of a log that has grown they may come in parts, of which no session tells otherwise than as one, see `sessionsAddUp`. */
  readonly sessions?: readonly LogSessions[];
  /** In place of the two where both will be kept, see `packDigest`. */
  readonly digest?: Packed;
  /** The log's file as it was before it was read. */
  readonly log?: FileIdentity;
  /** The stored table was used as it is. */
  readonly isReused: boolean;
  /** State of the event table's file, by which to tell that what is opened later is the same; see `stateOf`. */
  readonly tableState?: string;
}

/**
 * Read a log, or an event table named in its place.
 *
 * @throws {Error} if it cannot be opened, or its event table not be written.
 */
export async function readLog(job: LogJob, onProgress?: (textBytes: number) => void): Promise<LogResult> {
  const { path } = job;
  const { file, result } = await openLog(job, true);
  if (result !== undefined) return result;
  let text: TextStream;
  try {
    text = openText(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
  using _text = closing(text);
  return await mapText(job, text, file, onProgress);
}

/**
 * What a stored event table says of its log, if one look at the file system tells that it is still true; undefined if
 * there is more to do.
 */
export async function readIfUnchanged(job: LogJob): Promise<LogResult | undefined> {
  return (await openLog(job, false)).result;
}

/** The same, where the text of the log may be read to find out. */
export async function readIfTrue(job: LogJob): Promise<LogResult | undefined> {
  return (await openLog(job, true)).result;
}

/** @param mayHash Whether the text of a log may be read to find out that its table is true. */
async function openLog(job: LogJob, mayHash: boolean): Promise<{ file: FileIdentity; result?: LogResult }> {
  const { path, tablePath, isFresh } = job;
  try {
    const file = identifyFile(path);
    if (isArrowFile(path)) return { file, result: await readStored(job, await openEventTable(path)) };
    const stored = tablePath === undefined || isFresh ? undefined : await openIfTrue(job, tablePath, file, mayHash);
    return stored === undefined ? { file } : { file, result: { ...(await readStored(job, stored)), log: file } };
  } catch (error) {
    throw cannotRead(path, error);
  }
}

function cannotRead(path: string, error: unknown): Error {
  return new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
}

/** Read standard input: a log, or an event table as an Arrow stream. */
export async function readStdin(job: LogJob, onProgress?: (textBytes: number) => void): Promise<LogResult> {
  const { head, all } = await peek(Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>);
  if (isArrow(head)) {
    if (job.partialPath === undefined) return readStored(job, await openEventTable(all));
    // Somebody walks the table again: it is kept as it comes.
    const file = openSync(job.tablePath!, "wx", 0o600);
    using _file = closing(file);
    for await (const chunk of all) writeWhole(file, chunk);
    return { ...(await readStored(job, await openEventTable(job.tablePath!))), isReused: false };
  }
  return mapText(job, streamText(head, all), undefined, onProgress);
}

/** Take what is asked for from a stored event table. */
export async function readStored(job: LogJob, { info, table, state }: StoredEventTable): Promise<LogResult> {
  // A log that was moved together with its table has a new name.
  const source = job.tablePath === undefined ? info.source : { ...info.source, path: job.path };
  try {
    const taken = await takeFrom(table, source, job);
    return { source, isReused: true, ...taken, ...(state === undefined ? {} : { tableState: state }) };
  } finally {
    await table.close();
  }
}

/** Map a text, write its event table, reduce its events, as the job says. */
export async function mapText(
  job: LogJob,
  text: TextStream,
  file: FileIdentity | undefined,
  onProgress: ((textBytes: number) => void) | undefined,
): Promise<LogResult> {
  const { path, partialPath, hasLineHashes, rejectsPath } = job;
  const rejects = rejectsPath === undefined ? undefined : openSync(rejectsPath, "a");
  const counting = countWhileRead(job);
  try {
    const { info, table } = await mapLog(path, text, {
      lineHashes: hasLineHashes,
      wantsResume: job.wantsResume ?? false,
      watchers: counting.watchers,
      ...(file === undefined ? {} : { file }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(rejects === undefined
        ? {}
        : { onReject: (line, bytes) => writeSync(rejects, rejectToJson(path, line, bytes)) }),
    });
    const tableState = partialPath === undefined ? undefined : writeTable(job, eventTableToIpc(table, info));
    const taken = await counting.take(table, info.source);
    table.close();
    return {
      source: info.source,
      isReused: false,
      ...taken,
      ...(file === undefined ? {} : { log: file }),
      ...(tableState === undefined ? {} : { tableState }),
    };
  } finally {
    if (rejects !== undefined) closeSync(rejects);
  }
}

/** Have the kernel count what the job wants of a log while it is read; what it does not count is taken from the table. */
export function countWhileRead(job: LogJob) {
  const reducer = job.reduction && new KernelReducer(job.reduction);
  const sessions = job.wantsSessions ? new KernelSessions() : undefined;
  return {
    /** To be given to `mapLog`. */
    watchers: [reducer, sessions].filter(watcher => watcher !== undefined),
    /** @param source Of all that the rows are counted as. */
    take: (table: BuiltEventTable, source: SourceInfo) =>
      takeFrom(table, source, job, { rows: reducer?.takeRows(table, source.wholeHash), sessions: sessions?.takeSessions(table) }),
  };
}

/**
 * Reduced rows and sessions, as far as they are wanted, in one walk over the table at most.
 *
 * @param known What is at hand of both.
 */
async function takeFrom(
  table: EventTable,
  source: SourceInfo,
  { reduction, wantsSessions = false }: LogJob,
  known: { readonly rows?: ReducedRows | undefined; readonly sessions?: LogSessions | undefined } = {},
): Promise<Pick<LogResult, "rows" | "sessions">> {
  const lacksRows = reduction !== undefined && known.rows === undefined;
  const lacksSessions = wantsSessions && known.sessions === undefined;
  if (lacksSessions && lacksRows) {
    const reader = new SessionReader(table);
    const { rows } = await reduceEvents({ ...table, batches: () => reader.batches() }, source.wholeHash, reduction);
    return { rows, sessions: [reader.finish()] };
  }
  const rows = lacksRows ? (await reduceEvents(table, source.wholeHash, reduction)).rows : known.rows;
  const sessions = lacksSessions ? await readSessions(table) : known.sessions;
  return { ...(rows && { rows }), ...(sessions && { sessions: [sessions] }) };
}

/**
 * Open the stored table of a log if it was made from the log as it is now, by today's mapping.
 *
 * A file whose size, times and inode are the ones noted has not been written to since. If only times or inode differ,
 * as after a copy or a restore, the text itself decides.
 */
async function openIfTrue(
  job: LogJob,
  tablePath: string,
  file: FileIdentity,
  mayHash: boolean,
): Promise<StoredEventTable | undefined> {
  let stored: StoredEventTable;
  try {
    stored = await openEventTable(tablePath);
  } catch {
    // None there, of another version, or damaged: the log is mapped again.
    return undefined;
  }
  const { info, state } = stored;
  const known = info.file;
  const isSameSize = known?.sizeBytes === file.sizeBytes;
  const isTrue =
    isSameSize &&
    (!job.hasLineHashes || info.hasLineHashes) &&
    // Rejected lines are in the log only.
    (job.rejectsPath === undefined || info.source.counts.rejected === 0) &&
    // All the above anyone could have written; from here on it is our own word.
    verifyKept(tablePath, EVENT_TABLE) === state &&
    ((known.mtimeNs === file.mtimeNs && known.ctimeNs === file.ctimeNs && known.inode === file.inode) ||
      (mayHash && (await hashText(job.path)).wholeHash === info.source.wholeHash));
  if (isTrue) return stored;
  await stored.table.close();
  return undefined;
}

/**
 * Write the event table of a log.
 *
 * @returns State of its file, if it has its own name already.
 */
export function writeTable(
  { path, tablePath, partialPath, isNamedLater, wantsResume }: LogJob,
  chunks: Iterable<Uint8Array>,
): string | undefined {
  const name = isNamedLater === true ? undefined : tablePath;
  try {
    return writeKept(partialPath!, EVENT_TABLE, chunks, { mode: modeOf(path), name });
  } catch (error) {
    // A disk that is full of logs is when one wants to read them.
    const hint = wantsResume !== true ? "" : " (--mapped-dir chooses another folder)";
    throw new Error(`Cannot write ${quoteForMessage(tablePath!)}: ${errorReason(error)}${hint}`, { cause: error });
  }
}

/** Rights of an event table: what attackers typed may be somebody's real password, and is for whoever may read the log. */
export function modeOf(logPath: string): number {
  return ((statSync(logPath, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) === 0 ? 0o600 : 0o644;
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let put = 0; put < bytes.length; ) put += writeSync(file, bytes, put);
}
