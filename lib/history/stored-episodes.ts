/**
 * The history of a table that stays in its file, with what it knows of the peaks.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import type { CellSums } from "../reduced/cell-sums.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import type { Coverage } from "../statistics/coverage.ts";
import { type Episode, findEpisodesIn } from "./episodes.ts";
import { toStoredSource } from "./history-source.ts";
import { withPeaks } from "./peak-episodes.ts";
import { findPeaks, leadersOfTable } from "./peaks.ts";

/** @param cells The sums of the table. */
export function findStoredEpisodes(stored: StoredTable, cells: CellSums, coverage: Coverage): Episode[] {
  const episodes = findEpisodesIn(toStoredSource(stored, cells), { coverage });
  const peaks = findPeaks(cells.table);
  const gatherer = new RowGatherer(true);
  const days = new Set(peaks.days.map(({ day }) => day));
  for (const day of [...days].sort((a, b) => a - b)) {
    for (const part of stored.parts("proxy_request", { first: day, last: day })) gatherer.add(part);
  }
  return withPeaks(episodes, leadersOfTable(gatherer.finish(stored), peaks), peaks);
}
