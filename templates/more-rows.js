/** Rows of a table that is drawn anew: a search among all, and a button that shows more of what it leaves. */
import { formatNumber } from "../lib/text/format.ts";
import { find } from "./page.js";

/** Rows that "Show more" adds. */
const MORE_ROWS = 25;
/** So few rows nobody searches. */
const SEEN_AT_ONCE = 15;

/**
 * @param {HTMLElement} node What holds the button, the search and the words beside it.
 * @param {number} first Rows to be seen at first.
 * @param {() => void} draw Draws the table, and tells how many rows there were.
 */
export function startMoreRows(node, first, draw) {
  /** @type {HTMLButtonElement} */
  const more = find("[data-table=more]", node);
  /** @type {HTMLInputElement} */
  const search = find(".find", node);
  let rows = first;
  search.addEventListener("input", () => draw());
  more.addEventListener("click", () => {
    rows += MORE_ROWS;
    draw();
  });
  return {
    /** How many rows are to be seen at most. */
    get rows() {
      return rows;
    },
    /** What is searched for, in small letters; empty if nothing is. */
    get wanted() {
      return search.value.toLowerCase();
    },
    /** @type {(found: number, all: number) => void} */
    tell(found, all) {
      more.hidden = found <= rows;
      /** @type {HTMLElement} */ (search.parentElement).hidden = all <= Math.min(first, SEEN_AT_ONCE) && search.value === "";
      more.textContent = `Show ${Math.min(MORE_ROWS, found - rows)} more`;
      find(".found", node).textContent = search.value === "" ? "" : `${formatNumber(found)} of ${formatNumber(all)}`;
    },
  };
}
