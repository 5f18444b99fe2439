/**
 * The logs of a node, mapped and reduced here while they come in; no log is written, and none is fetched again that has
 * not changed since its event table was made.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EVENT_TABLE, type EventTableInfo, openEventTable, type StoredEventTable } from "../events/event-table.ts";
import { countEvents, findEventCopies } from "../logs/event-copies.ts";
import { growOffset } from "../logs/grow-log.ts";
import { verifyKept } from "../process/kept-files.ts";
import { partialPathOf } from "../process/output-file.ts";
import type { Mapper, MapperListener, MapperLog, MapperPool } from "./mapper-pool.ts";
import type { LogJob, LogResult } from "../logs/read-log.ts";
import type { ReducedRows } from "../reduced/reduced-builder.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { fetchInRounds, type RoundsOptions } from "./fetch-rounds.ts";
import { answerQuestions, type CopyOf, describeUnproven, findCopies } from "./find-copies.ts";
import type { AnswerReader, AnswerShape, Wire } from "./answer.ts";
import { chooseWire, fetchParts } from "./fetch-parts.ts";
import { type RemoteLog, showPath } from "./list-logs.ts";
import type { Connection } from "../ssh/connection.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import {
  addCounts,
  comparePaths,
  describeDamage,
  describeEmpty,
  type FileIdentity,
  type LineCounts,
  noCounts,
  type SourceInfo,
} from "../events/source.ts";

const REQUEST_MAX_BYTES = 16 << 20;
const REQUEST_MAX_FILES = 64;

export interface MapNodeOptions extends Omit<RoundsOptions, "folder"> {
  /** Name of the node, as it stands before the paths of its logs. */
  readonly name: string;
  /** Folder of the node's event tables. */
  readonly tables: string;
  readonly parameters: ReductionParameters;
  /** Fetch and map every log again. */
  readonly isFresh: boolean;
  /** Its threads are the limit, so many nodes need one request each. */
  readonly pool: MapperPool;
  /** Event tables with the hash of every line, and no reduced rows. */
  readonly hasLineHashes: boolean;
  /** Logs that are copies of others, or earlier states, count as well. */
  readonly keepDuplicates: boolean;
  /** Folder for rejected lines, a file per log; undefined = they are not wanted. */
  readonly rejects: string | undefined;
}

/** A log of a node with its event table. */
export interface MappedRemoteLog {
  readonly source: SourceInfo;
  /** As the node has it, every byte one character. */
  readonly remotePath: string;
  readonly tablePath: string;
  /** State in which its file must still be, see `stateOf`; undefined = any. */
  readonly tableState: string | undefined;
  /** Undefined where the table has the hashes of lines. */
  readonly rows: ReducedRows | undefined;
  /** File of its rejected lines, if they were wanted; it may not be there. */
  readonly rejectsPath: string | undefined;
}

