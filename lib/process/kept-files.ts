/**
 * Files that one run keeps for the next beside the logs: event tables, and whatever else is to spare work. They are
 * believed only if this user's own toolkit wrote them.
 *
 * Who is kept out: whoever can write into the folders of the logs, or has written to them before they came here (the
 * honeypot's user, a break-in on a sensor, an archive from a stranger), but is neither this user nor root. Such a one can
 * put a table there, change one, bring back an old one, and let it say whatever anybody could compute. So of each file that
 * is kept an HMAC-SHA-256 over all its bytes, and what it is for, is noted beside a key that only this user can read. What
 * the file was made from (size, times, inode, hash of the log) stands in it and is covered: an old one brought back is still
 * true of its log, or is not used. Not kept out: root, and whoever reads this user's files.
 *
 * Hashing costs 0.6 s of a processor per GB. So once it was right, the file's state (inode, size, time of its content and of its last
 * change, which nobody but root can set) is noted as well, and the next run believes that at a look. A file changed within
 * the last two seconds is not noted so: within one tick of the clock it could change again and keep its times. Notes are
 * HMACs themselves, so it does not matter who can write to their file.
 *
 * Key and notes lie in `$XDG_STATE_HOME` or, where that is not set, in `~/.local/state`, else in `$XDG_RUNTIME_DIR`: the
 * first in which there is a key or one can be made. Without any (a home that is read-only), nothing kept is believed.
 */
import {
  chmodSync,
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { closing, openRegular, stateOf } from "../columns/regular-file.ts";
import { environment, USER_ID } from "./cli.ts";
import { NOTE_BYTES, NoteFile } from "./note-file.ts";
import { removeQuietly } from "./output-file.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

const BLOCK_BYTES = 1 << 20;
/** Times of files are rounded, on some file systems to two seconds. */
const TICK_MS = 2000;

interface KeyRing {
  readonly key: Buffer;
  /** Where the key lies, and what is kept besides. */
  readonly folder: string;
  /** Of contents that were written and states that were verified; read when first asked for. */
  readonly notes: NoteFile;
}

/** By environment, since it says where the key lies. */
const rings = new Map<string, KeyRing | { readonly problem: string }>();

/** Why nothing that is kept will be believed; undefined if all is well. Makes the key if there is none. */
export function keyProblem(): string | undefined {
  const ring = openRing();
  return "problem" in ring ? ring.problem : undefined;
}

/** This user's key and the folder it lies in, which nobody else can read; undefined where there is none. */
export function userKey(): { readonly key: Buffer; readonly folder: string } | undefined {
  const ring = openRing();
  return "problem" in ring ? undefined : ring;
}

/**
 * Write a file to be kept.
 *
 * @param path A new file.
 * @param purpose What it is for: a file kept for one purpose is not believed for another.
 * @param options.mode Rights, 0o600 or 0o644.
 * @param options.name Its own name, given to it once it is whole; undefined = somebody else gives it.
 * @returns Its state under its own name, see `stateOf`; undefined as long as it has none.
 */
export function writeKept(
  path: string,
  purpose: string,
  chunks: Iterable<Uint8Array>,
  { mode, name }: { readonly mode: number; readonly name?: string | undefined },
): string | undefined {
  const file = openSync(path, "wx", mode);
  using _file = closing(file);
  for (const chunk of noteKept(purpose, chunks)) {
    for (let put = 0; put < chunk.length; ) put += writeSync(file, chunk, put);
  }
  if (name === undefined) return undefined;
  renameSync(path, name);
  return stateOf(fstatSync(file, { bigint: true }));
}

/**
 * Note what somebody else writes into a file to be kept, as {@link writeKept} does; done once it is passed on to its end.
 *
 * @returns The chunks.
 */
export function* noteKept(purpose: string, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const ring = openRing();
  const hash = "problem" in ring ? undefined : startNote(ring.key, CONTENT, purpose);
  for (const chunk of chunks) {
    hash?.update(chunk);
    yield chunk;
  }
  if (hash !== undefined) (ring as KeyRing).notes.add(finishNote(hash));
}

/**
 * Find out whether a kept file is this user's own work.
 *
 * @returns Its state, by which to tell that what is opened later is the same; undefined if it is not to be believed, or
 * not there.
 */
export function verifyKept(path: string, purpose: string): string | undefined {
  const ring = openRing();
  if ("problem" in ring) return undefined;
  let file: number;
  try {
    file = openRegular(path, { followsLinks: false });
  } catch {
    // None there, a link, a pipe: nothing of ours.
    return undefined;
  }
  try {
    const stat = fstatSync(file, { bigint: true });
    // Whoever else may write to it could do so after we have looked.
    if (Number(stat.uid) !== USER_ID || (Number(stat.mode) & 0o022) !== 0) return undefined;
    const state = stateOf(stat);
    const stateNote = finishNote(startNote(ring.key, STATE, purpose).update(state));
    if (ring.notes.hasByNow(stateNote)) return state;
    if (!ring.notes.hasByNow(hashContent(file, startNote(ring.key, CONTENT, purpose)))) return undefined;
    if (stateOf(fstatSync(file, { bigint: true })) !== state) return undefined;
    if (Date.now() - Math.max(Number(stat.mtimeMs), Number(stat.ctimeMs)) > TICK_MS) ring.notes.add(stateNote);
    return state;
  } catch {
    // It cannot be read to its end.
    return undefined;
  } finally {
    closeSync(file);
  }
}

const CONTENT = "content";
const STATE = "state";

function startNote(key: Buffer, about: typeof CONTENT | typeof STATE, purpose: string): Bun.CryptoHasher {
  return new Bun.CryptoHasher("sha256", key).update(`${about}\0${purpose}\0`);
}

function finishNote(hash: Bun.CryptoHasher): Buffer {
  return hash.digest().subarray(0, NOTE_BYTES);
}

function hashContent(file: number, hash: Bun.CryptoHasher): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  for (let at = 0; ; ) {
    const n = readSync(file, block, 0, BLOCK_BYTES, at);
    if (n === 0) return finishNote(hash);
    hash.update(block.subarray(0, n));
    at += n;
  }
}

