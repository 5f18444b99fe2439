/**
 * A node's logs to reduced rows, by whichever way fits the node; and the tables of all nodes to one, with no log counted
 * twice.
 */
import { takeWithPauses } from "../process/pause.ts";
import { distinctLines } from "../logs/analyze.ts";
import { plural } from "../text/format.ts";
import { readRejects } from "../logs/rejects.ts";
import type { MapperPool } from "./mapper-pool.ts";
import type { Kind } from "../reduced/kinds.ts";
import { REDUCED_VERSION, toReducedRows } from "../reduced/reduced-arrow.ts";
import { ReducedBuilder, type ReducedRows } from "../reduced/reduced-builder.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { type CopyOf, findCopies, type TextQuestion } from "./find-copies.ts";
import { mapNode } from "./map-node.ts";
import { showPath } from "./list-logs.ts";
import { reduceOnNode, type RejectedLine } from "./reduce-on-node.ts";
import type { NodeWork, Outcome } from "./fleet.ts";
import { findSeams, reduceSeam, type Seam, settleSeams } from "../reduced/joined-lines.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import {
  addCounts,
  comparePaths,
  compareSources,
  type LineCounts,
  noCounts,
  type SourceInfo,
  withDropped,
} from "../events/source.ts";
import type { ReductionParameters } from "../events/scope.ts";

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
  /** Lines are held against each other afterwards: the logs are read here, and only mapped. */
  readonly dedupeLines: boolean;
  /** Logs that are copies of others, or earlier states, count as well. */
  readonly keepDuplicates: boolean;
  /** Folder here for rejected lines; undefined = they are not wanted. */
  readonly rejects: string | undefined;
  /** The logs to be counted, by path as the node has it; only a node that reduces heeds it. undefined = all. */
  readonly only?: ReadonlySet<string> | undefined;
}

/** A log of a node. */
export interface NodeLog {
  readonly source: SourceInfo;
  /** As the node has it, every byte one character. */
  readonly remotePath: string;
  /** Where it was mapped here: its event table, its rows unless lines are still to be compared, its rejected lines. */
  readonly tablePath?: string;
  readonly tableState?: string | undefined;
  readonly rows?: ReducedRows | undefined;
  readonly rejectsPath?: string | undefined;
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
  /** Logs that count. */
  readonly logs: readonly NodeLog[];
  /** Logs without any event. */
  readonly empty: readonly NodeLog[];
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
  return { ...mapped, place: "here", logCount: mapped.logs.length, table: undefined, rejects: [] };
}

/** A log of one of the nodes. */
interface FleetLog extends NodeLog {
  /** Place of the node among all. */
  readonly node: number;
}

export interface SharedOptions {
  /** Have nodes answer; none where one cannot. */
  readonly ask: (questions: readonly TextQuestion<FleetLog>[]) => Promise<readonly (Buffer | undefined)[]>;
  /** Have nodes count again, and only some of their logs, by place of the node. */
  readonly again: (
    kept: ReadonlyMap<number, ReadonlySet<string>>,
  ) => Promise<ReadonlyMap<number, Outcome<AnalyzedNode>>>;
  readonly onNotice: (line: string) => void;
  /** The same of what must not be passed over. */
  readonly onProblem: (line: string) => void;
}

/** Logs named one by one in a notice; more are counted. */
const NAMED_MAX = 3;

/**
 * Leave out logs that another node has as well, as copies of an archive are: of two states of a log the longer counts,
 * of equal ones that of the first node.
 *
 * A node that lies may say that it has any log, and count something else in its place. So a log is left out only where
 * all that it counts is among the counts of the nodes said to have it as well: then nothing is lost, whoever lied.
 *
 * @returns In the order of the nodes. A node that had to count again and failed has failed.
 */
