/** What the scripts of all pages share: making nodes, the tip, saving. Text reaches the document as text only. */
import { describeValue } from "../lib/view/chart.ts";
import { clipEnd } from "../lib/text/cut.ts";
import { element } from "../lib/view/markup.ts";

const SVG = "http://www.w3.org/2000/svg";

export const root = document.documentElement;

/** @typedef {import("../lib/view/markup.ts").Markup} Markup */

/**
 * The element a template has put there; which kind it is the template says, so the caller names the type.
 *
 * @param {string} selector
 * @param {ParentNode} [from]
 * @returns {any}
 */
export const find = (selector, from = document) => from.querySelector(selector);

/**
 * @param {string} selector
 * @param {ParentNode} [from]
 * @returns {any[]}
 */
export const findAll = (selector, from = document) => [...from.querySelectorAll(selector)];

/**
 * Make nodes of a tree; SVG elements where it says `svg`, and below.
 *
 * @param {Markup | string} markup
 * @returns {any} What the tree says: an element of its tag, or a text node.
 */
export function toNode(markup, inSvg = false) {
  if (typeof markup === "string") return document.createTextNode(markup);
  const isSvg = inSvg || markup.tag === "svg";
  const node = isSvg ? document.createElementNS(SVG, markup.tag) : document.createElement(markup.tag);
  for (const [name, value] of Object.entries(markup.attributes)) node.setAttribute(name, String(value));
  node.append(...markup.children.map(child => toNode(child, isSvg)));
  return node;
}

/** @type {(...of: Parameters<typeof element>) => any} */
export const h = (tag, attributes, ...children) => toNode(element(tag, attributes, ...children));

/**
 * @param {any} a Of the same type as `b`.
 * @param {any} b
 */
export function compareValues(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function swatch() {
  return element(
    "svg",
    { width: 16, height: 10, "aria-hidden": "true" },
    element("path", { class: "line", d: "M1 5H15" }),
  );
}

/** The button that switches between light and dark. */
export function startTheme() {
  find("#theme")?.addEventListener("click", () => {
    const isDark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  });
}

/** @type {HTMLElement} */
const tip = find("#tip");

/**
 * @typedef {object} TipEntry
 * @property {string} name
 * @property {number | undefined} [style] Number of the series' style; its swatch is shown.
 * @property {number | null} [value]
 * @property {string} [text] In place of the value.
 */

/**
 * @param {number} x
 * @param {number} y
 * @param {string} heading
 * @param {readonly TipEntry[]} entries
 * @param {Node[]} more Below the entries.
 */
export function showTip(x, y, heading, entries, ...more) {
  tip.replaceChildren(
    h("b", {}, heading),
    ...entries.map(({ name, style, value, text }) =>
      h(
        "div",
        { class: "entry" },
        element(
          "span",
          { class: style === undefined ? "" : `s${style}` },
          ...(style === undefined ? [] : [swatch()]),
          element("code", {}, clipEnd(name, 44)),
        ),
        element("span", {}, text ?? describeValue(value)),
      ),
    ),
    ...more,
  );
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 16 + width > innerWidth ? x - width - 16 : x + 16;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, Math.min(innerHeight - height - 8, y + 14))}px`;
}

export function hideTip() {
  tip.hidden = true;
}

/**
 * Offer text as a file; the address is of the page itself and lives for one click.
 *
 * @param {string} text
 * @param {string} name
 * @param {string} type
 */
export function saveText(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * @param {string} text
 * @param {HTMLButtonElement} button It says for a moment how that went.
 */
export async function copyText(text, button) {
  const name = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // A page from a file may not write to the clipboard; the CSV button does the same job.
    button.textContent = "Not allowed, use CSV";
  }
  setTimeout(() => (button.textContent = name), 2000);
}

const DRAWN = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "stroke-linecap",
  "stroke-opacity",
  "paint-order",
  "opacity",
  "font-family",
  "font-size",
  "text-anchor",
  "shape-rendering",
];

/**
 * The chart as a picture of its own, in the light theme whatever the page shows: styles become attributes.
 *
 * @param {ParentNode} canvas
 * @param {string} name
 */
export function saveSvg(canvas, name) {
  /** @type {SVGSVGElement | null} */
  const svg = find("svg", canvas);
  if (svg === null) return;
  const theme = root.dataset.theme;
  root.dataset.theme = "light";
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  /** @type {Element | null} */
  const patterns = find(".patterns defs");
  const copyPatterns = /** @type {Element | undefined} */ (patterns?.cloneNode(true));
  // What is inherited is not said again; opacity is not inherited.
  /** @type {(from: Element, into: Element, inherited: ReadonlyMap<string, string>) => void} */
  const settle = (from, into, inherited) => {
    const style = getComputedStyle(from);
    const values = new Map(DRAWN.map(property => [property, style.getPropertyValue(property)]));
    for (const [property, value] of values) {
      if (property === "opacity" ? value !== "1" : value !== inherited.get(property))
        // Other programs know no colour that is not there.
        into.setAttribute(property, value === "rgba(0, 0, 0, 0)" ? "none" : value);
    }
    [...from.children].forEach((child, i) => settle(child, into.children[i], values));
  };
  settle(svg, copy, new Map());
  if (patterns !== null && copyPatterns !== undefined) settle(patterns, copyPatterns, new Map());
  if (theme === undefined) delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const hidden of findAll("[hidden]", copy)) hidden.remove();
  if (copyPatterns !== undefined && find(".hatched", copy) !== null) copy.prepend(copyPatterns);
  for (const node of [copy, ...findAll("*", copy)]) {
    // What is for the page alone: its styles, and how it is pointed at.
    for (const { name } of [...node.attributes]) {
      if (/^(class|tabindex|data-.*|aria-pressed)$/.test(name)) node.removeAttribute(name);
    }
  }
  copy.setAttribute("xmlns", SVG);
  saveText(new XMLSerializer().serializeToString(copy), `${name}.svg`, "image/svg+xml");
}

/** Longest stretch of work without a pause, in ms: a reader who clicks or scrolls does not notice it. */
const WORK_MOST = 12;
let workSince = 0;

/** Let the browser answer what came in meanwhile, if it has not for some time; work that takes long is cut by this. */
export async function breathe() {
  if (performance.now() - workSince < WORK_MOST) return;
  await new Promise(resolve => setTimeout(resolve));
  workSince = performance.now();
}
