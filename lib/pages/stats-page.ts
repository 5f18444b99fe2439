/** `stats.html`: what changed, what is new, who watched, and how far any of it can be trusted. */
import headPartial from "../../templates/head.mustache" with { type: "text" };
import historyStyle from "../../templates/history.css" with { type: "text" };
import patternsPartial from "../../templates/patterns.mustache" with { type: "text" };
import provenancePartial from "../../templates/provenance.mustache" with { type: "text" };
import page from "../../templates/stats.mustache" with { type: "text" };
import { inBrief } from "./stats-section.ts";
import { bundleScript } from "./client-script.ts";
import { formatNumber, plural, toIsoDay, toSpan } from "../text/format.ts";
import { renderPage } from "./html.ts";
import { BASE_STYLE, cardsWithoutScript, toCardTable } from "./page-style.ts";
import { toDayLabel } from "../text/labels.ts";
import { buildProvenance, SOURCE_CARDS } from "./provenance.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { isAllCut } from "../statistics/no-comparison.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { toDaySection, toPeriodSection, toTestSection, toTrendSection } from "./stats-changes.ts";
import { toCoverageSection } from "./stats-coverage.ts";
import type { Episode } from "../history/episodes.ts";
import { toHistorySection } from "./stats-history.ts";
import { toNoveltySection } from "./stats-novelty.ts";
import { toDistinctSection, toSensorSection } from "./stats-sensors.ts";
import { dataTable } from "../view/data-table.ts";
import { toMarkupText } from "../view/markup.ts";
import { figureMarkup, type FigureView } from "../view/parts-markup.ts";
import { isOverall } from "../view/stats-tables.ts";
import { visible } from "../text/text.ts";

const SCRIPT = await bundleScript("stats.js");

export interface PageOptions {
  /** Changes smaller than this, in percent, are not listed. */
  readonly thresholdPercent: number;
  /** Days that are held against the days before them. */
  readonly lastDays: number;
  /** Name and version of the program, for the page's foot. */
  readonly generatedBy?: string;
  /** Sentences on what should be in the table and is not. */
  readonly limits?: readonly string[];
  /** How many sensors there are, where not all are drawn one by one. */
  readonly allSensors?: number;
  /** What happened when; without it the page says nothing of that. */
  readonly episodes?: readonly Episode[];
}

export interface StatsPageOptions extends PageOptions {
  /** Link to the report it belongs to, where there is one. */
  readonly reportLink?: string;
}

/** Render the statistics; the same input gives the same bytes. */
export function renderStats(table: ReducedTable, statistics: Statistics, options: StatsPageOptions): string {
  const hasDays = statistics.sensors.length > 0 && statistics.days > 0;
  const sections = !hasDays
    ? []
    : [
        toPeriodSection(statistics),
        toDaySection(statistics),
        options.episodes && toHistorySection(statistics, options.episodes),
        toNoveltySection(statistics),
        toCoverageSection(statistics),
        toDistinctSection(statistics),
        toSensorSection(statistics),
        toTrendSection(statistics),
        toTestSection(statistics),
      ].filter(section => section !== undefined);
  const shown = hasDays ? toSpan(toIsoDay(statistics.shownFirstDay), toIsoDay(statistics.lastDay)) : "";
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
    figures: hasDays ? toHeadFigures(statistics, options).map(figure => ({ markup: toMarkupText(figureMarkup(figure)) })) : [],
    notes: [...(options.limits ?? []), ...statistics.notes.map(visible)],
    hasNotes: (options.limits ?? []).length + statistics.notes.length > 0,
    sections: sections.map(inBrief).map(section => ({
      ...section,
      tables: section.tables.map(({ title, table }) => ({ title, markup: toMarkupText(dataTable(table)) })),
    })),
    provenance: buildProvenance(table, toFacts(statistics, options), options.limits ?? []),
  };
  const partials = { head: headPartial, patterns: patternsPartial, provenance: provenancePartial };
  const tables = [...sections.flatMap(section => section.tables.map(({ table }) => toCardTable(table))), SOURCE_CARDS];
  const style = BASE_STYLE + historyStyle + cardsWithoutScript(tables);
  return renderPage(page, view, partials, { style, script: SCRIPT });
}

/** The figures at the head of the page. */
function toHeadFigures(statistics: Statistics, { allSensors = statistics.sensors.length }: StatsPageOptions): FigureView[] {
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
  if (first === last) return `${toDayLabel(first)} ${from}`;
  return `${toDayLabel(first)}${from === to ? "" : ` ${from}`} – ${toDayLabel(last)} ${to}`;
}
