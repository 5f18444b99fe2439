/** `stats.html`: what changed, what is new, who watched, and how far any of it can be trusted. */
import dataTablePartial from "../../templates/data-table.mustache" with { type: "text" };
import headPartial from "../../templates/head.mustache" with { type: "text" };
import partPartial from "../../templates/part.mustache" with { type: "text" };
import patternsPartial from "../../templates/patterns.mustache" with { type: "text" };
import provenancePartial from "../../templates/provenance.mustache" with { type: "text" };
import page from "../../templates/stats.mustache" with { type: "text" };
import { type DayRange, stepDays } from "../view/axis.ts";
import { type Chart, type Line, stackChart, toSteps } from "../view/chart.ts";
import { bundleScript } from "./client-script.ts";
import { formatInstant, formatNumber, formatShare, plural, toIsoDay } from "../text/format.ts";
import { renderPage } from "./html.ts";
import { BASE_STYLE, cardsWithoutScript, columnsOf, toCardTable } from "./page-style.ts";
import { sensorLabel, toDayLabel } from "../text/labels.ts";
import { toMarkupText } from "../view/markup.ts";
import { buildProvenance } from "./provenance.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { DistinctName } from "../statistics/distinct.ts";
import { isAllCut, whyNoComparison, whyNothingNew } from "../statistics/no-comparison.ts";
import type { Statistics } from "../statistics/statistics.ts";
import {
  buildChangesTable,
  isOverall,
  buildLedgerTable,
  buildTrendTable,
  type CellView,
  formatProbability,
  keyCell,
  numberCell,
  scopeCell,
  sensorsText,
  shortSensor,
  type TableView,
  textCell,
  toTable,
  TYPE_WORDS,
} from "../view/stats-tables.ts";
import { visible } from "../text/text.ts";
import { calendarChart } from "../view/heat-chart.ts";

const SCRIPT = await bundleScript("stats.js");

const CHART_WIDTH = 1096;
/** Sensors drawn in the calendar; the table below it has more. */
const CALENDAR_MOST = 200;
/** Rows of one table in the page; the rest is in the statistics' own output. */
const ROWS_MOST = 300;

export interface StatsPageOptions {
  /** Changes smaller than this, in percent, are not reported. */
  readonly thresholdPercent: number;
  /** Days in question. */
  readonly lastDays: number;
  /** Name and version of the program. */
  readonly generatedBy?: string;
  /** Sentences on what should be in the table and is not. */
  readonly limits?: readonly string[];
  /** How many sensors there are, where not all are looked at one by one. */
  readonly allSensors?: number;
  /** Link to the report it belongs to, where there is one. */
  readonly reportLink?: string;
}

interface SectionView {
  readonly id: string;
  readonly name: string;
  readonly heading: string;
  readonly lead: string;
  readonly charts: readonly { readonly unit: string; readonly name: string; readonly svg: string }[];
  readonly tables: readonly { readonly title: string; readonly table: TableView }[];
}

