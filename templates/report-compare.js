/** Two choices of days and sensors side by side, whatever the page's filter is. */
import { perStep } from "../lib/view/axis.ts";
import { everything, wholeRange } from "../lib/view/cells.ts";
import { areNear, hasLogScale, lineChart, LOGARITHMIC } from "../lib/view/chart.ts";
import { toCsv } from "../lib/text/csv.ts";
import { parseIsoDay, toIsoDay } from "../lib/text/format.ts";
import { element } from "../lib/view/markup.ts";
import { compareFigures, compareLeaders, compareLines, sideName } from "../lib/view/report-compare.ts";
import { headCell, partMarkup } from "../lib/view/parts-markup.ts";
import { buildScope, columnNames, rankSection } from "../lib/view/report-view.ts";
import { find, findAll, h, saveSvg, saveText } from "./page.js";
import { writeAddress } from "./report-address.js";
import { showChart } from "./report-charts.js";

/** Leaders of each side. */
const KEYS_MOST = 15;
/** Pixels of a picture that is saved unseen. */
const UNSEEN_WIDTH = 900;

/**
 * @typedef {import("../lib/view/cells.ts").Filter} Filter
 * @typedef {import("../lib/view/report-compare.ts").Side} Side
 * @typedef {import("./report.js").Report} Report
 */

/** @param {Report} report */
export function startCompare(report) {
  /** @type {HTMLElement} */
  const node = find("#compare");
  /** @type {HTMLDetailsElement} */
  const fold = find(".fold", node);
  const canvas = find(".canvas", node);
  /** @type {HTMLSelectElement} */
  const chosen = find("select[name=section]", node);
  const sides = findAll("[data-side]", node).map(form => startSide(report.data, form));
  let drawnWidth = -1;
  /** What is saved as CSV. */
  let saved = "";

  /** @param {number} width */
  function drawAt(width) {
    drawnWidth = width;
    saved = drawCompared(report, node, chosen.value, sides, width);
  }

  const draw = () => fold.open && canvas.clientWidth !== drawnWidth && drawAt(canvas.clientWidth);

  /** What is chosen, while it is seen. */
  function remember() {
    const all = { ...Object.assign({}, ...sides.map(side => side.toAddress())), what: chosen.value };
    writeAddress(fold.open ? all : Object.fromEntries(Object.keys(all).map(name => [name, undefined])));
  }

  /** @param {URLSearchParams} state */
  function recall(state) {
    chooseUsual(report, sides);
    fold.open = sides.map(side => side.recall(state)).some(isNamed => isNamed);
    const what = state.get("what");
    chosen.value = report.data.sections.find(({ id }) => id === what)?.id ?? chosen.options[0]?.value ?? "";
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
    // A script may ask before anybody has looked.
    if (kind !== undefined && drawnWidth < 0) drawAt(canvas.clientWidth || UNSEEN_WIDTH);
    if (kind === "svg") saveSvg(canvas, "side-by-side");
    if (kind === "csv") saveText(saved, "side-by-side.csv", "text/csv");
  });
  // The page's filter changes nothing here, the window's width does; paper does not hold it.
  return { node, draw, drawAt: () => {}, recall };
}

/**
 * One choice of days and sensors, in its part of the form and in the address.
 *
 * @typedef {ReturnType<typeof startSide>} SideForm
 * @param {Report["data"]} data
 * @param {HTMLElement} form
 */
function startSide({ grid, sensors }, form) {
  const whole = wholeRange(grid);
  const letter = /** @type {string} */ (form.dataset.side?.toLowerCase());
  /** @type {HTMLInputElement} */
  const from = find("[name=from]", form);
  /** @type {HTMLInputElement} */
  const to = find("[name=to]", form);
  /** @type {HTMLSelectElement | null} */
  const select = find("[name=sensor]", form);
  const clamp = (/** @type {number} */ day) => Math.min(whole.last, Math.max(whole.first, day));
  /** The only sensor, or -1 for all. */
  const only = () => Number(select?.value ?? -1);

  /** @type {(first: number, last: number, sensor: number) => void} */
  function choose(first, last, sensor) {
    from.value = toIsoDay(first);
    to.value = toIsoDay(last);
    if (select !== null) select.value = String(sensor);
  }

  /** @returns {Filter} */
  function filter() {
    const [first, last] = [parseIsoDay(from.value) ?? whole.first, parseIsoDay(to.value) ?? whole.last].map(clamp);
    const chosen = everything(grid).sensors.map((_, code) => Number(only() < 0 || only() === code));
    return { range: { first: Math.min(first, last), last: Math.max(first, last) }, sensors: chosen };
  }

  return {
    choose,
    filter,
    /** @returns {Record<string, string | undefined>} */
    toAddress() {
      const { range } = filter();
      return {
        [letter]: `${toIsoDay(range.first)}..${toIsoDay(range.last)}`,
        [`${letter}-on`]: sensors.length > 1 && only() >= 0 ? sensors[only()] : undefined,
      };
    },
    /**
     * @param {URLSearchParams} state
     * @returns {boolean} Whether it names days for this side; otherwise all stays.
     */
    recall(state) {
      const [first, last] = (state.get(letter) ?? "").split("..").map(parseIsoDay);
      if (first === undefined || last === undefined) return false;
      const sensor = state.get(`${letter}-on`);
      choose(clamp(first), clamp(last), sensor === null ? -1 : sensors.indexOf(sensor));
      return true;
    },
  };
}

