/**
 * What the report shows of its data under a filter: the same on the server, where nothing is filtered yet, and in
 * the page. Texts come out ready to show; nothing here knows HTML.
 */
import { type DayRange, dayCount, perStep, stepDays } from "./axis.ts";
import { describeValue, type Line, type Steps, toSteps, weightOf } from "./chart.ts";
import { countCells, type Filter, forEachCell, isEverything, sumByDay, sumCells } from "./cells.ts";
import { formatInstant, formatNumber, formatShare, plural, toIsoDay } from "../text/format.ts";
import type { KeyValue } from "../reduced/kinds.ts";
import type { ShownColumn } from "../reduced/origin-kinds.ts";
import { quoteEdges, sensorLabel, toChange, toClock, toLongDay } from "../text/labels.ts";
import type { ReportData } from "./report-data.ts";
import type { SectionData } from "./section-keys.ts";
import { COLUMN_HEADINGS, NO_VALUE, type Section, SECTIONS } from "./report-sections.ts";
import type { LongText } from "../text/long-text.ts";
import { visible } from "../text/text.ts";
import { DAY_US } from "../text/time.ts";
import type { HeatRow } from "./heat-chart.ts";
import { clipEnd, clipMiddle } from "../text/cut.ts";

/** Sensors drawn in the coverage; the busiest when there are more. */
const COVERAGE_MOST = 200;
/** Changes of fewer events than this are shown, but not set apart. */
const FEW = 10;
/** Keys longer than this stand folded in tables, hashes and paths made of them sooner. */
const FOLD_CHARACTERS = 140;
const FOLD_SOONER: Readonly<Partial<Record<ShownColumn, number>>> = { shasum: 16, outfile: 28, filename: 40, url: 80 };
/** Keys up to this length stay on one line. */
const SHORT_CHARACTERS = 24;

/** Which days are held against which, and what to call them. */
export interface PeriodComparison {
  readonly now: Filter;
  readonly before: Filter;
  /** `last 7 days`, or `days shown` when the filter itself is the younger period. */
  readonly name: string;
  /** Sensor-days with logs in either. */
  readonly nowWatched: number;
  readonly beforeWatched: number;
}

/** Days and sensors of the page, with what follows from them for every chart. */
export interface Scope {
  readonly data: ReportData;
  readonly filter: Filter;
  readonly whole: boolean;
  /** `watched[day - first]` = chosen sensors with an event on that day. */
  readonly watched: Float64Array;
  readonly comparison?: PeriodComparison;
  /** Changes below this ratio are not set apart. */
  readonly threshold: number;
}

export interface ScopeOptions {
  /** Length of the younger period when the filter leaves none before it. */
  readonly lastDays: number;
  readonly thresholdPercent: number;
}

export function buildScope(data: ReportData, filter: Filter, options: ScopeOptions): Scope {
  const watched = new Float64Array(dayCount(filter.range));
  forEachCell(data.events, data.grid, filter, day => watched[day]!++);
  const comparison = chooseComparison(data, filter, options.lastDays);
  const whole = isEverything(data.grid, filter);
  const threshold = options.thresholdPercent / 100;
  return { data, filter, whole, watched, threshold, ...(comparison !== undefined && { comparison }) };
}

/** The days shown against as many before them; where the archive begins too late for that, its last days. */
function chooseComparison(data: ReportData, filter: Filter, lastDays: number): PeriodComparison | undefined {
  const { first, last } = filter.range;
  const days = dayCount(filter.range);
  const [length, name] =
    first - days >= data.grid.firstDay ? [days, "days shown"] : [lastDays, `last ${plural(lastDays, "day")}`];
  const now = { ...filter, range: { first: last - length + 1, last } };
  const before = { ...filter, range: { first: last - 2 * length + 1, last: last - length } };
  if (length < 1 || before.range.first < data.grid.firstDay) return undefined;
  const nowWatched = countCells(data.events, data.grid, now);
  const beforeWatched = countCells(data.events, data.grid, before);
  return nowWatched === 0 || beforeWatched === 0 ? undefined : { now, before, name, nowWatched, beforeWatched };
}

/** Change of the count per sensor-day with logs: a sensor that was added is no attack that grew. */
function rateChange(now: number, before: number, comparison: PeriodComparison): number {
  return now / comparison.nowWatched / (before / comparison.beforeWatched) - 1;
}

export interface ChangeView {
  readonly text: string;
  /** `more`, `less` or `same`: never by colour alone, the text carries a sign. */
  readonly tone: string;
  /** For sorting. */
  readonly ratio: number;
}

