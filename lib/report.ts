/** `result.html`: what the honeypots saw, from a reduced table, as one page that needs nothing else. */
import coveragePartial from "../templates/coverage.mustache" with { type: "text" };
import filtersPartial from "../templates/filters.mustache" with { type: "text" };
import headPartial from "../templates/head.mustache" with { type: "text" };
import provenancePartial from "../templates/provenance.mustache" with { type: "text" };
import style from "../templates/report.css" with { type: "text" };
import page from "../templates/report.mustache" with { type: "text" };
import rowPartial from "../templates/row.mustache" with { type: "text" };
import sectionPartial from "../templates/section.mustache" with { type: "text" };
import { stepName } from "./axis.ts";
import { heatChart, lineChart, SERIES_MOST, sparkline, stackChart } from "./chart.ts";
import { CLIENT_SCRIPT } from "./client-script.ts";
import { type Cells, encodeCells, everything, sumByDay } from "./cube.ts";
import { formatBytes, formatInstant, formatNumber, plural, toIsoDay } from "./format.ts";
import { renderPage, toScriptJson } from "./html.ts";
import { toLongDay } from "./labels.ts";
import { toMarkupText } from "./markup.ts";
import type { ReducedTable, SourceInfo } from "./reduced-table.ts";
import { buildReportData, type ReportData, type SectionData, SHOW_MOST } from "./report-data.ts";
import {
  buildCoverage,
  buildFigures,
  buildLines,
  buildRow,
  buildScope,
  chooseSteps,
  columnNames,
  describeShown,
  rankSection,
  type Scope,
  sensorName,
  stepUnit,
  sumSteps,
} from "./report-view.ts";
import type { Section } from "./sections.ts";
import { visible } from "./text.ts";

/** Width of charts as delivered; the script redraws them to the width there is. */
const CHART_WIDTH = 1040;
/** Sources named one by one; an archive of thousands of files would be longer than the report. */
const SOURCES_MOST = 200;
/** Room one step takes at least, in pixels. */
export const LINE_STEP = 1.6;
export const HEAT_STEP = 2;

export interface ReportOptions {
  /** Keys shown per section; 0 = all, up to {@link SHOW_MOST}, which the page says. */
  readonly topN: number;
  /** Changes smaller than this, in percent, are not listed. */
  readonly thresholdPercent: number;
  /** Days that are held against the days before them. */
  readonly lastDays: number;
  /** Name and version of the program, for the page's foot. */
  readonly generatedBy?: string;
}

/**
 * Render the report; the same table and options give the same bytes.
 *
 * @param table May be empty: the page then says so.
 */
export function renderReport(table: ReducedTable, options: ReportOptions): string {
  const show = options.topN === 0 ? SHOW_MOST : Math.min(options.topN, SHOW_MOST);
  const data = buildReportData(table, { show });
  const scope = buildScope(data, everything(data.grid), options);
  const hasDays = data.grid.days > 0;
  const sections = data.sections.map(section => toSectionView(scope, section, show));
  const view = {
    ...toHeadline(data, hasDays),
    generatedBy: options.generatedBy,
    hasDays,
    figures: hasDays ? buildFigures(scope).map(figure => ({ ...figure, hasChange: figure.change !== undefined })) : [],
    filters: toFilterView(data),
    coverage: hasDays ? toCoverageView(scope) : undefined,
    activity: hasDays ? toActivityView(scope) : undefined,
    sections,
    provenance: toProvenanceView(table, data, options),
    dataJson: toScriptJson(toPageData(data, show, options)),
  };
  const partials = {
    head: headPartial,
    filters: filtersPartial,
    coverage: coveragePartial,
    section: sectionPartial,
    row: rowPartial,
    provenance: provenancePartial,
  };
  return renderPage(page, view, partials, { style, script: CLIENT_SCRIPT });
}

function toHeadline(data: ReportData, hasDays: boolean) {
  const { firstDay, days, sensors } = data.grid;
  if (!hasDays) return { title: "Cowrie report: no events", heading: "No events", period: "", lede: "The inputs held no event." };
  const period = `${toIsoDay(firstDay)} to ${toIsoDay(firstDay + days - 1)}`;
  return {
    title: `Cowrie report, ${period}`,
    heading: days === 1 ? toLongDay(firstDay) : `${formatNumber(days)} days of attacks`,
    period,
    lede: `${period} UTC, ${plural(sensors, "sensor")}`,
  };
}

