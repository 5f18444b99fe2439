import { describe, expect, test } from "bun:test";
import { buildDistinct } from "../../../lib/view/build-distinct.ts";
import type { Filter, Grid } from "../../../lib/view/cells.ts";
import { countDistinctValues, type DistinctData, distinctText, gapClasses } from "../../../lib/view/distinct-values.ts";
import type { ValuePart } from "../../../lib/statistics/value-rows.ts";
import { seededRandom } from "../../support/random.ts";

interface Seen {
  readonly day: number;
  readonly sensor: number;
  readonly value: number;
}

const FIRST_DAY = 19_000;

function toPart(seen: Seen[]): ValuePart {
  seen.sort((a, b) => a.day - b.day || a.sensor - b.sensor || a.value - b.value);
  const zeros = new Float64Array(seen.length);
  return {
    rows: seen.length,
    day: Int32Array.from(seen, one => FIRST_DAY + one.day),
    sensor: Int32Array.from(seen, one => one.sensor),
    value: Int32Array.from(seen, one => one.value),
    count: zeros,
    firstSeenUs: zeros,
    lastSeenUs: zeros,
  };
}

/** Sources as they are: most come once, some stay for weeks on one sensor, some scan many for a while. */
function makeSeen({ days, sensors }: Grid, values: number, seed: number): Seen[] {
  const source = seededRandom(seed);
  const random = () => source.next();
  const seen: Seen[] = [];
  for (let value = 0; value < values; value++) {
    const from = Math.floor(random() * days);
    const life = random() < 0.6 ? 1 : Math.ceil(days * random() ** 3);
    const wide = random() < 0.5 ? 1 : Math.ceil(sensors * random() ** 2);
    const home = Math.floor(random() * sensors);
    const activity = 0.1 + 0.9 * random();
    for (let day = from; day < Math.min(days, from + life); day++) {
      for (let i = 0; i < wide; i++) {
        if (random() < activity) seen.push({ day, sensor: (home + i) % sensors, value });
      }
    }
  }
  return seen;
}

function countPlainly(seen: readonly Seen[], { range, sensors }: Filter): number {
  const found = new Set<number>();
  for (const { day, sensor, value } of seen) {
    if (FIRST_DAY + day >= range.first && FIRST_DAY + day <= range.last && sensors[sensor] === 1) found.add(value);
  }
  return found.size;
}

function randomFilter(grid: Grid, random: () => number): Filter {
  const a = Math.floor(random() * grid.days);
  const b = Math.floor(random() * grid.days);
  const share = random();
  return {
    range: { first: FIRST_DAY + Math.min(a, b), last: FIRST_DAY + Math.max(a, b) },
    sensors: Uint8Array.from({ length: grid.sensors }, () => Number(random() < share)),
  };
}

const ofAll = (grid: Grid, first: number, last: number): Filter => ({
  range: { first: FIRST_DAY + first, last: FIRST_DAY + last },
  sensors: new Uint8Array(grid.sensors).fill(1),
});
const ofOne = (grid: Grid, sensor: number, first: number, last: number): Filter => ({
  ...ofAll(grid, first, last),
  sensors: Uint8Array.from({ length: grid.sensors }, (_, code) => Number(code === sensor)),
});

describe("distinct values under a filter", () => {
  test.each([
    { days: 1, sensors: 1, values: 5 },
    { days: 40, sensors: 1, values: 300 },
    { days: 60, sensors: 4, values: 900 },
  ])("are exact for any days and sensors where there is room: %j", ({ days, sensors, values }) => {
    const grid = { firstDay: FIRST_DAY, days, sensors };
    const seen = makeSeen(grid, values, 7);
    const data = buildDistinct([toPart(seen)], values, grid);
    expect(data.shared.every(group => group.carried === group.values)).toBe(true);
    const source = seededRandom(3);
    for (let i = 0; i < 300; i++) {
      const filter = randomFilter(grid, () => source.next());
      const { value, low, high } = countDistinctValues(data, grid, filter);
      const exact = countPlainly(seen, filter);
      expect({ filter, value, low, high }).toEqual({ filter, value: exact, low: exact, high: exact });
    }
  });

  test("of a large archive: the usual ranges are exact for all sensors and each, all else keeps to what it says", () => {
    const grid = { firstDay: FIRST_DAY, days: 120, sensors: 20 };
    const values = 20_000;
    const seen = makeSeen(grid, values, 1);
    const data = buildDistinct([toPart(seen)], values, grid, { gapCells: 12_000, sharedBytes: 70_000 });
    expect(data.gapsApart).toBeLessThan(grid.days);
    expect(data.shared.some(group => group.carried < group.values)).toBe(true);
    for (const [first, last] of [[0, 119], [113, 119], [106, 112], [92, 119], [64, 91]] as const) {
      for (const filter of [ofAll(grid, first, last), ...Array.from({ length: 5 }, (_, i) => ofOne(grid, 4 * i, first, last))]) {
        const exact = countPlainly(seen, filter);
        expect(countDistinctValues(data, grid, filter)).toEqual({ value: exact, low: exact, high: exact });
      }
    }
    const source = seededRandom(9);
    let numbers = 0;
    let missed = 0;
    for (let i = 0; i < 60; i++) {
      const filter = randomFilter(grid, () => source.next());
      const exact = countPlainly(seen, filter);
      const counted = countDistinctValues(data, grid, filter);
      const text = distinctText(counted, "", "");
      if (text.includes("to")) {
        if (exact < counted.low || exact > counted.high) missed++;
        continue;
      }
      numbers++;
      if (!text.startsWith("≈")) expect(counted.value).toBe(exact);
      const shown = Number(text.replace(/[≈,\s]/g, ""));
      expect(Math.abs(shown - exact)).toBeLessThanOrEqual(0.03 * exact + 1);
    }
    // Bounds are 2.5 standard errors away.
    expect(missed).toBeLessThanOrEqual(3);
    expect(numbers).toBeGreaterThan(15);
  });

  test("nothing chosen holds nothing; a value of no row is none", () => {
    const grid = { firstDay: FIRST_DAY, days: 3, sensors: 2 };
    const data: DistinctData = buildDistinct([toPart([{ day: 1, sensor: 0, value: -1 }, { day: 1, sensor: 1, value: 3 }])], 9, grid);
    const none = { ...ofAll(grid, 0, 2), sensors: new Uint8Array(2) };
    expect(countDistinctValues(data, grid, none).value).toBe(0);
    expect(countDistinctValues(data, grid, ofAll(grid, 0, 2)).value).toBe(1);
    expect(data.total).toBe(1);
  });
});

test("gaps fall into classes that leave none out", () => {
  expect([...gapClasses(5, 5)]).toEqual([0, 1, 2, 3, 4, 5]);
  expect([...gapClasses(3, 20)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 18]);
});

test("a number of distinct values is plain where it is exact, marked within 3 %, else between bounds", () => {
  expect(distinctText({ value: 1, low: 1, high: 1 }, "file", "files")).toBe("1 file");
  expect(distinctText({ value: 1234, low: 1220, high: 1250 }, "file", "files")).toBe("≈ 1,230 files");
  expect(distinctText({ value: 1000, low: 900, high: 1100 }, "file", "files")).toBe("900 to 1,100 files");
});
