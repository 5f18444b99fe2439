/** Keys with most events, and with most on one day: those that sorting all keys gives, ties in the order in which they came. */
import { expect, test } from "bun:test";
import { chooseLeading, KeyLeaders, KEYS_MOST, LEAST_EVENTS, leastOf } from "../../../lib/history/key-leaders.ts";
import { seededRandom } from "../../support/random.ts";

interface Row {
  readonly day: number;
  readonly key: number;
  readonly count: number;
}

/** The same, as it is said. */
function plainLeaders(rows: readonly Row[]): number[] {
  const keys = [...new Set(rows.map(({ key }) => key))];
  const totals = new Map(keys.map(key => [key, 0]));
  const mosts = new Map(keys.map(key => [key, 0]));
  const today = new Map<string, number>();
  for (const { day, key, count } of rows) {
    const sum = (today.get(`${day} ${key}`) ?? 0) + count;
    today.set(`${day} ${key}`, sum);
    totals.set(key, totals.get(key)! + count);
    mosts.set(key, Math.max(mosts.get(key)!, sum));
  }
  const frequent = keys.filter(key => totals.get(key)! >= LEAST_EVENTS);
  const best = (by: Map<number, number>) => frequent.toSorted((a, b) => by.get(b)! - by.get(a)!).slice(0, KEYS_MOST);
  return [...new Set([...best(totals), ...best(mosts)])];
}

function leadersOf(rows: readonly Row[], partRows: number): KeyLeaders {
  const leaders = new KeyLeaders();
  let keys = 0;
  for (let start = 0; start < rows.length; start += partRows) {
    const part = rows.slice(start, start + partRows);
    keys = Math.max(keys, ...part.map(({ key }) => key + 1));
    const count = Float64Array.from(part, row => row.count);
    leaders.add({ rows: part.length, day: Int32Array.from(part, row => row.day), count }, Int32Array.from(part, row => row.key), keys);
  }
  return leaders;
}

function drawRows(seed: string, keys: number, counts: number): Row[] {
  const random = seededRandom(seed);
  return Array.from({ length: 6000 }, (_, i) => ({ day: Math.floor(i / 150), key: random.int(keys) - 1, count: random.int(counts) }));
}

for (const [name, keys, counts] of [["many keys, with ties", 1500, 6], ["few keys", 40, 3], ["rare keys", 5500, 3]] as const) {
  test(`${name}, in parts of any size`, () => {
    const rows = drawRows(name, keys, counts);
    for (const partRows of [1, 97, 6000]) expect(leadersOf(rows, partRows).finish()).toEqual(plainLeaders(rows));
  });
}

test("of several lists those of all their keys", () => {
  const rows = drawRows("lists", 1500, 6);
  const lists = [0, 1, 2].map(part => {
    const own = rows.flatMap((row, place) => (row.key % 3 === part || (row.key < 0 && part === 0) ? [{ ...row, place }] : []));
    const leaders = new KeyLeaders();
    leaders.add({ rows: own.length, day: Int32Array.from(own, row => row.day), count: Float64Array.from(own, row => row.count) }, Int32Array.from(own, row => row.key), 1500, Int32Array.from(own, row => row.place));
    return leaders.found();
  });
  expect(chooseLeading(lists).map(({ key }) => key)).toEqual(plainLeaders(rows));
});

test("what the last of them has; of few keys no more than all frequent ones have", () => {
  const leaders = leadersOf(drawRows("least", 1500, 6), 500).found();
  const totals = leaders.map(({ total }) => total).sort((a, b) => b - a);
  expect(leastOf(leaders).total).toBe(totals[KEYS_MOST - 1]!);
  expect(leastOf(leadersOf(drawRows("few", 40, 3), 500).found())).toEqual({ total: LEAST_EVENTS, most: 0 });
});

test("sums in 24 bits are never less", () => {
  const leaders = new KeyLeaders();
  const counts = Float64Array.of(5, 2 ** 24 + 1, 2 ** 30 + 65, 3e9);
  leaders.add({ rows: 4, day: new Int32Array(4), count: counts }, Int32Array.of(0, 1, 2, 3), 4);
  const sums = [...leaders.atMost("total").subarray(1, 5)];
  counts.forEach((count, key) => expect([sums[key]! >= count, sums[key]! < count * 1.000001]).toEqual([true, true]));
  expect(sums[0]).toBe(5);
});
