/**
 * Dictionaries: equal bytes get equal codes, codes count up from 0 in order of first sight; the texts lie one behind the
 * other with their offsets, as an Arrow Utf8 column has them.
 *
 * Slots of eight bytes hold a tag of the hash beside the code, so a text is compared with another only where it is most
 * likely the same. The last text stands in the head: events of one session, sensor and address come one behind the other,
 * and need one comparison. (Slots with the first 16 bytes in them were slower: fewer fit into the cache.)
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { SLACK_BYTES, TEXT_COLUMN_COUNT } from "../layout.ts";
import { allocate, allocateZeroed, double, free } from "./heap.ts";
import { equalBytes, isEqual, maskOf } from "./vectors.ts";

/** The first three fields are read by TypeScript, see the layout. */
@unmanaged export class Dictionary {
  size: u32;
  arena: usize;
  offsets: usize;
  arenaBytes: u32;
  entries: u32;
  /** Hash of each text, eight bytes. */
  hashes: usize;
  /** Open addressing with linear probing: 0 = free, else the high half of the hash and code + 1. */
  slots: usize;
  slotMask: u32;
  /** The text interned last, up to its first 16 bytes. */
  lastStart: v128;
  lastLength: u32;
  lastCode: i32;
}

/** No text is as long. */
const NO_LENGTH: u32 = 0xffff_ffff;
/** Offsets are Int32 in Arrow's Utf8. */
const ARENA_MAX_BYTES: u32 = 0x7fff_ffff;

const COLUMNS: usize = memory.data(TEXT_COLUMN_COUNT * 128, 16);

/** The dictionary of a text column. */
@inline export function dictionaryOf(column: i32): Dictionary {
  return changetype<Dictionary>(COLUMNS + column * 128);
}

/** @param entries Texts it has room for before it grows; a power of two, as `arenaBytes` is. */
export function initDictionary(d: Dictionary, entries: u32, arenaBytes: u32): void {
  d.size = 0;
  d.arena = allocate(arenaBytes);
  d.arenaBytes = arenaBytes;
  d.entries = entries;
  d.offsets = allocate(entries * 4);
  store<u32>(d.offsets, 0);
  d.hashes = allocate(entries * 8);
  d.slots = allocateZeroed(entries * 16);
  d.slotMask = entries * 2 - 1;
  d.lastLength = NO_LENGTH;
  d.lastCode = -1;
}

@inline export function textStart(d: Dictionary, code: u32): usize {
  return d.arena + load<u32>(d.offsets + (<usize>code << 2));
}

@inline export function textLength(d: Dictionary, code: u32): u32 {
  const at = d.offsets + (<usize>code << 2);
  return load<u32>(at, 4) - load<u32>(at);
}

/** Whether a code stands for a text that is not empty. */
@inline export function hasText(column: i32, code: i32): bool {
  return code >= 0 && textLength(dictionaryOf(column), code) > 0;
}

// ---- Hash

/** Random, set by TypeScript before anything else: attackers choose the texts and must not know what collides. */
export const SEEDS: usize = memory.data(32, 16);

/**
 * Sixteen bytes to 64 bits (NH of UMAC, Black and others 1999): sums with secret numbers, multiplied in pairs. Two blocks
 * that differ meet for one in 2^32 seeds, whoever chose them. A multiplication by a known number instead keeps what
 * differs in the top bits in its place, for any seed, and the next step can be made to undo it.
 */
@inline function mixBlock(block: v128): u64 {
  const summed = i32x4.add(block, v128.load(SEEDS));
  const low = v128.extract_lane<u64>(summed, 0);
  const high = v128.extract_lane<u64>(summed, 1);
  return (low & 0xffff_ffff) * (low >> 32) + (high & 0xffff_ffff) * (high >> 32);
}

@inline function fold(hash: u64, mixed: u64): u64 {
  return (rotl<u64>(hash, 29) ^ mixed) * (load<u64>(SEEDS, 16) | 1);
}

@inline function finishHash(hash: u64): u64 {
  hash ^= hash >> 32;
  hash *= 0x9e37_79b9_7f4a_7c15;
  return hash ^ (hash >> 29);
}

/** Hash of sixteen bytes. */
@inline export function hashBlock(block: v128): u64 {
  return finishHash(fold(load<u64>(SEEDS, 24), mixBlock(block)));
}

