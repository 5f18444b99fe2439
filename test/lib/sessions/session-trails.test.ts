import { describe, expect, test } from "bun:test";
import { tablesOf } from "../../../lib/logs/walk-tables.ts";
import type { LogSet } from "../../../lib/logs/log-set.ts";
import type { Trail, TrailLimits } from "../../../lib/sessions/newest-sessions.ts";
import { findTrails, type TrailPlace, type TrailQuery } from "../../../lib/sessions/session-trails.ts";
import type { ReductionParameters } from "../../../lib/events/scope.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";
import { seededRandom } from "../../support/random.ts";

const SCOPE: ReductionParameters = { robotMaxSeconds: 10 };
const login = (at: number, username: string, password: string | null, rest: object = {}): LogEvent => ({
  eventid: "login.failed",
  at,
  username,
  ...(password !== null && { password }),
  ...rest,
});
const query = (keys: TrailQuery["keys"], rest: Partial<TrailQuery> = {}): TrailQuery => ({
  id: "credentials",
  eventids: ["cowrie.login.failed", "cowrie.login.success"],
  columns: ["username", "password"],
  keys,
  firstSeenUs: keys.map(() => -Infinity),
  lastSeenUs: keys.map(() => Infinity),
  ...rest,
});

const LIMITS: TrailLimits = { lastDay: Math.floor(NOON_MS / 86_400_000) + 3, perStretch: 5 };

async function find(set: LogSet, queries: readonly TrailQuery[], scope = SCOPE, limits = LIMITS) {
  const places = tablesOf(set).map(place => ({
    firstUs: place.source.firstSeenUs!,
    lastUs: place.source.lastSeenUs!,
    walk: place.walk.bind(place),
  }));
  const found = await findTrails(places, queries, scope, limits);
  return found.map(keys =>
    keys.map(trail => trail.sessions.map(({ us, sensor, session }) => `${us / 1e6 - NOON_MS / 1000} ${sensor} ${session}`)),
  );
}

