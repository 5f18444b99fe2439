/** Which address made most of a day: against one JSON.parse a line; nothing where other events are found than were counted. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPeaks, type PeakDay } from "../../../lib/history/peaks.ts";
import { analyzeLogs } from "../../../lib/logs/analyze.ts";
import { findLeadersIn } from "../../../lib/sessions/peak-counts.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";
import { copyFleet } from "../../support/copy-fleet.ts";
import { countBy, plainEvents } from "../../support/plain-events.ts";

test("the leaders of the example's peaks are those that a plain count finds", async () => {
  const folder = mkdtempSync(join(tmpdir(), "peaks-"));
  try {
    await copyFleet(folder, "hp-ams-01");
    // It ends in half a line.
    rmSync(join(folder, "cowrie.json"));
    using analysis = await analyzeLogs([folder], {
      ...{ mode: "write", keepsTables: true, jobs: 1, onNotice: () => {}, outputs: [], dedupeLines: false, wantsRejects: false },
      parameters: { robotMaxSeconds: 10 },
    });
    const { days } = findPeaks(analysis.table);
    // Every day of logins that was anything of a peak, so that there is more than one to be right about.
    const peaks = [...days, ...dayTotals(folder).filter(({ day }) => !days.some(one => one.activity === "logins" && one.day === day))];
    const found = await findLeadersIn(analysis.set, peaks, {});
    expect(found.map(({ activity, day, address, count, total }) => `${activity} ${day} ${address} ${count}/${total}`).sort()).toEqual(plainLeaders(folder, peaks));
    expect(found.find(({ total, activity }) => activity === "logins" && total > 500)).toMatchObject({ address: "203.0.113.250", count: 900, sensors: ["hp-ams-01"] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const EVENTS = {
  logins: /^cowrie\.login\.(success|failed)$/,
  commands: /^cowrie\.command\.input$/,
  downloads: /^cowrie\.session\.file_download$/,
  "proxy requests": /^cowrie\.direct-tcpip\.request$/,
};
const dayOfEvent = (timestamp: string) => Math.floor(Date.parse(timestamp) / 86_400_000);

function dayTotals(folder: string): PeakDay[] {
  const logins = plainEvents(folder).filter(({ eventid }) => EVENTS.logins.test(eventid));
  return [...countBy(logins, ({ timestamp }) => String(dayOfEvent(timestamp)))].map(([day, total]) => ({ activity: "logins", day: Number(day), total }));
}

function plainLeaders(folder: string, peaks: readonly PeakDay[]): string[] {
  const events = plainEvents(folder);
  return peaks
    .flatMap(({ activity, day, total }) => {
      const own = events.filter(({ eventid, timestamp, shasum }) => EVENTS[activity].test(eventid) && dayOfEvent(timestamp) === day && (activity !== "downloads" || shasum));
      expect(own.length).toBe(total);
      const [address, count] = [...countBy(own, ({ src_ip }) => String(src_ip))].reduce((a, b) => (b[1] > a[1] ? b : a));
      return 2 * count > total ? [`${activity} ${day} ${address} ${count}/${total}`] : [];
    })
    .sort();
}

const DAY = Math.floor(NOON_MS / 86_400_000);
const login = (at: number, src_ip: string, rest: object = {}): LogEvent => ({ eventid: "login.failed", at, src_ip, ...rest });
const LOGS = [
  [login(0, "192.0.2.1"), login(1, "192.0.2.1", { sensor: "b" }), login(2, "192.0.2.2", { session: "s2" }), login(86_400, "192.0.2.2", { session: "s2" })],
  [login(3, "192.0.2.1"), { eventid: "command.input", at: 4, input: "x", realm: "fed" }],
];
const peak = (total: number, day = DAY): PeakDay => ({ activity: "logins", day, total });

test("counts go over tables; another total than was counted is not told, nor is a half", async () => {
  using set = await readEvents(...LOGS);
  const whole = { activity: "logins", day: DAY, total: 4, address: "192.0.2.1", count: 3, sensors: ["a", "b"] } as const;
  expect(await findLeadersIn(set, [peak(4), peak(1, DAY + 1)], {})).toEqual([whole, { ...whole, day: DAY + 1, total: 1, count: 1, address: "192.0.2.2", sensors: ["a"] }]);
  expect(await findLeadersIn(set, [peak(5)], {})).toEqual([]);
  expect(await findLeadersIn(set, [peak(3)], { sensors: ["a"] })).toEqual([{ ...whole, total: 3, count: 2, sensors: ["a"] }]);
  expect(await findLeadersIn(set, [{ activity: "commands", day: DAY, total: 0 }], {})).toEqual([]);
  using even = await readEvents([login(0, "192.0.2.1"), login(1, "192.0.2.2", { session: "s2" })]);
  expect(await findLeadersIn(even, [peak(2)], {})).toEqual([]);
});
