/**
 * Every page of every command, of the example fleet, of a log of one event, and of logs in which all is hostile: what a
 * page must never do, who can read it, and a picture of each for whoever wants to look.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { COLOUR_RULES, findAxeFaults, thinPage } from "../support/axe.ts";
import {
  type Browser,
  CHROMIUM,
  findClipped,
  findStrangers,
  fitsWindow,
  keepPicture,
  openBrowser,
  pathOfPicture,
  settle,
  visit,
} from "../support/browser.ts";
import { findFaintCharts } from "../support/contrast.ts";
import {
  PAGE_NAMES,
  type PageName,
  type Pages,
  writeFleetPages,
  writeHostilePages,
  writeOneEventPages,
} from "../support/pages.ts";

const SETS = {
  example: writeFleetPages,
  "one-event": writeOneEventPages,
  "all-hostile": writeHostilePages,
} as const;
type SetName = keyof typeof SETS;
const SET_NAMES = Object.keys(SETS) as SetName[];
/** Of a page that is longer, the picture shows the beginning, in pixels. */
const PICTURE_MOST = 6000;
/** What A4 leaves between its margins, in pixels. */
const PAPER_WIDTH = 690;
const NAME = CHROMIUM === undefined ? "every page (skipped: no Chromium on PATH)" : "every page";

describe.skipIf(CHROMIUM === undefined)(NAME, () => {
  let browser: Browser;
  let folder: string;
  const sets = new Map<SetName, Pages>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "all-pages-"));
    for (const name of SET_NAMES) {
      mkdirSync(join(folder, name));
      sets.set(name, await SETS[name](join(folder, name)));
    }
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const cases = SET_NAMES.flatMap(set => PAGE_NAMES.map(page => [set, page] as const));
  const open = (set: SetName, name: PageName, width: number, use: (page: Page) => Promise<void>) =>
    visit(browser, sets.get(set)![name], { width }, use);

  async function keep(page: Page, name: string, isWhole: boolean): Promise<void> {
    if (!isWhole) return keepPicture(page, name);
    const { width, height } = await page.evaluate<{ width: number; height: number }>(
      "({ width: innerWidth, height: document.documentElement.scrollHeight })",
    );
    const clip = { x: 0, y: 0, width, height: Math.min(height, PICTURE_MOST) };
    await keepPicture(page, name, { fullPage: true, clip });
  }

  test("the judges see faint labels, labels over others, pictures without a name, links that lead out", async () => {
    const page = await browser.context.newPage();
    await page.goto(sets.get("example")!["trace-sid"]);
    expect(await findStrangers(page)).toEqual([]);
    await page.evaluate(`(() => {
      const [first, second, third] = document.querySelectorAll("svg.chart text");
      first.style.fill = "#bbb";
      for (const name of ["x", "y"]) second.setAttribute(name, third.getAttribute(name));
      document.querySelector("svg.chart").removeAttribute("aria-label");
      document.querySelector("footer").append(Object.assign(document.createElement("a"), { href: "//x.example/" }));
    })()`);
    const faults = [
      ...(await findFaintCharts(page)),
      ...(await findAxeFaults(page)),
      ...(await findStrangers(page)),
    ].map(fault => fault.split(":")[0]);
    const wanted = ["attribute", "faint", "link", "link-name", "over each other", "svg-img-alt"];
    expect([...new Set(faults)].sort()).toEqual(wanted);
    await page.close();
  });

  for (const width of [1400, 390]) {
    test.each(cases)(`%s, %s at ${width} px: fits, does no harm, is read by all, light and dark`, async (set, name) => {
      await open(set, name, width, async page => {
        for (const colorScheme of ["dark", "light"] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await fitsWindow(page)).toBe(true);
          await keep(page, `${set}-${name}-${width}-${colorScheme}`, set === "example");
        }
        if (set === "example") expect(await findClipped(page)).toEqual([]);
        await thinPage(page);
        expect(await fitsWindow(page)).toBe(true);
        // Colours do not depend on the width: only what lies over what does, and of one set what colours lie over.
        const isWhole = width === 1400 || set === "example";
        expect(await findAxeFaults(page, isWhole ? {} : { except: COLOUR_RULES })).toEqual([]);
        expect(await findFaintCharts(page, isWhole)).toEqual([]);
        if (width !== 1400) return;
        await page.emulateMedia({ colorScheme: "dark" });
        expect(await findAxeFaults(page, { only: COLOUR_RULES })).toEqual([]);
        expect(await findFaintCharts(page)).toEqual([]);
      });
    });
  }

  test.each(cases)("%s, %s on paper: white whatever the theme, nothing to click, nothing cut", async (set, name) => {
    await open(set, name, PAPER_WIDTH, async page => {
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      await page.evaluate("document.documentElement.dataset.theme = 'dark'; dispatchEvent(new Event('beforeprint'))");
      await settle(page);
      expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
      const handles = "button:not(thead *):visible, input:visible, nav:visible, #tip:visible";
      expect(await page.locator(handles).count()).toBe(0);
      const folded = await page.evaluate(`[...document.querySelectorAll("main details > :not(summary, [hidden])")]
        .filter(node => node.closest(".script") === null && !node.checkVisibility({ contentVisibilityAuto: true })).length`);
      expect(folded).toBe(0);
      expect(await fitsWindow(page)).toBe(true);
      await keep(page, `${set}-${name}-print`, set === "example");
      const path = set === "example" ? pathOfPicture(`${name}.pdf`) : undefined;
      if (path !== undefined) await page.pdf({ path, preferCSSPageSize: true });
    });
  });
});
