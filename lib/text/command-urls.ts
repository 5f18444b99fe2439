/**
 * Where a command fetches from: URLs as they stand in it, and those that wget, curl, tftp and ftpget make of a host and a file.
 *
 * A reading aid, no shell: variables are not put in, nothing is run. A line is looked at once from front to back, whatever
 * it holds (`test/hostile/`).
 */
import { addressVersion } from "./address.ts";

/** A place that a command names. */
export interface Fetched {
  /** Host in lower case: a name, an address, `[::1]` without its brackets. */
  readonly host: string;
  /** undefined where the command names the host alone, or a part of the URL is a variable of the shell. */
  readonly url: string | undefined;
}

const SCHEMES: ReadonlySet<string> = new Set(["http", "https", "ftp", "ftps", "tftp"]);
const SCHEME_LONGEST = 5;
/** What ends a URL in a line: blanks, quotes, what the shell takes for itself, a backslash, and all that is not ASCII. */
const URL_END = /[\s"'`;|&<>(){}\\^\x7f-\uffff\0-\x1f]/g;
/** Inside of quotes the shell takes nothing for itself. */
const QUOTED_END = /[\s"'`<>\\^{}|\x7f-\uffff\0-\x1f]/g;
const URL_LONGEST = 4096;
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const PLACES_MOST = 256;
/** Words of a line, of which hosts are made; longer ones are payloads. */
const WORD_LONGEST = 2048;

/** Options of wget and curl that take the next word with them. */
const WITH_VALUE: ReadonlySet<string> = new Set(
  ("-O -o -P -T -t -w -U -e -a -i -B -A -R -D -I -X -Q -x -H -d -u -m -F -b -c -E -K -r -y -Y -z -C --output --output-document " +
    "--directory-prefix --timeout --tries --user-agent --header --data --user --password --referer --max-time --connect-timeout " +
    "--retry --proxy --request --interface --limit-rate").split(" "),
);
/** Of these the same letter is a switch. */
const CURL_SWITCHES: ReadonlySet<string> = new Set(["-O", "-i", "-I", "-R", "-a", "-B"]);
const WGET_SWITCHES: ReadonlySet<string> = new Set(["-c", "-d", "-r", "-x", "-F", "-b", "-m", "-H", "-K", "-E"]);
/** Words before the program. */
const PREFIXES: ReadonlySet<string> = new Set(["sudo", "busybox", "nohup", "time", "exec", "then", "do", "else", "if", "command", "!"]);

/**
 * The host of a URL, or of what stands before the path.
 *
 * @returns undefined for what is neither a name with a dot nor an address.
 */
export function toHost(text: string): string | undefined {
  const host = text.toLowerCase().replace(/\.$/, "");
  if (host.length > 253) return undefined;
  if (host.startsWith("[") && host.endsWith("]")) {
    const inner = host.slice(1, -1);
    return addressVersion(inner) === 6 ? inner : undefined;
  }
  if (addressVersion(host) === 4 || HOST_NAME.test(host)) return host;
  // 2130706433, 0x7f.1 and 0177.0.0.1 are addresses in disguise.
  if (!/^(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}$/.test(host)) return undefined;
  try {
    const { hostname } = new URL(`http://${host}/`);
    return addressVersion(hostname) === 4 ? hostname : undefined;
  } catch {
    return undefined;
  }
}

/** What a URL names; undefined where it has no such host. */
export function toFetched(url: string): Fetched | undefined {
  const match = /^[a-z]{2,5}:\/\/(?:[^\s/@?#]{0,256}@)?(\[[^\]\s]{0,64}\]|[^\s/:?#]{1,256})(?::(\d{0,5}))?(?=[/?#]|$)/i.exec(url);
  const host = match === null ? undefined : toHost(match[1]!);
  if (host === undefined) return undefined;
  return { host, url: url.length > URL_LONGEST || /[$*]/.test(url) ? undefined : url };
}

/**
 * All that a command fetches from, each once, in order of the programs and of the text.
 *
 * @returns At most {@link PLACES_MOST}: a line of megabytes is no more than a flood.
 */
export function fetchedBy(command: string): Fetched[] {
  const found = new Map<string, Fetched>();
  const add = (fetched: Fetched | undefined) => {
    if (fetched !== undefined && found.size < PLACES_MOST) found.set(fetched.url ?? ` ${fetched.host}`, fetched);
  };
  if (command.includes("://")) for (const url of writtenUrls(command)) add(toFetched(url));
  if (/wget|curl|ftp|\/dev\/(?:tcp|udp)\//.test(command)) {
    for (const words of pieces(command)) for (const fetched of fetchedByPiece(words)) add(fetched);
  }
  return [...found.values()];
}

/** Everything of the form `scheme://…`; what stands inside of another URL belongs to that. */
function* writtenUrls(text: string): Generator<string> {
  let from = 0;
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", Math.max(from, at + 3))) {
    let start = at;
    while (start > from && at - start <= SCHEME_LONGEST && /[a-z]/i.test(text[start - 1]!)) start--;
    // A word glued to it ("xhttp://") hides it from us as it does from the shell, but for what echo or a quote leave there.
    const scheme = text.slice(start, at).toLowerCase();
    if (!SCHEMES.has(scheme)) continue;
    const quote = text[start - 1];
    const end = quote === '"' || quote === "'" ? QUOTED_END : URL_END;
    end.lastIndex = at + 3;
    const stop = end.exec(text)?.index ?? text.length;
    from = stop;
    if (stop - start <= URL_LONGEST * 2) yield text.slice(start, stop).replace(/[.,:!]{1,16}$/, "");
  }
}

/** The simple commands of a line, as words without their quotes; quotes may hold a line of their own (`sh -c "..."`). */
function* pieces(text: string): Generator<string[]> {
  let words: string[] = [];
  let start = -1;
  for (let i = 0; i <= text.length; i++) {
    const letter = text[i];
    const isBreak = letter === undefined || /[;|&\n\r`(){}<>]/.test(letter);
    if (!isBreak && !/[\s"']/.test(letter)) {
      if (start < 0) start = i;
      continue;
    }
    if (start >= 0 && i - start <= WORD_LONGEST) words.push(text.slice(start, i));
    start = -1;
    if (!isBreak) continue;
    if (words.length > 0) yield words;
    words = [];
  }
}

function* fetchedByPiece(words: readonly string[]): Generator<Fetched | undefined> {
  for (const word of words) {
    const socket = /^\/dev\/(?:tcp|udp)\/([^/]{1,253})\/\d{1,5}$/.exec(word);
    if (socket !== null) yield hostAlone(socket[1]!);
  }
  let at = 0;
  const nameOf = (word: string) => word.slice(word.lastIndexOf("/") + 1).toLowerCase();
  while (at < words.length && (PREFIXES.has(nameOf(words[at]!)) || /^\w{1,64}=/.test(words[at]!))) at++;
  if (at >= words.length) return;
  const args = words.slice(at + 1);
  switch (nameOf(words[at]!)) {
    case "wget":
      return yield* byPages(args, WGET_SWITCHES);
    case "curl":
      return yield* byPages(args, CURL_SWITCHES);
    case "tftp":
      return yield byTftp(args);
    case "ftpget":
      return yield byFtpget(args);
  }
}

function hostAlone(text: string): Fetched | undefined {
  const host = toHost(text);
  return host === undefined ? undefined : { host, url: undefined };
}

/** `wget 203.0.113.7/x`: programs that take a URL without its scheme. */
function* byPages(args: readonly string[], switches: ReadonlySet<string>): Generator<Fetched | undefined> {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg.startsWith("-")) {
      if (WITH_VALUE.has(arg) && !switches.has(arg)) i++;
      continue;
    }
    if (arg.includes("://") || arg.startsWith("/") || arg.startsWith(".")) continue;
    const host = /^[^/:?#]{1,253}/.exec(arg)?.[0];
    // A name without a path is as well the name of a file.
    if (host === undefined || (addressVersion(host) !== 4 && !arg.includes("/"))) continue;
    yield toFetched(`http://${arg.replace(/\\.*$/, "")}`);
  }
}

/** `tftp HOST -c get FILE`, `tftp -g -r FILE HOST`, `tftp -r FILE -g HOST`. */
function byTftp(args: readonly string[]): Fetched | undefined {
  let host: string | undefined;
  let file: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "-r") file = args[++i];
    else if (arg === "-l" || arg === "-b" || arg === "-m") i++;
    else if (arg === "-c" || arg === "get") {
      if (arg === "-c") i++;
      file = args[++i] ?? file;
    } else if (!arg.startsWith("-")) host ??= arg;
  }
  return byFile("tftp", host, file);
}

/** `ftpget -u USER -p PASSWORD -P PORT HOST LOCAL REMOTE`. */
function byFtpget(args: readonly string[]): Fetched | undefined {
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (/^-[upP]$/.test(arg)) i++;
    else if (!arg.startsWith("-")) rest.push(arg);
  }
  return byFile("ftp", rest[0], rest[2] ?? rest[1]);
}

function byFile(scheme: string, text: string | undefined, file: string | undefined): Fetched | undefined {
  const host = text === undefined ? undefined : toHost(text.split(":", 1)[0]!);
  if (host === undefined) return undefined;
  const path = file?.replace(/\\.*$/, "").replace(/^\/+/, "");
  const isPath = path !== undefined && /^[\w.+~%/-]{1,1024}$/.test(path);
  return { host, url: isPath ? `${scheme}://${text}/${path}` : undefined };
}
