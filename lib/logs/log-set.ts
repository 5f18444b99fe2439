/**
 * All logs that a command names, each with its event table: finds them, leaves out copies, reads what must be read.
 */
import { existsSync, mkdtempSync, rmSync, statSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onStop, STDIN } from "../process/cli.ts";
import { UsageError } from "../process/command.ts";
import { findLogs, type FoundLogs, leaveOutCopies } from "./find-logs.ts";
import { isArrowFile } from "../columns/first-bytes.ts";
import { isOpenStream } from "../columns/regular-file.ts";
import { findEventCopies } from "./event-copies.ts";
import { readLogs } from "./log-pool.ts";
import { partialPathOf, removeStaleIn } from "../process/output-file.ts";
import { LogDigests } from "./log-digests.ts";
import type { LogSessions } from "./log-sessions.ts";
import { keyProblem } from "../process/kept-files.ts";
import { type Packed, PackedStore } from "../process/packed-store.ts";
import { type LogJob, type LogResult, readIfUnchanged, readStdin } from "./read-log.ts";
import type { ReducedRows } from "../reduced/reduced-builder.ts";
import type { ReductionParameters } from "../events/scope.ts";
import type { LogHead } from "../events/text-hash.ts";
import { findSeams, type Seam, settleSeams } from "../reduced/joined-lines.ts";
import { checkSensors } from "./known-sensors.ts";
import type { EventScope } from "../events/scope.ts";
import { pauseNowAndThen } from "../process/pause.ts";
import { TablePlaces } from "./table-places.ts";
import { openTables } from "./walk-tables.ts";
import { quoteForMessage } from "../text/text.ts";
import { addCounts, compareSources, describeDamage, describeEmpty, type LineCounts, noCounts, type SourceInfo } from "../events/source.ts";
import { readRejects } from "./rejects.ts";

export interface LogSetOptions {
  /** "continue" uses stored event tables that are still true, "write" maps every log again. */
  readonly mode: "continue" | "write";
  /** Folder of the event tables; undefined = beside each log. */
  readonly mappedDir?: string;
  readonly keepDuplicates?: boolean;
  /** Event tables with the hash of every line. */
  readonly lineHashes?: boolean;
  /** Logs read at the same time; undefined = one per core. */
  readonly jobs?: number;
  /** Collect rejected lines. */
  readonly wantsRejects?: boolean;
  /** Reduce the events of each log while it is at hand; undefined = event tables only. */
  readonly reduction?: ReductionParameters;
  /** Gather what the sessions of each log left. */
  readonly wantsSessions?: boolean;
  /** Keep both for the next run, and take what the one before has kept. */
  readonly keepsDigests?: boolean;
  /** The logs are some of those that count: that none of them holds an event is told, and no error. */
  readonly isPart?: boolean;
  /** Which events will count: a sensor that no log has is told, or refused. */
  readonly scope?: EventScope;
  /** Where the command writes: a log among them is an error, before it is written over. */
  readonly outputs: readonly string[];
  /** The logs, where they were found already. */
  readonly found?: FoundLogs;
  /** The event tables are walked afterwards; without it standard input leaves none. */
  readonly keepsTables?: boolean;
  /** Told once the logs are found, before any is read. */
  readonly onStart?: (logs: number, sizeBytes: number) => void;
  /** Told the bytes of text read since the last call. */
  readonly onProgress?: (textBytes: number) => void;
  /** Something was left out or done otherwise than expected; safe to show. */
  readonly onNotice: (line: string) => void;
  /** The same of what must not be passed over; to be shown whatever was asked for. */
  readonly onProblem?: (line: string) => void;
}

export interface SetLog {
  readonly source: SourceInfo;
  /** Path of its event table; undefined for standard input that leaves none. */
  readonly tablePath: string | undefined;
  /** State in which its file must still be when it is opened, see `stateOf`; undefined = any. */
  readonly tableState?: string | undefined;
  /** Its reduced rows, if they were asked for; whoever has added them up takes them away, as they are most of the set. */
  rows: ReducedRows | undefined;
  /** Names under which its sensors count; known once its rows are added up. */
  sensors?: readonly string[];
  /** What its sessions left, if it was asked for. */
  readonly sessions?: readonly LogSessions[] | undefined;
  /** Both of these, packed, where they are kept for the next run; see `unpackDigest`. Taken away as they are. */
  digest?: Packed | undefined;
}

