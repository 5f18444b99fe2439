/** Pages of logs in which every text is an attacker's, used as a reader would use them: all that can be pressed is. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { visible } from "../../lib/text/text.ts";
import { type Browser, CHROMIUM, fitsWindow, openBrowser, settle, visit } from "../support/browser.ts";
import { HOSTILE_TEXTS } from "../hostile/texts.ts";
import { type PageName, type Pages, writeHostilePages } from "../support/pages.ts";

const NAME = CHROMIUM === undefined ? "hostile pages in use (skipped: no Chromium on PATH)" : "hostile pages in use";

interface Saved {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** From now on what the page would save is kept in it, without a file each. */
const KEEP_SAVED = `(() => {
  globalThis.saved = [];
  let last;
  const make = URL.createObjectURL;
  URL.createObjectURL = blob => make.call(URL, last = blob);
  HTMLAnchorElement.prototype.click = function () {
    if (!this.href.startsWith("blob:")) throw new Error("saves " + this.href);
    saved.push({ name: this.download, type: last.type, blob: last });
  };
})()`;
const readSaved = (page: Page) =>
  page.evaluate<Saved[]>(
    "Promise.all(saved.map(async ({ name, type, blob }) => ({ name, type, text: await blob.text() })))",
  );

/** Cells of a CSV after RFC 4180. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [whole, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    if (whole === "" && row.length === 0) break;
    row.push(quoted?.replaceAll('""', '"') ?? plain!);
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** What a spreadsheet would calculate; numbers of ours may be negative. */
const isFormula = (cell: string) =>
  /^[\s"'\u2800\u3164]*[=+\-@\t\r＝＋－＠﹢﹣﹦﹫−]/u.test(cell) && !cell.startsWith("'") && !/^-[\d.]+$/.test(cell);

/** Faults of saved pictures: not XML, more than a picture, or not as they were seen. */
const JUDGE_PICTURES = `Promise.all(saved.filter(({ type }) => type.startsWith("image/svg"))
  .map(async ({ name, blob }) => {
    const { documentElement: root } = new DOMParser().parseFromString(await blob.text(), "image/svg+xml");
    const known = new Set("svg g defs pattern path rect circle line text tspan title".split(" "));
    const strange = [root, ...root.querySelectorAll("*")].flatMap(node => [
      ...(known.has(node.localName) && node.namespaceURI === "http://www.w3.org/2000/svg" ? [] : [node.outerHTML]),
      ...[...node.attributes].filter(({ name, value }) => /^on|href|style|class/i.test(name) ||
        /url\\((?!["']?#(hatch|dots))|var\\(/.test(value)).map(({ name, value }) => name + "=" + value),
    ]);
    // A halo before the letters, not over them.
    for (const text of root.querySelectorAll("text[stroke]:not([stroke=none], [paint-order=stroke])"))
      strange.push(text.outerHTML);
    return strange.map(what => name + ": " + what.slice(0, 200));
  })).then(all => all.flat())`;

describe.skipIf(CHROMIUM === undefined)(NAME, () => {
  let browser: Browser;
  let folder: string;
  let pages: Pages;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "hostile-pages-"));
    pages = await writeHostilePages(folder);
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (name: PageName, use: (page: Page) => Promise<void>, width = 1400, fragment = "") =>
    visit(browser, pages[name], { width, fragment }, use);

  /** Do something to each element of a kind, in the page, and wait for what it draws. */
  async function each(page: Page, selector: string, action: string): Promise<number> {
    const n = await page.evaluate<number>(
      `(nodes => {
        for (const node of nodes) { ${action} }
        return nodes.length;
      })([...document.querySelectorAll(${JSON.stringify(selector)})])`,
    );
    await settle(page);
    return n;
  }

  const type = (text: string) =>
    `node.value = ${JSON.stringify(text)}; node.dispatchEvent(new Event("input", { bubbles: true }))`;

  /** Save every table and chart as the page stands, and judge what would be on the disk. */
  async function saveAll(page: Page): Promise<Saved[]> {
    await page.evaluate(KEEP_SAVED);
    expect(await each(page, '[data-table="csv"], [data-save]', "if (!node.disabled) node.click()")).toBeGreaterThan(3);
    expect(await page.evaluate(JUDGE_PICTURES)).toEqual([]);
    const saved = await readSaved(page);
    expect(new Set(saved.map(({ type }) => type))).toEqual(new Set(["text/csv", "image/svg+xml"]));
    for (const { name, text } of saved.filter(({ type }) => type === "text/csv")) {
      const rows = parseCsv(text);
      expect({ name, formulas: rows.flat().filter(isFormula) }).toEqual({ name, formulas: [] });
      expect({ name, widths: new Set(rows.map(row => row.length)).size }).toEqual({ name, widths: 1 });
    }
    // A name of a file is ours, never a text of the log.
    expect(saved.map(({ name }) => name).filter(name => !/^[a-z0-9-]+\.(csv|svg)$/.test(name))).toEqual([]);
    return saved;
  }

  test("the report says each text as text, and counts the odd names as any other", async () => {
    const log = await Bun.file(join(folder, "cowrie.json")).text();
    const logins = log.split("\n").filter(line => line.includes('"cowrie.login.'));
    const counts = Map.groupBy(logins, line => (JSON.parse(line) as { username: string }).username);
    await open("result", async page => {
      await page.fill("#credentials .find", "o");
      while (await page.locator('#credentials [data-table="more"]').isVisible())
        await page.click('#credentials [data-table="more"]');
      const rows = await page.evaluate<string[][]>(
        `[...document.querySelectorAll("#credentials tbody tr")]
          .map(row => [...row.cells].map(cell => cell.innerText))`,
      );
      for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"]) {
        const own = rows.filter(cells => cells[1] === name);
        const sum = own.reduce((total, cells) => total + Number(cells[3]!.replaceAll(",", "")), 0);
        expect({ name, sum }).toEqual({ name, sum: counts.get(name)!.length });
      }
      await page.fill("#credentials .find", "");
      const said = await page.evaluate<string>("document.querySelector('#credentials').textContent");
      const short = HOSTILE_TEXTS.filter(text => text.trim() !== "" && text.length < 40 && text.isWellFormed());
      expect(short.filter(text => !said.includes(visible(text)))).toEqual([]);
    });
  });

  test("the report's filters take what they are given, and keep it in the address", async () => {
    await open("result", async page => {
      for (const preset of ["7", "0"]) await each(page, `[data-preset="${preset}"]`, "node.click()");
      await page.fill("#from", "2024-03-10");
      await page.fill("#to", "2024-03-16");
      await settle(page);
      await page.click("#picker summary");
      for (const text of HOSTILE_TEXTS.slice(0, 4)) await each(page, "#sensor-search", type(text));
      await each(page, "#sensor-search", type("__proto__"));
      expect(await page.locator("#picker li:visible").count()).toBe(1);
      await page.click('[data-sensors="none"]');
      await each(page, "#sensor-search", type(""));
      await page.click('[data-sensors="none"]');
      await each(page, "#picker li:nth-child(2n) input[name=sensor]", "node.click()");
      const state = () =>
        page.evaluate<string>(
          `JSON.stringify([location.hash, ...["#picked", "#figures"].map(of => document.querySelector(of).innerText)])`,
        );
      const before = await state();
      expect(before).toContain("sensors");
      await page.reload();
      await settle(page);
      expect(await state()).toBe(before);
      await page.click("#reset");
      await settle(page);
    });
  });

  test("the report takes any text in its address for what it is: nothing it knows", async () => {
    await open("result", async page => {
      for (const text of HOSTILE_TEXTS.filter(one => one.length < 200 && one.isWellFormed())) {
        const word = encodeURIComponent(text);
        const sensors = encodeURIComponent(JSON.stringify([{}, null, 7, `${text}!`]));
        const fragment = `${word}&from=${word}&to=${word}&sensors=${sensors}&${word}=1`;
        await page.evaluate(`location.hash = ${JSON.stringify(fragment)}`);
      }
      await settle(page);
      expect(await page.locator("#reset").isVisible()).toBe(false);
    });
  });

  test("all the report's views, headings, searches and lengths; its tables and pictures saved", async () => {
    await open("result", async page => {
      for (const view of ["stack", "strips", "table", "lines"]) {
        expect(await each(page, `[data-view="${view}"]`, "node.click()")).toBeGreaterThan(5);
        if (view === "strips") await saveAll(page);
        expect(await fitsWindow(page)).toBe(true);
      }
      await each(page, "#metric", "node.selectedIndex = 2; node.dispatchEvent(new Event('change', { bubbles: true }))");
      await each(page, ".legend button:first-child", "node.click(); node.dispatchEvent(new Event('pointerenter'))");
      for (const text of ["<script>", "__proto__", "{{", "(.*", ""]) await each(page, ".find", type(text));
      for (let column = 0; column < 6; column++) {
        for (let twice = 0; twice < 2; twice++)
          await each(page, `table.ranking th:nth-child(${column + 2}) button`, "node.click()");
      }
      await each(page, "[data-table=more]", "if (!node.hidden) node.click()");
      const saved = await saveAll(page);
      expect(saved.find(({ name }) => name === "credentials.csv")!.text).toContain("'=HYPERLINK");
      await each(page, "details", "node.open = true");
      expect(await fitsWindow(page)).toBe(true);
    });
  });

  test("the sessions behind each row of the report, and how they are copied", async () => {
    await open("result", async page => {
      expect(await each(page, "button.trail", "node.click()")).toBeGreaterThan(50);
      const sheet = page.locator(".trail-sheet:popover-open");
      expect(await sheet.count()).toBe(1);
      await each(page, ".trail-sheet:popover-open button", "node.click()");
      expect(await fitsWindow(page)).toBe(true);
      await page.keyboard.press("Escape");
      expect(await sheet.count()).toBe(0);
    });
  });

  test("all the statistics' headings, searches and lengths; its tables and pictures saved", async () => {
    await open("stats", async page => {
      expect(await each(page, "table thead button", "node.click(); node.click()")).toBeGreaterThan(30);
      for (const text of ["<script>", "__proto__", "(.*", ""]) await each(page, ".find", type(text));
      await each(page, "[data-table=more]", "if (!node.hidden) node.click()");
      const saved = await saveAll(page);
      expect(saved.map(({ text }) => text).join("")).toContain("'=HYPERLINK");
      await each(page, "details", "node.open = true");
      expect(await fitsWindow(page)).toBe(true);
    });
  });

  test("charts by keyboard: every key moves or leaves, the tip says the names as text", async () => {
    await open("result", async page => {
      const charts = await page.locator("svg.chart[tabindex='0']").count();
      expect(charts).toBeGreaterThan(5);
      const keys = ["Home", "ArrowRight", "PageDown", "ArrowDown", "End", "ArrowLeft", "PageUp", "ArrowUp"];
      for (const chart of [0, 1, 2]) {
        await page.locator("svg.chart[tabindex='0']").nth(chart).focus();
        for (const key of keys) await page.keyboard.press(key);
        expect(await page.locator("#tip").isVisible()).toBe(true);
        await page.keyboard.press("Escape");
        expect(await page.locator("#tip").isVisible()).toBe(false);
      }
      await each(
        page,
        "svg.chart[tabindex='0']",
        `for (const key of ${JSON.stringify(keys)}) node.dispatchEvent(new KeyboardEvent("keydown", { key }))`,
      );
    });
  });

  test("the step graph by pointer and keyboard", async () => {
    await open("chains", async page => {
      const types = ["pointerenter", "click", "click", "pointerleave"];
      const point = "node.dispatchEvent(new PointerEvent(type, { bubbles: true }))";
      await each(page, ".step", `for (const type of ${JSON.stringify(types)}) ${point}`);
      await page.locator(".step[tabindex='0']").first().focus();
      for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp", "Enter", "ArrowLeft", "Escape"])
        await page.keyboard.press(key);
      expect(await page.locator(".step.pinned").count()).toBe(0);
      await each(page, "details", "node.open = true");
      expect(await fitsWindow(page)).toBe(true);
    });
  });

  test.each(["result", "stats", "chains", "trace-ip", "trace-sid"] as const)(
    "%s at 390 px, all unfolded, to paper and back, in the other theme",
    async name => {
      await open(
        name,
        async page => {
          await each(page, "#theme", "node.click()");
          await page.emulateMedia({ media: "print" });
          await page.evaluate("dispatchEvent(new Event('beforeprint'))");
          await settle(page);
          await page.evaluate("dispatchEvent(new Event('afterprint'))");
          await page.emulateMedia({ media: "screen" });
          await each(page, "details", "node.open = true");
          expect(await fitsWindow(page)).toBe(true);
        },
        390,
      );
    },
  );
});
