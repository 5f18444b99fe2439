/**
 * What fits where: tables at every width, what a finger or the Tab key reaches, the picture at the head of the README. Of
 * the example fleet and of every folder of real logs, each page opened once.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { type Browser, CHROMIUM, findClipped, openBrowser, settle, visit } from "../support/browser.ts";
import { FIXTURES_FOLDER } from "../support/example-fleet.ts";
import { NEEDS_REAL_LOGS, realFolder, realFolders } from "../support/real-logs.ts";
import { ROOT, runScript } from "../support/run.ts";

/** Looks at tables that do not fit yet. */
const TRIES_MOST = 100;
const WIDTHS = [1920, 1440, 1024, 768, 390];
const PHONE = 390;
/** Of a side, in pixels: WCAG 2.2, target size. */
const TARGET_LEAST = 24;
const STOPS_MOST = 66;
const README_PICTURE = join(ROOT, ".github/report.png");
const PICTURE_BYTES_MOST = 300_000;
const EXAMPLE = "the example fleet";
const FOLDERS = [EXAMPLE, ...realFolders()];
const NAME = `what fits where${CHROMIUM === undefined ? " (skipped: no Chromium on PATH)" : ""}`;

/** Until tables that came to be too wide have become cards. */
async function resize(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 1000 });
  await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))");
  await settle(page);
  await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

const findSmall = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll("a, button, input, select, summary")]
    .filter(node => node.checkVisibility() && !node.closest("p, .skip"))
    .map(node => [node, (node.closest("label") ?? node).getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.width < ${TARGET_LEAST - 0.5} || box.height < ${TARGET_LEAST - 0.5}))
    .map(([node, box]) => box.width.toFixed() + " x " + box.height.toFixed() + " " + node.outerHTML.slice(0, 100))
    .slice(0, 10)`);

const countStops = (page: Page) =>
  page.evaluate<number>(`[...document.querySelectorAll("a, button, input, select, summary, [tabindex]")]
    .filter(node => node.tabIndex >= 0 && node.checkVisibility()).length`);

describe.skipIf(CHROMIUM === undefined)(NAME, () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tables-"));
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(FOLDERS)(`%s: no table is wider than its place at any width${NEEDS_REAL_LOGS}`, async name => {
    const own = join(folder, name);
    mkdirSync(own);
    const logs = name === EXAMPLE ? join(FIXTURES_FOLDER, "fleet") : realFolder(name);
    const args = [logs, "--mapped-dir", join(own, "tables"), "-f", join(own, "reduced.json"), "-o", join(own, "result.html"), "-q"];
    const { exitCode } = await runScript("analyze-local", args);
    expect(exitCode).not.toBe(2);
    for (const file of ["result", "stats"]) {
      await visit(browser, pathToFileURL(join(own, `${file}.html`)).href, { width: WIDTHS[0]! }, async page => {
        await page.evaluate(`for (const sources of document.querySelectorAll("details.sources")) sources.open = true`);
        const clipped: Record<number, string[]> = {};
        for (const width of WIDTHS) {
          await resize(page, width);
          let found = await findClipped(page);
          // Tables are fitted some a frame, and frames are rare where many want the cores.
          for (let tries = 0; found.length > 0 && tries < TRIES_MOST; tries++) {
            await page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))");
            found = await findClipped(page);
          }
          if (found.length > 0) clipped[width] = found;
          if (name !== EXAMPLE) continue;
          if (width === 1440) expect(await countStops(page)).toBeLessThanOrEqual(STOPS_MOST);
          if (width === PHONE) expect(await findSmall(page)).toEqual([]);
        }
        expect({ file, clipped }).toEqual({ file, clipped: {} });
        if (name === EXAMPLE && file === "result") {
          await useByKey(page);
          await takePicture(page);
        }
      });
    }
  });

  /** One stop leads to a table, arrows lead to what is in it; days of a chart are chosen without a pointer. */
  async function useByKey(page: Page): Promise<void> {
    await resize(page, 1440);
    await page.locator("#credentials .scroll").focus();
    await page.keyboard.press("ArrowDown");
    const focused = "document.activeElement.closest('tr')?.rowIndex + ' ' + document.activeElement.tagName";
    expect(await page.evaluate<string>(focused)).toBe("1 BUTTON");
    await page.keyboard.press("ArrowDown");
    expect(await page.evaluate<string>(focused)).toBe("2 BUTTON");
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.activeElement.className")).toBe("scroll");
    await page.locator("#activity svg.chart").focus();
    expect(await page.getAttribute("#activity svg.chart", "aria-label")).toMatch(/; peak [\d,]+, .* in total\. Arrow keys/);
    for (const key of ["Home", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"]) await page.keyboard.press(key);
    await settle(page);
    expect(await page.evaluate("location.hash")).toBe("#to=2026-07-08");
    expect(await page.locator("#lede").innerText()).toStartWith("2026-07-06 to 2026-07-08 UTC");
    await page.click("#reset");
    await settle(page);
  }

  /** Kept where `COWRIE_README_PICTURE` is set: pictures differ from machine to machine. */
  async function takePicture(page: Page): Promise<void> {
    await resize(page, 1200);
    await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)");
    const height = await page.evaluate<number>("document.querySelector('#history').offsetTop");
    const clip = { x: 0, y: 0, width: 1200, height };
    const picture = await page.screenshot({ fullPage: true, clip });
    expect(picture.length).toBeLessThan(PICTURE_BYTES_MOST);
    if (Bun.env.COWRIE_README_PICTURE !== undefined) await Bun.write(README_PICTURE, picture);
  }
});

test("the README begins with a picture of the report, small enough for every visit", () => {
  const picture = readFileSync(README_PICTURE);
  expect(picture.subarray(1, 4).toString()).toBe("PNG");
  expect(picture.length).toBeLessThan(PICTURE_BYTES_MOST);
  expect(readFileSync(join(ROOT, "README.md"), "utf8").slice(0, 800)).toContain("](.github/report.png)");
});
