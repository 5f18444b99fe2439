/**
 * Instants as Cowrie writes them, to microseconds since 1970-01-01 UTC and to UTC days; how long a day is, and what
 * months and days of the week are called.
 *
 * Microseconds are held in doubles: exact for every year this module accepts.
 */

export const DAY_US = 86_400_000_000;
export const DAY_MS = 86_400_000;
export const DAY_SECONDS = 86_400;
const SECOND_US = 1_000_000;

/** From January on. */
export const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;
/** From Sunday on, as `Date` and cron count them. */
export const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

/** Years accepted; anything else is a broken clock and unreadable. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 2199;

/** What no accepted instant lies beyond, its zone included. */
export const EARLIEST_US = -DAY_US;
export const LATEST_US = Date.UTC(LAST_YEAR + 1) * 1000 + DAY_US;

const FORM = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))$/;

/**
 * Read `YYYY-MM-DDTHH:MM:SS[.fraction](Z|+HHMM|+HH:MM)`; digits behind the microsecond are cut off.
 *
 * @returns Microseconds since 1970-01-01 UTC, or NaN if the text has another form or names no real instant.
 */
export function parseTimestampUs(text: string): number {
  const match = FORM.exec(text);
  if (match === null) return NaN;
  const [, year, month, day, hour, minute, second, fraction = "", sign, zoneHours = "0", zoneMinutes = "0"] = match;
  const date = toDay(Number(year), Number(month), Number(day));
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return NaN;
  if (Number(zoneHours) > 23 || Number(zoneMinutes) > 59) return NaN;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const zoneSeconds = (sign === "-" ? -60 : 60) * (Number(zoneHours) * 60 + Number(zoneMinutes));
  return date * DAY_US + (seconds - zoneSeconds) * SECOND_US + Number(fraction.slice(0, 6).padEnd(6, "0"));
}

/** Day since 1970-01-01 of a calendar date, or NaN if there is no such date or the year is not accepted. */
export function toDay(year: number, month: number, day: number): number {
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1) return NaN;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const monthDays = month === 2 ? (leap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  if (day > monthDays) return NaN;
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/** UTC day of an instant. */
export function dayOf(us: number): number {
  return Math.floor(us / DAY_US);
}
