/** The script of `command-chains.html`: lights up the ways through a command; the page is complete without it. */
import { find, findAll, root } from "./page.js";
import { startStepGraph } from "./step-graph.js";
import { startTables } from "./tables.js";

root.classList.add("scripted");
startTables();
const svg = find("svg.sankey");
if (svg !== null) {
  startStepGraph(svg, JSON.parse(find("#data").textContent));
  root.dataset.ready = String(findAll(".step", svg).length);
}
