/**
 * Logs to one reduced table.
 */
import { allTexts } from "../columns/dictionary.ts";
import { pauseNowAndThen, takeWithPauses } from "../process/pause.ts";
import { distinctTables } from "./distinct-lines.ts";
import { unpackDigest } from "./log-digests.ts";
import { type LogSet, type LogSetOptions, readLogSet, type SetLog } from "./log-set.ts";
import { reduceEvents } from "../reduced/reduce.ts";
import { REDUCED_VERSION } from "../reduced/kinds.ts";
import { ReducedBuilder, type ReducedRows } from "../reduced/reduced-builder.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { reduceSeam } from "../reduced/joined-lines.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { addCounts, type SourceInfo, withDropped } from "../events/source.ts";
import { describeRebuiltSensors } from "../reduced/rebuilt-sensors.ts";

export interface AnalyzeOptions<Work extends Disposable = Disposable> extends Omit<LogSetOptions, "reduction" | "scope" | "lineHashes"> {
  readonly parameters: ReductionParameters;
  /** The logs are a part of those the parameters are for: a sensor that none of them has may be in the others. */
  readonly isPart?: boolean;
  /** Count a line once that stands in several logs, byte for byte. */
  readonly dedupeLines: boolean;
  /** Work on the sessions and event tables that goes on while their rows are added up; it is disposed of with the analysis. */
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
    ...(startBeside && { keepsTables: true, wantsSessions: true, keepsDigests: !dedupeLines }),
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
      // Those of small logs are packed still, and take little room.
      builder.expect(set.logs.flatMap(({ rows }) => rows ?? []));
      for (const log of set.logs) {
        const rows = log.rows ?? unpackDigest(log.digest!).rows;
        builder.add(rows);
        log.sensors = allTexts(rows.texts.sensor);
        log.rows = log.digest = undefined;
        await pauseNowAndThen();
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
