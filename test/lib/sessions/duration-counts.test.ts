import { expect, test } from "bun:test";
import { readSessions } from "../../../lib/logs/log-sessions.ts";
import { openTables } from "../../../lib/logs/walk-tables.ts";
import { DurationCounter } from "../../../lib/sessions/duration-counts.ts";
import { SENSORS_MOST, toTally } from "../../../lib/sessions/tally.ts";
import { DURATION_STEPS } from "../../../lib/text/duration-steps.ts";
import { everything } from "../../../lib/view/cells.ts";
import { buildDurationsData, buildDurationsView } from "../../../lib/view/report-durations.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { buildScope } from "../../../lib/view/report-view.ts";
import { buildReduced } from "../../support/build.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";
import { buildReportData } from "../../support/report.ts";

const DAY = Math.floor(NOON_MS / 86_400_000);
const DAY_S = 86_400;
const closed = (at: number, rest: object): LogEvent => ({ eventid: "session.closed", at, ...rest });
const LOGS = [
  [closed(1, { duration: 0.4 }), closed(2, { duration: "9.99" }), closed(3, { duration: 10, sensor: "b" })],
  [closed(DAY_S, { duration: 5000 }), closed(DAY_S, { duration_ms: 700 }), closed(DAY_S, {}), { eventid: "x", at: DAY_S }],
];

async function count(scope: object = {}) {
  using set = await readEvents(...LOGS);
  const counter = new DurationCounter(scope);
  for await (const { table } of openTables(set)) counter.take(await readSessions(table));
  return counter.finish();
}

test("sessions are counted by length, day and sensor; one that tells no length is not", async () => {
  const { sensors, tallies } = await count();
  const cells = tallies.flatMap(({ day, sensor, count: n }, step) =>
    [...day].map((own, i) => `${DURATION_STEPS[step]!.name}: ${own - DAY} ${sensors[sensor[i]!]!} ${n[i]!}`),
  );
  expect(cells).toEqual([
    "under 1 s: 0 a 1",
    "under 1 s: 1 a 1",
    "3 to 10 s: 0 a 1",
    "10 to 30 s: 0 b 1",
    "30 min and more: 1 a 1",
  ]);
  const some = await count({ sensors: ["b"], untilDay: DAY });
  expect(some.tallies.reduce((sum, tally) => sum + tally.count.length, 0)).toBe(1);
});

test("the picture has a bar for each length and follows the filter", async () => {
  const row = (date: string, sensor: string) =>
    ({ kind: "event", date, sensor, key: { eventid: "e", hour: 1 }, count: 1 }) as const;
  const data = buildReportData(buildReduced([row("2024-03-01", "a"), row("2024-03-01", "b"), row("2024-03-02", "a")]), { show: 5 });
  const lengths = buildDurationsData(await count(), data.grid, ["a", "b"])!;
  const scope = (sensors: number[]) => {
    const filter = { ...everything(data.grid), sensors: Uint8Array.from(sensors) };
    return buildScope(data, filter, { lastDays: 7, thresholdPercent: 20 });
  };
  const whole = buildDurationsView(scope([1, 1]), lengths, 600);
  expect(whole.label).toBe("5 sessions by length");
  const drawn = toMarkupText(whole.svg);
  expect(drawn).toContain("under 1 s 2, 1 to 3 s 0, 3 to 10 s 1, 10 to 30 s 1");
  const [longest, none, half] = [...drawn.matchAll(/<rect[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect([longest! > 100, none, half]).toEqual([true, 0, longest! / 2]);
  expect(buildDurationsView(scope([0, 1]), lengths, 600).label).toBe("1 session by length");
  const empty = { sensors: [], tallies: [] };
  expect(buildDurationsData(empty, data.grid, ["a"])).toBeUndefined();
});

test("a day before 1970 keeps its sensors", () => {
  const { day, sensor, count } = toTally(new Map([[-3 * SENSORS_MOST + 2, 7], [SENSORS_MOST + 1, 4]]));
  expect([[...day], [...sensor], [...count]]).toEqual([[-3, 1], [2, 1], [7, 4]]);
});
