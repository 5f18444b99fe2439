/**
 * Marks: what a session leaves that tells who was there. Sessions that share one are joined, unless it is common.
 */
import { type Fetched, toFetched } from "../text/command-urls.ts";

/** In the order of their strength: the strongest names a campaign. */
export const MARK_KINDS = [
  { id: "planted", name: "key planted", weight: 1, why: "who plants a key wants to come back with it" },
  { id: "offered", name: "key offered", weight: 1, why: "who offers a key holds its other half" },
  { id: "hash", name: "file", weight: 0.9, why: "the same bytes" },
  { id: "path", name: "path", weight: 0.7, why: "the same name on whatever host" },
  { id: "host", name: "host", weight: 0.8, why: "the same source of files" },
  { id: "chain", name: "chain", weight: 0.8, why: "the same commands, whatever a tool draws at random" },
] as const;
export type MarkKind = (typeof MARK_KINDS)[number]["id"];

/** Strength of a kind: 0 is the strongest. */
export const RANK: ReadonlyMap<MarkKind, number> = new Map(MARK_KINDS.map(({ id }, i) => [id, i]));

export interface Mark {
  readonly kind: MarkKind;
  readonly value: string;
}

/** A mark in a campaign's id: hexadecimal, the same on every machine. */
export function markId({ kind, value }: Mark): string {
  // A key is one mark, whether it was planted or offered.
  const family = kind === "offered" ? "planted" : kind;
  return new Bun.CryptoHasher("sha256").update(`${family}\u0000${value}`).digest("hex");
}

/** SHA-256 of contents that anybody makes: nothing, a line end, a word written to see whether writing works. */
export const TRIVIAL_HASHES: ReadonlySet<string> = new Set(
  ["", "\r\n", ...["", " ", "0", "1", "123", "ok", "OK", "test", "hello", "hi", "a"].flatMap(text => [text, `${text}\n`])].map(text =>
    new Bun.CryptoHasher("sha256").update(text).digest("hex"),
  ),
);

/** Hosts that serve everybody: not the host but the path on it tells who. */
const PUBLIC_HOSTS =
  /(?:^|\.)(?:github(?:usercontent)?|gitlab|bitbucket|pastebin|transfer|dropbox|googleapis|googleusercontent|amazonaws|cloudfront|discord(?:app)?|telegram|ipinfo|ipify|icanhazip|ifconfig|ip-api|checkip|google|bing|yahoo|microsoft|debian|ubuntu|centos|fedoraproject|kernel|python|nodejs|npmjs|speedtest|cachefly|tele2|ovh|hetzner)\.[a-z.]{2,12}$/;
const LOCAL_HOSTS = /^(?:0|10|127|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.|^(?:::1?$|f[cd][0-9a-f]{2}:|fe80:)/;

/** What builds for many processors are called. */
const ARCHITECTURE =
  /\b(?:arm(?:v?\d\w?)?|armhf|aarch64|mips(?:el|le|64)?|mpsl|x86(?:_64|_32)?|x64|amd64|i[3-6]86|sh4|ppc(?:64)?|powerpc|spc|sparc|m68k|m86k|arc|csky|riscv(?:64)?)\b/gi;
/** Names that every kit comes with. */
const KIT_NAMES = /^(?:bins?|d|dl|x|i|a|b|s|sh|run|update|install|setup|file|files|index|wget|curl|tftp\d?|ftp\d?|get|bot|main|test|data|tmp|scripts?|uploads?|downloads?|images?|static|public|raw|master|main|tar|tgz|zip|txt|php|html?|exe|bin|jpe?g|png|gz|py|pl)$/;
/** Letters that a path must have in words of its own; and digits of a number or random name that two do not draw by chance. */
const OWN_LETTERS_MIN = 4;
const OWN_DIGITS_MIN = 12;

/** The same path for whatever processor the file is built. */
export function withoutArchitecture(text: string): string {
  return text.replace(ARCHITECTURE, "<arch>");
}

/** Marks of a place that is fetched from; those that tell nothing of who does are left out. */
export function marksOfFetched({ host, url }: Fetched): Mark[] {
  const path = /^[a-z]+:\/\/[^/?#]*(\/[^?#]*)?/i.exec(url ?? "")?.[1] ?? "";
  const isPublic = PUBLIC_HOSTS.test(host);
  const marks: Mark[] = [];
  if (!isPublic && !LOCAL_HOSTS.test(host)) marks.push({ kind: "host", value: host });
  const own = withoutArchitecture(path);
  if (isPublic ? path.length > 1 : isOwnPath(own)) marks.push({ kind: "path", value: isPublic ? `${host}${own}` : own });
  return marks;
}

function isOwnPath(path: string): boolean {
  let letters = 0;
  for (const token of path.replaceAll("<arch>", "/").toLowerCase().split(/[^a-z0-9]+/)) {
    if (token.length >= OWN_DIGITS_MIN) return true;
    // Hexadecimal with a digit in it was drawn, not chosen.
    if (/^[0-9a-f]+$/.test(token) && /\d/.test(token)) continue;
    for (const word of token.split(/\d+/)) if (word.length >= 3 && !KIT_NAMES.test(word)) letters += word.length;
  }
  return letters >= OWN_LETTERS_MIN;
}

/** The mark of a file that was moved; undefined for what anybody's file may hold. */
export function markOfHash(hash: string): Mark | undefined {
  return /^[0-9a-f]{32,128}$/i.test(hash) && !TRIVIAL_HASHES.has(hash.toLowerCase())
    ? { kind: "hash", value: hash.toLowerCase() }
    : undefined;
}

/** The file's name in the path of a URL, or of an upload; undefined where there is none. */
export function fileNameOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name === "" ? undefined : name;
}

/** Marks of the URL of a download. */
export function marksOfUrl(url: string): Mark[] {
  const fetched = toFetched(url);
  return fetched === undefined ? [] : marksOfFetched(fetched);
}
