import { describe, expect, test } from "bun:test";
import { clipApart, clipColumns, clipEnd, clipMiddle, cutLong } from "../../../lib/text/cut.ts";

describe("cutting", () => {
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

  test.each([
    ["ls -la", 6, "ls -la"],
    ["ls -la /", 6, "ls -l…"],
    ["密码", 4, "密码"],
    ["密码", 3, "密…"],
    ["a密码", 4, "a密…"],
    ["密码密码", 4, "密…"],
  ] as const)("clipColumns(%p, %p) is %p", (text, n, clipped) => {
    expect(clipColumns(text, n)).toBe(clipped);
  });

  test("cutLong() says how long a text was", () => {
    expect(cutLong("x".repeat(2000))).toBe("x".repeat(2000));
    expect(cutLong("x".repeat(2001))).toBe(`${"x".repeat(1999)}… [first 2000 of 2001 characters]`);
  });
});
