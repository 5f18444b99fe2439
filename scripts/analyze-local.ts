#!/usr/bin/env bun
/**
 * From a folder of Cowrie logs to exact counts and two reports, in one command.
 *
 * Memory grows with the number of distinct values, not with the size of the logs.
 */
import { dirname, join } from "node:path";
import { type Analysis, analyzeLogs } from "../lib/analyze.ts";
import {
  checkDays,
  checkInputs,
  type Command,
  COMMON_OPTIONS,
  EXIT,
  type ExitCode,
  note,
  parseCommand,
  runMain,
  stdinIsTerminal,
  writeOut,
} from "../lib/cli.ts";
import { formatBytes, formatDuration, formatNumber, formatRate, formatShare, plural, toIsoDay } from "../lib/format.ts";
import { lockOutputs } from "../lib/lock.ts";
import { assertWritable, OutputSet } from "../lib/output-file.ts";
import { startProgress } from "../lib/progress.ts";
import { reducedToIpc } from "../lib/reduced-arrow.ts";
import { reducedToJson } from "../lib/reduced-json.ts";
import { renderReport } from "../lib/report.ts";
import { readSensorAliases } from "../lib/sensor-aliases.ts";
import { computeStatistics } from "../lib/statistics.ts";
import { renderStats } from "../lib/stats-page.ts";
import { toSafeJson, visible } from "../lib/text.ts";

/** Rejects above this share of the lines are worth a warning. */
const REJECTED_SHARE_MAX = 0.01;

