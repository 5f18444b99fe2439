/**
 * Statistics and their page, beside the rest of a run where the table is large enough to pay for it.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { availableParallelism } from "node:os";
import { fromSentSums, type SentSums } from "../reduced/cell-sums.ts";
import type { LargeTable } from "../reduced/large-tables.ts";
import { emptyTable, type ReducedTable } from "../reduced/reduced-table.ts";
import { StoredTable } from "../reduced/stored-table.ts";
import type { Episode } from "../history/episodes.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { PROGRAM } from "../process/version.ts";
import { Thread } from "../process/thread.ts";
import type { StatisticsOptions } from "../statistics/settings.ts";
import type { StatsPageOptions } from "./stats-page.ts";

/** Rows from which another thread pays, and from which several do: each has to translate the program for itself. */
const ASIDE_MIN_ROWS = 100_000;
const THREADS_MIN_ROWS = 4_000_000;
/** More find nothing to do: the largest part is a fifth of the work. */
const THREADS_MAX = 4;

export type StatsRequest = StatsOptions & ({ readonly table: ReducedTable; readonly large?: undefined } | { readonly large: SentTable });

/** A table in its file, as a thread is told of it. */
interface SentTable extends Pick<LargeTable, "path" | "selection"> {
  readonly sums: SentSums;
}

interface StatsOptions {
  readonly options: StatisticsOptions & Omit<StatsPageOptions, "generatedBy" | "episodes">;
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
  if (request.large === undefined && countRows(request.table) < ASIDE_MIN_ROWS) return statsHere(request);
  const entry = new URL("./stats-worker.ts", import.meta.url);
  using thread = new Thread<StatsRequest, StatsOutcome>(entry, { smol: true, doing: "compute the statistics" });
  return await thread.ask(request.large === undefined ? { ...request, table: withoutSessions(request.table) } : request);
}

/** A table without the last commands of sessions, whose ids are most of what would be copied for another thread: no statistics know sessions. */
function withoutSessions(table: ReducedTable): ReducedTable {
  const { kinds, dictionaries } = table;
  return { ...table, dictionaries: { ...dictionaries, session: [] }, kinds: { ...kinds, last_command: emptyTable("last_command") } };
}

/** Compute the statistics of a table and render their page, with the help of threads only if the table is very large. */
export async function statsHere(request: StatsRequest): Promise<StatsOutcome> {
  const { options } = request;
  const [{ table, statistics, episodes }, { renderStats }] = await Promise.all([
    request.large === undefined ? computeHere(request.table, options) : computeLarge(request.large, options),
    import("./stats-page.ts"),
  ]);
  const { thresholdPercent, lastDays, limits = [], allSensors = table.dictionaries.sensor.length, reportLink } = options;
  const common = { thresholdPercent, lastDays, limits, allSensors, generatedBy: PROGRAM };
  const page = { ...common, ...(reportLink && { reportLink }) };
  return { statistics, episodes, html: renderStats(table, statistics, { ...page, episodes }) };
}

/** What a page of statistics tells of, and of which table. */
type Computed = Omit<StatsOutcome, "html"> & { readonly table: ReducedTable };

async function computeHere(table: ReducedTable, options: StatsRequest["options"]): Promise<Computed> {
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
  return { table, statistics, episodes: withTablePeaks(table, findEpisodes(table, { coverage: buildCoverage(table, options) })) };
}

/** The same of a table that stays in its file; `table` has its sums alone. */
async function computeLarge({ path, selection, sums }: SentTable, options: StatsRequest["options"]): Promise<Computed> {
  const [{ computeStored }, { findEpisodesAside }, { buildCoverage }] = await Promise.all([
    import("../statistics/stored-statistics.ts"),
    import("../history/history-aside.ts"),
    import("../statistics/coverage.ts"),
  ]);
  using whole = StoredTable.open(path)!;
  const stored = whole.select(selection);
  const cells = fromSentSums(sums, stored);
  const [episodes, statistics] = await Promise.all([
    findEpisodesAside({ path, selection, cells }, buildCoverage(cells.table, options)),
    computeStored(stored, cells, options, Math.min(availableParallelism(), THREADS_MAX)),
  ]);
  return { table: cells.table, statistics, episodes };
}

function countRows(table: ReducedTable): number {
  return Object.values(table.kinds).reduce((rows, kind) => rows + kind.rows, 0);
}
