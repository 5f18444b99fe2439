/**
 * Which sensor was watching on which day, and for how much of it: the exposure every rate is divided by.
 *
 * "No event" is not "nothing happened": a sensor may not have existed yet, may have been down, or may just be quiet.
 * What is told apart here is told apart by evidence that can be read: hourly totals, the sensor's own usual rate, and
 * the operator's list. Only the past of a day is used to judge it; no clock is read.
 */
import type { PartlyCut } from "../reduced/drawn-table.ts";
import { KIND_NAMES } from "../reduced/kinds.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import { DAY_US } from "../text/time.ts";
import type { Downtime } from "./downtime.ts";

export const HOUR_US = DAY_US / 24;

/** A silence is taken for an outage when a Poisson process of the sensor's usual rate would show it this seldom. */
const SILENCE_PROBABILITY = 1e-6;
const SILENCE_LOG = -Math.log(SILENCE_PROBABILITY);

/** Observed days before a day whose hourly totals give the usual rate; fewer than the minimum give none. */
const RATE_DAYS = 28;
const RATE_MIN_DAYS = 7;

/**
 * A quiet sensor's silence must also be this many times as long as the longest of its last observed days: its events
 * come in bursts, and the pauses between them are no chance.
 */
const LONGEST_TIMES = 2;

/** Days with less exposure than this take no part in baselines and tests. */
const MIN_EXPOSURE = 0.5;

/**
 * What is known of a sensor-day, in the order of the codes in {@link Coverage.status}.
 *
 * - `outside`: before the sensor's first event or after its last.
 * - `observed`: watched all 24 hours.
 * - `partial`: watched for some hours (first or last day, an outage of hours).
 * - `down`: no event where the usual rate makes that incredible, or the operator says so.
 * - `unknown`: no event, and the sensor is so quiet that this says nothing.
 * - `cut`: only counts that were cut to the top n before we saw them; shown, never tested.
 */
export const DAY_STATUS = ["outside", "observed", "partial", "down", "unknown", "cut"] as const;
/** One letter per status, for {@link SensorCoverage.days}. */
const STATUS_LETTERS = "-op.?c";

export const OBSERVED = 1;
export const PARTIAL = 2;
const DOWN = 3;
export const UNKNOWN = 4;
export const CUT = 5;

/** Hours in which a sensor is taken to have been down. */
export interface Outage {
  sensor: string;
  /** Start of the first hour and end of the last, microseconds since 1970-01-01 UTC. */
  fromUs: number;
  toUs: number;
  hours: number;
  /** `silence`: inferred from the usual rate; `operator`: from the operator's list. */
  origin: "silence" | "operator";
  /** Usual events per hour before it, see `usualRates`; null when the operator's list is the only evidence. */
  usualPerHour: number | null;
  /** Chance of so long a silence at the usual rate, a Poisson process assumed; null as above. */
  chance: number | null;
}

/** A sensor that was still silent when the archive ends. */
export interface SilentSensor {
  sensor: string;
  /** End of the last hour with an event, microseconds since 1970-01-01 UTC. */
  sinceUs: number;
  hours: number;
  usualPerHour: number;
  chance: number;
}

export interface CoverageOptions {
  /** `zero`: days without any event on which nothing can be decided count as watched, with zero events. */
  readonly quietDays?: "unknown" | "zero";
  readonly downtime?: readonly Downtime[];
  /** What stands for many sensors, on days of which some of their counts were cut. */
  readonly partlyCut?: PartlyCut;
}

/** The calendar; arrays over sensor-days are indexed `sensor * days + (day - firstDay)`. */
export interface Coverage {
  readonly sensors: readonly string[];
  /** Days since 1970-01-01 UTC. */
  readonly firstDay: number;
  readonly days: number;
  /** Codes into {@link DAY_STATUS}. */
  readonly status: Uint8Array;
  /** Watched share of the day, 0..1; NaN where nothing can be said (outside, unknown, cut). */
  readonly exposure: Float64Array;
  readonly events: Float64Array;
  /** Events per hour: `hourly[24 * cell + hour]`. */
  readonly hourly: Float64Array;
  /** Bit h is set when hour h was not watched, on days with a first or last event or an outage. */
  readonly unwatched: Uint32Array;
  readonly outages: Outage[];
  readonly silent: SilentSensor[];
  /** First and last event of each sensor, NaN when it has none (a cut source). */
  readonly firstSeenUs: Float64Array;
  readonly lastSeenUs: Float64Array;
}

