/**
 * Changes that say the same twice: where each source sent one event, events tell what sources tell.
 *
 * Tested in `test/lib/view/report-changes.test.ts`.
 */
import type { ChangeRow } from "./change.ts";

type Row = Pick<ChangeRow, "view" | "firstDay" | "sensor" | "kind" | "key" | "unit" | "count">;

/** Rows without those of events that have a row of sources of the same count. */
export function withoutEchoes<R extends Row>(rows: readonly R[]): readonly R[] {
  const nameOf = (row: R) => JSON.stringify([row.view, row.firstDay, row.sensor, row.kind, row.key, row.count]);
  const ofSources = new Set(rows.filter(row => row.unit === "sources").map(nameOf));
  return rows.filter(row => row.unit === "sources" || !ofSources.has(nameOf(row)));
}
