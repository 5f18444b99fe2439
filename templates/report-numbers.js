/** The numbers of a chart: a table in its place, and as CSV. */
import { toCsv } from "../lib/text/csv.ts";
import { toIsoDay } from "../lib/text/format.ts";
import { toClock } from "../lib/text/labels.ts";
import { numbersRow, numbersTable } from "../lib/view/numbers-table.ts";
import { scrollBox } from "../lib/view/parts-markup.ts";
import { breathe, find, toNode } from "./page.js";

/**
 * @typedef {import("../lib/view/chart.ts").Line} Line
 * @typedef {import("../lib/view/chart.ts").Steps} Steps
 */

/** Steps of a table at most. */
export const NUMBER_ROWS = 400;
/** Numbers in one table at most. */
export const NUMBERS_MOST = 12_000;
/** Numbers that are laid out at once; more come as they are scrolled to. */
const CELLS_AT_ONCE = 600;

/**
 * The button that shows a chart's numbers in its place.
 *
 * @param {HTMLElement} box
 * @param {() => void} draw
 */
export function startNumbers(box, draw) {
  const button = find("[data-view=table]", box);
  const isShown = () => button.getAttribute("aria-pressed") === "true";
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(!isShown()));
    find("[data-save=svg]", box).disabled = isShown();
    draw();
  });
  return { isShown };
}

/** @type {(steps: Steps, lines: readonly import("../lib/view/numbers-table.ts").NumberLine[], unit: string) => HTMLElement} */
export function growingNumbers(steps, lines, unit) {
  const box = toNode(scrollBox(unit, numbersTable(steps, lines, []), "scroll numbers"));
  const rowAt = (/** @type {number} */ step) => toNode(numbersRow(steps, lines, step));
  growTable(box, find("tbody", box), steps.n, rowAt, Math.ceil(CELLS_AT_ONCE / Math.max(1, lines.length)));
  return box;
}

/** @param {number} minute Since 1970-01-01 UTC. */
const toIsoMinute = minute => `${toIsoDay(Math.floor(minute / 1440))}T${toClock(minute)}Z`;

/** A column for each key, also where a line stands for several. @param {{ steps: Steps, lines: Line[] }} shown */
export function linesCsv({ steps, lines: drawn }) {
  const lines = drawn.flatMap(line => [line, ...(line.alike ?? []).map(name => ({ ...line, name }))]);
  const isTime = steps.days < 1;
  const dayAt = (/** @type {number} */ step) => steps.range.first + step * steps.days;
  const days = Array.from({ length: steps.n }, (_, step) => (isTime ? toIsoMinute(Math.round(dayAt(step) * 1440)) : toIsoDay(dayAt(step))));
  return toCsv(
    [isTime ? `from, ${Math.round(steps.days * 1440)} minutes each` : steps.days === 1 ? "day" : `from, ${steps.days} days each`, ...lines.map(line => line.name)],
    days.map((day, step) => [day, ...lines.map(line => line.values[step])]),
  );
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