/** One sensor's row of the calendar, for pages and JSON. */
export type SensorCoverage = ReturnType<typeof toSensorCoverage>[number];

/** Tell whether a sensor-day may enter baselines and tests. */
export function isUsable(coverage: Coverage, cell: number): boolean {
  return coverage.exposure[cell]! >= MIN_EXPOSURE;
}

/**
 * Build the calendar of a table from its `event` rows.
 *
 * A sensor-day that has other rows and no `event` row comes from counts that had been cut, and is marked so.
 * Memory: 24 numbers per sensor-day.
 */
export function buildCoverage(table: ReducedTable, options: CoverageOptions = {}): Coverage {
  const sensors = table.dictionaries.sensor;
  let first = Infinity;
  let last = -Infinity;
  for (const kind of KIND_NAMES) {
    // A verdict holds whenever it was given, also on days that were left out.
    if (kind === "scan") continue;
    const { day, rows } = table.kinds[kind];
    for (let row = 0; row < rows; row++) {
      if (day[row]! < first) first = day[row]!;
      if (day[row]! > last) last = day[row]!;
    }
  }
  const days = last >= first ? last - first + 1 : 0;
  const firstDay = days > 0 ? first : 0;
  const cells = sensors.length * days;
  const coverage: Coverage = {
    sensors,
    firstDay,
    days,
    status: new Uint8Array(cells),
    exposure: new Float64Array(cells).fill(NaN),
    events: new Float64Array(cells),
    hourly: new Float64Array(cells * 24),
    unwatched: new Uint32Array(cells),
    outages: [],
    silent: [],
    firstSeenUs: new Float64Array(sensors.length).fill(NaN),
    lastSeenUs: new Float64Array(sensors.length).fill(NaN),
  };
  const endHour = addEvents(coverage, table.kinds.event);
  const operator = operatorHours(coverage, options.downtime ?? []);
  for (let sensor = 0; sensor < sensors.length; sensor++) {
    judgeSensor(coverage, sensor, endHour, operator, options.quietDays ?? "unknown");
  }
  const setCut = (cell: number) => {
    coverage.status[cell] = CUT;
    coverage.exposure[cell] = NaN;
  };
  for (const kind of KIND_NAMES) if (kind !== "event" && kind !== "scan") eachCut(coverage, table.kinds[kind], setCut);
  const { sensor = 0, days: cutDays = [] } = options.partlyCut ?? {};
  for (const day of cutDays) if (day >= firstDay && day < firstDay + days) setCut(sensor * days + day - firstDay);
  return coverage;
}

/** Add the hourly totals; returns the hour, counted from the first day, at which the archive ends. */
function addEvents(coverage: Coverage, table: KindTable): number {
  const { firstDay, days, events, hourly, firstSeenUs, lastSeenUs } = coverage;
  const hours = table.keys.hour!;
  let endHour = 0;
  for (let row = 0; row < table.rows; row++) {
    const sensor = table.sensor[row]!;
    const offset = table.day[row]! - firstDay;
    const cell = sensor * days + offset;
    const hour = hours[row]!;
    const count = table.count[row]!;
    events[cell]! += count;
    // A row without an hour would be a total; spreading it would invent evidence.
    if (hour >= 0) hourly[cell * 24 + hour]! += count;
    if (hour >= 0 && offset * 24 + hour + 1 > endHour) endHour = offset * 24 + hour + 1;
    if (!(table.firstSeenUs[row]! >= firstSeenUs[sensor]!)) firstSeenUs[sensor] = table.firstSeenUs[row]!;
    if (!(table.lastSeenUs[row]! <= lastSeenUs[sensor]!)) lastSeenUs[sensor] = table.lastSeenUs[row]!;
  }
  return endHour;
}

