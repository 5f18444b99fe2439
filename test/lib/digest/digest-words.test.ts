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
  watched: { now: 7, before: 7 },
  changes: [],
  comparisons: 0,
  whyNone: null,
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

  test("days before of which few were watched: what changed is that of a watched day, and addresses are only told", () => {
    const figures = [
      { name: "events", now: 2818, before: 2240 },
      { name: "addresses", now: 92, before: 49 },
    ];
    const text = digestToText({ ...EMPTY, figures, watched: { now: 6.7, before: 2.6 } }, []);
    // 420.6 a day against 861.5: fewer, whatever the sums say.
    expect(text).toContain("  events     2,818, −51.2 % a day on 2,240\n");
    expect(text).toContain("  addresses  92, 49 before\n");
    expect(text).toContain("  watched 6.7 sensor-days, 2.6 in as many days before: changes are those of a watched day\n");
    const unknown = digestToText({ ...EMPTY, watched: { now: 7, before: 0 } }, []);
    expect(unknown).toContain("  events  12, 10 before\n");
    expect(digestToText({ ...EMPTY, watched: { now: 7, before: 6.4 } }, [])).toContain("  events  12, +20 % on 10\n");
  });

  test("where nothing was compared it says why, not that nothing changed", () => {
    const text = digestToText({ ...EMPTY, whyNone: "no sensor was watched long enough" }, []);
    expect(text).toContain("What changed\n  nothing was compared: no sensor was watched long enough\n");
    expect(text).not.toContain("beyond chance");
  });

  test("what does not fit is said where it would stand, and is in the page", () => {
    const looks = Array.from({ length: 40 }, (_, i) => ({ what: `thing ${i}`, command: `bun scripts/x.ts ${i}` }));
    const credentials = [{ username: "root", password: "last of all", count: 1, accepted: 0 }];
    const full = { ...EMPTY, credentials };
    const lines = linesOf(digestToText(full, looks));
    expect(lines.length).toBeWithin(LINES_MOST - 1, LINES_MOST + 1);
    // The title, sensors with figures, changes, credentials; of the looks as many as there is room for, each with its command.
    expect(lines.slice(-4, -2)).toEqual(["What changed (tested, 0 comparisons)", "  nothing beyond chance"]);
    expect(lines.at(-1)).toContain("last of all");
    const shown = lines.filter(line => line.startsWith("  thing")).length;
    expect(lines.filter(line => line.startsWith("    bun"))).toHaveLength(shown);
    expect(lines).toContain(`  ${80 - 2 * shown} more lines did not fit: --json and --html have them`);
    expect(digestToHtml(full, looks)).toContain("thing 39");
    expect(digestSections(full, looks).at(-1)!.lines[0]).toContain("last of all");
  });

  test("with every list full each section has its say", () => {
    const many = <T>(toOne: (i: number) => T) => Array.from({ length: 30 }, (_, i) => toOne(i));
    const long = "x".repeat(60);
    const value = (i: number) => ({ value: [`${long}${i}`], count: 3, sensors: ["a", "b"] });
    const campaign = (i: number) => ({ id: `c${i}`, name: long, sessions: 5, addresses: ["a"], sensors: ["a"] });
    const full = {
      ...EMPTY,
      sensorsUp: many(i => `${long}${i}`),
      sensorsNew: many(i => `${long}${i}`),
      sensorsSilent: many(i => ({ sensor: `s${i}`, sinceUs: 0, hours: 5 })),
      sensorsAbsent: many(i => ({ sensor: `s${i}`, lastUs: 0 })),
      figures: many(i => ({ name: `figure ${i}`, now: i + 1, before: null })).slice(0, 12),
      changes: many(i => ({ sensor: long, kind: "login", key: [`${long}${i}`, long], unit: "events", count: 9, expected: 1, category: "up" })),
      campaignsNew: many(campaign),
      campaignsReturning: many(campaign),
      newHashes: many(value),
      newHosts: many(value),
      credentials: many(i => ({ username: long, password: `${long}${i}`, count: 4, accepted: 2 })),
    } as unknown as Digest;
    const looks = many(i => ({ what: `thing ${i}`, command: `bun scripts/x.ts ${i}` })).slice(0, 5);
    const lines = linesOf(digestToText(full, looks));
    expect(lines.length).toBeWithin(LINES_MOST - 3, LINES_MOST + 1);
    const titles = digestSections(full, looks).map(({ title }) => title);
    expect(lines.filter(line => !line.startsWith(" "))).toEqual([lines[0]!, ...titles]);
    expect(titles).toContain("Credentials tried most");
    for (const title of titles) expect(lines[lines.indexOf(title) + 1]).toStartWith("  ");
    const sections = digestSections(full, looks);
    expect(sections.map(section => [section.title, section.lines.length, section.lines.at(-1)!.slice(0, 11)])).toEqual([
      ["Sensors", 10, "and 27 more"],
      ["Look first at", 10, "  bun scrip"],
      ["What changed (tested, 0 comparisons)", 6, "and 25 more"],
      ["New campaigns", 4, "and 27 more"],
      ["Campaigns that are back", 3, "and 28 more"],
      ["New files", 4, "and 27 more"],
      ["New hosts", 4, "and 27 more"],
      ["Credentials tried most", 4, "xxxxxxxxxxx"],
    ]);
    expect(sections[0]!.lines.slice(0, 2).map(text => [text.split(", ").length, text.slice(-13)])).toEqual([[9, ", and 22 more"], [9, ", and 22 more"]]);
  });

  test("just as many as there is room for are all there", () => {
    const looks = Array.from({ length: 26 }, (_, i) => ({ what: `thing ${i}`, command: `bun scripts/x.ts ${i}` }));
    const lines = linesOf(digestToText(EMPTY, looks));
    expect(lines).toHaveLength(1 + 3 + (1 + 52) + 2);
    expect(lines.at(-1)).toBe("  nothing beyond chance");
  });
});
