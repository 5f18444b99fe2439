/**
 * The ledger: when each value was first and last seen, by whom, and what of it is new, returning or gone.
 *
 * First and last are minima and maxima, so a ledger of merged tables is the merge of their ledgers, in any order.
 * Novelty is not claimed during the burn-in: in the first days of an archive everything is new.
 */
import { claimOffsets } from "./change.ts";
import { type Coverage, isUsable } from "./coverage.ts";
import { rowOfDay } from "./keyed-rows.ts";
import type { LedgerEntry, NewHereEntry, Novelty, ReturningEntry } from "./statistics.ts";
import { dayOf } from "./time.ts";
import type { ValuePart, ValueRows } from "./value-rows.ts";

/** Seen on this many days, a value was established: its silence is worth a line. */
const GONE_MIN_DAYS = 3;

/** What is known of every value of a type, whatever the sensor. */
export interface Ledger {
  readonly rows: ValueRows;
  readonly sensors: number;
  /** Day that `before` is the state of. */
  readonly sinceDay: number;
  /** Four numbers a value, side by side because they are wanted together; see the constants below. */
  readonly state: Float64Array;
  /** On how many days it was seen. */
  readonly days: Int32Array;
  /** The sensor that saw it first, the first by name where two did in the same microsecond; -1: nobody. */
  readonly firstSensor: Int32Array;
  /** Bit per sensor that saw it, `words` numbers of 32 bits for each value. */
  readonly seenBy: Int32Array;
  readonly words: number;
  /** Distinct values per sensor-day, and of those the ones the sensor saw for the first time; likewise the fleet. */
  readonly perDay: Int32Array;
  readonly newPerDay: Int32Array;
  /** As of the end of the day before `sinceDay`: last day of each value (-1 for none) and who had seen it. */
  readonly before: { lastDay: Int32Array; seenBy: Int32Array };
}

const FIRST = 0;
const LAST = 1;
const COUNT = 2;
/** Where it was met last, as `day * sensors + sensor` with days counted from the archive's first; -1: nowhere. */
const PLACE = 3;
const WIDTH = 4;

export const firstSeenUs = (ledger: Ledger, value: number): number => ledger.state[value * WIDTH + FIRST]!;
export const lastSeenUs = (ledger: Ledger, value: number): number => ledger.state[value * WIDTH + LAST]!;
export const countOf = (ledger: Ledger, value: number): number => ledger.state[value * WIDTH + COUNT]!;

export interface NoveltyOptions {
  /** First day of the lists "since". */
  sinceDay: number;
  returningAfterDays: number;
  burnInDays: number;
  /** Entries per list and type at most; 0 = all. */
  limit: number;
}

/**
 * Read all rows of a type once; what was known before `sinceDay` is kept beside what is known at the end.
 *
 * A value's rows come in (day, sensor) order, so the last place it was met is enough to count it once there.
 */
