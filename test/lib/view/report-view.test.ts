import { describe, expect, test } from "bun:test";
import { toSteps } from "../../../lib/view/chart.ts";
import { everything } from "../../../lib/view/cells.ts";
import { groupAlike } from "../../../lib/view/alike.ts";
import {
  buildHeatRows,
  buildLines,
  buildRow,
  buildScope,
  describeCoverage,
  describePeak,
  describeShown,
  describeUncertainty,
  meanSteps,
  rankSection,
  toParts,
} from "../../../lib/view/report-view.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildFleet } from "../../support/report-fleet.ts";
import { buildFigures, describeHeadline } from "../../../lib/view/report-figures.ts";
import { buildReportData } from "../../support/report.ts";

const OPTIONS = { lastDays: 1, thresholdPercent: 20 };
const day = (n: number) => `2024-01-0${n}`;
const event = (date: string, sensor: string): LiteralRow => ({
  kind: "event",
  date,
  sensor,
  key: { eventid: "e", hour: 3 },
  count: 10,
});
const command = (date: string, sensor: string, input: string, count: number): LiteralRow => ({
  kind: "command",
  date,
  sensor,
  key: { input },
  count,
});
/** Days 1 to 4: sensor a watched on 1, 2 and 4; sensor b on 2 alone. Nobody watched on 3. */
const TABLE = buildReduced([
  event(day(1), "a"),
  event(day(2), "a"),
  event(day(2), "b"),
  event(day(4), "a"),
  command(day(1), "a", "id", 4),
  command(day(2), "b", "id", 1),
  command(day(2), "a", "w", 2),
  command(day(4), "a", "w", 9),
]);
const DATA = buildReportData(TABLE, { show: 5 });
const COMMANDS = DATA.sections.find(section => section.id === "commands")!;
const first = DATA.grid.firstDay;
const part = (from: number, to: number, sensors: number[]) =>
  buildScope(DATA, { range: { first: first + from, last: first + to }, sensors: Uint8Array.from(sensors) }, OPTIONS);
const whole = buildScope(DATA, everything(DATA.grid), OPTIONS);
const steps = toSteps(whole.filter.range, 1);

test("a chart's label names its peak and, of single days, its total", () => {
  const lines = [{ name: "w", values: [1, null, 3] }, { name: "id", values: [1, 0, 2] }];
  const days = (n: number, each: number) => toSteps({ first: 19783, last: 19783 + n * each - 1 }, each);
  expect(describePeak("x", days(3, 1), lines)).toBe("x; peak 5, Sun 3 Mar 2024, 7 in total");
  expect(describePeak("x", days(3, 7), lines)).toBe("x; peak 5, Fri 15 Mar 2024 – Thu 21 Mar 2024");
  expect(describePeak("x", days(3, 1), [])).toBe("x; nothing");
});

test("of two addresses, the source and the target are named", () => {
  const roles = (columns: Parameters<typeof toParts>[0]) => toParts(columns, columns.map(String)).map(({ role }) => role);
  expect(roles(["src_ip", "dst_ip", "dst_port"])).toEqual(["from", "to", "port"]);
  expect(roles(["src_ip", "dst_port"])).toEqual([undefined, undefined]);
});

describe("lines", () => {
  test("a day nobody watched is a gap, a watched day without the key is zero", () => {
    const ranking = rankSection(whole, COMMANDS);
    expect(buildLines(whole, ranking, groupAlike(ranking, 8), steps)).toEqual([
      { name: "w", values: [0, 2, null, 9] },
      { name: "id", values: [4, 1, null, 0] },
    ]);
  });

  test("follow the sensors chosen: of b alone only day 2 is known", () => {
    const scope = part(0, 3, [0, 1]);
    const ranking = rankSection(scope, COMMANDS);
    expect(buildLines(scope, ranking, groupAlike(ranking, 8), steps)).toEqual([{ name: "id", values: [null, 1, null, null] }]);
  });
});

describe("steps of several days", () => {
  test("show means of the watched days, so that a short last step and silent days bend nothing", () => {
    const byDay = Float64Array.of(4, 0, 2, 9, 3);
    const watched = Float64Array.of(1, 0, 1, 1, 1);
    expect(meanSteps(byDay, watched, toSteps({ first: 0, last: 4 }, 3))).toEqual([3, 6]);
    expect(meanSteps(new Float64Array(3), new Float64Array(3), toSteps({ first: 0, last: 2 }, 2))).toEqual([
      null,
      null,
    ]);
  });

  test("of a sensor's coverage too", () => {
    expect(buildHeatRows(whole, toSteps(whole.filter.range, 3)).map(row => row.values)).toEqual([
      [10, 10],
      [10, undefined],
    ]);
  });
});

