/**
 * Where the history of a table is read from.
 *
 * Tested in `test/lib/history/episodes.test.ts`.
 */
import type { CellSums } from "../reduced/cell-sums.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import type { Coverage } from "../statistics/coverage.ts";
import type { Watches } from "./candidates.ts";
import { buildWatch } from "./day-series.ts";
import type { Family } from "./families.ts";
import { buildSensorWatches } from "./sensor-levels.ts";

export interface HistorySource {
  readonly dictionaries: ReducedTable["dictionaries"];
  readonly events: KindTable;
  /** By sensor: how many rows of connections it has. */
  readonly connects: Float64Array;
  /** Its counts add up, by kind and day, to those of all rows. */
  readonly totals: ReducedTable;
  /** A table that has all rows of the frequent keys of a family. */
  tableOf(family: Family): ReducedTable;
}

export function toHistorySource(table: ReducedTable): HistorySource {
  const { connect, event } = table.kinds;
  const connects = new Float64Array(table.dictionaries.sensor.length);
  for (let row = 0; row < connect.rows; row++) connects[connect.sensor[row]!]!++;
  return { dictionaries: table.dictionaries, events: event, connects, totals: table, tableOf: () => table };
}

/** When the fleet of a table watched, and each of its sensors, by its sums. */
export function watchesOf({ table: { kinds, dictionaries }, rows }: CellSums, coverage: Coverage): Watches {
  const connects = new Float64Array(dictionaries.sensor.length);
  for (let row = 0; row < kinds.connect.rows; row++) connects[kinds.connect.sensor[row]!]! += rows.connect[row]!;
  return { watch: buildWatch(connects, coverage), watches: coverage.sensors.length > 1 ? buildSensorWatches(coverage) : [] };
}
