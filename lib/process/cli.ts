/**
 * The edge of every script: exit codes, standard streams, signals. The only module that touches `process`.
 *
 * Signals: a stopped script cleans up (see {@link onStop}) and then dies of the same signal, so that the shell sees
 * 130 (SIGINT) or 143 (SIGTERM). JavaScript cannot be interrupted: a signal waits until the running function awaits
 * something, so long work has to await now and then or run in a Worker. SIGHUP is left alone, or `nohup` would not
 * work.
 */
import { existsSync, fstatSync, readdirSync, write, writeSync } from "node:fs";
import { CSV_SHOWS, HelpRequest, UsageError } from "./command.ts";
import { errorReason, visible } from "../text/text.ts";

/** Process exit codes; README.md lists the same table. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Done, and all that could be read is counted, but some input was damaged or empty; stderr names it. */
  damaged: 3,
  /** Where `--exit-code` asks for it: something passed the test of change. */
  changed: 10,
  /** The same: a sensor is silent. */
  silent: 11,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Whoever read our stdout has gone (`| head`): what it wanted has been delivered, the script ends with 0. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

/**
 * How often a function runs, or a loop turns, before the engine compiles it for the last time, which takes longest: by itself 64,000
 * times. That was a fifth of what `analyze-local.ts` costs; loops over very many rows come to it all the same.
 */
const ENGINE_SETTING = { BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "1000000" } as const;
/** The Bun that knows it: one that does not would end at once. */
const ENGINE_VERSION = "1.4.5";

/** What a script throws that is to begin anew, see {@link expectLongRun}. */
class Restart extends Error {
  override readonly name = "Restart";
}

/** Whether this is a script's process that can begin anew. */
let mayRestart = false;

/**
 * Say that a run will take a second of the processors or more: it begins anew under {@link ENGINE_SETTING}, which the engine
 * reads when it starts. That takes 50 ms, so whoever finds that there is nothing to do should have found out before; what is
 * held is let go as by an error.
 */
export function expectLongRun(): void {
  if (mayRestart) throw new Restart("This run begins anew");
}

/**
 * Whether that can be done and loses nothing: files and sockets that somebody has left open for this process, such as one that
 * is locked as long as it is open, would be closed, and so would a pipe that an argument names.
 */
