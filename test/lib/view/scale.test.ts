import { describe, expect, test } from "bun:test";
import { linearScale, logScale, niceStep, spreadLabels } from "../../../lib/view/scale.ts";

describe("logScale", () => {
  const CASES: { name: string; max: number; labels: string[] }[] = [
    { name: "nothing", max: 0, labels: ["0", "1", "2"] },
    { name: "one", max: 1, labels: ["0", "1", "2"] },
    { name: "few", max: 7, labels: ["0", "1", "2", "5", "10"] },
    { name: "exactly a power of ten", max: 10, labels: ["0", "1", "2", "5", "10"] },
    { name: "between powers", max: 180, labels: ["0", "1", "10", "100", "200"] },
    { name: "just over a power", max: 1001, labels: ["0", "1", "10", "100", "1k", "2k"] },
    { name: "very large: every other power", max: 9e8, labels: ["0", "1", "100", "10k", "1M", "100M", "1G"] },
  ];
  test.each(CASES)("ticks up to $max: $name", ({ max, labels }) => {
    expect(logScale(max, 10, 290).ticks.map(tick => tick.label)).toEqual(labels);
  });

  test("zero has a row of its own below one; the largest value is not above the top", () => {
    const { at } = logScale(180, 10, 290);
    expect([at(0), at(1), at(200)]).toEqual([290, 274, 10]);
    expect(at(180)).toBeGreaterThanOrEqual(10);
  });
});

describe("linearScale", () => {
  test("starts at zero and ends at a round number", () => {
    const { at, ticks } = linearScale(4700, 0, 100);
    expect(ticks.map(tick => tick.label)).toEqual(["0", "2k", "4k", "6k"]);
    expect([at(0), at(6000)]).toEqual([100, 0]);
  });

  test("counts have no ticks between whole numbers", () => {
    expect(linearScale(1, 0, 100).ticks.map(tick => tick.label)).toEqual(["0", "1"]);
    expect(niceStep(2.2)).toBe(3);
  });
});

describe("spreadLabels", () => {
  const CASES: { name: string; wanted: number[]; placed: number[] }[] = [
    { name: "none", wanted: [], placed: [] },
    { name: "far apart: unchanged", wanted: [90, 10], placed: [90, 10] },
    { name: "equal: in their order", wanted: [50, 50, 50], placed: [50, 60, 70] },
    { name: "at the lower edge: pushed up", wanted: [100, 100], placed: [90, 100] },
    { name: "above the upper edge: pushed down", wanted: [-5, 0], placed: [0, 10] },
  ];
  test.each(CASES)("$name", ({ wanted, placed }) => {
    expect(spreadLabels(wanted, 10, 0, 100)).toEqual(placed);
  });
});
