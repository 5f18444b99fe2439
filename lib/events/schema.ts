/**
 * The columns of an event table, and which key of a log line feeds which column.
 *
 * Every key that is not named here goes, as it is, into `extra` (the rest of the event as JSON), so nothing that Cowrie
 * or a plugin writes is lost; only what {@link DROPPED_KEYS} names is left out.
 */

/**
 * Version of the mapping from log to event table; a table of another version is made anew.
 *
 * Raise it whenever the same log would give another table: a column, what is dropped, repaired or rejected, how a text is
 * spelled. Whoever upgrades then reads every log again, once.
 */
export const MAPPING_VERSION = 1;

/**
 * Dictionary-coded text columns.
 *
 * Event tables may take a fifth of the text of their logs, no more (tested in `event-table.test.ts`). A column costs one
 * to four bytes an event in every batch where it has a value; a key of few events, or with a text of its own in each, is
 * better off in `extra` (see `extra.ts`), where value-counts and --where find it all the same.
 */
export const TEXT_COLUMNS = [
  "eventid",
  "session",
  "sensor",
  "uuid",
  "protocol",
  "src_ip",
  "dst_ip",
  "username",
  "password",
  "input",
  "realm",
  "url",
  "outfile",
  "shasum",
  "filename",
  "destfile",
  "version",
  "hassh",
  "fingerprint",
  "key",
  "data",
  "ttylog",
  "extra",
] as const;
export type TextColumn = (typeof TEXT_COLUMNS)[number];

/**
 * Numeric columns with the Arrow type each is written as.
 *
 * A value that does not fit its type stays in `extra` under its own key.
 */
export const NUMBER_COLUMNS = {
  src_port: "uint16",
  dst_port: "uint16",
  /** VirusTotal: engines that call the file malicious, and engines asked; some 70. */
  positives: "uint16",
  total: "uint16",
  /** Bytes of recorded terminal output. */
  size: "uint32",
  /** Seconds, from `duration` (number or text) or `duration_ms`. */
  duration: "float64",
} as const satisfies Record<string, "uint16" | "uint32" | "float64">;
export type NumberColumn = keyof typeof NUMBER_COLUMNS;
export const NUMBER_COLUMN_NAMES = Object.keys(NUMBER_COLUMNS) as NumberColumn[];

/** Largest value a whole-number column takes. */
export const UNSIGNED_MAX = { uint16: 0xffff, uint32: 0xffff_ffff } as const;

/** What is done with the value of a key. */
export const ACTION = {
  /** Kept in `extra`. */
  extra: 0,
  /** Goes to the text column. */
  text: 1,
  /** Goes to the number column, a whole number >= 0. */
  whole: 2,
  /** Seconds or, if the key says so, milliseconds. */
  duration: 3,
  durationMs: 4,
  timestamp: 5,
  /** Rendered text: left out where it only repeats the fields, see {@link isMessageRedundant}. */
  message: 6,
  /** Twisted's context, before v1.4: tells SSH from Telnet where `protocol` is missing. */
  system: 7,
  /** Left out. */
  drop: 8,
} as const;
export type Action = (typeof ACTION)[keyof typeof ACTION];

export interface KeyRule {
  readonly action: Action;
  /** Index into {@link TEXT_COLUMNS} or {@link NUMBER_COLUMN_NAMES}; -1 where the action needs none. */
  readonly column: number;
}

/**
 * Left out because they repeat other fields (`time`, `epoch`: the timestamp; `format`, `ormat`: the template of
 * `message`), say nothing (`isError`) or are the verdict of each of some 70 engines (`scans`), whose sum is kept.
 */
const DROPPED_KEYS = ["time", "epoch", "format", "ormat", "isError", "scans"] as const;

/** Rule of every key that has one; all other keys are `extra`. */
export const KEY_RULES: ReadonlyMap<string, KeyRule> = new Map<string, KeyRule>([
  ["timestamp", { action: ACTION.timestamp, column: -1 }],
  ["message", { action: ACTION.message, column: -1 }],
  ["system", { action: ACTION.system, column: -1 }],
  ["duration", { action: ACTION.duration, column: NUMBER_COLUMN_NAMES.indexOf("duration") }],
  ["duration_ms", { action: ACTION.durationMs, column: NUMBER_COLUMN_NAMES.indexOf("duration") }],
  ...DROPPED_KEYS.map(key => [key, { action: ACTION.drop, column: -1 }] as const),
  ...TEXT_COLUMNS.flatMap((name, column) =>
    // A log has no key of ours; one that is called "extra" is kept like any other unknown key.
    name === "extra" ? [] : [[name, { action: ACTION.text, column }] as const],
  ),
  // VirusTotal's events name the hash by its kind; it joins with `shasum` of downloads and uploads.
  ["sha256", { action: ACTION.text, column: TEXT_COLUMNS.indexOf("shasum") }],
  ...NUMBER_COLUMN_NAMES.flatMap((name, column) =>
    // Which is no whole number, and has rules of its own.
    name === "duration" ? [] : [[name, { action: ACTION.whole, column }] as const],
  ),
]);

