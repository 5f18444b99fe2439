#!/usr/bin/env bun
/**
 * A line for cron that runs one of the scripts: printed, installed, listed, removed.
 *
 * The line stands on its own: cron runs it in the home folder, with hardly a PATH and no terminal.
 */
import { existsSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadCommand, listScripts, SCRIPTS, toAbsoluteArguments } from "../lib/process/scripts.ts";
import { EXIT, type ExitCode, note, runMain, terminal, writeOut } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, UsageError } from "../lib/process/command.ts";
import {
  changeCrontab,
  fromBytes,
  listJobs,
  nextRun,
  parseSchedule,
  readCrontab,
  toBytes,
  toCronLine,
  toShellWord,
  withJob,
  withoutJob,
} from "../lib/process/crontab.ts";
import { hideSecrets, parseCommand } from "../lib/process/options.ts";
import { nearestWord } from "../lib/text/nearest-word.ts";
import { besideReport, reportPaths } from "../lib/pages/page-names.ts";
import { quoteForMessage, visible } from "../lib/text/text.ts";
import { formatTable } from "../lib/text/text-table.ts";

const OPTIONS = {
  at: {
    type: "string",
    placeholder: "TIME",
    help:
      'When, by this machine\'s clock: 03:15, "mon 06:30", :20 (every hour), @daily, or five fields as "15 3 * * *".',
    defaultText: 'nightly 03:15, weekly "mon 06:30", hourly :20',
  },
  name: { type: "string", help: "Name of the line in the crontab.", defaultText: "that of the job" },
  logfile: {
    type: "path",
    short: "f",
    help: "nightly, hourly: the counts, as in analyze-local.",
    defaultText: "reduced.json beside the report",
  },
  outfile: {
    type: "path",
    short: "o",
    default: "result.html",
    help: "nightly, hourly: the report; stats.html and, hourly, check.html go beside it, under its name (ams-stats.html).",
  },
  install: { type: "boolean", help: "Put the line into your crontab, in the place of the line of that name." },
  remove: { type: "string", placeholder: "NAME", help: "Take the line of that name out of your crontab." },
  list: { type: "boolean", help: "List the lines in your crontab that this script has made." },
  quiet: COMMON_OPTIONS.quiet,
} as const;

export const COMMAND = {
  name: "schedule",
  summary: "A line for cron that runs one of the scripts: printed, installed, listed, removed.",
  operands: [
    {
      name: "nightly|weekly|hourly|SCRIPT",
      help:
        "nightly: report on logs that grow, reading only what is new. weekly: digest of the last seven whole days " +
        "(UTC), sent by cron as a mail. hourly: the same report, and a mail if something changed today or a sensor " +
        "is silent. " +
        "SCRIPT: the name of any script, then -- and what it takes, which is checked now.",
    },
    { name: "ARGUMENT", repeatable: true, help: "Logs or folders; after -- the command line of the script." },
  ],
  options: OPTIONS,
  writes:
    "The line, on stdout; nothing else is changed unless --install or --remove says so, and then no line of the " +
    "crontab but those this script has made, which end in # cowrie-longitudinal: NAME. --list writes a table.",
  exits: {
    failed:
      "there is no crontab command, it refuses, somebody else changes the crontab at the same time, or there is no " +
      "line of that name",
  },
  examples: [
    {
      does: "The line of a report every night; add --install to have it",
      run: "bun scripts/schedule.ts nightly test/fixtures/fleet -o report/result.html",
    },
    {
      does: "Any script, any time",
      run: 'bun scripts/schedule.ts --at "*/30 8-18 * * mon-fri" --name worktime -- map test/fixtures/fleet -q',
    },
    { does: "What is installed", run: "bun scripts/schedule.ts --list" },
  ],
} as const satisfies Command;

/** A line as wanted, before the crontab's escaping. */
interface Plan {
  readonly name: string;
  readonly schedule: string;
  /** For /bin/sh. */
  readonly command: string;
  /** Whether it prints something for cron to mail even if all is well, or is there to print. */
  readonly isMailed: boolean;
  readonly notes: readonly string[];
}

/** The jobs that need no script to be named, and when they run. */
const PRESETS = new Map([
  ["nightly", "03:15"],
  ["weekly", "mon 06:30"],
  ["hourly", ":20"],
]);

