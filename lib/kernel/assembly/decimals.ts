/**
 * Durations: decimals to the nearest double, as JavaScript's Number reads them.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { digitAt } from "./json-values.ts";

/** Largest whole number up to which all are doubles. */
const EXACT_MAX: u64 = 1 << 53;
/** Ten to the power of 22 is the last that is a double; nineteen digits fit into 64 bits. */
const POWER_MAX: i32 = 22;
const DIGITS_MAX: i32 = 19;

const POWERS: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);

/** Behind the number read last. */
export let decimalEnd: usize = 0;

/** A number of seconds, or whole milliseconds, perhaps in quotes; NaN if it is neither, or left to the plain path. */
export function readDuration(at: usize, isMilliseconds: bool): f64 {
  const isQuoted = load<u8>(at) == 0x22;
  if (isQuoted) at++;
  const start = at;
  let digits = 0;
  let whole: u64 = 0;
  for (let digit = digitAt(at); digit <= 9; digit = digitAt(++at)) {
    whole = whole * 10 + digit;
    digits++;
  }
  if (digits == 0 || (digits > 1 && load<u8>(start) == 48)) return NaN;
  let power = isMilliseconds ? 3 : 0;
  if (!isMilliseconds && load<u8>(at) == 0x2e) {
    const fraction = ++at;
    for (let digit = digitAt(at); digit <= 9; digit = digitAt(++at)) {
      whole = whole * 10 + digit;
      if (whole != 0) digits++;
    }
    power = <i32>(at - fraction);
    if (power == 0) return NaN;
  }
  if (isQuoted && load<u8>(at++) != 0x22) return NaN;
  if (digits > DIGITS_MAX || power > POWER_MAX) return NaN;
  decimalEnd = at;
  // Whole milliseconds are rounded to a double first, then divided: not the same beyond the exact ones.
  if (whole > EXACT_MAX) return isMilliseconds ? NaN : divide(whole, power);
  // One division of two exact numbers is rounded once, as the nearest double to the decimal is (Clinger 1990).
  return <f64>whole / load<f64>(POWERS + (<usize>power << 3));
}

/**
 * `whole` / 10^power to the nearest double, NaN where in doubt; for the 17 digits that Python 2 wrote of a double.
 *
 * The quotient of the rounded number, then its remainder, which Dekker's product (1971) gives exactly, divided once more. What
 * is left out is less than 1e-10 of that second quotient: if adding a little more and a little less of it gives the same
 * double, that is the nearest one.
 */
function divide(whole: u64, power: i32): f64 {
  const divisor = load<f64>(POWERS + (<usize>power << 3));
  const rounded = <f64>whole;
  const rest = <f64>(<i64>(whole - <u64>rounded));
  const quotient = rounded / divisor;
  const product = quotient * divisor;
  const error = productError(quotient, divisor, product);
  const correction = (rounded - product - error + rest) / divisor;
  const more = quotient + correction * (1 + 1e-10);
  const less = quotient + correction * (1 - 1e-10);
  return more == less ? more : NaN;
}

/** What rounding took from `product` = a * b, exactly. */
function productError(a: f64, b: f64, product: f64): f64 {
  const scaledA = a * 134_217_729;
  const highA = scaledA - (scaledA - a);
  const lowA = a - highA;
  const scaledB = b * 134_217_729;
  const highB = scaledB - (scaledB - b);
  const lowB = b - highB;
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}
