/**
 * Logs to one reduced table.
 */
import { allTexts } from "../columns/dictionary.ts";
import { pauseNowAndThen } from "../process/pause.ts";
import { distinctTables } from "./distinct-lines.ts";
import { packedBytes } from "../process/packed-store.ts";
import { unpackDigest } from "./packed-digest.ts";
import { type LogSet, type LogSetOptions, readLogSet, type SetLog } from "./log-set.ts";
import { reduceEvents } from "../reduced/reduce.ts";
import type { ReducedRows } from "../reduced/reduced-builder.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { reduceSeam } from "../reduced/joined-lines.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { addCounts, type SourceInfo, withDropped } from "../events/source.ts";
import { describeRebuiltSensors } from "../reduced/rebuilt-sensors.ts";
import { type AddedUp, SortedRuns } from "../reduced/sorted-runs.ts";

export interface AnalyzeOptions<Work extends Disposable = Disposable> extends Omit<LogSetOptions, "reduction" | "scope" | "lineHashes"> {
  readonly parameters: ReductionParameters;
  /** The logs are a part of those the parameters are for: a sensor that none of them has may be in the others. */
  readonly isPart?: boolean;
  /** Count a line once that stands in several logs, byte for byte. */
  readonly dedupeLines: boolean;
  /** Work on the sessions and event tables that goes on while their rows are added up; it is disposed of with the analysis. */
  readonly startBeside?: (set: LogSet) => Work;
}

interface Analyzed<Work extends Disposable> extends Disposable {
  readonly set: LogSet;
  /** What {@link AnalyzeOptions.startBeside} began, where it was given. */
  readonly beside?: Work;
}

export type Analysis<Work extends Disposable = Disposable> = Analyzed<Work> & { readonly table: ReducedTable };
/** The same of any number of rows: of very many the table is stored as long as the analysis is not disposed of. */
export type LargeAnalysis<Work extends Disposable = Disposable> = Analyzed<Work> & AddedUp;

/** Rows that are held in memory while they are added up. */
const ROWS_HELD = 500_000;
/** Bytes of unpacked rows after which memory is swept. */
const SWEEP_BYTES = 32 << 20;
/** So many times the bytes of a packed digest are those of its rows. */
const UNPACKED_TIMES = 2;

/**
 * Analyze logs.
 *
 * @param inputs Files (logs or event tables), folders, "-".
 * @throws {Error} if an input cannot be read, or none of them holds an event.
 */
export async function analyzeLogs<Work extends Disposable>(inputs: readonly string[], options: AnalyzeOptions<Work>): Promise<Analysis<Work>> {
  return (await countLogs(inputs, options, { rowsHeld: Infinity, topN: 0 })) as Analysis<Work>;
}

/**
 * {@link analyzeLogs} with no more than some rows in memory.
 *
 * @param topN Entries per kind and sensor-day of what `reduced.json` is made of; 0 = all.
 */
export async function analyzeLarge<Work extends Disposable>(
  inputs: readonly string[],
  options: AnalyzeOptions<Work>,
  { topN, rowsHeld = ROWS_HELD }: { readonly topN: number; readonly rowsHeld?: number },
): Promise<LargeAnalysis<Work>> {
  return await countLogs(inputs, options, { rowsHeld, topN });
}

async function countLogs<Work extends Disposable>(
  inputs: readonly string[],
  options: AnalyzeOptions<Work>,
  { rowsHeld, topN }: { readonly rowsHeld: number; readonly topN: number },
): Promise<LargeAnalysis<Work>> {
  const { parameters, isPart = false, dedupeLines, startBeside } = options;
  // Which of two equal lines counts is known only once all logs are: then the tables are walked again, in order.
  let set = await readLogSet(inputs, {
    ...options,
    ...(!isPart && { scope: parameters }),
    ...(dedupeLines ? { lineHashes: true, keepsTables: true } : { reduction: parameters }),
    ...(startBeside && { keepsTables: true, wantsSessions: true, keepsDigests: !dedupeLines }),
  });
  // Adding up what the logs hold takes one core: the others have time.
  const beside = startBeside?.(set);
  const runs = new SortedRuns({ parameters, sources: set.logs.map(({ source }) => source) }, rowsHeld);
  const dispose = () => {
    beside?.[Symbol.dispose]();
    runs[Symbol.dispose]();
    set[Symbol.dispose]();
  };
  try {
    if (dedupeLines) {
      const droppedOf = new Map<SourceInfo, number>();
      for await (const { log, rows, dropped } of distinctLines(set.logs, () => parameters)) {
        await runs.add(rows);
        droppedOf.set(log.source, dropped);
      }
      set = withDroppedLines(set, droppedOf);
    } else await addLogs(set.logs, runs);
    for (const seam of set.seams) await runs.add(await reduceSeam(seam, parameters));
    // The rows of the logs, now garbage, are most of the heap: give them back before the reports are made.
    Bun.gc(true);
    const counted = await runs.finish(set.logs.map(({ source }) => source), topN);
    const hint = describeRebuiltSensors(counted.spans);
    if (hint !== undefined) options.onNotice(hint);
    return { set, ...counted, ...(beside && { beside }), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Add up the rows of logs, which are let go. */
async function addLogs(logs: readonly SetLog[], runs: SortedRuns): Promise<void> {
  runs.expect(logs.flatMap(({ rows }) => rows ?? []));
  let unpackedBytes = 0;
  for (const log of logs) {
    // Packed until it is their turn.
    const rows = log.rows ?? unpackDigest(log.digest!).rows;
    await runs.add(rows);
    log.sensors = allTexts(rows.texts.sensor);
    if (log.digest !== undefined) unpackedBytes += UNPACKED_TIMES * packedBytes(log.digest);
    log.rows = log.digest = undefined;
    if (unpackedBytes > SWEEP_BYTES) {
      unpackedBytes = 0;
      Bun.gc(true);
    }
    await pauseNowAndThen();
  }
}

/** The reduced events of {@link distinctTables}. */
export async function* distinctLines<Log extends Pick<SetLog, "source" | "tablePath" | "tableState">>(
  logs: readonly Log[],
  parametersOf: (log: Log) => ReductionParameters,
): AsyncGenerator<{ log: Log; rows: ReducedRows; dropped: number }> {
  for await (const { log, table, keepRow, dropped } of distinctTables(logs)) {
    const { rows } = await reduceEvents(table, log.source.wholeHash, { ...parametersOf(log), keepRow });
    yield { log, rows, dropped: dropped() };
  }
}

/** A set with the events that were dropped taken out of its counts. */
export function withDroppedLines(set: LogSet, dropped: ReadonlyMap<SourceInfo, number>): LogSet {
  const counts = { ...set.counts, dropped: 0 };
  const logs = set.logs.map(log => {
    const source = { ...log.source, counts: withDropped(log.source.counts, dropped.get(log.source) ?? 0) };
    addCounts(counts, log.source.counts, -1);
    addCounts(counts, source.counts);
    return { ...log, source };
  });
  return { ...set, logs, counts };
}
