/**
 * The toolkit as a contestant: one run of its reader in one process.
 *
 *   bun test/bench/toolkit.ts read FOLDER [--rows FILE]
 */
import { parseArgs } from "node:util";
import { listLogs } from "../support/real-logs.ts";
import type { SlowRow } from "../support/slow-counter.ts";
import { type RunReport, toComparableText } from "./rivals.ts";

/**
 * Read each log into its event table in this thread, one after the other.
 *
 * Only the reading counts into `ms`; the rows, made from the tables afterwards, are for comparison.
 */
export async function readIntoEventTables(
  paths: readonly string[],
  _wantsRows: boolean,
): Promise<RunReport & { rows: SlowRow[] }> {
  throw new Error(`Cannot read ${paths.length} logs: the reader is not connected to the benchmark`);
}

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: { rows: { type: "string" } },
    allowPositionals: true,
  });
  const { ms, detail, rows } = await readIntoEventTables(listLogs(positionals[1] ?? "."), values.rows !== undefined);
  if (values.rows !== undefined) await Bun.write(values.rows, toComparableText(rows));
  console.log(JSON.stringify({ ms, detail }));
}

if (import.meta.main) await main(Bun.argv.slice(2));
