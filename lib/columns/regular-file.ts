/**
 * Files that may be opened for reading: regular ones, so that nothing waits for somebody who never writes.
 *
 * A named pipe, a device or a socket in the place of a log, a lock or a table is anybody's to put there. It is told by
 * its state before it is opened, opened without waiting, and looked at again once it is open.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { quoteForMessage } from "../text/text.ts";

/** What is not read, and why; without a `code`, since it is no failure of the system. */
export class NotRegularError extends Error {
  override readonly name = "NotRegularError";

  /** @param kind "a named pipe" */
  constructor(kind: string) {
    super(`it is ${kind}, expected a regular file`);
  }
}

/** A file that is no longer what was looked at before. */
export class ChangedFileError extends Error {
  override readonly name = "ChangedFileError";

  constructor(path: string) {
    super(`Cannot use ${quoteForMessage(path)}: it was changed or replaced in the meantime`);
  }
}

export interface OpenRegularOptions {
  /** Whether a symbolic link is followed; not where the file is our own. Default: true. */
  readonly followsLinks?: boolean;
}

/**
 * Open a regular file for reading.
 *
 * @returns Its file descriptor.
 * @throws {NotRegularError} if it is something else.
 */
export function openRegular(path: string, { followsLinks = true }: OpenRegularOptions = {}): number {
  // First by name: opening a device may already do something.
  requireRegular(followsLinks ? statSync(path) : lstatSync(path));
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  const file = openSync(path, O_RDONLY | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW));
  try {
    requireRegular(fstatSync(file));
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return file;
}

/**
 * As {@link openRegular}, for those who must know which file they have.
 *
 * @param wanted What {@link stateOf} the file must be; undefined = anything.
 * @throws {ChangedFileError} if it is in another state.
 */
export function openRegularAs(path: string, wanted?: string): { file: number; size: number; state: string } {
  const file = openRegular(path);
  const stat = fstatSync(file, { bigint: true });
  const state = stateOf(stat);
  if (wanted === undefined || state === wanted) return { file, size: Number(stat.size), state };
  closeSync(file);
  throw new ChangedFileError(path);
}

/**
 * As {@link openRegular}, for those who want a handle.
 *
 * @param state What {@link stateOf} the file must be; undefined = anything.
 * @throws {ChangedFileError} if it is in another state.
 */
export async function openRegularHandle(path: string, state?: string): Promise<{ handle: FileHandle; state: string }> {
  requireRegular(statSync(path));
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat({ bigint: true });
    requireRegular(stat);
    const found = stateOf(stat);
    if (state !== undefined && found !== state) throw new ChangedFileError(path);
    return { handle, state: found };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

type Kind = Pick<
  Stats | BigIntStats,
  "isFile" | "isDirectory" | "isFIFO" | "isSocket" | "isSymbolicLink" | "isCharacterDevice" | "isBlockDevice"
>;

function requireRegular(stat: Kind): void {
  if (!stat.isFile()) throw new NotRegularError(describeKind(stat));
}

/** "a named pipe" */
export function describeKind(stat: Kind): string {
  if (stat.isDirectory()) return "a folder";
  if (stat.isFIFO()) return "a named pipe";
  if (stat.isSocket()) return "a socket";
  if (stat.isSymbolicLink()) return "a symbolic link";
  return stat.isCharacterDevice() || stat.isBlockDevice() ? "a device" : "no file";
}

/** Tell a path that stands for a stream which is open already: `<(command)` of a shell, /dev/stdin. */
export function isOpenStream(path: string): boolean {
  return /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/(?:self|\d+)\/fd\/\d+)$/.test(path);
}

/**
 * Open what a user named as an input: a regular file, or a stream that is open already.
 *
 * @throws {NotRegularError} if it is something else.
 */
export function openInput(path: string): number {
  return isOpenStream(path) ? openSync(path, "r") : openRegular(path);
}

/**
 * Read a small file as text: a setting, a list of nodes.
 *
 * @throws {NotRegularError} if it is no regular file.
 * @throws {RangeError} if it is longer than {@link SMALL_MAX_BYTES}.
 */
export function readSmallText(path: string, options: OpenRegularOptions = {}): string {
  return readSmall(path, options).toString("utf8");
}

/** Closes a file when the block is left, however it is: `using _file = closing(file)`. */
export function closing(file: number | { close(): void }): Disposable {
  return { [Symbol.dispose]: () => (typeof file === "number" ? closeSync(file) : file.close()) };
}

const SMALL_MAX_BYTES = 16 << 20;

/** As {@link readSmallText}. */
export function readSmall(path: string, { followsLinks = true }: OpenRegularOptions = {}): Buffer {
  const file = followsLinks ? openInput(path) : openRegular(path, { followsLinks });
  using _file = closing(file);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const piece = Buffer.alloc(1 << 16);
    const n = readSync(file, piece, 0, piece.length, null);
    if (n === 0) return Buffer.concat(pieces);
    if ((bytes += n) > SMALL_MAX_BYTES) throw new RangeError(`it is longer than ${SMALL_MAX_BYTES} bytes`);
    pieces.push(piece.subarray(0, n));
  }
}

/**
 * Name of a file's present state: device, inode, size, times of its content and of its last change. Nobody but root can
 * set the last of them, so whoever writes to a file, or puts another in its place, changes its name.
 */
export function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
