import { describe, expect, test } from "bun:test";
import type { Digest } from "../../../lib/digest/digest.ts";
import { digestSections, digestToHtml, digestToText, LINES_MOST } from "../../../lib/digest/digest-words.ts";

const EMPTY: Digest = {
  firstDay: 20_000,
  lastDay: 20_006,
  sensorsUp: ["a"],
  sensorsNew: [],
  sensorsSilent: [],
  sensorsAbsent: [],
  figures: [{ name: "events", now: 12, before: 10 }],
  changes: [],
  comparisons: 0,
  episodes: [],
  campaignsNew: [],
  campaignsReturning: [],
  newHashes: [],
  newHosts: [],
  credentials: [],
  origins: undefined,
  originSources: [],
};

const linesOf = (text: string) => text.trimEnd().split("\n");

describe("digestToText", () => {
  test("what there is none of has no section", () => {
    const lines = linesOf(digestToText(EMPTY, []));
    expect(lines.filter(line => line !== "" && !line.startsWith(" "))).toEqual([
      "Cowrie, Fri 4 Oct 2024 to Thu 10 Oct 2024 (7 days, UTC)",
      "Sensors",
      "What changed (tested, 0 comparisons)",
    ]);
    expect(lines).toContain("  events  12, +20 % on 10");
  });

  test("a figure of which there was none before, and days of which nobody knows", () => {
    const figures = [
      { name: "events", now: 3, before: null },
      { name: "logins", now: 2, before: 0 },
      { name: "uploads", now: 0, before: 0 },
    ];
    const text = digestToText({ ...EMPTY, figures }, []);
    expect(text).toContain("  events   3\n");
    expect(text).toContain("  logins   2, none before\n");
    expect(text).not.toContain("uploads");
  });

  test("what does not fit is said, and is in the page", () => {
    const looks = Array.from({ length: 40 }, (_, i) => ({ what: `thing ${i}`, command: `bun scripts/x.ts ${i}` }));
    const credentials = [{ username: "root", password: "last of all", count: 1, accepted: 0 }];
    const full = { ...EMPTY, credentials };
    const lines = linesOf(digestToText(full, looks));
    expect(lines).toHaveLength(LINES_MOST);
    // The title, sensors with figures, looks, changes and credentials, without a blank line.
    const all = 1 + 3 + (1 + 80) + 2 + 2;
    expect(lines.at(-1)).toBe(`${all - (LINES_MOST - 1)} more lines did not fit: --json and --html have them`);
    expect(digestToHtml(full, looks)).toContain("last of all");
    expect(digestSections(full, looks).at(-1)!.lines[0]).toContain("last of all");
  });

  test("just as many as there is room for are all there", () => {
    const looks = Array.from({ length: 26 }, (_, i) => ({ what: `thing ${i}`, command: `bun scripts/x.ts ${i}` }));
    const lines = linesOf(digestToText(EMPTY, looks));
    expect(lines).toHaveLength(1 + 3 + (1 + 52) + 2);
    expect(lines.at(-1)).toBe("  nothing beyond chance");
  });
});
