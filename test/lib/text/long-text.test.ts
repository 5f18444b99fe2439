import { expect, test } from "bun:test";
import { toLongText } from "../../../lib/text/long-text.ts";

test("short texts stay, edges are quoted, what cannot be seen is shown", () => {
  expect(toLongText("uname -a")).toEqual({ text: "uname -a", isLong: false, head: "uname -a" });
  expect(toLongText("").text).toBe('""');
  expect(toLongText(" x").text).toBe('" x"');
  expect(toLongText("a\u001b\u202e\ud800").text).toBe("a\\x1b\\u{202e}\ufffd");
});

test("long texts are folded, endless ones cut, and it says by how much", () => {
  const long = toLongText("y".repeat(1_000_000));
  expect(long.isLong).toBe(true);
  expect(long.head).toHaveLength(240);
  expect(long.text).toEndWith("y … (980,000 more characters)");
});
