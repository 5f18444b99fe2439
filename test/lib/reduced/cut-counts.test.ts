/** Counts that were cut before we saw them: how they are read, and that what they do not say is said as not known. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseReducedJson } from "../../../lib/reduced/cut-counts.ts";
import { DAY_US } from "../../../lib/text/time.ts";
import { makeTempDir, runScript } from "../../support/run.ts";

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

const toLogin = (success?: number) => ({ username: "root", password: "1234", count: 50, ...(success === undefined ? {} : { success }) });
const dayOf = (n: number, success?: number) => ({
  date: `2021-03-${String(n).padStart(2, "0")}`,
  sensor: "hp",
  passwords: [toLogin(success)],
  connect: [
    { src_ip: "192.0.2.1", dst_port: 22, count: 9 },
    { src_ip: "192.0.2.2", dst_port: 22, count: 8 },
  ],
  commands: [{ input: "ls", count: 3 }],
  file_download: [{ url: "http://x/", outfile: "a/" + "0".repeat(64), count: 2 }],
});
const days = (success?: number) => Array.from({ length: 20 }, (_, i) => dayOf(i + 1, success));

test("whether a file says which logins were accepted is kept with its source", () => {
  expect(read(days()).table.info.sources[0]).toMatchObject({ cut: true, lacksSuccess: true });
  expect(read(days(0)).table.info.sources[0]).not.toHaveProperty("lacksSuccess");
  expect(read([{ ...dayOf(1), passwords: [] }]).table.info.sources[0]).not.toHaveProperty("lacksSuccess");
});

async function show(name: string, value: unknown) {
  await using dir = await makeTempDir();
  await Bun.write(join(dir.path, name), JSON.stringify(value));
  const { exitCode, stderr } = await runScript("visualize", [name, "-o", "result.html"], { cwd: dir.path });
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const read = (file: string) =>
    readFileSync(join(dir.path, file), "utf8")
      .replace(/<(script|style)[^]*?<\/\1>/g, "")
      .replaceAll(/<[^>]+>/g, " ");
  return { report: read("result.html"), statistics: read("stats.html") };
}

describe("the pages of an ancestor's file", () => {
  test("say what is not known", async () => {
    const { report, statistics } = await show("reduced.json", days());
    for (const words of ["accepted or not: not known", "from at least 2 addresses", "at least 1 distinct", "at least 1 file"]) {
      expect(report).toContain(words);
    }
    expect(report).toContain("20  sensor-days with logs");
    expect(report).not.toMatch(/% accepted|23:59:59|sensor-days watched/);
    expect(statistics).toContain("Nothing is called new: the counts were cut to the most frequent before they were read");
    expect(statistics).not.toMatch(/burn-in of \d+ watched days, in which|days? (is|are) missing/);
  });

  test("and of one that says which logins were accepted, that", async () => {
    const { report } = await show("reduced.json", days(10));
    expect(report).toContain("20.0 % accepted");
  });
});
