/**
 * Looks through event tables in a thread of its own: tasks come as messages, outcomes go back as messages, in order.
 */
import { runSessionTask, type SessionOutcomes, type SessionTask } from "./session-work.ts";
import { errorReason } from "../text/text.ts";

declare const self: Worker;

export type SessionMessage =
  { readonly outcome: SessionOutcomes[keyof SessionOutcomes] } | { readonly failure: string };

let before: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<SessionTask>) => {
  before = before.then(async () => {
    let message: SessionMessage;
    try {
      message = { outcome: await runSessionTask(data) };
    } catch (error) {
      message = { failure: errorReason(error) };
    }
    self.postMessage(message);
  });
};
