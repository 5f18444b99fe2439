/**
 * The logs of a host: looks where Cowrie writes them, tells size and time of each, and what tools the host has.
 *
 * The host's answer is foreign: names are bytes, they may be anything, and they never become a local name as they are.
 */
import { isLogName } from "../logs/find-logs.ts";
import type { Connection } from "../ssh/connection.ts";
import { quoteWord } from "../text/shell.ts";
import { SshError } from "../ssh/ssh-error.ts";
import { quoteForMessage } from "../text/text.ts";

/**
 * Where Cowrie writes its JSON log, by the installations there are: the Cowrie user's checkout or state folder, /opt,
 * DShield's /srv, T-Pot, Docker, a host's /var/log.
 */
const USUAL_PLACES = [
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

/** A host that names more than this, or in more bytes, does not mean it. */
const RECORDS_MAX = 200_000;
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
  /** Logs it tells of in words that cannot be meant; the others are none the worse for it. */
  readonly odd: readonly OddLog[];
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
  const reader = new ListingReader();
  let bytes = 0;
  const { stderr, exitCode } = await connection.stream(
    listScript(words, paths.length > 0),
    data => {
      bytes += data.length;
      if (bytes > LISTING_MAX_BYTES) throw new SshError("garbage", "the host sends more than can be meant");
      reader.take(data);
    },
    { sudo, ...(signal === undefined ? {} : { signal }) },
  );
  if (exitCode !== 0) {
    const reason = stderr.trim().split("\n").at(-1) ?? "";
    throw new SshError("command", `logs cannot be listed${reason === "" ? "" : `: ${quoteForMessage(reason)}`}`);
  }
  return reader.finish();
}

/** A usual place as shell words; its stars are the shell's to fill in. */
function quotePlace(place: string): string {
  return place.replace("$HOME", '"$HOME"');
}

/** A path somebody gave as one shell word. */
function quoteGiven(path: string): string {
  return path === "~" || path.startsWith("~/") ? `"$HOME"${quoteWord(path.slice(1))}` : quoteWord(path);
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

/** A log that the host tells of in words that cannot be meant. */
interface OddLog {
  readonly path: string;
  readonly reason: string;
}

/** Longest field: a path has 4096 bytes on any system there is. */
const FIELD_MAX_BYTES = 1 << 14;
const UNREADABLE = "its list of logs cannot be read";

/** Reads a listing as it comes; holds no more of it than the logs it names. */
export class ListingReader {
  #rest: Buffer = Buffer.alloc(0);
  /** Fields of the record that has begun. */
  #record: string[] = [];
  #records = 0;
  #isEnded = false;
  #root = "";
  #tools: RemoteTools | undefined;
  readonly #logs = new Map<string, RemoteLog>();
  readonly #odd: OddLog[] = [];
  readonly #denied: string[] = [];
  readonly #absent: string[] = [];

  /** @throws {SshError} if it is no listing, or names more than can be meant. */
  take(data: Buffer): void {
    let from = 0;
    for (let end = data.indexOf(0); end >= 0 && !this.#isEnded; end = data.indexOf(0, from)) {
      const piece = data.subarray(from, end);
      const field = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
      if (field.length > FIELD_MAX_BYTES) throw new SshError("garbage", UNREADABLE);
      this.#rest = Buffer.alloc(0);
      from = end + 1;
      this.#takeField(field.toString("latin1"));
    }
    // What comes behind the end is no part of it.
    if (this.#isEnded) return;
    // A copy: the piece it lies in goes.
    this.#rest = Buffer.concat([this.#rest, data.subarray(from)]);
    if (this.#rest.length > FIELD_MAX_BYTES) throw new SshError("garbage", UNREADABLE);
  }

  /** @throws {SshError} if it has not come whole, or names logs of which none can be meant. */
  finish(): RemoteListing {
    const [tools, odd] = [this.#tools, this.#odd];
    if (!this.#isEnded || tools === undefined) throw new SshError("garbage", UNREADABLE);
    if (this.#logs.size === 0 && odd.length > 0) throw new SshError("garbage", `${UNREADABLE}: ${odd[0]!.reason}`);
    return { tools, logs: [...this.#logs.values()], odd, denied: this.#denied, absent: this.#absent };
  }

  #takeField(field: string): void {
    this.#record.push(field);
    const kind = this.#record[0]!;
    const wanted = FIELDS.get(kind);
    if (wanted === undefined) throw new SshError("garbage", UNREADABLE);
    if (this.#record.length <= wanted) return;
    const [, ...fields] = this.#record;
    this.#record = [];
    // Every record, also of what is passed over: each costs memory or time.
    if (++this.#records > RECORDS_MAX) throw new SshError("garbage", `it names more than ${RECORDS_MAX} logs`);
    const [first, second] = fields as [string, string];
    if (kind === "end") this.#isEnded = true;
    else if (kind === "tools") {
      this.#tools = { machine: first, zstd: second[0] === "1", gzip: second[1] === "1", sha256sum: second[2] === "1" };
    } else if (kind === "root") this.#root = first;
    else if (kind === "denied") this.#denied.push(first);
    else if (kind === "absent") this.#absent.push(first);
    else this.#takeLog(fields as [string, string, string, string, string]);
  }

  #takeLog([inode, size, mtime, readable, path]: [string, string, string, string, string]): void {
    const root = this.#root;
    // A file that is named itself is a log whatever its name; one seen through two links is one.
    if ((path !== root && !isLogName(baseName(path))) || this.#logs.has(inode)) return;
    const reason = !path.startsWith("/")
      ? "the host tells no whole path of it"
      : !/^\d{1,15}$/.test(size)
        ? `the host tells a size of ${quoteForMessage(size)}`
        : // Beyond the year 5138, or before the moon, no file system goes.
          !/^-?\d{1,11}(\.\d{1,12})?$/.test(mtime)
          ? `the host tells a time of ${quoteForMessage(mtime)}`
          : undefined;
    if (reason !== undefined) this.#odd.push({ path, reason });
    else this.#logs.set(inode, { path, root, sizeBytes: Number(size), mtime, inode, isReadable: readable === "r" });
  }
}

/** How many fields come behind the kind of a record. */
const FIELDS = new Map([
  ["tools", 2],
  ["root", 1],
  ["denied", 1],
  ["absent", 1],
  ["log", 5],
  ["end", 0],
]);

/** Last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * Wait for the logs that are listed, and say what is wrong where there is none.
 *
 * @throws {SshError} if the node has no log that can be read.
 */
export function requireLogs({ logs, denied, absent }: RemoteListing): readonly RemoteLog[] {
  if (logs.length > 0) return logs;
  if (denied.length > 0) {
    throw new SshError(
      "command",
      `cannot read ${quoteForMessage(showPath(denied[0]!))}: permission denied (--sudo reads as root)`,
    );
  }
  if (absent.length > 0) throw new SshError("command", `cannot find ${quoteForMessage(showPath(absent[0]!))}`);
  throw new SshError("command", "no log found in the usual places (--log-path names another)");
}
