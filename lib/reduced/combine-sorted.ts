/**
 * Reduced tables of any size to one: as `combineTables`, with their rows on the disk.
 *
 * Only the last commands of sessions, whose two halves may lie anywhere, and verdicts are brought together in memory.
 */
import { openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pause, takeWithPauses } from "../process/pause.ts";
import { makeTempFolder } from "../process/temp-folder.ts";
import { type NamedInfo, seamRows, settleInputs } from "./combine.ts";
import { findSeams, settleSeams } from "./joined-lines.ts";
import { type Kind, REDUCED_VERSION } from "./kinds.ts";
import { batchesOf, mergeSorted, type SortedMerge, textsOf } from "./merge-sorted.ts";
import { batchesToIpc, UINT32_MAX, type WrittenBatch } from "./reduced-arrow.ts";
import { openSorted, type SortedTable, toSorted } from "./sorted-table.ts";
import { toTexts } from "../columns/dictionary.ts";
import { ReducedBuilder } from "./reduced-builder.ts";
import { shardRows } from "./shards.ts";
import type { ReducedInfo, ReducedTable } from "./reduced-table.ts";
import { TopRows } from "./top-rows.ts";
import type { IpcFormat } from "../columns/arrow-ipc.ts";
import type { SourceInfo } from "../events/source.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { closing } from "../columns/regular-file.ts";

/** Tables merged at once; of more, some are merged to files that are merged. */
const MERGED_MAX = 128;

export interface SortedInput extends NamedInfo {
  /** All of it in memory. */
  read(): Promise<ReducedTable>;
}

type MergedInput = Pick<NamedInfo, "info" | "open">;

export interface CombinedSorted extends MergedRows {
  readonly leftOut: readonly string[];
  readonly joinedLines: number;
}

/** Rows of many tables as one, as a stream. */
export interface MergedRows extends Disposable {
  readonly info: ReducedInfo;
  /** The bytes of `reduced.arrow`; once. A chunk is good until the next but one is asked for. */
  chunks(format: IpcFormat): Generator<Uint8Array>;
  /** The same as rows, in place of {@link chunks}. */
  batches(): Generator<WrittenBatch>;
  /** What `reduced.json` is made of, and how many rows there were; known once all chunks were taken. */
  readonly top: TopRows;
  readonly topN: number;
  readonly rows: () => number;
  readonly texts: SortedMerge["texts"];
}

/**
 * Kinds whose rows say something of one another: the last commands of sessions with what is made of them, and verdicts,
 * of which there are few.
 */
export const TOGETHER: ReadonlySet<Kind> = new Set<Kind>(["last_command", "pre_disconnect_command", "scan"]);

/**
 * Combine tables none of which holds cut counts.
 *
 * @param topN Entries per kind and sensor-day of {@link CombinedSorted.top}; 0 = all.
 * @param folder Where groups of tables are merged to files, if there are many.
 * @throws {Error} as `combineTables`.
 */
