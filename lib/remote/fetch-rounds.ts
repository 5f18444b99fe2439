/**
 * The logs of a node, asked for in rounds: look what is there, ask for what is wanted in several requests at the same
 * time, and ask again for what changed while it was read.
 *
 * Tested by those who do so, in `test/lib/remote/download-logs.test.ts` and `map-node.test.ts`.
 */
import { listRemoteLogs, type RemoteLog, type RemoteTools, requireLogs, showPath } from "./list-logs.ts";
import { placeLogs } from "./local-names.ts";
import type { Connection } from "../ssh/connection.ts";
import { formatBytes, formatDuration, formatRate } from "../text/format.ts";

/** How often progress is told at most. */
const TELL_MS = 100;
/** How often a log is asked for that was changed while it was read. */
const ROUNDS_MAX = 3;
const CHANGES = "it changes while it is read";

export interface RoundsOptions {
  readonly paths: readonly string[];
  readonly sudo: boolean;
  /** Folder here in which each log has a place. */
  readonly folder: string;
  /** Requests at the same time. */
  readonly requests: number;
  readonly show: (text: string) => void;
  readonly note: (text: string) => void;
}

/** What became of a log that was asked for. */
export type JobEnd = "done" | "changed" | { readonly reason: string };

/** What a round tells whoever fetches a batch, and is told. */
export interface BatchWork<Job> {
  readonly tools: RemoteTools;
  /** These logs have changed while they were read: what they are by now is not what was asked for. */
  readonly isAgain: boolean;
  readonly onBytes: (bytes: number) => void;
  readonly onEnd: (job: Job, end: JobEnd) => void;
}

export interface RoundsWork<Job> {
  /** What is being done, before how far it is: "mapping, ". */
  readonly label: string;
  wants(log: RemoteLog): boolean;
  /**
   * Make ready to fetch a log.
   *
   * @param place Path here that is this log's alone.
   * @returns undefined if it need not be fetched.
   */
  plan(log: RemoteLog, place: string, round: number): Promise<Job | undefined> | Job;
  bytesOf(job: Job): number;
  /** What is asked for together, at the most. */
  readonly most: { readonly bytes: number; readonly files: number };
  /** Jobs that are not asked for together with others. */
  isApart?(job: Job): boolean;
  fetch(batch: readonly Job[], work: BatchWork<Job>): Promise<void>;
}

/** A log that could not be had, and why; safe to show. */
export interface FailedLog {
  readonly path: string;
  readonly reason: string;
}

/**
 * Fetch the logs of a node.
 *
 * @returns The logs that were wanted, as they were listed last, and those that could not be had.
 * @throws {SshError} if the node cannot be used, or has no log.
 */
export async function fetchInRounds<Job extends { readonly log: RemoteLog }>(
  connection: Connection,
  { paths, sudo, folder, requests, show, note }: RoundsOptions,
  work: RoundsWork<Job>,
): Promise<{ readonly logs: readonly RemoteLog[]; readonly failed: readonly FailedLog[] }> {
  const failed = new Map<string, string>();
  const done = new Set<string>();
  let logs: readonly RemoteLog[] = [];
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    show("looking for logs");
    const listing = await listRemoteLogs(connection, { paths, sudo });
    const all = requireLogs(listing);
    logs = all.filter(log => work.wants(log));
    // By all of them: what is wanted does not decide a name.
    const places = placeLogs(all, folder, round === 1 ? note : () => {});
    for (const { path, reason } of [...listing.odd, ...places.failed]) failed.set(path, reason);
    const jobs: Job[] = [];
    for (const log of logs) {
      const place = places.paths.get(log);
      if (done.has(log.path) || place === undefined) continue;
      failed.delete(log.path);
      if (!log.isReadable) {
        failed.set(log.path, "permission denied (--sudo reads as root)");
        continue;
      }
      const job = await work.plan(log, place, round);
      if (job === undefined) done.add(log.path);
      else jobs.push(job);
    }
    const progress = startRound(jobs, work, show);
    const batches = toBatches(jobs, work);
    const queue = batches.values();
    const worker = async () => {
      for (const batch of queue) {
        await work.fetch(batch, {
          tools: listing.tools,
          isAgain: round > 1,
          onBytes: progress.add,
          onEnd({ log: { path } }, end) {
            failed.delete(path);
            if (end === "done") done.add(path);
            else failed.set(path, end === "changed" ? CHANGES : end.reason);
            progress.endOne();
          },
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(requests, batches.length) }, worker));
    if (jobs.every(({ log }) => failed.get(log.path) !== CHANGES)) break;
  }
  return { logs, failed: [...failed].map(([path, reason]) => ({ path: showPath(path), reason })) };
}

/** Small logs together, large ones alone; several requests for a worker each to take. */
function toBatches<Job>(jobs: readonly Job[], { bytesOf, most, isApart = () => false }: RoundsWork<Job>): Job[][] {
  const batches: Job[][] = [];
  for (const own of [jobs.filter(job => !isApart(job)), jobs.filter(isApart)]) {
    let bytes = Infinity;
    for (const job of own) {
      if (bytes + bytesOf(job) > most.bytes || batches.at(-1)!.length === most.files) {
        batches.push([]);
        bytes = 0;
      }
      batches.at(-1)!.push(job);
      bytes += bytesOf(job);
    }
  }
  return batches;
}

/** Tells how far a round is. */
function startRound<Job>(
  jobs: readonly Job[],
  { label, bytesOf }: RoundsWork<Job>,
  show: (text: string) => void,
): { add(bytes: number): void; endOne(): void } {
  const totalBytes = jobs.reduce((sum, job) => sum + bytesOf(job), 0);
  const startMs = performance.now();
  let [got, files, toldMs] = [0, 0, 0];
  const tell = () => {
    if (performance.now() - toldMs < TELL_MS) return;
    toldMs = performance.now();
    const seconds = (performance.now() - startMs) / 1000;
    const left =
      got > 0 && seconds > 1 ? `, ${formatDuration((seconds * Math.max(0, totalBytes - got)) / got)} left` : "";
    show(
      `${label}file ${Math.min(files + 1, jobs.length)} of ${jobs.length}, ${formatBytes(got)} of ` +
        `${formatBytes(totalBytes)}, ${formatRate(got, seconds)}${left}`,
    );
  };
  return {
    add(bytes) {
      got += bytes;
      tell();
    },
    endOne() {
      files++;
      tell();
    },
  };
}
