import { describe, expect, test } from "bun:test";
import { isJson, readRecords } from "../../../lib/events/records.ts";
import { readBack } from "../../support/tables.ts";

const event = (id = "x") => `{"eventid":"${id}","timestamp":"2024-01-31T10:00:00Z"}`;
const E = event();

/** [ids of the events, sound, rejected] */
function outcome(line: string, first = false): [string[], boolean, number] {
  const { events, sound, rejected } = readRecords(line, first);
  return [events.map(({ eventid }) => eventid as string), sound, rejected];
}

describe("readRecords", () => {
  const table: [name: string, line: string, expected: [string[], boolean, number]][] = [
    ["an event", E, [["x"], true, 0]],
    ["an event with white space of JSON round it", ` \t${E} \r`, [["x"], true, 0]],
    ["an empty line", "", [[], true, 0]],
    ["a blank line", " \t\r", [[], true, 0]],
    ["a line of NULs", "\0\0\0", [[], true, 0]],
    ["NULs and blanks mixed", "\0 \0\t\r", [[], true, 0]],
    ["a no-break space is no blank", "\u00a0", [[], true, 1]],
    ["an array", `[${event("a")},${event("b")}]`, [["a", "b"], true, 0]],
    ["an array with other things", `[17,${event("a")},{}]`, [["a"], true, 2]],
    ["an empty array", "[]", [[], true, 1]],
    ["an array in an array is no event", `[[${E}]]`, [[], true, 1]],
    ["NULs before an event", `\0\0${E}`, [["x"], false, 0]],
    ["NULs between blanks before an event", ` \0 ${E}`, [["x"], false, 0]],
    ["NULs before an array", `\0[${event("a")},1]`, [["a"], false, 1]],
    ["NULs before garbage", "\0\0garbage", [[], true, 1]],
    ["a torn object before a whole one", `{"eventid":"torn","timest${E}`, [["x"], false, 0]],
    ["a torn object that ends in a string", `{"eventid":"torn","input":"{\\"a${E}`, [["x"], false, 0]],
    [
      "an escaped quote before a brace, behind a torn object",
      `{"eventid":"torn","inp{"input":"say \\"}","eventid":"x","timestamp":"2024-01-31T10:00:00Z"}`,
      [["x"], false, 0],
    ],
    ["two whole ones glued", event("a") + event("b"), [["a", "b"], false, 0]],
    ["whole, torn, whole", `${event("a")}{"eventid":"t${event("b")}`, [["a", "b"], false, 0]],
    ["a prefix of syslog", `Jan 31 10:00:00 host cowrie: ${E}`, [["x"], false, 0]],
    ["a tab behind the brace", `torn{\t"eventid":"x","timestamp":"2024-01-31T10:00:00Z"}`, [["x"], false, 0]],
    ["an event within a torn one", `{"outer":${E}`, [["x"], false, 0]],
    ["Docker's wrapper", JSON.stringify({ log: `${E}\n`, stream: "stdout" }), [["x"], false, 0]],
    ["Docker's wrapper round other text", JSON.stringify({ log: "hello\n" }), [[], true, 1]],
    ["an event with a key log", `{"log":"{}","eventid":"x","timestamp":"2024-01-31T10:00:00Z"}`, [["x"], true, 0]],
    ["no eventid", `{"timestamp":"2024-01-31T10:00:00Z"}`, [[], true, 1]],
    ["an eventid that is no text", `{"eventid":1,"timestamp":"2024-01-31T10:00:00Z"}`, [[], true, 1]],
    ["no timestamp", `{"eventid":"x"}`, [[], true, 1]],
    ["a timestamp that is none", `{"eventid":"x","timestamp":"now"}`, [[], true, 1]],
    ["a timestamp that is a number", `{"eventid":"x","timestamp":1706695200}`, [[], true, 1]],
    ["fields by way of __proto__ do not count", `{"__proto__":${E}}`, [[], true, 1]],
    ["null", "null", [[], true, 1]],
    ["a number", "17", [[], true, 1]],
    ["half an object", `{"eventid":"x"`, [[], true, 1]],
  ];
  test.each(table)("%s", (_, line, expected) => {
    expect(outcome(line)).toEqual(expected);
  });

  test("a byte order mark counts for nothing in the first line, and for text in others", () => {
    expect(outcome(`\uFEFF${E}`, true)).toEqual([["x"], true, 0]);
    expect(outcome(`\uFEFF${E}`)).toEqual([["x"], false, 0]);
    expect(outcome("\uFEFF", true)).toEqual([[], true, 0]);
  });

  test("garbage of braces costs no square of its length", () => {
    const line = '{"'.repeat(500_000);
    const startMs = performance.now();
    expect(outcome(line)).toEqual([[], true, 1]);
    // Seconds even on a slow machine; the square would be hours.
    expect(performance.now() - startMs).toBeLessThan(60_000);
  });

  test("isJson", () => {
    expect([isJson("{}"), isJson(" 1 "), isJson("{"), isJson("")]).toEqual([true, true, false, false]);
  });
});

describe("nesting", () => {
  const deep = (depth: number, open: string, close: string) =>
    `{"eventid":"deep","timestamp":"2024-01-31T10:00:00Z","a":${open.repeat(depth)}1${close.repeat(depth)}}\n`;
  for (const depth of [31, 32, 33, 255, 256, 1000, 100_000, 2_000_000]) {
    const expected = depth < 256 ? { events: 2, rejected: 0 } : { events: 1, rejected: 1 };
    test.each([
      ["[", "]"],
      ['{"a":', "}"],
    ])(`${depth} times %s gives ${expected.events - 1} events`, async (open, close) => {
      const { source } = await readBack(`${deep(depth, open, close)}${E}\n`);
      expect(source.counts).toEqual({ lines: 2, repaired: 0, pending: 0, ...expected });
    });
  }
});