export function buildLedger(rows: ValueRows, coverage: Coverage, sinceDay: number): Ledger {
  const { values } = rows;
  const { firstDay } = coverage;
  const sensors = coverage.sensors.length;
  const words = Math.max(1, Math.ceil(sensors / 32));
  const state = new Float64Array(values * WIDTH);
  for (let value = 0; value < values; value++) {
    state[value * WIDTH + FIRST] = Infinity;
    state[value * WIDTH + LAST] = -Infinity;
    state[value * WIDTH + PLACE] = -1;
  }
  const days = new Int32Array(values);
  const firstSensor = new Int32Array(values).fill(-1);
  const seenBy = new Int32Array(values * words);
  const fleet = sensors * coverage.days;
  const perDay = new Int32Array(fleet + coverage.days);
  const newPerDay = new Int32Array(fleet + coverage.days);
  const read = (part: ValuePart, start: number, end: number) => {
    for (let row = start; row < end; row++) {
      const value = part.value[row]!;
      if (value < 0) continue;
      const sensor = part.sensor[row]!;
      const at = value * WIDTH;
      const first = part.firstSeenUs[row]!;
      if (first <= state[at + FIRST]! && (first < state[at + FIRST]! || sensor < firstSensor[value]!)) {
        state[at + FIRST] = first;
        firstSensor[value] = sensor;
      }
      if (part.lastSeenUs[row]! > state[at + LAST]!) state[at + LAST] = part.lastSeenUs[row]!;
      state[at + COUNT]! += part.count[row]!;
      const offset = part.day[row]! - firstDay;
      const dayStart = offset * sensors;
      const before = state[at + PLACE]!;
      if (before === dayStart + sensor) continue;
      state[at + PLACE] = dayStart + sensor;
      const cell = sensor * coverage.days + offset;
      perDay[cell]!++;
      const word = value * words + (sensor >>> 5);
      const bit = 1 << (sensor & 31);
      if ((seenBy[word]! & bit) === 0) {
        seenBy[word]! |= bit;
        newPerDay[cell]!++;
      }
      if (before >= dayStart) continue;
      days[value]!++;
      perDay[fleet + offset]!++;
      if (before < 0) newPerDay[fleet + offset]!++;
    }
  };
  const starts = rows.parts.map(part => rowOfDay(part.day.subarray(0, part.rows), sinceDay));
  for (const [i, part] of rows.parts.entries()) read(part, 0, starts[i]!);
  const lastDay = new Int32Array(values);
  for (let value = 0; value < values; value++) {
    const place = state[value * WIDTH + PLACE]!;
    lastDay[value] = place < 0 ? -1 : firstDay + Math.floor(place / sensors);
  }
  const before = { lastDay, seenBy: seenBy.slice() };
  for (const [i, part] of rows.parts.entries()) read(part, starts[i]!, part.rows);
  return { rows, sensors, sinceDay, state, days, firstSensor, seenBy, words, perDay, newPerDay, before };
}

/** Tell whether a sensor saw a value. */
export function isSeenBy(ledger: Ledger, value: number, sensor: number): boolean {
  return (ledger.seenBy[value * ledger.words + (sensor >>> 5)]! & (1 << (sensor & 31))) !== 0;
}

/** Tell whether exactly one sensor saw a value. */
export function isSeenByOne(ledger: Ledger, value: number): boolean {
  let found = false;
  for (let word = value * ledger.words; word < (value + 1) * ledger.words; word++) {
    const bits = ledger.seenBy[word]!;
    if (bits === 0) continue;
    if (found || (bits & (bits - 1)) !== 0) return false;
    found = true;
  }
  return found;
}

/** Fill `into` with the sensors that saw a value, ascending. */
export function listSeenBy(ledger: Ledger, value: number, into: number[]): void {
  into.length = 0;
  for (let word = 0; word < ledger.words; word++) {
    for (let bits = ledger.seenBy[value * ledger.words + word]!; bits !== 0; bits &= bits - 1) {
      into.push(word * 32 + 31 - Math.clz32(bits & -bits));
    }
  }
}

export function emptyNovelty(coverage: Coverage, options: NoveltyOptions): Novelty {
  const claim = claimOffsets(coverage, options.burnInDays).fleet;
  return {
    sinceDay: options.sinceDay,
    claimsFromDay: claim < coverage.days ? coverage.firstDay + claim : null,
    totals: [],
    new: [],
    newHere: [],
    returning: [],
    gone: [],
    limit: options.limit,
  };
}

