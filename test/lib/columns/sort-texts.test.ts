/** Texts come out as JavaScript's own comparison sorts them. */
import { expect, test } from "bun:test";
import { Dictionary } from "../../../lib/columns/dictionary.ts";
import { sortTexts } from "../../../lib/columns/sort-texts.ts";
import { seededRandom } from "../../support/random.ts";

/** @param isUsed Which of them, by code. */
function check(texts: readonly string[], isUsed: (code: number) => boolean = () => true): void {
  const dictionary = new Dictionary();
  for (const text of texts) dictionary.internText(text);
  const all = dictionary.texts();
  const { sorted, rank } = sortTexts(dictionary, Uint8Array.from(all, (_, code) => Number(isUsed(code))));
  // Without a comparator: by UTF-16 code units.
  const expected = all.filter((_, code) => isUsed(code)).sort();
  expect(sorted.length).toBe(expected.length);
  expect(sorted.every((text, place) => text === expected[place])).toBe(true);
  expect(all.every((text, code) => (isUsed(code) ? sorted[rank[code]!] === text : rank[code] === -1))).toBe(true);
}

test("no text, one, some that are not in use", () => {
  check([]);
  check([""]);
  check(Array.from({ length: 5000 }, (_, i) => `t${(i * 7919) % 5000}`), code => code % 3 > 0);
});

test("characters of one to four bytes, cut and mixed in every way", () => {
  const random = seededRandom("characters");
  const characters = ["\0", "a", "b", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{1f600}", "\u{10ffff}"];
  check(Array.from({ length: 30_000 }, () => Array.from({ length: random.int(8) }, () => random.pick(characters)).join("")));
});

test("texts that begin alike: for longer than is sorted by number, and up to where some end", () => {
  const starts = ["", "x".repeat(8), "x".repeat(300), "y".repeat(7)];
  check(starts.flatMap(start => Array.from({ length: 3000 }, (_, i) => start + String((i * 7919) % 3000))));
  check(Array.from({ length: 3000 }, (_, i) => "x" + "\0".repeat(i)));
});
