/**
 * Tested changes in the report: which of them belong to the days and sensors chosen. The same on the server and in the
 * page. Nothing is tested anew: a choice shows what was found on it.
 */
import { formatNumber, plural, toIsoDay } from "../text/format.ts";
import { cutLong } from "../text/cut.ts";
import type { Scope } from "./report-view.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { whyNoComparison } from "../statistics/no-comparison.ts";
import { buildChangesTable, isOverall, type ShownChange } from "./stats-tables.ts";

/** Changes that a page carries, and those it lists. */
const CARRY_MOST = 200;
const LIST_MOST = 50;

export interface ChangesData {
  /** The days in question, judged together and one by one. */
  readonly firstDay: number;
  readonly lastDay: number;
  /** Comparisons corrected for. */
  readonly comparisons: number;
  /** Why there was none, where there was none. */
  readonly whyNone?: string;
  /** Names of the sensors that were compared. */
  readonly sensors: readonly string[];
  /** Reported changes, carried or not. */
  readonly reported: number;
  /** Those of all the days in question before those of single days; else in the order of the statistics. */
  readonly rows: readonly ShownChange[];
}

export function toChangesData(statistics: Statistics): ChangesData {
  const { changes, tests, shownFirstDay, lastDay, sensors } = statistics;
  const reported = changes.filter(row => row.reported);
  const ofPeriod = reported.filter(row => row.view === "period");
  const ofDays = reported.filter(row => row.view === "day");
  const rows = [...ofPeriod, ...ofDays].slice(0, CARRY_MOST).map(toShown);
  return {
    ...{ firstDay: shownFirstDay, lastDay, comparisons: tests.m, sensors, reported: reported.length, rows },
    ...(tests.m === 0 && { whyNone: whyNoComparison(statistics) }),
  };
}

/** What tables show, to the digits they show. */
function toShown(row: ShownChange): ShownChange {
  const { view, sensor, kind, key, unit, firstDay, lastDay, count, category, disagrees, sensorsSeen, sensorsUp } = row;
  const round = (value: number) => Number(value.toPrecision(6));
  return {
    ...{ view, sensor, kind, unit, firstDay, lastDay, count, category, disagrees, sensorsSeen, sensorsUp },
    key: key.map(value => (typeof value === "string" ? cutLong(value) : value)),
    eventsPerSource: row.eventsPerSource === null ? null : round(row.eventsPerSource),
    expected: round(row.expected),
    percent: row.percent === null ? null : round(row.percent),
    ratio: round(row.ratio),
    low: round(row.low),
    high: row.high === null ? null : round(row.high),
    q: round(row.q),
  };
}

/** The changes of the days and sensors chosen, the widest view of them that says anything. */
export function buildChangesView(scope: Scope, data: ChangesData) {
  const { range, sensors } = scope.filter;
  const tested = `${toIsoDay(data.firstDay)} to ${toIsoDay(data.lastDay)}`;
  if (data.comparisons === 0)
    return { lead: `Nothing was compared with the days before: ${data.whyNone ?? "there is too little past"}.` };
  if (range.first > data.lastDay || range.last < data.firstDay) {
    return { lead: `Tested were the days ${tested}, and none of them is in this selection.` };
  }
  const isWholePeriod = range.first <= data.firstDay && range.last >= data.lastDay;
  const chosen = new Set(scope.data.sensors.filter((_, code) => sensors[code] === 1));
  const isFleet = sensors.every(one => one === 1);
  const inside = data.rows.filter(
    row =>
      (row.view === "period" ? isWholePeriod : row.firstDay >= range.first && row.lastDay <= range.last) &&
      (row.sensor === null ? isFleet : chosen.has(cutLong(row.sensor))),
  );
  // A finding of the fleet is not said again for each of its sensors, nor one of the week for each of its days.
  const views = [
    inside.filter(row => row.view === "period" && (isFleet ? isOverall(row, data.sensors) : true)),
    inside.filter(row => row.view === "period"),
    inside,
  ];
  const rows = views.find(found => found.length > 0) ?? [];
  const days = isWholePeriod
    ? tested
    : `${toIsoDay(Math.max(range.first, data.firstDay))} to ${toIsoDay(Math.min(range.last, data.lastDay))}, ` +
      "each by itself,";
  const where = isFleet ? "" : ` on ${plural(chosen.size, "chosen sensor")}`;
  const corrected = `${formatNumber(data.comparisons)} comparisons${scope.whole ? "" : " of all days and sensors"}`;
  if (rows.length === 0) {
    return { lead: `Nothing on ${days}${where} was unusual against its own past (${corrected}).` };
  }
  const more = inside.length - rows.length;
  const finer =
    more > 0
      ? ` ${plural(more, "finding")} more on single days or sensors: choose them, or see the statistics page.`
      : "";
  const cut =
    data.reported > data.rows.length
      ? ` The page carries ${data.rows.length} of ${formatNumber(data.reported)} findings.`
      : "";
  return {
    lead:
      `${days}${where} against the days before: what is unusual against its own past, ` +
      `${corrected} corrected for. Expected is what the days before would give; q is the share of false findings to expect ` +
      `among all with a q as small or smaller.${finer}${cut}`,
    /** Left out where there is nothing to list. */
    table: buildChangesTable("changes-table", "Changes", rows, data.sensors.length, LIST_MOST),
  };
}
