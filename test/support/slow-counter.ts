/**
 * The slow, obvious counter that the toolkit's reader and reduction are checked against.
 *
 * It shares no code with them: one JSON.parse per line, one Map per question, everything in memory. When it and the
 * toolkit disagree, read the rule in this file first; it is written to be read.
 */
import { isIP } from "node:net";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { setSize } from "../../lib/columns/address-sets.ts";
import { type KeyColumn, type Kind, KIND_NAMES, KINDS, isTextKey } from "../../lib/reduced/kinds.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { COUNT_NAMES, type LineCounts } from "../../lib/events/source.ts";

/** One log as it lies on disk, perhaps compressed. */
export interface SlowFile {
  path: string;
  bytes: Uint8Array;
}

export interface SlowOptions {
  /** Sessions shorter than this are robots. [default: 10] */
  robotMaxSeconds?: number;
  /** Count identical files and byte prefixes of other files as well. [default: false] */
  keepDuplicates?: boolean;
  /** Old sensor name -> new one. */
  sensorAlias?: ReadonlyMap<string, string>;
}

/** Every kind but the one that only carries the state of unfinished sessions. */
export type SlowKind = Exclude<Kind, "last_command">;
export const SLOW_KINDS = KIND_NAMES.filter(kind => kind !== "last_command") as SlowKind[];

/** In the order of `KINDS[kind]`; null = no value. */
export type SlowKey = readonly (string | number | null)[];

export interface SlowRow {
  kind: SlowKind;
  /** UTC day, YYYY-MM-DD. */
  date: string;
  sensor: string;
  key: SlowKey;
  count: number;
  /** Successful logins among `count`. */
  success: number;
  /** Microseconds since 1970-01-01 UTC. */
  firstUs: number;
  lastUs: number;
  /** From how many addresses the events came, of IPv6 /64s; null for kinds that do not tell. */
  addresses: number | null;
}

export interface Verdict {
  positives: number;
  total: number;
}

export interface SlowResult {
  /** Path -> counts, for every file that was counted, in the order they were counted. */
  files: Map<string, LineCounts>;
  /** Sums over `files`. */
  total: LineCounts;
  /** Paths of files that say nothing new (identical to another, or the beginning of another), sorted. */
  leftOut: string[];
  /** Sorted by kind, day, sensor, key; no value first, text by UTF-16 code units. */
  rows: SlowRow[];
  /** sha256 -> the latest verdict on it. */
  verdicts: Map<string, Verdict>;
}

/** Longest line that is read, without NULs and blanks around it. */
const LINE_LIMIT_BYTES = 16 * 1024 * 1024;

/** An object of a log with a string `eventid` and a readable `timestamp`. */
interface SlowEvent {
  values: Map<string, unknown>;
  timeUs: number;
}

/** What came out of one line. */
interface LineResult {
  /** Events in the order of the line. */
  events: SlowEvent[];
  /** How many of `events` came without any help; the others are repaired. */
  sound: number;
  rejected: number;
}

/** A file while it is counted. */
interface OpenFile {
  path: string;
  counts: LineCounts;
  events: SlowEvent[];
  firstUs: number;
  /** The first line if it gave no event and is not blank, and what it added to `rejected`. */
  firstLine?: { bytes: Uint8Array; rejected: number };
  /** The last piece if it has no LF, gave no event and is not blank. */
  lastPiece?: Uint8Array;
}

/**
 * Count logs.
 *
 * @param files In any order; the result does not depend on it.
 */
export function countSlowly(files: readonly SlowFile[], options: SlowOptions = {}): SlowResult {
  const texts = files
    .map(file => ({ path: file.path, ...decompress(file.bytes) }))
    .sort((a, b) => compareText(a.path, b.path));
  const leftOut = options.keepDuplicates ? new Set<string>() : findCopies(texts);
  const open = texts
    .filter(file => !leftOut.has(file.path))
    .map(readFile)
    .sort((a, b) => a.firstUs - b.firstUs || compareText(a.path, b.path));
  joinSeams(open);

  const events = open.flatMap(file => file.events);
  return {
    files: new Map(open.map(file => [file.path, file.counts])),
    total: sumCounts(open.map(file => file.counts)),
    leftOut: [...leftOut].sort(compareText),
    rows: countRows(events, options),
    verdicts: findVerdicts(events),
  };
}

// Files

