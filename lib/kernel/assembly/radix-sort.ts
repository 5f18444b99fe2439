/**
 * Words of 64 bits in rising order: stable passes from the lowest bits to the highest, those left out in which all are equal.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import { allocate, free } from "./heap.ts";

const BITS: u32 = 11;
const DIGITS: u32 = 1 << BITS;
const STARTS: usize = memory.data((1 << 11) * 4);

/**
 * Sort words.
 *
 * @param bytes Of the block that they lie in, as it was asked for.
 * @returns Where they lie now, in a block as large; the other one is freed.
 */
export function sortWords(words: usize, count: u32, bytes: u32): usize {
  let from = words;
  let to = allocate(bytes);
  const end = <usize>count << 3;
  // Bits that are not the same in all.
  let different: u64 = 0;
  for (let at = from; at < from + end; at += 8) different |= load<u64>(at) ^ load<u64>(from);
  for (let shift: u32 = 0; shift < 64; shift += BITS) {
    if (((different >> shift) & (DIGITS - 1)) == 0) continue;
    sortByDigit(from, from + end, to, shift);
    const swapped = from;
    from = to;
    to = swapped;
  }
  free(to, bytes);
  return from;
}

@inline function digitOf(at: usize, shift: u32): usize {
  return STARTS + ((<u32>(load<u64>(at) >> shift) & (DIGITS - 1)) << 2);
}

function sortByDigit(from: usize, end: usize, to: usize, shift: u32): void {
  memory.fill(STARTS, 0, DIGITS * 4);
  for (let at = from; at < end; at += 8) {
    const digit = digitOf(at, shift);
    store<u32>(digit, load<u32>(digit) + 1);
  }
  let start: u32 = 0;
  for (let digit = STARTS; digit < STARTS + DIGITS * 4; digit += 4) {
    const counted = load<u32>(digit);
    store<u32>(digit, start);
    start += counted;
  }
  for (let at = from; at < end; at += 8) {
    const digit = digitOf(at, shift);
    const place = load<u32>(digit);
    store<u64>(to + (<usize>place << 3), load<u64>(at));
    store<u32>(digit, place + 1);
  }
}
