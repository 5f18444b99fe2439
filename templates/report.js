/**
 * The report's page script: filters, other views of a chart, sorting, saving. The page is complete without it.
 *
 * Everything is drawn by the functions the server draws with; text reaches the document as text nodes and attribute
 * values only.
 */
import { perStep } from "../lib/view/axis.ts";
import { describeValue, hasLogScale, heatChart, lineChart, LOGARITHMIC, SERIES_MOST, sparkline, stackChart } from "../lib/view/chart.ts";
import { toCsv } from "../lib/text/csv.ts";
import { everything, isEverything, sumByDay, wholeRange } from "../lib/view/cells.ts";
import { formatNumber, parseIsoDay, toIsoDay } from "../lib/text/format.ts";
import { clipApart, clipEnd, clipMiddle } from "../lib/text/labels.ts";
import { element } from "../lib/view/markup.ts";
import {
  buildCoverage,
  buildFigures,
  buildLines,
  buildRest,
  buildRow,
  buildScope,
  chooseSteps,
  columnNames,
  describeCoverage,
  describeFilter,
  describeHeadline,
  describePeak,
  describeShown,
  describeUncertainty,
  rankSection,
  stepLabel,
  stepUnit,
  meanSteps,
} from "../lib/view/report-view.ts";
import { SECTIONS } from "../lib/view/report-sections.ts";
import { buildChangesView } from "../lib/view/report-changes.ts";
import { buildDurationsView } from "../lib/view/report-durations.ts";
import { dataTable, partMarkup } from "../lib/view/report-markup.ts";
import { unpackPage } from "../lib/view/page-data.ts";
import { startDataTable, startDataTables } from "./data-tables.js";
import {
  breathe,
  compareValues,
  copyText,
  find,
  findAll,
  h,
  hideTip,
  root,
  saveSvg,
  saveText,
  showTip,
  startTheme,
  swatch,
  toNode,
} from "./page.js";
import { readAddress, writeAddress } from "./report-address.js";
import { startChains } from "./report-chains.js";
import { startCompare } from "./report-compare.js";
import { startTrails, trailButton } from "./report-trails.js";
import { startTable, startTables } from "./tables.js";

/**
 * @typedef {import("../lib/view/axis.ts").DayRange} DayRange
 * @typedef {import("../lib/view/chart.ts").Chart} Chart
 * @typedef {import("../lib/view/chart.ts").HeatChart} HeatChart
 * @typedef {import("../lib/view/chart.ts").HeatRow} HeatRow
 * @typedef {import("../lib/view/chart.ts").Line} Line
 * @typedef {import("../lib/view/chart.ts").Steps} Steps
 * @typedef {import("../lib/view/cells.ts").Cells} Cells
 * @typedef {import("../lib/view/cells.ts").Filter} Filter
 * @typedef {import("../lib/view/report-data.ts").SectionData} SectionData
 * @typedef {import("../lib/view/report-view.ts").Ranking} Ranking
 * @typedef {import("../lib/view/report-view.ts").RowView} RowView
 * @typedef {import("./page.js").Markup} Markup
 */

/**
 * What is drawn again when the filter changes.
 *
 * @typedef {object} Part
 * @property {HTMLElement} node
 * @property {() => void} draw
 * @property {(width: number) => void} drawAt
 * @property {() => void} [prepare]
 * @property {boolean} [isStale]
 */

/**
 * A column of a ranking.
 *
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: RowView) => Markup} cell
 * @property {string | undefined} [className]
 * @property {string} [title]
 * @property {(row: RowView) => string} [text] In the saved table; undefined leaves the column out.
 * @property {(row: RowView) => string | number} [raw] In place of the text, unrounded.
 * @property {((row: RowView) => string | number | undefined) | undefined} [value] To sort by.
 * @property {(row: RowView) => string} [cellClass]
 */

const LINE_STEP = 1.6;
const HEAT_STEP = 2;
/** Rows that "Show more" adds, and rows of numbers drawn at most. */
const MORE_ROWS = 25;
const NUMBER_ROWS = 400;
/** Numbers that are laid out at once; more come as they are scrolled to. */
const CELLS_AT_ONCE = 600;
/** Numbers in one table at most. */
const NUMBERS_MOST = 12_000;
/** What a chart says to whoever has come to it by key. */
const CHART_KEYS = "Arrow keys move over the days, with Shift they choose a run of them, Enter shows these alone.";
/** Width of charts on paper, in pixels. */
const PRINT_WIDTH = 720;

/** Characters unpacked between two pauses; a multiple of four, as four stand for three bytes. */
const PACKED_SLICE = 240_000;

/** @param {string} text */
async function unpack(text) {
  const inflate = new DecompressionStream("deflate-raw");
  const inflated = new Response(inflate.readable).arrayBuffer();
  const writer = inflate.writable.getWriter();
  for (let at = 0; at < text.length; at += PACKED_SLICE) {
    await breathe();
    const letters = atob(text.slice(at, at + PACKED_SLICE));
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    await writer.write(bytes);
  }
  await writer.close();
  return new Uint8Array(await inflated);
}

