#!/usr/bin/env bun
/**
 * From the logs of many nodes to exact counts and two reports: analyze-local, for sensors that are elsewhere.
 *
 * A node needs nothing but a shell. No log is written here; memory grows with the number of distinct values.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { EXIT, type ExitCode, note, onStop, runMain, writeOut } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, type OptionValues, UsageError } from "../lib/process/command.ts";
import { checkNames } from "../lib/process/option-values.ts";
import { parseCommand } from "../lib/process/options.ts";
import { keyProblem } from "../lib/process/kept-files.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import {
  DAMAGED_EXIT,
  EVENT_OPTIONS,
  exitCodeOf,
  LINE_OPTIONS,
  noteRejects,
  READ_OPTIONS,
  readScope,
  REDUCTION_OPTIONS,
} from "../lib/logs/log-options.ts";
import { MapperPool } from "../lib/remote/mapper-pool.ts";
import { type Node, perNode } from "../lib/remote/nodes.ts";
import { openOrigins, ORIGIN_OPTION } from "../lib/origin/origins.ts";
import { assertWritable, type OutputFile, OutputSet } from "../lib/process/output-file.ts";
import { reducedToIpc } from "../lib/reduced/reduced-arrow.ts";
import { reducedToJson } from "../lib/reduced/reduced-json.ts";
import type { ReducedTable } from "../lib/reduced/reduced-table.ts";
import { type AnalyzedNode, analyzeNode, REDUCE_PLACES } from "../lib/remote/analyze-node.ts";
import { addUpNodes, rejectsOf, withoutCounts } from "../lib/remote/fleet-tables.ts";
import { askNodes, leaveOutShared } from "../lib/remote/shared-logs.ts";
import { removeSetup } from "../lib/remote/node-bun.ts";
import {
  describeTarget,
  nodeFolder,
  type NodeWork,
  openFleet,
  type Outcome,
  REMOTE_OPTIONS,
  resolveTargets,
  type Target,
} from "../lib/remote/fleet.ts";
import { type ReportPaths, reportPaths } from "../lib/pages/page-names.ts";
import {
  addUp,
  describeNode,
  limitsOf,
  noteDamaged,
  noteMissing,
  summaryText,
  toSummary,
} from "../lib/pages/fleet-summary.ts";
import { REPORT_OPTIONS, writeChunks, writeReports } from "../lib/pages/run-reports.ts";
import type { Seam } from "../lib/reduced/joined-lines.ts";
import { toSafeJson } from "../lib/text/text.ts";
import type { EventScope, ReductionParameters } from "../lib/events/scope.ts";
import { cacheFolder } from "../lib/process/user-folders.ts";

const OPTIONS = {
  ...REMOTE_OPTIONS,
  reduceOn: {
    type: "choice",
    choices: REDUCE_PLACES,
    default: "auto",
    help:
      "Where logs become counts: node, by Bun there, so that only counts travel; here, from logs that travel packed; auto: on " +
      "the nodes that have Bun, by --setup or by themselves, else here. The counts are the same.",
  },
  setup: {
    type: "boolean",
    short: "r",
    repeatable: true,
    help: "Put this Bun and the reducer into ~/.cache/cowrie-longitudinal of the nodes, some 100 MB, and use them.",
  },
  removeSetup: { type: "boolean", help: "Take away what --setup has put there, and do nothing else." },
  logfile: {
    type: "path",
    short: "f",
    defaultText: "reduced.json beside the report",
    help:
      "Counts of all nodes as JSON, cut to the top n; the full counts go beside it under the same name with .arrow, those " +
      "of each node as NODE_reduced.json and .arrow.",
  },
  outfile: {
    type: "path",
    short: "o",
    default: "result.html",
    help:
      "Report; stats.html, what changed, goes beside it (ams-stats.html and ams-reduced.json beside ams.html). Chains of commands and single sessions are in that of " +
      "analyze-local alone, which has the logs.",
  },
  topNEvents: {
    type: "count",
    short: "n",
    repeatable: true,
    help: "Entries shown per kind; 0 = all. Once for all nodes, or once per -i; the files of all nodes take the largest.",
    defaultText: "5",
  },
  ...REPORT_OPTIONS,
  ...ORIGIN_OPTION,
  mode: {
    ...READ_OPTIONS.mode,
    help: "c continues: what is here and has not changed is not fetched again; w fetches and reads every log again.",
  },
  mappedDir: {
    ...READ_OPTIONS.mappedDir,
    help: "Folder of the event tables of logs that were read here, and of the counts that nodes have sent.",
    defaultText: "in the user's cache folder",
  },
  jobs: { ...COMMON_OPTIONS.jobs, help: "Logs read here at the same time." },
  ...EVENT_OPTIONS,
  robotMaxSeconds: REDUCTION_OPTIONS.robotMaxSeconds,
  dedupeLines: {
    type: "boolean",
    help:
      "Count a line once that stands in several logs, byte for byte, on one node or on several; logs are read here then.",
  },
  keepDuplicates: {
    type: "boolean",
    help: "Count logs that are copies, or earlier states, of others as well, on one node or on several.",
  },
  ...LINE_OPTIONS,
  wait: COMMON_OPTIONS.wait,
} as const;
type Values = OptionValues<typeof OPTIONS>;

export const COMMAND = {
  name: "analyze-remote",
  summary: "From the Cowrie logs of many nodes, over SSH, to exact counts and two HTML reports.",
  options: OPTIONS,
  writes:
    "reduced.arrow (full counts of all nodes), reduced.json (top n), result.html, stats.html, and per node NODE_reduced.arrow " +
    "and .json; event tables and counts of nodes in the cache folder, by which the next run fetches only what is new. Nothing stays on a node " +
    "unless --setup is given. Nothing on stdout but with --json or --dry-run.",
  exits: {
    ok: "every log of every node was read",
    failed:
      "a node or a log could not be read; the report says which nodes are missing, and the counts hold all the others",
    more: [DAMAGED_EXIT],
  },
  examples: [
    {
      does: "What would be done on two honeypots; without --dry-run it is done",
      run: "bun scripts/analyze-remote.ts -i 203.0.113.5 -i 203.0.113.9 -u root -p 2112 --dry-run",
    },
    {
      does: "The European part of a fleet out of a file",
      run: "bun scripts/analyze-remote.ts --nodes test/fixtures/sensors.toml --only eu -o result.html --dry-run",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values } = parseCommand(COMMAND, argv);
  const startMs = performance.now();
  const scope = await readScope(values);
  const targets = await resolveTargets(values);
  const topN = perNode("--top-n-events", values.topNEvents, targets.length).map(n => n ?? 5);
  checkSetup(values, targets.length);
  if (values.dryRun) return await tellPlan(targets, values);
  if (values.removeSetup) return await removeFrom(targets, values);

  const origins = openOrigins(values);
  const files = reportPaths(values.outfile, values.logfile);
  const nodeFiles = targets.map(({ node }) => nodePaths(files, node));
  const rejects = values.rejects === undefined ? [] : [values.rejects];
  await assertWritable([...Object.values(files), ...nodeFiles.flatMap(({ json, arrow }) => [json, arrow]), ...rejects]);
  await using _lock = await lockOutputs([...Object.values(files), ...rejects], { waitSeconds: values.wait });

  using scratch = values.rejects === undefined ? undefined : makeScratch();
  const onNotice = (line: string) => {
    if (!values.quiet) note(line);
  };
  const { nodes, outcomes } = await readNodes({ targets, values, scope, scratch: scratch?.path, onNotice });
  const missing = outcomes.flatMap(({ node, error }) => (error === undefined ? [] : [{ name: node.name, error }]));
  const writeNode = (node: number, table: ReducedTable) => writeCounts(nodeFiles[node]!, table, topN[node]!);
  const { whole, seams, withoutEvents } = await addUpNodes(nodes, {
    parametersOf: i => parametersOf(scope, robotsOf(targets[i]!.node, values)),
    writeNode,
  });
  if (whole.isEmpty) {
    if (values.quiet) noteMissing(missing);
    const what = outcomes.length === 1 ? "the only node" : `any of ${outcomes.length} nodes`;
    throw new Error(`Cannot read ${what}${missing.length > 0 ? "" : ": none holds a Cowrie event"}`);
  }
  // What is left of the nodes' tables, and then of the sum, is given back before as much is needed again.
  Bun.gc(true);
  const table = await whole.finish({ ...parametersOf(scope, values.robotMaxSeconds), ...otherRobots(outcomes, values) });
  Bun.gc(true);
  const strangers = missing.length > 0 ? [] : findStrangers(scope, table.dictionaries.sensor);
  for (const line of strangers) note(line);
  if (table.kinds.event.rows === 0) {
    throw new Error("Cannot find an event of the days and sensors asked for: see --since, --until and --sensor");
  }
  for (const [node, nodeTable] of withoutEvents) await writeNode(node, nodeTable);
  await using set = new OutputSet();
  const widestTopN = topN.includes(0) ? 0 : Math.max(...topN);
  const limits = limitsOf(outcomes);
  const { statistics } = await writeReports(set, { counted: { table }, files, topN: widestTopN, values, limits, origins, onLimit: onNotice });
  if (values.rejects !== undefined) await writeRejects(await set.open(values.rejects), outcomes, seams);
  await set.commit();

  const seconds = (performance.now() - startMs) / 1000;
  if (values.json) await writeOut(`${toSafeJson(toSummary(outcomes, table, seconds, files))}\n`);
  if (!values.quiet) note(summaryText(outcomes, table, statistics, seconds, files));
  noteRejects(COMMAND.name, addUp(outcomes, table), values.rejects);
  if (values.quiet) noteMissing(missing);
  if (values.quiet) noteDamaged(outcomes);
  return strangers.length > 0 || !isWhole(outcomes, values.strict) ? EXIT.failed : exitCodeOf(addUp(outcomes, table));
}

/** Whether every log of every node was read; where that is strict, without a rejected line. */
function isWhole(outcomes: readonly Outcome<AnalyzedNode>[], isStrict: boolean): boolean {
  return outcomes.every(({ value }) => value !== undefined && value.failed.length === 0 && !(isStrict && value.counts.rejected > 0));
}

