/**
 * Charts over days as trees of SVG elements. Drawn on the server and again in the page when a filter changes, so
 * nothing here knows a document. Colours are classes; text comes in ready to show, full and cut.
 */
import { type DayRange, dayCount, dayTicks } from "./axis.ts";
import { formatNumber } from "../text/format.ts";
import { clipEnd, clipEndsApart } from "../text/cut.ts";
import { element, type Markup } from "./markup.ts";
import { countScale, isLogarithmic, linearScale, round1, type Scale, spreadLabels } from "./scale.ts";

/** Advance of a monospace character at the size of labels, in pixels: widths are known without measuring. */
export const CHARACTER_WIDTH = 7;
const LABEL_GAP = 15;
/** Charts narrower than this have no room for labels at the line ends; the legend names the lines. */
export const NARROW = 620;
const LABEL_CHARACTERS = 26;
/** Line styles; colour and dash pattern of series `i` are those of class `s{i}`. */
export const SERIES_MOST = 8;

/** The days of a chart in steps of equal length; the last step may be shorter. */
export interface Steps {
  readonly range: DayRange;
  /** Of a step; 1/24 where they are hours. */
  readonly days: number;
  /** How many steps. */
  readonly n: number;
}

export function toSteps(range: DayRange, days: number): Steps {
  return { range, days, n: Math.ceil(dayCount(range) / days) };
}

export interface Line {
  readonly name: string;
  /** Names of others with the very same values, for which the line stands as well. */
  readonly alike?: readonly string[];
  /** `values[step]`; null where nobody watched. */
  readonly values: readonly (number | null)[];
  /** Which style; default: its place among the lines. */
  readonly style?: number;
}

/** What a line stands for. */
type LineNames = Pick<Line, "name" | "alike">;

/** How many a line stands for. */
export function weightOf({ alike = [] }: Pick<Line, "alike">): number {
  return 1 + alike.length;
}

/** Names of lines, cut to `most` characters and told apart, each with how many others it stands for: `enable +4`. */
export function lineLabels(lines: readonly LineNames[], most: number): string[] {
  return cutNames(lines, most).map((name, i) => `${name}${moreOf(lines[i]!)}`);
}

/** The names alone, with room for what stands behind. */
function cutNames(lines: readonly LineNames[], most: number): string[] {
  const room = lines.reduce((least, line) => Math.min(least, most - moreOf(line).length), most);
  return clipEndsApart(
    lines.map(({ name }) => name),
    room,
  );
}

function moreOf({ alike = [] }: Pick<Line, "alike">): string {
  return alike.length === 0 ? "" : ` +${alike.length}`;
}

/** The same as elements of a picture: what is not a part of the name is told from it. */
function labelParts(line: LineNames, name: string): (Markup | string)[] {
  const more = moreOf(line);
  return [name, ...(more === "" ? [] : [element("tspan", { class: "more" }, more)]), element("title", {}, lineText(line))];
}

/** Names that a text lists at most, and characters of each. */
const LISTED_MOST = 12;
const LISTED_CHARACTERS = 60;

/** All that a line stands for, in words. */
export function lineText({ name, alike = [] }: LineNames): string {
  if (alike.length === 0) return name;
  const listed = alike.slice(0, LISTED_MOST).map(other => clipEnd(other, LISTED_CHARACTERS)).join("; ");
  const more = alike.length > LISTED_MOST ? `; and ${formatNumber(alike.length - LISTED_MOST)} more` : "";
  return `${name}, and as often on the same days and sensors: ${listed}${more}`;
}

/** Behind the unit of a chart in which a line stands for several; "" where none does. */
export function describeAlike(lines: readonly Line[]): string {
  return lines.some(line => weightOf(line) > 1) ? "; +1: another with the same counts, drawn as one" : "";
}

