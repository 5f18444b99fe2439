/**
 * What happened when, in a page: what it carries of the episodes, which of them a filter leaves, and how they are drawn.
 * The same on the server and in the page.
 *
 * Tested in `test/lib/pages/history-section.test.ts`.
 */
import { describeEpisode, nameOf, type SentencePart } from "../history/episode-words.ts";
import type { Episode, EpisodeShape } from "../history/episodes.ts";
import { basisOf, newestFirst } from "../history/history-output.ts";
import { formatNumber, plural, toIsoDay, toSpan } from "../text/format.ts";
import { clipEnd } from "../text/cut.ts";
import { type DayRange, dayCount } from "./axis.ts";
import type { Filter, Grid } from "./cells.ts";
import { CHARACTER_WIDTH, type Chart, dayAxis, frame, type Plot, sparkline, toSteps } from "./chart.ts";
import { element, type Markup } from "./markup.ts";
import type { DayMark } from "./multiples-chart.ts";
import { round1 } from "./scale.ts";
import { type TableView, textCell, toTable } from "./stats-tables.ts";

/** Episodes that a page carries of attackers, and of sensors; sentences on its first screen. */
const CARRY_MOST = 40;
const CARRY_OF_SENSORS = 20;
const SENTENCES_MOST = 5;
const SENTENCES_LEAST = 3;
/** Of the score of the first: what has less is told on the first screen only where there is nothing else. */
const LEAST_SCORE = 0.15;
/** Steps of the small line beside a sentence, at most. */
const SPARK_STEPS = 60;
/** Lanes of the timeline before it says how many more there are. */
const LANES_MOST = 24;
const LANE_HEIGHT = 20;
const LABEL_MOST = 46;
const LABEL_GAP = 8;

export interface HistoryRow {
  /** Of an episode; or a change that was tested against the days before, what was seen for the first time, a campaign. */
  readonly shape: EpisodeShape | "change" | "firsts" | "campaign";
  /** Days since 1970-01-01 UTC, both included. */
  readonly first: number;
  readonly last: number;
  readonly begins: boolean;
  readonly ends: boolean;
  /** `sensors`: what happened to these themselves. */
  readonly basis: "tested" | "counted" | "sensors";
  /** Codes. */
  readonly sensors: readonly number[];
  /** Ours and values by turns, ours first. */
  readonly sentence: readonly string[];
  /** In a word or two, for a lane; ours and a value. */
  readonly name: readonly [string, string];
  /** By which it is ranked; 0 of the sensors. */
  readonly score: number;
  /** Events of what leads it by steps of the whole archive, null where nobody watched. */
  readonly perStep: readonly (number | null)[];
  /** One address made more than half of what was done on a peak day. */
  readonly holdsPeak?: true;
  /** Of a change: the rows of the page that say it as well, by their places. */
  readonly saidBy?: readonly number[];
}

export interface HistoryData {
  /** By score falling, of the sensors behind all others; of how many. */
  readonly rows: readonly HistoryRow[];
  readonly found: number;
  /** What else is worth a sentence, most remarkable first: changes, then what was new. */
  readonly more?: readonly HistoryRow[];
}

/** Choose what a page carries. */
export function toHistoryData(episodes: readonly Episode[], grid: Grid, sensors: readonly string[]): HistoryData {
  return { rows: carriedOf(episodes).map(episode => toRow(episode, grid, sensors)), found: episodes.length };
}

/** The episodes that a page carries, in the order of its rows. */
export function carriedOf(episodes: readonly Episode[]): Episode[] {
  const ofAttackers = episodes.filter(({ watch }) => watch === undefined).slice(0, CARRY_MOST);
  const ofSensors = newestFirst(episodes.filter(({ watch }) => watch !== undefined))
    .sort((a, b) => weightOf(b) - weightOf(a))
    .slice(0, CARRY_OF_SENSORS);
  return [...ofAttackers, ...ofSensors];
}

/** What happened to sensors by how much it matters: who is silent now, hours that nobody watched, all else. */
function weightOf({ shape, watch }: Episode): number {
  return shape === "silent" ? Infinity : watch!.hours;
}

