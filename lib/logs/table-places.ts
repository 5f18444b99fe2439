/**
 * Where the event table of each log lies: beside it, in a folder of the user's choice, or in the user's cache folder.
 *
 * Away from its log a table is named by what the log begins with: so it is found again when the log was rotated, packed or
 * moved, or is seen from another machine under another path. The name decides nothing but where to look; whether a table
 * is true of the log, its content says.
 */
import { accessSync, chmodSync, constants, mkdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { USER_ID } from "../process/cli.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { type LogHead, readHead } from "../events/text-hash.ts";
import { cacheFolder } from "../process/user-folders.ts";

export class TablePlaces {
  readonly #folder: string | undefined;
  readonly #onNotice: (line: string) => void;
  readonly #writable = new Map<string, boolean>();
  /** Names away that are taken in this run, by the path of the log. */
  readonly #taken = new Map<string, string>();
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

  /**
   * Path of the event table of a log.
   *
   * @param head Its first line, where it is known already.
   */
  async of(logPath: string, head?: LogHead): Promise<string> {
    if (this.#folder !== undefined) return join(this.#folder, await this.#nameAway(logPath, head));
    const folder = dirname(logPath);
    let isWritable = this.#writable.get(folder);
    if (isWritable === undefined) this.#writable.set(folder, (isWritable = canWrite(folder)));
    return isWritable ? `${logPath}.arrow` : join(this.#cacheFolder(folder), await this.#nameAway(logPath, head));
  }

  /** Name of an event table that lies away from its log: no two logs may share it. */
  async #nameAway(logPath: string, known: LogHead | undefined): Promise<string> {
    // What cannot be read says so when it is read.
    const head = known ?? (await readHead(logPath).catch(() => undefined));
    if (head === undefined || head.sizeBytes < TELLING_HEAD_BYTES) return nameByPath(logPath);
    const name = nameByHead(logPath, head);
    const owner = this.#taken.get(name) ?? logPath;
    this.#taken.set(name, owner);
    // Of copies that are all to be counted, the first has the name.
    return owner === logPath ? name : nameByPath(logPath);
  }

  /** The user's cache folder, for logs whose own folder cannot be written. */
  #cacheFolder(logFolder: string): string {
    if (this.#fallback === undefined) {
      this.#fallback = cacheFolder();
      makeFolder(this.#fallback, 0o700, `, where event tables go if ${quoteForMessage(logFolder)} cannot be written (--mapped-dir chooses another folder)`);
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

/** A shorter first line is no event, and may open many a log: the bracket of an array, an empty line. */
const TELLING_HEAD_BYTES = 60;

/** Name of an event table by the first line of its log, and that of all its rotations: `cowrie.1b9d6bcd02f4a317.arrow`. */
function nameByHead(logPath: string, { hash }: LogHead): string {
  // Up to its first dot: what follows tells the day or the number of a rotation.
  const [stem] = /^.[^.]{0,39}/su.exec(basename(logPath))!;
  return `${stem}.${hash}.arrow`;
}

/** Name of an event table by the place of its log. */
function nameByPath(logPath: string): string {
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

/** @param what Said of it if that cannot be. */
function makeFolder(folder: string, mode: number, what = ""): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Error(`Cannot write to ${quoteForMessage(folder)}${what}: ${errorReason(error)}`, { cause: error });
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
