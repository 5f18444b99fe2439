/**
 * How much more than Poisson counts vary, learnt from keys by group: one group for each sensor (or the fleet) and
 * comparison, so that one sensor never moves another, nor one day the next.
 *
 * Of very many keys a sample is enough. It is chosen by hashes of their texts, so it depends neither on their order nor on
 * what anybody counted.
 */
import { type Baseline, GRID, learnUsual, weighLikelihoods } from "./mixture.ts";
import { widened } from "../columns/growing-column.ts";

/** Keys that are looked at for one group of a kind, at most. */
const SAMPLE_MOST = 1024;
/** Of all sensors together, and of one of very many at least. */
const SENSORS_SAMPLE = 8192;
const SENSOR_LEAST = 64;

/** How many keys are enough for the fleet, and for one of so many sensors. */
export function sampleSizes(sensors: number): { fleet: number; sensor: number } {
  const sensor = Math.max(SENSOR_LEAST, Math.min(SAMPLE_MOST, Math.floor(SENSORS_SAMPLE / sensors)));
  return { fleet: SAMPLE_MOST, sensor };
}

/** Likelihoods of the sampled keys of a kind, group by group: those of the i-th begin at `offsets[i] * GRID`. */
export type DispersionSamples = ReturnType<SampleList["finish"]>;

/** What is usual in each group: weights of the grid. */
export type UsualDispersions = ReadonlyMap<number, Float64Array>;

/** Gathers keys of one group. */
class Sample {
  keys = 0;
  size = 0;
  readonly key: number[] = [];
  #likelihoods = new Float32Array(8 * GRID);

  add(key: number, baseline: Baseline): void {
    this.key.push(key);
    if (this.size * GRID === this.#likelihoods.length) this.#likelihoods = widened(this.#likelihoods);
    weighLikelihoods(baseline, this.#likelihoods, this.size++ * GRID);
  }

  get likelihoods(): Float32Array {
    return this.#likelihoods.subarray(0, this.size * GRID);
  }
}

/** Samples of all groups of a kind, while they are gathered; the keys come by their marks, ascending. */
export class SampleList {
  readonly #groups = new Map<number, Sample>();
  readonly #isFull: Uint8Array;
  readonly #wanted: number;
  #full = 0;

  /**
   * @param groups Groups are numbered below this.
   * @param wanted How many of them there may be.
   */
  constructor(groups: number, wanted: number) {
    this.#isFull = new Uint8Array(groups);
    this.#wanted = wanted;
  }

  /** No group wants any more keys. */
  get isFull(): boolean {
    return this.#full >= this.#wanted;
  }

  /** Tell whether a group wants more keys. */
  wants(group: number): boolean {
    return this.#isFull[group] === 0;
  }

  /**
   * Add a key to a group that wants it.
   *
   * @param most Keys of the group that are enough.
   * @param share Share of all keys that have come so far.
   */
  add(group: number, key: number, baseline: Baseline, most: number, share: number): void {
    let sample = this.#groups.get(group);
    if (sample === undefined) this.#groups.set(group, (sample = new Sample()));
    sample.add(key, baseline);
    sample.keys++;
    if (sample.size < most || share >= 1) return;
    // So many of so small a share: what all of them are, about.
    sample.keys = sample.size / share;
    this.#isFull[group] = 1;
    this.#full++;
  }

  finish() {
    const samples = [...this.#groups].sort(([a], [b]) => a - b);
    const offsets = new Int32Array(samples.length + 1);
    samples.forEach(([, { size }], i) => (offsets[i + 1] = offsets[i]! + size));
    const likelihoods = new Float32Array(offsets[samples.length]! * GRID);
    samples.forEach(([, sample], i) => likelihoods.set(sample.likelihoods, offsets[i]! * GRID));
    return {
      group: Int32Array.from(samples, ([group]) => group),
      /** How many keys the group has, sampled or not, about. */
      keys: Float64Array.from(samples, ([, { keys }]) => keys),
      offsets,
      likelihoods,
      key: Int32Array.from(samples.flatMap(([, { key }]) => key)),
    };
  }
}

function* eachGroup({ group, keys, offsets, likelihoods }: DispersionSamples) {
  for (let i = 0; i < group.length; i++) {
    const size = offsets[i + 1]! - offsets[i]!;
    const own = likelihoods.subarray(offsets[i]! * GRID, offsets[i + 1]! * GRID);
    yield { group: group[i]!, learnt: { likelihoods: own, weight: size === 0 ? 0 : keys[i]! / size } };
  }
}

/** What is usual in each group over the keys of all kinds together. */
export function learnPooled(kinds: readonly DispersionSamples[]): UsualDispersions {
  const all = kinds.flatMap(samples => [...eachGroup(samples)]);
  return new Map(Map.groupBy(all, ({ group }) => group).entries().map(([group, of]) => [group, learnUsual(of.map(({ learnt }) => learnt))]));
}

/** What is usual in each group of one kind, starting from all kinds together. */
export function learnOwn(samples: DispersionSamples, pooled: UsualDispersions): UsualDispersions {
  return new Map(eachGroup(samples).map(({ group, learnt }) => [group, learnUsual([learnt], pooled.get(group))]));
}
