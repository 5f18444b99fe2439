/**
 * Statistics and pages of a table that is too large for one task: N tasks measure a part of its keys each, N compare them, a
 * last step joins what they left. How much keys usually vary is known once all are measured: so there are two rounds.
 *
 * Tested in `test/lib/pages/sliced-run.test.ts`.
 */
import { watchesOf } from "../history/history-source.ts";
import { chooseLeaders, familiesIn, findInSlice, joinEvents, joinHistory, measureFamily, type MeasuredHistory, sliceEvents, type SliceHistory, sliceLeaders } from "../history/slice-history.ts";
import type { Episode } from "../history/episodes.ts";
import type { PeakLeader } from "../history/peaks.ts";
import { busiestDays } from "../reduced/busiest-days.ts";
import { type CellSums, tellsEvents } from "../reduced/cell-sums.ts";
import { DAYS_DRAWN, sensorsDrawn } from "../reduced/drawn-table.ts";
import { openInputs, TableTelling } from "../reduced/reduced-input.ts";
import type { ReducedInfo, ReducedTable } from "../reduced/reduced-table.ts";
import { SliceFiles } from "../reduced/table-slices.ts";
import { formatNumber, plural } from "../text/format.ts";
import { takeAtOnce } from "../process/pause.ts";
import { checkNames } from "../process/option-values.ts";
import { PROGRAM } from "../process/version.ts";
import { buildCoverage } from "../statistics/coverage.ts";
import { joinSlices } from "../statistics/join-slices.ts";
import { HOLDINGS, toSlices } from "../statistics/slice-rules.ts";
import { compareDistinct, type ComparedPart, compareSlice, learnFromAll, type Listed, type MeasuredSamples, SliceMeasurer } from "../statistics/slice-work.ts";
import type { PartContext } from "../statistics/statistics-parts.ts";
import { planContext, type Statistics } from "../statistics/statistics.ts";
import { decodePart, encodePart, missingParts, type PartRound } from "./part-files.ts";
import { cutReport, joinReportData, type RankedSections, ReportDrafter, type SliceReport } from "./slice-report.ts";
import { countReach } from "./reach.ts";
import type { ReportOptions } from "./report.ts";
import { renderStats } from "./stats-page.ts";
import type { JoinAnswer, JoinAsk, TaskAnswer, TaskAsk, SliceOptions } from "./sliced-aside.ts";

/** The sums of the whole table, which the first task leaves. */
interface Whole {
  readonly cells: CellSums;
  readonly options: SliceOptions;
}

/** What the second round must know of all slices. */
interface Measured {
  readonly samples: MeasuredSamples;
  readonly history: MeasuredHistory;
  readonly ranked: RankedSections;
}

/** What pages show of one slice: first of all that they may show. */
interface Shown {
  readonly listed: Listed;
  readonly report: SliceReport;
  readonly events: ReducedTable;
  readonly leaders: readonly PeakLeader[];
}

/** What the last step knows of one slice. */
interface Compared extends Shown {
  readonly compared: readonly ComparedPart[];
  readonly found: SliceHistory;
  readonly ranked: RankedSections;
}

/** @throws {Error} if the tables cannot be dealt out, or a part of the round before is missing. */
export async function runPart(ask: TaskAsk): Promise<TaskAnswer> {
  const { days, ...selection } = ask.selection;
  const inputs = await openInputs(ask.paths, new TableTelling(true), days);
  using files = await SliceFiles.open(inputs, ask.part, () => {}, selection);
  const [unknown] = checkNames("sensor", selection.sensors ?? [], files.sensors);
  if (unknown !== undefined) throw new Error(unknown);
  const work = nameWork(files.info, ask);
  return ask.round === "measure" ? await measure(files, ask, work) : compare(files, ask, work);
}

async function measure(files: SliceFiles, { part, options }: TaskAsk, work: string): Promise<TaskAnswer> {
  const cells = await files.sum();
  checkDrawn(cells, files.info);
  const slices = toSlices(files, cells);
  const measurer = new SliceMeasurer(slices, planContext(cells.table, options));
  const drafter = new ReportDrafter(cells);
  const watches = watchesOf(cells, buildCoverage(cells.table, options));
  const history: Record<string, unknown> = {};
  let events: ReducedTable | undefined;
  let leaders: readonly PeakLeader[] = [];
  for (const { name, kinds, withoutTimes } of HOLDINGS) {
    const table = slices.read(name, { kinds, withoutTimes });
    measurer.look(name, kinds, table);
    drafter.look(name, kinds, table);
    for (const family of familiesIn(name, kinds)) history[family] = measureFamily(table, family, watches);
    if (name === "keys" && kinds.includes("event")) events = sliceEvents(table);
    if (name === "address") leaders = sliceLeaders(table, cells);
  }
  const { samples, listed } = measurer.finish();
  const { ranked, report } = drafter.finish();
  const measured: Measured = { samples, history: history as MeasuredHistory, ranked };
  const shown: Shown = { listed, report, events: events!, leaders };
  const whole: Whole = { cells, options };
  // The last one says that all are there.
  return [
    ...(part.number === 1 ? [{ round: "summed", bytes: encodePart("summed", part, work, whole) } as const] : []),
    { round: "measured", bytes: encodePart("measured", part, work, measured) },
    { round: "shown", bytes: encodePart("shown", part, work, shown) },
  ];
}

