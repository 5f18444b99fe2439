/**
 * The logs of a node, copied into a folder: only what is not there yet, whole files only, each under its name when it is
 * complete and checked.
 */
import { mkdirSync, statSync, unlinkSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { matchesGlob } from "../text/glob.ts";
import { compareTexts, readHead } from "../events/text-hash.ts";
import { formatBytes, plural } from "../text/format.ts";
import { Answer, type Wire } from "./answer.ts";
import { fetchInRounds, type RoundsOptions } from "./fetch-rounds.ts";
import { chooseWire, fetchParts, hashingMs, isGroupable } from "./fetch-parts.ts";
import { baseName, type RemoteLog } from "./list-logs.ts";
import type { Connection } from "../ssh/connection.ts";
import {
  cannotWrite,
  GroupReceiver,
  type Job,
  LogReceiver,
  type Delivery,
  type Receiver,
  SMALL_MAX_BYTES,
  statOf,
} from "./log-receivers.ts";

/** Bytes before the place where a transfer goes on, fetched again to see that it is the same file. */
const OVERLAP_BYTES = 4096;
/** Logs asked for together, so that small ones do not each wait for an answer. */
const REQUEST_MAX_BYTES = 4 << 20;
const REQUEST_MAX_FILES = 256;
export interface DownloadOptions extends RoundsOptions {
  readonly isPacked: boolean;
  /** Logs last written before it are left out; milliseconds since 1970. */
  readonly sinceMs?: number;
  /** Names of files; none = all. */
  readonly include: readonly string[];
  /** Waits where too much comes in. */
  readonly onWire?: (bytes: number) => Promise<void>;
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

/**
 * Bring the logs of a node up to date in a folder.
 *
 * @throws {SshError} if the node cannot be used, or has no log.
 * @throws {Error} if the folder cannot be written.
 */
export async function downloadLogs(connection: Connection, options: DownloadOptions): Promise<DownloadResult> {
  const replaced: string[] = [];
  let [fetched, unchanged, bytes, wireBytes] = [0, 0, 0, 0];
  mkdirSync(options.folder, { recursive: true });
  const { logs, failed } = await fetchInRounds<Job>(connection, options, {
    label: "",
    wants: log => isWanted(log, options),
    plan: planJob,
    bytesOf: ({ log, from }) => log.sizeBytes - from,
    most: { bytes: REQUEST_MAX_BYTES, files: REQUEST_MAX_FILES },
    fetch: (batch, { tools, isAgain, onBytes, onEnd }) =>
      fetchBatch(connection, batch, {
        hashes: tools.sha256sum,
        isGrowing: isAgain,
        wire: options.isPacked ? chooseWire(tools) : "none",
        sudo: options.sudo,
        async onWire(more) {
          wireBytes += more;
          await options.onWire?.(more);
        },
        onBytes(more) {
          bytes += more;
          onBytes(more);
        },
        onDone(job, outcome) {
          if (outcome === "again") return onEnd(job, "changed");
          if (typeof outcome === "object" && "reason" in outcome) return onEnd(job, outcome);
          if (outcome === "unchanged") unchanged++;
          else fetched++;
          if (typeof outcome === "object") replaced.push(outcome.replaced);
          onEnd(job, "done");
        },
      }),
  });
  const kept = await dropBeginnings(replaced, options.folder);
  return { logs: logs.length, fetched, unchanged, bytes, wireBytes, failed, kept };
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

interface BatchOptions {
  readonly hashes: boolean;
  /** These logs have changed while they were read: what they are by now is not what was asked for. */
  readonly isGrowing: boolean;
  readonly wire: Wire;
  readonly sudo: boolean;
  readonly onWire: (bytes: number) => Promise<void>;
  readonly onBytes: (bytes: number) => void;
  readonly onDone: (job: Job, outcome: Delivery) => void;
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
    const head = await headOf(path);
    if (head !== undefined) heads.set(head, [...(heads.get(head) ?? []), path]);
  }
  const kept: string[] = [];
  for (const path of replaced) {
    let isCopy = statSync(path).size === 0;
    for (const other of heads.get((await headOf(path)) ?? "") ?? []) {
      const relation = await compareTexts(path, other);
      isCopy ||= relation === "equal" || relation === "a opens b";
    }
    if (isCopy) unlinkSync(path);
    else kept.push(path);
  }
  return kept;
}

/** Hash of the first line of a file; undefined if it cannot be read. */
async function headOf(path: string): Promise<string | undefined> {
  return (await readHead(path).catch(() => undefined))?.hash;
}

/** What was done on a node, for people. */
export function describeDownload({ logs, fetched, unchanged, bytes, failed }: DownloadResult): string {
  return [
    `${plural(logs, "log")}: ${fetched} fetched, ${unchanged} unchanged`,
    formatBytes(bytes),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
  ].join(", ");
}