/** A folder that is gone when the run is. */
function makeScratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "cowrie-"));
  const remove = () => rmSync(path, { recursive: true, force: true });
  onStop(remove);
  return { path, [Symbol.dispose]: remove };
}

/** @throws {UsageError} if a node would count by itself what must be compared with other nodes' lines. */
function checkSetup({ setup, dedupeLines, reduceOn }: Values, nodes: number): void {
  perNode("--setup", setup, nodes);
  if (!dedupeLines || (reduceOn !== "node" && setup.length === 0)) return;
  const flag = reduceOn === "node" ? "--reduce-on node" : "--setup";
  throw new UsageError(`Cannot use --dedupe-lines with ${flag}: lines of all nodes are compared here`);
}

/** What would be done, a line a node. */
async function tellPlan(targets: readonly Target[], { removeSetup: isRemoving, reduceOn, setup }: Values): Promise<ExitCode> {
  const where = isRemoving ? "remove what --setup left" : `reduce on ${reduceOn}`;
  const what = `${where}${setup.length > 0 ? ", with --setup" : ""}`;
  await writeOut(targets.map(target => `${describeTarget(target, what)}\n`).join(""));
  return targets.every(({ error }) => error === undefined) ? EXIT.ok : EXIT.failed;
}

interface NodeFiles {
  readonly json: string;
  readonly arrow: string;
}