/** Render the statistics; the same input gives the same bytes. */
export function renderStats(table: ReducedTable, statistics: Statistics, options: StatsPageOptions): string {
  const hasDays = statistics.sensors.length > 0 && statistics.days > 0;
  const sections = !hasDays
    ? []
    : [
        toPeriodSection(statistics),
        toDaySection(statistics),
        toNoveltySection(statistics),
        toCoverageSection(statistics),
        toDistinctSection(statistics),
        toSensorSection(statistics),
        toTrendSection(statistics),
        toTestSection(statistics),
      ].filter(section => section !== undefined);
  const shown = hasDays ? `${toIsoDay(statistics.shownFirstDay)} to ${toIsoDay(statistics.lastDay)}` : "";
  const view = {
    title: hasDays ? `Cowrie statistics, ${shown}` : "Cowrie statistics: no events",
    heading: hasDays ? `What changed, ${daysText(statistics.shownFirstDay, statistics.lastDay)}` : "No events",
    lede: hasDays
      ? `Against the archive from ${toIsoDay(statistics.firstDay)} on, ${plural(statistics.days, "day")}, ` +
        plural(options.allSensors ?? statistics.sensors.length, "sensor")
      : "The inputs held no event.",
    reportLink: options.reportLink,
    nav: [
      ...(hasDays ? [{ id: "overview", name: "Overview" }] : []),
      ...sections.map(({ id, name }) => ({ id, name })),
      { id: "provenance", name: "Provenance" },
    ],
    figures: hasDays ? toFigures(statistics, options) : [],
    notes: [...(options.limits ?? []), ...statistics.notes.map(visible)],
    hasNotes: (options.limits ?? []).length + statistics.notes.length > 0,
    sections,
    provenance: buildProvenance(table.info, toFacts(statistics, options), options.limits ?? []),
  };
  const partials = {
    head: headPartial,
    patterns: patternsPartial,
    "data-table": dataTablePartial,
    part: partPartial,
    provenance: provenancePartial,
  };
  const tables = [
    ...sections.flatMap(section => section.tables.map(({ table }) => toCardTable(table))),
    { selector: ".sources .scroll", names: columnsOf(provenancePartial) },
  ];
  const style = BASE_STYLE + cardsWithoutScript(tables);
  return renderPage(page, view, partials, { style, script: SCRIPT });
}

function toFigures(statistics: Statistics, { allSensors = statistics.sensors.length }: StatsPageOptions) {
  const { changes, tests, novelty, coverage, outages, sensors } = statistics;
  const sumOf = (pick: (entry: Statistics["novelty"]["totals"][number]) => number) =>
    novelty.totals.reduce((sum, entry) => sum + pick(entry), 0);
  const watched = coverage.reduce((sum, sensor) => sum + sensor.watchedDays, 0);
  // Neither hours nor what is not listed are known of cut counts.
  const isKnown = !isAllCut(coverage);
  const orDash = (value: number, digits = 0) => (isKnown ? formatNumber(value, digits) : "–");
  return [
    {
      value: formatNumber(tests.reported),
      label: tests.reported === 1 ? "change reported" : "changes reported",
      note: describeReported(changes, sensors, tests.m),
    },
    {
      value: formatNumber(tests.m),
      label: "comparisons",
      note: tests.m === 0 ? "see below why there are none" : "each corrected for all of them",
    },
    {
      value: novelty.claimsFromDay === null ? "–" : formatNumber(sumOf(entry => entry.new)),
      label: "new values",
      note: `${orDash(sumOf(entry => entry.returning))} returned, ${orDash(sumOf(entry => entry.gone))} gone`,
    },
    {
      value: orDash(watched, watched % 1 === 0 ? 0 : 1),
      label: "sensor-days watched",
      note: plural(allSensors, "sensor"),
    },
    {
      value: orDash(outages.length),
      label: outages.length === 1 ? "outage" : "outages",
      note: `${orDash(outages.reduce((sum, outage) => sum + outage.hours, 0))} hours`,
    },
  ];
}

/** Where the changes are that were reported: over the period, by category; on single sensors; on single days. */
function describeReported(changes: Statistics["changes"], sensors: readonly string[], comparisons: number): string {
  if (comparisons === 0) return "nothing was compared";
  const reported = changes.filter(row => row.reported);
  if (reported.length === 0) return "none over the period, none on a day";
  const period = reported.filter(row => row.view === "period");
  const overall = period.filter(row => isOverall(row, sensors));
  const byCategory = Map.groupBy(overall, row => row.category);
  const words = [...byCategory]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([name, rows]) => `${formatNumber(rows.length)} ${name}`);
  const where = sensors.length === 1 ? "over the period" : "over the period, fleet";
  const ofSensors = period.length - overall.length;
  const ofDays = reported.length - period.length;
  return [
    `${words.join(", ") || "none"} ${where}`,
    ...(ofSensors > 0 ? [`${formatNumber(ofSensors)} on single sensors`] : []),
    ...(ofDays > 0 ? [`${formatNumber(ofDays)} on single days`] : []),
  ].join("; ");
}

