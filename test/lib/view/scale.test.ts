import { describe, expect, test } from "bun:test";
import { countScale, linearScale, niceStep, spreadLabels } from "../../../lib/view/scale.ts";

describe("countScale", () => {
  const CASES: { name: string; max: number; labels: string[] }[] = [
    { name: "nothing", max: 0, labels: ["0", "1"] },
    { name: "one", max: 1, labels: ["0", "1"] },
    { name: "few: linear", max: 20, labels: ["0", "5", "10", "15", "20"] },
    { name: "some", max: 47, labels: ["0", "1", "2", "5", "10", "20", "50"] },
    { name: "between powers", max: 180, labels: ["0", "1", "10", "100", "200"] },
    { name: "exactly a power", max: 1000, labels: ["0", "1", "10", "100", "1k"] },
    { name: "just over a power", max: 1001, labels: ["0", "1", "10", "100", "1k", "2k"] },
    { name: "very large: every other power", max: 9e8, labels: ["0", "100", "10k", "1M", "100M", "1G"] },
  ];
  test.each(CASES)("ticks up to $max: $name", ({ max, labels }) => {
    expect(countScale(max, 10, 290).ticks.map(tick => tick.label)).toEqual(labels);
  });

  test("small counts have their share of the height: from zero to one a sixth of fifty, a twentieth of a million", () => {
    const share = (max: number) => (290 - countScale(max, 10, 290).at(1)) / 280;
    expect(share(5)).toBeCloseTo(0.17, 1);
    expect(share(50)).toBeCloseTo(0.176, 2);
    expect(share(1e6)).toBeCloseTo(0.05, 2);
    const { at } = countScale(180, 10, 290);
    expect([at(0), at(200)]).toEqual([290, 10]);
  });
});

describe("linearScale", () => {
  test("starts at zero and ends at a round number", () => {
    const { at, ticks } = linearScale(4700, 0, 100);
    expect(ticks.map(tick => tick.label)).toEqual(["0", "2k", "4k", "6k"]);
    expect([at(0), at(6000)]).toEqual([100, 0]);
    const lower = linearScale(4700, 10, 290);
    expect([lower.at(0), lower.at(3000), lower.at(6000)]).toEqual([290, 150, 10]);
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