async function readPage() {
  const carried = JSON.parse(find("#data").textContent);
  const lines = new TextDecoder().decode(await unpack(carried.lines));
  const unpacking = unpackPage({ lines, cells: await unpack(carried.cells) });
  for (;;) {
    await breathe();
    const { done, value } = unpacking.next();
    if (done) return value;
  }
}

async function start() {
  const page = await readPage();
  const { data, chains, durations, trails } = page;
  const { grid } = data;
  root.classList.add("scripted");
  startTheme();
  startDataTables();
  startTables();
  if (grid.days === 0) {
    root.dataset.drawn = "true";
    return;
  }

  let scope = buildScope(data, everything(grid), page);
  /** @type {Part[]} */
  const parts = [startActivity(), startCoverage()];
  for (const section of data.sections) {
    await breathe();
    parts.push(startSection(section));
  }
  if (page.changes) parts.push(startChanges(page.changes));
  const compare = startCompare(data, page, showChart);
  parts.push(compare);
  if (chains) parts.push(startChains(chains, () => scope));
  if (durations) parts.push(startDurations(durations));
  if (trails) startTrails(trails, () => scope);
  /** Parts out of sight are drawn after those in sight; a number tells an overtaken pass that it is. */
  let pass = 0;

  function redraw() {
    const began = performance.now();
    const mine = ++pass;
    delete root.dataset.drawn;
    drawFigures();
    showFilter();
    for (const part of parts) part.isStale = true;
    const drawNext = async () => {
      const stale = parts.filter(part => part.isStale);
      const seen = stale.find(part => isInSight(part.node));
      if (seen === undefined) root.dataset.redrawMs ??= (performance.now() - began).toFixed(1);
      const part = seen ?? stale[0];
      if (part === undefined) {
        await layOut();
        if (mine === pass) root.dataset.drawn = "true";
        return;
      }
      drawPart(part);
      await breathe();
      if (mine === pass) void drawNext();
    };
    delete root.dataset.redrawMs;
    void drawNext();
  }

  /** @param {Part} part */
  function drawPart(part) {
    part.isStale = false;
    part.draw();
  }

  function drawAll() {
    for (const part of parts) drawPart(part);
  }

  // ---- filters -------------------------------------------------------------------------------------------------

  /** @type {HTMLInputElement} */
  const from = find("#from");
  /** @type {HTMLInputElement} */
  const to = find("#to");
  /** @type {HTMLDetailsElement | null} */
  const picker = find("#picker");
  const boxes = findAll("input[name=sensor]");

  /** @param {Filter} filter */
  function applyFilter(filter, remember = true) {
    scope = buildScope(data, filter, page);
    if (remember) rememberState();
    redraw();
  }

  /** @type {(first: number, last: number) => void} */
  function chooseRange(first, last) {
    const whole = wholeRange(grid);
    const clamp = (/** @type {number} */ day) => Math.min(whole.last, Math.max(whole.first, day));
    applyFilter({
      ...scope.filter,
      range: { first: clamp(Math.min(first, last)), last: clamp(Math.max(first, last)) },
    });
  }

  function showFilter() {
    const { range, sensors } = scope.filter;
    const whole = wholeRange(grid);
    from.value = toIsoDay(range.first);
    to.value = toIsoDay(range.last);
    for (const button of findAll("[data-preset]")) {
      const length = Number(button.dataset.preset);
      const first = length === 0 ? whole.first : whole.last - length + 1;
      button.setAttribute("aria-pressed", String(range.last === whole.last && range.first === first));
    }
    const chosen = sensors.reduce((sum, one) => sum + one, 0);
    if (picker !== null) {
      for (const box of boxes) box.checked = sensors[Number(box.value)] === 1;
      const only = sensors.indexOf(1);
      find("#picked").textContent =
        chosen === grid.sensors
          ? "All sensors"
          : chosen === 1
            ? clipMiddle(boxes[only].parentElement.textContent.trim(), 24)
            : `${chosen} of ${grid.sensors} sensors`;
    }
    const days = range.last - range.first + 1;
    find("#before").hidden = range.first - days < whole.first;
    find("#reset").hidden = isEverything(grid, scope.filter);
    find("#scope").textContent = describeFilter(scope);
    const { heading, lede } = describeHeadline(scope);
    find("h1").textContent = heading;
    find("#lede").textContent = lede;
  }

  for (const input of [from, to]) {
    input.addEventListener("change", () => {
      const first = parseIsoDay(from.value);
      const last = parseIsoDay(to.value);
      if (first !== undefined && last !== undefined) chooseRange(first, last);
    });
  }
  for (const button of findAll("[data-preset]")) {
    button.addEventListener("click", () => {
      const length = Number(button.dataset.preset);
      const { first, last } = wholeRange(grid);
      chooseRange(length === 0 ? first : last - length + 1, last);
    });
  }
  find("#before").addEventListener("click", () => {
    const { first, last } = scope.filter.range;
    chooseRange(first - (last - first + 1), first - 1);
  });
  find("#reset").addEventListener("click", () => applyFilter(everything(grid)));
  find("#filters").addEventListener("submit", (/** @type {SubmitEvent} */ event) => event.preventDefault());
  if (picker !== null) {
    const choose = (/** @type {(code: number, one: number) => number} */ pick) => {
      const sensors = Uint8Array.from(scope.filter.sensors, (one, code) => pick(code, one));
      applyFilter({ ...scope.filter, sensors });
    };
    for (const box of boxes) {
      box.addEventListener("change", () => {
        choose((code, one) => (code === Number(box.value) ? Number(box.checked) : one));
      });
    }
    for (const button of findAll("[data-sensors]")) {
      button.addEventListener("click", () => {
        // What the search hides stays as it is.
        const shown = new Set(boxes.filter(box => !box.closest("li").hidden).map(box => Number(box.value)));
        const wanted = button.dataset.sensors === "all" ? 1 : 0;
        choose((code, one) => (shown.has(code) ? wanted : one));
      });
    }
    find("#sensor-search").addEventListener("input", (/** @type {any} */ event) => {
      const wanted = event.target.value.toLowerCase();
      for (const box of boxes) {
        box.closest("li").hidden = !box.parentElement.textContent.toLowerCase().includes(wanted);
      }
    });
    document.addEventListener("pointerdown", event => {
      if (!picker.contains(/** @type {Node} */ (event.target))) picker.open = false;
    });
    picker.addEventListener("keydown", event => {
      if (event.key !== "Escape") return;
      picker.open = false;
      find("summary", picker).focus();
    });
  }

  // ---- the view in the address, so that it can be kept and sent ---------------------------------------------------

  function rememberState() {
    const { range, sensors } = scope.filter;
    const whole = wholeRange(grid);
    writeAddress({
      from: range.first === whole.first ? undefined : toIsoDay(range.first),
      to: range.last === whole.last ? undefined : toIsoDay(range.last),
      sensors: sensors.every(one => one === 1)
        ? undefined
        : JSON.stringify(data.sensors.filter((_, code) => sensors[code] === 1)),
    });
  }

  /** A fragment is anyone's text: what it does not name rightly is left out. */
  function recallState() {
    const { anchor, state } = readAddress();
    const whole = wholeRange(grid);
    /** @type {(text: string | null, otherwise: number) => number} */
    const within = (text, otherwise) => {
      const day = parseIsoDay(text ?? "");
      return day === undefined ? otherwise : Math.min(whole.last, Math.max(whole.first, day));
    };
    const first = within(state.get("from"), whole.first);
    const last = within(state.get("to"), whole.last);
    let sensors = new Uint8Array(grid.sensors).fill(1);
    if (state.has("sensors")) {
      const names = new Set(parseNames(state.get("sensors")));
      if (data.sensors.some(name => names.has(name)))
        sensors = Uint8Array.from(data.sensors, name => Number(names.has(name)));
    }
    const filter = { range: { first: Math.min(first, last), last: Math.max(first, last) }, sensors };
    if (!isEverything(grid, filter) || !isEverything(grid, scope.filter)) applyFilter(filter, false);
    compare.recall(state);
    if (anchor !== undefined) goTo(anchor);
  }

  /** @param {string} id */
  function goTo(id) {
    const node = document.getElementById(id);
    const fold = node && find(":scope > .fold", node);
    if (fold) fold.open = true;
    node?.scrollIntoView();
  }

  /** @param {string | null} text */
  function parseNames(text) {
    try {
      const names = JSON.parse(text ?? "");
      return Array.isArray(names) ? names : [];
    } catch {
      // Not JSON, so no list of sensors: as if none were named.
      return [];
    }
  }

  for (const link of findAll(".sections a:not(.page)")) {
    link.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      event.preventDefault();
      const id = link.getAttribute("href").slice(1);
      writeAddress({}, id);
      goTo(id);
    });
  }
  addEventListener("hashchange", recallState);

  // ---- figures ----------------------------------------------------------------------------------------------------

  function drawFigures() {
    find("#figures").replaceChildren(
      ...buildFigures(scope).map(figure =>
        h(
          "div",
          { class: "figure" },
          element("b", {}, figure.value),
          element("span", { class: "what" }, figure.label),
          element("span", { class: "note" }, figure.note),
          figure.past && element("span", { class: "note" }, figure.past),
        ),
      ),
    );
  }

  // ---- charts -----------------------------------------------------------------------------------------------------

  function startActivity() {
    const box = find("#activity");
    const canvas = find(".canvas", box);
    const numbers = startNumbers(box, () => draw(canvas.clientWidth));
    /** @type {{ steps: Steps, lines: Line[] }} */
    let current;
    const draw = (/** @type {number} */ width) => {
      const steps = chooseSteps(scope, numbers.isShown() ? NUMBER_ROWS : width / 3);
      const values = meanSteps(sumByDay(data.events, grid, scope.filter), scope.watched, steps);
      const label = `Events ${scope.whole ? "of all sensors " : ""}${perStep(steps.days)}`;
      const lines = [{ name: "events", values, style: 0 }];
      find(".unit", box).textContent = label;
      current = { steps, lines };
      if (numbers.isShown()) return canvas.replaceChildren(numbersTable(steps, lines, label));
      showChart(canvas, stackChart(lines, steps, width, label, 150), steps, lines);
    };
    box.addEventListener("click", (/** @type {any} */ event) => {
      const kind = event.target.closest("[data-save]")?.dataset.save;
      if (kind === "svg") saveSvg(canvas, "events");
      if (kind === "csv") saveText(linesCsv(current), "events-over-time.csv", "text/csv");
    });
    return { node: box, draw: () => draw(canvas.clientWidth), drawAt: draw };
  }

  function startCoverage() {
    const box = find("#coverage-chart");
    const canvas = find(".canvas", box);
    /** @type {HTMLSelectElement} */
    const metric = find("#metric");
    metric.append(h("option", { value: "-1" }, "all events"));
    data.sections.forEach((section, i) => {
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
      const chosen = scope.filter.sensors.reduce((sum, one) => sum + one, 0);
      steps = chooseSteps(
        scope,
        numbers.isShown() ? Math.min(NUMBER_ROWS, NUMBERS_MOST / Math.max(1, chosen)) : width / HEAT_STEP,
      );
      const section = data.sections[Number(metric.value)];
      rows = buildCoverage(scope, steps, section);
      const what = section === undefined ? "Events" : (metric.selectedOptions[0].textContent ?? "");
      const label = describeCoverage(scope, what, steps, rows.length);
      find(".unit", box).textContent = label;
      if (rows.length === 0) return canvas.replaceChildren("No sensor chosen.");
      if (numbers.isShown()) return canvas.replaceChildren(numbersTable(steps, rows, label));
      const chart = heatChart(rows, steps, width, label);
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
   * @param {import("../lib/view/report-durations.ts").DurationsData} lengths
   * @returns {Part}
   */
  function startDurations(lengths) {
    /** @type {HTMLElement} */
    const node = find("#durations");
    const canvas = find(".canvas", node);
    const drawAt = (/** @type {number} */ width) => {
      const { label, svg } = buildDurationsView(scope, lengths, width);
      find(".unit", node).textContent = label;
      canvas.replaceChildren(toNode(svg));
    };
    find("[data-save]", node).addEventListener("click", (/** @type {Event} */ event) => {
      event.stopPropagation();
      saveSvg(canvas, "durations");
    });
    return { node, draw: () => drawAt(canvas.clientWidth), drawAt };
  }

  /**
   * @param {import("../lib/view/report-changes.ts").ChangesData} changes
   * @returns {Part}
   */
  function startChanges(changes) {
    /** @type {HTMLElement} */
    const node = find("#changes");
    let isUntouched = true;
    const draw = () => {
      // As delivered it says what was found on all days and sensors.
      if (isUntouched && scope.whole) return;
      isUntouched = false;
      const { lead, table } = buildChangesView(scope, changes);
      find(".lead", node).textContent = lead;
      find(".data-table", node)?.remove();
      if (table === undefined) return;
      const box = toNode(dataTable(table));
      node.append(box);
      startDataTable(box);
      startTable(find(".scroll", box));
    };
    return { node, draw, drawAt: draw };
  }

  /**
   * @param {SectionData & { id: string }} section
   * @returns {Part}
   */
  function startSection(section) {
    /** @type {HTMLElement} */
    const node = find(`[data-section="${section.id}"]`);
    const box = find(".chart-box", node);
    const canvas = find(".canvas", box);
    const legend = find(".legend", box);
    /** @type {HTMLTableElement & { tHead: HTMLTableSectionElement }} */
    const table = find("table.ranking", node);
    /** @type {HTMLButtonElement} */
    const more = find("[data-table=more]", node);
    /** @type {HTMLInputElement} */
    const search = find(".find", node);
    const hiddenKeys = new Set();
    let view = "lines";
    let shownRows = page.show;
    /** @type {string | undefined} */
    let sortColumn;
    let isRising = false;
    let isUntouched = true;
    /** @type {{ ranking: Ranking, steps: Steps, lines: Line[] }} */
    let current;

    const draw = (/** @type {number} */ width) => {
      const ranking = rankSection(scope, section);
      drawChart(ranking, width);
      // As delivered the table is what an unfiltered view shows.
      if (!isUntouched || !scope.whole) drawTable(ranking);
      isUntouched = false;
    };

    /** @type {(ranking: Ranking, width: number) => void} */
    function drawChart(ranking, width) {
      const most = Math.min(page.show, SERIES_MOST);
      const keys = ranking.order.slice(0, view === "strips" ? Math.min(page.show, 20) : most);
      const room = view === "lines" ? LINE_STEP : view === "stack" ? 4 : 6;
      const steps =
        view === "table"
          ? chooseSteps(scope, NUMBER_ROWS)
          : chooseSteps(scope, Math.max(1, width - (width > 620 ? 240 : 60)) / room);
      const all = buildLines(scope, ranking, keys, steps).map((line, i) => ({ ...line, style: i, key: keys[i] }));
      /** @type {(Line & { key?: number })[]} */
      let lines = all.filter(line => view === "strips" || !hiddenKeys.has(line.key));
      const unit = `${stepUnit(ranking.section, steps)}${view === "lines" && hasLogScale(lines) ? LOGARITHMIC : ""}`;
      const label = `${ranking.section.name}: ${unit}`;
      find(".unit", box).textContent = unit;
      if (view === "stack") {
        const rest = buildRest(scope, ranking, all, steps);
        if (rest.some(value => value !== null && value > 0))
          lines = [...lines, { name: "everything else", values: rest, style: SERIES_MOST }];
      }
      drawLegend(view === "lines" || view === "stack" ? all : []);
      current = { ranking, steps, lines };
      if (ranking.total === 0) return canvas.replaceChildren(h("p", { class: "none" }, "Nothing in this selection."));
      if (view === "table") return canvas.replaceChildren(numbersTable(steps, lines, unit));
      if (view === "strips") {
        const rows = all.map(line => ({ name: line.name, total: ranking.counts[line.key], values: line.values }));
        return showHeat(canvas, heatChart(rows, steps, width, label), steps, rows);
      }
      const chart = view === "stack" ? stackChart(lines, steps, width, label) : lineChart(lines, steps, width, label);
      showChart(canvas, chart, steps, lines);
    }

    /** @param {(Line & { key: number })[]} lines */
    function drawLegend(lines) {
      // With labels at the line ends, the legend is for switching lines off; for one line there is nothing to switch.
      legend.replaceChildren(
        ...(lines.length < 2 ? [] : lines).map(line => {
          const button = h(
            "button",
            { type: "button", "aria-pressed": String(!hiddenKeys.has(line.key)), class: `s${line.style}` },
            swatch(),
            element("code", {}, clipEnd(line.name, 40)),
          );
          button.addEventListener("click", () => {
            if (!hiddenKeys.delete(line.key)) hiddenKeys.add(line.key);
            const at = [...legend.children].indexOf(button);
            drawChart(current.ranking, canvas.clientWidth);
            legend.children[at].focus();
          });
          const point = (/** @type {boolean} */ on) => {
            const svg = find("svg", canvas);
            svg?.classList.toggle("dimmed", on);
            for (const series of findAll("[data-series]", svg ?? canvas)) {
              series.classList.toggle("hot", on && series.classList.contains(`s${line.style}`));
            }
          };
          button.addEventListener("pointerenter", () => point(true));
          button.addEventListener("pointerleave", () => point(false));
          return button;
        }),
      );
    }

    /**
     * The rows that a search leaves, as the table is sorted; built only as far as that needs.
     *
     * @type {(ranking: Ranking, columns: Column[], build: (row: { key: number, rank: number }) => RowView) => ({ key: number, rank: number } | RowView)[]}
     */
    function listRows(ranking, columns, build) {
      const wanted = search.value.toLowerCase();
      const rows = ranking.order.map((key, i) => ({ key, rank: i + 1 }));
      if (wanted === "" && sortColumn === undefined) return rows;
      const built = rows.map(build).filter(row => row.parts.some(part => part.text.toLowerCase().includes(wanted)));
      const value = columns.find(candidate => candidate.name === sortColumn)?.value;
      if (value !== undefined) built.sort((a, b) => (isRising ? 1 : -1) * compareValues(value(a), value(b)));
      return built;
    }

    /** @param {Ranking} ranking */
    function drawTable(ranking) {
      const sparkSteps = chooseSteps(scope, 120);
      const wanted = search.value.toLowerCase();
      const columns = tableColumns(ranking);
      const build = (/** @type {{ key: number, rank: number }} */ { key, rank }) =>
        buildRow(scope, ranking, key, rank, sparkSteps);
      const rows = listRows(ranking, columns, build);
      const found = rows.length;
      const shown = rows.slice(0, shownRows).map(row => ("parts" in row ? row : build(row)));
      table.tHead.rows[0].replaceChildren(...columns.map(column => headCell(column)));
      table.tBodies[0].replaceChildren(...shown.map(row => h("tr", {}, ...columns.map(column => column.cell(row)))));
      more.hidden = found <= shownRows;
      more.textContent = `Show ${Math.min(MORE_ROWS, found - shownRows)} more`;
      find(".found", node).textContent =
        wanted === "" ? "" : `${formatNumber(found)} of ${formatNumber(ranking.order.length)}`;
      const keys = shown.map(row => row.key);
      find(".shown", node).textContent = describeShown(ranking, keys, scope.whole, wanted === "" ? undefined : found);
      const caution = find(".caution", node);
      const words = describeUncertainty(ranking, keys);
      caution.hidden = words === undefined;
      caution.textContent = words ?? "";
    }

    /** @param {Column} column */
    function headCell(column) {
      const name = column.name;
      const sorted = sortColumn === undefined ? name === "Count" : sortColumn === name;
      const cell = h("th", {
        scope: "col",
        class: column.className,
        title: column.title,
        "aria-sort": sorted && column.value ? (isRising ? "ascending" : "descending") : undefined,
      });
      if (column.value === undefined) {
        cell.append(name === "Rank" ? h("span", { class: "hidden" }, name) : name);
        return cell;
      }
      const button = h("button", { type: "button" }, name);
      button.addEventListener("click", () => {
        isRising = sorted ? !isRising : column.className !== "number";
        sortColumn = name;
        drawTable(current.ranking);
        findAll("thead button", table)
          .find(other => other.textContent === name)
          ?.focus();
      });
      cell.append(button);
      return cell;
    }

    /** @param {Ranking} ranking */
    function tableColumns(ranking) {
      /** @type {Column[]} */
      const columns = [
        {
          name: "Rank",
          className: "rank",
          cell: row =>
            element(
              "td",
              { class: "rank" },
              ...trailButton(trails, ranking, row.key),
              `${row.isUncertain ? "≈ " : ""}${row.rank}`,
            ),
        },
      ];
      columnNames(ranking.section).forEach((name, i) => {
        columns.push({
          name,
          text: row => (row.parts[i].isNone ? "" : row.parts[i].text),
          value: row => row.parts[i].text,
          cell: row => {
            const { className } = row.parts[i];
            const markup = partMarkup(row.parts[i]);
            return i === 0
              ? element("th", { scope: "row", class: className }, markup)
              : element("td", { class: className }, markup);
          },
        });
      });
      /**
       * @param {string} name
       * @param {string | undefined} className
       * @param {(row: RowView) => string} cellText
       * @param {Column["value"]} value
       * @param {Partial<Column>} [extra]
       */
      const add = (name, className, cellText, value, extra = {}) =>
        columns.push({
          name,
          className,
          text: row => cellText(row),
          value,
          cell: row => element("td", { class: extra.cellClass?.(row) ?? className }, cellText(row)),
          ...extra,
        });
      add(
        "Count",
        "number",
        row => row.countText,
        row => row.count,
        { raw: row => row.count },
      );
      add(
        "Share",
        "number",
        row => row.shareText,
        row => row.count,
      );
      columns.push({ name: "Trend", cell: row => element("td", {}, sparkline(row.values)) });
      if (section.success !== undefined)
        add(
          "Accepted",
          "number",
          row => row.successText,
          row => row.success,
          { raw: row => row.success },
        );
      if (section.verdicts !== undefined) {
        add(
          "Verdict",
          undefined,
          row => row.verdict,
          row => row.verdict,
          { cellClass: row => `verdict ${row.verdictTone}` },
        );
      }
      if (scope.comparison !== undefined) {
        add(
          `Change, ${scope.comparison.name}`,
          "number",
          row => row.change.text,
          row => row.change.ratio,
          {
            title: "Per sensor-day with logs, against as many days before; not tested",
            cellClass: row => `number change ${row.change.tone}`,
          },
        );
      }
      /** @type {[string, (row: RowView) => import("../lib/view/report-view.ts").MomentView, Column["value"]][]} */
      const moments = [
        ["First seen", row => row.firstSeen, row => row.first],
        ["Last seen", row => row.lastSeen, row => row.last],
      ];
      for (const [name, pick, order] of moments) {
        columns.push({
          name,
          text: row => `${pick(row).day} ${pick(row).clock}`.trim(),
          value: order,
          cell: row =>
            element("td", { class: "time" }, `${pick(row).day} `, element("span", { class: "clock" }, pick(row).clock)),
        });
      }
      if (grid.sensors > 1)
        add(
          "Sensors",
          "number",
          row => row.sensorsText,
          row => row.sensors,
          { raw: row => row.sensors },
        );
      return columns;
    }

    /** All rows the page carries, as the table is sorted and searched. */
    function tableCsv() {
      const { ranking } = current;
      const steps = chooseSteps(scope, 120);
      const all = tableColumns(ranking);
      const build = (/** @type {{ key: number, rank: number }} */ { key, rank }) =>
        buildRow(scope, ranking, key, rank, steps);
      const rows = listRows(ranking, all, build).map(row => ("parts" in row ? row : build(row)));
      const columns = all.filter(column => column.text !== undefined);
      return toCsv(
        columns.map(column => column.name),
        rows.map(row => columns.map(column => (column.raw ?? column.text)?.(row) ?? "")),
      );
    }

    search.addEventListener("input", () => drawTable(current.ranking));
    // The headings become buttons once there is a script to answer them.
    /** @type {Part} */
    const part = {
      node,
      draw: () => draw(canvas.clientWidth),
      drawAt: width => drawChart(rankSection(scope, section), width),
    };
    const ranking = rankSection(scope, section);
    current = { ranking, steps: chooseSteps(scope, 400), lines: [] };
    part.prepare = () => {
      table.tHead.rows[0].replaceChildren(...tableColumns(ranking).map(column => headCell(column)));
      more.hidden = ranking.order.length <= shownRows;
      more.textContent = `Show ${Math.min(MORE_ROWS, ranking.order.length - shownRows)} more`;
    };
    node.addEventListener("click", (/** @type {any} */ event) => {
      const button = event.target.closest("button");
      if (button?.dataset.view !== undefined) {
        view = button.dataset.view;
        for (const other of findAll("[data-view]", node)) other.setAttribute("aria-pressed", String(other === button));
        drawChart(current.ranking, canvas.clientWidth);
        find("[data-save=svg]", box).disabled = view === "table";
      }
      if (button?.dataset.save === "svg") saveSvg(canvas, section.id);
      if (button?.dataset.save === "csv") saveText(linesCsv(current), `${section.id}-over-time.csv`, "text/csv");
      if (button?.dataset.table === "csv") saveText(tableCsv(), `${section.id}.csv`, "text/csv");
      if (button?.dataset.table === "copy") void copyText(tableCsv(), button);
      if (button?.dataset.table === "more") {
        shownRows += MORE_ROWS;
        drawTable(current.ranking);
      }
    });
    return part;
  }

  /**
   * The button that shows a chart's numbers in its place.
   *
   * @param {HTMLElement} box
   * @param {() => void} draw
   */
  function startNumbers(box, draw) {
    const button = find("[data-view=table]", box);
    const isShown = () => button.getAttribute("aria-pressed") === "true";
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(!isShown()));
      find("[data-save=svg]", box).disabled = isShown();
      draw();
    });
    return { isShown };
  }

  /** @type {(steps: Steps, lines: readonly Pick<Line, "name" | "values">[] | HeatRow[], unit: string) => HTMLElement} */
  function numbersTable(steps, lines, unit) {
    const names = clipApart(
      lines.map(line => line.name),
      30,
    );
    const head = element(
      "tr",
      {},
      element("th", { scope: "col" }, "Day"),
      ...names.map(name => element("th", { scope: "col", class: "number" }, name)),
    );
    const body = h("tbody", {});
    const box = h(
      "div",
      { class: "scroll numbers", tabindex: "0", role: "region", "aria-label": unit },
      element("table", {}, element("thead", {}, head)),
    );
    find("table", box).append(body);
    const rowAt = (/** @type {number} */ step) =>
      toNode(
        element(
          "tr",
          {},
          element("th", { scope: "row" }, stepLabel(steps, step)),
          ...lines.map(line =>
            element("td", { class: "number" }, line.values[step] === undefined ? "" : describeValue(line.values[step])),
          ),
        ),
      );
    growTable(box, body, steps.n, rowAt, Math.ceil(CELLS_AT_ONCE / Math.max(1, lines.length)));
    return box;
  }

  /** @param {{ steps: Steps, lines: Line[] }} shown */
  function linesCsv({ steps, lines }) {
    const days = Array.from({ length: steps.n }, (_, step) => toIsoDay(steps.range.first + step * steps.days));
    return toCsv(
      [steps.days === 1 ? "day" : `from, ${steps.days} days each`, ...lines.map(line => line.name)],
      days.map((day, step) => [day, ...lines.map(line => line.values[step])]),
    );
  }

  // ---- pointing, keys, brushing -------------------------------------------------------------------------------------

  /** @type {(canvas: HTMLElement, chart: Chart, steps: Steps, lines: Line[]) => void} */
  function showChart(canvas, chart, steps, lines) {
    const svg = toNode(chart.svg);
    svg.setAttribute("tabindex", "0");
    canvas.replaceChildren(svg);
    const { plot } = chart;
    const band = (plot.right - plot.left) / steps.n;
    const cross = find(".cross", svg);
    svg.setAttribute("aria-label", `${describePeak(chartLabel(svg), steps, lines)}. ${CHART_KEYS}`);
    let at = steps.n - 1;
    let brushFrom = 0;
    /** @type {SVGRectElement | undefined} */
    let brush;
    /** Where a run of days chosen by keys begins. @type {number | undefined} */
    let anchor;
    /** @type {(from: number, to: number) => void} */
    const drawBrush = (from, to) => {
      if (brush === undefined) {
        const frame = { class: "brush", y: plot.top, height: plot.bottom - plot.top };
        svg.append((brush = toNode(element("rect", frame), true)));
      }
      brush?.setAttribute("x", String(plot.left + Math.min(from, to) * band));
      brush?.setAttribute("width", String((Math.abs(from - to) + 1) * band));
    };
    const dropBrush = () => {
      brush?.remove();
      brush = anchor = undefined;
    };
    const stepAt = (/** @type {PointerEvent} */ event) => {
      const frame = svg.getBoundingClientRect();
      const x = ((event.clientX - frame.left) * plot.width) / frame.width;
      return Math.max(0, Math.min(steps.n - 1, Math.floor((x - plot.left) / band)));
    };
    const point = (/** @type {number} */ step, /** @type {number} */ clientX, /** @type {number} */ clientY) => {
      at = step;
      const x = plot.left + (step + 0.5) * band;
      cross.setAttribute("x1", String(x));
      cross.setAttribute("x2", String(x));
      cross.removeAttribute("hidden");
      const entries = lines
        .map(line => ({ name: line.name, style: line.style, value: line.values[step] }))
        .sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
      showTip(clientX, clientY, stepLabel(steps, step), entries);
    };
    const leave = () => {
      cross.setAttribute("hidden", "");
      hideTip();
    };
    svg.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      const step = stepAt(event);
      point(step, event.clientX, event.clientY);
      if (brush !== undefined && anchor === undefined) drawBrush(brushFrom, step);
    });
    svg.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      dropBrush();
      brushFrom = stepAt(event);
      drawBrush(brushFrom, brushFrom);
      svg.setPointerCapture(event.pointerId);
    });
    const endBrush = (/** @type {PointerEvent} */ event) => {
      if (brush === undefined || anchor !== undefined) return;
      dropBrush();
      const step = stepAt(event);
      if (event.type === "pointerup" && step !== brushFrom)
        chooseSteppedRange(steps, Math.min(step, brushFrom), Math.max(step, brushFrom));
    };
    svg.addEventListener("pointerup", endBrush);
    svg.addEventListener("pointercancel", endBrush);
    svg.addEventListener("pointerleave", () => brush === undefined && leave());
    svg.addEventListener("blur", () => {
      dropBrush();
      leave();
    });
    svg.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") dropBrush();
      if (event.key === "Enter") {
        event.preventDefault();
        const from = anchor ?? at;
        chooseSteppedRange(steps, Math.min(from, at), Math.max(from, at));
        // The chart has been drawn anew; who came by key goes on by key.
        find("svg", canvas)?.focus();
        return;
      }
      /** @type {Record<string, number>} */
      const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -Infinity, End: Infinity };
      if (event.key === "Escape") return leave();
      const move = moves[event.key];
      if (move === undefined) return;
      event.preventDefault();
      const frame = svg.getBoundingClientRect();
      const from = anchor ?? at;
      const step = Math.max(0, Math.min(steps.n - 1, at + move));
      dropBrush();
      if (event.shiftKey) drawBrush((anchor = from), step);
      const x = ((plot.left + (step + 0.5) * band) * frame.width) / plot.width;
      point(step, frame.left + x, Math.max(8, frame.top) + 30);
    });
  }

  /** @type {(steps: Steps, start: number, last: number) => void} */
  function chooseSteppedRange(steps, start, last) {
    hideTip();
    const first = steps.range.first + start * steps.days;
    chooseRange(first, Math.min(steps.range.last, steps.range.first + (last + 1) * steps.days - 1));
  }

  /** @type {(canvas: HTMLElement, chart: HeatChart, steps: Steps, rows: HeatRow[]) => void} */
  function showHeat(canvas, chart, steps, rows) {
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
      /** @type {Record<string, [number, number]>} */
      const moves = {
        ArrowLeft: [-1, 0],
        ArrowRight: [1, 0],
        ArrowUp: [0, -1],
        ArrowDown: [0, 1],
        PageUp: [-7, 0],
        PageDown: [7, 0],
      };
      if (event.key === "Escape") return leave();
      const move = moves[event.key];
      if (move === undefined) return;
      event.preventDefault();
      const step = Math.max(0, Math.min(steps.n - 1, at.step + move[0]));
      const row = Math.max(0, Math.min(rows.length - 1, at.row + move[1]));
      const frame = svg.getBoundingClientRect();
      const scale = frame.width / plot.width;
      point(
        step,
        row,
        frame.left + (plot.left + step * band) * scale,
        frame.top + (plot.top + (row + 1) * rowHeight) * scale,
      );
    });
  }

  // ---- paper, widths, start -----------------------------------------------------------------------------------------

  addEventListener("beforeprint", () => {
    for (const details of findAll("main details:not(.fold)")) details.open = true;
    for (const part of parts) part.drawAt(PRINT_WIDTH);
  });
  addEventListener("afterprint", drawAll);
  let width = find("#activity .canvas").clientWidth;
  new ResizeObserver(() => {
    const now = find("#activity .canvas").clientWidth;
    if (now === width || now === 0) return;
    width = now;
    redraw();
  }).observe(find("#activity .canvas"));

  for (const part of parts) {
    await breathe();
    part.prepare?.();
  }
  redraw();
  recallState();
}