function canRestart(): boolean {
  if (Bun.version !== ENGINE_VERSION || Object.keys(ENGINE_SETTING).some(environment) || !existsSync(Bun.main)) return false;
  if (Bun.argv.slice(2).some(argument => /(?:^|=)\/(?:dev|proc)\//.test(argument))) return false;
  try {
    return !readdirSync("/proc/self/fd").some(name => Number(name) > 2 && isOfOthers(Number(name)));
  } catch {
    // Not Linux: nobody can tell.
    return false;
  }
}

function isOfOthers(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFile() || stat.isSocket();
  } catch {
    // That by which the others were listed.
    return false;
  }
}

/** In the same process, under the same id; returns where that cannot be done. */
function restart(): void {
  try {
    process.execve!(EXECUTABLE, [EXECUTABLE, ...process.execArgv, Bun.main, ...Bun.argv.slice(2)], { ...process.env, ...ENGINE_SETTING });
  } catch {
    // Not allowed here, or another system: it runs as it is.
  }
}

/**
 * Run a script's `main` and turn its outcome into an exit code.
 *
 * The process ends as soon as all output is delivered, even if a stdin nobody reads any more or a Worker is still
 * open. `DEBUG=1` adds the stack to an error.
 */
export async function runMain(name: string, main: (argv: string[]) => Promise<ExitCode>): Promise<void> {
  // An error nobody awaited is a failure like any other; without this Bun reports it and goes on.
  const fail = (error: unknown) => {
    cleanUp();
    process.exit(report(name, error));
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  let exitCode: ExitCode;
  mayRestart = canRestart();
  const attempt = (): Promise<ExitCode> =>
    main(Bun.argv.slice(2)).catch(error => {
      if (!(error instanceof Restart)) throw error;
      mayRestart = false;
      restart();
      return attempt();
    });
  try {
    exitCode = await attempt();
    await lastWrite;
  } catch (error) {
    cleanUp();
    if (error instanceof HelpRequest) {
      exitCode = await writeOut(error.message).then(() => EXIT.ok, failure => report(name, failure));
    } else {
      exitCode = report(name, error);
    }
  }
  cleanUp();
  // Not before: an earlier exit would cut off output still queued for a pipe.
  await lastWrite.catch(() => {});
  process.exit(exitCode);
}

/** Tell a person on stderr what went wrong, in one line, and choose the exit code. */
function report(name: string, error: unknown): ExitCode {
  if (error instanceof ReaderGone) return EXIT.ok;
  const message = error instanceof Error ? error.message : String(error);
  note(`${name}: ${visible(message === "" ? String(error) : message)}`);
  if (error instanceof UsageError) {
    note(`Try: bun scripts/${name}.ts --help`);
    return EXIT.usage;
  }
  if (environment("DEBUG") && error instanceof Error) {
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      for (const line of (at.stack ?? "").split("\n")) note(visible(line));
    }
  }
  return EXIT.failed;
}

/** Write a line to stderr at once; foreign text in it must be through `visible` already. */
export function note(line: string): void {
  drawOnStderr(`${line}\n`);
}

/**
 * Write a text to stderr at once and as it is, without a line end; for what is drawn on a terminal.
 *
 * Not by `console.error`, which paints it red there, nor by `process.stderr`, which loses what is queued at the end.
 */
export function drawOnStderr(text: string): void {
  drawAtOnce(2, text);
}

/** The same on stdout, for a terminal that is left as it was found when a signal ends the script. */
export function drawOnStdout(text: string): void {
  drawAtOnce(1, text);
}

function drawAtOnce(stream: 1 | 2, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(stream, rest));
    } catch (error) {
      // A pipe that is full for the moment. Anything else: nobody is listening, and there is nobody to tell.
      if ((error as { code?: unknown }).code !== "EAGAIN") return;
      Bun.sleepSync(1);
    }
  }
}

/** The queue of writes to stdout; rejected for good once one has failed. */
let lastWrite: Promise<unknown> = Promise.resolve();

/**
 * Write to stdout, waiting until the pipe has taken it; chunks come out whole and in the order of the calls.
 *
 * @throws {ReaderGone} if the reader has gone; let it pass, the script then ends with 0.
 * @throws {Error} if stdout cannot be written, as when it is a file on a full disk.
 */
export function writeOut(chunk: string | Uint8Array): Promise<void> {
  const written = lastWrite.then(async () => {
    let rest: Uint8Array = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    try {
      // Not by Bun.write: where a pipe takes only a part at first it begins again, and the part comes out twice.
      while (rest.length > 0) rest = rest.subarray(await writeSome(rest));
    } catch (error) {
      if ((error as { code?: unknown }).code === "EPIPE") throw new ReaderGone("The reader of stdout has gone");
      throw new Error(`Cannot write stdout: ${errorReason(error)}`, { cause: error });
    }
  });
  lastWrite = written;
  return written;
}

/** Write to stdout what it takes at once; how many bytes that were. */
function writeSome(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(1, bytes, 0, bytes.length, null, (error, written) => {
      if (!error) resolve(written);
      // A pipe that is full for the moment.
      else if (error.code === "EAGAIN") setTimeout(resolve, 1, 0);
      else reject(error);
    });
  });
}

/** Characters joined before a write to stdout. */
const WRITE_LENGTH = 1 << 16;

