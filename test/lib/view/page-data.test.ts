import { describe, expect, test } from "bun:test";
import type { Cells } from "../../../lib/view/cells.ts";
import { type PageData, packPage, type PackedPage, unpackPage } from "../../../lib/view/page-data.ts";
import { buildHostile } from "../../hostile/texts.ts";
import { buildReduced } from "../../support/build.ts";
import { buildFleet } from "../../support/report-fleet.ts";
import { buildFleetSessions } from "../../support/report-sessions.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { buildReportData } from "../../support/report.ts";

const OPTIONS = { show: 5, lastDays: 7, thresholdPercent: 20 };

function unpack(packed: PackedPage): { page: PageData; pauses: number } {
  const unpacking = unpackPage(packed);
  for (let pauses = 0; ; pauses++) {
    const { done, value } = unpacking.next();
    if (done) return { page: value, pauses };
  }
}

function toPage(table: ReducedTable, hasSessions = true): PageData {
  const data = buildReportData(table, OPTIONS);
  return { ...OPTIONS, data, ...(hasSessions && buildFleetSessions(table, data)) };
}

/** The page as it comes back: moments to the second. */
function toSeconds(page: PageData): PageData {
  const whole = (us: number) => Math.floor(us / 1e6) * 1e6;
  const sections = page.data.sections.map(section => ({
    ...section,
    firstSeenUs: section.firstSeenUs.map(whole),
    lastSeenUs: section.lastSeenUs.map(whole),
  }));
  return { ...page, data: { ...page.data, sections } };
}

describe("what is packed comes back as it was", () => {
  const tables: [string, PageData][] = [
    ["a fleet with sessions", toPage(buildFleet({ days: 40, sensors: 4 }))],
    ["a fleet without", toPage(buildFleet({ days: 3, sensors: 1 }), false)],
    ["attackers' texts", toPage(buildHostile())],
    ["nothing", toPage(buildReduced([]), false)],
  ];
  test.each(tables)("%s", (_, page) => {
    const packed = packPage(page);
    const { page: back, pauses } = unpack(packed);
    expect(back).toEqual(toSeconds(page));
    // A line a section, and what stands before them: a browser reads it in many short steps.
    const lines = packed.lines.split("\n");
    expect(lines.length).toBe(page.data.sections.length + (page.trails === undefined ? 1 : 2));
    expect(pauses).toBeGreaterThanOrEqual(lines.length);
  });

  test("changes and lengths of sessions, hours watched, and bounds", () => {
    const cells: Cells = { at: Int32Array.of(0, 5), count: Float64Array.of(3, 2 ** 40) };
    const plain = toPage(buildFleet({ days: 5, sensors: 2 }), false);
    const page: PageData = {
      ...plain,
      data: { ...plain.data, watchedHours: cells, unknown: { cut: "some" } },
      durations: { runDays: 7, cells: [cells, { at: new Int32Array(), count: new Float64Array() }] },
      changes: { firstDay: 1, lastDay: 2, comparisons: 3, sensors: ["list"], reported: 0, rows: [] },
    };
    expect(unpack(packPage(page)).page).toEqual(toSeconds(page));
  });
});

test("equal lists are carried once, lists of one hash but other counts are not", () => {
  const list = (...count: number[]): Cells => ({ at: Int32Array.from(count.keys()), count: Float64Array.from(count) });
  const plain = toPage(buildReduced([]), false);
  const size = (...cells: Cells[]) => packPage({ ...plain, durations: { runDays: 1, cells } }).cells.length;
  expect(size(list(1, 2, 3), list(1, 2, 3))).toBe(size(list(1, 2, 3)));
  expect(size(list(1, 2, 3), list(1, 2, 4))).toBeGreaterThan(size(list(1, 2, 3)));
  // Beyond 32 bits, of which the hash knows nothing.
  const page = { ...plain, durations: { runDays: 1, cells: [list(1), list(1 + 2 ** 32)] } };
  expect(unpack(packPage(page)).page.durations!.cells.map(({ count }) => [...count])).toEqual([[1], [1 + 2 ** 32]]);
});
