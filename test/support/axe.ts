/** What axe-core, a judge of accessibility, finds wrong with a page as it stands in the browser. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly html: string; readonly failureSummary?: string }[];
}

/**
 * Judge a page by every rule there is.
 *
 * @param rules Of the rules only these; all when omitted.
 * @returns One entry per fault, the first few of each rule with where they are.
 */
export async function findAxeFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Through the debugger, so the page's policy is not asked and stays as strict as it is.
  await page.evaluate(SOURCE);
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) };
  const violations = await page.evaluate<Violation[]>(
    `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations)`,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary = "" }) => `${id}: ${help}, ${nodes.length} times: ${html.slice(0, 160)} ${failureSummary}`),
  );
}
