/** How far sessions came: against one JSON.parse a line and a map, whole and under a filter, over tables cut anywhere. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { EventScope } from "../../../lib/events/scope.ts";
import type { LogSet } from "../../../lib/logs/log-set.ts";
import { readLogSet } from "../../../lib/logs/log-set.ts";
import { readSessions } from "../../../lib/logs/log-sessions.ts";
import { openTables } from "../../../lib/logs/walk-tables.ts";
import { REACH_STEPS } from "../../../lib/logs/slot-reach.ts";
import { ReachCounter, type ReachCounts } from "../../../lib/sessions/reach-counts.ts";
import { everything } from "../../../lib/view/cells.ts";
import { buildReportData } from "../../support/report.ts";
import { buildFunnel, buildSessionReach } from "../../../lib/view/report-reach.ts";
import { buildScope } from "../../../lib/view/report-view.ts";
import { buildReduced } from "../../support/build.ts";
import { joinFleet } from "../../support/copy-fleet.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "reach-"));
/** Those whose logs hold no line that has to be mended. */
const SENSORS = ["hp-ams-01", "hp-lab-01", "hp-waw-02"];
beforeAll(() => joinFleet(FOLDER, SENSORS));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

async function count(set: LogSet, scope: EventScope = {}): Promise<ReachCounts> {
  const counter = new ReachCounter(scope);
  for await (const { table } of openTables(set)) counter.take(await readSessions(table));
  return counter.finish();
}

