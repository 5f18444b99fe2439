/**
 * Lines of our own in the user's crontab: written, found again by their mark, replaced and taken away; every other line
 * stays as it is, byte for byte.
 *
 * By `crontab`, not by Bun.cron (looked at in 1.4.5), which registers a module with a `scheduled` method and no
 * arguments; takes a crontab that cannot be read for an empty one, and so wipes it (seen: a failing `crontab -l`, and
 * MAILTO and all jobs were gone); and refuses paths with "%". Its parser of schedules is used.
 *
 * Our mark stands at the end of the line, as a comment of the shell, and not in a line above: nothing that is done to
 * the crontab by hand can part the two.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { lockOutputs } from "./lock.ts";
import { UsageError } from "./command.ts";
import { cacheFolder } from "./user-folders.ts";
import { quoteWord } from "../text/shell.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import { MONTHS, WEEKDAYS } from "../text/time.ts";

/** Longest command Debian's crontab takes; others cut it there and say nothing. */
const COMMAND_MAX_BYTES = 998;
const MARK = " # cowrie-longitudinal: ";
const NAME = /^[a-z0-9][a-z0-9._-]{0,39}$/i;
/** How often we begin again because somebody else has changed the crontab. */
const ATTEMPTS = 5;
/** How long to wait for other runs of ours. */
const WAIT_SECONDS = 30;

/** One line of ours. */
export interface CronJob {
  readonly name: string;
  /** Five fields or a nickname, as {@link parseSchedule} gives them. */
  readonly schedule: string;
  /** For /bin/sh, before cron's own escaping; made of {@link toShellWord}. */
  readonly command: string;
}

/**
 * Quote a word for /bin/sh, so that cron may still escape it.
 *
 * @throws {UsageError} if it holds a line break or NUL: a line of a crontab cannot.
 */
export function toShellWord(word: string): string {
  if (/[\n\r\0]/.test(word)) {
    throw new UsageError(`Cannot schedule ${quoteForMessage(word)}: expected a text without line breaks`);
  }
  if (/^[\w@+=:,./-]+$/.test(word)) return word;
  // Cron's view of "\\" and "\%" depends on its make, so no backslash may stand before either: quotes go between.
  return quoteWord(word).replace(/\\(?=[\\%])/g, "\\''");
}

/**
 * The line as it stands in the crontab, without its end.
 *
 * @throws {UsageError} if the name is none, or the command is too long for cron.
 */
export function toCronLine({ name, schedule, command }: CronJob): string {
  if (!NAME.test(name)) {
    const quoted = quoteForMessage(name);
    throw new UsageError(`Cannot use name ${quoted}: expected up to 40 letters, digits, "-", "_" and "."`);
  }
  if (/\\[\\%]/.test(command)) throw new RangeError("Cannot escape the command: a backslash stands before \\ or %");
  // An unescaped % ends the command.
  const escaped = `${command.replaceAll("%", "\\%")}${MARK}${name}`;
  const sizeBytes = Buffer.byteLength(escaped);
  if (sizeBytes > COMMAND_MAX_BYTES) {
    throw new UsageError(
      `Cannot schedule a command of ${sizeBytes} bytes: cron takes ${COMMAND_MAX_BYTES}, ` +
        "expected shorter paths or a script",
    );
  }
  return `${schedule} ${escaped}`;
}

const NICKNAMES = /^@(hourly|daily|midnight|weekly|monthly|yearly|annually)$/;
const WANTED = 'HH:MM, ":MM" for every hour, "mon HH:MM", or five fields as "15 3 * * *"';

/**
 * Read when something runs: `03:15`, `:20` (every hour), `mon 06:30`, `@daily`, or the five fields of a crontab.
 *
 * @returns What every cron takes: names of days and months are numbers.
 * @throws {UsageError} if it is none of these, or never comes.
 */
