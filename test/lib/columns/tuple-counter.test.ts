import { expect, test } from "bun:test";
import { TupleCounter } from "../../../lib/columns/tuple-counter.ts";
import { seededRandom } from "../../support/random.ts";

test("nothing counted is no row", () => {
  const counter = new TupleCounter(2);
  counter.add([new Int32Array(0), new Int32Array(0)]);
  expect(counter.finish()).toMatchObject({ rows: 0, keys: [new Int32Array(0), new Int32Array(0)] });
});

test("counts as a Map does, with weights and without, however often equal rows are added up in between", () => {
  const random = seededRandom("tuples");
  const counter = new TupleCounter(2);
  const expected = new Map<string, number>();
  // More different rows than are kept before they are added up, and again once they have doubled.
  for (let round = 0; round < 8; round++) {
    const rows = 60_000;
    const columns = [0, 1].map(i => Int32Array.from({ length: rows }, () => random.int(i === 0 ? 700 : 300) - 1));
    const weights = round % 2 === 0 ? undefined : Float64Array.from({ length: rows }, () => random.int(5));
    counter.add(columns, weights);
    for (let row = 0; row < rows; row++) {
      const key = `${columns[0]![row]} ${columns[1]![row]}`;
      expected.set(key, (expected.get(key) ?? 0) + (weights?.[row] ?? 1));
    }
  }
  expect(expected.size).toBeGreaterThan(1 << 17);
  const { rows, keys, count } = counter.finish();
  const found = Array.from({ length: rows }, (_, row) => [`${keys[0]![row]} ${keys[1]![row]}`, count[row]!] as const);
  // In order of first sight.
  expect(Bun.deepEquals(found, [...expected])).toBe(true);
});
