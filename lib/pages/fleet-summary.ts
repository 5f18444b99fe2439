/**
 * What became of the nodes of a fleet, for people and for programs.
 *
 * Tested in `test/scripts/analyze-remote.test.ts` and `analyze-remote-logs.test.ts`.
 */
import { describeRun, spanOf, type SummaryLine } from "./run-reports.ts";
import type { ReportPaths } from "./page-names.ts";
import { formatBytes, formatNumber, plural } from "../text/format.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import { note } from "../process/cli.ts";
import { addCounts, describeDamage, describeEmpty, noCounts } from "../events/source.ts";
import type { LogTally } from "../logs/log-options.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { AnalyzedNode } from "../remote/analyze-node.ts";
import type { Outcome } from "../remote/fleet.ts";
import type { Statistics } from "../statistics/statistics.ts";

/** One line per node that could not be read. */
export function noteMissing(missing: readonly { readonly name: string; readonly error: string }[]): void {
  for (const { name, error } of missing) note(`analyze-remote: ${visible(name)}: ${error}`);
}

/** One line per log that was damaged or holds no event, as the nodes say it while they are read. */
export function noteDamaged(outcomes: readonly Outcome<AnalyzedNode>[]): void {
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
export function limitsOf(outcomes: readonly Outcome<AnalyzedNode>[]): string[] {
  return outcomes.flatMap(({ node, value, error }) => {
    if (error !== undefined) return [`Node ${visible(node.name)} is missing: ${error}.`];
    const { failed } = value!;
    if (failed.length === 0) return [];
    const [first] = failed;
    const what = `${quoteForMessage(first!.path)}: ${first!.reason}`;
    return [`${plural(failed.length, "log")} of node ${visible(node.name)} could not be read: ${what}.`];
  });
}

/** What became of a node, for people. */
export function describeNode({ place, logCount, reused, counts, textBytes, wireBytes, failed }: AnalyzedNode): string {
  return [
    `${plural(logCount, "log")}, ${formatBytes(textBytes)} of text`,
    `${plural(counts.events + counts.repaired, "event")}`,
    ...(reused > 0 ? [`${formatNumber(reused)} unchanged`] : []),
    `${formatBytes(wireBytes)} on the wire`,
    ...(place === "node" ? ["reduced there"] : []),
    ...(failed.length > 0 ? [`${plural(failed.length, "log")} failed`] : []),
  ].join(", ");
}

export function addUp(
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
export function toSummary(
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
export function summaryText(
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
