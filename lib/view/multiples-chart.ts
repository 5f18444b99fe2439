/**
 * Small multiples: a row for each count over the same days, each on a scale of its own from zero, its peak labelled, so
 * that rhythms are compared and not sizes.
 *
 * Tested in `test/lib/view/multiples-chart.test.ts`.
 */
import { CHARACTER_WIDTH, type Chart, dayAxis, frame, type Line, type Plot, runs, type Steps } from "./chart.ts";
import { toClock, toDayLabel, toShort } from "../text/labels.ts";
import { element, type Markup } from "./markup.ts";
import { round1 } from "./scale.ts";

const ROW_HEIGHT = 40;
/** Widest a character of a row's name is on average, in pixels. */
const NAME_CHARACTER = 8;
/** Room for the numbers of what is told of the days, above the rows. */
const MARKS_HEIGHT = 18;
/** From the middle of one of them to that of the next, at least. */
const MARK_STEP = 17;
/** Times longer than this part of all are not shaded: a mark says where they begin. */
const SHORT_PART = 20;

/** Days that something is told of, by its number in the list. */
export interface DayMark {
  readonly nth: number;
  readonly first: number;
  readonly last: number;
}

/** Draw the rows; a break where nobody watched. */
export function multiplesChart(lines: readonly Line[], steps: Steps, width: number, label: string, marks: readonly DayMark[] = []): Chart {
  const top = marks.length > 0 ? MARKS_HEIGHT : 4;
  const bottom = top + lines.length * ROW_HEIGHT;
  const left = Math.ceil(NAME_CHARACTER * Math.max(...lines.map(({ name }) => name.length))) + 14;
  const plot: Plot = { width, height: bottom + 26, left, right: width - 8, top, bottom };
  const rows = lines.map((line, i) => row(line, i, steps, plot, top + i * ROW_HEIGHT));
  const cross = element("line", { class: "cross", y1: plot.top, y2: plot.bottom, x1: 0, x2: 0, hidden: true });
  const axis = steps.days < 1 ? timeAxis(steps, plot) : dayAxis(steps, plot);
  return { svg: frame(plot, label, [...axis, ...markRow(marks, steps, plot), ...rows, cross]), plot };
}

function row({ name, values, style }: Line, i: number, steps: Steps, plot: Plot, y: number): Markup {
  const base = y + ROW_HEIGHT - 2;
  const height = ROW_HEIGHT - 14;
  const peak = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  const at = values.findIndex(value => value === peak);
  const band = (plot.right - plot.left) / steps.n;
  const x = (step: number) => round1(plot.left + step * band);
  let bars = "";
  values.forEach((value, step) => {
    if (value === null || value === 0) return;
    // What is there is seen, however little it is.
    const tall = Math.max(1, round1((height * value) / peak));
    bars += `M${x(step)} ${base}v-${tall}H${round1(plot.left + (step + 1) * band - (band > 3 ? 1 : 0))}V${base}z`;
  });
  const unwatched = runs(
    values.map(value => value === null),
    (start, end) => `M${x(start)} ${base - height}H${x(end)}V${base}H${x(start)}z`,
  );
  const text = toShort(peak);
  const half = (text.length * CHARACTER_WIDTH) / 2;
  const middle = Math.max(plot.left + half, Math.min(plot.right - half, plot.left + (at + 0.5) * band));
  return element(
    "g",
    { class: `s${style ?? i}`, "data-series": i },
    element("text", { class: "tick end name", x: plot.left - 10, y: base - height / 2, dy: ".35em" }, name),
    element("line", { class: "grid base", x1: plot.left, x2: plot.right, y1: base, y2: base }),
    ...(unwatched === "" ? [] : [element("path", { class: "hatched", d: unwatched })]),
    ...(bars === "" ? [] : [element("path", { class: "bars", d: bars })]),
    ...(peak === 0
      ? [element("text", { class: "tick", x: plot.left + 4, y: base - 8 }, "none")]
      : [element("text", { class: "tick middle small", x: round1(middle), y: base - height - 3 }, text)]),
  );
}

/** Minutes from one tick to the next. */
const TICK_MINUTES = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
const TICK_ROOM = 52;

/** Times of day, and the day itself where it begins. */
function timeAxis({ range, days, n }: Steps, plot: Plot): Markup[] {
  const start = Math.round(range.first * 1440);
  const end = start + Math.round(n * days * 1440);
  const perMinute = (plot.right - plot.left) / (end - start);
  const every = TICK_MINUTES.find(minutes => minutes * perMinute >= TICK_ROOM) ?? 1440;
  const ticks: Markup[] = [];
  for (let minute = Math.ceil(start / every) * every; minute < end; minute += every) {
    const x = round1(plot.left + (minute - start) * perMinute);
    const label = minute % 1440 === 0 ? toDayLabel(minute / 1440) : toClock(minute);
    const anchor = x - plot.left < 3.6 * label.length ? "" : " middle";
    ticks.push(
      element("line", { class: "grid", x1: x, x2: x, y1: plot.bottom, y2: plot.bottom + 5 }),
      element("text", { class: `tick${anchor}`, x, y: plot.bottom + 18 }, label),
    );
  }
  return ticks;
}

/** The numbers of what is told, above the days of each; those that would lie on each other stand side by side. */
function markRow(marks: readonly DayMark[], { range, n, days }: Steps, plot: Plot): Markup[] {
  const perDay = (plot.right - plot.left) / (n * days);
  // What began before, or ended behind, stands in no day that is drawn.
  const shown = marks
    .filter(({ first, last }) => first >= range.first && first <= range.last && last >= first)
    .toSorted((a, b) => a.first - b.first)
    .map(({ nth, first, last }) => {
      const day = Math.min(range.last, Math.max(range.first, first)) - range.first;
      const end = Math.min(range.last, last) - range.first + 1;
      const x = plot.left + day * perDay;
      return { nth, day, end, x, at: x + Math.min(8, ((end - day) * perDay) / 2) };
    });
  // From the left each makes room for the next; then from the right, since the picture ends there.
  shown.forEach((mark, i) => (mark.at = Math.max(mark.at, (shown[i - 1]?.at ?? -Infinity) + MARK_STEP)));
  shown.toReversed().forEach((mark, i, all) => (mark.at = Math.min(mark.at, (all[i - 1]?.at ?? plot.right - 8 + MARK_STEP) - MARK_STEP)));
  return shown.map(({ nth, day, end, x, at }) => {
    const isShort = end - day <= (n * days) / SHORT_PART;
    return element(
      "g",
      { class: "mark-of" },
      ...(isShort ? [element("rect", { class: "span", x: round1(x), width: Math.max(1, round1((end - day) * perDay)), y: plot.top, height: round1(plot.bottom - plot.top) })] : []),
      element("circle", { cx: round1(at), cy: 9, r: 7.5 }),
      element("text", { x: round1(at), y: 9, dy: ".35em" }, String(nth)),
    );
  });
}
