/**
 * The walk over all comparisons of a kind: each key on every shown day, and over the shown days as a whole, on each sensor
 * and on the fleet, with the baseline it is held against.
 *
 * Counts add up over sensors, so the fleet's are the sum of theirs, each within its own window. Distinct sources do not:
 * the fleet's are given (`fleet` of the rows), and stand against the days of all windows together.
 *
 * Tested in `test/lib/statistics/change.test.ts`.
 */
import type { Windows } from "./baseline.ts";
import type { Coverage } from "./coverage.ts";
import { type FleetDays, SummedFleet, UnitedFleet } from "./fleet-days.ts";
import { type CellsByKey, gatherCells } from "./cells-by-key.ts";
import { type KeyedRows, rowOfDay } from "./keyed-rows.ts";
import {
  type Days,
  FLEET,
  fleetHalfCounts,
  layOut,
  type LocalWindow,
  MIN_SUPPORT,
  sumPlaces,
  type Test,
} from "./local-windows.ts";
import { type Baseline, BURST_LEAST, findBurst, leaveOut, makeBaseline } from "./mixture.ts";

/** What a visitor may ask about the comparison it was given. */
export interface Look {
  /** The days that tell how much the key varies; takes an earlier burst out of them and out of the comparison. */
  takeDays(test: Test): Baseline;
}

type Visit = (test: Test, look: Look) => boolean;

export interface WalkOptions {
  /** By key: the keys of the smallest come first. Without it they come in their order. */
  readonly marks?: Uint32Array;
  /** Asked before each key: the rest is not wanted. */
  readonly isDone?: () => boolean;
}

/**
 * Visit every comparison of a kind that has support, the sensors of a key and slot before the fleet.
 *
 * @param visit Tells whether it was a comparison: one that loses its support with a burst is none.
 * @returns How many keys of the windows had no comparison with support.
 */
export function walkComparisons(
  kind: KeyedRows,
  coverage: Coverage,
  windows: Windows,
  visit: Visit,
  options: WalkOptions = {},
): number {
  const { days } = coverage;
  const firstOffset = windows.firstOffset.reduce((least, offset) => Math.min(least, offset), days);
  if (firstOffset >= days) return 0;
  return new KeyWalk(kind, coverage, windows, firstOffset).run(visit, options);
}

/** Keys whose counts are gathered together: what is gathered of them takes memory, and not all may be wanted. */
const BATCH = 1 << 17;

