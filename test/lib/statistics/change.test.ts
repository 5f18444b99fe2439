import { describe, expect, test } from "bun:test";
import type { ChangeRow } from "../../../lib/statistics/change.ts";
import { binomialTwoSided } from "../../../lib/statistics/distributions.ts";
import { anscombe, median, robustZ } from "../../../lib/statistics/robust.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { command, dateOf, FIRST_DAY, watch } from "../../support/days.ts";
import { overdispersed, simulateWorld, type World } from "../../support/simulate.ts";
import { Random, seededRandom } from "../../support/random.ts";
import type { StatisticsOptions } from "../../../lib/statistics/settings.ts";

/** Every comparison of commands, tested or reported, without what depends on the other rows of the report. */
function comparisons(rows: LiteralRow[], options: StatisticsOptions = {}): Map<string, Partial<ChangeRow>> {
  const { changes } = computeStatistics(buildReduced(rows), { rows: "all", ...options });
  return new Map(
    changes
      .filter(row => row.kind === "command")
      .map(({ q: _q, reported: _reported, category: _category, ...row }) => [
        JSON.stringify([row.view, row.sensor, row.key, row.firstDay]),
        row,
      ]),
  );
}

const at = (view: string, sensor: string | null, input: string, offset: number) =>
  JSON.stringify([view, sensor, [input], FIRST_DAY + offset]);

const steady = (days: number, count = 10) => Array.from({ length: days }, () => count);

/** Counts that vary a little, the same for each name. */
function noisy(name: string, days: number, mean: number): number[] {
  const random = seededRandom(name);
  return Array.from({ length: days }, () => overdispersed(random, mean, 2));
}

describe("a worked example of ten days", () => {
  // Eight days of baseline, the day of the guard, and the day in question; one sensor, watched around the clock.
  const counts = [4, 6, 5, 3, 7, 5, 4, 6, 5, 16];
  const rows = [...watch("a", 10), ...command("a", "id", counts)];
  const { changes, tests } = computeStatistics(buildReduced(rows), { rows: "all", lastDays: 1 });
  const row = changes.find(({ view, kind }) => view === "day" && kind === "command")!;

  test("counts and expectation", () => {
    expect(row.count).toBe(16);
    expect(row.baselineCount).toBe(40); // 4 + 6 + 5 + 3 + 7 + 5 + 4 + 6
    expect([row.baselineDays, row.baselineExposure, row.exposure]).toEqual([8, 8, 1]);
    expect(row.expected).toBe(5); // 1 * 40 / 8
    expect(row.percent).toBe(220); // 100 * (16 - 5) / 5
  });
  test("shrunken ratio", () => {
    // mu = 40.5 / 8 = 5.0625; 16.5 / 5.5625.
    expect(row.ratio).toBeCloseTo(2.966292134831461, 12);
  });
  test("p", () => {
    // 16 of 56 at a share of 1/9, if counts were Poisson: 0.000566. That they are is nearly sure (the days vary less than
    // Poisson), not quite: two keys have taught little, and a rest is left for dispersions above 2.
    expect(binomialTwoSided(16, 56, 1 / 9)).toBeCloseTo(0.000566, 6);
    expect(row.p).toBeGreaterThan(0.000566);
    expect(row.p).toBeLessThan(0.0011);
    expect(row.dispersion).toBeLessThan(1.1);
  });
  test("interval of the rate ratio", () => {
    // 16 of 56: Clopper-Pearson 0.172952..0.422099; as odds times 8, 1.673..5.843, and a little wider.
    expect(row.low).toBeLessThan(1.6729544598740085);
    expect(row.low).toBeGreaterThan(1.6);
    expect(row.high).toBeGreaterThan(5.843194785085607);
    expect(row.high).toBeLessThan(6);
  });
  test("robust z", () => {
    // A(16) = 8.0932; the median of A over the baseline 4.6368; 1.4826 * MAD = 0.6423, so the floor of 1 holds.
    expect(row.z).toBeCloseTo(3.4563977803714714, 12);
  });
  test("overall mean without the day itself", () => {
    expect([row.otherMean, row.otherPercent]).toEqual([5, 220]); // (40 + 5) / 9
  });
  test("false discovery", () => {
    // Two tests: the command and the event; one day is no period.
    expect([tests.m, tests.dayView, tests.periodView]).toEqual([2, 2, 0]);
    expect(row.q).toBeCloseTo(2 * row.p, 8);
    expect([row.reported, row.category]).toEqual([true, "up"]);
  });
});

