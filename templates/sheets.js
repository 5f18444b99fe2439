/**
 * What opens over the page and closes again: the menu of each chart, and whatever else is a `details` with a sheet. What
 * is chosen in a menu its chart answers.
 */
import { element } from "../lib/view/markup.ts";
import { find, findAll, toNode } from "./page.js";

/** What a menu may offer, by the words in its `data-menu`; `table` and `copy` are those of the table below the chart. */
const ITEMS = /** @type {const} */ ({
  numbers: [{ "data-view": "table", "aria-pressed": "false" }, "Numbers"],
  svg: [{ "data-save": "svg" }, "Save as SVG"],
  csv: [{ "data-save": "csv" }, "Save as CSV"],
  table: [{ "data-table": "csv" }, "Save table as CSV"],
  copy: [{ "data-table": "copy" }, "Copy table"],
});

/** @param {HTMLElement} menu As delivered it is empty: nothing in it works without the script. */
function fillMenu(menu) {
  const names = /** @type {(keyof typeof ITEMS)[]} */ (menu.dataset.menu?.split(" "));
  const buttons = names.map(name => element("button", { type: "button", ...ITEMS[name][0] }, ITEMS[name][1]));
  const title = names.includes("numbers") ? "Numbers and saving" : "Saving";
  menu.append(
    toNode(element("summary", { "aria-label": title, title }, "⋯")),
    toNode(element("div", { class: "sheet" }, ...buttons)),
  );
}

/** Fill the menus, and answer them and all other sheets; to be called before the parts of a page look for what is in them. */
export function startSheets() {
  findAll(".menu").forEach(fillMenu);
  const all = () => /** @type {HTMLDetailsElement[]} */ (findAll("details:is(.menu, .picker)[open]"));
  document.addEventListener("pointerdown", event => {
    for (const sheet of all()) if (!sheet.contains(/** @type {Node} */ (event.target))) sheet.open = false;
  });
  document.addEventListener("focusin", event => {
    for (const sheet of all()) if (!sheet.contains(/** @type {Node} */ (event.target))) sheet.open = false;
  });
  document.addEventListener("click", event => {
    const button = /** @type {Element} */ (event.target).closest(".menu button");
    // It says itself how copying went.
    if (button !== null && /** @type {HTMLElement} */ (button).dataset.table !== "copy") close(button);
  });
  document.addEventListener("keydown", event => {
    const target = /** @type {Element} */ (event.target);
    const menu = target.closest(".menu");
    if (event.key === "Escape") close(target);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (menu === null || step === undefined) return;
    event.preventDefault();
    /** @type {HTMLDetailsElement} */ (menu).open = true;
    const stops = findAll("summary, button:not(:disabled)", menu);
    stops[stops.indexOf(target) + step]?.focus();
  });
}

/** @param {Element} from Inside of what is closed; the keyboard goes on at what had opened it. */
function close(from) {
  /** @type {HTMLDetailsElement | null} */
  const sheet = from.closest("details:is(.menu, .picker)");
  if (sheet === null || !sheet.open) return;
  sheet.open = false;
  find("summary", sheet).focus();
}
