/**
 * The ledger: when each value was first and last seen, and by whom.
 *
 * First and last are minima and maxima, so a ledger of merged tables is the merge of their ledgers, in any order.
 */
import type { Coverage } from "./coverage.ts";
import { rowOfDay } from "./keyed-rows.ts";
import { widened } from "../columns/growing-column.ts";
import type { ValuePart, ValueSource, ValueType } from "./value-rows.ts";

/** One value in the ledger; a number until it is named. */
export interface LedgerEntry<Value = (string | null)[]> {
  type: ValueType;
  /** The value; `[username, password]` for a credential, one text otherwise. */
  value: Value;
  firstSeenUs: number;
  lastSeenUs: number;
  count: number;
  /** The sensors that saw it, whoever saw it first in front. */
  sensors: { sensor: string; firstSeenUs: number; lastSeenUs: number; count: number }[];
}

/** What is known of every value of a type, whatever the sensor. */
export interface Ledger {
  readonly rows: ValueSource;
  readonly sensors: number;
  /**
   * One record a value, in the memory of both: what a row asks of its value then lies in one line of the cache. Doubles
   * at `value * stride / 2`, whole numbers at `value * stride`; for their places see the constants below.
   */
  readonly doubles: Float64Array;
  readonly ints: Int32Array;
  readonly stride: number;
  /** Whole numbers of 32 bits, a bit a sensor, that say who saw a value. */
  readonly words: number;
  /** Distinct values per sensor-day, and of those the ones the sensor saw for the first time; likewise the fleet. */
  readonly perDay: Int32Array;
  readonly newPerDay: Int32Array;
  /** Of values that came back, the last day before their silence and the first behind it; of several the latest. */
  readonly returned: ReadonlyMap<number, { readonly before: number; readonly on: number }>;
  /** Values that a sensor saw for the first time though others had known them before the day in question. */
  readonly newHere: readonly number[];
}

/** The days that decide what comes back and what spreads. */
export interface LedgerDays {
  /** Nothing before is told of. */
  readonly sinceDay: number;
  readonly returningAfterDays: number;
  /** First day of which novelty is claimed: of the fleet, and of each sensor, none earlier. */
  readonly claimDay: number;
  readonly claimDays: Int32Array;
}

const FIRST = 0;
const LAST = 1;
const COUNT = 2;
/** Where it was met last, as `day * sensors + sensor` with days counted from the archive's first; -1: nowhere. */
const PLACE = 6;
/** On how many days it was seen. */
const DAYS = 7;
/** The sensor that saw it first, the first by name where two did in the same microsecond; -1: nobody. */
const FIRST_SENSOR = 8;
/** Where it was met first, as {@link PLACE}. */
const FIRST_PLACE = 9;
const SEEN_BY = 10;
/** Whole numbers in a line of the cache. */
const LINE = 16;
/** Whole numbers of records from which on what they were copied from is swept up at once. */
const SWEPT_INTS = 1 << 21;
/** Rows whose records are fetched together. */
const AHEAD_ROWS = 64;

export const firstSeenUs = ({ doubles, stride }: Ledger, value: number): number =>
  doubles[(value * stride) / 2 + FIRST]!;
export const lastSeenUs = ({ doubles, stride }: Ledger, value: number): number =>
  doubles[(value * stride) / 2 + LAST]!;
export const countOf = ({ doubles, stride }: Ledger, value: number): number => doubles[(value * stride) / 2 + COUNT]!;
export const daysSeen = ({ ints, stride }: Ledger, value: number): number => ints[value * stride + DAYS]!;
/** The sensor-day on which it was met first: days and, within a day, sensors in their order. */
export const firstPlaceOf = ({ ints, stride }: Ledger, value: number): number => ints[value * stride + FIRST_PLACE]!;
/** -1: nobody saw it. */
export const firstSensorOf = ({ ints, stride }: Ledger, value: number): number => ints[value * stride + FIRST_SENSOR]!;

