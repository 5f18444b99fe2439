/** Charts that answer a pointer and keys: what stands at a step, and which days are chosen. */
import { describeValue, lineLabels } from "../lib/view/chart.ts";
import { element } from "../lib/view/markup.ts";
import { describePeak, stepLabel } from "../lib/view/report-view.ts";
import { find, hideTip, showTip, toNode } from "./page.js";

/**
 * @typedef {import("../lib/view/chart.ts").Chart} Chart
 * @typedef {import("../lib/view/heat-chart.ts").HeatChart} HeatChart
 * @typedef {import("../lib/view/heat-chart.ts").HeatRow} HeatRow
 * @typedef {import("../lib/view/chart.ts").Line} Line
 * @typedef {import("../lib/view/chart.ts").Steps} Steps
 */

/** What a chart says to whoever has come to it by key. */
const CHART_KEYS = "Arrow keys move over the days, with Shift they choose a run of them, Enter shows these alone.";

/** Characters of a name in a tip. */
const TIP_NAME = 44;

/** Days and rows that a key moves over. @type {Record<string, [number, number]>} */
const HEAT_MOVES = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  PageUp: [-7, 0],
  PageDown: [7, 0],
};

/**
 * Put a chart into its place; days are chosen by dragging over them, or by keys.
 *
 * @param {HTMLElement} canvas
 * @param {Chart} chart
 * @param {Steps} steps
 * @param {Line[]} lines
 * @param {(first: number, last: number) => void} chooseRange
 */
export function showChart(canvas, chart, steps, lines, chooseRange) {
  const svg = toNode(chart.svg);
  svg.setAttribute("tabindex", "0");
  canvas.replaceChildren(svg);
  svg.setAttribute("aria-label", `${describePeak(chartLabel(svg), steps, lines)}. ${CHART_KEYS}`);
  const cursor = startCursor(svg, chart, steps, lines);
  const brush = startBrush(svg, chart, steps);
  /** @type {(a: number, b: number) => void} */
  const choose = (a, b) => {
    hideTip();
    const { range, days } = steps;
    chooseRange(range.first + Math.min(a, b) * days, Math.min(range.last, range.first + (Math.max(a, b) + 1) * days - 1));
  };
  answerPointer(svg, cursor, brush, choose);
  answerKeys(svg, steps, cursor, brush, (a, b) => {
    choose(a, b);
    // The chart has been drawn anew; who came by key goes on by key.
    find("svg", canvas)?.focus();
  });
}

/**
 * @typedef {ReturnType<typeof startCursor>} Cursor
 * @typedef {ReturnType<typeof startBrush>} Brush
 */

/**
 * The step that is pointed at, and what stands there.
 *
 * @param {SVGElement} svg
 * @param {Chart} chart
 * @param {Steps} steps
 * @param {Line[]} lines
 */
function startCursor(svg, { plot }, steps, lines) {
  const band = (plot.right - plot.left) / steps.n;
  const cross = find(".cross", svg);
  const names = lineLabels(lines, TIP_NAME);
  const cursor = {
    at: steps.n - 1,
    /** @type {(step: number, clientX: number, clientY: number) => void} */
    point(step, clientX, clientY) {
      cursor.at = step;
      const x = String(plot.left + (step + 0.5) * band);
      cross.setAttribute("x1", x);
      cross.setAttribute("x2", x);
      cross.removeAttribute("hidden");
      const entries = lines
        .map((line, i) => ({ name: names[i], style: line.style, value: line.values[step] }))
        .sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
      showTip(clientX, clientY, stepLabel(steps, step), entries);
    },
    /** @param {number} step As if the pointer were there. */
    pointByKey(step) {
      const frame = svg.getBoundingClientRect();
      const x = ((plot.left + (step + 0.5) * band) * frame.width) / plot.width;
      cursor.point(step, frame.left + x, Math.max(8, frame.top) + 30);
    },
    /** @param {PointerEvent} event */
    stepUnder(event) {
      const frame = svg.getBoundingClientRect();
      const x = ((event.clientX - frame.left) * plot.width) / frame.width;
      return Math.max(0, Math.min(steps.n - 1, Math.floor((x - plot.left) / band)));
    },
    leave() {
      cross.setAttribute("hidden", "");
      hideTip();
    },
  };
  return cursor;
}

/**
 * The days that are being chosen.
 *
 * @param {SVGElement} svg
 * @param {Chart} chart
 * @param {Steps} steps
 */
