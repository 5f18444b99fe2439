/**
 * Timestamps in the usual form, `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, to microseconds since 1970-01-01 UTC.
 *
 * Lines that follow each other share their minute: its sixteen bytes are compared at once and their value is kept.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { digitAt } from "./json-values.ts";
import { isEqual } from "./vectors.ts";

/** As `lib/text/time.ts` has them. */
const FIRST_YEAR: i32 = 1970;
const LAST_YEAR: i32 = 2199;
const MINUTE_US: f64 = 60_000_000;

let minuteText: v128 = i8x16.splat(0);
let minuteUs: f64 = 0;

/** Behind the closing quote of the timestamp read last. */
export let instantEnd: usize = 0;

/** @param at Behind the opening quote. @returns Microseconds, and `instantEnd` set; NaN for any other form. */
export function readInstant(at: usize): f64 {
  const text = v128.load(at);
  if (!isEqual(text, minuteText)) {
    if (!readMinute(at)) return NaN;
    minuteText = text;
  }
  const second = twoDigits(at + 17);
  if (load<u8>(at, 16) != 0x3a || second < 0 || second > 59) return NaN;
  at += 19;
  let micros = 0;
  if (load<u8>(at) == 0x2e) {
    micros = sixDigits(at + 1);
    if (micros >= 0) {
      instantEnd = at + 9;
      return minuteUs + <f64>(second * 1_000_000 + micros);
    }
    let count = 0;
    micros = 0;
    for (at++; count < 6 && digitAt(at) <= 9; at++, count++) micros = micros * 10 + digitAt(at);
    if (count == 0) return NaN;
    for (; count < 6; count++) micros *= 10;
  }
  if (load<u16>(at) != 0x225a) return NaN;
  instantEnd = at + 2;
  return minuteUs + <f64>(second * 1_000_000 + micros);
}

/** Value of two digits; far below 0 if one is none. */
@inline function twoDigits(at: usize): i32 {
  const tens = digitAt(at);
  const ones = digitAt(at + 1);
  return tens <= 9 && ones <= 9 ? <i32>(tens * 10 + ones) : -1_000_000;
}

/** Value of six digits with `Z"` behind them, by one word of eight bytes; -1 if they are none. */
@inline function sixDigits(at: usize): i32 {
  const word = load<u64>(at);
  const digits = word & 0x0f0f_0f0f_0f0f;
  const isOurs = word >> 48 == 0x225a && (word & 0xf0f0_f0f0_f0f0) == 0x3030_3030_3030;
  // From ten on, six more make the upper half of the byte one.
  if (!isOurs || ((digits + 0x0606_0606_0606) & 0xf0f0_f0f0_f0f0) != 0) return -1;
  // The pairs stand in bytes 0, 2 and 4: the first digit is the lowest byte.
  const pairs = digits * 10 + (digits >> 8);
  return <i32>((pairs & 0xff) * 10_000 + ((pairs >> 16) & 0xff) * 100 + ((pairs >> 32) & 0xff));
}

function readMinute(at: usize): bool {
  if (load<u8>(at, 4) != 0x2d || load<u8>(at, 7) != 0x2d || load<u8>(at, 10) != 0x54 || load<u8>(at, 13) != 0x3a) return false;
  const year = twoDigits(at) * 100 + twoDigits(at + 2);
  const month = twoDigits(at + 5);
  const day = twoDigits(at + 8);
  const hour = twoDigits(at + 11);
  const minute = twoDigits(at + 14);
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  minuteUs = <f64>((dayNumber(year, month, day) * 24 + hour) * 60 + minute) * MINUTE_US;
  return true;
}

function daysOf(year: i32, month: i32): i32 {
  if (month != 2) return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
}

/** Days since 1970-01-01 of a date (Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil). */
function dayNumber(year: i32, month: i32, day: i32): i32 {
  if (month <= 2) year--;
  const era = year / 400;
  const yearOfEra = year - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