/** How long a run waits for another one that writes the same outputs. */
const NIGHTLY_WAIT_SECONDS = 3600;
const HOURLY_WAIT_SECONDS = 600;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands, given } = parseCommand(COMMAND, argv);
  const actions = [values.install && "--install", values.remove !== undefined && "--remove", values.list && "--list"];
  const asked = actions.filter(action => action !== false);
  if (asked.length > 1) throw new UsageError(`Cannot do ${asked.join(" and ")}: expected one of them`);
  const tell = (line: string) => {
    if (!values.quiet) note(line);
  };
  if (values.remove !== undefined || values.list) {
    const [extra] = operands;
    if (extra !== undefined) {
      throw new UsageError(`Cannot use argument ${quoteForMessage(extra)}: expected ${asked[0]} only`);
    }
    return values.remove === undefined ? await list(tell) : await remove(values.remove, tell);
  }

  const plan = await makePlan(values, operands, given);
  const line = toCronLine(plan);
  const next = `Next run ${nextRun(plan.schedule)} by this machine's clock`;
  await writeOut(`${line}\n`);
  for (const text of plan.notes) tell(`Notice: ${text}`);
  if (!values.install) {
    tell(`Not installed: --install puts it into your crontab. ${next}`);
    return EXIT.ok;
  }
  const { before, after } = await changeCrontab(table => withJob(table, toBytes(line)));
  if (before === after) tell(`Installed already as "${plan.name}". ${next}`);
  else {
    for (const old of listJobs(before)) if (old.name === plan.name) tell(`Replaced: ${show(old.line)}`);
    tell(`Installed as "${plan.name}". ${next}`);
  }
  if (plan.isMailed) noteMail(after, tell);
  return EXIT.ok;
}

/** A line of the crontab for people; one that was written by hand may hold a password. */
function show(line: string): string {
  return visible(hideSecrets(fromBytes(line)));
}

async function list(tell: (line: string) => void): Promise<ExitCode> {
  const jobs = listJobs(fromBytes((await readCrontab()) ?? ""));
  if (jobs.length === 0) {
    tell("No line of ours in your crontab");
    return EXIT.ok;
  }
  const { columns: width, color } = terminal("stdout");
  const titles = ["name", "when", "next run", "command"].map(title => ({ title }));
  const rows = jobs.map(({ name, schedule, command }) => [name, schedule, nextRun(schedule) ?? null, hideSecrets(command)]);
  await writeOut(formatTable(titles, rows, { width, color }));
  return EXIT.ok;
}

async function remove(name: string, tell: (line: string) => void): Promise<ExitCode> {
  const { before, after } = await changeCrontab(table => withoutJob(table, name));
  const jobs = listJobs(before);
  const removed = jobs.filter(job => job.name === name);
  if (removed.length === 0) {
    const found = jobs.length === 0 ? "none of ours" : jobs.map(job => `"${job.name}"`).join(", ");
    throw new Error(`Cannot remove ${quoteForMessage(name)}: no line of that name, found ${found}`);
  }
  for (const { line } of removed) tell(`Removed: ${show(line)}`);
  if (after === "") tell("Nothing is left in your crontab: it is gone");
  return EXIT.ok;
}

type Values = ReturnType<typeof parseCommand<typeof OPTIONS>>["values"];

async function makePlan(values: Values, operands: readonly string[], given: ReadonlySet<string>): Promise<Plan> {
  const [job, ...args] = operands;
  const wanted = `${[...PRESETS.keys()].join(", ")} or the name of a script`;
  if (job === undefined) throw new UsageError(`Missing what to run: expected ${wanted}`);
  const time = values.at ?? PRESETS.get(job);
  const name = values.name ?? job;
  const bun = findBun();
  const notes: string[] = [];
  if (/[\\/]_npx[\\/]/.test(bun)) {
    const found = quoteForMessage(bun);
    notes.push(`${found} is in npm's cache, which may be emptied: npm install --global bun gives it a place`);
  }

  const folder = resolve(".");
  if (PRESETS.has(job)) {
    const schedule = parseSchedule("--at", time!);
    for (const option of ["logfile", "outfile"] as const) {
      if (job === "weekly" && given.has(option)) {
        throw new UsageError(`Cannot use --${option} with weekly: it is sent by mail`);
      }
      if (values[option] === "-") throw new UsageError(`Cannot use --${option} - in a crontab: expected a file`);
    }
    const command = presetCommand(job, args, values, bun, folder);
    return { name, schedule, command, isMailed: job !== "nightly", notes };
  }

  const command = await loadCommand(job, COMMAND);
  if (command === undefined) {
    const nearest = nearestWord(job, [...PRESETS.keys(), ...listScripts()]);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    throw new UsageError(`Cannot schedule ${quoteForMessage(job)}: expected ${wanted}${hint}`);
  }
  for (const option of ["logfile", "outfile"]) {
    if (given.has(option)) {
      throw new UsageError(`Cannot use --${option} before "--" with ${job}: expected it after "--"`);
    }
  }
  if (time === undefined) throw new UsageError(`Missing --at: expected when to run ${job}`);
  const schedule = parseSchedule("--at", time);
  const { args: absolute, inputs, needsFolder, isLoud, personal } = toAbsoluteArguments(command, args, folder);
  for (const { flag, isSecret } of personal) {
    const reason = isSecret ? "a crontab keeps no secret, and cron writes its lines into the log" : "cron has no terminal";
    throw new UsageError(
      `Cannot schedule ${flag}: ${reason}; expected a key (--identity FILE), or --nodes FILE with password_env`,
    );
  }
  if (inputs.includes("-")) throw new UsageError('Cannot schedule an input "-": cron has nothing on stdin');
  for (const path of inputs) {
    if (!existsSync(path)) notes.push(`${quoteForMessage(path)} does not exist`);
  }
  if (isLoud) notes.push("cron mails what is printed, the summary of every run too: -q prints errors only");
  const run = [bun, scriptPath(job), ...absolute].map(toShellWord).join(" ");
  return {
    name,
    schedule,
    command: needsFolder ? `cd ${toShellWord(folder)} && ${run}` : run,
    isMailed: isLoud,
    notes,
  };
}

