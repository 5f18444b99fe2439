/**
 * Charts over days as trees of SVG elements. Drawn on the server and again in the page when a filter changes, so
 * nothing here knows a document. Colours are classes; text comes in ready to show, full and cut.
 */
import { type DayRange, dayCount, dayTicks } from "./axis.ts";
import { formatNumber } from "../text/format.ts";
import { clipApart, clipEnd, toShort } from "../text/labels.ts";
import { element, type Markup } from "./markup.ts";
import { countScale, isLogarithmic, linearScale, round1, type Scale, spreadLabels } from "./scale.ts";

/** Advance of a monospace character at the size of labels, in pixels: widths are known without measuring. */
const CHARACTER_WIDTH = 7;
const LABEL_GAP = 15;
/** Charts narrower than this have no room for labels at the line ends; the legend names the lines. */
const NARROW = 620;
const LABEL_CHARACTERS = 26;
/** Line styles; colour and dash pattern of series `i` are those of class `s{i}`. */
export const SERIES_MOST = 8;
/** Shades of the heat map between its lowest and its highest count. */
const SHADES = 7;

/** The days of a chart in steps of equal length; the last step may be shorter. */
export interface Steps {
  readonly range: DayRange;
  readonly days: number;
  /** How many steps. */
  readonly n: number;
}

export function toSteps(range: DayRange, days: number): Steps {
  return { range, days, n: Math.ceil(dayCount(range) / days) };
}

