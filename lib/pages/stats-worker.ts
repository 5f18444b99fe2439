/**
 * Computes statistics and renders their page in a thread of its own.
 *
 * Tested in `test/scripts/analyze-local.test.ts`.
 */
import { answerAsks } from "../process/thread.ts";
import { type StatsAnswer, type StatsAsk, statsTasks } from "./stats-run.ts";

answerAsks<StatsAsk, StatsAnswer>(statsTasks());
