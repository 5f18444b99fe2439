/**
 * Numbers, sizes, durations and instants for human eyes; the same everywhere, whatever the machine's language or
 * time zone. Sizes are decimal: 1 MB = 10^6 bytes.
 */
import { DAY_MS } from "./time.ts";

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
/** Days JavaScript's calendar reaches on either side of 1970-01-01. */
const LAST_DAY = 100_000_000;

/**
 * A number with its thousands set apart: `1,234,567` or, with two fraction digits, `-1,234.50`.
 *
 * @param fractionDigits Digits after the point, always that many.
 * @returns "NaN" and "Infinity" as they are; never "-0".
 */
export function formatNumber(value: number, fractionDigits = 0): string {
  if (!Number.isFinite(value)) return String(value);
  // Most numbers are small counts.
  if (fractionDigits === 0 && value > 0 && value < 1000 && Math.floor(value) === value) return String(value);
  // From 10^21 on toFixed answers in powers of ten.
  const text = Math.abs(value) < 1e21 ? value.toFixed(fractionDigits) : BigInt(value).toString();
  const [whole, fraction] = text.replace(/^-(?=[0.]*$)/, "").split(".") as [string, string?];
  const grouped = groupThousands(whole);
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Digits, with a sign or without, in threes from the right. */
function groupThousands(digits: string): string {
  const first = digits.startsWith("-") ? 1 : 0;
  let end = digits.length - 3;
  if (end <= first) return digits;
  let grouped = digits.slice(end);
  for (; end - 3 > first; end -= 3) grouped = `${digits.slice(end - 3, end)},${grouped}`;
  return `${digits.slice(0, end)},${grouped}`;
}

/** A count and its noun: `1 log`, `1,234 logs`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}

/** Three digits that matter, for a number of 0 to 999.5; larger ones are grouped whole numbers. */
function threeDigits(value: number): string {
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return formatNumber(value, digits);
}

/** A size in decimal units: `999 B`, `1.23 kB`, `12.3 MB`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (Math.abs(value) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const sign = value < 0 ? "-" : "";
  return `${sign}${unit === 0 ? formatNumber(Math.abs(value)) : threeDigits(Math.abs(value))} ${BYTE_UNITS[unit]}`;
}

/** Bytes per second as `312 MB/s`; "-" when no time has passed. */
export function formatRate(bytes: number, seconds: number): string {
  return seconds > 0 ? `${formatBytes(bytes / seconds)}/s` : "-";
}

/** A length of time in its two largest units: `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 03 min`, `4 d 01 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return String(seconds);
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (seconds < 59.95) return `${formatNumber(seconds, seconds < 9.995 ? 2 : 1)} s`;
  const pair = (large: number, largeUnit: string, small: number, smallUnit: string) =>
    `${formatNumber(large)} ${largeUnit} ${String(small).padStart(2, "0")} ${smallUnit}`;
  const whole = Math.round(seconds);
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(seconds / 3600);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

/**
 * A share as percent with one digit: `12.3 %`. What is not quite nothing or not quite all never looks like it:
 * `<0.1 %`, `>99.9 %`.
 *
 * @param share 0..1.
 * @returns "-" for a share of nothing (NaN).
 */
export function formatShare(share: number): string {
  if (Number.isNaN(share)) return "-";
  if (share > 0 && share < 0.0005) return "<0.1 %";
  if (share < 1 && share >= 0.9995) return ">99.9 %";
  return `${formatNumber(share * 100, 1)} %`;
}

/**
 * A UTC day as `YYYY-MM-DD`; years outside 0000..9999 as `+YYYYYY-MM-DD` or `-YYYYYY-MM-DD`.
 *
 * @param day Days since 1970-01-01.
 * @throws {RangeError} if there is no such day.
 */
export function toIsoDay(day: number): string {
  if (!Number.isSafeInteger(day) || Math.abs(day) > LAST_DAY) {
    throw new RangeError(`Cannot show day ${day}: expected whole days since 1970-01-01`);
  }
  return new Date(day * DAY_MS).toISOString().split("T")[0]!;
}

/** From one day or instant to another, as they are shown; one alone where they are the same. */
export function toSpan(first: string, last: string): string {
  return first === last ? first : `${first} to ${last}`;
}

/**
 * Read `YYYY-MM-DD` as a day of the calendar.
 *
 * @returns Days since 1970-01-01 UTC; undefined for anything else, February 30th included.
 */
export function parseIsoDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const day = Date.parse(`${text}T00:00:00Z`) / DAY_MS;
  // Some engines roll February 30th over into March.
  return Number.isInteger(day) && toIsoDay(day) === text ? day : undefined;
}

/**
 * An instant as `YYYY-MM-DDTHH:MM:SS.ffffffZ`, as Cowrie writes it.
 *
 * @param us Microseconds since 1970-01-01 UTC; below the microsecond is cut off.
 * @throws {RangeError} if there is no such instant.
 */
export function toIsoInstant(us: number): string {
  const ms = Math.floor(us / 1000);
  if (!(Math.abs(ms) <= LAST_DAY * DAY_MS)) {
    throw new RangeError(`Cannot show instant ${us}: expected microseconds since 1970-01-01`);
  }
  const belowMs = String(Math.floor(us) - ms * 1000).padStart(3, "0");
  return `${new Date(ms).toISOString().slice(0, -1)}${belowMs}Z`;
}

/** An instant for a table or a line of text, to the second: `YYYY-MM-DD HH:MM:SS`, UTC. */
export function formatInstant(us: number): string {
  return toIsoInstant(us).replace("T", " ").replace(/\.\d+Z$/, "");
}