const EXTRA_RULE: KeyRule = { action: ACTION.extra, column: -1 };

/** What to do with the value of a key. */
export function ruleOf(key: string): KeyRule {
  return KEY_RULES.get(key) ?? EXTRA_RULE;
}

/** Today's names of the numeric ids of 2015 (`KIPP0001`, then `COW0001`), by number. */
const NUMERIC_IDS = [
  "",
  "cowrie.session.connect",
  "cowrie.login.success",
  "cowrie.login.failed",
  "cowrie.log.open",
  "cowrie.command.success",
  "cowrie.command.failed",
  "cowrie.session.file_download",
  "cowrie.session.input",
  "cowrie.client.version",
  "cowrie.client.size",
  "cowrie.session.closed",
  "cowrie.log.closed",
  "cowrie.client.var",
  "cowrie.direct-tcpip.request",
  "cowrie.direct-tcpip.data",
  "cowrie.client.fingerprint",
  "cowrie.session.file_upload",
] as const;

/**
 * Ids whose `message` says nothing that the fields do not: Cowrie renders it from them.
 * The message of every other id is kept (GreyNoise's verdict stands nowhere else).
 */
export const RENDERED_IDS: ReadonlySet<string> = new Set([
  ...NUMERIC_IDS,
  "cowrie.session.params",
  "cowrie.session.file_download.failed",
  "cowrie.client.kex",
  "cowrie.client.malformed_packet",
  "cowrie.command.input",
  "cowrie.command.chpasswd",
  "cowrie.direct-tcpip.redirect",
  "cowrie.direct-tcpip.tunnel",
  "cowrie.direct-tcpip.ja4",
  "cowrie.direct-tcpip.ja4h",
  "cowrie.tunnelproxy-tcpip.data",
  "cowrie.telnet.option",
  "cowrie.telnet.error",
  "cowrie.telnet.exploit_attempt",
  "cowrie.telnet.exploit_success",
  "cowrie.virustotal.scanfile",
  "cowrie.virustotal.scanurl",
]);

/** {@link RENDERED_IDS} and every numeric id that stands for one of them. */
export function renderedSpellings(): string[] {
  const numeric = ["KIPP", "COW"].flatMap(prefix => NUMERIC_IDS.map((_, i) => prefix + String(i).padStart(4, "0")));
  return [...RENDERED_IDS, ...numeric.filter(isMessageRedundant)];
}

/** Tell whether an event's `message` only repeats its fields. */
export function isMessageRedundant(eventid: string): boolean {
  return RENDERED_IDS.has(normalEventid(eventid));
}

/** Today's name of an event id. */
function normalEventid(eventid: string): string {
  const match = /^(KIPP|COW)(\d{4})$/.exec(eventid);
  // The 17th came after the prefix had changed.
  if (match === null || eventid === "KIPP0017") return eventid;
  return NUMERIC_IDS[Number(match[2])] || eventid;
}

/** An address without the prefix of an IPv4 address mapped into IPv6. */
function normalAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d{1,3}(?:\.\d{1,3}){3}$)/i, "");
}

/**
 * A client version without the Python literal round it (`b'SSH-2.0-Go'`, `'SSH-2.0-Go'`, `b"it's"`).
 *
 * Double quotes alone are the client's own: Python takes them only where single ones stand inside.
 */
function normalVersion(version: string): string {
  const match = /^(?:b?'([^]*)'|b"([^]*)")$/.exec(version);
  return match ? (match[1] ?? match[2]!) : version;
}

/** What is done to the distinct texts of a column once a log is read; columns not named stay as they are. */
export const NORMALIZE: Partial<Record<TextColumn, (text: string) => string>> = {
  eventid: normalEventid,
  src_ip: normalAddress,
  dst_ip: normalAddress,
  version: normalVersion,
};

export type Protocol = "ssh" | "telnet";

/** Protocol that a Twisted context names, or undefined. */
export function protocolOf(system: string): Protocol | undefined {
  if (system.includes("Telnet")) return "telnet";
  if (system.includes("SSH")) return "ssh";
  return undefined;
}
