/**
 * Days on which much more was done than usual, and whether one address made more than half of it.
 *
 * What an address did on a day is in a reduced table for proxy requests alone; of all else it is counted from event tables
 * (`sessions/peak-counts.ts`). Either way it is exact, or not said.
 *
 * Tested in `test/lib/history/peak-episodes.test.ts`.
 */
import { LEAST_DAYS } from "./families.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";

/** What is counted, of which kind of row. */
const PEAK_KINDS = {
  logins: "login",
  commands: "command",
  downloads: "file_download",
  "proxy requests": "proxy_request",
} as const satisfies Record<string, Kind>;
export type PeakActivity = keyof typeof PEAK_KINDS;
const ACTIVITIES = Object.keys(PEAK_KINDS) as PeakActivity[];

/** A peak is so many times the middle day, and so many events, at least; of few days every one may be. */
const PEAK_TIMES = 2.5;
const EVENTS_LEAST = 20;
const FEW_DAYS = 7;
/** Peaks of one activity that are looked into. */
const PEAKS_MOST = 5;
/** What is told of one address in an episode. */
export const TOLD_MOST = 2;

export interface PeakDay {
  readonly activity: PeakActivity;
  /** Days since 1970-01-01 UTC. */
  readonly day: number;
  /** Events of all sensors. */
  readonly total: number;
}

/** An address that made more than half of a peak. */
export interface PeakLeader extends PeakDay {
  readonly address: string;
  readonly count: number;
  /** Names of the sensors on which it did. */
  readonly sensors: readonly string[];
}

export interface Peaks {
  readonly days: readonly PeakDay[];
  /** Events of each activity by day; null on days without any event. */
  readonly firstDay: number;
  readonly perDay: Readonly<Record<PeakActivity, readonly (number | null)[]>>;
}

/** Find the peaks of a table, of each activity the highest first; none where counts were cut, or of few days. */
export function findPeaks({ kinds, info }: ReducedTable): Peaks {
  const { day, rows } = kinds.event;
  const [firstDay, lastDay] = rows === 0 ? [0, -1] : [day.reduce((a, b) => Math.min(a, b), Infinity), day.reduce((a, b) => Math.max(a, b), -Infinity)];
  const isWatched = new Uint8Array(lastDay - firstDay + 1);
  for (let row = 0; row < rows; row++) isWatched[day[row]! - firstDay] = 1;
  const perDay = Object.fromEntries(
    ACTIVITIES.map(activity => {
      const own = kinds[PEAK_KINDS[activity]];
      const sums = new Float64Array(isWatched.length);
      for (let row = 0; row < own.rows; row++) sums[own.day[row]! - firstDay]! += own.count[row]!;
      return [activity, Array.from(sums, (sum, i) => (isWatched[i] === 1 ? sum : null))];
    }),
  ) as Record<PeakActivity, (number | null)[]>;
  const isCut = info.sources.some(({ cut }) => cut);
  // Of days that have no history none is a peak.
  const isShort = isWatched.reduce((sum, one) => sum + one, 0) < LEAST_DAYS;
  return { firstDay, perDay, days: isCut || isShort ? [] : ACTIVITIES.flatMap(activity => peaksOf(activity, perDay[activity], firstDay)) };
}

function peaksOf(activity: PeakActivity, perDay: readonly (number | null)[], firstDay: number): PeakDay[] {
  const watched = perDay.filter(count => count !== null).sort((a, b) => a - b);
  const least = watched.length < FEW_DAYS ? EVENTS_LEAST : Math.max(EVENTS_LEAST, PEAK_TIMES * watched[watched.length >> 1]!);
  return perDay
    .flatMap((total, i) => (total === null || total < least ? [] : [{ activity, day: firstDay + i, total }]))
    .sort((a, b) => b.total - a.total || a.day - b.day)
    .slice(0, PEAKS_MOST);
}

/** Whether an address made more than half of a peak. */
export function isLeader(count: number, total: number): boolean {
  return 2 * count > total;
}

/** The peaks of which a table does not know who made them. */
export function peaksBesideTable(table: ReducedTable): PeakDay[] {
  return findPeaks(table).days.filter(({ activity }) => activity !== "proxy requests");
}

/** The leaders that the table itself knows: of proxy requests. */
export function leadersOfTable({ kinds: { proxy_request: own }, dictionaries }: ReducedTable, { days }: Peaks): PeakLeader[] {
  const peaks = new Map(days.filter(({ activity }) => activity === "proxy requests").map(peak => [peak.day, { peak, counts: new Map<number, number>() }]));
  const address = own.keys.src_ip!;
  for (let row = 0; row < own.rows; row++) {
    const counts = peaks.get(own.day[row]!)?.counts;
    counts?.set(address[row]!, (counts.get(address[row]!) ?? 0) + own.count[row]!);
  }
  return [...peaks.values()].flatMap(({ peak, counts }) => {
    const [code, count] = [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), [-1, 0]);
    if (code < 0 || !isLeader(count, peak.total)) return [];
    const rows = [...own.sensor.keys()].filter(row => own.day[row] === peak.day && address[row] === code);
    const sensors = [...new Set(rows.map(row => own.sensor[row]!))].sort((a, b) => a - b).map(one => dictionaries.sensor[one]!);
    return [{ ...peak, address: dictionaries.src_ip[code]!, count, sensors }];
  });
}
