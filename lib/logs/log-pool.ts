/**
 * Reads many logs at once, in worker threads where that pays.
 *
 * Tested in `test/lib/logs/log-set.test.ts`.
 */
import { availableParallelism } from "node:os";
import { kernelModule } from "../kernel/kernel.ts";
import { readLogOn } from "./grow-log.ts";
import type { LogJob, LogResult } from "./read-log.ts";
import { pauseNowAndThen } from "../process/pause.ts";
import { Thread } from "../process/thread.ts";

/** Logs with less text in all are read in this thread: starting workers takes longer. */
const WORKERS_MIN_BYTES = 24 << 20;

/**
 * Read logs, several at the same time.
 *
 * @param jobs Started in this order.
 * @param sizeBytes Bytes on disk of all logs.
 * @param threads Logs read at the same time; undefined = one per core.
 * @param onDone Called in the order in which logs are done; the next log of a thread waits for it.
 * @param onProgress Called with the bytes of text read since the last call.
 * @throws {Error} the first failure of a job; the others are given up.
 */
export async function readLogs(
  jobs: readonly LogJob[],
  sizeBytes: number,
  threads: number | undefined,
  onDone: (job: LogJob, result: LogResult) => void | Promise<void>,
  onProgress: (textBytes: number) => void,
): Promise<void> {
  const size = Math.min(threads ?? availableParallelism(), jobs.length);
  const pending = jobs.values();
  if (size <= 1 || sizeBytes < WORKERS_MIN_BYTES) {
    for (const job of pending) {
      await onDone(job, await readLogOn(job, stepsOf(onProgress)));
      await pauseNowAndThen();
    }
    return;
  }
  // Disposed of together: where one log fails, the others are given up.
  using workers = new DisposableStack();
  const run = async () => {
    const entry = new URL("./log-worker.ts", import.meta.url);
    const thread = workers.use(new Thread<LogJob, LogResult, number, WebAssembly.Module | undefined>(entry, { smol: true }));
    thread.tell(kernelModule());
    for (const job of pending) await onDone(job, await thread.ask(job, stepsOf(onProgress)));
  };
  await Promise.all(Array.from({ length: size }, run));
}

/** From "so many in all" to "so many more". */
function stepsOf(onProgress: (textBytes: number) => void): (textBytes: number) => void {
  let told = 0;
  return textBytes => {
    onProgress(textBytes - told);
    told = textBytes;
  };
}
