/**
 * What happened to the sensors themselves: outages, new sensors, sensors that fell silent, another version of Cowrie.
 *
 * Each changes counts without any attacker doing anything else than before.
 */
import { type Coverage, HOUR_US } from "../statistics/coverage.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import { dayOf, DAY_US } from "../text/time.ts";

export type WatchShape = "outage" | "new-sensor" | "silent" | "upgrade";

/** One thing that happened to one or more sensors on the same days. */
export interface WatchChange {
  readonly shape: WatchShape;
  /** Days since 1970-01-01 UTC, both included. */
  readonly first: number;
  readonly last: number;
  /** Codes of the sensors, rising. */
  readonly sensors: readonly number[];
  /** Hours without a watch, of all sensors together; 0 where that is not what happened. */
  readonly hours: number;
  /** Event ids that began, and that ended, with another version. */
  readonly eventids: readonly string[];
  readonly goneEventids: readonly string[];
}

/** Shorter outages are left to the page of statistics. */
const OUTAGE_HOURS = 6;
/** A sensor that starts later than this after the archive is new. */
const NEW_AFTER_DAYS = 2;

/** Per sensor: the days on which each event id was seen, rising. */
export type DaysOfIds = readonly ReadonlyMap<string, ArrayLike<number>>[];

/** What happened to the sensors, by its first day. */
export function findWatchChanges(idDays: DaysOfIds, coverage: Coverage): WatchChange[] {
  const { sensors, outages, silent, firstSeenUs, firstDay } = coverage;
  const found: WatchChange[] = [];
  const add = (shape: WatchShape, sensor: number, first: number, last: number, more: Partial<WatchChange> = {}) => {
    found.push({ shape, first, last, sensors: [sensor], hours: 0, eventids: [], goneEventids: [], ...more });
  };
  for (const { sensor, fromUs, toUs, hours } of outages) {
    if (hours >= OUTAGE_HOURS) add("outage", sensors.indexOf(sensor), dayOf(fromUs), dayOf(toUs - 1), { hours });
  }
  for (const { sensor, sinceUs, hours } of silent) {
    add("silent", sensors.indexOf(sensor), dayOf(sinceUs), dayOf(sinceUs + hours * HOUR_US - 1), { hours });
  }
  firstSeenUs.forEach((us, sensor) => {
    const day = Math.floor(us / DAY_US);
    if (day >= firstDay + NEW_AFTER_DAYS) add("new-sensor", sensor, day, day);
  });
  found.push(...findUpgrades(idDays, coverage));
  return joinSensors(found).sort((a, b) => a.first - b.first || a.last - b.last || a.sensors[0]! - b.sensors[0]!);
}

/** The same on the same days, told once. */
function joinSensors(changes: readonly WatchChange[]): WatchChange[] {
  const joined = new Map<string, WatchChange>();
  for (const change of changes) {
    const { shape, first, last, eventids, goneEventids } = change;
    const key = JSON.stringify([shape, first, last, eventids, goneEventids]);
    const other = joined.get(key);
    const sensors = [...new Set([...(other?.sensors ?? []), ...change.sensors])].sort((a, b) => a - b);
    joined.set(key, { ...change, sensors, hours: change.hours + (other?.hours ?? 0) });
  }
  return [...joined.values()];
}

/** Days watched before and behind the first sight of an event id, at least. */
const BEFORE_DAYS = 7;
const AFTER_DAYS = 3;
/** Part of the days behind it on which the id is seen, at least; and chance that it was absent before all the same. */
const LEAST_PRESENCE = 0.5;
const ABSENCE_PROBABILITY = 1e-4;
/** What attackers do, or do not do, makes these come and go; where one of them comes, others come with it. */
const OF_ATTACKERS = /^cowrie\.(login|command|session\.file|direct-tcpip|client\.fingerprint|virustotal)/;

/** Event ids that a sensor writes from a day on, and never before; or no longer: another version, or another setting. */
function findUpgrades(idDays: DaysOfIds, coverage: Coverage): WatchChange[] {
  const changes: WatchChange[] = [];
  for (const [sensor, ids] of idDays.entries()) {
    const watched = watchedDays(coverage, sensor);
    const turns = [...ids].flatMap(([eventid, days]) => {
      const turn = findTurn(days, watched);
      return turn === undefined ? [] : [{ eventid, ...turn }];
    });
    const byAttackers = new Set(turns.filter(({ eventid }) => OF_ATTACKERS.test(eventid)).map(({ day }) => day));
    const days = new Set(turns.map(({ day }) => day).filter(day => !byAttackers.has(day)));
    for (const day of days) {
      const own = turns.filter(turn => turn.day === day);
      const list = (comes: boolean) => own.filter(turn => turn.comes === comes).map(({ eventid }) => eventid).sort();
      const what = { eventids: list(true), goneEventids: list(false) };
      changes.push({ shape: "upgrade", first: day, last: day, sensors: [sensor], hours: 0, ...what });
    }
  }
  return changes;
}

/** @param events The rows of events, in day order. */
export function daysOfIds(events: Iterable<KindTable>, dictionaries: ReducedTable["dictionaries"]): DaysOfIds {
  const seen = dictionaries.sensor.map(() => new Map<number, number[]>());
  for (const { rows, day, sensor, keys } of events) {
    const eventids = keys.eventid!;
    for (let row = 0; row < rows; row++) {
      const code = eventids[row]!;
      if (code < 0) continue;
      const ids = seen[sensor[row]!]!;
      const days = ids.get(code);
      if (days === undefined) ids.set(code, [day[row]!]);
      else if (days.at(-1) !== day[row]) days.push(day[row]!);
    }
  }
  return seen.map(ids => new Map([...ids].map(([code, days]) => [dictionaries.eventid[code]!, Int32Array.from(days)])));
}

function watchedDays({ days, firstDay, exposure }: Coverage, sensor: number): number[] {
  const watched: number[] = [];
  for (let day = 0; day < days; day++) if (exposure[sensor * days + day]! > 0) watched.push(firstDay + day);
  return watched;
}

/** The day from which an id is there, or no longer; undefined where chance would do as well. */
function findTurn(days: ArrayLike<number>, watched: readonly number[]): { day: number; comes: boolean } | undefined {
  const [first, last] = [days[0]!, days[days.length - 1]!];
  const isTurn = (without: number, within: number) => {
    const presence = days.length / within;
    const isEnough = without >= BEFORE_DAYS && within >= AFTER_DAYS && presence >= LEAST_PRESENCE;
    return isEnough && (1 - presence) ** without < ABSENCE_PROBABILITY;
  };
  const before = watched.filter(day => day < first).length;
  if (isTurn(before, watched.length - before)) return { day: first, comes: true };
  const behind = watched.filter(day => day > last);
  if (isTurn(behind.length, watched.length - behind.length)) return { day: behind[0]!, comes: false };
  return undefined;
}
