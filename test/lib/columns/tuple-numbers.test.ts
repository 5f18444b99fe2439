import { describe, expect, test } from "bun:test";
import { ChosenTuples } from "../../../lib/columns/chosen-tuples.ts";
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

describe("pairs with few second codes", () => {
  const cases: [string, (i: number) => number, (i: number) => number][] = [
    ["all the way", i => (i * 7) % 3000, i => (i % 8) - 1],
    ["until there are more", i => (i * 7) % 3000, i => (i < 9000 ? i % 8 : i % 20) - 1],
    ["until one is large", i => (i * 7) % 3000, i => (i === 9999 ? 0x7fff_ffff : i % 3)],
    ["until the first is large", i => (i === 9999 ? 0x7fff_fffe : ((i * 7) % 3000) - 1), i => i % 3],
  ];
  for (const [name, first, second] of cases) {
    test(name, () => {
      const rows = Array.from({ length: 20_000 }, (_, i) => [first(i), second(i)]);
      const numbers = new TupleNumbers(2);
      const found = Array.from({ length: 20 }, (_, i) => rows.slice(i * 1000, (i + 1) * 1000)).flatMap(batch => [
        ...numbers.number([Int32Array.from(batch, row => row[0]!), Int32Array.from(batch, row => row[1]!)], batch.length),
      ]);
      expect(found).toEqual(plainNumbers(rows));
      expect(numbers.size).toBe(new Set(found).size);
      for (const row of [0, 9999, 19_999]) expect(numbers.tupleOf(found[row]!)).toEqual(rows[row]!);
    });
  }
});

describe("ChosenTuples", () => {
  for (const width of [1, 2, 3]) {
    test(`${width} columns: the rows of some tuples are found, and no others`, () => {
      const random = seededRandom(`chosen ${width}`);
      const rows = Array.from({ length: 5000 }, () => Array.from({ length: width }, () => random.int(200 ** (1 / width)) - 1));
      // One far from all others, which no row has: a table of all codes would be too long.
      const tuples = [...new Map(rows.filter((_, i) => i % 400 === 0).map(row => [row.join(), row])).values(), Array.from({ length: width }, () => 0x7fff_ffff)];
      const chosen = new ChosenTuples(tuples, tuples.map((_, place) => place + 1000));
      const columns = Array.from({ length: width }, (_, c) => Int32Array.from(rows, row => row[c]!));
      const wanted = new Map(tuples.map((tuple, place) => [tuple.join(), place + 1000]));
      const expected = rows.flatMap((row, at) => (wanted.has(row.join()) ? [[at, wanted.get(row.join())]] : []));
      const found = chosen.find(columns, rows.length);
      expect(Array.from(found.rows, (row, i) => [row, found.numbers[i]])).toEqual(expected);
      expect(expected.length).toBeGreaterThan(20);
      expect(new ChosenTuples(tuples.slice(0, -1)).find(columns, rows.length).rows.length).toBe(expected.length);
    });
  }

  test("of no tuples no row", () => {
    expect(new ChosenTuples([]).find([Int32Array.of(1, 2)], 2).rows.length).toBe(0);
  });
});
