/** A section of the report: its chart in several views, with a legend that switches lines off, and its table. */
import { describeAlike, hasLogScale, lineChart, lineLabels, lineText, LOGARITHMIC, SERIES_MOST, stackChart, weightOf } from "../lib/view/chart.ts";
import { groupAlike } from "../lib/view/alike.ts";
import { clipEndsApart } from "../lib/text/cut.ts";
import { element } from "../lib/view/markup.ts";
import { buildLines, buildRest, chooseSteps, hasCourse, rankSection, stepUnit, sumAlike } from "../lib/view/report-view.ts";
import { copyText, find, findAll, h, saveSvg, saveText, swatch } from "./page.js";
import { showChart, showHeat } from "./report-charts.js";
import { linesCsv, NUMBER_ROWS, growingNumbers } from "./report-numbers.js";
import { startRanking } from "./report-ranking.js";
import { heatChart } from "../lib/view/heat-chart.ts";

/**
 * @typedef {import("../lib/view/chart.ts").Line} Line
 * @typedef {import("../lib/view/chart.ts").Steps} Steps
 * @typedef {import("../lib/view/section-keys.ts").SectionData} SectionData
 * @typedef {import("../lib/view/report-view.ts").Ranking} Ranking
 * @typedef {import("./report.js").Part} Part
 * @typedef {import("./report.js").Report} Report
 * @typedef {Line & { key: number }} KeyLine
 */

/** Room that one step takes at least, by view, in pixels. @type {Record<string, number>} */
const STEP_ROOM = { lines: 1.6, stack: 4, strips: 6 };
/** Rows of strips at most, and characters of their names. */
const STRIPS_MOST = 20;
const STRIP_NAME = 80;
/** Characters of a name in the legend. */
const LEGEND_NAME = 40;

/** @type {(report: Report, section: SectionData) => Part} */
export function startSection(report, section) {
  /** @type {HTMLElement} */
  const node = find(`[data-section="${section.id}"]`);
  let ranking = rankSection(report.scope, section);
  const chart = startChart(report, section, node, () => ranking);
  const table = startRanking(report, section, node, () => ranking);
  let isUntouched = true;
  node.addEventListener("click", (/** @type {any} */ event) => {
    const { table: action } = event.target.closest("button")?.dataset ?? {};
    if (action === "csv") saveText(table.toCsv(), `${section.id}.csv`, "text/csv");
    if (action === "copy") void copyText(table.toCsv(), event.target.closest("button"));
  });
  return {
    node,
    draw() {
      ranking = rankSection(report.scope, section);
      // Its words say that there is nothing.
      node.classList.toggle("nothing", ranking.total === 0);
      chart.draw();
      // As delivered the table is what an unfiltered view shows.
      if (!isUntouched || !report.scope.whole) table.draw();
      isUntouched = false;
    },
    drawAt: chart.drawAt,
    prepare: table.prepare,
  };
}

