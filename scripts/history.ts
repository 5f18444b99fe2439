#!/usr/bin/env bun
/**
 * What happened when, over the whole of an archive: what began, ended, peaked and paused, from a reduced table.
 */
import { EXIT, type ExitCode, note, noteCsv, runMain, writeOut, writeOutAll } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { checkDays, checkNames } from "../lib/process/option-values.ts";
import { findEpisodes } from "../lib/history/episodes.ts";
import { withTablePeaks } from "../lib/history/peak-episodes.ts";
import {
  chooseEpisodes,
  describeHistory,
  episodesWithin,
  episodeToPlain,
  historyToCsv,
  historyToText,
  whyNoHistory,
} from "../lib/history/history-output.ts";
import { openLargePool } from "../lib/pages/large-threads.ts";
import { openReducedTables } from "../lib/reduced/large-tables.ts";
import {
  listTableNames,
  EMPTY_TABLE_EXIT,
  TABLE_OPERAND,
  TABLE_OPTION,
  TableTelling,
} from "../lib/reduced/reduced-input.ts";
import { buildCoverage } from "../lib/statistics/coverage.ts";
import { formatDuration, plural, toIsoDay } from "../lib/text/format.ts";
import { toSafeJson } from "../lib/text/text.ts";

const OPTIONS = {
  ...TABLE_OPTION,
  limit: { type: "count", short: "n", default: 10, help: "Episodes of attackers, and of sensors, at most; 0 = all." },
  since: { ...COMMON_OPTIONS.since, help: "Only what happened on DAY (UTC) or later; all days are looked at." },
  until: { ...COMMON_OPTIONS.until, help: "Only what happened on DAY (UTC) or before." },
  sensor: {
    ...COMMON_OPTIONS.sensor,
    help: "The history of this sensor only; give it again for more. All by default.",
  },
  csv: COMMON_OPTIONS.csv,
  json: { type: "boolean", help: "Write one JSON object to stdout, whole values in it." },
  quiet: COMMON_OPTIONS.quiet,
} as const;

export const COMMAND = {
  name: "history",
  summary: "What happened when: what began, ended, peaked or paused in the whole archive, and what happened to the sensors.",
  operands: [TABLE_OPERAND],
  options: OPTIONS,
  writes:
    "On stdout a sentence an episode, newest first, or with --csv a line, with --json an object of all that is known of " +
    "each. What begins or ends on the same days through the same addresses is one episode; the most remarkable are " +
    "shown. Tested: a level that held for days, which shuffled days show in fewer than one key of a hundred; counted: a " +
    "burst of three days at most.",
  exits: {
    failed: "the table cannot be read or holds nothing, or one of several sensors is not in it",
    more: [EMPTY_TABLE_EXIT],
  },
  examples: [
    {
      does: "The history of the example logs",
      run: "bun scripts/reduce.ts test/fixtures/fleet -o - | bun scripts/history.ts -f -",
    },
    {
      does: "All that happened on one sensor since August, for a spreadsheet",
      run:
        "bun scripts/reduce.ts test/fixtures/fleet -o - | bun scripts/history.ts -f - --sensor hp-ams-01 " +
        "--since 2026-08-01 -n 0 --csv",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const paths = listTableNames(values.file, operands);
  checkDays(values.since, values.until);
  const startMs = performance.now();
  const telling = new TableTelling(values.quiet);
  using opened = await openReducedTables(paths, telling, { openPool: openLargePool(["history"], values.quiet) });
  if (opened.isEmpty) throw new Error("Cannot tell what happened: the table holds no events");
  const missing = checkNames("sensor", values.sensor, opened.sensors);
  for (const line of missing) note(line);
  const sensors = values.sensor;
  const { table, limits, partlyCut, large } = await opened.draw(sensors.length === 0 ? {} : { sensors }, true);
  if (!values.quiet) limits.forEach(note);

  const coverage = buildCoverage(table, partlyCut === undefined ? {} : { partlyCut });
  // Loaded where it is used: most tables are small.
  const found = large === undefined
    ? withTablePeaks(table, findEpisodes(table, { coverage }))
    : await (await import("../lib/history/stored-episodes.ts")).findStoredEpisodes(large.pool, large.cells, coverage);
  const all = episodesWithin(found, values.since, values.until);
  const shown = chooseEpisodes(all, values.limit);
  if (values.csv) await writeOutAll(historyToCsv(shown));
  else if (values.json) {
    const { firstDay, days } = coverage;
    const range = { first_day: toIsoDay(firstDay), last_day: toIsoDay(firstDay + days - 1), sensors: coverage.sensors };
    await writeOut(`${toSafeJson({ ...range, episodes: shown.map(episodeToPlain) })}\n`);
  } else await writeOut(historyToText(shown, whyNoHistory(coverage)));
  if (values.csv) noteCsv(COMMAND.name, values.quiet);
  if (!values.quiet) {
    const seconds = formatDuration((performance.now() - startMs) / 1000);
    note(`history: ${describeHistory(all, shown)} in ${plural(coverage.days, "day")} of ${plural(coverage.sensors.length, "sensor")}; ${seconds}`);
  }
  return missing.length > 0 ? EXIT.failed : telling.exitCode;
}

if (import.meta.main) await runMain(COMMAND.name, main);
