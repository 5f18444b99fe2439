/** The filter of a report: days and sensors that every part shows, in a form and in the address. */
import { everything, isEverything, wholeRange } from "../lib/view/cells.ts";
import { parseIsoDay, toIsoDay } from "../lib/text/format.ts";
import { clipMiddle } from "../lib/text/cut.ts";
import { describeFilter } from "../lib/view/report-view.ts";
import { find, findAll } from "./page.js";

/**
 * @typedef {import("../lib/view/cells.ts").Filter} Filter
 * @typedef {import("./report.js").Report} Report
 */

/**
 * Answer the form.
 *
 * @param {Report} report
 * @param {(filter: Filter) => void} apply
 * @returns {{ show: () => void }} Says in the form what is chosen.
 */
export function startFilter(report, apply) {
  const { grid } = report.data;
  /** @type {HTMLInputElement} */
  const from = find("#from");
  /** @type {HTMLInputElement} */
  const to = find("#to");
  /** @type {HTMLDetailsElement | null} */
  const picker = find("#picker");
  const boxes = findAll("input[name=sensor]");

  function show() {
    const { range, sensors } = report.scope.filter;
    const whole = wholeRange(grid);
    from.value = toIsoDay(range.first);
    to.value = toIsoDay(range.last);
    for (const button of findAll("[data-preset]")) {
      const length = Number(button.dataset.preset);
      const first = length === 0 ? whole.first : whole.last - length + 1;
      button.setAttribute("aria-pressed", String(range.last === whole.last && range.first === first));
    }
    if (picker !== null) showPicked(sensors, boxes);
    const days = range.last - range.first + 1;
    find("#before").hidden = range.first - days < whole.first;
    find("#reset").hidden = isEverything(grid, report.scope.filter);
    find("#scope").textContent = describeFilter(report.scope);
  }

  for (const input of [from, to]) {
    input.addEventListener("change", () => {
      const first = parseIsoDay(from.value);
      const last = parseIsoDay(to.value);
      if (first !== undefined && last !== undefined) report.chooseRange(first, last);
    });
  }
  for (const button of findAll("[data-preset]")) {
    button.addEventListener("click", () => {
      const length = Number(button.dataset.preset);
      const { first, last } = wholeRange(grid);
      report.chooseRange(length === 0 ? first : last - length + 1, last);
    });
  }
  find("#before").addEventListener("click", () => {
    const { first, last } = report.scope.filter.range;
    report.chooseRange(first - (last - first + 1), first - 1);
  });
  find("#reset").addEventListener("click", () => apply(everything(grid)));
  find("#filters").addEventListener("submit", (/** @type {SubmitEvent} */ event) => event.preventDefault());
  if (picker !== null) startPicker(report, boxes, apply);
  return { show };
}

/**
 * Which sensors are chosen: in their boxes, and in the words over them.
 *
 * @type {(sensors: ArrayLike<number>, boxes: any[]) => void}
 */
function showPicked(sensors, boxes) {
  for (const box of boxes) box.checked = sensors[Number(box.value)] === 1;
  const chosen = boxes.filter(box => box.checked);
  find("#picked").textContent =
    chosen.length === boxes.length
      ? "All sensors"
      : chosen.length === 1
        ? clipMiddle(chosen[0].parentElement.textContent.trim(), 24)
        : `${chosen.length} of ${boxes.length} sensors`;
}

/**
 * The sheet of sensors.
 *
 * @type {(report: Report, boxes: any[], apply: (filter: Filter) => void) => void}
 */
function startPicker(report, boxes, apply) {
  const choose = (/** @type {(code: number, one: number) => number} */ pick) => {
    const sensors = Uint8Array.from(report.scope.filter.sensors, (one, code) => pick(code, one));
    apply({ ...report.scope.filter, sensors });
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
}

/** @type {(report: Report) => Record<"from" | "to" | "sensors", string | undefined>} */
export function filterToAddress({ data, scope: { filter } }) {
  const { range, sensors } = filter;
  const whole = wholeRange(data.grid);
  return {
    from: range.first === whole.first ? undefined : toIsoDay(range.first),
    to: range.last === whole.last ? undefined : toIsoDay(range.last),
    sensors: sensors.every(one => one === 1)
      ? undefined
      : JSON.stringify(data.sensors.filter((_, code) => sensors[code] === 1)),
  };
}

/** @type {(report: Report, state: URLSearchParams) => Filter} */
export function filterOfAddress({ data }, state) {
  const whole = wholeRange(data.grid);
  /** @type {(text: string | null, otherwise: number) => number} */
  const within = (text, otherwise) => {
    const day = parseIsoDay(text ?? "");
    return day === undefined ? otherwise : Math.min(whole.last, Math.max(whole.first, day));
  };
  const first = within(state.get("from"), whole.first);
  const last = within(state.get("to"), whole.last);
  const names = new Set(parseNames(state.get("sensors")));
  const isNamed = data.sensors.some(name => names.has(name));
  const sensors = isNamed ? Uint8Array.from(data.sensors, name => Number(names.has(name))) : everything(data.grid).sensors;
  return { range: { first: Math.min(first, last), last: Math.max(first, last) }, sensors };
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
