#!/usr/bin/env bun
/**
 * The overview of some logs: how much of what, who logged in with what, what they typed, day by day.
 */
import { type ExitCode, note, runMain, terminal, writeOut } from "../lib/process/cli.ts";
import type { Command } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { formatNumber, formatShare, toSpan } from "../lib/text/format.ts";
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
  readWithTables,
  REDUCTION_OPTIONS,
} from "../lib/logs/log-options.ts";
import { parseCondition, WHERE_OPTION } from "../lib/events/event-filter.ts";
import { type LoginSummary, type TopValues, summarizeEvents, type Summary } from "../lib/logs/summary.ts";
import { openOrigins, ORIGIN_OPTION } from "../lib/origin/origins.ts";
import { toSafeJson } from "../lib/text/text.ts";
import { formatTable, paint, type TableCell, type TableColumn, VALUE_MAX_WIDTH } from "../lib/text/text-table.ts";
import { countSearched } from "../lib/sessions/event-search.ts";
import { notFoundText } from "../lib/sessions/trace-text.ts";

const OPTIONS = {
  ...FILE_OPTION,
  limit: { type: "count", short: "n", default: 10, help: "Entries of each list of the most frequent; 0 = all." },
  ...WHERE_OPTION,
  ...ORIGIN_OPTION,
  ...READ_OPTIONS,
  ...EVENT_OPTIONS,
  dedupeLines: REDUCTION_OPTIONS.dedupeLines,
  json: { type: "boolean", help: "Write one JSON object to stdout." },
} as const;