function decompress(bytes: Uint8Array): { text: Uint8Array; compressed: boolean } {
  const startsWith = (...magic: number[]) => magic.every((byte, i) => bytes[i] === byte);
  if (startsWith(0x1f, 0x8b)) return { text: gunzipSync(bytes), compressed: true };
  if (startsWith(0x28, 0xb5, 0x2f, 0xfd)) return { text: zstdDecompressSync(bytes), compressed: true };
  return { text: bytes, compressed: false };
}

/** Files whose text is the beginning of another file's, or equal to that of a file with a smaller path. */
function findCopies(files: readonly { path: string; text: Uint8Array }[]): Set<string> {
  const copies = new Set<string>();
  for (const [i, file] of files.entries()) {
    for (const [j, other] of files.entries()) {
      if (i === j || other.text.length < file.text.length) continue;
      if (other.text.length === file.text.length && i < j) continue;
      if (Buffer.compare(other.text.subarray(0, file.text.length), file.text) === 0) copies.add(file.path);
    }
  }
  return copies;
}

function readFile({ path, text, compressed }: { path: string; text: Uint8Array; compressed: boolean }): OpenFile {
  const counts: LineCounts = { lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0 };
  const file: OpenFile = { path, counts, events: [], firstUs: Infinity };
  const body = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? text.subarray(3) : text;

  for (let start = 0; start < body.length; ) {
    const lineFeed = body.indexOf(0x0a, start);
    const end = lineFeed < 0 ? body.length : lineFeed;
    const line = body.subarray(start, end);
    const isFirst = start === 0;
    start = end + 1;

    counts.lines++;
    if (isBlank(line)) continue;
    const result = readLine(line);
    counts.events += result.sound;
    counts.repaired += result.events.length - result.sound;
    for (const event of result.events) file.firstUs = Math.min(file.firstUs, event.timeUs);
    file.events.push(...result.events);

    const hasLineFeed = lineFeed >= 0;
    const isPending = !hasLineFeed && !compressed && result.events.length === 0;
    if (isPending) counts.pending++;
    else counts.rejected += result.rejected;
    if (result.events.length > 0) continue;
    if (isFirst) file.firstLine = { bytes: line, rejected: isPending ? 0 : result.rejected };
    if (!hasLineFeed) file.lastPiece = line;
  }
  return file;
}

/**
 * A line cut by rotation: its head ends one log, its tail opens the next log of the same folder.
 *
 * Only logs with an event have a place in time, so a log that is all tail is nobody's next one.
 */
function joinSeams(files: readonly OpenFile[]): void {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);
  for (const [i, file] of files.entries()) {
    const next = files.slice(i + 1).find(other => folderOf(other.path) === folderOf(file.path));
    if (!next || file.firstUs === Infinity || next.firstUs === Infinity) continue;
    if (!file.lastPiece || !next.firstLine) continue;
    const line = Buffer.concat([file.lastPiece, next.firstLine.bytes]);
    const event = toEvent(tryParse(toText(trim(line))));
    if (!event) continue;
    if (file.counts.pending > 0) file.counts.pending--;
    else file.counts.rejected--;
    file.counts.repaired++;
    next.counts.rejected -= next.firstLine.rejected;
    file.events.push(event);
  }
}

function sumCounts(all: readonly LineCounts[]): LineCounts {
  const sum: LineCounts = { lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0 };
  for (const name of COUNT_NAMES) for (const counts of all) sum[name] += counts[name];
  return sum;
}

// Lines

const isBlankByte = (byte: number) => byte === 0x20 || byte === 0x09 || byte === 0x0d;

function isBlank(line: Uint8Array): boolean {
  return line.every(byte => byte === 0 || isBlankByte(byte));
}

/** A line that is not blank, without NULs and blanks before it and without blanks behind it. */
function trim(line: Uint8Array): Uint8Array {
  const start = line.findIndex(byte => byte !== 0 && !isBlankByte(byte));
  return line.subarray(start, line.findLastIndex(byte => !isBlankByte(byte)) + 1);
}

/** Bytes that are no UTF-8 become U+FFFD. */
function toText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function readLine(line: Uint8Array): LineResult {
  const trimmed = trim(line);
  if (trimmed.length > LINE_LIMIT_BYTES) return { events: [], sound: 0, rejected: 1 };

  const text = toText(trimmed);
  const parsed = tryParse(text);
  if (parsed === undefined) {
    const events = findEvents(text);
    return { events, sound: 0, rejected: events.length > 0 ? 0 : 1 };
  }

  const isSoundLine = !line.subarray(0, line.indexOf(trimmed[0]!)).includes(0);
  const result: LineResult = { events: [], sound: 0, rejected: 0 };
  // A line with an empty array is one record that is no event.
  const records = Array.isArray(parsed) && parsed.length > 0 ? parsed : [parsed];
  for (const record of records) {
    const event = toEvent(record);
    const wrapped = event ? undefined : unwrapDocker(record);
    if (event) {
      result.events.push(event);
      if (isSoundLine) result.sound++;
    } else if (wrapped) result.events.push(wrapped);
    else result.rejected++;
  }
  return result;
}

