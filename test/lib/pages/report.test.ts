import { describe, expect, test } from "bun:test";
import type { ReportOptions } from "../../../lib/pages/report.ts";
import { buildReduced, NO_INFO } from "../../support/build.ts";
import { buildHostile } from "../../hostile/texts.ts";
import { buildFleet } from "../../support/report-fleet.ts";
import { bodyOf, renderReport } from "../../support/report.ts";

const OPTIONS: ReportOptions = { topN: 5, thresholdPercent: 20, lastDays: 7 };

/** Everything but the style, the data and the script: what is seen. */

describe("renderReport", () => {
  test("the same table gives the same bytes", () => {
    const table = buildFleet({ days: 9, sensors: 2 });
    expect(renderReport(table, OPTIONS)).toBe(renderReport(table, OPTIONS));
  });

  test("an empty table gives a page that says so, without empty boxes", () => {
    const body = bodyOf(renderReport(buildReduced([]), OPTIONS));
    expect(body).toContain("No events");
    expect(body).not.toContain("<figure");
    expect(body).not.toContain("<table");
  });

  test("one event: one section, no comparison, no plural", () => {
    const table = buildReduced([
      { kind: "event", date: "2024-02-29", sensor: "", key: { eventid: "cowrie.session.connect", hour: 1 }, count: 1 },
    ]);
    const body = bodyOf(renderReport(table, OPTIONS));
    expect(body).toContain("Thu 29 Feb 2024");
    expect(body).toContain("1 sensor");
    expect(body).toContain("(no name)");
    expect(body.match(/data-section="/g)).toEqual(['data-section="']);
    expect(body).not.toContain("Change,");
  });

  test("every section with data has its chart, its table and its place in the list", () => {
    const body = bodyOf(renderReport(buildFleet({ days: 30, sensors: 3 }), OPTIONS));
    const ids = [...body.matchAll(/data-section="([^"]+)"/g)].map(match => match[1]!);
    expect(ids).toEqual([
      "credentials",
      "commands",
      "last-commands",
      "connections",
      "lengths",
      "sessions",
      "downloads",
      "uploads",
      "proxy",
      "versions",
      "hassh",
      "keys",
      "events",
    ]);
    for (const id of ids) expect(body).toContain(`<a href="#${id}">`);
    expect(body.match(/<table class="ranking"/g)).toHaveLength(ids.length);
  });

  test("says what was read, what was cut and what was asked for", () => {
    const source = {
      path: "a/cowrie.json",
      sizeBytes: 1234,
      headHash: "",
      wholeHash: "",
      counts: { lines: 9, events: 5, repaired: 2, rejected: 1, pending: 1 },
      cut: true,
    };
    const info = { ...NO_INFO, parameters: { robotMaxSeconds: 7, sinceDay: 0 }, sources: [source] };
    const body = bodyOf(renderReport(buildReduced([], info), { ...OPTIONS, topN: 5000, generatedBy: "program 1.2" }));
    for (const text of [
      "1 (1.23 kB)",
      "under 7 s",
      "Only days from 1970-01-01 on were read.",
      "5000 keys per section were asked for; 100 are shown.",
      "1 input held counts that were cut",
      "program 1.2",
    ]) {
      expect(body).toContain(text);
    }
  });

  test("0 = all shows every key up to its limit", () => {
    const body = bodyOf(renderReport(buildFleet({ days: 5, sensors: 1, tail: 300 }), { ...OPTIONS, topN: 0 }));
    expect(body).toMatch(/First 100 of \d+/);
  });

  test("hostile text adds no element, no attribute and no link", () => {
    const html = renderReport(buildHostile(), { ...OPTIONS, topN: 0 });
    const body = bodyOf(html);
    expect(body.match(/<(script|img|iframe|object|embed|link|base|form)\b/g)).toEqual(["<form"]);
    // Values are quoted: what stands in them is none of the attributes.
    expect(body.replace(/"[^"]*"/g, "").match(/<[^>]*\son[a-z]+\s*=/g)).toBeNull();
    expect(body.match(/href="[^#]/g)).toBeNull();
    expect(body.match(/style="/g)).toBeNull();
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.isWellFormed()).toBe(true);
    // A megabyte of one command is not a megabyte of page.
    expect(html.length).toBeLessThan(900_000);
    expect(body).toContain("first 2000 of 1000026 characters");
    const data = html.match(/<script[^>]*type="application\/json"[^]*?<\/script>/)![0];
    expect((body + data).match(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g)).toBeNull();
    expect(body).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u001b\u0000\u009b]/);
  });
});
