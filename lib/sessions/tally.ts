/**
 * Counts per day and sensor, as they are handed from thread to thread.
 *
 * Tested in `test/lib/sessions/duration-counts.test.ts` and `reach-counts.test.ts`.
 */
import type { EventScope } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";

/** Sessions per day and sensor; `sensor` counts into a list of names that stands beside it. By day, then sensor. */
export interface Tally {
  readonly day: Int32Array;
  readonly sensor: Int32Array;
  readonly count: Int32Array;
}

/** More sensors than there are in any fleet; with a day it still fits a number. */
export const SENSORS_MOST = 2 ** 20;

/** Days and sensors of cells, each `day * SENSORS_MOST + sensor`; days before 1970 are negative. */
export function splitCells(cells: readonly number[]): Pick<Tally, "day" | "sensor"> {
  const day = new Int32Array(cells.length);
  const sensor = new Int32Array(cells.length);
  // `Int32Array.from` with a function takes ten times as long.
  for (let i = 0; i < cells.length; i++) {
    day[i] = Math.floor(cells[i]! / SENSORS_MOST);
    sensor[i] = cells[i]! - day[i]! * SENSORS_MOST;
  }
  return { day, sensor };
}

/** @param cells Counts by `day * SENSORS_MOST + sensor`. */
export function toTally(cells: ReadonlyMap<number, number>): Tally {
  const at = [...cells.keys()].sort((a, b) => a - b);
  return { ...splitCells(at), count: Int32Array.from(at, cell => cells.get(cell)!) };
}

/** Numbers the sensors that count, as they come. */
export class SensorNumbers {
  readonly #pick: (sensor: string) => string | undefined;
  readonly #numbers = new Map<string, number>();

  constructor(scope: EventScope) {
    this.#pick = sensorPicker(scope);
  }

  /** @returns -1 of one that was not asked for. */
  of(sensor: string): number {
    const name = this.#pick(sensor);
    if (name === undefined) return -1;
    let number = this.#numbers.get(name);
    if (number === undefined) this.#numbers.set(name, (number = this.#numbers.size));
    return number;
  }

  /** By their numbers. */
  names(): string[] {
    return [...this.#numbers.keys()];
  }
}
