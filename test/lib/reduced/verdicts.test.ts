/** Which of several verdicts on a file holds. */
import { expect, test } from "bun:test";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { verdictsByHash } from "../../../lib/reduced/verdicts.ts";

/** A table of verdicts alone: hash, positives, total, time. */
function verdictsOf(rows: readonly (readonly [number, number, number, number])[]) {
  const column = (i: number) => Int32Array.from(rows, row => row[i]!);
  const keys = { shasum: column(0), positives: column(1), total: column(2) };
  const scan = { kind: "scan", rows: rows.length, keys, lastSeenUs: Float64Array.from(rows, row => row[3]!) };
  return verdictsByHash({ kinds: { scan } } as unknown as ReducedTable);
}

test("the latest, in whatever order they stand; at one time the one with more positives, then of more engines", () => {
  expect(verdictsOf([])).toEqual(new Map());
  const rows = [[0, 9, 70, 1], [0, 2, 60, 3], [0, 5, 50, 2], [1, 3, 70, 5], [1, 4, 60, 5], [2, 4, 60, 5], [2, 4, 70, 5]] as const;
  const expected = new Map([
    [0, { positives: 2, total: 60 }],
    [1, { positives: 4, total: 60 }],
    [2, { positives: 4, total: 70 }],
  ]);
  expect(verdictsOf(rows)).toEqual(expected);
  expect(verdictsOf([...rows].reverse())).toEqual(expected);
});