/** Hours the operator took out: one bit per hour and sensor-day. An hour goes when most of it lies in the time. */
function operatorHours(coverage: Coverage, downtime: readonly Downtime[]): Uint32Array {
  const { sensors, firstDay, days } = coverage;
  const masks = new Uint32Array(sensors.length * days);
  for (const { sensor, fromUs, toUs } of downtime) {
    const start = Math.max(0, Math.round(fromUs / HOUR_US) - firstDay * 24);
    const end = Math.min(days * 24, Math.round(toUs / HOUR_US) - firstDay * 24);
    for (let s = 0; s < sensors.length; s++) {
      if (sensor !== "*" && sensor !== sensors[s]) continue;
      for (let hour = start; hour < end; hour++) masks[s * days + Math.floor(hour / 24)]! |= 1 << (hour % 24);
    }
  }
  return masks;
}

const ALL_HOURS = 0xffffff;

/** What was found out about one sensor's days; arrays by day. */
interface Judged {
  /** Hours found down by silence: one bit per hour, and the rate that says so. */
  readonly inferred: Uint32Array;
  readonly rates: Float64Array;
  /** Hours of silence before a day that count as evidence as well. */
  readonly silentBefore: Float64Array;
  /** Days with events, in order: what the usual rate is taken from. */
  readonly seenDays: number[];
}

function judgeSensor(
  coverage: Coverage,
  sensor: number,
  endHour: number,
  operator: Uint32Array,
  quietDays: "unknown" | "zero",
): void {
  const { days, hourly } = coverage;
  const base = sensor * days;
  const own = hourly.subarray(base * 24, (base + days) * 24);
  const firstHour = own.findIndex(count => count !== 0);
  if (firstHour < 0) return;
  const lastHour = own.findLastIndex(count => count !== 0);
  const judged = judgeDays(coverage, base, { firstHour, lastHour, endHour }, operator, quietDays);
  listOutages(coverage, sensor, operator, judged);

  const hours = countUnlisted(operator, base, lastHour + 1, endHour);
  if (hours < 1) return;
  const usual = usualRates(coverage, base, judged.seenDays, coverage.unwatched);
  const rate = usual.median * hours > SILENCE_LOG ? usual.median : isIncredibleFor(usual, hours) ? usual.active : NaN;
  if (!(rate * hours > SILENCE_LOG)) return;
  coverage.silent.push({
    sensor: coverage.sensors[sensor]!,
    sinceUs: (coverage.firstDay * 24 + lastHour + 1) * HOUR_US,
    hours,
    usualPerHour: rate,
    chance: Math.exp(-rate * hours),
  });
}

/** Judge the days of a sensor from the first with an event to the last, each by those before it. */
function judgeDays(
  coverage: Coverage,
  base: number,
  { firstHour, lastHour, endHour }: { firstHour: number; lastHour: number; endHour: number },
  operator: Uint32Array,
  quietDays: "unknown" | "zero",
): Judged {
  const { days, status, exposure, events, hourly, unwatched } = coverage;
  const lastOffset = Math.floor(lastHour / 24);
  // On the archive's own last day silence is judged like any other; elsewhere a last event ends the watch.
  const watchEnd = lastOffset === Math.floor((endHour - 1) / 24) ? endHour : lastHour + 1;
  const inferred = new Uint32Array(days);
  const rates = new Float64Array(days).fill(NaN);
  const silentBefore = new Float64Array(days);
  const seenDays: number[] = [];
  /** Hours since the last event, up to the day that is looked at. */
  let quietHours = 0;
  // What is usual changes with the days seen only: once for a silence, however long it is.
  let usual: UsualRates | undefined;
  for (let offset = Math.floor(firstHour / 24); offset <= lastOffset; offset++) {
    const cell = base + offset;
    const listed = operator[cell]!;
    let silentHours = 0;
    for (let hour = 0; hour < 24; hour++) if (hourly[cell * 24 + hour]! === 0) silentHours |= 1 << hour;
    const outside = outsideHours(offset, firstHour, watchEnd);
    const unexplained = silentHours & ~outside & ~listed;
    let down = 0;
    if (unexplained !== 0) {
      usual ??= usualRates(coverage, base, seenDays, unwatched);
      rates[offset] = usual.median;
      down = incredibleHours(unexplained, usual.median);
      // Only what is known by the end of the day is held against it: no later day changes an earlier one.
      if (down === 0 && events[cell] === 0 && isIncredibleFor(usual, quietHours + bitCount(~listed))) {
        down = unexplained;
        rates[offset] = usual.active;
        silentBefore[offset] = quietHours;
      }
    }
    inferred[offset] = down;
    unwatched[cell] = outside | down | listed;
    const watched = 24 - bitCount(unwatched[cell]!);
    if (events[cell]! > 0) {
      seenDays.push(offset);
      usual = undefined;
      const lastSeen = 31 - Math.clz32(~silentHours & ALL_HOURS);
      quietHours = bitCount(~listed & (ALL_HOURS << (lastSeen + 1)));
      status[cell] = watched === 24 ? OBSERVED : watched === 0 ? DOWN : PARTIAL;
      exposure[cell] = watched / 24;
    } else {
      quietHours += bitCount(~listed);
      status[cell] = watched === 0 ? DOWN : UNKNOWN;
      if (watched === 0 || quietDays === "zero") exposure[cell] = watched / 24;
    }
  }
  return { inferred, rates, silentBefore, seenDays };
}

