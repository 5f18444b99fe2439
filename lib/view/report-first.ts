/**
 * The first screen of a report: the verdict, activity by kind, how far they came, what they did, and who. Under a filter
 * as in whole; the same on the server and in the page.
 *
 * Tested in `test/lib/view/report-first.test.ts`.
 */
import { groupAlike, joinAlike } from "./alike.ts";
import { formatNumber, formatShare, plural } from "../text/format.ts";
import { clipEnd } from "../text/cut.ts";
import { toDayLabel, toShort } from "../text/labels.ts";
import { PURPOSES } from "../text/purpose-names.ts";
import { visible } from "../text/text.ts";
import { dayCount, perStep } from "./axis.ts";
import { type Cells, type Grid, sumByDay, sumCells } from "./cells.ts";
import { type Line, sparkline, type Steps } from "./chart.ts";
import { countDistinctValues, distinctFigure, distinctText } from "./distinct-values.ts";
import { element, type Markup } from "./markup.ts";
import { type ChainsData, toRunFilter } from "./report-chains.ts";
import type { SectionData } from "./section-keys.ts";
import { minuteLines, minuteSteps } from "./report-minutes.ts";
import { countConnecting, countTrying } from "./report-reach.ts";
import { chooseSteps, meanSteps, rankSection, type Scope } from "./report-view.ts";

/** Days of so many times the middle one are peaks; more than the most are none. */
const PEAK_TIMES = 2.5;
const PEAKS_MOST = 5;
const PEAK_DAYS = 7;
/** Rows of a list on the first screen. */
const LIST_MOST = 5;
const SPARK_STEPS = 60;

const sectionOf = ({ data }: Scope, id: string): SectionData | undefined => data.sections.find(section => section.id === id);

/** What there was, in one sentence; undefined where nothing was logged. */
export function describePeriod(scope: Scope): string {
  const parts = [describeCounts(scope), describePeaks(scope), describeUnwatched(scope)].filter(part => part !== undefined);
  return `${parts.join("; ")}.`;
}

/** Which share of logins was let in, 0..1; a share of some that rounds to nothing is not none. */
export function acceptedText(share: number, unknown: Scope["data"]["unknown"]): string {
  return share === 0 && unknown?.success === undefined ? "none accepted" : `${formatShare(share)} accepted`;
}

function describeCounts(scope: Scope): string {
  const { data, filter } = scope;
  const sum = (cells: Cells) => sumCells(cells, data.grid, filter);
  const cut = data.unknown?.cut === undefined ? "" : "at least ";
  const all = countDistinctValues(data.distinct.addresses, data.grid, filter);
  const addresses = distinctText(all, "address", "addresses");
  const logins = sectionOf(scope, "credentials");
  const count = logins === undefined ? 0 : sum(logins.all);
  if (logins !== undefined && count > 0) {
    const accepted = data.unknown?.success === "all" ? "" : `, ${acceptedText(sum(logins.allSuccess!) / count, data.unknown)}`;
    const tried = countTrying(scope);
    // Not all that connect try to log in.
    if (tried === undefined) return `${cut}${plural(count, "login")}${accepted}; ${addresses}`;
    const isAll = tried.low === tried.high && all.low === all.high && tried.value === all.value;
    return `${cut}${plural(count, "login")} from ${isAll ? "" : `${distinctFigure(tried)} of `}${addresses}${accepted}`;
  }
  const connections = sectionOf(scope, "connections") ?? sectionOf(scope, "lengths");
  const sessions = connections === undefined ? 0 : sum(connections.all);
  if (sessions > 0) return `${cut}${plural(sessions, connections!.id === "connections" ? "connection" : "session")} from ${addresses}, no login`;
  return plural(sum(data.events), "event");
}

