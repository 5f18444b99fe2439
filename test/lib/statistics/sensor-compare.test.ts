import { describe, expect, test } from "bun:test";
import { binomialTwoSided } from "../../../lib/statistics/distributions.ts";
import { isNearItsShare, OBVIOUS_CEILING } from "../../../lib/statistics/sensor-compare.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { command, dateOf, watch } from "../../support/days.ts";
import { overdispersed } from "../../support/simulate.ts";
import { seededRandom } from "../../support/random.ts";

const DAYS = 30;
const WATCHED = ["a", "b", "c"].flatMap(sensor => watch(sensor, DAYS));
const compare = (rows: LiteralRow[]) => computeStatistics(buildReduced([...WATCHED, ...rows])).comparison;
const once = (sensor: string, input: string, offset: number): LiteralRow => ({
  kind: "command", date: dateOf(offset), sensor, key: { input }, count: 1,
});

test("values by how many sensors saw them, who saw them first, and how alike sensors are", () => {
  const { spread } = compare([
    ...[once("a", "id", 3), once("b", "id", 2), once("c", "id", 4)],
    ...[once("a", "w", 1), once("b", "w", 1), once("c", "ls", 1)],
  ]);
  expect(spread.find(({ type }) => type === "command")).toEqual({
    type: "command",
    sensorsSeen: [1, 1, 1],
    perSensor: [
      { sensor: "a", values: 2, onlyHere: 0, seenFirst: 1 },
      { sensor: "b", values: 2, onlyHere: 0, seenFirst: 1 },
      { sensor: "c", values: 2, onlyHere: 1, seenFirst: 1 },
    ],
    similarity: [
      [1, 1, 1 / 3],
      [1, 1, 1 / 3],
      [1 / 3, 1 / 3, 1],
    ],
    compared: ["a", "b", "c"],
  });
});

test("values that one sensor alone saw, and none with a single sensor", () => {
  const rows = [once("a", "id", 3), once("b", "id", 2), once("c", "ls", 1)];
  expect(compare(rows).onlyHere.map(({ value, sensors }) => [value, sensors[0]!.sensor])).toEqual([[["ls"], "c"]]);
  const alone = computeStatistics(buildReduced([...watch("a", DAYS), once("a", "id", 3)]));
  expect([alone.comparison.onlyHere, alone.comparison.standOut]).toEqual([[], []]);
});

test("more than 32 sensors are told apart", () => {
  const names = Array.from({ length: 40 }, (_, i) => `s${String(i).padStart(2, "0")}`);
  const rows = names.flatMap(sensor => [...watch(sensor, 2), once(sensor, "id", 1), once(sensor, `only ${sensor}`, 0)]);
  const { spread, onlyHere } = computeStatistics(buildReduced(rows)).comparison;
  const ofCommands = spread.find(({ type }) => type === "command")!;
  expect([ofCommands.sensorsSeen[0], ofCommands.sensorsSeen[39]]).toEqual([40, 1]);
  expect(onlyHere.length).toBe(40);
});

test("of very many sensors those with the most values are held against each other", () => {
  const names = Array.from({ length: 130 }, (_, i) => `s${String(i).padStart(3, "0")}`);
  const rows = names.flatMap((sensor, i) => [
    ...watch(sensor, 1),
    once(sensor, "id", 0),
    ...(i >= 20 ? [once(sensor, "w", 0)] : []),
    ...(i === 129 ? [once(sensor, "ls", 0)] : []),
  ]);
  const { spread } = computeStatistics(buildReduced(rows)).comparison;
  const { compared, similarity, perSensor, sensorsSeen } = spread.find(({ type }) => type === "command")!;
  expect(compared).toEqual([...names.slice(20, 119), "s129"]);
  expect([similarity.length, similarity[0]!.length, similarity[0]![1], similarity[0]![99]]).toEqual([100, 100, 1, 2 / 3]);
  expect([perSensor.length, sensorsSeen[129], sensorsSeen[109], sensorsSeen[0]]).toEqual([130, 1, 1, 1]);
});

describe("a share that stands out", () => {
  const noisy = (name: string, mean: number, phi: number) => {
    const random = seededRandom(name);
    return Array.from({ length: DAYS }, () => overdispersed(random, mean, phi));
  };
  const steady = ["a", "b", "c"].flatMap(sensor =>
    Array.from({ length: 20 }, (_, i) => command(sensor, `command ${i}`, noisy(`${sensor}${i}`, 5, 2))).flat(),
  );
  test("is found where one sensor holds three times its part", () => {
    const rows = [
      ...steady,
      ...command("a", "nc", noisy("x", 15, 2)),
      ...command("b", "nc", noisy("y", 5, 2)),
      ...command("c", "nc", noisy("z", 5, 2)),
    ];
    const { standOut, standOutTests } = compare(rows);
    // The others may stand out too, by how little they hold.
    expect([standOut[0]!.sensor, standOut[0]!.key]).toEqual(["a", ["nc"]]);
    expect(standOut.every(({ key, sensor, ratio }) => key[0] === "nc" && (sensor === "a" || ratio < 0.5))).toBe(true);
    expect(standOut[0]!.ratio).toBeGreaterThan(2);
    expect(standOutTests).toBe(63);
  });
  test("is not found where all is alike", () => {
    expect(compare(steady).standOut).toEqual([]);
  });
  test("one burst is no share", () => {
    const burst = [...Array.from({ length: 20 }, () => 0), 90];
    expect(compare([...steady, ...command("a", "burst", burst)]).standOut).toEqual([]);
  });
});

test("isNearItsShare() is never true where p is below the ceiling", () => {
  let near = 0;
  for (const share of [1e-6, 1e-4, 0.003, 0.05, 0.2, 0.5, 0.8, 0.97, 0.999]) {
    for (let n = 0.4; n < 3000; n *= 1.3) {
      for (let part = 0; part <= 200; part++) {
        const count = (n * part) / 200;
        if (!isNearItsShare(count, n, share)) continue;
        near++;
        const p = binomialTwoSided(count, n, share);
        if (!(p > OBVIOUS_CEILING)) throw new Error(`p ${p} at ${count} of ${n}, share ${share}`);
      }
    }
  }
  expect(near).toBeGreaterThan(1000);
});
