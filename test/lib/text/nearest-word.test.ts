import { expect, test } from "bun:test";
import { countSlips, nearestWord } from "../../../lib/text/nearest-word.ts";

const SLIPS: [string, string, number][] = [
  ["", "", 0], ["abc", "", 3], ["abc", "abc", 0], ["abc", "acb", 1], ["abc", "ab", 1], ["abc", "abd", 1],
  ["ca", "abc", 3], ["kitten", "sitting", 3], ["a".repeat(100_000), "abc", Infinity],
];
test.each(SLIPS)("countSlips(%p, %p) = %p", (a, b, slips) => {
  expect([countSlips(a, b), countSlips(b, a)]).toEqual([slips, slips]);
});

test("nearestWord() prefers a beginning, and knows when nothing is near", () => {
  expect(nearestWord("un", ["in", "until"])).toBe("until");
  expect(nearestWord("x", ["y"])).toBeUndefined();
  expect(nearestWord("anything", ["since", "until"])).toBeUndefined();
});
