#!/usr/bin/env bun
/**
 * What changed, what is new, and what was not observed, from a reduced table.
 */
import { readSmallText } from "../lib/columns/regular-file.ts";
import { EXIT, type ExitCode, note, noteCsv, runMain, terminal, writeOutAll } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, CSV_SHOWS, type OptionValues, UsageError } from "../lib/process/command.ts";
import { checkNames } from "../lib/process/option-values.ts";
import { parseCommand } from "../lib/process/options.ts";
import { type Downtime, parseDowntime } from "../lib/statistics/downtime.ts";
import { formatDuration } from "../lib/text/format.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import { assertWritable, writeOutputs } from "../lib/process/output-file.ts";
import { openReducedTables } from "../lib/reduced/large-tables.ts";
import { DAYS_OPTIONS, tellDays, toDayBounds } from "../lib/reduced/limit-days.ts";
import {
  listTableNames,
  EMPTY_TABLE_EXIT,
  TABLE_OPERAND,
  TABLE_OPTION,
  TableTelling,
} from "../lib/reduced/reduced-input.ts";
import type { Statistics } from "../lib/statistics/statistics.ts";
import {
  changesToCsv,
  COMPARISON_OPTIONS,
  describeStatistics,
  newToCsv,
  newToJson,
  newToText,
  toPlainStatistics,
} from "../lib/statistics/statistics-output.ts";
import { checkOptions, doPart, joinAside, type JoinAnswer, SHARES_OPTION } from "../lib/pages/sliced-aside.ts";
import { statsAside } from "../lib/pages/stats-run.ts";
import { openLargePool } from "../lib/pages/large-threads.ts";
import { errorReason, quoteForMessage, toSafeJson, visible } from "../lib/text/text.ts";
import { COMPARED_KINDS } from "../lib/reduced/kinds.ts";
import { type ComparableKind, isOriginKind, ORIGIN_KINDS } from "../lib/reduced/origin-kinds.ts";
import { openOrigins, ORIGIN_OPTION } from "../lib/origin/origins.ts";
import type { TableSelection } from "../lib/reduced/select-table.ts";
import { addOrigins } from "../lib/reduced/add-origins.ts";
import { STATISTICS_DEFAULTS } from "../lib/statistics/settings.ts";

const OPTIONS = {
  ...TABLE_OPTION,
  ...DAYS_OPTIONS,
  outfile: {
    type: "path",
    short: "o",
    help: "The page.",
    defaultText: "stats.html; none with --json, --csv or --new",
  },
  ...COMPARISON_OPTIONS,
  ...ORIGIN_OPTION,
  baselineDays: {
    type: "count",
    min: STATISTICS_DEFAULTS.minBaselineDays,
    default: STATISTICS_DEFAULTS.baselineDays,
    help: "Observed days that a day is held against.",
  },
  anyDependence: {
    type: "boolean",
    help:
      "Control false reports by Benjamini-Yekutieli, which holds however the counts depend on each other, and finds " +
      "less.",
  },
  quietDays: {
    type: "choice",
    choices: ["unknown", "zero"],
    default: STATISTICS_DEFAULTS.quietDays,
    help: "What a day without any event means on a sensor so quiet that it proves nothing.",
  },
  downtime: {
    type: "path",
    placeholder: "FILE",
    help: 'When sensors were not watching: CSV of sensor,from,to, sensor "*" for all; days, or instants with a zone.',
  },
  sensor: {
    ...COMMON_OPTIONS.sensor,
    help: "This sensor only, by itself and as the fleet; give it again for more. All by default.",
  },
  kind: {
    type: "choice",
    choices: [...COMPARED_KINDS, ...ORIGIN_KINDS],
    placeholder: "KIND",
    repeatable: true,
    help: "Compare this kind of count only, and list what is new in it; give it again for more; country and network with --mmdb. All by default.",
  },
  new: { type: "boolean", help: "Write what is new in the days in question to stdout, as a table, JSON or CSV." },
  newSince: { type: "day", help: "The same for what is new since DAY." },
  all: { type: "boolean", help: "With --json and --csv every comparison that was tested, not only what is reported." },
  json: { type: "boolean", help: "Write all statistics to stdout as one JSON object." },
  csv: { type: "boolean", help: `Write the changes to stdout as CSV, safe to open in a spreadsheet. ${CSV_SHOWS}` },
  measure: { type: "string", placeholder: "K/N", help: "Of tables too large for one machine, measure how this part of N of the keys varies, into --shares: the first round." },
  compare: { type: "string", placeholder: "K/N", help: "The second round, once all N are measured; then the same with --shares alone is the last step." },
  ...SHARES_OPTION,
  exitCode: { type: "boolean", help: "Exit 10 if a change is reported, 11 if a sensor is silent, 0 if all is quiet." },
  wait: COMMON_OPTIONS.wait,
  quiet: COMMON_OPTIONS.quiet,
} as const;

