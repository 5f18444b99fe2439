/** Days of counts as rows of a reduced table, watched around the clock unless said otherwise. */
import type { LiteralRow } from "./build.ts";

export const FIRST_DAY = Date.parse("2024-01-01") / 86_400_000;

export const dateOf = (offset: number) => new Date((FIRST_DAY + offset) * 86_400_000).toISOString().slice(0, 10);

/** 20 events in every hour of each day; days named in `down` have none. */
export function watch(sensor: string, days: number, down: readonly number[] = []): LiteralRow[] {
  const rows: LiteralRow[] = [];
  for (let offset = 0; offset < days; offset++) {
    if (down.includes(offset)) continue;
    for (let hour = 0; hour < 24; hour++) {
      rows.push({
        kind: "event",
        date: dateOf(offset),
        sensor,
        key: { eventid: "cowrie.command.input", hour },
        count: 20,
        firstSeenUs: ((FIRST_DAY + offset) * 24 + hour) * 3_600_000_000,
      });
    }
  }
  return rows;
}

/** One command's counts from the first day on; 0 gives no row. */
export function command(sensor: string, input: string, counts: readonly number[]): LiteralRow[] {
  return counts.flatMap((count, offset) =>
    count > 0 ? [{ kind: "command" as const, date: dateOf(offset), sensor, key: { input }, count }] : [],
  );
}
