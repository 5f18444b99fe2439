/**
 * Works out parts of the statistics: one message with what they share, then one for each part.
 */
import { type PartContext, workOut } from "./statistics-parts.ts";
import type { PartMessage, PartReply } from "./statistics-threads.ts";
import { errorReason } from "../text/text.ts";

declare const self: Worker;

/** Parts of so many rows leave enough behind to be collected at once: arrays are else kept for long. */
const COLLECT_ROWS = 1 << 24;

let context: PartContext | undefined;

self.onmessage = ({ data }: MessageEvent<PartMessage>) => {
  if (data.type === "context") {
    context = data.context;
    return;
  }
  let reply: PartReply;
  try {
    reply = { answer: workOut(context!, data.name, data.ask) };
  } catch (error) {
    reply = { failure: errorReason(error) };
  }
  self.postMessage(reply);
  if (data.rows >= COLLECT_ROWS) Bun.gc(true);
};
