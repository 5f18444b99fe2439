/** What axe-core, a judge of accessibility, finds wrong with a page as it stands in the browser. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Rules that a theme can break. */
export const COLOUR_RULES = ["color-contrast", "link-in-text-block"] as const;
/** Rows and steps of one kind that {@link thinPage} keeps, and of a list or table at all. */
const KEPT_ALIKE = 2;
const KEPT = 12;
/** Characters of a text that are kept. */
const TEXT_KEPT = 600;

/**
 * Unfold all that is folded, and take away rows, steps and sessions that differ from others in their text alone, and
 * what is too long of a text: long pages are judged in a tenth of the time.
 */
export async function thinPage(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    for (const node of document.querySelectorAll("details")) node.open = true;
    for (const node of document.querySelectorAll("code")) {
      if (node.textContent.length > ${TEXT_KEPT}) node.textContent = node.textContent.slice(0, ${TEXT_KEPT});
    }
    const seen = new Map();
    const count = name => {
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return seen.get(name);
    };
    for (const node of document.querySelectorAll("tbody tr, main li, .session, .sheet li")) {
      const parts = [node, ...node.querySelectorAll("*")].slice(0, 60);
      const place = node.localName + (node.closest("section")?.id ?? "");
      const kind = parts
        .map(part => part.localName + (part.getAttribute("class") ?? "") + (part.textContent.trim() === "" ? "0" : ""))
        .join(" ");
      if (count(place + kind) > ${KEPT_ALIKE} || count(place) > ${KEPT}) node.remove();
    }
  })()`);
}

/**
 * Judge a page by every rule there is, by some only, or by all but some.
 *
 * @returns One entry per fault, the first few of each rule with where they are.
 */
export async function findAxeFaults(
  page: Page,
  { only, except = [] }: { only?: readonly string[]; except?: readonly string[] } = {},
): Promise<string[]> {
  // Through the debugger, so the page's policy is not asked and stays as strict as it is.
  await page.evaluate(SOURCE);
  const rules = Object.fromEntries(except.map(name => [name, { enabled: false }]));
  const options = { resultTypes: ["violations"], rules, ...(only && { runOnly: { type: "rule", values: only } }) };
  const violations = await page.evaluate<Violation[]>(
    `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations)`,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes
      .slice(0, 3)
      .map(node => `${id}: ${help}, ${nodes.length} times: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`),
  );
}