describe("coverage", () => {
  test("inside a sensor's life a silent day is no data; outside it is nothing; another kind's zero is zero", () => {
    expect(buildHeatRows(whole, steps)).toEqual([
      { name: "a", total: 30, values: [10, 10, null, 10] },
      { name: "b", total: 10, values: [undefined, 10, undefined, undefined] },
    ]);
    const data = buildReportData(
      buildReduced([event(day(1), "a"), event(day(2), "a"), command(day(1), "a", "id", 4)]),
      {
        show: 5,
      },
    );
    const scope = buildScope(data, everything(data.grid), OPTIONS);
    const commands = data.sections.find(section => section.id === "commands")!;
    expect(buildHeatRows(scope, toSteps(scope.filter.range, 1), commands)[0]!.values).toEqual([4, 0]);
  });
});

describe("the headline", () => {
  test("counts days with events, of the days and sensors chosen", () => {
    const data = buildReportData(buildReduced([event(day(1), "a"), event(day(9), "b")]), { show: 5 });
    const grid = data.grid;
    const whole = buildScope(data, everything(grid), OPTIONS);
    expect(describeHeadline(whole).heading).toBe("20 events; 7 of 9 days without a watch.");
    expect(buildFigures(whole).at(-1)!.note).toBe("no sensor on 7 of 9 days");
    const range = { first: grid.firstDay, last: grid.firstDay + 1 };
    const filter = { range, sensors: Uint8Array.of(0, 1) };
    const chosen = describeHeadline(buildScope(data, filter, OPTIONS));
    expect(chosen.heading).toBe("No events");
    expect(chosen.lede).toEndWith(" UTC, 1 of 2 sensors");
    const full = buildReportData(buildReduced([event(day(1), "a"), event(day(2), "a")]), { show: 5 });
    expect(describeHeadline(buildScope(full, everything(full.grid), OPTIONS)).heading).toBe("20 events.");
  });

  test("figures say both periods and call neither good, bad or new", () => {
    const scope = buildScope(DATA, everything(DATA.grid), { ...OPTIONS, lastDays: 2 });
    const pasts = buildFigures(scope).flatMap(({ past }) => past ?? []);
    expect(pasts.length).toBeGreaterThan(0);
    for (const past of pasts) expect(past).toMatch(/^[\d,]+ in the last 2 days, [\d,]+ in the 2 days before$/);
  });
});

