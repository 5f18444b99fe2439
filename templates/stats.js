/** The statistics page's script: its tables are sorted, searched, folded and saved. The page is complete without it. */
import { find, findAll, root, saveSvg, startTheme } from "./page.js";
import { startDataTables } from "./data-tables.js";
import { startSheets } from "./sheets.js";
import { startTables } from "./tables.js";

root.classList.add("scripted");
startTheme();
startSheets();
startDataTables();
startTables();
for (const button of findAll("[data-save=svg]")) {
  const figure = button.closest("figure");
  button.addEventListener("click", () => saveSvg(find(".canvas", figure), figure.dataset.name));
}
addEventListener("beforeprint", () => {
  for (const details of findAll("main details")) details.open = true;
});
root.dataset.drawn = "true";