function toFilterView(data: ReportData) {
  const { firstDay, days } = data.grid;
  return {
    firstDay: days === 0 ? "" : toIsoDay(firstDay),
    lastDay: days === 0 ? "" : toIsoDay(firstDay + days - 1),
    sensors: data.sensors.map((_, code) => ({ code, name: sensorName(data, code) })),
    hasSensors: data.sensors.length > 1,
    presets: [7, 28, 90].filter(length => length < days).map(length => ({ length })),
  };
}

function toCoverageView(scope: Scope) {
  const steps = chooseSteps(scope, CHART_WIDTH / HEAT_STEP);
  const rows = buildCoverage(scope, steps);
  const label = `Events per sensor and ${stepName(steps.days)}`;
  return { svg: toMarkupText(heatChart(rows, steps, CHART_WIDTH, label).svg), unit: label };
}

function toActivityView(scope: Scope) {
  const steps = chooseSteps(scope, CHART_WIDTH / 3);
  const events = sumSteps(sumByDay(scope.data.events, scope.data.grid, scope.filter), scope.watched, steps);
  const label = `Events of all sensors per ${stepName(steps.days)}`;
  const { svg } = stackChart([{ name: "events", values: events, style: 0 }], steps, CHART_WIDTH, label, 150);
  return { svg: toMarkupText(svg), unit: label };
}

function toSectionView(scope: Scope, data: SectionData, show: number) {
  const ranking = rankSection(scope, data);
  const { section } = ranking;
  const steps = chooseSteps(scope, CHART_WIDTH / LINE_STEP);
  const sparkSteps = chooseSteps(scope, 120);
  const shown = ranking.order.slice(0, show);
  const lines = buildLines(scope, ranking, ranking.order.slice(0, Math.min(show, SERIES_MOST)), steps);
  const unit = stepUnit(section, steps);
  return {
    id: section.id,
    name: section.name,
    heading: section.heading,
    lead: section.lead,
    unit,
    columns: columnNames(section),
    ...columnFlags(scope, data, section),
    shown: describeShown(ranking, shown, true),
    svg: toMarkupText(lineChart(lines, steps, CHART_WIDTH, `${section.name}: ${unit}, logarithmic`).svg),
    rows: shown.map((key, i) => {
      const row = buildRow(scope, ranking, key, i + 1, sparkSteps);
      return { ...row, ...columnFlags(scope, data, section), svg: toMarkupText(sparkline(row.values)) };
    }),
  };
}

/** Columns that not every section has. */
function columnFlags(scope: Scope, data: SectionData, _section: Section) {
  return {
    hasSuccess: data.success !== undefined,
    hasVerdict: data.verdicts !== undefined,
    hasComparison: scope.comparison !== undefined,
    comparisonName: scope.comparison?.name ?? "",
    hasSensors: data.cells.length > 0 && scope.data.grid.sensors > 1,
  };
}

