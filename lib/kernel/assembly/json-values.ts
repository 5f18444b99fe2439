/**
 * JSON values that are passed over, by all of JSON's grammar: what the kernel takes, JSON.parse must take too.
 *
 * The white space is what Cowrie's writer knows, the space; any other is left to the plain path.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { skipString } from "./strings.ts";

/** Nesting deeper than this is left to the plain path. */
const DEPTH_MAX: i32 = 32;

const SPACE: u8 = 0x20;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_ARRAY: u8 = 0x5b;
const CLOSE_ARRAY: u8 = 0x5d;
const OPEN_OBJECT: u8 = 0x7b;
const CLOSE_OBJECT: u8 = 0x7d;

/** The words, as four bytes are read: `true`, `null`, `fals`. */
const TRUE: u32 = 0x6575_7274;
const NULL: u32 = 0x6c6c_756e;
const FALS: u32 = 0x736c_6166;

@inline export function skipSpaces(at: usize): usize {
  while (load<u8>(at) == SPACE) at++;
  return at;
}

/** Value of an ASCII digit; more than 9 = it is none. */
@inline export function digitAt(at: usize): u32 {
  return <u32>load<u8>(at) - 48;
}

/** Pass over any value. @returns Behind it; 0 if it is not sound, or not as Cowrie writes it. */
export function skipValue(at: usize, depth: i32): usize {
  const byte = load<u8>(at);
  if (byte == QUOTE) return skipString(at + 1);
  if (byte == 0x2d || digitAt(at) <= 9) return skipNumber(at);
  if (byte == OPEN_OBJECT || byte == OPEN_ARRAY) return depth == DEPTH_MAX ? 0 : skipNested(at, depth + 1);
  const word = load<u32>(at);
  if (word == TRUE || word == NULL) return at + 4;
  return word == FALS && load<u8>(at, 4) == 0x65 ? at + 5 : 0;
}

function skipDigits(at: usize): usize {
  while (digitAt(at) <= 9) at++;
  return at;
}

function skipNumber(at: usize): usize {
  if (load<u8>(at) == 0x2d) at++;
  let end = skipDigits(at);
  if (end == at || (load<u8>(at) == 48 && end > at + 1)) return 0;
  if (load<u8>(end) == 0x2e) {
    const fraction = end + 1;
    end = skipDigits(fraction);
    if (end == fraction) return 0;
  }
  if ((load<u8>(end) | 32) == 0x65) {
    let exponent = end + 1;
    const sign = load<u8>(exponent);
    if (sign == 0x2b || sign == 0x2d) exponent++;
    end = skipDigits(exponent);
    if (end == exponent) return 0;
  }
  return end;
}

function skipNested(at: usize, depth: i32): usize {
  const isObject = load<u8>(at) == OPEN_OBJECT;
  const close = isObject ? CLOSE_OBJECT : CLOSE_ARRAY;
  at = skipSpaces(at + 1);
  if (load<u8>(at) == close) return at + 1;
  while (true) {
    if (isObject) {
      if (load<u8>(at) != QUOTE) return 0;
      at = skipString(at + 1);
      if (at == 0 || load<u8>(at) != COLON) return 0;
      at = skipSpaces(at + 1);
    }
    at = skipValue(at, depth);
    if (at == 0) return 0;
    at = skipSpaces(at);
    const separator = load<u8>(at++);
    if (separator == close) return at;
    if (separator != COMMA) return 0;
    at = skipSpaces(at);
  }
}