/** The shell's part of a preset; every path absolute. */
function presetCommand(job: string, args: readonly string[], values: Values, bun: string, folder: string): string {
  if (args.length === 0) throw new UsageError("Missing ARGUMENT: expected logs or folders to read");
  const logs = args.map(path => resolve(folder, path));
  for (const [i, path] of logs.entries()) {
    if (args[i] === "-") throw new UsageError('Cannot schedule an input "-": cron has nothing on stdin');
    if (!existsSync(path)) throw new Error(`Cannot schedule ${quoteForMessage(path)}: no such file or folder`);
  }
  const words = (script: string, ...rest: string[]) => [bun, scriptPath(script), ...rest].map(toShellWord).join(" ");
  if (job === "weekly") {
    // Whole days: the seven before today.
    return words("digest", ...logs, "--since", "-7d", "--until", "yesterday", "-q");
  }
  const outfile = resolve(folder, values.outfile);
  const given = values.logfile === undefined ? undefined : resolve(folder, values.logfile);
  const { json: logfile, arrow: table } = reportPaths(outfile, given);
  const wait = job === "nightly" ? NIGHTLY_WAIT_SECONDS : HOURLY_WAIT_SECONDS;
  const report = words("analyze-local", ...logs, "-f", logfile, "-o", outfile, "-q", "--wait", String(wait));
  if (job === "nightly") return report;
  const check = words("statistics", table, "-o", besideReport(outfile, "check.html"), "-l", "1", "--exit-code");
  // cron mails what is printed and heeds no exit code, so the summary is printed only if the check finds something.
  // By printf: the echo of many shells would obey backslashes, and attackers write what the summary shows.
  // 3: the report is written, and tells which log was damaged or empty.
  return `{ ${report} || [ $? -eq 3 ]; } && { out=$(${check} 2>&1) || { code=$?; printf '%s\\n' "$out"; exit $code; }; }`;
}

function scriptPath(name: string): string {
  const path = join(SCRIPTS, `${name}.ts`);
  if (!existsSync(path)) throw new Error(`Cannot schedule ${name}: there is no ${quoteForMessage(path)}`);
  return path;
}

/** The Bun that runs this, by the name on PATH if that is the same: it stays when Bun is replaced by a newer one. */
function findBun(): string {
  const running = Bun.argv[0]!;
  const named = Bun.which("bun");
  try {
    return named !== null && realpathSync(named) === realpathSync(running) ? resolve(named) : running;
  } catch {
    // One of them is gone since we were started.
    return running;
  }
}

/** Say so if a mail will not come. */
function noteMail(table: string, tell: (line: string) => void): void {
  const mailTo = [...table.matchAll(/^[ \t]*MAILTO[ \t]*=(.*)$/gm)].at(-1)?.[1]!.trim();
  if (mailTo !== undefined && /^(""|'')?$/.test(mailTo)) {
    tell("Notice: MAILTO is empty in your crontab, so cron sends no mail");
  } else if (!existsSync("/usr/sbin/sendmail") && Bun.which("sendmail") === null) {
    tell("Notice: cron sends mail by sendmail, which is not here: on Debian install exim4 or msmtp-mta");
  }
}

if (import.meta.main) await runMain(COMMAND.name, main);
