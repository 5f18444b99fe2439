/**
 * Statistics and their page, beside the rest of a run where the table is large enough to pay for it.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { availableParallelism } from "node:os";
import type { LargeTable } from "../reduced/large-tables.ts";
import { emptyTable, type ReducedTable } from "../reduced/reduced-table.ts";
import type { Episode } from "../history/episodes.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { PROGRAM } from "../process/version.ts";
import { Thread } from "../process/thread.ts";
import type { StatisticsOptions } from "../statistics/settings.ts";
import type { LargeTasks } from "./large-tasks.ts";
import type { StatsPageOptions } from "./stats-page.ts";

/** Rows from which another thread pays, and from which several do: each has to translate the program for itself. */
const ASIDE_MIN_ROWS = 100_000;
const THREADS_MIN_ROWS = 4_000_000;
/** More find nothing to do: the largest part is a fifth of the work. */
const THREADS_MAX = 4;

export interface StatsRequest {
  readonly table: ReducedTable;
  readonly options: StatisticsOptions & Omit<StatsPageOptions, "generatedBy" | "episodes">;
}

/** A table in its file, whose `table` has the sums alone. */
interface LargeRequest extends StatsRequest {
  readonly large: Pick<LargeTable<LargeTasks>, "stored" | "cells" | "pool">;
}

export interface StatsOutcome {
  readonly statistics: Statistics;
  /** What happened when. */
  readonly episodes: readonly Episode[];
  /** `stats.html` */
  readonly html: string;
}

/** Compute the statistics of a table and render their page; in other threads if the table is large, or by its own if it stays in its file. */
export async function statsAside({ large, ...request }: StatsRequest & Partial<LargeRequest>): Promise<StatsOutcome> {
  if (large !== undefined) return await renderOf(computeLarge({ ...request, large }), request);
  if (countRows(request.table) < ASIDE_MIN_ROWS) return statsHere(request);
  const entry = new URL("./stats-worker.ts", import.meta.url);
  using thread = new Thread<StatsRequest, StatsOutcome>(entry, { smol: true, doing: "compute the statistics" });
  return await thread.ask({ ...request, table: withoutSessions(request.table) });
}

/** A table without the last commands of sessions, whose ids are most of what would be copied for another thread: no statistics know sessions. */
function withoutSessions(table: ReducedTable): ReducedTable {
  const { kinds, dictionaries } = table;
  return { ...table, dictionaries: { ...dictionaries, session: [] }, kinds: { ...kinds, last_command: emptyTable("last_command") } };
}

/** Compute the statistics of a table and render their page, with the help of threads only if the table is very large. */
export async function statsHere(request: StatsRequest): Promise<StatsOutcome> {
  return await renderOf(computeHere(request), request);
}

async function renderOf(computing: Promise<Computed>, { table, options }: StatsRequest): Promise<StatsOutcome> {
  const [{ statistics, episodes }, { renderStats }] = await Promise.all([computing, import("./stats-page.ts")]);
  const { thresholdPercent, lastDays, limits = [], allSensors = table.dictionaries.sensor.length, reportLink } = options;
  const common = { thresholdPercent, lastDays, limits, allSensors, generatedBy: PROGRAM };
  const page = { ...common, ...(reportLink && { reportLink }) };
  return { statistics, episodes, html: renderStats(table, statistics, { ...page, episodes }) };
}

/** What a page of statistics tells of. */
type Computed = Omit<StatsOutcome, "html">;

async function computeHere({ table, options }: StatsRequest): Promise<Computed> {
  const threads = countRows(table) < THREADS_MIN_ROWS ? 1 : Math.min(availableParallelism(), THREADS_MAX);
  const compute = async () => {
    // Loaded where it is used: the numeric library takes as long to load as a small log to read.
    if (threads === 1) return (await import("../statistics/statistics.ts")).computeStatistics(table, options);
    return (await import("../statistics/statistics-threads.ts")).computeInThreads(table, options, threads);
  };
  const [statistics, { findEpisodes }, { withTablePeaks }, { buildCoverage }] = await Promise.all([
    compute(),
    import("../history/episodes.ts"),
    import("../history/peak-episodes.ts"),
    import("../statistics/coverage.ts"),
  ]);
  return { statistics, episodes: withTablePeaks(table, findEpisodes(table, { coverage: buildCoverage(table, options) })) };
}

async function computeLarge({ large: { stored, cells, pool }, options }: LargeRequest): Promise<Computed> {
  const [{ computeStored }, { findStoredEpisodes }, { buildCoverage }] = await Promise.all([
    import("../statistics/stored-statistics.ts"),
    import("../history/stored-episodes.ts"),
    import("../statistics/coverage.ts"),
  ]);
  const [statistics, episodes] = await Promise.all([
    computeStored(stored, cells, options, pool),
    findStoredEpisodes(pool.behind(), cells, buildCoverage(cells.table, options)),
  ]);
  return { statistics, episodes };
}

function countRows(table: ReducedTable): number {
  return Object.values(table.kinds).reduce((rows, kind) => rows + kind.rows, 0);
}
