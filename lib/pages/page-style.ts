/** The style that all pages share, and tables as cards where no script finds out that they do not fit. */
import cards from "../../templates/cards.css" with { type: "text" };
import page from "../../templates/page.css" with { type: "text" };
import type { TableView } from "../view/stats-tables.ts";

/** Of every page; what is its own comes behind. */
export const BASE_STYLE = `${page}@media screen {\n${cards}}\n`;

/** A table whose columns a page names. */
export interface CardTable {
  /** Of the `.scroll` around it. */
  readonly selector: string;
  readonly names: readonly string[];
}

export function toCardTable({ id, columns }: Pick<TableView, "id" | "columns">): CardTable {
  return { selector: `[data-table-name=${toCssString(id)}]`, names: columns.map(({ name }) => name) };
}

/** Without a script, all tables of a narrow window are cards, their fields under the names of their columns. */
export function cardsWithoutScript(tables: readonly CardTable[]): string {
  const labels = tables.map(({ selector, names }) => {
    const values = names.map((name, i) => `--n${i + 1}: ${toCssString(name)};`);
    return `${selector} { ${values.join(" ")} }\n`;
  });
  const rules = cards.replaceAll(".cards", ".scroll");
  return `@media screen and (max-width: 700px) and (scripting: none) {\n${rules}${labels.join("")}}\n`;
}

/** A name may be a sensor's, so an attacker's: nothing but letters, digits and blanks stands in it as it is. */
function toCssString(text: string): string {
  return `"${text.replace(/[^A-Za-z0-9 ]/gu, character => `\\${character.codePointAt(0)!.toString(16)} `)}"`;
}