export async function combineSorted(
  inputs: readonly NamedInfo[],
  topN: number,
  folder: string,
  onNotice: (line: string) => void,
): Promise<CombinedSorted> {
  const { kept, leftOut, parameters, sources, shard } = await settleInputs(inputs, onNotice);
  const stack = new DisposableStack();
  try {
    const seams = await findSeams(sources);
    const info = { version: REDUCED_VERSION, parameters, sources: settleSeams(sources, seams), ...(shard && { shard }) };
    const groups = await mergeGroups(kept, sources, parameters, folder, stack);
    const tables = groups.map(input => stack.adopt(input.open(), table => table.close()));
    const builder = await bringTogether(tables, sources);
    for await (const rows of seamRows(seams, kept, parameters)) builder.add(shard === undefined ? rows : shardRows(rows, shard));
    return Object.assign(await mergeAll(tables, builder, info, topN), { leftOut, joinedLines: seams.length, [Symbol.dispose]: () => stack.dispose() });
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

/**
 * The same of parts of one table, whose sources are those of all.
 *
 * @param folder See {@link combineSorted}.
 */
export async function combineRuns(runs: readonly MergedInput[], info: ReducedInfo, topN: number, folder: string): Promise<MergedRows> {
  const { sources, parameters } = info;
  const stack = new DisposableStack();
  try {
    const groups = await mergeGroups(runs, sources, parameters, folder, stack);
    const tables = groups.map(input => stack.adopt(input.open(), table => table.close()));
    return Object.assign(await mergeAll(tables, await bringTogether(tables, sources), info, topN), { [Symbol.dispose]: () => stack.dispose() });
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

/** @param builder Of what is brought together. */
async function mergeAll(tables: readonly SortedTable[], builder: ReducedBuilder, info: ReducedInfo, topN: number): Promise<Omit<MergedRows, typeof Symbol.dispose>> {
  const settled = await takeWithPauses(builder.calculate(info));
  let merge: SortedMerge | undefined = await mergeSorted([...tables.map(withoutThose), toSorted(settled)]);
  const { texts } = merge;
  const top = new TopRows(topN);
  let rows = 0;
  function* tapped(): Generator<WrittenBatch> {
    for (const batch of merge!.batches()) {
      rows += batch.table.rows;
      top.add(batch.table);
      yield batch;
    }
    // The codes of all tables, which nobody needs any more.
    merge = undefined;
  }
  return {
    info: settled.info,
    chunks: format => batchesToIpc({ info: settled.info, texts }, isLarge(info.sources), tapped(), format, true),
    batches: tapped,
    texts,
    top,
    topN,
    rows: () => rows,
  };
}

/** Whether all events together are more than 32 bits count; no count is more than these. */
function isLarge(sources: readonly SourceInfo[]): boolean {
  return sources.reduce((sum, { counts }) => sum + counts.events + counts.repaired, 0) > UINT32_MAX;
}

/** A builder of what must be looked at together. */
async function bringTogether(tables: readonly SortedTable[], sources: readonly SourceInfo[]): Promise<ReducedBuilder> {
  const builder = new ReducedBuilder();
  for (const source of sources) builder.addSource(source);
  for (const table of tables) {
    let texts: ReturnType<typeof textsOf> | undefined;
    for (const kind of TOGETHER) {
      for (const { table: rows, sets } of batchesOf(table, kind)) {
        texts ??= textsOf(table);
        builder.add({ texts, sets, kinds: { [kind]: rows } });
      }
    }
    await pause();
  }
  return builder;
}

function withoutThose(table: SortedTable): SortedTable {
  return {
    name: table.name,
    info: table.info,
    textsOf: name => (name === "session" || name === "source" ? toTexts([]) : table.textsOf(name)),
    isEmpty: () => table.isEmpty(),
    batches: (kind, memory) => (TOGETHER.has(kind) ? [] : table.batches(kind, memory)),
    close: () => table.close(),
  };
}

/** Events of all logs of a table: about as much work as its rows. */
function weightOf({ info }: MergedInput): number {
  return info.sources.reduce((sum, { counts }) => sum + counts.events, 0);
}

/**
 * So many tables merged to files in between that no more than {@link MERGED_MAX} are left: always the smallest, and no more of them
 * than need be, so that few rows are written twice (Huffman's way).
 *
 * @param stack Takes the folder of the files.
 */
async function mergeGroups(
  inputs: readonly MergedInput[],
  sources: readonly SourceInfo[],
  parameters: ReductionParameters,
  folder: string,
  stack: DisposableStack,
): Promise<readonly Pick<NamedInfo, "open">[]> {
  if (inputs.length <= MERGED_MAX) return inputs;
  const left: { readonly weight: number; open(): SortedTable; remove?(): void }[] = inputs
    .map(input => ({ weight: weightOf(input), open: () => input.open() }))
    .sort((a, b) => a.weight - b.weight);
  const temp = makeTempFolder(stack, folder, ".combine-");
  for (let number = 0; left.length > MERGED_MAX; number++) {
    const group = left.splice(0, Math.min(MERGED_MAX, left.length - MERGED_MAX + 1));
    const path = join(temp, `${number}.arrow`);
    using opened = new DisposableStack();
    const tables = group.map(input => opened.adopt(input.open(), table => table.close()));
    const info = { version: REDUCED_VERSION, parameters, sources: [] };
    const settled = await takeWithPauses((await bringTogether(tables, sources)).calculate(info));
    const merge = await mergeSorted([...tables.map(withoutThose), toSorted(settled)]);
    await writeFile(path, batchesToIpc({ info, texts: merge.texts }, isLarge(sources), merge.batches(), "file", true));
    for (const { remove } of group) remove?.();
    const weight = group.reduce((sum, { weight }) => sum + weight, 0);
    const place = left.findIndex(other => other.weight > weight);
    left.splice(place < 0 ? left.length : place, 0, { weight, open: () => openSorted(path)!, remove: () => rmSync(path) });
  }
  return left;
}

/** Chunks of 1 MiB after which memory is swept. */
const CHUNKS_PER_SWEEP = 256;

/** Write what is not worth keeping. */
export async function writeFile(path: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const file = openSync(path, "wx", 0o600);
  using _file = closing(file);
  let chunks = 0;
  for await (const chunk of pieces) {
    for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
    // Left to itself the engine lets three times as much lie about as is in use.
    if (++chunks % CHUNKS_PER_SWEEP === 0) Bun.gc(true);
    await pause();
  }
}
