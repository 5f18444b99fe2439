/** `result.html`: what the honeypots saw, from a reduced table, as one page that needs nothing else. */
import coveragePartial from "../../templates/coverage.mustache" with { type: "text" };
import filtersPartial from "../../templates/filters.mustache" with { type: "text" };
import headPartial from "../../templates/head.mustache" with { type: "text" };
import firstStyle from "../../templates/first-screen.css" with { type: "text" };
import historyStyle from "../../templates/history.css" with { type: "text" };
import campaignsStyle from "../../templates/report-campaigns.css" with { type: "text" };
import chainsStyle from "../../templates/step-graph.css" with { type: "text" };
import patternsPartial from "../../templates/patterns.mustache" with { type: "text" };
import provenancePartial from "../../templates/provenance.mustache" with { type: "text" };
import page from "../../templates/report.mustache" with { type: "text" };
import comparePartial from "../../templates/report-compare.mustache" with { type: "text" };
import campaignsPartial from "../../templates/report-campaigns.mustache" with { type: "text" };
import chainsPartial from "../../templates/report-chains.mustache" with { type: "text" };
import purposeStyle from "../../templates/purpose.css" with { type: "text" };
import sectionPartial from "../../templates/section.mustache" with { type: "text" };
import { describeAlike, hasLogScale, lineChart, LOGARITHMIC, SERIES_MOST } from "../view/chart.ts";
import { withPeaks } from "../history/peak-episodes.ts";
import { findPeaks } from "../history/peaks.ts";
import { carriedOf, toHistoryData } from "../view/report-history.ts";
import { describeFold, findFolds, foldOfSensors } from "../view/report-folds.ts";
import { groupAlike } from "../view/alike.ts";
import { bundleScript } from "./client-script.ts";
import { findMoreToTell } from "./more-to-tell.ts";
import { toFirstView, toTimelineView } from "./first-screen.ts";
import { countReach } from "./reach.ts";
import { type Cells, type Grid, everything } from "../view/cells.ts";
import { formatNumber, plural, toIsoDay, toSpan } from "../text/format.ts";
import { renderPage, toScriptJson } from "./html.ts";
import { BASE_STYLE, type CardTable, cardsWithoutScript, toCardTable } from "./page-style.ts";
import { toMarkupText } from "../view/markup.ts";
import type { Calculation } from "../process/pause.ts";
import { buildProvenance, SOURCE_CARDS } from "./provenance.ts";
import { isOriginKind } from "../reduced/origin-kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { type PageData, packPage } from "../view/page-data.ts";
import { dataTable } from "../view/data-table.ts";
import { figureMarkup, legendMarkup, scrollBox } from "../view/parts-markup.ts";
import { listColumns, rankingTable, SPARK_STEPS } from "../view/ranking-table.ts";
import { CAMPAIGNS_COLUMNS, campaignsTable } from "../view/campaigns-markup.ts";
import { buildCampaignsView, CAMPAIGNS_SHOWN, type CampaignsData } from "../view/report-campaigns.ts";
import { buildChainRow, buildChainsView, type ChainsData, describeChains } from "../view/report-chains.ts";
import { buildDurationsView, type DurationsData } from "../view/report-durations.ts";
import { buildChangesView, toChangesData } from "../view/report-changes.ts";
import { calculateReportData, type ReportData } from "../view/report-data.ts";
import { type SectionData, SHOW_MOST } from "../view/section-keys.ts";
import { CHAINS_COLUMNS, CHAINS_SHOWN, chainsPicture, chainsTable, trailSheet } from "../view/report-markup.ts";
import type { ReportSessions } from "./report-sessions.ts";
import type { TableReach } from "../view/report-reach.ts";
import { MINUTE_DAYS } from "../view/report-minutes.ts";
import { buildTrail, sessionsOf, type TrailsData, type TrailView } from "../view/report-trails.ts";
import {
  buildHeatRows,
  buildLines,
  buildRow,
  buildScope,
  chooseSteps,
  describeCoverage,
  describePeak,
  describeShown,
  hasCourse,
  rankSection,
  type Scope,
  sensorName,
  stepUnit,
} from "../view/report-view.ts";
import { addKeys } from "../reduced/add-keys.ts";
import { SECTIONS } from "../view/report-sections.ts";
import type { TableView } from "../view/stats-tables.ts";
import type { Statistics } from "../statistics/statistics.ts";
import type { PageOptions } from "./stats-page.ts";
import { describeHidden, describeLegend } from "../view/step-graph-picture.ts";
import { buildFigures, describeHeadline } from "../view/report-figures.ts";
import { DENSE_ROWS, heatChart } from "../view/heat-chart.ts";
import { FOLD_ROWS, numbersFold } from "../view/numbers-table.ts";
import { describeOrder, heatStep, orderRows, unlikeOf } from "../view/report-watch.ts";

