import { expect, test } from "bun:test";
import { toChange, toShort } from "../../../lib/text/labels.ts";

test.each([
  [0, "0"],
  [1, "1"],
  [9.94, "9.9"],
  [999, "999"],
  [1000, "1k"],
  [1250, "1.3k"],
  [9949, "9.9k"],
  [9951, "10k"],
  [999_400, "999k"],
  [999_600, "1M"],
  [12_345_678, "12M"],
  [2e9, "2G"],
] as const)("toShort(%p) is %p", (n, text) => {
  expect(toShort(n)).toBe(text);
});

test.each([
  [0, "±0 %"],
  [0.0004, "±0 %"],
  [0.123, "+12.3 %"],
  [-0.5, "−50 %"],
  [-1, "−100 %"],
  [12.345, "+1,235 %"],
] as const)("toChange(%p) is %p", (change, text) => {
  expect(toChange(change)).toBe(text);
});