/** Counts of one key after another, laid out over sensors and the days of the windows. */
class KeyWalk implements Look {
  readonly #kind: KeyedRows;
  readonly #coverage: Coverage;
  readonly #windows: Windows;
  readonly #firstOffset: number;
  /** Only the days of the windows are laid out, so that a key's counts on all sensors stay in the nearest cache. */
  readonly #span: number;
  readonly #laid: Float64Array;
  readonly #local: (LocalWindow | undefined)[];
  readonly #usable: Int32Array[];
  /** Sums over each sensor's usable cells: `running[sensor][i]` = counts on the first i of them. */
  readonly #running: Float64Array[];
  readonly #touched: number[] = [];
  readonly #isTouched: Uint8Array;
  readonly #lastOffset: Int32Array;
  /** The largest count of a sensor on one day, brought to a whole one. */
  readonly #largest: Float64Array;
  readonly #half: Float64Array;
  readonly #fleet: FleetDays;
  /** Counts of the key over all sensors, by offset within the span. */
  readonly #together: Float64Array;
  readonly #sums = new FleetSums();
  readonly #days: Days;
  readonly #test: Test = {
    slot: 0, sensor: 0, key: 0, count: 0, baseline: 0, ratio: 0, burstDays: 0, silent: false, isCalm: true, above: 0, notAbove: 0,
  };

  constructor(kind: KeyedRows, coverage: Coverage, windows: Windows, firstOffset: number) {
    const { days, sensors, exposure } = coverage;
    this.#kind = kind;
    this.#coverage = coverage;
    this.#windows = windows;
    this.#firstOffset = firstOffset;
    const span = (this.#span = days - firstOffset);
    this.#laid = new Float64Array(sensors.length * span);
    const placeOf = (sensor: number, cell: number) => cell - sensor * days - firstOffset + sensor * span;
    this.#local = layOut(windows, sensors.length, exposure, placeOf);
    this.#usable = windows.usable.map((cells, sensor) =>
      cells.filter(cell => cell - sensor * days >= windows.firstOffset[sensor]!).map(cell => placeOf(sensor, cell)),
    );
    this.#running = this.#usable.map(places => new Float64Array(places.length + 1));
    this.#isTouched = new Uint8Array(sensors.length);
    this.#lastOffset = new Int32Array(sensors.length).fill(-1);
    this.#largest = new Float64Array(sensors.length);
    this.#half = fleetHalfCounts(windows, sensors.length);
    this.#days = { ...makeBaseline(span), isBaseline: new Uint8Array(span), baselineExposure: 0 };
    this.#together = new Float64Array(span);
    this.#fleet =
      kind.fleet === undefined
        ? new SummedFleet(windows.slots, this.#local, span, this.#laid, this.#together)
        : new UnitedFleet({ fleet: kind.fleet, keys: kind.keys }, coverage, windows, firstOffset, this.#laid);
  }

  run(visit: Visit, { marks, isDone }: WalkOptions): number {
    const startRow = rowOfDay(this.#kind.day, this.#coverage.firstDay + this.#firstOffset);
    const { keyOf, recent } = this.#findFrequent(startRow);
    if (marks !== undefined) sortByMark(keyOf, marks);
    let tested = 0;
    for (let start = 0; start < keyOf.length && isDone?.() !== true; start += BATCH) {
      tested += this.#visitKeys(keyOf.slice(start, start + BATCH), startRow, visit, isDone);
    }
    return recent - tested;
  }

  /** @returns How many of the keys had a comparison. */
  #visitKeys(keyOf: readonly number[], startRow: number, visit: Visit, isDone: WalkOptions["isDone"]): number {
    const { firstDay } = this.#coverage;
    const gathered = gatherCells(this.#kind, keyOf, {
      firstDay: firstDay + this.#firstOffset,
      firstDays: this.#windows.firstOffset.map(offset => firstDay + offset),
      startRow,
      span: this.#span,
    });
    this.#fleet.gather(keyOf);
    let tested = 0;
    for (let place = 0; place < keyOf.length && isDone?.() !== true; place++) {
      this.#layOutKey(gathered, place);
      this.#fleet.layOut(place);
      this.#test.key = keyOf[place]!;
      if (this.#visitSlots(visit)) tested++;
      this.#fleet.clear(place);
      this.#clear(gathered, place);
    }
    return tested;
  }

  /** Most keys are seen once and never again: they are left out before anything is laid out. */
  #findFrequent(startRow: number): { keyOf: number[]; recent: number } {
    const { rows, day, sensor, count, key, keys } = this.#kind;
    const { firstDay } = this.#coverage;
    const totals = new Float64Array(keys);
    for (let row = startRow; row < rows; row++) {
      if (day[row]! - firstDay >= this.#windows.firstOffset[sensor[row]!]!) totals[key[row]!]! += count[row]!;
    }
    const keyOf: number[] = [];
    let recent = 0;
    for (let at = 0; at < keys; at++) {
      if (totals[at]! > 0) recent++;
      if (totals[at]! >= MIN_SUPPORT) keyOf.push(at);
    }
    return { keyOf, recent };
  }

  #layOutKey({ offsets, cells, counts }: CellsByKey, place: number): void {
    const { days, exposure } = this.#coverage;
    const laid = this.#laid;
    const span = this.#span;
    const [start, end] = [offsets[place]!, offsets[place + 1]!];
    for (let i = start; i < end; i++) {
      const cell = cells[i]!;
      const sensor = Math.floor(cell / span);
      const at = cell - sensor * span;
      if (this.#isTouched[sensor] === 0) {
        this.#isTouched[sensor] = 1;
        this.#touched.push(sensor);
        this.#largest[sensor] = 0;
      }
      const count = (laid[cell]! += counts[i]!);
      this.#together[at]! += counts[i]!;
      this.#lastOffset[sensor] = at + this.#firstOffset;
      // Few counts are no burst on however short a day that is looked at.
      if (count <= BURST_LEAST / 2) continue;
      const rate = count / exposure[sensor * days + at + this.#firstOffset]!;
      if (rate > this.#largest[sensor]!) this.#largest[sensor] = rate;
    }
    for (const sensor of this.#touched) {
      const places = this.#usable[sensor]!;
      const sums = this.#running[sensor]!;
      let sum = 0;
      for (let i = 0; i < places.length; i++) {
        sum += laid[places[i]!]!;
        sums[i + 1] = sum;
      }
    }
  }

  #clear({ offsets, cells }: CellsByKey, place: number): void {
    const span = this.#span;
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) {
      this.#laid[cells[i]!] = 0;
      this.#together[cells[i]! % span] = 0;
    }
    for (const sensor of this.#touched) this.#isTouched[sensor] = 0;
    this.#touched.length = 0;
  }

  /** @returns Whether any of them was a comparison. */
  #visitSlots(visit: Visit): boolean {
    const { slots } = this.#windows;
    const hasFleet = this.#kind.additive && this.#coverage.sensors.length > 1;
    let isTested = false;
    for (let slot = 0; slot < slots; slot++) {
      if (slot === slots - 1 && !this.#kind.additive) continue;
      this.#test.slot = slot;
      const sums = this.#sums;
      sums.clear();
      if (this.#visitSensors(slot, sums, visit)) isTested = true;
      if (hasFleet && this.#visitFleet(slot, sums, visit)) isTested = true;
    }
    return isTested;
  }

  #visitSensors(slot: number, fleet: FleetSums, visit: Visit): boolean {
    const { slots } = this.#windows;
    const test = this.#test;
    let isTested = false;
    for (let t = 0; t < this.#touched.length; t++) {
      const sensor = this.#touched[t]!;
      const window = this.#local[sensor * slots + slot];
      if (window === undefined) continue;
      const sums = this.#running[sensor]!;
      const { ratio } = window;
      const count = sums[window.judgedEnd]! - sums[window.judgedStart]!;
      const baseline =
        window.baselineEnd > 0
          ? sums[window.baselineEnd]! - sums[window.baselineStart]!
          : sumPlaces(this.#laid, window.baseline);
      if (count + baseline === 0) continue;
      const silent = count === 0 && this.#lastOffset[sensor]! < window.firstJudged;
      fleet.count += count;
      fleet.baseline += baseline;
      fleet.expected += ratio * baseline;
      if (!silent) fleet.silent = false;
      if (count + baseline < MIN_SUPPORT) continue;
      test.sensor = sensor;
      test.count = count;
      test.baseline = baseline;
      test.ratio = ratio;
      test.burstDays = 0;
      test.silent = silent;
      test.isCalm = this.#largest[sensor]! <= BURST_LEAST;
      if (!visit(test, this)) continue;
      isTested = true;
      if (test.count > test.ratio * test.baseline) fleet.above++;
      else fleet.notAbove++;
    }
    return isTested;
  }

  #visitFleet(slot: number, sums: FleetSums, visit: Visit): boolean {
    const test = this.#test;
    test.count = sums.count;
    test.baseline = sums.baseline;
    test.ratio = sums.expected > 0 ? sums.expected / sums.baseline : this.#half[slot]! * 2;
    this.#fleet.compare(slot, this.#touched, this.#local, test);
    if (test.count + test.baseline < MIN_SUPPORT) return false;
    test.sensor = FLEET;
    test.burstDays = 0;
    test.silent = sums.silent;
    test.isCalm = this.#fleet.largest <= BURST_LEAST;
    test.above = sums.above;
    test.notAbove = sums.notAbove;
    return visit(test, this);
  }

  takeDays(test: Test): Baseline {
    const into = this.#days;
    if (test.sensor === FLEET) this.#fleet.fillDays(test.slot, this.#touched, this.#local, into);
    else this.#fillDays(this.#local[test.sensor * this.#windows.slots + test.slot]!, into);
    into.count = into.exposure = 0;
    for (let i = 0; i < into.days; i++) {
      into.count += into.counts[i]!;
      into.exposure += into.exposures[i]!;
    }
    const burst = test.isCalm ? undefined : findBurst(into);
    if (burst === undefined) return into;
    test.burstDays = burst.length;
    // What is left out of the days is left out of the sum they are part of, and of its exposure.
    let left = into.baselineExposure;
    for (let i = burst.start; i < burst.start + burst.length; i++) {
      if (into.isBaseline[i] === 0) continue;
      test.baseline -= into.counts[i]!;
      left -= into.exposures[i]!;
    }
    if (left > 0) test.ratio *= into.baselineExposure / left;
    leaveOut(into, burst);
    return into;
  }

  #fillDays(window: LocalWindow, into: Days): void {
    const { spread, exposures, baselineFrom } = window;
    into.days = spread.length;
    into.baselineExposure = window.baselineExposure;
    for (let i = 0; i < spread.length; i++) {
      into.counts[i] = this.#laid[spread[i]!]!;
      into.exposures[i] = exposures[i]!;
      into.isBaseline[i] = spread[i]! >= baselineFrom ? 1 : 0;
    }
  }
}

/** Ties by key. */
function sortByMark(keys: number[], marks: Uint32Array): void {
  // Numbers are sorted several times as fast as with a function; both fit into one of 53 bits.
  const scale = 2 ** 21;
  if (marks.length > scale) keys.sort((a, b) => marks[a]! - marks[b]! || a - b);
  else Float64Array.from(keys, key => marks[key]! * scale + key).sort().forEach((mixed, i) => (keys[i] = mixed % scale));
}

/** The fleet, while its sensors are visited. */
class FleetSums {
  count = 0;
  baseline = 0;
  expected = 0;
  silent = true;
  above = 0;
  notAbove = 0;

  clear(): void {
    this.count = this.baseline = this.expected = this.above = this.notAbove = 0;
    this.silent = true;
  }
}
