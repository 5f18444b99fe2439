/** What the report shows under a filter, read from the page in a browser, against counts made in plain code. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { type Browser, CHROMIUM, openBrowser, visit } from "../support/browser.ts";
import { type Pages, writeFleetPages } from "../support/pages.ts";
import { readLogFolder } from "../support/real-logs.ts";
import { ROOT } from "../support/run.ts";
import { countSlowly, type SlowRow } from "../support/slow-counter.ts";

setDefaultTimeout(600_000);

const NAME = CHROMIUM === undefined ? "(skipped: no Chromium on PATH)" : "";
const SENSORS = ["hp-ams-01", "hp-nyc-01", "hp-sgp-01", "hp-waw-02"];

interface Choice {
  readonly from?: string;
  readonly to?: string;
  readonly sensors?: readonly string[];
}

describe.skipIf(CHROMIUM === undefined)(`the report's figures in Chromium ${NAME}`, () => {
  let browser: Browser;
  let folder: string;
  let pages: Pages;
  let rows: SlowRow[];
  let flagged: Set<string>;
  let days: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "report-counts-"));
    pages = await writeFleetPages(folder);
    const counted = countSlowly(readLogFolder(join(ROOT, "test/fixtures/fleet")));
    rows = counted.rows;
    flagged = new Set([...counted.verdicts].filter(([, { positives }]) => positives > 0).map(([hash]) => hash));
    days = [...new Set(rows.filter(row => row.kind === "event").map(row => row.date))].sort();
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The day so many days before the last. */
  const back = (n: number) => new Date(Date.parse(days.at(-1)!) - n * 86_400_000).toISOString().slice(0, 10);

  const choices: Record<string, () => Choice> = {
    everything: () => ({}),
    "the last 7 days": () => ({ from: back(6) }),
    "the 7 days before": () => ({ from: back(13), to: back(7) }),
    "the last 28 days": () => ({ from: back(27) }),
    "some days": () => ({ from: back(23), to: back(9) }),
    "one day": () => ({ from: back(10), to: back(10) }),
    "one sensor": () => ({ sensors: [SENSORS[0]!] }),
    "one sensor on some days": () => ({ from: back(20), to: back(4), sensors: [SENSORS[1]!] }),
    "two sensors": () => ({ sensors: SENSORS.slice(1, 3) }),
    "two sensors, the last 28 days": () => ({ from: back(27), sensors: [SENSORS[0]!, SENSORS[2]!] }),
    "three sensors on some days": () => ({ from: back(30), to: back(12), sensors: SENSORS.slice(1) }),
  };

  const fragment = ({ from, to, sensors }: Choice) => {
    const state = new URLSearchParams();
    if (from !== undefined) state.set("from", from);
    if (to !== undefined) state.set("to", to);
    if (sensors !== undefined) state.set("sensors", JSON.stringify(sensors));
    return state.size === 0 ? "" : `#${state}`;
  };
  const inside = ({ from = "", to = "9", sensors }: Choice) =>
    rows.filter(row => row.date >= from && row.date <= to && (sensors === undefined || sensors.includes(row.sensor)));

  const sum = (found: readonly SlowRow[]) => found.reduce((total, row) => total + row.count, 0);
  const number = (n: number) => n.toLocaleString("en-US");
  const many = (n: number, one: string, more: string) => `${number(n)} ${n === 1 ? one : more}`;

  /** Addresses by their connections; those that never connect by what else there is of them. */
  function addressesOf(found: readonly SlowRow[]): number {
    const connected = new Set(rows.filter(row => row.kind === "connect").map(row => row.key[0]));
    const addresses = found
      .filter(row => row.kind === "connect" || row.kind === "session_closed" || row.kind === "proxy_request")
      .filter(row => row.kind === "connect" || !connected.has(row.key[0]!))
      .map(row => row.key[0]);
    return new Set(addresses.filter(address => address !== null)).size;
  }

  const figuresOf = (page: Page) =>
    page.evaluate(`[...document.querySelectorAll("#figures .figure")].map(figure =>
      [figure.querySelector("b").textContent, figure.querySelector(".what").textContent, figure.querySelector(".note").textContent])`) as Promise<
      [string, string, string][]
    >;

  for (const [name, choose] of Object.entries(choices)) {
    test(`of ${name} are those counted in plain code`, async () => {
      const found = inside(choose());
      const of = (kind: SlowRow["kind"]) => found.filter(row => row.kind === kind);
      const hashes = new Set(of("file_download").map(row => String(row.key[2])));
      const files = many(hashes.size, "file", "files");
      const isFlagged = [...hashes].filter(hash => flagged.has(hash)).length;
      await visit(browser, pages.result, { fragment: fragment(choose()) }, async page => {
        const figures = new Map((await figuresOf(page)).map(([value, label, note]) => [label, [value, note]]));
        expect(figures.get("login attempts")![0]).toBe(number(sum(of("login"))));
        expect(figures.get("connections")).toEqual([
          number(sum(of("connect"))),
          `from ${many(addressesOf(found), "address", "addresses")}`,
        ]);
        expect(figures.get("commands")).toEqual([
          number(sum(of("command"))),
          `${number(new Set(of("command").map(row => row.key[0])).size)} distinct`,
        ]);
        const downloads = figures.get("downloads")!;
        expect(downloads[0]).toBe(number(sum(of("file_download"))));
        expect(downloads[1]!.replace(/, \d+ flagged$/, "")).toBe(files);
        expect(Number(/(\d+) flagged/.exec(downloads[1]!)?.[1] ?? 0)).toBe(isFlagged);

        for (const [section, kind, columns] of [
          ["credentials", "login", [0, 1]],
          ["commands", "command", [0]],
          ["connections", "connect", [0, 1]],
          ["downloads", "file_download", [0, 1, 2]],
          ["proxy", "proxy_request", [0, 1, 2]],
        ] as const) {
          const counts = new Map<string, number>();
          const seenOn = new Map<string, Set<string>>();
          for (const row of of(kind)) {
            const key = JSON.stringify(columns.map(i => row.key[i]!));
            counts.set(key, (counts.get(key) ?? 0) + row.count);
            seenOn.set(key, (seenOn.get(key) ?? new Set()).add(row.sensor));
          }
          const shown = (await page.evaluate(`[...document.querySelectorAll("#${section} table.ranking tbody tr")].map(row => {
            const cells = [...row.cells].slice(${1 + columns.length});
            return [cells[0].textContent, cells.at(-1).textContent];
          })`)) as [string, string][];
          // Equal counts stand in any order: the counts themselves, and each with its sensors.
          const sorted = [...counts].sort((a, b) => b[1] - a[1]);
          expect({ section, counts: shown.map(([count]) => count) }).toEqual({
            section,
            counts: sorted.slice(0, 5).map(([, count]) => number(count)),
          });
          const chosen = choose().sensors?.length ?? new Set(rows.map(row => row.sensor)).size;
          for (const [count, sensors] of shown) {
            const alike = sorted.filter(([, n]) => number(n) === count).map(([key]) => `${seenOn.get(key)!.size}/${chosen}`);
            expect(alike).toContain(sensors);
          }
        }
      });
    });
  }

  test("and what both pages count is the same on both", async () => {
    let watched = "";
    await visit(browser, pages.result, {}, async page => {
      watched = (await figuresOf(page)).find(([, label]) => label === "sensor-days watched")![0];
    });
    await visit(browser, pages.stats, {}, async page => {
      const text = await page.evaluate<string>(`document.querySelector("#overview").textContent`);
      expect(text).toContain(`${watched}sensor-days watched`);
      const known = (await page.evaluate(
        `[...document.querySelectorAll("#new .data-table")][0].querySelectorAll("tbody tr").length === 0 ? [] :
         [...[...document.querySelectorAll("#new .data-table")][0].querySelectorAll("tbody tr")].map(row => [row.cells[0].textContent, row.cells[1].textContent])`,
      )) as [string, string][];
      expect(new Map(known).get("addresses")).toBe(number(addressesOf(rows)));
      const files = rows.filter(row => row.kind === "file_download" || row.kind === "file_upload");
      const hashes = new Set(files.map(row => row.key.at(-1)).filter(hash => hash !== null));
      expect(new Map(known).get("files, downloaded or uploaded")).toBe(number(hashes.size));
    });
  });
});
