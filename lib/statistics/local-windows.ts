/**
 * What the walk over all comparisons works on: the windows, as it lays counts out, and one comparison.
 *
 * Tested in `test/lib/statistics/change.test.ts`.
 */
import type { Windows } from "./baseline.ts";
import type { Baseline } from "./mixture.ts";

/** Day and baseline together must hold this many: independent of how they split when nothing changed. */
export const MIN_SUPPORT = 5;

/** The sensor of a comparison over all sensors that were up. */
export const FLEET = -1;

/** One comparison, while it is looked at; the same object for all. */
export interface Test {
  slot: number;
  sensor: number;
  key: number;
  count: number;
  /** Sum of the baseline, and the exposure judged over that of the baseline; for the fleet what its sensors amount to. */
  baseline: number;
  ratio: number;
  /** Days of a burst that were left out of the baseline. */
  burstDays: number;
  /** Nothing from the judged days to the archive's end. */
  silent: boolean;
  /** No day was so loud that it could be a burst: the baseline is sure to stay as it is. */
  isCalm: boolean;
  /** Of a fleet comparison: how many of its sensors were compared that lie above their expectation, and not above it. */
  above: number;
  notAbove: number;
}

/** The days from which it is told how much a key varies; those of the baseline are among them. */
export interface Days extends Baseline {
  readonly isBaseline: Uint8Array;
  /** Exposure of the whole baseline, in the unit of `exposures`. */
  baselineExposure: number;
}

/** A window as the walk over comparisons lays counts out. */
export interface LocalWindow {
  /** Ranges of the sensor's running sums; a baseline of weekdays has none and ends at 0. */
  judgedStart: number;
  judgedEnd: number;
  baselineStart: number;
  baselineEnd: number;
  baseline: Int32Array;
  /** The first place of the baseline. */
  baselineFrom: number;
  baselineExposure: number;
  spread: Int32Array;
  /** Exposure of each place of the spread. */
  exposures: Float64Array;
  spreadExposure: number;
  /** Exposure judged over exposure of the baseline. */
  ratio: number;
  /** Day of the first judged cell, counted from the archive's first. */
  firstJudged: number;
}

export function layOut(
  windows: Windows,
  sensors: number,
  exposure: Float64Array,
  placeOf: (sensor: number, cell: number) => number,
): (LocalWindow | undefined)[] {
  const days = exposure.length / sensors;
  return windows.windows.map((window, at) => {
    if (window === undefined) return undefined;
    const sensor = Math.floor(at / windows.slots);
    const { judged, baseline } = window.ranges;
    // Running sums begin with the first usable cell that any window reaches back to.
    const skipped = windows.usable[sensor]!.findIndex(cell => cell - sensor * days >= windows.firstOffset[sensor]!);
    const hasRange = baseline.end > 0;
    return {
      judgedStart: judged.start - skipped,
      judgedEnd: judged.end - skipped,
      baselineStart: hasRange ? baseline.start - skipped : 0,
      baselineEnd: hasRange ? baseline.end - skipped : 0,
      baseline: window.baseline.map(cell => placeOf(sensor, cell)),
      baselineFrom: placeOf(sensor, window.baseline[0]!),
      baselineExposure: window.baselineExposure,
      spread: window.spread.map(cell => placeOf(sensor, cell)),
      exposures: Float64Array.from(window.spread, cell => exposure[cell]!),
      spreadExposure: window.spreadExposure,
      ratio: window.exposure / window.baselineExposure,
      firstJudged: window.judged[0]! - sensor * days,
    };
  });
}

export function sumPlaces(laid: Float64Array, places: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < places.length; i++) sum += laid[places[i]!]!;
  return sum;
}

/**
 * Half a count over the average baseline, per slot: what keeps the fleet's expectation above 0.
 *
 * One half for the fleet and not one per sensor: a hundred sensors that never saw a key would else be expected to see
 * it twice a day, and a key of one sensor would seem to have fallen.
 */
export function fleetHalfCounts(windows: Windows, sensors: number): Float64Array {
  const half = new Float64Array(windows.slots);
  for (let slot = 0; slot < windows.slots; slot++) {
    let up = 0;
    for (let sensor = 0; sensor < sensors; sensor++) {
      const window = windows.windows[sensor * windows.slots + slot];
      if (window === undefined) continue;
      half[slot]! += (0.5 * window.exposure) / window.baselineExposure;
      up++;
    }
    if (up > 0) half[slot]! /= up;
  }
  return half;
}

