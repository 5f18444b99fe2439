#!/usr/bin/env bun
/**
 * From logs to event tables: each event a row, each field a column, as Arrow IPC.
 *
 * All other scripts do this by themselves when they need it; a table that lies beside its log is used again by all.
 */
import { type ExitCode, note, refuseTerminal, runMain, STDIN } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, type OptionValues, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { EVENT_TABLE, eventTableToIpc } from "../lib/events/event-table.ts";
import { plural } from "../lib/text/format.ts";
import { findLogs, leaveOutCopies } from "../lib/logs/find-logs.ts";
import { noteKept } from "../lib/process/kept-files.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import { openText, streamText, type TextStream } from "../lib/events/log-text.ts";
import {
  DAMAGED_EXIT,
  describeLogs,
  describePace,
  exitCodeOf,
  FILE_OPTION,
  LINE_OPTIONS,
  listInputs,
  LOG_OPERAND,
  type LogTally,
  noteRejects,
  READ_OPTIONS,
  type ReadListeners,
  toSetOptions,
  withProgress,
} from "../lib/logs/log-options.ts";
import { isPassing, keepLogs, readLogSet } from "../lib/logs/log-set.ts";
import { modeOf, readIfTrue } from "../lib/logs/read-log.ts";
import { describeDamage, identifyFile, type SourceInfo } from "../lib/events/source.ts";
import { mapLog } from "../lib/events/map-log.ts";
import { assertWritable, OutputSet, resolveOutput } from "../lib/process/output-file.ts";
import { rejectToJson, writeRejects } from "../lib/logs/rejects.ts";
import { errorReason, quoteForMessage, visible } from "../lib/text/text.ts";
import { isArrow, isArrowFile, peek } from "../lib/columns/first-bytes.ts";

const OPTIONS = {
  ...FILE_OPTION,
  outfile: {
    type: "path",
    short: "o",
    help: 'Write the one event table to FILE instead; "-" writes it to stdout as an Arrow stream.',
    defaultText: 'beside each log; "-" when stdin is all there is to read',
  },
  ...READ_OPTIONS,
  ...LINE_OPTIONS,
  wait: COMMON_OPTIONS.wait,
} as const;

