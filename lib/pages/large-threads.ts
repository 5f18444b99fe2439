/**
 * The threads of a large table, whatever they are asked: what they do is loaded by them alone.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { startProgress } from "../process/progress.ts";
import { KIND_NAMES } from "../reduced/kinds.ts";
import { openPool, type PoolOpener } from "../reduced/stored-pool.ts";
import { formatNumber } from "../text/format.ts";
import type { LargeTasks } from "./large-tasks.ts";

/** How often what is made of a table looks at each of its rows, about, as measured: by it a progress line tells what is left. */
const LOOKS = { check: 1, statistics: 9, history: 4, report: 3 };

/**
 * @param wanted What is made of the table.
 * @param quiet Whether nobody is told how far it is.
 */
export function openLargePool(wanted: readonly (keyof typeof LOOKS)[], quiet: boolean): PoolOpener<LargeTasks> {
  return (path, stored) => {
    const rows = KIND_NAMES.reduce((sum, kind) => stored.placesOf(kind).rows.reduce((own, more) => own + more, sum), 0);
    const looks = ["check" as const, ...wanted].reduce((sum, name) => sum + LOOKS[name], 0);
    const progress = startProgress({ label: `Working on ${formatNumber(rows)} rows`, totalBytes: rows * looks, unit: "rows", quiet });
    progress.add(0);
    return openPool<LargeTasks>(new URL("./large-worker.ts", import.meta.url), { path, selection: {} }, {
      progress: {
        done(cost, isIdle) {
          progress.add(cost);
          // Whoever made it work has something to say now.
          if (isIdle) progress.clear();
        },
        [Symbol.dispose]: () => progress[Symbol.dispose](),
      },
    });
  };
}
