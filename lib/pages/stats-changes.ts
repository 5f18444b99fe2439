/**
 * What changed, over the period and on its days, and how that was tested.
 *
 * Tested in `test/lib/pages/stats-page.test.ts`.
 */
import { formatNumber, plural, toIsoDay } from "../text/format.ts";
import { whyNoComparison } from "../statistics/no-comparison.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { buildChangesTable, buildTrendTable, changeWord, numberCell, scopeCell, textCell, toTable } from "../view/stats-tables.ts";
import { type SectionView, type TitledTable, withRows } from "./stats-section.ts";

export function toPeriodSection(statistics: Statistics): SectionView {
  const sensors = statistics.sensors.length;
  const rows = statistics.changes.filter(row => row.view === "period" && row.reported);
  const ofFleet = rows.filter(row => row.sensor === null);
  const ofSensors = rows.filter(row => row.sensor !== null);
  return {
    id: "period",
    name: "Period",
    heading: "What changed over these days as a whole?",
    lead:
      `The last ${plural(statistics.options.lastDays, "day")} against the days before, per watched sensor-day. The line is ` +
      "the 95 % interval of the ratio, the dot the ratio itself; the mark in the middle is no change. Expected is the count " +
      "that the days before would give; sources are distinct addresses of a day, added up over days; q is the share of false findings to expect among all rows with a q as small or smaller.",
    charts: [],
    tables:
      rows.length === 0
        ? [emptyTable("changes-fleet", describeNoChange(statistics))]
        : withRows(
            { title: "Whole fleet", table: buildChangesTable("changes-fleet", "Changes, fleet", ofFleet, sensors) },
            {
              title: sensors === 1 ? "" : "By sensor",
              table: buildChangesTable("changes-sensors", "Changes by sensor", ofSensors, sensors),
            },
          ),
  };
}

/** No finding is not the same as no look. */
function describeNoChange(statistics: Statistics): string {
  if (statistics.tests.m === 0) return `Nothing was compared: ${whyNoComparison(statistics)}.`;
  if (statistics.options.lastDays === 1) return "One day is no period: it is held against the days before it below.";
  return statistics.tests.periodView === 0
    ? "These days as a whole could not be compared: too few of them were watched."
    : "Nothing was unusual against its own past.";
}

function emptyTable(id: string, words: string): TitledTable {
  return { title: "", table: { id, name: words, shown: words, columns: [], rows: [] } };
}

export function toDaySection(statistics: Statistics): SectionView | undefined {
  const rows = statistics.changes.filter(row => row.view === "day" && row.reported);
  if (rows.length === 0) return undefined;
  return {
    id: "days",
    name: "Days",
    heading: "On which days did it change?",
    lead: `Each of the last ${plural(statistics.options.lastDays, "day")} against its own baseline of up to ${statistics.options.baselineDays} watched days before. Counted are events, and the distinct addresses they came from.`,
    charts: [],
    tables: [
      { title: "", table: buildChangesTable("changes-days", "Changes by day", rows, statistics.sensors.length) },
    ],
  };
}

export function toTrendSection({ trends, sensors }: Statistics): SectionView | undefined {
  if (trends.length === 0) return undefined;
  const ofFleet = trends.filter(row => row.sensor === null);
  const ofSensors = trends.filter(row => row.sensor !== null);
  return {
    id: "trends",
    name: "Trends",
    heading: "Where is it heading?",
    lead: "A log-linear slope per watched day over the whole archive, as percent per week. p is of each row by itself, not corrected for how many there are.",
    charts: [],
    tables: withRows(
      { title: "Whole fleet", table: buildTrendTable("trends-fleet", "Trends, fleet", ofFleet, sensors.length) },
      { title: "By sensor", table: buildTrendTable("trends-sensors", "Trends by sensor", ofSensors, sensors.length) },
    ),
  };
}

/** How the rate of false reports is shared out, in words. */
function howShared({ tests, sensors }: Statistics): string {
  // Where nothing was compared, nothing says that they are not known.
  const hasSources = tests.m === 0 || tests.byKind.some(({ unit }) => unit === "sources");
  const families = hasSources ? "events and sources at half of it each" : "events alone, as the sources are not known";
  return sensors.length > 1 ? `${families}, the fleet first, then its sensors (Holm), and a pool of all other rows of sensors` : families;
}

export function toTestSection(statistics: Statistics): SectionView {
  const { tests, options } = statistics;
  const byKind = toTable(
    "tests",
    "Comparisons by kind",
    [
      ["Kind", "", entry => textCell(changeWord(entry.kind))],
      ["Counted", "", entry => textCell(entry.unit)],
      ["Comparisons", "number", entry => numberCell(entry.tests)],
      ["Reported", "number", entry => numberCell(entry.reported)],
    ],
    tests.byKind.filter(entry => entry.tests > 0),
  );
  const refused = toTable(
    "refused",
    "Refused",
    [
      ["Sensor", "", entry => scopeCell(entry.sensor)],
      ["Day", "", entry => textCell(toIsoDay(entry.day), entry.day, "time")],
      ["Why", "", entry => textCell(entry.reason)],
    ],
    tests.refused,
  );
  return {
    id: "tests",
    name: "Method",
    heading: "How was it tested?",
    lead:
      `${formatNumber(tests.m)} comparisons, ${formatNumber(tests.dayView)} of days and ${formatNumber(tests.periodView)} of periods; ` +
      `${formatNumber(tests.withoutSupport)} more values were too rare to compare. Beta-binomial tails against up to ${options.baselineDays} watched ` +
      "days before, under a mixture of how much such counts vary, learnt from all values of a kind; one earlier burst of up to three " +
      `days is left out. ${tests.method} at q = ${options.q} over everything: ${howShared(statistics)}. Changes of ` +
      `${options.thresholdPercent} % or more are reported.`,
    charts: [],
    tables: withRows({ title: "", table: byKind }, { title: "Sensor-days without a comparison", table: refused }),
  };
}
