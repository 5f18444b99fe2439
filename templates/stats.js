/** The statistics page's script: its tables are sorted, searched, folded and saved. The page is complete without it. */
import { root, saveSvg, startTheme, findAll } from "./page.js";
import { startDataTables } from "./data-tables.js";
import { startTables } from "./tables.js";

root.classList.add("scripted");
startTheme();
startDataTables();
startTables();
for (const button of findAll("[data-save=svg]")) {
  button.addEventListener("click", () =>
    saveSvg(button.closest("figure").querySelector(".canvas"), button.dataset.name),
  );
}
addEventListener("beforeprint", () => {
  for (const details of findAll("main details")) details.open = true;
});
root.dataset.drawn = "true";
