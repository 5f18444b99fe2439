#!/usr/bin/env bun
/**
 * From events to counts: one row per day, sensor, kind and key.
 *
 * Memory grows with the number of distinct values, not with the size of the logs.
 */
import { analyzeLogs } from "../lib/logs/analyze.ts";
import { type ExitCode, note, refuseTerminal, runMain } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { formatNumber } from "../lib/text/format.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import {
  DAMAGED_EXIT,
  describeLogs,
  describePace,
  EVENT_OPTIONS,
  exitCodeOf,
  FILE_OPTION,
  LINE_OPTIONS,
  listInputs,
  LOG_OPERAND,
  NAMES_OPTION,
  noteRejects,
  READ_OPTIONS,
  readNames,
  readScope,
  REDUCTION_OPTIONS,
  toSetOptions,
  withProgress,
} from "../lib/logs/log-options.ts";
import { startBeat } from "../lib/process/progress.ts";
import { assertWritable, OutputSet } from "../lib/process/output-file.ts";
import { REDUCED_OUTPUT_OPTIONS, reducedPaths, writeReduced } from "../lib/reduced/reduced-output.ts";
import { toSorted } from "../lib/reduced/sorted-table.ts";
import { countRows } from "../lib/reduced/reduced-table.ts";
import { parseShard, SHARD_OPTION, shardTable } from "../lib/reduced/shards.ts";
import { writeRejects } from "../lib/logs/rejects.ts";
import { addToDataset, describeDataset } from "../lib/reduced/write-dataset.ts";

const OPTIONS = {
  ...FILE_OPTION,
  ...NAMES_OPTION,
  ...REDUCED_OUTPUT_OPTIONS,
  ...READ_OPTIONS,
  ...EVENT_OPTIONS,
  ...REDUCTION_OPTIONS,
  ...SHARD_OPTION,
  ...LINE_OPTIONS,
  wait: COMMON_OPTIONS.wait,
} as const;

export const COMMAND = {
  name: "reduce",
  summary: "From Cowrie logs or their event tables to one reduced table: exact counts per day, sensor, kind and key.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "Two files: the full counts as Arrow (reduced.arrow) and, for people, the top n as JSON (reduced.json); and an " +
    "event table beside each log that had none. With -o - the full counts as an Arrow stream on stdout; with --dataset " +
    "a folder in their place, to which other logs, or other days of the same, can be added. Of a list (--files0-from) that holds no event an empty table, exit 3.",
  exits: {
    ok: "every log was read; lines without an event do not change that",
    failed: "an input is missing, an output cannot be written, nothing holds an event, or --strict found a reject",
    more: [DAMAGED_EXIT],
  },
  examples: [
    { does: "Counts of the example logs", run: "bun scripts/reduce.ts test/fixtures/fleet -o fleet.json" },
    {
      does: "One sensor's counts straight to what changed on it",
      run: "bun scripts/reduce.ts test/fixtures/fleet --sensor hp-nyc-01 -o - | bun scripts/statistics.ts -f - --csv",
    },
    {
      does: "A dataset that grows day by day, and its history",
      run:
        "bun scripts/reduce.ts test/fixtures/fleet --until 2026-07-31 --dataset counts && bun scripts/reduce.ts " +
        "test/fixtures/fleet --since 2026-08-01 --dataset counts && bun scripts/history.ts counts",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs([...values.file, ...(await readNames(values.files0From))], operands);
  const scope = await readScope(values);
  const shard = parseShard(values.shard);
  const startMs = performance.now();
  using _beat = startBeat();
  const paths = reducedPaths(values);
  if (paths.arrow === "-") refuseTerminal("Arrow");
  const outputs = [...paths.outputs, ...(values.rejects ? [values.rejects] : [])];
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  using analysis = await withProgress(values.quiet, listeners =>
    analyzeLogs(inputs, {
      ...toSetOptions(values),
      ...listeners,
      parameters: { ...scope, robotMaxSeconds: values.robotMaxSeconds },
      // A list is what somebody makes who has chosen before, as for the logs of one node of many.
      isPart: values.files0From !== undefined,
      dedupeLines: values.dedupeLines,
      wantsRejects: values.rejects !== undefined,
      outputs,
    }),
  );
  const { set } = analysis;
  const table = shard === undefined ? analysis.table : shardTable(analysis.table, shard);
  const input = { name: "the logs", info: table.info, open: () => toSorted(table, "the logs") };
  const written = paths.dataset === undefined ? undefined : await addToDataset(paths.dataset, [input], values.quiet ? () => {} : note);
  await using outputSet = new OutputSet();
  if (written === undefined) await writeReduced(outputSet, paths, table, values.topNEvents);
  await writeRejects(outputSet, values.rejects, set);
  await outputSet.commit();
  if (!values.quiet) {
    note(`reduce: ${describeLogs(set)}; ${formatNumber(countRows(table))} rows; ${written === undefined ? "" : `${describeDataset(written)}; `}${describePace(startMs, set)}`);
  }
  noteRejects(COMMAND.name, set, values.rejects);
  return exitCodeOf(set, values.strict);
}

if (import.meta.main) await runMain(COMMAND.name, main);