export function parseSchedule(flag: string, text: string): string {
  const wrong = (found: string, cause?: unknown) =>
    new UsageError(`Cannot read ${flag} ${quoteForMessage(text)}: ${found}expected ${WANTED}`, { cause });
  const trimmed = text.trim().toLowerCase();
  const clock = /^(?:([a-z]{3})[a-z]*\s+)?(\d{1,2})?:(\d{2})$/.exec(trimmed);
  let schedule: string;
  if (clock !== null) {
    const [, day, hour, minute] = clock;
    const weekday = day === undefined ? "*" : placeOf(day, WEEKDAYS);
    if (weekday === -1 || (day !== undefined && hour === undefined)) throw wrong("");
    schedule = `${Number(minute)} ${hour === undefined ? "*" : Number(hour)} * * ${weekday}`;
  } else if (trimmed.startsWith("@")) {
    if (!NICKNAMES.test(trimmed)) throw wrong("");
    schedule = trimmed;
  } else {
    const fields = trimmed.split(/\s+/);
    if (fields.length !== 5) throw wrong("");
    // A step wants a range or "*" before it: Bun takes "5/10", cron does not.
    const field = /^(?:(?:\*|\d+-\d+)(?:\/\d+)?|\d+)(?:,(?:(?:\*|\d+-\d+)(?:\/\d+)?|\d+))*$/;
    fields[3] = toNumbers(fields[3]!, MONTHS, 1);
    fields[4] = toNumbers(fields[4]!, WEEKDAYS, 0);
    schedule = fields.join(" ");
    if (!fields.every(text => field.test(text))) throw wrong("");
  }
  let next: Date | null;
  try {
    next = Bun.cron.parse(schedule);
  } catch (error) {
    throw wrong("", error);
  }
  if (next === null) throw wrong("that day never comes, ");
  return schedule;
}

/** Place of a name, written in small letters, among others. */
function placeOf(name: string, names: readonly string[]): number {
  return names.findIndex(other => other.toLowerCase() === name);
}

/** `jan-mar` → `1-3`, `sat-sun` → `6-7`; what is no name stays. */
function toNumbers(field: string, names: readonly string[], first: number): string {
  return field.replace(/(-?)\b([a-z]{3})\b/g, (whole, dash: string, name: string) => {
    const at = placeOf(name, names);
    if (at < 0) return whole;
    return `${dash}${dash !== "" && name === "sun" ? 7 : at + first}`;
  });
}

/** When it runs next, `Mon 2026-11-23 03:15` by this machine's clock; undefined if the schedule is not understood. */
export function nextRun(schedule: string, after = new Date()): string | undefined {
  let next: Date | null;
  try {
    next = Bun.cron.parse(schedule, after);
  } catch {
    // A line somebody has edited by hand; cron may well understand it.
    return undefined;
  }
  if (next === null) return undefined;
  const pad = (value: number) => String(value).padStart(2, "0");
  const weekday = WEEKDAYS[next.getDay()]!;
  return `${weekday} ${next.getFullYear()}-${pad(next.getMonth() + 1)}-${pad(next.getDate())} ` +
    `${pad(next.getHours())}:${pad(next.getMinutes())}`;
}

/** Name of the job a line is; undefined if it is no line of ours, or one that was commented out. */
function nameOf(line: string): string | undefined {
  const at = line.lastIndexOf(MARK);
  if (at < 0 || line.trimStart().startsWith("#")) return undefined;
  const name = line.slice(at + MARK.length).trimEnd();
  return NAME.test(name) ? name : undefined;
}

/** The lines of ours in a crontab, in its order, as they stand there. */
export function listJobs(table: string): (CronJob & { readonly line: string })[] {
  return table.split("\n").flatMap(line => {
    const name = nameOf(line);
    if (name === undefined) return [];
    const text = line.trimStart();
    const [schedule] = /^(@\S+|(\S+\s+){4}\S+)/.exec(text) ?? [""];
    const command = text.slice(schedule.length, text.lastIndexOf(MARK)).trim();
    return [{ name, schedule, command, line }];
  });
}

