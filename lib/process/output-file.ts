/**
 * Output files that are whole or not there: each is written under another name in its folder
 * (`.NAME.<process>.partial`) and renamed once all of a set are complete and on the disk.
 *
 * The set as such is not one step: a machine that loses power between two renames keeps some new files and some old
 * ones, each of them whole. Devices, pipes and "-" (stdout) cannot be renamed over; they are written straight.
 */
import { closeSync, openSync, type Stats, unlinkSync } from "node:fs";
import { access, chmod, chown, constants, type FileHandle, mkdir, open, readdir, realpath, rename, stat, unlink }
  from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { onStop, ReaderGone, writeOut } from "./cli.ts";
import { UsageError } from "./command.ts";
import { isAlive, THIS_PROCESS } from "./process-identity.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/** Longest file name, in bytes, that still leaves room for what we add to it (most file systems allow 255). */
const MAX_STEM_BYTES = 170;
/** After this long a partial file of another machine counts as left behind; a live one is written all the time. */
const FOREIGN_STALE_MS = 24 * 3_600_000;
const PARTIAL = /\.(\d+)-(\d*)-([0-9a-f]{6})-[0-9a-f]{8}\.partial$/;

/** Where an output really goes. */
export interface OutputTarget {
  /** As the user named it, for messages. */
  readonly path: string;
  /** stdout, something that exists and is no file (a device, a named pipe), or a file to be made or replaced. */
  readonly kind: "stdout" | "stream" | "file";
  /** Absolute path behind all symbolic links; "" for stdout. */
  readonly realPath: string;
  /** The file to be replaced, if there is one. */
  readonly existing: Stats | undefined;
}

/** One output of an {@link OutputSet}. */
export interface OutputFile {
  readonly target: OutputTarget;
  /**
   * Append a chunk; await each before the next.
   *
   * @throws {Error} if it cannot be written, as on a full disk; the set is then beyond saving.
   */
  write(chunk: string | Uint8Array): Promise<void>;
}

/** What can be written as a whole: a text, bytes, or chunks of either. */
export type OutputContent =
  | string
  | Uint8Array
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>;

interface OpenOutput extends OutputFile {
  /** undefined for stdout. */
  readonly handle: FileHandle | undefined;
  /** undefined where the output is written straight. */
  readonly partialPath: string | undefined;
}