describe("a worked example of a fleet", () => {
  // Three sensors; c is down on the day in question, and the command was never typed on b.
  const [onA, onC] = [[4, 6, 5, 3, 7, 5, 4, 6, 5, 16], [2, 2, 2, 2, 2, 2, 2, 2, 2, 0]];
  const rows = [
    ...watch("a", 10),
    ...watch("b", 10),
    ...watch("c", 10, [9]),
    ...command("a", "id", [0, ...onA.slice(1)]),
    ...command("c", "id", onC),
  ];
  const { changes } = computeStatistics(buildReduced(rows), { rows: "all", lastDays: 1 });
  const row = changes.find(({ view, kind, sensor }) => view === "day" && kind === "command" && sensor === null)!;

  test("who was up, and who saw it", () => {
    expect([row.sensorsUp, row.sensorsSeen]).toEqual([2, 1]);
  });
  test("first seen, on c alone, and last seen before", () => {
    expect([row.firstSeenDay! - FIRST_DAY, row.lastSeenBefore! - FIRST_DAY]).toEqual([0, 8]);
  });
  test("counts of the sensors that were up", () => {
    expect([row.count, row.baselineCount]).toEqual([16, 36]); // 0 + 6 + 5 + 3 + 7 + 5 + 4 + 6 on a, none on b
    expect(row.expected).toBe(4.5);
  });
  test("robust z over the same sensors", () => {
    // Median of A over 0 3 4 5 5 6 6 7 is that of 5, 4.6368; distances 3.41 0.96 0.45 0 0 0.41 0.41 0.80: median 0.43, so
    // the floor of 1 holds; A(16) = 8.0932, less 4.6368.
    expect(row.z).toBeCloseTo(3.4563977803714714, 12);
  });
});

