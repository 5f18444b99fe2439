/**
 * The numbers of a chart, a row a step: what its menu shows in its place, and what stands below it where no script opens a menu.
 *
 * Tested in `test/lib/view/numbers-table.test.ts`.
 */
import { describeValue, lineLabels, lineText, type Line, type Steps, weightOf } from "./chart.ts";
import { element, type Markup } from "./markup.ts";
import { type Head, numberHead, scrollBox, tableMarkup } from "./parts-markup.ts";
import { stepLabel } from "./report-view.ts";

/** Characters of a name. */
const HEAD_CHARACTERS = 30;

/** A line of a chart or a row of a heat map: undefined where there is nothing to say. */
export type NumberLine = Pick<Line, "name" | "alike"> & { readonly values: readonly (number | null | undefined)[] };

export function numbersTable(steps: Steps, lines: readonly NumberLine[], rows: readonly Markup[]): Markup {
  const names = lineLabels(lines, HEAD_CHARACTERS);
  const heads = names.map((name, i): Head => ({ ...numberHead(name), title: weightOf(lines[i]!) > 1 ? lineText(lines[i]!) : undefined }));
  return tableMarkup([steps.days < 1 ? "Hour" : "Day", ...heads], rows);
}

export function numbersRow(steps: Steps, lines: readonly NumberLine[], step: number): Markup {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, stepLabel(steps, step)),
    ...lines.map(({ values }) => element("td", { class: "number" }, values[step] === undefined ? "" : describeValue(values[step]))),
  );
}

/** Rows of {@link numbersFold} that a chart's steps should be chosen for. */
export const FOLD_ROWS = 100;

/** All numbers of a chart, folded. */
export function numbersFold(steps: Steps, lines: readonly NumberLine[], label: string): Markup {
  const rows = Array.from({ length: steps.n }, (_, step) => numbersRow(steps, lines, step));
  return element(
    "details",
    { class: "more-numbers" },
    element("summary", {}, "Numbers"),
    scrollBox(label, numbersTable(steps, lines, rows), "scroll numbers"),
  );
}
