/**
 * What every table and row of buttons of a page has in common: a table that is wider than its place becomes a list of
 * cards, and is one stop of the keyboard with its search, as is each row of buttons; arrow keys move inside.
 */
import { find, findAll } from "./page.js";

const CONTROLS = "button, summary, a";

/** @param {HTMLElement} node */
const isSeen = node => !node.hidden && node.checkVisibility();

/** Tables measured in one frame: each that is out of sight has to be laid out for it. */
const FIT_AT_ONCE = 2;

/** Tables that may have come to be wider than their place, or narrower. */
const unsettled = new Set(/** @type {HTMLElement[]} */ ([]));

/** @param {HTMLElement} box The `.scroll` around a table. */
function fitSoon(box) {
  if (unsettled.size === 0) requestAnimationFrame(fitTables);
  unsettled.add(box);
}

/**
 * Times on two lines where the table does not fit, cards where it does not fit then either; all are measured before any
 * is changed, so that the page is laid out once a step.
 */
function fitTables() {
  const next = [...unsettled].slice(0, FIT_AT_ONCE);
  for (const box of next) unsettled.delete(box);
  if (unsettled.size > 0) requestAnimationFrame(fitTables);
  const boxes = next.filter(box => box.isConnected);
  for (const box of boxes) box.classList.remove("cards", "tight");
  const isTooWide = (/** @type {HTMLElement} */ box) => box.scrollWidth > box.clientWidth;
  const wide = boxes.filter(isTooWide);
  for (const box of wide) box.classList.add("tight");
  for (const box of wide.filter(isTooWide)) {
    box.classList.replace("tight", "cards");
    const heads = find("table", box)?.tHead?.rows[0]?.cells ?? [];
    // What stands before each field of a card; these words are ours.
    [...heads].forEach((cell, i) => box.style.setProperty(`--n${i + 1}`, JSON.stringify(cell.textContent.trim())));
  }
}

const sizes = new ResizeObserver(entries => {
  for (const { target } of entries) fitSoon(/** @type {HTMLElement} */ (target));
});

/** Watch all tables and rows of buttons below a node; to be called once for each. */
export function startTables(from = document) {
  const rows = [
    ...findAll("figure.chart-box", from).map(box => startRow(box, "figcaption :is(.views button, .menu > summary), .legend button")),
    ...findAll(".filters .group[role=group], nav.sections, .story", from).map(box => startRow(box, CONTROLS)),
  ];
  // What is seen was asked of all before any is changed: the page is styled once, not once for each.
  for (const settle of rows) settle();
  for (const box of findAll(".scroll:not(.numbers)", from)) startTable(box);
}

/** @param {HTMLElement} box */
export function startTable(box) {
  const tools = box.parentElement?.classList.contains("data-table") ? box.parentElement : undefined;
  // The search and the buttons above and below a table belong to it.
  const around = tools ?? /** @type {HTMLElement} */ (box.parentElement);
  const above = () => findAll(":scope > .table-tools :is(button, .find)", around);
  const below = () => findAll(":scope > .show-more button", around);
  const neighbours = () => [...above(), ...below()];
  const inside = () => findAll(CONTROLS, box);
  const quiet = () => {
    for (const node of [...neighbours(), ...inside()]) node.tabIndex = -1;
  };
  const isOurs = (/** @type {Element} */ node) => box.contains(node) || neighbours().includes(node);
  new MutationObserver(() => {
    quiet();
    fitSoon(box);
  }).observe(box, { childList: true, subtree: true });
  sizes.observe(box);
  quiet();
  around.addEventListener("keydown", event => {
    const from = /** @type {HTMLElement} */ (event.target);
    if (!isOurs(from) || from.tagName === "SELECT") return;
    // In the search the other keys are for its text.
    if (from.tagName === "INPUT" && !/^(Escape|ArrowDown)$/.test(event.key)) return;
    if (event.key === "Escape" && from !== box) return void box.focus();
    const stops = [...above(), ...inside(), ...below()].filter(isSeen);
    const to = nextStop(stops, from === box ? undefined : from, event.key);
    if (to === undefined) return;
    event.preventDefault();
    to.focus();
  });
}

/** @param {HTMLElement} stop */
function columnOf(stop) {
  return /** @type {HTMLTableCellElement | null} */ (stop.closest("td, th"))?.cellIndex;
}

/**
 * The control that an arrow key leads to: left and right in the order of the page, up and down to the row above or
 * below, in the same column where that has one.
 *
 * @param {HTMLElement[]} stops
 * @param {HTMLElement | undefined} from undefined: none has been reached yet.
 * @param {string} key
 * @returns {HTMLElement | undefined}
 */
function nextStop(stops, from, key) {
  const at = from === undefined ? -1 : stops.indexOf(from);
  if (key === "Home") return stops[0];
  if (key === "End") return stops.at(-1);
  if (key === "ArrowRight") return stops[at + 1];
  if (key === "ArrowLeft") return at > 0 ? stops[at - 1] : undefined;
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
  if (from === undefined) return key === "ArrowDown" ? stops.find(stop => stop.closest("tbody")) ?? stops[0] : stops[0];
  const rowOf = (/** @type {HTMLElement} */ stop) => stop.closest("tr") ?? stop.parentElement;
  const ordered = key === "ArrowDown" ? stops.slice(at + 1) : stops.slice(0, at).reverse();
  const next = ordered.find(stop => rowOf(stop) !== rowOf(from));
  if (next === undefined) return undefined;
  const column = columnOf(from);
  const sameRow = ordered.filter(stop => rowOf(stop) === rowOf(next));
  const first = key === "ArrowDown" ? sameRow[0] : sameRow.at(-1);
  return sameRow.find(stop => columnOf(stop) === column) ?? first;
}

/**
 * One stop for a row of buttons: the one used last.
 *
 * @param {HTMLElement} box
 * @param {string} selector
 * @returns {() => void} Makes it so; to be called when all rows have been started.
 */
function startRow(box, selector) {
  const stops = () => findAll(selector, box);
  const choose = (/** @type {HTMLElement[]} */ all) =>
    all.find(stop => stop.tabIndex === 0 && isSeen(stop)) ?? all.find(isSeen) ?? all[0];
  const settle = (all = stops(), current = choose(all)) => {
    for (const stop of all) stop.tabIndex = stop === current ? 0 : -1;
  };
  const all = stops();
  const legend = find(".legend", box);
  // It is drawn anew with the chart, as is what happened.
  const anew = box.matches(".story") ? box : legend;
  if (anew !== null) new MutationObserver(() => settle()).observe(anew, { childList: true });
  box.addEventListener("focusin", event => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (stops().includes(target)) settle(stops(), target);
  });
  box.addEventListener("keydown", event => {
    const seen = stops().filter(isSeen);
    const at = seen.indexOf(/** @type {HTMLElement} */ (event.target));
    if (at < 0) return;
    const isList = box.matches(".story");
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: seen.length - 1, ...(isList && { ArrowDown: at + 1, ArrowUp: at - 1 }) }[event.key];
    if (to === undefined || seen[to] === undefined) return;
    event.preventDefault();
    seen[to].focus();
  });
  const first = legend === null ? choose(all) : all[0];
  return () => settle(all, first);
}
