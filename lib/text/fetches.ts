/**
 * From where a command fetches: its URLs, and what `wget`, `curl`, `tftp` and `ftpget` are asked for without a scheme.
 *
 * A reading of words, not a shell: what stands in a variable is not found. Linear in the length of the command.
 */

/** A command is looked at this far, and for so many places. */
const LOOKED_AT = 65_536;
const FETCHES_MOST = 256;
const PIECES_MOST = 4096;

/** One place that something is fetched from. */
export interface Fetch {
  /** As it was written; of a place without a scheme `tftp://`, `ftp://` or `http://` stands before it. */
  readonly url: string;
  /** In lower case, without user and port; IPv6 in brackets. */
  readonly host: string;
  /** From its first slash to `?` or `#`, "" where there is none. */
  readonly path: string;
}

const URL_TEXT = /\b(?:https?|ftps?|tftp):\/\/[^\s"'`;|&<>()\\,]{1,2048}/gi;
const PLACE = /^(?:([a-z]{3,5}):\/\/)?(?:[^\s/@?#]{0,256}@)?(\[[0-9a-f:.%]{2,64}\]|[\w.-]{1,253})(?::\d{1,5})?(\/[^\s?#]*)?(?:[?#]\S*)?$/i;
const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;
const NAME = /^(?=[\w.-]*[a-z])[\w-]+(?:\.[\w-]+)*\.[a-z][\w-]*[\w]$/i;

/** Options with a value behind them, by program: the word that follows is no place. */
const VALUED: ReadonlyMap<string, RegExp> = new Map([
  ["wget", /^(?:-[a-zA-Z]*[OoPUeaiTtwQRAlDIXB]|--(?:output-document|directory-prefix|user-agent|header|timeout|tries))$/],
  ["curl", /^(?:-[a-zA-Z]*[oAHdeumxXbcFTEKrwyYzC]|--(?:output|user-agent|header|data|referer|user|max-time|connect-timeout|proxy|request|cookie))$/],
  ["tftp", /^-[lbrm]$/],
  ["ftpget", /^-[upP]$/],
]);

/**
 * The places a command fetches from, in the order in which they stand, each URL once.
 *
 * @returns At most 256; empty where it fetches nothing.
 */
export function fetchesOf(command: string): Fetch[] {
  const text = command.length > LOOKED_AT ? command.slice(0, LOOKED_AT) : command;
  const found = new Map<string, Fetch>();
  const take = (url: string) => {
    const fetch = found.size < FETCHES_MOST ? parseFetch(url) : undefined;
    if (fetch !== undefined) found.set(fetch.url, fetch);
  };
  for (const [url] of text.matchAll(URL_TEXT)) take(url);
  if (/wget|curl|tftp|ftpget/.test(text)) for (const url of placesOf(text)) take(url);
  return [...found.values()];
}

/** A URL taken apart; undefined where it names no host. */
export function parseFetch(url: string): Fetch | undefined {
  const match = url.length > 4096 ? null : PLACE.exec(url);
  if (match === null || match[1] === undefined) return undefined;
  const host = match[2]!.toLowerCase();
  return { url, host, path: match[3] ?? "" };
}

/** What is asked for without a scheme, as URLs. */
function* placesOf(text: string): Generator<string> {
  for (const piece of text.split(/[;\n|&`()]+/, PIECES_MOST)) {
    const words = piece.split(/[\s"']+/).filter(word => word !== "");
    const at = words.findIndex(word => /(?:^|\/)(?:wget|curl|tftp|ftpget)$/.test(word));
    if (at < 0) continue;
    const program = words[at]!.slice(words[at]!.lastIndexOf("/") + 1);
    const { names, values } = readArguments(program, words.slice(at + 1));
    if (program === "wget" || program === "curl") {
      for (const name of names) if (isPlace(name)) yield `http://${name}`;
    } else if (names[0] !== undefined && isHost(names[0])) {
      // ftpget HOST [LOCAL] REMOTE; tftp -r REMOTE HOST, or tftp HOST -c get REMOTE.
      const get = names.indexOf("get");
      const remote = program === "ftpget" ? names.at(names.length > 1 ? -1 : 1) : (values.get("-r") ?? (get < 0 ? undefined : names[get + 1]));
      yield `${program === "ftpget" ? "ftp" : "tftp"}://${names[0]}${remote === undefined ? "" : `/${remote.replace(/^\/+/, "")}`}`;
    }
  }
}

function readArguments(program: string, words: readonly string[]) {
  const valued = VALUED.get(program)!;
  const names: string[] = [];
  const values = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (valued.test(word)) values.set(word, words[++i] ?? "");
    else if (/^\d?>/.test(word)) i += /^\d?>+$/.test(word) ? 1 : 0;
    else if (!word.startsWith("-")) names.push(word);
  }
  return { names, values };
}

/** A host with something behind it: `198.51.100.7/x`, `example.com:81`, `198.51.100.7`. */
function isPlace(word: string): boolean {
  if (word.length > 2048 || word.includes("://")) return false;
  const host = /^([^/:]+)(?::\d{1,5})?(?:\/|$)/.exec(word)?.[1];
  return host !== undefined && (IPV4.test(host) || (NAME.test(host) && (word.includes("/") || word.includes(":"))));
}

function isHost(word: string): boolean {
  return word.length <= 253 && (IPV4.test(word) || NAME.test(word));
}
