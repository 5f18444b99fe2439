/**
 * Who watched, in one line; and which sensors of a fleet went another way than the rest.
 *
 * Tested in `test/lib/view/report-watch.test.ts`.
 */
import { formatNumber, plural } from "../text/format.ts";
import { toDayLabel } from "../text/labels.ts";
import { forEachCell } from "./cells.ts";
import { element, type Markup } from "./markup.ts";
import { round1 } from "./scale.ts";
import { buildHeatRows, chooseSteps, type Scope, sensorLives, sensorName } from "./report-view.ts";
import { DENSE_ROWS, type HeatRow } from "./heat-chart.ts";

/** Fewer sensors are no fleet that one could be unlike. */
const FLEET_SENSORS = 8;
/** Steps in which a sensor's days are held against the fleet's, weeks of a year; fewer tell nothing. */
const UNLIKE_STEPS = 60;
const LEAST_STEPS = 4;
/** A sensor is unlike the fleet if it strays so many median deviations more than the middle one, and so much at least. */
const UNLIKE_TIMES = 6;
const LEAST_STRAY = 0.15;
/** Names in a line. */
const NAMES_MOST = 4;
/** Days that are told by hours, at most. */
const HOURLY_DAYS = 3;
const STRIP_WIDTH = 1040;
const STRIP_HEIGHT = 14;

/**
 * How far each row strays from the rest: the mean of what is left of the logarithms of its counts when its own level and
 * that of each step are taken out.
 *
 * @returns `stray[row]`; 0 for a row without counts.
 */
export function strayOf(rows: readonly HeatRow[]): number[] {
  const logs = rows.map(({ values }) => values.map(value => (value == null ? NaN : Math.log1p(value))));
  const levels = logs.map(median);
  const centred = logs.map((row, i) => row.map(value => value - levels[i]!));
  const steps = rows[0]?.values.length ?? 0;
  const usual = Array.from({ length: steps }, (_, step) => median(centred.map(row => row[step]!)));
  return centred.map(row => {
    const left = row.map((value, step) => Math.abs(value - usual[step]!)).filter(value => !Number.isNaN(value));
    return left.length === 0 ? 0 : left.reduce((sum, value) => sum + value, 0) / left.length;
  });
}

