/** Sets of addresses: exact while small, a sketch of stated error beyond, and united in any way the same. */
import { describe, expect, test } from "bun:test";
import { addressHash, AddressUnion, type AddressSets, SET_MAX, SetDictionary, setSize, unionSize } from "../../../lib/columns/address-sets.ts";
import { seededRandom } from "../../support/random.ts";

const elementsOf = ({ hashes, offsets }: AddressSets, code: number) => [...hashes.subarray(offsets[code], offsets[code + 1])];
const numbers = (n: number, seed: string) => {
  const random = seededRandom(seed);
  const all = new Set<number>();
  while (all.size < n) all.add(random.word());
  return [...all];
};

describe("what stands for an address", () => {
  test("no two IPv4 addresses share it", () => {
    const all = new Set<number>();
    // Neighbours, and numbers that differ in one bit.
    for (let i = 0; i < 1 << 16; i++) all.add(addressHash(`10.0.${i >> 8}.${i & 255}`));
    for (let bit = 0; bit < 32; bit++) {
      const address = (1 << bit) >>> 0;
      all.add(addressHash([24, 16, 8, 0].map(shift => (address >>> shift) & 255).join(".")));
    }
    expect(all.size).toBe((1 << 16) + 32);
    for (const hash of all) expect(hash >= 0 && hash < 2 ** 32 && Number.isInteger(hash)).toBe(true);
  });

  test("it is the same on every machine", () => {
    expect(["0.0.0.0", "192.0.2.1", "255.255.255.255", "2001:db8::1", "no address"].map(addressHash)).toEqual(FIXED);
  });

  test("neighbours are spread evenly", () => {
    const bins = new Uint32Array(64);
    for (let i = 0; i < 1 << 16; i++) bins[addressHash(`198.18.${i >> 8}.${i & 255}`) >>> 26]!++;
    const chiSquare = bins.reduce((sum, n) => sum + (n - 1024) ** 2 / 1024, 0);
    // 63 degrees of freedom: beyond 120 once in 50,000.
    expect(chiSquare).toBeLessThan(120);
  });

  test("of IPv6 the /64 counts, in any spelling; an IPv4 address mapped into it is the IPv4 address", () => {
    const same = ["2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:0db8:0001:0002::", "2001:db8:1:2::192.0.2.1"];
    expect(new Set(same.map(addressHash)).size).toBe(1);
    expect(new Set(["2001:db8:1:3::1", "2001:db8:2:2::1", "2002:db8:1:2::1", same[0]!, "::", "fe80::1%eth0"].map(addressHash)).size).toBe(6);
    expect(addressHash("::ffff:c000:201")).toBe(addressHash("192.0.2.1"));
    expect(addressHash("::ffff:192.0.2.1")).toBe(addressHash("192.0.2.1"));
  });

  test("what is no address has one, too, however long", () => {
    expect(addressHash("a".repeat(1 << 20))).not.toBe(addressHash("a".repeat((1 << 20) - 1)));
    expect(addressHash("192.0.2.01")).not.toBe(addressHash("192.0.2.1"));
  });
});

const FIXED = [3651860435, 2293546277, 2113920734, 102242404, 153396011];

