/** Chains of commands in the report: picture and table drawn again for the days and sensors chosen. */
import { toCsv } from "../lib/text/csv.ts";
import { formatNumber } from "../lib/text/format.ts";
import { element } from "../lib/view/markup.ts";
import {
  buildChainRow,
  buildChainsView,
  chainText,
  commandText,
  describeChains,
} from "../lib/view/report-chains.ts";
import { CHAINS_SHOWN, chainsPicture, chainsTable } from "../lib/view/report-markup.ts";
import { describeHidden, describeLegend, toPagePaths } from "../lib/view/step-graph-picture.ts";
import { find, h, saveSvg, saveText, toNode } from "./page.js";
import { startStepGraph } from "./step-graph.js";

/** Rows that "Show more" adds. */
const MORE_ROWS = 25;

/**
 * @param {import("../lib/view/report-chains.ts").ChainsData} data
 * @param {() => import("../lib/view/report-view.ts").Scope} scopeOf
 */
export function startChains(data, scopeOf) {
  /** @type {HTMLElement} */
  const node = find("#chains");
  const canvas = find(".canvas", node);
  /** @type {HTMLButtonElement} */
  const more = find("[data-table=more]", node);
  /** @type {HTMLInputElement} */
  const search = find(".find", node);
  let shownRows = CHAINS_SHOWN;
  /** @type {import("../lib/view/report-chains.ts").ChainsView} */
  let view;

  /** @param {number} width */
  function drawAt(width) {
    view = buildChainsView(scopeOf(), data);
    const { graph, thinned } = view;
    find(".shown", node).textContent = describeChains(view, scopeOf().whole);
    const hidden = describeHidden(thinned, view.threshold);
    find("#chains-hidden").textContent = hidden === "" ? "" : `${hidden}.`;
    find(".purposes", node).replaceChildren(
      ...(thinned.nodes.length === 0 ? [] : describeLegend(graph, thinned, data.purposes)).map(({ className, name }) =>
        h("li", {}, element("i", { class: className }), name),
      ),
    );
    drawTable();
    if (thinned.nodes.length === 0) {
      canvas.replaceChildren(h("p", { class: "none" }, "Nothing in this selection."));
      return;
    }
    const svg = toNode(chainsPicture(view, width));
    canvas.replaceChildren(svg);
    startStepGraph(svg, toPagePaths(graph, thinned));
  }

  /** Chains that the search leaves, each with its rank. */
  function findChains() {
    const wanted = search.value.toLowerCase();
    const ranked = view.graph.chains.map((chain, i) => ({ chain, rank: i + 1 }));
    if (wanted === "") return ranked;
    const hits = new Set(
      [...data.commands.keys()].filter(code => commandText(data, code).toLowerCase().includes(wanted)),
    );
    return ranked.filter(({ chain }) => chain.commands.some(code => hits.has(code)));
  }

  function drawTable() {
    const found = findChains();
    const rows = found.slice(0, shownRows).map(({ chain, rank }) => buildChainRow(view, chain, rank));
    find(".chains-table", node).replaceChildren(toNode(chainsTable(rows)));
    more.hidden = found.length <= shownRows;
    more.textContent = `Show ${Math.min(MORE_ROWS, found.length - shownRows)} more`;
    find(".found", node).textContent =
      search.value === "" ? "" : `${formatNumber(found.length)} of ${formatNumber(view.graph.chains.length)}`;
  }

  search.addEventListener("input", drawTable);
  more.addEventListener("click", () => {
    shownRows += MORE_ROWS;
    drawTable();
  });
  node.addEventListener("click", event => {
    const { save, table } = /** @type {Element} */ (event.target).closest("button")?.dataset ?? {};
    if (save === "svg") saveSvg(canvas, "chains");
    if (table !== "csv") return;
    const rows = findChains().map(({ chain, rank }) => [rank, chain.sessions, chainText(data, chain)]);
    saveText(toCsv(["rank", "sessions", "commands"], rows), "chains.csv", "text/csv");
  });
  return { node, draw: () => drawAt(canvas.clientWidth), drawAt };
}
