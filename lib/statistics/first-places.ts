/**
 * Where a key stands first in a table: what settles which of two that are alike comes first, wherever their rows are.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { isTextColumn, namesOf, type ShownColumn, type ShownRows } from "../reduced/origin-kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { compareText } from "../text/text.ts";

/** The first row of a key: day, sensor, and the values of all key columns, by which the rows of a table stand in order. */
export type FirstPlace = readonly (number | string | null)[];

export function placeOfRow(rows: ShownRows, table: ReducedTable, row: number): FirstPlace {
  const values = (Object.keys(rows.keys) as ShownColumn[]).map(name => {
    const code = rows.keys[name]![row]!;
    if (code < 0) return null;
    return isTextColumn(name) ? namesOf(table, name)[code]! : code;
  });
  return [rows.day[row]!, rows.sensor[row]!, ...values];
}

/** The order of rows in a table: by day, sensor and key, no value first. */
export function compareFirst(a: FirstPlace, b: FirstPlace): number {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (x === y) continue;
    if (x === null || y === null) return x === null ? -1 : 1;
    return typeof x === "number" ? x - Number(y) : compareText(x, String(y));
  }
  return 0;
}
