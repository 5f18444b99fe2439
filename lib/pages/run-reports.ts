/**
 * How a run ends that makes both reports: its outputs, its summary, and the options that say what the pages show.
 *
 * Tested in `test/scripts/analyze-local.test.ts` and `analyze-remote.test.ts`.
 */
import { openSync, readSync } from "node:fs";
import { closing } from "../columns/regular-file.ts";
import type { LineCounts } from "../events/source.ts";
import type { OutputSet } from "../process/output-file.ts";
import { takeWithPauses } from "../process/pause.ts";
import { PROGRAM } from "../process/version.ts";
import type { Origins } from "../origin/origins.ts";
import { addOrigins } from "../reduced/add-origins.ts";
import { drawTable } from "../reduced/drawn-table.ts";
import { reducedToIpc } from "../reduced/reduced-arrow.ts";
import { reducedToJson } from "../reduced/reduced-json.ts";
import type { PeakLeader } from "../history/peaks.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { StoredCounts } from "../reduced/sorted-runs.ts";
import { summarizeStatistics } from "../statistics/statistics-summary.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { formatDuration, formatNumber, formatRate, plural, toIsoDay, toSpan } from "../text/format.ts";
import { visible } from "../text/text.ts";
import type { ReportData } from "../view/report-data.ts";
import { linkPages, type ReportPaths } from "./page-names.ts";
import { type LastCommands, lastCommandsOf, type ReportSessions, storedLastCommands } from "./report-sessions.ts";
import { statsAside } from "./stats-run.ts";

/** What the pages show. */
export const REPORT_OPTIONS = {
  threshold: {
    type: "number",
    short: "t",
    min: 0,
    default: 20,
    placeholder: "PERCENT",
    help: "Smallest change reported.",
  },
  lastNDays: { type: "count", short: "l", min: 1, default: 7, help: "Last days held against the days before them." },
} as const;

export interface ReportRun {
  readonly counted: { readonly table: ReducedTable; readonly stored?: undefined } | { readonly stored: StoredCounts; readonly table?: undefined };
  readonly files: ReportPaths;
  readonly topN: number;
  readonly values: { readonly threshold: number; readonly lastNDays: number };
  /** Sentences on what should be in the table and is not. */
  readonly limits?: readonly string[];
  /** Say where addresses come from, where there are databases. */
  readonly origins?: Origins | undefined;
  /** Told what is not drawn, a sentence each. */
  readonly onLimit: (line: string) => void;
  /** Finds the sessions behind what is drawn, where there are event tables. */
  readonly findSessions?: (drawn: ReducedTable, data: ReportData, counted: LastCommands) => Promise<ReportSessions>;
}

export interface ReportedRun {
  readonly statistics: Statistics;
  /** All that was counted; of a table that is stored the sums alone. */
  readonly table: ReducedTable;
}

/** Write the counts and both pages of a run; whoever has opened the set commits it. */
export async function writeReports(set: OutputSet, run: ReportRun): Promise<ReportedRun> {
  const { counted, files, topN, values, limits = [], origins, onLimit, findSessions } = run;
  using opened = counted.stored && (await openCounts(counted.stored));
  // Where addresses come from is added to the rows of a table in memory.
  const all = opened === undefined ? { ...drawTable(counted.table!), whole: counted.table! } : await opened.draw({}, origins === undefined);
  const { table: counts, limits: notDrawn, large, whole, ...more } = { large: undefined, ...all };
  const drawn = origins === undefined ? counts : addOrigins(counts, origins);
  notDrawn.forEach(onLimit);
  const common = {
    ...more,
    thresholdPercent: values.threshold,
    lastDays: values.lastNDays,
    limits: [...limits, ...notDrawn],
    ...linkPages(files),
  };
  const leaders = Promise.withResolvers<readonly PeakLeader[]>();
  // Both run beside what follows; their failures are met where they are awaited.
  const early = statsAside({ table: drawn, options: common, ...(large && { large }) }, leaders.promise);
  early.catch(() => {});
  // Here and not at the start, of which the page is a third.
  const { calculateReport, keysShown } = await import("./report.ts");
  const parts = large && (await (await import("./stored-report.ts")).countStored(large, keysShown(topN)));
  const report = await takeWithPauses(calculateReport(drawn, { ...common, topN, generatedBy: PROGRAM }, parts));
  const aside = findSessions?.(drawn, report.data, large === undefined ? lastCommandsOf(whole!) : storedLastCommands(large.stored));
  aside?.catch(() => {});
  leaders.resolve(aside?.then(({ leaders = [] }) => leaders) ?? []);
  await writeChunks(set, files.arrow, counted.stored === undefined ? reducedToIpc(counted.table) : chunksOf(counted.stored.path));
  await writeChunks(set, files.json, reducedToJson(counted.table ?? counted.stored.top, topN));
  const [sessions, { html, statistics, episodes }] = await Promise.all([aside, early]);
  await writeChunks(set, files.result, [report.render({ statistics, episodes, ...(sessions && { sessions }) })]);
  await writeChunks(set, files.stats, [html]);
  return { statistics, table: opened === undefined ? counted.table! : opened.all };
}

