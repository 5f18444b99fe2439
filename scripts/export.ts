#!/usr/bin/env bun
/**
 * Events as Parquet files by day or month, which DuckDB, Polars, pandas, ClickHouse and others read.
 */
import { join } from "node:path";
import { type ExitCode, note, runMain, STDIN, writeOut } from "../lib/process/cli.ts";
import { type Command, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { parseCondition, WHERE_OPTION } from "../lib/events/event-filter.ts";
import type { ExportOutcome } from "../lib/logs/export-events.ts";
import { type Period, PERIODS } from "../lib/logs/export-record.ts";
import {
  DAMAGED_EXIT,
  describeLogs,
  describePace,
  EVENT_OPTIONS,
  exitCodeOf,
  FILE_OPTION,
  listInputs,
  LOG_OPERAND,
  READ_OPTIONS,
  readScope,
  toSetOptions,
  withProgress,
} from "../lib/logs/log-options.ts";
import { readLogSet } from "../lib/logs/log-set.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import { assertWritable } from "../lib/process/output-file.ts";
import { formatBytes, plural } from "../lib/text/format.ts";
import { quoteForMessage, toSafeJson } from "../lib/text/text.ts";

const OPTIONS = {
  ...FILE_OPTION,
  outfile: { type: "path", short: "o", required: true, placeholder: "DIR", help: "Folder of the files; what is the same as before is not written again." },
  parquet: { type: "boolean", help: "Write Parquet, packed by Zstandard: the default, and the only format." },
  by: {
    type: "choice",
    choices: PERIODS,
    default: "day",
    help: "A file for each day or month (UTC). Days are for fleets and for nightly runs, months for few sensors over years.",
  },
  replace: {
    type: "boolean",
    help: "Let DIR hold these logs and options alone. Without it, days whose logs are gone stay, and other options are refused.",
  },
  ...WHERE_OPTION,
  ...READ_OPTIONS,
  ...EVENT_OPTIONS,
  json: { type: "boolean", help: "Write one JSON object to stdout: the files, their rows and bytes, and what became of each." },
} as const;

export const COMMAND = {
  name: "export",
  summary: "Events as Parquet files by day or month, for DuckDB, Polars, pandas, ClickHouse and others.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "DIR/day=2026-07-20/part-0.parquet, or DIR/month=2026-07/part-0.parquet with --by month: a row for each event, with the " +
    "columns of the event tables and all other keys as JSON in extra. Copies of logs are left out and lines that a rotation " +
    "cut are joined. Each file is whole or not there. On stdout nothing, but for --json. An event table beside each log that had none.",
  exits: { failed: "an input is missing, or DIR holds another export or Parquet files of others", more: [DAMAGED_EXIT] },
  examples: [
    { does: "The example logs, a file for each day", run: "bun scripts/export.ts test/fixtures/fleet --parquet -o parquet" },
    {
      does: "The logins of one sensor, a file for each month, and what was written",
      run: "bun scripts/export.ts test/fixtures/fleet --sensor hp-ams-01 --where 'eventid~cowrie.login.*' --by month -o logins --json",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs(values.file, operands);
  const folder = values.outfile;
  if (folder === STDIN) throw new UsageError('Cannot export to "-": expected a folder for a file each day');
  const scope = await readScope(values);
  const conditions = values.where.map(text => parseCondition(text, scope));
  const startMs = performance.now();
  // No output by this name: it stands for all of them.
  const marker = join(folder, "export");
  await assertWritable([marker]);
  await using _lock = await lockOutputs([marker]);

  const { set, outcomes } = await withProgress(values.quiet, async listeners => {
    const set = await readLogSet(inputs, { ...toSetOptions(values), ...listeners, keepsTables: true, scope, outputs: [] });
    try {
      // The writer of Parquet is loaded when there is something to write.
      const { exportEvents } = await import("../lib/logs/export-events.ts");
      const outcomes = await exportEvents(set, {
        folder,
        by: values.by as Period,
        scope,
        conditions,
        where: values.where,
        isFresh: values.mode === "w",
        replaces: values.replace,
        onNotice: listeners.onProblem,
      });
      return { set, outcomes };
    } finally {
      set[Symbol.dispose]();
    }
  });
  if (values.json) await writeOut(`${toSafeJson({ folder, ...sumUp(outcomes), files: outcomes })}\n`);
  if (!values.quiet) {
    const { rows, bytes } = sumUp(outcomes);
    const of = (what: ExportOutcome["what"]) => outcomes.filter(one => one.what === what).length;
    const kept = of("kept") > 0 ? `, ${of("kept")} kept from earlier logs` : "";
    note(
      `export: ${plural(rows, "event")} in ${plural(outcomes.length, "file")}, ${formatBytes(bytes)} in ${quoteForMessage(folder)}: ` +
        `${of("written")} written, ${of("unchanged")} unchanged${kept}; ${describeLogs(set)}; ${describePace(startMs, set)}`,
    );
  }
  return exitCodeOf(set);
}

function sumUp(outcomes: readonly ExportOutcome[]): { rows: number; bytes: number } {
  let [rows, bytes] = [0, 0];
  for (const one of outcomes) [rows, bytes] = [rows + one.rows, bytes + one.bytes];
  return { rows, bytes };
}

if (import.meta.main) await runMain(COMMAND.name, main);
