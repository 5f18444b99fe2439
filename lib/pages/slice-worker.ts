/**
 * Does one task of the work on a table that is dealt out, or the last step, in a thread of its own.
 *
 * Tested in `test/lib/pages/sliced-run.test.ts`.
 */
import { answerAsks } from "../process/thread.ts";
import type { JoinAnswer, JoinAsk, TaskAnswer, TaskAsk } from "./sliced-aside.ts";

answerAsks<TaskAsk | JoinAsk, TaskAnswer | JoinAnswer>(async ask => {
  // Pages wait for their scripts while they load: a question that came meanwhile would be lost.
  const { joinParts, runPart } = await import("./sliced-run.ts");
  return "part" in ask ? await runPart(ask) : await joinParts(ask);
});
