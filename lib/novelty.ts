/**
 * The ledger: when each value was first and last seen, by whom, and what of it is new, returning or gone.
 *
 * First and last are minima and maxima, so a ledger of merged tables is the merge of their ledgers, in any order.
 * Novelty is not claimed during the burn-in: in the first days of an archive everything is new.
 */
import { claimOffsets } from "./change.ts";
import { type Coverage, isUsable } from "./coverage.ts";
import type { LedgerEntry, NewHereEntry, Novelty, ReturningEntry } from "./statistics.ts";
import { dayOf } from "./time.ts";
import type { ValueRows } from "./value-rows.ts";

/** Seen on this many days, a value was established: its silence is worth a line. */
const GONE_MIN_DAYS = 3;

/** What is known of every value of a type, whatever the sensor; arrays are indexed by value. */
export interface Ledger {
  readonly rows: ValueRows;
  readonly firstSeenUs: Float64Array;
  readonly lastSeenUs: Float64Array;
  readonly count: Float64Array;
  /** On how many days it was seen. */
  readonly days: Int32Array;
  /** The sensor that saw it first; the first by name where two did in the same microsecond. */
  readonly firstSensor: Int32Array;
  /** Bit `value * sensors + sensor`: this sensor saw it. */
  readonly seenBy: Uint32Array;
  readonly sensors: number;
}

export interface NoveltyOptions {
  /** First day of the lists "since". */
  sinceDay: number;
  returningAfterDays: number;
  burnInDays: number;
  /** Entries per list and type at most; 0 = all. */
  limit: number;
}

export function buildLedger(rows: ValueRows, sensors: number): Ledger {
  const { values } = rows;
  const ledger: Ledger = {
    rows,
    firstSeenUs: new Float64Array(values).fill(Infinity),
    lastSeenUs: new Float64Array(values).fill(-Infinity),
    count: new Float64Array(values),
    days: new Int32Array(values),
    firstSensor: new Int32Array(values).fill(-1),
    seenBy: new Uint32Array(Math.ceil((values * sensors) / 32)),
    sensors,
  };
  const { firstSeenUs, lastSeenUs, count, days, firstSensor, seenBy } = ledger;
  const dayBefore = new Int32Array(values).fill(-1);
  for (let row = 0; row < rows.rows; row++) {
    const value = rows.value[row]!;
    if (value < 0) continue;
    const first = rows.firstSeenUs[row]!;
    if (first < firstSeenUs[value]!) {
      firstSeenUs[value] = first;
      firstSensor[value] = rows.sensor[row]!;
    } else if (first === firstSeenUs[value] && rows.sensor[row]! < firstSensor[value]!) {
      firstSensor[value] = rows.sensor[row]!;
    }
    if (rows.lastSeenUs[row]! > lastSeenUs[value]!) lastSeenUs[value] = rows.lastSeenUs[row]!;
    count[value]! += rows.count[row]!;
    if (rows.day[row]! !== dayBefore[value]) {
      dayBefore[value] = rows.day[row]!;
      days[value]!++;
    }
    const bit = value * sensors + rows.sensor[row]!;
    seenBy[Math.floor(bit / 32)]! |= 1 << (bit % 32);
  }
  return ledger;
}

