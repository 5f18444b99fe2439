/**
 * Run the project's scripts as a user would: as a process of their own, in a folder of their own.
 *
 * All three outputs (stdout, stderr, exit code) come back together, so that a test can check them together.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The checkout, absolute. */
export const ROOT = join(import.meta.dir, "../..");

/** Scripts as Bun compiled them: it keeps them in the home, and with a home of its own each run would compile all anew. */
const SCRIPT_CACHE = join(ROOT, "node_modules/.cache/bun");

export interface RunOptions {
  /** Working directory; default: the checkout. */
  cwd?: string;
  /** Added to the environment of the test; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
  /** What the process reads from stdin; default: nothing, at its end at once. */
  stdin?: string | Uint8Array;
}

export interface RunResult {
  stdout: string;
  /** stdout before decoding, for binary output. */
  stdoutBytes: Uint8Array;
  stderr: string;
  /** 128 + signal number when a signal ended the process, as a shell reports it. */
  exitCode: number;
  /** Largest resident size the process had. */
  peakRssBytes: number;
  /** Processor time of the process and of those it started, user and system. */
  cpuMs: number;
}

/** Run `bun scripts/<name>.ts ...args` to its end. */
export function runScript(name: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run([process.execPath, join(ROOT, "scripts", `${name}.ts`), ...args], options);
}

/** Run any command to its end. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = start(command, options);
  const peak = watchPeak(child.pid);
  const [stdoutBytes, stderr] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return {
    stdout: new TextDecoder().decode(stdoutBytes),
    stdoutBytes,
    stderr,
    exitCode: child.exitCode ?? 128 + signalNumber(child.signalCode),
    // In bytes, although getrusage(2) speaks of KiB.
    peakRssBytes: peak(child.resourceUsage()?.maxRSS ?? 0),
    cpuMs: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000,
  };
}

/**
 * Watch how large a process becomes.
 *
 * The system begins a child's figure with its parent's, and a process of many tests is larger than what it starts: a
 * figure that says no more than that is replaced by the last one of /proc, which misses the last few milliseconds.
 *
 * @returns To be called at the end with the system's figure, in bytes.
 */
export function watchPeak(pid: number): (maxRssBytes: number) => number {
  const inherited = readPeak("self") ?? 0;
  let last: number | undefined;
  const look = () => void (last = readPeak(pid) ?? last);
  look();
  const timer = setInterval(look, 10);
  return maxRssBytes => {
    clearInterval(timer);
    // The two figures are kept in different ways and differ by some megabytes.
    return maxRssBytes > 1.1 * inherited ? maxRssBytes : (last ?? maxRssBytes);
  };
}

function readPeak(pid: number | "self"): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return kibibytes === undefined ? undefined : 1024 * Number(kibibytes);
  } catch {
    // Another system, or the process has just ended.
    return undefined;
  }
}

/** Start a script and hand back the process, for tests that end it themselves. */
export function startScript(name: string, args: readonly string[], options: RunOptions = {}) {
  return start([process.execPath, join(ROOT, "scripts", `${name}.ts`), ...args], options);
}

function start(command: readonly string[], { cwd = ROOT, env = {}, stdin }: RunOptions) {
  return Bun.spawn([...command], {
    cwd,
    env: { BUN_RUNTIME_TRANSPILER_CACHE_PATH: SCRIPT_CACHE, ...Bun.env, ...env },
    stdin: stdin === undefined ? "ignore" : typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin,
    stdout: "pipe",
    stderr: "pipe",
  });
}

function signalNumber(signal: string | number | null): number {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 }[signal ?? ""] ?? 0;
}

/**
 * A folder of its own for one test, removed when the scope ends.
 *
 * @example await using dir = await makeTempDir();
 */
export async function makeTempDir(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "cowrie-test-"));
  return { path, [Symbol.asyncDispose]: () => removeFolder(path) };
}

/** Remove a folder, whatever rights a test took away from what is in it. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // Root removes anything; anybody else needs the rights for it first.
    await run(["chmod", "-R", "u+rwX", path]);
    await rm(path, { recursive: true, force: true });
  }
}
