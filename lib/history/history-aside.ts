/**
 * The history of a table that stays in its file, found by a thread of its own.
 *
 * Tested in `test/scripts/history.test.ts`.
 */
import type { LargeTable } from "../reduced/large-tables.ts";
import { Thread } from "../process/thread.ts";
import type { Episode } from "./episodes.ts";

export type HistoryAsk = Pick<LargeTable, "path" | "selection">;

export async function findEpisodesAside({ path, selection }: HistoryAsk): Promise<Episode[]> {
  using thread = new Thread<HistoryAsk, Episode[]>(new URL("./history-worker.ts", import.meta.url), { smol: true, doing: "find what happened" });
  return await thread.ask({ path, selection });
}
