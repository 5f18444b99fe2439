/**
 * How long does the whole command take on all cores, cold, against the same aggregates by DuckDB's read_json?
 *
 *   bun test/bench/whole.bench.ts [--data DIR] [--megabytes N] [--runs N]
 *
 * Cold: no event table to reuse, a process started for each run; its start counts. The toolkit writes event tables,
 * reduced.arrow, reduced.json and both reports; DuckDB stops when the rows lie in its tables, and its start does not
 * count. All must agree on the rows that reduced.json holds (DuckDB and the plain rival on all others too).
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { makeTempDir, runScript } from "../support/run.ts";
import { assertAgreement, compete, installDuckDb, type Measure, measureRival, prepare } from "./measure.ts";

/** `reduced.json` as far as its counts go. */
interface ReducedDay {
  date: string;
  sensor: string;
  [kind: string]: unknown;
}
type ReducedRow = Record<string, string | number | null>;

/** The kinds of reduced.json: name there -> kind, key columns, and what follows the key. */
const JSON_KINDS: [name: string, kind: string, columns: string[]][] = [
  ["passwords", "login", ["username", "password", "count", "success"]],
  ["commands", "command", ["input", "count"]],
  ["pre_disconnect_command", "pre_disconnect_command", ["input", "count"]],
  ["connect", "connect", ["src_ip", "dst_port", "count"]],
  ["session_closed", "session_closed", ["src_ip", "robot", "count"]],
  ["file_download", "file_download", ["url", "outfile", "shasum", "count"]],
  ["file_upload", "file_upload", ["filename", "shasum", "count"]],
  ["proxy_request", "proxy_request", ["src_ip", "dst_ip", "dst_port", "count"]],
];

/** The rows of reduced.json, one a text. */
function rowsOfReducedJson(days: readonly ReducedDay[]): string {
  const rows: string[] = [];
  for (const day of days) {
    for (const [name, kind, columns] of JSON_KINDS) {
      for (const row of (day[name] ?? []) as ReducedRow[]) {
        // robot is true or false there, 1 or 0 in the rows of the rivals.
        const values = columns.map(column => (typeof row[column] === "boolean" ? Number(row[column]) : row[column]));
        rows.push(JSON.stringify([kind, day.date, day.sensor, ...values]));
      }
    }
  }
  return rows.sort().join("\n");
}

/** The same from the text of a rival, which has all kinds, success everywhere, and times. */
function rowsOfRival(text: string): string {
  const kinds = new Map(JSON_KINDS.map(([, kind, columns]) => [kind, columns]));
  const rows: string[] = [];
  for (const line of text.split("\n")) {
    const row = JSON.parse(line) as unknown[];
    const columns = kinds.get(row[0] as string);
    if (columns) rows.push(JSON.stringify(row.slice(0, 3 + columns.length)));
  }
  return rows.sort().join("\n");
}

async function main(argv: string[]): Promise<void> {
  const options = await prepare(argv);
  if (!options) return;
  const { data } = options;
  const modules = await installDuckDb();
  await using temp = await makeTempDir();

  const runToolkit = async (top: number): Promise<Measure> => {
    const folder = join(temp.path, "toolkit");
    await rm(folder, { recursive: true, force: true });
    const outputs = ["-f", join(folder, "reduced.json"), "-o", join(folder, "result.html")];
    const mapped = ["--mapped-dir", join(folder, "mapped")];
    const startMs = performance.now();
    const result = await runScript("analyze-local", [data, ...outputs, ...mapped, "-n", String(top), "--quiet"]);
    const ms = performance.now() - startMs;
    if (result.exitCode !== 0) throw new Error(`Cannot run analyze-local: ${result.stderr}`);
    const tables = new Bun.Glob("**/*.arrow").scanSync({ cwd: join(folder, "mapped") });
    let tableBytes = 0;
    for (const path of tables) tableBytes += Bun.file(join(folder, "mapped", path)).size;
    return { ms, peakRssBytes: result.peakRssBytes, cpuMs: result.cpuMs, detail: { "event tables, MB": tableBytes / 1e6 } };
  };

  const answers = new Map<string, string>();
  for (const name of ["plain", "duckdb"]) {
    const rows = join(temp.path, name);
    await measureRival(name, [data, "--rows", rows, "--modules", modules]);
    answers.set(name, await Bun.file(rows).text());
  }
  assertAgreement(answers);
  await runToolkit(0);
  const days = (await Bun.file(join(temp.path, "toolkit/reduced.json")).json()) as ReducedDay[];
  assertAgreement(new Map([["duckdb", rowsOfRival(answers.get("duckdb")!)], ["toolkit", rowsOfReducedJson(days)]]));

  await compete("The whole command, all cores", options, [
    { name: "toolkit: analyze-local", measure: () => runToolkit(5) },
    { name: "DuckDB: read_json", measure: () => measureRival("duckdb", [data, "--modules", modules]) },
  ]);
}

if (import.meta.main) await main(Bun.argv.slice(2));
