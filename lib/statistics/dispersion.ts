/**
 * How much more than Poisson counts vary: of a key itself, and what is usual for keys of its kind.
 *
 * Dispersions are gathered per group: one group for each sensor (or the fleet) and comparison, so that one sensor never
 * moves another, nor one day the next.
 *
 * Tested in `test/lib/statistics/change.test.ts`.
 */
import { medianSorted } from "./robust.ts";

/** Keys that must have a dispersion of their own before their median speaks for a kind. */
const MIN_TYPE_KEYS = 5;
/** Keys too rare to have a dispersion of their own take this quantile of their kind's, or this value without one. */
const RARE_QUANTILE = 0.9;
const RARE_DISPERSION = 4;

export interface UsualDispersion {
  readonly middle: number;
  readonly high: number;
}

/** What is usual in each group; groups of too few frequent keys are not there. */
export type UsualDispersions = ReadonlyMap<number, UsualDispersion>;

/** Dispersions of frequent keys, as they were found: `group[i]` is the group of `dispersion[i]`. */
export interface DispersionList {
  readonly group: Int32Array;
  readonly dispersion: Float64Array;
}

/** Work out what is usual in each group, over several lists taken together. */
export function findUsual(lists: readonly DispersionList[]): UsualDispersions {
  const sizes = new Map<number, number>();
  for (const { group } of lists) for (const at of group) sizes.set(at, (sizes.get(at) ?? 0) + 1);
  const found = new Map<number, Float64Array>();
  for (const [at, size] of sizes) if (size >= MIN_TYPE_KEYS) found.set(at, new Float64Array(size));
  const filled = new Map<number, number>();
  for (const { group, dispersion } of lists) {
    for (let i = 0; i < group.length; i++) {
      const at = group[i]!;
      const of = found.get(at);
      if (of === undefined) continue;
      const next = filled.get(at) ?? 0;
      of[next] = dispersion[i]!;
      filled.set(at, next + 1);
    }
  }
  const usual = new Map<number, UsualDispersion>();
  for (const [at, of] of found) {
    of.sort();
    usual.set(at, { middle: medianSorted(of), high: of[Math.floor(RARE_QUANTILE * of.length)]! });
  }
  return usual;
}

/**
 * The dispersion that a test allows for.
 *
 * A frequent key's own is pulled half-way up to the median of its kind, and never down: keys differ in how bursty they
 * are, and the burstiest would be taken for changed day after day. A rare key, whose own days cannot tell, takes a high
 * quantile of the others'.
 *
 * @param own NaN for a rare key.
 */
export function settleDispersion(own: number, usual: UsualDispersion | undefined): number {
  if (Number.isNaN(own)) return usual?.high ?? RARE_DISPERSION;
  return usual === undefined ? own : Math.max(own, (own + usual.middle) / 2);
}
