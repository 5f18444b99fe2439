#!/usr/bin/env bun
/**
 * From a folder of Cowrie logs to exact counts and two reports, in one command.
 *
 * Memory grows with the number of distinct values, not with the size of the logs.
 */
import { type Analysis, analyzeLogs } from "../lib/logs/analyze.ts";
import { type Command, COMMON_OPTIONS, type ExitCode, note, parseCommand, runMain, writeOut } from "../lib/process/cli.ts";
import { formatBytes, formatDuration, formatNumber, formatRate, plural, toIsoDay } from "../lib/text/format.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import {
  DAMAGED_EXIT,
  EVENT_OPTIONS,
  exitCodeOf,
  LINE_OPTIONS,
  listInputs,
  LOG_OPERAND,
  noteRejects,
  READ_OPTIONS,
  readScope,
  REDUCTION_OPTIONS,
  toSetOptions,
  withProgress,
} from "../lib/logs/log-options.ts";
import { assertWritable, OutputSet } from "../lib/process/output-file.ts";
import { drawTable } from "../lib/reduced/drawn-table.ts";
import { reducedToIpc } from "../lib/reduced/reduced-arrow.ts";
import { reducedToJson } from "../lib/reduced/reduced-json.ts";
import { linkPages, type ReportPaths, reportPaths } from "../lib/pages/page-names.ts";
import { takeWithPauses } from "../lib/process/pause.ts";
import { calculateReport } from "../lib/pages/report.ts";
import { collectSessions, toPlaces } from "../lib/pages/report-sessions.ts";
import type { Statistics } from "../lib/statistics/statistics.ts";
import { statsAside } from "../lib/pages/stats-run.ts";
import { summarizeStatistics } from "../lib/statistics/statistics-summary.ts";
import { toSafeJson, visible } from "../lib/text/text.ts";
import { PROGRAM } from "../lib/process/version.ts";
import { startSessionWork } from "../lib/sessions/session-work.ts";
import { writeRejects } from "../lib/logs/rejects.ts";

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
  threshold: {
    type: "number",
    short: "t",
    min: 0,
    default: 20,
    placeholder: "PERCENT",
    help: "Smallest change reported.",
  },
  lastNDays: { type: "count", short: "l", min: 1, default: 7, help: "Last days held against the days before them." },
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
    "beside each log, by which the next run need not read the log again. Nothing on stdout but with --json.",
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
  const parameters = { ...scope, robotMaxSeconds: values.robotMaxSeconds };
  const analysis = await withProgress(values.quiet, listeners =>
    analyzeLogs(inputs, {
      ...toSetOptions(values),
      ...listeners,
      parameters,
      dedupeLines: values.dedupeLines,
      outputs,
      wantsRejects: values.rejects !== undefined,
      startBeside: set => startSessionWork(set, parameters),
    }),
  );

  using _analysis = analysis;
  const { table, set } = analysis;
  if (table.kinds.event.rows === 0) {
    throw new Error("Cannot find an event of the days and sensors asked for: see --since, --until and --sensor");
  }
  const { threshold: thresholdPercent, lastNDays: lastDays, topNEvents: topN } = values;
  const { table: drawn, ...more } = drawTable(table);
  if (!values.quiet) more.limits.forEach(note);
  // Runs beside what follows; its failure is met where it is awaited.
  const links = linkPages(files);
  const stats = statsAside({ table: drawn, options: { thresholdPercent, lastDays, ...links, ...more } });
  stats.catch(() => {});
  await using outputSet = new OutputSet();
  const write = async (path: string, chunks: Iterable<string | Uint8Array>) => {
    const output = await outputSet.open(path);
    for (const chunk of chunks) await output.write(chunk);
  };
  const shown = { topN, thresholdPercent, lastDays, generatedBy: PROGRAM, ...links, ...more };
  const report = await takeWithPauses(calculateReport(drawn, shown));
  const aside = collectSessions(analysis.beside!, table, drawn, report.data, toPlaces(inputs, values));
  aside.catch(() => {});
  await write(files.arrow, reducedToIpc(table));
  await write(files.json, reducedToJson(table, topN));
  const [{ html, statistics }, sessions] = await Promise.all([stats, aside]);
  await write(files.result, [report.render({ statistics, sessions })]);
  await write(files.stats, [html]);
  await writeRejects(outputSet, values.rejects, set);
  await outputSet.commit();

  const seconds = (performance.now() - startMs) / 1000;
  if (values.json) await writeOut(`${toSafeJson(toSummary(analysis, statistics, seconds, files))}\n`);
  if (!values.quiet) note(summaryText(analysis, statistics, seconds, files));
  noteRejects(COMMAND.name, set, values.rejects);
  return exitCodeOf(set, values.strict);
}