function toRow(episode: Episode, grid: Grid, sensors: readonly string[]): HistoryRow {
  const { shape, first, last, begins, ends, watch, peaks } = episode;
  return {
    shape,
    first,
    last,
    begins,
    ends,
    basis: watch === undefined ? basisOf(episode) : "sensors",
    sensors: episode.sensors.map(name => sensors.indexOf(name)).filter(code => code >= 0),
    sentence: toSentence(describeEpisode(episode)),
    name: nameOf(episode),
    score: Math.round(episode.score),
    perStep: toPerStep(episode.perDay, grid),
    ...(peaks !== undefined && { holdsPeak: true as const }),
  };
}

/** Ours and values by turns, ours first. */
export function toSentence(parts: readonly SentencePart[]): string[] {
  const sentence: string[] = [];
  for (const { text, isValue } of parts) {
    const isOdd = sentence.length % 2 === 1;
    if (isOdd && !isValue) sentence[sentence.length - 1] += text;
    else sentence.push(...(isOdd || !isValue ? [] : [""]), text);
  }
  return sentence;
}

/** Mean events a day of each step of the page's days. */
export function toPerStep(perDay: Episode["perDay"], { firstDay, days }: Grid): (number | null)[] {
  if (perDay === undefined) return [];
  const step = Math.ceil(days / SPARK_STEPS);
  return Array.from({ length: Math.ceil(days / step) }, (_, i) => {
    const own = perDay.counts.slice(Math.max(0, firstDay + i * step - perDay.firstDay), firstDay + (i + 1) * step - perDay.firstDay);
    const known = own.filter(count => count !== null);
    return known.length === 0 ? null : Math.round(known.reduce((sum, count) => sum + count, 0) / known.length);
  });
}

/** The rows that touch the days chosen, on a sensor chosen. */
export function rowsWithin({ rows }: HistoryData, { range, sensors }: Filter): HistoryRow[] {
  return rows.filter(
    ({ first, last, sensors: own }) =>
      first <= range.last && last >= range.first && (own.length === 0 || own.some(code => sensors[code] === 1)),
  );
}

/**
 * The sentences of the first screen, most remarkable first: of attackers' episodes the strongest, a sensor that is
 * silent, an address that made most of a peak, a campaign that made most of its days, a change, what was new, what else happened to a sensor; then more of them. None says what another one says.
 */
export function chooseSentences(data: HistoryData, filter: Filter): HistoryRow[] {
  const within = rowsWithin(data, filter);
  const [ofSensors] = within.filter(({ basis }) => basis === "sensors");
  const all = within.filter(({ basis }) => basis !== "sensors");
  const strong = all.filter(({ score }) => score >= LEAST_SCORE * all[0]!.score);
  const more = (data.more ?? []).filter(row => isWhollyWithin(row, filter));
  const says = (change: HistoryRow, row: HistoryRow) => change.saidBy?.includes(data.rows.indexOf(row)) ?? false;
  const first = strong.slice(0, SENTENCES_LEAST);
  const [change, ...changes] = more.filter(row => row.shape === "change" && !first.some(other => says(row, other)));
  const turns = [
    ...first,
    ofSensors?.shape === "silent" ? ofSensors : undefined,
    strong.slice(SENTENCES_LEAST).find(({ holdsPeak }) => holdsPeak),
    more.find(row => row.shape === "campaign" && !first.some(other => says(row, other))),
    change,
    more.find(({ shape }) => shape === "firsts"),
    ofSensors,
    ...strong.slice(SENTENCES_LEAST, SENTENCES_LEAST + 1),
    ...changes,
    ...strong.slice(SENTENCES_LEAST + 1),
    ...all.slice(strong.length, SENTENCES_LEAST),
  ];
  const told = new Set<HistoryRow>();
  for (const row of turns) {
    if (told.size === SENTENCES_MOST) break;
    if (row !== undefined && ![...told].some(other => says(other, row) || says(row, other))) told.add(row);
  }
  return [...told];
}