const OPTIONS = {
  path: { type: "path", short: "p", repeatable: true, help: "Log or folder to read; the same as naming it as PATH." },
  logfile: {
    type: "path",
    short: "f",
    default: "reduced.json",
    help: "Counts as JSON, cut to the top n; the full counts go beside it under the same name with .arrow.",
  },
  outfile: {
    type: "path",
    short: "o",
    default: "result.html",
    help: "Report; stats.html, what changed, goes beside it.",
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
  mode: {
    type: "choice",
    short: "m",
    choices: ["c", "w"],
    default: "c",
    help: "c continues: a log that has not changed is taken from its event table; w reads every log again.",
  },
  mappedDir: {
    type: "path",
    placeholder: "DIR",
    help: "Folder of the event tables.",
    defaultText: "beside each log, as LOG.arrow",
  },
  since: COMMON_OPTIONS.since,
  until: COMMON_OPTIONS.until,
  sensor: COMMON_OPTIONS.sensor,
  sensorAlias: COMMON_OPTIONS.sensorAlias,
  robotMaxSeconds: {
    type: "number",
    min: 0,
    default: 10,
    placeholder: "SECONDS",
    help: "Shorter sessions are taken for robots.",
  },
  rejects: { type: "path", help: "Write lines that hold no event to FILE, as JSON with log and line number." },
  strict: { type: "boolean", help: "Exit 1 if any line holds no event." },
  keepDuplicates: { type: "boolean", help: "Count logs that are copies, or earlier states, of others as well." },
  dedupeLines: { type: "boolean", help: "Count a line once that stands in several logs, byte for byte." },
  jobs: COMMON_OPTIONS.jobs,
  wait: COMMON_OPTIONS.wait,
  quiet: COMMON_OPTIONS.quiet,
  json: { type: "boolean", help: "Write the summary to stdout as one JSON object." },
} as const;

export const COMMAND = {
  name: "analyze-local",
  summary: "From a folder of Cowrie logs to exact counts and two HTML reports.",
  operands: [
    {
      name: "PATH",
      repeatable: true,
      help: 'Logs, or folders that are searched for files named like cowrie.json.2024-01-31; plain, gzip or zstd. "-" is stdin.',
    },
  ],
  options: OPTIONS,
  writes:
    "Four files: reduced.arrow (full counts), reduced.json (top n), result.html and stats.html; and an event table " +
    "beside each log, by which the next run need not read the log again. Nothing on stdout but with --json.",
  exits: {
    ok: "every log was read; lines without an event do not change that",
    failed: "an input is missing or damaged, an output cannot be written, nothing holds an event, or --strict found a reject",
  },
  examples: [
    { does: "Analyze the example logs", run: "bun scripts/analyze-local.ts test/fixtures/fleet" },
    {
      does: "Two sensors of one month, all counts",
      run: "bun scripts/analyze-local.ts test/fixtures/fleet --since 2026-07-10 --until 2026-08-09 --sensor hp-ams-01 -n 0",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = [...values.path, ...operands];
  checkInputs(inputs, stdinIsTerminal());
  checkDays(values.since, values.until);
  const startMs = performance.now();
  const files = outputPaths(values.logfile, values.outfile);
  const outputs = [files.arrow, files.json, files.result, files.stats, ...(values.rejects ? [values.rejects] : [])];
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  const sensorAliases = values.sensorAlias === undefined ? undefined : await readSensorAliases(values.sensorAlias);

  let progress = startProgress({ label: "Reading logs", quiet: values.quiet });
  let analysis: Analysis;
  try {
    analysis = await analyzeLogs(inputs, {
      parameters: {
        robotMaxSeconds: values.robotMaxSeconds,
        ...(values.since === undefined ? {} : { sinceDay: values.since }),
        ...(values.until === undefined ? {} : { untilDay: values.until }),
        ...(values.sensor.length === 0 ? {} : { sensors: values.sensor }),
        ...(sensorAliases === undefined ? {} : { sensorAliases }),
      },
      mode: values.mode === "w" ? "write" : "continue",
      ...(values.mappedDir === undefined ? {} : { mappedDir: values.mappedDir }),
      keepDuplicates: values.keepDuplicates,
      dedupeLines: values.dedupeLines,
      ...(values.jobs === undefined ? {} : { jobs: values.jobs }),
      wantsRejects: values.rejects !== undefined,
      onStart: (logs, totalBytes) => {
        progress = startProgress({ label: `Reading ${plural(logs, "log")}`, totalBytes, quiet: values.quiet });
      },
      onProgress: textBytes => progress.add(textBytes),
      onNotice: line => progress.note(line),
    });
  } finally {
    progress[Symbol.dispose]();
  }

  using _analysis = analysis;
  const { table, set } = analysis;
  const { counts, damaged } = set;
  if (table.kinds.event.rows === 0) {
    throw new Error("Cannot find an event of the days and sensors asked for: see --since, --until and --sensor");
  }
  const { threshold: thresholdPercent, lastNDays: lastDays, topNEvents: topN } = values;
  const statistics = computeStatistics(table, { thresholdPercent, lastDays });
  await using outputSet = new OutputSet();
  const write = async (path: string, chunks: Iterable<string | Uint8Array>) => {
    const output = await outputSet.open(path);
    for (const chunk of chunks) await output.write(chunk);
  };
  await write(files.arrow, reducedToIpc(table));
  await write(files.json, reducedToJson(table, topN));
  await write(files.result, [renderReport(table, { topN, thresholdPercent, lastDays })]);
  await write(files.stats, [renderStats(table, statistics, { thresholdPercent, lastDays })]);
  if (values.rejects !== undefined) {
    const output = await outputSet.open(values.rejects);
    for await (const line of set.rejects()) await output.write(line);
  }
  await outputSet.commit();

  const seconds = (performance.now() - startMs) / 1000;
  if (values.json) await writeOut(`${toSafeJson(toSummary(analysis, seconds, files))}\n`);
  if (!values.quiet) note(summaryText(analysis, seconds, files));
  const rejectedShare = counts.rejected / Math.max(1, counts.lines);
  if (rejectedShare > REJECTED_SHARE_MAX) {
    note(
      `analyze-local: ${formatNumber(counts.rejected)} of ${plural(counts.lines, "line")} hold no event ` +
        `(${formatShare(rejectedShare)})${values.rejects ? "" : ": --rejects FILE shows them"}`,
    );
  }
  return damaged > 0 || (values.strict && counts.rejected > 0) ? EXIT.failed : EXIT.ok;
}

interface OutputPaths {
  readonly json: string;
  readonly arrow: string;
  readonly result: string;
  readonly stats: string;
}

/** The Arrow file takes the name of the JSON file, stats.html the folder of the report. */
function outputPaths(logfile: string, outfile: string): OutputPaths {
  return {
    json: logfile,
    arrow: `${logfile.replace(/\.json$/, "")}.arrow`,
    result: outfile,
    stats: join(dirname(outfile), "stats.html"),
  };
}

/** The summary for a program; days as YYYY-MM-DD. */
function toSummary(analysis: Analysis, seconds: number, files: OutputPaths): Record<string, unknown> {
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
    seconds,
    outputs: files,
  };
}

/** The summary for a person. */
function summaryText(analysis: Analysis, seconds: number, files: OutputPaths): string {
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
        (counts.pending > 0 ? `, ${formatNumber(counts.pending)} not yet complete` : ""),
    ],
    ["Days", `${formatNumber(days)} with events, ${span} (UTC)`],
    ["Sensors", `${formatNumber(sensor.length)}: ${shownSensors.join(", ")}${more}`],
    ["Time", `${formatDuration(seconds)}, ${formatRate(textBytes, seconds)}`],
    ["Report", `${files.result}, ${files.stats}`],
    ["Counts", `${files.arrow} (all), ${files.json} (top)`],
  ];
  return lines.map(([label, text]) => `${label.padEnd(9)}${text}`).join("\n");
}

if (import.meta.main) await runMain(COMMAND.name, main);
