/**
 * What all scripts that read logs have in common: their options, and the wiring from these to the reading.
 *
 * Tested in `test/scripts/analyze-local.test.ts`.
 */
import { describeSources, type Origins } from "../origin/origins.ts";
import { EXIT, type ExitCode, note, STDIN, stdinIsTerminal } from "../process/cli.ts";
import { COMMON_OPTIONS, type OptionTable, type OptionValues, UsageError } from "../process/command.ts";
import { checkDays, checkInputs } from "../process/option-values.ts";
import { formatBytes, formatDuration, formatNumber, formatRate, formatShare, plural } from "../text/format.ts";
import { type LogSet, type LogSetOptions, readLogSet } from "./log-set.ts";
import { startProgress } from "../process/progress.ts";
import type { EventScope } from "../events/scope.ts";
import { readSensorAliases } from "../events/sensor-aliases.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/** Rejects above this share of the lines are worth a warning. */
const REJECTED_SHARE_MAX = 0.01;

/** The operand of every script that reads logs. */
export const LOG_OPERAND = {
  name: "PATH",
  repeatable: true,
  help:
    "Logs, event tables (.arrow), or folders that are searched for files named like cowrie.json.2024-01-31; " +
    'plain, gzip or zstd, told by their first bytes. "-" is stdin: a log, or an event table as an Arrow stream.',
} as const;

/** Names an input, as the operand does. */
export const FILE_OPTION = {
  file: { type: "path", short: "f", repeatable: true, help: "Log or folder to read; the same as naming it as PATH." },
} as const satisfies OptionTable;

/** Names inputs in a file, since no command line holds tens of thousands of them. */
export const NAMES_OPTION = {
  files0From: {
    type: "path",
    placeholder: "FILE",
    help: 'Read the names of the inputs from FILE, each ended by NUL, as find -print0 writes them; "-" is stdin.',
  },
} as const satisfies OptionTable;

/** What `--help` of a script that reads logs says of {@link EXIT.damaged}. */
export const DAMAGED_EXIT = "3 done, but a log is damaged or holds no event: stderr names it, all else is counted";

/** How logs are read. */
export const READ_OPTIONS = {
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
  keepDuplicates: { type: "boolean", help: "Count logs that are copies, or earlier states, of others as well." },
  jobs: COMMON_OPTIONS.jobs,
  quiet: COMMON_OPTIONS.quiet,
} as const satisfies OptionTable;

/** Which events count. */
export const EVENT_OPTIONS = {
  since: COMMON_OPTIONS.since,
  until: COMMON_OPTIONS.until,
  sensor: COMMON_OPTIONS.sensor,
  sensorAlias: COMMON_OPTIONS.sensorAlias,
} as const satisfies OptionTable;

/** What is done with lines that hold no event. */
export const LINE_OPTIONS = {
  rejects: { type: "path", help: "Write lines that hold no event to FILE, as JSON with log and line number." },
  strict: { type: "boolean", help: "Exit 1 if any line holds no event." },
} as const satisfies OptionTable;

/** How events are reduced, beside which of them count. */
export const REDUCTION_OPTIONS = {
  robotMaxSeconds: {
    type: "number",
    min: 0,
    default: 10,
    placeholder: "SECONDS",
    help: "Sessions under this are short in the reports, and robots in reduced.json.",
  },
  dedupeLines: { type: "boolean", help: "Count a line once that stands in several logs, byte for byte." },
} as const satisfies OptionTable;

/**
 * The names in a file of {@link NAMES_OPTION}.
 *
 * @throws {UsageError} if it holds none, or ends within one.
 * @throws {Error} if it cannot be read.
 */
export async function readNames(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  let text: string;
  try {
    text = await (file === STDIN ? Bun.stdin : Bun.file(file)).text();
  } catch (error) {
    throw new Error(`Cannot read the names in ${quoteForMessage(file)}: ${errorReason(error)}`, { cause: error });
  }
  const names = text.split("\0");
  if (names.pop() !== "" || names.length === 0 || names.includes("")) {
    throw new UsageError(`Cannot read the names in ${quoteForMessage(file)}: expected names, each ended by NUL`);
  }
  return names;
}

/**
 * The inputs of a command line, by option and as operands.
 *
 * @throws {UsageError} as {@link checkInputs} does.
 */
export function listInputs(files: readonly string[], operands: readonly string[]): string[] {
  const inputs = [...files, ...operands];
  checkInputs(inputs, stdinIsTerminal());
  return inputs;
}

/**
 * Read which events count.
 *
 * @throws {UsageError} if --since is after --until.
 * @throws {Error} if the file of sensor aliases cannot be read.
 */
export async function readScope(values: OptionValues<typeof EVENT_OPTIONS>): Promise<EventScope> {
  checkDays(values.since, values.until);
  const sensorAliases = values.sensorAlias === undefined ? undefined : await readSensorAliases(values.sensorAlias);
  return {
    ...(values.since === undefined ? {} : { sinceDay: values.since }),
    ...(values.until === undefined ? {} : { untilDay: values.until }),
    ...(values.sensor.length === 0 ? {} : { sensors: values.sensor }),
    ...(sensorAliases === undefined ? {} : { sensorAliases }),
  };
}

