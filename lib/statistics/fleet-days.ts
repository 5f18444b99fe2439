/**
 * The days of a key on the whole fleet: added up over the sensors where counts add up, given where they do not.
 *
 * Tested in `test/lib/statistics/change.test.ts` and `test/lib/statistics/source-counts.test.ts`.
 */
import type { Windows } from "./baseline.ts";
import type { Coverage } from "./coverage.ts";
import { type FleetRows, gatherRows, rowOfDay, type RowsByKey } from "./keyed-rows.ts";
import { type Days, type LocalWindow, sumPlaces, type Test } from "./local-windows.ts";

/** What is known of a key on the fleet, beside the sums over its sensors. */
export interface FleetDays {
  /** The largest count of the key on one day: where it is small, no day is a burst. */
  readonly largest: number;
  gather(keyOf: readonly number[]): void;
  layOut(place: number): void;
  clear(place: number): void;
  /** Put what holds for the fleet in place of sums over its sensors, where sums do not hold. */
  compare(slot: number, touched: readonly number[], local: Locals, test: Test): void;
  fillDays(slot: number, touched: readonly number[], local: Locals, into: Days): void;
}

export type Locals = readonly (LocalWindow | undefined)[];

/**
 * Counts of a key added up over the sensors that were up, each within its own window.
 *
 * A day is held against the sum of what its sensors are used to, so a sensor that joins or falls away moves nothing.
 */
export class SummedFleet implements FleetDays {
  readonly #slots: number;
  readonly #span: number;
  readonly #laid: Float64Array;
  readonly #found: Float64Array;
  readonly #wanted: Float64Array;
  /** Counts over all sensors; by slot the window that all share, if they do: then these are what they counted in it. */
  readonly #together: Float64Array;
  readonly #shared: (LocalWindow | undefined)[];

  /** @param together By offset within the span, of the key that is looked at. */
  constructor(slots: number, local: Locals, span: number, laid: Float64Array, together: Float64Array) {
    this.#slots = slots;
    this.#span = span;
    this.#laid = laid;
    this.#together = together;
    this.#shared = Array.from({ length: slots }, (_, slot) => findShared(local, slot, slots, span));
    this.#found = new Float64Array(span);
    this.#wanted = new Float64Array(span);
  }

  largest = 0;

  gather(): void {}

