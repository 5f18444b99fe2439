/**
 * Where and how scripts write a reduced table: in full as Arrow, and the top n as JSON beside it; or into a dataset.
 *
 * Tested in `test/scripts/reduce.test.ts`.
 */
import type { CombinedSorted } from "./combine-sorted.ts";
import { type OptionTable, UsageError } from "../process/command.ts";
import type { OutputSet } from "../process/output-file.ts";
import { pause } from "../process/pause.ts";
import { reducedToIpc } from "./reduced-arrow.ts";
import { reducedToJson } from "./reduced-json.ts";
import type { ReducedTable } from "./reduced-table.ts";
import { datasetOutput } from "./write-dataset.ts";

export const REDUCED_OUTPUT_OPTIONS = {
  outfile: {
    type: "path",
    short: "o",
    defaultText: "reduced.json",
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
  dataset: {
    type: "path",
    placeholder: "DIR",
    help: "Add the full counts to this dataset in place of -o: a folder with Arrow files for each kind and month.",
  },
} as const satisfies OptionTable;

/** The files of a table, or the dataset that it is added to. */
export interface ReducedPaths {
  /** "-" = stdout; undefined = a dataset is written. */
  readonly arrow: string | undefined;
  /** undefined when the table goes elsewhere. */
  readonly json: string | undefined;
  readonly dataset: string | undefined;
  /** What is locked, and must be writable. */
  readonly outputs: readonly string[];
}

/**
 * Both names of a table by the one the user gave, which may end in .json, .arrow or neither; or those of a dataset.
 *
 * @throws {UsageError} if both are asked for.
 * @throws {Error} if the dataset's folder is something else.
 */
export function reducedPaths({ outfile, dataset }: { readonly outfile: string | undefined; readonly dataset: string | undefined }): ReducedPaths {
  if (dataset !== undefined) {
    if (outfile !== undefined) throw new UsageError("Cannot write both -o and --dataset: expected one of them");
    return { arrow: undefined, json: undefined, dataset, outputs: [datasetOutput(dataset)] };
  }
  const named = outfile ?? "reduced.json";
  if (named === "-") return { arrow: "-", json: undefined, dataset, outputs: ["-"] };
  const stem = named.replace(/\.(json|arrow)$/, "");
  const [arrow, json] = [`${stem}.arrow`, named.endsWith(".arrow") ? `${stem}.json` : named];
  return { arrow, json, dataset, outputs: [arrow, json] };
}

/** Chunks of 1 MiB after which memory is swept. */
const CHUNKS_PER_SWEEP = 256;

/** Write tables that are combined to both places, without their rows in memory. */
export async function writeCombined(outputs: OutputSet, { arrow = "-", json }: ReducedPaths, combined: CombinedSorted): Promise<void> {
  const output = await outputs.open(arrow);
  let chunks = 0;
  // A chunk is written while the next one is made; that it cannot be is told when it is waited for.
  let written = Promise.resolve();
  try {
    for (const chunk of combined.chunks(arrow === "-" ? "stream" : "file")) {
      await written;
      written = output.write(chunk);
      written.catch(() => {});
      // Left to itself the engine lets three times as much lie about as is in use.
      if (++chunks % CHUNKS_PER_SWEEP === 0) Bun.gc(true);
      await pause();
    }
  } finally {
    // Nobody may close what is still written to.
    await written;
  }
  if (json === undefined) return;
  const beside = await outputs.open(json);
  for (const chunk of reducedToJson(combined.top.toTable(combined.info, combined.texts), combined.topN)) await beside.write(chunk);
}

/** Write a table to both places. */
export async function writeReduced(
  outputs: OutputSet,
  { arrow = "-", json }: ReducedPaths,
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