describe("laws", () => {
  const world = () => [
    ...watch("a", 40),
    ...watch("b", 40),
    ...command("a", "uname", noisy("a1", 40, 12)),
    ...command("b", "uname", noisy("b1", 40, 20)),
    ...command("a", "id", noisy("a2", 40, 3)),
    ...command("b", "w", noisy("b2", 40, 1)),
  ];

  test("permuting the input changes nothing", () => {
    const whole = JSON.stringify(computeStatistics(buildReduced(world()), { rows: "all" }));
    for (let seed = 1; seed <= 3; seed++) {
      const shuffled = new Random(seed).shuffle(world());
      expect(JSON.stringify(computeStatistics(buildReduced(shuffled), { rows: "all" }))).toBe(whole);
    }
  });

  test("a constant series gives 0 %", () => {
    const found = comparisons([...watch("a", 40), ...command("a", "id", steady(40))]);
    expect(found.size).toBe(8);
    expect([...new Set([...found.values()].map(({ percent }) => percent))]).toEqual([0]);
  });

  test("a key absent on observed days lowers the mean", () => {
    const gaps = steady(40).map((count, offset) => (offset % 2 === 0 ? 0 : count));
    const found = comparisons([...watch("a", 40), ...command("a", "id", gaps)]);
    expect(found.get(at("day", "a", "id", 39))!.expected).toBe(5);
  });

  test("a day that was not watched does not lower the mean", () => {
    const down = [20, 21, 25];
    const counts = steady(40).map((count, offset) => (down.includes(offset) ? 0 : count));
    const found = comparisons([...watch("a", 40, down), ...command("a", "id", counts)]);
    expect(found.get(at("day", "a", "id", 39))!.expected).toBe(10);
  });

  test("a day never enters its own baseline, nor does the day before it", () => {
    const counts = noisy("own", 40, 12);
    const found = comparisons([...watch("a", 40), ...command("a", "id", counts)]);
    for (const offset of [38, 39]) {
      const spiked = counts.map((count, i) => (i === offset ? count + 500 : count));
      const other = comparisons([...watch("a", 40), ...command("a", "id", spiked)]);
      const key = at("day", "a", "id", 39);
      expect(other.get(key)!.expected).toBe(found.get(key)!.expected!);
      expect(other.get(key)!.dispersion).toBe(found.get(key)!.dispersion!);
    }
  });

  test("future days never change a past row", () => {
    const rows = world();
    const whole = comparisons(rows, { lastDays: 10 });
    const past = comparisons(rows.filter(({ date }) => date <= dateOf(35)), { lastDays: 6 });
    let compared = 0;
    for (const [key, row] of past) {
      if (row.view !== "day") continue;
      // The overall mean is over all other days of the archive, later ones too: it is shown, never tested.
      const timeless = ({ otherMean: _m, otherPercent: _p, ...rest }: Partial<ChangeRow>) => rest;
      expect(timeless(whole.get(key)!)).toEqual(timeless(row));
      compared++;
    }
    expect(compared).toBeGreaterThan(20);
  });

  test("a sensor's row does not move when another sensor changes", () => {
    const rows = world();
    const before = comparisons(rows);
    const isOfB = (row: LiteralRow) => row.sensor === "b" && row.kind === "command";
    const louder = rows.map(row => (isOfB(row) ? { ...row, count: row.count * 7 } : row));
    const after = comparisons(louder);
    const ofA = [...before].filter(([, { sensor }]) => sensor === "a");
    expect(ofA.length).toBeGreaterThan(10);
    for (const [key, row] of ofA) expect(after.get(key)).toEqual(row);
  });

  test("a sensor-day taken away leaves other sensors' rows as they were", () => {
    const rows = world();
    const before = comparisons(rows);
    const after = comparisons(rows.filter(({ sensor, date }) => !(sensor === "b" && date === dateOf(37))));
    const ofA = [...before].filter(([, { sensor }]) => sensor === "a");
    expect(ofA.length).toBeGreaterThan(10);
    expect(ofA.map(([key]) => after.get(key))).toEqual(ofA.map(([, row]) => row));
    expect(after.has(at("day", "b", "uname", 37))).toBe(false);
    // The fleet is then expected to show what the remaining sensor is expected to.
    const fleet = after.get(at("day", null, "uname", 37))!;
    expect(fleet.expected).toBe(before.get(at("day", "a", "uname", 37))!.expected!);
    expect([fleet.sensorsUp, fleet.count]).toEqual([1, before.get(at("day", "a", "uname", 37))!.count!]);
  });

  test("the fleet's expectation is the sum of the sensors'", () => {
    const found = comparisons(world());
    const of = (sensor: string | null) => found.get(at("day", sensor, "uname", 39))!;
    expect(of(null).expected).toBeCloseTo(of("a").expected! + of("b").expected!, 9);
    expect(of(null).count).toBe(of("a").count! + of("b").count!);
  });

  test("a sensor that joins moves nothing in the fleet", () => {
    const rows = [...watch("a", 40), ...command("a", "id", steady(40))];
    const late = [...watch("b", 40, Array.from({ length: 36 }, (_, i) => i)), ...command("b", "id", steady(40))];
    const joined = [...rows, ...late.filter(({ date }) => date >= dateOf(36))];
    const fleet = comparisons(joined).get(at("day", null, "id", 39))!;
    expect([fleet.count, fleet.expected, fleet.percent, fleet.sensorsUp]).toEqual([10, 10, 0, 1]);
  });

  test("one burst hides nothing, two do", () => {
    const others = Array.from({ length: 30 }, (_, key) => command("a", `other ${key}`, noisy(`other ${key}`, 40, 6))).flat();
    const pOf = (bursts: number[]) => {
      const counts = noisy("burst", 40, 6).map((count, i) => (i === 38 ? 40 : bursts.includes(i) ? 400 : count));
      return comparisons([...watch("a", 40), ...others, ...command("a", "id", counts)]).get(at("day", "a", "id", 38))!;
    };
    const [none, one, two] = [pOf([]), pOf([20]), pOf([20, 26])];
    expect([none.burstDays, one.burstDays, two.burstDays]).toEqual([0, 1, 0]);
    expect(none.p!).toBeLessThan(1e-4);
    expect(one.p!).toBeLessThan(1e-4);
    expect(one.baselineCount!).toBeLessThan(none.baselineCount!);
    expect(one.expected!).toBeCloseTo(none.expected!, 0);
    expect(two.p!).toBeGreaterThan(0.05);
  });

  test("keys that differ in where a colon stands stay apart", () => {
    const login = (username: string, password: string, count: number): LiteralRow[] =>
      steady(40, count).map((n, offset) => ({
        kind: "login", date: dateOf(offset), sensor: "a", key: { username, password }, count: n,
      }));
    const rows = [...watch("a", 40), ...login("a:b", "c", 5), ...login("a", "b:c", 9)];
    const { changes } = computeStatistics(buildReduced(rows), { rows: "all" });
    const expected = changes
      .filter(({ kind, view, lastDay }) => kind === "login" && view === "day" && lastDay === FIRST_DAY + 39)
      .map(row => [row.key, row.expected]);
    expect(expected.sort()).toEqual([[["a", "b:c"], 9], [["a:b", "c"], 5]]);
  });

  test("no password and an empty password stay apart", () => {
    const login = (password: string | null, count: number): LiteralRow[] =>
      steady(40, count).map((n, offset) => ({
        kind: "login", date: dateOf(offset), sensor: "a", key: { username: "root", password }, count: n,
      }));
    const { changes } = computeStatistics(buildReduced([...watch("a", 40), ...login("", 5), ...login(null, 9)]), {
      rows: "all",
      lastDays: 1,
    });
    const found = changes.filter(({ kind, view }) => kind === "login" && view === "day");
    expect(found.map(row => [row.key[1], row.count]).sort()).toEqual([["", 5], [null, 9]]);
  });
});