/**
 * The last days and those before them; where there is no before, the first two sensors.
 *
 * @type {(report: Report, sides: SideForm[]) => void}
 */
function chooseUsual({ data: { grid }, page }, sides) {
  const whole = wholeRange(grid);
  const length = Math.min(page.lastDays, Math.floor(grid.days / 2));
  sides.forEach((side, i) => {
    const last = whole.last - (1 - i) * length;
    if (length < 1) side.choose(whole.first, whole.last, i);
    else side.choose(last - length + 1, last, -1);
  });
}

/**
 * Draw both sides: figures, lines, leading keys.
 *
 * @type {(report: Report, node: HTMLElement, sectionId: string, sides: SideForm[], width: number) => string}
 * @returns The table of keys as CSV.
 */
function drawCompared({ data, page, chooseRange }, node, sectionId, sides, width) {
  const both = /** @type {[Side, Side]} */ (
    sides.map(side => {
      const scope = buildScope(data, side.filter(), page);
      return { scope, name: sideName(scope) };
    })
  );
  const section = data.sections.find(({ id }) => id === sectionId) ?? data.sections[0];
  const { section: meant } = rankSection(both[0].scope, section);
  drawFigures(find(".compare-figures", node), both);

  const { steps, lines, isAligned } = compareLines(both, section, width / 4);
  const from = isAligned ? "" : ", both from their first day on";
  const isLinear = areNear(lines);
  const scale = hasLogScale(lines) && !isLinear ? LOGARITHMIC : "";
  const label = `${meant.name}: ${meant.unit} ${perStep(steps.days)}${from}${scale}`;
  find(".unit", node).textContent = label;
  showChart(find(".canvas", node), lineChart(lines, steps, width, label, { isLinear }), steps, lines, chooseRange);

  return drawKeys(find(".compare-keys", node), columnNames(meant), compareLeaders(both, section, KEYS_MOST));
}

/** @type {(names: string[], numbersFrom?: number) => HTMLElement} */
function headRow(names, numbersFrom = Infinity) {
  const cells = names.map((name, i) => headCell({ name, className: i >= numbersFrom ? "number" : undefined }));
  return h("tr", {}, ...cells);
}

/** @type {(table: any, both: [Side, Side]) => void} */
function drawFigures(table, both) {
  table.tHead.replaceChildren(headRow(["Figure", `A: ${both[0].name}`, `B: ${both[1].name}`]));
  const rows = compareFigures(both).map(({ label, sides }) => {
    const cells = sides.map(({ value, note }) =>
      element("td", {}, element("b", {}, value), " ", element("span", { class: "note" }, note)),
    );
    return h("tr", {}, element("th", { scope: "row" }, label), ...cells);
  });
  table.tBodies[0].replaceChildren(...rows);
}

/**
 * @type {(table: any, columns: string[], rows: ReturnType<typeof compareLeaders>) => string}
 * @returns The same as CSV.
 */
function drawKeys(table, columns, rows) {
  const head = [...columns, "Count A", "Share A", "Count B", "Share B", "B against A"];
  const number = (/** @type {string} */ text) => element("td", { class: "number" }, text);
  table.tHead.replaceChildren(headRow(head, columns.length));
  table.tBodies[0].replaceChildren(
    ...rows.map(({ parts, sides, change }) => {
      const keys = parts.map((part, i) =>
        element(i === 0 ? "th" : "td", { ...(i === 0 && { scope: "row" }), class: part.className }, partMarkup(part)),
      );
      const counts = sides.flatMap(side => [number(side.countText), number(side.shareText)]);
      return h("tr", {}, ...keys, ...counts, number(change));
    }),
  );
  const cells = rows.map(({ parts, sides, change }) => [
    ...parts.map(part => (part.isNone ? "" : part.text)),
    ...sides.flatMap(side => [String(side.count), side.shareText]),
    change,
  ]);
  return toCsv(head, cells);
}
