/**
 * Statistics and pages of a table that is too large for one task: N tasks measure a part of its keys each, N compare them, a
 * last step joins what they left. How much keys usually vary is known once all are measured: so there are two rounds.
 *
 * Tested in `test/lib/pages/sliced-run.test.ts`.
 */
import { joinEvents, joinHistory, sliceHistory, type SliceHistory } from "../history/slice-history.ts";
import type { Episode } from "../history/episodes.ts";
import { busiestDays } from "../reduced/busiest-days.ts";
import { type CellSums, tellsEvents } from "../reduced/cell-sums.ts";
import { DAYS_DRAWN, sensorsDrawn } from "../reduced/drawn-table.ts";
import { openInputs, TableTelling } from "../reduced/reduced-input.ts";
import type { ReducedInfo } from "../reduced/reduced-table.ts";
import { readSlices } from "../reduced/table-slices.ts";
import { formatNumber, plural } from "../text/format.ts";
import { takeAtOnce } from "../process/pause.ts";
import { PROGRAM } from "../process/version.ts";
import { buildCoverage } from "../statistics/coverage.ts";
import { joinSlices } from "../statistics/join-slices.ts";
import { SLICE_RULES, type SliceName } from "../statistics/slice-rules.ts";
import { compareSlice, type Measures, measureSlice, type SliceComparisons, type StatisticsSlices } from "../statistics/slice-work.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { decodePart, encodePart, missingParts, type PartRound } from "./part-files.ts";
import { joinReportData, sliceReport, type SliceReport } from "./slice-report.ts";
import type { ReportOptions } from "./report.ts";
import { renderStats } from "./stats-page.ts";
import type { JoinAnswer, JoinAsk, SliceAnswer, SliceAsk, SliceOptions } from "./sliced-aside.ts";

/** What pages show of one slice; the sums and options of the whole stand in the first. */
interface Shown {
  readonly history: SliceHistory;
  readonly report: SliceReport;
  readonly whole?: { readonly cells: CellSums; readonly options: SliceOptions };
}

/** @throws {Error} if the tables cannot be dealt out, or a part of the round before is missing. */
export async function runPart({ round, part, paths, folder, options }: SliceAsk): Promise<SliceAnswer> {
  const inputs = await openInputs(paths, new TableTelling(true));
  // Commands as they are counted among values are not compared.
  const rules = round === "measure" ? SLICE_RULES : { ...SLICE_RULES, masked: { by: {} } };
  const slices = await readSlices<SliceName>(inputs, part, rules, () => {});
  checkDrawn(slices);
  const work = nameWork(slices.info, options);
  if (round === "compare") {
    const measured = readParts<Measures>(folder, "measured", part.of, work);
    return [{ round: "compared", bytes: encodePart("compared", part, work, compareSlice(slices, options, measured)) }];
  }
  const shown: Shown = {
    history: sliceHistory(slices),
    report: sliceReport(slices),
    ...(part.number === 1 && { whole: { cells: slices.cells, options } }),
  };
  return [
    { round: "measured", bytes: encodePart("measured", part, work, measureSlice(slices, options)) },
    { round: "shown", bytes: encodePart("shown", part, work, shown) },
  ];
}

/** What all parts of one piece of work have in common. */
function nameWork({ parameters, sources }: ReducedInfo, options: SliceOptions): string {
  return Bun.hash.xxHash3(JSON.stringify([PROGRAM, parameters, sources, options])).toString(16);
}

/** @throws {Error} if not all days and sensors can be looked at one by one. */
function checkDrawn({ cells, info }: StatisticsSlices): void {
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

/** @param first Number of the first that is read. */
function readParts<Found>(folder: string, round: PartRound, of: number, work: string, first = 1): Found[] {
  requireParts(folder, round, of);
  return Array.from({ length: of - first + 1 }, (_, i) => {
    const { found } = decodePart<Found>(folder, round, { number: first + i, of }, work);
    // What it was unpacked from is several times as long.
    Bun.gc(true);
    return found;
  });
}

/** @throws {Error} if a part is missing, or they do not belong together. */
export async function joinParts({ folder, of, reportLink, report }: JoinAsk): Promise<JoinAnswer> {
  for (const round of ["shown", "measured", "compared"] as const) requireParts(folder, round, of);
  const { work, found: first } = decodePart<Shown>(folder, "shown", { number: 1, of });
  const { cells, options } = first.whole!;
  const statistics = joinSlices(cells, options, readParts<Measures>(folder, "measured", of, work), readParts<SliceComparisons>(folder, "compared", of, work));
  // Not before: what is compared and what is shown need not be in memory at once.
  const shown = [first, ...readParts<Shown>(folder, "shown", of, work, 2)];
  const episodes = joinHistory(cells, shown.map(({ history }) => history), buildCoverage(cells.table, options));
  const { thresholdPercent, lastDays } = options;
  const allSensors = cells.table.dictionaries.sensor.length;
  const common = { thresholdPercent, lastDays, allSensors, generatedBy: PROGRAM, limits: [] };
  return {
    statistics,
    html: renderStats(cells.table, statistics, { ...common, ...(reportLink && { reportLink }), episodes }),
    ...(report && { report: await drawReport(cells, shown, { ...common, ...report }, statistics, episodes) }),
  };
}

async function drawReport(cells: CellSums, shown: readonly Shown[], options: ReportOptions, statistics: Statistics, episodes: readonly Episode[]): Promise<string> {
  const { calculateReport, keysShown } = await import("./report.ts");
  const data = joinReportData(cells, shown.map(({ report }) => report), keysShown(options.topN));
  const reached = joinEvents(cells, shown.map(({ history }) => history));
  return takeAtOnce(calculateReport(cells.table, options, { data, reached })).render({ statistics, episodes });
}
