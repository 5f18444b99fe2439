/**
 * Changes of level that only one sensor saw: of a key that others have as well, and that stays as it is over the fleet.
 *
 * Looked at are the sensors that have a good part of a key, each on the days on which it watched. As a key is then asked about
 * more than once, each sensor must say it the more clearly. Bursts are left to the fleet: they are counted there.
 */
import type { RowAddresses } from "../reduced/addresses.ts";
import type { KindTable } from "../reduced/reduced-table.ts";
import type { Coverage } from "../statistics/coverage.ts";
import { countByDay, type DaySeries, toWatch, type Watch } from "./day-series.ts";
import { findShape, PENALTY } from "./levels.ts";
import { measureNoise, sizeOf } from "./noise.ts";
import { countDaily } from "./source-sets.ts";
import { findSpans, type Span } from "./spans.ts";

/** Fewer events on a sensor make levels of their bursts, and most keys have no more. */
const LEAST_HERE = 30;
/** A sensor is looked at that has this part of a key's events; one that has more than the other is the fleet, about. */
const LEAST_PART = 0.1;
const MOST_PART = 0.9;
/** Of this part of the days of both together, a span of the fleet says the same. */
const SAME_PART = 0.5;

/** A span of a key on one sensor, or on some, of which this one tells it best; its days are places in that one's watch. */
export interface SensorSpan {
  readonly sensor: number;
  /** Of all sensors that saw it. */
  readonly series: DaySeries;
  readonly span: Span;
}

/** The days on which each sensor watched. */
export function buildSensorWatches({ sensors, days, firstDay, exposure }: Coverage): Watch[] {
  return sensors.map((_, sensor) => toWatch(exposure.slice(sensor * days, (sensor + 1) * days).map(share => share || 0), firstDay));
}

/** What a key is looked at with. */
export interface SensorLook {
  readonly own: KindTable;
  /** Of the whole fleet, and by sensor. */
  readonly watch: Watch;
  readonly watches: readonly Watch[];
  /** Where sources are counted: whom the rows came from. */
  readonly addresses: RowAddresses | undefined;
  /** The correlation that is usual in the family. */
  readonly usual: number;
}

/** @param fleet The spans of the key over the fleet, by places in its watch. */
export function findSensorSpans(series: DaySeries, fleet: readonly Span[], look: SensorLook): SensorSpan[] {
  const { own, watch } = look;
  return tellSensorSpans(countOnSensors(series, look), fleet, look).map(({ sensor, counts, span, sensors }) => {
    const rows = series.rows.filter(row => sensors.includes(own.sensor[row]!));
    // Its events are told by the days of the fleet.
    const events = countByDay(own, rows, row => watch.placeOf[own.day[row]! - watch.firstDay]!, watch.days.length);
    return { sensor, span, series: { ...series, rows, counts, events } };
  });
}

/** What a sensor has of a key on the days of its watch: sources, else events. */
export interface OnSensor {
  readonly sensor: number;
  readonly counts: Float64Array;
}

/** A span on one sensor, and on which others it is the same. */
export interface ToldSpan extends OnSensor {
  readonly span: Span;
  /** That one first. */
  readonly sensors: readonly number[];
}

/**
 * Spans of a key on single sensors that the fleet does not tell, the same on several once.
 *
 * @param all What the sensors have that are looked at.
 * @param fleet The spans of the key over the fleet, by places in its watch.
 */
export function tellSensorSpans(all: readonly OnSensor[], fleet: readonly Span[], { watch, watches, usual }: Pick<SensorLook, "watch" | "watches" | "usual">): ToldSpan[] {
  const found = all.flatMap(({ sensor, counts }) => {
    const here = watches[sensor]!;
    const spans = findOwnSpans(counts, here.exposure, { usual, series: all.length }).filter(span => {
      return isWhole(span, here, watch) && !fleet.some(other => isSame(span, here, other, watch));
    });
    return spans.map(span => ({ sensor, counts, span }));
  });
  const told: (OnSensor & { span: Span; sensors: number[] })[] = [];
  for (const one of found.sort((a, b) => b.span.gain - a.span.gain)) {
    const same = told.find(({ sensor, span }) => isSame(one.span, watches[one.sensor]!, span, watches[sensor]!));
    if (same === undefined) told.push({ ...one, sensors: [one.sensor] });
    else same.sensors.push(one.sensor);
  }
  return told;
}

/** The spans of one of several series of a key, but for bursts. */
export function findOwnSpans(
  counts: Float64Array,
  exposure: Float64Array,
  { usual, series }: { usual: number; series: number },
): Span[] {
  const size = sizeOf(measureNoise(counts, exposure), usual);
  const shape = findShape(counts, exposure, { size, penalty: PENALTY, series });
  return findSpans(counts, exposure, size, shape).filter(span => span.shape !== "burst");
}

/** The sensors that have enough of a key, and what each has. */
export function countOnSensors({ rows }: DaySeries, { own, watches, addresses }: SensorLook): OnSensor[] {
  const sums = new Float64Array(watches.length);
  for (let i = 0; i < rows.length; i++) sums[own.sensor[rows[i]!]!]! += own.count[rows[i]!]!;
  return sensorsLookedAt(sums).map(sensor => {
    const { placeOf, firstDay, days } = watches[sensor]!;
    const here = rows.filter(row => own.sensor[row] === sensor);
    const place = (row: number) => placeOf[own.day[row]! - firstDay]!;
    const sources = addresses && countDaily(addresses, here, place, days.length);
    return { sensor, counts: sources ?? countByDay(own, here, place, days.length) };
  });
}

/** @param sums Events of a key by sensor. */
export function sensorsLookedAt(sums: Float64Array): number[] {
  const total = sums.reduce((sum, count) => sum + count, 0);
  const isEnough = (sum: number) => sum >= LEAST_HERE && sum >= LEAST_PART * total && sum <= MOST_PART * total;
  return [...sums.keys()].filter(sensor => isEnough(sums[sensor]!));
}

/** Whether what lasts to the end of a sensor's watch lasts to the archive's: of one that fell silent nobody knows. */
function isWhole({ end }: Span, here: Watch, { days }: Watch): boolean {
  return end < here.days.length || here.days.at(-1) === days.at(-1);
}

/** Whether a span of another watch has about the same days. */
function isSame(span: Span, here: Watch, other: Span, watch: Watch): boolean {
  const [first, last] = [here.days[span.start]!, here.days[span.end - 1]!];
  const [otherFirst, otherLast] = [watch.days[other.start]!, watch.days[other.end - 1]!];
  const shared = Math.min(last, otherLast) - Math.max(first, otherFirst) + 1;
  const either = Math.max(last, otherLast) - Math.min(first, otherFirst) + 1;
  return shared >= SAME_PART * either;
}