/** The slow way: `step day sensor` -> sessions, and addresses of a step. */
function countPlainly(): { sessions: Map<string, number>; addresses: Map<string, number> } {
  const sessions = new Map<string, { steps: Set<string>; day: number; sensor: string; address: string }>();
  for (const path of readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter(name => name.includes(".json"))) {
    const bytes = readFileSync(join(FOLDER, path));
    for (const line of (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").split("\n")) {
      // The log that is still written ends in half a line.
      if (!line.endsWith("}")) continue;
      const event = JSON.parse(line);
      const id = `${event.sensor} ${event.session}`;
      const own = sessions.get(id) ?? { steps: new Set(), day: NaN, sensor: event.sensor, address: event.src_ip };
      sessions.set(id, own);
      const what = event.eventid.replace(/^cowrie\./, "");
      if (what === "session.connect") own.day = Math.floor(Date.parse(event.timestamp) / 86_400_000);
      if (what === "session.connect") own.steps.add("connected");
      if (what.startsWith("login.")) own.steps.add("tried");
      if (what === "login.success") own.steps.add("accepted");
      if (what === "command.input" && event.realm === undefined && event.input !== undefined) own.steps.add("typed");
      if (what === "session.file_download" && event.shasum) own.steps.add("fetched");
    }
  }
  const cells = new Map<string, number>();
  const seen = new Map<string, Set<string>>();
  for (const { steps, day, sensor, address } of sessions.values())
    for (const step of steps) {
      const cell = `${step} ${day} ${sensor}`;
      cells.set(cell, (cells.get(cell) ?? 0) + 1);
      seen.set(step, (seen.get(step) ?? new Set()).add(address));
    }
  return { sessions: cells, addresses: new Map([...seen].map(([step, own]) => [step, own.size])) };
}

const toCells = ({ sensors, tallies }: ReachCounts): Map<string, number> =>
  new Map(tallies.flatMap(({ day, sensor, count: n }, step) => [...day].map((own, i) => [`${REACH_STEPS[step]} ${own} ${sensors[sensor[i]!]}`, n[i]!] as const)));
const addressesOf = ({ reached }: ReachCounts) =>
  new Map(REACH_STEPS.map((step, bit) => [step, new Set([...reached.address].filter((_, i) => (reached.steps[i]! & (1 << bit)) !== 0)).size]));

test("sessions of the example logs, day by day and sensor by sensor, and their addresses", async () => {
  using set = await readLogSet([FOLDER], { mode: "write", keepsTables: true, jobs: 1, onNotice: () => {}, outputs: [] });
  const counts = await count(set);
  const plain = countPlainly();
  expect(toCells(counts)).toEqual(plain.sessions);
  expect(Object.fromEntries(addressesOf(counts))).toEqual(Object.fromEntries(plain.addresses));
  expect(plain.sessions.size).toBeGreaterThan(300);
});

const DAY = Math.floor(NOON_MS / 86_400_000);
const DAY_S = 86_400;
const event = (eventid: string, at: number, rest: object = {}): LogEvent => ({ eventid, at, ...rest });
/** Session s1 goes over midnight; s2 fetches and types nothing; s3 is on another sensor under the same id as s1. */
const EVENTS: LogEvent[] = [
  event("session.connect", 0),
  event("login.failed", 1),
  event("login.success", 2),
  event("command.input", 3, { input: "cat", realm: "fed" }),
  event("session.file_download", 4, { shasum: "" }),
  event("session.connect", 5, { sensor: "b", src_ip: "192.0.2.3" }),
  event("session.connect", 6, { session: "s2", src_ip: "192.0.2.2" }),
  event("session.file_download", 7, { session: "s2", src_ip: "192.0.2.2", shasum: "ab" }),
  event("session.closed", 8, { session: "s2", src_ip: "192.0.2.2" }),
  event("command.input", DAY_S, { input: "id" }),
  event("session.closed", DAY_S + 1),
];
const EXPECTED = {
  [`connected ${DAY} a`]: 2,
  [`connected ${DAY} b`]: 1,
  [`tried ${DAY} a`]: 1,
  [`accepted ${DAY} a`]: 1,
  [`typed ${DAY} a`]: 1,
  [`fetched ${DAY} a`]: 1,
};

test("a session counts once, on the day it connected, wherever its log was cut", async () => {
  for (let cut = 1; cut <= EVENTS.length; cut++) {
    using set = await readEvents(EVENTS.slice(0, cut), ...(cut < EVENTS.length ? [EVENTS.slice(cut)] : []));
    expect(Object.fromEntries(toCells(await count(set)))).toEqual(EXPECTED);
  }
});

test("only the days and sensors asked for count; of a session cut at its beginning, the first event that tells", async () => {
  using set = await readEvents(EVENTS);
  expect(Object.fromEntries(toCells(await count(set, { sensors: ["b"] })))).toEqual({ [`connected ${DAY} b`]: 1 });
  expect(Object.fromEntries(toCells(await count(set, { sinceDay: DAY + 1 })))).toEqual({ [`typed ${DAY + 1} a`]: 1 });
  expect(Object.fromEntries(toCells(await count(set, { sensors: ["c"], sensorAliases: { b: "c" } })))).toEqual({ [`connected ${DAY} c`]: 1 });
});

test("more sensors and sessions than a list has places", async () => {
  const many = Array.from({ length: 2100 }, (_, i) => [event("session.connect", i, { session: `s${i}`, sensor: `n${i}` }), event("login.failed", i, { session: `s${i}`, sensor: `n${i}` })]);
  using set = await readEvents(many.flat());
  const { sensors, tallies } = await count(set);
  expect([sensors.length, ...tallies.map(({ count: own }) => own.length)]).toEqual([2100, 2100, 2100, 0, 0, 0]);
});

test("the funnel counts sessions and addresses of the days and sensors chosen", async () => {
  using set = await readEvents(EVENTS);
  const counts = await count(set);
  const row = (date: string, sensor: string, eventid: string, from: string) =>
    ({ kind: "event", date, sensor, key: { eventid, hour: 12 }, count: 1, from: [from] }) as const;
  const table = buildReduced([row("2024-03-01", "a", "cowrie.session.connect", "192.0.2.1"), row("2024-03-01", "b", "cowrie.session.connect", "192.0.2.3"), row("2024-03-02", "a", "cowrie.command.input", "192.0.2.1")]);
  const plain = buildReportData(table, { show: 5 });
  const data = { ...plain, sessionReach: buildSessionReach(counts, plain.grid, table.dictionaries.sensor) };
  const funnel = (filter = everything(data.grid)) => buildFunnel(buildScope(data, filter, { lastDays: 7, thresholdPercent: 20 }));
  const figures = ({ rows }: ReturnType<typeof funnel>) => rows.map(({ count: n, addresses }) => [n, addresses!.value, addresses!.low === addresses!.high]);
  expect(funnel().unit).toBe("sessions");
  expect(figures(funnel())).toEqual([[3, 3, true], [1, 1, true], [1, 1, true], [1, 1, true], [1, 1, true]]);
  expect(figures(funnel({ ...everything(data.grid), sensors: Uint8Array.of(0, 1) }))).toEqual([[1, 1, true], [0, 0, true], [0, 0, true], [0, 0, true], [0, 0, true]]);
  const second = { first: data.grid.firstDay + 1, last: data.grid.firstDay + 1 };
  // On the second day a command was typed, in a session of the first.
  expect(figures(funnel({ ...everything(data.grid), range: second }))).toEqual(Array(5).fill([0, 0, true]));
});
