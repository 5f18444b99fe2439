/** Statistics worked out slice by slice, in two rounds, are those of the table in one place, to the last digit. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { findEpisodes } from "../../../lib/history/episodes.ts";
import { withTablePeaks } from "../../../lib/history/peak-episodes.ts";
import { joinHistory, sliceHistory } from "../../../lib/history/slice-history.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { openSorted } from "../../../lib/reduced/sorted-table.ts";
import type { ReducedTable, Shard } from "../../../lib/reduced/reduced-table.ts";
import { shardTable } from "../../../lib/reduced/shards.ts";
import { joinReportData, sliceReport } from "../../../lib/pages/slice-report.ts";
import { takeAtOnce } from "../../../lib/process/pause.ts";
import { addKeys } from "../../../lib/reduced/add-keys.ts";
import { calculateReportData } from "../../../lib/view/report-data.ts";
import { readSlices } from "../../../lib/reduced/table-slices.ts";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import { joinSlices } from "../../../lib/statistics/join-slices.ts";
import type { StatisticsOptions } from "../../../lib/statistics/settings.ts";
import { SLICE_RULES } from "../../../lib/statistics/slice-rules.ts";
import { compareSlice, measureSlice } from "../../../lib/statistics/slice-work.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { drawTable } from "../../support/large-table.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
let written = 0;

/** Tables in files, as inputs. */
async function store(...tables: readonly ReducedTable[]) {
  return await Promise.all(
    tables.map(async table => {
      const path = join(temp.path, `${written++}.arrow`);
      await Bun.write(path, Buffer.concat([...reducedToIpc(table)]));
      return { name: path, info: table.info, read: async () => table, open: () => openSorted(path)! };
    }),
  );
}

const shardsOf = (of: number): Shard[] => Array.from({ length: of }, (_, i) => ({ number: i + 1, of }));

async function work(inputs: Awaited<ReturnType<typeof store>>, parts: number, options: StatisticsOptions) {
  const slices = await Promise.all(shardsOf(parts).map(part => readSlices(inputs, part, SLICE_RULES, () => {})));
  const measured = slices.map(own => measureSlice(own, options));
  const compared = slices.map(own => compareSlice(own, options, measured));
  const { cells } = slices.at(-1)!;
  const histories = slices.map(sliceHistory);
  const reports = slices.map(sliceReport);
  return {
    report: takeAtOnce(joinReportData(cells, reports.toReversed(), 5)),
    statistics: joinSlices(cells, options, measured.toReversed(), compared.toReversed()),
    episodes: joinHistory(cells, histories.toReversed(), buildCoverage(cells.table, options)),
  };
}

const { table: fleet } = await analyze([join(FIXTURES_FOLDER, "fleet")]);
const large = drawTable();

describe("statistics over slices", () => {
  const cases: [string, ReducedTable, number, number, StatisticsOptions][] = [
    ["the example fleet, three shards in three slices", fleet, 3, 3, {}],
    ["every comparison, two slices of five shards", fleet, 5, 2, { rows: "all", strict: true, lastDays: 3, newSinceDay: 20_650 }],
    ["a drawn table, short lists", large, 1, 4, { lastDays: 14, baselineDays: 7, listLimit: 5 }],
  ];
  test.each(cases)("%s", async (_, table, shards, parts, options) => {
    const inputs = await store(...(shards === 1 ? [table] : shardsOf(shards).map(shard => shardTable(table, shard))));
    const { statistics, episodes, report } = await work(inputs, parts, options);
    expect(JSON.stringify(statistics)).toBe(JSON.stringify(computeStatistics(table, options)));
    expect(JSON.stringify(episodes)).toBe(JSON.stringify(withTablePeaks(table, findEpisodes(table, { coverage: buildCoverage(table, options) }))));
    expect(JSON.stringify(report)).toBe(JSON.stringify(takeAtOnce(calculateReportData(addKeys(table), { show: 5 }))));
  });
});