export const COMMAND = {
  name: "statistics",
  summary: "What changed against a sensor's own past, what is new, and when nobody watched, with the chance of error.",
  operands: [TABLE_OPERAND],
  options: OPTIONS,
  writes:
    "stats.html, a page that needs nothing else; or on stdout, with --json one object (days as YYYY-MM-DD, instants " +
    "in UTC, null = cannot be said), with --csv one line a change (no sensor = the fleet; key1 to key3 = username, " +
    "password and so on). A change is unusual against the past, never by itself malicious.",
  exits: {
    failed:
      "the table cannot be read or holds nothing, the page cannot be written, or one of several sensors is not in the table",
    more: [EMPTY_TABLE_EXIT, "with --exit-code 10 a change is reported", "11 a sensor is silent, whatever else changed"],
  },
  examples: [
    {
      does: "The page for the example logs, a change of half or more in the last 14 days",
      run:
        "bun scripts/reduce.ts test/fixtures/fleet -o fleet.json && bun scripts/statistics.ts fleet.arrow -l 14 -t 50",
    },
    {
      does: "What changed in the logins on one sensor, for a spreadsheet",
      run:
        "bun scripts/reduce.ts test/fixtures/fleet -o - | bun scripts/statistics.ts -f - --sensor hp-ams-01 --kind login " +
        "--csv",
    },
    {
      does: "What nobody had seen before that day",
      run: "bun scripts/reduce.ts test/fixtures/fleet -o - | bun scripts/statistics.ts -f - --new-since 2026-07-30",
    },
  ],
} as const satisfies Command;

type Values = OptionValues<typeof OPTIONS>;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  if (values.measure !== undefined || values.compare !== undefined) return await workOnPart(values, listTableNames(values.file, operands));
  const startMs = performance.now();
  const listsNew = values.new || values.newSince !== undefined;
  const writesData = values.json || values.csv || listsNew;
  const outfile = values.outfile ?? (writesData ? undefined : "stats.html");
  if (outfile === "-" && writesData) throw new UsageError("Cannot write the page and data to stdout: expected -o FILE");
  const outputs = outfile === undefined ? [] : [outfile];
  // Said before anything is waited for.
  if (values.shares === undefined) listTableNames(values.file, operands);
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  const found = values.shares === undefined ? await compareTables(values, listTableNames(values.file, operands)) : await joinWork(values, values.shares, operands);
  const { statistics, html, limits, isMissing, exitCode } = found;
  // The page says them before anything else.
  statistics.notes.unshift(...limits);
  if (!values.quiet) limits.forEach(note);
  if (outfile !== undefined) await writeOutputs([[outfile, html]]);
  await writeOutAll(toData(statistics, values, listsNew));
  if (values.csv) noteCsv(COMMAND.name, values.quiet);
  if (!values.quiet) {
    const seconds = formatDuration((performance.now() - startMs) / 1000);
    const page = outfile === undefined || outfile === "-" ? "" : `\nPage     ${visible(outfile)}`;
    note(`${describeStatistics(statistics)}${page}\nTime     ${seconds}`);
  }
  if (isMissing) return EXIT.failed;
  if (values.exitCode && statistics.silent.length > 0) return EXIT.silent;
  return values.exitCode && statistics.tests.reported > 0 ? EXIT.changed : exitCode;
}

/** What is told, and what is to be said of it. */
interface Found extends JoinAnswer {
  readonly limits: readonly string[];
  /** Whether a sensor that was asked for is not in the table. */
  readonly isMissing: boolean;
  readonly exitCode: ExitCode;
}