/** Median of what is a number; 0 of nothing. */
function median(values: readonly number[]): number {
  const sorted = values.filter(value => !Number.isNaN(value)).sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length === 0 ? 0 : sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Names of the sensors that went another way than the fleet, the farthest first. */
export function findUnlike(rows: readonly HeatRow[]): string[] {
  if (rows.length < FLEET_SENSORS || (rows[0]?.values.length ?? 0) < LEAST_STEPS) return [];
  const stray = strayOf(rows);
  const middle = median(stray);
  const spread = median(stray.map(value => Math.abs(value - middle)));
  const limit = Math.max(middle + UNLIKE_TIMES * spread, middle + LEAST_STRAY);
  return [...stray.keys()]
    .filter(row => stray[row]! > limit)
    .sort((a, b) => stray[b]! - stray[a]! || a - b)
    .map(row => rows[row]!.name);
}

const unlikeKnown = new WeakMap<Scope, string[]>();

/** {@link findUnlike} of the events of the chosen days and sensors, whatever the width of a picture. */
export function unlikeOf(scope: Scope): string[] {
  let names = unlikeKnown.get(scope);
  if (names === undefined) unlikeKnown.set(scope, (names = findUnlike(buildHeatRows(scope, chooseSteps(scope, UNLIKE_STEPS)))));
  return names;
}

/**
 * Rows as they are drawn: of a fleet too large to be named row by row those unlike it stand on top, the others below by how
 * far they stray.
 *
 * @param unlike Names of those unlike the rest, the farthest first.
 * @returns `apart` is how many of them stand on top.
 */
export function orderRows(rows: readonly HeatRow[], unlike: readonly string[]): { rows: readonly HeatRow[]; apart: number } {
  if (rows.length < DENSE_ROWS) return { rows, apart: 0 };
  const top = unlike.flatMap(name => rows.filter(row => row.name === name));
  return { rows: [...top, ...sortByStray(rows).filter(row => !top.includes(row))], apart: top.length };
}

/** Room that a step of the sensors' days takes at least, in pixels: days, and weeks where sensors are thin rows. */
export function heatStep({ filter }: Scope): number {
  return filter.sensors.reduce((sum, one) => sum + one, 0) < DENSE_ROWS ? 2 : 8;
}

/** What the order of {@link orderRows} adds to the label of a picture. */
export function describeOrder(rows: readonly HeatRow[], apart: number): string {
  if (rows.length < DENSE_ROWS) return "";
  return apart === 0 ? "; those farthest from the rest on top" : `; ${plural(apart, "sensor")} unlike the rest above the line`;
}

export function sortByStray(rows: readonly HeatRow[]): HeatRow[] {
  const stray = strayOf(rows);
  return [...rows.keys()].sort((a, b) => stray[b]! - stray[a]! || a - b).map(row => rows[row]!);
}

/** Chosen sensors whose last event lies more than a day before the last day shown. */
function findSilent({ data, filter }: Scope): string[] {
  const { last } = filter.range;
  return sensorLives(data).flatMap((life, sensor) =>
    filter.sensors[sensor] === 1 && life !== undefined && life.last < last - 1 ? [sensorName(data, sensor)] : [],
  );
}

/** The line of the watch: how much of the days, which of them nobody watched, which sensors stand out. */
export function watchMarkup(scope: Scope): Markup[] {
  const shares = watchedShares(scope);
  const known = shares.reduce<number>((sum, share) => sum + share, 0);
  const days = describeWatched(known, shares.length);
  const none = [...shares.keys()].filter(day => shares[day] === 0).map(day => toDayLabel(scope.filter.range.first + day));
  const parts: (Markup | string)[] = [element("b", {}, "Watch"), ` ${days}`];
  if (none.length > 0) parts.push(`; nobody on ${listText(none)}`);
  const unlike = unlikeOf(scope);
  if (unlike.length > 0) parts.push(`; ${plural(unlike.length, "sensor")} unlike the fleet: `, ...names(unlike));
  const silent = findSilent(scope);
  if (silent.length > 0) parts.push("; silent now: ", ...names(silent));
  return [element("p", {}, ...parts, "."), stripMarkup(shares)];
}

/** Of few days by hours, which are what is known. */
function describeWatched(known: number, days: number): string {
  const isWhole = known % 1 === 0;
  if (days <= HOURLY_DAYS && !isWhole) return `${formatNumber(Math.max(1, Math.round(24 * known)))} of ${formatNumber(24 * days)} hours`;
  return `${formatNumber(known, isWhole ? 0 : 1)} of ${plural(days, "day")}`;
}

function names(list: readonly string[]): (Markup | string)[] {
  const shown = list.slice(0, NAMES_MOST).flatMap((name, i) => [...(i === 0 ? [] : [", "]), element("code", {}, name)]);
  return list.length > NAMES_MOST ? [...shown, ` and ${formatNumber(list.length - NAMES_MOST)} more`] : shown;
}

function listText(list: readonly string[]): string {
  const shown = list.slice(0, NAMES_MOST).join(", ");
  return list.length > NAMES_MOST ? `${shown} and ${formatNumber(list.length - NAMES_MOST)} more days` : shown;
}

/** Watched share of each day, of the chosen sensors that lived then; where no hours are known a day with an event is one. */
function watchedShares(scope: Scope): number[] {
  const { data, filter, watched } = scope;
  const alive = new Float64Array(watched.length);
  sensorLives(data).forEach((life, sensor) => {
    if (life === undefined || filter.sensors[sensor] !== 1) return;
    const from = Math.max(life.first, filter.range.first);
    for (let day = from; day <= Math.min(life.last, filter.range.last); day++) alive[day - filter.range.first]!++;
  });
  const hours = new Float64Array(watched.length);
  if (data.watchedHours === undefined) watched.forEach((sensors, day) => (hours[day] = 24 * sensors));
  else forEachCell(data.watchedHours, data.grid, filter, (day, _sensor, count) => (hours[day]! += count));
  return Array.from(hours, (sum, day) => Math.min(1, sum / (24 * Math.max(1, alive[day]!))));
}

/** A day a bar, as high as it was watched. */
function stripMarkup(shares: readonly number[]): Markup {
  const band = STRIP_WIDTH / Math.max(1, shares.length);
  let path = "";
  for (let start = 0, end = 0; start < shares.length; start = end) {
    while (end < shares.length && shares[end] === shares[start]) end++;
    const tall = round1(STRIP_HEIGHT * shares[start]!);
    if (tall > 0) path += `M${round1(start * band)} ${STRIP_HEIGHT}v-${tall}H${round1(end * band)}V${STRIP_HEIGHT}z`;
  }
  return element(
    "svg",
    { class: "strip-of-days", viewBox: `0 0 ${STRIP_WIDTH} ${STRIP_HEIGHT}`, width: STRIP_WIDTH, height: STRIP_HEIGHT, preserveAspectRatio: "none", "aria-hidden": "true" },
    element("rect", { class: "hatched", width: STRIP_WIDTH, height: STRIP_HEIGHT }),
    ...(path === "" ? [] : [element("path", { d: path })]),
  );
}
