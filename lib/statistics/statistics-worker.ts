/**
 * Works out parts of the statistics: asked once with what they share, then once for each part.
 *
 * Tested in `test/lib/statistics/statistics-threads.test.ts`.
 */
import { answerAsks } from "../process/thread.ts";
import { type PartContext, workOut } from "./statistics-parts.ts";
import type { PartAnswer, PartAsk } from "./statistics-threads.ts";

/** Parts of so many rows leave enough behind to be collected at once: arrays are else kept for long. */
const COLLECT_ROWS = 1 << 20;

let context: PartContext | undefined;

answerAsks<PartAsk, PartAnswer | undefined>(ask => {
  if ("context" in ask) {
    context = ask.context;
    return undefined;
  }
  // Once the answer is on its way.
  if (ask.rows >= COLLECT_ROWS) setImmediate(() => Bun.gc(true));
  return workOut(context!, ask.name, ask.ask);
});
