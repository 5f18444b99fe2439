/**
 * Reads logs in a thread of its own, by the kernel that it is told of; tells how much text it has read of each.
 *
 * Tested in `test/lib/logs/log-set.test.ts`.
 */
import { adoptKernel } from "../kernel/kernel.ts";
import { answerAsks, memoryOf } from "../process/thread.ts";
import { readLogOn } from "./grow-log.ts";
import { withDigest } from "./log-digests.ts";
import type { LogJob, LogResult } from "./read-log.ts";

answerAsks<LogJob, LogResult, number, WebAssembly.Module | undefined>(
  async (job, tell) => {
    const result = await readLogOn(job, tell);
    return job.keepsDigest === true ? withDigest(result) : result;
  },
  adoptKernel,
  ({ rows, sessions, digest }) => memoryOf([rows, sessions, digest]),
);
