/**
 * A log that has grown since its event table was made: only what is new is mapped, and put behind what is there; what was
 * made of its rows and sessions before is taken as it was kept, and added to.
 *
 * A log at hand is believed to have grown once the hash of all its old text is the one that the table notes: reading it for
 * that costs a twentieth of mapping it. Of one that comes over the wire (`remote/`) only what is new is asked for: its inode is
 * the same, and the hash goes on from the last whole block.
 */
import { ArrowFile } from "../columns/arrow-file.ts";
import { Dictionary, textOf, type Texts } from "../columns/dictionary.ts";
import { type BuiltEventTable, type EventBatch, EVENT_TABLE, type EventTableInfo, eventTableToIpc, openEventTable, type StoredEventTable } from "../events/event-table.ts";
import { BLOCK_BYTES, chunkedText, openText } from "../events/log-text.ts";
import { mapLog } from "../events/map-log.ts";
import { isArrowFile } from "../columns/first-bytes.ts";
import { type PackedColumn, unpackCodes, unpackNumbers } from "../columns/packed-column.ts";
import { verifyKept } from "../process/kept-files.ts";
import { removeQuietly } from "../process/output-file.ts";
import { pauseNowAndThen } from "../process/pause.ts";
import { unpackDigest } from "./packed-digest.ts";
import { sessionsAddUp } from "./log-sessions.ts";
import { countWhileRead, type LogJob, type LogResult, readLog, readStored, writeTable } from "./read-log.ts";
import { ReducedBuilder, type ReducedRows } from "../reduced/reduced-builder.ts";
import { NUMBER_COLUMN_NAMES, TEXT_COLUMNS, type TextColumn } from "../events/schema.ts";
import { type FileIdentity, identifyFile, type LineCounts, type SourceInfo } from "../events/source.ts";
import { readHead, TextHash } from "../events/text-hash.ts";
import { closing } from "../columns/regular-file.ts";

/** The log is another one than before: it has to be read whole. */
export const NOT_GROWN = "the log has not grown but changed";

/** Batches that a table may have beside those its rows need: each growth leaves one more. */
const LOOSE_BATCHES_MOST = 64;
const BATCH_ROWS = 1 << 16;
/** Parts in which the sessions of a log may lie; then they are read from its table again. */
const SESSION_PARTS_MOST = 16;

/**
 * Where to read on; undefined if the log has to be read whole.
 *
 * @param info Of its table.
 * @param sizeBytes Of the log today.
 */
export function growOffset({ resume, source }: EventTableInfo, sizeBytes: number): number | undefined {
  if (resume === undefined || sizeBytes <= source.sizeBytes || resume.lineEnd === 0) return undefined;
  const offset = source.sizeBytes - (source.sizeBytes % BLOCK_BYTES);
  // A last line longer than a block began before it.
  return resume.lineEnd >= offset ? offset : undefined;
}

/**
 * Read a log, or an event table named in its place; of a log that has grown only what is new.
 *
 * @throws {Error} if it cannot be opened, or its event table not be written.
 */
export async function readLogOn(job: LogJob, onProgress?: (textBytes: number) => void): Promise<LogResult> {
  return (await readGrown(job, onProgress)) ?? readLog(job, onProgress);
}

/** Undefined if the log has to be read whole. */
async function readGrown(job: LogJob, onProgress: (textBytes: number) => void = () => {}): Promise<LogResult | undefined> {
  const { path, tablePath, isFresh, hasLineHashes, rejectsPath } = job;
  // Rejected lines are in the log only.
  if (tablePath === undefined || isFresh || hasLineHashes || rejectsPath !== undefined) return undefined;
  try {
    const file = identifyFile(path);
    const before = await describeStored(tablePath);
    const offset = before && growOffset(before.info, file.sizeBytes);
    if (offset === undefined || isArrowFile(path) || verifyKept(tablePath, EVENT_TABLE) !== before!.state) return undefined;
    if ((await readHead(path)).hash !== before!.info.source.headHash) return undefined;
    return await mapGrown({ ...job, tableState: before!.state }, file, provenText(path, before!.info.resume!.blockHash, offset, onProgress));
  } catch {
    // Not there, of another version, changed, damaged: whatever it is, reading the log tells.
    removeQuietly(job.partialPath!);
    return undefined;
  }
}

async function describeStored(tablePath: string): Promise<Pick<StoredEventTable, "info" | "state"> | undefined> {
  const { info, state, table } = await openEventTable(tablePath);
  await table.close();
  return info.hasLineHashes ? undefined : { info, state };
}

/**
 * The text of a log from an offset on.
 *
 * @param blockHash Of what stands before it.
 * @throws {Error} {@link NOT_GROWN} if that is another text by now.
 */
