import { expect, test } from "bun:test";
import { parseSensorAliases, readSensorAliases, sensorNamer } from "../../../lib/events/sensor-aliases.ts";

test("one OLD=NEW a line; comments, blank lines, spaces and CR do not count", () => {
  const text = "# comment\r\n\r\n a = b \r\n=named\nc=d=e\n__proto__=constructor\n  # more\nlast=one";
  expect(Object.entries(parseSensorAliases(text, "f"))).toEqual([
    ["a", "b"],
    ["", "named"],
    ["c", "d=e"],
    ["__proto__", "constructor"],
    ["last", "one"],
  ]);
  expect(parseSensorAliases("", "f")).toEqual({});
});

test("a comment may stand behind a name; a # within one is a part of it", () => {
  const text = "a=b # the old one\nc=d#2\ne=f\t#\ng = two words  # why";
  expect(parseSensorAliases(text, "f")).toEqual({ a: "b", c: "d#2", e: "f", g: "two words" });
});

test("* and ? stand for any text and any character; a name as it stands goes first, then the first pattern", () => {
  const nameOf = sensorNamer(parseSensorAliases("hp-?=one\nhp-*=many\nhp-x=itself\n*lab=lab", "f"));
  expect(["hp-1", "hp-12", "hp-x", "hp-lab", "mylab", "", "other"].map(nameOf)).toEqual([
    "one",
    "many",
    "itself",
    "many",
    "lab",
    "",
    "other",
  ]);
  expect(sensorNamer({ "?*": "named" })("")).toBe("");
  expect(sensorNamer({ "*": "all" })("")).toBe("all");
  expect(sensorNamer()("a")).toBe("a");
});

test.each([
  ["a", 'Cannot read line 1 of "f": expected OLD=NEW, found "a"'],
  ["a= # nothing", 'Cannot read line 1 of "f": expected OLD=NEW, found "a= # nothing"'],
  ["a=b\nb=", 'Cannot read line 2 of "f": expected OLD=NEW, found "b="'],
  ["a=b\na=c", 'Cannot read line 2 of "f": sensor "a" is renamed twice'],
  ["\u001b[2J", 'Cannot read line 1 of "f": expected OLD=NEW, found "\\x1b[2J"'],
])("%p is told with its line", (text, message) => {
  expect(() => parseSensorAliases(text, "f")).toThrow(new SyntaxError(message));
});

test("a file that is not there", async () => {
  await expect(readSensorAliases("/nowhere/aliases")).rejects.toThrow(
    'Cannot read "/nowhere/aliases": no such file or folder',
  );
});
