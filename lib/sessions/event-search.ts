/**
 * Events of chosen sessions out of many event tables: tables whose dictionary does not hold what is looked for are
 * passed over without decoding a column.
 */
import type { OriginSource } from "../origin/origins.ts";
import { allTexts, Dictionary, type Texts, textOf } from "../columns/dictionary.ts";
import { type EventBatch, type EventTable, pickRows } from "../events/event-table.ts";
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
      let codes: CodeFlags | undefined;
      for await (const batch of table.batches()) {
        if (codes === undefined) {
          const texts = table.dictionaries.get("session");
          const wanted = new Set(sessions.map(id => codeOf(texts, id)));
          codes = flagCodes(texts, code => wanted.has(code));
        }
        if (!collector.addVerdicts(table, batch) && codes.count === 0) break;
        if (codes.count > 0) collector.addSessions(table, batch, codes);
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
  const wanted = new Dictionary();
  const visited: { place: TablePlace; sessions: Texts | undefined }[] = [];
  let keptBytes = 0;
  for (const place of tablesOf(set)) {
    await place.walk(async table => {
      const { dictionaries } = table;
      let addresses: CodeFlags | undefined;
      let sessions: Texts | undefined;
      let isSeen = new Uint8Array(0);
      for await (const batch of table.batches()) {
        if (addresses === undefined) {
          addresses = matchingCodes(dictionaries.get("src_ip"), matches);
          sessions = dictionaries.get("session");
          if (sessions === undefined) break;
          isSeen = new Uint8Array(sessions.size);
          keptBytes += sessions.arena.length + 4 * sessions.size;
          visited.push({ place, sessions: keptBytes > KEPT_MAX_BYTES ? undefined : copyTexts(sessions) });
        }
        if (!collector.addVerdicts(table, batch) && addresses.count === 0) break;
        if (addresses.count > 0) noteSessions(batch, addresses, isSeen);
      }
      for (let code = 0; code < isSeen.length; code++) {
        if (isSeen[code] === 1) wanted.intern(sessions!.arena, sessions!.offsets[code]!, sessions!.offsets[code + 1]!);
      }
    });
  }
  if (wanted.size === 0) return collector.found();
  const flagWanted = (texts: Texts | undefined) =>
    flagCodes(texts, code => wanted.find(texts!.arena, texts!.offsets[code]!, texts!.offsets[code + 1]!) >= 0);
  for (const { place, sessions } of visited) {
    let codes = sessions && flagWanted(sessions);
    if (codes?.count === 0) continue;
    await place.walk(async table => {
      for await (const batch of table.batches()) {
        codes ??= flagWanted(table.dictionaries.get("session"));
        if (codes.count === 0) break;
        collector.addSessions(table, batch, codes);
      }
    });
  }
  return collector.found();
}

/** Session ids kept between the two passes; those of further tables are read twice. */
const KEPT_MAX_BYTES = 64 << 20;

/** Away from the bytes of their table, which would be kept with them. */
function copyTexts({ size, arena, offsets }: Texts): Texts {
  return { size, arena: arena.slice(), offsets: offsets.slice() };
}