const SCRIPT = await bundleScript("report.js");
const PARTIALS = {
  head: headPartial,
  filters: filtersPartial,
  coverage: coveragePartial,
  section: sectionPartial,
  provenance: provenancePartial,
  patterns: patternsPartial,
  "report-campaigns": campaignsPartial,
  "report-chains": chainsPartial,
  "report-compare": comparePartial,
};
const STYLE = BASE_STYLE + purposeStyle + chainsStyle + campaignsStyle + historyStyle + firstStyle;

/** Width of charts as delivered; the script redraws them to the width there is. */
const CHART_WIDTH = 1040;
/** Sessions in a sheet that opens without a script. */
const SHEET_MOST = 3;
/** Sections whose rows show their sessions without a script too; more would make pages a third larger. */
const SHEETS_WITHOUT_SCRIPT: ReadonlySet<string> = new Set(["credentials", "commands", "connections"]);
/** Room one step takes at least, in pixels. */
const LINE_STEP = 1.6;

export interface ReportOptions extends PageOptions {
  /** Keys shown per section; 0 = all, up to {@link SHOW_MOST}, which the page says. */
  readonly topN: number;
  /** What changed; without it the page holds no tested changes. */
  readonly statistics?: Statistics;
  /** Chains and sessions, where event tables were at hand; without them the page shows nothing of either. */
  readonly sessions?: ReportSessions;
  /** Code of what stands for all sensors that are not drawn one by one, see `drawTable`. */
  readonly others?: number | undefined;
  /** Link to the page of what changed, where there is one. */
  readonly statsLink?: string;
}

/** A report of which everything is done that needs neither statistics nor sessions. */
export interface PreparedReport {
  readonly data: ReportData;
  render(more: Pick<ReportOptions, "statistics" | "sessions" | "episodes">): string;
}

/** What a report is made of, counted elsewhere. */
export interface CountedParts {
  readonly data: Calculation<ReportData>;
  readonly reach: TableReach;
}

/** How many keys a section shows. */
export function keysShown(topN: number): number {
  return topN === 0 ? SHOW_MOST : Math.min(topN, SHOW_MOST);
}

/**
 * Do all of the report that needs neither statistics nor sessions, in steps, so that they can be computed meanwhile; the
 * same table and options give the same bytes.
 *
 * @param table May be empty: the page then says so. Of one that lies elsewhere its sums, see `stored-report.ts`.
 * @param counted What was counted elsewhere of rows that lie there.
 */
