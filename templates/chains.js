/** The script of `command-chains.html`: lights up the ways through a command; the page is complete without it. */
import { toCsv } from "../lib/text/csv.ts";
import { find, findAll, root, saveSvg, saveText } from "./page.js";
import { startSheets } from "./sheets.js";
import { startStepGraph } from "./step-graph.js";
import { startTables } from "./tables.js";

root.classList.add("scripted");
startSheets();
startTables();
const svg = find("svg.sankey");
if (svg !== null) {
  startStepGraph(svg, JSON.parse(find("#data").textContent));
  find("[data-save=svg]").addEventListener("click", () => saveSvg(find(".picture"), "chains"));
  find("[data-table=csv]").addEventListener("click", () => saveText(chainsCsv(), "chains.csv", "text/csv"));
  root.dataset.ready = String(findAll(".step", svg).length);
}

/** The chains as they are listed, each command in full. */
function chainsCsv() {
  const texts = new Map(findAll(".texts tbody tr").map(row => [row.cells[0].textContent, find("details > code", row) ?? find("code", row)]));
  const rows = findAll("#top tbody tr").map(row => [
    ...[...row.cells].slice(0, 3).map(cell => cell.textContent),
    findAll("li", row).map(link => texts.get(find(".ref", link)?.textContent)?.textContent ?? "…").join(" → "),
  ]);
  return toCsv(["rank", "sessions", "share", "commands"], rows);
}
