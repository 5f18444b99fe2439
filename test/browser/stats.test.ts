/** The statistics page in a real browser. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findEpisodes } from "../../lib/history/episodes.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { computeStatistics } from "../../lib/statistics/statistics.ts";
import { renderStats } from "../../lib/pages/stats-page.ts";
import { type Browser, CHROMIUM, fitsWindow, keepPicture, openBrowser, visit } from "../support/browser.ts";
import { buildReduced } from "../support/build.ts";
import { buildHostile } from "../hostile/texts.ts";
import { buildFleet } from "../support/report-fleet.ts";

const NAME =
  CHROMIUM === undefined ? "the statistics in Chromium (skipped: no Chromium on PATH)" : "the statistics in Chromium";

describe.skipIf(CHROMIUM === undefined)(NAME, () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stats-pages-"));
    const tables: [string, ReducedTable][] = [
      ["fleet", buildFleet({ days: 40, sensors: 4 })],
      ["hostile", buildHostile()],
      ["empty", buildReduced([])],
    ];
    const options = { thresholdPercent: 20, lastDays: 7 };
    for (const [name, table] of tables) {
      const statistics = computeStatistics(table, options);
      writeFileSync(join(folder, `${name}.html`), renderStats(table, statistics, { ...options, episodes: findEpisodes(table) }));
    }
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const urlOf = (name: string) => pathToFileURL(join(folder, `${name}.html`)).href;

  for (const name of ["hostile", "empty"]) {
    for (const width of [1400, 390]) {
      test(`${name} at ${width} px: no fault, nothing wider than the window`, async () => {
        await visit(browser, urlOf(name), { width }, async page => {
          expect(await fitsWindow(page)).toBe(true);
          await keepPicture(page, `stats-${name}-${width}`);
        });
      });
    }
  }

  test("in a narrow window charts keep a size that can be read, and what happened has room for its sentences", async () => {
    await visit(browser, urlOf("fleet"), { width: 390 }, async page => {
      expect(await fitsWindow(page)).toBe(true);
      const charts = await page.locator("svg.chart").evaluateAll(all => all.map(one => one.getBoundingClientRect().width));
      expect(charts.length).toBeGreaterThan(2);
      expect(Math.min(...charts)).toBeGreaterThanOrEqual(720);
      const cells = page.locator("#history td.episode");
      expect(await cells.count()).toBeGreaterThan(0);
      expect((await cells.first().boundingBox())!.width).toBeGreaterThan(150);
      expect(await page.locator("#history .scroll").first().evaluate(box => box.classList.contains("cards"))).toBe(true);
    });
  });

  test("tables are folded, searched, sorted and saved", async () => {
    await visit(browser, urlOf("fleet"), {}, async page => {
      const table = page.locator('[data-table-name="changes-fleet"]');
      const rows = () => table.locator("tbody tr:visible").count();
      expect(await rows()).toBe(15);
      await table.locator("[data-table=more]").click();
      const all = await rows();
      expect(all).toBeGreaterThan(15);
      await table.locator("thead button", { hasText: "Count" }).click();
      const counts = (await table.locator("tbody tr td:nth-child(4)").allInnerTexts()).map(text =>
        Number(text.replaceAll(",", "")),
      );
      expect(counts).toEqual([...counts].sort((a, b) => b - a));
      await table.locator(".find").fill("no such value");
      expect(await rows()).toBe(0);
      await table.locator(".find").fill("");
      const [csv] = await Promise.all([page.waitForEvent("download"), table.locator('[data-table="csv"]').click()]);
      const lines = (await Bun.file((await csv.path())!).text()).trim().split("\n");
      expect(lines.length).toBe(all + 1);
      expect(lines[0]).toStartWith("Kind,Value,Verdict,Count,Expected");
    });
  });
});
