/** summary as a user runs it, held against one JSON.parse a line. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { copyFleet } from "../support/copy-fleet.ts";
import { planSensors, writeLogs } from "../support/generate-logs.ts";
import { countBy, type PlainEvent, plainEvents } from "../support/plain-events.ts";
import { NEEDS_REAL_LOGS, REAL_LOGS, realFolder, readLogFolder } from "../support/real-logs.ts";
import { makeTempDir, runScript } from "../support/run.ts";
import { countSlowly } from "../support/slow-counter.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
const at = (name: string) => join(dir.path, name);

beforeAll(async () => {
  dir = await makeTempDir();
  await copyFleet(at("fleet"));
  await writeLogs(at("logs"), {
    seed: "summary",
    firstDay: "2026-06-01",
    days: 3,
    eventsPerDay: 2000,
    sensors: planSensors(2, ["v2.8", "v3"]),
  });
});
afterAll(() => dir[Symbol.asyncDispose]());

type Json = { [key: string]: any };

async function summarize(args: readonly string[]): Promise<Json> {
  const { stdout, stderr, exitCode } = await runScript("summary", [...args, "--json", "-q"], { cwd: dir.path });
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return JSON.parse(stdout) as Json;
}

/** What {@link summarize} should say, counted the slow way. */
function summarizePlainly(events: readonly PlainEvent[]): Json {
  const of = (id: string) => events.filter(({ eventid }) => eventid === id);
  const distinct = (list: readonly PlainEvent[], keyOf: (event: PlainEvent) => unknown) =>
    new Set(list.filter(event => keyOf(event) !== undefined).map(event => JSON.stringify(keyOf(event)))).size;
  const sessionOf = ({ sensor, session }: PlainEvent) => (session === undefined ? undefined : [sensor, session]);
  const addressOf = ({ src_ip }: PlainEvent) => src_ip && String(src_ip).replace(/^::ffff:/, "");
  const top = (list: readonly PlainEvent[], names: readonly string[]) => {
    const counts = countBy(list, event => JSON.stringify(names.map(name => event[name] ?? null)));
    const rows = [...counts].map(([key, count]) => ({ values: JSON.parse(key) as (string | null)[], count }));
    // By the values one after the other, no value first.
    const compare = (a: string | null, b: string | null) =>
      a === b ? 0 : a === null ? -1 : b === null ? 1 : a < b ? -1 : 1;
    rows.sort(
      (a, b) =>
        b.count - a.count || compare(a.values[0]!, b.values[0]!) || compare(a.values[1] ?? null, b.values[1] ?? null),
    );
    return {
      distinct: rows.length,
      top: rows.slice(0, 4).map(({ values, count }) => ({
        ...Object.fromEntries(names.map((name, i) => [name, values[i]])),
        count,
        share: count / list.length,
      })),
    };
  };
  const logins = (list: readonly PlainEvent[]) => ({
    count: list.length,
    usernames: top(list, ["username"]),
    passwords: top(list, ["password"]),
    pairs: top(list, ["username", "password"]),
  });
  const [succeeded, failed] = [of("cowrie.login.success"), of("cowrie.login.failed")];
  const commands = of("cowrie.command.input").filter(({ realm }) => realm === undefined);
  const days = [...new Set(events.map(({ timestamp }) => timestamp.slice(0, 10)))].sort();
  return {
    events: events.length,
    sensors: distinct(events, ({ sensor }) => sensor),
    sessions: distinct(events, sessionOf),
    addresses: distinct(events, addressOf),
    logins: {
      count: succeeded.length + failed.length,
      success_share: succeeded.length / (succeeded.length + failed.length),
      succeeded: logins(succeeded),
      failed: logins(failed),
    },
    commands: { count: commands.length, ...top(commands, ["input"]) },
    eventids: [...countBy(events, ({ eventid }) => eventid)]
      .map(([eventid, count]) => ({ eventid, count }))
      .sort((a, b) => b.count - a.count || (a.eventid < b.eventid ? -1 : 1)),
    days: days.map(day => {
      const own = events.filter(({ timestamp }) => timestamp.startsWith(day));
      const count = (list: readonly PlainEvent[]) => list.filter(({ timestamp }) => timestamp.startsWith(day)).length;
      return {
        day,
        events: own.length,
        succeeded: count(succeeded),
        failed: count(failed),
        commands: count(commands),
        sessions: distinct(own, sessionOf),
        addresses: distinct(own, addressOf),
      };
    }),
  };
}