function toChangeView(
  now: number,
  before: number,
  comparison: PeriodComparison,
  threshold: number,
): ChangeView {
  if (before === 0) {
    if (now === 0) return { text: "–", tone: "same", ratio: 0 };
    return { text: "from none", tone: now >= FEW ? "more" : "same", ratio: Infinity };
  }
  if (now === 0) return { text: "to none", tone: before >= FEW ? "less" : "same", ratio: -1 };
  const change = rateChange(now, before, comparison);
  const isSmall = now + before < FEW || Math.abs(change) < Math.max(threshold, 0.0005);
  const tone = isSmall ? "same" : change > 0 ? "more" : "less";
  return { text: toChange(change), tone, ratio: change };
}

/** First and last day with an event of each sensor. */
export function sensorLives(data: ReportData): (DayRange | undefined)[] {
  const lives: (DayRange | undefined)[] = new Array<DayRange | undefined>(data.grid.sensors).fill(undefined);
  for (const cell of data.events.at) {
    const day = data.grid.firstDay + Math.floor(cell / data.grid.sensors);
    const sensor = cell % data.grid.sensors;
    lives[sensor] = { first: lives[sensor]?.first ?? day, last: day };
  }
  return lives;
}

/** A sensor's name, also where it has none. */
export function sensorName(data: ReportData, sensor: number): string {
  return sensorLabel(data.sensors[sensor] ?? "");
}

/** Events per sensor and day, means where a step is longer; null inside a sensor's life without an event, undefined outside of it. */
export function buildHeatRows(scope: Scope, steps: Steps, metric?: SectionData): HeatRow[] {
  const { data, filter } = scope;
  const { range } = filter;
  const lives = sensorLives(data);
  const values = lives.map(life =>
    Array.from({ length: steps.n }, (_, step): number | null | undefined => {
      const first = range.first + step * steps.days;
      return life === undefined || first > life.last || first + steps.days <= life.first ? undefined : null;
    }),
  );
  const watchedDays = lives.map(() => new Uint32Array(steps.n));
  const totals = new Float64Array(lives.length);
  const add = (day: number, sensor: number, count: number) => {
    const row = values[sensor]!;
    const step = Math.floor(day / steps.days);
    row[step] = (row[step] ?? 0) + count;
    totals[sensor]! += count;
  };
  forEachCell(data.events, data.grid, filter, (day, sensor, count) => {
    add(day, sensor, metric === undefined ? count : 0);
    watchedDays[sensor]![Math.floor(day / steps.days)]!++;
  });
  if (metric !== undefined) forEachCell(metric.all, data.grid, filter, add);
  const busiest = [...totals.keys()]
    .filter(sensor => filter.sensors[sensor] === 1)
    .sort((a, b) => totals[b]! - totals[a]! || a - b)
    .slice(0, COVERAGE_MOST);
  return busiest
    .sort((a, b) => a - b)
    .map(sensor => ({
      name: sensorName(data, sensor),
      total: totals[sensor]!,
      values: values[sensor]!.map((sum, step) => (sum == null ? sum : sum / Math.max(1, watchedDays[sensor]![step]!))),
    }));
}

/** What a chart of {@link buildHeatRows} shows, and of how many sensors when not of all. */
export function describeCoverage(scope: Scope, what: string, steps: Steps, rows: number): string {
  const chosen = scope.filter.sensors.reduce((sum, one) => sum + one, 0);
  const cut = rows < chosen ? `, the ${rows} busiest of ${formatNumber(chosen)} sensors` : "";
  return `${what} per sensor, ${perStep(steps.days)}${cut}`;
}

/** Means per watched day of each step; null where no chosen sensor had an event on any of its days. */
export function meanSteps(byDay: Float64Array, watched: Float64Array, steps: Steps): (number | null)[] {
  const values: (number | null)[] = new Array<number | null>(steps.n).fill(null);
  const days = new Uint32Array(steps.n);
  for (let day = 0; day < byDay.length; day++) {
    if (watched[day] === 0 && byDay[day] === 0) continue;
    const step = Math.floor(day / steps.days);
    values[step] = (values[step] ?? 0) + byDay[day]!;
    days[step]!++;
  }
  return steps.days === 1 ? values : values.map((value, step) => (value === null ? null : value / days[step]!));
}

/** Steps for a chart with room for `most` of them. */
export function chooseSteps(scope: Scope, most: number): Steps {
  return toSteps(scope.filter.range, stepDays(scope.filter.range, Math.max(1, Math.floor(most))));
}

