#!/usr/bin/env bun
/**
 * From a reduced table to the two reports, each a page that needs nothing else.
 */
import { EXIT, type ExitCode, note, runMain } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, type OptionValues, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { formatDuration, formatNumber, plural } from "../lib/text/format.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import { exitCodeOf, READ_OPTIONS, withProgress } from "../lib/logs/log-options.ts";
import { readLogSet } from "../lib/logs/log-set.ts";
import { assertWritable, writeOutputs } from "../lib/process/output-file.ts";
import { openOrigins, ORIGIN_OPTION } from "../lib/origin/origins.ts";
import type { PeakLeader } from "../lib/history/peaks.ts";
import { addOrigins } from "../lib/reduced/add-origins.ts";
import { openReducedTables } from "../lib/reduced/large-tables.ts";
import { DAYS_OPTIONS, tellDays, toDayBounds } from "../lib/reduced/limit-days.ts";
import {
  listTableNames,
  EMPTY_TABLE_EXIT,
  TABLE_OPERAND,
  TABLE_OPTION,
  TableTelling,
} from "../lib/reduced/reduced-input.ts";
import { linkPages, reportPaths } from "../lib/pages/page-names.ts";
import { takeWithPauses } from "../lib/process/pause.ts";
import { collectSessions, lastCommandsOf, storedLastCommands, toPlaces } from "../lib/pages/report-sessions.ts";
import { startSessionWork } from "../lib/pages/session-work.ts";
import { COMPARISON_OPTIONS } from "../lib/statistics/statistics-output.ts";
import { checkOptions, joinAside, SHARES_OPTION } from "../lib/pages/sliced-aside.ts";
import { statsAside } from "../lib/pages/stats-run.ts";
import { openLargePool } from "../lib/pages/large-threads.ts";
import { visible } from "../lib/text/text.ts";
import { PROGRAM } from "../lib/process/version.ts";

const OPTIONS = {
  ...TABLE_OPTION,
  ...DAYS_OPTIONS,
  outfile: {
    type: "path",
    short: "o",
    default: "result.html",
    help:
      "Report; stats.html, what changed, goes beside it (ams-stats.html beside ams.html). " +
      '"-" writes the report to stdout, and no file.',
  },
  events: {
    type: "path",
    repeatable: true,
    placeholder: "PATH",
    help:
      "Logs, event tables or folders that the table was made from: then the report has command chains, and leads " +
      "from addresses, credentials and commands to their sessions.",
    defaultText: "none, and the report shows nothing of sessions",
  },
  mappedDir: { ...READ_OPTIONS.mappedDir, help: "Folder of the event tables, with --events." },
  ...COMPARISON_OPTIONS,
  ...SHARES_OPTION,
  ...ORIGIN_OPTION,
  topNEvents: {
    type: "count",
    default: 5,
    help: "Entries shown per kind before a page is searched or unfolded; 0 = all.",
  },
  wait: COMMON_OPTIONS.wait,
  quiet: COMMON_OPTIONS.quiet,
} as const;

