#!/usr/bin/env bun
/**
 * What a session's terminal showed: played, as text, or as an asciicast.
 *
 * Attackers' sequences end in a screen model; what reaches the user's terminal are its cells.
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { EXIT, type ExitCode, note, runMain, terminal, writeOut } from "../lib/process/cli.ts";
import { type Command, type OptionValues, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import {
  DAMAGED_EXIT,
  EVENT_OPTIONS,
  FILE_OPTION,
  LOG_OPERAND,
  READ_OPTIONS,
} from "../lib/logs/log-options.ts";
import { assertWritable, writeOutputs } from "../lib/process/output-file.ts";
import { CAST_VERSIONS, type CastVersion, toAsciicast } from "../lib/recordings/asciicast.ts";
import { readRecording, RecordingFolder } from "../lib/recordings/find-recording.ts";
import { PAUSE_MOST_US } from "../lib/recordings/frames.ts";
import { toPlayback } from "../lib/recordings/playback.ts";
import type { Recording } from "../lib/recordings/recording.ts";
import { playOnTerminal } from "../lib/recordings/terminal-player.ts";
import { SIZE_MOST, type ScreenSize, toScreenSize } from "../lib/recordings/screen-size.ts";
import { typedLines } from "../lib/recordings/typed-lines.ts";
import { recordingToJson, transcriptOf } from "../lib/sessions/story-recordings.ts";
import { findSessionRecordings } from "../lib/sessions/find-session-recordings.ts";
import { formatDuration, formatInstant, plural } from "../lib/text/format.ts";
import { formatOffset } from "../lib/sessions/trace-text.ts";
import { quoteForMessage, toSafeJson, visible } from "../lib/text/text.ts";

const OPTIONS = {
  ...FILE_OPTION,
  tty: {
    type: "path",
    placeholder: "FOLDER",
    help: "Folder of the recordings (Cowrie's ttylog_path), searched with its folders; to find one by its name, or by a session.",
  },
  outfile: { type: "path", short: "o", help: 'Write an asciicast to FILE; "-" is stdout. It holds the output as it was, sequences and all.' },
  cast: { type: "choice", choices: CAST_VERSIONS, default: "2", help: "Version of the asciicast; 3 is for asciinema 3 and newer." },
  text: { type: "boolean", help: "Write all lines that the terminal showed, then what was typed, to stdout, without colours. The default on a pipe." },
  json: { type: "boolean", help: "Write one JSON object a recording to stdout: facts, lines typed, lines shown." },
  number: { type: "count", min: 1, placeholder: "N", help: "Which recording of a session that has several.", defaultText: "all, one after the other" },
  speed: { type: "number", min: 0.125, max: 64, default: 1, placeholder: "N", help: "Play so many times as fast." },
  pause: { type: "number", min: 0, default: PAUSE_MOST_US / 1e6, placeholder: "SECONDS", help: "Longest pause when playing; the asciicast keeps the real times." },
  size: { type: "string", placeholder: "WxH", help: "Columns and rows of the terminal.", defaultText: "what the session's client said, else 80x24" },
  ...EVENT_OPTIONS,
  ...READ_OPTIONS,
} as const;

export const COMMAND = {
  name: "replay",
  summary: "What a session's terminal showed: played here, as text, or as an asciicast.",
  operands: [
    {
      name: "RECORDING|SESSION",
      required: true,
      help: "A recording's file, its name in --tty or the beginning of it (6 letters at least); or a session of the logs that follow.",
    },
    LOG_OPERAND,
  ],
  options: OPTIONS,
  writes:
    "On a terminal it plays: space stops, arrows go back and on, + and - change the speed, q leaves. On a pipe, or with --text, " +
    "the lines that were shown and what was typed. Recordings that are cut are shown as far as they go, and said to be cut.",
  exits: { ok: "each recording was shown", failed: "there is none, or it cannot be read", more: [DAMAGED_EXIT] },
  examples: [
    { does: "Play what a session of the example logs saw", run: "bun scripts/replay.ts 3d7d1fd7e7ee test/fixtures/fleet --tty test/fixtures/tty" },
    { does: "A recording by its name, as text", run: "bun scripts/replay.ts df9faed2 --tty test/fixtures/tty --text" },
    { does: "For asciinema", run: "bun scripts/replay.ts df9faed2 --tty test/fixtures/tty -o session.cast" },
  ],
} as const satisfies Command;

/** One recording that is shown, and where it is from. */
interface Shown {
  readonly path: string;
  readonly title: string;
  readonly recording: Recording;
  readonly size: ScreenSize;
}

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const [wanted = "", ...logs] = operands;
  const asked = values.size === undefined ? undefined : parseSize(values.size);
  const outputs = values.outfile === undefined ? [] : [values.outfile];
  await assertWritable(outputs);
  const { shown, exitCode } = await findShown(wanted, logs, values, asked);
  const chosen = choose(shown, values.number, values.outfile !== undefined);
  for (const { recording, path } of chosen)
    if (recording.cut !== undefined) note(`replay: ${visible(basename(path))} is shown as far as it goes: ${recording.cut}`);
  if (values.outfile !== undefined) await writeCast(chosen[0]!, values.outfile, values.cast as CastVersion);
  if (values.json) for (const one of chosen) await writeOut(`${toSafeJson({ recording: one.path, ...(await recordingToJson(one.recording, one.size)) })}\n`);
  else if (values.text || (values.outfile === undefined && !terminal("stdout").isTerminal)) {
    for (const [i, one] of chosen.entries()) await writeOut(`${i > 0 ? "\n" : ""}${await toText(one)}`);
  } else if (values.outfile === undefined) {
    for (const { recording, size, title } of chosen)
      await playOnTerminal(await toPlayback(recording, size, values.pause * 1e6), title, values.speed);
  }
  if (values.outfile !== undefined && values.outfile !== "-" && !values.quiet)
    note(`replay: ${formatDuration(chosen[0]!.recording.durationUs / 1e6)} in ${visible(values.outfile)}`);
  return exitCode;
}