/** The counts of a node lie beside those of all. */
function nodePaths(files: ReportPaths, node: Node): NodeFiles {
  const stem = join(dirname(files.json), `${node.name}_reduced`);
  return { json: `${stem}.json`, arrow: `${stem}.arrow` };
}

async function writeCounts({ json, arrow }: NodeFiles, table: ReducedTable, topN: number): Promise<void> {
  await using set = new OutputSet();
  await writeChunks(set, arrow, reducedToIpc(table));
  await writeChunks(set, json, reducedToJson(table, topN));
  await set.commit();
}

async function writeRejects(
  output: OutputFile,
  outcomes: readonly Outcome<AnalyzedNode>[],
  seams: readonly (readonly Seam[])[],
): Promise<void> {
  for (const [i, { value }] of outcomes.entries()) {
    if (value === undefined) continue;
    for await (const line of rejectsOf(value, seams[i] ?? [])) await output.write(line);
  }
}

/** What reading the nodes needs. */
interface Reading {
  readonly targets: readonly Target[];
  readonly values: Values;
  readonly scope: EventScope;
  /** Folder for rejected lines, where they are wanted. */
  readonly scratch: string | undefined;
  readonly onNotice: (line: string) => void;
}

const robotsOf = ({ robotMaxSeconds }: Node, values: Values) => robotMaxSeconds ?? values.robotMaxSeconds;

