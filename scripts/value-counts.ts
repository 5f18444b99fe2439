#!/usr/bin/env bun
/**
 * How often each value of a column of the events occurs.
 *
 * From event tables: only the columns asked for are decoded, and counted by code.
 */
import { EXIT, type ExitCode, note, noteCsv, runMain, terminal, writeOut, writeOutAll } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { toCsvLine } from "../lib/text/csv.ts";
import { COLUMN_NAMES, DERIVED_COLUMNS } from "../lib/events/event-columns.ts";
import { parseCondition, WHERE_OPTION } from "../lib/events/event-filter.ts";
import { formatNumber, formatShare, plural } from "../lib/text/format.ts";
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
} from "../lib/logs/log-options.ts";
import { openOrigins, ORIGIN_COLUMNS, ORIGIN_OPTION } from "../lib/origin/origins.ts";
import { toSafeJson } from "../lib/text/text.ts";
import { formatTable, type TableCell, VALUE_MAX_WIDTH } from "../lib/text/text-table.ts";
import { countValues, type Grouping, GROUPINGS, type ValueCountRow, type ValueCounts } from "../lib/logs/value-counts.ts";

const LIMIT_ON_TERMINAL = 20;

const OPTIONS = {
  ...FILE_OPTION,
  event: {
    type: "string",
    repeatable: true,
    placeholder: "ID",
    help: "Count events of this id only, cowrie. may be left out, * stands for any letters, ? for one; several by commas.",
    defaultText: "all events that have the column",
  },
  column: {
    type: "string",
    repeatable: true,
    required: true,
    placeholder: "NAME",
    help:
      `Column whose values are counted, several by commas: ${COLUMN_NAMES.join(", ")}; or any other key of the ` +
      `events, as ja4 and ja4h of forwarded connections; with --mmdb ${ORIGIN_COLUMNS.join(", ")} of src_ip. Made from others, an event counting for each value ` +
      `it has: ${DERIVED_COLUMNS.join(", ")} (what a line typed is for, its MITRE ATT&CK ids, the keys it plants; keys offered). Hashes (shasum) are those of files moved, unless --event asks for others.`,
  },
  normalize: {
    type: "boolean",
    help: "Add each value's share of all that was counted (0 to 1; of its group with --by).",
  },
  by: {
    type: "choice",
    choices: GROUPINGS,
    help: "Count for each day or month (UTC), sensor, or hour of the day (UTC) by itself.",
  },
  limit: {
    type: "count",
    short: "n",
    help: "Values shown, of each group; 0 = all.",
    defaultText: `${LIMIT_ON_TERMINAL} on a terminal, all elsewhere`,
  },
  ...WHERE_OPTION,
  ...ORIGIN_OPTION,
  ...READ_OPTIONS,
  ...EVENT_OPTIONS,
  csv: COMMON_OPTIONS.csv,
  json: { type: "boolean", help: "Write NDJSON to stdout: one object a value." },
} as const;

export const COMMAND = {
  name: "value-counts",
  summary: "How often each value of a column occurs in the events, most frequent first.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "On stdout a table for people (long values cut), with --csv or --json whole values; ties by value. Events " +
    "without a value in any of the columns are not counted, stderr says how many. An event table beside each log " +
    "that had none.",
  exits: { failed: "an input is missing, or no log has one of the events or sensors asked for", more: [DAMAGED_EXIT] },
  examples: [
    {
      does: "The credentials that were refused most often",
      run: "bun scripts/value-counts.ts test/fixtures/fleet --event login.failed --column username,password -n 10",
    },
    {
      does: "Commands per sensor as shares, for a spreadsheet",
      run:
        "bun scripts/value-counts.ts test/fixtures/fleet --event command.input --column input --by sensor " +
        "--normalize --csv > commands.csv",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs(values.file, operands);
  const events = splitCommas("--event", values.event);
  const columns = splitCommas("--column", values.column);
  const scope = await readScope(values);
  const origins = openOrigins(values);
  const conditions = values.where.map(text => parseCondition(text, scope, origins));
  const by = values.by as Grouping | undefined;
  const startMs = performance.now();

  using set = await readWithTables(inputs, values, { scope, outputs: [] });
  const counts = await countValues(set, {
    events,
    columns,
    origins,
    scope,
    conditions,
    limit: values.limit ?? (terminal("stdout").isTerminal ? LIMIT_ON_TERMINAL : 0),
    ...(by === undefined ? {} : { by }),
  });
  const names = [...(by === undefined ? [] : [by]), ...columns];
  if (values.csv) await writeOutAll(toCsvLines(names, counts, values.normalize));
  else if (values.json) await writeOutAll(toJsonLines(names, counts, values.normalize));
  else await writeOut(toText(names, counts, values.normalize));
  for (const line of counts.missing) note(line);
  if (values.csv) noteCsv(COMMAND.name, values.quiet);
  if (!values.quiet) {
    const shown = counts.rows.length < counts.distinct ? `${formatNumber(counts.rows.length)} of ` : "";
    const without = counts.without > 0 ? `, ${formatNumber(counts.without)} more had no value` : "";
    note(
      `value-counts: ${shown}${plural(counts.distinct, "value")} in ${plural(counts.counted, "event")}${without}; ` +
        `${describeLogs(set)}; ${describePace(startMs, set, origins)}`,
    );
  }
  return counts.missing.length > 0 ? EXIT.failed : exitCodeOf(set);
}

function splitCommas(flag: string, texts: readonly string[]): string[] {
  const names = texts.flatMap(text => text.split(",")).map(name => name.trim());
  if (names.includes(""))
    throw new UsageError(`Cannot read ${flag} "${texts.join(",")}": expected names between commas`);
  return [...new Set(names)];
}

/** What stands before the count: the group, if there is one, and the values. */
function cellsOf(names: readonly string[], { group, values }: ValueCountRow): (string | number | null)[] {
  return names.length > values.length ? [group, ...values] : [...values];
}

function* toCsvLines(names: readonly string[], { rows }: ValueCounts, hasShare: boolean): Generator<string> {
  yield toCsvLine([...names, "count", ...(hasShare ? ["share"] : [])]);
  for (const row of rows) yield toCsvLine([...cellsOf(names, row), row.count, ...(hasShare ? [row.share] : [])]);
}

function* toJsonLines(names: readonly string[], { rows }: ValueCounts, hasShare: boolean): Generator<string> {
  for (const row of rows) {
    const cells = cellsOf(names, row);
    // fromEntries defines, it does not assign: a key named "__proto__" is a key like any other.
    const object = Object.fromEntries([
      ...names.map((name, i) => [name, cells[i]] as const),
      ["count", row.count],
      ...(hasShare ? [["share", row.share] as const] : []),
    ]);
    yield `${toSafeJson(object)}\n`;
  }
}

function toText(names: readonly string[], { rows }: ValueCounts, hasShare: boolean): string {
  const { columns: width, color } = terminal("stdout");
  const cells = rows.map((row): TableCell[] => [
    // A port or an hour is a name, not a quantity: no thousands set apart.
    ...cellsOf(names, row).map(cell => (typeof cell === "number" ? String(cell) : cell)),
    row.count,
    ...(hasShare ? [formatShare(row.share)] : []),
  ]);
  return formatTable(
    [
      ...names.map(title => ({ title, maxWidth: VALUE_MAX_WIDTH })),
      { title: "count" },
      ...(hasShare ? [{ title: "share", align: "right" as const }] : []),
    ],
    cells,
    { width, color },
  );
}

if (import.meta.main) await runMain(COMMAND.name, main);
