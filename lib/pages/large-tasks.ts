/**
 * All that is asked of a thread that has a large table open, room by room.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { CHECK_TASKS } from "../reduced/check-table.ts";

export const LARGE_TASKS = { ...CHECK_TASKS };
export type LargeTasks = typeof LARGE_TASKS;
