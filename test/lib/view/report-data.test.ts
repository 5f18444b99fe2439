import { describe, expect, test } from "bun:test";
import { everything, sumCells } from "../../../lib/view/cells.ts";
import { rowsOf } from "../../../lib/reduced/origin-kinds.ts";
import { KIND_NAMES } from "../../../lib/reduced/kinds.ts";
import { SECTIONS } from "../../../lib/view/report-sections.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildFleet } from "../../support/report-fleet.ts";
import { buildReportData } from "../../support/report.ts";

const login = (date: string, sensor: string, username: string, count: number, success = 0): LiteralRow => ({
  kind: "login",
  date,
  sensor,
  key: { username, password: "x" },
  count,
  success,
});

describe("buildReportData", () => {
  test("of an empty table has no section and no day", () => {
    const data = buildReportData(buildReduced([]), { show: 5 });
    expect({ days: data.grid.days, sections: data.sections, sensors: data.sensors }).toEqual({
      days: 0,
      sections: [],
      sensors: [],
    });
  });

  test("a kind without rows has no section; every kind shown has one", () => {
    const ids = buildReportData(buildReduced([login("2024-01-01", "a", "root", 1)]), { show: 5 }).sections;
    expect(ids.map(section => section.id)).toEqual(["credentials"]);
    const shown = new Set(SECTIONS.map(section => section.kind));
    expect(KIND_NAMES.filter(kind => !shown.has(kind))).toEqual(["client_key", "last_command", "scan"]);
  });

  test("ranks by count, ties by key, and keeps what succeeded beside the count", () => {
    const table = buildReduced([
      login("2024-01-01", "a", "b", 2),
      login("2024-01-02", "b", "b", 3, 1),
      login("2024-01-01", "a", "c", 5),
      login("2024-01-01", "a", "a", 5),
    ]);
    const [section] = buildReportData(table, { show: 5 }).sections;
    expect(section!.keys.map(key => key[0])).toEqual(["a", "b", "c"]);
    expect(section!.cells[1]).toEqual({ at: Int32Array.of(0, 3), count: Float64Array.of(2, 3) });
    expect(section!.success![1]).toEqual({ at: Int32Array.of(3), count: Float64Array.of(1) });
  });

  test("user names with colons stay apart", () => {
    const row = (username: string, password: string | null): LiteralRow => ({
      ...login("2024-01-01", "a", username, 1),
      key: { username, password },
    });
    const [section] = buildReportData(buildReduced([row("a:b", "c"), row("a", "b:c"), row("a", null)]), {
      show: 5,
    }).sections;
    expect(section!.keys).toEqual([
      ["a", null],
      ["a", "b:c"],
      ["a:b", "c"],
    ]);
  });

  test("the sum over all keys is the sum of the rows, in every section, whatever is carried", () => {
    const table = buildFleet({ days: 12, sensors: 3, tail: 500 });
    const data = buildReportData(table, { show: 2 });
    expect(data.sections.length).toBeGreaterThan(10);
    for (const section of data.sections) {
      const { kind, needs } = SECTIONS.find(candidate => candidate.id === section.id)!;
      const rows = rowsOf(table, kind)!;
      let sum = 0;
      for (let row = 0; row < rows.rows; row++) {
        if (needs === undefined || rows.keys[needs]![row] !== -1) sum += rows.count[row]!;
      }
      expect({ id: section.id, sum: sumCells(section.all, data.grid, everything(data.grid)) }).toEqual({
        id: section.id,
        sum,
      });
    }
  });

  test("carried keys are the leading ones, and no other has a count above the bound", () => {
    const table = buildFleet({ days: 8, sensors: 2, tail: 700, seed: 3 });
    const data = buildReportData(table, { show: 2 });
    const section = data.sections.find(candidate => candidate.id === "credentials")!;
    const { username } = table.kinds.login.keys;
    const { password } = table.kinds.login.keys;
    const totals = new Map<string, number>();
    for (let row = 0; row < table.kinds.login.rows; row++) {
      const key = `${username![row]!} ${password![row]!}`;
      totals.set(key, (totals.get(key) ?? 0) + table.kinds.login.count[row]!);
    }
    const counts = [...totals.values()].sort((a, b) => b - a);
    const carried = section.cells.map(cells => sumCells(cells, data.grid, everything(data.grid)));
    expect(carried).toEqual(counts.slice(0, carried.length));
    expect({ distinct: section.distinct, bound: section.leftOutLargest }).toEqual({
      distinct: counts.length,
      bound: counts[carried.length] ?? 0,
    });
  });

  test("verdicts: the latest counts, of equally late ones the worst", () => {
    const scan = (positives: number, lastSeenUs: number): LiteralRow => ({
      kind: "scan",
      date: "2024-01-01",
      sensor: "a",
      key: { shasum: "s", positives, total: 60 },
      count: 1,
      lastSeenUs,
    });
    const download: LiteralRow = {
      kind: "file_download",
      date: "2024-01-01",
      sensor: "b",
      key: { url: null, outfile: "o", shasum: "s" },
      count: 1,
    };
    const verdictOf = (rows: LiteralRow[]) => buildReportData(buildReduced(rows), { show: 5 }).sections[0]!.verdicts;
    expect(verdictOf([download])).toEqual([null]);
    expect(verdictOf([download, scan(40, 5), scan(3, 9), scan(7, 9)])).toEqual([[7, 60]]);
  });

  test("a sensor-day without counted events, as cut inputs have it, was watched if it counted anything", () => {
    const table = buildReduced([
      login("2024-01-01", "cut", "root", 4),
      login("2024-01-02", "whole", "root", 4),
      { kind: "event", date: "2024-01-02", sensor: "whole", key: { eventid: "e", hour: 0 }, count: 9 },
    ]);
    expect(buildReportData(table, { show: 5 }).events).toEqual({
      at: Int32Array.of(0, 3),
      count: Float64Array.of(4, 9),
    });
  });

  test("a clock that stood still in 1970 does not stretch the report over half a century", () => {
    const event = (date: string, count: number): LiteralRow => ({
      kind: "event",
      date,
      sensor: "a",
      key: { eventid: "e", hour: 0 },
      count,
    });
    const data = buildReportData(
      buildReduced([event("1970-01-01", 2), event("2024-01-01", 5), event("2024-01-04", 6)]),
      {
        show: 5,
      },
    );
    expect({ days: data.grid.days, outside: data.eventsOutside, sum: data.sections[0]!.all.count }).toEqual({
      days: 4,
      outside: 2,
      sum: Float64Array.of(5, 6),
    });
  });
});
