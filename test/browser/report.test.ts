/** The report in a real browser: what the script does, and what a page must never do. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { type Browser, chooseInMenu, CHROMIUM, findClipped, keepPicture, openBrowser, pathOfPicture, settle, visit } from "../support/browser.ts";
import { buildReduced } from "../support/build.ts";
import { buildHostile } from "../hostile/texts.ts";
import { buildFleet } from "../support/report-fleet.ts";
import { renderReport } from "../support/report.ts";

/** Four days of one sensor; the addresses close as many sessions as they make connections, commands are of the first day. */
function buildFolded(): ReducedTable {
  return buildReduced(
    [1, 2, 2, 3, 4].flatMap((day, i) => {
      const [place, key] = [{ date: `2024-03-0${day}`, sensor: "a", count: 3 }, { src_ip: `192.0.2.${i + 1}` }];
      return [
        { ...place, kind: "connect", key: { ...key, dst_port: 22 } },
        { ...place, kind: "session_closed", key: { ...key, robot: 1 } },
        ...(day === 1 ? [{ ...place, kind: "command" as const, key: { input: "id" } }] : []),
      ] as const;
    }),
  );
}

const OPTIONS = { topN: 5, thresholdPercent: 20, lastDays: 7 };
const NAME =
  CHROMIUM === undefined ? "the report in Chromium (skipped: no Chromium on PATH)" : "the report in Chromium";