describe("categories", () => {
  const zeros = (n: number) => steady(n, 0);
  const CASES: { name: string; counts: number[]; others?: number[]; category: string; percent: number | null }[] = [
    { name: "up", counts: [...steady(49), 90], category: "up", percent: 800 },
    { name: "down", counts: [...steady(49, 200), 60], category: "down", percent: -70 },
    { name: "gone", counts: [...steady(49, 90), 0], category: "gone", percent: -100 },
    { name: "steady", counts: steady(50), category: "steady", percent: 0 },
  ];
  test.each(CASES)("$name", ({ counts, others, category, percent }) => {
    const rows = [...watch("a", 50), ...watch("b", 50), ...command("a", "id", counts)];
    const table = buildReduced([...rows, ...command("b", "id", others ?? [])]);
    const { changes } = computeStatistics(table, { rows: "all" });
    const row = changes.find(
      ({ kind, view, sensor, lastDay }) =>
        kind === "command" && view === "day" && sensor === "a" && lastDay === FIRST_DAY + 49,
    )!;
    expect([row.category, row.percent]).toEqual([category as ChangeRow["category"], percent]);
  });

  // One source sends as many events as it likes: of a key without any past only sources are tested.
  const CASES_WITHOUT_PAST: { name: string; counts: number[]; others?: number[] }[] = [
    { name: "new", counts: [...zeros(49), 90] },
    { name: "new here", counts: [...zeros(49), 90], others: steady(50) },
    { name: "returning", counts: [...steady(10), ...zeros(39), 90] },
  ];
  test.each(CASES_WITHOUT_PAST)("$name", ({ name, counts, others }) => {
    const withSources = (row: LiteralRow): LiteralRow =>
      ({ ...row, from: Array.from({ length: row.kind === "event" ? 1 : row.count }, (_, i) => `198.51.100.${i}`) });
    const rows = [...watch("a", 50), ...watch("b", 50), ...command("a", "id", counts), ...command("b", "id", others ?? [])];
    const { changes } = computeStatistics(buildReduced(rows.map(withSources)), { rows: "all" });
    const found = changes.filter(
      ({ kind, view, sensor, lastDay }) => kind === "command" && view === "day" && sensor === "a" && lastDay === FIRST_DAY + 49,
    );
    expect(found.map(({ unit, category, percent }) => `${unit} ${category} ${percent}`)).toEqual([`sources ${name} null`]);
  });

  test("a zero that was followed by more is down, not gone", () => {
    const counts = [...steady(45, 90), 0, 90, 90, 90, 90];
    const { changes } = computeStatistics(buildReduced([...watch("a", 50), ...command("a", "id", counts)]));
    const row = changes.find(({ kind, view, count }) => kind === "command" && view === "day" && count === 0)!;
    expect([row.category, row.lastDay - FIRST_DAY]).toEqual(["down", 45]);
  });

  test("novelty is not claimed during the burn-in", () => {
    const counts = [...zeros(12), 50];
    const options = { rows: "all" as const, lastDays: 1 };
    const rows = [...watch("a", 13), ...command("a", "id", counts)].map((row): LiteralRow => ({ ...row, from: Array.from({ length: 50 }, (_, i) => `198.51.100.${i}`) }));
    const { changes } = computeStatistics(buildReduced(rows), options);
    const row = changes.find(({ kind, unit, view }) => kind === "command" && unit === "sources" && view === "day")!;
    expect(["up", "steady"]).toContain(row.category);
  });
});

