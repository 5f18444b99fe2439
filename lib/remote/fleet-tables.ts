/**
 * What nodes have counted, added up: a table for each, one for all, and the rejected lines.
 *
 * Tested in `test/scripts/analyze-remote.test.ts` and `analyze-remote-logs.test.ts`.
 */
import { takeWithPauses } from "../process/pause.ts";
import { distinctLines } from "../logs/analyze.ts";
import { readRejects } from "../logs/rejects.ts";
import { REDUCED_VERSION } from "../reduced/kinds.ts";
import { toReducedRows } from "../reduced/reduced-arrow.ts";
import { ReducedBuilder } from "../reduced/reduced-builder.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { Outcome } from "./fleet.ts";
import { findSeams, reduceSeam, type Seam, settleSeams } from "../reduced/joined-lines.ts";
import { comparePaths, compareSources, type LineCounts, type SourceInfo, withDropped } from "../events/source.ts";
import type { ReductionParameters } from "../events/scope.ts";
import type { AnalyzedNode } from "./analyze-node.ts";
import type { FleetLog } from "./shared-logs.ts";

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
interface NodeTable {
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
async function* takeNodeTables(
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
class FleetTable {
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

export interface AddedNodes {
  readonly whole: FleetTable;
  /** By place of the node. */
  readonly seams: readonly (readonly Seam[])[];
  /** Tables in which nothing is counted, not written: where no node has an event, nothing is. */
  readonly withoutEvents: readonly (readonly [node: number, table: ReducedTable])[];
}

/**
 * Write the table of each node, and add up all of them; the files of one go to the disk while the next is added up.
 *
 * @param nodes Is emptied on the way.
 */
export async function addUpNodes(
  nodes: (AnalyzedNode | undefined)[],
  {
    parametersOf,
    writeNode,
  }: {
    readonly parametersOf: (node: number) => ReductionParameters;
    readonly writeNode: (node: number, table: ReducedTable) => Promise<void>;
  },
): Promise<AddedNodes> {
  const whole = new FleetTable();
  const seams: (readonly Seam[])[] = [];
  const withoutEvents: (readonly [number, ReducedTable])[] = [];
  let writing: Promise<void> = Promise.resolve();
  for await (const made of takeNodeTables(nodes, parametersOf)) {
    whole.add(made.table);
    seams[made.node] = made.seams;
    await writing;
    if (made.table.kinds.event.rows === 0) {
      withoutEvents.push([made.node, made.table]);
      continue;
    }
    writing = writeNode(made.node, made.table);
    writing.catch(() => {
      // Met where it is awaited.
    });
  }
  await writing;
  return { whole, seams, withoutEvents };
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
