/**
 * Looks through event tables in a thread of its own.
 */
import { answerAsks } from "../process/thread.ts";
import { runSessionTask, type SessionOutcome, type SessionTask } from "./session-work.ts";

answerAsks<SessionTask, SessionOutcome>(runSessionTask);
