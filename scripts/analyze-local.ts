#!/usr/bin/env bun
/**
 * From a folder of Cowrie logs to exact counts and two reports, in one command.
 *
 * Memory grows with the number of distinct values and of sessions that left something, not with the size of the logs: of many
 * rows the counts lie in a file.
 */
import { analyzeLarge } from "../lib/logs/analyze.ts";
import { type ExitCode, expectLongRun, note, runMain, writeOut } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, type OptionValues } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { findLogs } from "../lib/logs/find-logs.ts";
import { formatBytes, formatDuration, formatInstant, formatNumber } from "../lib/text/format.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import {
  DAMAGED_EXIT,
  describeRejects,
  EVENT_OPTIONS,
  exitCodeOf,
  LINE_OPTIONS,
  listInputs,
  LOG_OPERAND,
  READ_OPTIONS,
  type ReadListeners,
  readScope,
  REDUCTION_OPTIONS,
  toSetOptions,
  withProgress,
} from "../lib/logs/log-options.ts";
import { assertWritable, OutputSet } from "../lib/process/output-file.ts";
import { type ReportPaths, reportPaths } from "../lib/pages/page-names.ts";
import { describeRun, REPORT_OPTIONS, spanOf, writeReports } from "../lib/pages/run-reports.ts";
import { type KnownRun, RunRecord, type RunShape, type Told } from "../lib/logs/run-record.ts";
import { collectSessions, toPlaces } from "../lib/pages/report-sessions.ts";
import type { LogSet } from "../lib/logs/log-set.ts";
import type { ReducedTable } from "../lib/reduced/reduced-table.ts";
import type { Statistics } from "../lib/statistics/statistics.ts";
import { openOrigins, ORIGIN_OPTION, originStates } from "../lib/origin/origins.ts";
import { toSafeJson } from "../lib/text/text.ts";
import type { EventScope } from "../lib/events/scope.ts";
import { startSessionWork } from "../lib/pages/session-work.ts";
import { writeRejects } from "../lib/logs/rejects.ts";
import { countSearched } from "../lib/sessions/event-search.ts";
import { notFoundText } from "../lib/sessions/trace-text.ts";

/** Logs of so many bytes take a second of the processors, even where most of them are known. */
const LONG_RUN_BYTES = 32 << 20;

const OPTIONS = {
  path: { type: "path", short: "p", repeatable: true, help: "Log or folder to read; the same as naming it as PATH." },
  logfile: {
    type: "path",
    short: "f",
    defaultText: "reduced.json beside the report",
    help: "Counts as JSON, cut to the top n; the full counts go beside it under the same name with .arrow.",
  },
  outfile: {
    type: "path",
    short: "o",
    default: "result.html",
    help:
      "Report; stats.html, what changed, goes beside it. Beside a report of another name they take it: ams-stats.html and " +
      "ams-reduced.json beside ams.html.",
  },
  topNEvents: {
    type: "count",
    short: "n",
    default: 5,
    help: "Entries shown per kind, in the JSON per day and sensor; 0 = all.",
  },
  ...REPORT_OPTIONS,
  ...ORIGIN_OPTION,
  ...READ_OPTIONS,
  ...EVENT_OPTIONS,
  ...REDUCTION_OPTIONS,
  ...LINE_OPTIONS,
  wait: COMMON_OPTIONS.wait,
  json: { type: "boolean", help: "Write the summary to stdout as one JSON object." },
} as const;

