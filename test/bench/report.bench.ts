/**
 * How long do the pages take to build, and how large are they?
 *
 *   bun test/bench/report.bench.ts
 *
 * Wanted: 90 days of 20 sensors under 750 KB; 365 days of 100 sensors under 4 MB.
 */
import type { ReportOptions } from "../../lib/pages/report.ts";
import { computeStatistics } from "../../lib/statistics/statistics.ts";
import { renderStats } from "../../lib/pages/stats-page.ts";
import { buildFleet } from "../support/report-fleet.ts";
import { buildFleetSessions } from "../support/report-sessions.ts";
import { prepareReport } from "../support/report.ts";

const RUNS = 5;
const OPTIONS = { topN: 5, thresholdPercent: 20, lastDays: 7 };
const CASES = [
  { name: "40 days x 4 sensors", days: 40, sensors: 4, tail: 60 },
  { name: "90 days x 20 sensors", days: 90, sensors: 20, tail: 400 },
  { name: "365 days x 100 sensors", days: 365, sensors: 100, tail: 100 },
];

/** Least and median of some runs, in ms; all runs must give the same page. */
function measure(build: () => string): { page: string; min: number; median: number } {
  const page = build();
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    if (build() !== page) throw new Error("the same input gave another page");
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return { page, min: times[0]!, median: times[RUNS >> 1]! };
}

console.log(`bun ${Bun.version}, ${new Date().toISOString().slice(0, 10)}`);
for (const { name, ...size } of CASES) {
  const table = buildFleet(size);
  const rows = Object.values(table.kinds).reduce((sum, kind) => sum + kind.rows, 0);
  const print = (what: string, { page, min, median }: ReturnType<typeof measure>) =>
    console.log(
      `${name}, ${rows} rows, ${what}: ${(Buffer.byteLength(page) / 1000).toFixed(0)} KB ` +
        `(gzip ${(Bun.gzipSync(page).length / 1000).toFixed(0)}), min ${min.toFixed(0)} ms, median ${median.toFixed(0)} ms`,
    );
  const report = (more: Pick<ReportOptions, "statistics" | "sessions">) =>
    measure(() => prepareReport(table, OPTIONS).render(more));
  print("result.html of the table alone", report({}));
  const sessions = buildFleetSessions(table, prepareReport(table, OPTIONS).data);
  print("result.html with chains and sessions", report({ sessions }));
  // A year of a hundred sensors takes the statistics half a minute.
  if (size.sensors > 20) continue;
  const statistics = computeStatistics(table, OPTIONS);
  print("result.html with statistics too", report({ sessions, statistics }));
  print(
    "stats.html",
    measure(() => renderStats(table, statistics, OPTIONS)),
  );
}
