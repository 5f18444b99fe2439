/** Sessions as stories: the events of each in order, with what they lack derived from one another. */
import { type FoundEvent, type Found, sessionKey } from "./event-search.ts";
import { toIsoInstant } from "../text/format.ts";
import type { Verdict } from "../reduced/verdicts.ts";
import { dayOf } from "../text/time.ts";
import { techniquesOf } from "../text/techniques.ts";
import { compareText } from "../text/text.ts";
import { type Origin, originToJson } from "../origin/origins.ts";
import { addStep, LET_IN, type Step, toStep } from "./story-steps.ts";

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
  /** Where the address comes from; only where databases were named. */
  readonly origin?: Origin;
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
export const REACHES = ["file", "command", "letin", "refused", "connect"] as const;
export type Reach = (typeof REACHES)[number];

export function reachOf(story: Story): Reach {
  if (story.files.length > 0) return "file";
  if (story.commands.length > 0) return "command";
  if (story.logins.some(({ isLetIn }) => isLetIn)) return "letin";
  return story.logins.length > 0 ? "refused" : "connect";
}

/** Old downloads were logged by two routes, a moment apart. */
const TWIN_US = 1_000_000;
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
  return dayOf(startUs);
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

/** What the events of a session say of all of it, in one walk. */
function collectFacts(events: readonly FoundEvent[]) {
  let connect: FoundEvent | undefined;
  let closed: FoundEvent | undefined;
  let address: string | undefined;
  let protocol: string | undefined;
  let hasInput = false;
  let forwards = 0;
  const recordings = new Set<string | undefined>();
  const versions = new Set<string>();
  const hasshes = new Set<string>();
  for (const event of events) {
    const { eventid, texts } = event;
    address ??= texts.src_ip;
    if (texts.protocol === "ssh" || texts.protocol === "telnet") protocol ??= texts.protocol;
    switch (eventid) {
      case "cowrie.session.connect":
        connect ??= event;
        break;
      case "cowrie.session.closed":
        closed = event;
        break;
      case "cowrie.command.input":
        hasInput ||= texts.realm === undefined;
        break;
      case "cowrie.log.closed":
        recordings.add(texts.ttylog);
        break;
      case "cowrie.client.version":
        if (texts.version) versions.add(texts.version);
        break;
      case "cowrie.client.kex":
        if (texts.hassh) hasshes.add(texts.hassh);
        break;
      case "cowrie.direct-tcpip.request":
        forwards++;
    }
  }
  return { connect, closed, address, protocol, hasInput, forwards, recordings, versions: [...versions], hasshes: [...hasshes] };
}

function buildStory(events: readonly FoundEvent[], verdicts: ReadonlyMap<string, Verdict>): Story {
  const first = events[0]!;
  const { connect, closed, address, protocol: told, hasInput, forwards, recordings, versions, hasshes } = collectFacts(events);
  const protocol = told ?? deriveProtocol(events);
  const startUs = connect?.us ?? first.us;
  const endUs = closed?.us ?? events.at(-1)!.us;
  const toldSec = closed?.numbers.duration;
  const steps: Step[] = [];
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
    address: connect?.texts.src_ip ?? address,
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
    versions,
    hasshes,
    ...collectDeeds(steps, verdicts),
    forwards,
    events: events.length,
    steps: steps.map(step => (step.fields.is_line === undefined ? step : withoutFlag(step))),
  };
}

/** `is_line` tells a line from what failed in it, and is of no use outside. */
function withoutFlag(step: Step): Step {
  const { is_line: _, ...fields } = step.fields;
  return { ...step, fields };
}

/** Logins, commands and files of a session, repeated ones as often as they came. */
function collectDeeds(steps: readonly Step[], verdicts: ReadonlyMap<string, Verdict>): Pick<Story, "logins" | "commands" | "files"> {
  const logins: Credential[] = [];
  const commands: string[] = [];
  const files: FileSeen[] = [];
  const add = <T>(all: T[], one: T, repeats: number) => {
    for (let i = 0; i < repeats; i++) all.push(one);
  };
  for (const { kind, fields, what, repeats } of steps) {
    const { username, password, input, shasum, url, filename } = fields;
    if (kind === "login" && typeof fields.success === "boolean") {
      const login = {
        username: typeof username === "string" ? username : "",
        password: typeof password === "string" ? password : null,
        isLetIn: what === LET_IN,
      };
      add(logins, login, repeats);
    } else if (kind === "command" && typeof input === "string" && fields.is_line === true) {
      add(commands, input, repeats);
    } else if (kind === "file" && typeof shasum === "string") {
      const name = typeof url === "string" ? url : typeof filename === "string" ? filename : "";
      add(files, { hash: shasum, name, isUpload: fields.is_upload === true, verdict: verdicts.get(shasum) }, repeats);
    }
  }
  return { logins, commands, files };
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

/** A session for programs; times as ISO 8601, offsets and durations in seconds. */
export function storyToJson(story: Story): Record<string, unknown> {
  return {
    session: story.session,
    sensor: story.sensor,
    src_ip: story.address ?? null,
    src_port: story.port ?? null,
    ...(story.origin && originToJson(story.origin)),
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
      ...(step.purpose === undefined ? {} : { purpose: step.purpose, techniques: techniquesOf(String(step.fields.input)) }),
      ...step.fields,
    })),
  };
}