/** No finding is not the same as no look. */
function describeNoChange(statistics: Statistics): string {
  if (statistics.tests.m === 0) return `Nothing was compared: ${whyNoComparison(statistics)}.`;
  return statistics.tests.periodView === 0
    ? "These days as a whole could not be compared: too few of them were watched."
    : "Nothing was unusual against its own past.";
}

function toPeriodSection(statistics: Statistics): SectionView {
  const rows = statistics.changes.filter(row => row.view === "period" && row.reported);
  const fleet = rows.filter(row => row.sensor === null);
  const sensors = rows.filter(row => row.sensor !== null);
  return {
    id: "period",
    name: "Period",
    heading: "What changed over these days as a whole?",
    lead:
      `The last ${plural(statistics.options.lastDays, "day")} against the days before, per watched sensor-day. The line is ` +
      "the 95 % interval of the ratio, the dot the ratio itself; the mark in the middle is no change. Expected is the count " +
      "that the days before would give; q is the share of false findings to expect among all rows with a q as small or smaller.",
    charts: [],
    tables: [
      ...(fleet.length > 0
        ? [{ title: "Whole fleet", table: buildChangesTable("changes-fleet", "Changes, fleet", fleet, statistics.sensors.length, ROWS_MOST) }]
        : []),
      ...(sensors.length > 0
        ? [
            {
              title: statistics.sensors.length === 1 ? "" : "By sensor",
              table: buildChangesTable("changes-sensors", "Changes by sensor", sensors, statistics.sensors.length, ROWS_MOST),
            },
          ]
        : []),
      ...(rows.length === 0 ? [emptyTable("changes-fleet", describeNoChange(statistics))] : []),
    ],
  };
}

function toDaySection(statistics: Statistics): SectionView | undefined {
  const rows = statistics.changes.filter(row => row.view === "day" && row.reported);
  if (rows.length === 0) return undefined;
  return {
    id: "days",
    name: "Days",
    heading: "On which days did it change?",
    lead: `Each of the last ${plural(statistics.options.lastDays, "day")} against its own baseline of up to ${statistics.options.baselineDays} watched days before.`,
    charts: [],
    tables: [
      { title: "", table: buildChangesTable("changes-days", "Changes by day", rows, statistics.sensors.length, ROWS_MOST) },
    ],
  };
}

function emptyTable(id: string, words: string): { title: string; table: TableView } {
  return { title: "", table: { id, name: words, shown: words, columns: [], rows: [] } };
}

function toNoveltySection({ novelty, options, coverage }: Statistics): SectionView {
  const { totals } = novelty;
  const words =
    `Known values were seen at any time, active ones since ${toIsoDay(novelty.sinceDay)}. Returned ones came back after ` +
    `${options.returningAfterDays} watched days or more without them; gone ones had been seen on three days or more, and ` +
    `not on the last ${options.returningAfterDays} watched days. A command pattern stands for all command lines that ` +
    "differ only in what varies by itself, such as passwords and addresses.";
  const tables: { title: string; table: TableView }[] = [
    {
      title: "",
      table: toTable(
        "novelty",
        "Values by kind",
        [
          ["Kind", ""],
          ["Known", "number"],
          ["Active", "number"],
          ["New", "number"],
          ["New on a sensor", "number"],
          ["Returned", "number"],
          ["Gone", "number"],
        ],
        totals.filter(entry => entry.values > 0),
        entry => [
          textCell(TYPE_WORDS[entry.type].many),
          numberCell(entry.values),
          numberCell(entry.active),
          numberCell(novelty.claimsFromDay === null ? null : entry.new),
          numberCell(novelty.claimsFromDay === null ? null : entry.newHere),
          numberCell(entry.returning),
          numberCell(entry.gone),
        ],
        ROWS_MOST,
      ),
    },
  ];
  if (novelty.new.length > 0) {
    tables.push({ title: "New", table: buildLedgerTable("new", "New values", novelty.new) });
  }
  if (novelty.newHere.length > 0) {
    const extra = {
      name: "New on",
      cell: (entry: (typeof novelty.newHere)[number]): CellView =>
        textCell(sensorsText(entry.newOn), entry.newOn.length),
    };
    tables.push({
      title: "New on a sensor, known elsewhere",
      table: buildLedgerTable("new-here", "New on a sensor", novelty.newHere, extra),
    });
  }
  if (novelty.returning.length > 0) {
    const extra = {
      name: "Absent",
      cell: (entry: (typeof novelty.returning)[number]): CellView =>
        textCell(`${plural(entry.absentDays, "day")} to ${toIsoDay(entry.returnedOn)}`, entry.absentDays, "time"),
    };
    tables.push({
      title: "Returned",
      table: buildLedgerTable("returning", "Returned values", novelty.returning, extra),
    });
  }
  if (novelty.gone.length > 0) {
    tables.push({ title: "Gone", table: buildLedgerTable("gone", "Gone values", novelty.gone) });
  }
  return {
    id: "new",
    name: "New and gone",
    heading: "Which values are new, returned or gone?",
    lead:
      novelty.claimsFromDay === null
        ? `Nothing is called new: ${whyNothingNew(coverage, options.burnInDays)}. ${words}`
        : `New values were never seen before ${toIsoDay(novelty.sinceDay)} by any sensor; in the burn-in, the first ` +
          `${options.burnInDays} watched days, nothing is called new. ${words}`,
    charts: [],
    tables,
  };
}