/** The summary for a program; days as YYYY-MM-DD. */
function toSummary(
  analysis: Analysis,
  { tests, silent }: Statistics,
  seconds: number,
  files: ReportPaths,
): Record<string, unknown> {
  const { table, set: { logs, reused, leftOut, counts, textBytes, damaged } } = analysis;
  const { day } = table.kinds.event;
  return {
    logs: logs.length,
    reused,
    left_out: leftOut,
    damaged,
    ...counts,
    bytes: textBytes,
    days: new Set(day).size,
    first_day: toIsoDay(day[0]!),
    last_day: toIsoDay(day[day.length - 1]!),
    sensors: table.dictionaries.sensor,
    comparisons: tests.m,
    changes: tests.reported,
    silent: silent.map(({ sensor, hours }) => ({ sensor, hours })),
    seconds,
    outputs: files,
  };
}

/** The summary for a person. */
function summaryText(analysis: Analysis, statistics: Statistics, seconds: number, files: ReportPaths): string {
  const { table, set: { logs: { length: logs }, reused, leftOut, counts, textBytes } } = analysis;
  const { day } = table.kinds.event;
  const { sensor } = table.dictionaries;
  const days = new Set(day).size;
  const span = `${toIsoDay(day[0]!)} to ${toIsoDay(day[day.length - 1]!)}`;
  const logNotes = [
    ...(reused > 0 ? [`${reused === logs ? "all" : formatNumber(reused)} unchanged since the last run`] : []),
    ...(leftOut > 0 ? [`${formatNumber(leftOut)} left out`] : []),
  ];
  const shownSensors = sensor.slice(0, 6).map(name => visible(name === "" ? "(no name)" : name));
  const more = sensor.length > shownSensors.length ? `, and ${formatNumber(sensor.length - shownSensors.length)} more` : "";
  const lines: [label: string, text: string][] = [
    ["Logs", `${formatNumber(logs)}, ${formatBytes(textBytes)} of text${logNotes.map(text => `, ${text}`).join("")}`],
    [
      "Events",
      `${formatNumber(counts.events + counts.repaired)}: ${formatNumber(counts.repaired)} from repaired lines; ` +
        `${plural(counts.rejected, "line")} rejected` +
        (counts.pending > 0 ? `, ${formatNumber(counts.pending)} not yet complete` : "") +
        (counts.dropped === undefined ? "" : `; ${formatNumber(counts.dropped)} dropped as repeated lines`),
    ],
    ["Days", `${formatNumber(days)} with events, ${span} (UTC)`],
    ["Sensors", `${formatNumber(sensor.length)}: ${shownSensors.join(", ")}${more}`],
    ...summarizeStatistics(statistics),
    ["Time", `${formatDuration(seconds)}, ${formatRate(textBytes, seconds)}`],
    ["Report", `${files.result}, ${files.stats}`],
    ["Counts", `${files.arrow} (all), ${files.json} (top)`],
  ];
  return lines.map(([label, text]) => `${label.padEnd(9)}${text}`).join("\n");
}

if (import.meta.main) await runMain(COMMAND.name, main);
