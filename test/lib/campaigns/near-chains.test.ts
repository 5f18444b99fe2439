import { expect, test } from "bun:test";
import { Groups } from "../../../lib/campaigns/groups.ts";
import { NearChains, nearness, NEAR_MIN } from "../../../lib/campaigns/near-chains.ts";
import { measureGrowth } from "../../support/growth.ts";
import { seededRandom } from "../../support/random.ts";

test("nearness is the share of runs of three words that both have", () => {
  // ^ a b, a b c, b c $ against ^ a b, a b d, b d $: one of five.
  expect(nearness(["a b c"], ["a b d"])).toBe(1 / 5);
  expect(nearness(["a b c"], ["a b c"])).toBe(1);
  expect(nearness(["x /tmp/bot.arm7 1"], ["x /tmp/bot.mips 1"])).toBe(1);
  expect(nearness(["a b c"], [])).toBe(0);
  // Everyday commands count only where there are no others.
  expect(nearness(["uname -a", "id", "a b c"], ["a b c", "w"])).toBe(1);
  expect(nearness(["uname -a"], ["uname -a"])).toBe(1);
});

test("joins whatever comparing each with each would join", () => {
  const random = seededRandom("near");
  const chains = Array.from({ length: 120 }, () =>
    Array.from({ length: random.between(1, 3) }, () => Array.from({ length: random.between(1, 6) }, () => `w${random.zipf(3, 4)}`).join(" ")),
  );
  const expected = new Groups(chains.length);
  chains.forEach((a, i) => chains.forEach((b, j) => j < i && nearness(a, b) >= NEAR_MIN && expected.join(i, j)));
  const groups = new Groups(chains.length);
  const pairs = new NearChains(chains).join(groups.items(), groups, NEAR_MIN);
  expect(chains.map((_, i) => groups.find(i))).toEqual(chains.map((_, i) => expected.find(i)));
  expect(pairs.length).toBe(chains.length - new Set(chains.map((_, i) => groups.find(i))).size);
  expect(pairs.length).toBeGreaterThan(20);
});

test("chains that all share most of their runs cost no square of their number", () => {
  const chainsOf = (n: number) => Array.from({ length: n }, (_, i) => [`a b c d e f ${i} ${i + 1} ${i + 2} ${i + 3} ${i + 4} ${i + 5}`]);
  const run = (text: string) => {
    const groups = new Groups(text.length);
    return new NearChains(chainsOf(text.length)).join(groups.items(), groups, NEAR_MIN);
  };
  expect(measureGrowth(run, { short: "x".repeat(1000), long: "x".repeat(8000), leastMs: 5, most: 32 })).toBeLessThan(32);
});
