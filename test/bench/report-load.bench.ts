/**
 * How long does a large page keep a reader waiting, and for how long at a stretch?
 *
 *   bun test/bench/report-load.bench.ts
 *
 * Wanted, 365 days of 100 sensors: no task over 50 ms at load, none over 200 ms at a quarter of the speed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chooseInMenu, openBrowser, settle } from "../support/browser.ts";
import { buildFleet } from "../support/report-fleet.ts";
import { buildFleetSessions } from "../support/report-sessions.ts";
import { prepareReport } from "../support/report.ts";

const OPTIONS = { topN: 5, thresholdPercent: 20, lastDays: 7 };
const SIZES = [
  { days: 40, sensors: 4, tail: 60 },
  { days: 365, sensors: 100, tail: 100 },
];
/** What the browser calls long: 50 ms and more. */
const WATCH = `globalThis.longTasks = []; new PerformanceObserver(list => {
  for (const entry of list.getEntries()) longTasks.push(Math.round(entry.duration));
}).observe({ type: "longtask", buffered: true });`;

const folder = mkdtempSync(join(tmpdir(), "report-load-"));
await using browser = await openBrowser();
try {
  for (const size of SIZES) {
    const table = buildFleet(size);
    const report = prepareReport(table, OPTIONS);
    const html = report.render({ sessions: buildFleetSessions(table, report.data) });
    const path = join(folder, "result.html");
    writeFileSync(path, html);
    console.log(`${size.days} days x ${size.sensors} sensors, ${(html.length / 1000).toFixed(0)} KB`);
    for (const slower of [1, 4]) {
      const page = await browser.context.newPage();
      const client = await browser.context.newCDPSession(page);
      await client.send("Emulation.setCPUThrottlingRate", { rate: slower });
      await page.addInitScript(WATCH);
      const tell = async (what: string) => {
        await page.waitForTimeout(300);
        const tasks = (await page.evaluate("longTasks.splice(0)")) as number[];
        console.log(`  1/${slower} of the speed, ${what}: longest task ${Math.max(0, ...tasks)} ms of ${tasks.length} over 50 ms`);
      };
      const began = performance.now();
      await page.goto(pathToFileURL(path).href);
      await settle(page);
      await tell(`load, ${(performance.now() - began).toFixed(0)} ms`);
      await page.click('[data-preset="7"]');
      await settle(page);
      await tell("another choice of days");
      await page.click("#reset");
      await settle(page);
      await tell("all days again");
      await chooseInMenu(page, "#coverage-chart", "[data-view=table]");
      await tell("numbers of the coverage");
      await page.close();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