export function* calculateReport(
  table: ReducedTable,
  options: Omit<ReportOptions, "statistics" | "sessions" | "episodes">,
  counted?: CountedParts,
): Calculation<PreparedReport> {
  const show = keysShown(options.topN);
  const own = counted === undefined ? calculateReportData(addKeys(table), { show, ...(options.others !== undefined && { others: options.others }) }) : counted.data;
  const data = { ...(yield* own), reach: counted?.reach ?? countReach(table) };
  const scope = buildScope(data, everything(data.grid), options);
  const { lastDays, thresholdPercent } = options;
  const hasDays = data.grid.days > 0;
  const sections: SectionView[] = [];
  const folds = findFolds(data);
  for (const section of data.sections) {
    const fold = folds.get(section.id);
    sections.push({ ...toSectionView(scope, section, show), fold: fold === undefined ? "" : describeFold(fold) });
    yield;
  }
  const view = {
    generatedBy: options.generatedBy,
    statsLink: options.statsLink,
    hasDays,
    filters: toFilterView(data),
    compare: hasDays ? toCompareView(data) : undefined,
    coverage: hasDays ? toCoverageView(scope) : undefined,
    provenance: toProvenance(table, data, options),
  };
  const render: PreparedReport["render"] = ({ statistics, sessions, episodes: found }) => {
    const { reach, minutes, leading, leaders = [], ...told }: Partial<ReportSessions> = sessions ?? {};
    const episodes = found && withPeaks(found, leaders, findPeaks(table));
    const history =
      episodes && hasDays
        ? { ...toHistoryData(episodes, data.grid, data.sensors), ...(statistics && { more: findMoreToTell(scope, statistics, carriedOf(episodes), leading) }) }
        : undefined;
    const timeline = history && toTimelineView(scope, history);
    // Of few days, told by their sessions, none is held against others.
    const isFew = told.stories !== undefined || data.grid.days <= MINUTE_DAYS;
    const changes = statistics && hasDays && (!isFew || statistics.changes.some(({ reported }) => reported)) ? toChangesData(statistics) : undefined;
    const known = {
      ...data,
      // Of cut counts no hour is known.
      ...(statistics !== undefined && data.unknown?.cut !== "all" && { watchedHours: toWatchedHours(statistics, data.grid) }),
      ...(reach && { sessionReach: reach }),
      ...(minutes && { minutes }),
    };
    const full = { ...scope, data: known };
    const figures = hasDays ? buildFigures(full) : [];
    const changesView = changes && buildChangesView(scope, changes);
    const more = {
      ...toHeadline(full, hasDays, options.limits),
      figures: figures.map(figure => ({ markup: toMarkupText(figureMarkup(figure)) })),
      first: hasDays ? toFirstView(full, history, told) : undefined,
      timeline: timeline?.hasRows ? { ...timeline, ...tableOf(timeline) } : undefined,
      changes: changesView && { ...changesView, ...tableOf(changesView) },
      sections: hintOnce(sections.map(section => withSessions(scope, section, sessions))),
      campaigns: sessions?.campaigns === undefined ? undefined : toCampaignsView(scope, sessions.campaigns, sessions.trails),
      hasTrails: sessions !== undefined && hasDays,
      dataJson: toScriptJson(toScriptData({ data: known, show, lastDays, thresholdPercent, ...told, ...(changes && { changes }), ...(history && { history }) })),
    };
    const style = STYLE + cardsWithoutScript(listTables(scope, sections, [changesView?.table, timeline?.table]));
    return renderPage(page, { ...view, ...more }, PARTIALS, { style, script: SCRIPT });
  };
  return { data, render };
}

/** A table that stands in a section as it is written there. */
function tableOf({ table }: { readonly table?: TableView | undefined }) {
  return { table: table && { markup: toMarkupText(dataTable(table)) } };
}

/** Hours watched by day and sensor; sensors stand in the same order as in the table. */
function toWatchedHours({ coverage, firstDay }: Statistics, grid: Grid): Cells {
  const at: number[] = [];
  const hours: number[] = [];
  for (let day = 0; day < grid.days; day++) {
    coverage.forEach(({ exposure }, sensor) => {
      const share = exposure[grid.firstDay + day - firstDay] ?? 0;
      if (share <= 0) return;
      at.push(day * grid.sensors + sensor);
      hours.push(Math.round(24 * share));
    });
  }
  return { at: Int32Array.from(at), count: Float64Array.from(hours) };
}

