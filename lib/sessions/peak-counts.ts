/**
 * Which address made most of what was done on some days; a session's events are all from its first address.
 *
 * Nothing is said of a day on which another number of events is found than was counted before, as where lines were dropped.
 */
import { textOf } from "../columns/dictionary.ts";
import { ACTIVITIES } from "../events/activity-events.ts";
import type { EventScope } from "../events/scope.ts";
import type { SourceInfo } from "../events/source.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";
import { isLeader, type PeakDay, type PeakLeader } from "../history/peaks.ts";
import type { LogSet } from "../logs/log-set.ts";
import { type LogSessions, readSessions } from "../logs/log-sessions.ts";
import { tablesOf } from "../logs/walk-tables.ts";
import { DAY_US } from "../text/time.ts";

const NO_ADDRESS = "";

/** What of the sessions of a log tells who led a peak. */
export type LedLog = Pick<LogSessions, "sensors" | "reachAddresses"> & {
  readonly reach: Pick<LogSessions["reach"], "day" | "sensor" | "address" | "done">;
};

interface Counted {
  readonly peak: PeakDay;
  /** By address and, behind a NUL, sensor. */
  readonly counts: Map<string, number>;
}

/**
 * The addresses that made more than half of a peak, in the order of the peaks, of which no two are the same.
 *
 * @param scope The sensors; of days, those of the peaks count.
 */
export function findLeaders(logs: Iterable<LedLog>, peaks: readonly PeakDay[], scope: EventScope): PeakLeader[] {
  const counted = peaks.map(peak => ({ peak, counts: new Map<string, number>() }));
  const byDay = Map.groupBy(counted, ({ peak }) => peak.day);
  const pickSensor = sensorPicker(scope);
  for (const { sensors, reach, reachAddresses } of logs) {
    const names = sensors.map(pickSensor);
    for (let at = 0; at < reach.day.length; at++) {
      const own = byDay.get(reach.day[at]!);
      const sensor = names[reach.sensor[at]!];
      if (own === undefined || sensor === undefined) continue;
      const address = reach.address[at]! < 0 ? NO_ADDRESS : textOf(reachAddresses, reach.address[at]!);
      const key = `${address}\u0000${sensor}`;
      for (const { peak, counts } of own) {
        const n = reach.done[ACTIVITIES.indexOf(peak.activity)]![at]!;
        if (n > 0) counts.set(key, (counts.get(key) ?? 0) + n);
      }
    }
  }
  return counted.flatMap(toLeader);
}

/** Whether a log has events of the days of peaks. */
export function mayHavePeak({ firstSeenUs = Infinity, lastSeenUs = -Infinity }: Pick<SourceInfo, "firstSeenUs" | "lastSeenUs">, peaks: readonly PeakDay[]): boolean {
  // The event of a line that was cut comes behind all others of its log.
  return peaks.some(({ day }) => firstSeenUs < (day + 1) * DAY_US && lastSeenUs + DAY_US >= day * DAY_US);
}

/** {@link findLeaders} in the tables of a set. */
export async function findLeadersIn(set: Pick<LogSet, "logs" | "seams">, peaks: readonly PeakDay[], scope: EventScope): Promise<PeakLeader[]> {
  const logs: LogSessions[] = [];
  for (const place of tablesOf(set)) if (mayHavePeak(place.source, peaks)) logs.push(await place.walk(readSessions));
  return findLeaders(logs, peaks, scope);
}

function toLeader({ peak, counts }: Counted): PeakLeader[] {
  const byAddress = new Map<string, { count: number; sensors: string[] }>();
  let total = 0;
  for (const [key, count] of counts) {
    const [address, sensor] = key.split("\u0000") as [string, string];
    const own = byAddress.get(address) ?? { count: 0, sensors: [] };
    byAddress.set(address, { count: own.count + count, sensors: [...own.sensors, sensor] });
    total += count;
  }
  if (total !== peak.total) return [];
  return [...byAddress].flatMap(([address, { count, sensors }]) =>
    address !== NO_ADDRESS && isLeader(count, total) ? [{ ...peak, address, count, sensors: sensors.sort() }] : [],
  );
}