/**
 * The whole events in a line that does not parse: text before the object, a torn object before a whole one, several
 * objects without LF between them.
 */
function findEvents(text: string): SlowEvent[] {
  const events: SlowEvent[] = [];
  for (let start = text.indexOf("{"); start >= 0; start = text.indexOf("{", start)) {
    const end = /^\{[ \t\r]*"/.test(text.slice(start, start + 1000)) ? findObjectEnd(text, start) : -1;
    const event = end < 0 ? undefined : toEvent(tryParse(text.slice(start, end)));
    if (event) events.push(event);
    start = event ? end : start + 1;
  }
  return events;
}

/** Index behind the `}` that closes the `{` at `start`, braces in strings not counted; -1 if nothing closes it. */
function findObjectEnd(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === "\\") i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return i + 1;
  }
  return -1;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: no JSON text parses to undefined, so that is free to say so.
    return undefined;
  }
}

function toEvent(record: unknown): SlowEvent | undefined {
  if (typeof record !== "object" || record === null || Array.isArray(record)) return undefined;
  const values = new Map<string, unknown>(Object.entries(record));
  const timeUs = parseTimestamp(values.get("timestamp"));
  if (typeof values.get("eventid") !== "string" || timeUs === undefined) return undefined;
  return { values, timeUs };
}

/** `{"log":"<line>\n","stream":"stdout","time":"…"}`, as Docker's json-file driver writes what a container prints. */
function unwrapDocker(record: unknown): SlowEvent | undefined {
  if (typeof record !== "object" || record === null || Array.isArray(record)) return undefined;
  const values = new Map<string, unknown>(Object.entries(record));
  const log = values.get("log");
  if (values.has("eventid") || typeof log !== "string") return undefined;
  return toEvent(tryParse(log));
}

/** Microseconds since 1970-01-01 UTC; undefined for anything but a valid instant with a zone, 1970 to 2199. */
export function parseTimestamp(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const match =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))$/.exec(value);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number, number, number, number, number, number,
  ];
  const offsetHours = Number(match[9] ?? 0);
  const offsetMinutes = Number(match[10] ?? 0);
  if (year < 1970 || year > 2199 || hour > 23 || minute > 59 || second > 59) return undefined;
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  // Date rolls 31 April over to 1 May; then the text was no date.
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;

  const localSeconds = midnight.getTime() / 1000 + hour * 3600 + minute * 60 + second;
  const offsetSeconds = (match[8] === "-" ? -1 : 1) * (offsetHours * 3600 + offsetMinutes * 60);
  const microseconds = Number((match[7] ?? "").padEnd(6, "0").slice(0, 6));
  return (localSeconds - offsetSeconds) * 1_000_000 + microseconds;
}

// Values

const OLD_IDS = new Map<string, string>(
  [
    "session.connect",
    "login.success",
    "login.failed",
    "log.open",
    "command.success",
    "command.failed",
    "session.file_download",
    "session.input",
    "client.version",
    "client.size",
    "session.closed",
    "log.closed",
    "client.var",
    "direct-tcpip.request",
    "direct-tcpip.data",
    "client.fingerprint",
    "session.file_upload",
  ].flatMap((name, i) => {
    const number = String(i + 1).padStart(4, "0");
    const old: [string, string][] = [[`COW${number}`, `cowrie.${name}`]];
    // The 17th came after the prefix had changed.
    if (i < 16) old.push([`KIPP${number}`, `cowrie.${name}`]);
    return old;
  }),
);

function textOf(event: SlowEvent, name: string): string | null {
  const value = event.values.get(name);
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value.toWellFormed();
  // String() and not JSON.stringify(): 1e999 is Infinity, not null.
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value).toWellFormed();
}

function eventIdOf(event: SlowEvent): string {
  const id = textOf(event, "eventid")!;
  return OLD_IDS.get(id) ?? id;
}

function addressOf(event: SlowEvent, name: string): string | null {
  const text = textOf(event, name);
  return text === null ? null : text.replace(/^::ffff:(?=\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$)/i, "");
}

