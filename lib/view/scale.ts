/** Scales, ticks and label placement: pure numbers, no pixels beyond those they are given. */
import { toShort } from "../text/labels.ts";

/** One decimal is as fine as a screen shows, and keeps paths short. */
export function round1(n: number): number {
  return Math.round(n * 10) / 10;
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly Tick[];
}

/** Up to this count a scale is linear: a logarithm of few events shows little but noise. */
const LINEAR_MOST = 20;
/** Ticks closer than this run into each other. */
const TICK_GAP = 14;

/** Whether {@link countScale} is logarithmic for counts up to `max`. */
export function isLogarithmic(max: number): boolean {
  return max > LINEAR_MOST;
}

/**
 * A scale for counts: linear where they are small, else the logarithm of one more than the count, which has a place for
 * zero and gives the step from zero to one the height it has among the others.
 *
 * @param max Largest value to show.
 * @param top Where the end of the scale lies, in pixels from above; `bottom` is where zero lies.
 */
export function countScale(max: number, top: number, bottom: number): Scale {
  if (!isLogarithmic(max)) return linearScale(max, top, bottom);
  const decade = Math.floor(Math.log10(max));
  // Half a decade of head room costs more height than it tells: end at 1, 2 or 5 times a power of ten.
  const end = [1, 2, 5, 10].map(step => step * 10 ** decade).find(value => value >= max * (1 - 1e-9))!;
  const at = (value: number) => round1(bottom - ((bottom - top) * Math.log1p(value)) / Math.log1p(end));
  // Between the powers of ten only where there are few of them.
  const factors = decade < 2 ? [1, 2, 5] : [1];
  const every = decade > 6 ? 2 : 1;
  const ticks: Tick[] = [{ at: bottom, label: "0" }];
  for (let power = 0; power <= decade; power += every) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      const above = ticks[ticks.length - 1]!.at;
      if (value < end && above - at(value) >= TICK_GAP && at(value) - top >= TICK_GAP)
        ticks.push({ at: at(value), label: toShort(value) });
    }
  }
  ticks.push({ at: top, label: toShort(end) });
  return { at, ticks };
}

/** A linear scale from zero whose end and ticks are round numbers. */
export function linearScale(max: number, top: number, bottom: number): Scale {
  const step = niceStep(Math.max(1, max) / 4);
  const end = step * Math.ceil(Math.max(1, max) / step);
  const at = (value: number) => round1(bottom - ((bottom - top) * value) / end);
  const ticks: Tick[] = [];
  for (let value = 0; value <= end + step / 2; value += step) ticks.push({ at: at(value), label: toShort(value) });
  return { at, ticks };
}

/** The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `step`; whole numbers only. */
export function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const nice = [1, 2, 2.5, 5, 10].map(factor => factor * power).find(value => value >= step - 1e-9)!;
  return Math.max(1, Number.isInteger(nice) ? nice : Math.ceil(nice));
}

/**
 * Move labels apart until none is closer to the next than `gap`, keeping their order.
 *
 * @returns `placed[i]` for `wanted[i]`; between `low` and `high` as long as all of them fit there.
 */
export function spreadLabels(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const placed = [...wanted];
  let edge = low;
  for (const i of order) {
    placed[i] = Math.max(placed[i]!, edge);
    edge = placed[i]! + gap;
  }
  edge = high;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i]!, edge);
    edge = placed[i]! - gap;
  }
  return placed.map(round1);
}