/** The part of {@link LogSetOptions} that the command line gives. */
export function toSetOptions(
  values: OptionValues<typeof READ_OPTIONS>,
): Pick<LogSetOptions, "mode" | "mappedDir" | "keepDuplicates" | "jobs"> {
  return {
    mode: values.mode === "w" ? "write" : "continue",
    ...(values.mappedDir === undefined ? {} : { mappedDir: values.mappedDir }),
    keepDuplicates: values.keepDuplicates,
    ...(values.jobs === undefined ? {} : { jobs: values.jobs }),
  };
}

/** What is told while logs are read. */
export type ReadListeners = Required<Pick<LogSetOptions, "onStart" | "onProgress" | "onNotice" | "onProblem">>;

/** Read logs with progress and notices on stderr, unless quiet. */
export async function withProgress<T>(quiet: boolean, read: (listeners: ReadListeners) => Promise<T>): Promise<T> {
  let progress = startProgress({ label: "Reading logs", quiet });
  try {
    return await read({
      onStart: (logs, totalBytes) => {
        progress[Symbol.dispose]();
        progress = startProgress({ label: `Reading ${plural(logs, "log")}`, totalBytes, quiet });
      },
      onProgress: textBytes => progress.add(textBytes),
      onNotice: line => progress.note(line),
      onProblem: line => {
        progress.clear();
        note(line);
      },
    });
  } finally {
    progress[Symbol.dispose]();
  }
}

/**
 * Read the logs of a command that walks their events, with progress; as `readLogSet` does.
 *
 * @param more What the command adds: where it writes, which events count.
 */
export function readWithTables(
  inputs: readonly string[],
  values: OptionValues<typeof READ_OPTIONS>,
  more: Pick<LogSetOptions, "scope" | "outputs" | "lineHashes">,
): Promise<LogSet> {
  return withProgress(values.quiet, listeners =>
    readLogSet(inputs, { ...toSetOptions(values), ...listeners, ...more, keepsTables: true }),
  );
}

/** What is told of logs once they are read. */
export type LogTally = Pick<LogSet, "reused" | "leftOut" | "counts" | "textBytes" | "damaged" | "empty"> & {
  readonly missing?: number;
  readonly logs: { readonly length: number };
};

/** Say so if many lines hold no event. */
export function noteRejects(name: string, tally: LogTally, rejectsPath: string | undefined): void {
  const line = describeRejects(name, tally, rejectsPath);
  if (line !== undefined) note(line);
}

/** What {@link noteRejects} says; undefined if few lines hold no event. */
export function describeRejects(name: string, { counts }: LogTally, rejectsPath: string | undefined): string | undefined {
  const share = counts.rejected / Math.max(1, counts.lines);
  if (share <= REJECTED_SHARE_MAX) return undefined;
  const hint = rejectsPath === undefined ? ": --rejects FILE shows them" : "";
  return (
    `${name}: ${formatNumber(counts.rejected)} of ${plural(counts.lines, "line")} hold no event ` +
    `(${formatShare(share)})${hint}`
  );
}

/** Exit code of a run that read logs and did everything else. */
export function exitCodeOf({ damaged, empty, missing = 0, counts }: LogTally, strict = false): ExitCode {
  if (missing > 0 || (strict && counts.rejected > 0)) return EXIT.failed;
  return damaged + empty > 0 ? EXIT.damaged : EXIT.ok;
}

/** How many logs, how much text, and how their lines ended: `7 logs, 1.2 MB: 900 events (2 repaired), ...`. */
export function describeLogs({ logs, textBytes, reused, leftOut, counts }: LogTally): string {
  const events = counts.events + counts.repaired;
  const repaired = counts.repaired > 0 ? ` (${formatNumber(counts.repaired)} repaired)` : "";
  return [
    `${plural(logs.length, "log")}, ${formatBytes(textBytes)}: ${plural(events, "event")}${repaired}`,
    `${plural(counts.rejected, "line")} rejected`,
    ...(counts.dropped === undefined ? [] : [`${plural(counts.dropped, "event")} dropped as repeated lines`]),
    ...(counts.pending > 0 ? [`${formatNumber(counts.pending)} not yet complete`] : []),
    ...(leftOut > 0 ? [`${plural(leftOut, "file")} left out`] : []),
    ...(reused > 0 ? [`${reused === logs.length ? "all" : formatNumber(reused)} from event tables`] : []),
  ].join(", ");
}

/** The end of a summary: time since `startMs`, text per second, and who spoke of countries: `0.42 s, 310 MB/s`. */
export function describePace(startMs: number, { textBytes }: LogTally, origins?: Origins): string {
  const seconds = (performance.now() - startMs) / 1000;
  const by = origins === undefined ? "" : `; ${describeSources(origins.sources)}`;
  return `${formatDuration(seconds)}, ${formatRate(textBytes, seconds)}${by}`;
}
