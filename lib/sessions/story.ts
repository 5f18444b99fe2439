/**
 * Sessions as stories: the events of each in order, in words, with what they lack derived from one another.
 *
 * Attacker text is kept apart from our words in every step, so that whoever shows it knows what to escape and what to
 * mark; nothing here is escaped.
 */
import { type FoundEvent, type Found, sessionKey } from "./event-search.ts";
import { formatBytes, formatDuration, toIsoInstant } from "../text/format.ts";
import { clipEnd } from "../text/labels.ts";
import { purposeOf } from "../text/purpose.ts";
import type { Purpose } from "../text/purpose-names.ts";
import type { Verdict } from "../reduced/reduced-json.ts";
import { DAY_US } from "../text/time.ts";
import { compareText } from "../text/text.ts";

export type StepKind =
  "connection" | "client" | "login" | "command" | "file" | "forward" | "terminal" | "end" | "other";

/** How a step is to be read: what matters, what is bad news, what is by the way. */
export type Tone = "plain" | "strong" | "alarm" | "quiet";

/** A piece of a step's text; foreign ones were written by whoever attacked. */
export interface Part {
  readonly text: string;
  readonly isForeign: boolean;
}

export interface Step {
  readonly us: number;
  readonly eventid: string;
  readonly kind: StepKind;
  readonly tone: Tone;
  /** What it is, in our words: "login refused". */
  readonly what: string;
  readonly parts: readonly Part[];
  /** Of a command. */
  readonly purpose?: Purpose;
  /** How many equal steps in a row this stands for; the last at `lastUs`. */
  readonly repeats: number;
  readonly lastUs: number;
  /** For programs: what was told, under names of ours. */
  readonly fields: Readonly<Record<string, FieldValue>>;
}
export type FieldValue = string | number | boolean | null | { readonly positives: number; readonly total: number };

export interface FileSeen {
  /** SHA-256. */
  readonly hash: string;
  /** Where it came from or went to: URL, name, or "" for captured input. */
  readonly name: string;
  readonly isUpload: boolean;
  readonly verdict: Verdict | undefined;
}

/** One session from its first event to its last. */
export interface Story {
  readonly sensor: string;
  readonly session: string;
  /** Source address; undefined if no event tells it. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly targetAddress: string | undefined;
  readonly targetPort: number | undefined;
  readonly protocol: string | undefined;
  /** Not told by the log but concluded from other events. */
  readonly isProtocolDerived: boolean;
  readonly startUs: number;
  readonly endUs: number;
  /** The connect is among the events; without it the beginning lies in a log that was not read. */
  readonly hasStart: boolean;
  /** Likewise the end. */
  readonly hasEnd: boolean;
  readonly durationSec: number;
  readonly isDurationDerived: boolean;
  readonly versions: readonly string[];
  readonly hasshes: readonly string[];
  readonly logins: readonly Credential[];
  readonly commands: readonly string[];
  readonly files: readonly FileSeen[];
  readonly forwards: number;
  readonly events: number;
  /** In order of time, equal times in input order. */
  readonly steps: readonly Step[];
}

export interface Credential {
  readonly username: string;
  /** null for a public key. */
  readonly password: string | null;
  readonly isLetIn: boolean;
}

