/**
 * Counts that are nothing unusual whatever their dispersion: most of a log. Their p need not be worked out.
 *
 * A mixture of tails is no smaller than the smallest of them, so where each tail of the grid alone gives a p above the
 * ceiling, so does every mixture. The counts of which that is true are looked up by baseline, once for ratios of exposure
 * that are nearly the same: a larger ratio only makes more likely to count more.
 */
import { upperBetaBinomial } from "./beta-binomial.ts";
import { DISPERSIONS } from "./mixture.ts";

/** Baselines below this are looked up; few are larger. */
const MOST_BASELINE = 512;
/** Ratios that differ by less than this factor share their limits. */
const RATIO_STEP = 1.02;
const UNKNOWN = -1;

interface Limits {
  /** By baseline: the least and the greatest count that is obvious. */
  readonly least: Int32Array;
  readonly greatest: Int32Array;
}

export class ObviousCounts {
  readonly #half: number;
  readonly #limits = new Map<number, Limits>();
  /** Those of the ratio that was asked for last. */
  #own: Limits | undefined;
  #ratio = NaN;
  #step = 0;

  /** @param ceiling The p that an obvious count is above. */
  constructor(ceiling: number) {
    this.#half = ceiling / 2;
  }

  /** Tell for certain that the two-sided p of a count is above the ceiling; false also where that is not known. */
  has(count: number, baseline: number, ratio: number): boolean {
    if (baseline >= MOST_BASELINE || baseline === 0 || this.#half >= 0.5) return false;
    // The ratio is hardly ever another than the one before.
    if (ratio !== this.#ratio) this.#take(ratio);
    const limits = this.#own!;
    if (limits.least[baseline] === UNKNOWN) this.#find(baseline, this.#step, limits);
    return count >= limits.least[baseline]! && count <= limits.greatest[baseline]!;
  }

  #take(ratio: number): void {
    this.#ratio = ratio;
    this.#step = Math.floor(Math.log(ratio) / Math.log(RATIO_STEP));
    this.#own = this.#limits.get(this.#step);
    if (this.#own !== undefined) return;
    this.#own = { least: new Int32Array(MOST_BASELINE).fill(UNKNOWN), greatest: new Int32Array(MOST_BASELINE) };
    this.#limits.set(this.#step, this.#own);
  }

  #find(baseline: number, step: number, limits: Limits): void {
    // A hair's breadth more on both sides: a ratio on the edge may fall on either.
    const low = RATIO_STEP ** step * (1 - 1e-9);
    const high = RATIO_STEP ** (step + 1) * (1 + 1e-9);
    const isUpperLikely = (count: number) =>
      DISPERSIONS.every(phi => {
        const b = (baseline + 0.5) / (phi - 1);
        return upperBetaBinomial(count, count + baseline, b * low, b) > this.#half;
      });
    const isLowerLikely = (count: number) =>
      DISPERSIONS.every(phi => {
        const b = (baseline + 0.5) / (phi - 1);
        return upperBetaBinomial(baseline, count + baseline, b, b * high) > this.#half;
      });
    let greatest = Math.floor(low * baseline);
    while (isUpperLikely(greatest + 1)) greatest++;
    let least = Math.ceil(high * baseline) + 1;
    while (least > 0 && isLowerLikely(least - 1)) least--;
    limits.least[baseline] = least;
    limits.greatest[baseline] = greatest;
  }
}