export interface Line {
  readonly name: string;
  /** `values[step]`; null where nobody watched. */
  readonly values: readonly (number | null)[];
  /** Which style; default: its place among the lines. */
  readonly style?: number;
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

/** Lines of counts over days, logarithmic unless all are small; a break where nobody watched. */
export function lineChart(
  lines: readonly Line[],
  steps: Steps,
  width: number,
  label: string,
  { isCoarse = false, isLinear = false }: LineChartOptions = {},
): Chart {
  const wide = width >= NARROW;
  const plot: Plot = { width, height: 320, left: 44, right: width - (wide ? 200 : 10), top: 10, bottom: 288 };
  const scale = (isLinear ? linearScale : countScale)(maximum(lines), plot.top, plot.bottom);
  const x = stepCentre(steps, plot);
  const [placeX, placeY] = isCoarse ? [toWhole(x), toWhole(scale.at)] : [x, scale.at];
  const beside = spreadLines(lines, steps.n, placeY);
  const ends = lines.map(line => line.values.findLastIndex(value => value !== null));
  const endY = lines.map((line, i) => round1(scale.at(line.values[ends[i]!] ?? 0) + (beside[i]![ends[i]!] ?? 0)));
  const labelY = spreadLabels(endY, LABEL_GAP, plot.top + 2, plot.bottom);
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
              clipEnd(line.name, LABEL_CHARACTERS),
              element("title", {}, line.name),
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
  const names = [...lines.keys()].reverse().map((i, row) => {
    const y = plot.top + 8 + row * 18;
    return element(
      "g",
      { class: `s${lines[i]!.style ?? i}`, "data-series": i },
      element("rect", { class: "area", x: plot.right + 16, y: y - 5, width: 10, height: 10 }),
      element(
        "text",
        { class: "name", x: plot.right + 32, y, dy: ".35em" },
        clipEnd(lines[i]!.name, LABEL_CHARACTERS - 2),
        element("title", {}, lines[i]!.name),
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

export interface HeatRow {
  readonly name: string;
  /** Sum over all days, for the margin. */
  readonly total: number;
  /** `values[step]`; null = no data, undefined = before the first or after the last sign of the row. */
  readonly values: readonly (number | null | undefined)[];
}

export interface HeatChart extends Chart {
  readonly rowHeight: number;
}

/** Counts as shades, one row per item, one column per step; logarithmic, no data hatched, zero a shade of its own. */
export function heatChart(heat: readonly HeatRow[], steps: Steps, width: number, label: string): HeatChart {
  const rowHeight = heat.length > 40 ? 11 : heat.length > 16 ? 15 : 19;
  const nameWidth = Math.max(...heat.map(row => row.name.length), 3);
  const characters = Math.min(nameWidth, width >= NARROW ? 24 : 12);
  const top = 28;
  const plot: Plot = {
    width,
    height: top + heat.length * rowHeight + 26,
    left: Math.ceil(characters * CHARACTER_WIDTH) + 10,
    right: width - (width >= NARROW ? 96 : 52),
    top,
    bottom: top + heat.length * rowHeight,
  };
  const { low, high } = shadeRange(heat);
  const shadeOf = (value: number) => {
    const place = (Math.log10(value) - low) / (high - low);
    return 1 + Math.max(0, Math.min(SHADES - 1, Math.floor(SHADES * place)));
  };
  // One path per shade in units of cells, neighbours merged: 365 x 100 cells are nine elements.
  const shades: string[] = new Array<string>(SHADES + 1).fill("");
  let hatched = "";
  const band = (plot.right - plot.left) / steps.n;
  heat.forEach(({ values }, row) => {
    for (let start = 0, end = 0; start < steps.n; start = end) {
      const value = values[start];
      const shade = value == null || value === 0 ? value : shadeOf(value);
      for (end = start + 1; end < steps.n; end++) {
        const next = values[end];
        if ((next == null || next === 0 ? next : shadeOf(next)) !== shade) break;
      }
      if (shade === undefined) continue;
      if (shade === null) {
        const left = round1(plot.left + start * band);
        hatched += `M${left} ${top + row * rowHeight}H${round1(plot.left + end * band)}v${rowHeight}H${left}z`;
      } else {
        shades[shade] += `M${start} ${row}h${end - start}v1h${start - end}z`;
      }
    }
  });
  const totals = heat.map(row => row.total);
  const largest = Math.max(1, ...totals);
  const barWidth = width - plot.right - 46;
  const labels = clipApart(
    heat.map(row => row.name),
    characters,
  );
  const names = heat.flatMap((row, i) => {
    const y = round1(top + (i + 0.5) * rowHeight);
    return [
      element(
        "text",
        { class: rowHeight < 12 ? "row small" : "row", x: plot.left - 8, y, dy: ".35em" },
        labels[i]!,
        element("title", {}, row.name),
      ),
      ...(barWidth > 10
        ? [
            element("rect", {
              class: "margin",
              x: plot.right + 8,
              y: round1(y - rowHeight / 2 + 2),
              width: Math.max(1, round1((barWidth * totals[i]!) / largest)),
              height: rowHeight - 4,
            }),
          ]
        : []),
      element("text", { class: rowHeight < 12 ? "sum small" : "sum", x: width, y, dy: ".35em" }, toShort(totals[i]!)),
    ];
  });
  const cells = element(
    "g",
    {
      transform: `translate(${plot.left} ${top}) scale(${Math.round(band * 1e4) / 1e4} ${rowHeight})`,
      "shape-rendering": "crispEdges",
    },
    ...shades.flatMap((d, shade) => (d === "" ? [] : [element("path", { class: `h${shade}`, d })])),
  );
  const mark = element("rect", { class: "mark", width: round1(band), height: rowHeight, hidden: true });
  const parts = [
    ...shadeLegend(plot, low, high, shades, hatched !== ""),
    cells,
    ...(hatched === "" ? [] : [element("path", { class: "hatched", d: hatched })]),
    ...dayAxis(steps, plot),
    ...names,
    mark,
  ];
  return { svg: frame(plot, label, parts), plot, rowHeight };
}

/** Kinds of sensor-day in a calendar: the letter of the data, its style, its name; the first outranks the others. */
const CALENDAR = [
  [".", "hatched", "down"],
  ["?", "dotted", "no event, down or quiet"],
  ["p", "h3", "watched for part of the day"],
  ["c", "h0", "cut counts"],
  ["o", "h6", "watched"],
] as const;

/**
 * What is known of each sensor and day, one row per sensor.
 *
 * @param calendar `letters[day]` as in `SensorCoverage.days`; where a column holds several days, the worst is shown.
 */
export function calendarChart(
  calendar: readonly { readonly name: string; readonly letters: string }[],
  steps: Steps,
  width: number,
  label: string,
): Chart {
  const rowHeight = calendar.length > 40 ? 11 : 17;
  const characters = Math.min(Math.max(3, ...calendar.map(row => row.name.length)), width >= NARROW ? 24 : 12);
  const top = 28;
  const bottom = top + calendar.length * rowHeight;
  const plot = {
    width,
    height: bottom + 26,
    left: Math.ceil(characters * CHARACTER_WIDTH) + 10,
    right: width - 8,
    top,
    bottom,
  };
  const band = (plot.right - plot.left) / steps.n;
  const paths = CALENDAR.map(() => "");
  const labels = clipApart(
    calendar.map(row => row.name),
    characters,
  );
  const names = calendar.map(({ name, letters }, row) => {
    const kinds = Array.from({ length: steps.n }, (_, step) => {
      const days = letters.slice(step * steps.days, (step + 1) * steps.days);
      return CALENDAR.findIndex(([letter]) => days.includes(letter));
    });
    const y = top + row * rowHeight;
    CALENDAR.forEach((_, kind) => {
      paths[kind] += runs(
        kinds.map(found => found === kind),
        (start, end) => {
          const left = round1(plot.left + start * band);
          return `M${left} ${y + 1}H${round1(plot.left + end * band)}v${rowHeight - 2}H${left}z`;
        },
      );
    });
    return element(
      "text",
      { class: rowHeight < 12 ? "row small" : "row", x: plot.left - 8, y: round1(y + rowHeight / 2), dy: ".35em" },
      labels[row]!,
      element("title", {}, name),
    );
  });
  let x = plot.left;
  const legend = CALENDAR.flatMap(([, className, name], kind) => {
    if (paths[kind] === "") return [];
    const at = x;
    x += 16 + 6.8 * name.length + 14;
    return [
      element("rect", { class: className, x: at, y: 4, width: 12, height: 12 }),
      element("text", { class: "tick", x: at + 16, y: 10, dy: ".35em" }, name),
    ];
  });
  const areas = CALENDAR.flatMap(([, className], kind) =>
    paths[kind] === "" ? [] : [element("path", { class: className, d: paths[kind]! })],
  );
  return { svg: frame(plot, label, [...legend, ...areas, ...dayAxis(steps, plot), ...names]), plot };
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

/** Logarithms between which the shades lie; the lowest 2 % share the lightest shade, or one odd day decides it. */
function shadeRange(heat: readonly HeatRow[]): { low: number; high: number } {
  const logs: number[] = [];
  for (const { values } of heat) for (const value of values) if (value) logs.push(Math.log10(value));
  const sorted = Float64Array.from(logs).sort();
  if (sorted.length === 0) return { low: 0, high: 1 };
  const low = sorted[Math.floor(sorted.length * 0.02)]!;
  const high = sorted[sorted.length - 1]!;
  // Few different counts need no seven shades, but the lightest and the darkest must differ.
  return high - low < 0.3
    ? { low: Math.min(low, Math.max(0, low - 0.3)), high: high + 0.01 }
    : { low, high: high + 1e-9 };
}

/** Where a shade begins: the next whole number, except below the first. */
function toThreshold(value: number): string {
  return toShort(value < 1 - 1e-6 ? value : Math.ceil(value - 1e-6));
}

function shadeLegend(plot: Plot, low: number, high: number, shades: readonly string[], hatched: boolean): Markup[] {
  const parts: Markup[] = [];
  let x = plot.left;
  const item = (className: string, text: string) => {
    if (x > plot.width - 60) return;
    parts.push(
      element("rect", { class: className, x, y: 4, width: 12, height: 12 }),
      element("text", { class: "tick", x: x + 16, y: 10, dy: ".35em" }, text),
    );
    x += 16 + 7.2 * text.length + 12;
  };
  if (hatched) item("hatched", "no data");
  if (shades[0] !== "") item("h0", "0");
  if (plot.width < NARROW) {
    const [from, to] = [toThreshold(10 ** low), toShort(10 ** high)];
    parts.push(element("text", { class: "tick", x, y: 10, dy: ".35em" }, from));
    x += 7.2 * from.length + 5;
    for (let shade = 1; shade <= SHADES; shade++, x += 12) {
      parts.push(element("rect", { class: `h${shade}`, x, y: 4, width: 12, height: 12 }));
    }
    parts.push(element("text", { class: "tick", x: x + 5, y: 10, dy: ".35em" }, to));
    return parts;
  }
  for (let shade = 1; shade <= SHADES; shade++) {
    if (shades[shade] === "") continue;
    item(`h${shade}`, `≥ ${toThreshold(10 ** (low + ((high - low) * (shade - 1)) / SHADES))}`);
  }
  return parts;
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
function runs(flags: readonly boolean[], path: (start: number, end: number) => string): string {
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

/** Ticks under the plot; a label that would pass the edge of the picture ends there. */
function dayAxis(steps: Steps, plot: Plot): Markup[] {
  const perDay = (plot.right - plot.left) / (steps.n * steps.days);
  const most = Math.max(2, Math.floor((plot.right - plot.left) / 62));
  return dayTicks(steps.range, most).flatMap(({ day, label }) => {
    // Of one day the tick stands in its middle, of longer steps where the day begins.
    const x = round1(plot.left + (day - steps.range.first + (steps.days === 1 ? 0.5 : 0)) * perDay);
    const atEdge = x + 3.6 * label.length > plot.width;
    return [
      element("line", { class: "grid", x1: x, x2: x, y1: plot.bottom, y2: plot.bottom + 5 }),
      element(
        "text",
        { class: atEdge ? "tick end" : "tick middle", x: atEdge ? plot.width : x, y: plot.bottom + 18 },
        label,
      ),
    ];
  });
}

function frame(plot: Plot, label: string, parts: readonly Markup[]): Markup {
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
