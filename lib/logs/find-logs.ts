/**
 * From what the user named, a file, a folder, "-", to the logs to be read, each once.
 */
import { accessSync, type BigIntStats, constants, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { isArrowFile } from "../columns/first-bytes.ts";
import { describeKind, isOpenStream, NotRegularError, stateOf } from "../columns/regular-file.ts";
import { compareTexts, type LogHead, readHead } from "../events/text-hash.ts";
import { sortPaths } from "../events/source.ts";
import { AlikeLogs } from "./alike-logs.ts";
import { pauseNowAndThen } from "../process/pause.ts";
import { plural } from "../text/format.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { STDIN } from "../process/cli.ts";

/** What our own scripts write beside a log; never a log itself. */
const OWN_OUTPUT = /\.(arrow|html|lock|partial)$/;

export interface FoundLogs {
  /** Paths in natural order per argument; {@link STDIN} for standard input. */
  readonly paths: readonly string[];
  /** When the search began, milliseconds since 1970: what is written later may be seen or not. */
  readonly beganMs: number;
  /** State of each, see `stateOf`; undefined for what is no file. */
  readonly states: readonly (string | undefined)[];
  /** Bytes on disk of all of them; standard input counts 0. */
  readonly sizeBytes: number;
  /** Files left out: empty, broken links, not regular. */
  readonly leftOut: number;
  /** What was left out and why, a line each; files without a byte apart, as they must not be passed over. */
  readonly notices: readonly string[];
  readonly empty: readonly string[];
}

/** Tell whether a file found in a folder is a Cowrie log by its name. */
export function isLogName(name: string): boolean {
  return name.startsWith("cowrie") && name.includes(".json") && !OWN_OUTPUT.test(name);
}

/**
 * Find the logs.
 *
 * Symbolic links inside a folder are followed as long as they lead to a place inside the folders named: whoever can write
 * there could else have any file of this user's read.
 *
 * @param inputs Files (read whatever their name), folders (searched with all their folders), or "-".
 * @param mayBeEmpty Whether files without a byte are enough.
 * @throws {Error} if one does not exist or may not be read, or if there is no log at all.
 */
export function findLogs(inputs: readonly string[], mayBeEmpty = false): FoundLogs {
  const beganMs = Date.now();
  const finder = new LogFinder(inputs);
  for (const input of inputs) finder.add(input);
  const { paths, notices, empty } = finder;
  if (paths.length === 0 && !(mayBeEmpty && empty.length > 0)) throw new Error(`Cannot find a log${describeNone([...empty, ...notices])}`);
  const { states, sizeBytes, leftOut } = finder;
  return { paths, beganMs, states, sizeBytes, leftOut, notices, empty };
}

/** What was left out first, and how much more. */
function describeNone(leftOut: readonly string[]): string {
  const [first, ...more] = leftOut;
  if (first === undefined) return ": none of the folders holds one";
  return `: ${first.replace(/^Left out /, "")}${more.length === 0 ? "" : `, and ${plural(more.length, "other was", "others were")} left out`}`;
}

class LogFinder {
  readonly paths: string[] = [];
  readonly states: (string | undefined)[] = [];
  readonly notices: string[] = [];
  readonly empty: string[] = [];
  sizeBytes = 0;
  leftOut = 0;
  readonly #seen = new Set<string>();
  readonly #inputs: readonly string[];
  readonly #folders: readonly string[];

  constructor(inputs: readonly string[]) {
    this.#inputs = inputs;
    this.#folders = inputs.flatMap(realFolder);
  }

  add(input: string): void {
    if (input === STDIN) {
      this.paths.push(STDIN);
      this.states.push(undefined);
      return;
    }
    visit(input, () => {
      const stat = statSync(input, { bigint: true });
      if (!stat.isDirectory()) {
        if (!stat.isFile() && !isOpenStream(input)) throw new NotRegularError(describeKind(stat));
        return this.#addFile(input, stat, realpathSync(input));
      }
      const before = this.paths.length + this.leftOut;
      this.#addFolder(input);
      // What was left out is told in the end.
      if (this.paths.length + this.leftOut === before && !this.#inputs.some(other => other !== input)) {
        throw new Error(`Cannot find a log in ${quoteForMessage(input)}: expected files named like cowrie.json.2024-01-31`);
      }
    });
  }

  #leaveOut(path: string, reason: string, lines = this.notices): void {
    this.leftOut++;
    lines.push(`Left out ${quoteForMessage(path)}: ${reason}`);
  }

  #addFile(path: string, stat: BigIntStats, real: string): void {
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    if (stat.isFile() && stat.size === 0n) return this.#leaveOut(path, "it is empty", this.empty);
    accessSync(path, constants.R_OK);
    this.paths.push(path);
    this.states.push(stat.isFile() ? stateOf(stat) : undefined);
    this.sizeBytes += stat.isFile() ? Number(stat.size) : 0;
  }

  #addFolder(folder: string): void {
    const real = realpathSync(folder);
    // A link that leads back up must not send us round for ever.
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    // What is neither a log nor leads to any is not looked at: beside each log lies its table.
    const entries = readdirSync(folder, { withFileTypes: true }).filter(entry => isLogName(entry.name) || !entry.isFile());
    for (const name of sortPaths(entries.map(entry => entry.name))) {
      const path = join(folder, name);
      const own = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      // Behind a folder that is real nothing but a link is elsewhere.
      const found = own?.isSymbolicLink() ? this.#follow(path, name) : own && { stat: own, real: join(real, name) };
      if (found === undefined) continue;
      const { stat } = found;
      if (stat.isDirectory()) {
        if (isLogName(name)) this.notices.push(`${quoteForMessage(path)} is a folder, not a log: searched like any other`);
        visit(path, () => this.#addFolder(path));
      } else if (isLogName(name)) {
        if (stat.isFile()) visit(path, () => this.#addFile(path, stat, found.real));
        else this.#leaveOut(path, `it is ${describeKind(stat)}, expected a regular file`);
      }
    }
  }

  /** What is behind a link; undefined where it is left out. */
  #follow(path: string, name: string): { stat: BigIntStats; real: string } | undefined {
    let real: string;
    let stat: BigIntStats;
    try {
      real = realpathSync(path);
      stat = statSync(real, { bigint: true });
    } catch (error) {
      if (isLogName(name)) this.#leaveOut(path, errorReason(error));
      return undefined;
    }
    if (this.#folders.some(folder => isWithin(real, folder))) return { stat, real };
    // Whatever else lies out there is no concern of ours.
    if (stat.isDirectory() || isLogName(name)) this.#leaveOut(path, "it is a link that leads out of the folders named");
    return undefined;
  }
}

