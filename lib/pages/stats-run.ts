/**
 * Statistics and their page, beside the rest of a run where the table is large enough to pay for it.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { availableParallelism } from "node:os";
import type { LargeTable } from "../reduced/large-tables.ts";
import { emptyTable, type ReducedTable } from "../reduced/reduced-table.ts";
import type { Episode } from "../history/episodes.ts";
import type { PeakLeader } from "../history/peaks.ts";
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

type MaybeLeaders = readonly PeakLeader[] | Promise<readonly PeakLeader[]>;

export interface StatsOutcome {
  readonly statistics: Statistics;
  /** What happened when, as the table alone tells it. */
  readonly episodes: readonly Episode[];
  /** `stats.html` */
  readonly html: string;
}

/** Asked of a thread: first for what is found, then for the page of it. */
export type StatsAsk = StatsRequest | { readonly leaders: readonly PeakLeader[] };
export type StatsAnswer = Computed | string;

/**
 * Compute the statistics of a table and render their page; in other threads if the table is large, or by its own if it stays in its file.
 *
 * @param leaders What single addresses made of peaks, beside what the table knows: the page waits for it, nothing else does.
 */
export async function statsAside({ large, ...request }: StatsRequest & Partial<LargeRequest>, leaders: MaybeLeaders = []): Promise<StatsOutcome> {
  if (large !== undefined) return await renderOf(computeLarge({ ...request, large }), request, leaders);
  if (countRows(request.table) < ASIDE_MIN_ROWS) return await statsHere(request, leaders);
  const entry = new URL("./stats-worker.ts", import.meta.url);
  using thread = new Thread<StatsAsk, StatsAnswer>(entry, { smol: true, doing: "compute the statistics" });
  const found = (await thread.ask({ ...request, table: withoutSessions(request.table) })) as Computed;
  return { ...found, html: (await thread.ask({ leaders: await leaders })) as string };
}

/** Answers what {@link statsAside} asks. */
export function statsTasks(): (ask: StatsAsk) => Promise<StatsAnswer> {
  let open: { readonly request: StatsRequest; readonly found: Computed } | undefined;
  return async ask => {
    if ("leaders" in ask) return await renderPage(open!.found, open!.request, ask.leaders);
    // The page is loaded while it is not known yet what it says.
    const [found] = await Promise.all([computeHere(ask), import("./stats-page.ts")]);
    open = { request: ask, found };
    return found;
  };
}

/** A table without the last commands of sessions, whose ids are most of what would be copied for another thread: no statistics know sessions. */
function withoutSessions(table: ReducedTable): ReducedTable {
  const { kinds, dictionaries } = table;
  return { ...table, dictionaries: { ...dictionaries, session: [] }, kinds: { ...kinds, last_command: emptyTable("last_command") } };
}

/** Compute the statistics of a table and render their page, with the help of threads only if the table is very large. */
export async function statsHere(request: StatsRequest, leaders: MaybeLeaders = []): Promise<StatsOutcome> {
  return await renderOf(computeHere(request), request, leaders);
}

async function renderOf(computing: Promise<Computed>, request: StatsRequest, leaders: MaybeLeaders): Promise<StatsOutcome> {
  const [found, known] = await Promise.all([computing, leaders, import("./stats-page.ts")]);
  return { ...found, html: await renderPage(found, request, known) };
}

async function renderPage({ statistics, episodes }: Computed, { table, options }: StatsRequest, leaders: readonly PeakLeader[]): Promise<string> {
  const [{ renderStats }, { withPeaks }, { findPeaks }] = await Promise.all([import("./stats-page.ts"), import("../history/peak-episodes.ts"), import("../history/peaks.ts")]);
  const { thresholdPercent, lastDays, limits = [], allSensors = table.dictionaries.sensor.length, reportLink } = options;
  const common = { thresholdPercent, lastDays, limits, allSensors, generatedBy: PROGRAM };
  const page = { ...common, ...(reportLink && { reportLink }) };
  return renderStats(table, statistics, { ...page, episodes: withPeaks(episodes, leaders, findPeaks(table)) });
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
