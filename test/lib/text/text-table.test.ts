import { describe, expect, test } from "bun:test";
import { formatTable, paint, type TableCell, type TableColumn } from "../../../lib/text/text-table.ts";
import { textWidth } from "../../../lib/text/text.ts";
import { seededRandom } from "../../support/random.ts";

const COLUMNS: TableColumn[] = [{ title: "password" }, { title: "count" }];

const CASES: { name: string; rows: TableCell[][]; width?: number; text: string }[] = [
  { name: "no rows", rows: [], text: "password  count\n" },
  {
    name: "numbers right and grouped, text left",
    rows: [["root", 12345], ["123456", 7]],
    text: "password   count\nroot      12,345\n123456         7\n",
  },
  { name: "wide characters", rows: [["密码密码密码", 1]], text: "password      count\n密码密码密码      1\n" },
  { name: "controls are shown", rows: [["\x1b[2J\n", 1]], text: "password   count\n\\x1b[2J\\n      1\n" },
  {
    name: "nothing, null and a dash differ",
    rows: [["", 1], [null, 2], ["-", null], [" ", 3]],
    text: 'password  count\n""            1\n-             2\n"-"           -\n" "           3\n',
  },
  { name: "a missing cell is null", rows: [["a"]], text: "password  count\na         -\n" },
  { name: "text is cut to the width", rows: [["abcdefghij", 100]], width: 13, text: "passw…  count\nabcde…    100\n" },
  {
    name: "numbers are never cut",
    rows: [["abcdefghij", 1234567]],
    width: 17,
    text: "passw…      count\nabcde…  1,234,567\n",
  },
  { name: "a terminal too narrow for anything", rows: [["abcdefghij", 100]], width: 5, text: "pass…\nabcd…\n" },
];

describe("formatTable", () => {
  test.each(CASES)("$name", ({ rows, width, text }) => expect(formatTable(COLUMNS, rows, { width })).toBe(text));

  test("aligns, limits and rounds as a column asks", () => {
    const columns: TableColumn[] = [
      { title: "a", align: "right" },
      { title: "b", maxWidth: 4 },
      { title: "c", fractionDigits: 1, align: "left" },
    ];
    expect(formatTable(columns, [["xyz", "abcdef", 1.25], ["x", "ab", 1000]])).toBe(
      "  a  b     c\nxyz  abc…  1.3\n  x  ab    1,000.0\n",
    );
  });

  test("colours the titles only, and only when asked", () => {
    expect(formatTable(COLUMNS, [["a", 1]], { color: true })).toBe("\x1b[1mpassword  count\x1b[0m\na             1\n");
  });

  test("no line is wider than the terminal, on random tables", () => {
    const PIECES = ["a", " ", "密", "\x1b", "é", "😀", "longer", "\u202e"];
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const text = () => Array.from({ length: random.int(15) }, () => random.pick(PIECES)).join("");
      const columns = Array.from({ length: random.between(1, 5) }, () => ({ title: text() }));
      const rows = Array.from({ length: random.int(6) }, () =>
        columns.map(() => random.pick<TableCell>([text(), random.int(1e9), null])),
      );
      const width = random.between(1, 90);
      const lines = formatTable(columns, rows, { width }).split("\n");
      expect({ seed, lines: lines.length, tooWide: lines.filter(line => textWidth(line) > width) }).toEqual({
        seed, lines: rows.length + 2, tooWide: [],
      });
    }
  });
});

test("paint() closes what it opens", () => {
  const painted = [paint("a", "dim", true), paint("", "red", true), paint("a", "red", false)];
  expect(painted).toEqual(["\x1b[2ma\x1b[0m", "", "a"]);
});
