import { describe, expect, test } from "bun:test";
import { parseReducedJson } from "../../../lib/reduced/cut-counts.ts";
import { DAY_US } from "../../../lib/text/time.ts";

const read = (value: unknown) => {
  const notices: string[] = [];
  const table = parseReducedJson("x.json", new TextEncoder().encode(JSON.stringify(value)), line => notices.push(line));
  return { table, notices };
};
const DAY = Date.parse("2021-05-03") / 86_400_000;
const login = { username: "root", password: "1", count: 3 };

describe("parseReducedJson", () => {
  test("a file of one day spans that day to its last microsecond", () => {
    const { table } = read([{ date: "2021-05-03", sensor: "hp", passwords: [login] }]);
    const [source] = table.info.sources;
    expect(source).toMatchObject({ cut: true, firstSeenUs: DAY * DAY_US, lastSeenUs: (DAY + 1) * DAY_US - 1 });
    const { rows, day, count, firstSeenUs, lastSeenUs } = table.kinds.login;
    expect([rows, day[0], count[0], firstSeenUs[0], lastSeenUs[0]]).toEqual([
      1,
      DAY,
      3,
      DAY * DAY_US,
      (DAY + 1) * DAY_US - 1,
    ]);
  });

  test("days in any order span from the first to the last", () => {
    const days = ["2021-05-04", "2021-05-02", "2021-05-03"].map(date => ({ date, sensor: "hp", passwords: [login] }));
    const [source] = read(days).table.info.sources;
    expect([source!.firstSeenUs! / DAY_US - DAY, (source!.lastSeenUs! + 1) / DAY_US - DAY]).toEqual([-1, 2]);
  });

  test("entries of unknown kinds are left out with their number, over the whole file", () => {
    const object = { date: "2021-05-03", sensor: "hp", novel: [1, 2], "odd\u001b": [{}], passwords: [login] };
    const { table, notices } = read([object, { ...object, date: "2021-05-04" }]);
    expect(notices).toEqual([
      '"x.json": left out 4 entries of "novel", which is no known kind',
      '"x.json": left out 2 entries of "odd\\x1b", which is no known kind',
    ]);
    expect(table.kinds.login.rows).toBe(2);
  });

  test("of a file without an object nothing is known, not even a time", () => {
    const [source] = read([]).table.info.sources;
    expect(source).not.toHaveProperty("firstSeenUs");
  });

  test.each([
    ["no list", {}, "it holds no list"],
    ["a number in the list", [17], "it holds \"17\""],
    ["no date", [{ sensor: "hp" }], "its date is missing"],
    ["a date that is none", [{ date: "2021-02-30", sensor: "hp" }], "its date is"],
    ["a kind that is no list", [{ date: "2021-05-03", passwords: {} }], "is \"{}\", expected a list"],
    ["a count of a half", [{ date: "2021-05-03", passwords: [{ ...login, count: 0.5 }] }], "count is \"0.5\""],
    ["more accepted than tried", [{ date: "2021-05-03", passwords: [{ ...login, success: 4 }] }], "success is \"4\""],
    ["a port of 65536", [{ date: "2021-05-03", connect: [{ src_ip: "1", dst_port: 65_536, count: 1 }] }], "dst_port is"],
  ])("refuses %s", (_, value, message) => {
    expect(() => read(value)).toThrow(message);
  });
});
