/**
 * One run at a time per output: a lock file `.NAME.lock` beside it says which process is writing it.
 *
 * A lock is a lease. Its owner writes it again every few seconds; one that has not been written for a minute is dead, as is
 * one whose process is gone from this machine. So a process that stands still for a minute, as on a machine put to sleep,
 * may lose its lock to another machine; each output is whole all the same. Ages are told by the clock of the file system.
 *
 * A lock is made in one step, with its content, by linking a finished file to its name. It is removed by its owner,
 * or replaced by whoever finds the owner dead; so that two that find it so do not both replace it, that is done under
 * a lock of its own, `.NAME.lock.<id of the dead lock>`, for which the same holds. Ids are never used twice.
 */
import { constants, lstatSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { copyFile, link, rename } from "node:fs/promises";
import { closing, readSmallText } from "../columns/regular-file.ts";
import { onStop } from "./cli.ts";
import { hiddenStem, type OutputTarget, partialPathOf, removeQuietly, resolveOutput } from "./output-file.ts";
import { isAlive, isNear, type ProcessIdentity, THIS_PROCESS } from "./process-identity.ts";
import { errorReason, quoteForMessage, visible } from "../text/text.ts";

/** How often a waiting run looks again. */
const POLL_MS = 100;
/** A lock that has not been renewed for so long is dead. */
const LEASE_MS = 60_000;
/** Several times within a lease: a machine may be busy. */
const RENEW_MS = 10_000;

/** What stands in a lock file, as JSON. */
interface LockOwner extends ProcessIdentity {
  readonly id: string;
  /** When it was locked, ISO 8601 in UTC; for people. */
  readonly since: string;
}

export interface LockOptions {
  /** How long to wait for another run; default 0. */
  readonly waitSeconds?: number;
  /** Gives a file a second name; default: the system's hard link, which some file systems have not. */
  readonly link?: typeof link;
}

/** Locks that are held until `await using` or {@link Lock.release} lets them go, or the script ends. */
export interface Lock extends AsyncDisposable {
  release(): void;
}

/**
 * Lock outputs for this run.
 *
 * @param paths Outputs as on the command line; stdout, devices and pipes need no lock.
 * @throws {Error} if another run holds one of them and does not let go in time; says who.
 */
export async function lockOutputs(paths: readonly string[], options: LockOptions = {}): Promise<Lock> {
  const { waitSeconds = 0, link: linkFile = link } = options;
  const deadlineMs = performance.now() + 1000 * waitSeconds;
  const targets = new Map<string, OutputTarget>();
  for (const path of paths) {
    const target = await resolveOutput(path);
    if (target.kind === "file") targets.set(`${hiddenStem(target.realPath)}.lock`, target);
  }
  const held: (() => void)[] = [];
  const release = () => {
    while (held.length > 0) held.pop()!();
  };
  try {
    // Always in the same order, so that two runs never wait for each other.
    for (const lockPath of [...targets.keys()].sort()) {
      held.push(await acquire(lockPath, targets.get(lockPath)!, deadlineMs, linkFile));
    }
  } catch (error) {
    release();
    throw error;
  }
  return { release, [Symbol.asyncDispose]: async () => release() };
}

/** Wait for one lock; the result lets it go again. */
async function acquire(
  lockPath: string,
  { path, realPath }: OutputTarget,
  deadlineMs: number,
  linkFile: typeof link,
): Promise<() => void> {
  for (;;) {
    const result = await tryLock(lockPath, realPath, linkFile).catch(error => {
      throw new Error(`Cannot lock ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
    });
    if (typeof result === "function") return result;
    if (performance.now() >= deadlineMs) throw new Error(describeHolder(result, lockPath, path));
    await Bun.sleep(Math.min(POLL_MS, Math.max(1, deadlineMs - performance.now())));
  }
}

function describeHolder(owner: LockOwner | undefined, lockPath: string, path: string): string {
  const wanted = `Cannot write ${quoteForMessage(path)}`;
  if (owner === undefined) {
    return `${wanted}: ${quoteForMessage(lockPath)} is no lock of ours, expected to remove it if no run is at work`;
  }
  const where = owner.host === THIS_PROCESS.host ? "" : ` on ${visible(owner.host)}`;
  return `${wanted}: process ${owner.pid}${where} has been writing it since ${visible(owner.since)}, ` +
    `expected to wait for it (--wait SECONDS); ${quoteForMessage(lockPath)} ends a minute after its process`;
}

/**
 * Take a lock if it is free or its owner is dead.
 *
 * @param realPath The output the lock is for; the lock in the making is a partial file of it.
 * @returns A function that lets it go, or else who holds it: undefined if the file says nothing we understand.
 */
async function tryLock(
  lockPath: string,
  realPath: string,
  linkFile: typeof link,
): Promise<(() => void) | LockOwner | undefined> {
  const newPath = partialPathOf(realPath);
  const { text, hold, forget } = claim(lockPath, newPath);
  let isHeld = false;
  try {
    for (;;) {
      // At one go: a write under way in another thread could make the file after a signal had cleaned up. Anew each time:
      // its time is the file system's now.
      removeQuietly(newPath);
      writeFileSync(newPath, text, { flag: "wx" });
      isHeld = await linkNew(newPath, lockPath, linkFile);
      if (isHeld) return hold();
      const owner = readOwner(lockPath);
      if (owner === "gone") continue;
      if (owner === "foreign" || (owner === "torn" && !isOver(lockPath, newPath))) return undefined;
      if (owner !== "torn" && mayLive(owner, lockPath, newPath)) return owner;

      const unlock = await tryLock(`${lockPath}.${idOf(owner)}`, realPath, linkFile);
      if (typeof unlock !== "function") return unlock;
      try {
        // Only the holder of this inner lock may touch the dead one, so if it is there now it stays until the rename.
        const still = readOwner(lockPath);
        if (still !== "gone" && still !== "foreign" && idOf(still) === idOf(owner)) {
          await rename(newPath, lockPath);
          isHeld = true;
          return hold();
        }
      } finally {
        unlock();
      }
    }
  } finally {
    // Renamed perhaps, or never written.
    removeQuietly(newPath);
    if (!isHeld) forget();
  }
}

/** What a lock of ours says; how it is held until it is let go, and how it is given up before. */
function claim(lockPath: string, newPath: string) {
  const mine: LockOwner = { ...THIS_PROCESS, id: crypto.randomUUID().slice(0, 13), since: new Date().toISOString() };
  const text = `${JSON.stringify(mine)}\n`;
  const isMine = () => {
    // It is not ours if we never got it, or if somebody removed it or took it over.
    const owner = readOwner(lockPath);
    return typeof owner === "object" && owner.id === mine.id;
  };
  const removeMine = () => {
    if (isMine()) removeQuietly(lockPath);
  };
  // Before there is any file: a signal at any time from here on leaves none behind.
  const forget = onStop(() => {
    removeQuietly(newPath);
    removeMine();
  });
  const hold = () => {
    const renewal = setInterval(() => {
      if (isMine()) renew(lockPath, text);
    }, RENEW_MS);
    renewal.unref();
    return () => {
      clearInterval(renewal);
      forget();
      removeMine();
    };
  };
  return { text, hold, forget };
}

/** Write a lock again, so that it is seen to live. */
function renew(lockPath: string, text: string): void {
  try {
    const file = openSync(lockPath, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    using _file = closing(file);
    writeSync(file, text, 0);
  } catch {
    // Removed by hand, or a full disk: the next time may be better.
  }
}

/** On this machine the system knows; of another, or another container, only the lock tells. */
function mayLive(owner: LockOwner, lockPath: string, newPath: string): boolean {
  return isNear(owner) ? isAlive(owner) : !isOver(lockPath, newPath);
}

function idOf(owner: LockOwner | "torn"): string {
  return owner === "torn" ? "00000000-torn" : owner.id;
}

/** Whether a lock has not been renewed for the time of a lease, by the time of a file that was written just now. */
function isOver(lockPath: string, newPath: string): boolean {
  try {
    return statSync(newPath).mtimeMs - lstatSync(lockPath).mtimeMs > LEASE_MS;
  } catch {
    // Gone in the meantime: looked at again.
    return false;
  }
}

/** Give a file a second name unless that is taken. */
async function linkNew(from: string, to: string, linkFile: typeof link): Promise<boolean> {
  try {
    await linkFile(from, to);
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "EEXIST") return false;
    // Some file systems (FAT, a few network ones) have no hard links.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
  }
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Who a lock belongs to; "torn" if it is empty, as where there are no hard links and its owner died between making and
 * writing it, "foreign" if it says nothing we have written or may not be read.
 */
function readOwner(lockPath: string): LockOwner | "gone" | "foreign" | "torn" {
  let owner: Partial<Record<keyof LockOwner, unknown>> | null;
  try {
    const text = readSmallText(lockPath, { followsLinks: false });
    if (text === "") return "torn";
    owner = JSON.parse(text);
  } catch (error) {
    // Not there, or not readable, or not JSON, or no file at all.
    return (error as { code?: unknown }).code === "ENOENT" ? "gone" : "foreign";
  }
  if (typeof owner !== "object" || owner === null) return "foreign";
  const { pid, start, host, space, id, since } = owner;
  if (typeof pid !== "number" || typeof start !== "string" || typeof host !== "string") return "foreign";
  // The id becomes part of a file name.
  if (typeof id !== "string" || !/^[0-9a-f-]{13}$/.test(id) || typeof since !== "string") return "foreign";
  return { pid, start, host, ...(typeof space === "string" ? { space } : {}), id, since };
}
