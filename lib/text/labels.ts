/** Short forms for charts and key figures, where format.ts would take too much room. */
import { formatNumber } from "./format.ts";
import { visible } from "./text.ts";
import { DAY_MS, MONTHS, WEEKDAYS } from "./time.ts";

const UNITS = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** `1234567` as `1.2M`: at most four characters, for ticks and labels. */
export function toShort(n: number): string {
  for (const [unit, suffix] of UNITS) {
    if (n >= 0.9995 * unit) return `${trimZero((n / unit).toFixed(n < 9.95 * unit ? 1 : 0))}${suffix}`;
  }
  return trimZero(n.toFixed(n < 9.95 ? 1 : 0));
}

function trimZero(text: string): string {
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}

/** A change (0.12 = 12 % more) with its sign; a real minus, so that columns align. Only none at all is −100 %. */
export function toChange(change: number): string {
  const size = Math.abs(100 * change);
  const text = size >= 100 ? formatNumber(size) : trimZero((change < 0 ? Math.min(size, 99.9) : size).toFixed(1));
  return text === "0" ? "±0 %" : `${change < 0 ? "−" : "+"}${text} %`;
}

/** A day as `1 Mar`. */
export function toDayLabel(day: number): string {
  const date = new Date(day * DAY_MS);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]!}`;
}

/** A day as `Fri 1 Mar 2024`. */
export function toLongDay(day: number): string {
  const date = new Date(day * DAY_MS);
  return `${WEEKDAYS[date.getUTCDay()]!} ${toDayLabel(day)} ${date.getUTCFullYear()}`;
}

/** The month of a day as `Mar` or `Mar 2024`. */
export function toMonthLabel(day: number, withYear: boolean): string {
  const date = new Date(day * DAY_MS);
  const month = MONTHS[date.getUTCMonth()]!;
  return withYear ? `${month} ${date.getUTCFullYear()}` : month;
}

/** Put a text into quotes where nobody would see where it begins or ends, or that there is anything. */
export function quoteEdges(text: string): string {
  return text === "" || /^\s|\s$/.test(text) ? `"${text}"` : text;
}

/** A sensor's name for the eye, also where it has none. */
export function sensorLabel(sensor: string): string {
  return sensor === "" ? "(no name)" : quoteEdges(visible(sensor));
}

/** The time of day of a minute since 1970-01-01 UTC, `20:05`. */
export function toClock(minute: number): string {
  const ofDay = ((minute % 1440) + 1440) % 1440;
  return `${String(Math.floor(ofDay / 60)).padStart(2, "0")}:${String(ofDay % 60).padStart(2, "0")}`;
}
