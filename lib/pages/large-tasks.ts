/**
 * All that is asked of a thread that has a large table open, room by room.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { HISTORY_TASKS } from "../history/history-tasks.ts";
import { CHECK_TASKS } from "../reduced/check-table.ts";
import { STATISTICS_TASKS } from "../statistics/stored-tasks.ts";
import { REPORT_TASKS } from "./report-tasks.ts";

export const LARGE_TASKS = { ...CHECK_TASKS, ...STATISTICS_TASKS, ...HISTORY_TASKS, ...REPORT_TASKS };
export type LargeTasks = typeof LARGE_TASKS;