async function* provenText(path: string, blockHash: string, offset: number, onProgress: (textBytes: number) => void): AsyncGenerator<Uint8Array> {
  const text = openText(path);
  using _text = closing(text);
  if (text.compression !== "none") throw new Error(NOT_GROWN);
  const hash = new TextHash();
  for (;;) {
    const block = new Uint8Array(BLOCK_BYTES);
    const n = await text.read(block, 0, BLOCK_BYTES);
    if (n === 0) return;
    if (hash.sizeBytes === offset && hash.blockHash !== blockHash) throw new Error(NOT_GROWN);
    const isNew = hash.sizeBytes >= offset;
    hash.add(block.subarray(0, n));
    onProgress(hash.sizeBytes);
    if (isNew) yield block.subarray(0, n);
    else await pauseNowAndThen();
  }
}

/**
 * Map what a log has grown by.
 *
 * @param chunks Its text from {@link growOffset} on.
 * @throws {Error} {@link NOT_GROWN} if it is not the log of the table.
 */
export async function mapGrown(job: LogJob, file: FileIdentity, chunks: AsyncIterable<Uint8Array>): Promise<LogResult> {
  const tablePath = job.tablePath!;
  const { info: before, table: described } = await openEventTable(tablePath, job.tableState);
  await described.close();
  const hash = TextHash.resume(growOffset(before, Infinity)!, before.resume!.blockHash);
  // A failure in the middle of a text is otherwise taken for damaged data.
  let failure: unknown;
  const watched = (async function* () {
    try {
      yield* newLines(before, hash, chunks);
    } catch (error) {
      failure = error;
    }
  })();
  const isOfTable = job.before !== undefined && job.before.tableState === job.tableState;
  const kept = isOfTable && job.reduction !== undefined ? unpackDigest(job.before!.digest) : undefined;
  const counting = kept && countWhileRead(job);
  const added = await mapLog(job.path, chunkedText("none", watched), { file, wantsResume: true, watchers: counting?.watchers ?? [] });
  const old = failure === undefined ? ArrowFile.open(tablePath, job.tableState) : undefined;
  try {
    if (failure !== undefined) throw failure;
    if (old === undefined || old.size > before.source.counts.lines / BATCH_ROWS + LOOSE_BATCHES_MOST) throw new Error(NOT_GROWN);
    const info = joinInfo(before, added.info, hash, file);
    const { table, shared } = append(old, before, added.table);
    const tableState = writeTable(job, eventTableToIpc(table, info));
    const common = { source: info.source, isReused: false, log: file, ...(tableState !== undefined && { tableState }) };
    const whole = async (parts: Pick<LogJob, "reduction" | "wantsSessions">) => {
      const { reduction: _, ...rest } = job;
      const stored = await openEventTable(job.isNamedLater ? job.partialPath! : tablePath, tableState);
      const { rows, sessions } = await readStored({ ...rest, wantsSessions: false, ...parts }, stored);
      return { ...(rows && { rows }), ...(sessions && { sessions }) };
    };
    const { reduction, wantsSessions = false } = job;
    if (kept === undefined) return { ...common, ...(await whole({ ...(reduction && { reduction }), wantsSessions })) };
    const tail = await counting!.take(added.table, info.source);
    const rows = addRows(kept.rows, tail.rows!, info.source, tailStart(before));
    if (!wantsSessions) return { ...common, rows };
    const { sessions } = kept;
    const isInTime = (before.source.lastSeenUs ?? -Infinity) <= (added.info.source.firstSeenUs ?? Infinity);
    const addUp = sessions.length > 0 && sessions.length < SESSION_PARTS_MOST && sessionsAddUp(sessions, tail.sessions![0]!, shared, isInTime);
    return { ...common, rows, ...(addUp ? { sessions: [...sessions, ...tail.sessions!] } : await whole({ wantsSessions })) };
  } finally {
    added.table.close();
    old?.close();
  }
}

/** What a text has behind the last line that the table has, once the old part is proven to be the one it was. */
async function* newLines(before: EventTableInfo, hash: TextHash, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const offset = hash.sizeBytes;
  const oldSize = before.source.sizeBytes;
  let known: Uint8Array = new Uint8Array(0);
  let isProven = false;
  for await (const chunk of chunks) {
    if (isProven) {
      hash.add(chunk);
      yield chunk;
      continue;
    }
    known = Buffer.concat([known, chunk]);
    if (offset + known.length < oldSize) continue;
    hash.add(known.subarray(0, oldSize - offset));
    if (hash.digest() !== before.source.wholeHash) throw new Error(NOT_GROWN);
    isProven = true;
    hash.add(known.subarray(oldSize - offset));
    yield known.subarray(before.resume!.lineEnd - offset);
  }
  if (!isProven) throw new Error(NOT_GROWN);
}

