/**
 * Which address made most of what was done on some days, from event tables: of tables of other times nothing is read.
 *
 * Nothing is said of a day on which another number of events is found than was counted before, as where lines were dropped.
 */
import { textOf } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import type { EventScope } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";
import { isLeader, type PeakDay, type PeakLeader } from "../history/peaks.ts";
import type { LogSet } from "../logs/log-set.ts";
import { tablesOf } from "../logs/walk-tables.ts";
import { DAY_US, dayOf } from "../text/time.ts";
import { ACTIVITY_EVENTS } from "./activity-events.ts";
import { countedRows } from "./counted-rows.ts";
import { codeOf } from "./event-search.ts";
import type { TrailPlace } from "./session-trails.ts";

const NO_ADDRESS = "";

interface Counted {
  readonly peak: PeakDay;
  /** By address and, behind a NUL, sensor. */
  readonly counts: Map<string, number>;
}

/** The addresses that made more than half of a peak, in the order of the peaks, of which no two are the same. */
export async function findLeaders(places: readonly TrailPlace[], peaks: readonly PeakDay[], scope: EventScope): Promise<PeakLeader[]> {
  const counted = peaks.map(peak => ({ peak, counts: new Map<string, number>() }));
  const pickSensor = sensorPicker(scope);
  for (const place of places) {
    const open = counted.filter(({ peak: { day } }) => place.firstUs < (day + 1) * DAY_US && place.lastUs >= day * DAY_US);
    if (open.length === 0) continue;
    await place.walk(async table => {
      let reader: TablePeaks | undefined;
      for await (const batch of table.batches()) (reader ??= new TablePeaks(table, open)).read(batch);
      reader?.addTo(pickSensor);
    });
  }
  return counted.flatMap(toLeader);
}

/** {@link findLeaders} in the tables of a set. */
export function findLeadersIn(set: Pick<LogSet, "logs" | "seams">, peaks: readonly PeakDay[], scope: EventScope): Promise<PeakLeader[]> {
  const places = tablesOf(set).map((place): TrailPlace => {
    const { firstSeenUs = Infinity, lastSeenUs = -Infinity } = place.source;
    // The event of a line that was cut comes behind all others of its log.
    return { firstUs: firstSeenUs, lastUs: lastSeenUs + DAY_US, walk: visit => place.walk(visit) };
  });
  return findLeaders(places, peaks, scope);
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

/** A peak, and what one table has of it: events by address and sensor. */
interface Open {
  readonly own: Counted;
  readonly counts: Map<number, number>;
}

/** The events of one table on the days of the peaks. */
class TablePeaks {
  readonly #table: EventTable;
  /** `#byEvent[code of the event's id]` = the peaks it may belong to, by day. */
  readonly #byEvent: readonly (ReadonlyMap<number, Open> | undefined)[];
  readonly #all: readonly Open[];
  readonly #sensors: number;
  readonly #isCounted: (batch: EventBatch, row: number) => boolean;

  constructor(table: EventTable, open: readonly Counted[]) {
    this.#table = table;
    const eventids = table.dictionaries.get("eventid");
    this.#all = open.map(own => ({ own, counts: new Map<number, number>() }));
    const byEvent: (Map<number, Open> | undefined)[] = [];
    for (const one of this.#all) {
      for (const eventid of ACTIVITY_EVENTS[one.own.peak.activity]) {
        const code = codeOf(eventids, eventid);
        if (code >= 0) (byEvent[code] ??= new Map()).set(one.own.peak.day, one);
      }
    }
    this.#byEvent = byEvent;
    this.#sensors = (table.dictionaries.get("sensor")?.size ?? 0) + 1;
    this.#isCounted = countedRows(table);
  }

  read(batch: EventBatch): void {
    const eventid = batch.codes.get("eventid")!;
    const address = batch.codes.get("src_ip");
    const sensor = batch.codes.get("sensor");
    for (let row = 0; row < batch.rows; row++) {
      const days = this.#byEvent[eventid[row]!];
      if (days === undefined) continue;
      const counts = days.get(dayOf(batch.timestampUs[row]!))?.counts;
      if (counts === undefined || !this.#isCounted(batch, row)) continue;
      const key = ((address === undefined ? -1 : address[row]!) + 1) * this.#sensors + (sensor === undefined ? -1 : sensor[row]!) + 1;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }

  /** @param pickSensor Name under which a sensor counts; undefined for one that does not. */
  addTo(pickSensor: (sensor: string) => string | undefined): void {
    const text = (column: "src_ip" | "sensor", code: number) => (code < 0 ? "" : textOf(this.#table.dictionaries.get(column)!, code));
    for (const { own, counts } of this.#all) {
      for (const [key, count] of counts) {
        const sensor = pickSensor(text("sensor", (key % this.#sensors) - 1));
        if (sensor === undefined) continue;
        const name = `${text("src_ip", Math.floor(key / this.#sensors) - 1)}\u0000${sensor}`;
        own.counts.set(name, (own.counts.get(name) ?? 0) + count);
      }
    }
  }
}
