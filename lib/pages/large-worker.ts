/** Works on a large table in a thread of its own. Tested in `test/scripts/visualize.test.ts`. */
import { answerTasks } from "../reduced/stored-pool.ts";
import { LARGE_TASKS } from "./large-tasks.ts";

answerTasks(LARGE_TASKS);
