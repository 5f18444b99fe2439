/**
 * The logs of a host: looks where Cowrie writes them, tells size and time of each, and what tools the host has.
 *
 * The host's answer is foreign: names are bytes, they may be anything, and they never become a local name as they are.
 */
import { isLogName } from "../logs/find-logs.ts";
import { type Connection, shellQuote, SshError } from "../ssh/connector.ts";
import { quoteForMessage } from "../text/text.ts";

/**
 * Where Cowrie writes its JSON log, by the installations there are: the Cowrie user's checkout or state folder, /opt,
 * DShield's /srv, T-Pot, Docker, a host's /var/log.
 */
export const USUAL_PLACES = [
  "$HOME/cowrie/var/log/cowrie",
  "/home/*/cowrie/var/log/cowrie",
  "/home/*/*/var/log/cowrie",
  "/opt/cowrie/var/log/cowrie",
  "/srv/cowrie/var/log/cowrie",
  "$HOME/tpotce/data/cowrie/log",
  "/home/*/tpotce/data/cowrie/log",
  "/data/cowrie/log",
  "/cowrie/cowrie-git/var/log/cowrie",
  "/var/lib/docker/volumes/*/_data/log/cowrie",
  "/var/log/cowrie",
  "$HOME/cowrie/log",
  "/home/*/cowrie/log",
  "/opt/cowrie/log",
  "/srv/cowrie/log",
] as const;

/** A host that names more logs than this, or in more bytes, does not mean it. */
const LOGS_MAX = 200_000;
const LISTING_MAX_BYTES = 64 << 20;

/** A log as the host tells of it. */
export interface RemoteLog {
  /** Absolute, as the host has it: every byte one character. */
  readonly path: string;
  /** The folder that was searched, in the same form. */
  readonly root: string;
  readonly sizeBytes: number;
  /** Seconds since 1970 with whatever fraction the host tells. */
  readonly mtime: string;
  readonly inode: string;
  readonly isReadable: boolean;
}

/** What a host can do. */
export interface RemoteTools {
  /** "Linux x86_64" */
  readonly machine: string;
  readonly zstd: boolean;
  readonly gzip: boolean;
  readonly sha256sum: boolean;
}

export interface RemoteListing {
  readonly tools: RemoteTools;
  readonly logs: readonly RemoteLog[];
  /** Folders that are there and may not be read. */
  readonly denied: readonly string[];
  /** Paths asked for that are not there. */
  readonly absent: readonly string[];
}

export interface ListOptions {
  /** Files or folders in place of the usual ones; `~/` is the user's home on the host. */
  readonly paths?: readonly string[];
  readonly sudo?: boolean;
  readonly signal?: AbortSignal;
}

