/**
 * Works out the statistics of a large table in several threads.
 */
import { planStatistics, type Statistics } from "./statistics.ts";
import type { PartContext, PartName, Parts } from "./statistics-parts.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { Thread } from "../process/thread.ts";
import type { StatisticsOptions } from "./settings.ts";

/** Asked of a thread: first what all parts share, then the parts. */
export type PartAsk =
  { readonly context: PartContext } | { readonly name: PartName; readonly ask: Parts[PartName]["ask"]; readonly rows: number };
export type PartAnswer = Parts[PartName]["answer"];

/**
 * The statistics of a table, see `computeStatistics`; the threads look at the same columns and hold texts of their own.
 *
 * @param table Its columns should be in shared memory (`ReducedBuilder` sees to it): others are copied to each thread.
 * @throws {RangeError} if an option is out of range.
 */
export async function computeInThreads(
  table: ReducedTable,
  options: StatisticsOptions,
  threads: number,
): Promise<Statistics> {
  // They load while this thread plans.
  const workers = Array.from(
    { length: threads },
    () => new Thread<PartAsk, PartAnswer | undefined>(new URL("./statistics-worker.ts", import.meta.url)),
  );
  try {
    const { context, steps } = planStatistics(table, options);
    // A thread that broke down says so when it is asked for a part.
    for (const worker of workers) worker.ask({ context }).catch(() => {});
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      // The longest first, so that none is left over at the end.
      const pending = [...step.value].sort((a, b) => b.rows - a.rows).values();
      const run = async (worker: (typeof workers)[number]) => {
        for (const call of pending) {
          const { name, ask, rows } = call;
          call.settle((await worker.ask({ name, ask, rows }))!);
        }
      };
      await Promise.all(workers.map(run));
    }
  } finally {
    for (const worker of workers) worker[Symbol.dispose]();
  }
}