function startBrush(svg, { plot }, steps) {
  const band = (plot.right - plot.left) / steps.n;
  /** @type {SVGRectElement | undefined} */
  let drawn;
  const brush = {
    isDrawn: () => drawn !== undefined,
    /** Where a run of days chosen by keys begins. @type {number | undefined} */
    anchor: undefined,
    /** @type {(from: number, to: number) => void} */
    draw(from, to) {
      if (drawn === undefined) {
        const frame = { class: "brush", y: plot.top, height: plot.bottom - plot.top };
        svg.append((drawn = toNode(element("rect", frame), true)));
      }
      drawn?.setAttribute("x", String(plot.left + Math.min(from, to) * band));
      drawn?.setAttribute("width", String((Math.abs(from - to) + 1) * band));
    },
    drop() {
      drawn?.remove();
      drawn = brush.anchor = undefined;
    },
  };
  return brush;
}

/** @type {(svg: SVGElement, cursor: Cursor, brush: Brush, choose: (a: number, b: number) => void) => void} */
function answerPointer(svg, cursor, brush, choose) {
  let from = 0;
  svg.addEventListener("pointermove", event => {
    const step = cursor.stepUnder(event);
    cursor.point(step, event.clientX, event.clientY);
    if (brush.isDrawn() && brush.anchor === undefined) brush.draw(from, step);
  });
  svg.addEventListener("pointerdown", event => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    brush.drop();
    from = cursor.stepUnder(event);
    brush.draw(from, from);
    svg.setPointerCapture(event.pointerId);
  });
  const end = (/** @type {PointerEvent} */ event) => {
    if (!brush.isDrawn() || brush.anchor !== undefined) return;
    brush.drop();
    const step = cursor.stepUnder(event);
    if (event.type === "pointerup" && step !== from) choose(step, from);
  };
  svg.addEventListener("pointerup", end);
  svg.addEventListener("pointercancel", end);
  svg.addEventListener("pointerleave", () => brush.isDrawn() || cursor.leave());
  svg.addEventListener("blur", () => {
    brush.drop();
    cursor.leave();
  });
}

/** @type {(svg: SVGElement, steps: Steps, cursor: Cursor, brush: Brush, choose: (a: number, b: number) => void) => void} */
function answerKeys(svg, steps, cursor, brush, choose) {
  /** @type {Record<string, number>} */
  const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -Infinity, End: Infinity };
  svg.addEventListener("keydown", event => {
    const from = brush.anchor ?? cursor.at;
    if (event.key === "Escape") {
      brush.drop();
      cursor.leave();
      return;
    }
    if (event.key === "Enter") {
      event.preventDefault();
      choose(from, cursor.at);
      return;
    }
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const step = Math.max(0, Math.min(steps.n - 1, cursor.at + move));
    brush.drop();
    if (event.shiftKey) brush.draw((brush.anchor = from), step);
    cursor.pointByKey(step);
  });
}

/**
 * Put a heat map into its place.
 *
 * @param {HTMLElement} canvas
 * @param {HeatChart} chart
 * @param {Steps} steps
 * @param {HeatRow[]} rows
 */
export function showHeat(canvas, chart, steps, rows) {
  const svg = toNode(chart.svg);
  svg.setAttribute("tabindex", "0");
  canvas.replaceChildren(svg);
  svg.setAttribute("aria-label", `${chartLabel(svg)}. Arrow keys move over days and rows.`);
  const { plot, rowHeight } = chart;
  const band = (plot.right - plot.left) / steps.n;
  const mark = find(".mark", svg);
  let at = { step: steps.n - 1, row: 0 };
  /** @type {(step: number, row: number, clientX: number, clientY: number) => void} */
  const point = (step, row, clientX, clientY) => {
    at = { step, row };
    mark.setAttribute("x", String(plot.left + step * band));
    mark.setAttribute("y", String(plot.top + row * rowHeight));
    mark.removeAttribute("hidden");
    const value = rows[row].values[step];
    const text = value === undefined ? "not yet or no longer there" : describeValue(value);
    showTip(clientX, clientY, stepLabel(steps, step), [{ name: rows[row].name, text }]);
  };
  const leave = () => {
    mark.setAttribute("hidden", "");
    hideTip();
  };
  svg.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    const frame = svg.getBoundingClientRect();
    const scale = plot.width / frame.width;
    const step = Math.floor(((event.clientX - frame.left) * scale - plot.left) / band);
    const row = Math.floor(((event.clientY - frame.top) * scale - plot.top) / rowHeight);
    if (step < 0 || row < 0 || step >= steps.n || row >= rows.length) leave();
    else point(step, row, event.clientX, event.clientY);
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("blur", leave);
  svg.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") return leave();
    const move = HEAT_MOVES[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const step = Math.max(0, Math.min(steps.n - 1, at.step + move[0]));
    const row = Math.max(0, Math.min(rows.length - 1, at.row + move[1]));
    const frame = svg.getBoundingClientRect();
    const scale = frame.width / plot.width;
    const x = (plot.left + (step + 0.5) * band) * scale;
    point(step, row, frame.left + x, frame.top + (plot.top + (row + 1) * rowHeight) * scale);
  });
}

/** @param {SVGElement} svg As it was drawn. */
function chartLabel(svg) {
  return svg.getAttribute("aria-label") ?? "";
}
