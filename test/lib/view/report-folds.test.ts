/** Which sections say what another has said, and how a page folds them. */
import { describe, expect, test } from "bun:test";
import { describeFold, findFolds, foldOfSensors } from "../../../lib/view/report-folds.ts";
import { SECTIONS } from "../../../lib/view/report-sections.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { bodyOf, buildReportData, renderReport } from "../../support/report.ts";

const OPTIONS = { topN: 5, thresholdPercent: 20, lastDays: 1 };
const day = (n: number) => `2026-05-0${n}`;
const rowOf = (kind: LiteralRow["kind"], n: number, sensor: string, key: LiteralRow["key"], count: number): LiteralRow => ({ kind, date: day(n), sensor, key, count });

/** Each address connects to two ports, and closes as many sessions, short and long ones; `late` of them a day later. */
function sessions(late: number): LiteralRow[] {
  return [1, 2, 3, 4].flatMap(i => {
    const src_ip = `192.0.2.${i}`;
    return [
      rowOf("connect", 1, "a", { src_ip, dst_port: 22 }, 8),
      rowOf("connect", 1, "a", { src_ip, dst_port: 23 }, i),
      rowOf("session_closed", 1, "a", { src_ip, robot: 1 }, i),
      rowOf("session_closed", i <= late ? 2 : 1, "a", { src_ip, robot: 0 }, 8),
    ];
  });
}

/** A client version a HASSH, one to one; `odd` times the HASSH of one comes with another version. */
function clients(odd: number): LiteralRow[] {
  return ["SSH-2.0-Go", "SSH-2.0-libssh2_1.11.0"].flatMap((version, i) => [
    rowOf("client", 1, "a", { version, hassh: null }, 50 + i + (i === 0 ? odd : 0)),
    rowOf("client", 1, "a", { version: null, hassh: `hassh-${i}` }, 50 + i),
  ]);
}

const foldsOf = (rows: LiteralRow[]) => Object.fromEntries([...findFolds(buildReportData(buildReduced(rows), { show: 5 }))].map(([id, fold]) => [id, describeFold(fold)]));

describe("a section is folded", () => {
  test("where one before it has the same rows, by what both name", () => {
    expect(foldsOf(sessions(0))).toEqual({ sessions: "The same as Connections: all 4 rows." });
  });

  test("not where days differ, though the sums are the same", () => {
    expect(foldsOf(sessions(1))).toEqual({});
  });

  test("where rows that name nothing in common are the same one to one; not where one of them differs", () => {
    expect(foldsOf(clients(0))).toEqual({ hassh: "The same as Client versions: all 2 rows." });
    expect(foldsOf(clients(1))).toEqual({});
  });

  test("where nearly all it counts is the same, and says for how many rows that is", () => {
    const typed = (id: string, count: number, last: number) => [
      rowOf("command", 1, "a", { input: id }, count),
      rowOf("pre_disconnect_command", 1, "a", { input: id }, last),
    ];
    expect(foldsOf([...typed("id", 90, 90), ...typed("w", 9, 4)])).toEqual({ "last-commands": "The same as Commands: 1 of 2 rows." });
    expect(foldsOf([...typed("id", 90, 90), ...typed("w", 9, 5)])).toEqual({});
    // Another command as often is another command.
    expect(foldsOf([rowOf("command", 1, "a", { input: "id" }, 3), rowOf("pre_disconnect_command", 1, "a", { input: "w" }, 3)])).toEqual({});
  });

  test("never into one that is folded itself, nor into one that comes behind it", () => {
    const places = new Map(SECTIONS.map(({ id }, place) => [id, place]));
    for (const { id, like = [] } of SECTIONS) for (const other of like) expect([id, places.get(other)! < places.get(id)!]).toEqual([id, true]);
  });
});

test("the days of the sensors are folded where there is one", () => {
  const data = (sensors: string[]) => buildReportData(buildReduced(sensors.map(sensor => rowOf("command", 1, sensor, { input: "id" }, 1))), { show: 5 });
  expect(foldOfSensors(data(["a"]))).toBe("There is one: the activity above is its own.");
  expect(foldOfSensors(data(["a", "b"]))).toBe("");
});

test("what is folded stands in the page all the same, under its heading", () => {
  const page = bodyOf(renderReport(buildReduced([...sessions(0), ...clients(0)]), OPTIONS));
  const section = page.slice(page.indexOf('<section id="sessions"'), page.indexOf('<section id="versions"'));
  expect(section).toStartWith('<section id="sessions" data-section="sessions">\n<details class="fold same"><summary><h2>Which addresses hold the most sessions?</h2> <span class="lead">The same as Connections: all 4 rows.</span></summary>');
  expect(section.match(/192\.0\.2\.\d/g)!.length).toBeGreaterThanOrEqual(5);
  // These two, the days of the only sensor, and what stands side by side.
  expect(page.split('<details class="fold same">').length - 1).toBe(4);
  expect(page).not.toContain('<section id="versions" data-section="versions">\n<details');
});

test("of one day or two no line is drawn, and no trend stands in the table", () => {
  const pageOf = (days: number[]) => bodyOf(renderReport(buildReduced(days.map(n => rowOf("command", n, "a", { input: "id" }, 7))), OPTIONS));
  for (const days of [[1], [1, 5]]) {
    expect(pageOf(days)).toContain('<figure class="chart-box no-course">');
    expect(pageOf(days)).not.toContain(">Trend<");
  }
  expect(pageOf([1, 2, 5])).not.toContain("no-course");
  expect(pageOf([1, 2, 5])).toContain(">Trend<");
});
