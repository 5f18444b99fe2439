import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { quoteShell } from "../../../lib/text/shell.ts";
import { everything } from "../../../lib/view/cells.ts";
import { toPlaces } from "../../../lib/pages/report-sessions.ts";
import {
  buildTrail,
  buildTrailsData,
  packTrails,
  sessionsOf,
  toTrailQueries,
  unpackTrails,
} from "../../../lib/view/report-trails.ts";
import { NewestSessions, toTrailLimits } from "../../../lib/sessions/newest-sessions.ts";
import { stretchOf } from "../../../lib/sessions/stretches.ts";
import { buildScope, rankSection } from "../../../lib/view/report-view.ts";
import type { Trail, TrailSession } from "../../../lib/sessions/newest-sessions.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildReportData } from "../../support/report.ts";

const OPTIONS = { lastDays: 1, thresholdPercent: 20 };
const row = (
  kind: LiteralRow["kind"],
  date: string,
  sensor: string,
  key: LiteralRow["key"],
  count: number,
): LiteralRow => ({
  kind,
  date,
  sensor,
  key,
  count,
});
const TABLE = buildReduced([
  row("event", "2024-01-01", "a", { eventid: "e", hour: 0 }, 9),
  row("event", "2024-01-03", "b", { eventid: "e", hour: 0 }, 9),
  row("login", "2024-01-01", "a", { username: "root", password: "it's" }, 4),
  row("login", "2024-01-03", "b", { username: "root", password: "it's" }, 3),
  row("login", "2024-01-03", "b", { username: "git", password: null }, 1),
  row("connect", "2024-01-03", "b", { src_ip: "2001:db8::1", dst_port: 22 }, 2),
  row("command", "2024-01-03", "b", { input: `-x ${"y".repeat(400)}` }, 1),
]);
const DATA = buildReportData(TABLE, { show: 5 });
const FIRST = DATA.grid.firstDay;
const whole = buildScope(DATA, everything(DATA.grid), OPTIONS);
const sectionOf = (id: string) => DATA.sections.find(section => section.id === id)!;
const session = (day: number, sensor: string, id: string): TrailSession => ({
  us: ((FIRST + day) * 86_400 + 3661) * 1e6 + 999,
  sensor,
  session: id,
  address: sensor === "a" ? "192.0.2.9" : null,
});
const QUERIES = toTrailQueries(DATA);
const toTrail = (...sessions: TrailSession[]): Trail => ({ sessions, cut: [] });
const TRAILS = buildTrailsData(
  QUERIES,
  QUERIES.map(({ id, keys }) =>
    keys.map((_, key) =>
      id === "credentials" && key === 0
        ? {
            ...toTrail(session(2, "b", "b1"), session(0, "a", "a1"), session(0, "a", "-a2")),
            cut: [{ sensor: "b", stretch: 0 }],
          }
        : toTrail(session(2, "b", "b1")),
    ),
  ),
  { where: "logs", scripts: "/kit/scripts", folders: [] },
  FIRST + 2,
  DATA.sensors,
);
const trail = (id: string, key: number, scope = whole) =>
  buildTrail(scope, TRAILS, rankSection(scope, sectionOf(id)), key);

