/**
 * Lights up the ways of real sessions through a node of a step graph. Not what can be reached along the links: through
 * the grouped rest everything can.
 */
import { h, hideTip, showTip } from "./page.js";

/**
 * @typedef {Pick<import("../lib/view/step-graph-picture.ts").PagePaths, "links" | "paths">} Ways
 */

/**
 * @param {SVGSVGElement} svg
 * @param {Ways} ways
 */
export function startStepGraph(svg, ways) {
  const steps = /** @type {SVGGElement[]} */ ([...svg.querySelectorAll(".step")]);
  const light = startLight(svg, steps, ways);
  let pinned = -1;

  /** @param {number} node */
  function pin(node) {
    pinned = pinned === node ? -1 : node;
    steps.forEach((step, i) => {
      step.classList.toggle("pinned", i === pinned);
      step.setAttribute("aria-pressed", String(i === pinned));
    });
    light(pinned);
  }

  /** @param {number} node -1 for none; a pinned one stays lit. */
  const glance = node => void (pinned < 0 && light(node));
  const leave = () => {
    glance(-1);
    hideTip();
  };

  svg.setAttribute("role", "group");
  steps.forEach((step, i) => {
    makeButton(step, i === 0);
    step.addEventListener("pointerenter", event => {
      glance(i);
      tell(step, event.clientX, event.clientY);
    });
    step.addEventListener("pointerleave", leave);
    step.addEventListener("click", () => pin(i));
    step.addEventListener("focus", () => {
      for (const other of steps) other.setAttribute("tabindex", other === step ? "0" : "-1");
      if (!step.matches(":focus-visible")) return;
      glance(i);
      const { right, top } = barOf(step);
      tell(step, right, top);
    });
    step.addEventListener("blur", leave);
    step.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") pin(i);
      else if (event.key === "Escape") {
        hideTip();
        if (pinned >= 0) pin(pinned);
        else light(-1);
      } else if (event.key.startsWith("Arrow")) neighbour(steps, step, event.key)?.focus();
      else return;
      event.preventDefault();
    });
  });
}

/**
 * A step answers as a button does, the first of them to the Tab key.
 *
 * @type {(step: SVGGElement, isFirst: boolean) => void}
 */
function makeButton(step, isFirst) {
  const title = step.querySelector("title");
  step.dataset.said = title?.textContent ?? "";
  step.setAttribute("role", "button");
  step.setAttribute("aria-pressed", "false");
  step.setAttribute("tabindex", isFirst ? "0" : "-1");
  // Ours says the same, aloud as well, and two would lie over each other.
  title?.remove();
}

/**
 * @type {(svg: SVGSVGElement, steps: SVGGElement[], ways: Ways) => (node: number) => void}
 * @returns Lights the ways through a node; -1 puts everything back.
 */
function startLight(svg, steps, { links, paths }) {
  const bands = /** @type {SVGPathElement[]} */ ([...svg.querySelectorAll(".band")]);
  const widths = bands.map(band => Number(band.getAttribute("stroke-width")));
  const totals = bands.map(band => Number(band.dataset.sessions));
  const linkAt = new Map(links.map(([source, target], i) => [`${source} ${target}`, i]));

  return node => {
    svg.classList.toggle("lit", node >= 0);
    const flow = new Float64Array(links.length);
    const hot = new Set();
    if (node >= 0) {
      for (const [sessions, ...way] of paths) {
        if (!way.includes(node)) continue;
        way.forEach((at, i) => {
          hot.add(at);
          const link = i === 0 ? undefined : linkAt.get(`${way[i - 1]} ${at}`);
          if (link !== undefined) flow[link] += sessions;
        });
      }
    }
    bands.forEach((band, i) => {
      band.classList.toggle("hot", flow[i] > 0);
      const width = flow[i] > 0 ? Math.max(0.8, (widths[i] * flow[i]) / totals[i]) : widths[i];
      band.setAttribute("stroke-width", width.toFixed(1));
    });
    steps.forEach((step, i) => step.classList.toggle("hot", hot.has(i)));
  };
}

/** @type {(step: SVGGElement, x: number, y: number) => void} */
function tell(step, x, y) {
  const [name, numbers] = (step.dataset.said ?? "").split(" \n");
  showTip(x, y, numbers, [], h("code", {}, name));
}

/** @param {SVGGElement} step */
const barOf = step => /** @type {Element} */ (step.querySelector(".node")).getBoundingClientRect();

/**
 * The nearest node one column to the left or right, or the next one above or below.
 *
 * @type {(steps: SVGGElement[], step: SVGGElement, key: string) => SVGGElement | undefined}
 */
function neighbour(steps, step, key) {
  const top = (/** @type {SVGGElement} */ node) => barOf(node).top;
  const column = Number(step.dataset.step);
  const sideways = key === "ArrowLeft" ? -1 : key === "ArrowRight" ? 1 : 0;
  const others = steps.filter(other => other !== step && Number(other.dataset.step) === column + sideways);
  const distance = (/** @type {SVGGElement} */ other) => {
    const down = top(other) - top(step);
    return sideways !== 0 ? Math.abs(down) : key === "ArrowUp" ? -down : down;
  };
  return others.filter(other => sideways !== 0 || distance(other) > 0).sort((a, b) => distance(a) - distance(b))[0];
}
