/** A real Chromium for tests of pages, found on the machine; and what a page did that it must not do. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page, type PageScreenshotOptions } from "playwright-core";
import { CHROMIUM } from "./needs.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export { CHROMIUM };

export interface Browser extends AsyncDisposable {
  readonly context: BrowserContext;
}

/** Start Chromium with an empty profile of its own. */
export async function openBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "report-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM!,
    args: FLAGS,
    viewport: { width: 1400, height: 1000 },
  });
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/**
 * Keep a picture of a page, for eyes alone: nothing is judged by it, and it takes as long as a test.
 *
 * Only where `COWRIE_PICTURES` names a folder.
 */
export async function keepPicture(page: Page, name: string, options: PageScreenshotOptions = {}): Promise<void> {
  const path = pathOfPicture(`${name}.png`);
  if (path !== undefined) await page.screenshot({ ...options, path });
}

/** Where {@link keepPicture} puts a file; undefined where nothing is kept. */
export function pathOfPicture(name: string): string | undefined {
  const folder = Bun.env.COWRIE_PICTURES;
  if (folder === undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  return join(folder, name);
}

/** What an honest page never does; each entry says which. To be called before the page is opened. */
export async function watchPage(page: Page): Promise<string[]> {
  const faults: string[] = [];
  page.on("dialog", dialog => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", error => faults.push(`error: ${error.message}`));
  page.on("console", message => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`);
  });
  page.on("popup", popup => faults.push(`window: ${popup.url()}`));
  page.on("websocket", socket => faults.push(`socket: ${socket.url()}`));
  page.on("frameattached", frame => faults.push(`frame: ${frame.url()}`));
  // The file itself, and what it offers to be saved.
  const isOwn = (url: string) => url.startsWith("blob:") || url === "about:blank" || isSameFile(url, page.url());
  page.on("request", request => {
    const isOpening = request.isNavigationRequest() && request.frame() === page.mainFrame();
    if (!(isOpening ? /^(file|about):/.test(request.url()) : isOwn(request.url())))
      faults.push(`request: ${request.url().slice(0, 200)}`);
  });
  // Before any script of the page runs; a violation that is not reported as an error as well would be lost.
  await page.addInitScript(`addEventListener("securitypolicyviolation", event =>
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI + " " + event.sample))`);
  return faults;
}

const isSameFile = (url: string, other: string) => url.split("#")[0] === other.split("#")[0];

export interface VisitOptions {
  /** In pixels. */
  readonly width?: number;
  /** What follows the address, "#" and all. */
  readonly fragment?: string;
}

/** Open a page, wait until its script has drawn everything, use it, and fail if it did what no page may do. */
export async function visit(
  { context }: Browser,
  url: string,
  { width = 1400, fragment = "" }: VisitOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await context.newPage();
  try {
    const faults = await watchPage(page);
    await page.setViewportSize({ width, height: 1000 });
    await page.goto(url + fragment);
    await settle(page);
    await use(page);
    const strange = await findStrangers(page);
    if (faults.length + strange.length > 0) throw new Error([...faults, ...strange].join("\n"));
  } finally {
    await page.close();
  }
}

/** All parts are drawn for the filter last chosen; at once on pages that draw nothing themselves. */
export async function settle(page: Page): Promise<void> {
  const selector = "html[data-drawn], html:not(:has(#filters, .data-table))";
  await page.waitForSelector(selector, { state: "attached" });
}

/** Choose what a chart's menu offers: `numbers`, or what is saved. */
export async function chooseInMenu(page: Page, chart: string, item: string): Promise<void> {
  const menu = page.locator(`${chart} .menu`).filter({ has: page.locator(item) }).first();
  await menu.locator("summary").click();
  await menu.locator(item).click();
}

/** Whether nothing is wider than the window. */
export function fitsWindow(page: Page): Promise<boolean> {
  return page.evaluate("document.documentElement.scrollWidth <= innerWidth");
}

/** Tables that are wider than their place, and by how much; those of numbers alone are scrolled. */
export function findClipped(page: Page): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll(".scroll:not(.numbers)")]
    .filter(box => box.checkVisibility() && box.scrollWidth > box.clientWidth)
    .map(box => box.getAttribute("aria-label") + ": " + (box.scrollWidth - box.clientWidth) + " px")`);
}

/** Elements and attributes that none of our templates has, and links that lead out of the page. */
export function findStrangers(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const tags = new Set(${JSON.stringify(TAGS)});
    const strange = [];
    for (const node of document.querySelectorAll("*")) {
      const html = node.outerHTML.slice(0, 120);
      if (!tags.has(node.localName)) strange.push("element: " + html);
      for (const { name, value } of node.attributes) {
        // The tip is moved by its style, tables carry the names of their columns in it; a screenshot leaves an empty
        // one on inputs.
        const isNames = node.matches(".scroll") && [...node.style].every(property => /^--n\\d+$/.test(property));
        if (name === "style" && (node.id === "tip" || isNames || value === "")) continue;
        if (/^on|^style$|^srcdoc$|^action$|^formaction$/i.test(name)) strange.push("attribute: " + html);
        const leads = /href$|^src$|^ping$|^cite$|^data$|^poster$|^background$/i.test(name);
        // The report and its statistics lead to each other.
        const isPage = node.matches(".sections > a.page") && /^[\\w%.~!*'()-]+$/.test(value);
        if (leads && !value.startsWith("#") && !isPage) strange.push("link: " + html);
      }
    }
    if (document.scripts.length > 2 || document.querySelectorAll("style").length > 1) strange.push("more scripts");
    for (const name in {}) strange.push("property of every object: " + name);
    return strange.slice(0, 20);
  })()`);
}

const TAGS = (
  "html head meta title style body a header main nav section article footer form output div p span h1 h2 h3 h4 b " +
  "small code abbr noscript i ul ol li dl dt dd table thead tbody tr th td figure figcaption details summary label input select " +
  "option fieldset legend button script svg g defs pattern path rect circle line text tspan title"
).split(" ");