export async function leaveOutShared(
  outcomes: readonly Outcome<AnalyzedNode>[],
  { ask, again, onNotice, onProblem }: SharedOptions,
): Promise<Outcome<AnalyzedNode>[]> {
  const logs = outcomes.flatMap(({ value }, node) => (value?.logs ?? []).map((log): FleetLog => ({ ...log, node })));
  // On one node they are compared already.
  const shared = [...Map.groupBy(logs, ({ source }) => source.headHash).values()].filter(family =>
    family.some(({ node }) => node !== family[0]!.node),
  );
  const copies = await findCopies(shared.flat(), ask, (log, longer) => {
    const names = [log, longer].map(({ source }) => quoteForMessage(source.path));
    onNotice(`${names[0]} may hold the beginning of ${names[1]}, which could not be found out: both count`);
  });
  const copiesOf = Map.groupBy(copies, ([{ node }]) => node);
  /** Tell what is left out of a node, or why it is not: some rows less others are what its copies count. */
  const isCovered = (i: number, more: CountedRows, less: CountedRows): boolean => {
    const list = copiesOf.get(i)!;
    const name = visible(outcomes[i]!.node.name);
    const winners = Map.groupBy(list, ([, { original }]) => original.node);
    const others = [...winners.keys()].flatMap(winner => rowsOf(outcomes[winner]!.value!));
    // A line that a rotation has cut may be counted with what is left out, or not.
    const cutLines = list.filter(([{ source }]) => source.head !== undefined || source.tail !== undefined).length;
    const lacking = countLacking(more, [...less, ...others]);
    if (lacking > cutLines) {
      const names = [...winners.keys()].map(winner => visible(outcomes[winner]!.node.name)).join(", ");
      onProblem(
        `${name}: ${plural(list.length, "log")} that ${names} would hold as well, ${quoteForMessage(showPath(list[0]![0].remotePath))} ` +
          `the first: the counts there lack ${plural(lacking, "event")} of them, so both count`,
      );
      return false;
    }
    for (const [winner, group] of winners) tellShared(name, visible(outcomes[winner]!.node.name), group, onNotice);
    return true;
  };
  const settled = [...outcomes];
  const recounted = new Map<number, readonly NodeLog[]>();
  for (const [i, list] of copiesOf) {
    const { node, seconds } = outcomes[i]!;
    const value = outcomes[i]!.value!;
    const left = new Set(list.map(([{ remotePath }]) => remotePath));
    const kept = value.logs.filter(({ remotePath }) => !left.has(remotePath));
    // What was added up over there cannot be taken apart here.
    if (kept.length > 0 && value.table !== undefined) recounted.set(i, kept);
    else if (isCovered(i, value.table === undefined ? list.map(([log]) => log.rows) : rowsOf(value), [])) {
      settled[i] = { node, seconds, value: withoutLogs(value, kept) };
    }
  }
  if (recounted.size === 0) return settled;
  const pathsOf = (kept: readonly NodeLog[]) => new Set(kept.map(({ remotePath }) => remotePath));
  const fresh = await again(new Map([...recounted].map(([i, kept]) => [i, pathsOf(kept)])));
  for (const [i, outcome] of fresh) {
    const { node, seconds, value } = outcome;
    const first = outcomes[i]!.value!;
    const heads = (logs: readonly NodeLog[]) => logs.map(({ source }) => source.headHash).sort().join();
    if (value === undefined) {
      settled[i] = outcome;
    } else if (heads(value.logs) !== heads(recounted.get(i)!)) {
      settled[i] = { node, seconds, error: "its logs were renamed while they were read" };
    } else {
      const { leftOut, rejects } = withoutLogs(first, recounted.get(i)!);
      const wireBytes = first.wireBytes + value.wireBytes;
      if (!isCovered(i, rowsOf(first), rowsOf(value))) {
        settled[i] = { node, seconds, value: { ...first, wireBytes } };
        continue;
      }
      settled[i] = { node, seconds: outcomes[i]!.seconds + seconds, value: { ...value, leftOut, rejects, wireBytes } };
    }
  }
  return settled;
}

