import { describe, expect, test } from "bun:test";
import { TupleNumbers } from "../../../lib/columns/tuple-numbers.ts";
import { seededRandom } from "../../support/random.ts";

/** As a Map numbers them. */
function plainNumbers(rows: readonly (readonly number[])[]): number[] {
  const known = new Map<string, number>();
  return rows.map(row => {
    const key = row.join();
    if (!known.has(key)) known.set(key, known.size);
    return known.get(key)!;
  });
}

describe("TupleNumbers", () => {
  for (const width of [1, 2, 3]) {
    test(`${width} columns, in batches of any size`, () => {
      const random = seededRandom(`tuples ${width}`);
      const rows = Array.from({ length: 30_000 }, () => Array.from({ length: width }, () => random.int(60 ** (3 / width)) - 1));
      const numbers = new TupleNumbers(width);
      const found: number[] = [];
      for (let start = 0; start < rows.length; ) {
        const end = Math.min(rows.length, start + random.int(5000));
        const batch = rows.slice(start, end);
        found.push(...numbers.number(Array.from({ length: width }, (_, c) => Int32Array.from(batch, row => row[c]!)), end - start));
        start = end;
      }
      expect(found).toEqual(plainNumbers(rows));
      expect(numbers.size).toBe(new Set(found).size);
      for (const row of [0, 77, 29_999]) expect(numbers.tupleOf(found[row]!)).toEqual(rows[row]!);
    });
  }
});
