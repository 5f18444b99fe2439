/**
 * The logs of a node, copied into a folder: only what is not there yet, whole files only, each under its name when it is
 * complete and checked.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writevSync,
} from "node:fs";
import { copyFile, open, truncate } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { matchesGlob } from "../text/glob.ts";
import { compareTexts, readHead } from "../events/text-hash.ts";
import { formatBytes, formatDuration, formatRate, plural } from "../text/format.ts";
import { Answer, type Wire } from "./answer.ts";
import { chooseWire, type FetchGroup, type FetchPart, fetchParts, hashingMs, isGroupable } from "./fetch-parts.ts";
import {
  baseName,
  listRemoteLogs,
  type RemoteListing,
  type RemoteLog,
  showPath,
} from "./list-logs.ts";
import { placeLogs } from "./local-names.ts";
import type { Connection } from "../ssh/connection.ts";
import { SshError } from "../ssh/ssh-error.ts";
import { removeQuietly } from "../process/output-file.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/** Bytes before the place where a transfer goes on, fetched again to see that it is the same file. */
const OVERLAP_BYTES = 4096;
/** Logs asked for together, so that small ones do not each wait for an answer. */
const REQUEST_MAX_BYTES = 4 << 20;
const REQUEST_MAX_FILES = 256;
/** Smaller files are written in one go. */
const SMALL_MAX_BYTES = 1 << 20;
/** Larger ones in pieces of this size. */
const WRITE_BYTES = 1 << 18;
/** How often progress is told at most. */
const TELL_MS = 100;
/** How often a log is asked for that was changed while it was read. */
const ROUNDS_MAX = 3;
/** Why a log is asked for again. */
const CHANGES = "it changes while it is read";

export interface DownloadOptions {
  /** Folder of this node's logs. */
  readonly folder: string;
  readonly paths: readonly string[];
  readonly sudo: boolean;
  readonly isPacked: boolean;
  /** Requests at the same time; a server allows ten sessions (MaxSessions). */
  readonly requests: number;
  /** Logs last written before it are left out; milliseconds since 1970. */
  readonly sinceMs?: number;
  /** Names of files; none = all. */
  readonly include: readonly string[];
  /** Waits where too much comes in. */
  readonly onWire?: (bytes: number) => Promise<void>;
  readonly show: (text: string) => void;
  readonly note: (text: string) => void;
}

export interface DownloadResult {
  /** Logs of the node that were wanted. */
  readonly logs: number;
  readonly fetched: number;
  readonly unchanged: number;
  /** Bytes of logs that were written, and that came over the wire. */
  readonly bytes: number;
  readonly wireBytes: number;
  /** Logs that could not be had, and why. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** Earlier copies that are not the beginning of any log of today: kept under these names. */
  readonly kept: readonly string[];
}

/** One log on its way. */
interface Job {
  readonly log: RemoteLog;
  readonly local: string;
  readonly partial: string;
  /** Where the transfer goes on, in a file that holds everything before it. */
  readonly from: number;
  readonly source: "nothing" | "partial" | "local" | "unchanged";
}

/**
 * Wait for the logs that are listed, and say what is wrong where there is none.
 *
 * @throws {SshError} if the node has no log that can be read.
 */
export function requireLogs({ logs, denied, absent }: RemoteListing): readonly RemoteLog[] {
  if (logs.length > 0) return logs;
  if (denied.length > 0) {
    throw new SshError(
      "command",
      `cannot read ${quoteForMessage(showPath(denied[0]!))}: permission denied (--sudo reads as root)`,
    );
  }
  if (absent.length > 0) throw new SshError("command", `cannot find ${quoteForMessage(showPath(absent[0]!))}`);
  throw new SshError("command", "no log found in the usual places (--log-path names another)");
}

/**
 * Bring the logs of a node up to date in a folder.
 *
 * @throws {SshError} if the node cannot be used, or has no log.
 * @throws {Error} if the folder cannot be written.
 */
