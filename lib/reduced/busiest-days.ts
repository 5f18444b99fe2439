/** The days worth drawing, where some lie so far apart that a clock must have been broken. */
import type { ReducedTable } from "./reduced-table.ts";

/** Both included, days since 1970-01-01 UTC. */
export interface BusiestDays {
  readonly first: number;
  readonly last: number;
}

/**
 * From the first day that holds anything to the last or, where these lie farther apart, those days in a row that hold
 * most of it.
 *
 * @param most Days in a row at most.
 * @returns undefined where no day holds anything.
 */
export function busiestDays(table: ReducedTable, most: number): BusiestDays | undefined {
  const weights = new Map<number, number>();
  for (const { kind, rows, day, count } of Object.values(table.kinds)) {
    // A verdict holds whenever it was given, also on days that were left out.
    if (kind === "scan") continue;
    // Rows stand by day: one addition to the map per day, not per row.
    for (let row = 0; row < rows;) {
      const start = day[row]!;
      let sum = 0;
      for (; row < rows && day[row] === start; row++) sum += count[row]!;
      weights.set(start, (weights.get(start) ?? 0) + sum);
    }
  }
  const days = [...weights.keys()].sort((a, b) => a - b);
  let best: (BusiestDays & { inside: number }) | undefined;
  let inside = 0;
  for (let start = 0, last = 0; last < days.length; last++) {
    inside += weights.get(days[last]!)!;
    while (days[last]! - days[start]! >= most) inside -= weights.get(days[start++]!)!;
    if (best === undefined || inside > best.inside) best = { first: days[start]!, last: days[last]!, inside };
  }
  return best && { first: best.first, last: best.last };
}

/** Events on days before and behind. */
export function countOutside({ kinds: { event } }: ReducedTable, { first, last }: BusiestDays): number {
  let outside = 0;
  for (let row = 0; row < event.rows; row++) {
    if (event.day[row]! < first || event.day[row]! > last) outside += event.count[row]!;
  }
  return outside;
}
