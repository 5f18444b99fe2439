/** A report of a table that stays in its file is the report of the same table in memory. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { calculateReport } from "../../../lib/pages/report.ts";
import { toStoredParts } from "../../../lib/pages/stored-report.ts";
import { takeAtOnce } from "../../../lib/process/pause.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { CHECK_TASKS, sumUp } from "../../../lib/reduced/check-table.ts";
import { poolHere } from "../../../lib/reduced/stored-pool.ts";
import { StoredTable } from "../../../lib/reduced/stored-table.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());

test("the example fleet, with few keys shown and with many", async () => {
  const { table } = await analyze([join(FIXTURES_FOLDER, "fleet")]);
  const path = join(temp.path, "fleet.arrow");
  await Bun.write(path, Buffer.concat([...reducedToIpc(table)]));
  using stored = StoredTable.open(path)!;
  const cells = await sumUp(stored, poolHere(stored, CHECK_TASKS), "sum");
  for (const topN of [2, 0]) {
    const options = { topN, thresholdPercent: 20, lastDays: 7 };
    const report = takeAtOnce(calculateReport(cells.table, options, toStoredParts({ stored, cells })));
    const expected = takeAtOnce(calculateReport(table, options));
    expect(report.data).toEqual(expected.data);
    expect(report.render({}) === expected.render({})).toBe(true);
  }
});
