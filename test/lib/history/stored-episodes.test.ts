/** The history of a table in its file is that of the same table in memory, byte for byte, however the work is dealt out. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { findEpisodes } from "../../../lib/history/episodes.ts";
import { HISTORY_TASKS, type HistoryTasks } from "../../../lib/history/history-tasks.ts";
import { withTablePeaks } from "../../../lib/history/peak-episodes.ts";
import { findPeaks, leadersOfTable } from "../../../lib/history/peaks.ts";
import { findStoredEpisodes } from "../../../lib/history/stored-episodes.ts";
import { CHECK_TASKS, sumUp } from "../../../lib/reduced/check-table.ts";
import { reducedToIpc, REDUCED_BATCH_ROWS } from "../../../lib/reduced/reduced-arrow.ts";
import { type ReducedTable, takeRows } from "../../../lib/reduced/reduced-table.ts";
import { selectTable } from "../../../lib/reduced/select-table.ts";
import { openPool, poolHere } from "../../../lib/reduced/stored-pool.ts";
import { type StoredSelection, StoredTable } from "../../../lib/reduced/stored-table.ts";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import { drawEventful } from "../../support/eventful-table.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { drawTable } from "../../support/large-table.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
let written = 0;

async function store(table: ReducedTable): Promise<string> {
  const path = join(temp.path, `${written++}.arrow`);
  await Bun.write(path, Buffer.concat([...reducedToIpc(table)]));
  return path;
}

const inMemory = (table: ReducedTable) => withTablePeaks(table, findEpisodes(table));

const { table: fleet } = await analyze([join(FIXTURES_FOLDER, "fleet")]);
const eventful = drawEventful("eventful");

for (const [name, table] of [["the example fleet", fleet], ["a drawn table", drawTable()], ["one in which much happened", eventful]] as const) {
  describe(name, async () => {
    const path = await store(table);
    const expected = JSON.stringify(inMemory(table));

    test("in one task after another", async () => {
      const stored = StoredTable.open(path)!;
      const cells = await sumUp(stored, poolHere(stored, CHECK_TASKS), "sum");
      expect(JSON.stringify(await findStoredEpisodes(poolHere(stored, HISTORY_TASKS), cells, buildCoverage(cells.table)))).toBe(expected);
    });

    test("in many small ones", async () => {
      const stored = StoredTable.open(path)!;
      const cells = await sumUp(stored, poolHere(stored, CHECK_TASKS), "sum");
      const pool = { ...poolHere(stored, HISTORY_TASKS), threads: 5 };
      const found = await findStoredEpisodes(pool, cells, buildCoverage(cells.table), { taskRows: 500, cellDays: 8000 });
      expect(JSON.stringify(found)).toBe(expected);
    });
  });
}

test("what happened in the drawn table is told of every kind of key, of all shapes, with sensors by themselves", () => {
  const episodes = inMemory(eventful);
  expect(eventful.kinds.login.rows).toBeGreaterThan(REDUCED_BATCH_ROWS);
  expect(new Set(episodes.map(({ shape }) => shape)).size).toBeGreaterThan(6);
  expect(episodes.some(({ isLocal }) => isLocal)).toBe(true);
  expect(new Set(episodes.flatMap(({ keys }) => keys.map(({ family }) => family))).size).toBeGreaterThan(10);
  expect(leadersOfTable(eventful, findPeaks(eventful))).not.toEqual([]);
});

test("threads say the same, of some sensors and days too", async () => {
  const path = await store(eventful);
  const [first, last] = [eventful.kinds.event.day[0]! + 6, eventful.kinds.event.day[0]! + 50];
  const selection: StoredSelection = { sensors: ["a", "c"], days: { first, last } };
  const stored = StoredTable.open(path)!.select(selection);
  const cells = await sumUp(stored, poolHere(stored, CHECK_TASKS), "sum");
  const { kinds, ...others } = selectTable(eventful, { sensors: ["a", "c"] });
  const within = Object.values(kinds).map(own => [own.kind, takeRows(own, Int32Array.from(own.day.keys()).filter(row => own.day[row]! >= first && own.day[row]! <= last))] as const);
  const part = { ...others, kinds: Object.fromEntries(within) as unknown as ReducedTable["kinds"] };
  using pool = openPool<HistoryTasks>(new URL("../../../lib/pages/large-worker.ts", import.meta.url), { path, selection }, { threads: 2 });
  expect(JSON.stringify(await findStoredEpisodes(pool, cells, buildCoverage(cells.table)))).toBe(JSON.stringify(inMemory(part)));
});