/** Path of a folder behind all links; nothing for what is none, or not there. */
function realFolder(input: string): string[] {
  if (input === STDIN || !statSync(input, { throwIfNoEntry: false })?.isDirectory()) return [];
  return [realpathSync(input)];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

/** Of an error of the file system, which has a `code`, say which path it was about. */
function visit(path: string, look: () => void): void {
  try {
    look();
  } catch (error) {
    if (!(error instanceof NotRegularError) && (error as { code?: unknown }).code === undefined) throw error;
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
}

/**
 * Leave out logs whose text is the same as another's, or the beginning of another's: an earlier copy of a log that
 * has grown since. Compared byte by byte, unpacked; only logs that share their first line, and seem to be the same as far as
 * both go, are compared at all, see `AlikeLogs`.
 *
 * @returns `compared` = pairs whose texts were read; `heads` = what was seen of those that can be read.
 */
export async function leaveOutCopies(paths: readonly string[]): Promise<{
  paths: readonly string[];
  notices: readonly string[];
  heads: ReadonlyMap<string, LogHead>;
  compared: number;
}> {
  const heads = new Map<string, LogHead>();
  const families = new Map<string, string[]>();
  for (const path of paths) {
    await pauseNowAndThen();
    // A pipe gives its text away once only. Event tables all begin alike; whose log they are, they say when they are opened.
    if (path === STDIN || isOpenStream(path)) continue;
    try {
      if (isArrowFile(path)) continue;
      const head = await readHead(path);
      heads.set(path, head);
      const family = families.get(head.hash);
      if (family === undefined) families.set(head.hash, [path]);
      else family.push(path);
    } catch {
      // What keeps it from being read is said when it is read.
    }
  }
  const copies = new Set<string>();
  const notices: string[] = [];
  let compared = 0;
  for (const family of families.values()) {
    const kept = await AlikeLogs.sort(family, heads);
    for (const path of family) {
      let isKept = true;
      for (const other of kept.like(path)) {
        compared++;
        const relation = await compareTexts(other, path);
        await pauseNowAndThen();
        if (relation === "differ") continue;
        // "equal" and "path opens other" leave `path` out; "other opens path" the one kept so far.
        const [copy, original] = relation === "a opens b" ? [other, path] : [path, other];
        copies.add(copy);
        const how = relation === "equal" ? "the same text as" : "the beginning of";
        notices.push(`Left out ${quoteForMessage(copy)}: it holds ${how} ${quoteForMessage(original)}`);
        if (relation === "a opens b") {
          kept.remove(other);
          continue;
        }
        isKept = false;
        break;
      }
      if (isKept) kept.add(path);
    }
  }
  return { paths: paths.filter(path => !copies.has(path)), notices, heads, compared };
}
