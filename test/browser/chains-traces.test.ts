/** The pages of chains and traces in a real browser: what can be seen and done, and what a page must never do. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { main as chains } from "../../scripts/command-chains.ts";
import { main as traceIp } from "../../scripts/trace-ip.ts";
import { main as traceSid } from "../../scripts/trace-sid.ts";
import { type Browser, CHROMIUM, fitsWindow, makeArtefacts, openBrowser, visit } from "../support/browser.ts";
import { toLine } from "../support/event-logs.ts";
import { HOSTILE_TEXTS } from "../support/hostile.ts";
import { ROOT } from "../support/run.ts";

// A browser on a busy machine takes its time; nothing here is about speed.
setDefaultTimeout(120_000);

const ARTEFACTS = makeArtefacts();
const FLEET = join(ROOT, "test/fixtures/fleet");
const NAME = "chains and traces in Chromium";

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
      const logs = ["--mapped-dir", join(folder, "tables"), "-q"];
      // Every hostile text as every text of an event, on a sensor of that name.
      const hostile = join(folder, "hostile.json");
      const lines = HOSTILE_TEXTS.flatMap((text, i) => {
        const rest = { sensor: text.slice(0, 60), src_ip: "192.0.2.1" };
        return [
          { eventid: "session.connect", at: i, protocol: text, ...rest },
          { eventid: "client.version", at: i, version: text, ...rest },
          { eventid: "login.success", at: i, username: text, password: text, ...rest },
          ...HOSTILE_TEXTS.map(input => ({ eventid: "command.input", at: i, input: input.slice(0, 5000), ...rest })),
          { eventid: "session.file_download", at: i, url: text, outfile: text, shasum: text, ...rest },
          { eventid: "direct-tcpip.data", at: i, dst_ip: text, dst_port: 1, data: text, ...rest },
          { eventid: `odd.${text}`, at: i, [text]: text, ...rest },
        ];
      });
      await Bun.write(hostile, lines.map(line => `${toLine(line)}\n`).join(""));
      await chains([FLEET, ...logs, "-t", "5", "-o", page("chains")]);
      await chains([
        hostile,
        ...logs,
        "-t",
        "1",
        "--raw",
        "--steps",
        "40",
        "--top",
        "40",
        "-o",
        page("chains-hostile"),
      ]);
      await chains([FLEET, ...logs, "-t", "5000", "-o", page("chains-none")]);
      await traceIp([FLEET, ...logs, "-i", "203.0.113.250/30", "-o", page("trace-ip")]);
      await traceIp([hostile, ...logs, "-i", "192.0.2.1", "-o", page("trace-hostile")]);
      await traceSid([FLEET, ...logs, "-sid", "3d7d1fd7e7ee", "-o", page("trace-sid")]);
      browser = await openBrowser();
    });

    afterAll(async () => {
      await browser[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Open a page; `use` must leave no fault behind. */
    const withPage = (name: string, use: (page: Page) => Promise<void>, width = 1400) =>
      visit(browser, urls.get(name)!, { width }, use);

    for (const name of ["chains", "chains-hostile", "chains-none", "trace-ip", "trace-hostile", "trace-sid"]) {
      for (const width of [1400, 390]) {
        test(`${name} at ${width} px does no harm, and nothing sticks out, light, dark and in print`, async () => {
          await withPage(
            name,
            async page => {
              for (const colorScheme of ["light", "dark"] as const) {
                await page.emulateMedia({ colorScheme });
                expect(await fitsWindow(page)).toBe(true);
                const path = join(ARTEFACTS, `${name}-${width}-${colorScheme}.png`);
                await page.screenshot({ path, fullPage: !name.endsWith("hostile") && name !== "trace-ip" });
              }
              await page.emulateMedia({ media: "print" });
              expect(width < 700 || (await fitsWindow(page))).toBe(true);
              expect(await page.locator("a:not(.skip), img, iframe, object, embed, link").count()).toBe(0);
              if (width === 1400) await page.pdf({ path: join(ARTEFACTS, `${name}.pdf`), preferCSSPageSize: true });
            },
            width,
          );
        });
      }
    }

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
      expect(await page.locator(".script").isVisible()).toBe(false);
      await page.close();
    });
  },
);
