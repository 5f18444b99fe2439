/**
 * The overview of a set of logs that somebody would build by hand first: how much of what, and the most frequent.
 *
 * Tested in `test/scripts/summary.test.ts`.
 */
import { textOf } from "../columns/dictionary.ts";
import { checkColumns, type EventColumn, openColumn, TimeColumn } from "../events/event-columns.ts";
import { type Condition, EventFilter } from "../events/event-filter.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import { take } from "../columns/group.ts";
import { countOrigins, type OriginCount } from "../origin/origin-counts.ts";
import type { Origins } from "../origin/origins.ts";
import type { EventScope } from "../events/scope.ts";
import type { SourceInfo } from "../events/source.ts";
import { withDroppedLines } from "./analyze.ts";
import { distinctTables } from "./distinct-lines.ts";
import type { LogSet } from "./log-set.ts";
import { openTables } from "./walk-tables.ts";
import { TupleCounter, type TupleCounts } from "../columns/tuple-counter.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import { widened } from "../columns/growing-column.ts";

const SUCCESS = "cowrie.login.success";
const FAILED = "cowrie.login.failed";
const COMMAND = "cowrie.command.input";

/** A value, or several that belong together, and how often it occurred. */
export interface Frequency {
  /** null = the event has none. */
  readonly values: readonly (string | null)[];
  readonly count: number;
  /** Of all there are, 0..1. */
  readonly share: number;
}

/** The most frequent, and how many different ones there are. */
export interface TopValues {
  readonly distinct: number;
  readonly top: readonly Frequency[];
}

/** Logins of one outcome. */
export type LoginSummary = ReturnType<typeof summarizeLogins>;

export type DaySummary = ReturnType<typeof listDays>[number];

export interface Summary {
  readonly events: number;
  /** Events on lines that an earlier log holds too, not among `events`; only where they were looked for. */
  readonly dropped?: number;
  /** Per event id, most frequent first. */
  readonly eventids: readonly { readonly eventid: string; readonly count: number }[];
  readonly succeeded: LoginSummary;
  readonly failed: LoginSummary;
  readonly commands: { readonly count: number } & TopValues;
  /** Distinct sessions (an id on a sensor), addresses, sensors. */
  readonly sessions: number;
  readonly addresses: number;
  readonly sensors: number;
  /** Distinct addresses by where they come from; only where databases were named. */
  readonly countries?: TopValues;
  readonly networks?: TopValues;
  readonly days: readonly DaySummary[];
}

export interface SummaryOptions {
  readonly scope: EventScope;
  /** Entries per ranking; 0 = all. */
  readonly limit: number;
  /** Count a line once that stands in several logs, byte for byte; their tables hold the hashes of lines. */
  readonly dedupeLines: boolean;
  /** Only events that all of them hold for. */
  readonly conditions?: readonly Condition[];
  readonly origins?: Origins | undefined;
}

/**
 * Sum up a set of logs.
 *
 * @returns The summary, and the set with what was dropped taken out of its counts.
 * @throws {UsageError} if a condition names a column that no event looked at has.
 */
export async function summarizeEvents(
  set: LogSet,
  { scope, limit, dedupeLines, conditions = [], origins }: SummaryOptions,
): Promise<{ summary: Summary; set: LogSet }> {
  const tally = new EventTally(scope, conditions);
  const droppedOf = new Map<SourceInfo, number>();
  if (dedupeLines) {
    for await (const { table, keepRow, log, dropped } of distinctTables(set.logs)) {
      await tally.addTable(table, keepRow);
      droppedOf.set(log.source, dropped());
    }
    for (const { table } of set.seams) await tally.addTable(table);
  } else {
    for await (const { table } of openTables(set)) await tally.addTable(table);
  }
  checkColumns(conditions.map(({ column }) => column));
  const summary = { ...(dedupeLines && { dropped: tally.dropped }), ...tally.finish(limit, origins) };
  return { summary, set: dedupeLines ? withDroppedLines(set, droppedOf) : set };
}