/** Bits of the hours of a day that lie before the first event's hour or behind the end of the watch. */
function outsideHours(offset: number, firstHour: number, watchEnd: number): number {
  let bits = 0;
  for (let hour = 0; hour < 24; hour++) {
    const at = offset * 24 + hour;
    if (at < firstHour || at >= watchEnd) bits |= 1 << hour;
  }
  return bits;
}

/** Those runs of silent hours, each judged as a whole, that the usual rate makes incredible. */
function incredibleHours(silent: number, rate: number): number {
  let found = 0;
  for (let hour = 0; hour < 24; hour++) {
    if ((silent & (1 << hour)) === 0) continue;
    let run = 0;
    let bits = 0;
    for (; hour < 24 && (silent & (1 << hour)) !== 0; hour++, run++) bits |= 1 << hour;
    if (rate * run > SILENCE_LOG) found |= bits;
  }
  return found;
}

/** Hours of a time that the operator has not listed: hours that are known to be down are no silence. */
function countUnlisted(operator: Uint32Array, base: number, startHour: number, endHour: number): number {
  let hours = 0;
  for (let hour = startHour; hour < endHour; hour++) {
    if (((operator[base + Math.floor(hour / 24)]! >> (hour % 24)) & 1) === 0) hours++;
  }
  return hours;
}

/** What a sensor was used to over its last observed days; NaN with too few of them. */
interface UsualRates {
  /**
   * Median of the hourly totals. The median and not the mean, because attacks come in bursts: a mean would make every
   * calm hour look like an outage. 0 for a sensor that is silent in most hours.
   */
  median: number;
  /** Rate of a Poisson process with as many hours without an event: what can be said of such a sensor. */
  active: number;
  /** Hours of its longest silence. */
  longestSilence: number;
}

/** Tell whether a silence is incredible though most hours of the sensor are silent, see {@link LONGEST_TIMES}. */
function isIncredibleFor({ active, longestSilence }: UsualRates, hours: number): boolean {
  return active * hours > SILENCE_LOG && hours >= LONGEST_TIMES * longestSilence;
}