function cannotWrite(path: string, error: unknown): Error {
  return new Error(`Cannot write ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
}

/**
 * Find out where an output goes, and make its folder.
 *
 * A symbolic link stays: what it points to is replaced.
 *
 * @throws {Error} if the path is a folder, is write-protected, or its folder cannot be made.
 */
export async function resolveOutput(path: string): Promise<OutputTarget> {
  if (path === "-") return { path, kind: "stdout", realPath: "", existing: undefined };
  try {
    const existing = await stat(path).catch(ifMissing);
    if (existing === undefined) {
      // "out/" asks for a folder, not for a file named "out".
      if (/[/\\]$/.test(path)) throw Object.assign(new Error("folder"), { code: "EISDIR" });
      await mkdir(dirname(resolve(path)), { recursive: true });
      return { path, kind: "file", realPath: join(await realpath(dirname(resolve(path))), basename(path)), existing };
    }
    if (existing.isDirectory()) throw Object.assign(new Error("folder"), { code: "EISDIR" });
    // Renaming would get round the write protection.
    await access(path, constants.W_OK);
    if (!existing.isFile()) return { path, kind: "stream", realPath: resolve(path), existing };
    return { path, kind: "file", realPath: await realpath(path), existing };
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** For `catch`: a missing file is an answer, any other failure stays one. */
function ifMissing(error: unknown): undefined {
  if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  return undefined;
}

/** Name, without an ending, of the hidden files that belong to an output: `.NAME`, shortened if it is very long. */
export function hiddenStem(realPath: string): string {
  const name = basename(realPath);
  const isShort = Buffer.byteLength(name) <= MAX_STEM_BYTES;
  const stem = isShort ? name : `${name.slice(0, 40)}~${shortHash(name)}`;
  return join(dirname(realPath), `.${stem}`);
}

/** Where the ids of processes are ours: this machine, and of its containers this one. */
function placeHash(): string {
  return shortHash(THIS_PROCESS.host + (THIS_PROCESS.space ?? ""));
}

function shortHash(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 6);
}

/** A name for a partial file that says whose it is, so that a later run can tell whether it was left behind. */
export function partialPathOf(realPath: string): string {
  const { pid, start } = THIS_PROCESS;
  const random = crypto.randomUUID().slice(0, 8);
  return `${hiddenStem(realPath)}.${pid}-${start}-${placeHash()}-${random}.partial`;
}

/** Remove the partial files that processes no longer alive have left for this output. */
async function removeStale(realPath: string): Promise<void> {
  const prefix = `${basename(hiddenStem(realPath))}.`;
  // Of ".a.b.1-2-…partial" only the rest after ".a.b" may be the mark; ".a" has another file, "b.1-2-…".
  await removeStaleIn(dirname(realPath), (name, mark) => name.startsWith(prefix) && mark === prefix.length - 1);
}

/**
 * Remove the partial files that processes no longer alive have left in a folder.
 *
 * @param isOne Tells by name, and by where in it the mark of the process begins, which files are meant; default: all.
 */
export async function removeStaleIn(
  folder: string,
  isOne: (name: string, mark: number) => boolean = () => true,
): Promise<void> {
  for (const name of await readdir(folder)) {
    const match = PARTIAL.exec(name);
    if (match === null || !isOne(name, match.index)) continue;
    const path = join(folder, name);
    const isOurs = match[3] === placeHash();
    const isStale = isOurs
      ? !isAlive({ pid: Number(match[1]), start: match[2]!, host: THIS_PROCESS.host })
      : Date.now() - ((await stat(path).catch(ifMissing))?.mtimeMs ?? Infinity) > FOREIGN_STALE_MS;
    // Another run may be clearing up as well.
    if (isStale) await unlink(path).catch(ifMissing);
  }
}

/**
 * Make sure that outputs can be written, before a long run has begun: folders are made, what dead runs left is
 * removed, and an empty file is written and taken away again.
 *
 * @param paths As on the command line; "-" is stdout.
 * @throws {UsageError} if two of them are the same file.
 * @throws {Error} if one of them cannot be written.
 */
export async function assertWritable(paths: readonly string[]): Promise<void> {
  const seen: OutputTarget[] = [];
  for (const path of paths) {
    const target = await resolveOutput(path);
    assertDistinct(target, seen);
    seen.push(target);
    if (target.kind !== "file") continue;
    try {
      await removeStale(target.realPath);
      const probe = partialPathOf(target.realPath);
      // At one go, so that no signal comes between.
      closeSync(openSync(probe, "wx"));
      unlinkSync(probe);
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }
}

function assertDistinct(target: OutputTarget, others: readonly OutputTarget[]): void {
  const twin = others.find(({ kind, realPath }) => kind === target.kind && realPath === target.realPath);
  // Two outputs into /dev/null do no harm.
  if (twin === undefined || target.kind === "stream") return;
  const names = `${quoteForMessage(twin.path)} and ${quoteForMessage(target.path)}`;
  throw new UsageError(`Cannot write two outputs to one file: ${names}`);
}

/**
 * Outputs that appear together or not at all.
 *
 * @example
 * await using outputs = new OutputSet();
 * const page = await outputs.open("result.html");
 * await page.write("<!doctype html>");
 * await outputs.commit(); // without it everything is taken back
 */
export class OutputSet implements AsyncDisposable {
  readonly #outputs: OpenOutput[] = [];
  /** Partial files that are there, or will be under another name. */
  readonly #partialPaths: string[] = [];
  #forget: (() => void) | undefined;

  /**
   * Begin an output.
   *
   * @param path "-" is stdout, which is written at once.
   * @param mode Rights of a new file, as far as the umask lets it have them.
   * @throws {UsageError} if the set has this file already.
   * @throws {Error} if it cannot be written.
   */
  async open(path: string, mode = 0o666): Promise<OutputFile> {
    const target = await resolveOutput(path);
    assertDistinct(target, this.#outputs.map(output => output.target));
    if (target.kind === "stdout") {
      return this.#add({ target, handle: undefined, partialPath: undefined, write: writeOut });
    }

    const partialPath = target.kind === "file" ? partialPathOf(target.realPath) : undefined;
    try {
      if (partialPath !== undefined) {
        await removeStale(target.realPath);
        // Made and known at one go, so that a signal in between leaves nothing.
        this.#forget ??= onStop(() => this.#removePartials());
        closeSync(openSync(partialPath, "wx", mode));
        this.#partialPaths.push(partialPath);
      }
      // A pipe opened for reading as well would never notice that its reader has gone.
      const handle = await open(partialPath ?? target.realPath, constants.O_WRONLY);
      return this.#add({ target, handle, partialPath, write: chunk => writeAll(handle, chunk, path) });
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  #add(output: OpenOutput): OutputFile {
    this.#outputs.push(output);
    return output;
  }

  /**
   * Bring everything to the disk, then give each file its name. The set is empty afterwards.
   *
   * @throws {Error} if a file cannot be completed; none is renamed then, unless it is a renaming that fails.
   */
  async commit(): Promise<void> {
    for (const { target, handle, partialPath } of this.#outputs) {
      try {
        if (handle === undefined || partialPath === undefined) continue;
        await handle.sync();
        await keepOwner(partialPath, target.existing);
        await handle.close();
      } catch (error) {
        throw cannotWrite(target.path, error);
      }
    }
    const folders = new Set<string>();
    while (this.#outputs.length > 0) {
      const { target, handle, partialPath } = this.#outputs[0]!;
      try {
        if (partialPath === undefined) await handle?.close();
        else await rename(partialPath, target.realPath);
      } catch (error) {
        throw cannotWrite(target.path, error);
      }
      if (partialPath !== undefined) folders.add(dirname(target.realPath));
      this.#outputs.shift();
    }
    this.#partialPaths.length = 0;
    this.#forget?.();
    this.#forget = undefined;
    for (const folder of folders) await syncFolder(folder);
  }

  /** Take back what is not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#removePartials();
    for (const { handle } of this.#outputs.splice(0)) {
      // Closed already if the commit had come that far; what is in it is thrown away in any case.
      await handle?.close().catch(() => {});
    }
    this.#forget?.();
    this.#forget = undefined;
  }

  #removePartials(): void {
    for (const partialPath of this.#partialPaths.splice(0)) removeQuietly(partialPath);
  }
}

async function writeAll(handle: FileHandle, chunk: string | Uint8Array, path: string): Promise<void> {
  let rest = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  try {
    // A disk about to be full takes a part first and refuses the rest.
    while (rest.length > 0) rest = rest.subarray((await handle.write(rest)).bytesWritten);
  } catch (error) {
    if ((error as { code?: unknown }).code === "EPIPE") throw new ReaderGone(`The reader of ${path} has gone`);
    throw cannotWrite(path, error);
  }
}

/** Give a new file the mode of the one it replaces, and its owner if we may. */
async function keepOwner(path: string, existing: Stats | undefined): Promise<void> {
  if (existing === undefined) return;
  const { uid, gid } = await stat(path);
  if (uid !== existing.uid || gid !== existing.gid) {
    await chown(path, existing.uid, existing.gid).catch(() => {
      // Only root may give files away; our own file in its place is as good.
    });
  }
  await chmod(path, existing.mode & 0o777);
}

/** Bring the new names to the disk as well. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // Some file systems cannot do that; the files themselves are safe.
  }
}

/**
 * Write several outputs that appear together or not at all.
 *
 * @param contents Pairs of path and content, written in this order.
 * @throws {UsageError} if two paths are the same file.
 * @throws {Error} if one cannot be written; whatever was there before is untouched.
 */
export async function writeOutputs(contents: Iterable<readonly [path: string, content: OutputContent]>): Promise<void> {
  await using outputs = new OutputSet();
  for (const [path, content] of contents) {
    const output = await outputs.open(path);
    if (typeof content === "string" || content instanceof Uint8Array) await output.write(content);
    else for await (const chunk of content) await output.write(chunk);
  }
  await outputs.commit();
}

/** Remove a file that may be gone already. */
export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or not ours to remove.
  }
}