export interface LogSet extends Disposable {
  /** Logs that hold events, in canonical order of their sources; lines cut between two of them are settled. */
  readonly logs: readonly SetLog[];
  /** The events of lines that a rotation cut in two; each belongs to the log it begins in. */
  readonly seams: readonly Seam[];
  /** How many of the logs were taken from their stored tables. */
  readonly reused: number;
  /** Files left out: empty, copies, without any event. */
  readonly leftOut: number;
  /** Sum over all logs that were read, also those left out for having no event. */
  readonly counts: LineCounts;
  readonly textBytes: number;
  /** Logs whose compressed data were damaged: only what came before the damage is counted. */
  readonly damaged: number;
  /** Files left out as they hold no event at all. */
  readonly empty: number;
  /** Sensors asked for that no log has. */
  readonly missing: number;
  /** Rejected lines as JSON, one a line with its LF, in the order of the logs; to be read before the set is disposed. */
  rejects(): AsyncGenerator<string>;
}

/**
 * Read a set of logs.
 *
 * @param inputs Files (logs or event tables), folders, "-".
 * @throws {Error} if an input cannot be read, or none of them holds an event and they are no part.
 * @throws {UsageError} if no log has any of the sensors asked for.
 */
export async function readLogSet(inputs: readonly string[], given: LogSetOptions): Promise<LogSet> {
  const { scope = {}, onNotice, onProblem = onNotice } = given;
  const namesSensors = scope.sensors !== undefined || scope.sensorAliases !== undefined;
  const options = namesSensors ? { ...given, keepsTables: true } : given;
  const { found = findLogs(inputs, options.isPart) } = options;
  keepLogs(found.paths, options.outputs);
  for (const notice of found.notices) onNotice(notice);
  const unique = options.keepDuplicates ? { paths: found.paths, notices: [], heads: undefined } : await leaveOutCopies(found.paths);
  for (const notice of unique.notices) onNotice(notice);
  options.onStart?.(unique.paths.length, found.sizeBytes);

  const needsScratch = options.wantsRejects || (options.keepsTables && unique.paths.some(isPassing));
  const scratch = needsScratch ? mkdtempSync(join(tmpdir(), "cowrie-")) : "";
  const removeScratch = () => {
    if (needsScratch) rmSync(scratch, { recursive: true, force: true });
  };
  const forget = onStop(removeScratch);
  const store = new PackedStore();
  const dispose = () => {
    store[Symbol.dispose]();
    removeScratch();
    forget();
  };
  try {
    const places = new TablePlaces(options.mappedDir, onNotice);
    const jobs: LogJob[] = [];
    for (const path of unique.paths) jobs.push(await makeJob(path, jobs.length, places, unique.heads?.get(path), scratch, options));
    const problem = jobs.some(({ path, tablePath }) => !isPassing(path) && tablePath !== undefined) && keyProblem();
    if (problem) onNotice(problem);
    const folders = new Set(jobs.flatMap(({ tablePath }) => (tablePath === undefined ? [] : [dirname(tablePath)])));
    for (const folder of folders) await removeStaleIn(folder);
    const results = await readAll(jobs, found.sizeBytes, store, options);
    const set = await settle(jobs, results, found.empty, options);
    const { missing, unused } = await checkSensors(openTables(set), scope);
    for (const line of unused) onNotice(line);
    for (const line of missing) onProblem(line);
    return {
      ...set,
      leftOut: found.leftOut + unique.notices.length + set.leftOut,
      missing: missing.length,
      rejects: () => readRejects(jobs, set.seams),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** @throws {UsageError} if an output is one of the logs, under whatever name. */
export function keepLogs(paths: readonly string[], outputs: readonly string[]): void {
  const identify = (path: string) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? `${stat.dev} ${stat.ino}` : undefined;
  };
  const written = new Map(outputs.map(path => [identify(path), path]));
  written.delete(undefined);
  if (written.size === 0) return;
  for (const path of paths) {
    const output = written.get(path === STDIN ? undefined : identify(path));
    if (output === undefined) continue;
    throw new UsageError(`Cannot write ${quoteForMessage(output)}: it is one of the logs to be read`);
  }
}

/** Whether a log can be read once only, and has no place beside it. */
export function isPassing(path: string): boolean {
  return path === STDIN || isOpenStream(path);
}

async function makeJob(
  path: string,
  i: number,
  places: TablePlaces,
  head: LogHead | undefined,
  scratch: string,
  options: LogSetOptions,
): Promise<LogJob> {
  const common = {
    path,
    isFresh: options.mode === "write",
    hasLineHashes: options.lineHashes ?? false,
    ...(options.reduction === undefined ? {} : { reduction: options.reduction }),
    wantsSessions: options.wantsSessions ?? false,
    keepsDigest: options.keepsDigests ?? false,
    ...(options.wantsRejects ? { rejectsPath: join(scratch, `${i}.rejects`) } : {}),
  };
  const passes = isPassing(path);
  if (passes ? !options.keepsTables : isArrowFile(path)) return common;
  const tablePath = passes ? join(scratch, `${i}.arrow`) : await places.of(path, head);
  return { ...common, tablePath, partialPath: partialPathOf(tablePath), wantsResume: !passes };
}

/** Logs whose tables are counted in this thread: a second one costs as much for what it loads, and for what it sends. */
const COUNTED_HERE_MAX_BYTES = 512 << 20;

/** Whether a log is a table itself, or may have one. */
function mayHaveTable({ tablePath, isFresh }: LogJob): boolean {
  return tablePath === undefined || (!isFresh && existsSync(tablePath));
}

/** Read the logs; each new event table gets its name once it is whole. */
async function readAll(
  jobs: readonly LogJob[],
  sizeBytes: number,
  store: PackedStore,
  { jobs: threads, keepsDigests = false, onProgress = () => {} }: LogSetOptions,
): Promise<ReadonlyMap<LogJob, LogResult>> {
  const results = new Map<LogJob, LogResult>();
  const removePartials = () => {
    for (const { partialPath } of jobs) {
      if (partialPath !== undefined && existsSync(partialPath)) unlinkSync(partialPath);
    }
  };
  const forget = onStop(removePartials);
  try {
    const digests = keepsDigests ? new LogDigests(store) : undefined;
    const onDone = (job: LogJob, result: LogResult) => void results.set(job, digests?.keep(job, result) ?? result);
    const files: LogJob[] = [];
    let changedBytes = 0;
    for (const job of jobs) {
      if (job.path === STDIN) continue;
      const digest = digests?.find(job);
      if (digest !== undefined) {
        results.set(job, digest);
        continue;
      }
      // Threads are for work: what has its table already is not worth one, but of very many the counts.
      const isLittle = job.reduction === undefined || sizeBytes < COUNTED_HERE_MAX_BYTES;
      await pauseNowAndThen();
      const known = isLittle && mayHaveTable(job) ? await readIfUnchanged(job) : undefined;
      if (known !== undefined) {
        onDone(job, known);
        continue;
      }
      job.before = digests?.before(job);
      files.push(job);
      const ownBytes = isPassing(job.path) ? 0 : statSync(job.path, { throwIfNoEntry: false })?.size ?? 0;
      changedBytes += Math.max(0, ownBytes - (job.before?.sizeBytes ?? 0));
    }
    await readLogs(files, changedBytes, threads, onDone, onProgress);
    digests?.write();
    for (const job of jobs) {
      if (job.path !== STDIN) continue;
      let told = 0;
      const onText = (textBytes: number) => {
        onProgress(textBytes - told);
        told = textBytes;
      };
      onDone(job, await readStdin(job, onText));
    }
    return results;
  } finally {
    removePartials();
    forget();
  }
}

/** Where the events of a log can be read again. */
function tableOf({ path, tablePath }: LogJob): string | undefined {
  return tablePath ?? (isPassing(path) ? undefined : path);
}

type Settled = Pick<LogSet, "logs" | "seams" | "reused" | "leftOut" | "counts" | "textBytes" | "damaged" | "empty">;

/**
 * Sort out which logs count, join the lines cut between them, and add up how all lines ended.
 *
 * @param bytelessFiles A line each.
 */
async function settle(
  jobs: readonly LogJob[],
  results: ReadonlyMap<LogJob, LogResult>,
  bytelessFiles: readonly string[],
  { onNotice, onProblem = onNotice, keepDuplicates = false, isPart = false }: LogSetOptions,
): Promise<Settled> {
  const sorted = sortOut(jobs, results, bytelessFiles, onNotice, keepDuplicates);
  const { kept, counts, problems } = sorted;
  if (!keepDuplicates) await leaveOutEventCopies(sorted, onNotice);
  // A run that fails says why, in one line.
  const isNothing = kept.size === 0 && !isPart;
  problems.forEach(isNothing ? onNotice : onProblem);
  if (isNothing) throw new Error("Cannot find an event in any log: expected Cowrie's JSON, one object a line");

  const sources = [...kept.keys()].sort(compareSources);
  const seams = await findSeams(sources);
  const settled = settleSeams(sources, seams);
  for (const source of settled) addCounts(counts, source.counts);
  const logs = sources.map((source, i): SetLog => {
    const { job, result } = kept.get(source)!;
    const { tableState, rows, sessions, digest } = result;
    return { source: settled[i]!, tablePath: tableOf(job), tableState, rows, sessions, digest };
  });
  const { reused, leftOut, textBytes, damaged, empty } = sorted;
  return { logs, seams, reused, leftOut, counts, textBytes, damaged, empty };
}

/** Logs that count, and what is told of the others. */
interface SortedOut {
  readonly kept: Map<SourceInfo, { readonly job: LogJob; readonly result: LogResult }>;
  /** Lines of logs without any event. */
  readonly counts: LineCounts;
  readonly problems: string[];
  reused: number;
  leftOut: number;
  textBytes: number;
  damaged: number;
  empty: number;
}

function sortOut(
  jobs: readonly LogJob[],
  results: ReadonlyMap<LogJob, LogResult>,
  bytelessFiles: readonly string[],
  onNotice: (line: string) => void,
  keepDuplicates: boolean,
): SortedOut {
  const sorted: SortedOut = {
    kept: new Map(),
    counts: noCounts(),
    problems: [...bytelessFiles],
    reused: 0,
    leftOut: 0,
    textBytes: 0,
    damaged: 0,
    empty: bytelessFiles.length,
  };
  const byHash = new Map<string, SourceInfo>();
  for (const job of jobs) {
    const result = results.get(job)!;
    const { source } = result;
    // Logs were compared before; an event table tells what it was made from only once it is open.
    const twin = byHash.get(source.wholeHash);
    if (twin !== undefined && !keepDuplicates) {
      sorted.leftOut++;
      onNotice(`Left out ${quoteForMessage(job.path)}: it holds the same log as ${quoteForMessage(twin.path)}`);
      continue;
    }
    sorted.textBytes += source.sizeBytes;
    if (source.damage !== undefined) {
      sorted.damaged++;
      sorted.problems.push(describeDamage({ ...source, path: job.path }));
    }
    if (source.counts.events + source.counts.repaired === 0) {
      sorted.leftOut++;
      sorted.empty++;
      addCounts(sorted.counts, source.counts);
      sorted.problems.push(`Left out ${describeEmpty({ ...source, path: job.path })}`);
      continue;
    }
    if (result.isReused) sorted.reused++;
    byHash.set(source.wholeHash, source);
    sorted.kept.set(source, { job, result });
  }
  return sorted;
}

/** Leave out logs that hold the events of another in other words. */
async function leaveOutEventCopies(sorted: SortedOut, onNotice: (line: string) => void): Promise<void> {
  const candidates = [...sorted.kept].flatMap(([source, { job, result }]) => {
    const tablePath = tableOf(job);
    return tablePath === undefined ? [] : [{ source, tablePath, tableState: result.tableState }];
  });
  for (const [{ source }, { original, how }] of await findEventCopies(candidates)) {
    const [name, other] = [source, original.source].map(({ path }) => quoteForMessage(path));
    sorted.leftOut++;
    if (sorted.kept.get(source)!.result.isReused) sorted.reused--;
    sorted.textBytes -= source.sizeBytes;
    onNotice(`Left out ${name}: it holds ${how} ${other}, otherwise written`);
    sorted.kept.delete(source);
  }
}