/** A step in words: a day, or a run of days. */
export function stepLabel(steps: Steps, step: number): string {
  if (steps.days < 1) {
    const minute = Math.round((steps.range.first + step * steps.days) * 1440);
    return `${toLongDay(Math.floor(minute / 1440))}, ${toClock(minute)}`;
  }
  const first = steps.range.first + step * steps.days;
  const last = Math.min(first + steps.days - 1, steps.range.last);
  return first === last ? toLongDay(first) : `${toLongDay(first)} – ${toLongDay(last)}`;
}

/** A chart's label with its peak and, of single days, its total: what the eye takes from the picture at once. */
export function describePeak(label: string, steps: Steps, lines: readonly Line[]): string {
  const sums = Array.from({ length: steps.n }, (_, step) =>
    lines.reduce((sum, line) => sum + weightOf(line) * (line.values[step] ?? 0), 0),
  );
  const peak = sums.reduce((most, sum) => Math.max(most, sum), 0);
  if (peak === 0) return `${label}; nothing`;
  const total = steps.days !== 1 ? "" : `, ${formatNumber(sums.reduce((all, sum) => all + sum, 0))} in total`;
  return `${label}; peak ${describeValue(peak)}, ${stepLabel(steps, sums.indexOf(peak))}${total}`;
}

/** Fewer days than this that somebody watched make no line: the table has their counts. */
const COURSE_DAYS = 3;

export function hasCourse({ watched }: Scope): boolean {
  return watched.reduce((days, sensors) => days + Number(sensors > 0), 0) >= COURSE_DAYS;
}

export function stepUnit(section: Section, steps: Steps): string {
  return `${section.unit} ${perStep(steps.days)}`;
}

/** A section's keys ranked under the filter. */
export interface Ranking {
  readonly section: Section;
  readonly data: SectionData;
  /** Counts of all keys, carried or not. */
  readonly total: number;
  /** Carried keys with a count above 0, by count falling; ties as in the data. */
  readonly order: readonly number[];
  /** `counts[key]` of every carried key. */
  readonly counts: Float64Array;
  /** No key that the page does not carry has a count above this. */
  readonly bound: number;
}

const rankings = new WeakMap<Scope, Map<SectionData, Ranking>>();

/** Rank the keys of a section; once for a scope, as chart, table and sessions all ask for it. */
export function rankSection(scope: Scope, data: SectionData): Ranking {
  let known = rankings.get(scope);
  if (known === undefined) rankings.set(scope, (known = new Map()));
  let ranking = known.get(data);
  if (ranking === undefined) known.set(data, (ranking = rankKeys(scope, data)));
  return ranking;
}

function rankKeys(scope: Scope, data: SectionData): Ranking {
  const section = SECTIONS.find(candidate => candidate.id === data.id)!;
  const { grid } = scope.data;
  const counts = Float64Array.from(data.cells, cells => sumCells(cells, grid, scope.filter));
  const total = sumCells(data.all, grid, scope.filter);
  const order = [...counts.keys()].filter(key => counts[key]! > 0).sort((a, b) => counts[b]! - counts[a]! || a - b);
  const rest = total - counts.reduce((sum, count) => sum + count, 0);
  // A key's count is at most what it can have in each cell, at most all that is left, at most its whole count.
  const most = data.leftOutMost === undefined ? Infinity : sumCells(data.leftOutMost, grid, scope.filter);
  return { section, data, total, order, counts, bound: Math.min(data.leftOutLargest, rest, most) };
}

/** One column of a key: a value, or the word for having none. */
export interface PartView extends LongText {
  /** There is no value; the text is ours. */
  readonly isNone: boolean;
  /** Which of several addresses it is, where no heading of a column says so. */
  readonly role?: string;
  /** For the style: the column, and whether the text stays on one line. */
  readonly className: string;
}

/** A moment as its day and, where it is known, its time of day, which narrow pages leave out. */
export interface MomentView {
  readonly day: string;
  readonly clock: string;
}

function toMoment(us: number, isExact: boolean): MomentView {
  const [day, clock] = formatInstant(us).split(" ") as [string, string];
  return { day, clock: isExact ? clock : "" };
}

export type RowView = ReturnType<typeof buildRow>;

