/**
 * What pages are built of again and again: folded texts, tables, figures, legends. Drawn here alone, for the server and
 * for the pages' scripts; templates hold what a page says once.
 */
import type { LongText } from "../text/long-text.ts";
import { element, type Markup } from "./markup.ts";

/** A text of an attacker, folded where it is long. */
export function foldedMarkup({ text, isLong, head }: LongText): Markup {
  if (!isLong) return element("code", {}, text);
  return element("details", { class: "long" }, element("summary", {}, element("code", {}, head)), element("code", {}, text));
}

/** A value, or the word for having none. */
export function partMarkup(part: LongText & { readonly isNone: boolean }): Markup {
  return part.isNone ? noneMarkup(part.text) : foldedMarkup(part);
}

/** The same behind what tells it from its neighbours, where no heading does. */
export function rolePart(part: LongText & { readonly isNone: boolean; readonly role?: string }): (Markup | string)[] {
  return part.role === undefined ? [partMarkup(part)] : [element("span", { class: "what" }, part.role), " ", partMarkup(part)];
}

/** What the page says itself about a missing value. */
export function noneMarkup(text: string): Markup {
  return element("span", { class: "none" }, text);
}

/** The heading of a column. */
export interface Head {
  readonly name: string;
  readonly className?: string | undefined;
  /** Said to whoever does not see the table. */
  readonly isHidden?: boolean;
  readonly sort?: string | undefined;
  readonly title?: string | undefined;
}

export function headName(head: Head | string): string {
  return typeof head === "string" ? head : head.name;
}

export function headCell({ name, className, isHidden, sort, title }: Head, content: Markup | string = name): Markup {
  const shown = isHidden ? element("span", { class: "hidden" }, content) : content;
  return element("th", { scope: "col", class: className, "aria-sort": sort, title }, shown);
}

/** @param heads A text alone is a column of texts. */
export function tableMarkup(heads: readonly (Head | string)[], rows: readonly Markup[], className?: string): Markup {
  const cells = heads.map(head => headCell(typeof head === "string" ? { name: head } : head));
  return element("table", { class: className }, element("thead", {}, element("tr", {}, ...cells)), element("tbody", {}, ...rows));
}

export function numberHead(name: string): Head {
  return { name, className: "number" };
}

/** What a table scrolls in where it is wider than its place. */
export function scrollBox(name: string, table: Markup, className = "scroll"): Markup {
  return element("div", { class: className, tabindex: 0, role: "region", "aria-label": name }, table);
}

export interface FigureView {
  readonly value: string;
  readonly label: string;
  readonly note: string;
  /** Both periods of the comparison, uncommented: nothing here was tested. */
  readonly past?: string;
}

/** A number in large type, with what it counts. */
export function figureMarkup({ value, label, note, past }: FigureView): Markup {
  return element(
    "div",
    { class: "figure" },
    element("b", {}, value),
    element("span", { class: "what" }, label),
    element("span", { class: "note" }, note),
    past === undefined ? undefined : element("span", { class: "note" }, past),
  );
}

/** What the colours of a picture mean. */
export function legendMarkup(entries: readonly { readonly className: string; readonly name: string }[]): Markup[] {
  return entries.map(({ className, name }) => element("li", {}, element("i", { class: className }), name));
}
