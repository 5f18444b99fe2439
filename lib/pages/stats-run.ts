/**
 * Statistics and their page, beside the rest of a run where the table is large enough to pay for it.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { availableParallelism } from "node:os";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { Episode } from "../history/episodes.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { PROGRAM } from "../process/version.ts";
import { Thread } from "../process/thread.ts";
import type { StatisticsOptions } from "../statistics/settings.ts";

/** Rows from which another thread pays, and from which several do: each has to translate the program for itself. */
const ASIDE_MIN_ROWS = 100_000;
const THREADS_MIN_ROWS = 4_000_000;
/** More find nothing to do: the largest part is a fifth of the work. */
const THREADS_MAX = 4;

export interface StatsRequest {
  readonly table: ReducedTable;
  readonly options: StatisticsOptions & {
    readonly thresholdPercent: number;
    readonly lastDays: number;
    /** Sentences on what should be in the table and is not. */
    readonly limits?: readonly string[];
    /** How many sensors there are, where not all are looked at one by one. */
    readonly allSensors?: number;
    /** Link to the report the page belongs to. */
    readonly reportLink?: string;
  };
}

export interface StatsOutcome {
  readonly statistics: Statistics;
  /** What happened when. */
  readonly episodes: readonly Episode[];
  /** `stats.html` */
  readonly html: string;
}

/** Compute the statistics of a table and render their page; in other threads if the table is large. */
export async function statsAside(request: StatsRequest): Promise<StatsOutcome> {
  if (countRows(request) < ASIDE_MIN_ROWS) return statsHere(request);
  const entry = new URL("./stats-worker.ts", import.meta.url);
  using thread = new Thread<StatsRequest, StatsOutcome>(entry, { smol: true, doing: "compute the statistics" });
  return await thread.ask(request);
}

/** Compute the statistics of a table and render their page, with the help of threads only if the table is very large. */
export async function statsHere(request: StatsRequest): Promise<StatsOutcome> {
  const { table, options } = request;
  const threads = countRows(request) < THREADS_MIN_ROWS ? 1 : Math.min(availableParallelism(), THREADS_MAX);
  const compute = async () => {
    // Loaded where it is used: the numeric library takes as long to load as a small log to read.
    if (threads === 1) return (await import("../statistics/statistics.ts")).computeStatistics(table, options);
    return (await import("../statistics/statistics-threads.ts")).computeInThreads(table, options, threads);
  };
  const [statistics, { renderStats }, { findEpisodes }, { withTablePeaks }, { buildCoverage }] = await Promise.all([
    compute(),
    import("./stats-page.ts"),
    import("../history/episodes.ts"),
    import("../history/peak-episodes.ts"),
    import("../statistics/coverage.ts"),
  ]);
  const episodes = withTablePeaks(table, findEpisodes(table, { coverage: buildCoverage(table, options) }));
  const { thresholdPercent, lastDays, limits = [], allSensors = table.dictionaries.sensor.length, reportLink } = options;
  const common = { thresholdPercent, lastDays, limits, allSensors, generatedBy: PROGRAM };
  const page = { ...common, ...(reportLink && { reportLink }) };
  return { statistics, episodes, html: renderStats(table, statistics, { ...page, episodes }) };
}

function countRows({ table }: StatsRequest): number {
  return Object.values(table.kinds).reduce((rows, kind) => rows + kind.rows, 0);
}