function compare(files: SliceFiles, { part, folder, options }: TaskAsk, work: string): TaskAnswer {
  requireParts(folder, "measured", part.of);
  const { cells } = decodePart<Whole>(folder, "summed", { number: 1, of: part.of }, work).found;
  const slices = toSlices(files, cells);
  const context = planContext(cells.table, options);
  const { usual, chosen, rankings } = readMeasured(folder, part.of, work, context);
  const compared = [...compareSlice(slices, context, usual), ...(part.number === 1 ? [compareDistinct(usual, context)] : [])];
  const watches = watchesOf(cells, buildCoverage(cells.table, options));
  const found = HOLDINGS.flatMap(({ name, kinds }) => familiesIn(name, kinds)).map(family => [family, findInSlice(slices, family, chosen, watches)] as const);
  const shown = decodePart<Shown>(folder, "shown", part, work).found;
  const left: Compared = {
    ...shown,
    report: cutReport(shown.report, rankings, part.number - 1, cells),
    compared,
    found: Object.fromEntries(found),
    ranked: rankings[part.number - 1]!,
  };
  return [{ round: "compared", bytes: encodePart("compared", part, work, left) }];
}

/** What the first round of all slices says together; the samples of keys are let go. */
function readMeasured(folder: string, of: number, work: string, context: PartContext) {
  const measured = readParts<Measured>(folder, "measured", of, work);
  return {
    usual: learnFromAll(measured.map(({ samples }) => samples), context),
    chosen: chooseLeaders(measured.map(({ history }) => history)),
    rankings: measured.map(({ ranked }) => ranked),
  };
}

/** What all parts of one piece of work have in common. */
function nameWork({ parameters, sources }: ReducedInfo, { selection, options }: TaskAsk): string {
  return Bun.hash.xxHash3(JSON.stringify([PROGRAM, parameters, sources, selection, options])).toString(16);
}

/** @throws {Error} if not all days and sensors can be looked at one by one. */
function checkDrawn(cells: CellSums, info: ReducedInfo): void {
  const { table } = cells;
  const range = busiestDays(table, DAYS_DRAWN);
  if (range === undefined) throw new Error("Cannot compare anything: the tables hold no events");
  const [sensors, most] = [table.dictionaries.sensor.length, sensorsDrawn(range)];
  const isOutside = Object.values(table.kinds).some(
    ({ kind, rows, day }) => kind !== "scan" && rows > 0 && (day[0]! < range.first || day[rows - 1]! > range.last),
  );
  if (sensors > most || isOutside || !tellsEvents(cells)) {
    const what = sensors > most ? `${plural(sensors, "sensor")} where ${formatNumber(most)} are looked at one by one` : isOutside ? "days too far from the rest" : "sensor-days without events";
    throw new Error(`Cannot deal out tables with ${what} (${plural(info.sources.length, "log")}): statistics.ts and visualize.ts take them whole`);
  }
}

/** @throws {Error} if not all parts of a round are there. */
function requireParts(folder: string, round: PartRound, of: number): void {
  const missing = missingParts(folder, round, of);
  if (missing.length > 0) throw new Error(`Cannot go on: ${plural(missing.length, "part")} of ${of} ${missing.length === 1 ? "is" : "are"} not ${round} yet, first ${missing[0]}`);
}

function readParts<Found>(folder: string, round: PartRound, of: number, work: string): Found[] {
  requireParts(folder, round, of);
  return Array.from({ length: of }, (_, i) => {
    const { found } = decodePart<Found>(folder, round, { number: i + 1, of }, work);
    // What it was unpacked from is several times as long.
    Bun.gc(true);
    return found;
  });
}

/** @throws {Error} if a part is missing, or they do not belong together. */
export async function joinParts({ folder, of, reportLink, report }: JoinAsk): Promise<JoinAnswer> {
  requireParts(folder, "compared", of);
  const { work, found: whole } = decodePart<Whole>(folder, "summed", { number: 1, of });
  const { cells, options } = whole;
  const parts = readParts<Compared>(folder, "compared", of, work);
  const statistics = joinSlices(cells, planContext(cells.table, options), parts.map(({ listed }) => listed), parts.map(({ compared }) => compared));
  const events = joinEvents(cells, parts.map(one => one.events));
  const episodes = joinHistory(cells, events, parts, buildCoverage(cells.table, options));
  const { thresholdPercent, lastDays } = options;
  const allSensors = cells.table.dictionaries.sensor.length;
  const common = { thresholdPercent, lastDays, allSensors, generatedBy: PROGRAM, limits: [] };
  return {
    statistics,
    html: renderStats(cells.table, statistics, { ...common, ...(reportLink && { reportLink }), episodes }),
    ...(report && { report: await drawReport(cells, parts, events, { ...common, ...report }, statistics, episodes) }),
  };
}

async function drawReport(cells: CellSums, parts: readonly Compared[], reached: ReducedTable, options: ReportOptions, statistics: Statistics, episodes: readonly Episode[]): Promise<string> {
  const { calculateReport, keysShown } = await import("./report.ts");
  const data = joinReportData(cells, parts.map(({ report }) => report), parts.map(({ ranked }) => ranked), keysShown(options.topN));
  return takeAtOnce(calculateReport(cells.table, options, { data, reach: countReach(reached) })).render({ statistics, episodes });
}
