/**
 * Which process a lock or a half-written file belongs to, and whether that process still lives.
 *
 * A pid alone is not enough: it is used again after a while, and in a container it is the same every time. So the
 * time the process started goes with it, and the machine, for folders that several machines share.
 * Tested in `test/lib/process/lock.test.ts`.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { PROCESS_ID, processExists } from "./cli.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the kernel's clock ticks since boot; "" where the system does not tell (not Linux). */
  readonly start: string;
  readonly host: string;
  /** Within which its pid counts: containers may share a host's name, and not its processes. Not told: the host's own. */
  readonly space?: string;
}

function readSpace(): { space?: string } {
  try {
    return { space: readlinkSync("/proc/self/ns/pid") };
  } catch {
    // Not Linux.
    return {};
  }
}

/** Start time of a process in clock ticks since boot; undefined if it is gone or the system has no /proc. */
function readStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Fields are counted after the name, which may itself hold blanks and parentheses: "123 (a) b) S ...".
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie only waits to be buried: it writes nothing any more.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    // No such process, or no /proc: processExists decides.
    return undefined;
  }
}

export const THIS_PROCESS: ProcessIdentity = {
  pid: PROCESS_ID,
  start: readStart(PROCESS_ID) ?? "",
  host: hostname(),
  ...readSpace(),
};

/** Whether the system here can tell that the process lives: it is one of this machine, and not of another container. */
export function isNear({ host, space }: ProcessIdentity): boolean {
  return host === THIS_PROCESS.host && (space === undefined || space === THIS_PROCESS.space);
}

/** Whether the process may still be at work; one of another machine always may. */
export function isAlive({ pid, start, host }: ProcessIdentity): boolean {
  if (host !== THIS_PROCESS.host) return true;
  if (!Number.isSafeInteger(pid) || pid < 1 || !processExists(pid)) return false;
  return THIS_PROCESS.start === "" || start === "" || readStart(pid) === start;
}