async function compareTables(values: Values, paths: readonly string[]): Promise<Found> {
  const origins = openOrigins(values);
  if (origins === undefined && values.kind.some(isOriginKind))
    throw new UsageError("Cannot compare countries and networks without a database: expected --mmdb FILE");
  const options = toOptions(values);
  const days = toDayBounds(values);
  const telling = new TableTelling(values.quiet);
  using opened = await openReducedTables(paths, telling, { openPool: openLargePool(["statistics", "history"], values.quiet), days });
  if (opened.isEmpty) throw new Error(`Cannot compare anything: the table holds no events${tellDays(days)}`);
  const known = opened.sensors;
  const missing = checkNames("sensor", values.sensor, known);
  for (const line of missing) note(line);
  const down = (options.downtime ?? []).map(({ sensor }) => sensor).filter(sensor => sensor !== "*");
  const strangers = checkNames("sensor of --downtime", down, known);
  if (!values.quiet) for (const line of strangers) note(line);
  const kinds = values.kind as readonly ComparableKind[];
  // Where addresses come from is added to the rows of a table in memory.
  const { table: counts, large, ...more } = await opened.draw(toSelection(values), origins === undefined);
  const drawn = origins === undefined ? counts : addOrigins(counts, origins);
  const { statistics, html } = await statsAside({
    table: drawn,
    ...(large && { large }),
    options: { ...more, ...options, ...(kinds.length > 0 && { kinds }) },
  });
  return { statistics, html, limits: more.limits, isMissing: missing.length > 0, exitCode: telling.exitCode };
}

/** What is looked at of the tables. */
function toSelection({ sensor, kind }: Values): TableSelection {
  const kinds = (kind as readonly ComparableKind[]).map(one => (isOriginKind(one) ? "connect" : one));
  return { ...(sensor.length > 0 && { sensors: sensor }), ...(kinds.length > 0 && { kinds }) };
}

/** One task of tables that are dealt out. */
async function workOnPart(values: Values, paths: readonly string[]): Promise<ExitCode> {
  const startMs = performance.now();
  if (values.mmdb.length > 0 || values.kind.some(isOriginKind))
    throw new UsageError("Cannot use --mmdb with a part: no table says of a key which country it belongs to, so none can be dealt out by it; expected the tables whole, without --measure and --compare");
  const days = toDayBounds(values);
  const kinds = values.kind as readonly ComparableKind[];
  const selection = { ...toSelection(values), ...(days && { days }) };
  await doPart(values, paths, selection, { ...toOptions(values), ...(kinds.length > 0 && { kinds }) });
  if (!values.quiet) note(`statistics: part ${values.measure ?? values.compare} ${values.measure === undefined ? "compared" : "measured"}; ${formatDuration((performance.now() - startMs) / 1000)}`);
  return EXIT.ok;
}

/** The last step over what all tasks left. */
async function joinWork(values: Values, folder: string, operands: readonly string[]): Promise<Found> {
  if (operands.length > 0 || values.file !== undefined) throw new UsageError("Cannot read tables and parts at once: expected --shares alone, as the last step");
  const found = await joinAside(folder, {});
  checkOptions(found.statistics, toOptions(values));
  const isLimited = values.sensor.length > 0 || values.kind.length > 0 || values.mmdb.length > 0 || toDayBounds(values) !== undefined;
  if (isLimited || values.downtime !== undefined || values.newSince !== undefined)
    throw new UsageError("Cannot use --sensor, --kind, --since, --until, --mmdb, --downtime and --new-since with --shares alone: expected them with --measure and --compare, whose parts remember them");
  return { ...found, limits: [], isMissing: false, exitCode: EXIT.ok };
}

/** How it is compared. */
function toOptions(values: Values) {
  const downtime = values.downtime === undefined ? undefined : readDowntime(values.downtime);
  return {
    thresholdPercent: values.threshold,
    lastDays: values.lastNDays,
    baselineDays: values.baselineDays,
    strict: values.anyDependence,
    quietDays: values.quietDays,
    ...(downtime === undefined ? {} : { downtime }),
    ...(values.newSince === undefined ? {} : { newSinceDay: values.newSince }),
    rows: values.all ? "all" : "reported",
  } as const;
}

/** What goes to stdout. */
function* toData(
  statistics: Statistics,
  { json, csv }: { readonly json: boolean; readonly csv: boolean },
  listsNew: boolean,
): Generator<string> {
  if (listsNew && json) yield newToJson(statistics);
  else if (listsNew && csv) yield* newToCsv(statistics);
  else if (listsNew) {
    const { columns: width, color } = terminal("stdout");
    yield newToText(statistics, { width, color });
  } else if (json) yield `${toSafeJson(toPlainStatistics(statistics))}\n`;
  else if (csv) yield* changesToCsv(statistics);
}

function readDowntime(path: string): Downtime[] {
  let text: string;
  try {
    text = readSmallText(path);
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
  return parseDowntime(text);
}

if (import.meta.main) await runMain(COMMAND.name, main);
