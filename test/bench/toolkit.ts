/**
 * The toolkit as a contestant: one run of its reader in one process.
 *
 *   bun test/bench/toolkit.ts read FOLDER [--rows FILE]
 */
import { parseArgs } from "node:util";
import { eventTableToIpc } from "../../lib/events/event-table.ts";
import { openText } from "../../lib/events/log-text.ts";
import { mapLog } from "../../lib/events/map-log.ts";
import { reduceEvents } from "../../lib/reduced/reduce.ts";
import { REDUCED_VERSION } from "../../lib/reduced/kinds.ts";
import { ReducedBuilder } from "../../lib/reduced/reduced-builder.ts";
import { listLogs } from "../support/real-logs.ts";
import { rowsOfTable, type SlowRow } from "../support/slow-counter.ts";
import { type RunReport, toComparableText } from "./rivals.ts";

const PARAMETERS = { robotMaxSeconds: 10 };

/**
 * Read each log into its event table in this thread, one after the other.
 *
 * Only the reading counts into `ms`; the rows, made from the tables afterwards, are for comparison.
 */
export async function readIntoEventTables(
  paths: readonly string[],
  wantsRows: boolean,
): Promise<RunReport & { rows: SlowRow[] }> {
  const builder = new ReducedBuilder();
  let ms = 0;
  let tableBytes = 0;
  let textBytes = 0;
  for (const path of paths) {
    const startMs = performance.now();
    const text = openText(path);
    const { info, table } = await mapLog(path, text);
    text.close();
    ms += performance.now() - startMs;
    textBytes += info.source.sizeBytes;
    if (wantsRows) {
      for (const chunk of eventTableToIpc(table, info)) tableBytes += chunk.length;
      builder.addSource(info.source);
      builder.add((await reduceEvents(table, info.source.wholeHash, PARAMETERS)).rows);
    }
    table.close();
  }
  const reduced = builder.finish({ version: REDUCED_VERSION, parameters: PARAMETERS, sources: [] });
  const detail = wantsRows ? { tableShare: tableBytes / textBytes } : {};
  return { ms, detail, rows: wantsRows ? rowsOfTable(reduced) : [] };
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