/** Undefined are those of logs whose lines are held against each other one by one. */
type CountedRows = readonly (ReducedRows | undefined)[];

/** All that a node counts, but for lines that are joined only later. */
function rowsOf({ table, logs }: AnalyzedNode): CountedRows {
  return table === undefined ? logs.map(({ rows }) => rows) : [toReducedRows(table)];
}

/** Kinds whose rows hang together with other logs of the node, or with its own limit for robots. */
const NOT_ADDED_UP: ReadonlySet<Kind> = new Set(["session_closed", "last_command", "pre_disconnect_command"]);

/** Events in some rows that are not among those of others; of the kind of which there are most. */
function countLacking(some: CountedRows, others: CountedRows): number {
  const builder = new ReducedBuilder();
  for (const rows of some) if (rows !== undefined) builder.add(rows);
  for (const rows of others) if (rows !== undefined) builder.add(negated(rows));
  let most = 0;
  for (const { kind, count, success } of Object.values(builder.toRows().kinds)) {
    if (NOT_ADDED_UP.has(kind)) continue;
    for (const column of [count, success]) most = Math.max(most, column.reduce((sum, n) => sum + Math.max(0, n), 0));
  }
  return most;
}

function negated({ texts, kinds }: ReducedRows): ReducedRows {
  const minus = (column: Float64Array) => column.map(n => -n);
  const tables = Object.values(kinds).map(table => [
    table.kind,
    { ...table, count: minus(table.count), success: minus(table.success) },
  ]);
  return { texts, kinds: Object.fromEntries(tables) as ReducedRows["kinds"] };
}

/** A node of which only some logs count. */
function withoutLogs(value: AnalyzedNode, kept: readonly NodeLog[]): AnalyzedNode {
  const counts = { ...value.counts };
  const left = new Set<string>();
  const isKept = new Set(kept);
  let { textBytes } = value;
  for (const log of value.logs) {
    if (isKept.has(log)) continue;
    left.add(log.source.path);
    textBytes -= log.source.sizeBytes;
    addCounts(counts, log.source.counts, -1);
  }
  return {
    ...value,
    counts,
    textBytes,
    logCount: kept.length,
    leftOut: value.leftOut + value.logs.length - kept.length,
    logs: kept,
    table: undefined,
    rejects: value.rejects.filter(({ path }) => !left.has(path)),
  };
}

function tellShared(
  node: string,
  winner: string,
  group: readonly (readonly [FleetLog, CopyOf<FleetLog>])[],
  onNotice: (line: string) => void,
): void {
  if (group.length <= NAMED_MAX) {
    for (const [{ remotePath }, { original, how }] of group) {
      const names = [remotePath, original.remotePath].map(path => quoteForMessage(showPath(path)));
      onNotice(`${node}: left out ${names[0]}: it holds ${how} ${names[1]} of ${winner}`);
    }
    return;
  }
  const named = group.slice(0, NAMED_MAX).map(([{ remotePath }]) => quoteForMessage(showPath(remotePath)));
  onNotice(
    `${node}: left out ${plural(group.length, "log")} that ${winner} holds as well, ` +
      `${named.join(", ")} and ${group.length - NAMED_MAX} more`,
  );
}

/** What is told of nodes once their counts are in the tables: the counts may go. */
export function withoutCounts(outcomes: readonly Outcome<AnalyzedNode>[]): Outcome<AnalyzedNode>[] {
  return outcomes.map(outcome => {
    const { value } = outcome;
    if (value === undefined) return outcome;
    const logs = value.logs.map(log => ({ ...log, rows: undefined }));
    return { node: outcome.node, seconds: outcome.seconds, value: { ...value, logs, table: undefined } };
  });
}

/** The table of a node, and the lines that were joined for it. */
export interface NodeTable {
  /** Place of the node among all. */
  readonly node: number;
  readonly table: ReducedTable;
  readonly seams: readonly Seam[];
}