/** Tell whether a sensor saw a value. */
export function isSeenBy(ledger: Ledger, value: number, sensor: number): boolean {
  const bit = value * ledger.sensors + sensor;
  return (ledger.seenBy[Math.floor(bit / 32)]! & (1 << (bit % 32))) !== 0;
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
  const isActive = (value: number) => dayOf(ledger.lastSeenUs[value]!) >= sinceDay;
  const firstDay = (value: number) => dayOf(ledger.firstSeenUs[value]!);

  const fresh: number[] = [];
  const gone: number[] = [];
  let known = 0;
  let active = 0;
  const goneBefore = lastDaysToBeGone(coverage, options.returningAfterDays);
  for (let value = 0; value < rows.values; value++) {
    if (ledger.count[value] === 0 && ledger.firstSensor[value]! < 0) continue;
    known++;
    if (isActive(value)) active++;
    if (firstDay(value) >= Math.max(sinceDay, claimDay)) fresh.push(value);
    if (ledger.days[value]! >= GONE_MIN_DAYS && isGone(ledger, value, goneBefore)) gone.push(value);
  }

  // In day order: the last day before each row, for the fleet and, where others knew the value before, per sensor.
  const lastDay = new Int32Array(rows.values).fill(-1);
  const returned = new Map<number, { before: number; on: number }>();
  const seen = new Uint32Array(ledger.seenBy.length);
  const newOn = new Map<number, number[]>();
  for (let row = 0; row < rows.rows; row++) {
    const value = rows.value[row]!;
    if (value < 0) continue;
    const day = rows.day[row]!;
    const sensor = rows.sensor[row]!;
    const before = lastDay[value]!;
    const isBack = before >= 0 && day - before >= options.returningAfterDays;
    if (isBack && day >= Math.max(sinceDay, claimDay)) returned.set(value, { before, on: day });
    lastDay[value] = day;
    const bit = value * ledger.sensors + sensor;
    const word = Math.floor(bit / 32);
    if ((seen[word]! & (1 << (bit % 32))) !== 0) continue;
    seen[word]! |= 1 << (bit % 32);
    const isClaimed = day >= Math.max(sinceDay, claimDay, coverage.firstDay + claims.sensors[sensor]!);
    if (!isClaimed || firstDay(value) >= sinceDay) continue;
    const list = newOn.get(value);
    if (list === undefined) newOn.set(value, [sensor]);
    else list.push(sensor);
  }

  const newHere = [...newOn.keys()];
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
  const entry = (value: number) => structuredClone(entries.get(value)!);
  novelty.new.push(...lists[0].map(entry));
  novelty.newHere.push(
    ...lists[1].map((value): NewHereEntry => {
      const names = newOn.get(value)!.map(sensor => coverage.sensors[sensor]!);
      return { ...entry(value), newOn: names.sort() };
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
  const day = dayOf(ledger.lastSeenUs[value]!);
  for (let sensor = 0; sensor < ledger.sensors; sensor++) {
    if (day <= goneBefore[sensor]! && isSeenBy(ledger, value, sensor)) return true;
  }
  return false;
}

/** The most frequent first, ties by first seen and then in the order of the table; at most `limit`, 0 = all. */
export function mostFrequent(values: readonly number[], ledger: Ledger, limit: number): number[] {
  const { count, firstSeenUs } = ledger;
  const compare = (a: number, b: number) => count[b]! - count[a]! || firstSeenUs[a]! - firstSeenUs[b]! || a - b;
  if (limit === 0 || values.length <= 4 * limit) {
    const sorted = Int32Array.from(values).sort(compare);
    return Array.from(limit > 0 ? sorted.subarray(0, limit) : sorted);
  }
  // Far more than wanted: only what reaches the count of the last wanted one is worth sorting in full.
  const counts = Float64Array.from(values, value => count[value]!).sort();
  const least = counts[counts.length - limit]!;
  return mostFrequent(values.filter(value => count[value]! > least), ledger, 0).concat(
    firstOf(values.filter(value => count[value] === least), limit - counts.filter(n => n > least).length, compare),
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
  for (let row = 0; row < rows.rows; row++) {
    const value = rows.value[row]!;
    const slot = value < 0 ? -1 : slotOf[value]!;
    if (slot < 0) continue;
    const sensor = rows.sensor[row]!;
    const known = bySensor[slot]!.get(sensor);
    const firstSeenUs = rows.firstSeenUs[row]!;
    const lastSeenUs = rows.lastSeenUs[row]!;
    if (known === undefined) {
      bySensor[slot]!.set(sensor, { firstSeenUs, lastSeenUs, count: rows.count[row]! });
    } else {
      known.firstSeenUs = Math.min(known.firstSeenUs, firstSeenUs);
      known.lastSeenUs = Math.max(known.lastSeenUs, lastSeenUs);
      known.count += rows.count[row]!;
    }
  }
  const entries = new Map<number, LedgerEntry>();
  for (const value of values) {
    entries.set(value, {
      type: rows.type,
      value: rows.textOf(value),
      firstSeenUs: ledger.firstSeenUs[value]!,
      lastSeenUs: ledger.lastSeenUs[value]!,
      count: ledger.count[value]!,
      sensors: [...bySensor[slotOf[value]!]!]
        .sort(([a, x], [b, y]) => x.firstSeenUs - y.firstSeenUs || a - b)
        .map(([sensor, seen]) => ({ sensor: sensors[sensor]!, ...seen })),
    });
  }
  return entries;
}
