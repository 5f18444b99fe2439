/** How long sessions lasted, counted by step of length, day and sensor, over all logs. */
import type { EventScope } from "../events/scope.ts";
import type { LogSessions } from "../logs/log-sessions.ts";
import { DURATION_STEPS } from "../text/duration-steps.ts";
import { SENSORS_MOST, SensorNumbers, type Tally, toTally } from "./tally.ts";

export interface DurationCounts {
  readonly sensors: readonly string[];
  /** `tallies[step]` = closed sessions of that length, by the day of their end. */
  readonly tallies: readonly Tally[];
}

/** Counts lengths, in any order; sessions whose end tells none are left out. */
export class DurationCounter {
  readonly #scope: EventScope;
  readonly #sensors: SensorNumbers;
  readonly #cells = DURATION_STEPS.map(() => new Map<number, number>());

  constructor(scope: EventScope) {
    this.#scope = scope;
    this.#sensors = new SensorNumbers(scope);
  }

  take({ sensors, lengths }: LogSessions): void {
    const { sinceDay = -Infinity, untilDay = Infinity } = this.#scope;
    for (const [i, day] of lengths.day.entries()) {
      if (day < sinceDay || day > untilDay) continue;
      const sensor = this.#sensors.of(sensors[lengths.sensor[i]!]!);
      if (sensor < 0) continue;
      const cells = this.#cells[lengths.step[i]!]!;
      const cell = day * SENSORS_MOST + sensor;
      cells.set(cell, (cells.get(cell) ?? 0) + lengths.count[i]!);
    }
  }

  finish(): DurationCounts {
    return { sensors: this.#sensors.names(), tallies: this.#cells.map(toTally) };
  }
}
