/**
 * Looks through event tables in a thread of its own.
 *
 * Tested in `test/lib/pages/session-work.test.ts`.
 */
import { answerAsks } from "../process/thread.ts";
import { runSessionTask, type SessionOutcome, type SessionTask } from "./session-work.ts";

answerAsks<SessionTask, SessionOutcome>(runSessionTask);