describe("how many there are", () => {
  const sets = new SetDictionary();
  test.each([0, 1, 2, SET_MAX - 1])("%i: exact", n => {
    const code = sets.internAny(Uint32Array.from(numbers(n, `exact ${n}`)));
    expect([setSize(sets, code), unionSize(sets, [code]), elementsOf(sets, code).length]).toEqual([n, n, n]);
  });

  test("beyond, the error is that of the sketch", () => {
    const errors: number[] = [];
    for (const n of [SET_MAX, 2 * SET_MAX, 20_000]) {
      for (let round = 0; round < 20; round++) {
        const code = sets.internAny(Uint32Array.from(numbers(n, `${n} ${round}`)));
        expect(elementsOf(sets, code)).toHaveLength(SET_MAX);
        expect(unionSize(sets, [code])).toBe(setSize(sets, code));
        errors.push(setSize(sets, code) / n - 1);
      }
    }
    const sigma = 1 / Math.sqrt(SET_MAX - 2);
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const square = errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length;
    expect(Math.abs(mean)).toBeLessThan((4 * sigma) / Math.sqrt(errors.length));
    expect(Math.sqrt(square)).toBeLessThan(1.3 * sigma);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(4 * sigma);
  });

  test("of a set that nobody knows, nobody knows", () => {
    const code = sets.internAny(Uint32Array.of(1));
    expect([setSize(sets, -1), unionSize(sets, [-1]), unionSize(sets, [code, -1])]).toEqual([NaN, NaN, NaN]);
    expect(unionSize(sets, [])).toBe(0);
  });
});

/** Among codes that do not count. */
function unite(sets: SetDictionary, codes: readonly number[]): number {
  const column = Int32Array.from([-1, ...codes, -1]);
  return sets.unite(column, Int32Array.from([0, ...codes.map((_, i) => codes.length - i), 0]), 1, codes.length + 1);
}

describe("united", () => {
  const random = seededRandom("unions");
  const pool = numbers(6000, "pool");
  const draw = () => random.shuffle([...pool]).slice(0, [0, 1, 5, 300, SET_MAX - 1, SET_MAX, 3000][random.int(7)]!);

  test("in any order and any steps the same, with itself nothing; the union of sketches is the sketch of the union", () => {
    for (let round = 0; round < 15; round++) {
      const sets = new SetDictionary();
      const parts = Array.from({ length: 1 + random.int(5) }, draw);
      const whole = sets.internAny(Uint32Array.from(parts.flat()));
      let left = parts.map(part => sets.internAny(Uint32Array.from([...part, ...part.slice(0, 3)])));
      left.push(left[0]!);
      while (left.length > 1) {
        left = random.shuffle(left);
        const some = left.splice(0, 2 + random.int(3));
        left.push(unite(sets, some));
      }
      expect(left[0]).toBe(whole);
      expect([[whole, whole], [whole, -1], [-1, whole], [-1, -1]].map(codes => unite(sets, codes))).toEqual([whole, -1, -1, -1]);
      const many = Array.from({ length: 40 }, draw);
      expect(unite(sets, many.map(part => sets.internAny(Uint32Array.from(part))))).toBe(sets.internAny(Uint32Array.from(many.flat())));
    }
  });

  test("counted together: never less than the largest, never more than the sum, exact while no set is full", () => {
    const sets = new SetDictionary();
    const drawn = Array.from({ length: 40 }, draw);
    const codes = drawn.map(part => sets.internAny(Uint32Array.from(part)));
    const union = new AddressUnion(sets);
    for (let round = 0; round < 60; round++) {
      const some = Array.from({ length: 1 + random.int(6) }, () => random.int(codes.length));
      union.clear();
      for (const i of some) union.add(codes[i]!);
      const size = union.size();
      expect(size).toBe(unionSize(sets, some.map(i => codes[i]!)));
      const sizes = some.map(i => setSize(sets, codes[i]!));
      expect(size).toBeGreaterThanOrEqual(Math.max(...sizes));
      expect(size).toBeLessThanOrEqual(sizes.reduce((sum, n) => sum + n, 0));
      const truth = new Set(some.flatMap(i => drawn[i]!)).size;
      if (some.every(i => drawn[i]!.length < SET_MAX)) expect(size).toBe(truth);
      else expect(Math.abs(size / truth - 1)).toBeLessThan(5 / Math.sqrt(SET_MAX));
    }
  });

  test("large unions of small sets are exact", () => {
    const sets = new SetDictionary();
    const codes = pool.map(number => sets.internAny(Uint32Array.of(number, pool[0]!)));
    expect(unionSize(sets, [...codes, ...codes])).toBe(pool.length);
  });
});