/**
 * Read all rows of a type once.
 *
 * A value's rows come in (day, sensor) order, so the last place it was met is enough to count it once there.
 */
export function buildLedger(rows: ValueSource, coverage: Coverage, days: LedgerDays): Ledger {
  const records = new Records(coverage);
  const follower = new Follower(coverage, days);
  for (const part of rows.parts) {
    // Values may be numbered as they come.
    records.widen(rows.values);
    const since = rowOfDay(part.day.subarray(0, part.rows), days.sinceDay);
    records.read(part, 0, since);
    records.read(part, since, part.rows, follower);
  }
  records.widen(rows.values);
  const { doubles, ints, stride, words, perDay, newPerDay } = records;
  const { returned, newHere } = follower;
  return { rows, sensors: coverage.sensors.length, doubles, ints, stride, words, perDay, newPerDay, returned, newHere };
}

/** Follows values since a day: which come back, and which spread. */
class Follower {
  readonly returned = new Map<number, { before: number; on: number }>();
  readonly newHere: number[] = [];
  readonly #days: LedgerDays;
  readonly #firstDay: number;
  readonly #sensors: number;
  #isNewHere = new Uint8Array(1024);

  constructor({ firstDay, sensors }: Coverage, days: LedgerDays) {
    this.#days = days;
    this.#firstDay = firstDay;
    this.#sensors = sensors.length;
  }

