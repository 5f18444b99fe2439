/**
 * A small tree of elements, from which the server makes text and the page's script makes nodes: whatever draws a
 * chart is written once, and attacker text is a child or an attribute value in it, never markup.
 *
 * Tested in `test/lib/pages/html.test.ts`.
 */

import { withoutControls } from "../text/text.ts";

export interface Markup {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly (Markup | string)[];
}

/**
 * @param attributes Names are ours and never data; `false` and undefined leave an attribute out, `true` gives it empty.
 */
export function element(
  tag: string,
  attributes: Record<string, string | number | boolean | undefined> = {},
  ...children: (Markup | string | undefined | readonly (Markup | string)[])[]
): Markup {
  const kept: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    kept[name] = value === true ? "" : value;
  }
  return { tag, attributes: kept, children: children.flat().filter(child => child !== undefined) };
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text for an element's content or a quoted attribute; what a terminal would obey is shown. */
export function escapeHtml(text: string): string {
  return withoutControls(text).replace(/[&<>"']/g, character => ESCAPES[character]!);
}

/** Elements of HTML that have no end. */
const VOID_TAGS: ReadonlySet<string> = new Set(["input", "meta"]);

/** Write trees as text; every child and every value is escaped. SVG elements where it says `svg`, and below. */
export function toMarkupText(nodes: Markup | string | readonly (Markup | string)[]): string {
  return [nodes].flat().map(node => writeNode(node, false)).join("");
}

function writeNode(node: Markup | string, inSvg: boolean): string {
  if (typeof node === "string") return escapeHtml(node);
  const isSvg = inSvg || node.tag === "svg";
  let text = `<${node.tag}`;
  for (const [name, value] of Object.entries(node.attributes)) text += ` ${name}="${escapeHtml(String(value))}"`;
  if (node.children.length === 0 && isSvg) return `${text}/>`;
  if (VOID_TAGS.has(node.tag)) return `${text}>`;
  return `${text}>${node.children.map(child => writeNode(child, isSvg)).join("")}</${node.tag}>`;
}
