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
import { type DistinctTable, distinctTables } from "./distinct-lines.ts";
import type { LogSet } from "./log-set.ts";
import { openTables } from "./walk-tables.ts";
import { TupleCounter, type TupleCounts } from "../columns/tuple-counter.ts";

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
export interface Ranking {
  readonly distinct: number;
  readonly top: readonly Frequency[];
}

/** Logins of one outcome. */
export interface LoginSummary {
  readonly count: number;
  readonly usernames: Ranking;
  readonly passwords: Ranking;
  readonly pairs: Ranking;
}

export interface DaySummary {
  /** YYYY-MM-DD */
  readonly day: string;
  readonly events: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly commands: number;
  /** Distinct sessions and addresses with an event on that day. */
  readonly sessions: number;
  readonly addresses: number;
}

export interface Summary {
  readonly events: number;
  /** Events on lines that an earlier log holds too, not among `events`; only where they were looked for. */
  readonly dropped?: number;
  /** Per event id, most frequent first. */
  readonly eventids: readonly { readonly eventid: string; readonly count: number }[];
  readonly succeeded: LoginSummary;
  readonly failed: LoginSummary;
  readonly commands: { readonly count: number } & Ranking;
  /** Distinct sessions (an id on a sensor), addresses, sensors. */
  readonly sessions: number;
  readonly addresses: number;
  readonly sensors: number;
  /** Distinct addresses by where they come from; only where databases were named. */
  readonly countries?: Ranking;
  readonly networks?: Ranking;
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
  const filter = new EventFilter([], scope, conditions);
  const day = new TimeColumn("day");
  const eventid = openColumn("eventid");
  const session = openColumn("session");
  const address = openColumn("src_ip");
  const username = openColumn("username");
  const password = openColumn("password");
  const input = openColumn("input");
  const realm = openColumn("realm");
  const sensor = openColumn("sensor", scope.sensorAliases);
  const [success, failed, command] = [SUCCESS, FAILED, COMMAND].map(id => eventid.values.internText(id));
  const events = new TupleCounter(2);
  const knownSessions = new LastPlaces();
  const knownAddresses = new LastPlaces();
  const sessions = new TupleCounter(3);
  const addresses = new TupleCounter(2);
  const logins = new TupleCounter(3);
  const commands = new TupleCounter(2);

  let dropped = 0;

  const addBatch = (table: EventTable, batch: EventBatch, keepRow?: (batch: EventBatch, row: number) => boolean) => {
    const selected = filter.select(table, batch);
    const rows = keepRow === undefined ? selected : selected.filter(row => keepRow(batch, row));
    dropped += selected.length - rows.length;
    if (rows.length === 0) return;
    const days = day.read(table, batch, rows);
    const ids = eventid.read(table, batch, rows);
    countPairs(events, days, ids, eventid.values.size);
    const places = (isWanted: (i: number) => boolean) => {
      const found = new Int32Array(rows.length);
      let length = 0;
      for (let i = 0; i < rows.length; i++) if (isWanted(i)) found[length++] = i;
      return found.subarray(0, length);
    };
    const sensorCodes = sensor.read(table, batch, rows);
    const sessionCodes = session.read(table, batch, rows);
    const inSession = places(
      i => sessionCodes[i]! >= 0 && knownSessions.isNew(sessionCodes[i]!, days[i]!, sensorCodes[i]!),
    );
    sessions.add([days, sensorCodes, sessionCodes].map(codes => take(codes, inSession)));
    const addressCodes = address.read(table, batch, rows);
    const withAddress = places(i => addressCodes[i]! >= 0 && knownAddresses.isNew(addressCodes[i]!, days[i]!, 0));
    addresses.add([days, addressCodes].map(codes => take(codes, withAddress)));

    const loginPlaces = places(i => ids[i] === success || ids[i] === failed);
    const loginRows = take(rows, loginPlaces);
    if (loginRows.length > 0) {
      logins.add([
        take(ids, loginPlaces),
        username.read(table, batch, loginRows),
        password.read(table, batch, loginRows),
      ]);
    }
    const typed = places(i => ids[i] === command);
    const typedRows = take(rows, typed);
    // Lines that an intruder's program sent, not typed at the prompt, name a realm.
    const realms = realm.read(table, batch, typedRows);
    const own = Int32Array.from(typedRows.keys()).filter(i => realms[i]! < 0);
    if (own.length > 0) {
      commands.add([take(take(days, typed), own), input.read(table, batch, take(typedRows, own))]);
    }
  };
  const walk = async ({ table, keepRow }: Pick<DistinctTable<unknown>, "table"> & Partial<DistinctTable<unknown>>) => {
    for await (const batch of table.batches()) addBatch(table, batch, keepRow);
  };
  const droppedOf = new Map<SourceInfo, number>();
  if (dedupeLines) {
    for await (const distinct of distinctTables(set.logs)) {
      await walk(distinct);
      droppedOf.set(distinct.log.source, distinct.dropped());
    }
    for (const seam of set.seams) await walk(seam);
  } else {
    for await (const tables of openTables(set)) await walk(tables);
  }