/** @type {(report: Report, section: SectionData, node: HTMLElement, rankingOf: () => Ranking) => { draw: () => void, drawAt: (width: number) => void }} */
function startChart(report, section, node, rankingOf) {
  const box = find(".chart-box", node);
  const canvas = find(".canvas", box);
  /** @type {Set<number>} */
  const hiddenKeys = new Set();
  let view = "lines";
  /** The last view that is a picture. */
  let picture = view;
  /** @type {{ steps: Steps, lines: Line[] }} */
  let current;
  // What is not seen may still be saved.
  const draw = () => drawAt(canvas.clientWidth || node.clientWidth);
  const drawLegend = startLegend(box, hiddenKeys, draw);

  /** @param {number} width */
  function drawAt(width) {
    const ranking = rankingOf();
    const { scope } = report;
    const steps = chooseSteps(
      scope,
      view === "table" ? NUMBER_ROWS : Math.max(1, width - (width > 620 ? 240 : 60)) / STEP_ROOM[view],
    );
    const most = Math.min(report.page.show, view === "strips" ? STRIPS_MOST : SERIES_MOST);
    const groups = groupAlike(ranking, most);
    const all = buildLines(scope, ranking, groups, steps).map((line, i) => ({ ...line, style: i, key: groups[i][0] }));
    /** @type {Line[]} */
    const lines = all.filter(line => view === "strips" || !hiddenKeys.has(line.key));
    box.classList.toggle("no-course", !hasCourse(scope) && view !== "table");
    const unit = `${stepUnit(ranking.section, steps)}${view === "lines" && hasLogScale(lines) ? LOGARITHMIC : ""}${describeAlike(lines)}`;
    const label = `${ranking.section.name}: ${unit}`;
    find(".unit", box).textContent = unit;
    if (view === "stack") {
      const rest = buildRest(scope, ranking, all, steps);
      if (rest.some(value => value !== null && value > 0))
        lines.push({ name: "everything else", values: rest, style: SERIES_MOST });
    }
    drawLegend(view === "lines" || view === "stack" ? all : []);
    current = { steps, lines };
    if (ranking.total === 0) return canvas.replaceChildren(h("p", { class: "none" }, "Nothing in this selection."));
    if (view === "table") return canvas.replaceChildren(growingNumbers(steps, lines, unit));
    if (view === "strips") {
      const names = lineLabels(all, STRIP_NAME);
      const rows = all.map((line, i) => ({ name: names[i], total: ranking.counts[line.key], values: line.values }));
      return showHeat(canvas, heatChart(rows, steps, width, label), steps, rows);
    }
    const drawn = view === "stack" ? sumAlike(lines) : lines;
    const chart = view === "stack" ? stackChart(drawn, steps, width, label) : lineChart(drawn, steps, width, label);
    showChart(canvas, chart, steps, drawn, report.chooseRange);
  }

  box.addEventListener("click", (/** @type {any} */ event) => {
    const button = event.target.closest("button");
    const wanted = button?.dataset.view;
    if (wanted !== undefined) {
      view = wanted === "table" && view === "table" ? picture : wanted;
      if (view !== "table") picture = view;
      for (const other of findAll("[data-view]", box)) other.setAttribute("aria-pressed", String(other.dataset.view === view));
      draw();
      find("[data-save=svg]", box).disabled = view === "table";
    }
    if (button?.dataset.save === "svg") saveSvg(canvas, section.id);
    if (button?.dataset.save === "csv") saveText(linesCsv(current), `${section.id}-over-time.csv`, "text/csv");
  });
  return { draw, drawAt };
}

/**
 * With labels at the line ends, the legend is for switching lines off; for one line there is nothing to switch.
 *
 * @type {(box: HTMLElement, hiddenKeys: Set<number>, redraw: () => void) => (lines: KeyLine[]) => void}
 */
function startLegend(box, hiddenKeys, redraw) {
  const legend = find(".legend", box);
  const canvas = find(".canvas", box);
  /** @type {(line: KeyLine, on: boolean) => void} */
  const point = (line, on) => {
    const svg = find("svg", canvas);
    svg?.classList.toggle("dimmed", on);
    for (const series of findAll("[data-series]", svg ?? canvas)) {
      series.classList.toggle("hot", on && series.classList.contains(`s${line.style}`));
    }
  };
  /** @type {(line: KeyLine, name: string) => HTMLButtonElement} */
  const toButton = (line, name) => {
    const button = h(
      "button",
      { type: "button", "aria-pressed": String(!hiddenKeys.has(line.key)), class: `s${line.style}`, title: weightOf(line) === 1 ? undefined : lineText(line) },
      swatch(),
      element("code", {}, name),
      weightOf(line) === 1 ? undefined : element("span", { class: "what" }, ` +${weightOf(line) - 1}`),
    );
    button.addEventListener("click", () => {
      if (!hiddenKeys.delete(line.key)) hiddenKeys.add(line.key);
      const at = [...legend.children].indexOf(button);
      redraw();
      legend.children[at].focus();
    });
    button.addEventListener("pointerenter", () => point(line, true));
    button.addEventListener("pointerleave", () => point(line, false));
    return button;
  };
  return lines => {
    const names = clipEndsApart(
      lines.map(({ name }) => name),
      LEGEND_NAME,
    );
    legend.replaceChildren(...(lines.length < 2 ? [] : lines).map((line, i) => toButton(line, names[i])));
  };
}
