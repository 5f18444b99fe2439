/**
 * Which sensor watched when.
 *
 * Tested in `test/lib/pages/stats-page.test.ts`.
 */
import { formatNumber, plural } from "../text/format.ts";
import { sensorLabel } from "../text/labels.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { stepDays } from "../view/axis.ts";
import { toSteps } from "../view/chart.ts";
import { calendarChart } from "../view/heat-chart.ts";
import { formatProbability, instantCell, numberCell, scopeCell, type TableView, textCell, toTable } from "../view/stats-tables.ts";
import { CHART_WIDTH, type SectionView, toFigure, withRows } from "./stats-section.ts";

/** Sensors drawn in the calendar; the table below it has more. */
const CALENDAR_MOST = 200;

export function toCoverageSection(statistics: Statistics): SectionView {
  const { coverage, outages, silent, cutDays } = statistics;
  const drawn =
    coverage.length > CALENDAR_MOST
      ? ` Drawn are the first ${CALENDAR_MOST} of ${formatNumber(coverage.length)} sensors.`
      : "";
  const cut =
    cutDays.length > 0
      ? ` ${plural(cutDays.length, "sensor-day")} are known from cut counts alone: shown, not tested.`
      : "";
  return {
    id: "coverage",
    name: "Coverage",
    heading: "Which sensor watched when?",
    lead: `A day without any event counts as down where the sensor's usual rate makes a silence that long less likely than one in a million.${cut}${drawn}`,
    charts: [drawCalendar(statistics)],
    tables: [
      ...withRows(
        { title: "Outages", table: buildOutagesTable(outages) },
        { title: "Silent at the end", table: buildSilentTable(silent) },
      ),
      { title: "Sensors", table: buildSensorsTable(coverage) },
    ],
  };
}

function drawCalendar({ coverage, firstDay, lastDay }: Statistics) {
  const range = { first: firstDay, last: lastDay };
  const steps = toSteps(range, stepDays(range, CHART_WIDTH / 2));
  const calendar = coverage
    .slice(0, CALENDAR_MOST)
    .map(sensor => ({ name: sensorLabel(sensor.sensor), letters: sensor.days }));
  return toFigure(
    calendarChart(calendar, steps, CHART_WIDTH, "What is known of each sensor and day"),
    steps.days === 1 ? "Sensors by day" : `Sensors, ${steps.days} days to a column, the worst shown`,
    "coverage",
  );
}

function buildOutagesTable(outages: Statistics["outages"]): TableView {
  return toTable(
    "outages",
    "Outages",
    [
      ["Sensor", "", outage => scopeCell(outage.sensor)],
      ["From", "", outage => instantCell(outage.fromUs)],
      ["To", "", outage => instantCell(outage.toUs)],
      ["Hours", "number", outage => numberCell(outage.hours)],
      ["Known from", "", outage => textCell(outage.origin === "operator" ? "the operator's list" : "silence")],
      ["Usual events per hour", "number", outage => usualCell(outage.usualPerHour)],
      ["Chance of such a silence", "number", outage => chanceCell(outage.chance)],
    ],
    outages,
  );
}

const usualCell = (value: number | null) => numberCell(value, value === null ? "–" : formatNumber(value, 1));
const chanceCell = (value: number | null) => numberCell(value, value === null ? "–" : formatProbability(value));

function buildSilentTable(silent: Statistics["silent"]): TableView {
  return toTable(
    "silent",
    "Silent sensors",
    [
      ["Sensor", "", entry => scopeCell(entry.sensor)],
      ["Silent since", "", entry => instantCell(entry.sinceUs)],
      ["Hours", "number", entry => numberCell(entry.hours)],
      ["Usual events per hour", "number", entry => usualCell(entry.usualPerHour)],
      ["Chance of such a silence", "number", entry => chanceCell(entry.chance)],
    ],
    silent,
  );
}

function buildSensorsTable(coverage: Statistics["coverage"]): TableView {
  return toTable(
    "sensors",
    "Sensors",
    [
      ["Sensor", "", sensor => scopeCell(sensor.sensor)],
      ["First event", "", sensor => instantCell(sensor.firstSeenUs)],
      ["Last event", "", sensor => instantCell(sensor.lastSeenUs)],
      ["Observed days", "number", sensor => numberCell(sensor.observedDays)],
      ["Watched days", "number", sensor => numberCell(sensor.watchedDays, formatNumber(sensor.watchedDays, 1))],
      ["Events", "number", sensor => numberCell(sensor.events.reduce((sum, n) => sum + n, 0))],
    ],
    coverage,
  );
}
