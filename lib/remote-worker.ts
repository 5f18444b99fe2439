/**
 * Maps logs in a thread of its own while they come in: opened, fed and ended by messages, one log at a time.
 */
import type { FileIdentity } from "./event-table.ts";
import { openEventTable } from "./event-table.ts";
import { mapGrown } from "./grow-log.ts";
import { peek, streamText } from "./log-file.ts";
import { type LogJob, type LogResult, mapText, readStored } from "./read-log.ts";

declare const self: Worker;

export type MapperRequest =
  /** A log whose event table is still true. */
  | { readonly type: "stored"; readonly job: LogJob }
  | {
      readonly type: "open";
      readonly job: LogJob;
      readonly file: FileIdentity;
      /** What comes is only what the log has grown by, see `growOffset`. */
      readonly isGrown: boolean;
    }
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "end" }
  /** The log will not come whole. */
  | { readonly type: "abort" };

export type MapperReply =
  /** Bytes that were fed have been taken. */
  | { readonly type: "took"; readonly bytes: number }
  | { readonly type: "done"; readonly result: LogResult }
  | { readonly type: "failed"; readonly message: string };

/** What has been fed and not yet read; undefined between logs. */
let feed: { queue: Uint8Array[]; isEnded: boolean; isAborted: boolean; wake: () => void } | undefined;

const post = (message: MapperReply) => self.postMessage(message);

self.onmessage = ({ data }: MessageEvent<MapperRequest>) => {
  if (data.type === "stored") void settle(() => openStored(data.job));
  else if (data.type === "open") void settle(() => mapFed(data.job, data.file, data.isGrown));
  else if (feed !== undefined) {
    if (data.type === "data") feed.queue.push(data.bytes);
    else if (data.type === "end") feed.isEnded = true;
    else feed.isAborted = true;
    feed.wake();
  }
};

async function settle(work: () => Promise<LogResult>): Promise<void> {
  try {
    const result = await work();
    feed = undefined;
    post({ type: "done", result });
  } catch (error) {
    feed = undefined;
    post({ type: "failed", message: (error as Error).message });
  }
}

async function openStored(job: LogJob): Promise<LogResult> {
  return readStored(job, await openEventTable(job.tablePath!));
}

async function mapFed(job: LogJob, file: FileIdentity, isGrown: boolean): Promise<LogResult> {
  const own = { queue: [] as Uint8Array[], isEnded: false, isAborted: false, wake: () => {} };
  feed = own;
  async function* chunks() {
    for (;;) {
      if (own.isAborted) throw new Error("the log did not come whole");
      const chunk = own.queue.shift();
      if (chunk !== undefined) {
        yield chunk;
        post({ type: "took", bytes: chunk.length });
      } else if (own.isEnded) {
        return;
      } else {
        await new Promise<void>(resolve => (own.wake = resolve));
      }
    }
  }
  if (isGrown) {
    const result = await mapGrown(job, file, chunks());
    if (own.isAborted) throw new Error("the log did not come whole");
    return result;
  }
  // Packed logs are told by their first bytes, as those on a disk are.
  const { head, all } = await peek(chunks());
  const text = streamText(head, all);
  try {
    const result = await mapText(job, text, file, undefined);
    if (own.isAborted) throw new Error("the log did not come whole");
    return result;
  } finally {
    text.close();
  }
}
