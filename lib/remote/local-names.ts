/**
 * Names here for logs of other machines: made of nothing but letters no shell, terminal or file system takes for more,
 * and of no two logs the same.
 */
import { join, resolve } from "node:path";
import { plural } from "../text/format.ts";
import { quoteForMessage } from "../text/text.ts";
import { baseName, type RemoteLog, showPath } from "./list-logs.ts";

/** The parts of a log, where it is and the folder that was searched, that its local name is made of. */
type Placed = Pick<RemoteLog, "path" | "root">;

/** Where logs go. */
export interface LogPlaces<Log> {
  readonly paths: ReadonlyMap<Log, string>;
  /** Logs that have no place here, and why. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
}

/** Longest path, in bytes, with room for what is added to it; the system takes 4095. */
const PATH_MAX_BYTES = 3900;

/**
 * Find a place for each log of a node.
 *
 * Two logs whose names would be one here are kept apart by a hash of where they are there, so that each has the same
 * name the next time.
 *
 * @param folder Of the node.
 * @param note Told of what had to be kept apart.
 */
export function placeLogs<Log extends Placed>(
  logs: readonly Log[],
  folder: string,
  note: (text: string) => void,
): LogPlaces<Log> {
  const isOnlyRoot = new Set(logs.map(({ root }) => root)).size === 1;
  const plain = new Map(logs.map(log => [log, safeLocalPath(log, isOnlyRoot)]));
  const twins = [...Map.groupBy(logs, log => plain.get(log)!).values()].filter(group => group.length > 1);
  const isTwin = new Set(twins.flat());
  // A name that is also that of a folder; no host can have both, but it can say so.
  const folders = foldersAmong(plain.values());
  const paths = new Map<Log, string>();
  const failed: { path: string; reason: string }[] = [];
  for (const log of logs) {
    const own = plain.get(log)!;
    const isApart = isTwin.has(log) || folders.has(own);
    const path = join(folder, isApart ? `${own}~${digestOf(`${log.root}\0${log.path}`)}` : own);
    if (Buffer.byteLength(resolve(path)) <= PATH_MAX_BYTES) paths.set(log, path);
    else failed.push({ path: log.path, reason: "its path is too long for this machine" });
  }
  const [first] = twins;
  if (first !== undefined) {
    const names = first.slice(0, 2).map(({ path }) => quoteForMessage(showPath(path)));
    note(
      `${names.join(" and ")} would have one name here: kept apart by a hash in their names` +
        (twins.length > 1 ? `, as are ${plural(twins.length - 1, "further pair")}` : ""),
    );
  }
  return { paths, failed };
}

/** Those paths that others lie below: they follow at once where all are sorted with a slash behind them. */
function foldersAmong(paths: Iterable<string>): Set<string> {
  const sorted = [...new Set(paths)].map(path => `${path}/`).sort();
  return new Set(sorted.filter((path, i) => sorted[i + 1]?.startsWith(path)).map(path => path.slice(0, -1)));
}

/**
 * A local path for a log, below the folder of its node: the parts of its path below the folder that was searched, each
 * made safe; other bytes than the usual ones become `%XX`.
 *
 * @param isOnlyRoot With several searched folders the folder's own path comes first.
 */
export function safeLocalPath({ path, root }: Placed, isOnlyRoot: boolean): string {
  const start = root.endsWith("/") ? root : `${root}/`;
  const below = path.startsWith(start) ? path.slice(start.length) : baseName(path);
  const folder = isOnlyRoot ? [] : [partsOf(root).join("_")];
  return [...folder, ...partsOf(below)].map(safeName).join("/");
}

function partsOf(path: string): string[] {
  return path.split("/").filter(part => part !== "");
}

/** Longest file name, in bytes, that leaves room for what is added to it. */
const NAME_MAX_BYTES = 150;

/** One part of a path that no shell, no terminal and no file system takes for anything else than a name. */
export function safeName(name: string): string {
  // The first character must not make it hidden, an option, or a way up.
  const safe = name.replace(/[^A-Za-z0-9._+=@,-]|^[.-]/g, character => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
  if (safe.length <= NAME_MAX_BYTES) return safe;
  return `${safe.slice(0, NAME_MAX_BYTES - 17).replace(/%.?$/, "")}~${digestOf(name)}`;
}

/** @param text Every byte one character. */
function digestOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(Buffer.from(text, "latin1")).digest("hex").slice(0, 16);
}
