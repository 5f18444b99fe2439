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

/** Height of the band below 1 in which zero lies, in pixels. */
const ZERO_BAND = 16;
/** Ticks closer than this run into each other. */
const TICK_GAP = 14;

/**
 * A logarithmic scale for counts, with a row of its own for zero below the one for 1; between the two, where only
 * means can lie, it is linear.
 *
 * @param max Largest value to show.
 * @param top Where the largest decade lies, in pixels from above; `bottom` is where zero lies.
 */
export function logScale(max: number, top: number, bottom: number): Scale {
  const decades = Math.log10(Math.max(2, max));
  // Half a decade of head room costs more height than it tells: end at 1, 2 or 5 times a power of ten.
  const end = [1, 2, 5, 10].map(step => Math.log10(step) + Math.floor(decades)).find(level => level >= decades - 1e-9)!;
  const base = bottom - ZERO_BAND;
  const at = (value: number) =>
    round1(value < 1 ? bottom - ZERO_BAND * Math.max(0, value) : base - ((base - top) * Math.log10(value)) / end);
  const ticks: Tick[] = [{ at: bottom, label: "0" }];
  // Between the powers of ten only where there are few of them; the topmost line is labelled anyway.
  const factors = end <= 1.75 ? [1, 2, 5] : [1];
  const every = end > 6 ? 2 : 1;
  for (let power = 0; power <= end + 1e-9; power += every) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (Math.log10(value) <= end + 1e-9) ticks.push({ at: at(value), label: toShort(value) });
    }
  }
  if (ticks[ticks.length - 1]!.at - top > TICK_GAP) ticks.push({ at: top, label: toShort(10 ** end) });
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
