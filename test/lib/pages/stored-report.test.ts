/** A report of a table that stays in its file is the report of the same table in memory. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { calculateReport, keysShown } from "../../../lib/pages/report.ts";
import { REPORT_TASKS } from "../../../lib/pages/report-tasks.ts";
import { countStored } from "../../../lib/pages/stored-report.ts";
import { takeAtOnce } from "../../../lib/process/pause.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { CHECK_TASKS, sumUp } from "../../../lib/reduced/check-table.ts";
import { poolHere } from "../../../lib/reduced/stored-pool.ts";
import { StoredTable } from "../../../lib/reduced/stored-table.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { drawTable } from "../../support/large-table.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());

const { table: fleet } = await analyze([join(FIXTURES_FOLDER, "fleet")]);
const cases = [
  ["the example fleet, with few keys shown and with many", fleet, [[2, Infinity], [0, Infinity]]],
  ["the same, dealt out in slices", fleet, [[10, 500]]],
  ["a drawn table, dealt out in slices", drawTable(), [[10, 3000]]],
] as const;
for (const [name, table, runs] of cases) test(name, async () => {
  const path = join(temp.path, `${name}.arrow`);
  await Bun.write(path, Buffer.concat([...reducedToIpc(table)]));
  using stored = StoredTable.open(path)!;
  const cells = await sumUp(stored, poolHere(stored, CHECK_TASKS), "sum");
  for (const [topN, rowsPerSlice] of runs) {
    const options = { topN, thresholdPercent: 20, lastDays: 7 };
    const report = takeAtOnce(calculateReport(cells.table, options, await countStored({ cells, pool: poolHere(stored, REPORT_TASKS) }, keysShown(topN), { keys: rowsPerSlice, values: rowsPerSlice })));
    const expected = takeAtOnce(calculateReport(table, options));
    expect(report.data).toEqual(expected.data);
    expect(report.render({}) === expected.render({})).toBe(true);
  }
});