describe("findTrails", () => {
  test("the newest sessions of each value, each once a day by its latest event, newest first", async () => {
    using set = await readEvents(
      [login(1, "root", "a"), login(2, "root", "a", { session: "s2" }), login(3, "root", "a"), login(4, "root", "b")],
      [login(90_000, "root", "a", { session: "s3", sensor: "z" }), login(90_001, "root", "a", { session: "s2" })],
    );
    expect(
      await find(set, [
        query([
          ["root", "a"],
          ["root", "b"],
          ["nobody", "a"],
        ]),
      ]),
    ).toEqual([[["90001 a s2", "90000 z s3", "3 a s1", "2 a s2"], ["4 a s1"], []]]);
  });

  test("no value and an empty one are two", async () => {
    using set = await readEvents([login(1, "git", null), login(2, "git", "", { session: "s2" })]);
    expect(
      await find(set, [
        query([
          ["git", null],
          ["git", ""],
        ]),
      ]),
    ).toEqual([[["1 a s1"], ["2 a s2"]]]);
  });

  test("robots are told by their duration, commands from what was fed to a program", async () => {
    using set = await readEvents([
      { eventid: "session.closed", at: 1, duration: 2 },
      { eventid: "session.closed", at: 2, duration: 60, session: "s2" },
      { eventid: "session.closed", at: 3, session: "s3" },
      { eventid: "command.input", at: 4, input: "w" },
      { eventid: "command.input", at: 5, input: "w", realm: "sh", session: "s4" },
    ]);
    const ip = "192.0.2.1";
    const closed = query(
      [
        [ip, 1],
        [ip, 0],
        [ip, null],
      ],
      {
        eventids: ["cowrie.session.closed"],
        columns: ["src_ip", "robot"],
      },
    );
    const commands = query([["w"]], { eventids: ["cowrie.command.input"], columns: ["input"] });
    expect(await find(set, [closed, commands])).toEqual([[["1 a s1"], ["2 a s2"], ["3 a s3"]], [["4 a s1"]]]);
  });

  test("only days and sensors asked for, under their aliases", async () => {
    using set = await readEvents([
      login(1, "u", "p"),
      login(90_000, "u", "p", { session: "s2" }),
      login(90_001, "u", "p", { session: "s3", sensor: "b" }),
    ]);
    const sinceDay = Math.floor(NOON_MS / 86_400_000) + 1;
    expect(await find(set, [query([["u", "p"]])], { ...SCOPE, sinceDay })).toEqual([[["90001 b s3", "90000 a s2"]]]);
    const aliased = { ...SCOPE, sensors: ["B"], sensorAliases: { b: "B" } };
    expect(await find(set, [query([["u", "p"]])], aliased)).toEqual([[["90001 B s3"]]]);
  });

  test("as by looking at every event, though tables are passed over", async () => {
    const random = seededRandom(5);
    const pick = (n: number) => Math.floor(random.next() * n);
    const logs = [0, 1, 2, 3].map(day =>
      Array.from({ length: 300 }, (_, i) =>
        login(day * 86_400 - 43_000 + i * 280, `u${pick(4)}`, `p${pick(3 + day)}`, { session: `s${day}${pick(80)}` }),
      ),
    );
    using set = await readEvents(...logs);
    const keys = [0, 1, 2, 3].flatMap(u => [0, 1, 2, 3, 4, 5, 6].map(p => [`u${u}`, `p${p}`]));
    const times = keys.map(([u, p]) =>
      logs
        .flat()
        .filter(event => event.username === u && event.password === p)
        .map(event => NOON_MS * 1000 + event.at * 1e6),
    );
    const plain = keys.map(([u, p]) => {
      const latest = new Map<string, number>();
      for (const event of logs.flat()) {
        const day = Math.floor((NOON_MS / 1000 + event.at) / 86_400);
        if (event.username === u && event.password === p) latest.set(`${day} ${String(event.session)}`, event.at);
      }
      return [...latest]
        .sort((a, b) => b[1] - a[1])
        .slice(0, 10)
        .map(([id, at]) => `${at} a ${id.split(" ")[1]}`);
    });
    const firstSeenUs = times.map(all => Math.min(...all));
    const lastSeenUs = times.map(all => Math.max(...all));
    expect(await find(set, [query(keys, { firstSeenUs, lastSeenUs })])).toEqual([plain]);
  });

  test("tables in which nothing can be among the newest are not opened, and nothing is told otherwise", async () => {
    const random = seededRandom(8);
    const days = Array.from({ length: 60 }, (_, day) => day);
    const logs = days.map(day =>
      Array.from({ length: 30 }, (_, i) => login(-day * 86_400 + i * 1000, day % 20 === 7 && i === 0 ? "rare" : `u${i % 2}`, "p", { session: `s${day}-${i}`, sensor: random.next() < 0.5 ? "a" : "b" })),
    );
    using set = await readEvents(...logs);
    const keys = [["u0", "p"], ["u1", "p"], ["rare", "p"]];
    const lastDay = Math.floor(NOON_MS / 86_400_000);
    const ofDays = (rest: (day: number) => boolean) => Int32Array.from(days.filter(rest), day => lastDay - day).sort();
    const search = async (hasSensors: boolean, more: Partial<TrailQuery>) => {
      let opened = 0;
      const places = tablesOf(set).map(place => ({
        firstUs: place.source.firstSeenUs!,
        lastUs: place.source.lastSeenUs!,
        ...(hasSensors && { sensors: ["a", "b"] }),
        walk: async (visit: Parameters<TrailPlace["walk"]>[0]) => {
          opened++;
          await place.walk(visit);
        },
      }));
      const found = await findTrails(places, [query(keys, more)], SCOPE, { lastDay, perStretch: 5 });
      return { found, opened };
    };
    const all = await search(false, {});
    const known = await search(true, { days: [ofDays(() => true), undefined, ofDays(day => day % 20 === 7)] });
    expect(known.found).toEqual(all.found);
    expect([all.opened, known.opened]).toEqual([60, 9]);
  });

  test("of each sensor and stretch of days the newest are kept, and where some were left out is said", async () => {
    const day = 86_400;
    const events = [0, 1, 2, 20, 21].flatMap(back =>
      ["a", "b"].flatMap(sensor =>
        Array.from({ length: sensor === "a" ? 12 : 1 }, (_, i) =>
          login(-back * day + i, "u", "p", { sensor, session: `${sensor}${back}-${i}` }),
        ),
      ),
    );
    using set = await readEvents(events.sort((x, y) => x.at - y.at));
    const lastDay = Math.floor(NOON_MS / 1000 / day);
    const places = tablesOf(set).map(place => ({
      firstUs: place.source.firstSeenUs!,
      lastUs: place.source.lastSeenUs!,
      walk: place.walk.bind(place),
    }));
    const [[trail]] = (await findTrails(places, [query([["u", "p"]])], SCOPE, { lastDay, perStretch: 3 })) as [[Trail]];
    const kept = trail.sessions.map(({ session }) => session);
    // The ten newest of all, then three of each sensor and stretch.
    expect(kept.slice(0, 10)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map(i => `a0-${i}`));
    expect(kept.slice(10)).toEqual(["b0-0", "b1-0", "b2-0", "a20-11", "a20-10", "a20-9", "b20-0", "b21-0"]);
    expect(trail.cut).toEqual([
      { sensor: "a", stretch: 0 },
      { sensor: "a", stretch: 2 },
    ]);
  });
});