/** Add what one type of value has to say; lists keep the most frequent entries. */
export function addNovelty(novelty: Novelty, ledger: Ledger, coverage: Coverage, options: NoveltyOptions): void {
  const { rows } = ledger;
  const claims = claimOffsets(coverage, options.burnInDays);
  const claimDay = coverage.firstDay + claims.fleet;
  const { sinceDay } = options;
  const firstDay = (value: number) => dayOf(firstSeenUs(ledger, value));

  const fresh: number[] = [];
  const gone: number[] = [];
  let known = 0;
  let active = 0;
  const goneBefore = lastDaysToBeGone(coverage, options.returningAfterDays);
  for (let value = 0; value < rows.values; value++) {
    if (ledger.firstSensor[value]! < 0) continue;
    known++;
    if (dayOf(lastSeenUs(ledger, value)) >= sinceDay) active++;
    if (firstDay(value) >= Math.max(sinceDay, claimDay)) fresh.push(value);
    if (ledger.days[value]! >= GONE_MIN_DAYS && isGone(ledger, value, goneBefore)) gone.push(value);
  }

  // From here on only the rows since the day in question, in day order.
  const lastDay = ledger.before.lastDay.slice();
  const seenBy = ledger.before.seenBy.slice();
  const returned = new Map<number, { before: number; on: number }>();
  const newHere: number[] = [];
  const isNewHere = new Uint8Array(rows.values);
  for (const part of rows.parts) {
    for (let row = rowOfDay(part.day.subarray(0, part.rows), sinceDay); row < part.rows; row++) {
      const value = part.value[row]!;
      if (value < 0) continue;
      const day = part.day[row]!;
      const sensor = part.sensor[row]!;
      const before = lastDay[value]!;
      const isBack = before >= 0 && day - before >= options.returningAfterDays && day >= claimDay;
      if (isBack) returned.set(value, { before, on: day });
      lastDay[value] = day;
      const word = value * ledger.words + (sensor >>> 5);
      if ((seenBy[word]! & (1 << (sensor & 31))) !== 0) continue;
      seenBy[word]! |= 1 << (sensor & 31);
      const isClaimed = day >= Math.max(claimDay, coverage.firstDay + claims.sensors[sensor]!);
      if (!isClaimed || ledger.before.lastDay[value]! < 0) continue;
      if (isNewHere[value] === 1) continue;
      isNewHere[value] = 1;
      newHere.push(value);
    }
  }

  const returning = [...returned.keys()];
  novelty.totals.push({
    type: rows.type,
    values: known,
    active,
    new: fresh.length,
    newHere: newHere.length,
    returning: returning.length,
    gone: gone.length,
  });
  const cut = (values: number[]) => mostFrequent(values, ledger, options.limit);
  const lists = [cut(fresh), cut(newHere), cut(returning), cut(gone)] as const;
  const entries = describeValues(ledger, new Set(lists.flat()), coverage.sensors);
  const entry = (value: number) => entries.get(value)!;
  novelty.new.push(...lists[0].map(entry));
  novelty.newHere.push(
    ...lists[1].map((value): NewHereEntry => {
      const described = entry(value);
      const isFresh = (sensor: string, firstUs: number) => {
        const claimed = coverage.firstDay + claims.sensors[coverage.sensors.indexOf(sensor)]!;
        return dayOf(firstUs) >= Math.max(sinceDay, claimDay, claimed);
      };
      const newOn = described.sensors.filter(seen => isFresh(seen.sensor, seen.firstSeenUs));
      return { ...described, newOn: newOn.map(({ sensor }) => sensor).sort() };
    }),
  );
  novelty.returning.push(
    ...lists[2].map((value): ReturningEntry => {
      const { before, on } = returned.get(value)!;
      return { ...entry(value), lastSeenBefore: before, returnedOn: on, absentDays: on - before };
    }),
  );
  novelty.gone.push(...lists[3].map(entry));
}

/**
 * Per sensor the last day on which a value may have been seen and still count as gone: enough watched days follow it.
 *
 * @returns -1 for a sensor that never had so many.
 */