describe("ranking", () => {
  test("is done anew under a filter", () => {
    expect(rankSection(part(0, 0, [1, 1]), COMMANDS).order.map(key => COMMANDS.keys[key]![0])).toEqual(["id"]);
  });

  test("rows say count, share, and how it changed per sensor-day", () => {
    const scope = buildScope(DATA, everything(DATA.grid), { ...OPTIONS, lastDays: 2 });
    const row = buildRow(scope, rankSection(scope, COMMANDS), 0, 1, steps);
    // Days 3 and 4: 9 on one sensor-day; days 1 and 2: 2 on three.
    expect([row.countText, row.shareText, row.change.text, row.sensorsText]).toEqual([
      "11",
      "68.8 %",
      "+1,250 %",
      "1/2",
    ]);
  });

  test("what the page does not carry bounds what it claims", () => {
    const tail = Array.from({ length: 400 }, (_, i) => command(day(1), "a", `rare ${i}`, 3));
    const data = buildReportData(
      buildReduced([
        event(day(1), "a"),
        event(day(2), "a"),
        ...tail,
        command(day(2), "a", "often", 50),
        command(day(1), "a", "often", 1),
      ]),
      { show: 5 },
    );
    const section = data.sections.find(candidate => candidate.id === "commands")!;
    const scope = buildScope(data, { ...everything(data.grid), range: { first, last: first } }, OPTIONS);
    const ranking = rankSection(scope, section);
    const often = section.keys.findIndex(key => key[0] === "often");
    expect({ bound: ranking.bound, often: buildRow(scope, ranking, often, 1, steps).isUncertain }).toEqual({
      bound: 3,
      often: true,
    });
    expect(describeUncertainty(ranking, ranking.order.slice(0, 5))).toBeUndefined();
    expect(describeUncertainty(ranking, [often])).toContain("may rank lower than shown");
  });

  test("the bound holds for every filter: no key left out has more", () => {
    const table = buildFleet({ days: 10, sensors: 3, tail: 600, seed: 5 });
    const data = buildReportData(table, { show: 3 });
    const section = data.sections.find(candidate => candidate.id === "credentials")!;
    const carried = new Set(section.keys.map(key => key.join("\0")));
    const { login } = table.kinds;
    const { username, password, sensor } = table.dictionaries;
    for (const [from, to, only] of [
      [0, 0, 0],
      [2, 4, 1],
      [0, 9, 2],
      [3, 9, -1],
    ] as const) {
      const sensors = Uint8Array.from(sensor, (_, code) => Number(only === -1 || code === only));
      const start = data.grid.firstDay;
      const scope = buildScope(data, { range: { first: start + from, last: start + to }, sensors }, OPTIONS);
      const counts = new Map<string, number>();
      for (let row = 0; row < login.rows; row++) {
        const at = login.day[row]! - start;
        if (at < from || at > to || sensors[login.sensor[row]!] !== 1) continue;
        const key = [username[login.keys.username![row]!] ?? null, password[login.keys.password![row]!] ?? null].join(
          "\0",
        );
        if (!carried.has(key)) counts.set(key, (counts.get(key) ?? 0) + login.count[row]!);
      }
      const largest = Math.max(0, ...counts.values());
      const { bound } = rankSection(scope, section);
      expect({ from, to, only, holds: largest <= bound, tight: bound <= 10 * largest }).toEqual({
        from,
        to,
        only,
        holds: true,
        tight: true,
      });
    }
  });

  test("the page says how much of it is to be seen", () => {
    const ranking = rankSection(whole, COMMANDS);
    expect(describeShown(ranking, [0], true)).toBe("First 1 of 2: 68.8 % of 16 commands.");
    expect(describeShown(ranking, [0, 1], true)).toBe("All 2: 100.0 % of 16 commands.");
    expect(describeShown(ranking, [0], true, 1)).toBe("1 found: 68.8 % of 16 commands.");
    expect(describeShown(ranking, [0], true, 2)).toBe("First 1 of 2 found: 68.8 % of 16 commands.");
    expect(describeShown(ranking, [], true, 0)).toBe("None found.");
    expect(describeShown(ranking, [0], false)).toBe("First 1 of 2: 68.8 % of 16 commands.");
  });
});

test("of a thousand sensors the coverage draws the busiest, and says so", () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({
    ...event(day(1), `s${String(i).padStart(3, "0")}`),
    count: 1 + (i % 299),
  }));
  const data = buildReportData(buildReduced(rows), { show: 5 });
  const scope = buildScope(data, everything(data.grid), OPTIONS);
  const drawn = buildHeatRows(scope, toSteps(scope.filter.range, 1));
  expect({ n: drawn.length, least: Math.min(...drawn.map(row => row.total)), order: drawn[0]!.name }).toEqual({
    n: 200,
    least: 100,
    order: "s099",
  });
  expect(describeCoverage(scope, "Events", toSteps(scope.filter.range, 1), 200)).toBe(
    "Events per sensor, per day, the 200 busiest of 300 sensors",
  );
});

describe("figures", () => {
  const connect = (date: string, sensor: string, ip: string): LiteralRow => ({
    kind: "connect",
    date,
    sensor,
    key: { src_ip: ip, dst_port: 22 },
    count: 1,
  });
  const data = buildReportData(
    buildReduced([
      event(day(1), "a"),
      event(day(2), "a"),
      connect(day(1), "a", "1.1.1.1"),
      connect(day(2), "a", "1.1.1.1"),
      connect(day(2), "a", "2.2.2.2"),
    ]),
    { show: 5 },
  );
  const noteOf = (from: number, to: number) =>
    buildFigures(
      buildScope(data, { ...everything(data.grid), range: { first: first + from, last: first + to } }, OPTIONS),
    ).find(figure => figure.label.startsWith("connection"))!.note;

  test("distinct addresses are exact for everything and for one sensor-day", () => {
    expect([noteOf(0, 1), noteOf(0, 0), noteOf(1, 1)]).toEqual([
      "from 2 addresses",
      "from 1 address",
      "from 2 addresses",
    ]);
  });

  test("in between too, and never a sum", () => {
    const three = buildReportData(
      buildReduced(
        [day(1), day(2), day(3)].flatMap(date => [
          event(date, "a"),
          connect(date, "a", "1.1.1.1"),
          connect(date, "a", `${date}`),
        ]),
      ),
      { show: 5 },
    );
    const scope = buildScope(three, { ...everything(three.grid), range: { first, last: first + 1 } }, OPTIONS);
    expect(buildFigures(scope).find(figure => figure.label === "connections")!.note).toBe("from 3 addresses");
  });
});
