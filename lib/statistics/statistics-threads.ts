/**
 * Works out the statistics of a large table in several threads.
 */
import { planStatistics, type Statistics, type StatisticsOptions } from "./statistics.ts";
import type { PartCall, PartContext, PartName, Parts } from "./statistics-parts.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";

export type PartMessage =
  | { readonly type: "context"; readonly context: PartContext }
  | { readonly type: "part"; readonly name: PartName; readonly ask: Parts[PartName]["ask"]; readonly rows: number };

export type PartReply = { readonly answer: Parts[PartName]["answer"] } | { readonly failure: string };

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
  const workers = Array.from({ length: threads }, () => new Worker(new URL("./statistics-worker.ts", import.meta.url).href));
  try {
    const { context, steps } = planStatistics(table, options);
    for (const worker of workers) tell(worker, { type: "context", context });
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      // The longest first, so that none is left over at the end.
      const pending = [...step.value].sort((a, b) => b.rows - a.rows).values();
      const run = async (worker: Worker) => {
        for (const call of pending) call.settle(await ask(worker, call));
      };
      await Promise.all(workers.map(run));
    }
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

function tell(worker: Worker, message: PartMessage): void {
  worker.postMessage(message);
}

function ask(worker: Worker, call: PartCall): Promise<Parts[PartName]["answer"]> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<PartReply>) => {
      if ("answer" in data) resolve(data.answer);
      else reject(new Error(data.failure));
    };
    worker.onerror = event => reject(new Error(event.message));
    tell(worker, { type: "part", name: call.name, ask: call.ask, rows: call.rows });
  });
}
