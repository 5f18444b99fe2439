/** The sheet with the sessions of a row, filled for the days and sensors chosen when it is opened. */
import { trailSheet } from "../lib/view/report-markup.ts";
import { buildTrail } from "../lib/view/report-trails.ts";
import { rankSection } from "../lib/view/report-view.ts";
import { find, findAll, toNode } from "./page.js";

/**
 * @typedef {import("../lib/view/report-trails.ts").TrailsData} TrailsData
 * @typedef {import("../lib/view/report-view.ts").Scope} Scope
 */

/**
 * Answer the buttons.
 *
 * @param {TrailsData} trails
 * @param {() => Scope} scopeOf
 */
export function startTrails(trails, scopeOf) {
  /** @type {HTMLElement} */
  const sheet = find("#trail-sheet");
  // What stands in for this where there is no script.
  for (const other of findAll("[data-section] > .trail-sheet")) other.remove();
  for (const button of findAll("button.trail")) button.removeAttribute("popovertarget");
  /** @type {HTMLElement | undefined} */
  let opener;
  document.addEventListener("click", event => {
    const button = /** @type {Element} */ (event.target).closest("button");
    if (button?.dataset.copy !== undefined) void copy(button, button.dataset.copy);
    if (button?.dataset.trail === undefined) return;
    const id = /** @type {HTMLElement} */ (button.closest("[data-section]")).dataset.section;
    const scope = scopeOf();
    const section = scope.data.sections.find(candidate => candidate.id === id);
    if (section === undefined) return;
    const view = buildTrail(scope, trails, rankSection(scope, section), Number(button.dataset.trail));
    sheet.replaceChildren(...trailSheet(view, "trail-sheet-name", true).map(part => toNode(part)));
    opener = button;
    sheet.showPopover();
    sheet.scrollTop = 0;
    find(".scroll", sheet).focus();
  });
  sheet.addEventListener("toggle", event => {
    // Back to where it was opened, unless the reader has gone elsewhere by a click.
    if (event.newState === "closed" && document.activeElement === document.body) opener?.focus();
  });
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} text
 */
async function copy(button, text) {
  const name = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // The browser does not let the page write to the clipboard: the text stands beside the button.
    button.textContent = "Not allowed: mark it";
  }
  setTimeout(() => (button.textContent = name), 2000);
}
