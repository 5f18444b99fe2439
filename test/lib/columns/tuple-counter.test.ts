import { expect, test } from "bun:test";
import { TupleCounter } from "../../../lib/columns/tuple-counter.ts";
import { seededRandom } from "../../support/random.ts";

test("nothing counted is no row", () => {
  const counter = new TupleCounter(2);
  counter.add([new Int32Array(0), new Int32Array(0)]);
  expect(counter.finish()).toMatchObject({ rows: 0, keys: [new Int32Array(0), new Int32Array(0)] });
});

for (const width of [1, 2, 3, 4, 5, 6]) test(`${width} columns: counts as a Map does, with weights and without`, () => {
  const random = seededRandom(`tuples ${width}`);
  const counter = new TupleCounter(width);
  const expected = new Map<string, number>();
  for (let round = 0; round < 4; round++) {
    const rows = 20_000;
    const columns = Array.from({ length: width }, () => Int32Array.from({ length: rows }, () => random.int(9000 ** (1 / width)) - 1));
    const weights = round % 2 === 0 ? undefined : Float64Array.from({ length: rows }, () => random.int(5));
    counter.add(columns, weights);
    for (let row = 0; row < rows; row++) {
      const key = columns.map(codes => codes[row]).join();
      expected.set(key, (expected.get(key) ?? 0) + (weights?.[row] ?? 1));
    }
  }
  expect(expected.size).toBeGreaterThan(4000);
  const { rows, keys, count } = counter.finish();
  const found = Array.from({ length: rows }, (_, row) => [keys.map(codes => codes[row]).join(), count[row]!] as const);
  // In order of first sight.
  expect(Bun.deepEquals(found, [...expected])).toBe(true);
});
