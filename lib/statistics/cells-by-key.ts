/**
 * The counts of chosen keys, key by key, with the sensor-day of each.
 *
 * Rows of a key lie far apart: whoever wants them one key after another waits for memory at each. So what is asked of a row is
 * brought together while the rows are read in their order.
 *
 * Tested in `test/lib/statistics/change.test.ts`.
 */
import { ChosenKeys, type KeyedRows } from "./keyed-rows.ts";

/** Those of the k-th key are `offsets[k] .. offsets[k + 1] - 1`, in row order. */
export interface CellsByKey {
  readonly offsets: Int32Array;
  /** `sensor * span` + days since the first that is laid out. */
  readonly cells: Int32Array;
  readonly counts: Float64Array;
}

/**
 * @param firstDays By sensor: earlier days of it are left out.
 * @param startRow Where the days begin that are laid out; the first of them is `firstDay`.
 * @param span How many there are.
 */
export function gatherCells(
  { key, keys, rows, day, sensor, count }: KeyedRows,
  chosen: readonly number[],
  { firstDay, firstDays, startRow, span }: { firstDay: number; firstDays: Int32Array; startRow: number; span: number },
): CellsByKey {
  const places = new ChosenKeys(keys, chosen);
  const offsets = new Int32Array(chosen.length + 1);
  for (let row = startRow; row < rows; row++) {
    const place = places.placeOf(key[row]!);
    if (place >= 0 && day[row]! >= firstDays[sensor[row]!]!) offsets[place + 1]!++;
  }
  for (let place = 0; place < chosen.length; place++) offsets[place + 1]! += offsets[place]!;
  const next = offsets.slice(0, chosen.length);
  const cells = new Int32Array(offsets[chosen.length]!);
  const counts = new Float64Array(offsets[chosen.length]!);
  for (let row = startRow; row < rows; row++) {
    const place = places.placeOf(key[row]!);
    if (place < 0 || day[row]! < firstDays[sensor[row]!]!) continue;
    const at = next[place]!++;
    cells[at] = sensor[row]! * span + day[row]! - firstDay;
    counts[at] = count[row]!;
  }
  return { offsets, cells, counts };
}
