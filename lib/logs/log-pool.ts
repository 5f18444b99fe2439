/**
 * Reads many logs at once, in worker threads where that pays.
 */
import { availableParallelism } from "node:os";
import { type LogJob, type LogResult, readLog } from "./read-log.ts";
import type { WorkerMessage } from "./log-worker.ts";

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
    for (const job of pending) await onDone(job, await readLog(job, stepsOf(onProgress)));
    return;
  }
  const workers: Worker[] = [];
  try {
    const run = async () => {
      // Collects garbage sooner: some 10 % less memory for the same speed.
      const worker = new Worker(new URL("./log-worker.ts", import.meta.url).href, { smol: true });
      workers.push(worker);
      for (const job of pending) await onDone(job, await ask(worker, job, stepsOf(onProgress)));
    };
    await Promise.all(Array.from({ length: size }, run));
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

function ask(worker: Worker, job: LogJob, onProgress: (textBytes: number) => void): Promise<LogResult> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      if (data.type === "progress") onProgress(data.textBytes);
      else if (data.type === "done") resolve(data.result);
      else reject(new Error(data.message));
    };
    worker.onerror = event => reject(new Error(`Cannot read ${job.path}: ${event.message}`));
    worker.postMessage(job);
  });
}

/** From "so many in all" to "so many more". */
function stepsOf(onProgress: (textBytes: number) => void): (textBytes: number) => void {
  let told = 0;
  return textBytes => {
    onProgress(textBytes - told);
    told = textBytes;
  };
}