/** A path of a host for people. */
export function showPath(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

/**
 * List the logs of a host.
 *
 * @throws {SshError} if the host does not answer as one would.
 */
export async function listRemoteLogs(connection: Connection, options: ListOptions = {}): Promise<RemoteListing> {
  const { paths = [], sudo = false, signal } = options;
  const words = paths.length === 0 ? USUAL_PLACES.map(quotePlace) : paths.map(quoteGiven);
  const { stdout, stderr, exitCode } = await connection.run(listScript(words, paths.length > 0), {
    maxBytes: LISTING_MAX_BYTES,
    sudo,
    ...(signal === undefined ? {} : { signal }),
  });
  if (exitCode !== 0) {
    const reason = stderr.trim().split("\n").at(-1) ?? "";
    throw new SshError("command", `logs cannot be listed${reason === "" ? "" : `: ${quoteForMessage(reason)}`}`);
  }
  return parseListing(stdout.toString("latin1"));
}

/** A usual place as shell words; its stars are the shell's to fill in. */
function quotePlace(place: string): string {
  return place.replace("$HOME", '"$HOME"');
}

/** A path somebody gave as one shell word. */
function quoteGiven(path: string): string {
  return path === "~" || path.startsWith("~/") ? `"$HOME"${shellQuote(path.slice(1))}` : shellQuote(path);
}

/**
 * Fields end with NUL, the only byte no path has. `find -printf` where it is known (GNU), else one stat per log.
 */
function listScript(words: readonly string[], wereGiven: boolean): string {
  return `
has() { if command -v "$1" >/dev/null 2>&1; then printf 1; else printf 0; fi; }
printf 'tools\\000%s\\000%s\\000' "$(uname -sm 2>/dev/null)" "$(has zstd)$(has gzip)$(has sha256sum)"
if find /dev/null -printf x >/dev/null 2>&1; then gnu=1; else gnu=0; fi
look() {
  root=$1
  case $root in /*) ;; *) root=$PWD/$root ;; esac
  if [ -d "$root" ]; then
    if [ ! -r "$root" ] || [ ! -x "$root" ]; then printf 'denied\\000%s\\000' "$root"; return; fi
  elif [ ! -f "$root" ]; then
    ${wereGiven ? "printf 'absent\\000%s\\000' \"$root\"" : ":"}
    return
  fi
  printf 'root\\000%s\\000' "$root"
  if [ -d "$root" ]; then set -- "$root" -type f -name 'cowrie*.json*'; else set -- "$root"; fi
  if [ $gnu = 1 ]; then
    find -L "$@" -printf 'log\\000%D:%i\\000%s\\000%T@\\000' \\( -readable -printf 'r\\000' -o -printf '%%-\\000' \\) -printf '%p\\000'
  else
    find -L "$@" -exec sh -c '
      for f; do
        s=$(stat -c "%d:%i %s %Y" -- "$f" 2>/dev/null || stat -f "%d:%i %z %m" -- "$f") || continue
        if [ -r "$f" ]; then r=r; else r=-; fi
        printf "log\\000%s\\000%s\\000%s\\000%s\\000%s\\000" $s $r "$f"
      done' sh {} +
  fi 2>/dev/null
}
for place in ${words.join(" ")}; do look "$place"; done
printf 'end\\000'
`;
}

/** @throws {SshError} if it is no listing. */
function parseListing(text: string): RemoteListing {
  const fields = text.split("\0");
  let at = 0;
  const take = () => {
    const field = fields[at++];
    if (field === undefined) throw new SshError("garbage", "its list of logs cannot be read");
    return field;
  };
  const number = (field: string) => {
    if (!/^\d{1,15}$/.test(field)) throw new SshError("garbage", "its list of logs cannot be read");
    return Number(field);
  };
  let tools: RemoteTools | undefined;
  const logs = new Map<string, RemoteLog>();
  const denied: string[] = [];
  const absent: string[] = [];
  let root = "";
  for (;;) {
    const kind = take();
    if (kind === "end") break;
    if (kind === "tools") {
      const machine = take();
      const has = take();
      tools = { machine, zstd: has[0] === "1", gzip: has[1] === "1", sha256sum: has[2] === "1" };
    } else if (kind === "root") {
      root = take();
    } else if (kind === "denied") {
      denied.push(take());
    } else if (kind === "absent") {
      absent.push(take());
    } else if (kind === "log") {
      const [inode, size, mtime, readable, path] = [take(), number(take()), take(), take(), take()];
      if (!path.startsWith("/") || !/^\d+(\.\d+)?$/.test(mtime)) {
        throw new SshError("garbage", "its list of logs cannot be read");
      }
      // A file that is named itself is a log whatever its name; one seen through two links is one.
      if (path !== root && !isLogName(baseName(path))) continue;
      if (logs.has(inode)) continue;
      logs.set(inode, { path, root, sizeBytes: size, mtime, inode, isReadable: readable === "r" });
      if (logs.size > LOGS_MAX) throw new SshError("garbage", `it names more than ${LOGS_MAX} logs`);
    } else {
      throw new SshError("garbage", "its list of logs cannot be read");
    }
  }
  if (tools === undefined) throw new SshError("garbage", "its list of logs cannot be read");
  return { tools, logs: [...logs.values()], denied, absent };
}

/** Last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * A local path for a log, below the folder of its node: the parts of its path below the folder that was searched, each
 * made safe; other bytes than the usual ones become `%XX`.
 *
 * @param isOnlyRoot With several searched folders the folder's own path comes first.
 */
export function safeLocalPath({ path, root }: Pick<RemoteLog, "path" | "root">, isOnlyRoot: boolean): string {
  const below = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : baseName(path);
  const folder = isOnlyRoot
    ? []
    : [
        root
          .split("/")
          .filter(part => part !== "")
          .join("_"),
      ];
  return [...folder, ...below.split("/").filter(part => part !== "")].map(safeName).join("/");
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
  const digest = new Bun.CryptoHasher("sha256").update(Buffer.from(name, "latin1")).digest("hex").slice(0, 16);
  return `${safe.slice(0, NAME_MAX_BYTES - 17).replace(/%.?$/, "")}~${digest}`;
}