/** What a session came to, in the order of how far it went. */
export const OUTCOMES = ["file", "command", "letin", "refused", "connect"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export function outcomeOf(story: Story): Outcome {
  if (story.files.length > 0) return "file";
  if (story.commands.length > 0) return "command";
  if (story.logins.some(({ isLetIn }) => isLetIn)) return "letin";
  return story.logins.length > 0 ? "refused" : "connect";
}

/** Old downloads were logged by two routes, a moment apart. */
const TWIN_US = 1_000_000;
/** 2019-03-14: before it, width and height of a terminal were swapped. */
const SIZES_RIGHT_US = Date.UTC(2019, 2, 14) * 1000;
const SSH_PORTS: ReadonlySet<number> = new Set([22, 2222]);
const TELNET_PORTS: ReadonlySet<number> = new Set([23, 2323, 2223]);

/**
 * Tell the sessions apart and order their events.
 *
 * @returns By start, then sensor, then session id.
 */
export function buildStories({ events, verdicts }: Found): Story[] {
  const sessions = new Map<string, FoundEvent[]>();
  for (const event of events) {
    const key = sessionKey(event.sensor, event.session);
    const own = sessions.get(key);
    if (own === undefined) sessions.set(key, [event]);
    else own.push(event);
  }
  const stories: Story[] = [];
  for (const own of sessions.values()) {
    // Sorting is stable: events of one time stay in input order.
    own.sort((a, b) => a.us - b.us);
    for (const part of splitAtConnects(own)) stories.push(buildStory(part, verdicts));
  }
  return stories.sort(
    (a, b) => a.startUs - b.startUs || compareText(a.sensor, b.sensor) || compareText(a.session, b.session),
  );
}

/** Which sessions of those found count. */
export interface StoryChoice {
  readonly isWanted?: (story: Story) => boolean;
  /** First and last day on which they began. */
  readonly sinceDay?: number;
  readonly untilDay?: number;
}

export function pickStories(
  stories: readonly Story[],
  { isWanted = () => true, sinceDay = -Infinity, untilDay = Infinity }: StoryChoice,
): Story[] {
  return stories.filter(story => {
    const day = dayOfStory(story);
    return day >= sinceDay && day <= untilDay && isWanted(story);
  });
}

/** UTC day on which a session began. */
export function dayOfStory({ startUs }: Story): number {
  return Math.floor(startUs / DAY_US);
}

/** An id that is used again is another session: ids of eight digits collide in large archives. */
function splitAtConnects(events: readonly FoundEvent[]): FoundEvent[][] {
  const parts: FoundEvent[][] = [];
  let connectUs = NaN;
  for (const event of events) {
    const isConnect = event.eventid === "cowrie.session.connect";
    // The same connect twice is a line that was read twice.
    if (parts.length === 0 || (isConnect && connectUs < event.us)) parts.push([]);
    if (isConnect) connectUs = event.us;
    parts.at(-1)!.push(event);
  }
  return parts;
}

function buildStory(events: readonly FoundEvent[], verdicts: ReadonlyMap<string, Verdict>): Story {
  const first = events[0]!;
  const connect = events.find(({ eventid }) => eventid === "cowrie.session.connect");
  const closed = events.findLast(({ eventid }) => eventid === "cowrie.session.closed");
  const told = events.find(({ texts }) => texts.protocol === "ssh" || texts.protocol === "telnet")?.texts.protocol;
  const protocol = told ?? deriveProtocol(events);
  const startUs = connect?.us ?? first.us;
  const endUs = closed?.us ?? events.at(-1)!.us;
  const toldSec = closed?.numbers.duration;
  const hasInput = events.some(({ eventid, texts }) => eventid === "cowrie.command.input" && texts.realm === undefined);
  const steps: Step[] = [];
  const recordings = new Set(
    events.filter(({ eventid }) => eventid === "cowrie.log.closed").map(({ texts }) => texts.ttylog),
  );
  let lastDownload: FoundEvent | undefined;
  for (const event of events) {
    if (event.eventid === "cowrie.session.file_download" && event.texts.shasum) {
      if (lastDownload !== undefined && isTwin(lastDownload, event)) continue;
      lastDownload = event;
    }
    // Once the line itself is known, what became of each command in it adds nothing, and neither does an opened log.
    if (event.eventid === "cowrie.command.success" && hasInput && event.texts.realm === undefined) continue;
    if (event.eventid === "cowrie.log.open" && recordings.has(event.texts.ttylog)) continue;
    addStep(steps, toStep(event, { verdicts, hasInput }));
  }
  return {
    sensor: first.sensor,
    session: first.session,
    address: connect?.texts.src_ip ?? events.find(({ texts }) => texts.src_ip !== undefined)?.texts.src_ip,
    port: connect?.numbers.src_port,
    targetAddress: connect?.texts.dst_ip,
    targetPort: connect?.numbers.dst_port,
    protocol,
    isProtocolDerived: told === undefined && protocol !== undefined,
    startUs,
    endUs,
    hasStart: connect !== undefined,
    hasEnd: closed !== undefined,
    durationSec: toldSec ?? (endUs - startUs) / 1e6,
    isDurationDerived: toldSec === undefined,
    versions: distinct(events, "cowrie.client.version", "version"),
    hasshes: distinct(events, "cowrie.client.kex", "hassh"),
    logins: steps.flatMap(toCredentials),
    commands: steps.flatMap(({ kind, fields, repeats }) =>
      kind === "command" && typeof fields.input === "string" && fields.is_line === true
        ? new Array<string>(repeats).fill(fields.input)
        : [],
    ),
    files: steps.flatMap(step => toFiles(step, verdicts)),
    forwards: events.filter(({ eventid }) => eventid === "cowrie.direct-tcpip.request").length,
    events: events.length,
    steps: steps.map(step => (step.kind === "command" ? withoutFlag(step) : step)),
  };
}

/** `is_line` tells a line from what failed in it, and is of no use outside. */
function withoutFlag(step: Step): Step {
  const { is_line: _, ...fields } = step.fields;
  return { ...step, fields };
}

function toCredentials({ kind, fields, repeats, what }: Step): Credential[] {
  if (kind !== "login" || typeof fields.success !== "boolean") return [];
  const one = {
    username: typeof fields.username === "string" ? fields.username : "",
    password: typeof fields.password === "string" ? fields.password : null,
    isLetIn: what === LET_IN,
  };
  return new Array<Credential>(repeats).fill(one);
}

function toFiles({ kind, fields, repeats }: Step, verdicts: ReadonlyMap<string, Verdict>): FileSeen[] {
  const { shasum, url, filename } = fields;
  if (kind !== "file" || typeof shasum !== "string") return [];
  const file = {
    hash: shasum,
    name: typeof url === "string" ? url : typeof filename === "string" ? filename : "",
    isUpload: fields.is_upload === true,
    verdict: verdicts.get(shasum),
  };
  return new Array<FileSeen>(repeats).fill(file);
}

function distinct(events: readonly FoundEvent[], id: string, column: "version" | "hassh"): string[] {
  return [...new Set(events.flatMap(({ eventid, texts }) => (eventid === id && texts[column] ? [texts[column]] : [])))];
}

function isTwin(a: FoundEvent, b: FoundEvent): boolean {
  return a.texts.shasum === b.texts.shasum && a.texts.url === b.texts.url && b.us - a.us < TWIN_US;
}

function deriveProtocol(events: readonly FoundEvent[]): string | undefined {
  for (const { eventid } of events) {
    if (/^cowrie\.(client\.(version|kex|size|fingerprint)|direct-tcpip\.)/.test(eventid)) return "ssh";
    if (eventid.startsWith("cowrie.telnet.")) return "telnet";
  }
  for (const { eventid, numbers } of events) {
    if (eventid !== "cowrie.session.connect" || numbers.dst_port === undefined) continue;
    if (SSH_PORTS.has(numbers.dst_port)) return "ssh";
    if (TELNET_PORTS.has(numbers.dst_port)) return "telnet";
  }
  return undefined;
}

/** Add a step, or count it to the one before if it says the same, or tells what became of it. */
function addStep(steps: Step[], step: Step): void {
  const before = steps.at(-1);
  if (before?.fields.is_line === true && before.repeats === 1 && step.eventid === "cowrie.command.failed") {
    const input = step.fields.input;
    if (typeof input === "string" && before.what === "command" && before.fields.input === input.trimEnd()) {
      steps[steps.length - 1] = { ...before, what: "not found", fields: { ...before.fields, found: false } };
      return;
    }
  }
  const isEqual =
    before !== undefined &&
    before.eventid === step.eventid &&
    before.what === step.what &&
    before.parts.length === step.parts.length &&
    before.parts.every(({ text }, i) => text === step.parts[i]!.text);
  if (isEqual) steps[steps.length - 1] = { ...before, repeats: before.repeats + 1, lastUs: step.lastUs };
  else steps.push(step);
}

const LET_IN = "login accepted";

const own = (text: string): Part => ({ text, isForeign: false });
const foreign = (text: string): Part => ({ text, isForeign: true });

interface StepContext {
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** The session has lines as they were typed. */
  readonly hasInput: boolean;
}

type Draft = Pick<Step, "kind" | "what" | "parts"> & {
  tone?: Tone;
  purpose?: Purpose;
  fields?: Record<string, FieldValue | undefined>;
};

/** One event in words. Whatever is not known here is shown under its own id, with all it holds. */
function toStep(event: FoundEvent, context: StepContext): Step {
  const { tone = "plain", fields = {}, purpose, ...draft } = describe(event, context);
  const kept = Object.entries(fields).filter((entry): entry is [string, FieldValue] => entry[1] !== undefined);
  return {
    us: event.us,
    eventid: event.eventid,
    tone,
    ...draft,
    ...(purpose === undefined ? {} : { purpose }),
    repeats: 1,
    lastUs: event.us,
    fields: Object.fromEntries(kept),
  };
}

function describe(event: FoundEvent, context: StepContext): Draft {
  const { eventid, texts, numbers } = event;
  switch (eventid) {
    case "cowrie.session.connect":
      return {
        kind: "connection",
        what: "connect",
        tone: "quiet",
        parts: [
          foreign(toEndpoint(texts.src_ip, numbers.src_port)),
          own("to"),
          own(toEndpoint(texts.dst_ip, numbers.dst_port)),
          ...(texts.protocol === undefined ? [] : [own(`(${texts.protocol})`)]),
        ],
        fields: {
          src_ip: texts.src_ip,
          src_port: numbers.src_port,
          dst_ip: texts.dst_ip,
          dst_port: numbers.dst_port,
          protocol: texts.protocol,
        },
      };
    case "cowrie.client.version":
      return {
        kind: "client",
        what: "client",
        tone: "quiet",
        parts: [foreign(texts.version ?? "")],
        fields: { version: texts.version },
      };
    case "cowrie.client.kex":
      return {
        kind: "client",
        what: "HASSH",
        tone: "quiet",
        parts: [foreign(texts.hassh ?? "(none)")],
        fields: { hassh: texts.hassh },
      };
    case "cowrie.client.fingerprint":
      return {
        kind: "login",
        what: "key offered",
        parts: [foreign(texts.username ?? ""), own("with"), foreign(texts.fingerprint ?? "")],
        fields: { username: texts.username, fingerprint: texts.fingerprint, key: texts.key },
      };
    case "cowrie.login.success":
    case "cowrie.login.failed":
      return describeLogin(event);
    case "cowrie.command.input":
    case "cowrie.command.success":
    case "cowrie.command.failed":
    case "cowrie.session.input":
      return describeCommand(event, context);
    case "cowrie.command.chpasswd":
      return {
        kind: "command",
        what: "password set",
        tone: "quiet",
        parts: [own("of"), foreign(texts.username ?? "")],
        fields: { username: texts.username },
      };
    case "cowrie.session.file_download":
      // Input of programs was logged under this id for a while.
      if (texts.shasum === undefined && texts.input !== undefined) return describeCommand(event, context);
      return texts.shasum === "" ? describeFailedDownload(event) : describeFile(event, context, false);
    case "cowrie.session.file_upload":
      return describeFile(event, context, true);
    case "cowrie.session.file_download.failed":
      return describeFailedDownload(event);
    case "cowrie.direct-tcpip.request":
    case "cowrie.direct-tcpip.redirect":
    case "cowrie.direct-tcpip.tunnel":
      return {
        kind: "forward",
        what: eventid.endsWith("request")
          ? "forward asked"
          : eventid.endsWith("tunnel")
            ? "forward tunneled"
            : "forward redirected",
        parts: [own("to"), foreign(toEndpoint(texts.dst_ip, numbers.dst_port))],
        fields: { dst_ip: texts.dst_ip, dst_port: numbers.dst_port },
      };
    case "cowrie.direct-tcpip.data":
    case "cowrie.tunnelproxy-tcpip.data":
      return {
        kind: "forward",
        what: "forward data",
        tone: "quiet",
        parts: [
          own("to"),
          foreign(toEndpoint(texts.dst_ip, numbers.dst_port)),
          ...(texts.data === undefined ? [] : [foreign(texts.data)]),
        ],
        fields: { dst_ip: texts.dst_ip, dst_port: numbers.dst_port, data: texts.data },
      };
    case "cowrie.client.size": {
      const size = toSize(event);
      return {
        kind: "terminal",
        what: "terminal",
        tone: "quiet",
        parts: [own(size === undefined ? "of unknown size" : `${size.columns} x ${size.rows}`)],
        fields: { columns: size?.columns, rows: size?.rows },
      };
    }
    case "cowrie.client.var": {
      const extra = extraOf(event);
      const [name, value] = [String(extra.get("name") ?? ""), String(extra.get("value") ?? "")];
      return {
        kind: "terminal",
        what: "variable",
        tone: "quiet",
        parts: [foreign(name), own("="), foreign(value)],
        fields: { name, value },
      };
    }
    case "cowrie.session.params": {
      const arch = String(extraOf(event).get("arch") ?? "");
      return {
        kind: "terminal",
        what: "shell opened",
        tone: "quiet",
        parts: arch === "" ? [] : [own(arch)],
        fields: { arch },
      };
    }
    case "cowrie.log.open":
    case "cowrie.log.closed":
      return {
        kind: "terminal",
        what: "recording",
        tone: "quiet",
        parts: [
          ...(texts.ttylog === undefined ? [] : [own(texts.ttylog)]),
          ...(numbers.size === undefined ? [] : [own(formatBytes(numbers.size))]),
          ...(numbers.duration === undefined ? [] : [own(`after ${formatDuration(numbers.duration)}`)]),
        ],
        fields: { ttylog: texts.ttylog, size_bytes: numbers.size, duration_sec: numbers.duration },
      };
    case "cowrie.session.closed":
      return {
        kind: "end",
        what: "closed",
        tone: "quiet",
        parts: numbers.duration === undefined ? [] : [own(`after ${formatDuration(numbers.duration)}`)],
        fields: { duration_sec: numbers.duration },
      };
    case "cowrie.virustotal.scanfile":
    case "cowrie.virustotal.scanurl": {
      const verdict =
        numbers.positives === undefined || numbers.total === undefined
          ? undefined
          : { positives: numbers.positives, total: numbers.total };
      return {
        kind: "file",
        what: "VirusTotal",
        ...(verdict !== undefined && verdict.positives > 0 ? { tone: "alarm" as const } : {}),
        parts: [foreign(texts.shasum ?? texts.url ?? ""), own(describeVerdict(verdict))],
        fields: {
          ...(eventid.endsWith("url") ? { url: texts.url } : { scanned: texts.shasum }),
          verdict: verdict ?? null,
        },
      };
    }
    default:
      return describeOther(event);
  }
}

function describeLogin({ eventid, texts }: FoundEvent): Draft {
  const isLetIn = eventid === "cowrie.login.success";
  const secret =
    texts.password !== undefined
      ? [own("/"), foreign(texts.password)]
      : texts.fingerprint !== undefined
        ? [own("with key"), foreign(texts.fingerprint)]
        : [own("without a password")];
  return {
    kind: "login",
    what: isLetIn ? LET_IN : "login refused",
    tone: isLetIn ? "strong" : "plain",
    parts: [foreign(texts.username ?? ""), ...secret],
    fields: {
      username: texts.username,
      password: texts.password ?? null,
      fingerprint: texts.fingerprint,
      success: isLetIn,
    },
  };
}

function describeCommand({ eventid, texts }: FoundEvent, { hasInput }: StepContext): Draft {
  const input = texts.input ?? "";
  if (eventid === "cowrie.command.failed" && hasInput) {
    return {
      kind: "command",
      what: "not found",
      tone: "quiet",
      parts: [foreign(input.trimEnd())],
      fields: { input, found: false },
    };
  }
  if (texts.realm !== undefined) {
    return {
      kind: "command",
      what: "input",
      tone: "quiet",
      parts: [own("to"), foreign(texts.realm), foreign(input)],
      fields: { realm: texts.realm, input },
    };
  }
  const isLine = eventid === "cowrie.command.input" || (!hasInput && eventid.startsWith("cowrie.command."));
  const found = eventid === "cowrie.command.failed" ? false : undefined;
  return {
    kind: "command",
    what: isLine ? (found === false ? "not found" : "command") : "input",
    purpose: purposeOf(input),
    parts: [foreign(input)],
    fields: { input, found, is_line: isLine },
  };
}

function describeFile({ texts }: FoundEvent, { verdicts }: StepContext, isUpload: boolean): Draft {
  const verdict = texts.shasum === undefined ? undefined : verdicts.get(texts.shasum);
  // Before 2.0 the URL of what came by a shell was "stdin" or a path.
  const isFetched = !isUpload && texts.url !== undefined && /^[a-z][a-z0-9+.-]*:/i.test(texts.url);
  const name = isUpload
    ? (texts.filename ?? texts.destfile ?? texts.url)
    : isFetched
      ? texts.url
      : texts.destfile || texts.url;
  const what = isUpload
    ? "upload"
    : isFetched
      ? "download"
      : name === undefined || name === "" || name === "stdin"
        ? "input kept"
        : "file written";
  return {
    kind: "file",
    what,
    tone: verdict !== undefined && verdict.positives > 0 ? "alarm" : "strong",
    parts: [
      ...(what === "input kept" || name === undefined ? [] : [foreign(name)]),
      // The verdict before the hash: a narrow terminal cuts the end.
      ...(texts.shasum === undefined
        ? [own("without a hash")]
        : [own(describeVerdict(verdict)), own("sha256"), foreign(texts.shasum)]),
    ],
    fields: {
      url: isFetched ? texts.url : undefined,
      filename: isFetched ? undefined : name,
      outfile: texts.outfile,
      shasum: texts.shasum,
      verdict: verdict === undefined ? null : { positives: verdict.positives, total: verdict.total },
      is_upload: isUpload,
    },
  };
}

function describeFailedDownload(event: FoundEvent): Draft {
  const { url } = event.texts;
  const error = extraOf(event).get("error");
  return {
    kind: "file",
    what: "download failed",
    parts: [foreign(url ?? ""), ...(typeof error === "string" ? [own("because"), foreign(error)] : [])],
    fields: { url, error: typeof error === "string" ? error : undefined },
  };
}

/** `VirusTotal 41/72`, or that nobody asked. */
export function describeVerdict(verdict: Verdict | undefined): string {
  return verdict === undefined ? "no verdict" : `VirusTotal ${verdict.positives}/${verdict.total}`;
}

/** Longer ids are cut where they stand for what happened; Cowrie's own have up to 36 characters. */
const EVENTID_LONGEST = 40;
/** Columns every event may have and that say nothing new in the story of one session. */
const SAID_ALREADY: ReadonlySet<string> = new Set(["eventid", "session", "sensor", "uuid", "protocol", "src_ip"]);

function describeOther(event: FoundEvent): Draft {
  const facts: [string, unknown][] = [
    ...Object.entries(event.texts).filter(([name]) => !SAID_ALREADY.has(name) && name !== "extra"),
    ...Object.entries(event.numbers).filter(([name]) => !/_port$/.test(name)),
    ...extraOf(event),
  ];
  const text = facts.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return {
    kind: event.eventid.startsWith("cowrie.telnet.") ? "client" : "other",
    what: clipEnd(event.eventid.replace(/^cowrie\./, ""), EVENTID_LONGEST),
    tone: "quiet",
    parts: text.length === 0 ? [] : [foreign(text.join(" "))],
    fields: { data: text.join(" ") },
  };
}

/** Keys of the event that have no column of their own. */
function extraOf({ texts: { extra } }: FoundEvent): Map<string, unknown> {
  if (extra === undefined) return new Map();
  try {
    return new Map(Object.entries(JSON.parse(extra) as object));
  } catch {
    // A table that somebody else wrote: its text is shown as it is.
    return new Map([["extra", extra]]);
  }
}

function toSize(event: FoundEvent): { columns: number; rows: number } | undefined {
  const extra = extraOf(event);
  const [width, height] = [extra.get("width"), extra.get("height")];
  if (typeof width !== "number" || typeof height !== "number") return undefined;
  return event.us < SIZES_RIGHT_US ? { columns: height, rows: width } : { columns: width, rows: height };
}

/** `203.0.113.7:22`, `[2001:db8::1]:22`. */
export function toEndpoint(address: string | undefined, port: number | undefined): string {
  const host =
    address === undefined ? "unknown" : address.includes(":") && port !== undefined ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}

/** A value and how often it was seen. */
export interface Tally<T> {
  readonly value: T;
  readonly count: number;
  /** In how many sessions. */
  readonly sessions: number;
}

/** Several sessions in short. */
export interface Summary {
  readonly sessions: number;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly days: number;
  readonly sensors: readonly string[];
  readonly addresses: readonly string[];
  readonly loginsTried: number;
  readonly loginsLetIn: number;
  /** By count falling, then in order of first sight; the same for what follows. */
  readonly credentials: readonly (Tally<Credential> & { readonly letIn: number })[];
  readonly commands: readonly Tally<string>[];
  readonly files: readonly Tally<FileSeen>[];
  readonly versions: readonly Tally<string>[];
  readonly hasshes: readonly Tally<string>[];
  readonly forwards: number;
}

/** @param stories At least one. */
export function summarize(stories: readonly Story[]): Summary {
  const credentials = tally(
    stories,
    story => story.logins,
    ({ username, password }) => JSON.stringify([username, password]),
  );
  const letIn = new Map<string, number>();
  for (const { logins } of stories) {
    for (const { username, password, isLetIn } of logins) {
      const key = JSON.stringify([username, password]);
      if (isLetIn) letIn.set(key, (letIn.get(key) ?? 0) + 1);
    }
  }
  const logins = stories.flatMap(story => story.logins);
  return {
    sessions: stories.length,
    firstUs: stories.reduce((least, { startUs }) => Math.min(least, startUs), Infinity),
    lastUs: stories.reduce((most, { endUs }) => Math.max(most, endUs), -Infinity),
    days: new Set(stories.map(dayOfStory)).size,
    sensors: [...new Set(stories.map(({ sensor }) => sensor))].sort(),
    addresses: [...new Set(stories.flatMap(({ address }) => (address === undefined ? [] : [address])))].sort(),
    loginsTried: logins.length,
    loginsLetIn: logins.filter(({ isLetIn }) => isLetIn).length,
    credentials: credentials.map(entry => ({
      ...entry,
      letIn: letIn.get(JSON.stringify([entry.value.username, entry.value.password])) ?? 0,
    })),
    commands: tally(
      stories,
      story => story.commands,
      text => text,
    ),
    files: tally(
      stories,
      story => story.files,
      ({ hash, name, isUpload }) => JSON.stringify([hash, name, isUpload]),
    ),
    versions: tally(
      stories,
      story => story.versions,
      text => text,
    ),
    hasshes: tally(
      stories,
      story => story.hasshes,
      text => text,
    ),
    forwards: stories.reduce((sum, story) => sum + story.forwards, 0),
  };
}

function tally<T>(
  stories: readonly Story[],
  pick: (story: Story) => readonly T[],
  key: (value: T) => string,
): Tally<T>[] {
  const tallies = new Map<string, { value: T; count: number; sessions: number; last: number }>();
  stories.forEach((story, i) => {
    for (const value of pick(story)) {
      const id = key(value);
      const known = tallies.get(id) ?? { value, count: 0, sessions: 0, last: -1 };
      known.count++;
      if (known.last !== i) known.sessions++;
      known.last = i;
      tallies.set(id, known);
    }
  });
  return [...tallies.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ value, count, sessions }) => ({ value, count, sessions }));
}

