import { describe, expect, test } from "bun:test";
import { allTexts, codesWith, Dictionary, textOf, toTexts } from "../../../lib/columns/dictionary.ts";
import { groupRows, sortedRows, take } from "../../../lib/columns/group.ts";
import { keepUsedTexts } from "../../../lib/columns/pick-texts.ts";
import { LineSet } from "../../../lib/logs/distinct-lines.ts";
import { seededRandom } from "../../support/random.ts";

describe("Dictionary", () => {
  test("equal bytes get equal codes, in order of first sight, like a Map", () => {
    const random = seededRandom("dictionary");
    const dictionary = new Dictionary();
    const map = new Map<string, number>();
    const pool = Array.from({ length: 5000 }, (_, i) => {
      const text = random.pick(["", "a", "é", "\ud83d\ude00", "\0", "x".repeat(500), "y".repeat(3000)]);
      return `${text}${random.chance(0.5) ? i % 1500 : ""}`;
    });
    const buffer = Buffer.alloc(8192);
    for (let i = 0; i < 20_000; i++) {
      const text = random.pick(pool);
      const at = random.int(9);
      const end = at + buffer.write(text, at);
      expect(dictionary.find(buffer, at, end)).toBe(map.get(text) ?? -1);
      if (!map.has(text)) map.set(text, map.size);
      const code = random.chance(0.5) ? dictionary.intern(buffer, at, end) : dictionary.internText(text);
      if (code !== map.get(text)) expect({ text, code }).toEqual({ text, code: map.get(text)! });
    }
    expect(dictionary.size).toBe(map.size);
    expect(dictionary.texts()).toEqual([...map.keys()]);
    expect(allTexts(dictionary)).toEqual([...map.keys()]);
    for (const [text, code] of map) if (textOf(dictionary, code) !== text) expect({ code }).toEqual({ code: -1 });
  });

  test("lone surrogates become U+FFFD, a byte order mark stays", () => {
    const dictionary = new Dictionary();
    expect([
      dictionary.internText("\ud800"),
      dictionary.internText("\ufffd"),
      dictionary.internText("\uFEFFa"),
    ]).toEqual([0, 0, 1]);
    expect(dictionary.texts()).toEqual(["\ufffd", "\uFEFFa"]);
  });
});

test("codesWith() finds texts that hold a word, not where one text ends with half of it and the next begins with the other", () => {
  const texts = toTexts(["AAA", "A", "xAAAA", "", "AAAAAAAA AAAA", "f\u00fcnf AAAA", "AAAB"]);
  expect([...codesWith(texts, "AAAA")]).toEqual([2, 4, 5]);
  expect(codesWith(toTexts([]), "AAAA")).toHaveLength(0);
});

test("keepUsedTexts() leaves out what no column has, and none for no value", () => {
  const dictionary = new Dictionary();
  for (const text of ["zero", "one", "", "three", "f\u00fcnf"]) dictionary.internText(text);
  const columns = [Int32Array.of(4, -1, 2), Int32Array.of(2, 1, 4), new Int32Array(0)];
  expect([...allTexts(keepUsedTexts(dictionary, columns))]).toEqual(["f\u00fcnf", "", "one"]);
  expect(columns).toEqual([Int32Array.of(0, -1, 1), Int32Array.of(1, 2, 0), new Int32Array(0)]);
});

describe("groups and order", () => {
  const random = seededRandom("group");
  for (const [rows, spread] of [
    [0, 1],
    [1, 1],
    [1000, 3],
    [20_000, 50],
    [5000, 1_000_000],
  ] as const) {
    const columns = Array.from({ length: 3 }, () =>
      Int32Array.from({ length: rows }, () => random.int(spread + 1) - 1),
    );
    const keyOf = (row: number) => columns.map(column => column[row]).join();

    test(`${rows} rows of ${spread} values: grouped as by a Map`, () => {
      const { size, groupOf, firstRow } = groupRows(columns, rows);
      const map = new Map<string, { group: number; row: number }>();
      for (let row = 0; row < rows; row++) if (!map.has(keyOf(row))) map.set(keyOf(row), { group: map.size, row });
      expect(size).toBe(map.size);
      expect([...firstRow]).toEqual([...map.values()].map(({ row }) => row));
      expect([...groupOf]).toEqual(Array.from({ length: rows }, (_, row) => map.get(keyOf(row))!.group));
    });

    test(`${rows} rows of ${spread} values: sorted, equal rows in their order`, () => {
      const expected = Array.from({ length: rows }, (_, row) => row).sort((a, b) => {
        for (const column of columns) if (column[a] !== column[b]) return column[a]! - column[b]!;
        return a - b;
      });
      expect([...sortedRows(columns, rows)]).toEqual(expected);
    });
  }

  test("values around the edges of 16 bits", () => {
    const column = Int32Array.of(65_536, 65_535, -1, 65_534, 0x7fff_fffe, 131_071, 0, 131_072);
    expect([...take(column, sortedRows([column], column.length))]).toEqual([...column].sort((a, b) => a - b));
  });
});

test("LineSet knows lines by hash and time, as a Set does", () => {
  const random = seededRandom("line set");
  const lines = new LineSet();
  const known = new Set<string>();
  for (let i = 0; i < 120_000; i++) {
    const [hash, us] = [random.int(400) * 2 ** 40 + random.int(3), 1.7e15 + random.int(600)];
    if (lines.has(hash, us) !== known.has(`${hash} ${us}`)) expect({ hash, us }).toBeUndefined();
    lines.add(hash, us);
    known.add(`${hash} ${us}`);
  }
  expect(lines.size).toBe(known.size);
  // One line that holds an array of very many events.
  for (let us = 0; us < 300_000; us++) lines.add(2 ** 50, 1.7e15 + us);
  expect(lines.size).toBe(known.size + 300_000);
});
