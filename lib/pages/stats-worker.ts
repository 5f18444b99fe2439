/**
 * Computes statistics and renders their page in a thread of its own: one message with the table, one with the outcome.
 */
import { errorReason } from "../text/text.ts";
import { type StatsOutcome, type StatsRequest, statsHere } from "./stats-run.ts";

declare const self: Worker;

export type StatsMessage = { readonly outcome: StatsOutcome } | { readonly failure: string };

self.onmessage = async ({ data }: MessageEvent<StatsRequest>) => {
  let message: StatsMessage;
  try {
    message = { outcome: await statsHere(data) };
  } catch (error) {
    message = { failure: errorReason(error) };
  }
  self.postMessage(message);
};