  layOut(): void {
    let most = 0;
    for (let i = 0; i < this.#span; i++) if (this.#together[i]! > most) most = this.#together[i]!;
    this.largest = most;
  }

  clear(): void {}
  compare(): void {}

  fillDays(slot: number, touched: readonly number[], local: Locals, into: Days): void {
    const shared = this.#shared[slot];
    if (shared !== undefined) {
      // The first sensor's window, whose places are offsets.
      into.days = 0;
      into.baselineExposure = shared.baselineExposure;
      for (let i = 0; i < shared.spread.length; i++) {
        const offset = shared.spread[i]!;
        addDay(into, this.#together[offset]!, shared.exposures[i]!, offset >= shared.baselineFrom);
      }
      return;
    }
    const span = this.#span;
    const found = this.#found;
    const wanted = this.#wanted;
    let [low, high, rate, exposure, baselineFrom] = [span, 0, 0, 0, span];
    for (let t = 0; t < touched.length; t++) {
      const sensor = touched[t]!;
      const window = local[sensor * this.#slots + slot];
      if (window === undefined) continue;
      const { spread, exposures } = window;
      const own = sumPlaces(this.#laid, spread) / window.spreadExposure;
      if (own === 0) continue;
      const start = sensor * span;
      rate += own;
      exposure += own * window.baselineExposure;
      baselineFrom = Math.min(baselineFrom, window.baselineFrom - start);
      low = Math.min(low, spread[0]! - start);
      high = Math.max(high, spread[spread.length - 1]! - start + 1);
      for (let i = 0; i < spread.length; i++) {
        wanted[spread[i]! - start]! += own * exposures[i]!;
        found[spread[i]! - start]! += this.#laid[spread[i]!]!;
      }
    }
    into.days = 0;
    into.baselineExposure = exposure / rate;
    for (let offset = low; offset < high; offset++) {
      if (wanted[offset] === 0) continue;
      addDay(into, found[offset]!, wanted[offset]! / rate, offset >= baselineFrom);
      wanted[offset] = found[offset] = 0;
    }
  }
}

/** The first sensor's window in a slot, if all sensors have the same days in it, and were up as long on them. */
function findShared(local: Locals, slot: number, slots: number, span: number): LocalWindow | undefined {
  const first = local[slot];
  for (let sensor = 0; sensor * slots < local.length; sensor++) {
    const window = local[sensor * slots + slot];
    if (first === undefined || window === undefined || window.spread.length !== first.spread.length) return undefined;
    if (window.baselineExposure !== first.baselineExposure) return undefined;
    for (let i = 0; i < first.spread.length; i++) {
      if (window.spread[i] !== first.spread[i]! + sensor * span || window.exposures[i] !== first.exposures[i]) return undefined;
    }
  }
  return first;
}

/** @param exposure In units of a day of the whole fleet; rounded, so that days that are alike are seen to be. */
function addDay(into: Days, count: number, exposure: number, isBaseline: boolean): void {
  into.counts[into.days] = count;
  into.exposures[into.days] = Math.round(exposure * 1e6) / 1e6 || 1e-6;
  into.isBaseline[into.days] = isBaseline ? 1 : 0;
  into.days++;
}

/** The days of one slot, over the windows of all sensors. */
interface UnitedDays {
  /** Which of the fleet's counts hold: those of the sensors that have a window. */
  readonly fleet: FleetRows;
  /** Offsets within the span, ascending. */
  readonly judged: Int32Array;
  readonly baseline: Int32Array;
  readonly spread: Int32Array;
  /** By sensor: exposure of the days of the baseline, and of those that are judged. */
  readonly baselineExposure: Float64Array;
  readonly exposure: Float64Array;
}

/**
 * Distinct sources of a key over all sensors, which are no sum of theirs.
 *
 * How many are expected follows from the days before, by how much of what the sensors are used to was up then and now: as
 * far as sensors share their sources, they share them on every day.
 */
export class UnitedFleet implements FleetDays {
  readonly #windows: Windows;
  readonly #coverage: Coverage;
  readonly #firstOffset: number;
  readonly #span: number;
  readonly #keys: number;
  readonly #days: UnitedDays[];
  /** By sensor and offset within the span; 0 where the day is not usable. */
  readonly #exposures: Float64Array;
  readonly #gathered = new Map<FleetRows, { rows: RowsByKey; laid: Float64Array }>();
  readonly #rates: Float64Array;
  /** The sensors' own counts, by sensor and offset within the span. */
  readonly #laid: Float64Array;

  constructor(
    { fleet, keys }: { readonly fleet: readonly FleetRows[]; readonly keys: number },
    coverage: Coverage,
    windows: Windows,
    firstOffset: number,
    laid: Float64Array,
  ) {
    this.#windows = windows;
    this.#coverage = coverage;
    this.#firstOffset = firstOffset;
    this.#keys = keys;
    this.#laid = laid;
    const { days, sensors, exposure } = coverage;
    const span = (this.#span = days - firstOffset);
    this.#exposures = new Float64Array(sensors.length * span);
    windows.usable.forEach((cells, sensor) => {
      for (const cell of cells) {
        const offset = cell - sensor * days - firstOffset;
        if (offset >= 0) this.#exposures[sensor * span + offset] = exposure[cell]!;
      }
    });
    this.#days = Array.from({ length: windows.slots }, (_, slot) => this.#daysOf(slot, fleet[slot]!));
    this.#rates = new Float64Array(sensors.length);
  }

  #daysOf(slot: number, fleet: FleetRows): UnitedDays {
    const { days, sensors } = this.#coverage;
    const span = this.#span;
    const sets = { judged: new Set<number>(), baseline: new Set<number>(), spread: new Set<number>() };
    const names = ["judged", "baseline", "spread"] as const;
    for (let sensor = 0; sensor < sensors.length; sensor++) {
      const window = this.#windows.windows[sensor * this.#windows.slots + slot];
      if (window === undefined) continue;
      for (const name of names) {
        for (const cell of window[name]) sets[name].add(cell - sensor * days - this.#firstOffset);
      }
    }
    const [judged, baseline, spread] = names.map(name => Int32Array.from(sets[name]).sort()) as [Int32Array, Int32Array, Int32Array];
    const exposureOf = (offsets: Int32Array) =>
      Float64Array.from(sensors, (_, sensor) => offsets.reduce((sum, at) => sum + this.#exposures[sensor * span + at]!, 0));
    return { fleet, judged, baseline, spread, baselineExposure: exposureOf(baseline), exposure: exposureOf(judged) };
  }

  gather(keyOf: readonly number[]): void {
    this.#gathered.clear();
    for (const { fleet } of this.#days) {
      if (this.#gathered.has(fleet)) continue;
      const rows = gatherRows(fleet.key, this.#keys, keyOf, rowOfDay(fleet.day, this.#coverage.firstDay + this.#firstOffset));
      this.#gathered.set(fleet, { rows, laid: new Float64Array(this.#span) });
    }
  }

  largest = 0;

  layOut(place: number): void {
    this.largest = 0;
    this.#eachCell(place, (laid, at, count) => {
      laid[at] = count;
      if (count > this.largest) this.largest = count;
    });
  }

  clear(place: number): void {
    this.#eachCell(place, (laid, at) => (laid[at] = 0));
  }

  #eachCell(place: number, put: (laid: Float64Array, at: number, count: number) => void): void {
    const { firstDay } = this.#coverage;
    for (const [fleet, { rows, laid }] of this.#gathered) {
      for (let i = rows.offsets[place]!; i < rows.offsets[place + 1]!; i++) {
        const row = rows.rows[i]!;
        put(laid, fleet.day[row]! - firstDay - this.#firstOffset, fleet.count[row]!);
      }
    }
  }

  compare(slot: number, touched: readonly number[], local: Locals, test: Test): void {
    const { fleet, judged, baseline, baselineExposure, exposure } = this.#days[slot]!;
    const { laid } = this.#gathered.get(fleet)!;
    let up = 0;
    let usual = 0;
    for (let t = 0; t < touched.length; t++) {
      const sensor = touched[t]!;
      const window = local[sensor * this.#windows.slots + slot];
      if (window === undefined) continue;
      const rate = sumPlaces(this.#laid, window.baseline) / window.baselineExposure;
      up += rate * exposure[sensor]!;
      usual += rate * baselineExposure[sensor]!;
    }
    test.count = sumPlaces(laid, judged);
    test.baseline = sumPlaces(laid, baseline);
    if (usual > 0) test.ratio = up / usual;
  }

  fillDays(slot: number, touched: readonly number[], local: Locals, into: Days): void {
    const { fleet, baseline, spread, baselineExposure } = this.#days[slot]!;
    const { laid } = this.#gathered.get(fleet)!;
    let rate = 0;
    let usual = 0;
    for (let t = 0; t < touched.length; t++) {
      const sensor = touched[t]!;
      const window = local[sensor * this.#windows.slots + slot];
      const own = window === undefined ? 0 : sumPlaces(this.#laid, window.spread) / window.spreadExposure;
      this.#rates[t] = own;
      rate += own;
      usual += own * baselineExposure[sensor]!;
    }
    into.days = 0;
    into.baselineExposure = rate > 0 ? usual / rate : 0;
    for (let i = 0; i < spread.length && rate > 0; i++) {
      let wanted = 0;
      for (let t = 0; t < touched.length; t++) wanted += this.#rates[t]! * this.#exposures[touched[t]! * this.#span + spread[i]!]!;
      if (wanted > 0) addDay(into, laid[spread[i]!]!, wanted / rate, spread[i]! >= baseline[0]!);
    }
  }
}
