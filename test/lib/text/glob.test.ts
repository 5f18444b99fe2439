import { expect, test } from "bun:test";
import { isGlob, matchesGlob, unescapeGlob } from "../../../lib/text/glob.ts";
import { Random } from "../../support/random.ts";

test.each([
  ["a*", true, "a*"],
  ["a?b", true, "a?b"],
  ["a\\*", false, "a*"],
  ["a\\?\\\\", false, "a?\\"],
  ["a\\b", false, "a\\b"],
  ["\\\\*", true, "\\*"],
  ["", false, ""],
])("%p: a pattern %p, else the text %p", (pattern, is, text) => {
  expect([isGlob(pattern), unescapeGlob(pattern)]).toEqual([is, text]);
});

/** The obvious way: by trying each part of the text for each `*`. */
function matchesPlainly(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*") return Array.from({ length: text.length + 1 }, (_, i) => i).some(i => matchesPlainly(pattern.slice(1), text.slice(i)));
  const isEscaped = /^\\[\\*?]/.test(pattern);
  const wanted = isEscaped ? pattern[1]! : pattern[0]!;
  return text !== "" && ((wanted === "?" && !isEscaped) || wanted === text[0]) && matchesPlainly(pattern.slice(isEscaped ? 2 : 1), text.slice(1));
}

test("matches what trying everything matches", () => {
  const random = new Random("globs");
  const draw = (letters: string, most: number) => Array.from({ length: random.int(most) }, () => letters[random.int(letters.length)]).join("");
  let matched = 0;
  for (let i = 0; i < 20_000; i++) {
    const [pattern, text] = [draw("ab*?\\", 7), draw("ab*\\", 7)];
    const expected = matchesPlainly(pattern, text);
    matched += Number(expected);
    expect([pattern, text, matchesGlob(pattern, text)]).toEqual([pattern, text, expected]);
  }
  expect(matched).toBeGreaterThan(500);
});
