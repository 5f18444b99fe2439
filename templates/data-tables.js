/** Tables that hold all their rows: sorting, searching, folding, saving. */
import { toCsv } from "../lib/text/csv.ts";
import { formatNumber } from "../lib/text/format.ts";
import { compareValues, find, findAll, h, saveText } from "./page.js";

/** Rows to be seen before "Show all". */
const FIRST_ROWS = 15;

export function startDataTables() {
  for (const box of findAll(".data-table")) startDataTable(box);
}

/** @param {HTMLElement} box */
export function startDataTable(box) {
  /** @type {HTMLTableElement & { tHead: HTMLTableSectionElement }} */
  const table = find("table", box);
  const body = table.tBodies[0];
  const rows = [...body.rows].map(row => ({ row, words: row.textContent.toLowerCase(), hit: true }));
  /** @type {HTMLButtonElement} */
  const more = find("[data-table=more]", box);
  /** @type {HTMLInputElement & { parentElement: HTMLElement }} */
  const search = find(".find", box);
  let showsAll = rows.length <= FIRST_ROWS;
  search.parentElement.hidden = showsAll;

  function draw() {
    let seen = 0;
    for (const { row, hit } of rows) {
      row.hidden = !hit || (!showsAll && seen >= FIRST_ROWS);
      if (hit) seen++;
    }
    more.hidden = showsAll || seen <= FIRST_ROWS;
    more.textContent = `Show all ${formatNumber(seen)}`;
    find(".found", box).textContent =
      search.value === "" ? "" : `${formatNumber(seen)} of ${formatNumber(rows.length)}`;
  }

  startSorting(table, compare => {
    rows.sort((a, b) => compare(a.row, b.row));
    body.append(...rows.map(({ row }) => row));
    draw();
  });
  search.addEventListener("input", () => {
    const wanted = search.value.toLowerCase();
    for (const entry of rows) entry.hit = entry.words.includes(wanted);
    draw();
  });
  more.addEventListener("click", () => {
    showsAll = true;
    draw();
  });
  find("[data-table=csv]", box).addEventListener("click", () => {
    const header = [...table.tHead.rows[0].cells].map((cell, i) => cell.textContent || `column ${i + 1}`);
    const lines = rows.filter(({ hit }) => hit).map(({ row }) => [...row.cells].map(cellText));
    saveText(toCsv(header, lines), `${box.dataset.tableName}.csv`, "text/csv");
  });
  // Paper has no button to unfold with.
  addEventListener("beforeprint", () => {
    if (!box.isConnected) return;
    showsAll = true;
    draw();
  });
  draw();
}

/**
 * Headings become buttons: the first click sorts numbers falling and words rising, the next the other way round.
 *
 * @param {HTMLTableElement & { tHead: HTMLTableSectionElement }} table
 * @param {(compare: (a: HTMLTableRowElement, b: HTMLTableRowElement) => number) => void} sort
 */
function startSorting(table, sort) {
  const cells = [...table.tHead.rows[0].cells];
  cells.forEach((cell, column) => {
    const name = cell.textContent;
    if (name === "") return;
    const button = h("button", { type: "button" }, name);
    cell.replaceChildren(button);
    const isNumber = cell.classList.contains("number");
    /** @param {HTMLTableRowElement} row */
    const value = row => (isNumber ? Number(row.cells[column].dataset.sort) : row.cells[column].dataset.sort);
    button.addEventListener("click", () => {
      const order = cell.getAttribute("aria-sort");
      const falls = order === null ? isNumber : order === "ascending";
      for (const other of cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", falls ? "descending" : "ascending");
      sort((a, b) => (falls ? -1 : 1) * compareValues(value(a), value(b)));
    });
  });
}

/**
 * What a cell says; of a folded text the whole, of a picture the number behind it.
 *
 * @param {HTMLTableCellElement} cell
 */
function cellText(cell) {
  if (find("svg", cell) !== null) return cell.dataset.sort;
  const copy = /** @type {HTMLElement} */ (cell.cloneNode(true));
  for (const summary of findAll("details.long > summary", copy)) summary.remove();
  return copy.textContent.trim();
}
