/**
 * A log that has grown since its event table was made: only what is new is read, and put behind what is there.
 *
 * The table notes a hash of the text up to the last whole block. From there on the text is read again, so the old hash of
 * the whole proves that the log is still the one it was.
 */
import { Dictionary } from "../columns/dictionary.ts";
import {
  type BuiltEventTable,
  type EventBatch,
  type EventTableInfo,
  eventTableToIpc,
  openEventTable,
} from "../events/event-table.ts";
import { BLOCK_BYTES, chunkedText } from "../events/log-text.ts";
import { mapLog } from "../events/map-log.ts";
import { type LogJob, type LogResult, writeTable } from "./read-log.ts";
import { reduceEvents } from "../reduced/reduce.ts";
import { NUMBER_COLUMN_NAMES, TEXT_COLUMNS, type TextColumn } from "../events/schema.ts";
import type { FileIdentity, LineCounts, SourceInfo } from "../events/source.ts";
import { TextHash } from "../events/text-hash.ts";

/** The log is another one than before: it has to be read whole. */
export const NOT_GROWN = "the log has not grown but changed";

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
 * Map what a log has grown by.
 *
 * @param chunks Its text from {@link growOffset} on.
 * @throws {Error} {@link NOT_GROWN} if it is not the log of the table.
 */
export async function mapGrown(job: LogJob, file: FileIdentity, chunks: AsyncIterable<Uint8Array>): Promise<LogResult> {
  const stored = await openEventTable(job.tablePath!, job.tableState);
  const before = stored.info;
  const oldSize = before.source.sizeBytes;
  const { blockHash, lineEnd } = before.resume!;
  const offset = growOffset(before, Infinity)!;
  const hash = TextHash.resume(offset, blockHash);

  async function* newLines(): AsyncGenerator<Uint8Array> {
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
      yield known.subarray(lineEnd - offset);
    }
    if (!isProven) throw new Error(NOT_GROWN);
  }
  // A failure in the middle of a text is otherwise taken for damaged data.
  let failure: unknown;
  const watched = (async function* () {
    try {
      yield* newLines();
    } catch (error) {
      failure = error;
    }
  })();
  const added = await mapLog(job.path, chunkedText("none", watched), { file, wantsResume: true });
  try {
    if (failure !== undefined) throw failure;
    const table = await append(stored.table, before, added.table);
    const info = joinInfo(before, added.info, hash, file);
    writeTable(job, eventTableToIpc(table, info));
    const rows = job.reduction && (await reduceEvents(table, info.source.wholeHash, job.reduction)).rows;
    return { source: info.source, isReused: false, ...(rows ? { rows } : {}) };
  } finally {
    added.table.close();
    await stored.table.close();
  }
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

/** One table of the events of two, in the codes of one dictionary. */
async function append(
  old: { readonly rows: number; batches(): Iterable<EventBatch> | AsyncIterable<EventBatch> } & Pick<
    BuiltEventTable,
    "dictionaries" | "numbersUsed"
  >,
  before: EventTableInfo,
  added: BuiltEventTable,
): Promise<BuiltEventTable> {
  const kept: EventBatch[] = [];
  for await (const { rows, timestampUs, codes, numbers } of old.batches()) {
    // Columns of a batch are good until the next one is read.
    const codeColumns = new Map(TEXT_COLUMNS.map(name => [name, codes.get(name)?.slice()]));
    const numberColumns = new Map(NUMBER_COLUMN_NAMES.map(name => [name, numbers.get(name)?.slice()]));
    kept.push({ rows, timestampUs: timestampUs.slice(), codes: codeColumns, numbers: numberColumns });
  }
  const dictionaries = new Map<TextColumn, Dictionary>();
  const recodes = new Map<TextColumn, Int32Array>();
  for (const name of TEXT_COLUMNS) {
    const dictionary = new Dictionary();
    const intern = (texts: { size: number; arena: Uint8Array; offsets: Int32Array } | undefined) =>
      Int32Array.from({ length: texts?.size ?? 0 }, (_, code) =>
        dictionary.intern(texts!.arena, texts!.offsets[code]!, texts!.offsets[code + 1]!),
      );
    // First, so that the codes of the old batches stay what they are.
    intern(old.dictionaries.get(name));
    recodes.set(name, intern(added.dictionaries.get(name)));
    dictionaries.set(name, dictionary);
  }
  const used = new Set([...old.numbersUsed, ...added.numbersUsed]);
  return {
    rows: before.source.counts.events + before.source.counts.repaired + added.rows,
    dictionaries,
    numbersUsed: NUMBER_COLUMN_NAMES.filter(name => used.has(name)),
    *batches() {
      yield* kept;
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
}
