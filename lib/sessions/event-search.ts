/**
 * Events of chosen sessions out of many event tables: tables whose dictionary does not hold what is looked for are
 * passed over without decoding a column.
 */
import type { OriginSource } from "../origin/origins.ts";
import { type Texts, allTexts, textOf } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import type { LogSet } from "../logs/log-set.ts";
import type { EventScope } from "../events/scope.ts";
import { type TablePlace, tablesOf } from "../logs/walk-tables.ts";
import type { Verdict } from "../reduced/verdicts.ts";
import { NUMBER_COLUMN_NAMES, type NumberColumn, TEXT_COLUMNS, type TextColumn } from "../events/schema.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";
import { dayOf } from "../text/time.ts";

/** One event as it stands in its table. */
export interface FoundEvent {
  /** Microseconds since 1970-01-01 UTC. */
  readonly us: number;
  readonly eventid: string;
  readonly session: string;
  /** After aliases. */
  readonly sensor: string;
  /** Columns that have a value. */
  readonly texts: Readonly<Partial<Record<TextColumn, string>>>;
  readonly numbers: Readonly<Partial<Record<NumberColumn, number>>>;
}

/** Which sensors are searched. */
export type SearchScope = Pick<EventScope, "sensors" | "sensorAliases">;

export interface Found {
  /** Of one session after the other in no order; within a session in input order. */
  readonly events: readonly FoundEvent[];
  /** VirusTotal's latest verdict per hash, over all tables. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/** How a session is told apart from others. */
export function sessionKey(sensor: string, session: string): string {
  // A session id of an attacker's making cannot hold the separator: ids are hexadecimal, and NUL sorts first.
  return `${sensor}\u0000${session}`;
}

/** An id that begins as a text does, in whatever case: what was meant by an id that was copied in part. */
export async function findLongerSession(set: LogSet, text: string): Promise<string | undefined> {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return undefined;
  for (const place of tablesOf(set)) {
    let found: string | undefined;
    await place.walk(async table => {
      for await (const _ of table.batches()) break;
      const texts = table.dictionaries.get("session");
      if (texts !== undefined) found = allTexts(texts).find(id => id.toLowerCase().startsWith(wanted));
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** All events of the sessions with one of some ids, on every sensor that has it. */
export async function findSessions(
  set: LogSet,
  sessions: readonly string[],
  scope: SearchScope = {},
): Promise<Found> {
  const collector = new Collector(scope);
  for (const place of tablesOf(set)) {
    await place.walk(async table => {
      let codes: Set<number> | undefined;
      for await (const batch of table.batches()) {
        codes ??= new Set(sessions.map(id => codeOf(table.dictionaries.get("session"), id)).filter(code => code >= 0));
        if (!collector.addVerdicts(table, batch) && codes.size === 0) break;
        if (codes.size > 0) collector.addSessions(table, batch, codes);
      }
    });
  }
  return collector.found();
}

/**
 * All events of the sessions that have one event from a matching address, also those events that tell no address.
 *
 * Two passes: which sessions, then their events. Only tables that hold one of them are opened twice.
 */
export async function findAddress(
  set: LogSet,
  matches: (address: string) => boolean,
  scope: SearchScope = {},
): Promise<Found> {
  const collector = new Collector(scope);
  const wanted = new Set<string>();
  const visited: { place: TablePlace; sessions: Texts }[] = [];
  for (const place of tablesOf(set)) {
    await place.walk(async table => {
      let addresses: Set<number> | undefined;
      for await (const batch of table.batches()) {
        const { dictionaries } = table;
        const sessions = dictionaries.get("session");
        if (addresses === undefined) {
          addresses = matchingCodes(dictionaries.get("src_ip"), matches);
          if (sessions !== undefined) visited.push({ place, sessions });
        }
        if (!collector.addVerdicts(table, batch) && addresses.size === 0) break;
        if (addresses.size === 0 || sessions === undefined) continue;
        const address = batch.codes.get("src_ip");
        const session = batch.codes.get("session");
        if (address === undefined || session === undefined) continue;
        const codes = new Set<number>();
        for (let row = 0; row < batch.rows; row++) if (addresses.has(address[row]!) && session[row]! >= 0) codes.add(session[row]!);
        for (const code of codes) wanted.add(textOf(sessions, code));
      }
    });
  }
  if (wanted.size === 0) return collector.found();
  for (const { place, sessions } of visited) {
    const codes = matchingCodes(sessions, text => wanted.has(text));
    if (codes.size === 0) continue;
    await place.walk(async table => {
      for await (const batch of table.batches()) collector.addSessions(table, batch, codes);
    });
  }
  return collector.found();
}

/** Code of a text, by its bytes; -1 if the dictionary does not hold it. */
export function codeOf(texts: Texts | undefined, text: string): number {
  if (texts === undefined) return -1;
  const { size, arena, offsets } = texts;
  const bytes = Buffer.from(text);
  const all = Buffer.from(arena.buffer, arena.byteOffset, offsets[size]!);
  if (bytes.length === 0) {
    for (let code = 0; code < size; code++) if (offsets[code] === offsets[code + 1]) return code;
    return -1;
  }
  for (let at = all.indexOf(bytes); at >= 0; at = all.indexOf(bytes, at + 1)) {
    // The last code that starts at or before the hit.
    let low = 0;
    let high = size - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (offsets[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    if (offsets[low] === at && offsets[low + 1] === at + bytes.length) return low;
  }
  return -1;
}

/** Codes whose text matches. */
export function matchingCodes(texts: Texts | undefined, matches: (text: string) => boolean): Set<number> {
  const codes = new Set<number>();
  if (texts === undefined) return codes;
  allTexts(texts).forEach((text, code) => {
    if (matches(text)) codes.add(code);
  });
  return codes;
}

const SCAN_ID = "cowrie.virustotal.scanfile";

class Collector {
  readonly #events: FoundEvent[] = [];
  readonly #verdicts = new Map<string, Verdict & { readonly us: number }>();
  readonly #known = new WeakMap<Texts, Map<number, string>>();
  readonly #pickSensor: (sensor: string) => string | undefined;

  constructor(scope: SearchScope) {
    this.#pickSensor = sensorPicker(scope);
  }

  /** Texts by code as far as they were read: the events of one session, and of one address, have most of them in common. */
  #knownOf(texts: Texts): Map<number, string> {
    let known = this.#known.get(texts);
    if (known === undefined) this.#known.set(texts, (known = new Map()));
    return known;
  }

  found(): Found {
    return { events: this.#events, verdicts: this.#verdicts };
  }

  /**
   * Note the verdicts of a batch.
   *
   * @returns Whether the table has any, so that its other batches want to be seen.
   */
  addVerdicts({ dictionaries }: EventTable, batch: EventBatch): boolean {
    const scan = codeOf(dictionaries.get("eventid"), SCAN_ID);
    if (scan < 0) return false;
    const eventid = batch.codes.get("eventid")!;
    if (!eventid.includes(scan)) return true;
    const shasum = batch.codes.get("shasum");
    const positives = batch.numbers.get("positives");
    const total = batch.numbers.get("total");
    if (shasum === undefined || positives === undefined || total === undefined) return true;
    for (let row = eventid.indexOf(scan); row >= 0; row = eventid.indexOf(scan, row + 1)) {
      if (shasum[row]! < 0 || Number.isNaN(positives[row]!) || Number.isNaN(total[row]!)) continue;
      const hash = textOf(dictionaries.get("shasum")!, shasum[row]!);
      const verdict = { us: batch.timestampUs[row]!, positives: positives[row]!, total: total[row]! };
      const known = this.#verdicts.get(hash);
      const order =
        known === undefined
          ? 1
          : verdict.us - known.us || verdict.positives - known.positives || verdict.total - known.total;
      if (order > 0) this.#verdicts.set(hash, verdict);
    }
    return true;
  }

  /** Take the events of some sessions out of a batch. */
  addSessions({ dictionaries }: EventTable, batch: EventBatch, sessions: ReadonlySet<number>): void {
    const session = batch.codes.get("session");
    if (session === undefined) return;
    const rows: number[] = [];
    for (let row = 0; row < batch.rows; row++) if (sessions.has(session[row]!)) rows.push(row);
    if (rows.length === 0) return;
    const codes = TEXT_COLUMNS.flatMap(name => {
      const texts = dictionaries.get(name);
      const column = texts && batch.codes.get(name);
      return column === undefined ? [] : [{ name, column, texts: texts!, known: this.#knownOf(texts!) }];
    });
    const numbers = NUMBER_COLUMN_NAMES.flatMap(name => {
      const column = batch.numbers.get(name);
      return column === undefined ? [] : [{ name, column }];
    });
    for (const row of rows) {
      const own: Partial<Record<TextColumn, string>> = {};
      for (const { name, column, known, texts } of codes) {
        const code = column[row]!;
        if (code < 0) continue;
        let text = known.get(code);
        if (text === undefined) known.set(code, (text = textOf(texts, code)));
        own[name] = text;
      }
      const sensor = this.#pickSensor(own.sensor ?? "");
      if (sensor === undefined) continue;
      const values: Partial<Record<NumberColumn, number>> = {};
      for (const { name, column } of numbers) if (!Number.isNaN(column[row]!)) values[name] = column[row]!;
      this.#events.push({
        us: batch.timestampUs[row]!,
        eventid: own.eventid!,
        session: own.session!,
        sensor,
        texts: own,
        numbers: values,
      });
    }
  }
}

/** How much was looked through. */
export interface Searched {
  readonly logs: number;
  /** UTC days between the first and the last event of any log, each once. */
  readonly days: number;
  readonly firstUs: number | undefined;
  readonly lastUs: number | undefined;
  /** Databases that told where addresses come from. */
  readonly originSources?: readonly OriginSource[];
}

/** Count the logs of a set and the days they span. */
export function countSearched(set: LogSet): Searched {
  const spans = set.logs.flatMap(({ source: { firstSeenUs, lastSeenUs } }) =>
    firstSeenUs === undefined || lastSeenUs === undefined ? [] : [[firstSeenUs, lastSeenUs] as const],
  );
  spans.sort((a, b) => a[0] - b[0]);
  let days = 0;
  let next = -Infinity;
  for (const [first, last] of spans) {
    const start = Math.max(next, dayOf(first));
    const end = dayOf(last) + 1;
    if (end <= start) continue;
    days += end - start;
    next = end;
  }
  return {
    logs: set.logs.length,
    days,
    firstUs: spans[0]?.[0],
    lastUs: spans.length === 0 ? undefined : Math.max(...spans.map(([, last]) => last)),
  };
}
