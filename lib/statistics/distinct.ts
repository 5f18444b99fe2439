/**
 * Distinct values per day, counted from sets: they add up neither over days nor over sensors.
 */
import type { Coverage } from "./coverage.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import type { Ledger } from "./ledger.ts";

export type DistinctName = "addresses" | "credentials" | "hashes";

/** Distinct values per day, from sets: they do not add up over days or sensors. Arrays run over the archive's days. */
export type DistinctSeries = ReturnType<typeof countDistinctPerDay>[number];

/** Types of value whose distinct numbers are counted. */
export const DISTINCT_OF: ReadonlyMap<string, DistinctName> = new Map([
  ["address", "addresses"],
  ["credential", "credentials"],
  ["hash", "hashes"],
]);

/** One series per sensor and one for the fleet (last), over the archive's days. */
export function countDistinctPerDay(ledger: Ledger, name: DistinctName, coverage: Coverage) {
  const { sensors, days } = coverage;
  return [...sensors, null].map((sensor, at) => {
    const newPerDay = Array.from(ledger.newPerDay.subarray(at * days, (at + 1) * days));
    return {
      name,
      /** null: the fleet. */
      sensor,
      perDay: Array.from(ledger.perDay.subarray(at * days, (at + 1) * days)),
      /** Of those, how many were never seen before in this scope. */
      newPerDay,
      /** Distinct over the whole archive. */
      total: newPerDay.reduce((sum, count) => sum + count, 0),
    };
  });
}

/**
 * The sensors' series as rows to be tested like any count; the fleet's sets are no sum of theirs and stay out.
 *
 * @param names `names[key]` is what is counted; all that occur in `series`.
 */
export function toDistinctRows(
  series: readonly DistinctSeries[],
  names: readonly DistinctName[],
  coverage: Coverage,
): KeyedRows {
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
    unit: "events",
  };
}
