/** What the benchmarks share: data, rivals in processes of their own, agreement before time, one way to print. */
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { listLogs } from "../support/real-logs.ts";
import { ROOT, run } from "../support/run.ts";
import type { RunReport } from "./rivals.ts";

/** The version every figure was taken with; installed by the benchmark, never by the project. */
const DUCKDB = "@duckdb/node-api@1.5.6-r.1";

export interface BenchOptions {
  /** Folder of logs. */
  data: string;
  runs: number;
}

export interface Measure {
  ms: number;
  peakRssBytes: number;
  /** Of the whole process, its start included: steadier than the clock where others work beside it. */
  cpuMs: number;
  detail: RunReport["detail"];
}

/** A competitor: `measure` runs it once. */
export interface Contestant {
  name: string;
  measure: () => Promise<Measure>;
}

const HELP = `Options:
      --data <dir>      Folder of logs to use. [default: generate them into a temporary folder and keep them there]
      --megabytes <n>   Size of generated logs. [default: 1000]
      --runs <n>        Timed rounds; every rival once per round. [default: 5]
`;

/** Read the options of a benchmark and have its data ready. */
export async function prepare(argv: string[]): Promise<BenchOptions | undefined> {
  const { values } = parseArgs({
    args: argv,
    options: {
      data: { type: "string" },
      megabytes: { type: "string", default: "1000" },
      runs: { type: "string", default: "5" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const megabytes = Number(values.megabytes);
  const data = values.data ?? join(tmpdir(), `cowrie-bench-${megabytes}`);
  if (!existsSync(data)) {
    const generator = join(ROOT, "test/support/generate-logs.ts");
    const size = ["--megabytes", String(megabytes), "--files", "20", "--sensors", "4"];
    const { exitCode, stderr } = await run([process.execPath, generator, "--out", `${data}.partial`, ...size]);
    if (exitCode !== 0) throw new Error(`Cannot generate logs: ${stderr}`);
    renameSync(`${data}.partial`, data);
  }
  return { data, runs: Number(values.runs) };
}

/** A folder whose node_modules holds DuckDB; installed on first use. */
export async function installDuckDb(): Promise<string> {
  const folder = join(tmpdir(), "cowrie-bench-duckdb");
  if (!existsSync(join(folder, "node_modules"))) {
    mkdirSync(folder, { recursive: true });
    await Bun.write(join(folder, "package.json"), "{}\n");
    const { exitCode, stderr } = await run([process.execPath, "add", "--exact", DUCKDB], { cwd: folder });
    if (exitCode !== 0) throw new Error(`Cannot install ${DUCKDB}: ${stderr}`);
  }
  return folder;
}

/** Hold a process to one core where the system can. */
export const ONE_CORE: readonly string[] = Bun.which("taskset") ? ["taskset", "-c", "0"] : [];

/** Run a rival of rivals.ts in a process of its own. */
export async function measureRival(
  name: string,
  args: readonly string[],
  { prefix = [], file = "rivals.ts", env = {} }: { prefix?: readonly string[]; file?: string; env?: Record<string, string> } = {},
): Promise<Measure> {
  const script = join(import.meta.dir, file);
  const command = [...prefix, process.execPath, script, name, ...args];
  const { stdout, stderr, exitCode, peakRssBytes, cpuMs } = await run(command, { env });
  if (exitCode !== 0) throw new Error(`Cannot run ${name}: ${stderr}`);
  return { ...(JSON.parse(stdout) as RunReport), peakRssBytes, cpuMs };
}

/**
 * Refuse to go on unless all answers are the same.
 *
 * @param answers Name of the rival -> its rows, one a line, in canonical order.
 * @throws {Error} that shows the first row in which two differ.
 */
export function assertAgreement(answers: ReadonlyMap<string, string>): void {
  const [first, ...others] = [...answers];
  for (const [name, text] of others) {
    if (text === first![1]) continue;
    const [left, right] = [first![1].split("\n"), text.split("\n")];
    const at = left.findIndex((line, i) => line !== right[i]);
    throw new Error(`${first![0]} and ${name} disagree in row ${at}:\n${left[at]}\n${right[at]}`);
  }
  console.log(`${[...answers.keys()].join(", ")} agree on ${first![1].split("\n").length} rows`);
}

/** Time the contestants in rounds, so that a slow minute of the machine hits all of them, and print a table. */
export async function compete(title: string, { data, runs }: BenchOptions, contestants: readonly Contestant[]) {
  const sizes = listLogs(data).map(path => statSync(path).size);
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  console.log(`\n## ${title}\n`);
  console.log(`${new Date().toISOString().slice(0, 10)}, Bun ${Bun.version}, ${machine}`);
  console.log(`${megabytes.toFixed(0)} MB of logs in ${sizes.length} files, page cache warm, ${runs} rounds\n`);

  const results = new Map(contestants.map(({ name }) => [name, [] as Measure[]]));
  for (let round = 0; round < runs; round++) {
    for (const { name, measure } of contestants) results.get(name)!.push(await measure());
  }
  console.log("| | min s | median s | processor s (min) | MB/s (median) | peak RSS MB | |");
  console.log("|---|--:|--:|--:|--:|--:|---|");
  for (const [name, measures] of results) {
    const ms = measures.map(measure => measure.ms).sort((a, b) => a - b);
    const median = (ms[(ms.length - 1) >> 1]! + ms[ms.length >> 1]!) / 2;
    const peak = Math.max(...measures.map(measure => measure.peakRssBytes)) / 1e6;
    const detail = Object.entries(measures[0]!.detail).map(([key, value]) => `${key} ${show(value)}`);
    const cpuMs = Math.min(...measures.map(measure => measure.cpuMs));
    const figures = [ms[0]!, median, cpuMs].map(each => (each / 1000).toFixed(2));
    const rates = [megabytes / (median / 1000), peak].map(value => value.toFixed(0));
    console.log(`| ${[name, ...figures, ...rates, detail.join(", ")].join(" | ")} |`);
  }
}

const show = (value: string | number) => (typeof value === "number" ? String(Math.round(value)) : value);