/** What is counted of the tables while they are walked. */
class EventTally {
  readonly #filter: EventFilter;
  readonly #day = new TimeColumn("day");
  readonly #eventid = openColumn("eventid");
  readonly #session = openColumn("session");
  readonly #address = openColumn("src_ip");
  readonly #username = openColumn("username");
  readonly #password = openColumn("password");
  readonly #input = openColumn("input");
  readonly #realm = openColumn("realm");
  readonly #sensor;
  readonly #success = this.#eventid.values.internText(SUCCESS);
  readonly #failed = this.#eventid.values.internText(FAILED);
  readonly #command = this.#eventid.values.internText(COMMAND);
  readonly #events = new TupleCounter(2);
  readonly #sessions = new DistinctPlaces();
  readonly #addresses = new DistinctPlaces();
  /** Those of any event, as everywhere: one may have no session at all. */
  readonly #sensorsMet = new Set<number>();
  readonly #logins = new TupleCounter(3);
  readonly #commands = new TupleCounter(2);
  dropped = 0;

  constructor(scope: EventScope, conditions: readonly Condition[]) {
    this.#filter = new EventFilter([], scope, conditions);
    this.#sensor = openColumn("sensor", scope.sensorAliases);
  }

  async addTable(table: EventTable, keepRow?: (batch: EventBatch, row: number) => boolean): Promise<void> {
    for await (const batch of table.batches()) {
      const selected = this.#filter.select(table, batch);
      const rows = keepRow === undefined ? selected : selected.filter(row => keepRow(batch, row));
      this.dropped += selected.length - rows.length;
      if (rows.length > 0) this.#addRows(table, batch, rows);
    }
  }

