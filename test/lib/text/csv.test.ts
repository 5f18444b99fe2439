import { describe, expect, test } from "bun:test";
import { guardFormula, toCsv, toCsvLine, unguardFormula } from "../../../lib/text/csv.ts";
import { visible } from "../../../lib/text/text.ts";
import { seededRandom } from "../../support/random.ts";

/** RFC 4180 read the obvious way, for tests alone. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[i + 1] === '"') cell += text[++i]!;
      else isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === ",") row.push(cell), (cell = "");
    else if (character === "\n") rows.push([...row, cell]), (row = []), (cell = "");
    else cell += character;
  }
  return rows;
}

const LINES: { name: string; values: Parameters<typeof toCsvLine>[0]; line: string }[] = [
  { name: "no cells", values: [], line: "\n" },
  { name: "plain text and numbers", values: ["root", 5, -5, 1.5, 10n, true], line: "root,5,-5,1.5,10,true\n" },
  { name: "nothing differs from empty text", values: [null, undefined, "", NaN], line: ',,"",\n' },
  { name: "a lone empty cell is still a line", values: [null], line: '""\n' },
  { name: "comma and quote", values: ["a,b", 'say "hi"'], line: '"a,b","say ""hi"""\n' },
  { name: "line ends", values: ["a\nb\r\nc"], line: "a\\nb\\r\\nc\n" },
  { name: "outer blanks are kept", values: [" a "], line: '" a "\n' },
  { name: "equals", values: ["=1+1"], line: "'=1+1\n" },
  { name: "plus, minus, at", values: ["+1", "-1", "@SUM(A1)"], line: "'+1,'-1,'@SUM(A1)\n" },
  { name: "tab and CR", values: ["\tx", "\rx"], line: "\\tx,\\rx\n" },
  { name: "after quotes", values: ['"=1', "'=1"], line: '"\'""=1",\'\'=1\n' },
  { name: "after blanks and controls", values: [" =1", "\0=1", "\ufeff=1"], line: "' =1,\\x00=1,\\u{feff}=1\n" },
  { name: "full width", values: ["＝1"], line: "'＝1\n" },
  { name: "small forms, and the minus of mathematics", values: ["﹢1", "﹣1", "﹦1", "﹫1", "−1"], line: "'﹢1,'﹣1,'﹦1,'﹫1,'−1\n" },
  { name: "after fillers", values: ["\u3164=1", "\u2800@1", "\u115f+1"], line: "\\u{3164}=1,'\u2800@1,\\u{115f}+1\n" },
  { name: "after a line separator", values: ["\u2028=1", "a\u2028=1"], line: "\\u{2028}=1,a\\u{2028}=1\n" },
  { name: "after a semicolon", values: ["a; =1"], line: "\"a;' =1\"\n" },
  { name: "after a line end", values: ["a\n=1"], line: "a\\n=1\n" },
  { name: "what a terminal would obey", values: ["\x1b[2J\x07=1", "=\u202e"], line: "\\x1b[2J\\x07=1,'=\\u{202e}\n" },
  { name: "no formula", values: ["a=1", "a -b", "1-2", "'"], line: "a=1,a -b,1-2,'\n" },
];
describe("toCsvLine", () => {
  test.each(LINES)("$name", ({ values, line }) => expect(toCsvLine(values)).toBe(line));
});

test("toCsv() writes the header first", () => {
  expect(toCsv(["value", "count"], [["a", 2], ["-b", 1]])).toBe("value,count\na,2\n'-b,1\n");
  expect(toCsv(["value"], [])).toBe("value\n");
});

const PIECES = ["=", "+", "-", "@", "'", '"', ";", ",", "\t", "\r", "\n", " ", "a", "1", "\0", "😀", "\ud800", "＝", "﹣", "\u3164", "\u2028"];
const randomText = (seed: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: random.int(12) }, () => random.pick(PIECES)).join("");
};

test("a CSV reader gets every text back, as it is shown everywhere", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const values = [randomText(seed), randomText(-seed), "end"];
    const [row, ...more] = parseCsv(toCsvLine(values));
    expect({ seed, values: row?.map(unguardFormula), more }).toEqual({ seed, values: values.map(visible), more: [] });
  }
});

test("no reading of a line, whatever splits it, has a cell that starts a formula", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const text = randomText(seed);
    const line = toCsvLine(["x", text]);
    const ends = /[;\t\r\n\u2028]/;
    const cells = [guardFormula(text), ...guardFormula(text).split(ends), ...line.split(ends)];
    const formulas = cells.filter(cell => /^["\s\p{C}\p{DI}]*[=+\-@＝﹣]/u.test(cell));
    expect({ seed, text, formulas }).toEqual({ seed, text, formulas: [] });
  }
});

test("no character that becomes a sign starts a cell, whatever blanks stand before it", () => {
  const blanks = ["", "\u3164", "\u2800", "\u2028", "\u00a0", "\ufeff", "\u200b", "\ufe0f"];
  for (let code = 0; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    if (!/^[=+\-@\u2212]/.test(character.normalize("NFKC"))) continue;
    for (const blank of blanks) {
      const text = `${blank}${character}1+1`;
      expect(guardFormula(text)).toBe(`'${blank}${blank === "\u2028" ? "'" : ""}${character}1+1`);
      expect(unguardFormula(guardFormula(text))).toBe(text);
    }
  }
});

test("a megabyte of blanks costs no more than its length", () => {
  // Work that grows with the square would not end.
  for (const text of ["\n".repeat(1e6), "'".repeat(1e6), ";\t ".repeat(3e5)]) {
    expect(unguardFormula(guardFormula(`${text}x`))).toBe(`${text}x`);
  }
});