export const COMMAND = {
  name: "map",
  summary: "From Cowrie logs to event tables, one row per event, as Arrow files.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "Beside each log LOG.arrow, its event table: Arrow IPC, uncompressed, dictionary-coded text, for all scripts " +
    "here and for DuckDB, pandas, Polars, ClickHouse. A table holds one log: -o takes one log or stdin, logs glued " +
    "together by zcat or cat included; where FILE is its table already, nothing is read or written. On stdout nothing but " +
    "the Arrow stream of -o -.",
  exits: {
    ok: "every log was read; lines without an event do not change that",
    failed: "a log is missing, a table cannot be written, nothing holds an event, or --strict found a reject",
    more: [DAMAGED_EXIT],
  },
  examples: [
    {
      does: "Event tables of the example logs, in a folder of their own",
      run: "bun scripts/map.ts test/fixtures/fleet --mapped-dir tables",
    },
    {
      does: "Packed logs of one sensor, glued together, as one table",
      run: "cat test/fixtures/fleet/hp-ams-01/*.gz | bun scripts/map.ts - -o ams.arrow",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs(values.file, operands);
  const startMs = performance.now();
  const outfile = values.outfile ?? (inputs.length === 1 && inputs[0] === STDIN ? STDIN : undefined);
  if (outfile === undefined && inputs.includes(STDIN)) {
    throw new UsageError('Cannot write the event table of stdin beside it: expected "-" alone, or -o FILE');
  }
  const outputs = [...(outfile === undefined ? [] : [outfile]), ...(values.rejects ? [values.rejects] : [])];
  if (outfile === "-") refuseTerminal("Arrow");
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  const tally =
    outfile === undefined
      ? await mapBeside(inputs, values)
      : await withProgress(values.quiet, listeners => mapOne(inputs, outfile, values, listeners));
  if (!values.quiet) {
    const place = outfile === STDIN ? "on stdout" : (outfile ?? values.mappedDir ?? "beside each log");
    const tables = plural(tally.logs.length, "event table");
    note(`map: ${describeLogs(tally)}; ${tables}: ${visible(place)}; ${describePace(startMs, tally)}`);
  }
  noteRejects(COMMAND.name, tally, values.rejects);
  return exitCodeOf(tally, values.strict);
}

/** An event table for every log, where the other scripts look for it. */
async function mapBeside(
  inputs: readonly string[],
  values: OptionValues<typeof READ_OPTIONS & typeof LINE_OPTIONS>,
): Promise<LogTally> {
  const rejectsPaths = values.rejects === undefined ? [] : [values.rejects];
  const wantsRejects = rejectsPaths.length > 0;
  using set = await withProgress(values.quiet, listeners =>
    readLogSet(inputs, { ...toSetOptions(values), ...listeners, wantsRejects, outputs: rejectsPaths }),
  );
  await using outputs = new OutputSet();
  await writeRejects(outputs, values.rejects, set);
  await outputs.commit();
  return set;
}

/** The event table of one log, to a file or as a stream to stdout. */
async function mapOne(
  inputs: readonly string[],
  outfile: string,
  { rejects: rejectsPath, mode }: Pick<OptionValues<typeof OPTIONS>, "rejects" | "mode">,
  { onStart, onProgress, onNotice, onProblem }: ReadListeners,
): Promise<LogTally> {
  const found = findLogs(inputs);
  const { paths, notices } = await leaveOutCopies(found.paths);
  for (const notice of [...found.notices, ...notices]) onNotice(notice);
  found.empty.forEach(onProblem);
  const [path] = paths;
  if (path === undefined || paths.length > 1) {
    throw new UsageError(
      `Cannot write ${plural(paths.length, "log")} as one event table: expected one log, ` +
        "or no -o (each log then gets a table of its own)",
    );
  }
  keepLogs([path], [outfile, ...(rejectsPath === undefined ? [] : [rejectsPath])]);
  onStart(1, found.sizeBytes);
  await using outputs = new OutputSet();
  const rejected = rejectsPath === undefined ? undefined : await outputs.open(rejectsPath);
  const rejects: string[] = [];
  const tally = (source: SourceInfo, reused: number): LogTally => {
    const { counts, sizeBytes, damage } = source;
    if (damage !== undefined) onProblem(describeDamage({ ...source, path }));
    const damaged = damage === undefined ? 0 : 1;
    const leftOut = found.leftOut + notices.length;
    return { logs: [path], counts, textBytes: sizeBytes, damaged, empty: found.empty.length, reused, leftOut };
  };
  const before = mode === "w" ? undefined : await findTable(path, outfile, rejectsPath);
  if (before !== undefined) {
    await outputs.commit();
    return tally(before, 1);
  }
  const text = await openLog(path);
  try {
    const output = await outputs.open(outfile, isPassing(path) ? undefined : modeOf(path));
    let told = 0;
    const { info, table } = await mapLog(path, text, {
      ...(path === STDIN ? {} : { file: identifyFile(path) }),
      onProgress: textBytes => {
        onProgress(textBytes - told);
        told = textBytes;
      },
      ...(rejected === undefined ? {} : { onReject: (line, bytes) => rejects.push(rejectToJson(path, line, bytes)) }),
    });
    if (table.rows === 0) {
      throw new Error(`Cannot find an event in ${quoteForMessage(path)}: expected Cowrie's JSON, one object a line`);
    }
    const isFile = output.target.kind === "file";
    const chunks = eventTableToIpc(table, info, outfile === "-" ? "stream" : "file");
    for (const chunk of isFile ? noteKept(EVENT_TABLE, chunks) : chunks) await output.write(chunk);
    table.close();
    for (const line of rejects) await rejected!.write(line);
    await outputs.commit();
    return tally(info.source, 0);
  } finally {
    text.close();
  }
}

/** What the table of an earlier run says of its log, if it is our own and still true. */
async function findTable(path: string, outfile: string, rejectsPath: string | undefined): Promise<SourceInfo | undefined> {
  const { kind, realPath } = await resolveOutput(outfile);
  if (kind !== "file" || isPassing(path) || isArrowFile(path)) return undefined;
  const job = { path, tablePath: realPath, isFresh: false, hasLineHashes: false };
  return (await readIfTrue({ ...job, ...(rejectsPath === undefined ? {} : { rejectsPath }) }))?.source;
}

async function openLog(path: string): Promise<TextStream> {
  const alreadyMapped = () => new Error(`Cannot map ${quoteForMessage(path)}: it is an Arrow table already`);
  if (path !== STDIN) {
    if (isArrowFile(path)) throw alreadyMapped();
    try {
      return openText(path);
    } catch (error) {
      throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
    }
  }
  const { head, all } = await peek(Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>);
  if (isArrow(head)) throw alreadyMapped();
  return streamText(head, all);
}

if (import.meta.main) await runMain(COMMAND.name, main);
