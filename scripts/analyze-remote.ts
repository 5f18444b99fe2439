#!/usr/bin/env bun
/**
 * From the logs of many nodes to exact counts and two reports: analyze-local, for sensors that are elsewhere.
 *
 * A node needs nothing but a shell. No log is written here; memory grows with the number of distinct values.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  checkNames,
  type Command,
  COMMON_OPTIONS,
  EXIT,
  type ExitCode,
  note,
  onStop,
  type OptionValues,
  parseCommand,
  runMain,
  UsageError,
  writeOut,
} from "../lib/process/cli.ts";
import { formatBytes, formatNumber, plural } from "../lib/text/format.ts";
import { keyProblem } from "../lib/process/kept-files.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import {
  DAMAGED_EXIT,
  EVENT_OPTIONS,
  exitCodeOf,
  LINE_OPTIONS,
  type LogTally,
  noteRejects,
  READ_OPTIONS,
  readScope,
  REDUCTION_OPTIONS,
} from "../lib/logs/log-options.ts";
import { MapperPool } from "../lib/remote/mapper-pool.ts";
import { type Node, perNode } from "../lib/remote/nodes.ts";
import { assertWritable, OutputSet } from "../lib/process/output-file.ts";
import { reducedToIpc } from "../lib/reduced/reduced-arrow.ts";
import { reducedToJson } from "../lib/reduced/reduced-json.ts";
import type { ReducedTable } from "../lib/reduced/reduced-table.ts";
import { type AnalyzedNode, analyzeNode, REDUCE_PLACES } from "../lib/remote/analyze-node.ts";
import { FleetTable, rejectsOf, takeNodeTables, withoutCounts } from "../lib/remote/fleet-tables.ts";
import { leaveOutShared } from "../lib/remote/shared-logs.ts";
import { answerQuestions, type TextQuestion } from "../lib/remote/find-copies.ts";
import { removeSetup } from "../lib/remote/node-bun.ts";
import {
  describeTarget,
  type Fleet,
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
  describeRun,
  REPORT_OPTIONS,
  spanOf,
  type SummaryLine,
  writeChunks,
  writeReports,
} from "../lib/pages/run-reports.ts";
import type { Statistics } from "../lib/statistics/statistics.ts";
import type { Seam } from "../lib/reduced/joined-lines.ts";
import { quoteForMessage, toSafeJson, visible } from "../lib/text/text.ts";
import { addCounts, describeDamage, describeEmpty, noCounts } from "../lib/events/source.ts";
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
  remove: { type: "boolean", help: "Take away what --setup has put there, and do nothing else." },
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
  perNode("--setup", values.setup, targets.length);
  if (values.dedupeLines && (values.reduceOn === "node" || values.setup.length > 0)) {
    const flag = values.reduceOn === "node" ? "--reduce-on node" : "--setup";
    throw new UsageError(`Cannot use --dedupe-lines with ${flag}: lines of all nodes are compared here`);
  }
  if (values.dryRun) {
    const where = values.remove ? "remove what --setup left" : `reduce on ${values.reduceOn}`;
    const setup = values.setup.length > 0 ? ", with --setup" : "";
    await writeOut(targets.map(target => `${describeTarget(target, `${where}${setup}`)}\n`).join(""));
    return targets.every(({ error }) => error === undefined) ? EXIT.ok : EXIT.failed;
  }
  if (values.remove) return await removeFrom(targets, values);

  const files = reportPaths(values.outfile, values.logfile);
  const nodeFiles = targets.map(({ node }) => {
    const stem = join(dirname(files.json), `${node.name}_reduced`);
    return { json: `${stem}.json`, arrow: `${stem}.arrow` };
  });
  const outputs = [
    ...Object.values(files),
    ...nodeFiles.flatMap(({ json, arrow }) => [json, arrow]),
    ...(values.rejects === undefined ? [] : [values.rejects]),
  ];
  await assertWritable(outputs);
  const locked = [...Object.values(files), ...(values.rejects === undefined ? [] : [values.rejects])];
  await using _lock = await lockOutputs(locked, { waitSeconds: values.wait });
  const tables =
    values.mappedDir ?? cacheFolder("remote");

  const jobs = values.jobs ?? availableParallelism();
  const scratch = values.rejects === undefined ? undefined : mkdtempSync(join(tmpdir(), "cowrie-"));
  const removeScratch = () => {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  };
  using _scratch = { [Symbol.dispose]: removeScratch };
  onStop(removeScratch);
  using pool = new MapperPool(jobs);
  await using fleet = await openFleet(targets, values);
  const onNotice = (line: string) => {
    if (!values.quiet) note(line);
  };
  const problem = keyProblem();
  if (problem !== undefined) onNotice(problem);
  const robotsOf = ({ robotMaxSeconds }: Node) => robotMaxSeconds ?? values.robotMaxSeconds;
  const analyze = (at: NodeWork, only?: ReadonlySet<string>) =>
    analyzeNode(at, {
      place: values.reduceOn,
      hasSetup: values.setup.length > 0,
      tables: nodeFolder(tables, at.node),
      sudo: values.sudo,
      parameters: parametersOf(scope, robotsOf(at.node)),
      isFresh: values.mode === "w",
      pool,
      requests: Math.max(1, Math.ceil(jobs / Math.min(targets.length, values.parallel))),
      dedupeLines: values.dedupeLines,
      keepDuplicates: values.keepDuplicates,
      // Each attempt has a folder of its own.
      rejects: scratch && mkdtempSync(join(scratch, "node-")),
      only,
    });
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
  // The threads are done: their memory is needed now.
  pool[Symbol.dispose]();
  const nodes = gathered.map(({ value }) => value);
  const outcomes = withoutCounts(gathered);
  gathered = [];
  const missing = outcomes.flatMap(({ node, error }) => (error === undefined ? [] : [{ name: node.name, error }]));
  const widestTopN = topN.includes(0) ? 0 : Math.max(...topN);
  const seams: (readonly Seam[])[] = [];
  const writeNode = async (node: number, table: ReducedTable) => {
    await using set = new OutputSet();
    await writeChunks(set, nodeFiles[node]!.arrow, reducedToIpc(table));
    await writeChunks(set, nodeFiles[node]!.json, reducedToJson(table, topN[node]!));
    await set.commit();
  };
  const withoutEvents: (readonly [node: number, table: ReducedTable])[] = [];
  const addUpNodes = async () => {
    const whole = new FleetTable();
    // The files of a node go to the disk while the next one is added up.
    let writing: Promise<void> = Promise.resolve();
    for await (const made of takeNodeTables(nodes, i => parametersOf(scope, robotsOf(targets[i]!.node)))) {
      whole.add(made.table);
      seams[made.node] = made.seams;
      await writing;
      // Where no node has an event, nothing is written.
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
    if (whole.isEmpty) {
      if (values.quiet) noteMissing(missing);
      const what = outcomes.length === 1 ? "the only node" : `any of ${outcomes.length} nodes`;
      throw new Error(`Cannot read ${what}${missing.length > 0 ? "" : ": none holds a Cowrie event"}`);
    }
    // What is left of the nodes' tables, and then of the sum, is given back before as much is needed again.
    Bun.gc(true);
    return await whole.finish({ ...parametersOf(scope, values.robotMaxSeconds), ...otherRobots(outcomes, values) });
  };
  const table = await addUpNodes();
  Bun.gc(true);
  const strangers = missing.length > 0 ? [] : findStrangers(scope, table.dictionaries.sensor);
  for (const line of strangers) note(line);
  if (table.kinds.event.rows === 0) {
    throw new Error("Cannot find an event of the days and sensors asked for: see --since, --until and --sensor");
  }
  for (const [node, nodeTable] of withoutEvents) await writeNode(node, nodeTable);
  await using set = new OutputSet();
  const limits = limitsOf(outcomes);
  const statistics = await writeReports(set, { table, files, topN: widestTopN, values, limits, onLimit: onNotice });
  if (values.rejects !== undefined) {
    const output = await set.open(values.rejects);
    for (const [i, { value }] of outcomes.entries()) {
      if (value === undefined) continue;
      for await (const line of rejectsOf(value, seams[i] ?? [])) await output.write(line);
    }
  }
  await set.commit();

  const seconds = (performance.now() - startMs) / 1000;
  if (values.json) await writeOut(`${toSafeJson(toSummary(outcomes, table, seconds, files))}\n`);
  if (!values.quiet) note(summaryText(outcomes, table, statistics, seconds, files));
  noteRejects(COMMAND.name, addUp(outcomes, table), values.rejects);
  if (values.quiet) noteMissing(missing);
  if (values.quiet) noteDamaged(outcomes);
  const isIncomplete = outcomes.some(({ value }) => value === undefined || value.failed.length > 0);
  const isSpoiled =
    missing.length > 0 || strangers.length > 0 || (values.strict && outcomes.some(({ value }) => (value?.counts.rejected ?? 0) > 0));
  return isIncomplete || isSpoiled ? EXIT.failed : exitCodeOf(addUp(outcomes, table));
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

/** One line per node that could not be read. */
function noteMissing(missing: readonly { readonly name: string; readonly error: string }[]): void {
  for (const { name, error } of missing) note(`${COMMAND.name}: ${visible(name)}: ${error}`);
}

