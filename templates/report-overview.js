/** What stands above the sections of a report, and beside them: figures, sensors, changes, lengths of sessions. */
import { toCsv } from "../lib/text/csv.ts";
import { formatNumber, toIsoDay } from "../lib/text/format.ts";
import { element } from "../lib/view/markup.ts";
import { figureMarkup, numberHead, scrollBox, tableMarkup } from "../lib/view/parts-markup.ts";
import { buildChangesView } from "../lib/view/report-changes.ts";
import { buildDurationsView } from "../lib/view/report-durations.ts";
import { dataTable } from "../lib/view/data-table.ts";
import { SECTIONS } from "../lib/view/report-sections.ts";
import { buildHeatRows, chooseSteps, describeCoverage } from "../lib/view/report-view.ts";
import { startDataTable } from "./data-tables.js";
import { find, h, saveSvg, saveText, toNode } from "./page.js";
import { showHeat } from "./report-charts.js";
import { NUMBER_ROWS, NUMBERS_MOST, growingNumbers, startNumbers } from "./report-numbers.js";
import { startTable } from "./tables.js";
import { buildFigures, describeHeadline } from "../lib/view/report-figures.ts";
import { heatChart } from "../lib/view/heat-chart.ts";
import { describeOrder, findUnlike, heatStep, orderRows, unlikeOf } from "../lib/view/report-watch.ts";

/**
 * @typedef {import("../lib/view/heat-chart.ts").HeatRow} HeatRow
 * @typedef {import("../lib/view/chart.ts").Steps} Steps
 * @typedef {import("./report.js").Part} Part
 * @typedef {import("./report.js").Report} Report
 */


/** What is said of the days chosen, and the figures: as delivered they are those of all. @type {(report: Report) => Part[]} */
export function startHeadline(report) {
  const [heading, lede, figures] = [find("h1"), find("#lede"), find("#figures")];
  const drawHeading = () => {
    const headline = describeHeadline(report.scope);
    heading.textContent = headline.heading;
    lede.textContent = headline.lede;
  };
  return [unlessDelivered(report, heading, drawHeading), unlessDelivered(report, figures, () => drawFigures(report, figures))];
}

/** A part that no width changes: as delivered it says what there is of all days and sensors. @type {(report: Report, node: HTMLElement, redraw: () => void) => Part} */
export function unlessDelivered(report, node, redraw) {
  let isUntouched = true;
  const draw = () => {
    if (isUntouched && report.scope.whole) return;
    isUntouched = false;
    redraw();
  };
  return { node, draw, drawAt: draw };
}

/** @type {(report: Report, node: HTMLElement) => void} */
function drawFigures(report, node) {
  node.replaceChildren(...buildFigures(report.scope).map(figure => toNode(figureMarkup(figure))));
}

