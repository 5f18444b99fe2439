/**
 * The history of a table that stays in its file, with what it knows of the peaks.
 *
 * Tested in `test/lib/history/stored-episodes.test.ts`.
 */
import type { CellSums } from "../reduced/cell-sums.ts";
import type { StoredPool } from "../reduced/stored-pool.ts";
import type { Coverage } from "../statistics/coverage.ts";
import { type Episode, tellEpisodes } from "./episodes.ts";
import { watchesOf } from "./history-source.ts";
import type { HistoryTasks } from "./history-tasks.ts";
import { withPeaks } from "./peak-episodes.ts";
import { findPeaks } from "./peaks.ts";
import { findStoredCandidates, type TaskSizes } from "./stored-candidates.ts";
import { findWatchChanges } from "./watch-changes.ts";

/**
 * @param pool Threads that have the table open.
 * @param cells Its sums.
 * @param sizes Into how large pieces the work is cut; what is found is the same.
 */
export async function findStoredEpisodes(pool: StoredPool<HistoryTasks>, cells: CellSums, coverage: Coverage, sizes?: TaskSizes): Promise<Episode[]> {
  const watches = watchesOf(cells, coverage);
  const peaks = findPeaks(cells.table);
  const rowsOf = (kind: "event" | "proxy_request") => cells.rows[kind].reduce((sum, rows) => sum + rows, 0);
  const [candidates, idDays, leaders] = await Promise.all([
    findStoredCandidates({ pool, cells, watches, ...(sizes && { sizes }) }),
    pool.ask("historyIds", undefined, rowsOf("event")),
    pool.ask("historyPeaks", { peaks }, rowsOf("proxy_request")),
  ]);
  const episodes = tellEpisodes({ changes: findWatchChanges(idDays, coverage), watch: watches.watch, candidates, totals: cells.table }, { coverage });
  return withPeaks(episodes, leaders, peaks);
}