function versionOf(event: SlowEvent): string | null {
  const text = textOf(event, "version");
  if (text === null) return null;
  const wrapped = /^b?'(.*)'$/s.exec(text) ?? /^b"(.*)"$/s.exec(text);
  return wrapped ? wrapped[1]! : text;
}

function portOf(event: SlowEvent, name: string): number | null {
  const value = event.values.get(name);
  const port = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= 65535 ? port : null;
}

function secondsOf(event: SlowEvent): number | null {
  const toNumber = (value: unknown): number | null => {
    if (typeof value === "number") return value;
    return typeof value === "string" && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? Number(value) : null;
  };
  const seconds = toNumber(event.values.get("duration"));
  if (seconds !== null) return seconds;
  const ms = toNumber(event.values.get("duration_ms"));
  return ms === null ? null : ms / 1000;
}

function countOf(event: SlowEvent, name: string): number | null {
  const value = event.values.get(name);
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31 ? value : null;
}

// Rows

/** The kinds an event counts for, and its key in each. A session's last command is found elsewhere. */
function keysOf(event: SlowEvent, robotMaxSeconds: number): [SlowKind, SlowKey][] {
  const id = eventIdOf(event);
  const hour = Math.floor(event.timeUs / 3_600_000_000) % 24;
  const keys: [SlowKind, SlowKey][] = [["event", [id, hour]]];

  if (id === "cowrie.login.success" || id === "cowrie.login.failed") {
    keys.push(["login", [textOf(event, "username"), textOf(event, "password")]]);
  }
  if (isCommand(event)) {
    keys.push(["command", [textOf(event, "input")]]);
  }
  if (id === "cowrie.session.connect") {
    keys.push(["connect", [addressOf(event, "src_ip"), portOf(event, "dst_port")]]);
  }
  if (id === "cowrie.session.closed") {
    const seconds = secondsOf(event);
    const robot = seconds === null ? null : seconds < robotMaxSeconds ? 1 : 0;
    keys.push(["session_closed", [addressOf(event, "src_ip"), robot]]);
  }
  // No hash, or an empty one: a download that failed.
  if (id === "cowrie.session.file_download" && textOf(event, "shasum")) {
    keys.push(["file_download", [textOf(event, "url"), textOf(event, "outfile"), textOf(event, "shasum")]]);
  }
  if (id === "cowrie.session.file_upload") {
    keys.push(["file_upload", [textOf(event, "filename"), textOf(event, "shasum")]]);
  }
  if (id === "cowrie.direct-tcpip.request") {
    keys.push(["proxy_request", [addressOf(event, "src_ip"), addressOf(event, "dst_ip"), portOf(event, "dst_port")]]);
  }
  if (id === "cowrie.client.version") {
    keys.push(["client", [versionOf(event), null]]);
  }
  if (id === "cowrie.client.kex") {
    keys.push(["client", [null, textOf(event, "hassh")]]);
  }
  if (id === "cowrie.client.fingerprint") {
    const offered = [textOf(event, "key"), textOf(event, "fingerprint")];
    if (offered.some(text => text !== null)) keys.push(["client_key", offered]);
  }
  const verdict = verdictOf(event);
  if (verdict) {
    keys.push(["scan", [verdict.shasum, verdict.positives, verdict.total]]);
  }
  return keys;
}

function isCommand(event: SlowEvent): boolean {
  return eventIdOf(event) === "cowrie.command.input" && textOf(event, "realm") === null;
}

function verdictOf(event: SlowEvent): (Verdict & { shasum: string }) | undefined {
  if (eventIdOf(event) !== "cowrie.virustotal.scanfile") return undefined;
  const positives = countOf(event, "positives");
  const total = countOf(event, "total");
  if (typeof event.values.get("sha256") !== "string" || positives === null || total === null) return undefined;
  return { shasum: textOf(event, "sha256")!, positives, total };
}

