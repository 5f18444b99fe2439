/**
 * Looks through sessions and event tables in a thread of its own.
 *
 * Tested in `test/lib/pages/session-work.test.ts`.
 */
import { answerAsks } from "../process/thread.ts";
import { sessionTasks, type SessionOutcome, type SessionTask } from "./session-work.ts";

answerAsks<SessionTask, SessionOutcome>(sessionTasks());
