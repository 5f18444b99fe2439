import { expect, test } from "bun:test";
import { allTexts, Dictionary } from "../../../lib/columns/dictionary.ts";
import { TextsMerger } from "../../../lib/columns/merge-texts.ts";
import { seededRandom } from "../../support/random.ts";

const toTexts = (texts: readonly string[]) => {
  const dictionary = new Dictionary();
  for (const text of texts) dictionary.internText(text);
  return dictionary;
};

/** Characters of one to four bytes, and what stands at the edges of the order of UTF-16 and of a word of four bytes. */
const PARTS = ["a", "b", "\0", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{1f600}", "http://198.51.100.7/", "\0\0\0\0"];

test("lists in order make one in order, and tell where their texts are in it", () => {
  const random = seededRandom("merged texts");
  for (const lists of [0, 1, 2, 3, 7, 20]) {
    const drawn = Array.from({ length: lists }, () => {
      const texts = Array.from({ length: random.int(60) }, () => Array.from({ length: random.int(5) }, () => PARTS[random.int(PARTS.length)]!).join(""));
      // As JavaScript compares strings: the order of UTF-16.
      return [...new Set(texts)].sort();
    });
    const merger = new TextsMerger();
    for (const list of drawn) expect(merger.add(toTexts(list))).toBe(true);
    const { texts, codes } = merger.finish();
    expect(allTexts(texts)).toEqual([...new Set(drawn.flat())].sort());
    const all = allTexts(texts);
    expect(codes.map(own => Array.from(own, code => all[code]!))).toEqual(drawn);
  }
});

test("texts out of order, and a text twice, are seen", () => {
  for (const wrong of [["b", "a"], ["\ue000", "\u{10000}"], ["abcdefgh", "abcdefg"], ["a\0", "a"]]) expect(new TextsMerger().add(toTexts(wrong))).toBe(false);
  expect(new TextsMerger().add({ size: 2, arena: Uint8Array.of(97, 97), offsets: Int32Array.of(0, 1, 2) })).toBe(false);
});

test("texts that do not begin at the start of all bytes", () => {
  const merger = new TextsMerger();
  merger.add({ size: 2, arena: new TextEncoder().encode("__ab"), offsets: Int32Array.of(2, 3, 4) });
  const { texts } = merger.finish();
  expect([...texts.offsets]).toEqual([0, 1, 2]);
  expect(allTexts(texts)).toEqual(["a", "b"]);
});