/** Days that stand far above the middle one, by what is logged of attackers' doing. */
function describePeaks(scope: Scope): string | undefined {
  const { data, filter, watched } = scope;
  const days = [...watched.keys()].filter(day => watched[day]! > 0);
  if (days.length < PEAK_DAYS) return undefined;
  const totals = new Float64Array(watched.length);
  for (const id of ["credentials", "commands", "proxy"]) {
    const section = sectionOf(scope, id);
    if (section !== undefined) sumByDay(section.all, data.grid, filter).forEach((count, day) => (totals[day]! += count));
  }
  const sorted = days.map(day => totals[day]!).sort((a, b) => a - b);
  const middle = sorted[sorted.length >> 1]!;
  const peaks = days.filter(day => middle > 0 && totals[day]! >= PEAK_TIMES * middle);
  if (peaks.length === 0 || peaks.length > PEAKS_MOST) return undefined;
  const names = peaks.map(day => toDayLabel(filter.range.first + day));
  return peaks.length === 1 ? `${names[0]!} was the peak` : `${formatNumber(peaks.length)} days made the peaks`;
}

function describeUnwatched({ watched }: Scope): string | undefined {
  const silent = watched.reduce((sum, sensors) => sum + Number(sensors === 0), 0);
  return silent === 0 ? undefined : `${formatNumber(silent)} of ${plural(watched.length, "day")} without a watch`;
}

/** What is drawn of activity, in this order; of these only what the report has. */
const ACTIVITIES = [
  { id: "credentials", name: "logins" },
  { id: "credentials", name: "accepted", isSuccess: true },
  { id: "commands", name: "commands" },
  { id: "downloads", name: "downloads" },
  { id: "proxy", name: "proxy requests" },
] as const;

/** Days that are shown by hours, at most. */
const HOURLY_DAYS = 3;

/** Steps of the small multiples with room for so many: minutes or hours where few days are shown and the page knows them. */
export function activitySteps(scope: Scope, most: number): Steps {
  const { range } = scope.filter;
  const hours = 24 * dayCount(range);
  const minutes = dayCount(range) > HOURLY_DAYS ? undefined : minuteSteps(scope, most);
  if (minutes !== undefined) return minutes;
  if (scope.data.hours === undefined || dayCount(range) > HOURLY_DAYS || hours > most) return chooseSteps(scope, most);
  return { range, days: 1 / 24, n: hours };
}

/** Activity by hours; rows without anything are left out. */
function hourLines({ data: { hours, grid }, filter, watched }: Scope): Line[] {
  const hourly: Grid = { firstDay: grid.firstDay * 24, days: grid.days * 24, sensors: grid.sensors };
  const range = { first: filter.range.first * 24, last: filter.range.last * 24 + 23 };
  return Object.entries(hours!).flatMap(([name, cells], style): Line[] => {
    const values = sumByDay(cells, hourly, { range, sensors: filter.sensors });
    return values.every(count => count === 0) ? [] : [{ name, style, values: Array.from(values, (count, hour) => (watched[Math.floor(hour / 24)] === 0 ? null : count)) }];
  });
}

/** The rows of the small multiples; all events where there is none of what is asked for. */
export function activityLines(scope: Scope, steps: Steps): Line[] {
  const { data, filter, watched } = scope;
  if (steps.days < 1) {
    const lines = data.minutes === undefined ? hourLines(scope) : minuteLines(scope, steps);
    if (lines.length > 0) return joinAlike(lines);
  }
  const toLine = (name: string, cells: Cells, style: number): Line => ({
    name,
    style,
    values: meanSteps(sumByDay(cells, data.grid, filter), watched, steps),
  });
  const lines = ACTIVITIES.flatMap(({ id, name, ...activity }, style) => {
    const section = sectionOf(scope, id);
    const isSuccess = "isSuccess" in activity;
    if (section === undefined || (isSuccess && data.unknown?.success === "all")) return [];
    return toLine(name, isSuccess ? section.allSuccess! : section.all, style);
  });
  return lines.length === 0 ? [toLine("events", data.events, 0)] : joinAlike(lines);
}

export function activityLabel(steps: Steps): string {
  return `Activity ${perStep(steps.days)}, each on its own scale`;
}

/** Six digits are read beside others; more are not. */
function toFigure(count: number): string {
  return count < 1e6 ? formatNumber(count) : toShort(count);
}

/** Fewer days make no line. */
const SPARK_DAYS = 5;

