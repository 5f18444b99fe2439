/**
 * What happened when, over the whole archive.
 *
 * Tested in `test/lib/pages/history-section.test.ts`.
 */
import type { Episode } from "../history/episodes.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { describeTimeline, historyTable, timelineChart, toHistoryData } from "../view/report-history.ts";
import { CHART_WIDTH, type SectionView, toFigure, withRows } from "./stats-section.ts";

export function toHistorySection(statistics: Statistics, episodes: readonly Episode[]): SectionView {
  const { firstDay, lastDay, days, sensors } = statistics;
  const data = toHistoryData(episodes, { firstDay, days, sensors: sensors.length }, sensors);
  const chart = timelineChart(data.rows, { first: firstDay, last: lastDay }, CHART_WIDTH, row => data.rows.indexOf(row));
  return {
    id: "history",
    name: "History",
    heading: "What happened when?",
    lead: describeTimeline(data.rows, data.found, true),
    charts: data.rows.length === 0 ? [] : [toFigure(chart, "Episodes by day, newest on top", "history")],
    tables: withRows({ title: "", table: historyTable(data.rows) }),
  };
}