/**
 * The reduced table of each node of which something is left, in their order.
 *
 * @param nodes Is emptied on the way: nobody else need hold the counts of all nodes and their tables at once.
 * @param parametersOf By place of the node.
 */
export async function* takeNodeTables(
  nodes: (AnalyzedNode | undefined)[],
  parametersOf: (node: number) => ReductionParameters,
): AsyncGenerator<NodeTable> {
  // A line counts where it stands first in all logs of all nodes.
  const unread = nodes
    .flatMap((value, node) => (value?.logs ?? []).map((log): FleetLog => ({ ...log, node })))
    .filter(({ node, rows }) => rows === undefined && nodes[node]!.table === undefined)
    .sort((a, b) => compareSources(a.source, b.source));
  const distinct = new Map<number, ReducedBuilder>();
  const walked = distinctLines(
    unread.map(log => ({ ...log, tablePath: log.tablePath, tableState: log.tableState })),
    ({ node }) => parametersOf(node),
  );
  const counts = new Map<SourceInfo, LineCounts>();
  for await (const { log, rows, dropped } of walked) {
    const builder = distinct.get(log.node) ?? new ReducedBuilder();
    distinct.set(log.node, builder);
    builder.add(rows);
    counts.set(log.source, withDropped(log.source.counts, dropped));
  }
  for (let node = 0; node < nodes.length; node++) {
    const value = nodes[node];
    nodes[node] = undefined;
    if (value === undefined || value.logs.length === 0) continue;
    const builder = distinct.get(node) ?? new ReducedBuilder();
    distinct.delete(node);
    const logs = value.logs.map(log => ({
      ...log,
      source: { ...log.source, counts: counts.get(log.source) ?? log.source.counts },
    }));
    yield { node, ...(await makeNodeTable({ ...value, logs }, builder, parametersOf(node))) };
  }
}

async function makeNodeTable(
  { table, logs }: AnalyzedNode,
  builder: ReducedBuilder,
  parameters: ReductionParameters,
): Promise<Omit<NodeTable, "node">> {
  if (table !== undefined) return { table, seams: [] };
  const sources = logs.map(({ source }) => source).sort(compareSources);
  for (const source of sources) builder.addSource(source);
  for (const { rows } of logs) if (rows !== undefined) builder.add(rows);
  const seams = await findSeams(sources);
  for (const seam of seams) builder.add(await reduceSeam(seam, parameters));
  const info = { version: REDUCED_VERSION, parameters, sources: settleSeams(sources, seams) };
  return { table: await takeWithPauses(builder.calculate(info)), seams };
}

/** Adds up the tables of nodes; what two of them share and is to count once must have been left out. */
export class FleetTable {
  readonly #builder = new ReducedBuilder();
  readonly #sources: SourceInfo[] = [];

  /** Tell whether no node has been added. */
  get isEmpty(): boolean {
    return this.#sources.length === 0;
  }

  add(table: ReducedTable): void {
    for (const source of table.info.sources) this.#builder.addSource(source);
    for (const source of table.info.sources) this.#sources.push(source);
    this.#builder.add(toReducedRows(table));
  }

  finish(parameters: ReductionParameters): Promise<ReducedTable> {
    return takeWithPauses(this.#builder.calculate({ version: REDUCED_VERSION, parameters, sources: this.#sources }));
  }
}

/** Rejected lines of a node as JSON, one a line with its LF. */
export async function* rejectsOf(
  { logs, empty, rejects }: AnalyzedNode,
  seams: readonly Seam[],
): AsyncGenerator<string> {
  for (const { json } of rejects) yield json;
  const mapped = [...logs, ...empty].sort((a, b) => comparePaths(a.remotePath, b.remotePath));
  yield* readRejects(
    mapped.map(({ source, rejectsPath }) => ({ path: source.path, rejectsPath })),
    seams,
  );
}