describe("what is not tested", () => {
  test("keys without support are counted", () => {
    const rare = [...steady(39, 0), 4];
    const { tests } = computeStatistics(buildReduced([...watch("a", 40), ...command("a", "id", rare)]));
    expect(tests.withoutSupport).toBe(1);
    expect(tests.byKind.find(({ kind }) => kind === "command")!.tests).toBe(0);
  });

  test("cut counts are shown as cut and refused", () => {
    const rows = [...watch("a", 40), ...command("a", "id", steady(40)), ...command("old", "id", steady(40, 3))];
    const { tests, cutDays, changes, notes } = computeStatistics(buildReduced(rows), { rows: "all" });
    expect(changes.filter(({ sensor }) => sensor === "old")).toEqual([]);
    expect(cutDays.length).toBe(40);
    expect(cutDays[0]).toEqual({
      sensor: "old", day: FIRST_DAY, kinds: [{ kind: "command", listed: 1, smallestCount: 3 }],
    });
    expect(tests.refused.filter(({ reason }) => reason === "cut").length).toBe(7);
    expect(notes.join(" ")).toContain("40 sensor-days come from counts cut");
  });

  test("with too short a past nothing is tested, and that is said", () => {
    const { tests, notes } = computeStatistics(buildReduced([...watch("a", 7), ...command("a", "id", steady(7))]));
    expect(tests.m).toBe(0);
    expect(notes[0]).toBe(
      "Nothing was compared: a comparison needs 9 watched days of a sensor (7 for a baseline, 1 between, 1 to judge), " +
        "and the longest has 7: 2 days are missing.",
    );
  });
});

