/**
 * One line of a log to the events it holds, by JSON.parse; mends what can be mended.
 *
 * This is the plain path: what it returns is the meaning of a line, whoever else reads it faster.
 */
import { parseTimestampUs } from "../text/time.ts";

export type JsonObject = { readonly [key: string]: unknown };

export interface Records {
  readonly events: readonly JsonObject[];
  /** False if the line needed help: NUL bytes, another text before the object, a torn object, a wrapper. */
  readonly sound: boolean;
  /** Records that gave no event: 1 for a line that is lost, or the elements of an array that are no events. */
  readonly rejected: number;
}

const BLANK: Records = { events: [], sound: true, rejected: 0 };
const REJECTED: Records = { events: [], sound: true, rejected: 1 };

/** Work put into a damaged line, in passes over its length; garbage must not cost the square of its size. */
const RECOVERY_PASSES_MAX = 64;

/** An object nested deeper is no event: writing it as JSON again would end in an overflow of the stack. */
const NESTING_MAX = 256;

/**
 * Read the events of a line.
 *
 * @param line Text without its LF.
 * @param first Whether it opens the file, where a byte order mark may stand.
 */
export function readRecords(line: string, first = false): Records {
  const text = first && line.startsWith("\uFEFF") ? line.slice(1) : line;
  if (text.startsWith("\0")) {
    // Left by a log that was truncated under its writer: the line behind it is read like any other, but it had help.
    const { events, rejected } = readRecords(text.replace(/^\0+/, ""));
    return { events, sound: events.length === 0, rejected };
  }
  if (/^[\0 \t\r]*$/.test(text)) return BLANK;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON as it stands: the rest of this function is about that.
    const events = recoverEvents(text);
    return events.length > 0 ? { events, sound: false, rejected: 0 } : REJECTED;
  }
  if (Array.isArray(value)) {
    const events = value.filter(isEvent);
    return { events, sound: true, rejected: value.length === 0 ? 1 : value.length - events.length };
  }
  if (isEvent(value)) return { events: [value], sound: true, rejected: 0 };
  const inner = unwrap(value);
  return inner === undefined ? REJECTED : { events: [inner], sound: false, rejected: 0 };
}

/** Tell whether a line parses, be it to an event or not. */
export function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    // The answer, not an error.
    return false;
  }
}

/** An object with a text `eventid` and a readable `timestamp`, and not nested beyond all measure. */
function isEvent(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null) return false;
  const { eventid, timestamp } = value as JsonObject;
  if (typeof eventid !== "string" || typeof timestamp !== "string") return false;
  return !Number.isNaN(parseTimestampUs(timestamp)) && !isDeeper(value, NESTING_MAX);
}

/** Tell whether objects and arrays are nested in each other more than `levels` deep. */
function isDeeper(value: object, levels: number): boolean {
  if (levels === 0) return true;
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null && isDeeper(inner, levels - 1)) return true;
  }
  return false;
}

/** The event in a line of Docker's json-file driver: `{"log":"…\n","stream":"stdout","time":"…"}`. */
function unwrap(value: unknown): JsonObject | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { log } = value as JsonObject;
  if (typeof log !== "string") return undefined;
  try {
    const inner: unknown = JSON.parse(log);
    return isEvent(inner) ? inner : undefined;
  } catch {
    // The container wrote another line of text.
    return undefined;
  }
}

/**
 * The whole objects in a text that is no JSON: behind NUL bytes or a syslog prefix, behind a torn object, glued.
 *
 * Every `{` with a `"` behind it may start an object. In a sound line an attacker's text cannot hold one: its quotes
 * are escaped.
 */
function recoverEvents(text: string): JsonObject[] {
  const events: JsonObject[] = [];
  const start = /\{[ \t\r]*"/g;
  let work = RECOVERY_PASSES_MAX * text.length;
  for (let match = start.exec(text); match !== null && work > 0; match = start.exec(text)) {
    const end = objectEnd(text, match.index);
    work -= (end < 0 ? text.length : end) - match.index;
    // Where no object starts, go on right behind this brace: the next one may be the whole object's.
    start.lastIndex = match.index + 1;
    if (end < 0) continue;
    let value: unknown;
    try {
      value = JSON.parse(text.slice(match.index, end));
    } catch {
      // Braces that match round something that is no JSON.
      continue;
    }
    if (!isEvent(value)) continue;
    events.push(value);
    start.lastIndex = end;
  }
  return events;
}

/** Where the object that starts at `at` ends, by its braces outside of strings; -1 if it does not. */
function objectEnd(text: string, at: number): number {
  let depth = 0;
  let inString = false;
  for (let i = at; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === 0x5c) i++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) {
      inString = true;
    } else if (char === 0x7b) {
      depth++;
    } else if (char === 0x7d && --depth === 0) {
      return i + 1;
    }
  }
  return -1;
}