/** @param {SVGElement} svg As it was drawn. */
function chartLabel(svg) {
  return svg.getAttribute("aria-label") ?? "";
}

/**
 * Fill a table as far as it is seen, and on as it is scrolled; all of it before it is printed.
 *
 * @param {HTMLElement} box What scrolls.
 * @param {HTMLElement} body
 * @param {number} rows
 * @param {(row: number) => Node} rowAt
 * @param {number} atOnce
 */
function growTable(box, body, rows, rowAt, atOnce) {
  const fill = (/** @type {number} */ end) => {
    const more = [];
    for (let row = body.childElementCount; row < Math.min(end, rows); row++) more.push(rowAt(row));
    body.append(...more);
  };
  const isWanted = () => box.scrollTop + 2 * box.clientHeight > box.scrollHeight;
  const grow = async () => {
    while (box.isConnected && body.childElementCount < rows && isWanted()) {
      fill(body.childElementCount + atOnce);
      await breathe();
    }
  };
  fill(atOnce);
  box.addEventListener("scroll", () => void grow());
  addEventListener("beforeprint", () => box.isConnected && fill(rows), { once: true });
  setTimeout(() => void grow());
}

/** Lay out the sections that have waited for the page to open, one by one. */
async function layOut() {
  for (const section of findAll("[data-section]:not(.laid)")) {
    section.classList.add("laid");
    // Asked for its height, it is laid out now, and not with all the others.
    void section.offsetHeight;
    await breathe();
  }
}

/** @param {HTMLElement} node */
function isInSight(node) {
  const { top, bottom } = node.getBoundingClientRect();
  return bottom > -200 && top < innerHeight + 200;
}

void start();