/** The crontab with a line of ours: in the place of those of its name, else at the end. */
export function withJob(table: string, line: string): string {
  const name = nameOf(line);
  const lines = table.split("\n");
  const at = lines.findIndex(other => nameOf(other) === name);
  if (at < 0) return `${table}${table === "" || table.endsWith("\n") ? "" : "\n"}${line}\n`;
  return lines.flatMap((other, i) => (i === at ? [line] : nameOf(other) === name ? [] : [other])).join("\n");
}

/** The crontab without the lines of that name. */
export function withoutJob(table: string, name: string): string {
  return table.split("\n").filter(line => nameOf(line) !== name).join("\n");
}

/**
 * Read the user's crontab.
 *
 * @returns One character per byte, whatever the encoding of other people's lines ({@link fromBytes} turns one into
 *   text); undefined if there is none.
 * @throws {Error} if there is no crontab command or it refuses.
 */
export async function readCrontab(): Promise<string | undefined> {
  const { stdout, stderr, exitCode } = await runCrontab(["-l"]);
  if (exitCode === 0) return stdout;
  // "no crontab for root" (Vixie, cronie, macOS); busybox: "can't open 'root': No such file or directory".
  if (/no crontab for|no such file/i.test(stderr)) return undefined;
  throw new Error(`Cannot read the crontab: ${firstLine(stderr, exitCode)}`);
}

/**
 * Change the user's crontab; one that has nothing left is removed.
 *
 * A crontab has no lock that others heed. Runs of ours wait for each other; whatever else changes it is noticed as long
 * as it comes before our write, and the change made again on top of it.
 *
 * @param change From the crontab as read, "" if there is none, to the new one; may run several times.
 * @throws {Error} as {@link readCrontab}, and if the crontab does not hold afterwards what was written.
 */
export async function changeCrontab(change: (table: string) => string) {
  await using _lock = await lockCrontab();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const before = await readCrontab();
    const after = change(before ?? "");
    if (after === (before ?? "")) return { before: after, after };
    if ((await readCrontab()) !== before) continue;
    const run = after === "" ? runCrontab(["-r"]) : runCrontab(["-"], Buffer.from(after, "latin1"));
    const { stderr, exitCode } = await run;
    if (exitCode !== 0) throw new Error(`Cannot write the crontab: ${firstLine(stderr, exitCode)}`);
    if (((await readCrontab()) ?? "") !== after) {
      throw new Error(
        "Cannot be sure of the crontab: somebody else changed it at the same time, expected to look at it (crontab -l)",
      );
    }
    return { before: before ?? "", after };
  }
  throw new Error(`Cannot change the crontab: somebody else does all the time, expected to try again`);
}

/** Runs of ours one after the other; without a folder of the user's they go ahead as they are. */
async function lockCrontab(): Promise<AsyncDisposable> {
  const folder = cacheFolder();
  try {
    mkdirSync(folder, { recursive: true });
  } catch {
    // No home: nobody else is likely to be at work in it.
    return { [Symbol.asyncDispose]: async () => {} };
  }
  return await lockOutputs([join(folder, "crontab")], { waitSeconds: WAIT_SECONDS });
}

/** Our own text as bytes of a crontab. */
export function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Bytes of a crontab as text. */
export function fromBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

async function runCrontab(args: readonly string[], stdin?: Uint8Array) {
  const path = Bun.which("crontab");
  if (path === null) {
    throw new Error('Cannot find the command "crontab": expected it on PATH (on Debian it is in the package cron)');
  }
  let child;
  try {
    // Its words are compared above, so they have to be English.
    const env = { ...Bun.env, LC_ALL: "C" };
    child = Bun.spawn([path, ...args], { stdin: stdin ?? "ignore", stdout: "pipe", stderr: "pipe", env });
  } catch (error) {
    throw new Error(`Cannot run ${quoteForMessage(path)}: permission denied`, { cause: error });
  }
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout: Buffer.from(stdout).toString("latin1"), stderr, exitCode };
}

/** What crontab says of a failure, which may be several lines. */
function firstLine(stderr: string, exitCode: number): string {
  const line = stderr.split("\n").find(text => text.trim() !== "");
  return line === undefined ? `crontab ended with ${exitCode}` : visible(line.trim());
}