function toHeadline(scope: Scope, hasDays: boolean, limits: readonly string[] = []) {
  const { firstDay, days } = scope.data.grid;
  if (!hasDays)
    return { title: "Cowrie report: no events", heading: "No events", lede: "The inputs held no event.", limits: "" };
  const period = toSpan(toIsoDay(firstDay), toIsoDay(firstDay + days - 1));
  return {
    title: `Cowrie report, ${period}`,
    ...describeHeadline(scope),
    // What is missing is said before any number, whole where it is one thing.
    limits:
      limits.length > 1
        ? `. ${limits.length} things are missing, see Provenance.`
        : limits.map(text => `. ${text}`).join(""),
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

/** The choices of the form; everything in it is drawn by the script. */
function toCompareView(data: ReportData) {
  const sections = data.sections.map(({ id }) => ({ id, name: SECTIONS.find(section => section.id === id)!.name }));
  return { ...toFilterView(data), sections, sides: ["A", "B"].map(name => ({ side: name, name })) };
}

function toCoverageView(scope: Scope) {
  const steps = chooseSteps(scope, CHART_WIDTH / heatStep(scope));
  const { rows, apart } = orderRows(buildHeatRows(scope, steps), unlikeOf(scope));
  const label = describeCoverage(scope, "Events", steps, rows.length) + describeOrder(rows, apart);
  const isLarge = rows.length >= DENSE_ROWS;
  const days = chooseSteps(scope, FOLD_ROWS);
  const numbers = isLarge ? false : { markup: toMarkupText(numbersFold(days, buildHeatRows(scope, days), describeCoverage(scope, "Events", days, rows.length))) };
  return { numbers, svg: toMarkupText(heatChart(rows, steps, CHART_WIDTH, label, apart).svg), unit: label, fold: foldOfSensors(scope.data) };
}

/** All tables there may be; a sheet of sessions says itself what its few columns are. */
function listTables(scope: Scope, sections: readonly SectionView[], others: readonly (TableView | undefined)[]): CardTable[] {
  return [
    ...sections.map(({ id, ranking }) => ({
      selector: `:is(#${id}, #${id} > .fold) > .scroll`,
      names: listColumns(scope, ranking.data, ranking, () => undefined).map(({ name }) => name),
    })),
    { selector: ".chains-table", names: CHAINS_COLUMNS },
    { selector: ".campaigns-table", names: CAMPAIGNS_COLUMNS },
    ...others.filter(table => table !== undefined).map(toCardTable),
    SOURCE_CARDS,
  ];
}

function toCampaignsView(scope: Scope, data: CampaignsData, places: TrailsData) {
  const { rows, shown } = buildCampaignsView(scope, data);
  return { shown, markup: toMarkupText(campaignsTable(rows.slice(0, CAMPAIGNS_SHOWN), { data, places, hasScript: false })) };
}

type SectionView = ReturnType<typeof toSectionView> & { readonly fold: string };

function toSectionView(scope: Scope, data: SectionData, show: number) {
  const ranking = rankSection(scope, data);
  const { section } = ranking;
  const steps = chooseSteps(scope, CHART_WIDTH / LINE_STEP);
  const sparkSteps = chooseSteps(scope, SPARK_STEPS);
  const shown = ranking.order.slice(0, show);
  const lines = buildLines(scope, ranking, groupAlike(ranking, Math.min(show, SERIES_MOST)), steps);
  const unit = `${stepUnit(section, steps)}${hasLogScale(lines) ? LOGARITHMIC : ""}${describeAlike(lines)}`;
  const label = describePeak(`${section.name}: ${unit}`, steps, lines);
  return {
    id: section.id,
    ranking,
    name: section.name,
    heading: section.heading,
    lead: isOriginKind(section.kind) ? `${section.lead} Told by ${scope.data.originsBy}.` : section.lead,
    unit,
    shown: describeShown(ranking, shown, true),
    lacksCourse: !hasCourse(scope),
    svg: !hasCourse(scope) ? "" : toMarkupText(lineChart(lines, steps, CHART_WIDTH, label, { isCoarse: true }).svg),
    rows: shown.map((key, i) => buildRow(scope, ranking, key, i + 1, sparkSteps)),
  };
}

/** What leads to sessions is explained where it is met first. */
function hintOnce<View extends { readonly hasTrails?: boolean }>(sections: readonly View[]): (View & { readonly hasHint: boolean })[] {
  const first = sections.find(({ hasTrails }) => hasTrails);
  return sections.map(section => ({ ...section, hasHint: section === first }));
}

/** The section with what leads from its rows to sessions; chains stand behind the last section of commands. */
function withSessions(scope: Scope, section: SectionView, sessions: ReportSessions | undefined) {
  const isLastOfCommands =
    section.id === (scope.data.sections.some(({ id }) => id === "last-commands") ? "last-commands" : "commands");
  const chains = isLastOfCommands && sessions?.chains !== undefined ? toChainsView(scope, sessions.chains) : false;
  const lengths = section.id === "lengths" ? sessions?.durations : undefined;
  const durations = lengths === undefined ? false : toDurationsView(scope, lengths);
  const { ranking, rows } = section;
  const leads = rows.map(({ key }) => key).filter(key => sessionsOf(sessions?.trails, ranking.section.id, key).length > 0);
  // In the other sections a button waits for the script.
  const hasSheets = SHEETS_WITHOUT_SCRIPT.has(ranking.section.id);
  const sheetOf = (key: number) => `trail-${ranking.section.id}-${key}`;
  const columns = listColumns(scope, ranking.data, ranking, key =>
    !leads.includes(key) ? undefined : hasSheets ? { target: sheetOf(key) } : { needsScript: true },
  );
  const sheets =
    sessions === undefined || !hasSheets ? [] : leads.map(key => toSheet(sheetOf(key), buildTrail(scope, sessions.trails, ranking, key, SHEET_MOST)));
  const table = { markup: toMarkupText(scrollBox(`${section.name}, table`, rankingTable(columns, rows))) };
  return { ...section, chains, durations, sheets, table, hasTrails: leads.length > 0 };
}

/** The sessions of a row, which open without any script. */
function toSheet(id: string, trail: TrailView) {
  return { id, markup: toMarkupText(trailSheet(trail, `${id}-name`, false)) };
}

function toDurationsView(scope: Scope, data: DurationsData) {
  const { label, svg } = buildDurationsView(scope, data, CHART_WIDTH);
  return { label, svg: toMarkupText(svg) };
}

function toChainsView(scope: Scope, data: ChainsData) {
  const view = buildChainsView(scope, data);
  const rows = view.graph.chains.slice(0, CHAINS_SHOWN).map((chain, i) => buildChainRow(view, chain, i + 1));
  const hidden = describeHidden(view.thinned, view.threshold);
  return {
    steps: data.steps,
    shown: describeChains(view, scope.whole),
    hidden: hidden === "" ? "" : `${hidden}.`,
    legend: { markup: toMarkupText(legendMarkup(describeLegend(view.graph, view.thinned, data.purposes))) },
    svg: toMarkupText(chainsPicture(view, CHART_WIDTH)),
    markup: toMarkupText(chainsTable(rows)),
  };
}

function toProvenance(table: ReducedTable, data: ReportData, options: ReportOptions) {
  const limits: string[] = [...(options.limits ?? [])];
  if (options.topN > SHOW_MOST) limits.push(`${options.topN} keys per section were asked for; ${SHOW_MOST} are shown.`);
  if (data.eventsOutside > 0) {
    const drawn = `${toIsoDay(data.grid.firstDay)} to ${toIsoDay(data.grid.firstDay + data.grid.days - 1)}`;
    limits.push(
      `${plural(data.eventsOutside, "event")} lie too far from the rest to be drawn; the page shows ${drawn}.`,
    );
  }
  return buildProvenance(
    table,
    [
      { name: "Days, sensors", value: `${formatNumber(data.grid.days)}, ${formatNumber(options.allSensors ?? data.sensors.length)}` },
      { name: "Shown per section", value: options.topN === 0 ? `all, at most ${SHOW_MOST}` : `first ${options.topN}` },
      { name: "Compared", value: `last ${plural(options.lastDays, "day")}` },
      { name: "Threshold of change", value: `${options.thresholdPercent} %` },
      ...(options.generatedBy === undefined ? [] : [{ name: "Made by", value: options.generatedBy }]),
    ],
    limits,
  );
}

/** What the script needs, see `packPage`. */
function toScriptData(page: PageData) {
  const { lines, cells } = packPage(page);
  return { lines: pack(new TextEncoder().encode(lines)), cells: pack(cells) };
}

function pack(bytes: Uint8Array<ArrayBuffer>): string {
  return Bun.deflateSync(bytes, { level: 6 }).toBase64();
}
