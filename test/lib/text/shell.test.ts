import { expect, test } from "bun:test";
import { quoteShell, quoteWord } from "../../../lib/text/shell.ts";
import { HOSTILE_TEXTS } from "../../hostile/texts.ts";
import { run } from "../../support/run.ts";

const words = ["", "plain-1.2:3/x", "it's", "a b", "-x", "$(id)", "`id`", "!!", "a\nb", "\\", "é\u202e", ...HOSTILE_TEXTS]
  // No command line holds NUL, and none a megabyte.
  .filter(word => !word.includes("\0") && word.length < 10_000)
  .map(word => word.toWellFormed());

test("bash reads back what was quoted, whatever it is; nothing runs, and nothing but printable ASCII is seen", async () => {
  const quoted = words.map(quoteShell);
  for (const text of quoted) expect(text).toMatch(/^[\x20-\x7e]+$/);
  const { stdout, stderr } = await run(["bash", "-c", `printf '%s\\0' ${quoted.join(" ")}`]);
  expect(stderr).toBe("");
  expect(stdout.split("\0").slice(0, -1)).toEqual(words);
});

test("what needs no quotes has none", () => {
  expect(["203.0.113.7", "2001:db8::1", "logs/a_b-c.json", "username=root"].map(quoteShell)).toEqual([
    "203.0.113.7",
    "2001:db8::1",
    "logs/a_b-c.json",
    "username=root",
  ]);
});

test("a POSIX shell reads back every word, byte for byte", async () => {
  const { stdout, stderr } = await run(["sh", "-c", `printf '%s\\0' ${words.map(quoteWord).join(" ")}`]);
  expect(stderr).toBe("");
  expect(stdout.split("\0").slice(0, -1)).toEqual(words);
});
