/**
 * Statistics and their page, beside the rest of a run where the table is large enough to pay for it.
 */
import type { ReducedTable } from "./reduced-table.ts";
import type { Statistics, StatisticsOptions } from "./statistics.ts";
import type { StatsMessage } from "./stats-worker.ts";
import { PROGRAM } from "./version.ts";

/** Rows from which another thread pays: below, copying the table takes longer than it saves. */
const ASIDE_MIN_ROWS = 100_000;

export interface StatsRequest {
  readonly table: ReducedTable;
  readonly options: StatisticsOptions & { readonly thresholdPercent: number; readonly lastDays: number };
}

export interface StatsOutcome {
  readonly statistics: Statistics;
  /** `stats.html` */
  readonly html: string;
}

/** Compute the statistics of a table and render their page; in another thread if the table is large. */
export async function statsAside(request: StatsRequest): Promise<StatsOutcome> {
  const rows = Object.values(request.table.kinds).reduce((sum, table) => sum + table.rows, 0);
  if (rows < ASIDE_MIN_ROWS) return statsHere(request);
  const worker = new Worker(new URL("./stats-worker.ts", import.meta.url).href, { smol: true });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<StatsMessage>) => {
        if ("outcome" in data) resolve(data.outcome);
        else reject(new Error(`Cannot compute the statistics: ${data.failure}`));
      };
      worker.onerror = event => reject(new Error(`Cannot compute the statistics: ${event.message}`));
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}

/** Compute the statistics of a table and render their page in this thread. */
export async function statsHere({ table, options }: StatsRequest): Promise<StatsOutcome> {
  // Loaded where it is used: the numeric library takes as long to load as a small log to read.
  const [{ computeStatistics }, { renderStats }] = await Promise.all([import("./statistics.ts"), import("./stats-page.ts")]);
  const statistics = computeStatistics(table, options);
  const { thresholdPercent, lastDays } = options;
  return { statistics, html: renderStats(table, statistics, { thresholdPercent, lastDays, generatedBy: PROGRAM }) };
}
