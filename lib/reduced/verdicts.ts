/** What VirusTotal said of the files that were seen. */
import type { ReducedTable } from "./reduced-table.ts";

/** What VirusTotal said of a file. */
export interface Verdict {
  readonly positives: number;
  readonly total: number;
}

/**
 * The verdict on each hash: the latest; of two at the same time the one with more positives.
 *
 * @returns By code of `dictionaries.shasum`.
 */
export function verdictsByHash({ kinds: { scan } }: ReducedTable): Map<number, Verdict> {
  const best = new Map<number, number>();
  const { shasum, positives, total } = scan.keys as Record<"shasum" | "positives" | "total", Int32Array>;
  for (let row = 0; row < scan.rows; row++) {
    const known = best.get(shasum[row]!);
    const order =
      known === undefined
        ? 1
        : scan.lastSeenUs[row]! - scan.lastSeenUs[known]! ||
          positives[row]! - positives[known]! ||
          total[row]! - total[known]!;
    if (order > 0) best.set(shasum[row]!, row);
  }
  return new Map([...best].map(([code, row]) => [code, { positives: positives[row]!, total: total[row]! }]));
}