/** Recordings by file, by name, or by session. */
async function findShown(
  wanted: string,
  logs: readonly string[],
  values: OptionValues<typeof OPTIONS>,
  asked: ScreenSize | undefined,
): Promise<{ shown: Shown[]; exitCode: ExitCode }> {
  const folder = values.tty === undefined ? undefined : new RecordingFolder(values.tty);
  const hasLogs = logs.length > 0 || values.file.length > 0;
  const path = isFile(wanted) ? wanted : (folder?.find(wanted) ?? (hasLogs ? undefined : folder?.findByPrefix(wanted)));
  if (path !== undefined)
    return {
      shown: [{ path, title: visible(basename(path)), recording: readRecording(path), size: asked ?? toScreenSize(undefined, undefined) }],
      exitCode: EXIT.ok,
    };
  if (folder === undefined || !hasLogs) {
    throw new Error(
      folder === undefined
        ? `Cannot find the recording ${quoteForMessage(wanted)}: no such file; expected --tty FOLDER to look for it there`
        : `Cannot find the recording ${quoteForMessage(wanted)} in ${quoteForMessage(folder.path)}: expected its name, the beginning of just one, or a session and the logs it is in`,
    );
  }
  const { found, exitCode } = await findSessionRecordings(wanted, logs, values, folder);
  return {
    shown: found.map(({ size, ...one }) => ({ ...one, size: asked ?? size })),
    exitCode,
  };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

function choose(shown: readonly Shown[], number: number | undefined, isCast: boolean): readonly Shown[] {
  const list = () => shown.map(({ title, recording }, i) => `${i + 1} ${title}, ${formatDuration(recording.durationUs / 1e6)}`).join("; ");
  if (number !== undefined) {
    const one = shown[number - 1];
    if (one === undefined) throw new UsageError(`Cannot take recording ${number}: there are ${shown.length} (${list()})`);
    return [one];
  }
  if (isCast && shown.length > 1)
    throw new UsageError(`Cannot write ${plural(shown.length, "recording")} to one asciicast: expected --number (${list()})`);
  return shown;
}

/** @throws {UsageError} if it is no size. */
function parseSize(text: string): ScreenSize {
  const match = /^(\d{1,4})x(\d{1,4})$/i.exec(text);
  const size = toScreenSize(Number(match?.[1]), Number(match?.[2]));
  if (match === null || size.columns !== Number(match[1]) || size.rows !== Number(match[2]))
    throw new UsageError(`Cannot use --size ${quoteForMessage(text)}: expected WxH from 20x4 to ${SIZE_MOST.columns}x${SIZE_MOST.rows}, such as 80x24`);
  return size;
}

async function writeCast({ recording, size, title }: Shown, outfile: string, version: CastVersion): Promise<void> {
  await writeOutputs([[outfile, [...toAsciicast(recording, version, size, title)].join("")]]);
}

async function toText({ recording, size, title }: Shown): Promise<string> {
  const transcript = await transcriptOf(recording, size);
  const typed = typedLines(recording);
  return [
    `${title}: ${formatInstant(recording.startUs)} UTC, ${formatDuration(recording.durationUs / 1e6)}`,
    "",
    ...transcript,
    "",
    typed.length === 0 ? "Nothing was typed" : "Typed:",
    ...typed.map(({ us, text }) => `${formatOffset(us).padStart(10)}  ${visible(text)}`),
    "",
  ].join("\n");
}

if (import.meta.main) await runMain(COMMAND.name, main);
