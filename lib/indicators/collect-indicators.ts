/**
 * Indicators out of event tables: every value that tells an attacker, with how, when and where it was seen.
 *
 * Work is done per distinct value of the logs: URLs of a command are looked for once, however often it was typed.
 */
import { textOf } from "../columns/dictionary.ts";
import { take } from "../columns/group.ts";
import { type EventColumn, openColumn } from "../events/event-columns.ts";
import { EventFilter } from "../events/event-filter.ts";
import { type EventBatch, type EventTable, pickRows } from "../events/event-table.ts";
import type { EventScope } from "../events/scope.ts";
import type { LogSet } from "../logs/log-set.ts";
import { openTables } from "../logs/walk-tables.ts";
import type { Origins } from "../origin/origins.ts";
import { addressBytes } from "../text/address.ts";
import { fetchedBy, toFetched } from "../text/command-urls.ts";
import { sshKeysOf } from "../text/masks.ts";
import { compareText } from "../text/text.ts";
import type { Indicator, IndicatorType } from "./indicator.ts";
import { INDICATOR_TYPE_NAMES } from "./indicator.ts";
import type { KeepOut, Reason } from "./keep-out.ts";
import type { SessionCampaigns } from "./session-campaigns.ts";
import { Sightings, type SightingTotals } from "./sightings.ts";

export interface CollectOptions {
  readonly types: readonly IndicatorType[];
  readonly scope: EventScope;
  readonly keepOut: KeepOut;
  /** Least sensors and hits of an indicator. */
  readonly minSensors: number;
  readonly minHits: number;
  readonly origins?: Origins | undefined;
  readonly campaigns?: SessionCampaigns | undefined;
}

export interface Collected {
  /** By type, then by hits falling, then by value. */
  readonly indicators: readonly Indicator[];
  /** Values that are none, by reason, most frequent first. */
  readonly keptOut: readonly (readonly [Reason, number])[];
  /** Values seen on too few sensors, or too seldom. */
  readonly below: number;
  /** The indicators of one day as if there were no other, for each day with any. */
  byDay(): Generator<{ readonly day: number; readonly indicators: readonly Indicator[] }>;
}

/** A value before it is known how often it was seen. */
interface Candidate {
  readonly type: IndicatorType;
  readonly value: string;
  readonly username?: string;
  readonly password?: string;
  /** Of a URL. */
  readonly host?: string;
}

/** Read the logs of a set. */
export async function collectIndicators(set: LogSet, options: CollectOptions): Promise<Collected> {
  const collector = new Collector(options);
  for await (const { table } of openTables(set)) {
    for await (const batch of table.batches()) collector.read(table, batch);
  }
  return collector.finish();
}

/** Ids of events, without "cowrie.", and the columns of each that hold indicators. */
const READ = {
  "session.file_download": ["url", "shasum"],
  "session.file_download.failed": ["url"],
  "session.file_upload": ["shasum"],
  "command.input": ["input"],
  "client.fingerprint": ["key"],
  "client.kex": ["hassh"],
} as const;
type ReadColumn = (typeof READ)[keyof typeof READ][number];
const CONNECT = "cowrie.session.connect";
const LOGINS = ["cowrie.login.success", "cowrie.login.failed"];
const NO_ADDRESS = -1;
const FORWARD = "cowrie.direct-tcpip.request";

/** Some events of a batch. */
interface Events {
  readonly table: EventTable;
  readonly batch: EventBatch;
  readonly rows: Int32Array;
}

/** Of the columns of few events no more is decoded. */
function pickEvents(table: EventTable, batch: EventBatch, rows: Int32Array): Events {
  return { table, batch: pickRows(batch, rows), rows: new Int32Array(rows.length).map((_, i) => i) };
}

function codesOf({ table, batch, rows }: Events, column: EventColumn): Int32Array {
  return column.read(table, batch, rows);
}

