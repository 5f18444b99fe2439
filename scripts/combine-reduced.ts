#!/usr/bin/env bun
/**
 * Several reduced tables to one: sensors reduced where they stand, or month by month, without reading a log again.
 */
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { type ExitCode, note, refuseTerminal, runMain, stdinIsTerminal } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, UsageError } from "../lib/process/command.ts";
import { checkInputs } from "../lib/process/option-values.ts";
import { parseCommand } from "../lib/process/options.ts";
import { NAMES_OPTION, readNames } from "../lib/logs/log-options.ts";
import { type Combined, combineTables } from "../lib/reduced/combine.ts";
import { DAYS_OPTIONS, toDayBounds } from "../lib/reduced/limit-days.ts";
import { combineSorted, type SortedInput } from "../lib/reduced/combine-sorted.ts";
import { formatDuration, formatNumber, plural } from "../lib/text/format.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import { assertWritable, OutputSet } from "../lib/process/output-file.ts";
import { EMPTY_TABLE_EXIT, openInputs, TableTelling } from "../lib/reduced/reduced-input.ts";
import { REDUCED_OUTPUT_OPTIONS, type ReducedPaths, reducedPaths, writeCombined, writeReduced } from "../lib/reduced/reduced-output.ts";
import { countRows, type ReducedInfo, type Shard } from "../lib/reduced/reduced-table.ts";
import { parseShard, SHARD_OPTION, shardSorted, shardTable, toShardInfo } from "../lib/reduced/shards.ts";
import { addToDataset, describeDataset } from "../lib/reduced/write-dataset.ts";

const OPTIONS = {
  ...REDUCED_OUTPUT_OPTIONS,
  ...NAMES_OPTION,
  ...DAYS_OPTIONS,
  ...SHARD_OPTION,
  wait: COMMON_OPTIONS.wait,
  quiet: COMMON_OPTIONS.quiet,
} as const;

export const COMMAND = {
  name: "combine-reduced",
  summary: "From several reduced tables to one, with no log counted twice.",
  operands: [
    {
      name: "TABLE",
      repeatable: true,
      help: 'Reduced tables in any form: .arrow, reduced.json, the reduced.json of cowralyze; datasets; folders of tables; "-" is stdin.',
    },
  ],
  options: OPTIONS,
  writes:
    "Two files: the full counts as Arrow and, for people, the top n as JSON; with -o - an Arrow stream on stdout; with --dataset " +
    "a folder that they are added to. A table whose logs all stand in another one is left out if its counts stand there, too; tables of different days of " +
    "the same logs (--since, --until) make one; tables that share days of only some of their logs, or claim " +
    "the same log with other counts, are refused. " +
    "Counts from a reduced.json were cut to the top n: of a sensor-day that several of them hold the larger count of " +
    "each entry stays, and where another table has that day in full they are left out. They are shown, and never " +
    "tested for change.",
  exits: {
    ok: "one table holds all there was in the inputs, once",
    failed:
      "a table cannot be read, two of them overlap in part or used another --robot-max-seconds, or the output cannot " +
      "be written",
    more: [EMPTY_TABLE_EXIT],
  },
  examples: [
    {
      does: "Two sensors, reduced one by one, to a fleet",
      run:
        "bun scripts/reduce.ts test/fixtures/fleet/hp-ams-01 -o ams.json && bun scripts/reduce.ts " +
        "test/fixtures/fleet/hp-nyc-01 -o nyc.json && bun scripts/combine-reduced.ts ams.arrow nyc.arrow -o " +
        "fleet.json",
    },
    {
      does: "The same table twice is the table, and straight to a report",
      run:
        "bun scripts/reduce.ts test/fixtures/fleet -o fleet.json && bun scripts/combine-reduced.ts fleet.arrow " +
        "fleet.arrow -o - | bun scripts/visualize.ts -f - -o fleet.html",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const named = [...(await readNames(values.files0From)), ...operands];
  if (named.length === 0) throw new UsageError("Missing TABLE: expected reduced tables, such as the reduced.arrow that analyze-local.ts leaves");
  checkInputs(named, stdinIsTerminal());
  const shard = parseShard(values.shard);
  const days = toDayBounds(values);
  const startMs = performance.now();
  const paths = reducedPaths(values);
  if (paths.arrow === "-") refuseTerminal("Arrow");
  const { outputs } = paths;
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });

  const telling = new TableTelling(values.quiet);
  const { onNotice } = telling;
  const opened = await openInputs(named, telling, days);
  const inputs = shard === undefined ? opened : opened.map(input => shardInput(input, shard));
  await using outputSet = new OutputSet();
  const { info, leftOut, joinedLines, rows, into = "" } = await combine(inputs, outputSet, paths, values.topNEvents, onNotice);
  await outputSet.commit();
  if (!values.quiet) {
    note(
      `combine-reduced: ${plural(opened.length, "table")}` +
        (leftOut.length > 0 ? `, ${formatNumber(leftOut.length)} of them left out` : "") +
        `: ${plural(info.sources.length, "source")}, ${formatNumber(rows)} rows` +
        (joinedLines > 0 ? `, ${plural(joinedLines, "cut line")} joined` : "") +
        `${into}; ${formatDuration((performance.now() - startMs) / 1000)}`,
    );
  }
  return telling.exitCode;
}

/** The same of one shard. */
function shardInput(input: SortedInput, shard: Shard): SortedInput {
  return {
    name: input.name,
    info: toShardInfo(input.name, input.info, shard),
    read: async () => shardTable(await input.read(), shard, input.name),
    open: () => shardSorted(input.open(), shard),
  };
}

/** Combine tables and write what comes of it; only cut counts must be held against all others in memory. */
async function combine(
  inputs: readonly SortedInput[],
  outputSet: OutputSet,
  paths: ReducedPaths,
  topN: number,
  onNotice: (line: string) => void,
): Promise<Pick<Combined, "leftOut" | "joinedLines"> & { readonly info: ReducedInfo; readonly rows: number; readonly into?: string }> {
  if (paths.dataset !== undefined) {
    const written = await addToDataset(paths.dataset, inputs, onNotice);
    return { ...written, into: `; ${describeDataset(written)}` };
  }
  if (inputs.some(({ info }) => info.sources.some(({ cut }) => cut))) {
    const tables = await Promise.all(inputs.map(async ({ name, read }) => ({ name, table: await read() })));
    const { table, ...told } = await combineTables(tables, onNotice);
    await writeReduced(outputSet, paths, table, topN);
    return { ...told, info: table.info, rows: countRows(table) };
  }
  const folder = paths.json === undefined ? tmpdir() : dirname(resolve(paths.json));
  using combined = await combineSorted(inputs, topN, folder, onNotice);
  await writeCombined(outputSet, paths, combined);
  const { info, leftOut, joinedLines } = combined;
  return { info, leftOut, joinedLines, rows: combined.rows() };
}

if (import.meta.main) await runMain(COMMAND.name, main);
