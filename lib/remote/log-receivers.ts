/**
 * What comes of logs, written to files here: a log has its name only once it is whole and checked, and what is here of it
 * already is not written again.
 *
 * Tested in `test/lib/remote/download-logs.test.ts`.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
  writevSync,
} from "node:fs";
import { copyFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import type { FetchGroup, FetchPart } from "./fetch-parts.ts";
import type { RemoteLog } from "./list-logs.ts";
import { removeQuietly } from "../process/output-file.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/** One log on its way. */
export interface Job {
  readonly log: RemoteLog;
  readonly local: string;
  readonly partial: string;
  /** Where the transfer goes on, in a file that holds everything before it. */
  readonly from: number;
  readonly source: "nothing" | "partial" | "local" | "unchanged";
}

/**
 * What became of a log. "again": it was not what the listing said; `replaced`: where another file of this name went;
 * `reason`: why it cannot be here.
 */
export type Delivery = "again" | "unchanged" | { readonly replaced: string } | { readonly reason: string } | undefined;

/** Takes a part of an answer. */
export interface Receiver {
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
  finish(hashes: readonly string[]): readonly Delivery[] | Promise<readonly Delivery[]>;
  close(): void;
}

/** Small logs that come as one. */
export class GroupReceiver implements Receiver {
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

  async finish(hashes: readonly string[]): Promise<readonly Delivery[]> {
    const all = Buffer.concat(this.#chunks);
    let at = 0;
    const outcomes: Delivery[] = [];
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
export class LogReceiver implements Receiver {
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

  async finish([sha256]: readonly string[]): Promise<[Delivery]> {
    return [this.#reason ?? (await orReason(this.jobs[0], () => this.#finish(sha256)))];
  }

  async #finish(sha256: string | undefined): Promise<Delivery> {
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
function giveName({ log, local, partial, source }: Job): Delivery {
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

export function cannotWrite({ local }: Job, error: unknown): Error {
  return new Error(`Cannot write ${quoteForMessage(local)}: ${errorReason(error)}`, { cause: error });
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

export function statOf(path: string): { size: number; mtimeMs: number } | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? stat : undefined;
  } catch {
    // Not there yet.
    return undefined;
  }
}

/** Smaller files are written in one go. */
export const SMALL_MAX_BYTES = 1 << 20;

/** Larger ones in pieces of this size. */
const WRITE_BYTES = 1 << 18;