  #addRows(table: EventTable, batch: EventBatch, rows: Int32Array): void {
    const days = this.#day.read(table, batch, rows);
    const ids = this.#eventid.read(table, batch, rows);
    countPairs(this.#events, days, ids, this.#eventid.values.size);
    const sensors = this.#sensor.read(table, batch, rows);
    for (let i = 0; i < sensors.length; i++) if (i === 0 || sensors[i] !== sensors[i - 1]) this.#sensorsMet.add(sensors[i]!);
    this.#sessions.add(this.#session.read(table, batch, rows), days, sensors);
    this.#addresses.add(this.#address.read(table, batch, rows), days);

    const logins = placesOf(ids, this.#success, this.#failed);
    if (logins.length > 0) {
      const loginRows = take(rows, logins);
      const [usernames, passwords] = [this.#username, this.#password].map(column => column.read(table, batch, loginRows));
      this.#logins.add([take(ids, logins), usernames!, passwords!]);
    }
    const typed = placesOf(ids, this.#command, this.#command);
    const typedRows = take(rows, typed);
    // Lines that an intruder's program sent, not typed at the prompt, name a realm.
    const own = placesOf(this.#realm.read(table, batch, typedRows), -1, -1);
    if (own.length > 0) this.#commands.add([take(take(days, typed), own), this.#input.read(table, batch, take(typedRows, own))]);
  }

  finish(limit: number, origins: Origins | undefined): Summary {
    const [eventCounts, commandCounts, loginCounts] = [this.#events.finish(), this.#commands.finish(), this.#logins.finish()];
    const [sessions, addresses] = [this.#sessions.finish(), this.#addresses.finish()];
    const summarize = (id: number) => summarizeLogins(loginCounts, id, this.#username, this.#password, limit);
    const eventids = rank(eventCounts, [1], [this.#eventid], 0).top;
    return {
      events: sumOf(eventCounts),
      eventids: eventids.map(({ values, count }) => ({ eventid: values[0]!, count })),
      succeeded: summarize(this.#success),
      failed: summarize(this.#failed),
      commands: { count: sumOf(commandCounts), ...rank(commandCounts, [1], [this.#input], limit) },
      sessions: sessions.distinct,
      addresses: addresses.distinct,
      sensors: this.#sensorsMet.size,
      ...(origins && rankOrigins(this.#address, origins, limit)),
      days: listDays(this.#day, { eventCounts, commandCounts, sessions: sessions.byDay, addresses: addresses.byDay }, this.#success, this.#failed),
    };
  }
}

/** Places of two codes. */
function placesOf(codes: Int32Array, one: number, other: number): Int32Array {
  const found = new Int32Array(codes.length);
  let count = 0;
  for (let i = 0; i < codes.length; i++) if (codes[i] === one || codes[i] === other) found[count++] = i;
  return found.subarray(0, count);
}

/** Count pairs of few different codes, in one table of all that are possible. */
function countPairs(counter: TupleCounter, days: Int32Array, ids: Int32Array, idCount: number): void {
  let [first, last] = [Infinity, -Infinity];
  for (let i = 0; i < days.length; i++) {
    if (days[i]! < first) first = days[i]!;
    if (days[i]! > last) last = days[i]!;
  }
  const cells = (last - first + 1) * idCount;
  // A batch that spans years: its days are too many for that.
  if (cells > 1 << 20) return counter.add([days, ids]);
  const counts = new Float64Array(cells);
  for (let i = 0; i < days.length; i++) counts[(days[i]! - first) * idCount + ids[i]!]!++;
  const used: number[] = [];
  counts.forEach((count, cell) => count > 0 && used.push(cell));
  counter.add(
    [Int32Array.from(used, cell => first + Math.floor(cell / idCount)), Int32Array.from(used, cell => cell % idCount)],
    Float64Array.from(used, cell => counts[cell]!),
  );
}

/**
 * On which days and sensors each code was met. Most are met on one day of one sensor, which is noted by code; where one is
 * met elsewhere, that is counted with all its places.
 */
class DistinctPlaces {
  /** Where each code was met last; day -1 = nowhere. */
  #day = new Int32Array(1 << 12).fill(-1);
  #sensor = new Int32Array(1 << 12);
  /** 1 = its places are counted. */
  #isSpread = new Uint8Array(1 << 12);
  readonly #places = new TupleCounter(3);

  /**
   * Note where codes were met; -1 = none.
   *
   * @param sensors All of one if omitted.
   */
  add(codes: Int32Array, days: Int32Array, sensors?: Int32Array): void {
    const places: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]!;
      if (code < 0) continue;
      if (code >= this.#day.length) this.#grow(code + 1);
      const day = this.#day[code]!;
      const sensor = sensors === undefined ? 0 : sensors[i]!;
      if (day === days[i] && this.#sensor[code] === sensor) continue;
      if (day !== -1) {
        if (this.#isSpread[code] === 0) push(places, day, this.#sensor[code]!, code);
        push(places, days[i]!, sensor, code);
        this.#isSpread[code] = 1;
      }
      this.#day[code] = days[i]!;
      this.#sensor[code] = sensor;
    }
    this.#places.add(places.map(list => Int32Array.from(list)));
  }

  /** Different codes of each sensor, added up; by day the same. */
  finish(): { readonly distinct: number; readonly byDay: ReadonlyMap<number, number> } {
    const byDay = new Map<number, number>();
    let distinct = 0;
    const note = (day: number) => byDay.set(day, (byDay.get(day) ?? 0) + 1);
    for (let code = 0; code < this.#day.length; code++) {
      if (this.#day[code] === -1 || this.#isSpread[code] === 1) continue;
      distinct++;
      note(this.#day[code]!);
    }
    const { rows, keys } = this.#places.finish();
    const [day, sensor, code] = keys as [Int32Array, Int32Array, Int32Array];
    for (let row = 0; row < rows; row++) note(day[row]!);
    const spread = new TupleNumbers(2);
    spread.number([sensor, code], rows);
    return { distinct: distinct + spread.size, byDay };
  }

  #grow(least: number): void {
    this.#day = widened(this.#day, least).fill(-1, this.#day.length);
    this.#sensor = widened(this.#sensor, least);
    this.#isSpread = widened(this.#isSpread, least);
  }
}

function push([days, sensors, codes]: readonly [number[], number[], number[]], day: number, sensor: number, code: number): void {
  days.push(day);
  sensors.push(sensor);
  codes.push(code);
}

/** Countries and networks by their distinct addresses; null = no database knows. */
function rankOrigins({ values }: EventColumn, origins: Origins, limit: number): Pick<Summary, "countries" | "networks"> {
  const { countries, networks } = countOrigins(values.texts(), origins);
  const toRanking = (all: readonly OriginCount[]): TopValues => ({
    distinct: all.length,
    top: (limit === 0 ? all : all.slice(0, limit)).map(({ name, addresses }) => ({ values: [name], count: addresses, share: addresses / values.size })),
  });
  return { countries: toRanking(countries), networks: toRanking(networks) };
}

function summarizeLogins(
  counts: TupleCounts,
  outcome: number,
  username: EventColumn,
  password: EventColumn,
  limit: number,
) {
  const [ids, users, passwords] = counts.keys as [Int32Array, Int32Array, Int32Array];
  const rows = placesOf(ids, outcome, outcome);
  const own = { rows: rows.length, keys: [take(users, rows), take(passwords, rows)], count: take(counts.count, rows) };
  return {
    count: sumOf(own),
    usernames: rank(own, [0], [username], limit),
    passwords: rank(own, [1], [password], limit),
    pairs: rank(own, [0, 1], [username, password], limit),
  };
}

function sumOf({ count }: TupleCounts): number {
  let sum = 0;
  for (let row = 0; row < count.length; row++) sum += count[row]!;
  return sum;
}

/** Counts by some of the columns. */
function project({ keys, count, rows }: TupleCounts, columns: readonly number[]): TupleCounts {
  if (columns.length === keys.length) return { keys, count, rows };
  const counter = new TupleCounter(columns.length);
  counter.add(
    columns.map(column => keys[column]!),
    count,
  );
  return counter.finish();
}

/** The most frequent values, ties by value. */
function rank(
  counts: TupleCounts,
  columns: readonly number[],
  sources: readonly EventColumn[],
  limit: number,
): TopValues {
  const { rows, keys, count } = project(counts, columns);
  const total = sumOf({ rows, keys, count });
  const least = limit === 0 || rows <= limit ? 0 : Float64Array.from(count).sort()[rows - limit]!;
  const shown: Frequency[] = [];
  for (let row = 0; row < rows; row++) {
    if (count[row]! < least) continue;
    const values = sources.map(({ values }, i) => (keys[i]![row]! < 0 ? null : textOf(values, keys[i]![row]!)));
    shown.push({ values, count: count[row]!, share: count[row]! / total });
  }
  shown.sort((a, b) => b.count - a.count || compareValues(a.values, b.values));
  return { distinct: rows, top: limit === 0 ? shown : shown.slice(0, limit) };
}

function compareValues(a: readonly (string | null)[], b: readonly (string | null)[]): number {
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i]!, b[i]!];
    if (left !== right) return left === null ? -1 : right === null ? 1 : left < right ? -1 : 1;
  }
  return 0;
}

interface DayCounts {
  readonly eventCounts: TupleCounts;
  readonly commandCounts: TupleCounts;
  /** By code of the day. */
  readonly sessions: ReadonlyMap<number, number>;
  readonly addresses: ReadonlyMap<number, number>;
}

function listDays(day: EventColumn, counts: DayCounts, success: number, failed: number) {
  const days = Array.from({ length: day.values.size }, (_, code) => ({
    /** YYYY-MM-DD */
    day: textOf(day.values, code),
    events: 0,
    succeeded: 0,
    failed: 0,
    commands: 0,
    /** Distinct sessions and addresses with an event on that day. */
    sessions: counts.sessions.get(code) ?? 0,
    addresses: counts.addresses.get(code) ?? 0,
  }));
  const visit = (
    { rows, keys, count }: TupleCounts,
    see: (own: (typeof days)[number], row: number, n: number) => void,
  ) => {
    for (let row = 0; row < rows; row++) see(days[keys[0]![row]!]!, row, count[row]!);
  };
  const ids = counts.eventCounts.keys[1]!;
  visit(counts.eventCounts, (own, row, n) => {
    own.events += n;
    if (ids[row] === success) own.succeeded += n;
    if (ids[row] === failed) own.failed += n;
  });
  visit(counts.commandCounts, (own, _, n) => (own.commands += n));
  return days.sort((a, b) => (a.day < b.day ? -1 : 1));
}
