/**
 * Tuples of four words, numbered from 0 in the order of first sight, each at the head of a record of its own.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts` and `test/lib/logs/kernel-sessions.test.ts`.
 */
import { hashBlock } from "./dictionaries.ts";
import { allocate, allocateZeroed, double, free } from "./heap.ts";
import { isEqual } from "./vectors.ts";

@unmanaged export class Tuples {
  count: u32;
  capacity: u32;
  records: usize;
  /** Bytes of a record, the tuple among them. */
  stride: u32;
  /** As those of a dictionary: 0 = free, else the high half of the hash and the number of the tuple + 1. */
  slots: usize;
  slotMask: u32;
}

/** Bytes of {@link Tuples}. */
export const TUPLES_BYTES: i32 = 32;

const FIRST_CAPACITY: u32 = 256;

export function startTuples(t: Tuples, stride: u32): void {
  t.count = 0;
  t.capacity = FIRST_CAPACITY;
  t.stride = stride;
  t.records = allocate(FIRST_CAPACITY * stride);
  t.slots = allocateZeroed(FIRST_CAPACITY * 16);
  t.slotMask = FIRST_CAPACITY * 2 - 1;
}

@inline export function tupleOf(first: i32, second: i32, third: i32, fourth: i32): v128 {
  const words = i32x4.replace_lane(i32x4.splat(first), 1, second);
  return i32x4.replace_lane(i32x4.replace_lane(words, 2, third), 3, fourth);
}

/** Where the record of a tuple is. */
@inline export function recordAt(t: Tuples, index: u32): usize {
  return t.records + <usize>index * <usize>t.stride;
}

/** Number of a tuple; the record of one that is new, which takes the count one up, holds anything behind it. */
export function findTuple(t: Tuples, first: i32, second: i32, third: i32, fourth: i32): u32 {
  const tuple = tupleOf(first, second, third, fourth);
  const hash = hashBlock(tuple);
  const tag = <u32>(hash >> 32);
  let slot = <u32>hash & t.slotMask;
  while (true) {
    const entry = load<u64>(t.slots + (<usize>slot << 3));
    if (entry == 0) break;
    const index = <u32>entry - 1;
    if (<u32>(entry >> 32) == tag && isEqual(v128.load(recordAt(t, index)), tuple)) return index;
    slot = (slot + 1) & t.slotMask;
  }
  if (t.count == t.capacity) {
    grow(t);
    slot = <u32>hash & t.slotMask;
    while (load<u64>(t.slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & t.slotMask;
  }
  store<u64>(t.slots + (<usize>slot << 3), (<u64>tag << 32) | (t.count + 1));
  v128.store(recordAt(t, t.count), tuple);
  return t.count++;
}

/** Room for twice as many, with no more than half of the slots taken. */
function grow(t: Tuples): void {
  t.records = double(t.records, t.capacity * t.stride);
  free(t.slots, t.capacity * 16);
  t.capacity *= 2;
  t.slots = allocateZeroed(t.capacity * 16);
  t.slotMask = t.capacity * 2 - 1;
  for (let index: u32 = 0; index < t.count; index++) {
    const hash = hashBlock(v128.load(recordAt(t, index)));
    let slot = <u32>hash & t.slotMask;
    while (load<u64>(t.slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & t.slotMask;
    store<u64>(t.slots + (<usize>slot << 3), (hash & 0xffff_ffff_0000_0000) | (index + 1));
  }
}
