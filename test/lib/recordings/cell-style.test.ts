import { expect, test } from "bun:test";
import { BLACK_LETTER, colorsOf, DIM, ITALIC, PALETTE, STRIKE, type StyledCell, toStyle, UNDERLINE } from "../../../lib/recordings/cell-style.ts";

/** A cell; colours as the model says them. */
function cell(given: { fg?: number; bg?: number; rgb?: number; marks?: readonly string[] } = {}): StyledCell {
  const { fg, bg, rgb, marks = [] } = given;
  const has = (name: string) => (marks.includes(name) ? 1 : 0);
  return {
    isFgRGB: () => rgb !== undefined,
    isFgPalette: () => fg !== undefined,
    getFgColor: () => rgb ?? fg ?? -1,
    isBgRGB: () => false,
    isBgPalette: () => bg !== undefined,
    getBgColor: () => bg ?? -1,
    isBold: () => has("bold"),
    isDim: () => has("dim"),
    isItalic: () => has("italic"),
    isUnderline: () => has("underline"),
    isStrikethrough: () => has("strike"),
    isInverse: () => has("inverse"),
  };
}

test("a plain cell has no style", () => expect(toStyle(cell())).toBe(0));

test("the sixteen colours are themselves, others the nearest of them", () => {
  for (let color = 1; color < 16; color++) expect(colorsOf(toStyle(cell({ fg: color }))).letter).toBe(color + 1);
  expect(colorsOf(toStyle(cell({ fg: 196 }))).letter).toBe(1 + 9);
  expect(colorsOf(toStyle(cell({ fg: 255 }))).letter).toBe(1 + 7);
  expect(colorsOf(toStyle(cell({ rgb: 0x00fe01 }))).letter).toBe(1 + 10);
});

test("marks are bits of their own", () => {
  expect(toStyle(cell({ marks: ["dim", "italic", "underline", "strike"] }))).toBe(DIM | ITALIC | UNDERLINE | STRIKE);
});

test("inverse changes letter and ground", () => {
  expect(colorsOf(toStyle(cell({ marks: ["inverse"] })))).toEqual({ letter: 1, ground: 8 });
});

test("every letter can be read on every ground", () => {
  const channel = (value: number) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = (rgb: number) => 0.2126 * channel((rgb >> 16) / 255) + 0.7152 * channel(((rgb >> 8) & 255) / 255) + 0.0722 * channel((rgb & 255) / 255);
  const colorOf = (code: number) => (code === BLACK_LETTER ? 0 : PALETTE[code - 1]!);
  for (let fg = 0; fg < 16; fg++) {
    for (let bg = 0; bg < 16; bg++) {
      const { letter, ground } = colorsOf(toStyle(cell({ fg, bg })));
      const [a, b] = [light(colorOf(letter)), light(colorOf(ground))];
      expect((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)).toBeGreaterThanOrEqual(4.5);
    }
  }
});