  /**
   * A value on another sensor-day than before.
   *
   * @param first Where it was met first, and `before` last, as {@link PLACE}; -1 = nowhere.
   * @param isSeen Whether the sensor knows it.
   */
  meet(value: number, day: number, sensor: number, first: number, before: number, isSeen: boolean): void {
    const { sinceDay, returningAfterDays, claimDay, claimDays } = this.#days;
    const lastDay = this.#firstDay + Math.floor(before / this.#sensors);
    if (before >= 0 && day - lastDay >= returningAfterDays && day >= claimDay) this.returned.set(value, { before: lastDay, on: day });
    if (isSeen || day < claimDays[sensor]!) return;
    if (before < 0 || first >= (sinceDay - this.#firstDay) * this.#sensors) return;
    if (value >= this.#isNewHere.length) this.#isNewHere = widened(this.#isNewHere, value + 1);
    if (this.#isNewHere[value] === 1) return;
    this.#isNewHere[value] = 1;
    this.newHere.push(value);
  }
}

/** What is known of each value, while rows are read. */
class Records {
  doubles = new Float64Array(0);
  ints = new Int32Array(0);
  readonly stride: number;
  readonly words: number;
  readonly perDay: Int32Array;
  readonly newPerDay: Int32Array;
  readonly #coverage: Coverage;
  /** Written to, so that no compiler may leave the looking ahead out. */
  readonly #looked = new Int32Array(1);

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
    const sensors = coverage.sensors.length;
    this.words = Math.max(1, Math.ceil(sensors / 32));
    const least = SEEN_BY + this.words;
    this.stride = least <= LINE ? LINE : least + (least % 2);
    this.perDay = new Int32Array((sensors + 1) * coverage.days);
    this.newPerDay = new Int32Array((sensors + 1) * coverage.days);
  }

  /** Make room for so many values: of those that are numbered as they come for some more. */
  widen(values: number): void {
    const { stride } = this;
    const known = this.ints.length / stride;
    if (values <= known) return;
    const length = known === 0 ? values : Math.ceil(Math.max(values, 1.5 * known));
    const memory = new ArrayBuffer(length * stride * Int32Array.BYTES_PER_ELEMENT);
    const doubles = new Float64Array(memory);
    const ints = new Int32Array(memory);
    ints.set(this.ints);
    for (let value = known; value < length; value++) {
      doubles[(value * stride) / 2 + FIRST] = Infinity;
      doubles[(value * stride) / 2 + LAST] = -Infinity;
      ints[value * stride + PLACE] = -1;
      ints[value * stride + FIRST_SENSOR] = -1;
    }
    this.doubles = doubles;
    this.ints = ints;
    // What it was before: left to itself the engine keeps it for long.
    if (known * stride >= SWEPT_INTS) Bun.gc(true);
  }

  /** @param follower Hears of each value that stands on another sensor-day than before. */
  read(part: ValuePart, start: number, end: number, follower?: Follower): void {
    const { doubles, ints, stride, perDay, newPerDay } = this;
    const { firstDay, days, sensors: { length: sensors } } = this.#coverage;
    const fleet = sensors * days;
    let touched = 0;
    for (let row = start, ahead = start; row < end; row++) {
      if (row === ahead) {
        // Looking at the next records without deciding anything brings them from memory side by side, not one by one.
        ahead = Math.min(end, row + AHEAD_ROWS);
        for (let next = row; next < ahead; next++) touched ^= ints[Math.max(0, part.value[next]!) * stride]!;
      }
      const value = part.value[row]!;
      if (value < 0) continue;
      const sensor = part.sensor[row]!;
      const at = value * stride;
      const half = at >>> 1;
      const first = part.firstSeenUs[row]!;
      if (first <= doubles[half + FIRST]! && (first < doubles[half + FIRST]! || sensor < ints[at + FIRST_SENSOR]!)) {
        doubles[half + FIRST] = first;
        ints[at + FIRST_SENSOR] = sensor;
      }
      if (part.lastSeenUs[row]! > doubles[half + LAST]!) doubles[half + LAST] = part.lastSeenUs[row]!;
      doubles[half + COUNT]! += part.count[row]!;
      const offset = part.day[row]! - firstDay;
      const dayStart = offset * sensors;
      const before = ints[at + PLACE]!;
      if (before === dayStart + sensor) continue;
      ints[at + PLACE] = dayStart + sensor;
      const cell = sensor * days + offset;
      perDay[cell]!++;
      const word = at + SEEN_BY + (sensor >>> 5);
      const bit = 1 << (sensor & 31);
      follower?.meet(value, part.day[row]!, sensor, ints[at + FIRST_PLACE]!, before, (ints[word]! & bit) !== 0);
      if ((ints[word]! & bit) === 0) {
        ints[word]! |= bit;
        newPerDay[cell]!++;
      }
      if (before >= dayStart) continue;
      ints[at + DAYS]!++;
      perDay[fleet + offset]!++;
      if (before >= 0) continue;
      newPerDay[fleet + offset]!++;
      ints[at + FIRST_PLACE] = dayStart + sensor;
    }
    this.#looked[0] = touched;
  }
}

/** Tell whether a sensor saw a value. */
export function isSeenBy({ ints, stride }: Ledger, value: number, sensor: number): boolean {
  return (ints[value * stride + SEEN_BY + (sensor >>> 5)]! & (1 << (sensor & 31))) !== 0;
}

/** Tell whether exactly one sensor saw a value. */
export function isSeenByOne({ ints, stride, words }: Ledger, value: number): boolean {
  let found = false;
  const start = value * stride + SEEN_BY;
  for (let word = start; word < start + words; word++) {
    const bits = ints[word]!;
    if (bits === 0) continue;
    if (found || (bits & (bits - 1)) !== 0) return false;
    found = true;
  }
  return found;
}

/** Fill `into` with the sensors that saw a value, ascending. */
export function listSeenBy({ ints, stride, words }: Ledger, value: number, into: number[]): void {
  into.length = 0;
  for (let word = 0; word < words; word++) {
    for (let bits = ints[value * stride + SEEN_BY + word]!; bits !== 0; bits &= bits - 1) {
      into.push(word * 32 + 31 - Math.clz32(bits & -bits));
    }
  }
}

/** The most frequent first, ties by first seen and then in the order of the table; at most `limit`, 0 = all. */
export function mostFrequent(values: readonly number[], ledger: Ledger, limit: number): number[] {
  const compare = (a: number, b: number) =>
    countOf(ledger, b) - countOf(ledger, a) || firstSeenUs(ledger, a) - firstSeenUs(ledger, b) || a - b;
  if (limit === 0) return [...values].sort(compare);
  // Far more than wanted may come: whatever is behind the last of those that are kept so far is passed over.
  const kept: number[] = [];
  let least: number | undefined;
  const cut = () => {
    kept.sort(compare);
    if (kept.length < limit) return;
    kept.length = limit;
    least = kept[limit - 1];
  };
  for (const value of values) {
    if (least !== undefined && compare(value, least) > 0) continue;
    if (kept.push(value) === 4 * limit) cut();
  }
  cut();
  return kept;
}

/** Tells of some values. */
export type Describe = (ledger: Ledger, values: ReadonlySet<number>, sensors: readonly string[]) => ReadonlyMap<number, LedgerEntry<number>>;

/** Ledger entries of chosen values, with what each sensor saw of them. */
export function describeValues(
  ledger: Ledger,
  values: ReadonlySet<number>,
  sensors: readonly string[],
): Map<number, LedgerEntry<number>> {
  const seen = seenBySensors(ledger.rows, values, sensors);
  return new Map(Array.from(values, value => [value, { ...entryOf(ledger, value), sensors: seen.get(value)! }]));
}

/** What is known of a value over all sensors. */
export function entryOf(ledger: Ledger, value: number): LedgerEntry<number> {
  const { type } = ledger.rows;
  return { type, value, firstSeenUs: firstSeenUs(ledger, value), lastSeenUs: lastSeenUs(ledger, value), count: countOf(ledger, value), sensors: [] };
}

/** What each sensor saw of some values, whoever saw it first in front. */
export function seenBySensors(
  rows: Pick<ValueSource, "values" | "parts" | "rowsOf">,
  values: ReadonlySet<number>,
  sensors: readonly string[],
): Map<number, LedgerEntry["sensors"]> {
  // A bit a value stays in the cache while every row asks.
  const isWanted = new Uint32Array((rows.values + 31) >>> 5);
  for (const value of values) isWanted[value >>> 5]! |= 1 << (value & 31);
  type Seen = { firstSeenUs: number; lastSeenUs: number; count: number };
  const bySensor = new Map(Array.from(values, value => [value, new Map<number, Seen>()]));
  for (const part of values.size === 0 ? [] : (rows.rowsOf?.(values) ?? rows.parts)) {
    for (let row = 0; row < part.rows; row++) {
      const value = part.value[row]!;
      if (value < 0 || (isWanted[value >>> 5]! & (1 << (value & 31))) === 0) continue;
      const sensor = part.sensor[row]!;
      const ofValue = bySensor.get(value)!;
      const known = ofValue.get(sensor);
      const first = part.firstSeenUs[row]!;
      const last = part.lastSeenUs[row]!;
      if (known === undefined) {
        ofValue.set(sensor, { firstSeenUs: first, lastSeenUs: last, count: part.count[row]! });
      } else {
        known.firstSeenUs = Math.min(known.firstSeenUs, first);
        known.lastSeenUs = Math.max(known.lastSeenUs, last);
        known.count += part.count[row]!;
      }
    }
  }
  const sorted = Array.from(bySensor, ([value, of]) => {
    const list = [...of].sort(([a, x], [b, y]) => x.firstSeenUs - y.firstSeenUs || a - b);
    return [value, list.map(([sensor, seen]) => ({ sensor: sensors[sensor]!, ...seen }))] as const;
  });
  return new Map(sorted);
}

/** Put the values themselves in place of their numbers. */
export function nameEntries<E extends LedgerEntry<number>>(
  entries: readonly E[],
  textOf: (value: number) => (string | null)[],
): (Omit<E, "value"> & { value: (string | null)[] })[] {
  return entries.map(entry => ({ ...entry, value: textOf(entry.value) }));
}