/** Of what was counted or tested over some days and sensors nothing is known of a part of them. */
function isWhollyWithin({ first, last, sensors: own }: HistoryRow, { range, sensors }: Filter): boolean {
  const isChosen = own.length === 0 ? sensors.every(one => one === 1) : own.every(code => sensors[code] === 1);
  return first >= range.first && last <= range.last && isChosen;
}

/** The row that stands at a place, and the place of a row: behind the episodes stands what else is told. */
export function rowAt({ rows, more = [] }: HistoryData, place: number): HistoryRow | undefined {
  return rows[place] ?? more[place - rows.length];
}

export function placeOf({ rows, more = [] }: HistoryData, row: HistoryRow): number {
  const place = rows.indexOf(row);
  return place >= 0 ? place : rows.length + more.indexOf(row);
}

function sortRows(rows: readonly HistoryRow[]): HistoryRow[] {
  const turn = ({ shape, first, last }: HistoryRow) => (shape === "ended" ? last : first);
  return rows.toSorted((a, b) => turn(b) - turn(a));
}

/** A sentence, values set apart. */
function sentenceMarkup({ sentence }: HistoryRow): (Markup | string)[] {
  // A number stays on a line with its "%".
  return sentence.flatMap((text, i) =>
    i % 2 === 1 && text !== ""
      ? element("code", {}, text)
      : text.split(/(\(?[\d.,]{1,16} %)/).flatMap((part, at) => (part === "" ? [] : at % 2 === 1 ? element("span", { class: "whole" }, part) : part)),
  );
}

/** Where the sentences belong on the days of a chart. */
export function toMarks(rows: readonly HistoryRow[]): DayMark[] {
  return rows.map(({ shape, first, last }, i) => ({ nth: i + 1, first: shape === "ended" ? last : first, last }));
}

const BASIS_TITLES = {
  tested: "A level that held for days: days in any other order show such a change in fewer than one key of a hundred",
  counted: "A burst of three days at most: counted, not tested",
  sensors: "What happened to the sensors, not to attackers",
};

const SHAPE_TITLES: Readonly<Partial<Record<HistoryRow["shape"], string>>> = {
  change: "Against the days before, as one of the changes of which few are false; the section of changes says how few",
  campaign: "Sessions that share what tells who was there; the section of campaigns says what: counted, not tested",
  firsts: "Seen on no earlier day of the archive: counted, not tested",
};

/**
 * The sentences of the first screen, as items of a list.
 *
 * @param placeOf Where a row stands in the data: what a click on it asks for.
 */
export function sentencesMarkup(rows: readonly HistoryRow[], placeOf: (row: HistoryRow) => number): Markup[] {
  return rows.map((row, i) =>
    element(
      "li",
      { class: `told ${row.basis}`, "data-episode": placeOf(row) },
      element("b", { class: "nth" }, String(i + 1)),
      element("span", { class: "sentence" }, ...sentenceMarkup(row)),
      element(
        "span",
        { class: "beside" },
        ...(row.perStep.length > 1 ? [sparkline(row.perStep)] : []),
        element("span", { class: "basis", title: SHAPE_TITLES[row.shape] ?? BASIS_TITLES[row.basis] }, row.basis),
        element("button", { type: "button", class: "script show", "aria-label": `Show the days of ${i + 1}` }, "Show"),
      ),
    ),
  );
}

/** The timeline: a lane an episode, newest on top. */
export function timelineChart(all: readonly HistoryRow[], range: DayRange, width: number, placeOf: (row: HistoryRow) => number): Chart {
  // Of too many those of the highest score, which stand first.
  const rows = sortRows(all.slice(0, LANES_MOST));
  const top = 8;
  const bottom = top + Math.max(1, rows.length) * LANE_HEIGHT;
  const plot: Plot = { width, height: bottom + 26, left: 8, right: width - 8, top, bottom };
  const steps = toSteps(range, 1);
  const perDay = (plot.right - plot.left) / dayCount(range);
  const x = (day: number) => plot.left + Math.min(dayCount(range), Math.max(0, day - range.first)) * perDay;
  const lanes = rows.map((row, i) => lane(row, { top: top + i * LANE_HEIGHT, from: x(row.first), to: x(row.last + 1), plot }, placeOf(row)));
  const label = `What happened when, newest on top; ${plural(rows.length, "episode")}${rows.length < all.length ? ` of ${formatNumber(all.length)}` : ""}`;
  return { svg: frame(plot, label, [...dayAxis(steps, plot), ...lanes]), plot };
}

function lane(row: HistoryRow, { top, from, to, plot }: { top: number; from: number; to: number; plot: Plot }, place: number): Markup {
  const width = Math.max(3, to - from);
  const [y, height] = [top + 4, LANE_HEIGHT - 8];
  const days = toSpan(toIsoDay(row.first), toIsoDay(row.last));
  const { text, x, className } = placeLabel(row.name, from, from + width, plot);
  return element(
    "g",
    { class: `lane ${row.basis} ${row.shape}`, "data-episode": place },
    element("title", {}, `${days}: ${row.sentence.join("")}`),
    element("rect", { class: "reach", x: plot.left, y: top, width: round1(plot.right - plot.left), height: LANE_HEIGHT }),
    element("rect", { class: "bar", x: round1(from), y, width: round1(width), height, rx: 2 }),
    ...(row.begins ? [] : [element("path", { class: "open", d: `M${round1(from)} ${y}l-5 ${height / 2}l5 ${height / 2}z` })]),
    ...(row.ends ? [] : [element("path", { class: "open", d: `M${round1(from + width)} ${y}l5 ${height / 2}l-5 ${height / 2}z` })]),
    element("text", { class: `label${className}`, x: round1(x), y: top + LANE_HEIGHT / 2, dy: ".35em" }, text),
  );
}

/** A lane's name behind its bar, else before it, else on it; cut to the largest room where none has enough. */
function placeLabel([what, value]: HistoryRow["name"], from: number, to: number, plot: Plot) {
  const whole = clipEnd([what, value].filter(one => one !== "").join(" "), LABEL_MOST);
  const places = [
    { room: plot.right - to - LABEL_GAP, x: to + LABEL_GAP, className: "" },
    { room: from - plot.left - LABEL_GAP, x: from - LABEL_GAP, className: " end" },
    { room: to - from - 2 * LABEL_GAP, x: from + LABEL_GAP, className: " inside" },
  ];
  const most = Math.max(...places.map(({ room }) => room));
  const { room, ...place } = places.find(one => one.room >= whole.length * CHARACTER_WIDTH || one.room === most)!;
  return { ...place, text: clipEnd(whole, Math.max(4, Math.floor(room / CHARACTER_WIDTH))) };
}

/** The same as a table. */
export function historyTable(rows: readonly HistoryRow[]): TableView {
  return toTable<HistoryRow>(
    "history-table",
    "What happened",
    [
      ["From", "", row => textCell(row.begins ? toIsoDay(row.first) : `${toIsoDay(row.first)} or before`, row.first, "time")],
      ["To", "", row => textCell(row.ends ? toIsoDay(row.last) : "goes on", row.ends ? row.last : row.last + 1, "time")],
      [
        "What happened",
        "",
        row => {
          const mark = element("span", { class: "sentence" }, ...sentenceMarkup(row));
          return { className: "episode", parts: [], mark, sort: row.sentence.join("") };
        },
      ],
      ["Basis", "", row => textCell(row.basis)],
    ],
    sortRows(rows),
  );
}

/** What the section says above its picture. */
export function describeTimeline(rows: readonly HistoryRow[], found: number, whole: boolean): string {
  if (rows.length === 0) return whole ? "Nothing stands out against the rest of the archive." : "Nothing that stands out in this selection.";
  const number = rows.length < found ? `${formatNumber(rows.length)} of ${plural(found, "episode")}` : plural(found, "episode");
  return (
    `${number}: what began, ended, peaked or paused on the same days through the same addresses is one. ` +
    "Tested: a level that held for days, which days in any other order show in fewer than one key of a hundred; " +
    "counted: a burst of three days at most. What happened to sensors is none of attackers."
  );
}
