/**
 * JSON strings: where they end, and what their escapes stand for.
 *
 * Sixteen bytes a step; LF is a control character, so no scan leaves its line.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { SLACK_BYTES } from "../layout.ts";
import { Dictionary, intern } from "./dictionaries.ts";
import { allocate, free } from "./heap.ts";

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;

/** A bit for each of sixteen bytes at which a text ends that is kept as it stands: not ASCII, or not itself in JSON. */
@inline function textStops(at: usize): u32 {
  const bytes = v128.load(at);
  const marks = v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c)));
  // As signed numbers, bytes from 128 on are below the control characters.
  return i8x16.bitmask(v128.or(marks, i8x16.lt_s(bytes, i8x16.splat(0x20))));
}

/** The same for a string that is passed over: bytes from 128 on are part of it, well formed or not. */
@inline function stringStops(at: usize): u32 {
  const bytes = v128.load(at);
  const marks = v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c)));
  return i8x16.bitmask(v128.or(marks, i8x16.lt_u(bytes, i8x16.splat(0x20))));
}

/** Where a text ends that is ASCII without escapes: at its quote, or at what ends its being so. */
@inline export function textEnd(at: usize): usize {
  let stops = textStops(at);
  while (stops == 0) {
    at += 16;
    stops = textStops(at);
  }
  return at + ctz(stops);
}

/** The same of a string with bytes beyond ASCII. */
@inline export function stringEnd(at: usize): usize {
  let stops = stringStops(at);
  while (stops == 0) {
    at += 16;
    stops = stringStops(at);
  }
  return at + ctz(stops);
}

/** Pass over a string. @param at Behind its opening quote. @returns Behind its closing one; 0 if it is not sound. */
export function skipString(at: usize): usize {
  while (true) {
    at = stringEnd(at);
    const byte = load<u8>(at);
    if (byte == QUOTE) return at + 1;
    if (byte != BACKSLASH) return 0;
    if (load<u8>(at, 1) == 0x75) {
      if (hexValue(at + 2) < 0) return 0;
      at += 6;
    } else {
      if (unescaped(load<u8>(at, 1)) == 0) return 0;
      at += 2;
    }
  }
}

/** The byte that a letter behind a backslash stands for; 0 = no such escape (`\u` apart). */
function unescaped(letter: u8): u8 {
  switch (letter) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return letter;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return 0;
  }
}

/** Value of four hexadecimal digits, -1 if they are none. */
function hexValue(at: usize): i32 {
  let value = 0;
  for (const end = at + 4; at < end; at++) {
    const byte = <i32>load<u8>(at);
    const letter = byte | 32;
    let digit = -1;
    if (byte >= 48 && byte <= 57) digit = byte - 48;
    else if (letter >= 97 && letter <= 102) digit = letter - 87;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

let scratch: usize = 0;
let scratchBytes: u32 = 0;

/** Room for a text of `length` bytes that is put together; good until the next is asked for. */
export function scratchFor(length: u32): usize {
  if (length + SLACK_BYTES > scratchBytes) {
    if (scratchBytes > 0) free(scratch, scratchBytes);
    scratchBytes = <u32>1 << (33 - clz<u32>(length + SLACK_BYTES));
    scratch = allocate(scratchBytes);
  }
  return scratch;
}

/** To be called where the heap was reset. */
export function forgetScratch(): void {
  scratchBytes = 0;
}

/** Behind the string interned last by {@link internEscaped}. */
export let escapedEnd: usize = 0;

/**
 * Intern a string that has escapes.
 *
 * @returns Its code; -1 if it is not sound, has bytes beyond ASCII as they are, or a surrogate: those want pairing and,
 * alone, another character.
 */
export function internEscaped(d: Dictionary, at: usize): i32 {
  escapedEnd = skipString(at);
  if (escapedEnd == 0) return -1;
  const end = escapedEnd - 1;
  // An escape is never shorter than what it stands for.
  const start = scratchFor(<u32>(end - at));
  let to = start;
  while (at < end) {
    const byte = load<u8>(at++);
    if (byte >= 128) return -1;
    if (byte != BACKSLASH) {
      store<u8>(to++, byte);
      continue;
    }
    const letter = load<u8>(at++);
    if (letter != 0x75) {
      store<u8>(to++, unescaped(letter));
      continue;
    }
    const unit = hexValue(at);
    at += 4;
    if ((unit & 0xf800) == 0xd800) return -1;
    if (unit < 0x80) {
      store<u8>(to++, <u8>unit);
    } else if (unit < 0x800) {
      store<u8>(to++, <u8>(0xc0 | (unit >> 6)));
      store<u8>(to++, <u8>(0x80 | (unit & 63)));
    } else {
      store<u8>(to++, <u8>(0xe0 | (unit >> 12)));
      store<u8>(to++, <u8>(0x80 | ((unit >> 6) & 63)));
      store<u8>(to++, <u8>(0x80 | (unit & 63)));
    }
  }
  return intern(d, start, <u32>(to - start));
}