/** A session for programs; times as ISO 8601, offsets and durations in seconds. */
export function storyToJson(story: Story): Record<string, unknown> {
  return {
    session: story.session,
    sensor: story.sensor,
    src_ip: story.address ?? null,
    src_port: story.port ?? null,
    dst_ip: story.targetAddress ?? null,
    dst_port: story.targetPort ?? null,
    protocol: story.protocol ?? null,
    protocol_derived: story.isProtocolDerived,
    start: toIsoInstant(story.startUs),
    end: toIsoInstant(story.endUs),
    has_start: story.hasStart,
    has_end: story.hasEnd,
    duration_sec: story.durationSec,
    duration_derived: story.isDurationDerived,
    versions: story.versions,
    hassh: story.hasshes,
    events: story.events,
    steps: story.steps.map(step => ({
      offset_sec: (step.us - story.startUs) / 1e6,
      time: toIsoInstant(step.us),
      eventid: step.eventid,
      ...(step.repeats > 1 ? { repeats: step.repeats, last_time: toIsoInstant(step.lastUs) } : {}),
      ...(step.purpose === undefined ? {} : { purpose: step.purpose }),
      ...step.fields,
    })),
  };
}

/** The summary for programs. */
export function summaryToJson(summary: Summary): Record<string, unknown> {
  return {
    sessions: summary.sessions,
    first_seen: toIsoInstant(summary.firstUs),
    last_seen: toIsoInstant(summary.lastUs),
    days: summary.days,
    sensors: summary.sensors,
    addresses: summary.addresses,
    logins: { tried: summary.loginsTried, let_in: summary.loginsLetIn },
    credentials: summary.credentials.map(({ value: { username, password }, count, letIn }) => ({
      username,
      password,
      count,
      success: letIn,
    })),
    commands: summary.commands.map(({ value: input, count, sessions }) => ({ input, count, sessions })),
    files: summary.files.map(({ value: { hash, name, isUpload, verdict }, count }) => ({
      shasum: hash,
      name,
      is_upload: isUpload,
      verdict: verdict === undefined ? null : { positives: verdict.positives, total: verdict.total },
      count,
    })),
    versions: summary.versions.map(({ value: version, sessions }) => ({ version, sessions })),
    hassh: summary.hasshes.map(({ value: hassh, sessions }) => ({ hassh, sessions })),
    forwards: summary.forwards,
  };
}
