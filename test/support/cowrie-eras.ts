/**
 * How each Cowrie era writes one event as a line of JSON.
 *
 * Values travel as JSON text already (see {@link quote}), in a flat list key, text, key, text: the generator writes
 * gigabytes, and no object per event is made for it.
 */

/** What a Cowrie version does differently from its neighbours. */
export interface Era {
  readonly name: string;
  /** Key order: Python 2 dictionaries, `eventid` first, or identity first. */
  readonly order: "hash" | "eventid-first" | "identity-first";
  /** `protocol` on connect only, on every event, or nowhere. */
  readonly protocol: "none" | "connect" | "all";
  readonly uuid: boolean;
  /** Unit and JSON type of the time a session took. */
  readonly duration: "none" | "float" | "text" | "ms";
  /** `version`: plain beside the algorithm lists, Python repr, plain, or with `\xNN` escapes. */
  readonly version: "with-algorithms" | "repr" | "plain" | "escaped";
  /** Public-key attempts are logins too. */
  readonly keyLogins: boolean;
  /** `log.open`, one `command.success` per known command, dated names of recordings. */
  readonly oldShell: boolean;
  /** JA4 of forwarded TLS and telnet options are logged. */
  readonly modern: boolean;
  readonly sessionDigits: number;
  /** Numeric event ids of 2015. */
  readonly ids?: "KIPP" | "COW";
}

const PY2 = {
  order: "hash",
  uuid: false,
  version: "with-algorithms",
  keyLogins: false,
  oldShell: true,
  modern: false,
  sessionDigits: 12,
} as const;
const PY3 = {
  order: "eventid-first",
  protocol: "connect",
  uuid: false,
  duration: "float",
  version: "plain",
  keyLogins: false,
  oldShell: false,
  modern: false,
  sessionDigits: 12,
} as const;

export const ERAS = {
  kipp: { ...PY2, name: "kipp", protocol: "none", duration: "none", version: "plain", sessionDigits: 8, ids: "KIPP" },
  cow: { ...PY2, name: "cow", protocol: "none", duration: "none", version: "plain", sessionDigits: 8, ids: "COW" },
  "v1.2": { ...PY2, name: "v1.2", protocol: "none", duration: "float" },
  "v1.3": { ...PY2, name: "v1.3", protocol: "connect", duration: "float" },
  "v2.2": { ...PY3, name: "v2.2", version: "repr" },
  "v2.5": { ...PY3, name: "v2.5" },
  "v2.8": { ...PY3, name: "v2.8", protocol: "all", uuid: true, duration: "text", keyLogins: true },
  v3: {
    ...PY3,
    name: "v3",
    order: "identity-first",
    protocol: "all",
    uuid: true,
    duration: "ms",
    version: "escaped",
    keyLogins: true,
    modern: true,
  },
} as const satisfies Record<string, Era>;

export type EraName = keyof typeof ERAS;

/** Today's names of the numbered ids, without the common beginning. */
const NUMBERED = [
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
];

