import { expect, test } from "bun:test";
import { planParts } from "../../../lib/logs/plan-parts.ts";
import { seededRandom } from "../../support/random.ts";

const logsOf = (sizes: readonly number[]) => sizes.map((bytes, i) => ({ path: `/logs/cowrie.json.${i}`, bytes }));

test("every log is in exactly one part, in natural order", () => {
  const parts = planParts(logsOf([5, 1, 4, 2, 3, 9, 7]), 3);
  expect(parts.flatMap(({ paths }) => paths).toSorted()).toEqual(logsOf(new Array(7).fill(0)).map(({ path }) => path));
  expect(parts.map(({ bytes }) => bytes)).toEqual([11, 10, 10]);
  expect(planParts(logsOf([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), 1)[0]!.paths.map(path => path.split(".").at(-1))).toEqual(
    Array.from({ length: 12 }, (_, i) => String(i)),
  );
});

test("there are never more parts than logs, and none is empty", () => {
  expect(planParts(logsOf([1, 1]), 9).map(({ paths }) => paths.length)).toEqual([1, 1]);
  expect(planParts(logsOf(new Array(10).fill(100)), 10).every(({ paths }) => paths.length === 1)).toBe(true);
});

test("in any order the same, and no part more than a third above what is possible", () => {
  const random = seededRandom(5);
  for (let round = 0; round < 200; round++) {
    const logs = logsOf(Array.from({ length: 1 + random.int(60) }, () => 1 + random.int(10_000)));
    const count = 1 + random.int(9);
    const parts = planParts(logs, count);
    expect(planParts(logs.toReversed(), count)).toEqual(parts);
    const sum = logs.reduce((total, { bytes }) => total + bytes, 0);
    expect(parts.reduce((total, { bytes }) => total + bytes, 0)).toBe(sum);
    const most = Math.max(...parts.map(({ bytes }) => bytes));
    const least = Math.max(sum / parts.length, ...logs.map(({ bytes }) => bytes));
    // Graham's bound is against the best schedule, which is at least both of these.
    expect(most).toBeLessThanOrEqual((4 / 3) * least + least / 3);
  }
});

test("as a plain search for the least finds", () => {
  const random = seededRandom(6);
  const logs = logsOf(Array.from({ length: 300 }, () => random.int(50)));
  const plain = Array.from({ length: 17 }, () => 0);
  for (const { bytes } of logs.toSorted((a, b) => b.bytes - a.bytes)) plain[plain.indexOf(Math.min(...plain))]! += bytes;
  expect(planParts(logs, 17).map(({ bytes }) => bytes).toSorted((a, b) => a - b)).toEqual(plain.toSorted((a, b) => a - b));
});