test("generated logs: the same as one JSON.parse a line", async () => {
  expect(await summarize(["logs", "-n", "4"])).toEqual(summarizePlainly(plainEvents(at("logs"))));
});

test.skipIf(REAL_LOGS === undefined)(`real logs: the same as one JSON.parse a line${NEEDS_REAL_LOGS}`, async () => {
  for (const name of ["cloud-2026", "series-2018"]) {
    const plain = summarizePlainly(plainEvents(realFolder(name)));
    expect(await summarize([realFolder(name), "-n", "4", "--mapped-dir", at(`tables-${name}`)])).toEqual(plain);
  }
});

test("the fleet with all its oddities: what the slow counter finds", async () => {
  const { rows } = countSlowly(readLogFolder(at("fleet")));
  const sum = (kind: string, of: (row: (typeof rows)[number]) => number = ({ count }) => count) =>
    rows.filter(row => row.kind === kind).reduce((total, row) => total + of(row), 0);
  const summary = await summarize(["fleet"]);
  expect({
    events: summary.events,
    succeeded: summary.logins.succeeded.count,
    failed: summary.logins.failed.count,
    commands: summary.commands.count,
    days: summary.days.reduce((total: number, day: Json) => total + day.events, 0),
  }).toEqual({
    events: sum("event"),
    succeeded: sum("login", ({ success }) => success),
    failed: sum("login", ({ count, success }) => count - success),
    commands: sum("command"),
    days: sum("event"),
  });
});

describe("what is shown", () => {
  test("tables for people on stdout, one line on stderr, both the same again", async () => {
    const first = await runScript("summary", ["fleet", "-n", "3"], { cwd: dir.path });
    expect(first.exitCode).toBe(0);
    expect(first.stdout).toMatch(
      /^Days +42 with events, 2026-07-06 to 2026-08-16 \(UTC\)\nEvents +20,066\nSensors +5\n/,
    );
    expect(first.stdout).toContain("\nPasswords of failed logins (3 of ");
    expect(first.stdout).not.toMatch(/[^\n -\u{10ffff}]/u);
    expect(first.stderr.split("\n").at(-2)).toMatch(
      /^summary: 179 logs, 8\.51 MB: 20,066 events \(3 repaired\), 7 lines rejected/,
    );
    expect((await runScript("summary", ["fleet", "-n", "3", "-q"], { cwd: dir.path })).stdout).toBe(first.stdout);
  });

  test("--where: of the events that hold a text alone", async () => {
    const run = async (...args: string[]) => {
      const { stdout, stderr, exitCode } = await runScript("summary", ["fleet", "--json", "-q", ...args], { cwd: dir.path });
      return exitCode === 0 ? JSON.parse(stdout) : { stderr, exitCode };
    };
    const [whole, part] = [await run(), await run("--where", "eventid~login.", "--where", "src_ip~203.0.113.*")];
    expect(part.eventids.map(({ eventid }: { eventid: string }) => eventid).sort()).toEqual([
      "cowrie.login.failed",
      "cowrie.login.success",
    ]);
    expect(part.logins.count).toBeGreaterThan(0);
    expect(part.logins.count).toBeLessThanOrEqual(whole.logins.count);
    expect(part.events).toBe(part.logins.count);
    expect(await run("--where", "usrname=x")).toEqual({
      stderr: expect.stringContaining('did you mean "username"?'),
      exitCode: 2,
    });
  });

  test("days and sensors without an event are said, with exit code 1", async () => {
    const { stdout, stderr, exitCode } = await runScript("summary", ["fleet", "--since", "2030-01-01", "-q"], {
      cwd: dir.path,
    });
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    // Which days there are is what one wants to know then.
    expect(stderr).toContain("Cannot find an event of the days and sensors asked for: searched 179 files of 42 days, 2026-07-06 to 2026-08-16; see --since");
  });

  test("a sensor counts by any event, though it has no session; one day is told once", async () => {
    const lines = [
      { eventid: "cowrie.session.connect", sensor: "a", session: "1", src_ip: "192.0.2.1" },
      { eventid: "cowrie.log.open", sensor: "b" },
    ];
    await Bun.write(at("two/cowrie.json"), lines.map(line => `${JSON.stringify({ ...line, timestamp: "2026-07-01T00:00:00Z" })}\n`).join(""));
    const { stdout } = await runScript("summary", ["two", "-q"], { cwd: dir.path });
    expect(stdout).toMatch(/^Sensors +2$/m);
    expect(stdout).toMatch(/^Days +1 with events, 2026-07-01 \(UTC\)$/m);
  });
});
