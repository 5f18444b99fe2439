import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { chunkedText } from "../../../lib/events/log-text.ts";
import { mapLog } from "../../../lib/events/map-log.ts";
import { startSessionWork } from "../../../lib/pages/session-work.ts";
import { type LogEvent, NOON_MS, readEvents, toLine } from "../../support/event-logs.ts";

const EVENTS: LogEvent[] = Array.from({ length: 60 }, (_, i) => ({
  eventid: i % 3 === 0 ? "login.success" : "command.input",
  at: i * 4000,
  session: `s${i % 20}`,
  ...(i % 3 === 0 ? { username: `u${i % 4}`, password: "p" } : { input: `c${i % 5}` }),
}));
const QUERY = {
  id: "credentials",
  eventids: ["cowrie.login.success"],
  columns: ["username", "password"] as const,
  keys: [
    ["u0", "p"],
    ["u1", "p"],
    ["u9", "p"],
  ],
  firstSeenUs: [0, 0, 0],
  lastSeenUs: [Infinity, Infinity, Infinity],
};
const LIMITS = { lastDay: 30_000, perStretch: 5 };
const SCOPE = { robotMaxSeconds: 10 };

describe("startSessionWork", () => {
  test("another thread finds what this one finds, a query asked before the chains are done as well", async () => {
    using set = await readEvents(EVENTS.slice(0, 30), EVENTS.slice(30));
    const outcomes = await Promise.all(
      [Infinity, 0].map(async asideMinEvents => {
        using work = startSessionWork(set, SCOPE, asideMinEvents);
        const trails = work.findTrails([QUERY], LIMITS);
        const leaders = await work.findLeaders([{ activity: "commands", day: Math.floor(NOON_MS / 86_400_000), total: 7 }]);
        return { counts: await work.counts, trails: await trails, leaders };
      }),
    );
    expect(outcomes[1]).toEqual(outcomes[0]!);
    expect(outcomes[0]!.counts.chains.sessions).toBe(20);
    expect(outcomes[0]!.leaders).toMatchObject([{ address: "192.0.2.1", count: 7, sensors: ["a"] }]);
    expect(outcomes[0]!.trails[0]!.map(trail => trail.sessions.length)).toEqual([5, 5, 0]);
  });

  test("the event of a line that was cut in two is found where it lies", async () => {
    using whole = await readEvents(EVENTS);
    using set = await readEvents(EVENTS.slice(1));
    const seam = {
      before: set.logs[0]!.source,
      after: set.logs[0]!.source,
      table: await builtTable(EVENTS[0]!),
    };
    using work = startSessionWork({ ...set, seams: [seam] }, SCOPE, 0);
    using plain = startSessionWork(whole, SCOPE);
    expect(await work.findTrails([QUERY], LIMITS)).toEqual(await plain.findTrails([QUERY], LIMITS));
    expect((await work.counts).chains).toEqual((await plain.counts).chains);
  });

  test("a table that is gone fails, in this thread and in another", async () => {
    using set = await readEvents(EVENTS);
    for (const { tablePath } of set.logs) rmSync(tablePath!);
    for (const asideMinEvents of [Infinity, 0]) {
      using work = startSessionWork(set, SCOPE, asideMinEvents);
      await expect(work.findTrails([QUERY], LIMITS)).rejects.toThrow(/no such file/);
    }
  });
});

/** The table of one event, as it is built while a log is read. */
async function builtTable(event: LogEvent) {
  async function* line() {
    yield new TextEncoder().encode(`${toLine(event)}\n`);
  }
  return (await mapLog("seam", chunkedText("none", line()))).table;
}
