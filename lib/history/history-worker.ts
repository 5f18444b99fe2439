/** Finds the history of a table in its file. Tested in `test/scripts/history.test.ts`. */
import { sumUp } from "../reduced/large-tables.ts";
import { StoredTable } from "../reduced/stored-table.ts";
import { answerAsks } from "../process/thread.ts";
import { buildCoverage } from "../statistics/coverage.ts";
import type { Episode } from "./episodes.ts";
import type { HistoryAsk } from "./history-aside.ts";
import { findStoredEpisodes } from "./stored-episodes.ts";

answerAsks<HistoryAsk, Episode[]>(async ({ path, selection }) => {
  using whole = StoredTable.open(path)!;
  const stored = whole.select(selection);
  const cells = await sumUp(stored);
  return findStoredEpisodes(stored, cells, buildCoverage(cells.table));
});
