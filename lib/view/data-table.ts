/**
 * A table that holds all its rows, with what searches, unfolds and saves it.
 *
 * Tested in `test/lib/pages/stats-page.test.ts`.
 */
import { element, type Markup } from "./markup.ts";
import { rolePart, scrollBox, tableMarkup } from "./parts-markup.ts";
import type { CellView, TableView } from "./stats-tables.ts";

export function dataTable({ id, name, shown, columns, rows }: TableView): Markup {
  if (rows.length === 0) return element("p", { class: "none" }, shown);
  const body = rows.map(({ cells }) => element("tr", {}, ...cells.map(dataCell)));
  return element(
    "div",
    { class: "data-table", "data-table-name": id },
    element(
      "div",
      { class: "table-tools" },
      element("span", { class: "shown" }, shown),
      element("span", { class: "spring" }),
      element("span", { class: "found", "aria-live": "polite" }),
      element(
        "label",
        { class: "script" },
        "Find ",
        element("input", { type: "search", class: "find", spellcheck: "false", autocomplete: "off" }),
      ),
      element("button", { type: "button", class: "script", "data-table": "csv" }, "CSV"),
    ),
    scrollBox(`${name}, table`, tableMarkup(columns, body)),
    element("p", { class: "show-more script" }, element("button", { type: "button", "data-table": "more", hidden: true }, "Show all")),
  );
}

function dataCell({ className, sort, parts, text, mark }: CellView): Markup {
  return element(
    "td",
    { class: className || undefined, "data-sort": sort },
    ...parts.flatMap(part => [element("span", { class: part.className }, ...rolePart(part)), " "]),
    text,
    mark,
  );
}