function lastDaysToBeGone(coverage: Coverage, watchedDays: number): Int32Array {
  const { days, sensors, firstDay } = coverage;
  const last = new Int32Array(sensors.length).fill(-1);
  for (let sensor = 0; sensor < sensors.length; sensor++) {
    let watched = 0;
    for (let offset = days - 1; offset > 0 && last[sensor] === -1; offset--) {
      if (isUsable(coverage, sensor * days + offset)) watched++;
      if (watched >= watchedDays) last[sensor] = firstDay + offset - 1;
    }
  }
  return last;
}

/** A value is gone when a sensor that knew it has watched long enough since anybody saw it last. */
function isGone(ledger: Ledger, value: number, goneBefore: Int32Array): boolean {
  const day = dayOf(lastSeenUs(ledger, value));
  for (let sensor = 0; sensor < ledger.sensors; sensor++) {
    if (day <= goneBefore[sensor]! && isSeenBy(ledger, value, sensor)) return true;
  }
  return false;
}

/** The most frequent first, ties by first seen and then in the order of the table; at most `limit`, 0 = all. */
export function mostFrequent(values: readonly number[], ledger: Ledger, limit: number): number[] {
  const count = (value: number) => countOf(ledger, value);
  const compare = (a: number, b: number) =>
    count(b) - count(a) || firstSeenUs(ledger, a) - firstSeenUs(ledger, b) || a - b;
  if (limit === 0 || values.length <= 4 * limit) {
    const sorted = Int32Array.from(values).sort(compare);
    return Array.from(limit > 0 ? sorted.subarray(0, limit) : sorted);
  }
  // Far more than wanted: only what reaches the count of the last wanted one is worth sorting in full.
  const counts = Float64Array.from(values, count).sort();
  const least = counts[counts.length - limit]!;
  return mostFrequent(values.filter(value => count(value) > least), ledger, 0).concat(
    firstOf(values.filter(value => count(value) === least), limit - counts.filter(n => n > least).length, compare),
  );
}

function firstOf(values: number[], n: number, compare: (a: number, b: number) => number): number[] {
  return Array.from(Int32Array.from(values).sort(compare).subarray(0, n));
}

/** Ledger entries of chosen values, with what each sensor saw of them. */
export function describeValues(
  ledger: Ledger,
  values: ReadonlySet<number>,
  sensors: readonly string[],
): Map<number, LedgerEntry> {
  const { rows } = ledger;
  const slotOf = new Int32Array(rows.values).fill(-1);
  let slots = 0;
  for (const value of values) slotOf[value] = slots++;
  const bySensor: Map<number, { firstSeenUs: number; lastSeenUs: number; count: number }>[] = Array.from(
    { length: slots },
    () => new Map(),
  );
  for (const part of values.size === 0 ? [] : rows.parts) {
    for (let row = 0; row < part.rows; row++) {
      const value = part.value[row]!;
      const slot = value < 0 ? -1 : slotOf[value]!;
      if (slot < 0) continue;
      const sensor = part.sensor[row]!;
      const known = bySensor[slot]!.get(sensor);
      const first = part.firstSeenUs[row]!;
      const last = part.lastSeenUs[row]!;
      if (known === undefined) {
        bySensor[slot]!.set(sensor, { firstSeenUs: first, lastSeenUs: last, count: part.count[row]! });
      } else {
        known.firstSeenUs = Math.min(known.firstSeenUs, first);
        known.lastSeenUs = Math.max(known.lastSeenUs, last);
        known.count += part.count[row]!;
      }
    }
  }
  const entries = new Map<number, LedgerEntry>();
  for (const value of values) {
    entries.set(value, {
      type: rows.type,
      value: rows.textOf(value),
      firstSeenUs: firstSeenUs(ledger, value),
      lastSeenUs: lastSeenUs(ledger, value),
      count: countOf(ledger, value),
      sensors: [...bySensor[slotOf[value]!]!]
        .sort(([a, x], [b, y]) => x.firstSeenUs - y.firstSeenUs || a - b)
        .map(([sensor, seen]) => ({ sensor: sensors[sensor]!, ...seen })),
    });
  }
  return entries;
}
