/** A thread of the tests of `stored-pool.ts`. */
import { answerTasks } from "../../lib/reduced/stored-pool.ts";
import { POOL_TASKS } from "./pool-tasks.ts";

answerTasks(POOL_TASKS);