export const COMMAND = {
  name: "visualize",
  summary: "From a reduced table to two HTML reports: what the honeypots saw, and what changed.",
  operands: [TABLE_OPERAND],
  options: OPTIONS,
  writes: "Two pages, result.html and stats.html, that need no other file and no network.",
  exits: {
    failed: "the table cannot be read, holds nothing, or a page cannot be written",
    more: [EMPTY_TABLE_EXIT, "the same of a log of --events that is damaged or holds no event"],
  },
  examples: [
    {
      does: "Reports on the example logs, with command chains and sessions",
      run:
        "bun scripts/reduce.ts test/fixtures/fleet -o fleet.json && " +
        "bun scripts/visualize.ts fleet.arrow --events test/fixtures/fleet",
    },
    {
      does: "Without a file between, the last 14 days in question",
      run: "bun scripts/reduce.ts test/fixtures/fleet -o - | bun scripts/visualize.ts -f - -o fleet.html -l 14",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const names = values.shares === undefined ? listTableNames(values.file, operands) : [];
  const days = toDayBounds(values);
  const startMs = performance.now();
  const { outfile, threshold: thresholdPercent, lastNDays: lastDays, topNEvents: topN } = values;
  const paths = reportPaths(outfile);
  const links = linkPages(paths);
  const outputs = outfile === "-" ? ["-"] : [paths.result, paths.stats];
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  if (values.shares !== undefined) return await joinPages(values, values.shares, operands, { outputs, links, startMs });
  const origins = openOrigins(values);
  const telling = new TableTelling(values.quiet);
  using opened = await openReducedTables(names, telling, { openPool: openLargePool(["report", "statistics", "history"], values.quiet), days });
  if (opened.isEmpty) throw new Error(`Cannot show the table: it holds no events${tellDays(days)}`);
  const { events, mappedDir } = values;
  using set =
    events.length === 0
      ? undefined
      : await withProgress(values.quiet, listeners =>
          readLogSet(events, {
            mode: "continue",
            ...(mappedDir === undefined ? {} : { mappedDir }),
            ...listeners,
            keepsTables: true,
            wantsSessions: true,
            outputs,
          }),
        );
  using work = set && startSessionWork(set, opened.parameters);
  // Where addresses come from is added to the rows of a table in memory.
  const { table: counts, large, whole, ...more } = await opened.draw({}, origins === undefined);
  const drawn = origins === undefined ? counts : addOrigins(counts, origins);
  if (!values.quiet) more.limits.forEach(note);
  const shown = { topN, thresholdPercent, lastDays, generatedBy: PROGRAM, ...links, ...more };
  const leaders = Promise.withResolvers<readonly PeakLeader[]>();
  // Beside what follows; its failure is met where it is awaited.
  const early = statsAside({ table: drawn, ...(large && { large }), options: { thresholdPercent, lastDays, ...links, ...more } }, leaders.promise);
  early.catch(() => {});
  const { calculateReport, keysShown } = await import("../lib/pages/report.ts");
  const counted = large && (await (await import("../lib/pages/stored-report.ts")).countStored(large, keysShown(topN)));
  const report = await takeWithPauses(calculateReport(drawn, shown, counted));
  const lastCommands = large === undefined ? lastCommandsOf(whole) : storedLastCommands(large.stored);
  const sessions = work && (await collectSessions(work, lastCommands, drawn, report.data, toPlaces(events, { mappedDir })));
  leaders.resolve(sessions?.leaders ?? []);
  const { statistics, episodes, html } = await early;
  const pages = [
    () => report.render({ statistics, episodes, ...(sessions && { sessions }) }),
    () => html,
  ];
  await writeOutputs(outputs.map((output, i) => [output, pages[i]!()] as const));
  if (!values.quiet) {
    const seconds = formatDuration((performance.now() - startMs) / 1000);
    const shown = outfile === "-" ? "on stdout" : outputs.map(visible).join(", ");
    note(
      `visualize: ${plural(statistics.days, "day")}, ${plural(more.allSensors, "sensor")}, ` +
        `${formatNumber(opened.rows)} rows; ${shown}; ${seconds}`,
    );
  }
  return set === undefined || telling.exitCode !== EXIT.ok ? telling.exitCode : exitCodeOf(set);
}

/** The pages of tables that were dealt out: of what all tasks of statistics.ts left. */
async function joinPages(
  { topNEvents: topN, events, mmdb, quiet, ...values }: OptionValues<typeof OPTIONS>,
  folder: string,
  operands: readonly string[],
  { outputs, links, startMs }: { readonly outputs: readonly string[]; readonly links: ReturnType<typeof linkPages>; readonly startMs: number },
): Promise<ExitCode> {
  if (operands.length > 0 || values.file !== undefined || events.length > 0 || mmdb.length > 0 || toDayBounds(values) !== undefined)
    throw new UsageError(
      "Cannot use tables, --since, --until, --events or --mmdb with --shares: the rows are not here any more; expected --shares alone, and days and sensors with statistics.ts --measure",
    );
  const { statsLink, reportLink } = links;
  const { statistics, html, report } = await joinAside(folder, { ...(reportLink && { reportLink }), report: { topN, ...(statsLink && { statsLink }) } });
  checkOptions(statistics, { lastDays: values.lastNDays, thresholdPercent: values.threshold });
  await writeOutputs(outputs.map((output, i) => [output, [report!, html][i]!] as const));
  if (!quiet) {
    const shown = outputs.includes("-") ? "on stdout" : outputs.map(visible).join(", ");
    note(`visualize: ${plural(statistics.days, "day")}, ${plural(statistics.sensors.length, "sensor")}; ${shown}; ${formatDuration((performance.now() - startMs) / 1000)}`);
  }
  return EXIT.ok;
}

if (import.meta.main) await runMain(COMMAND.name, main);