  checkColumns(conditions.map(({ column }) => column));
  const eventCounts = events.finish();
  const commandCounts = commands.finish();
  const sessionCounts = sessions.finish();
  const addressCounts = addresses.finish();
  const loginCounts = logins.finish();
  const inputs = rank(commandCounts, [1], [input], limit);
  const summary = {
    events: sumOf(eventCounts),
    ...(dedupeLines && { dropped }),
    eventids: rank(eventCounts, [1], [eventid], 0).top.map(({ values, count }) => ({ eventid: values[0]!, count })),
    succeeded: summarizeLogins(loginCounts, success!, username, password, limit),
    failed: summarizeLogins(loginCounts, failed!, username, password, limit),
    commands: { count: sumOf(commandCounts), ...inputs },
    sessions: countDistinct(sessionCounts, [1, 2]),
    addresses: countDistinct(addressCounts, [1]),
    sensors: countDistinct(sessionCounts, [1]),
    ...(origins && rankOrigins(addressCounts, address, origins, limit)),
    days: listDays(day, { eventCounts, commandCounts, sessionCounts, addressCounts }, success!, failed!),
  };
  return { summary, set: dedupeLines ? withDroppedLines(set, droppedOf) : set };
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
  const used = Int32Array.from(counts.keys()).filter(cell => counts[cell]! > 0);
  counter.add(
    [used.map(cell => first + Math.floor(cell / idCount)), used.map(cell => cell % idCount)],
    take(counts, used),
  );
}

/** Where each code was met last; spares counting the events of a session one by one. */
class LastPlaces {
  #places = new Float64Array(1 << 12).fill(-1);

  /** Whether the code was last met on another day or sensor, or never. */
  isNew(code: number, day: number, sensor: number): boolean {
    if (code >= this.#places.length) {
      const grown = new Float64Array(Math.max(code + 1, this.#places.length * 2)).fill(-1);
      grown.set(this.#places);
      this.#places = grown;
    }
    const place = day * 0x1_0000_0000 + sensor;
    if (this.#places[code] === place) return false;
    this.#places[code] = place;
    return true;
  }
}

/** Countries and networks by their distinct addresses; null = no database knows. */
function rankOrigins(
  counts: TupleCounts,
  address: EventColumn,
  origins: Origins,
  limit: number,
): Pick<Summary, "countries" | "networks"> {
  const codes = project(counts, [1]).keys[0]!;
  const { countries, networks } = countOrigins(Array.from(codes, code => textOf(address.values, code)), origins);
  const toRanking = (all: readonly OriginCount[]): Ranking => ({
    distinct: all.length,
    top: (limit === 0 ? all : all.slice(0, limit)).map(({ name, addresses }) => ({ values: [name], count: addresses, share: addresses / codes.length })),
  });
  return { countries: toRanking(countries), networks: toRanking(networks) };
}

function summarizeLogins(
  counts: TupleCounts,
  outcome: number,
  username: EventColumn,
  password: EventColumn,
  limit: number,
): LoginSummary {
  const [ids, users, passwords] = counts.keys as [Int32Array, Int32Array, Int32Array];
  const rows = Int32Array.from({ length: counts.rows }, (_, row) => row).filter(row => ids[row] === outcome);
  const own = { rows: rows.length, keys: [take(users, rows), take(passwords, rows)], count: take(counts.count, rows) };
  return {
    count: sumOf(own),
    usernames: rank(own, [0], [username], limit),
    passwords: rank(own, [1], [password], limit),
    pairs: rank(own, [0, 1], [username, password], limit),
  };
}

function sumOf({ count }: TupleCounts): number {
  return count.reduce((sum, one) => sum + one, 0);
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

function countDistinct(counts: TupleCounts, columns: readonly number[]): number {
  return project(counts, columns).rows;
}

/** The most frequent values, ties by value. */
function rank(
  counts: TupleCounts,
  columns: readonly number[],
  sources: readonly EventColumn[],
  limit: number,
): Ranking {
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
  readonly sessionCounts: TupleCounts;
  readonly addressCounts: TupleCounts;
}

function listDays(day: EventColumn, counts: DayCounts, success: number, failed: number): DaySummary[] {
  const days = Array.from({ length: day.values.size }, (_, code) => ({
    day: textOf(day.values, code),
    events: 0,
    succeeded: 0,
    failed: 0,
    commands: 0,
    sessions: 0,
    addresses: 0,
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
  visit(counts.sessionCounts, own => own.sessions++);
  visit(counts.addressCounts, own => own.addresses++);
  return days.sort((a, b) => (a.day < b.day ? -1 : 1));
}