describe("weekdays", () => {
  const byWeekday = (offset: number) => (offset % 7 < 2 ? 30 : 90);
  test("are adjusted for where eight weeks show an effect", () => {
    const days = 80;
    const counts = Array.from({ length: days }, (_, offset) => byWeekday(offset));
    const offsetOf = (date: string) => Date.parse(date) / 86_400_000 - FIRST_DAY;
    const watched = watch("a", days).map(row => ({ ...row, count: byWeekday(offsetOf(row.date)) }));
    const table = buildReduced([...watched, ...command("a", "id", counts)]);
    const { changes, weekday } = computeStatistics(table, { rows: "all" });
    expect(weekday.adjusted).toEqual(["a"]);
    const found = changes.filter(({ kind, view }) => kind === "command" && view === "day");
    expect(found.map(({ percent }) => percent)).toEqual(found.map(() => 0));
    expect(found.every(({ weekdayAdjusted }) => weekdayAdjusted)).toBe(true);
  });
  test("are left alone where days differ by more than their weekday does", () => {
    const days = 80;
    const random = seededRandom("no weekday");
    const counts = Array.from({ length: days }, () => 40 + random.int(60));
    const offsetOf = (date: string) => Date.parse(date) / 86_400_000 - FIRST_DAY;
    const watched = watch("a", days).map(row => ({ ...row, count: counts[offsetOf(row.date)]! }));
    const { weekday } = computeStatistics(buildReduced([...watched, ...command("a", "id", counts)]));
    expect(weekday.adjusted).toEqual([]);
  });
  test("are left alone where there is none", () => {
    const { weekday } = computeStatistics(buildReduced([...watch("a", 80), ...command("a", "id", steady(80))]));
    expect(weekday.adjusted).toEqual([]);
  });
});

describe("robustZ", () => {
  test("stays sober over a window of zeros", () => {
    expect(robustZ(1, steady(28, 0))).toBeCloseTo(anscombe(1) - anscombe(0), 12);
  });
  test("an earlier spike hides nothing", () => {
    expect(robustZ(100, [...steady(27), 1000])).toBeGreaterThan(10);
  });
  test("the median of an even number is the middle of two", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});

describe("a simulated fleet", () => {
  const FLEET: World = { sensors: 4, days: 42, keys: 120, dispersions: [1, 3, 8], downShare: 0.04 };

  test("nothing changed: the share of rows reported stays under q", () => {
    let tests = 0;
    let reported = 0;
    for (let seed = 1; seed <= 5; seed++) {
      const { table } = simulateWorld(seededRandom(seed), FLEET);
      const found = computeStatistics(table);
      tests += found.tests.m;
      reported += found.tests.reported;
    }
    expect(tests).toBeGreaterThan(10_000);
    expect(reported / tests).toBeLessThan(0.0005);
  });

  test("a tenfold day of frequent keys is found, and little else", () => {
    const day = 38;
    let planted = 0;
    let hits = 0;
    let others = 0;
    let reported = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const plant = (key: number, _sensor: number, on: number) => (key % 10 === 0 && on === day ? 10 : 1);
      const { table, rates } = simulateWorld(seededRandom(seed), { ...FLEET, plant });
      const { changes, firstDay } = computeStatistics(table);
      const isPlanted = (row: ChangeRow) => Number(String(row.key[0]).slice(-3)) % 10 === 0;
      const found = new Set<string>();
      for (const row of changes) {
        if (row.kind !== "command") continue;
        reported++;
        if (!isPlanted(row)) others++;
        else if (row.view === "day" && row.lastDay === firstDay + day) found.add(`${row.key[0]}|${row.sensor}`);
      }
      for (let key = 0; key < FLEET.keys; key += 10) {
        for (let sensor = 0; sensor < FLEET.sensors; sensor++) {
          if (rates[sensor * FLEET.keys + key]! < 10) continue;
          planted++;
          if (found.has(`command ${String(key).padStart(3, "0")}|sensor ${String(sensor).padStart(3, "0")}`)) hits++;
        }
      }
    }
    expect(planted).toBeGreaterThan(20);
    expect(hits / planted).toBeGreaterThan(0.85);
    expect(others / reported).toBeLessThan(0.05);
  });
});