async function openCounts({ path }: StoredCounts) {
  const [{ openOwnTable }, { openLargePool }] = await Promise.all([import("../reduced/large-tables.ts"), import("./large-threads.ts")]);
  return await openOwnTable(path, openLargePool(["report", "statistics", "history"], true));
}

/** The bytes of a file, 1 MiB at a time. */
function* chunksOf(path: string): Generator<Uint8Array> {
  const file = openSync(path, "r");
  using _file = closing(file);
  for (;;) {
    const chunk = new Uint8Array(1 << 20);
    const n = readSync(file, chunk);
    if (n === 0) return;
    yield chunk.subarray(0, n);
  }
}

/** Write a file of a set. */
export async function writeChunks(set: OutputSet, path: string, chunks: Iterable<string | Uint8Array>): Promise<void> {
  const output = await set.open(path);
  for (const chunk of chunks) await output.write(chunk);
}

export type SummaryLine = readonly [label: string, text: string];

export interface RunSummary {
  readonly table: ReducedTable;
  readonly counts: LineCounts;
  readonly statistics: Statistics;
  readonly textBytes: number;
  readonly seconds: number;
  readonly files: ReportPaths;
}

/** The summary of a run for a person, behind lines of its own on where the logs came from. */
export function describeRun(
  own: readonly SummaryLine[],
  { table, counts, statistics, textBytes, seconds, files }: RunSummary,
): string {
  const { day } = table.kinds.event;
  const { sensor } = table.dictionaries;
  const shownSensors = sensor.slice(0, 6).map(name => visible(name === "" ? "(no name)" : name));
  const more = sensor.length > shownSensors.length ? `, and ${formatNumber(sensor.length - shownSensors.length)} more` : "";
  const lines: SummaryLine[] = [
    ...own,
    [
      "Events",
      `${formatNumber(counts.events + counts.repaired)}: ${formatNumber(counts.repaired)} from repaired lines; ` +
        `${plural(counts.rejected, "line")} rejected` +
        (counts.pending > 0 ? `, ${formatNumber(counts.pending)} not yet complete` : "") +
        (counts.dropped === undefined ? "" : `; ${formatNumber(counts.dropped)} dropped as repeated lines`),
    ],
    [
      "Days",
      `${formatNumber(new Set(day).size)} with events, ${toSpan(toIsoDay(day[0]!), toIsoDay(day[day.length - 1]!))} (UTC)`,
    ],
    ["Sensors", `${formatNumber(sensor.length)}: ${shownSensors.join(", ")}${more}`],
    ...summarizeStatistics(statistics),
    ["Time", `${formatDuration(seconds)}, ${formatRate(textBytes, seconds)}`],
    ["Report", `${files.result}, ${files.stats}`],
    ["Counts", `${files.arrow} (all), ${files.json} (top)`],
  ];
  return lines.map(([label, text]) => `${label.padEnd(9)}${text}`).join("\n");
}

/** Days and sensors in the summary for a program; days as YYYY-MM-DD. */
export function spanOf({ kinds, dictionaries }: ReducedTable): Record<string, unknown> {
  const { day } = kinds.event;
  return {
    days: new Set(day).size,
    first_day: toIsoDay(day[0]!),
    last_day: toIsoDay(day[day.length - 1]!),
    sensors: dictionaries.sensor,
  };
}
