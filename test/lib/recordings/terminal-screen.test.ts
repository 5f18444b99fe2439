import { describe, expect, test } from "bun:test";
import { BOLD, colorsOf } from "../../../lib/recordings/cell-style.ts";
import { DEFAULT_SIZE, SIZE_MOST, toScreenSize } from "../../../lib/recordings/screen-size.ts";
import { TerminalScreen } from "../../../lib/recordings/terminal-screen.ts";
import { seededRandom } from "../../support/random.ts";

const SMALL = { columns: 20, rows: 4 };

/** What a screen holds after some output. */
async function show(output: string | Uint8Array, { isExec = false, size = SMALL } = {}) {
  using screen = new TerminalScreen(size, isExec);
  await screen.write(typeof output === "string" ? new TextEncoder().encode(output) : output);
  return { rows: screen.rows(), texts: screen.rows().map(row => row.map(({ text }) => text).join("")), transcript: screen.transcript(), cursor: screen.cursor() };
}

describe("TerminalScreen", () => {
  test("shows letters where the sequences put them", async () => {
    const { texts, cursor } = await show("one\x1b[3;5Htwo\r\nthree\x1b[1;1H\x1b[Kfour");
    expect(texts).toEqual(["four", "", "    two", "three"]);
    expect(cursor).toEqual({ column: 4, row: 0 });
  });

  test("tells colours and marks as runs", async () => {
    const { rows } = await show("a\x1b[1;31mred\x1b[0mb");
    expect(rows[0]!.map(({ text }) => text)).toEqual(["a", "red", "b"]);
    expect(rows[0]![1]!.style & BOLD).toBe(BOLD);
    expect(colorsOf(rows[0]![1]!.style)).toEqual({ letter: 2, ground: 0 });
    expect(rows[0]![0]!.style).toBe(0);
  });

  test("a command's bare line feeds go back to the left, a terminal's do not", async () => {
    expect((await show("a\nb", { isExec: true })).texts.slice(0, 2)).toEqual(["a", "b"]);
    expect((await show("a\nb")).texts.slice(0, 2)).toEqual(["a", " b"]);
  });

  test("nothing that cannot be seen, or moves a cursor, comes out of it", async () => {
    const { texts, transcript } = await show("a\u202eb\x1b]0;title\x07c\x1b[5n\x1b]52;c;AAAA\x07d\x9b31me\u200b\r\n<b>\x1bP1$r\x1b\\");
    expect([...texts, ...transcript].join("")).not.toMatch(/[\0-\x1f\x7f-\x9f\u202e\u200b]/);
    expect(texts[1]).toBe("<b>");
  });

  test("letters of two columns, and marks without end on one letter", async () => {
    const { rows, texts } = await show(`密码x${"\u0301".repeat(5000)}y`);
    expect(texts[0]!.startsWith("密码x")).toBe(true);
    expect(texts[0]!.endsWith("y")).toBe(true);
    expect(rows[0]![0]!.text.length).toBeLessThan(120);
  });

  test("what is hidden by its colour is seen", async () => {
    const { rows } = await show("\x1b[30;40mhidden\x1b[0m \x1b[8msecret");
    const { letter, ground } = colorsOf(rows[0]![0]!.style);
    expect(rows[0]![0]!.text).toBe("hidden");
    expect(letter).not.toBe(ground);
    // Concealed by its own mark, as passwords are: blank on a terminal as well.
    expect(rows[0]!.map(({ text }) => text).join("")).not.toContain("secret");
  });
});

describe("transcript", () => {
  test("has what scrolled away, and lines broken at the edge as one", async () => {
    const { transcript } = await show(`${Array.from({ length: 9 }, (_, i) => `line ${i}`).join("\r\n")}\r\n${"x".repeat(30)}`);
    expect(transcript).toEqual([...Array.from({ length: 9 }, (_, i) => `line ${i}`), "x".repeat(30)]);
  });

  test("has what was cleared, by whichever sequence", async () => {
    for (const clear of ["\x1b[2J\x1b[H", "\x1b[H\x1b[J", "\x1b[H\x1b[2J\x1b[3J", "\x1bc"]) {
      const { transcript, texts } = await show(`before\r\n${clear}after`);
      expect(transcript.filter(line => line !== "")).toEqual(["before", "after"]);
      expect(texts[0]).toBe("after");
    }
  });

  test("has what stood on the second screen when it was left", async () => {
    const { transcript } = await show("shell\r\n\x1b[?1049h\x1b[Heditor\x1b[?1049lback");
    expect(transcript).toEqual(["editor", "shell", "back"]);
  });
});

describe("hostile output", () => {
  test("numbers inside sequences do not keep the model busy", async () => {
    const finals = ["L", "M", "S", "T", "I", "Z", "@", "P", "X", "b", "A", "B", "C", "D", "G", "H", "d"];
    for (const final of finals) {
      const { texts } = await show(`kept\x1b[2147483647${final}`);
      expect(texts).toHaveLength(SMALL.rows);
    }
    // A million small ones cost no more than a few large ones.
    const { texts } = await show(`\x1b[20L`.repeat(400_000));
    expect(texts).toHaveLength(SMALL.rows);
  });

  test("any bytes give a screen of its size, and none that a terminal obeys", async () => {
    const random = seededRandom(11);
    const pieces = ["\x1b[", "\x1b]", "\x1bP", "\x1b", ";", "?", "1049h", "2J", "38;5;", "48;2;1;2;3m", "m", "\x9b", "é", "密", "\r\n", "\b", "\t", "abc", "\x07", "\x1b\\", "9999999"];
    for (let round = 0; round < 300; round++) {
      const output = Array.from({ length: 60 }, () => (random.chance(0.1) ? String.fromCharCode(random.int(256)) : pieces[random.int(pieces.length)]!)).join("");
      const { rows, transcript } = await show(Buffer.from(output, random.chance(0.5) ? "utf8" : "latin1"));
      expect(rows).toHaveLength(SMALL.rows);
      expect([...rows.flat().map(({ text }) => text), ...transcript].join("")).not.toMatch(/[\0-\x1f\x7f-\x9f]/);
    }
  });
});

test("toScreenSize keeps to what is drawn", () => {
  expect(toScreenSize(undefined, undefined)).toEqual(DEFAULT_SIZE);
  expect(toScreenSize(0, -3)).toEqual(DEFAULT_SIZE);
  expect(toScreenSize(1e9, 1e9)).toEqual(SIZE_MOST);
  expect(toScreenSize(3, 1)).toEqual({ columns: 20, rows: 4 });
  expect(toScreenSize(132, 43)).toEqual({ columns: 132, rows: 43 });
});