export function buildRow(scope: Scope, ranking: Ranking, key: number, rank: number, steps: Steps) {
  const { data: section } = ranking;
  const { grid } = scope.data;
  const cells = section.cells[key]!;
  const count = ranking.counts[key]!;
  const byDay = new Float64Array(dayCount(scope.filter.range));
  const sensors = new Uint8Array(grid.sensors);
  let firstDay = -1;
  let lastDay = -1;
  forEachCell(cells, grid, scope.filter, (day, sensor, n) => {
    byDay[day]! += n;
    sensors[sensor] = 1;
    if (firstDay === -1) firstDay = day;
    lastDay = day;
  });
  const success = section.success === undefined ? 0 : sumCells(section.success[key]!, grid, scope.filter);
  const verdict = section.verdicts?.[key];
  const comparison = scope.comparison;
  const now = comparison === undefined ? 0 : sumCells(cells, grid, comparison.now);
  const before = comparison === undefined ? 0 : sumCells(cells, grid, comparison.before);
  // Under a filter the page knows days; the instants belong to the whole range.
  const first = scope.whole ? section.firstSeenUs[key]! : (scope.filter.range.first + firstDay) * DAY_US;
  const last = scope.whole ? section.lastSeenUs[key]! : (scope.filter.range.first + lastDay) * DAY_US;
  // Cut counts know days only.
  const isExact = scope.whole && scope.data.unknown?.cut !== "all";
  const seenOn = sensors.reduce((sum, seen) => sum + seen, 0);
  const chosen = scope.filter.sensors.reduce((sum, one) => sum + one, 0);
  return {
    key,
    rank,
    parts: toParts(ranking.section.columns, section.keys[key]!),
    values: meanSteps(byDay, scope.watched, steps),
    count,
    countText: formatNumber(count),
    shareText: formatShare(count / ranking.total),
    success,
    successText: toSuccessText(success, count, scope.data.unknown?.success),
    verdict: verdict == null ? "no verdict" : `${verdict[0]} of ${verdict[1]}`,
    verdictTone: verdict == null ? "none" : verdict[0] > 0 ? "bad" : "good",
    /** Where the source address comes from; empty where nobody knows. */
    origin: visible(section.origins?.[key] ?? ""),
    now,
    change:
      comparison === undefined
        ? { text: "–", tone: "same", ratio: 0 }
        : toChangeView(now, before, comparison, scope.threshold),
    first,
    firstSeen: toMoment(first, isExact),
    last,
    lastSeen: toMoment(last, isExact),
    sensors: seenOn,
    sensorsText: `${seenOn}/${chosen}`,
    /** A key that the page does not carry may rank above. */
    isUncertain: count < ranking.bound,
  };
}

function toSuccessText(success: number, count: number, unknown: "some" | "all" | undefined): string {
  if (unknown === "all" || (unknown === "some" && success === 0)) return "not known";
  return success === 0 ? "0" : `${unknown === undefined ? "" : "≥ "}${formatShare(success / count)}`;
}

const FORWARD_ROLES: Readonly<Partial<Record<ShownColumn, string>>> = { src_ip: "from", dst_ip: "to", dst_port: "port" };

/** A key as its columns are shown; texts as long as a page carries them. */
export function toParts(columns: readonly ShownColumn[], key: readonly KeyValue[]): PartView[] {
  return columns.map((column, i) => {
    const value = key[i] ?? null;
    const isNone = value === null || value === "";
    const text = isNone ? noneText(column, value) : valueText(column, value);
    const most = FOLD_SOONER[column] ?? FOLD_CHARACTERS;
    const isLong = text.length > most;
    const head = !isLong ? text : column === "outfile" ? clipMiddle(text, most) : clipEnd(text, most);
    const className = `key key-${column}${head.length <= SHORT_CHARACTERS ? " short" : ""}`;
    const role = columns.includes("dst_ip") ? FORWARD_ROLES[column] : undefined;
    return { text, isNone, isLong, head, className, ...(role !== undefined && { role }) };
  });
}

function noneText(column: ShownColumn, value: KeyValue): string {
  return value === null ? (NO_VALUE[column] ?? "none") : "empty";
}

function valueText(column: ShownColumn, value: KeyValue): string {
  if (column === "planted") return value === 1 ? "planted" : "offered";
  if (column === "robot") return value === 1 ? "short" : "long";
  return quoteEdges(visible(String(value)));
}

