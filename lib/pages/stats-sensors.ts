/**
 * How many distinct values there are each day, and whether the sensors see the same.
 *
 * Tested in `test/lib/pages/stats-page.test.ts`.
 */
import { formatNumber, formatShare, toIsoDay } from "../text/format.ts";
import type { DistinctName } from "../statistics/distinct.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { type Line, stackChart, toSteps } from "../view/chart.ts";
import {
  buildLedgerTable,
  type CellView,
  formatProbability,
  keyCell,
  numberCell,
  scopeCell,
  shortSensor,
  type TableView,
  textCell,
  toTable,
  TYPE_WORDS,
} from "../view/stats-tables.ts";
import { CHART_WIDTH, type SectionView, toFigure, withRows } from "./stats-section.ts";

const DISTINCT_WORDS: Readonly<Record<DistinctName, string>> = {
  addresses: "source addresses",
  credentials: "credentials",
  hashes: "file hashes",
};

export function toDistinctSection({ distinct, coverage, firstDay, lastDay }: Statistics): SectionView | undefined {
  // Distinct values of two days do not add up: one step is one day, however narrow.
  const steps = toSteps({ first: firstDay, last: lastDay }, 1);
  const watched = (day: number) => coverage.some(sensor => "opc".includes(sensor.days[day] ?? "-"));
  const charts = distinct
    .filter(series => series.sensor === null && series.total > 0)
    .map(({ name, perDay, newPerDay, total }) => {
      const lines: Line[] = [
        { name: "seen before", values: perDay.map((n, day) => (watched(day) ? n - newPerDay[day]! : null)), style: 0 },
        { name: "never seen before", values: newPerDay.map((n, day) => (watched(day) ? n : null)), style: 1 },
      ];
      const unit = `Distinct ${DISTINCT_WORDS[name]} per day, ${formatNumber(total)} over the whole archive`;
      return toFigure(stackChart(lines, steps, CHART_WIDTH, unit, 190), unit, name);
    });
  if (charts.length === 0) return undefined;
  return {
    id: "distinct",
    name: "Distinct values",
    heading: "How many distinct values are there each day?",
    lead: "Each value counts once a day for the whole fleet, however many sensors saw it: the sum over days or sensors is more than the number of distinct values. In an archive's first days every value is new.",
    charts,
    tables: [],
  };
}

export function toSensorSection({ comparison, sensors }: Statistics): SectionView | undefined {
  if (sensors.length < 2) return undefined;
  return {
    id: "sensors",
    name: "Sensors",
    heading: "Do the sensors see the same?",
    lead: `Shares and what stands out are of ${toIsoDay(comparison.firstDay)} to ${toIsoDay(comparison.lastDay)}; all else of the whole archive.`,
    charts: [],
    tables: [
      { title: "How widely values are seen", table: buildSpreadTable(comparison.spread, sensors.length) },
      ...withRows(
        { title: "What stands out on one sensor", table: buildStandOutTable(comparison.standOut) },
        {
          title: "Seen by one sensor alone",
          table: buildLedgerTable("only-here", "Seen by one sensor alone", comparison.onlyHere),
        },
      ),
    ],
  };
}

function buildSpreadTable(spread: Statistics["comparison"]["spread"], sensors: number): TableView {
  type Entry = (typeof spread)[number];
  const countAll = (entry: Entry) => entry.sensorsSeen.reduce((sum, n) => sum + n, 0);
  const seenOn = (entry: Entry, n: number) => {
    const count = entry.sensorsSeen[n - 1] ?? 0;
    return numberCell(count, `${formatNumber(count)} (${formatShare(count / countAll(entry))})`);
  };
  return toTable(
    "spread",
    "Spread",
    [
      ["Kind", "", entry => textCell(TYPE_WORDS[entry.type].many)],
      ["Values", "number", entry => numberCell(countAll(entry))],
      ["On one sensor only", "number", entry => seenOn(entry, 1)],
      ["On all sensors", "number", entry => seenOn(entry, sensors)],
      ["Most alike", "", entry => mostAlike(entry.similarity, entry.compared.map(shortSensor))],
    ],
    spread.filter(entry => entry.sensorsSeen.some(n => n > 0)),
  );
}

function buildStandOutTable(rows: Statistics["comparison"]["standOut"]): TableView {
  return toTable(
    "stand-out",
    "What stands out",
    [
      ["Sensor", "", row => scopeCell(row.sensor)],
      ["Value", "", row => keyCell(row.kind, row.key)],
      ["Count", "number", row => numberCell(row.count)],
      ["Share here", "number", row => numberCell(row.share, formatShare(row.share))],
      ["Share elsewhere", "number", row => numberCell(row.othersShare, formatShare(row.othersShare))],
      ["q", "number", row => numberCell(row.q, formatProbability(row.q))],
    ],
    rows,
  );
}

function mostAlike(similarity: readonly (readonly number[])[], names: readonly string[]): CellView {
  let best = { value: -1, a: 0, b: 0 };
  similarity.forEach((row, a) =>
    row.forEach((value, b) => (b < a && value > best.value ? (best = { value, a: b, b: a }) : undefined)),
  );
  if (best.value <= 0) return textCell("none share a value", -1);
  return textCell(`${names[best.a]!} and ${names[best.b]!}: ${formatShare(best.value)} shared`, best.value);
}