/** @type {(report: Report) => Part} */
export function startCoverage(report) {
  const box = find("#coverage-chart");
  const canvas = find(".canvas", box);
  /** @type {HTMLSelectElement} */
  const metric = find("#metric");
  metric.append(h("option", { value: "-1" }, "all events"));
  report.data.sections.forEach((section, i) => {
    if (section.id === "lengths" || section.id === "events") return;
    const { name, unit } = /** @type {import("../lib/view/report-sections.ts").Section} */ (
      SECTIONS.find(({ id }) => id === section.id)
    );
    metric.append(h("option", { value: String(i) }, `${name} (${unit})`));
  });
  /** @type {HeatRow[]} */
  let rows = [];
  /** @type {Steps} */
  let steps;
  const numbers = startNumbers(box, () => draw(canvas.clientWidth));
  const draw = (/** @type {number} */ width) => {
    const { scope } = report;
    const chosen = scope.filter.sensors.reduce((sum, one) => sum + one, 0);
    steps = chooseSteps(
      scope,
      numbers.isShown() ? Math.min(NUMBER_ROWS, NUMBERS_MOST / Math.max(1, chosen)) : width / heatStep(scope),
    );
    const section = scope.data.sections[Number(metric.value)];
    const drawn = buildHeatRows(scope, steps, section);
    const { apart, ...ordered } = orderRows(drawn, section === undefined ? unlikeOf(scope) : findUnlike(drawn));
    rows = [...ordered.rows];
    const what = section === undefined ? "Events" : (metric.selectedOptions[0].textContent ?? "");
    const label = describeCoverage(scope, what, steps, rows.length) + describeOrder(rows, apart);
    find(".unit", box).textContent = label;
    if (rows.length === 0) return canvas.replaceChildren("No sensor chosen.");
    if (numbers.isShown()) return canvas.replaceChildren(growingNumbers(steps, rows, label));
    const chart = heatChart(rows, steps, width, label, apart);
    showHeat(canvas, chart, steps, rows);
  };
  const part = { node: box, draw: () => draw(canvas.clientWidth), drawAt: draw };
  metric.addEventListener("change", part.draw);
  box.addEventListener("click", (/** @type {any} */ event) => {
    const kind = event.target.closest("[data-save]")?.dataset.save;
    if (kind === "svg") saveSvg(canvas, "coverage");
    if (kind === "csv" && rows.length > 0) {
      const header = ["sensor", ...rows[0].values.map((_, step) => toIsoDay(steps.range.first + step * steps.days))];
      saveText(
        toCsv(
          header,
          rows.map(row => [row.name, ...row.values]),
        ),
        "coverage.csv",
        "text/csv",
      );
    }
  });
  return part;
}

/**
 * @param {Report} report
 * @param {import("../lib/view/report-durations.ts").DurationsData} lengths
 * @returns {Part}
 */
export function startDurations(report, lengths) {
  /** @type {HTMLElement} */
  const node = find("#durations");
  const canvas = find(".canvas", node);
  const numbers = startNumbers(node, () => drawAt(canvas.clientWidth));
  /** @type {import("../lib/view/report-durations.ts").DurationsView["rows"]} */
  let rows = [];
  const drawAt = (/** @type {number} */ width) => {
    const view = buildDurationsView(report.scope, lengths, width);
    ({ rows } = view);
    find(".unit", node).textContent = view.label;
    canvas.replaceChildren(numbers.isShown() ? durationsTable(rows, view.label) : toNode(view.svg));
  };
  node.addEventListener("click", event => {
    const kind = /** @type {Element} */ (event.target).closest("button")?.dataset.save;
    if (kind === "svg") saveSvg(canvas, "durations");
    if (kind === "csv") saveText(toCsv(["length", "sessions"], rows.map(({ name, count }) => [name, count])), "durations.csv", "text/csv");
  });
  return { node, draw: () => drawAt(canvas.clientWidth), drawAt };
}

/** @type {(rows: import("../lib/view/report-durations.ts").DurationsView["rows"], label: string) => HTMLElement} */
function durationsTable(rows, label) {
  const body = rows.map(({ name, count, share }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", { class: "number" }, formatNumber(count)),
      element("td", { class: "number" }, share),
    ),
  );
  return toNode(scrollBox(label, tableMarkup(["Length", ...["Sessions", "Share"].map(numberHead)], body), "scroll numbers"));
}

/**
 * @param {Report} report
 * @param {import("../lib/view/report-changes.ts").ChangesData} changes
 * @returns {Part}
 */
export function startChanges(report, changes) {
  /** @type {HTMLElement} */
  const node = find("#changes");
  return unlessDelivered(report, node, () => {
    const { lead, table } = buildChangesView(report.scope, changes);
    find(".lead", node).textContent = lead;
    find(".data-table", node)?.remove();
    node.classList.toggle("brief", table === undefined);
    if (table === undefined) return;
    const box = toNode(dataTable(table));
    node.append(box);
    startDataTable(box);
    startTable(find(".scroll", box));
  });
}