/** A line of a list on the first screen. */
export interface FirstRow {
  readonly text: string;
  /** Ours, behind the text. */
  readonly more: string;
  readonly count: number;
  readonly share: number;
  /** Distinct ones, told in place of the share. */
  readonly addresses?: number;
  readonly values: readonly (number | null)[];
  readonly from: number;
  readonly to: number;
}

/** The addresses with most connections, and what all others make. */
export function buildWho(scope: Scope): { rows: FirstRow[]; rest: string } {
  const section = sectionOf(scope, "connections") ?? sectionOf(scope, "sessions");
  if (section === undefined) return { rows: [], rest: "" };
  const ranking = rankSection(scope, section);
  const byAddress = new Map<string, number[]>();
  for (const key of ranking.order) {
    const address = section.keys[key]![0];
    if (typeof address === "string") byAddress.set(address, [...(byAddress.get(address) ?? []), key]);
  }
  const sorted = [...byAddress]
    .map(([address, keys]) => ({ address, keys, count: keys.reduce((sum, key) => sum + ranking.counts[key]!, 0) }))
    .sort((a, b) => b.count - a.count)
    .slice(0, LIST_MOST);
  const rows = sorted.map(({ address, keys, count }) =>
    toFirstRow(scope, visible(address), "", count, count / ranking.total, keys.map(key => section.cells[key]!)),
  );
  const left = ranking.total - rows.reduce((sum, { count }) => sum + count, 0);
  const connecting = section.id === "connections" ? countConnecting(scope) : undefined;
  const all = connecting ?? countDistinctValues(scope.data.distinct.addresses, scope.data.grid, scope.filter);
  const others = all.low === all.high ? `${plural(Math.max(0, all.value - rows.length), "other address", "other addresses")}` : "all others";
  return { rows, rest: left > 0 ? `${others}: ${formatShare(left / ranking.total)}` : "" };
}

/** What they did most often: chains of commands where the page has them, else commands; those of one script are one. */
export function buildBehaviours(scope: Scope, chains: ChainsData | undefined): { rows: FirstRow[]; rest: string } {
  return chains === undefined ? behavioursOfCommands(scope) : behavioursOfChains(scope, chains);
}

function behavioursOfChains(scope: Scope, data: ChainsData): { rows: FirstRow[]; rest: string } {
  const { runs, filter } = toRunFilter(scope, data.runDays);
  const counts = data.cells.map(cells => sumCells(cells, runs, filter));
  const total = counts.reduce((sum, count) => sum + count, 0) + sumCells(data.rest, runs, filter);
  const order = [...counts.keys()].filter(chain => counts[chain]! > 0).sort((a, b) => counts[b]! - counts[a]! || a - b);
  const rows = order.slice(0, LIST_MOST).map(chain => {
    const { commands, isCut, addresses } = data.chains[chain]!;
    const lead = leadOf(commands, data);
    const others = commands.length - 1;
    const more = others < 1 ? "" : `+ ${plural(others, "command")}${isCut ? " or more" : ""}`;
    const text = clipEnd(visible(data.commands[commands[lead]!] ?? ""), 70);
    const row = toFirstRow(scope, text, more, counts[chain]!, counts[chain]! / total, [data.cells[chain]!], data.runDays);
    return scope.whole ? { ...row, addresses } : row;
  });
  // Of a part of the days it is known how many of the carried chains there are, and not how many of the others.
  const isAll = sumCells(data.rest, runs, filter) === 0;
  const others = scope.whole ? data.distinct - rows.length : isAll ? order.length - rows.length : 0;
  return { rows, rest: describeRest(others, total, rows, "chain") };
}

/** Place of the command by which a chain is known: of those whose purpose weighs most the longest, as many begin alike. */
function leadOf(chain: readonly number[], { commands, purposes }: ChainsData): number {
  const weightOf = (code: number) => PURPOSES.findIndex(({ id }) => id === purposes[code]);
  const lengthOf = (place: number) => commands[chain[place]!]!.length;
  const most = Math.min(...chain.map(weightOf));
  return chain.reduce((lead, code, place) => (weightOf(code) === most && (lead < 0 || lengthOf(place) > lengthOf(lead)) ? place : lead), -1);
}