export const COMMAND = {
  name: "analyze-local",
  summary: "From a folder of Cowrie logs to exact counts and two HTML reports.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "Four files: reduced.arrow (full counts), reduced.json (top n), result.html and stats.html; and an event table " +
    "beside each log, by which the next run need not read the log again. Where nothing has changed since the last run, " +
    "neither logs, options and program nor these files, it says so and writes nothing. Nothing on stdout but with --json.",
  exits: {
    ok: "every log was read; lines without an event do not change that",
    failed: "an input is missing, an output cannot be written, nothing holds an event, or --strict found a reject",
    more: [DAMAGED_EXIT],
  },
  examples: [
    { does: "Analyze the example logs", run: "bun scripts/analyze-local.ts test/fixtures/fleet" },
    {
      does: "One sensor, five weeks, all counts",
      run: "bun scripts/analyze-local.ts test/fixtures/fleet --since 2026-07-10 --until 2026-08-09 --sensor hp-ams-01 -n 0",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs(values.path, operands);
  const scope = await readScope(values);
  const startMs = performance.now();
  const files = reportPaths(values.outfile, values.logfile);
  const outputs = [files.arrow, files.json, files.result, files.stats, ...(values.rejects ? [values.rejects] : [])];
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  const found = findLogs(inputs);
  const record = new RunRecord(toRunShape(inputs, scope, values, outputs), found);
  const before = values.mode === "w" ? undefined : record.find();
  if (before !== undefined) return tellAgain(before, values, startMs);
  if (found.sizeBytes >= LONG_RUN_BYTES) expectLongRun();
  const origins = openOrigins(values);

  const parameters = { ...scope, robotMaxSeconds: values.robotMaxSeconds };
  const told: Told[] = [];
  const analysis = await withProgress(values.quiet, listeners =>
    analyzeLarge(inputs, {
      ...toSetOptions(values),
      ...listeners,
      ...recordTold(listeners, told),
      found,
      parameters,
      dedupeLines: values.dedupeLines,
      outputs,
      wantsRejects: values.rejects !== undefined,
      startBeside: set => startSessionWork(set, parameters),
    }, { topN: values.topNEvents }),
  );

  using _analysis = analysis;
  const { set } = analysis;
  if (analysis.table?.kinds.event.rows === 0) {
    throw new Error(`${notFoundText("an event of the days and sensors asked for", countSearched(set))}; see --since, --until and --sensor`);
  }
  await using outputSet = new OutputSet();
  const { statistics, table } = await writeReports(outputSet, {
    counted: analysis,
    files,
    topN: values.topNEvents,
    values,
    origins,
    onLimit: line => {
      told.push({ line, isProblem: false });
      if (!values.quiet) note(line);
    },
    async findSessions(drawn, data, counted) {
      // Gone as soon as all is told: what it holds of the sessions is as much as the table.
      using beside = analysis.beside!;
      return await collectSessions(beside, counted, drawn, data, toPlaces(inputs, values));
    },
  });
  await writeRejects(outputSet, values.rejects, set);
  await outputSet.commit();

  const seconds = (performance.now() - startMs) / 1000;
  const summary = toSummary(set, table, statistics, seconds, files);
  const text = summaryText(set, table, statistics, seconds, files);
  const rejects = describeRejects(COMMAND.name, set, values.rejects);
  const exitCode = exitCodeOf(set, values.strict);
  const tables = set.logs.flatMap(({ tablePath }) => tablePath ?? []);
  record.keep({ exitCode, told, text, summary, ...(rejects !== undefined && { lastWord: rejects }) }, tables);
  if (values.json) await writeOut(`${toSafeJson(summary)}\n`);
  if (!values.quiet) note(text);
  if (rejects !== undefined) note(rejects);
  return exitCode;
}

type Values = OptionValues<typeof OPTIONS>;

/** What decides what is written: all options but those that only say how it is done or told. */
function toRunShape(inputs: readonly string[], scope: EventScope, values: Values, outputs: readonly string[]): RunShape {
  const { quiet: _quiet, json: _json, wait: _wait, jobs: _jobs, mode: _mode, ...settings } = values;
  return { command: COMMAND.name, inputs, settings: { scope, ...settings, databases: originStates(values) }, outputs };
}

/** Listeners that note what they hear. */
function recordTold({ onNotice, onProblem }: ReadListeners, told: Told[]): Pick<ReadListeners, "onNotice" | "onProblem"> {
  return {
    onNotice(line) {
      told.push({ line, isProblem: false });
      onNotice(line);
    },
    onProblem(line) {
      told.push({ line, isProblem: true });
      onProblem(line);
    },
  };
}

/** Say what the run before said, and that there was nothing to do. */
async function tellAgain(
  { told, text, summary, lastWord, exitCode, endMs }: KnownRun,
  { quiet, json }: Pick<Values, "quiet" | "json">,
  startMs: number,
): Promise<ExitCode> {
  for (const { line, isProblem } of told) if (isProblem || !quiet) note(line);
  const seconds = (performance.now() - startMs) / 1000;
  if (json) {
    await writeOut(`${toSafeJson({ ...summary, reused: summary.logs, unchanged: true, seconds })}\n`);
  }
  if (!quiet) {
    note(`Nothing has changed since ${formatInstant(endMs * 1000)} UTC: all is as that run left it (-m w makes it anew)`);
    note(text.replace(/^Time .*$/m, `Time     ${formatDuration(seconds)}`));
  }
  if (lastWord !== undefined) note(lastWord);
  return exitCode;
}

/** The summary for a program; days as YYYY-MM-DD. */
function toSummary(
  { logs, reused, leftOut, counts, textBytes, damaged }: LogSet,
  table: ReducedTable,
  { tests, silent }: Statistics,
  seconds: number,
  files: ReportPaths,
): Record<string, unknown> {
  return {
    logs: logs.length,
    reused,
    unchanged: false,
    left_out: leftOut,
    damaged,
    ...counts,
    bytes: textBytes,
    ...spanOf(table),
    comparisons: tests.m,
    changes: tests.reported,
    silent: silent.map(({ sensor, hours }) => ({ sensor, hours })),
    seconds,
    outputs: files,
  };
}

/** The summary for a person. */
function summaryText(set: LogSet, table: ReducedTable, statistics: Statistics, seconds: number, files: ReportPaths): string {
  const { logs: { length: logs }, reused, leftOut, counts, textBytes } = set;
  const logNotes = [
    ...(reused > 0 ? [`${reused === logs ? "all" : formatNumber(reused)} unchanged since the last run`] : []),
    ...(leftOut > 0 ? [`${formatNumber(leftOut)} left out`] : []),
  ];
  return describeRun([["Logs", `${formatNumber(logs)}, ${formatBytes(textBytes)} of text${logNotes.map(text => `, ${text}`).join("")}`]], { table, counts, statistics, textBytes, seconds, files });
}

if (import.meta.main) await runMain(COMMAND.name, main);