/** A key in one line, for a chart's label. */
export function keyName(section: Section, key: readonly KeyValue[]): string {
  const texts = toParts(section.columns, key).map(part => (part.isNone ? `‹${part.text}›` : part.text));
  if (section.id === "credentials") return texts.join(" : ");
  // The same URL serves different files in time: the beginning of the hash tells them apart.
  if (section.id === "downloads") return `${texts[2]!.slice(0, 8)} ${texts[0]!}`;
  // The same key is planted and offered.
  if (section.id === "keys") return `${texts[1]!} ${texts[0]!.replace(/^SHA256:/, "")}`;
  if (section.id === "uploads") return `${texts[1]!.slice(0, 8)} ${texts[0]!}`;
  return texts.join("  ");
}

/** Keys as lines of a chart, a line for each group of those that are alike. */
export function buildLines(scope: Scope, ranking: Ranking, groups: readonly (readonly number[])[], steps: Steps): Line[] {
  return groups.map(keys => {
    const [name, ...alike] = keys.map(key => keyName(ranking.section, ranking.data.keys[key]!));
    const byDay = sumByDay(ranking.data.cells[keys[0]!]!, scope.data.grid, scope.filter);
    return { name: name!, ...(alike.length > 0 && { alike }), values: meanSteps(byDay, scope.watched, steps) };
  });
}

/** Lines with all that each stands for added up, as what is stacked shows them. */
export function sumAlike(lines: readonly Line[]): Line[] {
  return lines.map(line => ({ ...line, values: line.values.map(value => (value === null ? null : value * weightOf(line))) }));
}

/** What the given lines leave of the section's total, step by step. */
export function buildRest(scope: Scope, ranking: Ranking, lines: readonly Line[], steps: Steps): (number | null)[] {
  const all = meanSteps(sumByDay(ranking.data.all, scope.data.grid, scope.filter), scope.watched, steps);
  return all.map((value, step) => {
    if (value === null) return null;
    const rest = value - lines.reduce((sum, line) => sum + weightOf(line) * (line.values[step] ?? 0), 0);
    // Means do not subtract to exactly nothing.
    return rest < 1e-6 ? 0 : rest;
  });
}

export function columnNames(section: Section): string[] {
  return section.columns.map(column => COLUMN_HEADINGS[column]);
}

/**
 * How much of a section is to be seen: "first 5 of 5,312: 61.2 % of 1,234 login attempts".
 *
 * @param found How many rows a search found; undefined where nothing is searched.
 */
export function describeShown(ranking: Ranking, shown: readonly number[], whole: boolean, found?: number): string {
  if (ranking.total === 0) return `No ${ranking.section.unit} in this selection.`;
  const count = shown.reduce((sum, key) => sum + ranking.counts[key]!, 0);
  // Every unit is a plain plural.
  const total = plural(ranking.total, ranking.section.unit.slice(0, -1), ranking.section.unit);
  const share = `${formatShare(count / ranking.total)} of ${total}`;
  const { distinct, keys } = ranking.data;
  const n = formatNumber(shown.length);
  if (found !== undefined) {
    const searched = keys.length === distinct ? "" : `, of ${formatNumber(keys.length)} that the page carries`;
    if (found === 0) return `None found${searched}.`;
    const some = found === shown.length ? `${n} found` : `First ${n} of ${formatNumber(found)} found`;
    return `${some}${searched}: ${share}.`;
  }
  // Under a filter it is known how many there are where the page carries them all.
  const all = whole ? distinct : keys.length === distinct ? ranking.order.length : undefined;
  if (all === 1) return `The only one: ${total}.`;
  if (shown.length === all) return `All ${n}: ${share}.`;
  return `First ${n}${all === undefined ? "" : ` of ${formatNumber(all)}`}: ${share}.`;
}

/** What a filter leaves unknown, in words; undefined when nothing. */
export function describeUncertainty(ranking: Ranking, shown: readonly number[]): string | undefined {
  const weakest = shown.reduce((least, key) => Math.min(least, ranking.counts[key]!), Infinity);
  if (ranking.bound <= weakest || ranking.bound === 0) return undefined;
  return (
    `The page carries ${formatNumber(ranking.data.keys.length)} of ${formatNumber(ranking.data.distinct)} keys. ` +
    `Others may hold up to ${formatNumber(ranking.bound)} here: rows marked ≈ may rank lower than shown.`
  );
}

export function describeFilter(scope: Scope): string {
  const { range, sensors } = scope.filter;
  const chosen = sensors.reduce((sum, one) => sum + one, 0);
  const all = scope.data.grid.sensors;
  const days = `${toIsoDay(range.first)} to ${toIsoDay(range.last)} (${plural(dayCount(range), "day")})`;
  return `${days}, ${chosen === all ? `all ${plural(all, "sensor")}` : `${chosen} of ${plural(all, "sensor")}`}`;
}