export interface MappedNode {
  /** Logs that hold events, each text once. */
  readonly logs: readonly MappedRemoteLog[];
  /** Logs without any event; what they hold was rejected. */
  readonly empty: readonly MappedRemoteLog[];
  readonly reused: number;
  readonly leftOut: number;
  readonly damaged: number;
  /** How the lines of all logs ended. */
  readonly counts: LineCounts;
  /** Bytes of text, as fetched or known from before, and of the wire. */
  readonly textBytes: number;
  readonly wireBytes: number;
  /** Logs that could not be read, and why. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
}

/** Map the logs of a node. */
export async function mapNode(connection: Connection, options: MapNodeOptions): Promise<MappedNode> {
  const { show, note, sudo, pool, tables } = options;
  const results = new Map<string, FoundLog>();
  const keep = (job: RemoteJob, result: LogResult) => {
    const { tablePath, rejectsPath } = job;
    results.set(job.log.path, { ...result, remotePath: job.log.path, tablePath, rejectsPath });
  };
  let wireBytes = 0;
  let asked = 0;
  mkdirSync(tables, { recursive: true });
  const { logs, failed } = await fetchInRounds<RemoteJob>(connection, { ...options, folder: tables }, {
    label: "mapping, ",
    wants: ({ sizeBytes }) => sizeBytes > 0,
    async plan(log, place, round) {
      const job = await makeJob(log, place, round, asked++, options);
      if (!job.isSame) return job;
      keep(job, await withMapper(pool, mapper => mapper.readStored(job)));
      return undefined;
    },
    bytesOf: ({ log, offset = 0 }) => log.sizeBytes - offset,
    most: { bytes: REQUEST_MAX_BYTES, files: REQUEST_MAX_FILES },
    // Packing them again helps nobody.
    isApart: ({ isPacked }) => isPacked,
    fetch: (batch, { tools, onBytes, onEnd }) =>
      mapBatch(connection, batch, {
        pool,
        wire: batch[0]!.isPacked ? "none" : chooseWire(tools),
        sudo,
        onWire: bytes => void (wireBytes += bytes),
        onBytes,
        onDone(job, result) {
          if (result !== undefined) keep(job, result);
          else if (job.rejectsPath !== undefined) rmSync(job.rejectsPath, { force: true });
          onEnd(job, result === undefined ? "changed" : "done");
        },
      }),
  });
  const ordered = logs
    .flatMap(({ path }) => results.get(path) ?? [])
    .sort((a, b) => comparePaths(a.remotePath, b.remotePath));
  const copies = await findCopies(
    options.keepDuplicates ? [] : ordered,
    questions => {
      show("comparing logs");
      return answerQuestions(connection, questions, sudo);
    },
    (log, longer) => note(describeUnproven(log, longer)),
  );
  for (const { path, reason } of failed) note(`${quoteForMessage(path)}: ${reason}`);
  if (!options.keepDuplicates) {
    const others = ordered.filter(log => !copies.has(log) && countEvents(log) > 0);
    for (const [log, copy] of await findEventCopies(others)) copies.set(log, copy);
  }
  return { ...sortOut(ordered, copies, options), wireBytes, failed };
}

interface RemoteJob extends LogJob {
  readonly log: RemoteLog;
  readonly file: FileIdentity;
  /** The event table that is here was made from it as it is. */
  readonly isSame: boolean;
  /** Of the event table that is here already, if it is believed. */
  readonly tableState?: string | undefined;
  /** It is packed on the node already. */
  readonly isPacked: boolean;
  /** Only what comes from here on is fetched; the rest is in the event table. */
  readonly offset?: number | undefined;
  readonly tablePath: string;
  readonly partialPath: string;
}

/** @param id Of this job alone. */
async function makeJob(
  log: RemoteLog,
  place: string,
  round: number,
  id: number,
  { name, parameters, hasLineHashes, isFresh, rejects }: MapNodeOptions,
): Promise<RemoteJob> {
  const tablePath = `${place}.arrow`;
  const job: RemoteJob = {
    log,
    // There is no time of change over there that a copy would not carry along; size, time and inode decide.
    file: { sizeBytes: log.sizeBytes, mtimeNs: log.mtime, ctimeNs: "", inode: log.inode },
    isSame: false,
    isPacked: /\.(gz|zst|bz2|xz)$/.test(log.path),
    path: `${name}:${showPath(log.path)}`,
    tablePath,
    partialPath: partialPathOf(tablePath),
    isNamedLater: true,
    isFresh: true,
    hasLineHashes,
    wantsResume: true,
    // Which of two equal lines counts is known only once all logs are.
    ...(hasLineHashes ? {} : { reduction: parameters }),
    ...(rejects === undefined ? {} : { rejectsPath: join(rejects, `${id}`) }),
  };
  const { info: known, state } = (isFresh ? undefined : await readInfo(job)) ?? {};
  const stored = { ...job, tableState: state };
  if (known === undefined) return stored;
  if (isSame(known, job)) return { ...stored, isSame: true };
  // What did not fit behind its beginning is fetched whole the next time.
  // Hashes of lines, and lines that were rejected, are not carried over.
  const canGrow = round === 1 && !hasLineHashes && !known.hasLineHashes && rejects === undefined;
  const offset = canGrow && known.file?.inode === log.inode ? growOffset(known, log.sizeBytes) : undefined;
  return { ...stored, offset };
}

/** What the event table that is here says of its log; undefined if it is of no use. */
async function readInfo({ tablePath, path }: RemoteJob): Promise<Omit<StoredEventTable, "table"> | undefined> {
  if (!existsSync(tablePath)) return undefined;
  try {
    const { info, table, state } = await openEventTable(tablePath);
    await table.close();
    return info.source.path === path && verifyKept(tablePath, EVENT_TABLE) === state ? { info, state } : undefined;
  } catch {
    // Of another version, or damaged: the log is mapped again.
    return undefined;
  }
}

/** Tell whether a table was made from the log as it is there now. */
function isSame({ file: known, source, ...info }: EventTableInfo, job: RemoteJob): boolean {
  if (job.hasLineHashes && !info.hasLineHashes) return false;
  // Rejected lines are in the log only.
  if (job.rejectsPath !== undefined && source.counts.rejected > 0) return false;
  const { file } = job;
  return known?.sizeBytes === file.sizeBytes && known.mtimeNs === file.mtimeNs && known.inode === file.inode;
}

async function withMapper<T>(pool: MapperPool, work: (mapper: Mapper) => Promise<T>): Promise<T> {
  const mapper = await pool.acquire();
  try {
    return await work(mapper);
  } finally {
    pool.release(mapper);
  }
}

interface BatchOptions {
  readonly pool: MapperPool;
  readonly wire: Wire;
  readonly sudo: boolean;
  readonly onWire: (bytes: number) => void;
  readonly onBytes: (bytes: number) => void;
  /** Without a result it did not come whole. */
  readonly onDone: (job: RemoteJob, result: LogResult | undefined) => void;
}

async function mapBatch(connection: Connection, jobs: readonly RemoteJob[], options: BatchOptions): Promise<void> {
  const { pool, wire, sudo, onWire, onBytes, onDone } = options;
  const parts = jobs.map(({ log, offset = 0 }) => ({ path: log.path, offset, length: log.sizeBytes - offset }));
  const logs = jobs.map(({ log: _log, file, isSame: _isSame, isPacked: _isPacked, offset, ...job }) => {
    return { job, file, isGrown: offset !== undefined };
  });
  // Not at once: where a table takes the place of another, a file system may first write it to the disk.
  const renamed: Promise<Error | undefined>[] = [];
  const listener = {
    onText: onBytes,
    onLog(index: number, result: LogResult | undefined) {
      const job = jobs[index]!;
      if (result !== undefined) renamed.push(giveName(job));
      onDone(job, result);
    },
  };
  for (const { tablePath } of jobs) mkdirSync(dirname(tablePath), { recursive: true });
  try {
    await fetchParts(connection, parts, shape => new PooledAnswer(pool, logs, shape, listener), { wire, sudo, onWire });
    const failure = (await Promise.all(renamed)).find(error => error !== undefined);
    if (failure !== undefined) throw failure;
  } finally {
    await Promise.all(renamed);
    for (const { partialPath } of jobs) rmSync(partialPath, { force: true });
  }
}

/** @returns Why it cannot be done. */
async function giveName({ partialPath, tablePath }: RemoteJob): Promise<Error | undefined> {
  try {
    await rename(partialPath, tablePath);
    return undefined;
  } catch (error) {
    return new Error(`Cannot write ${quoteForMessage(tablePath)}: ${errorReason(error)}`, { cause: error });
  }
}

/** An answer read by a thread of the pool, once it begins: until then others may have the thread. */
class PooledAnswer implements AnswerReader {
  readonly #pool: MapperPool;
  readonly #open: (mapper: Mapper) => AnswerReader;
  #mapper: Mapper | undefined;
  #reader: AnswerReader | undefined;

