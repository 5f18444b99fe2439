/**
 * Logs to one reduced table.
 */
import { takeWithPauses } from "../process/pause.ts";
import { type EventBatch, type EventTable, reopenEventTable } from "../events/event-table.ts";
import { LineSet } from "./distinct-lines.ts";
import { type LogSet, type LogSetOptions, readLogSet, type SetLog } from "./log-set.ts";
import { reduceEvents } from "../reduced/reduce.ts";
import { REDUCED_VERSION } from "../reduced/reduced-arrow.ts";
import { ReducedBuilder, type ReducedRows } from "../reduced/reduced-builder.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { reduceSeam } from "../reduced/joined-lines.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { addCounts, type SourceInfo, withDropped } from "../events/source.ts";
import { describeRebuiltSensors } from "../reduced/rebuilt-sensors.ts";

export interface AnalyzeOptions<Work extends Disposable = Disposable> extends Omit<LogSetOptions, "reduction" | "scope" | "lineHashes" | "keepsTables"> {
  readonly parameters: ReductionParameters;
  /** The logs are a part of those the parameters are for: a sensor that none of them has may be in the others. */
  readonly isPart?: boolean;
  /** Count a line once that stands in several logs, byte for byte. */
  readonly dedupeLines: boolean;
  /** Work on the event tables that goes on while their rows are added up; it is disposed of with the analysis. */
  readonly startBeside?: (set: LogSet) => Work;
}

export interface Analysis<Work extends Disposable = Disposable> extends Disposable {
  readonly set: LogSet;
  readonly table: ReducedTable;
  /** What {@link AnalyzeOptions.startBeside} began, where it was given. */
  readonly beside?: Work;
}

/**
 * Analyze logs.
 *
 * @param inputs Files (logs or event tables), folders, "-".
 * @throws {Error} if an input cannot be read, or none of them holds an event.
 */
export async function analyzeLogs<Work extends Disposable>(
  inputs: readonly string[],
  options: AnalyzeOptions<Work>,
): Promise<Analysis<Work>> {
  const { parameters, isPart = false, dedupeLines, startBeside } = options;
  // Which of two equal lines counts is known only once all logs are: then the tables are walked again, in order.
  let set = await readLogSet(inputs, {
    ...options,
    ...(!isPart && { scope: parameters }),
    ...(dedupeLines ? { lineHashes: true, keepsTables: true } : { reduction: parameters }),
    ...(startBeside && { keepsTables: true }),
  });
  // Adding up what the logs hold takes one core: the others have time.
  const beside = startBeside?.(set);
  const dispose = () => {
    beside?.[Symbol.dispose]();
    set[Symbol.dispose]();
  };
  try {
    const builder = new ReducedBuilder();
    for (const { source } of set.logs) builder.addSource(source);
    if (dedupeLines) {
      const droppedOf = new Map<SourceInfo, number>();
      for await (const { log, rows, dropped } of distinctLines(set.logs, () => parameters)) {
        builder.add(rows);
        droppedOf.set(log.source, dropped);
      }
      set = withDroppedLines(set, droppedOf);
    } else {
      for (const log of set.logs) {
        builder.add(log.rows!);
        log.rows = undefined;
      }
    }
    for (const seam of set.seams) builder.add(await reduceSeam(seam, parameters));
    // The rows of the logs, now garbage, are most of the heap: give them back before the reports are made.
    Bun.gc(true);
    const sources = set.logs.map(({ source }) => source);
    const table = await takeWithPauses(builder.calculate({ version: REDUCED_VERSION, parameters, sources }));
    const hint = describeRebuiltSensors(table);
    if (hint !== undefined) options.onNotice(hint);
    return { set, table, ...(beside && { beside }), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** A table of a log with its events on lines that no earlier log holds. */
export interface DistinctTable<Log> {
  readonly log: Log;
  readonly table: EventTable;
  /** Tells the rows that count, of the batch that was walked last. */
  readonly keepRow: (batch: EventBatch, row: number) => boolean;
  /** Events that do not count, once the table has been walked. */
  dropped(): number;
}

/**
 * The event tables of logs, one after the other, with the rows on lines that an earlier log holds too, byte for byte.
 *
 * A line that stands twice in one log counts twice: only copies between logs are left out.
 *
 * @param logs In canonical order of their sources; their tables hold the hashes of lines. Each table is to be walked.
 */
export async function* distinctTables<Log extends Pick<SetLog, "source" | "tablePath" | "tableState">>(
  logs: readonly Log[],
): AsyncGenerator<DistinctTable<Log>> {
  const seen = new LineSet();
  for (const log of logs) {
    const { table } = await reopenEventTable(log.tablePath!, log.tableState);
    // Known to the set only when the log is through: within one log equal lines count as often as they stand.
    const own: Required<Pick<EventBatch, "lineHash" | "timestampUs">>[] = [];
    let isKept = new Uint8Array(0);
    let dropped = 0;
    const walked = {
      ...table,
      async *batches() {
        for await (const batch of table.batches()) {
          const { timestampUs, rows } = batch;
          const lineHash = batch.lineHash!;
          own.push({ lineHash, timestampUs });
          isKept = new Uint8Array(rows);
          for (let row = 0; row < rows; row++) {
            if (seen.has(lineHash[row]!, timestampUs[row]!)) dropped++;
            else isKept[row] = 1;
          }
          yield batch;
        }
      },
    };
    try {
      yield { log, table: walked, keepRow: (_, row) => isKept[row] === 1, dropped: () => dropped };
    } finally {
      await table.close();
    }
    for (const { lineHash, timestampUs } of own) {
      for (let row = 0; row < timestampUs.length; row++) seen.add(lineHash[row]!, timestampUs[row]!);
    }
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
