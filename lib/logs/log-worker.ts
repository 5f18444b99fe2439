/**
 * Reads logs in a thread of its own: jobs come as messages, progress and results go back as messages.
 */
import { type LogJob, type LogResult, readLog } from "./read-log.ts";

declare const self: Worker;

export type WorkerMessage =
  | { readonly type: "progress"; readonly textBytes: number }
  | { readonly type: "done"; readonly result: LogResult }
  | { readonly type: "failed"; readonly message: string };

self.onmessage = async ({ data }: MessageEvent<LogJob>) => {
  const post = (message: WorkerMessage) => self.postMessage(message);
  try {
    const result = await readLog(data, textBytes => post({ type: "progress", textBytes }));
    post({ type: "done", result });
  } catch (error) {
    post({ type: "failed", message: (error as Error).message });
  }
};
