/** The first screen: verdict, activity, how far they came, what they did and who; whole and under a filter. */
import { describe, expect, test } from "bun:test";
import { countReach } from "../../../lib/pages/reach.ts";
import { everything } from "../../../lib/view/cells.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import type { ReportData } from "../../../lib/view/report-data.ts";
import {
  activityLines,
  activitySteps,
  buildBehaviours,
  buildWho,
  describePeriod,
  firstListMarkup,
} from "../../../lib/view/report-first.ts";
import type { ChainsData } from "../../../lib/view/report-chains.ts";
import { buildFunnel, funnelMarkup } from "../../../lib/view/report-reach.ts";
import { buildScope, chooseSteps, stepLabel } from "../../../lib/view/report-view.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildReportData } from "../../support/report.ts";

const OPTIONS = { lastDays: 7, thresholdPercent: 20 };
const dayOf = (n: number) => `2026-05-${String(n).padStart(2, "0")}`;

/** Ten days of two sensors: a login and a connection a day from each of two addresses; on the fifth day one makes 90. */
function rows(): LiteralRow[] {
  const all: LiteralRow[] = [];
  for (let n = 1; n <= 10; n++) {
    if (n === 8) continue;
    for (const sensor of ["a", "b"]) {
      const date = dayOf(n);
      const count = n === 5 && sensor === "a" ? 90 : 1;
      all.push({ kind: "login", date, sensor, key: { username: "root", password: "x" }, count, success: 1 });
      for (const [i, src_ip] of ["192.0.2.1", "192.0.2.2"].entries())
        all.push({ kind: "connect", date, sensor, key: { src_ip, dst_port: 22 }, count: i === 0 ? count : 1 });
      for (const input of ["uname", "free -m"]) all.push({ kind: "command", date, sensor, key: { input }, count: 2 });
      all.push({ kind: "command", date, sensor, key: { input: "<b>id</b>" }, count: n });
      const event = (eventid: string, from: string[]) =>
        all.push({ kind: "event", date, sensor, key: { eventid, hour: 3 }, count: from.length, from });
      event("cowrie.login.success", ["192.0.2.1"]);
      event("cowrie.login.failed", ["192.0.2.1", "192.0.2.2"]);
      event("cowrie.command.input", ["192.0.2.1"]);
    }
  }
  return all;
}

const TABLE = buildReduced(rows());
const DATA: ReportData = { ...buildReportData(TABLE, { show: 5 }), reach: countReach(TABLE) };
const { grid } = DATA;
const whole = buildScope(DATA, everything(grid), OPTIONS);
const part = (first: number, last: number, sensors = [1, 1]) =>
  buildScope(DATA, { range: { first: grid.firstDay + first, last: grid.firstDay + last }, sensors: Uint8Array.from(sensors) }, OPTIONS);

describe("the verdict", () => {
  test("logins, addresses, what was accepted, peaks, days without a watch", () => {
    expect(describePeriod(whole)).toBe("107 logins from 2 addresses, 16.8 % accepted; 5 May was the peak; 1 of 10 days without a watch.");
    expect(describePeriod(part(4, 4, [0, 1]))).toBe("1 login, 100.0 % accepted; 2 addresses.");
    const refused = buildReportData(buildReduced(rows().map(row => (row.kind === "login" ? { ...row, success: 0 } : row))), { show: 5 });
    expect(describePeriod(buildScope(refused, everything(refused.grid), OPTIONS))).toContain("107 logins, none accepted; 2 addresses");
  });

  test("without logins it speaks of connections, without those of events", () => {
    const of = (kinds: string[]) => {
      const data = buildReportData(buildReduced(rows().filter(({ kind }) => kinds.includes(kind))), { show: 5 });
      return describePeriod(buildScope(data, everything(data.grid), OPTIONS));
    };
    expect(of(["connect", "event"])).toStartWith("125 connections from 2 addresses, no login");
    expect(of(["event"])).toStartWith("72 events");
  });
});

test("peaks: a week at least, two and a half times the day in the middle, five at most", () => {
  const peaksOf = (...counts: number[]) => {
    const data = buildReportData(
      buildReduced(
        counts.flatMap((count, i): LiteralRow[] => [
          { kind: "event", date: dayOf(i + 1), sensor: "a", key: { eventid: "cowrie.login.failed", hour: 3 }, count: 1 },
          { kind: "login", date: dayOf(i + 1), sensor: "a", key: { username: "root", password: "x" }, count, success: 0 },
        ]),
      ),
      { show: 5 },
    );
    return /; ([^;]*peaks?)/.exec(describePeriod(buildScope(data, everything(data.grid), OPTIONS)))?.[1];
  };
  expect(peaksOf(10, 10, 10, 10, 10, 10, 25)).toBe("7 May was the peak");
  expect(peaksOf(10, 10, 10, 10, 10, 10, 24)).toBeUndefined();
  expect(peaksOf(10, 10, 10, 10, 10, 25)).toBeUndefined();
  const days = (peaks: number) => [...Array<number>(8).fill(10), ...Array<number>(peaks).fill(30)];
  expect(peaksOf(...days(5))).toBe("5 days made the peaks");
  expect(peaksOf(...days(6))).toBeUndefined();
});

