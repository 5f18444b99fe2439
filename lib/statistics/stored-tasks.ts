/**
 * What threads do for the statistics of a table that stays in its file.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { LEDGER_TASKS } from "./ledger-tasks.ts";
import { TREND_TASKS } from "./trend-tasks.ts";
import { UNIT_TASKS } from "./unit-tasks.ts";

export const STATISTICS_TASKS = { ...UNIT_TASKS, ...LEDGER_TASKS, ...TREND_TASKS };
export type StatisticsTasks = typeof STATISTICS_TASKS;