class Collector {
  readonly #options: CollectOptions;
  readonly #types: ReadonlySet<IndicatorType>;
  readonly #filter: EventFilter;
  readonly #candidates: Candidate[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #addresses = new Sightings(false);
  /** Of all other values. */
  readonly #sightings = new Sightings();
  readonly #columns: Readonly<Record<"eventid" | "sensor" | "session" | "src_ip" | "dst_ip" | "dst_port" | "realm" | "username" | "password" | "destfile" | ReadColumn, EventColumn>>;
  /** By column, `[code]` = the candidates in that text. */
  readonly #found = new Map<EventColumn, (readonly number[])[]>();
  /** By code of the source, {@link NO_ADDRESS} = it is none. */
  readonly #addressOf: number[] = [];
  /** Codes of the sensors' own addresses. */
  readonly #own = new Set<number>();
  /** Codes of the events that hold indicators. */
  readonly #idCodes: ReadonlyMap<string, number>;

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#types = new Set(options.types);
    this.#filter = new EventFilter([], options.scope);
    const names = ["eventid", "session", "src_ip", "dst_ip", "dst_port", "realm", "username", "password", "destfile", "url", "shasum", "input", "key", "hassh"] as const;
    this.#columns = {
      ...(Object.fromEntries(names.map(name => [name, openColumn(name)])) as Record<(typeof names)[number], EventColumn>),
      sensor: openColumn("sensor", options.scope.sensorAliases),
    };
    const ids = [CONNECT, ...Object.keys(READ).map(id => `cowrie.${id}`), ...LOGINS, FORWARD];
    this.#idCodes = new Map(ids.map(id => [id, this.#columns.eventid.values.internText(id)]));
  }

  read(table: EventTable, batch: EventBatch): void {
    const rows = this.#filter.select(table, batch);
    if (rows.length === 0) return;
    const places = this.#placesOf(this.#columns.eventid.read(table, batch, rows));
    const eventsOf = (id: string) => pickEvents(table, batch, take(rows, places[this.#idCodes.get(id)!]!));
    this.#takeOwn(eventsOf(CONNECT));
    if (this.#types.has("address")) this.#seeAddresses({ table, batch, rows }, places[this.#idCodes.get(CONNECT)!]!);
    for (const [id, names] of Object.entries(READ)) this.#readTexts(eventsOf(`cowrie.${id}`), id, names);
    if (this.#types.has("credential")) for (const id of LOGINS) this.#readPairs(eventsOf(id), "username", "password");
    if (this.#types.has("proxy")) this.#readPairs(eventsOf(FORWARD), "dst_ip", "dst_port");
  }

  /** The places of each event that holds indicators, by code of its id; in one pass, since most events are none of these. */
  #placesOf(ids: Int32Array): readonly Int32Array[] {
    const counts = new Int32Array(this.#columns.eventid.values.size);
    for (let i = 0; i < ids.length; i++) counts[ids[i]!]!++;
    const lists: Int32Array[] = [];
    for (const code of this.#idCodes.values()) lists[code] = new Int32Array(counts[code]!);
    const filled = counts.fill(0);
    for (let i = 0; i < ids.length; i++) {
      const list = lists[ids[i]!];
      if (list !== undefined) list[filled[ids[i]!]!++] = i;
    }
    return lists;
  }

  /** Addresses of sensors. */
  #takeOwn(events: Events): void {
    if (events.rows.length === 0) return;
    const { values } = this.#columns.dst_ip;
    for (const code of codesOf(events, this.#columns.dst_ip)) {
      if (code < 0 || this.#own.has(code)) continue;
      this.#own.add(code);
      this.#options.keepOut.addOwn(textOf(values, code));
    }
  }

  /**
   * Where events come from.
   *
   * @param connects Places of those that count.
   */
  #seeAddresses(events: Events, connects: Int32Array): void {
    const { sensor, session, src_ip } = this.#columns;
    const [sensors, sessions, sources] = [sensor, session, src_ip].map(column => codesOf(events, column)) as [Int32Array, Int32Array, Int32Array];
    const { batch: { timestampUs }, rows } = events;
    for (let i = 0, next = 0; i < rows.length; i++) {
      const isConnect = connects[next] === i;
      if (isConnect) next++;
      const source = sources[i]!;
      if (source < 0) continue;
      const value = (this.#addressOf[source] ??= this.#candidatesIn(src_ip, source, addressIn)[0] ?? NO_ADDRESS);
      if (value !== NO_ADDRESS) this.#addresses.add(value, sensors[i]!, sessions[i]!, source, timestampUs[rows[i]!]!, isConnect ? 1 : 0);
    }
  }

  /** What stands in columns of events of one id. */
  #readTexts(events: Events, id: string, names: readonly ReadColumn[]): void {
    if (events.rows.length === 0) return;
    // What was fed to a program is not typed, and names a realm.
    const realms = id === "command.input" ? codesOf(events, this.#columns.realm) : undefined;
    const isThrownAway = id === "session.file_download" ? this.#thrownAway(events) : undefined;
    const see = this.#seer(events);
    for (const name of names) {
      const column = this.#columns[name];
      const codes = codesOf(events, column);
      for (let i = 0; i < codes.length; i++) {
        if (codes[i]! < 0 || (realms !== undefined && realms[i]! >= 0) || isThrownAway?.(i)) continue;
        const candidates = this.#candidatesIn(column, codes[i]!, READERS[name]);
        for (let k = 0; k < candidates.length; k++) see(i, candidates[k]!);
      }
    }
  }

  /** Takes what an event shows. */
  #seer(events: Events): (i: number, value: number) => void {
    const { sensor, session, src_ip } = this.#columns;
    const [sensors, sessions, sources] = [sensor, session, src_ip].map(column => codesOf(events, column)) as [Int32Array, Int32Array, Int32Array];
    const { batch: { timestampUs }, rows } = events;
    return (i, value) => this.#sightings.add(value, sensors[i]!, sessions[i]!, sources[i]!, timestampUs[rows[i]!]!, 1);
  }

  /** What was written to nowhere is what a program said, no file that somebody brought; where to, 2018 called its URL. */
  #thrownAway(events: Events): (i: number) => boolean {
    const places = [this.#columns.url, this.#columns.destfile].map(column => ({
      codes: codesOf(events, column),
      nowhere: column.values.internText("/dev/null"),
    }));
    return i => places.some(({ codes, nowhere }) => codes[i] === nowhere);
  }

  #readPairs(events: Events, first: "username" | "dst_ip", second: "password" | "dst_port"): void {
    if (events.rows.length === 0) return;
    const [a, b] = [this.#columns[first], this.#columns[second]];
    const [firsts, seconds] = [codesOf(events, a), codesOf(events, b)];
    const see = this.#seer(events);
    for (let i = 0; i < firsts.length; i++) {
      if (firsts[i]! < 0 || seconds[i]! < 0) continue;
      const one = textOf(a.values, firsts[i]!);
      const two = textOf(b.values, seconds[i]!);
      const value = `${one}:${two}`;
      see(i, this.#number(first === "username" ? { type: "credential", value, username: one, password: two } : { type: "proxy", value }));
    }
  }

  /** The candidates in a text of a column, looked for once. */
  #candidatesIn(column: EventColumn, code: number, find: (text: string) => readonly Candidate[]): readonly number[] {
    let found = this.#found.get(column);
    if (found === undefined) this.#found.set(column, (found = []));
    return (found[code] ??= find(textOf(column.values, code))
      .filter(({ type }) => this.#types.has(type))
      .map(candidate => this.#number(candidate)));
  }

  #number(candidate: Candidate): number {
    const { type, username, value } = candidate;
    // A name may hold the colon that stands between it and the password.
    const key = `${type} ${username?.length ?? ""} ${value}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#candidates.push(candidate) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  finish(): Collected {
    const keptOut = new Map<Reason, number>();
    const isKept = Uint8Array.from(this.#candidates, candidate => {
      const reason = reasonAgainst(candidate, this.#options.keepOut);
      if (reason !== undefined) keptOut.set(reason, (keptOut.get(reason) ?? 0) + 1);
      return Number(reason === undefined);
    });
    const chosen = new Set<number>();
    let below = 0;
    const { minSensors, minHits } = this.#options;
    const indicators: Indicator[] = [];
    const isRow = this.#options.campaigns?.only === undefined ? undefined : this.#isOfCampaign();
    for (const totals of this.#totals(value => isKept[value] === 1, isRow)) {
      const indicator = this.#toIndicator(totals);
      if (indicator.sightings.length < minSensors || indicator.hits < minHits) {
        below++;
        continue;
      }
      chosen.add(totals.value);
      indicators.push(indicator);
    }
    const byDay = (day: number) => {
      const isOwn = (sensor: number, session: number, own: number) => own === day && (isRow?.(sensor, session) ?? true);
      return sortIndicators([...this.#totals(value => chosen.has(value), isOwn)].map(totals => this.#toIndicator(totals)));
    };
    const days = [...new Set([...this.#addresses.days(), ...this.#sightings.days()])].sort((a, b) => a - b);
    return {
      indicators: sortIndicators(indicators),
      keptOut: [...keptOut].sort((a, b) => b[1] - a[1]),
      below,
      *byDay() {
        for (const day of days) {
          const own = byDay(day);
          if (own.length > 0) yield { day, indicators: own };
        }
      },
    };
  }

  *#totals(...choice: Parameters<Sightings["totals"]>): Generator<SightingTotals> {
    yield* this.#addresses.totals(...choice);
    yield* this.#sightings.totals(...choice);
  }

  /** Whether a session is of a campaign that counts; each is asked for once. */
  #isOfCampaign(): (sensor: number, session: number) => boolean {
    const { only } = this.#options.campaigns!;
    const known = new Map<number, boolean>();
    return (sensor, session) => {
      const key = sensor * 2 ** 32 + session;
      let isOne = known.get(key);
      if (isOne === undefined) {
        const id = this.#campaignOf(sensor, session);
        known.set(key, (isOne = id !== undefined && only!.has(id)));
      }
      return isOne;
    };
  }

  #campaignOf(sensor: number, session: number): string | undefined {
    const { sensor: sensors, session: sessions } = this.#columns;
    return session < 0 ? undefined : this.#options.campaigns!.of(textOf(sensors.values, sensor), textOf(sessions.values, session));
  }

  #toIndicator({ value: number, firstUs, lastUs, days, sources, sessions, hits, lastSession, inSessions, bySensor }: SightingTotals): Indicator {
    const { type, value, username, password } = this.#candidates[number]!;
    const { sensor, session } = this.#columns;
    const sightings = bySensor
      // An address whose connects lie in a log that was not read was there all the same.
      .map(own => ({ ...own, sensor: textOf(sensor.values, own.sensor), hits: Math.max(1, own.hits) }))
      .sort((a, b) => compareText(a.sensor, b.sensor));
    const isAddress = type === "address" || (type === "host" && addressBytes(value) !== undefined);
    return {
      type,
      value,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      firstUs,
      lastUs,
      days,
      sightings,
      sources,
      sessions,
      hits: Math.max(1, hits),
      session: lastSession < 0 ? undefined : textOf(session.values, lastSession),
      ...(this.#options.campaigns && { campaigns: this.#campaignsOf(inSessions) }),
      ...(this.#options.origins && isAddress && { origin: this.#options.origins.of(value) }),
    };
  }

  #campaignsOf(sessions: SightingTotals["inSessions"]): string[] {
    const ids = new Set<string>();
    for (const [sensor, session] of sessions) {
      const id = this.#campaignOf(sensor, session);
      if (id !== undefined) ids.add(id);
    }
    return [...ids].sort();
  }
}

function sortIndicators(indicators: Indicator[]): Indicator[] {
  const rank = new Map(INDICATOR_TYPE_NAMES.map((type, i) => [type, i]));
  return indicators.sort((a, b) => rank.get(a.type)! - rank.get(b.type)! || b.hits - a.hits || compareText(a.value, b.value));
}

function reasonAgainst({ type, value, host }: Candidate, keepOut: KeepOut): Reason | undefined {
  switch (type) {
    case "address":
      return keepOut.address(value);
    case "host":
      return keepOut.host(value);
    case "url":
      return keepOut.url(value, host!);
    case "hash":
      return keepOut.hash(value);
    default:
      return keepOut.value(value);
  }
}

function addressIn(value: string): Candidate[] {
  return addressBytes(value) === undefined ? [] : [{ type: "address", value }];
}

const READERS: Readonly<Record<ReadColumn, (text: string) => readonly Candidate[]>> = {
  url: text => placesIn([toFetched(text.trim())]),
  input: text => [
    ...placesIn(fetchedBy(text)),
    ...sshKeysOf(text).map((value): Candidate => ({ type: "key", value })),
  ],
  // Hashes of downloads that failed are empty; nothing but SHA-256 was ever written there.
  shasum: text => (/^[0-9a-f]{64}$/i.test(text) ? [{ type: "hash", value: text.toLowerCase() }] : []),
  key: text => sshKeysOf(text).map((value): Candidate => ({ type: "key", value })),
  hassh: text => (/^[0-9a-f]{32}$/i.test(text) ? [{ type: "hassh", value: text.toLowerCase() }] : []),
};

function placesIn(places: readonly (ReturnType<typeof toFetched>)[]): Candidate[] {
  const found: Candidate[] = [];
  for (const place of places) {
    if (place === undefined) continue;
    const { host, url } = place;
    if (url !== undefined) found.push({ type: "url", value: url, host });
    if (!found.some(({ type, value }) => type === "host" && value === host)) found.push({ type: "host", value: host });
  }
  return found;
}
