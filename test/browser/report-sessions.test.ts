/** Chains and sessions of the report in a real browser: they follow the filters, open and close, and do no harm. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import type { ReportData } from "../../lib/view/report-data.ts";
import { type Browser, CHROMIUM, fitsWindow, keepPicture, openBrowser, settle, visit } from "../support/browser.ts";
import { buildHostile, HOSTILE_TEXTS } from "../hostile/texts.ts";
import { buildFleet } from "../support/report-fleet.ts";
import { buildFleetSessions } from "../support/report-sessions.ts";
import { prepareReport } from "../support/report.ts";

const OPTIONS = { topN: 5, thresholdPercent: 20, lastDays: 7 };
const NAME = `chains and sessions of the report in Chromium${CHROMIUM === undefined ? " (skipped: no Chromium on PATH)" : ""}`;

/** A table with what event tables would say of it; hostile where the table is. */
function build(table: ReducedTable, where: string): { html: string; data: ReportData } {
  const report = prepareReport(table, OPTIONS);
  return { html: report.render({ sessions: buildFleetSessions(table, report.data, { where }) }), data: report.data };
}

describe.skipIf(CHROMIUM === undefined)(NAME, () => {
  let browser: Browser;
  let folder: string;
  const urls = new Map<string, string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "report-sessions-"));
    const pages: [string, string][] = [
      ["fleet", build(buildFleet({ days: 40, sensors: 4 }), "/srv/honeypots/logs").html],
      ["hostile", build(buildHostile(), "'<img src=x>' \"{{x}}\"").html],
      ["plain", prepareReport(buildFleet({ days: 9, sensors: 2 }), OPTIONS).render({})],
    ];
    for (const [name, html] of pages) {
      writeFileSync(join(folder, `${name}.html`), html);
      urls.set(name, pathToFileURL(join(folder, `${name}.html`)).href);
    }
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const withPage = (name: string, use: (page: Page) => Promise<void>, fragment = "", width = 1400) =>
    visit(browser, urls.get(name)!, { width, fragment }, use);
  const text = (page: Page, selector: string) => page.locator(selector).innerText();
  /** Sessions that the lead of the chains speaks of. */
  const sessions = async (page: Page) =>
    Number(/([\d,]+) sessions?/.exec(await text(page, "#chains .shown >> nth=0"))![1]!.replaceAll(",", ""));

  test("drawn by the script, the chains are what was delivered; a filter changes picture, table and words", async () => {
    let delivered = "";
    const page = await browser.context.newPage();
    const client = await browser.context.newCDPSession(page);
    await client.send("Emulation.setScriptExecutionDisabled", { value: true });
    await page.goto(urls.get("fleet")!);
    delivered = await page.locator("#chains .chains-table").innerText();
    await page.close();
    await withPage("fleet", async opened => {
      expect(await text(opened, "#chains .chains-table")).toBe(delivered);
      const all = await sessions(opened);
      await opened.click('[data-preset="7"]');
      await settle(opened);
      const week = await sessions(opened);
      expect(week).toBeLessThan(all);
      expect(await text(opened, "#chains .chains-table")).not.toBe(delivered);
      await opened.click("#reset");
      await settle(opened);
      expect(await text(opened, "#chains .chains-table")).toBe(delivered);
    });
  });

  test("what single sensors have adds up to what all have", async () => {
    let all = 0;
    await withPage("fleet", async page => void (all = await sessions(page)));
    let sum = 0;
    for (const sensor of ["fra-01", "lon-01", "nyc-01", "sgp-01"]) {
      const fragment = `#sensors=${encodeURIComponent(JSON.stringify([sensor]))}`;
      await withPage("fleet", async page => void (sum += await sessions(page)), fragment);
    }
    expect(sum).toBe(all);
  });

  test("ways light up after a filter as before; the table is searched and unfolded", async () => {
    await withPage("fleet", async page => {
      for (const preset of ["0", "7"]) {
        await page.click(`[data-preset="${preset}"]`);
        await settle(page);
        await page.locator("#chains .step >> nth=1").hover();
        expect(await page.locator("#chains .band.hot").count()).toBeGreaterThan(0);
        expect(await text(page, "#tip")).toMatch(/1st command, .* sessions/);
      }
      await page.click("#chains [data-table=more]");
      expect(await page.locator("#chains tbody tr").count()).toBeGreaterThan(8);
      await page.fill("#chains .find", "uname");
      for (const row of await page.locator("#chains tbody tr").allTextContents()) expect(row).toContain("uname");
    });
  });

  test("a row leads to its sessions by pointer and by keyboard, and back; its commands can be copied", async () => {
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await withPage("fleet", async page => {
      await page.locator("#credentials button.trail >> nth=0").focus();
      await page.keyboard.press("Enter");
      expect(await text(page, "#trail-sheet h3")).toContain("root");
      expect(await page.locator("#trail-sheet tbody tr").count()).toBe(10);
      await keepPicture(page, "fleet-sessions");
      const id = await text(page, "#trail-sheet tbody code >> nth=0");
      await page.click("#trail-sheet tbody button >> nth=0");
      await page.locator("#trail-sheet tbody button", { hasText: "Copied" }).waitFor();
      expect(await page.evaluate("navigator.clipboard.readText()")).toBe(`bun /home/me/toolkit/scripts/trace-sid.ts -sid ${id} /srv/honeypots/logs`);
      await page.keyboard.press("Escape");
      expect(await page.locator("#trail-sheet").isVisible()).toBe(false);
      expect(await page.evaluate("document.activeElement.className")).toBe("trail");
    });
  });

  test("sessions are those of the filter, and the commands say which days are meant", async () => {
    await withPage(
      "fleet",
      async page => {
        await page.click("#connections button.trail >> nth=0");
        expect(await text(page, "#trail-sheet .lead")).toMatch(/sessions?.* in the selection\.$/);
        expect(await text(page, "#trail-sheet")).toContain("--until 2024-03-10");
        const days = await page.locator("#trail-sheet td.time").allInnerTexts();
        expect(days.length).toBeGreaterThan(0);
        expect(days.every(day => day < "2024-03-11")).toBe(true);
      },
      "#to=2024-03-10",
    );
  });

  test("without a script the sheets of addresses, credentials and commands open all the same", async () => {
    const page = await browser.context.newPage();
    const client = await browser.context.newCDPSession(page);
    await client.send("Emulation.setScriptExecutionDisabled", { value: true });
    await page.goto(urls.get("fleet")!);
    for (const id of ["credentials", "commands", "connections"]) {
      await page.click(`#${id} button.trail >> nth=1`);
      expect(await page.locator(".trail-sheet:popover-open tbody tr").count()).toBe(3);
      await page.keyboard.press("Escape");
    }
    expect(await page.locator("#downloads button.trail:visible").count()).toBe(0);
    await page.close();
  });

  for (const width of [1400, 390]) {
    test(`hostile texts stay text in chains and sheets at ${width} px`, async () => {
      await withPage(
        "hostile",
        async page => {
          expect(await page.locator("#chains .step").count()).toBeGreaterThan(0);
          expect(await page.locator("button.trail").count()).toBeGreaterThan(HOSTILE_TEXTS.length / 4);
          for (const button of await page.locator("button.trail:visible").all()) {
            await button.click();
            expect(await page.locator("#trail-sheet").isVisible()).toBe(true);
            await page.keyboard.press("Escape");
          }
          await page.locator("#credentials button.trail >> nth=2").click();
          await keepPicture(page, `hostile-sessions-${width}`);
          expect(await fitsWindow(page)).toBe(true);
        },
        "",
        width,
      );
    });
  }

  test("of a reduced table alone nothing is said of sessions", async () => {
    await withPage("plain", async page => {
      expect(await page.locator("#chains, .trail, .trail-sheet, .trail-hint").count()).toBe(0);
    });
  });
});