/** @param start Its first 16 bytes; zeros behind its end where it has fewer. */
@inline function hashText(text: usize, length: u32, start: v128): u64 {
  let hash = fold(load<u64>(SEEDS, 24) + length, mixBlock(start));
  if (length > 16) {
    const last = text + length - 16;
    for (let at = text + 16; at < last; at += 16) hash = fold(hash, mixBlock(v128.load(at)));
    hash = fold(hash, mixBlock(v128.load(last)));
  }
  return finishHash(hash);
}

// ---- Look-up

/** Code of a text, or ~slot (negative) of the free slot where it would stand. */
@inline function locate(d: Dictionary, text: usize, length: u32, hash: u64): i32 {
  const tag = <u32>(hash >> 32);
  let slot = <u32>hash & d.slotMask;
  while (true) {
    const entry = load<u64>(d.slots + (<usize>slot << 3));
    if (entry == 0) return ~(<i32>slot);
    if (<u32>(entry >> 32) == tag) {
      const code = <u32>entry - 1;
      if (textLength(d, code) == length && equalBytes(textStart(d, code), text, length)) return code;
    }
    slot = (slot + 1) & d.slotMask;
  }
}

/** Code of a text, which is added if it is new. */
export function intern(d: Dictionary, text: usize, length: u32): i32 {
  const start = length < 16 ? v128.and(v128.load(text), maskOf(length)) : v128.load(text);
  if (length == d.lastLength && isEqual(start, d.lastStart)) {
    const last = d.lastCode;
    if (length <= 16 || equalBytes(textStart(d, last) + 16, text + 16, length - 16)) return last;
  }
  const hash = hashText(text, length, start);
  let code = locate(d, text, length, hash);
  if (code < 0) code = add(d, text, length, hash, ~code);
  d.lastStart = start;
  d.lastLength = length;
  d.lastCode = code;
  return code;
}

/** Code of a text, -1 if there is none. */
export function find(d: Dictionary, text: usize, length: u32): i32 {
  const start = length < 16 ? v128.and(v128.load(text), maskOf(length)) : v128.load(text);
  return max<i32>(-1, locate(d, text, length, hashText(text, length, start)));
}

function add(d: Dictionary, text: usize, length: u32, hash: u64, slot: u32): i32 {
  const code = d.size;
  const offset = load<u32>(d.offsets + (<usize>code << 2));
  const end = <u64>offset + length;
  if (end > ARENA_MAX_BYTES) unreachable();
  // Comparisons look a vector's width beyond a text.
  while (end + SLACK_BYTES > d.arenaBytes) {
    d.arena = double(d.arena, d.arenaBytes);
    d.arenaBytes *= 2;
  }
  memory.copy(d.arena + offset, text, length);
  store<u32>(d.offsets + (<usize>code << 2), <u32>end, 4);
  store<u64>(d.hashes + (<usize>code << 3), hash);
  store<u64>(d.slots + (<usize>slot << 3), slotEntry(hash, code));
  d.size = code + 1;
  // There is one more offset than there are texts.
  if (d.size + 1 == d.entries) growEntries(d);
  return code;
}

@inline function slotEntry(hash: u64, code: u32): u64 {
  return (hash & 0xffff_ffff_0000_0000) | (code + 1);
}

/** Twice the entries, and slots anew, of which no more than half are ever taken. */
function growEntries(d: Dictionary): void {
  const entries = d.entries;
  d.offsets = double(d.offsets, entries * 4);
  d.hashes = double(d.hashes, entries * 8);
  free(d.slots, entries * 16);
  d.entries = entries * 2;
  d.slots = allocateZeroed(entries * 32);
  d.slotMask = entries * 4 - 1;
  // In the order in which they came, on which `truncate` relies.
  for (let code: u32 = 0; code < d.size; code++) {
    const hash = load<u64>(d.hashes + (<usize>code << 3));
    let slot = <u32>hash & d.slotMask;
    while (load<u64>(d.slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & d.slotMask;
    store<u64>(d.slots + (<usize>slot << 3), slotEntry(hash, code));
  }
}

/**
 * Take back the texts added last, down to `size`.
 *
 * What was added last stands at the end of its run of slots, so that a slot set free leaves no gap before another text.
 */
export function truncate(d: Dictionary, size: u32): void {
  while (d.size > size) {
    const code = --d.size;
    const hash = load<u64>(d.hashes + (<usize>code << 3));
    let slot = <u32>hash & d.slotMask;
    while (<u32>load<u64>(d.slots + (<usize>slot << 3)) != code + 1) slot = (slot + 1) & d.slotMask;
    store<u64>(d.slots + (<usize>slot << 3), 0);
    d.lastLength = NO_LENGTH;
  }
}
