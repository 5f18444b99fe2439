/** Two choices of days and sensors side by side, whatever the page's filter is. */
import { perStep } from "../lib/view/axis.ts";
import { everything, wholeRange } from "../lib/view/cells.ts";
import { areNear, hasLogScale, lineChart, LOGARITHMIC } from "../lib/view/chart.ts";
import { toCsv } from "../lib/text/csv.ts";
import { parseIsoDay, toIsoDay } from "../lib/text/format.ts";
import { element } from "../lib/view/markup.ts";
import { compareFigures, compareKeys, compareLines, sideName } from "../lib/view/report-compare.ts";
import { partMarkup } from "../lib/view/report-markup.ts";
import { buildScope, columnNames, rankSection } from "../lib/view/report-view.ts";
import { find, findAll, h, saveSvg, saveText } from "./page.js";
import { writeAddress } from "./report-address.js";
import { showChart } from "./report-charts.js";

/** Leaders of each side. */
const KEYS_MOST = 15;

/**
 * @typedef {import("../lib/view/cells.ts").Filter} Filter
 * @typedef {import("../lib/view/report-compare.ts").Side} Side
 */

/** @param {import("./report.js").Report} report */
export function startCompare({ data, page, chooseRange }) {
  /** @type {HTMLElement} */
  const node = find("#compare");
  /** @type {HTMLDetailsElement} */
  const fold = find(".fold", node);
  const canvas = find(".canvas", node);
  const { grid } = data;
  const whole = wholeRange(grid);
  /** @type {HTMLSelectElement} */
  const chosen = find("select[name=section]", node);
  const sides = findAll("[data-side]", node);
  let drawnWidth = -1;
  /** @type {{ keys: string[][], head: string[] }} */
  let saved = { keys: [], head: [] };

  /** @type {(side: HTMLElement, first: number, last: number, sensor: number) => void} */
  function chooseSide(side, first, last, sensor) {
    find("[name=from]", side).value = toIsoDay(first);
    find("[name=to]", side).value = toIsoDay(last);
    const select = find("[name=sensor]", side);
    if (select !== null) select.value = String(sensor);
  }

  /** The last days and those before them; where there is no before, the first two sensors. */
  function chooseUsual() {
    const length = Math.min(page.lastDays, Math.floor(grid.days / 2));
    sides.forEach((side, i) => {
      const last = whole.last - (1 - i) * length;
      if (length < 1) chooseSide(side, whole.first, whole.last, i);
      else chooseSide(side, last - length + 1, last, -1);
    });
  }

  /** @param {HTMLElement} side */
  function filterOf(side) {
    const day = (/** @type {string} */ name, /** @type {number} */ otherwise) => {
      const parsed = parseIsoDay(find(`[name=${name}]`, side).value);
      return parsed === undefined ? otherwise : Math.min(whole.last, Math.max(whole.first, parsed));
    };
    const [from, to] = [day("from", whole.first), day("to", whole.last)];
    const only = Number(find("[name=sensor]", side)?.value ?? -1);
    const sensors = everything(grid).sensors.map((_, code) => Number(only < 0 || only === code));
    return { range: { first: Math.min(from, to), last: Math.max(from, to) }, sensors };
  }

  /** @param {number} width */
  function drawAt(width) {
    drawnWidth = width;
    const [a, b] = sides.map(side => {
      const scope = buildScope(data, filterOf(side), page);
      return { scope, name: sideName(scope) };
    });
    const both = /** @type {[Side, Side]} */ ([a, b]);
    const section = data.sections.find(({ id }) => id === chosen.value) ?? data.sections[0];
    const { section: meant } = rankSection(a.scope, section);

    const heads = (/** @type {string[]} */ names, numbersFrom = Infinity) =>
      h("tr", {}, ...names.map((text, i) => element("th", { scope: "col", ...(i >= numbersFrom && { class: "number" }) }, text)));
    const figures = find(".compare-figures", node);
    figures.tHead.replaceChildren(heads(["Figure", `A: ${a.name}`, `B: ${b.name}`]));
    figures.tBodies[0].replaceChildren(
      ...compareFigures(both).map(figure =>
        h(
          "tr",
          {},
          element("th", { scope: "row" }, figure.label),
          ...figure.sides.map(side =>
            element("td", {}, element("b", {}, side.value), " ", element("span", { class: "note" }, side.note)),
          ),
        ),
      ),
    );

    const { steps, lines, isAligned } = compareLines(both, section, width / 4);
    const from = isAligned ? "" : ", both from their first day on";
    const isLinear = areNear(lines);
    const scale = hasLogScale(lines) && !isLinear ? LOGARITHMIC : "";
    const label = `${meant.name}: ${meant.unit} ${perStep(steps.days)}${from}${scale}`;
    find(".unit", node).textContent = label;
    showChart(canvas, lineChart(lines, steps, width, label, { isLinear }), steps, lines, chooseRange);

    const rows = compareKeys(both, section, KEYS_MOST);
    const keys = find(".compare-keys", node);
    const head = [...columnNames(meant), "Count A", "Share A", "Count B", "Share B", "B against A"];
    keys.tHead.replaceChildren(heads(head, meant.columns.length));
    keys.tBodies[0].replaceChildren(
      ...rows.map(row =>
        h(
          "tr",
          {},
          ...row.parts.map((part, i) =>
            element(i === 0 ? "th" : "td", { ...(i === 0 && { scope: "row" }), class: part.className }, partMarkup(part)),
          ),
          ...row.sides.flatMap(side => [
            element("td", { class: "number" }, side.countText),
            element("td", { class: "number" }, side.shareText),
          ]),
          element("td", { class: "number" }, row.change),
        ),
      ),
    );
    saved = {
      head,
      keys: rows.map(row => [
        ...row.parts.map(part => (part.isNone ? "" : part.text)),
        ...row.sides.flatMap(side => [String(side.count), side.shareText]),
        row.change,
      ]),
    };
  }

  const draw = () => fold.open && canvas.clientWidth !== drawnWidth && drawAt(canvas.clientWidth);

  /** What is chosen, while it is seen. */
  function remember() {
    const choices = sides.flatMap(side => {
      const { range, sensors } = filterOf(side);
      const only = Number(find("[name=sensor]", side)?.value ?? -1);
      const days = `${toIsoDay(range.first)}..${toIsoDay(range.last)}`;
      const letter = side.dataset.side?.toLowerCase();
      return [
        [letter, days],
        [`${letter}-on`, sensors.length > 1 && only >= 0 ? data.sensors[only] : undefined],
      ];
    });
    const all = Object.fromEntries([...choices, ["what", chosen.value]]);
    writeAddress(fold.open ? all : Object.fromEntries(Object.keys(all).map(name => [name, undefined])));
  }

  /** @param {URLSearchParams} state */
  function recall(state) {
    chooseUsual();
    let isNamed = false;
    for (const side of sides) {
      const letter = /** @type {string} */ (side.dataset.side?.toLowerCase());
      const [first, last] = (state.get(letter) ?? "").split("..").map(parseIsoDay);
      if (first === undefined || last === undefined) continue;
      isNamed = true;
      const sensor = state.get(`${letter}-on`);
      const clamp = (/** @type {number} */ day) => Math.min(whole.last, Math.max(whole.first, day));
      chooseSide(side, clamp(first), clamp(last), sensor === null ? -1 : data.sensors.indexOf(sensor));
    }
    const what = state.get("what");
    chosen.value = data.sections.find(({ id }) => id === what)?.id ?? chosen.options[0]?.value ?? "";
    fold.open = isNamed;
    drawnWidth = -1;
    draw();
  }

  fold.addEventListener("toggle", () => {
    draw();
    remember();
  });
  find(".compare-form", node).addEventListener("change", () => {
    drawAt(canvas.clientWidth);
    remember();
  });
  node.addEventListener("click", (/** @type {any} */ event) => {
    const kind = event.target.closest("[data-save]")?.dataset.save;
    if (kind === "svg") saveSvg(canvas, "side-by-side");
    if (kind === "csv") saveText(toCsv(saved.head, saved.keys), "side-by-side.csv", "text/csv");
  });
  // The page's filter changes nothing here, the window's width does; paper does not hold it.
  return { node, draw, drawAt: () => {}, recall };
}