function toProvenanceView(table: ReducedTable, data: ReportData, options: ReportOptions) {
  const { sources, parameters, version } = table.info;
  const sum = (pick: (source: SourceInfo) => number) => sources.reduce((total, source) => total + pick(source), 0);
  const first = sources.reduce((least, source) => Math.min(least, source.firstSeenUs ?? Infinity), Infinity);
  const last = sources.reduce((most, source) => Math.max(most, source.lastSeenUs ?? -Infinity), -Infinity);
  const cut = sources.filter(source => source.cut === true);
  const facts = [
    { name: "Logs", value: `${formatNumber(sources.length)} (${formatBytes(sum(source => source.sizeBytes))})` },
    { name: "Lines", value: formatNumber(sum(source => source.counts.lines)) },
    { name: "Events", value: formatNumber(sum(source => source.counts.events + source.counts.repaired)) },
    { name: "of them repaired", value: formatNumber(sum(source => source.counts.repaired)) },
    { name: "Rejected", value: formatNumber(sum(source => source.counts.rejected)) },
    { name: "Pending", value: formatNumber(sum(source => source.counts.pending)) },
    ...(first <= last
      ? [
          { name: "First event", value: `${formatInstant(first)} UTC` },
          { name: "Last event", value: `${formatInstant(last)} UTC` },
        ]
      : []),
    { name: "Days, sensors", value: `${formatNumber(data.grid.days)}, ${formatNumber(data.sensors.length)}` },
    { name: "Robots", value: `sessions under ${parameters.robotMaxSeconds} s` },
    { name: "Shown per section", value: options.topN === 0 ? `all, at most ${SHOW_MOST}` : `first ${options.topN}` },
    { name: "Compared", value: `last ${plural(options.lastDays, "day")}` },
    { name: "Threshold of change", value: `${options.thresholdPercent} %` },
    { name: "Format of the reduced table", value: String(version) },
    ...(options.generatedBy === undefined ? [] : [{ name: "Made by", value: options.generatedBy }]),
  ];
  const limits: string[] = [];
  if (parameters.sinceDay !== undefined) limits.push(`Only days from ${toIsoDay(parameters.sinceDay)} on were read.`);
  if (parameters.untilDay !== undefined) limits.push(`Only days up to ${toIsoDay(parameters.untilDay)} were read.`);
  if (parameters.sensors !== undefined) limits.push(`Only ${plural(parameters.sensors.length, "sensor")} was asked for.`);
  if (options.topN > SHOW_MOST) limits.push(`${options.topN} keys per section were asked for; ${SHOW_MOST} are shown.`);
  if (data.eventsOutside > 0) {
    const drawn = `${toIsoDay(data.grid.firstDay)} to ${toIsoDay(data.grid.firstDay + data.grid.days - 1)}`;
    limits.push(`${plural(data.eventsOutside, "event")} lie too far from the rest to be drawn; the page shows ${drawn}.`);
  }
  if (cut.length > 0) limits.push(`${plural(cut.length, "input")} held counts that were cut to their top entries before.`);
  return {
    facts,
    limits,
    hasLimits: limits.length > 0,
    sources: sources.slice(0, SOURCES_MOST).map(source => ({
      path: visible(source.path),
      size: formatBytes(source.sizeBytes),
      events: formatNumber(source.counts.events + source.counts.repaired),
      repaired: formatNumber(source.counts.repaired),
      rejected: formatNumber(source.counts.rejected),
      pending: formatNumber(source.counts.pending),
      first: source.firstSeenUs === undefined ? "–" : formatInstant(source.firstSeenUs),
      last: source.lastSeenUs === undefined ? "–" : formatInstant(source.lastSeenUs),
      note: [source.cut === true ? "cut to its top entries" : "", visible(source.damage ?? "")].filter(Boolean).join(", "),
    })),
    hasSources: sources.length > 0,
    sourcesShown:
      sources.length > SOURCES_MOST
        ? `First ${SOURCES_MOST} of ${formatNumber(sources.length)} logs`
        : plural(sources.length, "log"),
  };
}

/** What the script needs: everything but the counts as JSON, those packed; `lists[i]` is the place of the i-th list. */
function toPageData(data: ReportData, show: number, options: ReportOptions) {
  const all: Cells[] = [data.events, data.addresses.cells, data.files.cells];
  const sections = data.sections.map(({ all: every, cells, allSuccess, success, ...rest }) => {
    all.push(every, ...cells, ...(success === undefined ? [] : [allSuccess!, ...success]));
    return { ...rest, hasSuccess: success !== undefined };
  });
  const { places, distinct } = withoutRepeats(all);
  return {
    grid: data.grid,
    sensors: data.sensors,
    addresses: data.addresses.distinct,
    files: { distinct: data.files.distinct, flagged: data.files.flagged },
    sections,
    show,
    lastDays: options.lastDays,
    thresholdPercent: options.thresholdPercent,
    lists: places,
    cells: Buffer.from(Bun.deflateSync(encodeCells(distinct), { level: 6 })).toString("base64"),
  };
}

/** Equal lists once: all sessions are counted in two sections, all events in two places. */
function withoutRepeats(lists: readonly Cells[]): { places: number[]; distinct: Cells[] } {
  const distinct: Cells[] = [];
  const byHash = new Map<string, number>();
  const places = lists.map(({ at, count }) => {
    const hash = `${at.length} ${Bun.hash(at)} ${Bun.hash(count)}`;
    const known = byHash.get(hash);
    if (known !== undefined) return known;
    byHash.set(hash, distinct.length);
    return distinct.push({ at, count }) - 1;
  });
  return { places, distinct };
}
