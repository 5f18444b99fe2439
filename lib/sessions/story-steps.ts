/**
 * Events in words: one step of a session's story each, equal ones in a row counted.
 *
 * Attacker text is kept apart from our words in every step, so that whoever shows it knows what to escape and what to
 * mark; nothing here is escaped.
 */
import { Extra } from "../events/extra.ts";
import type { FoundEvent } from "./event-search.ts";
import { formatBytes, formatDuration } from "../text/format.ts";
import { clipEnd } from "../text/cut.ts";
import { purposeOf } from "../text/purpose.ts";
import type { Purpose } from "../text/purpose-names.ts";
import type { Verdict } from "../reduced/verdicts.ts";

export type StepKind =
  "connection" | "client" | "login" | "command" | "file" | "forward" | "terminal" | "end" | "other";

/** How a step is to be read: what matters, what is bad news, what is by the way. */
export type Tone = "plain" | "strong" | "alarm" | "quiet";

/** A piece of a step's text; foreign ones were written by whoever attacked. */
export interface StepPart {
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
  readonly parts: readonly StepPart[];
  /** Of a command. */
  readonly purpose?: Purpose;
  /** How many equal steps in a row this stands for; the last at `lastUs`. */
  readonly repeats: number;
  readonly lastUs: number;
  /** For programs: what was told, under names of ours. */
  readonly fields: Readonly<Record<string, FieldValue>>;
}

export type FieldValue = string | number | boolean | null | { readonly positives: number; readonly total: number };

/** 2019-03-14: before it, width and height of a terminal were swapped. */
const SIZES_RIGHT_US = Date.UTC(2019, 2, 14) * 1000;

/** Add a step, or count it to the one before if it says the same, or tells what became of it. */
export function addStep(steps: Step[], step: Step): void {
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

export const LET_IN = "login accepted";

const own = (text: string): StepPart => ({ text, isForeign: false });

const foreign = (text: string): StepPart => ({ text, isForeign: true });

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
export function toStep(event: FoundEvent, context: StepContext): Step {
  // Written out, not spread: of ten thousand sessions this is what takes the time.
  const { kind, what, parts, tone = "plain", fields, purpose } = describe(event, context);
  const { us, eventid } = event;
  const kept: Record<string, FieldValue> = {};
  for (const name in fields) if (fields[name] !== undefined) kept[name] = fields[name];
  const step = { us, eventid, tone, kind, what, parts, repeats: 1, lastUs: us, fields: kept };
  return purpose === undefined ? step : { ...step, purpose };
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
      const extra = new Extra(event.texts.extra);
      const [name, value] = [extra.shown("name") ?? "", extra.shown("value") ?? ""];
      return {
        kind: "terminal",
        what: "variable",
        tone: "quiet",
        parts: [foreign(name), own("="), foreign(value)],
        fields: { name, value },
      };
    }
    case "cowrie.session.params": {
      const arch = new Extra(event.texts.extra).shown("arch") ?? "";
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
        fields: {
          ttylog: texts.ttylog,
          size_bytes: numbers.size,
          duration_sec: numbers.duration,
          duplicate: new Extra(texts.extra).all.get("duplicate") === true ? true : undefined,
        },
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
  const error = new Extra(event.texts.extra).text("error");
  return {
    kind: "file",
    what: "download failed",
    parts: [foreign(url ?? ""), ...(error === undefined ? [] : [own("because"), foreign(error)])],
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
    ...new Extra(event.texts.extra).all,
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

function toSize(event: FoundEvent): { columns: number; rows: number } | undefined {
  const extra = new Extra(event.texts.extra);
  const [width, height] = [extra.number("width"), extra.number("height")];
  if (width === undefined || height === undefined) return undefined;
  return event.us < SIZES_RIGHT_US ? { columns: height, rows: width } : { columns: width, rows: height };
}

/** `203.0.113.7:22`, `[2001:db8::1]:22`. */
export function toEndpoint(address: string | undefined, port: number | undefined): string {
  const host =
    address === undefined ? "unknown" : address.includes(":") && port !== undefined ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}