function toCoverageSection({ coverage, outages, silent, firstDay, lastDay, cutDays }: Statistics): SectionView {
  const range: DayRange = { first: firstDay, last: lastDay };
  const steps = toSteps(range, stepDays(range, CHART_WIDTH / 2));
  const calendar = coverage
    .slice(0, CALENDAR_MOST)
    .map(sensor => ({ name: sensorLabel(sensor.sensor), letters: sensor.days }));
  const tables: { title: string; table: TableView }[] = [];
  if (outages.length > 0) {
    tables.push({
      title: "Outages",
      table: toTable(
        "outages",
        "Outages",
        [
          ["Sensor", ""],
          ["From", ""],
          ["To", ""],
          ["Hours", "number"],
          ["Known from", ""],
          ["Usual events per hour", "number"],
          ["Chance of such a silence", "number"],
        ],
        outages,
        outage => [
          scopeCell(outage.sensor),
          textCell(formatInstant(outage.fromUs), outage.fromUs, "time"),
          textCell(formatInstant(outage.toUs), outage.toUs, "time"),
          numberCell(outage.hours),
          textCell(outage.origin === "operator" ? "the operator's list" : "silence"),
          numberCell(outage.usualPerHour, outage.usualPerHour === null ? "–" : formatNumber(outage.usualPerHour, 1)),
          numberCell(outage.chance, outage.chance === null ? "–" : formatProbability(outage.chance)),
        ],
        ROWS_MOST,
      ),
    });
  }
  if (silent.length > 0) {
    tables.push({
      title: "Silent at the end",
      table: toTable(
        "silent",
        "Silent sensors",
        [
          ["Sensor", ""],
          ["Silent since", ""],
          ["Hours", "number"],
          ["Usual events per hour", "number"],
          ["Chance of such a silence", "number"],
        ],
        silent,
        entry => [
          scopeCell(entry.sensor),
          textCell(formatInstant(entry.sinceUs), entry.sinceUs, "time"),
          numberCell(entry.hours),
          numberCell(entry.usualPerHour, formatNumber(entry.usualPerHour, 1)),
          numberCell(entry.chance, formatProbability(entry.chance)),
        ],
        ROWS_MOST,
      ),
    });
  }
  tables.push({
    title: "Sensors",
    table: toTable(
      "sensors",
      "Sensors",
      [
        ["Sensor", ""],
        ["First event", ""],
        ["Last event", ""],
        ["Observed days", "number"],
        ["Watched days", "number"],
        ["Events", "number"],
      ],
      coverage,
      sensor => [
        scopeCell(sensor.sensor),
        textCell(
          sensor.firstSeenUs === null ? "–" : formatInstant(sensor.firstSeenUs),
          sensor.firstSeenUs ?? 0,
          "time",
        ),
        textCell(sensor.lastSeenUs === null ? "–" : formatInstant(sensor.lastSeenUs), sensor.lastSeenUs ?? 0, "time"),
        numberCell(sensor.observedDays),
        numberCell(sensor.watchedDays, formatNumber(sensor.watchedDays, 1)),
        numberCell(sensor.events.reduce((sum, n) => sum + n, 0)),
      ],
      ROWS_MOST,
    ),
  });
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
    charts: [
      toFigure(
        calendarChart(calendar, steps, CHART_WIDTH, "What is known of each sensor and day"),
        steps.days === 1 ? "Sensors by day" : `Sensors, ${steps.days} days to a column, the worst shown`,
        "coverage",
      ),
    ],
    tables,
  };
}

