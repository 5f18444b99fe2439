import { describe, expect, test } from "bun:test";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { drawTable } from "../../../lib/reduced/drawn-table.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { seededRandom } from "../../support/random.ts";
import { command, dateOf, FIRST_DAY, watch } from "../../support/days.ts";
import { STATISTICS_DEFAULTS, type StatisticsOptions } from "../../../lib/statistics/settings.ts";

describe("computeStatistics", () => {
  test("an empty table", () => {
    const found = computeStatistics(buildReduced([]));
    expect([found.days, found.sensors, found.changes, found.tests.m, found.outages]).toEqual([0, [], [], 0, []]);
    expect(found.notes).toEqual(["The table holds no day."]);
  });

  test("one event", () => {
    const found = computeStatistics(buildReduced(watch("a", 1).slice(0, 1)));
    expect([found.days, found.changes, found.coverage[0]!.days]).toEqual([1, [], "p"]);
  });

  test("is plain data: JSON gives it back as it was", () => {
    const rows = [...watch("a", 50, [30]), ...watch("", 20), ...command("a", "id\u001b[2J\ud800</script>", [
      ...Array.from({ length: 49 }, () => 5), 500,
    ])];
    const found = computeStatistics(buildReduced(rows));
    expect(found.changes.length).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  test("keys named like parts of an object are keys", () => {
    const names = ["__proto__", "constructor", "toString"];
    const rows = names.flatMap(name => command("a", name, Array.from({ length: 40 }, () => 5)));
    const { changes } = computeStatistics(buildReduced([...watch("a", 40), ...rows]), { rows: "all", lastDays: 1 });
    const found = changes.filter(({ kind, view }) => kind === "command" && view === "day").map(({ key }) => key[0]);
    expect(found.sort()).toEqual(names);
  });

  test("options left undefined keep their defaults, and the defaults are said", () => {
    const given = { q: undefined, lastDays: undefined } as unknown as StatisticsOptions;
    expect(computeStatistics(buildReduced(watch("a", 3)), given).options).toEqual(STATISTICS_DEFAULTS);
  });

  test("strict multiplies q by the harmonic sum and never reports more", () => {
    const counts = [...Array.from({ length: 39 }, () => 20), 300];
    const table = buildReduced([...watch("a", 40), ...command("a", "id", counts)]);
    const [plain, strict] = [false, true].map(strict => computeStatistics(table, { strict, rows: "all" }));
    const harmonic = Array.from({ length: plain!.tests.m }, (_, i) => 1 / (i + 1)).reduce((sum, x) => sum + x, 0);
    const [a, b] = [plain!, strict!].map(({ changes }) =>
      changes.find(row => row.count === 300 && row.view === "day"),
    );
    expect(b!.q).toBeCloseTo(a!.q * harmonic, 12);
    expect(strict!.tests.method).toBe("Benjamini-Yekutieli");
    expect(strict!.tests.reported).toBeLessThanOrEqual(plain!.tests.reported);
  });

  test("cut counts that were summed up with full ones of other sensors are not tested", () => {
    const flat = Array.from({ length: 40 }, () => 1);
    const lateCut: LiteralRow = {
      kind: "command", date: dateOf(39), sensor: "cut", key: { input: "id" }, count: 90,
    };
    const rows = [
      ...["a", "b"].flatMap(sensor => [...watch(sensor, 40), ...command(sensor, "id", flat)]),
      ...watch("busy", 40),
      ...command("busy", "id", flat.map(() => 1000)),
      lateCut,
    ];
    const drawn = drawTable(buildReduced(rows), { sensors: 2, days: 100, sensorDays: 1000 });
    const of = (options: StatisticsOptions) =>
      computeStatistics(drawn.table, { ...options, lastDays: 1, rows: "all" }).changes.filter(
        ({ kind, sensor, view }) => kind === "command" && view === "day" && sensor !== null,
      );
    // The fault this is about: 92 against 2 a day.
    expect(of({}).map(({ sensor, reported }) => [sensor, reported])).toContainEqual(["(3 other sensors)", true]);
    expect(of(drawn).map(({ sensor }) => sensor)).toEqual(["busy"]);
  });

  test("a change below the threshold is not reported, however sure", () => {
    const counts = [...Array.from({ length: 39 }, () => 100_000), 115_000];
    const table = buildReduced([...watch("a", 40), ...command("a", "id", counts)]);
    const of = (thresholdPercent: number) =>
      computeStatistics(table, { thresholdPercent }).changes.filter(({ view }) => view === "day").length;
    expect([of(20), of(10)]).toEqual([0, 1]);
  });

  test("the rows reported do not depend on whether all are asked for", () => {
    const random = seededRandom(7);
    const rows: LiteralRow[] = [...watch("a", 40), ...watch("b", 40)];
    for (let key = 0; key < 40; key++) {
      for (const sensor of ["a", "b"]) {
        const mean = 1 + random.int(30);
        const counts = Array.from({ length: 40 }, (_, day) => random.int(2 * mean) + (day === 37 && key < 5 ? 300 : 0));
        rows.push(...command(sensor, `command ${key}`, counts));
      }
    }
    const table = buildReduced(rows);
    const some = computeStatistics(table).changes;
    const all = computeStatistics(table, { rows: "all" });
    expect(some.length).toBeGreaterThan(5);
    expect(all.changes.filter(({ reported }) => reported)).toEqual(some);
    expect(all.changes.length).toBe(all.tests.m);
  });

  const WRONG: [StatisticsOptions, string][] = [
    [{ lastDays: 0 }, "Cannot use lastDays 0: expected a whole number >= 1"],
    [{ baselineDays: 3.5 }, "Cannot use baselineDays 3.5: expected a whole number >= 2"],
    [{ baselineDays: 5 }, "Cannot use minBaselineDays 7: expected at most baselineDays 5"],
    [{ q: 1 }, "Cannot use q 1: expected 0 < q < 1"],
    [{ thresholdPercent: NaN }, "Cannot use thresholdPercent NaN: expected a number >= 0"],
  ];
  test.each(WRONG)("refuses %j", (options, message) => {
    expect(() => computeStatistics(buildReduced([]), options)).toThrow(new RangeError(message));
  });

  test("says which sensors were silent, and quiet days on request", () => {
    const rows = [...watch("a", 30), ...watch("b", 25)];
    const found = computeStatistics(buildReduced(rows));
    expect(found.silent.map(({ sensor, hours }) => [sensor, hours])).toEqual([["b", 120]]);
    expect(found.notes).toContain("Silent when the archive ends: 1 of 2 sensors.");
  });
});

describe("the category of a row of the fleet", () => {
  const at = (counts: number[]) => {
    const table = buildReduced([...watch("a", 50), ...watch("b", 50), ...command("a", "id", counts)]);
    const { changes } = computeStatistics(table, { rows: "all" });
    const row = changes.find(
      ({ kind, view, sensor, lastDay }) =>
        kind === "command" && view === "day" && sensor === null && lastDay === FIRST_DAY + 49,
    )!;
    const { category, count, expected, sensorsSeen, sensorsUp, low, high } = row;
    return { category, count, expected, seen: `${sensorsSeen} of ${sensorsUp}`, likely: [low, high?.toFixed(2)] };
  };
  const flat = (n: number, count: number) => Array.from({ length: n }, () => count);
  test("up, gone and steady", () => {
    expect(at([...flat(49, 2), 90])).toMatchObject({ category: "up", count: 90, seen: "1 of 2" });
    expect(at([...flat(49, 90), 0])).toMatchObject({ category: "gone", count: 0, expected: 90, seen: "0 of 2" });
    const steady = { category: "steady", count: 90, expected: 90, likely: [expect.closeTo(0.8, 2), "1.23"] };
    expect(at(flat(50, 90))).toMatchObject(steady);
  });
});

test("dates in these tests are what they say", () => {
  expect([dateOf(0), dateOf(59)]).toEqual(["2024-01-01", "2024-02-29"]);
});