/** Note which sessions have an event from one of the addresses. */
function noteSessions(batch: EventBatch, addresses: CodeFlags, isSeen: Uint8Array): void {
  const { flags } = addresses;
  const address = batch.codes.get("src_ip");
  const session = batch.codes.get("session");
  if (address === undefined || session === undefined) return;
  for (let row = 0; row < batch.rows; row++) {
    if (flags[address[row]! + 1] === 1 && session[row]! >= 0) isSeen[session[row]!] = 1;
  }
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

/** Some codes of a dictionary. */
export interface CodeFlags {
  /** `flags[code + 1]` = 1 for each of them; so no text, -1, is none. */
  readonly flags: Uint8Array;
  readonly count: number;
}

/** Codes whose text matches. */
export function matchingCodes(texts: Texts | undefined, matches: (text: string) => boolean): CodeFlags {
  const all = texts === undefined ? [] : allTexts(texts);
  return flagCodes(texts, code => matches(all[code]!));
}

function flagCodes(texts: Texts | undefined, isWanted: (code: number) => boolean): CodeFlags {
  const size = texts?.size ?? 0;
  const flags = new Uint8Array(size + 1);
  let count = 0;
  for (let code = 0; code < size; code++) {
    if (!isWanted(code)) continue;
    flags[code + 1] = 1;
    count++;
  }
  return { flags, count };
}

/** Rows whose code is flagged. */
function flaggedRows(codes: Int32Array, { flags }: CodeFlags): Int32Array {
  let count = 0;
  for (let row = 0; row < codes.length; row++) count += flags[codes[row]! + 1]!;
  const rows = new Int32Array(count);
  if (count > 0) for (let row = 0, i = 0; row < codes.length; row++) if (flags[codes[row]! + 1] === 1) rows[i++] = row;
  return rows;
}

const SCAN_ID = "cowrie.virustotal.scanfile";

class Collector {
  readonly #events: FoundEvent[] = [];
  readonly #verdicts = new Map<string, Verdict & { readonly us: number }>();
  readonly #known = new WeakMap<Texts, (string | undefined)[]>();
  readonly #pickSensor: (sensor: string) => string | undefined;

  constructor(scope: SearchScope) {
    this.#pickSensor = sensorPicker(scope);
  }

  /** Texts by code as far as they were read: the events of one session, and of one address, have most of them in common. */
  #knownOf(texts: Texts): (string | undefined)[] {
    let known = this.#known.get(texts);
    if (known === undefined) this.#known.set(texts, (known = []));
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
    const found: number[] = [];
    for (let row = eventid.indexOf(scan); row >= 0; row = eventid.indexOf(scan, row + 1)) found.push(row);
    const { rows, timestampUs, codes, numbers } = pickRows(batch, Int32Array.from(found));
    const shasum = codes.get("shasum");
    const positives = numbers.get("positives");
    const total = numbers.get("total");
    if (shasum === undefined || positives === undefined || total === undefined) return true;
    for (let row = 0; row < rows; row++) {
      if (shasum[row]! < 0 || Number.isNaN(positives[row]!) || Number.isNaN(total[row]!)) continue;
      const hash = textOf(dictionaries.get("shasum")!, shasum[row]!);
      const verdict = { us: timestampUs[row]!, positives: positives[row]!, total: total[row]! };
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
  addSessions({ dictionaries }: EventTable, whole: EventBatch, sessions: CodeFlags): void {
    const session = whole.codes.get("session");
    const wanted = session && flaggedRows(session, sessions);
    if (wanted === undefined || wanted.length === 0) return;
    const batch = pickRows(whole, wanted);
    const { rows, timestampUs } = batch;
    const codes = TEXT_COLUMNS.flatMap(name => {
      const texts = dictionaries.get(name);
      const column = texts && batch.codes.get(name);
      return column === undefined ? [] : [{ name, column, texts: texts!, known: this.#knownOf(texts!) }];
    });
    const numbers = NUMBER_COLUMN_NAMES.flatMap(name => {
      const column = batch.numbers.get(name);
      return column === undefined ? [] : [{ name, column }];
    });
    for (let row = 0; row < rows; row++) {
      const own: Partial<Record<TextColumn, string>> = {};
      for (const { name, column, known, texts } of codes) {
        const code = column[row]!;
        if (code < 0) continue;
        own[name] = known[code] ??= textOf(texts, code);
      }
      const sensor = this.#pickSensor(own.sensor ?? "");
      if (sensor === undefined) continue;
      const values: Partial<Record<NumberColumn, number>> = {};
      for (const { name, column } of numbers) if (!Number.isNaN(column[row]!)) values[name] = column[row]!;
      this.#events.push({
        us: timestampUs[row]!,
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