describe.skipIf(CHROMIUM === undefined)(NAME, () => {
  let browser: Browser;
  let folder: string;
  const urls = new Map<string, string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "report-pages-"));
    const tables: [string, ReducedTable][] = [
      ["fleet", buildFleet({ days: 40, sensors: 4 })],
      ["hostile", buildHostile()],
      [
        "one-event",
        buildReduced([{ kind: "event", date: "2024-02-29", sensor: "a", key: { eventid: "e", hour: 1 }, count: 1 }]),
      ],
      ["folded", buildFolded()],
      ["empty", buildReduced([])],
    ];
    for (const [name, table] of tables) {
      const path = join(folder, `${name}.html`);
      writeFileSync(path, renderReport(table, { ...OPTIONS, topN: name === "hostile" ? 0 : 5 }));
      urls.set(name, pathToFileURL(path).href);
    }
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Open a page; `use` must leave no fault behind. */
  const withPage = (name: string, use: (page: Page) => Promise<void>, fragment = "", width = 1400) =>
    visit(browser, urls.get(name)!, { width, fragment }, use);

  const textOf = (page: Page, selector: string) => page.locator(selector).allInnerTexts();

  for (const [name, width] of [
    ["fleet", 1400],
    ["fleet", 390],
    ["hostile", 1400],
    ["hostile", 390],
    ["one-event", 1400],
    ["empty", 390],
  ] as const) {
    for (const scheme of ["light", "dark"] as const) {
      test(`${name} at ${width} px, ${scheme}: no fault, nothing wider than the window`, async () => {
        await withPage(
          name,
          async page => {
            await page.emulateMedia({ colorScheme: scheme });
            expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
            await keepPicture(page, `${name}-${width}-${scheme}`, { fullPage: name !== "hostile" });
          },
          "",
          width,
        );
      });
    }
  }

  test("the page is complete without its script", async () => {
    const page = await browser.context.newPage();
    const client = await browser.context.newCDPSession(page);
    await client.send("Emulation.setScriptExecutionDisabled", { value: true });
    await page.goto(urls.get("fleet")!);
    expect(await page.locator("figure svg.chart").count()).toBe(15);
    expect(await page.locator("tbody tr").count()).toBeGreaterThan(50);
    expect(await page.locator("form").isVisible()).toBe(false);
    await keepPicture(page, "fleet-without-script", { fullPage: true });
    await page.close();
  });

  test("without its script every section is laid out, and a phone reads each table as cards with the names of columns", async () => {
    const page = await browser.context.newPage();
    const client = await browser.context.newCDPSession(page);
    await client.send("Emulation.setScriptExecutionDisabled", { value: true });
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(urls.get("fleet")!);
    const waiting = `[...document.querySelectorAll("section")]
      .filter(node => getComputedStyle(node).contentVisibility !== "visible" || node.innerText.trim() === "").map(node => node.id)`;
    expect(await page.evaluate<string[]>(waiting)).toEqual([]);
    expect(await page.locator("#compare").isVisible()).toBe(false);
    expect(await findClipped(page)).toEqual([]);
    const labels = `[...document.querySelector("#credentials tbody tr").cells].map(cell => getComputedStyle(cell, "::before").content)`;
    expect(await page.evaluate<string[]>(labels)).toEqual(
      ["none", "none", "Password", "Count", "Share", "Trend", "Accepted", "Change, last 7 days", "First seen", "Last seen", "Sensors"].map(
        name => (name === "none" ? name : `"${name}"`),
      ),
    );
    await page.setViewportSize({ width: 1400, height: 800 });
    expect(await page.evaluate<string[]>(labels)).toEqual(Array<string>(11).fill("none"));
    await page.close();
  });

  test("two periods stand side by side once asked for; what is chosen stands in the address", async () => {
    let address = "";
    await withPage("fleet", async page => {
      const order = await page.locator("main > section").evaluateAll(nodes => nodes.map(node => node.id));
      expect(order.slice(0, 4)).toEqual(["overview", "coverage", "compare", "credentials"]);
      expect(await page.locator("#compare .canvas svg").count()).toBe(0);
      await page.click(".sections a[href='#compare']");
      await page.waitForSelector("#compare .canvas svg");
      expect(await page.evaluate("location.hash")).toBe("#compare&a=2024-03-27..2024-04-02&b=2024-04-03..2024-04-09&what=credentials");
      await page.locator("#compare [data-side=A] [name=from]").fill("2024-03-20");
      await page.locator("#compare [data-side=B] [name=sensor]").selectOption({ index: 2 });
      await page.locator("#compare [name=section]").selectOption("commands");
      expect(await textOf(page, "#compare .compare-figures thead th")).toEqual([
        "Figure",
        "A: 2024-03-20 to 2024-04-02, all 4 sensors",
        expect.stringMatching(/^B: 2024-04-03 to 2024-04-09, (?!all)/),
      ]);
      expect((await textOf(page, "#compare .compare-keys tbody tr")).length).toBeGreaterThan(2);
      // The filter of the page is another's, and stands beside it.
      await page.click('[data-preset="7"]');
      await settle(page);
      address = await page.evaluate<string>("location.hash");
    });
    await withPage(
      "fleet",
      async page => {
        expect(await page.inputValue("#compare [data-side=A] [name=from]")).toBe("2024-03-20");
        expect(await page.inputValue("#compare [data-side=B] [name=sensor]")).toBe("1");
        expect(await page.inputValue("#compare [name=section]")).toBe("commands");
        expect(await page.locator("#compare .unit").innerText()).toStartWith("Commands: commands per day");
        expect(await page.inputValue("#from")).toBe("2024-04-03");
        const words = (fragment: string) => fragment.slice(1).split("&").sort();
        expect(words(await page.evaluate<string>("location.hash"))).toEqual(words(address));
        await page.click("#compare summary");
        await page.waitForFunction("!location.hash.includes('what=')");
        expect(await page.evaluate("location.hash")).toBe("#compare&from=2024-04-03");
      },
      address,
    );
  });

  test("choices of a comparison that nobody could have made are left out", async () => {
    const fragment = "#a=0001-01-01..9999-12-31&a-on=%3Cimg%3E&b=2024-03-01..nonsense&b-on=x&what=__proto__";
    await withPage(
      "fleet",
      async page => {
        await page.waitForSelector("#compare .canvas svg");
        expect(await page.inputValue("#compare [data-side=A] [name=from]")).toBe("2024-03-01");
        expect(await page.inputValue("#compare [data-side=A] [name=sensor]")).toBe("-1");
        expect(await page.inputValue("#compare [name=section]")).toBe("credentials");
      },
      fragment,
    );
  });

  test("drawn again by the script without a filter, every table says what it said as delivered", async () => {
    const before = new Map<string, string[]>();
    const page = await browser.context.newPage();
    const client = await browser.context.newCDPSession(page);
    await client.send("Emulation.setScriptExecutionDisabled", { value: true });
    await page.goto(urls.get("fleet")!);
    const cells = async (opened: Page) =>
      (await opened.locator("table.ranking tbody td, table.ranking tbody th").allTextContents()).map(text =>
        text.trim(),
      );
    before.set("fleet", await cells(page));
    await page.close();
    await withPage("fleet", async opened => {
      await opened.click('[data-preset="7"]');
      await settle(opened);
      expect(await cells(opened)).not.toEqual(before.get("fleet")!);
      await opened.click("#reset");
      await settle(opened);
      expect(await cells(opened)).toEqual(before.get("fleet")!);
    });
  });

  test("a filter drives figures, charts and tables, and is kept in the address", async () => {
    await withPage("fleet", async page => {
      const [all] = await textOf(page, ".figure b");
      const line = await page.getAttribute("#credentials .canvas .s0 path.line", "d");
      await page.click('[data-preset="7"]');
      await settle(page);
      const [week] = await textOf(page, ".figure b");
      expect(week).not.toBe(all!);
      expect(await page.getAttribute("#credentials .canvas .s0 path.line", "d")).not.toBe(line);
      expect(await page.evaluate("location.hash")).toBe("#from=2024-04-03");
      const url = page.url();
      await page.goto("about:blank");
      await page.goto(url);
      await settle(page);
      expect((await textOf(page, ".figure b"))[0]).toBe(week!);
      expect(await page.inputValue("#from")).toBe("2024-04-03");
    });
  });

  test("sensors are chosen one by one, and what is chosen adds up to all", async () => {
    await withPage("fleet", async page => {
      const number = async () => Number((await textOf(page, ".figure b"))[0]!.replaceAll(",", ""));
      const all = await number();
      let sum = 0;
      for (const code of [0, 1, 2, 3]) {
        await page.goto(
          `${urls.get("fleet")!}#sensors=${encodeURIComponent(JSON.stringify([["fra-01", "lon-01", "nyc-01", "sgp-01"][code]]))}`,
        );
        await settle(page);
        sum += await number();
      }
      expect(sum).toBe(all);
      await page.click("#picker summary");
      await page.click('[data-sensors="none"]');
      await settle(page);
      expect(await textOf(page, "#credentials .canvas")).toEqual(["Nothing in this selection."]);
      expect(await textOf(page, "#picked")).toEqual(["0 of 4 sensors"]);
    });
  });

  test("a fragment that names nothing right changes nothing", async () => {
    await withPage(
      "fleet",
      async page => {
        expect(await page.locator("#reset").isVisible()).toBe(false);
      },
      "#from=yesterday&to=%3Cscript%3E&sensors=%7B%22__proto__%22:1%7D",
    );
  });

  test("dragging over days chooses them; the keyboard walks over the days of a chart", async () => {
    await withPage("fleet", async page => {
      const box = (await page.locator("#activity svg").boundingBox())!;
      await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
      await page.mouse.up();
      await settle(page);
      expect(await page.evaluate("location.hash")).toMatch(/^#from=2024-03-\d\d&to=2024-03-\d\d$/);
      await page.focus("#credentials svg.chart");
      await page.keyboard.press("Home");
      expect(await page.locator("#tip b").innerText()).toMatch(/^\w{3} \d+ Mar 2024$/);
      const first = await page.locator("#tip b").innerText();
      await page.keyboard.press("ArrowRight");
      expect(await page.locator("#tip b").innerText()).not.toBe(first);
      await page.keyboard.press("Escape");
      expect(await page.locator("#tip").isVisible()).toBe(false);
    });
  });

  test("events and coverage are numbers too, for the days and sensors chosen", async () => {
    await withPage("fleet", async page => {
      for (const id of ["activity", "coverage-chart"]) await chooseInMenu(page, `#${id}`, '[data-view="table"]');
      expect(await page.locator("#activity .numbers tbody tr").count()).toBe(40);
      expect(await page.locator("#coverage-chart .numbers thead th").count()).toBe(5);
      expect(await page.locator("#activity [data-save=svg]").isDisabled()).toBe(true);
      await page.click('[data-preset="7"]');
      await settle(page);
      expect(await page.locator("#coverage-chart .numbers tbody tr").count()).toBe(7);
      await page.click("#picker summary");
      await page.click('[data-sensors="none"]');
      await settle(page);
      expect(await textOf(page, "#coverage-chart .canvas")).toEqual(["No sensor chosen."]);
      await chooseInMenu(page, "#coverage-chart", '[data-save="csv"]');
      await chooseInMenu(page, "#activity", '[data-view="table"]');
      expect(await page.locator("#activity .numbers").count()).toBe(0);
    });
  });

  test("every chart has one menu, the same in all; it opens and closes by key", async () => {
    await withPage("fleet", async page => {
      const counts = await page.locator("figure.chart-box").evaluateAll(nodes => nodes.map(node => node.querySelectorAll(".menu").length));
      expect(new Set(counts)).toEqual(new Set([1]));
      const strays = "[...document.querySelectorAll('[data-save], [data-view=table]')].filter(node => !node.closest('.menu')).length";
      expect(await page.evaluate<number>(strays)).toBe(0);
      const focused = () => page.evaluate<string>("document.activeElement.textContent");
      const isOpen = () => page.evaluate<boolean>("document.querySelector('#activity .menu').open");
      await page.locator("#activity .menu summary").focus();
      for (const [key, text] of [["Enter", "⋯"], ["ArrowDown", "Numbers"], ["ArrowDown", "Save as SVG"], ["ArrowUp", "Numbers"]] as const) {
        await page.keyboard.press(key);
        expect(await focused()).toBe(text);
      }
      expect(await isOpen()).toBe(true);
      await page.keyboard.press("Escape");
      expect([await focused(), await isOpen()]).toEqual(["⋯", false]);
      for (const key of ["ArrowDown", "Enter"]) await page.keyboard.press(key);
      expect([await focused(), await isOpen(), await page.locator("#activity .numbers").count()]).toEqual(["⋯", false, 1]);
      // Whoever goes on leaves it closed behind.
      await page.keyboard.press("ArrowDown");
      await page.locator("#credentials .find").focus();
      expect(await isOpen()).toBe(false);
    });
  });

  test("what another section says already is folded; unfolded it is drawn for the days chosen, and so it is on paper", async () => {
    await withPage("folded", async page => {
      const isOpen = () => page.evaluate<boolean>("document.querySelector('#sessions .fold').open");
      expect([await isOpen(), await page.locator("#sessions table").isVisible()]).toEqual([false, false]);
      await page.locator("#from").fill("2024-03-02");
      await page.locator("#to").fill("2024-03-02");
      await settle(page);
      await page.click(".sections a[href='#sessions']");
      await page.waitForFunction("document.querySelector('#sessions .fold').open");
      expect(await textOf(page, "#sessions tbody th")).toEqual(["192.0.2.2", "192.0.2.3"]);
      // Of one day no line is drawn; where there is nothing, nothing but the words that say so.
      expect(await page.locator("#connections .canvas").isVisible()).toBe(false);
      expect(await page.locator("#connections .menu summary").isVisible()).toBe(true);
      expect(await page.locator("#commands").innerText()).toContain("No commands in this selection.");
      expect(await page.locator("#commands table").isVisible()).toBe(false);
      await page.click("#reset");
      await settle(page);
      expect(await page.locator("#connections .canvas").isVisible()).toBe(true);
      // Two addresses are one line.
      expect(await page.locator("#connections .series").count()).toBe(4);
      expect(await page.locator("#sessions .series").count()).toBe(4);
      await page.locator("#sessions summary").first().click();
      expect(await isOpen()).toBe(false);
      await page.evaluate("dispatchEvent(new Event('beforeprint'))");
      expect([await isOpen(), await page.locator("#coverage svg.chart").isVisible()]).toEqual([true, true]);
      await page.evaluate("dispatchEvent(new Event('afterprint'))");
      expect(await isOpen()).toBe(false);
    });
  });

  test("a chart is also bars, strips and numbers; lines can be switched off", async () => {
    await withPage("fleet", async page => {
      await page.click('#credentials [data-view="stack"]');
      expect(await page.locator("#credentials path.area").count()).toBe(6);
      await page.click('#credentials [data-view="strips"]');
      expect(await page.locator("#credentials .canvas .row").count()).toBe(5);
      await chooseInMenu(page, "#credentials", '[data-view="table"]');
      expect(await page.locator("#credentials .numbers tbody tr").count()).toBe(40);
      // Once more, and the last picture is back.
      await chooseInMenu(page, "#credentials", '[data-view="table"]');
      expect(await page.locator("#credentials .canvas .row").count()).toBe(5);
      await page.click('#credentials [data-view="lines"]');
      await page.click("#credentials .legend button >> nth=0");
      expect(await page.locator("#credentials .series").count()).toBe(4);
      await keepPicture(page, "fleet-legend");
    });
  });

  test("tables are sorted, searched and lengthened", async () => {
    await withPage("fleet", async page => {
      const names = () => textOf(page, "#credentials tbody th");
      await page.click("#credentials thead button >> nth=0");
      const sorted = await names();
      expect(sorted).toEqual([...sorted].sort());
      expect(await page.locator('#credentials th[aria-sort="ascending"]').innerText()).toContain("User name");
      await page.fill("#credentials .find", "postgres");
      expect(await names()).toEqual(["postgres"]);
      await page.fill("#credentials .find", "");
      await page.click('#credentials [data-table="more"]');
      expect((await names()).length).toBe(30);
    });
  });

  test("CSV starts no formula, SVG stands alone", async () => {
    await withPage("hostile", async page => {
      const [csv] = await Promise.all([page.waitForEvent("download"), chooseInMenu(page, "#credentials", '[data-table="csv"]')]);
      const text = await Bun.file((await csv.path())!).text();
      expect(csv.suggestedFilename()).toBe("credentials.csv");
      expect(text).toContain("'=HYPERLINK");
      expect(text.match(/^"?[=+@-]/gm)).toBeNull();
      const [svg] = await Promise.all([page.waitForEvent("download"), chooseInMenu(page, "#credentials", '[data-save="svg"]')]);
      const picture = await Bun.file((await svg.path())!).text();
      expect(picture).toStartWith("<svg");
      expect(picture.match(/<script|<img|<foreignObject|class=|var\(/g)).toBeNull();
      const kept = pathOfPicture("credentials.svg");
      if (kept !== undefined) await Bun.write(kept, picture);
    });
  });

  test("printed, it opens what is folded, hides what is for pointing, and fits the paper", async () => {
    await withPage("fleet", async page => {
      const pdf = await page.pdf({ preferCSSPageSize: true });
      const file = pathOfPicture("fleet.pdf");
      if (file !== undefined) await Bun.write(file, pdf);
      expect(pdf.length).toBeGreaterThan(10_000);
      await page.setViewportSize({ width: 690, height: 1000 });
      await page.emulateMedia({ media: "print" });
      await page.evaluate("dispatchEvent(new Event('beforeprint'))");
      expect(await page.locator("form").isVisible()).toBe(false);
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      await keepPicture(page, "fleet-print", { fullPage: true });
    });
  });
});