const DISTINCT_WORDS: Readonly<Record<DistinctName, string>> = {
  addresses: "source addresses",
  credentials: "credentials",
  hashes: "file hashes",
};

function toDistinctSection({ distinct, coverage, firstDay, lastDay }: Statistics): SectionView | undefined {
  const range: DayRange = { first: firstDay, last: lastDay };
  // Distinct values of two days do not add up: one step is one day, however narrow.
  const steps = toSteps(range, 1);
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

function toSensorSection({ comparison, sensors }: Statistics): SectionView | undefined {
  if (sensors.length < 2) return undefined;
  const spread = comparison.spread.filter(entry => entry.sensorsSeen.some(n => n > 0));
  const tables: { title: string; table: TableView }[] = [
    {
      title: "How widely values are seen",
      table: toTable(
        "spread",
        "Spread",
        [
          ["Kind", ""],
          ["Values", "number"],
          ["On one sensor only", "number"],
          ["On all sensors", "number"],
          ["Most alike", ""],
        ],
        spread,
        entry => {
          const values = entry.sensorsSeen.reduce((sum, n) => sum + n, 0);
          const onAll = entry.sensorsSeen[sensors.length - 1] ?? 0;
          return [
            textCell(TYPE_WORDS[entry.type].many),
            numberCell(values),
            numberCell(
              entry.sensorsSeen[0] ?? 0,
              `${formatNumber(entry.sensorsSeen[0] ?? 0)} (${formatShare((entry.sensorsSeen[0] ?? 0) / values)})`,
            ),
            numberCell(onAll, `${formatNumber(onAll)} (${formatShare(onAll / values)})`),
            mostAlike(entry.similarity, entry.compared.map(shortSensor)),
          ];
        },
        ROWS_MOST,
      ),
    },
  ];
  if (comparison.standOut.length > 0) {
    tables.push({
      title: "What stands out on one sensor",
      table: toTable(
        "stand-out",
        "What stands out",
        [
          ["Sensor", ""],
          ["Value", ""],
          ["Count", "number"],
          ["Share here", "number"],
          ["Share elsewhere", "number"],
          ["q", "number"],
        ],
        comparison.standOut,
        row => [
          scopeCell(row.sensor),
          keyCell(row.kind, row.key),
          numberCell(row.count),
          numberCell(row.share, formatShare(row.share)),
          numberCell(row.othersShare, formatShare(row.othersShare)),
          numberCell(row.q, formatProbability(row.q)),
        ],
        ROWS_MOST,
      ),
    });
  }
  if (comparison.onlyHere.length > 0) {
    tables.push({
      title: "Seen by one sensor alone",
      table: buildLedgerTable("only-here", "Seen by one sensor alone", comparison.onlyHere),
    });
  }
  return {
    id: "sensors",
    name: "Sensors",
    heading: "Do the sensors see the same?",
    lead: `Shares and what stands out are of ${toIsoDay(comparison.firstDay)} to ${toIsoDay(comparison.lastDay)}; all else of the whole archive.`,
    charts: [],
    tables,
  };
}

function mostAlike(similarity: readonly (readonly number[])[], names: readonly string[]): CellView {
  let best = { value: -1, a: 0, b: 0 };
  similarity.forEach((row, a) =>
    row.forEach((value, b) => (b < a && value > best.value ? (best = { value, a: b, b: a }) : undefined)),
  );
  if (best.value <= 0) return textCell("none share a value", -1);
  return textCell(`${names[best.a]!} and ${names[best.b]!}: ${formatShare(best.value)} shared`, best.value);
}

function toTrendSection({ trends }: Statistics): SectionView | undefined {
  if (trends.length === 0) return undefined;
  const fleet = trends.filter(row => row.sensor === null);
  const sensors = trends.filter(row => row.sensor !== null);
  return {
    id: "trends",
    name: "Trends",
    heading: "Where is it heading?",
    lead: "A log-linear slope per watched day over the whole archive, as percent per week. p is of each row by itself, not corrected for how many there are.",
    charts: [],
    tables: [
      ...(fleet.length > 0
        ? [{ title: "Whole fleet", table: buildTrendTable("trends-fleet", "Trends, fleet", fleet, ROWS_MOST) }]
        : []),
      ...(sensors.length > 0
        ? [{ title: "By sensor", table: buildTrendTable("trends-sensors", "Trends by sensor", sensors, ROWS_MOST) }]
        : []),
    ],
  };
}

function toTestSection({ tests, options }: Statistics): SectionView {
  const tables: { title: string; table: TableView }[] = [];
  const byKind = tests.byKind.filter(entry => entry.tests > 0);
  if (byKind.length > 0) {
    tables.push({
      title: "",
      table: toTable(
        "tests",
        "Comparisons by kind",
        [
          ["Kind", ""],
          ["Comparisons", "number"],
          ["Reported", "number"],
        ],
        byKind,
        entry => [textCell(entry.kind.replaceAll("_", " ")), numberCell(entry.tests), numberCell(entry.reported)],
        ROWS_MOST,
      ),
    });
  }
  if (tests.refused.length > 0) {
    tables.push({
      title: "Sensor-days without a comparison",
      table: toTable(
        "refused",
        "Refused",
        [
          ["Sensor", ""],
          ["Day", ""],
          ["Why", ""],
        ],
        tests.refused,
        entry => [scopeCell(entry.sensor), textCell(toIsoDay(entry.day), entry.day, "time"), textCell(entry.reason)],
        ROWS_MOST,
      ),
    });
  }
  return {
    id: "tests",
    name: "Method",
    heading: "How was it tested?",
    lead:
      `${formatNumber(tests.m)} comparisons, ${formatNumber(tests.dayView)} of days and ${formatNumber(tests.periodView)} of periods; ` +
      `${formatNumber(tests.withoutSupport)} more values were too rare to compare. Negative-binomial tails against the ${options.baselineDays} ` +
      `watched days before, ${tests.method} at q = ${options.q} over all of them together, and changes of ${options.thresholdPercent} % or more.`,
    charts: [],
    tables,
  };
}

function toFacts({ options, weekday }: Statistics, { generatedBy }: StatsPageOptions) {
  return [
    { name: "Days in question", value: formatNumber(options.lastDays) },
    { name: "Threshold of change", value: `${options.thresholdPercent} %` },
    {
      name: "Baseline",
      value: `${options.baselineDays} days after ${plural(options.guardDays, "day")} left out, at least ${options.minBaselineDays}`,
    },
    { name: "Quiet days", value: options.quietDays === "zero" ? "count as zero" : "left out" },
    { name: "Burn-in", value: plural(options.burnInDays, "day") },
    {
      name: "Weekdays adjusted for",
      value: weekday.adjusted.length === 0 ? "no sensor" : plural(weekday.adjusted.length, "sensor"),
    },
    ...(generatedBy === undefined ? [] : [{ name: "Made by", value: generatedBy }]),
  ];
}

/** `3 Apr – 9 Apr 2024`, short enough for a heading. */
function daysText(first: number, last: number): string {
  const [from, to] = [toIsoDay(first).slice(0, 4), toIsoDay(last).slice(0, 4)];
  return `${toDayLabel(first)}${from === to ? "" : ` ${from}`} – ${toDayLabel(last)} ${to}`;
}

function toFigure({ svg }: Chart, unit: string, name: string) {
  return { svg: toMarkupText(svg), unit, name };
}
