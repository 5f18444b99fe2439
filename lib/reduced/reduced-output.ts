/**
 * Where and how scripts write a reduced table: in full as Arrow, and the top n as JSON beside it.
 *
 * Tested in `test/scripts/reduce.test.ts`.
 */
import type { CombinedSorted } from "./combine-sorted.ts";
import type { OptionTable } from "../process/command.ts";
import type { OutputSet } from "../process/output-file.ts";
import { pause } from "../process/pause.ts";
import { reducedToIpc } from "./reduced-arrow.ts";
import { reducedToJson } from "./reduced-json.ts";
import type { ReducedTable } from "./reduced-table.ts";

export const REDUCED_OUTPUT_OPTIONS = {
  outfile: {
    type: "path",
    short: "o",
    default: "reduced.json",
    help:
      "Counts as JSON, cut to the top n; the full counts go beside it under the same name with .arrow. " +
      '"-" writes the full counts to stdout as an Arrow stream, and no file.',
  },
  topNEvents: {
    type: "count",
    short: "n",
    default: 5,
    help: "Entries per kind, in the JSON per day and sensor; 0 = all.",
  },
} as const satisfies OptionTable;

export interface ReducedPaths {
  /** "-" = stdout. */
  readonly arrow: string;
  /** undefined when the table goes to stdout. */
  readonly json: string | undefined;
}

/** Both names of a table by the one the user gave; it may end in .json, .arrow or neither. */
export function reducedPaths(outfile: string): ReducedPaths {
  if (outfile === "-") return { arrow: "-", json: undefined };
  const stem = outfile.replace(/\.(json|arrow)$/, "");
  return { arrow: `${stem}.arrow`, json: outfile.endsWith(".arrow") ? `${stem}.json` : outfile };
}

/** Chunks of 1 MiB after which memory is swept. */
const CHUNKS_PER_SWEEP = 64;

/** Write tables that are combined to both places, without their rows in memory. */
export async function writeCombined(outputs: OutputSet, { arrow, json }: ReducedPaths, combined: CombinedSorted): Promise<void> {
  const output = await outputs.open(arrow);
  let chunks = 0;
  for (const chunk of combined.chunks(arrow === "-" ? "stream" : "file")) {
    await output.write(chunk);
    // Left to itself the engine lets three times as much lie about as is in use.
    if (++chunks % CHUNKS_PER_SWEEP === 0) Bun.gc(true);
    await pause();
  }
  if (json === undefined) return;
  const beside = await outputs.open(json);
  for (const chunk of reducedToJson(combined.top.toTable(combined), combined.topN)) await beside.write(chunk);
}

/** Write a table to both places. */
export async function writeReduced(
  outputs: OutputSet,
  { arrow, json }: ReducedPaths,
  table: ReducedTable,
  topN: number,
): Promise<void> {
  const write = async (path: string, chunks: Iterable<string | Uint8Array>) => {
    const output = await outputs.open(path);
    for (const chunk of chunks) await output.write(chunk);
  };
  await write(arrow, reducedToIpc(table, arrow === "-" ? "stream" : "file"));
  if (json !== undefined) await write(json, reducedToJson(table, topN));
}