function countRows(events: readonly SlowEvent[], options: SlowOptions): SlowRow[] {
  const { robotMaxSeconds = 10, sensorAlias = new Map<string, string>() } = options;
  const sensorOf = (event: SlowEvent) => {
    const sensor = textOf(event, "sensor") ?? "";
    return sensorAlias.get(sensor) ?? sensor;
  };
  const rows = new Map<string, SlowRow & { from: Set<string> }>();
  const count = (event: SlowEvent, kind: SlowKind, key: SlowKey) => {
    const date = new Date(Math.floor(event.timeUs / 1000)).toISOString().slice(0, 10);
    const sensor = sensorOf(event);
    const id = JSON.stringify([kind, date, sensor, ...key]);
    const row = rows.get(id) ??
      { kind, date, sensor, key, count: 0, success: 0, firstUs: event.timeUs, lastUs: event.timeUs, addresses: null, from: new Set() };
    rows.set(id, row);
    const address = addressOf(event, "src_ip");
    if (address !== null) row.from.add(networkOf(address));
    row.count++;
    if (kind === "login" && eventIdOf(event) === "cowrie.login.success") row.success++;
    row.firstUs = Math.min(row.firstUs, event.timeUs);
    row.lastUs = Math.max(row.lastUs, event.timeUs);
  };

  const lastCommands = new Map<string, SlowEvent>();
  for (const event of events) {
    for (const [kind, key] of keysOf(event, robotMaxSeconds)) count(event, kind, key);
    const session = textOf(event, "session");
    if (!isCommand(event) || session === null) continue;
    const id = JSON.stringify([sensorOf(event), session]);
    const last = lastCommands.get(id);
    // Of two at the same time the later one in the input stays.
    if (!last || event.timeUs >= last.timeUs) lastCommands.set(id, event);
  }
  for (const event of lastCommands.values()) count(event, "pre_disconnect_command", [textOf(event, "input")]);
  return sortRows(
    [...rows.values()].map(({ from, ...row }) => ({ ...row, addresses: WITHOUT_ADDRESSES.includes(row.kind) ? null : from.size })),
  );
}

/** The address is part of the key, or that of whoever asked VirusTotal. */
const WITHOUT_ADDRESSES: readonly SlowKind[] = ["connect", "session_closed", "proxy_request", "scan"];

/** The /64 of an IPv6 address; anything else as it is. */
function networkOf(address: string): string {
  if (isIP(address) !== 6 || address.includes("%")) return address;
  const [head, tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::").map(part => part.split(":").filter(group => group !== ""));
  const missing = 8 - head!.length - (tail?.length ?? 0);
  return [...head!, ...new Array<string>(missing).fill("0"), ...(tail ?? [])].slice(0, 4).join(":");
}

/** The latest verdict on each hash; of two at the same time the one with more positives, then the greater total. */
function findVerdicts(events: readonly SlowEvent[]): Map<string, Verdict> {
  const latest = new Map<string, Verdict & { timeUs: number }>();
  for (const event of events) {
    const verdict = verdictOf(event);
    if (!verdict) continue;
    const { shasum, positives, total } = verdict;
    const { timeUs } = event;
    const known = latest.get(shasum);
    const order = !known ? 1 : timeUs - known.timeUs || positives - known.positives || total - known.total;
    if (order > 0) latest.set(shasum, { positives, total, timeUs });
  }
  return new Map([...latest].map(([shasum, { positives, total }]) => [shasum, { positives, total }]));
}

/** Sort in place: kind, day, sensor, key; no value first. */
export function sortRows(rows: SlowRow[]): SlowRow[] {
  return rows.sort(
    (a, b) =>
      SLOW_KINDS.indexOf(a.kind) - SLOW_KINDS.indexOf(b.kind) ||
      compareText(a.date, b.date) ||
      compareText(a.sensor, b.sensor) ||
      compareKeys(a.key, b.key),
  );
}

function compareKeys(a: SlowKey, b: SlowKey): number {
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i]!, b[i]!];
    if (left === right) continue;
    if (left === null) return -1;
    if (right === null) return 1;
    return left < right ? -1 : 1;
  }
  return 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The rows of a reduced table in the form of {@link countSlowly}, to hold one against the other. */
export function rowsOfTable(table: ReducedTable): SlowRow[] {
  const rows: SlowRow[] = [];
  for (const kind of SLOW_KINDS) {
    const { addresses } = table.kinds[kind];
    const { rows: length, day, sensor, keys, count, success, firstSeenUs, lastSeenUs } = table.kinds[kind];
    const valueOf = (column: KeyColumn, row: number) => {
      const code = keys[column]![row]!;
      return code < 0 ? null : isTextKey(column) ? table.dictionaries[column][code]! : code;
    };
    for (let row = 0; row < length; row++) {
      rows.push({
        kind,
        date: new Date(day[row]! * 86_400_000).toISOString().slice(0, 10),
        sensor: table.dictionaries.sensor[sensor[row]!]!,
        key: KINDS[kind].map(column => valueOf(column, row)),
        count: count[row]!,
        success: success[row]!,
        firstUs: firstSeenUs[row]!,
        lastUs: lastSeenUs[row]!,
        addresses: addresses === null || addresses[row]! < 0 ? null : setSize(table.sets, addresses[row]!),
      });
    }
  }
  return sortRows(rows);
}
