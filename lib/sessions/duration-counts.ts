/** How long sessions lasted, counted by step of length, day and sensor, over all logs. */
import type { EventScope } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";
import type { LogSessions } from "../logs/log-sessions.ts";
import { DURATION_STEPS } from "../text/duration-steps.ts";
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

  take({ sensors, lengths }: LogSessions): void {
    const { sinceDay = -Infinity, untilDay = Infinity } = this.#scope;
    for (const [i, day] of lengths.day.entries()) {
      if (day < sinceDay || day > untilDay) continue;
      const sensor = this.#sensorOf(sensors[lengths.sensor[i]!]!);
      if (sensor < 0) continue;
      const cells = this.#cells[lengths.step[i]!]!;
      const cell = day * SENSORS_MOST + sensor;
      cells.set(cell, (cells.get(cell) ?? 0) + lengths.count[i]!);
    }
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
