/** Statistics worked out slice by slice, in two rounds, are those of the table in one place, to the last digit. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { findEpisodes } from "../../../lib/history/episodes.ts";
import { withTablePeaks } from "../../../lib/history/peak-episodes.ts";
import {
  chooseLeaders,
  familiesIn,
  findInSlice,
  joinEvents,
  joinHistory,
  measureFamily,
  type MeasuredHistory,
  sliceEvents,
  sliceLeaders,
} from "../../../lib/history/slice-history.ts";
import { watchesOf } from "../../../lib/history/history-source.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { openSorted } from "../../../lib/reduced/sorted-table.ts";
import type { ReducedTable, Shard } from "../../../lib/reduced/reduced-table.ts";
import { shardTable } from "../../../lib/reduced/shards.ts";
import { cutReport, joinReportData, ReportDrafter } from "../../../lib/pages/slice-report.ts";
import { takeAtOnce } from "../../../lib/process/pause.ts";
import { addKeys } from "../../../lib/reduced/add-keys.ts";
import { calculateReportData } from "../../../lib/view/report-data.ts";
import { SliceFiles } from "../../../lib/reduced/table-slices.ts";
import { buildCoverage } from "../../../lib/statistics/coverage.ts";
import { joinSlices } from "../../../lib/statistics/join-slices.ts";
import type { StatisticsOptions } from "../../../lib/statistics/settings.ts";
import { HOLDINGS, toSlices } from "../../../lib/statistics/slice-rules.ts";
import { compareDistinct, compareSlice, learnFromAll, SliceMeasurer } from "../../../lib/statistics/slice-work.ts";
import { computeStatistics, planContext } from "../../../lib/statistics/statistics.ts";
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

/** One part of all rounds, as tasks do them. */
async function work(inputs: Awaited<ReturnType<typeof store>>, parts: number, options: StatisticsOptions) {
  const left = await Promise.all(
    shardsOf(parts).map(async part => {
      const files = await SliceFiles.open(inputs, part, () => {});
      const cells = await files.sum();
      const slices = toSlices(files, cells);
      const context = planContext(cells.table, options);
      const watches = watchesOf(cells, buildCoverage(cells.table, options));
      const [measurer, drafter] = [new SliceMeasurer(slices, context), new ReportDrafter(cells)];
      const history: Record<string, unknown> = {};
      for (const { name, kinds, withoutTimes } of HOLDINGS) {
        const table = slices.read(name, { kinds, withoutTimes });
        measurer.look(name, kinds, table);
        drafter.look(name, kinds, table);
        for (const family of familiesIn(name, kinds)) history[family] = measureFamily(table, family, watches);
      }
      const events = sliceEvents(slices.read("keys", { kinds: ["event"] }));
      const leaders = sliceLeaders(slices.read("address"), cells);
      return { files, cells, slices, context, watches, events, leaders, history: history as MeasuredHistory, ...measurer.finish(), ...drafter.finish() };
    }),
  );
  const { cells, context } = left.at(-1)!;
  const usual = learnFromAll(left.map(({ samples }) => samples), context);
  const chosen = chooseLeaders(left.map(({ history }) => history));
  const ranked = left.map(own => own.ranked);
  const done = left.map(({ slices, watches, report, ...more }, part) => {
    const found = Object.fromEntries(HOLDINGS.flatMap(({ name, kinds }) => familiesIn(name, kinds)).map(family => [family, findInSlice(slices, family, chosen, watches)]));
    return { ...more, compared: compareSlice(slices, context, usual), found, report: cutReport(report, ranked, part, cells) };
  });
  for (const { files } of left) files[Symbol.dispose]();
  const compared = [[compareDistinct(usual, context)], ...done.map(own => own.compared)];
  const events = joinEvents(cells, done.map(own => own.events));
  return {
    report: takeAtOnce(joinReportData(cells, done.map(own => own.report), ranked, 5)),
    statistics: joinSlices(cells, context, done.map(({ listed }) => listed).toReversed(), compared.toReversed()),
    episodes: joinHistory(cells, events, done.toReversed(), buildCoverage(cells.table, options)),
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