function behavioursOfCommands(scope: Scope): { rows: FirstRow[]; rest: string } {
  const section = sectionOf(scope, "commands");
  if (section === undefined) return { rows: [], rest: "" };
  const ranking = rankSection(scope, section);
  const scripts = groupAlike(ranking, Infinity);
  const rows = scripts.slice(0, LIST_MOST).map(keys => {
    const [key] = keys;
    const more = keys.length === 1 ? "" : `one script, ${plural(keys.length, "command")}`;
    const count = keys.reduce((sum, one) => sum + ranking.counts[one]!, 0);
    return toFirstRow(scope, clipEnd(visible(String(section.keys[key!]![0] ?? "")), 70), more, count, count / ranking.total, [section.cells[key!]!]);
  });
  return { rows, rest: describeRest(scripts.length - rows.length, ranking.total, rows, "other") };
}

function describeRest(left: number, total: number, rows: readonly FirstRow[], word: string): string {
  const rest = total - rows.reduce((sum, { count }) => sum + count, 0);
  if (rest <= 0) return "";
  const others = left > 0 ? plural(left, `other ${word === "other" ? "" : word}`.trim()) : "others";
  return `${word === "other" ? "all others" : others}: ${formatShare(rest / total)}`;
}

/** @param runDays The cells are numbered by runs of so many days. */
function toFirstRow(scope: Scope, text: string, more: string, count: number, share: number, cells: readonly Cells[], runDays = 1): FirstRow {
  const { range } = scope.filter;
  const days = new Float64Array(dayCount(range));
  const isRuns = runDays > 1;
  const { runs: grid, filter } = isRuns ? toRunFilter(scope, runDays) : { runs: scope.data.grid, filter: scope.filter };
  const lastDay = scope.data.grid.firstDay + scope.data.grid.days - 1;
  for (const list of cells) {
    sumByDay(list, grid, filter).forEach((n, at) => {
      // Runs are counted from the last day backwards; each is drawn at its first.
      const day = isRuns ? lastDay - (grid.days - (at + filter.range.first)) * runDays + 1 - range.first : at;
      const place = Math.min(days.length - 1, Math.max(0, day));
      days[place]! += n;
    });
  }
  const seen = [...days.keys()].filter(day => days[day]! > 0);
  const steps = chooseSteps(scope, SPARK_STEPS);
  return {
    text,
    more,
    count,
    share,
    values: meanSteps(days, isRuns ? days : scope.watched, steps),
    from: range.first + (seen[0] ?? 0),
    to: range.first + (seen.at(-1) ?? 0),
  };
}

function daysText(from: number, to: number): string {
  return from === to ? toDayLabel(from) : `${toDayLabel(from)} to ${toDayLabel(to)}`;
}

export function firstListMarkup({ rows, rest }: { rows: readonly FirstRow[]; rest: string }, unit: string): Markup {
  const hasAddresses = rows.some(({ addresses }) => addresses !== undefined);
  const body = rows.map(({ text, more, count, share, addresses, values, from, to }) =>
    element(
      "tr",
      {},
      element("td", { class: "who" }, element("code", {}, text), ...(more === "" ? [] : [element("span", { class: "what" }, ` ${more}`)])),
      element("td", { class: "number", title: formatShare(share) }, toFigure(count)),
      element("td", { class: "number" }, addresses === undefined ? formatShare(share) : toFigure(addresses)),
      ...(values.length < 2
        ? []
        : values.length < SPARK_DAYS
          ? [element("td", { class: "days" }, daysText(from, to))]
          : [element("td", { class: "strip", title: daysText(from, to) }, sparkline(values, 84, 18))]),
    ),
  );
  const head = hasAddresses
    ? [element("thead", {}, element("tr", {}, element("td"), element("th", { scope: "col", class: "number" }, unit), element("th", { scope: "col", class: "number" }, "addresses"), element("td", { class: "strip" })))]
    : [];
  const foot = rest === "" ? [] : [element("tr", { class: "rest" }, element("td", { colspan: rows.some(({ values }) => values.length > 1) ? 4 : 3 }, rest))];
  if (rows.length === 0) return element("p", { class: "none" }, `No ${unit} in this selection.`);
  return element("table", { class: "first-list" }, ...head, element("tbody", {}, ...body, ...foot));
}