/** One line per log that was damaged or holds no event, as the nodes say it while they are read. */
function noteDamaged(outcomes: readonly Outcome<AnalyzedNode>[]): void {
  for (const { node, value } of outcomes) {
    const say = (text: string) => note(`${visible(node.name)}: ${text}`);
    for (const { source } of value?.logs ?? []) {
      if (source.damage !== undefined) say(describeDamage(source));
    }
    for (const { source } of value?.empty ?? []) say(`left out ${describeEmpty(source)}`);
    if (value?.hasEmpty === true && value.table !== undefined) say("left out logs without an event");
  }
}

/** Sentences on what the pages lack. */
function limitsOf(outcomes: readonly Outcome<AnalyzedNode>[]): string[] {
  return outcomes.flatMap(({ node, value, error }) => {
    if (error !== undefined) return [`Node ${visible(node.name)} is missing: ${error}.`];
    const { failed } = value!;
    if (failed.length === 0) return [];
    const [first] = failed;
    const what = `${quoteForMessage(first!.path)}: ${first!.reason}`;
    return [`${plural(failed.length, "log")} of node ${visible(node.name)} could not be read: ${what}.`];
  });
}

/** Put questions about logs to the nodes that have them; a node that fails answers none. */
async function askNodes<Log extends { readonly node: number; readonly remotePath: string }>(
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

/** What became of a node, for people. */
function describeNode({ place, logCount, reused, counts, textBytes, wireBytes, failed }: AnalyzedNode): string {
  return [
    `${plural(logCount, "log")}, ${formatBytes(textBytes)} of text`,
    `${plural(counts.events + counts.repaired, "event")}`,
    ...(reused > 0 ? [`${formatNumber(reused)} unchanged`] : []),
    `${formatBytes(wireBytes)} on the wire`,
    ...(place === "node" ? ["reduced there"] : []),
    ...(failed.length > 0 ? [`${plural(failed.length, "log")} failed`] : []),
  ].join(", ");
}

function addUp(
  outcomes: readonly Outcome<AnalyzedNode>[],
  table: ReducedTable,
): LogTally & { readonly wireBytes: number } {
  const counts = noCounts();
  let [length, reused, leftOut, damaged, empty, textBytes, wireBytes] = [0, 0, 0, 0, 0, 0, 0];
  for (const { value } of outcomes) {
    if (value === undefined) continue;
    addCounts(counts, value.counts);
    // Cut lines were joined since, and copies left out.
    for (const { source } of value.logs) addCounts(counts, source.counts, -1);
    length += value.logCount;
    reused += value.reused;
    leftOut += value.leftOut;
    damaged += value.damaged;
    empty += value.empty.length + Number(value.hasEmpty);
    textBytes += value.textBytes;
    wireBytes += value.wireBytes;
  }
  for (const source of table.info.sources) addCounts(counts, source.counts);
  return { counts, logs: { length }, reused, leftOut, damaged, empty, textBytes, wireBytes };
}

/** The summary for a program; days as YYYY-MM-DD. */
function toSummary(
  outcomes: readonly Outcome<AnalyzedNode>[],
  table: ReducedTable,
  seconds: number,
  files: ReportPaths,
): Record<string, unknown> {
  const { counts, logs, reused, leftOut, damaged, textBytes, wireBytes } = addUp(outcomes, table);
  return {
    nodes: outcomes.map(({ node, value, error, seconds }) => ({
      name: node.name,
      seconds,
      ...(error === undefined ? {} : { error }),
      ...(value === undefined
        ? {}
        : {
            reduced_on: value.place,
            logs: value.logCount,
            reused: value.reused,
            left_out: value.leftOut,
            ...value.counts,
            bytes: value.textBytes,
            wire_bytes: value.wireBytes,
            failed: value.failed,
          }),
    })),
    logs: logs.length,
    reused,
    left_out: leftOut,
    damaged,
    ...counts,
    bytes: textBytes,
    wire_bytes: wireBytes,
    ...spanOf(table),
    seconds,
    outputs: files,
  };
}

/** The summary for a person. */
function summaryText(
  outcomes: readonly Outcome<AnalyzedNode>[],
  table: ReducedTable,
  statistics: Statistics,
  seconds: number,
  files: ReportPaths,
): string {
  const { counts, logs, reused, leftOut, textBytes, wireBytes } = addUp(outcomes, table);
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const own: SummaryLine[] = [
    ["Nodes", `${formatNumber(outcomes.length - failed.length)} of ${formatNumber(outcomes.length)} read`],
    ...failed.map(({ node, error }) => ["", `${visible(node.name)} is missing: ${error}`] as const),
    [
      "Logs",
      [
        `${formatNumber(logs.length)}, ${formatBytes(textBytes)} of text, ${formatBytes(wireBytes)} on the wire`,
        ...(reused > 0 ? [`${formatNumber(reused)} unchanged since the last run`] : []),
        ...(leftOut > 0 ? [`${formatNumber(leftOut)} left out`] : []),
      ].join(", "),
    ],
  ];
  const bad = outcomes.flatMap(({ node, value }) =>
    (value?.failed ?? []).map(({ path, reason }) => `${visible(node.name)}: ${quoteForMessage(path)}: ${reason}`),
  );
  return [describeRun(own, { table, counts, statistics, textBytes, seconds, files }), ...bad].join("\n");
}

if (import.meta.main) await runMain(COMMAND.name, main);
