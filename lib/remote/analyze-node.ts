/**
 * A node's logs to reduced rows, by whichever way fits the node.
 *
 * Tested in `test/scripts/analyze-remote.test.ts`.
 */
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { type MapNodeOptions, type MappedNode, type MappedRemoteLog, mapNode } from "./map-node.ts";
import { reduceOnNode, type ReduceOnNodeOptions, type RejectedLine } from "./reduce-on-node.ts";
import type { NodeWork } from "./fleet.ts";
import { addCounts, noCounts } from "../events/source.ts";

/** Where logs become counts. */
export const REDUCE_PLACES = ["auto", "node", "here"] as const;
export type ReducePlace = (typeof REDUCE_PLACES)[number];

export interface AnalyzeNodeOptions
  extends Pick<MapNodeOptions, "tables" | "sudo" | "parameters" | "isFresh" | "pool" | "requests" | "keepDuplicates" | "rejects">,
    Pick<ReduceOnNodeOptions, "hasSetup"> {
  readonly place: ReducePlace;
  /** Lines are held against each other afterwards: the logs are read here, and only mapped. */
  readonly dedupeLines: boolean;
  /** As `ReduceOnNodeOptions` has it; only a node that reduces heeds it. */
  readonly only?: ReduceOnNodeOptions["only"];
}

/** What stands beside its source tells where it was mapped here, if it was; no rows where lines are still to be compared. */
export type NodeLog = Pick<MappedRemoteLog, "source" | "remotePath"> & Partial<MappedRemoteLog>;

/** What was learnt of a node, whoever mapped its logs. */
export interface AnalyzedNode extends Omit<MappedNode, "logs" | "empty"> {
  readonly place: "node" | "here";
  readonly logCount: number;
  /** Logs that count. */
  readonly logs: readonly NodeLog[];
  /** Logs without any event. */
  readonly empty: readonly NodeLog[];
  /** It says that it has such logs, and not which. */
  readonly hasEmpty: boolean;
  /** What was made of the logs over there. */
  readonly table: ReducedTable | undefined;
  /** Rejected lines that came with it. */
  readonly rejects: readonly RejectedLine[];
}

/** Analyze the logs of a node. */
export async function analyzeNode(
  { node, connection, show, note }: NodeWork,
  options: AnalyzeNodeOptions,
): Promise<AnalyzedNode> {
  const { place, hasSetup, sudo, parameters, isFresh, keepDuplicates, pool, requests, tables } = options;
  const { dedupeLines, rejects } = options;
  const common = { name: node.name, paths: node.logPaths, sudo, parameters, isFresh, keepDuplicates, show, note };
  if (place !== "here" && !dedupeLines) {
    const reduced = await reduceOnNode(connection, {
      ...common,
      isRequired: place === "node",
      hasSetup,
      only: options.only,
      wantsRejects: rejects !== undefined,
      // No name of a node or a log holds such a mark; a part of the logs has a place of its own.
      kept: `${tables}~counts${options.only === undefined ? "" : "-some"}`,
    });
    if (reduced !== undefined) {
      const { logs } = reduced;
      const counts = noCounts();
      for (const { source } of logs)
        addCounts(counts, source.counts);
      return {
        ...reduced,
        place: "node",
        logCount: logs.length,
        reused: reduced.isReused ? logs.length : 0,
        damaged: logs.filter(({ source }) => source.damage !== undefined).length,
        counts,
        textBytes: logs.reduce((sum, { source }) => sum + source.sizeBytes, 0),
        empty: [],
      };
    }
  }
  const mapped = await mapNode(connection, { ...common, tables, pool, requests, rejects, hasLineHashes: dedupeLines });
  return { ...mapped, hasEmpty: false, place: "here", logCount: mapped.logs.length, table: undefined, rejects: [] };
}
