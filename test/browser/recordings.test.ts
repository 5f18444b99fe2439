/** Recordings in the page of a trace, in a real browser. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main as traceSid } from "../../scripts/trace-sid.ts";
import { type Browser, CHROMIUM, fitsWindow, openBrowser, visit } from "../support/browser.ts";
import { toLine } from "../support/event-logs.ts";
import { exampleRecording, Recorder } from "../support/recordings.ts";

const NAME = "recordings in Chromium";
const HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[3;4H</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[5n";

describe.skipIf(CHROMIUM === undefined)(
  CHROMIUM === undefined ? `${NAME} (skipped: no Chromium on PATH)` : NAME,
  () => {
    let browser: Browser;
    let folder: string;
    let url: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "recording-pages-"));
      const tty = join(folder, "tty");
      mkdirSync(tty);
      writeFileSync(join(tty, "good"), exampleRecording());
      writeFileSync(join(tty, "hostile"), new Recorder(0).write("output", "a").write("output", HOSTILE, 1000).finish(false));
      const log = join(folder, "cowrie.json");
      const events = ["good", "hostile"].map((ttylog, at) => ({ eventid: "log.closed", at, session: "s1", ttylog }));
      writeFileSync(log, events.map(event => `${toLine(event)}\n`).join(""));
      const page = join(folder, "trace.html");
      expect(await traceSid([log, "-sid", "s1", "--tty", tty, "-o", page, "-q"])).toBe(0);
      url = pathToFileURL(page).href;
      browser = await openBrowser();
    });

    afterAll(async () => {
      await browser[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    test("without a script the last screen and what was typed are there", async () => {
      const page = await browser.context.newPage();
      const client = await browser.context.newCDPSession(page);
      await client.send("Emulation.setScriptExecutionDisabled", { value: true });
      await page.goto(url);
      const good = page.locator(".recording").first();
      expect(await good.locator(".screen").innerText()).toContain("still logged in");
      expect(await good.locator(".typed").textContent()).toContain("uptime # before midnight");
      expect(await good.locator(".player").isVisible()).toBe(false);
      await page.close();
    });

    test("on a phone nothing is wider than the window", async () => {
      await visit(browser, url, { width: 390 }, async page => expect(await fitsWindow(page)).toBe(true));
    });

    test("plays, stops, goes to any moment, and is worked by keys", async () => {
      await visit(browser, url, { width: 1400 }, async page => {
        const good = page.locator(".recording").first();
        const screen = good.locator(".screen");
        const range = good.locator("input");
        const end = Number(await range.getAttribute("max"));
        expect(end).toBeGreaterThan(5000);
        await range.fill("1000");
        expect(await screen.innerText()).toStartWith("root@svr04:~# u");
        expect(await screen.innerText()).not.toContain("load average");
        await good.locator("select").selectOption("8");
        await good.locator("button").focus();
        await page.keyboard.press("Enter");
        await good.locator("button", { hasText: "Play" }).waitFor();
        expect(await screen.innerText()).toContain("still logged in");
        expect(await range.inputValue()).toBe(String(end));
        expect(await screen.locator("span.f5.bold").first().innerText()).toBe("cache");
      });
    });

    test("what an attacker wrote is letters on a screen", async () => {
      await visit(browser, url, { width: 1400 }, async page => {
        const hostile = page.locator(".recording").nth(1);
        expect(await hostile.locator(".screen").innerText()).toContain("</script><script>alert(1)</script>");
        expect(await hostile.locator(".caution").innerText()).toContain("it has no close record");
        expect(await page.title()).toBe("Cowrie trace: s1");
        expect(await page.locator("img").count()).toBe(0);
      });
    });
  },
);
