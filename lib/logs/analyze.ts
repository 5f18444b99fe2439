/**
 * Logs to one reduced table.
 */
import { type EventBatch, reopenEventTable } from "../events/event-table.ts";
import { LineSet } from "./distinct-lines.ts";
import { type LogSet, type LogSetOptions, readLogSet, type SetLog } from "./log-set.ts";
import { reduceEvents } from "../reduced/reduce.ts";
import { REDUCED_VERSION } from "../reduced/reduced-arrow.ts";
import { ReducedBuilder, type ReducedRows } from "../reduced/reduced-builder.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { reduceSeam } from "../reduced/joined-lines.ts";
import type { ReductionParameters } from "../events/scope.ts";

export interface AnalyzeOptions<Work extends Disposable = Disposable> extends Omit<LogSetOptions, "reduction" | "scope" | "lineHashes" | "keepsTables"> {
  readonly parameters: ReductionParameters;
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
  const { parameters, dedupeLines, startBeside } = options;
  // Which of two equal lines counts is known only once all logs are: then the tables are walked again, in order.
  const set = await readLogSet(inputs, {
    ...options,
    scope: parameters,
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
    const sources = set.logs.map(({ source }) => source);
    const builder = new ReducedBuilder();
    for (const source of sources) builder.addSource(source);
    if (dedupeLines) {
      for await (const { rows } of distinctLines(set.logs, () => parameters)) builder.add(rows);
    } else {
      for (const log of set.logs) {
        builder.add(log.rows!);
        log.rows = undefined;
      }
    }
    for (const seam of set.seams) builder.add(await reduceSeam(seam, parameters));
    // The rows of the logs, now garbage, are most of the heap: give them back before the reports are made.
    Bun.gc(true);
    const table = builder.finish({ version: REDUCED_VERSION, parameters, sources });
    return { set, table, ...(beside && { beside }), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/**
 * The reduced events of logs, one after the other, but of those on lines that an earlier log holds too, byte for byte.
 *
 * A line that stands twice in one log counts twice: only copies between logs are left out.
 *
 * @param logs In canonical order of their sources; their tables hold the hashes of lines.
 */
export async function* distinctLines<Log extends Pick<SetLog, "source" | "tablePath" | "tableState">>(
  logs: readonly Log[],
  parametersOf: (log: Log) => ReductionParameters,
): AsyncGenerator<{ log: Log; rows: ReducedRows }> {
  const seen = new LineSet();
  const keepRow = ({ lineHash, timestampUs }: EventBatch, row: number) => !seen.has(lineHash![row]!, timestampUs[row]!);
  for (const log of logs) {
    const { table } = await reopenEventTable(log.tablePath!, log.tableState);
    // Known to the set only when the log is through: within one log equal lines count as often as they stand.
    const own: Required<Pick<EventBatch, "lineHash" | "timestampUs">>[] = [];
    const walked = {
      ...table,
      async *batches() {
        for await (const batch of table.batches()) {
          own.push({ lineHash: batch.lineHash!, timestampUs: batch.timestampUs });
          yield batch;
        }
      },
    };
    try {
      yield { log, rows: (await reduceEvents(walked, log.source.wholeHash, { ...parametersOf(log), keepRow })).rows };
    } finally {
      await table.close();
    }
    for (const { lineHash, timestampUs } of own) {
      for (let row = 0; row < timestampUs.length; row++) seen.add(lineHash[row]!, timestampUs[row]!);
    }
  }
}
