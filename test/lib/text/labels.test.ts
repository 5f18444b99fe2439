import { describe, expect, test } from "bun:test";
import { clipApart, clipEnd, clipMiddle, toChange, toShort } from "../../../lib/text/labels.ts";

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

describe("clipping", () => {
  test.each([
    ["short", 5, "short"],
    ["longer", 5, "long…"],
    ["😀😀😀", 3, "😀😀😀"],
    ["😀😀😀😀", 3, "😀😀…"],
  ] as const)("clipEnd(%p, %p) is %p", (text, n, clipped) => {
    expect(clipEnd(text, n)).toBe(clipped);
    expect(clipEnd(text, n).isWellFormed()).toBe(true);
  });

  test("clipApart() tells apart what would be cut alike, and changes nothing else", () => {
    const names = ["honeypot-frankfurt-rack-1-blue-07", "honeypot-frankfurt-rack-2-blue-07", "honeypot-frankfurt-rack-2-grey-07", "ams"];
    const labels = clipApart(names, 16);
    expect(new Set(labels).size).toBe(4);
    expect(labels.every(label => label.length <= 16)).toBe(true);
    expect(labels[0]).toContain("-1-");
    expect(labels[3]).toBe("ams");
    expect(clipApart(["a".repeat(40), "a".repeat(40)], 9)[0]).toBe(clipApart(["a".repeat(40)], 9)[0]!);
    expect(clipApart(["honeypot-frankfurt-07"], 12)).toEqual(["honeypot…-07"]);
    expect(new Set(clipApart(["x".repeat(30), "x".repeat(31), "x".repeat(32)], 8)).size).toBe(3);
  });

  test("clipMiddle() keeps both ends", () => {
    expect(clipMiddle("honeypot-frankfurt-07", 12)).toBe("honeypot…-07");
  });
});
