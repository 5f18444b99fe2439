/** Chains of commands in the report: picture and table drawn again for the days and sensors chosen. */
import { toCsv } from "../lib/text/csv.ts";
import { legendMarkup } from "../lib/view/parts-markup.ts";
import {
  buildChainRow,
  buildChainsView,
  chainText,
  commandText,
  describeChains,
} from "../lib/view/report-chains.ts";
import { CHAINS_SHOWN, chainsPicture, chainsTable } from "../lib/view/report-markup.ts";
import { describeHidden, describeLegend, toPagePaths } from "../lib/view/step-graph-picture.ts";
import { startMoreRows } from "./more-rows.js";
import { find, h, saveSvg, saveText, toNode } from "./page.js";
import { startStepGraph } from "./step-graph.js";

/**
 * @typedef {import("../lib/view/report-chains.ts").ChainsData} ChainsData
 * @typedef {import("../lib/view/report-chains.ts").ChainsView} ChainsView
 */

/**
 * @param {ChainsData} data
 * @param {() => import("../lib/view/report-view.ts").Scope} scopeOf
 */
export function startChains(data, scopeOf) {
  /** @type {HTMLElement} */
  const node = find("#chains");
  const canvas = find(".canvas", node);
  const seen = startMoreRows(node, CHAINS_SHOWN, drawTable);
  /** @type {ChainsView} */
  let view;

  /** @param {number} width */
  function drawAt(width) {
    view = buildChainsView(scopeOf(), data);
    find(".shown", node).textContent = describeChains(view, scopeOf().whole);
    drawTable();
    drawPicture(view, data, node, width);
  }

  function drawTable() {
    const found = findChains(view, data, seen.wanted);
    const rows = found.slice(0, seen.rows).map(({ chain, rank }) => buildChainRow(view, chain, rank));
    find(".chains-table", node).replaceChildren(toNode(chainsTable(rows)));
    seen.tell(found.length, view.graph.chains.length);
  }

  node.addEventListener("click", event => {
    const { save, table } = /** @type {Element} */ (event.target).closest("button")?.dataset ?? {};
    if (save === "svg") saveSvg(canvas, "chains");
    if (table !== "csv") return;
    const rows = findChains(view, data, seen.wanted).map(({ chain, rank }) => [rank, chain.sessions, chainText(data, chain)]);
    saveText(toCsv(["rank", "sessions", "commands"], rows), "chains.csv", "text/csv");
  });
  return { node, draw: () => drawAt(canvas.clientWidth), drawAt };
}

/** @type {(view: ChainsView, data: ChainsData, node: HTMLElement, width: number) => void} */
function drawPicture(view, data, node, width) {
  const { graph, thinned } = view;
  const isEmpty = thinned.nodes.length === 0;
  const hidden = describeHidden(thinned, view.threshold);
  find("#chains-hidden").textContent = hidden === "" ? "" : `${hidden}.`;
  const legend = isEmpty ? [] : describeLegend(graph, thinned, data.purposes);
  find(".purposes", node).replaceChildren(...legendMarkup(legend).map(part => toNode(part)));
  const canvas = find(".canvas", node);
  if (isEmpty) {
    canvas.replaceChildren(h("p", { class: "none" }, "Nothing in this selection."));
    return;
  }
  const svg = toNode(chainsPicture(view, width));
  canvas.replaceChildren(svg);
  startStepGraph(svg, toPagePaths(graph, thinned));
}

/**
 * Chains that hold a text in one of their commands, each with its rank.
 *
 * @type {(view: ChainsView, data: ChainsData, wanted: string) => { chain: ChainsView["graph"]["chains"][number], rank: number }[]}
 */
function findChains(view, data, wanted) {
  const ranked = view.graph.chains.map((chain, i) => ({ chain, rank: i + 1 }));
  if (wanted === "") return ranked;
  const hits = new Set(
    [...data.commands.keys()].filter(code => commandText(data, code).toLowerCase().includes(wanted)),
  );
  return ranked.filter(({ chain }) => chain.commands.some(code => hits.has(code)));
}
