/** All keys at once say what a union for each key does. */
import { describe, expect, test } from "bun:test";
import { AddressUnion, SET_MAX, SetDictionary } from "../../../lib/columns/address-sets.ts";
import { KeyedUnions } from "../../../lib/columns/keyed-unions.ts";
import { seededRandom } from "../../support/random.ts";

const KEYS = 5;

/** Sets of few elements, and some that are full, whose elements come again in others. */
function drawSets(seed: string, sizes: readonly number[]): SetDictionary {
  const random = seededRandom(seed);
  const sets = new SetDictionary();
  for (const size of sizes) sets.internAny(Uint32Array.from({ length: size }, () => random.int(size < 9 ? 40 : 9000) * 400_000 + 1));
  return sets;
}

const cases: [string, readonly number[]][] = [
  ["few elements", [0, 1, 1, 2, 3, 1, 5, 8]],
  ["full sets", [1, 2, 1500, 4000, 1, 3000, 900, 1024]],
];
for (const [name, sizes] of cases) {
  describe(name, () => {
    test("key by key, day after day", () => {
      const random = seededRandom(name);
      const sets = drawSets(name, sizes);
      const all = new KeyedUnions(KEYS);
      const each = Array.from({ length: KEYS }, () => new AddressUnion(sets));
      let full = 0;
      for (let day = 0; day < 40; day++) {
        for (let row = 0; row < 60; row++) {
          const key = random.int(KEYS - 1);
          const code = random.int(sets.size);
          // The same once more changes nothing.
          for (let times = 1 + random.int(2); times > 0; times--) {
            all.add(key, sets.hashes, sets.offsets[code]!, sets.offsets[code + 1]!);
            each[key]!.add(code);
          }
        }
        expect([...all.sizes()]).toEqual(each.map(union => union.size()));
        full += each.filter(({ isExact }) => !isExact).length;
        all.clear();
        for (const union of each) union.clear();
      }
      expect(full > 0).toBe(sizes.some(size => size >= SET_MAX));
    });
  });
}

test("more elements than it began with room for", () => {
  const all = new KeyedUnions(2);
  for (let element = 0; element < 100_000; element++) all.addOne(element & 1, element % 60_000);
  expect([...all.sizes()]).toEqual([30_000, 30_000]);
});