export async function downloadLogs(connection: Connection, options: DownloadOptions): Promise<DownloadResult> {
  const { folder, show, sudo } = options;
  const failed = new Map<string, string>();
  const done = new Set<string>();
  const replaced: string[] = [];
  let wanted = 0;
  let unchanged = 0;
  let bytes = 0;
  let wireBytes = 0;
  const onWire = async (more: number) => {
    wireBytes += more;
    await options.onWire?.(more);
  };
  mkdirSync(folder, { recursive: true });
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    show("looking for logs");
    const listing = await listRemoteLogs(connection, { paths: options.paths, sudo });
    const all = requireLogs(listing);
    const chosen = all.filter(log => isWanted(log, options));
    wanted = chosen.length;
    // By all of them: what is chosen does not decide a name.
    const places = placeLogs(all, folder, round === 1 ? options.note : () => {});
    for (const { path, reason } of [...listing.odd, ...places.failed]) failed.set(path, reason);
    const jobs: Job[] = [];
    for (const log of chosen) {
      const local = places.paths.get(log);
      if (done.has(log.path) || local === undefined) continue;
      failed.delete(log.path);
      if (!log.isReadable) failed.set(log.path, "permission denied (--sudo reads as root)");
      else jobs.push(planJob(log, local, round));
    }
    if (jobs.length === 0) break;
    const hashes = listing.tools.sha256sum;
    const wire = options.isPacked ? chooseWire(listing.tools) : "none";
    const totalBytes = jobs.reduce((sum, { log, from }) => sum + log.sizeBytes - from, 0);
    const startMs = performance.now();
    const startBytes = bytes;
    let files = 0;
    let toldMs = 0;
    const tell = () => {
      if (performance.now() - toldMs < TELL_MS) return;
      toldMs = performance.now();
      const got = bytes - startBytes;
      const seconds = (performance.now() - startMs) / 1000;
      const left =
        got > 0 && seconds > 1 ? `, ${formatDuration((seconds * Math.max(0, totalBytes - got)) / got)} left` : "";
      show(
        `file ${Math.min(files + 1, jobs.length)} of ${jobs.length}, ${formatBytes(got)} of ${formatBytes(totalBytes)}, ` +
          `${formatRate(got, seconds)}${left}`,
      );
    };
    const batches = toBatches(jobs);
    const worker = async () => {
      for (const batch of batches) {
        await fetchBatch(connection, batch, {
          hashes,
          isGrowing: round > 1,
          wire,
          sudo,
          onWire,
          onBytes: more => {
            bytes += more;
            tell();
          },
          onDone: (job, outcome) => {
            files++;
            if (outcome === "again") failed.set(job.log.path, CHANGES);
            else if (typeof outcome === "object" && "reason" in outcome) failed.set(job.log.path, outcome.reason);
            else {
              failed.delete(job.log.path);
              done.add(job.log.path);
              if (outcome === "unchanged") unchanged++;
              else if (outcome !== undefined) replaced.push(outcome.replaced);
            }
            tell();
          },
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(options.requests, batches.length) }, worker));
    if (jobs.every(({ log }) => done.has(log.path) || failed.get(log.path) !== CHANGES)) break;
  }
  const kept = await dropBeginnings(replaced, folder);
  return {
    logs: wanted,
    fetched: done.size - unchanged,
    unchanged,
    bytes,
    wireBytes,
    failed: [...failed].map(([path, reason]) => ({ path: showPath(path), reason })),
    kept,
  };
}

function isWanted({ path, mtime }: RemoteLog, { sinceMs = -Infinity, include }: DownloadOptions): boolean {
  const name = baseName(path);
  return (
    Number(mtime) * 1000 >= sinceMs && (include.length === 0 || include.some(pattern => matchesGlob(pattern, name)))
  );
}

/** Look what is there already. */
function planJob(log: RemoteLog, local: string, round: number): Job {
  const partial = join(dirname(local), `.${basename(local)}.part`);
  const job = { log, local, partial };
  // What did not fit together the first time is fetched whole.
  if (round === 1) {
    const mine = statOf(local);
    if (mine !== undefined && mine.size <= log.sizeBytes) {
      const isSame = mine.size === log.sizeBytes && Math.abs(mine.mtimeMs - Number(log.mtime) * 1000) < 2;
      if (isSame) return { ...job, from: log.sizeBytes, source: "unchanged" };
      if (mine.size > 0 && mine.size < log.sizeBytes) return { ...job, from: mine.size, source: "local" };
    }
    const begun = statOf(partial);
    if (begun !== undefined && begun.size > 0 && begun.size <= log.sizeBytes) {
      return { ...job, from: begun.size, source: "partial" };
    }
  }
  return { ...job, from: 0, source: "nothing" };
}

function statOf(path: string): { size: number; mtimeMs: number } | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? stat : undefined;
  } catch {
    // Not there yet.
    return undefined;
  }
}

