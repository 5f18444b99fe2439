/**
 * Counts per day and sensor, as they are handed from thread to thread.
 *
 * Tested in `test/lib/sessions/duration-counts.test.ts` and `reach-counts.test.ts`.
 */

/** Sessions per day and sensor; `sensor` counts into a list of names that stands beside it. By day, then sensor. */
export interface Tally {
  readonly day: Int32Array;
  readonly sensor: Int32Array;
  readonly count: Int32Array;
}

/** More sensors than there are in any fleet; with a day it still fits a number. */
export const SENSORS_MOST = 2 ** 20;

/** @param cells Counts by `day * SENSORS_MOST + sensor`. */
export function toTally(cells: ReadonlyMap<number, number>): Tally {
  const at = [...cells.keys()].sort((a, b) => a - b);
  return {
    day: Int32Array.from(at, cell => Math.floor(cell / SENSORS_MOST)),
    sensor: Int32Array.from(at, cell => cell - Math.floor(cell / SENSORS_MOST) * SENSORS_MOST),
    count: Int32Array.from(at, cell => cells.get(cell)!),
  };
}
