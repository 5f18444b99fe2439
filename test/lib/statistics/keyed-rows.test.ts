import { describe, expect, test } from "bun:test";
import { gatherRows, internRows, keyColumns, rowOfDay, toKeyedRows, valuesOf } from "../../../lib/statistics/keyed-rows.ts";
import { buildReduced } from "../../support/build.ts";
import { seededRandom } from "../../support/random.ts";

describe("internRows", () => {
  test("agrees with a Map over joined tuples, dense and hashed", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const width = 1 + random.int(3);
      const rows = random.int(3000);
      const spread = random.chance(0.5) ? 20 : 1_000_000;
      const columns = Array.from({ length: width }, () =>
        Int32Array.from({ length: rows }, () => (random.chance(0.5) ? random.int(20) : random.int(spread)) - 1),
      );
      const known = new Map<string, number>();
      const firstRow: number[] = [];
      const wanted = Array.from({ length: rows }, (_, row) => {
        const text = columns.map(column => column[row]).join();
        if (!known.has(text)) known.set(text, firstRow.push(row) - 1);
        return known.get(text)!;
      });
      const found = internRows(columns, rows);
      expect({ seed, key: [...found.key], firstRow: [...found.firstRow] }).toEqual({ seed, key: wanted, firstRow });
    }
  });
});

test("very many different tuples outgrow the first table", () => {
  const rows = 300_000;
  const columns = [0, 1, 2].map(nth => Int32Array.from({ length: rows }, (_, row) => (row % 150_000) * (nth + 1)));
  const found = internRows(columns, rows);
  expect(found.keys).toBe(150_000);
  expect(found.key.every((key, row) => key === row % 150_000)).toBe(true);
  expect(found.firstRow.every((row, key) => row === key)).toBe(true);
  const pairs = internRows([columns[0]!, columns[1]!], rows);
  expect([pairs.keys, pairs.key[149_999], pairs.key[150_000]]).toEqual([150_000, 149_999, 0]);
});

test("gatherRows() agrees with filters", () => {
  const random = seededRandom(5);
  const keys = 70;
  const key = Int32Array.from({ length: 9000 }, () => random.int(keys));
  const chosen = [69, 3, 31, 32, 0];
  for (const startRow of [0, 1, 4000, 9000]) {
    const { offsets, rows } = gatherRows(key, keys, chosen, startRow);
    const found = chosen.map((_, i) => [...rows.subarray(offsets[i]!, offsets[i + 1]!)]);
    expect(found).toEqual(chosen.map(one => [...key.keys()].filter(row => row >= startRow && key[row] === one)));
    expect(offsets[chosen.length]).toBe(rows.length);
  }
  const all = gatherRows(Int32Array.from({ length: 9000 }, (_, row) => row % 2), 2, [1]);
  expect([all.rows.length, all.rows[0], all.rows[4499]]).toEqual([4500, 1, 8999]);
  expect(gatherRows(key, keys, [])).toEqual({ offsets: new Int32Array(1), rows: new Int32Array(0) });
});

test("rowOfDay() finds the first row of a day or a later one", () => {
  const days = Int32Array.of(3, 3, 5, 5, 5, 9);
  expect([0, 3, 4, 5, 6, 9, 10].map(day => rowOfDay(days, day))).toEqual([0, 0, 2, 2, 5, 5, 6]);
  expect(rowOfDay(new Int32Array(0), 1)).toBe(0);
});

test("a key has the values of its columns; events go by their id alone", () => {
  const table = buildReduced([
    { kind: "event", date: "2024-01-01", sensor: "a", key: { eventid: "e", hour: 1 }, count: 1 },
    { kind: "event", date: "2024-01-01", sensor: "a", key: { eventid: "e", hour: 2 }, count: 2 },
    { kind: "connect", date: "2024-01-01", sensor: "a", key: { src_ip: "192.0.2.1", dst_port: 0 }, count: 3 },
    { kind: "connect", date: "2024-01-01", sensor: "a", key: { src_ip: null, dst_port: null }, count: 4 },
  ]);
  for (const [kind, expected] of [["event", [["e"]]], ["connect", [[null, null], ["192.0.2.1", 0]]]] as const) {
    const interned = internRows(keyColumns(table, kind), table.kinds[kind].rows);
    const values = Array.from({ length: interned.keys }, (_, key) => valuesOf(table, kind, interned, key));
    expect(values as unknown).toEqual(expected);
    expect(toKeyedRows(table, kind, interned)).toMatchObject({ kind, rows: 2, keys: interned.keys, additive: true });
  }
});
