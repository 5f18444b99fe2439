/** Finds the history of a table in its file. Tested in `test/scripts/history.test.ts`. */
import { fromSentSums } from "../reduced/cell-sums.ts";
import { StoredTable } from "../reduced/stored-table.ts";
import { answerAsks } from "../process/thread.ts";
import type { Episode } from "./episodes.ts";
import type { HistoryAsk } from "./history-aside.ts";
import { findStoredEpisodes } from "./stored-episodes.ts";

answerAsks<HistoryAsk, Episode[]>(({ path, selection, sums, coverage }) => {
  using whole = StoredTable.open(path)!;
  const stored = whole.select(selection);
  return findStoredEpisodes(stored, fromSentSums(sums, stored), coverage);
});
