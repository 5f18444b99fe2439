/**
 * Distinct values per day, counted from sets: they add up neither over days nor over sensors.
 */
import type { Coverage } from "./coverage.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import type { DistinctName, DistinctSeries } from "./statistics.ts";
import type { ValueRows } from "./value-rows.ts";

/** Types of value whose distinct numbers are counted. */
export const DISTINCT_OF: ReadonlyMap<string, DistinctName> = new Map([
  ["address", "addresses"],
  ["credential", "credentials"],
  ["hash", "hashes"],
]);

/** One series per sensor and one for the fleet (last), over the archive's days. */
export function countDistinct(rows: ValueRows, name: DistinctName, coverage: Coverage): DistinctSeries[] {
  const { sensors, days, firstDay } = coverage;
  const perDay = new Int32Array((sensors.length + 1) * days);
  const newPerDay = new Int32Array((sensors.length + 1) * days);
  const totals = new Int32Array(sensors.length + 1);
  // A value's rows come in (day, sensor) order, so the last place it was met is enough to count it once.
  const lastCell = new Int32Array(rows.values).fill(-1);
  const words = Math.max(1, Math.ceil(sensors.length / 32));
  const seen = new Int32Array(rows.values * words);
  const fleet = sensors.length * days;
  for (const part of rows.parts) {
    for (let row = 0; row < part.rows; row++) {
      const value = part.value[row]!;
      if (value < 0) continue;
      const sensor = part.sensor[row]!;
      const offset = part.day[row]! - firstDay;
      // Day-major, so that the day of the last place can be read off it.
      const here = offset * sensors.length + sensor;
      const before = lastCell[value]!;
      if (before === here) continue;
      lastCell[value] = here;
      const cell = sensor * days + offset;
      perDay[cell]!++;
      const word = value * words + (sensor >>> 5);
      if ((seen[word]! & (1 << (sensor & 31))) === 0) {
        seen[word]! |= 1 << (sensor & 31);
        newPerDay[cell]!++;
        totals[sensor]!++;
      }
      if (before >= here - sensor) continue;
      perDay[fleet + offset]!++;
      if (before >= 0) continue;
      newPerDay[fleet + offset]!++;
      totals[sensors.length]!++;
    }
  }
  return [...sensors, null].map((sensor, at) => ({
    name,
    sensor,
    perDay: Array.from(perDay.subarray(at * days, (at + 1) * days)),
    newPerDay: Array.from(newPerDay.subarray(at * days, (at + 1) * days)),
    total: totals[at]!,
  }));
}

/** The sensors' series as rows to be tested like any count; the fleet's sets are no sum of theirs and stay out. */
export function toDistinctRows(series: readonly DistinctSeries[], coverage: Coverage): KeyedRows {
  const names = [...new Set(series.map(({ name }) => name))];
  const found: { day: number; sensor: number; count: number; key: number }[] = [];
  for (const { name, sensor, perDay } of series) {
    const at = sensor === null ? -1 : coverage.sensors.indexOf(sensor);
    if (at < 0) continue;
    for (const [offset, count] of perDay.entries()) {
      if (count > 0) found.push({ day: coverage.firstDay + offset, sensor: at, count, key: names.indexOf(name) });
    }
  }
  found.sort((a, b) => a.day - b.day || a.sensor - b.sensor || a.key - b.key);
  return {
    kind: "distinct",
    rows: found.length,
    day: Int32Array.from(found, row => row.day),
    sensor: Int32Array.from(found, row => row.sensor),
    count: Float64Array.from(found, row => row.count),
    key: Int32Array.from(found, row => row.key),
    keys: names.length,
    additive: false,
    valuesOf: key => [names[key]!],
  };
}
