import { describe, expect, test } from "bun:test";
import type { ChainCounts } from "../../../lib/sessions/chain-counts.ts";
import type { Tally } from "../../../lib/sessions/tally.ts";
import { everything } from "../../../lib/view/cells.ts";
import { purposeOf } from "../../../lib/text/purpose.ts";
import {
  buildChainRow,
  buildChainsData,
  buildChainsView,
  chainText,
  describeChains,
} from "../../../lib/view/report-chains.ts";
import type { ReportData } from "../../../lib/view/report-data.ts";
import { buildScope } from "../../../lib/view/report-view.ts";
import { buildReduced } from "../../support/build.ts";
import { HOSTILE_TEXTS } from "../../hostile/texts.ts";
import { buildReportData } from "../../support/report.ts";

const OPTIONS = { lastDays: 7, thresholdPercent: 20 };

/** A report of so many days and sensors with one event on each. */
function buildData(days: number, sensors: readonly string[]): ReportData {
  const rows = Array.from({ length: days }, (_, day) =>
    sensors.map(sensor => ({
      kind: "event" as const,
      date: new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10),
      sensor,
      key: { eventid: "e", hour: 0 },
      count: 1,
    })),
  );
  return buildReportData(buildReduced(rows.flat()), { show: 5 });
}

const FIRST = Date.UTC(2024, 0, 1) / 86_400_000;
const tally = (...cells: readonly (readonly [day: number, sensor: number, count: number])[]): Tally => ({
  day: Int32Array.from(cells, ([day]) => FIRST + day),
  sensor: Int32Array.from(cells, ([, sensor]) => sensor),
  count: Int32Array.from(cells, ([, , count]) => count),
});
const counts = (commands: readonly string[], chains: ChainCounts["chains"], rest = tally()): ChainCounts => ({
  steps: 6,
  commands,
  sensors: ["b", "a"],
  sessions: 0,
  distinct: chains.length + (rest.count.length > 0 ? 3 : 0),
  chains,
  rest,
});
const chain = (commands: readonly number[], cells: Tally, isCut = false) => ({
  commands,
  isCut,
  sessions: cells.count.reduce((sum, count) => sum + count, 0),
  addresses: 1,
  tally: cells,
});

describe("chains in the report", () => {
  const data = buildData(10, ["a", "b"]);
  const chains = buildChainsData(
    counts(
      ["w", "wget http://x"],
      [chain([0, 1], tally([0, 1, 4], [5, 0, 3])), chain([0], tally([9, 1, 2]), true)],
      tally([5, 1, 1]),
    ),
    data.grid,
    ["a", "b"],
    purposeOf,
  )!;
  const scopeOf = (first: number, last: number, sensors: readonly number[]) =>
    buildScope(
      data,
      { range: { first: FIRST + first, last: FIRST + last }, sensors: Uint8Array.from(sensors) },
      OPTIONS,
    );

  test("are counted for the days and sensors chosen, the picture and the words from the same numbers", () => {
    const whole = buildChainsView(buildScope(data, everything(data.grid), OPTIONS), chains);
    expect(whole.graph.chains.map(({ sessions }) => sessions)).toEqual([7, 2]);
    expect(whole.sessions).toBe(10);
    expect(describeChains(whole, true)).toBe(
      "The page carries 2 of 5 distinct chains, 90.0 % of 10 sessions; all numbers here are of these.",
    );
    const early = buildChainsView(scopeOf(0, 4, [1, 1]), chains);
    expect(describeChains(early, false)).toBe("1 distinct chain, 4 sessions.");
    const sensorB = buildChainsView(scopeOf(0, 9, [0, 1]), chains);
    expect(describeChains(sensorB, false)).toBe("1 distinct chain, 3 sessions.");
    expect(describeChains(buildChainsView(scopeOf(1, 4, [1, 1]), chains), false)).toBe(
      "No session typed anything in this selection.",
    );
  });

  test("rows have shares of all sessions, purposes and a word for what goes on", () => {
    const view = buildChainsView(buildScope(data, everything(data.grid), OPTIONS), chains);
    const row = buildChainRow(view, view.graph.chains[0]!, 1);
    expect([row.sessions, row.share, row.isCut]).toEqual(["7", "70.0 %", false]);
    expect(row.links.map(({ text, purpose }) => [text, purpose])).toEqual([
      ["w", "p-recon"],
      ["wget http://x", "p-download"],
    ]);
    expect(view.graph.chains.map(one => chainText(chains, one))).toEqual(["w → wget http://x", "w → …"]);
  });

  test("sessions of other days and sensors than the page draws do not count", () => {
    const other = counts(["w"], [chain([0], tally([99, 0, 5]))]);
    expect(buildChainsData(other, data.grid, ["a", "b"], purposeOf)).toBeUndefined();
    const elsewhere = { ...counts(["w"], [chain([0], tally([1, 0, 5], [1, 1, 2]))]), sensors: ["nowhere", "a"] };
    const view = buildChainsView(
      buildScope(data, everything(data.grid), OPTIONS),
      buildChainsData(elsewhere, data.grid, ["a", "b"], purposeOf)!,
    );
    expect(view.sessions).toBe(2);
  });

  test("over many sensor-days they are counted by runs of days, and the page says which days it shows then", () => {
    const names = Array.from({ length: 101 }, (_, i) => `s${String(i).padStart(3, "0")}`);
    const wide = buildData(100, names);
    const daily = {
      ...counts(["w"], [chain([0], tally(...Array.from({ length: 100 }, (_, day) => [day, 0, 1] as const)))]),
    };
    const carried = buildChainsData({ ...daily, sensors: ["s050"] }, wide.grid, names, purposeOf)!;
    expect(carried.runDays).toBe(7);
    const sensors = new Uint8Array(names.length).fill(1);
    const view = (first: number, last: number) =>
      buildChainsView(
        buildScope(wide, { range: { first: FIRST + first, last: FIRST + last }, sensors }, OPTIONS),
        carried,
      );
    expect([view(0, 99).sessions, view(0, 99).isWidened]).toEqual([100, false]);
    // The presets count back from the last day, as the runs do.
    expect([view(93, 99).sessions, view(93, 99).isWidened]).toEqual([7, false]);
    expect([view(72, 99).sessions, view(72, 99).isWidened]).toEqual([28, false]);
    expect(describeChains(view(50, 60), false)).toBe(
      "1 distinct chain, 21 sessions. Counted by runs of 7 days: 2024-02-14 to 2024-03-05 (21 days).",
    );
  });

  test("hostile commands are seen and bounded, and a page carries only so many", () => {
    const many = Array.from({ length: 400 }, (_, i) => `${i} ${"x".repeat(5000)}`);
    const texts = [...HOSTILE_TEXTS, ...many];
    const all = counts(
      texts,
      texts.map((_, i) => chain([i], tally([i % 10, i % 2, 1]))),
    );
    const carried = buildChainsData(all, data.grid, ["a", "b"], purposeOf)!;
    expect(carried.commands.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(80_000);
    const view = buildChainsView(buildScope(data, everything(data.grid), OPTIONS), carried);
    expect(view.sessions).toBe(texts.length);
    for (const one of view.graph.chains) {
      expect(chainText(carried, one)).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u001b\u0000\u009b]/);
    }
  });
});
