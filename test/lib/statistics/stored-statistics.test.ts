/** A table that stays in its file is told of as the same table in memory: statistics, and what is read of parts. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type CellSums, CellSummer, tellsEvents } from "../../../lib/reduced/cell-sums.ts";
import { KIND_NAMES } from "../../../lib/reduced/kinds.ts";
import { REDUCED_BATCH_ROWS, reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { selectTable } from "../../../lib/reduced/select-table.ts";
import { type StoredSelection, StoredTable } from "../../../lib/reduced/stored-table.ts";
import type { StatisticsOptions } from "../../../lib/statistics/settings.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { computeStored, type SliceSizes } from "../../../lib/statistics/stored-statistics.ts";
import { STATISTICS_TASKS, type StatisticsTasks } from "../../../lib/statistics/stored-tasks.ts";
import { openPool, poolHere } from "../../../lib/reduced/stored-pool.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { drawTable } from "../../support/large-table.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
let written = 0;

async function store(table: ReducedTable, selection?: StoredSelection): Promise<{ path: string; stored: StoredTable; cells: CellSums }> {
  const path = join(temp.path, `${written++}.arrow`);
  await Bun.write(path, Buffer.concat([...reducedToIpc(table)]));
  const whole = StoredTable.open(path)!;
  const stored = selection === undefined ? whole : whole.select(selection);
  const summer = new CellSummer();
  for (const kind of KIND_NAMES) for (const part of stored.parts(kind)) summer.add(part);
  return { path, stored, cells: summer.finish(stored) };
}

/** As JSON. */
async function compute({ stored, cells }: Pick<Awaited<ReturnType<typeof store>>, "stored" | "cells">, options: StatisticsOptions, sizes?: SliceSizes): Promise<string> {
  using pool = poolHere(stored, STATISTICS_TASKS);
  return JSON.stringify(await computeStored(stored, cells, options, pool, sizes));
}

const { table: fleet } = await analyze([join(FIXTURES_FOLDER, "fleet")]);
const two = selectTable(fleet, { sensors: ["hp-ams-01", "hp-sgp-01"] });
const large = drawTable();

describe("statistics of a table in its file", () => {
  test("the drawn table is read in several batches", () => {
    expect(large.kinds.login.rows).toBeGreaterThan(REDUCED_BATCH_ROWS);
  });

  const cases: [string, ReducedTable, StatisticsOptions][] = [
    ["two sensors of the example fleet, every comparison", two, { rows: "all", strict: true, lastDays: 3 }],
    ["a drawn table, other days, short lists, new since its tenth day", large, { lastDays: 14, baselineDays: 7, listLimit: 5, newSinceDay: large.kinds.event.day[0]! + 10 }],
  ];
  for (const [name, table, options] of cases) {
    test(name, async () => {
      const opened = await store(table);
      expect(tellsEvents(opened.cells)).toBe(true);
      const expected = computeStatistics(table, options);
      expect(expected.tests.m).toBeGreaterThan(0);
      expect(await compute(opened, options)).toBe(JSON.stringify(expected));
      // In slices.
      expect(await compute(opened, options, { rows: 700, values: 150 })).toBe(JSON.stringify(expected));
    });
  }

  test("of more keys alike than are looked at together, trends are told of those that came first", async () => {
    const days = Array.from({ length: 20 }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10));
    const rows = days.flatMap((date, day): LiteralRow[] => [
      { kind: "event", date, sensor: "a", key: { eventid: "cowrie.login.failed", hour: 1 }, count: 3000 },
      // The last passwords by name come first.
      ...Array.from({ length: 150 }, (_, i): LiteralRow => ({
        kind: "login", date, sensor: "a", key: { username: `u${i % 2}`, password: `p${String(1500 - Math.floor((day * 150 + i) / 2)).padStart(4, "0")}` }, count: 20,
      })),
    ]);
    const table = buildReduced(rows);
    const expected = computeStatistics(table);
    expect(expected.trends.filter(({ kind }) => kind === "login").map(({ key }) => key)).toContainEqual(["u0", "p1426"]);
    expect(await compute(await store(table), {})).toBe(JSON.stringify(expected));
  });

  test("some sensors, kinds and days of it, by threads as well", async () => {
    const days = { first: large.kinds.event.day[0]! + 5, last: large.kinds.event.day[0]! + 90 };
    const selection: StoredSelection = { sensors: ["a", "c"], kinds: ["login"] };
    const { path, stored, cells } = await store(large, selection);
    const expected = JSON.stringify(computeStatistics(selectTable(large, selection), { kinds: ["login"] }));
    expect(await compute({ stored, cells }, { kinds: ["login"] })).toBe(expected);
    using pool = openPool<StatisticsTasks>(new URL("../../../lib/pages/large-worker.ts", import.meta.url), { path, selection }, { threads: 2 });
    expect(JSON.stringify(await computeStored(stored, cells, { kinds: ["login"] }, pool))).toBe(expected);
    const short = await store(large, { days });
    expect(short.cells.table.kinds.event.day[0]).toBe(days.first);
    expect(short.cells.table.kinds.connect.day.at(-1)).toBe(days.last);
  });

  test("a sensor-day of which no event is counted is known by the sums", async () => {
    const { cells } = await store(buildReduced([{ kind: "login", date: "2026-01-01", sensor: "a", key: { username: "u", password: "p" }, count: 1 }]));
    expect(tellsEvents(cells)).toBe(false);
  });
});

test("rows that do not come by day and sensor are refused", () => {
  const summer = new CellSummer();
  summer.add(large.kinds.login);
  expect(() => summer.add(large.kinds.login)).toThrow(RangeError);
});