/** Events in a table: the number of the first that comes to it. */
function tailStart({ source: { counts } }: EventTableInfo): number {
  return counts.events + counts.repaired;
}

/** The rows of both parts of a log, as those of one. */
function addRows(old: ReducedRows, tail: ReducedRows, source: SourceInfo, firstRow: number): ReducedRows {
  const last = tail.kinds.last_command?.keys.line;
  if (last !== undefined) for (let row = 0; row < last.length; row++) last[row]! += firstRow;
  const named = new Dictionary();
  named.internText(source.wholeHash);
  const builder = new ReducedBuilder();
  // Before it had grown the log was another source.
  builder.add({ ...old, texts: { ...old.texts, source: named } });
  builder.add(tail);
  return builder.toRows();
}

function joinInfo(before: EventTableInfo, added: EventTableInfo, hash: TextHash, file: FileIdentity): EventTableInfo {
  const counts: LineCounts = { ...added.source.counts };
  const { pending } = before.source.counts;
  // The piece that was pending is a line of the new part.
  for (const key of ["events", "repaired", "rejected"] as const) counts[key] += before.source.counts[key];
  counts.lines += before.source.counts.lines - pending;
  const times = [before.source, added.source].flatMap(({ firstSeenUs, lastSeenUs }) =>
    firstSeenUs === undefined ? [] : [firstSeenUs, lastSeenUs!],
  );
  const { tail: _, ...old } = before.source;
  const { tail } = added.source;
  const source: SourceInfo = {
    ...old,
    // It may have been moved as well.
    path: added.source.path,
    sizeBytes: hash.sizeBytes,
    wholeHash: hash.digest(),
    counts,
    ...(times.length === 0 ? {} : { firstSeenUs: Math.min(...times), lastSeenUs: Math.max(...times) }),
    ...(tail === undefined ? {} : { tail }),
  };
  const { resume: __, ...info } = before;
  return {
    ...info,
    source,
    file,
    ...(added.resume === undefined
      ? {}
      : { resume: { blockHash: hash.blockHash, lineEnd: before.resume!.lineEnd + added.resume.lineEnd } }),
  };
}

/** One table of the events of two, in the codes of one dictionary; and which sessions are in both. */
function append(old: ArrowFile, before: EventTableInfo, added: BuiltEventTable): { table: BuiltEventTable; shared: Set<string> } {
  const dictionaries = new Map<TextColumn, Dictionary>();
  const recodes = new Map<TextColumn, Int32Array>();
  const shared = new Set<string>();
  for (const name of TEXT_COLUMNS) {
    const dictionary = new Dictionary();
    // The old ones first, so that the codes of their batches stay what they are.
    internAll(dictionary, old.texts(name));
    const oldSize = dictionary.size;
    const recode = internAll(dictionary, added.dictionaries.get(name));
    recodes.set(name, recode);
    dictionaries.set(name, dictionary);
    if (name !== "session") continue;
    for (const code of recode) if (code < oldSize) shared.add(textOf(dictionary, code));
  }
  const used = new Set<string>([...old.names, ...added.numbersUsed]);
  const table: BuiltEventTable = {
    rows: tailStart(before) + added.rows,
    dictionaries,
    numbersUsed: NUMBER_COLUMN_NAMES.filter(name => used.has(name)),
    *batches() {
      for (let i = 0; i < old.size; i++) yield packedBatch(old, i);
      for (const batch of added.batches()) {
        const codes = {
          get: (name: TextColumn) => {
            const recode = recodes.get(name)!;
            return batch.codes.get(name)?.map(code => (code < 0 ? -1 : recode[code]!));
          },
        };
        const { packed: _, ...rest } = batch;
        yield { ...rest, codes };
      }
    },
    close() {},
  };
  return { table, shared };
}

/** @returns Their codes in the dictionary. */
function internAll(dictionary: Dictionary, texts: Texts | undefined): Int32Array {
  const codes = new Int32Array(texts?.size ?? 0);
  for (let code = 0; code < codes.length; code++) {
    codes[code] = dictionary.intern(texts!.arena, texts!.offsets[code]!, texts!.offsets[code + 1]!);
  }
  return codes;
}

/** A batch of a table to be written again as it lies there. */
function packedBatch(table: ArrowFile, number: number): EventBatch {
  const { rows, packed } = table.batch(number);
  const timestamp = packed("timestamp")!;
  return {
    rows,
    get timestampUs() {
      return unpackNumbers(timestamp);
    },
    codes: { get: name => unpacked(packed(name), unpackCodes) },
    numbers: { get: name => unpacked(packed(name), unpackNumbers) },
    packed: { get: packed, timestamp },
  };
}

function unpacked<T>(column: PackedColumn | undefined, unpack: (column: PackedColumn) => T): T | undefined {
  return column && unpack(column);
}
