/**
 * Texts in the order of their UTF-16 code units, as JavaScript compares strings, without comparing most of them: by sixteen bytes
 * at a time, which are sorted as numbers. Of texts that begin alike a few are compared; of many the next bytes are sorted.
 */
import { allTexts, type Texts } from "./dictionary.ts";

/** Below this many texts to compare them is no slower than to count digits. */
const RADIX_MIN_TEXTS = 2048;
/** Texts that begin with as much in common are compared: some may be at their end, and differ in nothing but zeros. */
const SKIPPED_MAX_BYTES = 256;
/** To sort fewer by hand is faster than to call for it. */
const FEW_TEXTS = 16;
/** Words of four bytes that are sorted at once, as digits of two bytes. */
const KEY_WORDS = [0, 1, 2, 3];
const DIGIT_VALUES = 1 << 16;

/**
 * The order of bytes in which UTF-8 is in the order of UTF-16: surrogates, which stand for what four bytes do, come before
 * U+E000 to U+FFFF, whose first byte is EE or EF.
 */
const RANK_OF_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0xf0 ? byte - 2 : byte >= 0xee ? byte + 5 : byte));

/** The texts in use, sorted, and `rank[code]` = place of a code among them (-1 = not in use). */
export function sortTexts(texts: Texts, used: Uint8Array): { sorted: string[]; rank: Int32Array } {
  const all = allTexts(texts);
  let size = 0;
  for (let code = 0; code < all.length; code++) size += used[code]!;
  const order = new Uint32Array(size);
  for (let code = 0, place = 0; code < all.length; code++) if (used[code] === 1) order[place++] = code;
  sortCodes(order, texts, all, 0);
  const rank = new Int32Array(all.length).fill(-1);
  const sorted: string[] = [];
  for (let place = 0; place < size; place++) {
    const code = order[place]!;
    rank[code] = place;
    sorted.push(all[code]!);
  }
  return { sorted, rank };
}

/** Sort codes of different texts in place, all of which have the same first `skipped` bytes. */
function sortCodes(order: Uint32Array, texts: Texts, all: readonly string[], skipped: number): void {
  const size = order.length;
  if (size < RADIX_MIN_TEXTS || skipped > SKIPPED_MAX_BYTES) return sortByComparing(order, all);
  const words = KEY_WORDS.map(word => wordsOf(order, texts, skipped + word * 4));
  const places = sortedPlaces(words);
  const codes = order.slice();
  for (let i = 0; i < size; i++) order[i] = codes[places[i]!]!;
  const [first, second, third, fourth] = words as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  for (let start = 0; start < size; ) {
    const place = places[start]!;
    let end = start + 1;
    for (; end < size; end++) {
      const other = places[end]!;
      if (fourth[other] !== fourth[place] || third[other] !== third[place]) break;
      if (second[other] !== second[place] || first[other] !== first[place]) break;
    }
    if (end - start > 1) sortCodes(order.subarray(start, end), texts, all, skipped + KEY_WORDS.length * 4);
    start = end;
  }
}

function sortByComparing(order: Uint32Array, all: readonly string[]): void {
  if (order.length > FEW_TEXTS) {
    order.sort((a, b) => (all[a]! < all[b]! ? -1 : 1));
    return;
  }
  for (let i = 1; i < order.length; i++) {
    const code = order[i]!;
    let place = i;
    for (; place > 0 && all[code]! < all[order[place - 1]!]!; place--) order[place] = order[place - 1]!;
    order[place] = code;
  }
}

/** Four bytes of each text from `skipped` on, zeros behind its end, as numbers. */
function wordsOf(order: Uint32Array, { arena, offsets }: Texts, skipped: number): Uint32Array {
  const words = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) words[i] = wordAt(arena, offsets[order[i]!]! + skipped, offsets[order[i]! + 1]!);
  return words;
}

/** Which of two bytes at which two texts part comes first: < 0 the first, > 0 the second; 0 = they are the same. */
export function compareBytes(a: number, b: number): number {
  // Some that are in no UTF-8 have the rank of others.
  return RANK_OF_BYTE[a]! - RANK_OF_BYTE[b]! || a - b;
}

/** Four bytes of a text as a number by which texts are in order; zeros behind its end. */
function wordAt(arena: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0;
  let word = RANK_OF_BYTE[arena[at]!]! << 24;
  if (at + 1 < end) word |= RANK_OF_BYTE[arena[at + 1]!]! << 16;
  if (at + 2 < end) word |= RANK_OF_BYTE[arena[at + 2]!]! << 8;
  if (at + 3 < end) word |= RANK_OF_BYTE[arena[at + 3]!]!;
  return word >>> 0;
}

/** Places of the keys in rising order, the first word counting most: stable passes from the lowest digit to the highest. */
function sortedPlaces(words: readonly Uint32Array[]): Uint32Array {
  const size = words[0]!.length;
  let places = new Uint32Array(size);
  for (let i = 0; i < size; i++) places[i] = i;
  let next = new Uint32Array(size);
  const starts = new Uint32Array(DIGIT_VALUES + 1);
  for (const word of words.toReversed()) {
    for (const shift of [0, 16]) {
      if (!sortByDigit(word, shift, places, next, starts)) continue;
      [places, next] = [next, places];
    }
  }
  return places;
}

/** @returns False if all have the same digit: then nothing is done. */
function sortByDigit(word: Uint32Array, shift: number, places: Uint32Array, sorted: Uint32Array, starts: Uint32Array): boolean {
  const size = word.length;
  starts.fill(0);
  for (let i = 0; i < size; i++) starts[((word[i]! >>> shift) & 0xffff) + 1]!++;
  if (starts[((word[0]! >>> shift) & 0xffff) + 1] === size) return false;
  for (let digit = 1; digit <= DIGIT_VALUES; digit++) starts[digit]! += starts[digit - 1]!;
  for (let i = 0; i < size; i++) {
    const place = places[i]!;
    sorted[starts[(word[place]! >>> shift) & 0xffff]!++] = place;
  }
  return true;
}
