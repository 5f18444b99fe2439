import { describe, expect, test } from "bun:test";
import {
  type Cells,
  countCells,
  decodeCells,
  encodeCells,
  everything,
  type Grid,
  isEverything,
  sumByDay,
  sumCells,
} from "../../../lib/view/cells.ts";
import { seededRandom } from "../../support/random.ts";

const GRID: Grid = { firstDay: 100, days: 3, sensors: 2 };
/** Day 100: 5 on sensor 0; day 101: 1 and 2; day 102: 7 on sensor 1. */
const CELLS: Cells = { at: Int32Array.of(0, 2, 3, 5), count: Float64Array.of(5, 1, 2, 7) };

describe("filters", () => {
  const CASES: {
    name: string;
    first: number;
    last: number;
    sensors: number[];
    sum: number;
    cells: number;
    byDay: number[];
  }[] = [
    { name: "everything", first: 100, last: 102, sensors: [1, 1], sum: 15, cells: 4, byDay: [5, 3, 7] },
    { name: "one day", first: 101, last: 101, sensors: [1, 1], sum: 3, cells: 2, byDay: [3] },
    { name: "one sensor", first: 100, last: 102, sensors: [0, 1], sum: 9, cells: 2, byDay: [0, 2, 7] },
    { name: "no sensor", first: 100, last: 102, sensors: [0, 0], sum: 0, cells: 0, byDay: [0, 0, 0] },
  ];
  test.each(CASES)("$name", ({ first, last, sensors, sum, cells, byDay }) => {
    const filter = { range: { first, last }, sensors: Uint8Array.from(sensors) };
    expect(sumCells(CELLS, GRID, filter)).toBe(sum);
    expect(countCells(CELLS, GRID, filter)).toBe(cells);
    expect([...sumByDay(CELLS, GRID, filter)]).toEqual(byDay);
  });

  test("isEverything() sees a missing day and a missing sensor", () => {
    const all = everything(GRID);
    expect(isEverything(GRID, all)).toBe(true);
    expect(isEverything(GRID, { ...all, range: { first: 101, last: 102 } })).toBe(false);
    expect(isEverything(GRID, { ...all, sensors: Uint8Array.of(1, 0) })).toBe(false);
  });
});

describe("packing", () => {
  test("out and in again is the identity, for random cells and counts past 2^32", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const source = seededRandom(seed);
      const random = () => source.next();
      const lists = Array.from({ length: Math.floor(random() * 6) }, (): Cells => {
        const at = Int32Array.from({ length: 300 }, (_, i) => i).filter(() => random() < 0.3);
        return { at, count: Float64Array.from(at, () => Math.ceil(2 ** (45 * random()))) };
      });
      expect({ seed, lists: decodeCells(encodeCells(lists)) }).toEqual({ seed, lists });
    }
  });
});
