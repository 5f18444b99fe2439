/** Logs that several nodes have, or say they have: each counts once, and no node takes it from another. */
import { plural } from "../text/format.ts";
import type { Kind } from "../reduced/kinds.ts";
import { toReducedRows } from "../reduced/reduced-arrow.ts";
import { ReducedBuilder, type ReducedRows } from "../reduced/reduced-builder.ts";
import { answerQuestions, type CopyOf, describeUnproven, findCopies, type TextQuestion } from "./find-copies.ts";
import { showPath } from "./list-logs.ts";
import type { Fleet, Outcome, Target } from "./fleet.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import { addCounts } from "../events/source.ts";
import type { AnalyzedNode, NodeLog } from "./analyze-node.ts";

export interface FleetLog extends NodeLog {
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
  const copies = await findCopies(shared.flat(), ask, (log, longer) => onNotice(describeUnproven(log, longer)));
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
    settled[i] = settleRecounted(outcomes[i]!, outcome, recounted.get(i)!, (first, now) => isCovered(i, rowsOf(first), rowsOf(now)));
  }
  return settled;
}

/**
 * What a node has counted again without some of its logs.
 *
 * @param kept The logs it was to count.
 * @param isCovered Whether what it counts less now is counted elsewhere; else all it counted first stays.
 */
function settleRecounted(
  before: Outcome<AnalyzedNode>,
  outcome: Outcome<AnalyzedNode>,
  kept: readonly NodeLog[],
  isCovered: (first: AnalyzedNode, now: AnalyzedNode) => boolean,
): Outcome<AnalyzedNode> {
  const { node, seconds, value } = outcome;
  const first = before.value!;
  const heads = (logs: readonly NodeLog[]) => logs.map(({ source }) => source.headHash).sort().join();
  if (value === undefined) return outcome;
  if (heads(value.logs) !== heads(kept)) return { node, seconds, error: "its logs were renamed while they were read" };
  const { leftOut, rejects } = withoutLogs(first, kept);
  const wireBytes = first.wireBytes + value.wireBytes;
  if (!isCovered(first, value)) return { node, seconds, value: { ...first, wireBytes } };
  return { node, seconds: before.seconds + seconds, value: { ...value, leftOut, rejects, wireBytes } };
}

/** Put questions about logs to the nodes that have them; a node that fails answers none. */
export async function askNodes<Log extends { readonly node: number; readonly remotePath: string }>(
  fleet: Fleet,
  targets: readonly Target[],
  questions: readonly TextQuestion<Log>[],
  sudo: boolean,
): Promise<(Buffer | undefined)[]> {
  const byNode = Map.groupBy(questions, ({ log }) => log.node);
  const nodes = [...byNode.keys()];
  const outcomes = await fleet.run(
    nodes.map(i => targets[i]!),
    ({ connection, node, show }) => {
      show("comparing logs");
      return answerQuestions(connection, byNode.get(targets.findIndex(target => target.node === node))!, sudo);
    },
    () => undefined,
  );
  const answers = new Map<TextQuestion<Log>, Buffer | undefined>();
  for (const [place, i] of nodes.entries()) {
    for (const [at, question] of byNode.get(i)!.entries()) answers.set(question, outcomes[place]!.value?.[at]);
  }
  return questions.map(question => answers.get(question));
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

function negated({ texts, sets, kinds }: ReducedRows): ReducedRows {
  const minus = (column: Float64Array) => column.map(n => -n);
  const tables = Object.values(kinds).map(table => [
    table.kind,
    { ...table, count: minus(table.count), success: minus(table.success) },
  ]);
  return { texts, sets, kinds: Object.fromEntries(tables) as ReducedRows["kinds"] };
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