  constructor(pool: MapperPool, logs: readonly MapperLog[], shape: AnswerShape, listener: MapperListener) {
    this.#pool = pool;
    this.#open = mapper => mapper.open(logs, shape, listener);
  }

  async #begin(): Promise<AnswerReader> {
    this.#mapper ??= await this.#pool.acquire();
    return (this.#reader ??= this.#open(this.#mapper));
  }

  async take(data: Buffer): Promise<void> {
    await (this.#reader ?? (await this.#begin())).take(data);
  }

  async end(): Promise<boolean> {
    return (this.#reader ?? (await this.#begin())).end();
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    if (this.#mapper !== undefined) this.#pool.release(this.#mapper);
  }
}

type FoundLog = LogResult & Pick<MappedRemoteLog, "remotePath" | "tablePath" | "rejectsPath">;

/** Leave out copies and logs without events, and add up how lines ended. */
function sortOut(
  results: readonly FoundLog[],
  copies: ReadonlyMap<FoundLog, CopyOf<FoundLog>>,
  { note }: MapNodeOptions,
): Omit<MappedNode, "wireBytes" | "failed"> {
  const counts = noCounts();
  const logs: MappedRemoteLog[] = [];
  const empty: MappedRemoteLog[] = [];
  let reused = 0;
  let damaged = 0;
  let textBytes = 0;
  for (const result of results) {
    const { source, rows, isReused, remotePath, tablePath, tableState, rejectsPath } = result;
    const name = quoteForMessage(source.path);
    const copy = copies.get(result);
    if (copy !== undefined) {
      note(`left out ${name}: it holds ${copy.how} ${quoteForMessage(copy.original.source.path)}`);
      continue;
    }
    textBytes += source.sizeBytes;
    addCounts(counts, source.counts);
    if (source.damage !== undefined) {
      damaged++;
      note(describeDamage(source));
    }
    const log = { source, remotePath, tablePath, tableState, rows, rejectsPath };
    if (source.counts.events + source.counts.repaired === 0) {
      empty.push(log);
      note(`left out ${describeEmpty(source)}`);
      continue;
    }
    if (isReused) reused++;
    logs.push(log);
  }
  return { logs, empty, reused, leftOut: copies.size + empty.length, damaged, counts, textBytes };
}