function usualRates(
  coverage: Coverage,
  base: number,
  seenDays: readonly number[],
  unwatched: Uint32Array,
): UsualRates {
  if (seenDays.length < RATE_MIN_DAYS) return { median: NaN, active: NaN, longestSilence: NaN };
  const recent = seenDays.slice(-RATE_DAYS);
  const values: number[] = [];
  for (const day of recent) {
    const cell = base + day;
    for (let hour = 0; hour < 24; hour++) {
      if ((unwatched[cell]! & (1 << hour)) === 0) values.push(coverage.hourly[cell * 24 + hour]!);
    }
  }
  if (values.length === 0) return { median: NaN, active: NaN, longestSilence: NaN };
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  const silentHours = values.filter(value => value === 0).length;
  // Half an hour is added to the silent ones, so that a sensor that never pauses has a rate, too.
  const active = -Math.log((silentHours + 0.5) / (values.length + 1));

  let longestSilence = 0;
  let run = 0;
  // Days without an event between the observed ones are silence as well, unless they were found to be down.
  for (let hour = recent[0]! * 24; hour < (recent.at(-1)! + 1) * 24; hour++) {
    const cell = base + Math.floor(hour / 24);
    if ((unwatched[cell]! & (1 << (hour % 24))) !== 0) continue;
    run = coverage.hourly[base * 24 + hour]! > 0 ? 0 : run + 1;
    if (run > longestSilence) longestSilence = run;
  }
  return { median, active, longestSilence };
}

/** Join unwatched hours that follow each other, also over midnight, into outages of one origin. */
function listOutages(
  coverage: Coverage,
  sensor: number,
  operator: Uint32Array,
  { inferred, rates, silentBefore }: Judged,
): void {
  const { days, firstDay, sensors, outages } = coverage;
  let open: Outage | undefined;
  let earlier = 0;
  for (let hour = 0; hour < days * 24; hour++) {
    const offset = Math.floor(hour / 24);
    const bit = 1 << (hour % 24);
    const origin =
      (operator[sensor * days + offset]! & bit) !== 0
        ? "operator"
        : (inferred[offset]! & bit) !== 0
          ? "silence"
          : undefined;
    if (open !== undefined && open.origin !== origin) open = undefined;
    if (origin === undefined) continue;
    if (open === undefined) {
      const fromUs = (firstDay * 24 + hour) * HOUR_US;
      const usualPerHour = origin === "silence" ? rates[offset]! : null;
      open = { sensor: sensors[sensor]!, fromUs, toUs: fromUs, hours: 0, origin, usualPerHour, chance: null };
      outages.push(open);
      earlier = silentBefore[offset]!;
    }
    open.hours++;
    open.toUs += HOUR_US;
    if (open.usualPerHour !== null) open.chance = Math.exp(-open.usualPerHour * (earlier + open.hours));
  }
}

/** Sensor-days that have rows of this kind and no event. */
function eachCut({ firstDay, days, events }: Coverage, table: KindTable, visit: (cell: number) => void): void {
  let before = -1;
  for (let row = 0; row < table.rows; row++) {
    const cell = table.sensor[row]! * days + table.day[row]! - firstDay;
    if (cell === before) continue;
    before = cell;
    if (events[cell] === 0) visit(cell);
  }
}

function bitCount(bits: number): number {
  let count = 0;
  for (let left = bits & ALL_HOURS; left !== 0; left &= left - 1) count++;
  return count;
}

/** The calendar as one row per sensor. */
export function toSensorCoverage(coverage: Coverage) {
  const { sensors, days, status, exposure, events, firstSeenUs, lastSeenUs } = coverage;
  return sensors.map((sensor, s) => {
    let letters = "";
    let observedDays = 0;
    let watchedDays = 0;
    const shares: (number | null)[] = [];
    for (let cell = s * days; cell < (s + 1) * days; cell++) {
      letters += STATUS_LETTERS[status[cell]!]!;
      const share = exposure[cell]!;
      shares.push(Number.isNaN(share) ? null : share);
      if (share > 0) watchedDays += share;
      if (status[cell] === OBSERVED || status[cell] === PARTIAL) observedDays++;
    }
    return {
      sensor,
      /** One letter per day of the archive: - outside, o observed, p partial, . down, ? unknown, c cut. */
      days: letters,
      /** Watched share per day; null where nothing can be said. */
      exposure: shares,
      events: Array.from(events.subarray(s * days, (s + 1) * days)),
      firstSeenUs: Number.isNaN(firstSeenUs[s]!) ? null : firstSeenUs[s]!,
      lastSeenUs: Number.isNaN(lastSeenUs[s]!) ? null : lastSeenUs[s]!,
      observedDays,
      /** Sum of the exposures: whole days watched. */
      watchedDays,
    };
  });
}
