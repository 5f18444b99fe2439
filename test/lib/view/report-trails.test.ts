import { describe, expect, test } from "bun:test";
import { everything } from "../../../lib/view/cells.ts";
import { buildReportData } from "../../../lib/view/report-data.ts";
import { toWhere } from "../../../lib/pages/report-sessions.ts";
import {
  buildTrail,
  buildTrailsData,
  packTrails,
  sessionsOf,
  toTrailQueries,
  unpackTrails,
} from "../../../lib/view/report-trails.ts";
import { buildScope, rankSection } from "../../../lib/view/report-view.ts";
import type { TrailSession } from "../../../lib/sessions/session-trails.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";

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
const TRAILS = buildTrailsData(
  QUERIES,
  QUERIES.map(({ id, keys }) =>
    keys.map((_, key) =>
      id === "credentials" && key === 0
        ? [session(2, "b", "b1"), session(0, "a", "a1"), session(0, "a", "-a2")]
        : [session(2, "b", "b1")],
    ),
  ),
  "logs",
  3,
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
    expect(shown).toBe("The 3 newest sessions; 7 login attempts in all.");
    expect(parts.map(({ text }) => text)).toEqual(["root", "it's"]);
    expect(rows.map(({ time, sensor, address, session: id }) => [time, sensor, address, id].join(" "))).toEqual([
      "2024-01-03 01:01:01 b – b1",
      "2024-01-01 01:01:01 a 192.0.2.9 a1",
      "2024-01-01 01:01:01 a 192.0.2.9 -a2",
    ]);
    expect(hasAddresses).toBe(true);
    expect(rows[2]!.command).toBe("bun scripts/trace-sid.ts --session-id='-a2' logs");
    expect(commands.map(({ text }) => text)).toEqual([
      "bun scripts/trace-sid.ts -sid b1 logs",
      "bun scripts/value-counts.ts --event 'login.*' --column session -n 0 --where username=root " +
        `--where 'password=it'\\''s' logs`,
    ]);
  });

  test("follow the filter: sessions outside of it come last, commands name its days and sensors", () => {
    const range = { first: FIRST, last: FIRST + 1 };
    const scope = buildScope(DATA, { range, sensors: Uint8Array.from([1, 0]) }, OPTIONS);
    const { shown, rows, commands } = trail("credentials", 0, scope);
    expect(shown).toBe(
      "The 3 newest sessions of all days and sensors, 2 of them in the selection, which has 4 login attempts.",
    );
    expect(rows.map(({ session: id, isInside }) => [id, isInside])).toEqual([
      ["a1", true],
      ["-a2", true],
      ["b1", false],
    ]);
    expect(commands[0]!.text).toEndWith("-sid a1 logs");
    expect(commands[1]!.text).toEndWith("logs --until 2024-01-02 --sensor a");
  });

  test("an address is traced; what cannot be said in one line is left out", () => {
    const { shown, commands, hasAddresses } = trail("connections", 0);
    expect([shown, hasAddresses]).toEqual(["The only session; 2 connections in all.", false]);
    expect(commands[1]!.text).toBe("bun scripts/trace-ip.ts -i 2001:db8::1 logs");
    expect(trail("credentials", 1).commands).toHaveLength(1);
    expect(trail("commands", 0).commands).toHaveLength(1);
  });

  test("logs are named as they were given; a pipe, and more than a few, have no name", () => {
    expect(toWhere(["my logs", "b"], { mappedDir: "m", sensorAlias: "x y" })).toBe(
      "'my logs' b --mapped-dir m --sensor-alias 'x y'",
    );
    expect(toWhere(["-"], {})).toBe("LOGS");
    expect(toWhere(["1", "2", "3", "4", "5"], {})).toBe("LOGS");
  });
});
