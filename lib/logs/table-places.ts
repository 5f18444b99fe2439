/**
 * Where the event table of each log lies: beside it, in a folder of the user's choice, or in the user's cache folder.
 */
import { accessSync, chmodSync, constants, mkdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { USER_ID } from "../process/cli.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { cacheFolder } from "../process/user-folders.ts";

export class TablePlaces {
  readonly #folder: string | undefined;
  readonly #onNotice: (line: string) => void;
  readonly #writable = new Map<string, boolean>();
  #fallback: string | undefined;

  /**
   * @param mappedDir Folder of all event tables; undefined = beside each log.
   * @param onNotice Told when the tables go to the cache folder.
   * @throws {Error} if the folder cannot be made or written.
   */
  constructor(mappedDir: string | undefined, onNotice: (line: string) => void) {
    this.#folder = mappedDir;
    this.#onNotice = onNotice;
    if (mappedDir === undefined) return;
    makeFolder(mappedDir, 0o777);
    const others = whoElseWrites(mappedDir);
    if (others !== undefined) {
      onNotice(`${quoteForMessage(mappedDir)} ${others}: event tables there are used only where they are our own work`);
    }
  }

  /** Path of the event table of a log. */
  of(logPath: string): string {
    if (this.#folder !== undefined) return join(this.#folder, nameAway(logPath));
    const folder = dirname(logPath);
    let isWritable = this.#writable.get(folder);
    if (isWritable === undefined) this.#writable.set(folder, (isWritable = canWrite(folder)));
    return isWritable ? `${logPath}.arrow` : join(this.#cacheFolder(folder), nameAway(logPath));
  }

  /** The user's cache folder, for logs whose own folder cannot be written. */
  #cacheFolder(logFolder: string): string {
    if (this.#fallback === undefined) {
      this.#fallback = cacheFolder();
      makeFolder(this.#fallback, 0o700);
      if (statSync(this.#fallback).uid !== USER_ID) {
        const folder = quoteForMessage(this.#fallback);
        throw new Error(`Cannot use ${folder}: it belongs to another user (--mapped-dir chooses another folder)`);
      }
      // Made by an earlier version, or under a loose umask.
      chmodSync(this.#fallback, 0o700);
      const [from, to] = [quoteForMessage(logFolder), quoteForMessage(this.#fallback)];
      this.#onNotice(`Cannot write to ${from}: event tables go to ${to} (--mapped-dir chooses another folder)`);
    }
    return this.#fallback;
  }
}

/** Name of an event table that lies away from its log: logs of one name in two folders must not share it. */
function nameAway(logPath: string): string {
  const digest = new Bun.CryptoHasher("sha256").update(resolve(logPath)).digest("hex").slice(0, 12);
  return `${basename(logPath)}.${digest}.arrow`;
}

/** Who beside this user and root can put files into a folder, as far as its rights tell; undefined = nobody. */
function whoElseWrites(folder: string): string | undefined {
  const { uid, mode } = statSync(folder);
  if (uid !== USER_ID && uid !== 0) return "belongs to another user";
  // In a sticky folder, as /tmp is, nobody touches the files of others.
  return (mode & 0o022) !== 0 && (mode & 0o1000) === 0 ? "can be written by others" : undefined;
}

function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Error(`Cannot write to ${quoteForMessage(folder)}: ${errorReason(error)}`, { cause: error });
  }
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    // The answer, not an error.
    return false;
  }
}
