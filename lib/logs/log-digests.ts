/**
 * What was made of each log, kept for the next run: its reduced rows and its sessions, so that a log that has not changed
 * costs neither its text nor its event table, only the adding up.
 *
 * The digests of many logs lie in one file of a folder of event tables, as small logs come by the ten thousand. A file is
 * written once: whoever adds to a folder takes along what is smaller than what is new, so that there are few, and old ones are
 * copied seldom.
 *
 * A digest is good for a log whose file is as it was, for the event table that was there, for the program and for what was
 * counted; of all that only our own word is believed, which `kept-files.ts` knows by our key. Where nothing can be kept, or
 * what is kept is damaged, the tables are there.
 */
import { closeSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { closing, openRegularAs, stateOf } from "../columns/regular-file.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { type FileIdentity, identifyFile, type SourceInfo } from "../events/source.ts";
import { keyProblem, verifyKept, writeKept } from "../process/kept-files.ts";
import { partialPathOf, removeQuietly } from "../process/output-file.ts";
import { programState } from "../process/program-state.ts";
import { dayOf } from "../text/time.ts";
import { type LogSessions, readSessions } from "./log-sessions.ts";
import type { LogSet } from "./log-set.ts";
import { type PackedStore, readAt } from "../process/packed-store.ts";
import { packDigest, unpackDigest } from "./packed-digest.ts";
import type { LogJob, LogResult } from "./read-log.ts";
import { tablesOf } from "./walk-tables.ts";

/** What the files are kept for, see `verifyKept`. */
const PURPOSE = "digests of logs";
const NAME = /^cowrie-digests\.[0-9a-f]{12}$/;
/** Bytes that wait for being written. */
const WAITING_MAX_BYTES = 16 << 20;
/** Bytes of the length of the index, at the end of a file. */
const LENGTH_BYTES = 8;

/** A result with what was made of the log packed, and no more than that. */
export function withDigest(result: LogResult): LogResult {
  if (result.digest !== undefined || result.rows === undefined || result.sessions === undefined) return result;
  const { rows, sessions, ...rest } = result;
  return { ...rest, digest: packDigest({ rows, sessions }) };
}

/** One digest in a file. */
interface Entry {
  /** Name of the event table, in the folder of both. */
  readonly name: string;
  readonly tableState: string;
  readonly log: FileIdentity;
  readonly source: SourceInfo;
  /** See {@link countedIn}. */
  readonly counted: string;
  readonly at: number;
  readonly bytes: number;
}

interface Index {
  readonly program: string;
  readonly entries: readonly Entry[];
}

/** A file of digests. */
interface Pack {
  readonly path: string;
  readonly state: string;
  readonly index: Index;
}

/** The digests of one folder. */
interface Folder {
  readonly packs: readonly Pack[];
  readonly known: ReadonlyMap<string, { readonly pack: Pack; readonly entry: Entry }>;
  readonly waiting: { readonly entry: Omit<Entry, "at" | "bytes">; readonly kept: Uint8Array }[];
  /** Names whose digests were made anew in this run. */
  readonly renewed: Set<string>;
}

/** The digests that a run finds and leaves. */
export class LogDigests {
  readonly #folders = new Map<string, Folder>();
  readonly #canKeep = keyProblem() === undefined;
  readonly #store: Pick<PackedStore, "hold">;
  #waitingBytes = 0;
  #open: { readonly pack: Pack; readonly file: number } | undefined;

  /** @param store Holds what is found and kept, until it is added up. */
  constructor(store: Pick<PackedStore, "hold"> = { hold: packed => packed }) {
    this.#store = store;
  }

  /** What is known of a log by its digest; undefined if it has none that is good. */
  find(job: LogJob): LogResult | undefined {
    const { path, tablePath, reduction, isFresh, hasLineHashes, rejectsPath } = job;
    if (tablePath === undefined || reduction === undefined || isFresh || hasLineHashes || !this.#canKeep) return undefined;
    const found = this.#folderOf(dirname(tablePath)).known.get(basename(tablePath));
    if (found === undefined) return undefined;
    const { pack, entry } = found;
    const source = { ...entry.source, path };
    if (entry.counted !== countedIn(reduction, source)) return undefined;
    // Rejected lines are in the log only.
    if (rejectsPath !== undefined && source.counts.rejected > 0) return undefined;
    try {
      if (!isSame(entry.log, identifyFile(path)) || stateAt(tablePath) !== entry.tableState) return undefined;
      return { source, isReused: true, tableState: entry.tableState, digest: this.#store.hold(this.#read(pack, entry)) };
    } catch {
      // Gone or changed under our eyes: there is the table, and the log.
      return undefined;
    }
  }

  /** What the sessions of an event table left; undefined if it has no digest that is good. */
  sessionsOf(path: string, state: string | undefined): readonly LogSessions[] | undefined {
    if (state === undefined || !this.#canKeep) return undefined;
    try {
      const found = this.#folderOf(dirname(path)).known.get(basename(path));
      return found?.entry.tableState === state ? unpackDigest(this.#read(found.pack, found.entry)).sessions : undefined;
    } catch {
      // Gone or changed under our eyes: there is the table.
      return undefined;
    }
  }

  /** What is known of a log that has grown, as it was before. */
  before({ path, tablePath, reduction, isFresh, hasLineHashes, rejectsPath }: LogJob): LogJob["before"] {
    if (tablePath === undefined || reduction === undefined || isFresh || hasLineHashes || rejectsPath !== undefined || !this.#canKeep) return undefined;
    const found = this.#folderOf(dirname(tablePath)).known.get(basename(tablePath));
    if (found === undefined) return undefined;
    const { pack, entry } = found;
    const { tableState, counted, source } = entry;
    try {
      if (identifyFile(path).sizeBytes <= source.sizeBytes || stateAt(tablePath) !== tableState || counted !== countedIn(reduction, source)) return undefined;
      return { digest: this.#read(pack, entry), tableState, sizeBytes: source.sizeBytes };
    } catch {
      // As above.
      return undefined;
    }
  }

  /** Whether what is made of a log can be kept. */
  #wants({ tablePath, reduction, hasLineHashes, wantsSessions }: LogJob): boolean {
    return tablePath !== undefined && reduction !== undefined && wantsSessions === true && !hasLineHashes && this.#canKeep;
  }

  /** Keep what was made of a log, if that is of use; its result goes on as {@link withDigest} leaves it. */
  keep(job: LogJob, given: LogResult): LogResult {
    const result = withDigest(given);
    const { source, tableState, log } = result;
    // None, where no more was made of the log than one of the two.
    if (result.digest === undefined) return result;
    const kept = result.digest as Uint8Array;
    const held = { ...result, digest: this.#store.hold(kept) };
    if (!this.#wants(job) || tableState === undefined || log === undefined) return held;
    const folder = this.#folderOf(dirname(job.tablePath!));
    const name = basename(job.tablePath!);
    folder.waiting.push({ entry: { name, tableState, log, source, counted: countedIn(job.reduction!, source) }, kept });
    folder.renewed.add(name);
    this.#waitingBytes += kept.length;
    if (this.#waitingBytes > WAITING_MAX_BYTES) this.write();
    return held;
  }

  /** Write what is waiting. */
  write(): void {
    for (const [path, folder] of this.#folders) {
      if (folder.waiting.length === 0) continue;
      try {
        this.#writeFolder(path, folder);
      } catch {
        // A full disk, a folder that is read-only by now: the next run has the tables.
      }
      folder.waiting.length = 0;
    }
    this.#waitingBytes = 0;
    this.#close();
  }

  #writeFolder(path: string, { packs, known, waiting, renewed }: Folder): void {
    let bytes = waiting.reduce((sum, { kept }) => sum + kept.length, 0);
    const isLive = (pack: Pack, { name, tableState }: Entry) =>
      known.get(name)?.pack === pack && !renewed.has(name) && stateAt(join(path, name)) === tableState;
    const sized = packs
      .filter(({ path: own }) => statSync(own, { throwIfNoEntry: false }) !== undefined)
      .map(pack => {
        const live = pack.index.entries.filter(entry => isLive(pack, entry));
        return { pack, live, bytes: live.reduce((sum, entry) => sum + entry.bytes, 0) };
      })
      .sort((a, b) => a.bytes - b.bytes);
    const taken: typeof sized = [];
    for (const one of sized) {
      // Each is copied again only when as much has come to it.
      if (one.bytes > bytes) break;
      bytes += one.bytes;
      taken.push(one);
    }
    const moved = taken.flatMap(({ pack, live }) => live.map(entry => ({ entry, kept: this.#read(pack, entry) })));
    const all = [...moved, ...waiting];
    let at = 0;
    const entries = all.map(({ entry, kept }): Entry => ({ ...entry, at: (at += kept.length) - kept.length, bytes: kept.length }));
    const index = Buffer.from(JSON.stringify({ program: programState(), entries } satisfies Index));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeDoubleLE(index.length);
    const name = join(path, `cowrie-digests.${crypto.randomUUID().slice(-12)}`);
    const partial = partialPathOf(name);
    try {
      writeKept(partial, PURPOSE, [...all.map(({ kept }) => kept), index, length], { mode: 0o600, name });
    } finally {
      removeQuietly(partial);
    }
    for (const { pack } of taken) removeQuietly(pack.path);
  }

  #folderOf(path: string): Folder {
    let folder = this.#folders.get(path);
    if (folder === undefined) this.#folders.set(path, (folder = openFolder(path)));
    return folder;
  }

  #read(pack: Pack, { at, bytes }: Entry): Uint8Array {
    if (this.#open?.pack !== pack) {
      this.#close();
      this.#open = { pack, file: openRegularAs(pack.path, pack.state).file };
    }
    return readAt(this.#open.file, at, bytes);
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    if (this.#open !== undefined) closeSync(this.#open.file);
    this.#open = undefined;
  }
}

/** What the sessions of each table of a set left, in the order of the set: as an earlier run has kept it, perhaps in parts, else out of the table. */
export async function* sessionsOfTables(set: Pick<LogSet, "logs" | "seams">): AsyncGenerator<LogSessions> {
  using digests = new LogDigests();
  for (const place of tablesOf(set)) {
    const { file } = place;
    const kept = file && digests.sessionsOf(file.path, file.state);
    if (kept === undefined) yield await place.walk(readSessions);
    else yield* kept;
  }
}

/**
 * What was counted of a log, as far as it makes a difference to it: days that are asked for and hold all its events are none.
 */
function countedIn({ sinceDay = -Infinity, untilDay = Infinity, ...parameters }: ReductionParameters, { firstSeenUs, lastSeenUs }: SourceInfo): string {
  const [first, last] = firstSeenUs === undefined ? [Infinity, -Infinity] : [dayOf(firstSeenUs), dayOf(lastSeenUs!)];
  const days = last < sinceDay || first > untilDay ? "none" : [sinceDay > first && sinceDay, untilDay < last && untilDay];
  return JSON.stringify([days, parameters]);
}

function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.inode === b.inode;
}

function stateAt(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() ? stateOf(stat) : undefined;
}

function openFolder(path: string): Folder {
  const packs = listPacks(path);
  const known = new Map<string, { pack: Pack; entry: Entry }>();
  const program = programState();
  for (const pack of packs) {
    if (pack.index.program !== program) continue;
    for (const entry of pack.index.entries) known.set(entry.name, { pack, entry });
  }
  return { packs, known, waiting: [], renewed: new Set() };
}

/** The files of a folder that are our own work, the oldest first. */
function listPacks(folder: string): Pack[] {
  const packs: (Pack & { readonly changedNs: bigint })[] = [];
  for (const name of readdirSync(folder)) {
    if (!NAME.test(name)) continue;
    const path = join(folder, name);
    const state = verifyKept(path, PURPOSE);
    if (state === undefined) continue;
    try {
      packs.push({ path, state, index: readIndex(path, state), changedNs: BigInt(state.split(" ")[3]!) });
    } catch {
      // Another run has taken it along.
    }
  }
  return packs.sort((a, b) => (a.changedNs < b.changedNs ? -1 : 1));
}

function readIndex(path: string, state: string): Index {
  const { file, size } = openRegularAs(path, state);
  using _file = closing(file);
  const length = readAt(file, size - LENGTH_BYTES, LENGTH_BYTES).readDoubleLE();
  return JSON.parse(readAt(file, size - LENGTH_BYTES - length, length).toString()) as Index;
}
