/**
 * A node's logs to reduced rows, by whichever way fits the node; and what nodes have in common, counted once.
 */
import type { MapperPool } from "./mapper-pool.ts";
import type { LineCounts, ReducedTable, ReductionParameters, SourceInfo } from "./reduced-table.ts";
import { type MappedRemoteLog, mapNode, reduceNode } from "./remote-map.ts";
import { reduceOnNode } from "./remote-reduce.ts";
import type { NodeWork, Outcome } from "./remote-run.ts";
import { quoteForMessage, visible } from "./text.ts";

/** Where logs become counts. */
export const REDUCE_PLACES = ["auto", "node", "here"] as const;
export type ReducePlace = (typeof REDUCE_PLACES)[number];

export interface AnalyzeNodeOptions {
  readonly place: ReducePlace;
  /** Make the node able to reduce, if it is not. */
  readonly hasSetup: boolean;
  /** Folder here of the node's event tables. */
  readonly tables: string;
  readonly sudo: boolean;
  readonly parameters: ReductionParameters;
  readonly isFresh: boolean;
  readonly pool: MapperPool;
  readonly requests: number;
}

/** What was learnt of a node. */
export interface AnalyzedNode {
  readonly place: "node" | "here";
  readonly logCount: number;
  readonly reused: number;
  readonly leftOut: number;
  readonly damaged: number;
  readonly counts: LineCounts;
  readonly textBytes: number;
  readonly wireBytes: number;
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** Its logs one by one, or the table that was made of them over there. */
  readonly content: { readonly logs: readonly MappedRemoteLog[] } | { readonly table: ReducedTable };
}

/** Analyze the logs of a node. */
export async function analyzeNode(
  { node, connection, show, note }: NodeWork,
  options: AnalyzeNodeOptions,
): Promise<AnalyzedNode> {
  const { place, hasSetup, sudo, parameters, isFresh, pool, requests, tables } = options;
  const common = { name: node.name, paths: node.logPaths, sudo, parameters, isFresh, show, note };
  if (place !== "here") {
    const reduced = await reduceOnNode(connection, { ...common, isRequired: place === "node", hasSetup });
    if (reduced !== undefined) {
      const { table, wireBytes, failed, leftOut } = reduced;
      const { sources } = table.info;
      const counts: LineCounts = { lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0 };
      for (const source of sources)
        for (const key of Object.keys(counts) as (keyof LineCounts)[]) counts[key] += source.counts[key];
      return {
        place: "node",
        logCount: sources.length,
        reused: 0,
        leftOut,
        damaged: sources.filter(({ damage }) => damage !== undefined).length,
        counts,
        textBytes: sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        wireBytes,
        failed,
        content: { table },
      };
    }
  }
  const { logs, ...tally } = await mapNode(connection, { ...common, tables, pool, requests });
  return { place: "here", logCount: logs.length, ...tally, content: { logs } };
}

/** The logs a node's counts are made of. */
export function sourcesOf({ content }: AnalyzedNode): readonly SourceInfo[] {
  return "table" in content ? content.table.info.sources : content.logs.map(({ source }) => source);
}

/**
 * Leave out logs that another node has as well, as copies of an archive are: of two states of a log the longer counts.
 *
 * @returns In the order of the nodes; undefined where nothing is left.
 */
export function leaveOutShared(
  outcomes: readonly Outcome<AnalyzedNode>[],
  onNotice: (line: string) => void,
): (AnalyzedNode | undefined)[] {
  const best = new Map<string, { source: SourceInfo; node: number }>();
  for (const [node, { value }] of outcomes.entries()) {
    for (const source of value === undefined ? [] : sourcesOf(value)) {
      const known = best.get(source.headHash);
      // A table that came whole cannot be taken apart any more, so its logs stay.
      const isFixed = known !== undefined && "table" in outcomes[known.node]!.value!.content;
      if (known === undefined || (source.sizeBytes > known.source.sizeBytes && !isFixed))
        best.set(source.headHash, { source, node });
    }
  }
  return outcomes.map(({ node, value }, i) => {
    if (value === undefined) return undefined;
    const { content } = value;
    if ("table" in content) return value.logCount === 0 ? undefined : value;
    const logs = content.logs.filter(({ source }) => {
      const winner = best.get(source.headHash)!;
      if (winner.node === i) return true;
      onNotice(
        `${visible(node.name)}: left out ${quoteForMessage(source.path)}: it holds the same log as ` +
          quoteForMessage(winner.source.path),
      );
      return false;
    });
    return logs.length === 0 ? undefined : { ...value, content: { logs } };
  });
}

/** The reduced table of a node. */
export async function nodeTable({ content }: AnalyzedNode, parameters: ReductionParameters): Promise<ReducedTable> {
  return "table" in content ? content.table : await reduceNode(content.logs, parameters);
}
