import { describe, expect, test } from "bun:test";
import { ellipsize, errorReason, quoteForMessage, textWidth, toSafeJson, visible, wrapText } from "../../../lib/text/text.ts";
import { seededRandom } from "../../support/random.ts";

const VISIBLE: { name: string; text: string; shown: string }[] = [
  { name: "nothing", text: "", shown: "" },
  { name: "plain ASCII", text: "wget http://a/b; sh ~", shown: "wget http://a/b; sh ~" },
  { name: "letters of the world", text: "naïve 密码 пароль 😀", shown: "naïve 密码 пароль 😀" },
  { name: "a backslash is left alone", text: "\\x1b", shown: "\\x1b" },
  { name: "line ends and tab", text: "a\nb\rc\td", shown: "a\\nb\\rc\\td" },
  { name: "NUL, bell, escape, DEL", text: "\0\x07\x1b[2J\x7f", shown: "\\x00\\x07\\x1b[2J\\x7f" },
  { name: "C1: one-byte CSI and next line", text: "\x9b31m\x85", shown: "\\x9b31m\\x85" },
  { name: "bidi override and isolate", text: "\u202etxt.exe\u2066", shown: "\\u{202e}txt.exe\\u{2066}" },
  { name: "zero width, soft hyphen, BOM", text: "\u200ba\xadb\ufeff", shown: "\\u{200b}a\\xadb\\u{feff}" },
  { name: "line and paragraph separator", text: "\u2028\u2029", shown: "\\u{2028}\\u{2029}" },
  { name: "tags", text: "\u{e0041}", shown: "\\u{e0041}" },
  { name: "lone surrogates", text: "\ud800a\udc00", shown: "\\u{d800}a\\u{dc00}" },
  { name: "blank letters", text: "\u3164\u115f\uffa0", shown: "\\u{3164}\\u{115f}\\u{ffa0}" },
  { name: "private and unassigned", text: "\ue000\u0378", shown: "\\u{e000}\\u{378}" },
  { name: "a mark with nothing to stand on", text: "\u0301a", shown: "\\u{301}a" },
  { name: "a mark after an escape", text: "\n\u0301", shown: "\\n\\u{301}" },
  { name: "three marks, not four", text: "a\u0301\u0302\u0303\u0304", shown: "a\u0301\u0302\u0303\\u{304}" },
];

describe("visible", () => {
  test.each(VISIBLE)("$name", ({ text, shown }) => expect(visible(text)).toBe(shown));

  test("leaves nothing a terminal obeys, on random text, and changes nothing the second time", () => {
    const OBEYED = /[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\p{Cs}]/u;
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed);
      const text = Array.from({ length: 50 }, () =>
        String.fromCharCode(random.chance(0.3) ? random.int(0xa0) : random.int(0x10000)),
      ).join("");
      const shown = visible(text);
      expect({ seed, obeyed: OBEYED.test(shown), again: visible(shown) === shown }).toEqual({
        seed, obeyed: false, again: true,
      });
    }
  });
});

const CUTS: { text: string; columns: number; cut: string }[] = [
  { text: "", columns: 1, cut: "" },
  { text: "abc", columns: 3, cut: "abc" },
  { text: "abcd", columns: 3, cut: "ab…" },
  { text: "abcd", columns: 1, cut: "…" },
  { text: "密码密码", columns: 8, cut: "密码密码" },
  { text: "密码密码", columns: 7, cut: "密码密…" },
  { text: "密码密码", columns: 6, cut: "密码…" },
  { text: "密", columns: 1, cut: "…" },
  { text: "ae\u0301o", columns: 3, cut: "ae\u0301o" },
  { text: "ae\u0301ou", columns: 3, cut: "ae\u0301…" },
  { text: "a😀b", columns: 3, cut: "a…" },
];

describe("ellipsize", () => {
  test.each(CUTS)("$text to $columns columns", ({ text, columns, cut }) => expect(ellipsize(text, columns)).toBe(cut));

  test("never exceeds the columns, and cuts only what is too wide", () => {
    const ALPHABET = ["a", "B", " ", "密", "é", "e\u0301", "😀", "ﬁ", "ㅏ", "\u1100", "🇩🇪"];
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const text = visible(Array.from({ length: random.int(20) }, () => random.pick(ALPHABET)).join(""));
      const columns = random.between(1, 20);
      const cut = ellipsize(text, columns);
      expect({ seed, fits: textWidth(cut) <= columns }).toEqual({ seed, fits: true });
      expect({ seed, isWhole: cut === text }).toEqual({ seed, isWhole: textWidth(text) <= columns });
    }
  });

  test("does not print a grapheme without end", () => {
    expect(ellipsize(`a${"\u1100".repeat(100_000)}`, 40)).toBe("a…");
  });

  test("refuses to cut to nothing", () => {
    expect(() => ellipsize("a", 0)).toThrow(
      new RangeError("Cannot cut text to 0 columns: expected a whole number >= 1"),
    );
  });
});

test("quoteForMessage() quotes, escapes, and cuts at 80 columns", () => {
  expect(quoteForMessage('say "hi"\n')).toBe('"say \\"hi\\"\\n"');
  expect(quoteForMessage("x".repeat(5_000_000))).toBe(`"${"x".repeat(79)}…"`);
  expect(quoteForMessage("\x1b".repeat(1000))).toBe(`"${"\\x1b".repeat(19)}\\x1…"`);
});

test("toSafeJson() shows nothing to a terminal and loses nothing", () => {
  const value = { "\u202e": ["\x9b\x7f\u2028\ud800\u{e0041}", "é密😀", null, 1] };
  const json = toSafeJson(value);
  expect(json).toBe('{"\\u202e":["\\u009b\\u007f\\u2028\\ud800\\udb40\\udc41","é密😀",null,1]}');
  expect(JSON.parse(json)).toEqual(value);
});

test("errorReason() says what a system error means, and passes others on", () => {
  expect(errorReason(Object.assign(new Error("ENOSPC: write"), { code: "ENOSPC" }))).toBe("no space left on the disk");
  expect(errorReason(new Error("boom"))).toBe("boom");
  expect(errorReason("thrown text")).toBe("thrown text");
});

test("wrapText() breaks at spaces and leaves long words whole", () => {
  expect(wrapText("one two  three\nfour", 8)).toEqual(["one two", "three", "four"]);
  expect(wrapText("a veryverylongword b", 8)).toEqual(["a", "veryverylongword", "b"]);
  expect(wrapText("", 8)).toEqual([]);
  // A number and its "%" are one word.
  expect(wrapText("61 of 63 logins (96.8 %)", 21)).toEqual(["61 of 63 logins", "(96.8 %)"]);
});
