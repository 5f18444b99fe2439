/** The first screen of a report, and the timeline below it: sentences that lead to their days, activity, who did what. */
import { multiplesChart } from "../lib/view/multiples-chart.ts";
import {
  activityLabel,
  activityLines,
  activitySteps,
  buildBehaviours,
  buildWho,
  firstListMarkup,
} from "../lib/view/report-first.ts";
import {
  chooseSentences,
  describeTimeline,
  historyTable,
  placeOf,
  rowAt,
  rowsWithin,
  sentencesMarkup,
  timelineChart,
  toMarks,
} from "../lib/view/report-history.ts";
import { dataTable } from "../lib/view/data-table.ts";
import { buildFunnel, funnelMarkup } from "../lib/view/report-reach.ts";
import { storiesMarkup } from "../lib/view/report-stories.ts";
import { watchMarkup } from "../lib/view/report-watch.ts";
import { startDataTable } from "./data-tables.js";
import { find, findAll, h, saveSvg, saveText, toNode } from "./page.js";
import { showChart } from "./report-charts.js";
import { unlessDelivered } from "./report-overview.js";
import { linesCsv, NUMBER_ROWS, growingNumbers, startNumbers } from "./report-numbers.js";
import { startTable } from "./tables.js";

/**
 * @typedef {import("../lib/view/chart.ts").Line} Line
 * @typedef {import("../lib/view/chart.ts").Steps} Steps
 * @typedef {import("../lib/view/report-history.ts").HistoryData} HistoryData
 * @typedef {import("./report.js").Part} Part
 * @typedef {import("./report.js").Report} Report
 */

/** Room that a step of the small multiples takes at least, in pixels. */
const STEP_ROOM = 3;

/** @param {Report} report */
const toldOf = ({ page: { history }, scope }) => (history === undefined ? [] : chooseSentences(history, scope.filter));

/** @type {(report: Report) => Part} */
export function startActivity(report) {
  const box = find("#activity");
  const canvas = find(".canvas", box);
  const numbers = startNumbers(box, () => draw(canvas.clientWidth));
  /** @type {{ steps: Steps, lines: Line[] }} */
  let current;
  const draw = (/** @type {number} */ width) => {
    const { scope } = report;
    const steps = activitySteps(scope, numbers.isShown() ? NUMBER_ROWS : width / STEP_ROOM);
    const lines = activityLines(scope, steps);
    const label = activityLabel(steps);
    find(".unit", box).textContent = label;
    current = { steps, lines };
    if (numbers.isShown()) return canvas.replaceChildren(growingNumbers(steps, lines, label));
    showChart(canvas, multiplesChart(lines, steps, width, label, toMarks(toldOf(report))), steps, lines, (first, last) => {
      // Of hours whole days are chosen.
      report.chooseRange(Math.floor(first), Math.ceil(last));
    });
  };
  box.addEventListener("click", (/** @type {any} */ event) => {
    const kind = event.target.closest("[data-save]")?.dataset.save;
    if (kind === "svg") saveSvg(canvas, "activity");
    if (kind === "csv") saveText(linesCsv(current), "activity-over-time.csv", "text/csv");
  });
  return { node: box, draw: () => draw(canvas.clientWidth), drawAt: draw };
}

/** @type {(report: Report) => Part} */
export function startFirst(report) {
  const node = find("#overview");
  const told = find("#told", node);
  const { history, chains, stories, trails } = report.page;
  if (told !== null && history !== undefined) leadToDays(told, report, history);
  return unlessDelivered(report, node, () => {
    const { scope } = report;
    find("#funnel .list").replaceChildren(...funnelMarkup(buildFunnel(scope)).map(part => toNode(part)));
    find("#who .list").replaceChildren(toNode(firstListMarkup(buildWho(scope), "connections")));
    find("#behaviours .list")?.replaceChildren(toNode(firstListMarkup(buildBehaviours(scope, chains), chains === undefined ? "commands" : "sessions")));
    if (stories && trails) find("#stories .story").replaceChildren(...storiesMarkup(scope, stories, trails).map(item => toNode(item)));
    if (told === null || history === undefined) return;
    const rows = toldOf(report);
    const items = sentencesMarkup(rows, row => placeOf(history, row)).map(item => toNode(item));
    const none = h("li", { class: "none" }, "Nothing that stands out in this selection.");
    find(".story", told).replaceChildren(...(items.length === 0 ? [none] : items));
  });
}

/** A part of its own: of many sensors it takes as long as all the rest. @type {(report: Report) => Part} */
export function startWatch(report) {
  /** @type {HTMLElement} */
  const node = find("#watch");
  return unlessDelivered(report, node, () => node.replaceChildren(...watchMarkup(report.scope).map(part => toNode(part))));
}

/** @type {(report: Report, history: HistoryData) => Part | undefined} */
export function startTimeline(report, history) {
  /** @type {HTMLElement | null} */
  const node = find("#history");
  if (node === null) return undefined;
  const canvas = find(".canvas", node);
  const fold = find(".more-numbers", node);
  let isUntouched = true;
  const drawAt = (/** @type {number} */ width) => {
    const { scope } = report;
    const rows = rowsWithin(history, scope.filter);
    const svg = toNode(timelineChart(rows, scope.filter.range, width, row => history.rows.indexOf(row)).svg);
    // The picture is a group of buttons, not one big image.
    svg.setAttribute("role", "group");
    for (const [i, lane] of findAll(".lane", svg).entries()) {
      lane.setAttribute("tabindex", i === 0 ? "0" : "-1");
      lane.setAttribute("role", "button");
    }
    canvas.replaceChildren(svg);
    if (isUntouched && scope.whole) return;
    isUntouched = false;
    find(".lead", node).textContent = describeTimeline(rows, rows.length, scope.whole);
    find(".data-table", fold)?.remove();
    if (rows.length === 0) return;
    const box = toNode(dataTable(historyTable(rows)));
    fold.append(box);
    startDataTable(box);
    startTable(find(".scroll", box));
  };
  leadToDays(canvas, report, history);
  find("[data-save=svg]", node).addEventListener("click", () => saveSvg(canvas, "history"));
  find("[data-save=csv]", node).addEventListener("click", () => find("[data-table=csv]", fold)?.click());
  return { node, draw: () => drawAt(canvas.clientWidth), drawAt };
}

/**
 * What is told of an episode leads to its days and sensors.
 *
 * @param {HTMLElement} node
 * @param {Report} report
 * @param {HistoryData} history
 */
function leadToDays(node, report, history) {
  const choose = (/** @type {any} */ event) => {
    const place = event.target.closest("[data-episode]")?.dataset.episode;
    if (place === undefined) return;
    event.preventDefault();
    const row = rowAt(history, Number(place));
    if (row !== undefined) report.choose({ first: row.first, last: row.last }, row.sensors);
  };
  node.addEventListener("click", choose);
  node.addEventListener("keydown", event => {
    const lane = /** @type {Element} */ (event.target).closest(".lane");
    if (lane === null) return;
    if (event.key === "Enter" || event.key === " ") choose(event);
    moveAmong(findAll(".lane", node), lane, event);
  });
}

/**
 * Tab goes to the lanes and past them, arrows from one to the next.
 *
 * @param {any[]} lanes
 * @param {Element} from
 * @param {KeyboardEvent} event
 */
function moveAmong(lanes, from, event) {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const to = lanes[lanes.indexOf(from) + step];
  if (step === 0 || to === undefined) return;
  event.preventDefault();
  from.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus();
}
