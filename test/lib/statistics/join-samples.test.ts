/** Samples of slices: what is pruned on the way is what no join would have chosen. */
import { expect, test } from "bun:test";
import { sampleSizes } from "../../../lib/statistics/dispersion.ts";
import { joinKeys, pruneSamples } from "../../../lib/statistics/join-samples.ts";
import { GRID } from "../../../lib/statistics/mixture.ts";
import type { PartContext } from "../../../lib/statistics/statistics-parts.ts";
import { type Random, seededRandom } from "../../support/random.ts";

const SENSORS = 200;
const SLOTS = 2;
const context = { coverage: { sensors: new Array<string>(SENSORS).fill("a") }, windows: { slots: SLOTS } } as unknown as PartContext;

/** A slice with keys of a few groups, whose marks are often those of others. */
function drawSlice(random: Random, keys: number, at: number) {
  const marks = Uint32Array.from({ length: keys }, () => random.int(400));
  const groups = [0, 1, 3, 7];
  const lists = groups.map(() => [...marks.keys()].filter(() => random.int(3) > 0).sort((a, b) => marks[a]! - marks[b]!));
  const key = Int32Array.from(lists.flat());
  const offsets = Int32Array.from([0, ...lists.map((_, i) => lists.slice(0, i + 1).flat().length)]);
  const samples = {
    group: Int32Array.from(groups),
    keys: Float64Array.from(lists, ({ length }) => length),
    offsets,
    likelihoods: Float32Array.from({ length: key.length * GRID }, () => random.int(1000)),
    key,
  };
  return { keys, samples, marks, sampled: Array.from(marks, (mark, i) => ({ mark, first: [at * 1000 + i] })) };
}

test("joined, pruned slices give the sample of all of them, pruned in any number of steps", () => {
  const random = seededRandom("pruned");
  for (let round = 0; round < 20; round++) {
    const slices = Array.from({ length: 6 }, (_, at) => drawSlice(random, 20 + random.int(300), at));
    const join = (samples: readonly (typeof slices)[number]["samples"][]) =>
      joinKeys(slices.map(({ keys, sampled }, i) => ({ kind: "login", unit: "events", keys, sampled, samples: samples[i]! })), context);
    const whole = slices.map(({ samples }) => samples);
    const once = pruneSamples(slices, context);
    const early = pruneSamples(slices.slice(0, 4), context);
    const twice = pruneSamples(slices.map((slice, i) => ({ ...slice, samples: early[i] ?? slice.samples })), context);
    const expected = join(whole);
    expect(expected.key.length).toBeGreaterThan(sampleSizes(SENSORS).sensor);
    expect(join(once)).toEqual(expected);
    expect(join(twice)).toEqual(expected);
    const left = (samples: typeof whole) => samples.reduce((sum, { key }) => sum + key.length, 0);
    expect(left(once)).toBeLessThan(left(whole));
    // Equal marks at the edge are all kept.
    expect(left(once)).toBeGreaterThanOrEqual(expected.key.length);
  }
});

test("few keys are all looked at", () => {
  const slices = [drawSlice(seededRandom("few"), 20, 0)];
  expect(pruneSamples(slices, context)).toEqual([slices[0]!.samples]);
});
