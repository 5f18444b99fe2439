/**
 * What was done minute by minute, from event tables: for archives of a few days.
 *
 * Tested in `test/lib/view/report-minutes.test.ts`.
 */
import { textOf } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import type { EventScope } from "../events/scope.ts";
import { dayOf } from "../text/time.ts";
import { ACTIVITIES, ACTIVITY_EVENTS } from "../events/activity-events.ts";
import { countedRows } from "./counted-rows.ts";
import { codeOf } from "./event-search.ts";
import type { TrailPlace } from "./session-trails.ts";
import { SENSORS_MOST, SensorNumbers, type Tally, toTally } from "./tally.ts";

const MINUTE_US = 60_000_000;

export interface MinuteCounts {
  readonly sensors: readonly string[];
  /** `tallies[activity]`; their days are minutes since 1970-01-01 UTC. */
  readonly tallies: readonly Tally[];
}

/** Count the minutes of some tables. */
export async function countMinutes(places: readonly Pick<TrailPlace, "walk">[], scope: EventScope): Promise<MinuteCounts> {
  const counter = new MinuteCounter(scope);
  for (const place of places) {
    await place.walk(async table => {
      const read = counter.reader(table);
      for await (const batch of table.batches()) read(batch);
    });
  }
  return counter.finish();
}

/** Counts, table by table, in any order. */
class MinuteCounter {
  readonly #scope: EventScope;
  readonly #sensors: SensorNumbers;
  readonly #cells = ACTIVITIES.map(() => new Map<number, number>());

  constructor(scope: EventScope) {
    this.#scope = scope;
    this.#sensors = new SensorNumbers(scope);
  }

  /** What takes the batches of a table, each once. */
  reader(table: EventTable): (batch: EventBatch) => void {
    const { sinceDay = -Infinity, untilDay = Infinity } = this.#scope;
    const sensors = new Map<number, number>();
    let activitiesOf: (number[] | undefined)[] | undefined;
    let isCounted: ReturnType<typeof countedRows>;
    return batch => {
      if (activitiesOf === undefined) {
        activitiesOf = this.#start(table);
        isCounted = countedRows(table);
      }
      const eventid = batch.codes.get("eventid")!;
      const codes = batch.codes.get("sensor");
      for (let row = 0; row < batch.rows; row++) {
        const own = activitiesOf[eventid[row]!];
        if (own === undefined || !isCounted(batch, row)) continue;
        const us = batch.timestampUs[row]!;
        const code = codes === undefined ? -1 : codes[row]!;
        let sensor = sensors.get(code);
        if (sensor === undefined) sensors.set(code, (sensor = this.#sensors.of(code < 0 ? "" : textOf(table.dictionaries.get("sensor")!, code))));
        if (sensor < 0 || dayOf(us) < sinceDay || dayOf(us) > untilDay) continue;
        const cell = Math.floor(us / MINUTE_US) * SENSORS_MOST + sensor;
        for (const activity of own) this.#cells[activity]!.set(cell, (this.#cells[activity]!.get(cell) ?? 0) + 1);
      }
    };
  }

  finish(): MinuteCounts {
    return { sensors: this.#sensors.names(), tallies: this.#cells.map(toTally) };
  }

  /** `activities[code of the event's id]` */
  #start({ dictionaries }: EventTable): (number[] | undefined)[] {
    const activities: (number[] | undefined)[] = [];
    ACTIVITIES.forEach((activity, i) => {
      for (const eventid of ACTIVITY_EVENTS[activity]) {
        const code = codeOf(dictionaries.get("eventid"), eventid);
        if (code >= 0) (activities[code] ??= []).push(i);
      }
    });
    return activities;
  }
}