describe("trails", () => {
  test("are asked for where a section's events are known, for the leading keys", () => {
    expect(QUERIES.map(({ id }) => id)).toEqual(["credentials", "commands", "connections"]);
    expect(QUERIES[0]!.keys).toEqual([
      ["root", "it's"],
      ["git", null],
    ]);
  });

  test("survive the page's data, a session of several values once", () => {
    expect(TRAILS.sessions).toHaveLength(3);
    expect(unpackTrails(JSON.parse(JSON.stringify(packTrails(TRAILS))))).toEqual(TRAILS);
    expect(sessionsOf(TRAILS, "credentials", 99)).toEqual([]);
    expect(sessionsOf(undefined, "credentials", 0)).toEqual([]);
  });

  test("say how many of how many, and give commands that a shell can take", () => {
    const { shown, rows, commands, parts, hasAddresses } = trail("credentials", 0);
    // Of sensor b some older than b1 were left out.
    expect(shown).toBe("3 of the sessions, the first one the newest; 7 login attempts in all.");
    expect(parts.map(({ text }) => text)).toEqual(["root", "it's"]);
    expect(rows.map(({ time, sensor, address, session: id }) => [time, sensor, address, id].join(" "))).toEqual([
      "2024-01-03 01:01:01 b – b1",
      "2024-01-01 01:01:01 a 192.0.2.9 a1",
      "2024-01-01 01:01:01 a 192.0.2.9 -a2",
    ]);
    expect(hasAddresses).toBe(true);
    expect(rows[2]!.command).toBe("bun /kit/scripts/trace-sid.ts --session-id='-a2' logs");
    expect(commands.map(({ text }) => text)).toEqual([
      "bun /kit/scripts/trace-sid.ts -sid b1 logs",
      "bun /kit/scripts/value-counts.ts --event 'login.*' --column session -n 0 --where username=root " +
        `--where 'password=it'\\''s' logs`,
    ]);
  });

  test("follow the filter: sessions inside it alone, all of them if none was left out there", () => {
    const range = { first: FIRST, last: FIRST + 1 };
    const scope = buildScope(DATA, { range, sensors: Uint8Array.from([1, 0]) }, OPTIONS);
    const { shown, rows, commands } = trail("credentials", 0, scope);
    expect(shown).toBe("All 2 sessions; 4 login attempts in the selection.");
    expect(rows.map(({ session: id }) => id)).toEqual(["a1", "-a2"]);
    expect(commands[0]!.text).toEndWith("-sid a1 logs");
    expect(commands[1]!.text).toEndWith("logs --until 2024-01-02 --sensor a");
    const ofB = buildScope(DATA, { range: { first: FIRST + 2, last: FIRST + 2 }, sensors: Uint8Array.from([0, 1]) }, OPTIONS);
    expect(trail("credentials", 0, ofB).shown).toBe("The newest session; 3 login attempts in the selection.");
    const before = buildScope(DATA, { range, sensors: Uint8Array.from([0, 1]) }, OPTIONS);
    expect(trail("credentials", 0, before).shown).toStartWith("The page carries none of the sessions; ");
  });

  test("ten rows are shown, the newest; more are counted", () => {
    const many = Array.from({ length: 12 }, (_, i) => session(2, "b", `s${i}`)).map((one, i) => ({ ...one, us: one.us - i * 1e6 }));
    const rowsOf = (sessions: number, most?: number) => {
      const trails = buildTrailsData([QUERIES[0]!], [[toTrail(...many.slice(0, sessions))]], { where: "logs", scripts: "/kit/scripts", folders: [] }, FIRST + 2, DATA.sensors);
      return buildTrail(whole, trails, rankSection(whole, sectionOf(QUERIES[0]!.id)), 0, ...(most === undefined ? [] : [most])).rows.map(row => row.session);
    };
    expect(rowsOf(12)).toEqual(many.slice(0, 10).map(one => one.session));
    expect(rowsOf(10)).toHaveLength(10);
    expect(rowsOf(12, 3)).toEqual(["s0", "s1", "s2"]);
  });

  test("hold the newest of each sensor and stretch of days, as far as there is room, and know where some are missing", () => {
    const days = 200;
    const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
    const limits = toTrailLimits(FIRST + days - 1, names.length);
    const trails = Array.from({ length: 300 }, (_, key) => {
      const newest = new NewestSessions(limits);
      for (let i = 0; i < 60; i++) {
        const { us, sensor, session: id } = session((i * 37 + key) % days, names[(i * i + key) % 10]!, `${key}-${i}`);
        newest.add(us, sensor, id, null);
      }
      return newest.finish();
    });
    const built = buildTrailsData([{ ...QUERIES[0]!, id: "credentials" }], [trails], { where: "logs", scripts: "/kit/scripts", folders: [] }, limits.lastDay, names);
    const [{ keys, cut }] = built.sections as [(typeof built.sections)[number]];
    expect(built.sessions.length).toBeWithin(1500, 6500);
    expect([keys.length, cut.some(places => places.length > 0)]).toEqual([300, true]);
    keys.forEach((places, key) => {
      const carried = places.map(place => built.sessions[place]!);
      const all = trails[key]!.sessions.map(({ us, session: id }) => ({ second: Math.floor(us / 1e6), id }));
      expect(carried.slice(0, 5).map(one => one.session)).toEqual(all.slice(0, 5).map(({ id }) => id));
      // Nothing is missing where nothing is said to be.
      const said = new Set(cut[key]!);
      const held = new Set(carried.map(one => one.session));
      for (const one of trails[key]!.sessions) {
        const place = stretchOf(Math.floor(one.us / 86_400e6), limits.lastDay) * 10 + names.indexOf(one.sensor);
        if (!held.has(one.session)) expect(said.has(place)).toBe(true);
      }
    });
  });

  test("an address is traced; what cannot be said in one line is left out", () => {
    const { shown, commands, hasAddresses } = trail("connections", 0);
    expect([shown, hasAddresses]).toEqual(["The only session; 2 connections in all.", false]);
    expect(commands[1]!.text).toBe("bun /kit/scripts/trace-ip.ts -i 2001:db8::1 logs");
    expect(trail("credentials", 1).commands).toHaveLength(1);
    expect(trail("commands", 0).commands).toHaveLength(1);
  });

  test("logs and scripts are named so that any folder finds them; a pipe, and more than a few, have no name", () => {
    const { where, scripts, folders } = toPlaces(["my logs", "/srv/honeypots/b"], { mappedDir: "m", sensorAlias: "x y" });
    const here = (name: string) => quoteShell(resolve(name));
    expect(where).toBe(`${here("my logs")} /srv/honeypots/b --mapped-dir ${here("m")} --sensor-alias ${here("x y")}`);
    expect(scripts).toBe(resolve(import.meta.dir, "../../../scripts"));
    expect(folders).not.toBeEmpty();
    for (const folder of folders) expect(`${where} ${scripts}`).toContain(folder);
    expect(toPlaces(["-"], {}).where).toBe("LOGS");
    expect(toPlaces(["1", "2", "3", "4", "5"], {}).where).toBe("LOGS");
  });
});
