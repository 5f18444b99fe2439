/**
 * The history of a table that stays in its file, found by a thread of its own.
 *
 * Tested in `test/lib/history/stored-episodes.test.ts`.
 */
import type { LargeTable } from "../reduced/large-tables.ts";
import { openPool } from "../reduced/stored-pool.ts";
import type { Coverage } from "../statistics/coverage.ts";
import type { Episode } from "./episodes.ts";
import type { HistoryTasks } from "./history-tasks.ts";
import { findStoredEpisodes } from "./stored-episodes.ts";

export async function findEpisodesAside({ path, selection, cells }: Pick<LargeTable, "path" | "selection" | "cells">, coverage: Coverage, threads = 1): Promise<Episode[]> {
  using pool = openPool<HistoryTasks>(new URL("./history-worker.ts", import.meta.url), { path, selection }, { doing: "find what happened", threads });
  return await findStoredEpisodes(pool, cells, coverage);
}
