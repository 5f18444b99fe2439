/**
 * The history of a table that stays in its file, found by a thread of its own.
 *
 * Tested in `test/scripts/history.test.ts`.
 */
import { type SentSums, toSentSums } from "../reduced/cell-sums.ts";
import type { LargeTable } from "../reduced/large-tables.ts";
import type { Coverage } from "../statistics/coverage.ts";
import { Thread } from "../process/thread.ts";
import type { Episode } from "./episodes.ts";

export interface HistoryAsk extends Pick<LargeTable, "path" | "selection"> {
  readonly sums: SentSums;
  readonly coverage: Coverage;
}

export async function findEpisodesAside({ path, selection, cells }: Pick<LargeTable, "path" | "selection" | "cells">, coverage: Coverage): Promise<Episode[]> {
  using thread = new Thread<HistoryAsk, Episode[]>(new URL("./history-worker.ts", import.meta.url), { smol: true, doing: "find what happened" });
  return await thread.ask({ path, selection, sums: toSentSums(cells), coverage });
}
