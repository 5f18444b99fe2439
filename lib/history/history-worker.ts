/** Finds the history of a table in its file, task by task. Tested in `test/scripts/history.test.ts`. */
import { answerTasks } from "../reduced/stored-pool.ts";
import { HISTORY_TASKS } from "./history-tasks.ts";

answerTasks(HISTORY_TASKS);
