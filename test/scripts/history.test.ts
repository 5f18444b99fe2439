/** history as a user runs it: sentences, CSV, JSON, on a part of the table, on what has no history. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { FLEET_FACTS, FIXTURES_FOLDER } from "../support/example-fleet.ts";
import { NEEDS_REAL_LOGS, REAL_LOGS, realFolder } from "../support/real-logs.ts";
import { makeTempDir, runScript } from "../support/run.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
const history = async (...args: string[]) => {
  const { stdout, stderr, exitCode } = await runScript("history", args, { cwd: dir.path });
  return { stdout, stderr, exitCode };
};
const reduce = async (logs: string, name: string) => {
  const { exitCode } = await runScript("reduce", [logs, "--mapped-dir", `tables-${name}`, "-q", "-o", `${name}.json`], { cwd: dir.path });
  expect(exitCode).toBe(0);
};

beforeAll(async () => {
  dir = await makeTempDir();
  await reduce(join(FIXTURES_FOLDER, "fleet"), "fleet");
});
afterAll(() => dir[Symbol.asyncDispose]());

describe("the example", () => {
  const { starts, ends, spike, down, joins } = FLEET_FACTS;

  test("a sentence an episode, newest first; what was planted is in them", async () => {
    const { stdout, stderr, exitCode } = await history("fleet.arrow");
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^history: \d+ of \d+ episodes in 42 days of 5 sensors; [\d.]+ s\n$/);
    const at = (text: string) => {
      const found = stdout.split("\n").findIndex(line => line.includes(text));
      return found < 0 ? Infinity : found;
    };
    const lines = [
      `Since 30 Jul: a new credential \`${starts.username} / ${starts.password}\``,
      `29 Jul: \`hp-sgp-01\` logs from here on \`cowrie.telnet.option\``,
      `22 to 26 Jul: \`${down.sensor}\` did not watch for 120 hours`,
      `18 Jul: address \`${spike.srcIp}\`, 150 connections`,
    ];
    expect(at(`1 Aug: \`${joins.sensor}\` is new`)).toBeLessThan(Infinity);
    expect(at(`Until 2 Aug: credential \`${ends.username} / ${ends.password}\``)).toBeLessThan(Infinity);
    const places = lines.map(at);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places.at(-1)).toBeLessThan(Infinity);
  });

  test("--json and --csv hold what the text says, --since and --until a part of it, -n 0 all", async () => {
    const json = await history("fleet.arrow", "--json", "-q", "-n", "0");
    expect(json).toMatchObject({ stderr: "", exitCode: 0 });
    const { first_day, last_day, sensors, episodes } = JSON.parse(json.stdout);
    expect([first_day, last_day, sensors]).toEqual([FLEET_FACTS.firstDay, FLEET_FACTS.lastDay, [...FLEET_FACTS.sensors].sort()]);
    const { stdout } = await history("fleet.arrow", "--csv", "-q", "-n", "0");
    const lines = stdout.trimEnd().split("\n").slice(1);
    expect(lines).toHaveLength(episodes.length);
    expect(lines.length).toBeGreaterThan(5);
    episodes.forEach(({ shape, first_day, sentence }: any, i: number) => {
      expect(lines[i]).toStartWith(`${shape},${first_day},`);
      expect(lines[i]!.replaceAll('""', '"')).toContain(sentence);
    });
    const part = await history("fleet.arrow", "--since", "2026-07-20", "--until", "2026-07-28", "-q", "-n", "0", "--json");
    const inside = episodes.filter((one: any) => one.first_day <= "2026-07-28" && one.last_day >= "2026-07-20");
    expect(JSON.parse(part.stdout).episodes).toEqual(inside);
    expect(inside.length).toBeLessThan(episodes.length);
  });

  test("one sensor by itself; one that is not there", async () => {
    const { stdout, exitCode } = await history("fleet.arrow", "--sensor", "hp-nyc-01", "-q");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("22 to 26 Jul: `hp-nyc-01` did not watch");
    expect(stdout).not.toContain(spike.srcIp);
    expect(await history("fleet.arrow", "--sensor", "hp-nycc")).toMatchObject({ stdout: "", exitCode: 2 });
  });
});

test("counts that were cut have no history", async () => {
  const { stdout, exitCode } = await history("fleet.json", "-q");
  expect({ stdout, exitCode }).toEqual({ stdout: "Nothing can be told: the counts were cut to the most frequent of each day\n", exitCode: 0 });
});

test("wrong usage", async () => {
  expect(await history("fleet.arrow", "--json", "--csv")).toMatchObject({ exitCode: 2 });
  expect(await history("fleet.arrow", "--since", "2026-08-02", "--until", "2026-08-01")).toMatchObject({ exitCode: 2 });
  expect(await history()).toMatchObject({ exitCode: 2 });
});

test.skipIf(REAL_LOGS === undefined)(`series-2018${NEEDS_REAL_LOGS}`, async () => {
  await reduce(realFolder("series-2018"), "series");
  const { stdout } = await history("series.arrow", "--json", "-q", "-n", "0");
  const episodes: any[] = JSON.parse(stdout).episodes;
  const best = episodes.toSorted((a, b) => b.score - a.score);
  const leads = best.slice(0, 3).map(({ first_day, last_day, keys }) => [first_day, last_day, keys[0].kind]);
  expect(leads).toEqual(
    expect.arrayContaining([
      ["2018-06-15", "2018-06-16", "user"],
      ["2018-06-18", "2018-06-18", "address"],
      ["2018-06-30", "2018-07-02", "command"],
    ]),
  );
  expect(best.find(one => one.first_day === "2018-06-18").sentence).toContain("`95.110.245.209`");
  // An address that goes away is one row, whatever kinds of row it had.
  expect(episodes.filter(one => one.keys.some((key: any) => key.values.includes("185.222.209.108")))).toHaveLength(1);
});