test("activity has a row for each thing there is, breaks where nobody watched", () => {
  const lines = activityLines(whole, chooseSteps(whole, 100));
  expect(lines.map(({ name }) => name)).toEqual(["logins", "accepted", "commands"]);
  expect(lines[0]!.values).toEqual([2, 2, 2, 2, 91, 2, 2, null, 2, 2]);
});

test("few days are shown by hours, of what the table counts by hour", () => {
  const few = part(0, 1);
  const hourly = activitySteps(few, 170);
  expect([hourly.n, hourly.days]).toEqual([48, 1 / 24]);
  const lines = activityLines(few, hourly);
  // Each accepted login here typed one command: what says the same is one row.
  expect(lines.map(({ name }) => name)).toEqual(["logins", "accepted = commands"]);
  expect(lines[0]!.values.flatMap((count, hour) => (count === 0 ? [] : [[hour, count]]))).toEqual([[3, 6], [27, 6]]);
  expect(stepLabel(hourly, 27)).toBe("Sat 2 May 2026, 03:00");
  // Too many days, and too little room.
  expect(activitySteps(whole, 170).days).toBe(1);
  expect(activitySteps(few, 40).days).toBe(1);
});

test("the funnel of a table counts events, and says so; addresses are of all days and sensors or not said", () => {
  const { unit, rows: steps } = buildFunnel(whole);
  expect([unit, ...steps.map(({ name, count, addresses }) => [name, count, addresses?.value])]).toEqual([
    "events",
    ["connections", 125, 2],
    ["login attempts", 107, 2],
    ["accepted logins", 18, 1],
  ]);
  expect(buildFunnel(part(4, 4)).rows.map(({ count, addresses }) => [count, addresses?.value])).toEqual([[93, 2], [91, undefined], [2, undefined]]);
  const drawn = funnelMarkup(buildFunnel(whole)).map(toMarkupText).join("");
  expect(drawn).toContain("<td class=\"number\">107</td>");
  expect(drawn).toContain(">events</th>");
  const estimate = { ...whole, data: { ...DATA, reach: { tried: { value: 5000, isExact: false } } } };
  expect(funnelMarkup(buildFunnel(estimate)).map(toMarkupText).join("")).toContain(">≈ 5,000</td>");
  const blind = countReach(buildReduced(rows().map(({ from: _, ...row }) => row)));
  expect(blind).toEqual({ fetched: { value: 0, isExact: true } });
});

describe("who, and what they did", () => {
  test("an address once, whatever its ports; the rest as a share", () => {
    const { rows: who, rest } = buildWho(whole);
    expect(who.map(({ text, count }) => [text, count])).toEqual([["192.0.2.1", 107], ["192.0.2.2", 18]]);
    expect(rest).toBe("");
    expect(buildWho(part(4, 4, [1, 0])).rows.map(({ count }) => count)).toEqual([90, 1]);
  });

  test("chains that nobody typed in the selection are none of them; what goes on has more commands", () => {
    const cells = (day: number, count: number) => ({ at: Int32Array.of(day * grid.sensors), count: Float64Array.of(count) });
    const chains: ChainsData = {
      steps: 6,
      runDays: 1,
      commands: ["a", "b"],
      purposes: ["other", "other"],
      chains: [
        { commands: [0, 1], isCut: true, addresses: 4 },
        { commands: [1], isCut: false, addresses: 3 },
      ],
      distinct: 2,
      cells: [cells(0, 6), cells(5, 9)],
      rest: cells(0, 2),
    };
    const { rows: did, rest } = buildBehaviours(part(0, 2), chains);
    expect(did.map(({ text, more, count, share }) => [text, more, count, share])).toEqual([["a", "+ 1 command or more", 6, 0.75]]);
    expect(rest).toBe("others: 25.0 %");
    // Of all days and sensors it is known from how many addresses; known is a chain by what its commands are for.
    const all = buildBehaviours(whole, { ...chains, purposes: ["probe", "download"] });
    expect(all.rows.map(({ text, more, addresses }) => [text, more, addresses])).toEqual([["b", "", 3], ["b", "+ 1 command or more", 4]]);
    expect(toMarkupText(firstListMarkup(all, "sessions"))).toContain('>addresses</th>');
    // How many others there are, carried or not; of some days it is not known.
    expect(buildBehaviours(whole, { ...chains, distinct: 7 }).rest).toBe("5 other chains: 11.8 %");
    expect(buildBehaviours(part(0, 2), { ...chains, distinct: 7 }).rest).toBe("others: 25.0 %");
  });

  test("commands that lie on each other are one script", () => {
    const { rows: did } = buildBehaviours(whole, undefined);
    expect(did.map(({ text, more }) => [text, more])).toEqual([
      ["<b>id</b>", ""],
      ["free -m", "one script, 2 commands"],
    ]);
    expect(toMarkupText(firstListMarkup(buildBehaviours(whole, undefined), "commands"))).toContain("&lt;b&gt;id&lt;/b&gt;");
    expect(toMarkupText(firstListMarkup(buildBehaviours(part(7, 7), undefined), "commands"))).toContain("No commands in this selection.");
  });
});
