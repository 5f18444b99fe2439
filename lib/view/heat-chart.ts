/**
 * Heat maps over days: counts as shades, and the calendar of what is known of each sensor's days.
 *
 * Tested in `test/lib/view/chart.test.ts`.
 */
import { CHARACTER_WIDTH, type Chart, dayAxis, frame, NARROW, type Plot, runs, type Steps } from "./chart.ts";
import { toShort } from "../text/labels.ts";
import { element, type Markup } from "./markup.ts";
import { round1 } from "./scale.ts";
import { clipApart } from "../text/cut.ts";

/** From so many rows on they are thin, and named where one points: a fleet is seen at once. */
export const DENSE_ROWS = 41;
const DENSE_HEIGHT = 4;
/** Shades of the heat map between its lowest and its highest count. */
const SHADES = 7;

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

/**
 * Counts as shades, one row per item, one column per step; logarithmic, no data hatched, zero a shade of its own.
 *
 * @param apart So many rows on top are set apart from those below; 0 = none.
 */
export function heatChart(heat: readonly HeatRow[], steps: Steps, width: number, label: string, apart = 0): HeatChart {
  const isDense = heat.length >= DENSE_ROWS;
  const rowHeight = isDense ? DENSE_HEIGHT : heat.length > 16 ? 15 : 19;
  const nameWidth = Math.max(...heat.map(row => row.name.length), 3);
  const characters = isDense ? 0 : Math.min(nameWidth, width >= NARROW ? 24 : 12);
  const top = 28;
  const plot: Plot = {
    width,
    height: top + heat.length * rowHeight + 26,
    left: Math.ceil(characters * CHARACTER_WIDTH) + (isDense ? 2 : 10),
    right: width - (isDense ? 2 : width >= NARROW ? 96 : 52),
    top,
    bottom: top + heat.length * rowHeight,
  };
  const { low, high } = shadeRange(heat);
  const shadeOf = (value: number) => {
    const place = (Math.log10(value) - low) / (high - low);
    return 1 + Math.max(0, Math.min(SHADES - 1, Math.floor(SHADES * place)));
  };
  const band = (plot.right - plot.left) / steps.n;
  const { shades, hatched } = shadePaths(heat, steps.n, plot, rowHeight, shadeOf);
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
    ...(isDense ? [] : rowLabels(heat, plot, rowHeight, characters)),
    ...(apart === 0 ? [] : [element("path", { class: "apart", d: `M0 ${top + apart * rowHeight}H${width}` })]),
    mark,
  ];
  return { svg: frame(plot, label, parts), plot, rowHeight };
}

/**
 * One path per shade in units of cells, neighbours merged: 365 x 100 cells are nine elements.
 *
 * @returns `hatched` in pixels: cells of nobody who watched.
 */
function shadePaths(
  heat: readonly HeatRow[],
  n: number,
  plot: Plot,
  rowHeight: number,
  shadeOf: (value: number) => number,
): { shades: string[]; hatched: string } {
  const shades: string[] = new Array<string>(SHADES + 1).fill("");
  let hatched = "";
  const band = (plot.right - plot.left) / n;
  heat.forEach(({ values }, row) => {
    for (let start = 0, end = 0; start < n; start = end) {
      const value = values[start];
      const shade = value == null || value === 0 ? value : shadeOf(value);
      for (end = start + 1; end < n; end++) {
        const next = values[end];
        if ((next == null || next === 0 ? next : shadeOf(next)) !== shade) break;
      }
      if (shade === undefined) continue;
      if (shade === null) {
        const left = round1(plot.left + start * band);
        hatched += `M${left} ${plot.top + row * rowHeight}H${round1(plot.left + end * band)}v${rowHeight}H${left}z`;
      } else {
        shades[shade] += `M${start} ${row}h${end - start}v1h${start - end}z`;
      }
    }
  });
  return { shades, hatched };
}

/** Names of rows on the left, bars and sums on the right. */
function rowLabels(heat: readonly HeatRow[], plot: Plot, rowHeight: number, characters: number): Markup[] {
  const totals = heat.map(row => row.total);
  const largest = Math.max(1, ...totals);
  const barWidth = plot.width - plot.right - 46;
  const labels = clipApart(
    heat.map(row => row.name),
    characters,
  );
  return heat.flatMap((row, i) => {
    const y = round1(plot.top + (i + 0.5) * rowHeight);
    return [
      element(
        "text",
        { class: "row", x: plot.left - 8, y, dy: ".35em" },
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
      element("text", { class: "sum", x: plot.width, y, dy: ".35em" }, toShort(totals[i]!)),
    ];
  });
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
  const legend = calendarLegend(paths, plot.left);
  const areas = CALENDAR.flatMap(([, className], kind) =>
    paths[kind] === "" ? [] : [element("path", { class: className, d: paths[kind]! })],
  );
  return { svg: frame(plot, label, [...legend, ...areas, ...dayAxis(steps, plot), ...names]), plot };
}

/** What the colours mean that there are. */
function calendarLegend(paths: readonly string[], left: number): Markup[] {
  let x = left;
  return CALENDAR.flatMap(([, className, name], kind) => {
    if (paths[kind] === "") return [];
    const at = x;
    x += 16 + 6.8 * name.length + 14;
    return [
      element("rect", { class: className, x: at, y: 4, width: 12, height: 12 }),
      element("text", { class: "tick", x: at + 16, y: 10, dy: ".35em" }, name),
    ];
  });
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
