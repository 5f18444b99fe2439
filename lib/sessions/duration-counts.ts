/** How long sessions lasted, counted by step of length, day and sensor, from event tables. */
import { textOf } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import type { EventScope } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";
import { DURATION_STEPS, durationStep } from "../text/duration-steps.ts";
import { dayOf } from "../text/time.ts";
import { codeOf } from "./event-search.ts";
import { SENSORS_MOST, type Tally, toTally } from "./tally.ts";

export interface DurationCounts {
  readonly sensors: readonly string[];
  /** `tallies[step]` = closed sessions of that length, by the day of their end. */
  readonly tallies: readonly Tally[];
}

/** Counts lengths, in any order; sessions whose end tells none are left out. */
export class DurationCounter {
  readonly #scope: EventScope;
  readonly #pickSensor: (sensor: string) => string | undefined;
  readonly #sensors = new Map<string, number>();
  readonly #cells = DURATION_STEPS.map(() => new Map<number, number>());

  constructor(scope: EventScope) {
    this.#scope = scope;
    this.#pickSensor = sensorPicker(scope);
  }

  /** What takes the batches of a table, each once. */
  reader(table: EventTable): (batch: EventBatch) => void {
    const { sinceDay = -Infinity, untilDay = Infinity } = this.#scope;
    /** By code in the table, none first; -1 where the sensor is not wanted. */
    const known: number[] = [];
    const sensorOf = (code: number) =>
      (known[code + 1] ??= this.#sensorOf(code < 0 ? "" : textOf(table.dictionaries.get("sensor")!, code)));
    return batch => {
      const closed = codeOf(table.dictionaries.get("eventid"), "cowrie.session.closed");
      const eventid = batch.codes.get("eventid")!;
      let row = closed < 0 ? -1 : eventid.indexOf(closed);
      if (row < 0) return;
      const durations = batch.numbers.get("duration");
      const codes = batch.codes.get("sensor");
      if (durations === undefined) return;
      for (; row >= 0; row = eventid.indexOf(closed, row + 1)) {
        const seconds = durations[row]!;
        const day = dayOf(batch.timestampUs[row]!);
        if (Number.isNaN(seconds) || day < sinceDay || day > untilDay) continue;
        const sensor = sensorOf(codes === undefined ? -1 : codes[row]!);
        if (sensor < 0) continue;
        const cells = this.#cells[durationStep(seconds)]!;
        const cell = day * SENSORS_MOST + sensor;
        cells.set(cell, (cells.get(cell) ?? 0) + 1);
      }
    };
  }

  #sensorOf(own: string): number {
    const name = this.#pickSensor(own);
    if (name === undefined) return -1;
    let code = this.#sensors.get(name);
    if (code === undefined) this.#sensors.set(name, (code = this.#sensors.size));
    return code;
  }

  finish(): DurationCounts {
    return { sensors: [...this.#sensors.keys()], tallies: this.#cells.map(toTally) };
  }
}