/** Write a text that comes in small pieces, such as lines, to stdout; as {@link writeOut} does. */
export async function writeOutAll(pieces: Iterable<string>): Promise<void> {
  let joined = "";
  for (const piece of pieces) {
    joined += piece;
    if (joined.length < WRITE_LENGTH) continue;
    await writeOut(joined);
    joined = "";
  }
  await writeOut(joined);
}

const cleanups = new Set<() => void>();

/**
 * Have something done when the script is stopped by a signal, fails, or ends.
 *
 * @param cleanup Must be synchronous; the newest runs first, and an error in one does not keep the others.
 * @returns A function that takes it back, for work that has come to its end.
 */
export function onStop(cleanup: () => void): () => void {
  if (cleanups.size === 0) for (const signal of SIGNALS) process.on(signal, dieOf);
  cleanups.add(cleanup);
  return () => {
    // With nothing left to do a signal acts at once again.
    if (cleanups.delete(cleanup) && cleanups.size === 0) leaveSignals();
  };
}

function leaveSignals(): void {
  for (const signal of SIGNALS) process.off(signal, dieOf);
}

function cleanUp(): void {
  for (const cleanup of [...cleanups].reverse()) {
    cleanups.delete(cleanup);
    try {
      cleanup();
    } catch {
      // The script is ending with an outcome of its own; a partial file left behind is removed by the next run.
    }
  }
}

function dieOf(signal: NodeJS.Signals): void {
  cleanUp();
  leaveSignals();
  process.kill(process.pid, signal);
}

export const PROCESS_ID = process.pid;

/** Id of the user whose rights this process has; 0 is root, and everybody where there are no users. */
export const USER_ID = process.geteuid?.() ?? 0;

/** Path of the Bun that runs this process. */
export const EXECUTABLE = process.execPath;

/** Whether a process of this id exists on this machine, whoever owns it. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it does, as another user's.
    return (error as { code?: unknown }).code === "EPERM";
  }
}

/** A variable of the environment; undefined when unset or empty. */
export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** What a standard stream is connected to. */
export type Terminal = ReturnType<typeof terminal>;

/** Look at stdout or stderr; for a pipe, a file or nothing at all `isTerminal` is false. */
export function terminal(stream: "stdout" | "stderr") {
  const isTerminal = isTty(stream === "stdout" ? 1 : 2);
  const { columns, rows } = isTerminal ? process[stream] : { columns: 0, rows: 0 };
  return {
    isTerminal,
    /** Columns and rows of the terminal; undefined if it is none or does not tell. */
    columns: columns > 0 ? columns : undefined,
    rows: rows > 0 ? rows : undefined,
    /** A terminal that takes colour, and a user who has not set NO_COLOR. */
    color: isTerminal && environment("NO_COLOR") === undefined && environment("TERM") !== "dumb",
  };
}

/** Where CSV went to a terminal, say what is seen there. */
export function noteCsv(name: string, quiet: boolean): void {
  if (!quiet && terminal("stdout").isTerminal) note(`${name}: ${CSV_SHOWS}`);
}

/** Whether reading stdin would wait for somebody to type. */
export function stdinIsTerminal(): boolean {
  // Not process.stdin.isTTY: the mere look would open the stream.
  return isTty(0);
}

/** Most runs have pipes and files: node:tty, and the streams it brings, are a fifth of a script's start. */
function isTty(descriptor: number): boolean {
  try {
    if (!fstatSync(descriptor).isCharacterDevice()) return false;
  } catch {
    // Closed.
    return false;
  }
  return (require("node:tty") as typeof import("node:tty")).isatty(descriptor);
}

/**
 * Keep binary data from a terminal.
 *
 * @param what "Arrow"
 * @throws {UsageError} if stdout is a terminal.
 */
export function refuseTerminal(what: string): void {
  if (terminal("stdout").isTerminal) {
    throw new UsageError(`Cannot write ${what} to a terminal: expected a pipe or an output file`);
  }
}

/** Standard input among the inputs. */
export const STDIN = "-";
