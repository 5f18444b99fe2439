/** Activity by minutes: counted from event tables, drawn from the first event to the last, under the filter. */
import { expect, test } from "bun:test";
import type { EventScope } from "../../../lib/events/scope.ts";
import { tablesOf } from "../../../lib/logs/walk-tables.ts";
import { ACTIVITIES } from "../../../lib/events/activity-events.ts";
import { countMinutes } from "../../../lib/sessions/minute-counts.ts";
import { perStep } from "../../../lib/view/axis.ts";
import { everything } from "../../../lib/view/cells.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { multiplesChart } from "../../../lib/view/multiples-chart.ts";
import { activityLines, activitySteps } from "../../../lib/view/report-first.ts";
import { buildMinutesData } from "../../../lib/view/report-minutes.ts";
import { buildScope, stepLabel } from "../../../lib/view/report-view.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";
import { buildReportData } from "../../support/report.ts";

const NOON = NOON_MS / 60_000;
const event = (eventid: string, minute: number, rest: object = {}): LogEvent => ({ eventid, at: 60 * minute, ...rest });
/** Two hours from noon on, on sensors a and b. */
const EVENTS = [
  event("session.connect", -1),
  event("login.failed", 0),
  event("login.success", 0.5),
  event("login.failed", 61, { sensor: "b" }),
  event("command.input", 70, { input: "id" }),
  event("command.input", 71, { input: "fed", realm: "x" }),
  event("session.file_download", 80, { shasum: "" }),
  event("session.closed", 119),
];

async function count(scope: EventScope = {}) {
  using set = await readEvents(EVENTS.slice(0, 4), EVENTS.slice(4));
  return await countMinutes(tablesOf(set), scope);
}

function scopeOf(counts: Awaited<ReturnType<typeof count>>, dates = ["2024-03-01"], sensors = [1, 1]) {
  const rows = dates.flatMap(date => ["a", "b"].map((sensor): LiteralRow => ({ kind: "event", date, sensor, key: { eventid: "cowrie.login.failed", hour: 12 }, count: 1 })));
  const data = buildReportData(buildReduced(rows), { show: 5 });
  const times = { firstUs: (NOON - 1) * 60e6, lastUs: (NOON + 119) * 60e6 };
  const minutes = buildMinutesData(counts, data.grid, ["a", "b"], times);
  return buildScope({ ...data, ...(minutes && { minutes }) }, { ...everything(data.grid), sensors: Uint8Array.from(sensors) }, { lastDays: 7, thresholdPercent: 20 });
}

test("each event in its minute, on the days and sensors asked for", async () => {
  const cells = ({ sensors, tallies }: Awaited<ReturnType<typeof count>>) =>
    tallies.flatMap(({ day, sensor, count: n }, i) => [...day].map((minute, at) => `${ACTIVITIES[i]} ${minute - NOON} ${sensors[sensor[at]!]} ${n[at]!}`));
  expect(cells(await count())).toEqual(["logins 0 a 2", "logins 61 b 1", "accepted 0 a 1", "commands 70 a 1"]);
  expect(cells(await count({ sensors: ["b"] }))).toEqual(["logins 61 b 1"]);
  expect(cells(await count({ untilDay: 0 }))).toEqual([]);
});

test("two hours fill the picture: by minutes where there is room, else by longer steps; sums stay", async () => {
  const scope = scopeOf(await count());
  for (const [most, step, n] of [[170, 1, 121], [70, 2, 61], [30, 5, 25], [13, 10, 24]] as const) {
    const steps = activitySteps(scope, most);
    expect([Math.round(steps.days * 1440), steps.n]).toEqual([step, n]);
    const lines = activityLines(scope, steps);
    expect(lines.map(({ name, values }) => [name, values.reduce<number>((sum, one) => sum + (one ?? 0), 0)])).toEqual([["logins", 3], ["accepted", 1], ["commands", 1]]);
  }
  const steps = activitySteps(scope, 170);
  expect(stepLabel(steps, 0)).toBe("Fri 1 Mar 2024, 11:59");
  expect(activityLines(scope, steps)[0]!.values.slice(0, 3)).toEqual([0, 2, 0]);
  expect([perStep(steps.days), perStep(5 / 1440), perStep(1 / 24), perStep(1 / 8)]).toEqual(["per minute", "per 5 minutes", "per hour", "per 3 hours"]);
  const drawn = toMarkupText(multiplesChart(activityLines(scope, steps), steps, 600, "label").svg);
  expect([...drawn.matchAll(/>(\d\d:\d\d)</g)].map(([, time]) => time)).toEqual(["12:00", "12:15", "12:30", "12:45", "13:00", "13:15", "13:30", "13:45"]);
});

test("the filter leaves its sensors; of more than three days there are no minutes", async () => {
  const only = scopeOf(await count(), ["2024-03-01"], [0, 1]);
  expect(activityLines(only, activitySteps(only, 170)).map(({ name }) => name)).toEqual(["logins"]);
  const long = scopeOf(await count(), ["2024-03-01", "2024-03-04"]);
  expect(long.data.minutes).toBeUndefined();
  expect(activitySteps(long, 170).days).toBe(1);
});
