/**
 * Run a script on what an attacker made, and hold it to the promises that do not depend on what it is given: it ends
 * within a bound of work, within a bound of memory, with an exit code and words for people, with outputs that are whole
 * or untouched, and with nothing in them that a terminal would obey.
 */
import { readdirSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openEventTable } from "../../lib/events/event-table.ts";
import { readReducedArrow } from "../../lib/reduced/reduced-arrow.ts";
import { watchPeak } from "../support/run.ts";

/** What a sound run of the same sort needs; bounds are multiples of it, whatever the machine. */
export interface Yardstick {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

export interface Watched {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** What broke off the run: too much work, or none at all any more. */
  readonly broke: string | undefined;
}

/** So much more work than the sound run is not work any more. */
const WORK_TIMES = 40;
const MEMORY_TIMES = 3;
/** Of memory, a byte of input: texts, their codes, columns, a page. */
const MEMORY_PER_BYTE = 200;
/** A process that is asleep for so long waits for what will not come. */
const ASLEEP_SECONDS = 60;

/**
 * Run a command with a limit on its work, in seconds of the processor and not of the clock: a machine that is busy with
 * other things fails nobody.
 */
export async function watch(
  command: readonly string[],
  { cwd, env = {}, stdin, yardstick }: { cwd: string; env?: Record<string, string>; stdin?: Uint8Array; yardstick?: Yardstick },
): Promise<Watched> {
  const limit = Math.max(2, Math.ceil(WORK_TIMES * (yardstick?.cpuSeconds ?? 3)));
  const child = Bun.spawn(["sh", "-c", `ulimit -t ${limit}; exec "$@"`, "sh", ...command], {
    cwd,
    env: { ...Bun.env, ...env },
    stdin: stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const peak = watchPeak(child.pid);
  let broke: string | undefined;
  let seen = "";
  let asleep = 0;
  const timer = setInterval(() => {
    const now = stateOf(child.pid);
    asleep = now !== undefined && now === seen ? asleep + 1 : 0;
    seen = now ?? "";
    if (asleep < ASLEEP_SECONDS) return;
    broke = `asleep for ${ASLEEP_SECONDS} s`;
    child.kill("SIGKILL");
  }, 1000);
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearInterval(timer);
  const usage = child.resourceUsage();
  const cpuSeconds = Number(usage?.cpuTime.total ?? 0) / 1e6;
  if (broke === undefined && child.signalCode) broke = `${child.signalCode} after ${cpuSeconds} s of work, ${limit} s allowed`;
  return { exitCode: child.exitCode ?? -1, stdout, stderr, cpuSeconds, peakBytes: peak(usage?.maxRSS ?? 0), broke };
}

/** State and work so far of a process that sleeps; undefined where it is at work, or the system does not tell. */
function stateOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /s, "").split(" ");
    return fields[0] === "S" || fields[0] === "D" ? `${fields[11]} ${fields[12]}` : undefined;
  } catch {
    // Another system, or it has just ended.
    return undefined;
  }
}

/** What a terminal would obey, or show in another order than it was written; LF ends lines. */
const RAW = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
/** Of a program that fell over instead of saying what is wrong. */
const FELL_OVER = /^\s+at .+[:(]\d|^\d+ \| |^(?:\w*Error|error|panic|warn)\b:|^Bun v\d|Unhandled/m;
const CODES = new Set([0, 1, 2, 3, 10, 11]);
const LINE_MOST = 1000;
/** Lines of a run that was told to be quiet: the fault, and a notice for each input or node. */
const LINES_MOST = 40;

/** What a run broke of its promises; empty is well. */
export function faultsOf(
  run: Watched,
  { name, inputBytes, yardstick, isText }: { name: string; inputBytes: number; yardstick: Yardstick; isText: boolean },
): string[] {
  const faults: string[] = [];
  if (run.broke !== undefined) return [`work: ${run.broke}`];
  const memory = MEMORY_TIMES * yardstick.peakBytes + MEMORY_PER_BYTE * inputBytes;
  if (run.peakBytes > memory) faults.push(`memory: ${run.peakBytes} bytes for ${inputBytes} of input, ${memory} allowed`);
  if (!CODES.has(run.exitCode)) faults.push(`exit code ${run.exitCode}`);
  if (run.exitCode !== 0 && run.exitCode < 10 && run.stderr.trim() === "") faults.push(`exit code ${run.exitCode} without a word`);
  const lines = run.stderr.split("\n");
  // Notices of what was left out may stand before it, a hint behind it.
  if (run.exitCode === 2 && lines.filter(line => line.startsWith(`${name}: `)).length !== 1) faults.push("not one line for wrong usage");
  if (lines.length > LINES_MOST || lines.some(line => line.length > LINE_MOST)) faults.push("stderr: too many words");
  if (FELL_OVER.test(run.stderr)) faults.push("stderr: the program fell over");
  if (RAW.test(run.stderr)) faults.push("stderr: a raw control character");
  if (isText && RAW.test(new TextDecoder().decode(run.stdout).replaceAll("\t", ""))) faults.push("stdout: a raw control character");
  return faults;
}

/** What stands in outputs before a run. */
export const UNTOUCHED = "of an earlier run";

/** Faults of the outputs in a folder. */
export async function faultsOfOutputs(folder: string, { exitCode }: Watched): Promise<string[]> {
  const faults: string[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(".partial")) faults.push(`outputs: ${name} is left`);
    if (!/\.(json|arrow|html)$/.test(name)) continue;
    const bytes = await Bun.file(path).bytes();
    const text = new TextDecoder().decode(bytes);
    if (text === UNTOUCHED) continue;
    if (exitCode === 2) faults.push(`outputs: ${name} was written for wrong usage`);
    try {
      if (name.endsWith(".json")) JSON.parse(text);
      else if (name.endsWith(".html")) {
        if (!text.endsWith("</html>\n")) throw new Error("it has no end");
        if (/[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(text)) throw new Error("a raw control character");
      } else await readReducedArrow(path).catch(() => openEventTable(path));
    } catch (error) {
      faults.push(`outputs: ${name} is not whole: ${String(error)}`);
    }
  }
  return faults;
}

/** Names of all that lies below a folder; links are not followed. */
export function namesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => [
    entry.name,
    ...(entry.isDirectory() ? namesBelow(join(folder, entry.name)) : []),
  ]);
}