export const COMMAND = {
  name: "summary",
  summary: "An overview of Cowrie logs: events, logins and what was tried, commands, sessions, addresses, day by day.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "On stdout tables for people (long values cut), with --json one object with whole values. Sessions and addresses " +
    "are distinct ones, a session being an id on a sensor; those of a day have an event on it (UTC), so the days add " +
    "up to more than the whole. Shares are of all there are, also of those not shown. An event table beside each log " +
    "that had none.",
  exits: { failed: "an input is missing, or nothing holds an event", more: [DAMAGED_EXIT] },
  examples: [
    { does: "The example logs at a glance", run: "bun scripts/summary.ts test/fixtures/fleet" },
    {
      does: "What one sensor saw in a week, for a program",
      run: "bun scripts/summary.ts test/fixtures/fleet --sensor hp-ams-01 --since 2026-07-13 --until 2026-07-19 --json",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs(values.file, operands);
  const scope = await readScope(values);
  const origins = openOrigins(values);
  const conditions = values.where.map(text => parseCondition(text, scope, origins));
  const startMs = performance.now();
  using set = await readWithTables(inputs, values, { scope, outputs: [], lineHashes: values.dedupeLines });
  const { limit, dedupeLines } = values;
  const { summary, set: counted } = await summarizeEvents(set, { scope, limit, dedupeLines, conditions, origins });
  if (summary.events === 0) {
    throw new Error(`${notFoundText("an event of the days and sensors asked for", countSearched(set))}; see --since, --until, --sensor and --where`);
  }
  await writeOut(values.json ? `${toSafeJson(toPlain(summary))}\n` : toText(summary));
  if (!values.quiet) note(`summary: ${describeLogs(counted)}; ${describePace(startMs, set, origins)}`);
  return exitCodeOf(set);
}

/** Share of logins that succeeded; NaN when there was none. */
function successShare({ succeeded, failed }: Summary): number {
  return succeeded.count / (succeeded.count + failed.count);
}

/** For a program: snake_case keys, the values of a list under their names. */
function toPlain(summary: Summary): Record<string, unknown> {
  const { events, dropped, eventids, succeeded, failed, commands, sessions, addresses, sensors, days } = summary;
  const list = ({ distinct, top }: TopValues, ...names: string[]) => ({
    distinct,
    top: top.map(({ values, count, share }) => ({
      ...Object.fromEntries(names.map((name, i) => [name, values[i]])),
      count,
      share,
    })),
  });
  const logins = ({ count, usernames, passwords, pairs }: LoginSummary) => ({
    count,
    usernames: list(usernames, "username"),
    passwords: list(passwords, "password"),
    pairs: list(pairs, "username", "password"),
  });
  const share = successShare(summary);
  return {
    events,
    ...(dropped === undefined ? {} : { dropped }),
    sensors,
    sessions,
    addresses,
    logins: {
      count: succeeded.count + failed.count,
      success_share: Number.isNaN(share) ? null : share,
      succeeded: logins(succeeded),
      failed: logins(failed),
    },
    commands: { count: commands.count, ...list(commands, "input") },
    ...(summary.countries && { countries: list(summary.countries, "country") }),
    ...(summary.networks && { networks: list(summary.networks, "network") }),
    eventids,
    days,
  };
}

/** A table under its title, as wide as the terminal. */
function titled(title: string, columns: readonly (string | TableColumn)[], rows: readonly (readonly TableCell[])[]): string {
  const { columns: width, color } = terminal("stdout");
  const specs = columns.map(column => (typeof column === "string" ? { title: column, maxWidth: VALUE_MAX_WIDTH } : column));
  return `${paint(title, "bold", color)}\n${formatTable(specs, rows, { width, color })}`;
}

function ranking(title: string, { distinct, top }: TopValues, ...names: string[]): string[] {
  if (distinct === 0) return [];
  const shown = top.length < distinct ? `${formatNumber(top.length)} of ` : "";
  const rows = top.map(({ values, count, share }) => [...values, count, formatShare(share)]);
  return [titled(`${title} (${shown}${formatNumber(distinct)})`, [...names, "count", { title: "share", align: "right" }], rows)];
}

function loginRankings(word: string, { usernames, passwords, pairs }: LoginSummary): string[] {
  return [
    ...ranking(`Passwords of ${word} logins`, passwords, "password"),
    ...ranking(`Usernames of ${word} logins`, usernames, "username"),
    ...ranking(`Pairs of ${word} logins`, pairs, "username", "password"),
  ];
}

function figuresOf(summary: Summary): string {
  const { succeeded, failed, commands, days } = summary;
  const dropped = summary.dropped === undefined ? "" : `; ${formatNumber(summary.dropped)} dropped as repeated lines`;
  const figures: [string, string][] = [
    ["Days", `${formatNumber(days.length)} with events, ${toSpan(days[0]!.day, days[days.length - 1]!.day)} (UTC)`],
    ["Events", formatNumber(summary.events) + dropped],
    ["Sensors", formatNumber(summary.sensors)],
    ["Sessions", formatNumber(summary.sessions)],
    ["Addresses", formatNumber(summary.addresses)],
    [
      "Logins",
      `${formatNumber(succeeded.count + failed.count)}: ${formatNumber(succeeded.count)} succeeded ` +
        `(${formatShare(successShare(summary))}), ${formatNumber(failed.count)} failed`,
    ],
    ["Commands", `${formatNumber(commands.count)} typed, ${formatNumber(commands.distinct)} distinct`],
  ];
  return figures.map(([label, text]) => `${label.padEnd(11)}${text}\n`).join("");
}

function toText(summary: Summary): string {
  return [
    figuresOf(summary),
    titled("Events", ["event", "count"], summary.eventids.map(({ eventid, count }) => [eventid, count])),
    ...loginRankings("successful", summary.succeeded),
    ...loginRankings("failed", summary.failed),
    ...ranking("Commands", summary.commands, "command"),
    ...(summary.countries ? ranking("Countries of addresses", summary.countries, "country") : []),
    ...(summary.networks ? ranking("Networks of addresses", summary.networks, "network") : []),
    titled(
      "Per day",
      ["day", "events", "succeeded", "failed", "commands", "sessions", "addresses"],
      summary.days.map(one => [one.day, one.events, one.succeeded, one.failed, one.commands, one.sessions, one.addresses]),
    ),
  ].join("\n");
}

if (import.meta.main) await runMain(COMMAND.name, main);