/**
 * Count the logs of all nodes, each log once. Connections and threads end with it: their memory is needed then.
 *
 * @returns By place of the node: its counts, and what became of it without them.
 */
async function readNodes(reading: Reading) {
  const { targets, values, onNotice } = reading;
  using pool = new MapperPool(values.jobs ?? availableParallelism());
  await using fleet = await openFleet(targets, values);
  const problem = keyProblem();
  if (problem !== undefined) onNotice(problem);
  const analyze = nodeAnalyzer(reading, pool);
  let gathered = await fleet.run(targets, at => analyze(at), describeNode);
  if (!values.keepDuplicates) {
    gathered = await leaveOutShared(gathered, {
      onNotice,
      onProblem: note,
      ask: questions => askNodes(fleet, targets, questions, values.sudo),
      async again(kept) {
        const again = [...kept.keys()];
        const results = await fleet.run(
          again.map(i => targets[i]!),
          at => analyze(at, kept.get(targets.findIndex(({ node }) => node === at.node))),
          describeNode,
        );
        return new Map(again.map((i, place) => [i, results[place]!]));
      },
    });
  }
  return { nodes: gathered.map(({ value }) => value), outcomes: withoutCounts(gathered) };
}

/** How a node is read, and of its logs only some. */
function nodeAnalyzer({ targets, values, scope, scratch }: Reading, pool: MapperPool) {
  const tables = values.mappedDir ?? cacheFolder("remote");
  const jobs = values.jobs ?? availableParallelism();
  return (at: NodeWork, only?: ReadonlySet<string>): Promise<AnalyzedNode> =>
    analyzeNode(at, {
      place: values.reduceOn,
      hasSetup: values.setup.length > 0,
      tables: nodeFolder(tables, at.node),
      sudo: values.sudo,
      parameters: parametersOf(scope, robotsOf(at.node, values)),
      isFresh: values.mode === "w",
      pool,
      requests: Math.max(1, Math.ceil(jobs / Math.min(targets.length, values.parallel))),
      dedupeLines: values.dedupeLines,
      keepDuplicates: values.keepDuplicates,
      // Each attempt has a folder of its own.
      rejects: scratch && mkdtempSync(join(scratch, "node-")),
      only,
    });
}

/**
 * Sensors asked for that no node has, a line each.
 *
 * Of some days alone nothing can be said: only events of these days were counted.
 *
 * @throws {UsageError} if all that were asked for are unknown.
 */
function findStrangers({ sensors = [], sinceDay, untilDay }: EventScope, known: readonly string[]): string[] {
  return sinceDay === undefined && untilDay === undefined ? checkNames("sensor", sensors, known) : [];
}

function parametersOf(scope: EventScope, robotMaxSeconds: number): ReductionParameters {
  return { ...scope, robotMaxSeconds };
}

/** Take away what --setup has left on the nodes. */
async function removeFrom(targets: readonly Target[], values: Values): Promise<ExitCode> {
  await using fleet = await openFleet(targets, values);
  const outcomes = await fleet.run(
    targets,
    ({ connection }) => removeSetup(connection, values.sudo),
    removed => (removed ? "removed" : "nothing there"),
  );
  return outcomes.every(({ error }) => error === undefined) ? EXIT.ok : EXIT.failed;
}

/** The nodes whose robots were told by another limit than the common one. */
function otherRobots(
  outcomes: readonly Outcome<AnalyzedNode>[],
  { robotMaxSeconds: common }: Values,
): Pick<ReductionParameters, "robotMaxSecondsOf"> {
  const others = outcomes.flatMap(({ node: { name, robotMaxSeconds }, value }) =>
    value === undefined || robotMaxSeconds === undefined || robotMaxSeconds === common
      ? []
      : [[name, robotMaxSeconds] as const],
  );
  return others.length === 0 ? {} : { robotMaxSecondsOf: Object.fromEntries(others) };
}

if (import.meta.main) await runMain(COMMAND.name, main);