/** The id as the era writes it; an event the era did not know gives undefined. */
export function eraEventId(era: Era, id: string): string | undefined {
  if (era.ids === undefined) return id;
  const index = NUMBERED.indexOf(id.replace("cowrie.", ""));
  return index < 0 || (era.ids === "KIPP" && index > 15) ? undefined : era.ids + String(index + 1).padStart(4, "0");
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** JSON text of a string as Python's `json.dumps` writes it: ASCII only, everything else as `\uXXXX`. */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** JSON text of a list of strings, with the era's separator. */
export function quoteList(era: Era, list: readonly string[]): string {
  return `[${list.map(quote).join(era.order === "hash" ? ", " : ",")}]`;
}

const encoder = new TextEncoder();

/** Python's repr of the bytes of a text, as data of forwards and old versions are logged: `b'GET /\r\n'`. */
export function bytesRepr(text: string, prefix = "b"): string {
  return `${prefix}'${escapeBytes(text).replaceAll("\\x0d", "\\r").replaceAll("\\x0a", "\\n").replaceAll("'", "\\'")}'`;
}

/** Every byte outside printable ASCII as `\xNN` text, backslashes doubled: user names and versions since v3.0.5. */
export function escapeBytes(text: string): string {
  if (/^[ -[\]-~]*$/.test(text)) return text;
  let escaped = "";
  for (const byte of encoder.encode(text)) {
    if (byte === 0x5c) escaped += "\\\\";
    else if (byte >= 0x20 && byte <= 0x7e) escaped += String.fromCharCode(byte);
    else escaped += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return escaped;
}

/** JSON number as Python writes a float: never without a point. */
export function floatText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

const DAY_US = 86_400_000_000;
let cachedDay = -1;
let cachedDate = "";

/** `YYYY-MM-DD` of a day counted from 1970-01-01. */
export function dateText(day: number): string {
  if (day !== cachedDay) {
    cachedDay = day;
    cachedDate = new Date(day * 86_400_000).toISOString().slice(0, 10);
  }
  return cachedDate;
}

/** Days from 1970-01-01 to a date. @throws {RangeError} if it is not `YYYY-MM-DD`. */
export function dayNumber(date: string): number {
  const day = Date.parse(`${date}T00:00:00Z`) / 86_400_000;
  if (!Number.isInteger(day)) throw new RangeError(`Cannot read day "${date}": expected YYYY-MM-DD`);
  return day;
}

const TWO = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0"));

/**
 * An instant as Cowrie writes it.
 *
 * @param us Microseconds since 1970-01-01 UTC.
 * @param zoneMinutes Offset from UTC written as `+HHMM`; undefined = `Z`.
 * @param shortZero Leave the fraction out when it is 0, as Python's `isoformat` did until 1.5.3.
 */
export function timestampText(us: number, zoneMinutes?: number, shortZero = false): string {
  const local = us + (zoneMinutes ?? 0) * 60_000_000;
  const day = Math.floor(local / DAY_US);
  const inDay = local - day * DAY_US;
  const second = Math.floor(inDay / 1_000_000);
  const fraction = inDay - second * 1_000_000;
  const minute = Math.floor(second / 60);
  const clock = `${TWO[Math.floor(minute / 60)]}:${TWO[minute % 60]}:${TWO[second % 60]}`;
  const tail = shortZero && fraction === 0 ? "" : `.${String(fraction).padStart(6, "0")}`;
  return `${dateText(day)}T${clock}${tail}${zoneMinutes === undefined ? "Z" : zoneText(zoneMinutes)}`;
}

function zoneText(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${TWO[Math.floor(size / 60)]}${TWO[size % 60]}`;
}

/** What every event of one session repeats, as JSON text. */
export interface Identity {
  readonly era: Era;
  readonly sensor: string;
  readonly uuid: string;
  readonly session: string;
  readonly protocol: string;
  readonly srcIp: string;
  readonly srcPort: number;
  readonly dstIp: string;
  readonly dstPort: number;
  /** Twisted's context, Python 2 eras only. */
  readonly system: string;
}

/** key, JSON text, key, JSON text, … */
export type Fields = readonly string[];

/** What only some lines need. */
export interface LineExtras {
  /** Target of a forward: overwrites the honeypot's own address where the era has it on every event. */
  readonly target?: { readonly ip: string; readonly port: number };
  /** Made by an output plugin: no ports. */
  readonly plugin?: boolean;
  /** After the connection closed. */
  readonly late?: boolean;
}

const NOTHING: LineExtras = {};

/**
 * One event as the era writes it, without the LF.
 *
 * @param id As in {@link eraEventId}.
 * @param timestamp JSON text.
 * @param message JSON text; "" leaves the key out.
 */
export function eventLine(
  identity: Identity,
  id: string,
  fields: Fields,
  timestamp: string,
  message: string,
  extras: LineExtras = NOTHING,
): string {
  switch (identity.era.order) {
    case "hash":
      return hashOrderLine(identity, id, fields, timestamp, message, extras);
    case "eventid-first":
      return eventidFirstLine(identity, id, fields, timestamp, message, extras);
    case "identity-first":
      return identityFirstLine(identity, id, fields, timestamp, message, extras);
  }
}

function identityFirstLine(
  { sensor, uuid, session, protocol, srcIp, srcPort, dstIp, dstPort }: Identity,
  id: string,
  fields: Fields,
  timestamp: string,
  message: string,
  { target, plugin, late }: LineExtras,
): string {
  let line = plugin
    ? `{"eventid":"${id}"`
    : `{"session":"${session}","protocol":"${protocol}","src_ip":"${srcIp}","src_port":${srcPort},` +
      `"dst_ip":${target ? quote(target.ip) : `"${dstIp}"`},"dst_port":${target ? target.port : dstPort}`;
  for (let i = 0; i < fields.length; i += 2) line += `,"${fields[i]}":${fields[i + 1]}`;
  line += plugin
    ? `,"session":"${session}","src_ip":"${srcIp}","protocol":"${protocol}"`
    : `,"eventid":"${id}"${late ? ',"late":true' : ""}`;
  return `${line},"sensor":"${sensor}","uuid":"${uuid}","timestamp":${timestamp},"message":${message || '""'}}`;
}

function eventidFirstLine(
  { era, sensor, uuid, session, protocol, srcIp, srcPort, dstIp, dstPort }: Identity,
  id: string,
  fields: Fields,
  timestamp: string,
  message: string,
  { target }: LineExtras,
): string {
  let line = `{"eventid":"${id}"`;
  const connect = id === "cowrie.session.connect";
  if (connect) {
    line += `,"src_ip":"${srcIp}","src_port":${srcPort},"dst_ip":"${dstIp}","dst_port":${dstPort}`;
    line += `,"session":"${session}","protocol":"${protocol}"`;
  } else if (target) line += `,"dst_ip":${quote(target.ip)},"dst_port":${target.port}`;
  let hasSource = connect;
  for (let i = 0; i < fields.length; i += 2) {
    line += `,"${fields[i]}":${fields[i + 1]}`;
    if (fields[i] === "src_ip") hasSource = true;
  }
  if (message !== "") line += `,"message":${message}`;
  line += `,"sensor":"${sensor}"${era.uuid ? `,"uuid":"${uuid}"` : ""},"timestamp":${timestamp}`;
  if (!hasSource) line += `,"src_ip":"${srcIp}"`;
  if (!connect) {
    line += `,"session":"${session}"`;
    if (era.protocol === "all") line += `,"protocol":"${protocol}"`;
  }
  return `${line}}`;
}

/** Python 2 dictionaries: one fixed but odd order per set of keys. */
const orders = new Map<string, number[]>();

function hashOrderLine(
  { era, sensor, session, protocol, srcIp, srcPort, dstIp, dstPort, system }: Identity,
  id: string,
  fields: Fields,
  timestamp: string,
  message: string,
  { target }: LineExtras,
): string {
  const pairs = ["eventid", `"${id}"`, "timestamp", timestamp, "session", `"${session}"`, "sensor", `"${sensor}"`];
  if (system !== "") pairs.push("system", quote(system), "isError", "0");
  if (id === "cowrie.session.connect" || id.endsWith("0001")) {
    pairs.push("src_port", String(srcPort), "dst_ip", `"${dstIp}"`, "dst_port", String(dstPort));
    if (era.protocol === "connect") pairs.push("protocol", `"${protocol}"`);
  }
  if (target) pairs.push("dst_ip", quote(target.ip), "dst_port", String(target.port));
  for (const part of fields) pairs.push(part);
  if (!fields.includes("src_ip")) pairs.push("src_ip", `"${srcIp}"`);
  if (message !== "") pairs.push("message", message);

  let line = "{";
  for (const i of hashOrder(pairs)) line += `${line.length > 1 ? ", " : ""}"${pairs[i]}": ${pairs[i + 1]}`;
  return `${line}}`;
}

function hashOrder(pairs: readonly string[]): number[] {
  let signature = "";
  for (let i = 0; i < pairs.length; i += 2) signature += `${pairs[i]} `;
  let order = orders.get(signature);
  if (order === undefined) {
    // Python 2 put a key at its hash modulo the table's size; any hash shows the same disorder.
    const slots = pairs.length / 2 > 10 ? 64 : 32;
    const place = (i: number) => hashSlot(pairs[i]!, slots);
    order = Array.from({ length: pairs.length / 2 }, (_, i) => i * 2).sort((a, b) => place(a) - place(b) || a - b);
    orders.set(signature, order);
  }
  return order;
}

function hashSlot(key: string, slots: number): number {
  let hash = key.charCodeAt(0) << 7;
  for (let i = 0; i < key.length; i++) hash = Math.imul(1000003, hash) ^ key.charCodeAt(i);
  return ((hash ^ key.length) >>> 0) % slots;
}
