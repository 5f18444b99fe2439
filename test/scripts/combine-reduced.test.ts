/** combine-reduced as a user runs it, and the laws of combining: any order, any steps, nothing twice, nothing lost. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { readReduced } from "../../lib/reduced/reduced-input.ts";
import { copyFleet } from "../support/copy-fleet.ts";
import { LEGACY_REDUCED, NEEDS_LEGACY_REDUCED } from "../support/real-logs.ts";
import { makeTempDir, runScript } from "../support/run.ts";
import { rowsOfTable } from "../support/slow-counter.ts";

const SENSORS = ["hp-ams-01", "hp-lab-01", "hp-nyc-01", "hp-sgp-01", "hp-waw-02"];
let dir: Awaited<ReturnType<typeof makeTempDir>>;
const at = (name: string) => join(dir.path, name);
const read = (name: string) => readFile(at(name));

async function reduce(...args: string[]) {
  expect((await runScript("reduce", [...args, "-q"], { cwd: dir.path })).exitCode).toBe(0);
}
async function combine(...args: string[]) {
  const { stdout, stderr, exitCode } = await runScript("combine-reduced", args, { cwd: dir.path });
  return { stdout, stderr, exitCode };
}

beforeAll(async () => {
  dir = await makeTempDir();
  await copyFleet(at("fleet"));
  await reduce("fleet", "-o", "whole.json");
  for (const sensor of SENSORS) await reduce(`fleet/${sensor}`, "-o", sensor);
});
afterAll(() => dir[Symbol.asyncDispose]());

describe("any split, any order, any steps", () => {
  const parts = SENSORS.map(sensor => `${sensor}.arrow`);
  const SHAPES: Record<string, string[][]> = {
    "sensor by sensor": [[...parts, "-o", "out"]],
    "the other way round": [[...[...parts].reverse(), "-o", "out"]],
    "in steps": [
      [...parts.slice(0, 2), "-o", "first"],
      [...parts.slice(2), "-o", "second"],
      ["second.arrow", "first.arrow", "-o", "out"],
    ],
    "one table": [["whole.arrow", "-o", "out"]],
    "a table twice": [["whole.arrow", "whole.arrow", "-o", "out"]],
    "a table and its parts": [["hp-ams-01.arrow", "whole.arrow", ...parts, "-o", "out"]],
  };
  test.each(Object.entries(SHAPES))("%s: the bytes of reducing all logs at once", async (_, steps) => {
    for (const step of steps) expect(await combine(...step, "-q")).toEqual({ stdout: "", stderr: "", exitCode: 0 });
    expect((await read("out.arrow")).equals(await read("whole.arrow"))).toBe(true);
    expect((await read("out")).equals(await read("whole.json"))).toBe(true);
  });

  test("a table that holds nothing is named whatever was asked for, and all the others count", async () => {
    await reduce("fleet/hp-ams-01", "--since", "2030-01-01", "-o", "few/none");
    await reduce("fleet/hp-ams-01", "-o", "few/some");
    const none = 'few/none.arrow" holds no events\n';
    expect(await combine("whole.arrow", "few/none.arrow", "-o", "out", "-q")).toEqual({
      stdout: "", stderr: `"${none}`, exitCode: 3,
    });
    expect((await read("out")).equals(await read("whole.json"))).toBe(true);
    // As one of the tables of a folder.
    for (const script of ["statistics", "visualize"]) {
      const { stderr, exitCode } = await runScript(script, ["few", "-q"], { cwd: dir.path });
      expect({ stderr, exitCode }).toEqual({ stderr: `"${none}`, exitCode: 3 });
    }
  });

  test("a line that a rotation cut between two tables is joined", async () => {
    const logs = ["cowrie.json.2026-08-08", "cowrie.json.2026-08-09"].map(name => `fleet/hp-nyc-01/${name}`);
    await reduce(...logs, "-o", "both");
    await reduce(logs[0]!, "-o", "before");
    await reduce(logs[1]!, "-o", "after");
    const { stderr, exitCode } = await combine("after.arrow", "before.arrow", "-o", "joined");
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining("1 cut line joined"), exitCode: 0 });
    expect((await read("joined.arrow")).equals(await read("both.arrow"))).toBe(true);
  });
});

describe("overlaps", () => {
  test("a table that is part of another is left out with a notice", async () => {
    const { stderr } = await combine("hp-ams-01.arrow", "whole.arrow", "-o", "out");
    expect(stderr).toStartWith(
      'Left out "hp-ams-01.arrow": all its logs are in "whole.arrow"\ncombine-reduced: 2 tables, 1 of them',
    );
  });

  test("an earlier state of a log that has grown is part of the later", async () => {
    await reduce("fleet/backup/hp-ams-01/cowrie.json", "-o", "earlier");
    expect((await combine("whole.arrow", "earlier.arrow", "-o", "out")).stderr).toContain('Left out "earlier.arrow"');
    expect((await read("out.arrow")).equals(await read("whole.arrow"))).toBe(true);
  });

  test("tables that share some of their logs are refused, and nothing is written", async () => {
    const log = (day: string) => `fleet/hp-lab-01/cowrie.json.2026_7_${day}`;
    await reduce(log("6"), log("7"), "-o", "one");
    await reduce(log("7"), log("8"), "-o", "two");
    await rm(at("refused"), { force: true });
    const { stdout, stderr, exitCode } = await combine("one.arrow", "two.arrow", "-o", "refused");
    expect({ stdout, exitCode, isThere: await Bun.file(at("refused.arrow")).exists() }).toEqual({
      stdout: "",
      exitCode: 1,
      isThere: false,
    });
    expect(stderr).toMatch(
      /^combine-reduced: Cannot combine "\w+\.arrow" and "\w+\.arrow": both count 1 log, "[^"]+7_7", and neither/,
    );
    expect(stderr.split("\n")).toHaveLength(2);
  });

  test("a part of the days of the same logs is part of the whole; the other days make it the whole; days in both are refused", async () => {
    await reduce("fleet/hp-ams-01", "--until", "2026-07-20", "-o", "early");
    await reduce("fleet/hp-ams-01", "--since", "2026-07-21", "-o", "late");
    expect((await combine("early.arrow", "hp-ams-01.arrow", "-o", "out")).stderr).toContain('Left out "early.arrow"');
    expect((await read("out.arrow")).equals(await read("hp-ams-01.arrow"))).toBe(true);
    await combine("late.arrow", "early.arrow", "-o", "days");
    expect((await read("days.arrow")).equals(await read("hp-ams-01.arrow"))).toBe(true);
    await reduce("fleet/hp-ams-01", "--since", "2026-07-20", "-o", "later");
    expect(await combine("early.arrow", "later.arrow", "-o", "out")).toMatchObject({
      stderr: expect.stringContaining("Cannot combine"),
      exitCode: 1,
    });
  });

  test("another limit for robots is refused", async () => {
    await reduce("fleet/hp-nyc-01", "--robot-max-seconds", "5", "-o", "five");
    expect(await combine("hp-ams-01.arrow", "five.arrow", "-o", "out")).toMatchObject({
      stderr: expect.stringContaining("expected the same --robot-max-seconds"),
      exitCode: 1,
    });
  });

  test("what was left out on purpose is said of the whole only if every part left it out", async () => {
    await reduce("fleet/hp-nyc-01", "--since", "2026-07-10", "--sensor", "hp-nyc-01", "-o", "nyc");
    await combine("nyc.arrow", "hp-ams-01.arrow", "-o", "out");
    expect((await readReduced(at("out.arrow"), () => {})).info.parameters).toEqual({ robotMaxSeconds: 10 });
    await reduce("fleet/hp-sgp-01", "--since", "2026-07-12", "--sensor", "hp-sgp-01", "-o", "sgp");
    await combine("nyc.arrow", "sgp.arrow", "-o", "out");
    expect((await readReduced(at("out.arrow"), () => {})).info.parameters).toEqual({
      robotMaxSeconds: 10,
      sinceDay: Date.UTC(2026, 6, 10) / 86_400_000,
      sensors: ["hp-nyc-01", "hp-sgp-01"],
    });
  });
});

describe("cut counts", () => {
  test("our own reduced.json comes back as it was written, and says that there is more", async () => {
    await combine("whole.arrow", "-n", "3", "-o", "top.json", "-q");
    const { stderr } = await combine("top.json", "-n", "0", "-o", "again.json");
    expect(stderr).toStartWith('"top.json" holds the top entries only: the full counts are in "top.arrow"\n');
    expect(JSON.parse(await Bun.file(at("again.json")).text())).toEqual(
      JSON.parse(await Bun.file(at("top.json")).text()),
    );
  });

  test("where another table has the sensor-days in full, these count", async () => {
    const { stderr, exitCode } = await combine("whole.json", "whole.arrow", "-n", "0", "-o", "full.json");
    expect({ stderr, exitCode }).toEqual({
      stderr: expect.stringMatching(/Left out \d+ sensor-days of "whole\.json": "whole\.arrow" has the full counts/),
      exitCode: 0,
    });
    const [full, whole] = await Promise.all([
      readReduced(at("full.arrow"), () => {}),
      readReduced(at("whole.arrow"), () => {}),
    ]);
    expect(rowsOfTable(full)).toEqual(rowsOfTable(whole));
  });

  test("of a sensor-day in two files the larger count of each entry stays, in any order", async () => {
    const day = (passwords: [string, number][]) =>
      JSON.stringify([
        {
          date: "2021-05-03",
          sensor: "hp",
          passwords: passwords.map(([password, count]) => ({ username: "root", password, count })),
          pre_disconnect_command: [{ input: "w", count: 2 }],
        },
      ]);
    await Bun.write(
      at("a.json"),
      day([
        ["1", 5],
        ["2", 3],
      ]),
    );
    await Bun.write(
      at("b.json"),
      day([
        ["1", 9],
        ["3", 1],
      ]),
    );
    await Bun.write(at("c.json"), day([["2", 4]]));
    const orders = [
      ["a", "b", "c"],
      ["c", "b", "a"],
      ["b", "b", "a", "c"],
    ];
    const outputs: string[] = [];
    for (const [i, order] of orders.entries()) {
      await combine(...order.map(name => `${name}.json`), "-n", "0", "-q", "-o", `max${i}.json`);
      outputs.push(await Bun.file(at(`max${i}.json`)).text());
    }
    await combine("a.json", "b.json", "-q", "-o", "step.json");
    await combine("step.arrow", "c.json", "-n", "0", "-q", "-o", "steps.json");
    expect(JSON.parse(outputs[0]!)).toEqual([
      {
        date: "2021-05-03",
        sensor: "hp",
        passwords: [
          { username: "root", password: "1", count: 9, success: 0 },
          { username: "root", password: "2", count: 4, success: 0 },
          { username: "root", password: "3", count: 1, success: 0 },
        ],
        pre_disconnect_command: [{ input: "w", count: 2 }],
      },
    ]);
    expect(new Set([...outputs, await Bun.file(at("steps.json")).text()]).size).toBe(1);
    // A cut file that stands in two tables is one source.
    await combine("b.json", "a.json", "-q", "-o", "other.json");
    await combine("step.arrow", "other.arrow", "c.json", "-q", "-o", "both.json");
    const { info } = await readReduced(at("both.arrow"), () => {});
    expect(info.sources.map(({ path }) => path).sort()).toEqual(["a.json", "b.json", "c.json"]);
  });

  const BAD: [name: string, text: string, says: string][] = [
    [
      "a log",
      '{"eventid":"x"}\n{"eventid":"y"}\n',
      "not JSON, expected a reduced table (reduce.ts makes one from a log)",
    ],
    [
      "a count that is none",
      '[{"date":"2021-05-03","sensor":"s","commands":[{"input":"w","count":"5"}]}]',
      'an entry of "commands" of the object of 2021-05-03: count is',
    ],
    ["no day", '[{"date":"2021-02-30","sensor":"s"}]', "expected YYYY-MM-DD"],
    ["no list", '{"date":1}', "it holds no list"],
    ["a number in the list", "[[[5]]]", 'it holds "5", expected objects per day and sensor'],
    ["nothing", "", "it is empty"],
  ];
  test.each(BAD)("%s instead of a reduced.json is one line and exit code 1", async (_, text, says) => {
    await Bun.write(at("bad.json"), text);
    const { stdout, stderr, exitCode } = await combine("bad.json", "-o", "out");
    expect({ stdout, exitCode, lines: stderr.split("\n").length }).toEqual({ stdout: "", exitCode: 1, lines: 2 });
    expect(stderr).toStartWith('combine-reduced: Cannot read "bad.json": ');
    expect(stderr).toContain(says);
  });

  test("an event table in place of a reduced one is said to be one", async () => {
    await runScript("map", ["fleet/hp-lab-01/cowrie.json.2026_7_6", "-o", "events.arrow"], { cwd: dir.path });
    expect(await combine("events.arrow", "-o", "out")).toMatchObject({
      stderr: expect.stringContaining("not a reduced table: it is an event table; reduce.ts makes one from logs"),
      exitCode: 1,
    });
  });

  type Entry = Record<string, unknown> & { count: number };
  type LegacyDay = { date: string; sensor: string } & Record<string, Entry[]>;
  const flatten = (value: unknown): LegacyDay[] =>
    Array.isArray(value) ? value.flatMap(flatten) : [value as LegacyDay];

  test.skipIf(LEGACY_REDUCED === undefined)(
    `the ancestor's files: not a row lost, nothing twice${NEEDS_LEGACY_REDUCED}`,
    async () => {
      const files = [...new Bun.Glob("*.json").scanSync(LEGACY_REDUCED!)]
        .sort()
        .map(name => join(LEGACY_REDUCED!, name));
      expect(files.length).toBeGreaterThan(1);
      const expected = new Map<string, number>();
      for (const file of files) {
        const own = new Map<string, number>();
        for (const day of flatten(JSON.parse(await Bun.file(file).text()))) {
          for (const [kind, entries] of Object.entries(day)) {
            if (!Array.isArray(entries)) continue;
            for (const { count, scans: _, ...entry } of entries) {
              if (kind === "file_upload") delete entry.src_ip;
              const key = JSON.stringify([day.date, day.sensor, kind, entry]);
              own.set(key, (own.get(key) ?? 0) + count);
            }
          }
        }
        for (const [key, count] of own) expected.set(key, Math.max(count, expected.get(key) ?? 0));
      }
      expect((await combine(...files, "-n", "0", "-o", "legacy.json")).exitCode).toBe(0);
      const found = new Map<string, number>();
      for (const day of flatten(JSON.parse(await Bun.file(at("legacy.json")).text()))) {
        for (const [kind, entries] of Object.entries(day)) {
          if (!Array.isArray(entries)) continue;
          for (const { count, scans: _, success: __, shasum: ___, ...entry } of entries) {
            found.set(JSON.stringify([day.date, day.sensor, kind, entry]), count);
          }
        }
      }
      const sorted = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(sorted(found)).toEqual(sorted(expected));
      await combine(...[...files].reverse(), "legacy.arrow", "-n", "0", "-q", "-o", "legacy2.json");
      expect((await read("legacy2.arrow")).equals(await read("legacy.arrow"))).toBe(true);
    },
  );
});

test("tables named in a file or on standard input, as find -print0 does it, are those named one by one", async () => {
  await combine("hp-ams-01.arrow", "hp-nyc-01.arrow", "-o", "named");
  await Bun.write(at("names"), "hp-nyc-01.arrow\0hp-ams-01.arrow\0");
  expect(await combine("--files0-from", "names", "-o", "out")).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("combine-reduced: 2 tables") });
  expect((await read("out.arrow")).equals(await read("named.arrow"))).toBe(true);
});

describe("usage", () => {
  test.each([
    [[], "combine-reduced: Missing TABLE: expected reduced tables, such as the reduced.arrow that analyze-local.ts leaves\n"],
    [["-", "-"], 'combine-reduced: Cannot read stdin 2 times: expected "-" once\n'],
    [["missing.arrow"], 'combine-reduced: Cannot read "missing.arrow": no such file or folder\n'],
  ])("%p", async (args, says) => {
    const { stdout, stderr, exitCode } = await combine(...args);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: args[0] === "missing.arrow" ? 1 : 2 });
    expect(stderr).toStartWith(says);
  });
});
