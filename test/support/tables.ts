/** Event tables and analyses in forms that are compared as a whole. */
import { join, relative } from "node:path";
import { analyzeLogs, type AnalyzeOptions } from "../../lib/logs/analyze.ts";
import { textOf } from "../../lib/columns/dictionary.ts";
import type { BuiltEventTable, EventTable, EventTableInfo } from "../../lib/events/event-table.ts";
import { chunkedText } from "../../lib/events/log-text.ts";
import { type MapOptions, mapLog } from "../../lib/events/map-log.ts";
import { verdictsByHash } from "../../lib/reduced/verdicts.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { NUMBER_COLUMN_NAMES, TEXT_COLUMNS } from "../../lib/events/schema.ts";
import { type CaseCounts, toCaseCounts } from "./cases.ts";
import { makeTempDir } from "./run.ts";
import { rowsOfTable, type SlowResult } from "./slow-counter.ts";
import type { LineCounts } from "../../lib/events/source.ts";

const encoder = new TextEncoder();

/** Every event of a table as one line: timestamp, then each column that has a value, text as JSON. */
export async function eventLines(table: EventTable): Promise<string[]> {
  const lines: string[] = [];
  for await (const { rows, timestampUs, codes, numbers, lineHash } of table.batches()) {
    const texts = TEXT_COLUMNS.map(name => [name, codes.get(name), table.dictionaries.get(name)!] as const);
    const values = NUMBER_COLUMN_NAMES.map(name => [name, numbers.get(name)] as const);
    for (let row = 0; row < rows; row++) {
      let line = `${timestampUs[row]}`;
      for (const [name, column, dictionary] of texts) {
        if (column !== undefined && column[row]! >= 0)
          line += ` ${name}=${JSON.stringify(textOf(dictionary, column[row]!))}`;
      }
      for (const [name, column] of values) {
        if (column !== undefined && !Number.isNaN(column[row]!)) line += ` ${name}=${column[row]! + 0}`;
      }
      if (lineHash !== undefined) line += ` #${lineHash[row]}`;
      lines.push(line);
    }
  }
  return lines;
}

/** A log given as bytes, delivered in pieces of the given sizes over and over; without sizes in one. */
export async function mapBytes(
  bytes: Uint8Array | string,
  options: MapOptions & { readonly pieces?: readonly number[] } = {},
): Promise<{ info: EventTableInfo; table: BuiltEventTable }> {
  const text = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
  const { pieces = [Math.max(1, text.length)], ...rest } = options;
  async function* chunks() {
    for (let at = 0, i = 0; at < text.length; i++) {
      const end = Math.min(text.length, at + pieces[i % pieces.length]!);
      yield text.subarray(at, end);
      at = end;
    }
  }
  return mapLog("cowrie.json", chunkedText("none", chunks()), rest);
}

/** What a log comes to, by one way of reading it. */
export async function readBack(
  bytes: Uint8Array | string,
  options: MapOptions & { readonly pieces?: readonly number[] } = {},
) {
  const rejects: string[] = [];
  const onReject = (line: number, piece: Uint8Array) =>
    void rejects.push(`${line}: ${Buffer.from(piece).toString("latin1")}`);
  const { info, table } = await mapBytes(bytes, { onReject, ...options });
  try {
    return { source: info.source, rejects, events: await eventLines(table) };
  } finally {
    table.close();
  }
}

/** Options of an analysis that leaves everything at its default and says nothing. */
export function plainOptions(mappedDir: string, changes: Partial<AnalyzeOptions> = {}): AnalyzeOptions {
  return {
    parameters: { robotMaxSeconds: 10 },
    mode: "continue",
    mappedDir,
    dedupeLines: false,
    outputs: [],
    onNotice: () => {},
    ...changes,
  };
}

export interface AnalyzedLogs {
  table: ReducedTable;
  counts: LineCounts;
  reused: number;
  leftOut: number;
  damaged: number;
  notices: string[];
  /** As {@link countSlowly} would tell it; `leftOut` is left to the caller. */
  asCounted: CaseCounts;
  rejects: string[];
}

/** Analyze logs, in a folder of its own for event tables unless one is given. */
export async function analyze(
  inputs: readonly string[],
  { root = "/", ...changes }: Partial<AnalyzeOptions> & { readonly root?: string } = {},
): Promise<AnalyzedLogs> {
  await using dir = await makeTempDir();
  const notices: string[] = [];
  const options = plainOptions(join(dir.path, "tables"), { onNotice: line => void notices.push(line), ...changes });
  using analysis = await analyzeLogs(inputs, options);
  const { table, set } = analysis;
  const rejects: string[] = [];
  if (options.wantsRejects) for await (const line of set.rejects()) rejects.push(line);
  const files = new Map(set.logs.map(({ source }) => [relative(root, source.path), source.counts]));
  const verdicts = new Map(
    [...verdictsByHash(table)].map(([code, verdict]) => [table.dictionaries.shasum[code]!, verdict]),
  );
  return {
    table,
    counts: set.counts,
    reused: set.reused,
    leftOut: set.leftOut,
    damaged: set.damaged,
    notices,
    asCounted: toCaseCounts({ files, leftOut: [], rows: rowsOfTable(table), verdicts }),
    rejects,
  };
}

/** What the slow counter found, without files that hold no event and without names of copies: for comparison. */
export function asCounted(slow: SlowResult): CaseCounts {
  const counted = toCaseCounts({ ...slow, leftOut: [] });
  const files = Object.entries(counted.files).filter(([, { events, repaired }]) => events + repaired > 0);
  return { ...counted, files: Object.fromEntries(files) };
}
