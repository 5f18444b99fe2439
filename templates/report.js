/**
 * The report's page script: it reads what the page carries, and draws every part anew when the filter changes. The page
 * is complete without it.
 *
 * Everything is drawn by the functions the server draws with; text reaches the document as text nodes and attribute
 * values only.
 */
import { everything, isEverything, wholeRange } from "../lib/view/cells.ts";
import { unpackPage } from "../lib/view/page-data.ts";
import { buildScope } from "../lib/view/report-view.ts";
import { startDataTables } from "./data-tables.js";
import { breathe, find, findAll, root, startTheme } from "./page.js";
import { readAddress, writeAddress } from "./report-address.js";
import { startCampaigns } from "./report-campaigns.js";
import { startChains } from "./report-chains.js";
import { startCompare } from "./report-compare.js";
import { filterOfAddress, filterToAddress, startFilter } from "./report-filter.js";
import { startActivity, startFirst, startTimeline, startWatch } from "./report-first.js";
import { startChanges, startCoverage, startDurations, startHeadline } from "./report-overview.js";
import { startSection } from "./report-section.js";
import { startTrails } from "./report-trails.js";
import { startSheets } from "./sheets.js";
import { startTables } from "./tables.js";

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
 * What all parts know.
 *
 * @typedef {object} Report
 * @property {import("../lib/view/page-data.ts").PageData} page
 * @property {import("../lib/view/report-data.ts").ReportData} data
 * @property {import("../lib/view/report-view.ts").Scope} scope Under the filter of the moment.
 * @property {(first: number, last: number) => void} chooseRange
 * @property {(range: import("../lib/view/axis.ts").DayRange, sensors: readonly number[]) => void} choose These days, on these sensors; none = all.
 */

/** Width of charts on paper, in pixels: wider than the sheet, so that two sections stand on it. */
const PRINT_WIDTH = 960;

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
  const { data } = page;
  root.classList.add("scripted");
  startTheme();
  startSheets();
  startDataTables();
  startTables();
  if (data.grid.days === 0) {
    root.dataset.drawn = "true";
    return;
  }
  const whole = wholeRange(data.grid);
  /** @param {import("../lib/view/cells.ts").Filter} filter */
  const apply = (filter, isRemembered = true) => {
    report.scope = buildScope(data, filter, page);
    if (isRemembered) writeAddress(filterToAddress(report));
    redraw();
  };
  /** @type {Report} */
  const report = {
    page,
    data,
    scope: buildScope(data, everything(data.grid), page),
    chooseRange(first, last) {
      const clamp = (/** @type {number} */ day) => Math.min(whole.last, Math.max(whole.first, day));
      const range = { first: clamp(Math.min(first, last)), last: clamp(Math.max(first, last)) };
      apply({ ...report.scope.filter, range });
    },
    choose({ first, last }, sensors) {
      const range = { first: Math.max(whole.first, first), last: Math.min(whole.last, last) };
      const isChosen = (/** @type {number} */ code) => sensors.length === 0 || sensors.includes(code);
      apply({ range, sensors: Uint8Array.from(data.sensors, (_, code) => Number(isChosen(code))) });
    },
  };
  const { parts, compare } = await startParts(report);
  const form = startFilter(report, apply);
  const redrawParts = startRedraw(parts);
  const redraw = () => {
    form.show();
    redrawParts();
  };
  const recall = () => {
    const { anchor, state } = readAddress();
    const filter = filterOfAddress(report, state);
    if (!isEverything(data.grid, filter) || !report.scope.whole) apply(filter, false);
    compare.recall(state);
    if (anchor !== undefined) goTo(anchor);
  };
  startLinks();
  addEventListener("hashchange", recall);
  watchFolds(parts);
  watchWidths(parts, redraw);
  for (const part of parts) {
    await breathe();
    part.prepare?.();
  }
  redraw();
  recall();
}

/** @param {Report} report */
async function startParts(report) {
  const { campaigns, chains, changes, durations, history, trails } = report.page;
  /** @type {Part[]} */
  const parts = [...startHeadline(report), startActivity(report), startFirst(report), startWatch(report), startCoverage(report)];
  const timeline = history && startTimeline(report, history);
  if (timeline) parts.push(timeline);
  for (const section of report.data.sections) {
    await breathe();
    parts.push(startSection(report, section));
  }
  if (changes) parts.push(startChanges(report, changes));
  const compare = startCompare(report);
  parts.push(compare);
  if (chains) parts.push(startChains(chains, () => report.scope));
  if (campaigns && trails) parts.push(startCampaigns(report, campaigns, trails));
  if (durations) parts.push(startDurations(report, durations));
  if (trails) startTrails(trails, () => report.scope);
  return { parts, compare };
}

/**
 * Parts out of sight are drawn after those in sight.
 *
 * @param {Part[]} parts
 * @returns {() => void}
 */
function startRedraw(parts) {
  /** It tells an overtaken pass that it is. */
  let pass = 0;
  return () => {
    const began = performance.now();
    const mine = ++pass;
    delete root.dataset.drawn;
    delete root.dataset.redrawMs;
    for (const part of parts) part.isStale = true;
    const drawNext = async () => {
      const stale = parts.filter(part => part.isStale && !isFolded(part.node));
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
    void drawNext();
  };
}

/** @param {Part} part */
function drawPart(part) {
  part.isStale = false;
  part.draw();
}

/** @param {HTMLElement} node */
const foldOf = node => /** @type {HTMLDetailsElement | null} */ (node.closest(".fold") ?? find(":scope > .fold", node));

/** What is folded has no width to be drawn to. @param {HTMLElement} node */
const isFolded = node => foldOf(node)?.open === false;

/** What was folded when the filter changed is drawn when it is unfolded. @param {Part[]} parts */
function watchFolds(parts) {
  for (const part of parts) {
    foldOf(part.node)?.addEventListener("toggle", () => part.isStale && !isFolded(part.node) && drawPart(part));
  }
}

/** Draw for paper, and when the window has another width. @type {(parts: Part[], redraw: () => void) => void} */
function watchWidths(parts, redraw) {
  /** @type {HTMLDetailsElement[]} */
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = findAll("main details:not(.menu, #compare .fold, [open])");
    for (const details of opened) details.open = true;
    for (const part of parts) part.drawAt(PRINT_WIDTH);
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    for (const part of parts) part.isStale = true;
    for (const part of parts) if (!isFolded(part.node)) drawPart(part);
  });
  const canvas = find("#activity .canvas");
  let width = canvas.clientWidth;
  new ResizeObserver(() => {
    const now = canvas.clientWidth;
    if (now === width || now === 0) return;
    width = now;
    redraw();
  }).observe(canvas);
}

/** Links to sections leave the choices in the address as they are. */
function startLinks() {
  for (const link of findAll(".sections a:not(.page)")) {
    link.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      event.preventDefault();
      const id = link.getAttribute("href").slice(1);
      writeAddress({}, id);
      goTo(id);
    });
  }
}

/** @param {string} id */
function goTo(id) {
  const node = document.getElementById(id);
  const fold = node && find(":scope > .fold", node);
  if (fold) fold.open = true;
  node?.scrollIntoView();
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