/** Small logs together, large ones alone; several requests for a worker each to take. */
function toBatches(jobs: readonly Job[]): IterableIterator<Job[]> & { length: number } {
  const batches: Job[][] = [];
  let batch: Job[] = [];
  let bytes = 0;
  for (const job of jobs) {
    const size = job.log.sizeBytes - job.from;
    if (batch.length > 0 && (bytes + size > REQUEST_MAX_BYTES || batch.length === REQUEST_MAX_FILES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(job);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return Object.assign(batches.values(), { length: batches.length });
}

interface BatchOptions {
  readonly hashes: boolean;
  /** These logs have changed while they were read: what they are by now is not what was asked for. */
  readonly isGrowing: boolean;
  readonly wire: Wire;
  readonly sudo: boolean;
  readonly onWire: (bytes: number) => Promise<void>;
  readonly onBytes: (bytes: number) => void;
  readonly onDone: (job: Job, outcome: Outcome) => void;
}

/**
 * What became of a log. "again": it was not what the listing said; `replaced`: where another file of this name went;
 * `reason`: why it cannot be here.
 */
type Outcome = "again" | "unchanged" | { readonly replaced: string } | { readonly reason: string } | undefined;

/** Takes a part of an answer. */
interface Receiver {
  /** Its logs, for messages the first. */
  readonly jobs: readonly Job[];
  readonly part: FetchPart | FetchGroup;
  /** @returns How many of the bytes are new. */
  take(bytes: Buffer): number | Promise<number>;
  /**
   * Close, check, and give the files their names.
   *
   * @returns In the order of the jobs.
   */
  finish(hashes: readonly string[]): readonly Outcome[] | Promise<readonly Outcome[]>;
  close(): void;
}

/** Small logs that come as one. */
class GroupReceiver implements Receiver {
  readonly jobs: readonly Job[];
  readonly part: FetchGroup;
  readonly #chunks: Buffer[] = [];

  constructor(jobs: readonly Job[]) {
    this.jobs = jobs;
    this.part = {
      paths: jobs.map(({ log }) => log.path),
      length: jobs.reduce((sum, { log }) => sum + log.sizeBytes, 0),
    };
  }

  take(bytes: Buffer): number {
    this.#chunks.push(bytes);
    return bytes.length;
  }

  async finish(hashes: readonly string[]): Promise<readonly Outcome[]> {
    const all = Buffer.concat(this.#chunks);
    let at = 0;
    const outcomes: Outcome[] = [];
    for (const [i, job] of this.jobs.entries()) {
      const text = all.subarray(at, (at += job.log.sizeBytes));
      if (hashes.length !== this.jobs.length || sha256Of(text) !== hashes[i]) outcomes.push("again");
      else {
        const written = orReason(job, () => {
          writePartial(job, text);
          return giveName(job);
        });
        outcomes.push(await written);
      }
    }
    return outcomes;
  }

  close(): void {}
}

/** A log, or the rest of one. */
class LogReceiver implements Receiver {
  readonly jobs: readonly [Job];
  readonly part: FetchPart;
  readonly #overlap: Buffer;
  #seen = 0;
  #isSame = true;
  #file: number | undefined;
  /** Why it cannot be written here; what comes of it goes nowhere then. */
  #reason: { readonly reason: string } | undefined;
  /** What is not written yet. */
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  readonly #hash = new Bun.CryptoHasher("sha256");

  /**
   * @param overlap The last bytes of what is here already.
   * @param isGrowing What the log is by now is not what was asked for.
   */
  constructor(job: Job, overlap: Buffer, isHashed: boolean, isGrowing: boolean) {
    this.jobs = [job];
    this.#overlap = overlap;
    const { path, sizeBytes } = job.log;
    const offset = job.from - overlap.length;
    const hash = isGrowing ? sizeBytes : "whole";
    this.part = {
      path,
      offset,
      length: sizeBytes - offset,
      ...(isHashed && job.source !== "unchanged" ? { hash } : {}),
    };
  }

  get #isSmall(): boolean {
    const [{ source, log }] = this.jobs;
    return source === "nothing" && log.sizeBytes <= SMALL_MAX_BYTES;
  }

  async take(bytes: Buffer): Promise<number> {
    const [job] = this.jobs;
    let rest = bytes;
    const overlapLeft = this.#overlap.length - this.#seen;
    if (overlapLeft > 0) {
      const part = rest.subarray(0, overlapLeft);
      if (!part.equals(this.#overlap.subarray(this.#seen, this.#seen + part.length))) this.#isSame = false;
      rest = rest.subarray(part.length);
    }
    this.#seen += bytes.length;
    if (!this.#isSame || rest.length === 0) return 0;
    if (this.#reason !== undefined) return 0;
    this.#chunks.push(rest);
    if (this.#isSmall) return rest.length;
    if (this.#file === undefined) {
      const opened = await orReason(job, () => this.#open());
      if (typeof opened === "object") {
        this.#reason = opened;
        this.#chunks = [];
        return 0;
      }
      this.#file = opened;
    }
    if (job.from === 0) this.#hash.update(rest);
    this.#heldBytes += rest.length;
    if (this.#heldBytes >= WRITE_BYTES) this.#flush();
    return rest.length;
  }

  /** Into the system's memory at once: a promise per piece would take longer than the writing. */
  #flush(): void {
    const held = this.#chunks;
    this.#chunks = [];
    this.#heldBytes = 0;
    while (held.length > 0) {
      let put = writevSync(this.#file!, held);
      while (held.length > 0 && put >= held[0]!.length) put -= held.shift()!.length;
      if (put > 0) held[0] = held[0]!.subarray(put);
    }
  }

  async #open(): Promise<number> {
    const [{ source, local, partial, from }] = this.jobs;
    mkdirSync(dirname(partial), { recursive: true });
    // The copy that is there stays as it is until the new one is whole.
    if (source === "local") await copyFile(local, partial);
    if (from > 0) await truncate(partial, from);
    return openSync(partial, from > 0 ? "a" : "w");
  }

  async finish([sha256]: readonly string[]): Promise<[Outcome]> {
    return [this.#reason ?? (await orReason(this.jobs[0], () => this.#finish(sha256)))];
  }

  async #finish(sha256: string | undefined): Promise<Outcome> {
    if (this.#file !== undefined) this.#flush();
    this.close();
    const [job] = this.jobs;
    const { log, partial, source, from } = job;
    const isWhole = this.#isSame && this.#seen === this.#overlap.length + log.sizeBytes - from;
    if (!isWhole) {
      // What is here of another file helps nobody; what is the beginning of this one does.
      if (!this.#isSame) removeQuietly(partial);
      return "again";
    }
    if (source === "unchanged") return "unchanged";
    const isHashed = this.part.hash !== undefined;
    if (this.#isSmall) {
      const text = Buffer.concat(this.#chunks);
      if (isHashed && sha256Of(text) !== sha256) return "again";
      writePartial(job, text);
    } else {
      if (!existsSync(partial)) closeSync(await this.#open());
      if (isHashed && (from === 0 ? this.#hash.digest("hex") : await hashFile(partial)) !== sha256) {
        removeQuietly(partial);
        return "again";
      }
    }
    return giveName(job);
  }

  close(): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      // Of a transfer that broke, what is here need not come again.
      this.#flush();
    } finally {
      this.#file = undefined;
      closeSync(file);
    }
  }
}

function sha256Of(text: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

function writePartial({ partial }: Job, text: Uint8Array): void {
  try {
    writeFileSync(partial, text);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    mkdirSync(dirname(partial), { recursive: true });
    writeFileSync(partial, text);
  }
}

/** Let a log that is whole take its place. */
function giveName({ log, local, partial, source }: Job): Outcome {
  const mtime = Number(log.mtime);
  utimesSync(partial, mtime, mtime);
  let replaced: string | undefined;
  const old = source === "local" ? undefined : statOf(local);
  if (old !== undefined) {
    replaced = freeName(`${local}.old-${new Date(old.mtimeMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}`);
    renameSync(local, replaced);
  }
  renameSync(partial, local);
  return replaced === undefined ? undefined : { replaced };
}

async function fetchBatch(connection: Connection, jobs: readonly Job[], options: BatchOptions): Promise<void> {
  const { hashes, isGrowing, wire, sudo, onWire, onBytes, onDone } = options;
  const receivers: Receiver[] = [];
  let gotBytes = 0;
  // What has changed while it was read is read alone the next time.
  const isInGroup = ({ source, log }: Job) =>
    hashes && !isGrowing && source === "nothing" && log.sizeBytes <= SMALL_MAX_BYTES && isGroupable(log.path);
  const grouped = jobs.filter(isInGroup);
  if (grouped.length > 0) receivers.push(new GroupReceiver(grouped));
  for (const job of jobs) {
    if (isInGroup(job)) continue;
    const overlapLength = Math.min(OVERLAP_BYTES, job.from);
    const overlap = overlapLength === 0 ? Buffer.alloc(0) : await readTail(job, overlapLength);
    receivers.push(new LogReceiver(job, overlap, hashes, isGrowing));
  }
  try {
    const sink = {
      async data(part: number, bytes: Buffer) {
        const receiver = receivers[part]!;
        gotBytes += bytes.length;
        try {
          onBytes(await receiver.take(bytes));
        } catch (error) {
          throw cannotWrite(receiver.jobs[0]!, error);
        }
      },
      async end(part: number, _bytes: number, sums: readonly string[]) {
        const receiver = receivers[part]!;
        try {
          for (const [i, outcome] of (await receiver.finish(sums)).entries()) onDone(receiver.jobs[i]!, outcome);
        } catch (error) {
          throw cannotWrite(receiver.jobs[0]!, error);
        }
      },
    };
    const parts = receivers.map(({ part }) => part);
    // What is hashed at most is what was here before and what has come; what a node says of a log's size is only words.
    const heldBytes = Math.max(0, ...parts.map(part => ("paths" in part ? 0 : part.offset)));
    const timeoutMs = () => connection.timeoutMs + hashingMs(heldBytes + gotBytes);
    await fetchParts(connection, parts, shape => new Answer(shape, sink), { wire, sudo, onWire, timeoutMs });
  } finally {
    for (const receiver of receivers) receiver.close();
  }
}

/** What is wrong with one path alone; a full disk is wrong for all. */
const OF_ONE_PATH = new Set("ENAMETOOLONG ENOTDIR EISDIR EEXIST ENOTEMPTY ELOOP EILSEQ EINVAL".split(" "));

/**
 * Write a log, or say why it cannot be: no name here spoils the other logs.
 *
 * @throws whatever is wrong with more than this path.
 */
async function orReason<T>(job: Job, work: () => T | Promise<T>): Promise<T | { readonly reason: string }> {
  try {
    return await work();
  } catch (error) {
    if (!OF_ONE_PATH.has(String((error as { code?: unknown }).code))) throw error;
    return { reason: cannotWrite(job, error).message };
  }
}

function cannotWrite({ local }: Job, error: unknown): Error {
  return new Error(`Cannot write ${quoteForMessage(local)}: ${errorReason(error)}`, { cause: error });
}

/** The last bytes before the place where a transfer goes on. */
async function readTail({ source, local, partial, from }: Job, length: number): Promise<Buffer> {
  const handle = await open(source === "partial" ? partial : local, "r");
  try {
    const tail = Buffer.alloc(length);
    const { bytesRead } = await handle.read(tail, 0, length, from - length);
    return tail.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream() as unknown as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest("hex");
}

function freeName(path: string): string {
  let free = path;
  for (let i = 2; existsSync(free); i++) free = `${path}-${i}`;
  return free;
}

/**
 * Remove the earlier copies that a rotation has left: their text opens another log of the node. What is nowhere else
 * stays.
 *
 * @returns Names of those that stay.
 */
async function dropBeginnings(replaced: readonly string[], folder: string): Promise<string[]> {
  if (replaced.length === 0) return [];
  const others = [...new Bun.Glob("**/cowrie*").scanSync({ cwd: folder, absolute: true, onlyFiles: true })];
  const heads = new Map<string, string[]>();
  for (const path of others) {
    if (replaced.includes(path)) continue;
    const head = await readHead(path).catch(() => undefined);
    if (head !== undefined) heads.set(head, [...(heads.get(head) ?? []), path]);
  }
  const kept: string[] = [];
  for (const path of replaced) {
    let isCopy = statSync(path).size === 0;
    for (const other of heads.get(await readHead(path).catch(() => "")) ?? []) {
      const relation = await compareTexts(path, other);
      isCopy ||= relation === "equal" || relation === "a opens b";
    }
    if (isCopy) unlinkSync(path);
    else kept.push(path);
  }
  return kept;
}

/** What was done on a node, for people. */
export function describeDownload({ logs, fetched, unchanged, bytes, failed }: DownloadResult): string {
  return [
    `${plural(logs, "log")}: ${fetched} fetched, ${unchanged} unchanged`,
    formatBytes(bytes),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
  ].join(", ");
}