/** Where a chart's plot lies, in pixels; the page's script finds the step under the pointer with it. */
export interface Plot {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Chart {
  readonly svg: Markup;
  readonly plot: Plot;
}

export interface LineChartOptions {
  /** From zero in equal steps, however large the counts are. */
  readonly isLinear?: boolean;
  /** Lines at whole pixels, a third shorter: for a picture that the script draws anew. */
  readonly isCoarse?: boolean;
}

function toWhole(place: (value: number) => number): (value: number) => number {
  return value => Math.round(place(value));
}

/** Behind the unit of such a chart. */
export const LOGARITHMIC = ", logarithmic scale";

/** Whether {@link lineChart} draws these lines on a logarithmic scale. */
export function hasLogScale(lines: readonly Line[]): boolean {
  return isLogarithmic(maximum(lines));
}

/** Whether most counts of these lines lie within a power of ten of the largest, so that a scale from zero shows them all. */
export function areNear(lines: readonly Line[]): boolean {
  const counts = lines.flatMap(line => line.values.filter(value => value !== null && value > 0)) as number[];
  const middle = counts.sort((a, b) => a - b)[counts.length >> 1] ?? 0;
  return middle * 10 >= maximum(lines);
}

/** Counts up to this need no height. */
const FEW = 4;

/** Lines of counts over days, logarithmic unless all are small; a break where nobody watched. */
export function lineChart(
  lines: readonly Line[],
  steps: Steps,
  width: number,
  label: string,
  { isCoarse = false, isLinear = false }: LineChartOptions = {},
): Chart {
  const wide = width >= NARROW;
  const max = maximum(lines);
  const height = max <= FEW ? 170 : 320;
  const plot: Plot = { width, height, left: 44, right: width - (wide ? 200 : 10), top: 10, bottom: height - 32 };
  const scale = (isLinear ? linearScale : countScale)(max, plot.top, plot.bottom);
  const x = stepCentre(steps, plot);
  const [placeX, placeY] = isCoarse ? [toWhole(x), toWhole(scale.at)] : [x, scale.at];
  const beside = spreadLines(lines, steps.n, placeY);
  const ends = lines.map(line => line.values.findLastIndex(value => value !== null));
  const endY = lines.map((line, i) => round1(scale.at(line.values[ends[i]!] ?? 0) + (beside[i]![ends[i]!] ?? 0)));
  const labelY = spreadLabels(endY, LABEL_GAP, plot.top + 2, plot.bottom);
  const labels = cutNames(lines, LABEL_CHARACTERS);
  const series = lines.map((line, i) =>
    element(
      "g",
      { class: `series s${line.style ?? i}`, "data-series": i },
      element("path", { class: "line", d: linePath(line.values, placeX, (value, step) => placeY(value) + beside[i]![step]!) }),
      ...(wide && ends[i]! >= 0
        ? [
            element("path", {
              class: "leader",
              d: `M${round1(x(ends[i]!) + 3)} ${endY[i]!}L${plot.right + 4} ${endY[i]!}L${plot.right + 12} ${labelY[i]!}`,
            }),
            element(
              "text",
              { class: "label", x: plot.right + 16, y: labelY[i]!, dy: ".35em" },
              ...labelParts(line, labels[i]!),
            ),
          ]
        : []),
    ),
  );
  const cross = element("line", { class: "cross", y1: plot.top, y2: plot.bottom, x1: 0, x2: 0, hidden: true });
  // Where lines lie on each other, the leading one is to be seen.
  series.reverse();
  return { svg: frame(plot, label, [...rows(scale, plot), ...dayAxis(steps, plot), ...series, cross]), plot };
}

/** Lines that lie on each other are drawn this far apart, in pixels; nearer where they are many. */
const BESIDE = 2;
const BESIDE_MOST = 6;

/**
 * How far each line is moved at each step, so that lines of one place lie side by side and all of them are seen; on
 * zero they stay, or they would seem to be more.
 *
 * @returns `moved[line][step]` in pixels downwards.
 */
function spreadLines(
  lines: readonly Line[],
  steps: number,
  place: (value: number) => number,
): Float64Array[] {
  const moved = lines.map(() => new Float64Array(steps));
  for (let step = 0; step < steps; step++) {
    const places = lines.map(({ values }) => {
      const value = values[step] ?? null;
      return value === null || value === 0 ? NaN : Math.round(place(value));
    });
    for (const [at, group] of Map.groupBy(places.keys(), i => places[i]!)) {
      if (Number.isNaN(at) || group.length < 2) continue;
      const gap = Math.min(BESIDE, BESIDE_MOST / (group.length - 1));
      const middle = (group.length - 1) / 2;
      group.forEach((line, i) => (moved[line]![step] = round1((i - middle) * gap)));
    }
  }
  return moved;
}

/** Bars of counts over days, one on top of the other, on a linear scale; hatched where nobody watched. */
export function stackChart(lines: readonly Line[], steps: Steps, width: number, label: string, height = 260): Chart {
  const wide = width >= NARROW && lines.length > 1;
  const plot: Plot = {
    width,
    height,
    left: 44,
    right: width - (wide ? 200 : 10),
    top: 10,
    bottom: height - 32,
  };
  const sums = Array.from({ length: steps.n }, (_, step) =>
    lines.reduce((sum, line) => sum + (line.values[step] ?? 0), 0),
  );
  const scale = linearScale(Math.max(0, ...sums), plot.top, plot.bottom);
  const band = (plot.right - plot.left) / steps.n;
  const gap = band > 4 ? 1 : 0;
  const base = new Float64Array(steps.n);
  const series = lines.map((line, i) => {
    let d = "";
    line.values.forEach((value, step) => {
      if (value === null || value === 0) return;
      const low = scale.at(base[step]!);
      base[step]! += value;
      // A bar too low to be seen is still not nothing.
      const high = Math.min(scale.at(base[step]!), low - 0.4);
      const left = round1(plot.left + step * band + gap / 2);
      d += `M${left} ${low}V${round1(high)}h${round1(band - gap)}V${low}z`;
    });
    return element("path", { class: `area s${line.style ?? i}`, "data-series": i, d });
  });
  const labels = cutNames(lines, LABEL_CHARACTERS - 2);
  const names = [...lines.keys()].reverse().map((i, row) => {
    const y = plot.top + 8 + row * 18;
    return element(
      "g",
      { class: `s${lines[i]!.style ?? i}`, "data-series": i },
      element("rect", { class: "area", x: plot.right + 16, y: y - 5, width: 10, height: 10 }),
      element(
        "text",
        { class: "name", x: plot.right + 32, y, dy: ".35em" },
        ...labelParts(lines[i]!, labels[i]!),
      ),
    );
  });
  const silent = sums.map((_, step) => lines.every(line => line.values[step] === null));
  const hatch = element("path", {
    class: "hatched",
    d: runs(silent, (start, end) => {
      const left = round1(plot.left + start * band);
      return `M${left} ${plot.top}H${round1(plot.left + end * band)}V${plot.bottom}H${left}z`;
    }),
  });
  const cross = element("line", { class: "cross", y1: plot.top, y2: plot.bottom, x1: 0, x2: 0, hidden: true });
  const parts = [hatch, ...rows(scale, plot), ...dayAxis(steps, plot), ...series, ...(wide ? names : []), cross];
  return { svg: frame(plot, label, parts), plot };
}

/** Size of an interval's picture. */
const INTERVAL_WIDTH = 130;
const INTERVAL_HEIGHT = 18;

/**
 * A ratio with its interval on a logarithmic scale around 1, for a table's cell; what lies beyond ends in an arrow.
 *
 * @param high Infinity where there is no bound.
 * @param reach The largest ratio that has room; its inverse is the smallest.
 */
export function intervalMark(low: number, ratio: number, high: number, reach: number): Markup {
  const [width, height] = [INTERVAL_WIDTH, INTERVAL_HEIGHT];
  const middle = height / 2;
  const x = (value: number) => {
    const place = Math.log(Math.max(1e-9, value)) / Math.log(reach);
    return round1(width / 2 + Math.max(-1, Math.min(1, place)) * (width / 2 - 4));
  };
  const tone = low > 1 ? "more" : high < 1 ? "less" : "same";
  const arrow = (at: number, direction: number) =>
    element("path", {
      class: "end-mark",
      d: `M${at - 4 * direction} ${middle - 3}L${at} ${middle}L${at - 4 * direction} ${middle + 3}`,
    });
  return element(
    "svg",
    { class: `interval ${tone}`, viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    element("line", { class: "grid base", x1: width / 2, x2: width / 2, y1: 1, y2: height - 1 }),
    element("path", { class: "range", d: `M${x(low)} ${middle}H${x(high)}` }),
    ...(low < 1 / reach ? [arrow(x(low), -1)] : []),
    ...(high > reach ? [arrow(x(high), 1)] : []),
    element("circle", { class: "point", cx: x(ratio), cy: middle, r: 3.2 }),
  );
}

/**
 * A line small enough for a table's cell, on a scale of its own; breaks as in {@link lineChart}.
 *
 * The root of the count: a logarithm flattens every rhythm, the count itself hides all but the highest day.
 */
export function sparkline(values: readonly (number | null)[], width = 120, height = 24): Markup {
  const max = Math.sqrt(values.reduce<number>((most, value) => Math.max(most, value ?? 0), 1));
  const y = (value: number) => round1(height - 2 - ((height - 4) * Math.sqrt(value)) / max);
  // A unit across is a step, stretched to the width: the numbers of the path are half as long then.
  const steps = Math.max(1, values.length - 1);
  const reach = Math.max(0.1, round1((1.5 * steps) / width));
  const dash = `m-${reach} 0h${round1(2 * reach)}`;
  return element(
    "svg",
    {
      class: "spark",
      viewBox: `0 0 ${steps} ${height}`,
      preserveAspectRatio: "none",
      width,
      height,
      "aria-hidden": "true",
    },
    element("path", { d: linePath(values, step => (values.length < 2 ? 0.5 : step), y, dash) }),
  );
}

/** A ring so small that its stroke fills it. */
const DOT = "m-1.4 0a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0-2.8 0";

/**
 * The path of a line with breaks; a value that stands alone between two breaks becomes a dot.
 *
 * Each point by its distance from the one before, in tenths of a pixel: a quarter shorter than by places.
 */
export function linePath(
  values: readonly (number | null)[],
  x: (step: number) => number,
  y: (value: number, step: number) => number,
  dot = DOT,
): string {
  let path = "";
  let drawing = false;
  let [fromX, fromY] = [0, 0];
  for (let step = 0; step < values.length; step++) {
    const value = values[step] ?? null;
    if (value === null) {
      drawing = false;
      continue;
    }
    const [toX, toY] = [Math.round(10 * x(step)), Math.round(10 * y(value, step))];
    if (drawing) path += pair(toX - fromX, toY - fromY, path.endsWith("l") ? "" : " ");
    else path += `M${pair(toX, toY, "")}`;
    const isEnd = (values[step + 1] ?? null) === null;
    if (!drawing) path += isEnd ? dot : "l";
    [fromX, fromY] = [toX, toY];
    drawing = true;
  }
  return path;
}

/** Two lengths in tenths, as short as a path allows. */
function pair(x: number, y: number, before: string): string {
  const [left, right] = [tenths(x), tenths(y)];
  return `${left.startsWith("-") ? "" : before}${left}${right.startsWith("-") ? "" : " "}${right}`;
}

function tenths(n: number): string {
  return String(n / 10).replace(/^(-?)0\./, "$1.");
}

/** Join `path(start, end)` of each run of `true`. */
export function runs(flags: readonly boolean[], path: (start: number, end: number) => string): string {
  let joined = "";
  for (let start = 0; start < flags.length; start++) {
    if (!flags[start]) continue;
    let end = start;
    while (flags[end]) end++;
    joined += path(start, end);
    start = end;
  }
  return joined;
}

function maximum(lines: readonly Line[]): number {
  return lines.reduce((most, line) => line.values.reduce<number>((max, value) => Math.max(max, value ?? 0), most), 1);
}

function stepCentre(steps: Steps, plot: Plot): (step: number) => number {
  const band = (plot.right - plot.left) / steps.n;
  return step => round1(plot.left + (step + 0.5) * band);
}

function rows(scale: Scale, plot: Plot): Markup[] {
  return scale.ticks.flatMap(({ at, label }) => [
    element("line", {
      class: at === plot.bottom ? "grid base" : "grid",
      x1: plot.left,
      x2: plot.right,
      y1: at,
      y2: at,
    }),
    element("text", { class: "tick end", x: plot.left - 8, y: at, dy: ".35em" }, label),
  ]);
}

/** Ticks under the plot; a label that would pass an edge of the picture stops there. */
export function dayAxis(steps: Steps, plot: Plot): Markup[] {
  const perDay = (plot.right - plot.left) / (steps.n * steps.days);
  const most = Math.max(2, Math.floor((plot.right - plot.left) / 62));
  return dayTicks(steps.range, most).flatMap(({ day, label }) => {
    // Of one day the tick stands in its middle, of longer steps where the day begins.
    const x = round1(plot.left + (day - steps.range.first + (steps.days === 1 ? 0.5 : 0)) * perDay);
    const half = 3.6 * label.length;
    const [anchor, at] = x + half > plot.width ? [" end", plot.width] : x < half ? ["", 0] : [" middle", x];
    return [
      element("line", { class: "grid", x1: x, x2: x, y1: plot.bottom, y2: plot.bottom + 5 }),
      element("text", { class: `tick${anchor}`, x: at, y: plot.bottom + 18 }, label),
    ];
  });
}

export function frame(plot: Plot, label: string, parts: readonly Markup[]): Markup {
  const { width, height } = plot;
  return element(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    parts,
  );
}

/** The values of one step in words, for a chart's description and its tip. */
export function describeValue(value: number | null | undefined): string {
  return value == null
    ? "no data"
    : formatNumber(value, Number.isInteger(value) || value >= 100 ? 0 : value < 1 ? 2 : 1);
}
