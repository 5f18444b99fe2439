/**
 * What of a ledger is new, new on a sensor, returning or gone.
 *
 * Novelty is not claimed during the burn-in: in the first days of an archive everything is new.
 */
import { claimOffsets } from "./change.ts";
import { type Coverage, isUsable } from "./coverage.ts";
import {
  type Describe,
  daysSeen,
  describeValues,
  firstSeenUs,
  firstSensorOf,
  isSeenBy,
  lastSeenUs,
  type Ledger,
  type LedgerDays,
  type LedgerEntry,
  mostFrequent,
  nameEntries,
} from "./ledger.ts";
import { dayOf } from "../text/time.ts";
import type { ValueType } from "./value-rows.ts";

/** Seen on this many days, a value was established: its silence is worth a line. */
const GONE_MIN_DAYS = 3;

export interface NewHereEntry<Value = (string | null)[]> extends LedgerEntry<Value> {
  /** The sensors on which it is new since the day in question, though others knew it before. */
  newOn: string[];
}

export interface ReturningEntry<Value = (string | null)[]> extends LedgerEntry<Value> {
  /** Last day before the silence and first day after it. */
  lastSeenBefore: number;
  returnedOn: number;
  absentDays: number;
}

export interface Novelty {
  /** What "since" means in the lists below. */
  sinceDay: number;
  /** No claim of novelty before this day: the burn-in of the archive; null when it never ends. */
  claimsFromDay: number | null;
  /** Per type: distinct values in the archive, and the true lengths of the lists, which may be cut. */
  totals: {
    type: ValueType;
    values: number;
    active: number;
    new: number;
    newHere: number;
    returning: number;
    gone: number;
  }[];
  new: LedgerEntry[];
  newHere: NewHereEntry[];
  returning: ReturningEntry[];
  /** Seen on three days or more, and on none of the last `returningAfterDays` watched days of a sensor that knew it. */
  gone: LedgerEntry[];
  /** How many entries of one type a list holds at most; 0 = all. */
  limit: number;
}

export interface NoveltyOptions {
  /** First day of the lists "since". */
  sinceDay: number;
  returningAfterDays: number;
  burnInDays: number;
  /** Entries per list and type at most; 0 = all. */
  limit: number;
}

/** The novelty of an archive from that of its types of value. */
export function joinNovelty(types: readonly TypeNovelty[], coverage: Coverage, options: NoveltyOptions): Novelty {
  const claim = claimOffsets(coverage, options.burnInDays).fleet;
  return {
    sinceDay: options.sinceDay,
    claimsFromDay: claim < coverage.days ? coverage.firstDay + claim : null,
    totals: types.map(({ total }) => total),
    new: types.flatMap(type => type.new),
    newHere: types.flatMap(type => type.newHere),
    returning: types.flatMap(type => type.returning),
    gone: types.flatMap(type => type.gone),
    limit: options.limit,
  };
}

/** What one type of value has to say. */
export interface TypeNovelty<Value = (string | null)[]> {
  readonly total: Novelty["totals"][number];
  readonly new: readonly LedgerEntry<Value>[];
  readonly newHere: readonly NewHereEntry<Value>[];
  readonly returning: readonly ReturningEntry<Value>[];
  readonly gone: readonly LedgerEntry<Value>[];
}

/** Put the values themselves in place of their numbers. */
export function nameNovelty(
  { total, ...lists }: TypeNovelty<number>,
  textOf: (value: number) => (string | null)[],
): TypeNovelty {
  return {
    total,
    new: nameEntries(lists.new, textOf),
    newHere: nameEntries(lists.newHere, textOf),
    returning: nameEntries(lists.returning, textOf),
    gone: nameEntries(lists.gone, textOf),
  };
}

/** What a ledger must know of the days. */
export function ledgerDays(coverage: Coverage, { sinceDay, returningAfterDays, burnInDays }: NoveltyOptions): LedgerDays {
  const claims = claimOffsets(coverage, burnInDays);
  const claimDay = coverage.firstDay + claims.fleet;
  return { sinceDay, returningAfterDays, claimDay, claimDays: claims.sensors.map(offset => Math.max(claimDay, coverage.firstDay + offset)) };
}

/** The sensors on which values are new since a day, by what each saw of one. */
export function newSensorsOf(coverage: Coverage, options: NoveltyOptions): (seen: LedgerEntry["sensors"]) => string[] {
  const { sinceDay, claimDays } = ledgerDays(coverage, options);
  const firstDays = new Map(coverage.sensors.map((sensor, i) => [sensor, Math.max(sinceDay, claimDays[i]!)]));
  return seen => seen.filter(({ sensor, firstSeenUs: us }) => dayOf(us) >= firstDays.get(sensor)!).map(({ sensor }) => sensor).sort();
}

/**
 * Find what of one type of value is new, returning or gone; lists keep the most frequent entries.
 *
 * @param ledger Of the same {@link ledgerDays}.
 * @param describe Tells of chosen values; without what each sensor saw of them nobody knows where they are new.
 */
export function findNovelty(ledger: Ledger, coverage: Coverage, options: NoveltyOptions, describe: Describe = describeValues): TypeNovelty<number> {
  const { rows } = ledger;
  const { sinceDay } = options;
  const { claimDay } = ledgerDays(coverage, options);
  const fresh: number[] = [];
  const gone: number[] = [];
  let known = 0;
  let active = 0;
  const goneBefore = lastDaysToBeGone(coverage, options.returningAfterDays);
  for (let value = 0; value < rows.values; value++) {
    if (firstSensorOf(ledger, value) < 0) continue;
    known++;
    if (dayOf(lastSeenUs(ledger, value)) >= sinceDay) active++;
    if (dayOf(firstSeenUs(ledger, value)) >= Math.max(sinceDay, claimDay)) fresh.push(value);
    if (daysSeen(ledger, value) >= GONE_MIN_DAYS && isGone(ledger, value, goneBefore)) gone.push(value);
  }
  const { returned, newHere } = ledger;
  const returning = [...returned.keys()];
  const total = {
    type: rows.type,
    values: known,
    active,
    new: fresh.length,
    newHere: newHere.length,
    returning: returning.length,
    gone: gone.length,
  };
  const cut = (values: readonly number[]) => mostFrequent(values, ledger, options.limit);
  const lists = [cut(fresh), cut(newHere), cut(returning), cut(gone)] as const;
  const entries = describe(ledger, new Set(lists.flat()), coverage.sensors);
  const entry = (value: number) => entries.get(value)!;
  const newOn = newSensorsOf(coverage, options);
  return {
    total,
    new: lists[0].map(entry),
    newHere: lists[1].map((value): NewHereEntry<number> => ({ ...entry(value), newOn: newOn(entry(value).sensors) })),
    returning: lists[2].map((value): ReturningEntry<number> => {
      const { before, on } = returned.get(value)!;
      return { ...entry(value), lastSeenBefore: before, returnedOn: on, absentDays: on - before };
    }),
    gone: lists[3].map(entry),
  };
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