function openRing(): KeyRing | { readonly problem: string } {
  const folders = stateFolders();
  const known = rings.get(folders.join("\0"));
  if (known !== undefined) return known;
  const ring = findKey(folders);
  rings.set(folders.join("\0"), ring);
  return ring;
}

/** Where the key may lie; the first is where it belongs. */
function stateFolders(): string[] {
  const chosen = environment("XDG_STATE_HOME");
  const homes = [homedir(), accountHome()].map(home => home && join(home, ".local/state"));
  const parents = chosen === undefined ? [...homes, environment("XDG_RUNTIME_DIR")] : [chosen];
  return [...new Set(parents.flatMap(parent => (parent?.startsWith("/") ? [join(parent, "cowrie-longitudinal")] : [])))];
}

let account: { readonly home: string | undefined } | undefined;

/** The home folder of the account, looked up once: asked for each file. With sudo, $HOME may be somebody else's. */
function accountHome(): string | undefined {
  if (account !== undefined) return account.home;
  try {
    account = { home: userInfo().homedir };
  } catch {
    // An account that is written down nowhere, as in containers.
    account = { home: undefined };
  }
  return account.home;
}

function findKey(folders: readonly string[]): KeyRing | { readonly problem: string } {
  const problems: string[] = [];
  for (const folder of folders) {
    const path = join(folder, "key");
    try {
      if (!hasKey(path)) makeKey(folder, path);
      return { key: readKey(path), folder, notes: new NoteFile(join(folder, "kept")) };
    } catch (error) {
      problems.push(`${quoteForMessage(path)}: ${errorReason(error)}`);
    }
  }
  return {
    problem:
      `Cannot make a key to know event tables by (${problems[0] ?? "no home folder"}): logs are read anew in every run, ` +
      "unless XDG_STATE_HOME names a folder of yours that can be written",
  };
}

/** @throws {Error} if there is none, or it is not secret. */
function readKey(path: string): Buffer {
  const file = openRegular(path, { followsLinks: false });
  using _file = closing(file);
  const { uid, mode } = fstatSync(file);
  if (uid !== USER_ID) throw new Error("it belongs to another user");
  if ((mode & 0o077) !== 0) throw new Error("others may read it, expected mode 0600");
  const bytes = Buffer.alloc(2 * KEY_BYTES + 1);
  const digits = bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0));
  if (!/^[0-9a-f]{64}\n$/.test(digits)) throw new Error("it is damaged, expected 64 hexadecimal digits");
  return Buffer.from(digits, "hex");
}

const KEY_BYTES = 32;

/** Make a key unless a good one is there; of two that do so at once one wins, and both read that. */
function makeKey(folder: string, path: string): void {
  // Root with the environment of a user leaves nothing in that user's home.
  if (statSync(nearestFolder(folder)).uid !== USER_ID) throw new Error("its folder belongs to another user");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const partial = `${path}.${crypto.randomUUID()}`;
  const digits = Buffer.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString("hex");
  writeFileSync(partial, `${digits}\n`, { flag: "wx", mode: 0o600 });
  try {
    // Whatever the umask.
    chmodSync(partial, 0o600);
    linkSync(partial, path);
  } catch (error) {
    // One that others may have read, or that is damaged, is replaced; so is none at all where there are no hard links.
    if (!hasKey(path)) renameSync(partial, path);
    else if ((error as { code?: unknown }).code !== "EEXIST") throw error;
  } finally {
    removeQuietly(partial);
  }
}

function nearestFolder(path: string): string {
  let folder = path;
  while (statSync(folder, { throwIfNoEntry: false }) === undefined) folder = dirname(folder);
  return folder;
}

function hasKey(path: string): boolean {
  try {
    readKey(path);
    return true;
  } catch {
    // None, or none of use.
    return false;
  }
}
