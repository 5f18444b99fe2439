/**
 * Groups of events with an equal key: how many they are, from when to when, and from which addresses.
 *
 * A key is four words, compared and hashed as one vector: the kind with the place, and up to three key columns. The place is a
 * day and a sensor, and stands as a group of its own in the same table, so that it is one word in the keys of all others.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import { hashBlock } from "./dictionaries.ts";
import { allocate, allocateZeroed, double, free } from "./heap.ts";
import { isEqual } from "./vectors.ts";

@unmanaged export class Group {
  key: v128;
  firstUs: f64;
  lastUs: f64;
  /** Of the last command of a session: its row. */
  count: u32;
  /** Of the last command of a session: the code of its text. */
  success: u32;
  /** Code of the only address that is known of it, or one of the two below. */
  address: i32;
  /** Code of the address seen last. */
  lastAddress: i32;
}

const GROUP_BYTES: u32 = 48;

/** What stands in place of a group's only address. */
export const NO_ADDRESS: i32 = -1;
export const SEVERAL: i32 = -2;

/** Beyond every kind: a place. */
const KIND_PLACE: i32 = 15;
const KIND_BITS: i32 = 4;

const FIRST_CAPACITY: u32 = 256;

export let groupCount: u32 = 0;
let groups: usize = 0;
let capacity: u32 = 0;
/** As those of a dictionary: 0 = free, else the high half of the hash and the number of the group + 1. */
let slots: usize = 0;
let slotMask: u32 = 0;

export function startGroups(): void {
  groupCount = 0;
  capacity = FIRST_CAPACITY;
  groups = allocate(capacity * GROUP_BYTES);
  slots = allocateZeroed(capacity * 16);
  slotMask = capacity * 2 - 1;
}

@inline export function groupAt(index: u32): Group {
  return changetype<Group>(groups + <usize>index * <usize>GROUP_BYTES);
}

@inline export function keyOf(kind: i32, place: i32, first: i32, second: i32, third: i32): v128 {
  const head = i32x4.splat((place << KIND_BITS) | kind);
  return i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(head, 1, first), 2, second), 3, third);
}

@inline export function kindOf(group: Group): i32 {
  return i32x4.extract_lane(group.key, 0) & ((1 << KIND_BITS) - 1);
}

@inline export function placeOf(group: Group): i32 {
  return i32x4.extract_lane(group.key, 0) >> KIND_BITS;
}

/** @param sensor -1 = none. */
export function findPlace(day: i32, sensor: i32): i32 {
  return findGroup(KIND_PLACE, 0, day, sensor, 0);
}

@inline export function dayOfPlace(place: i32): i32 {
  return i32x4.extract_lane(groupAt(place).key, 1);
}

@inline export function sensorOfPlace(place: i32): i32 {
  return i32x4.extract_lane(groupAt(place).key, 2);
}

/** Number of the group with a key; one that is new counts nothing yet. */
export function findGroup(kind: i32, place: i32, first: i32, second: i32, third: i32): u32 {
  const key = keyOf(kind, place, first, second, third);
  const hash = hashBlock(key);
  const tag = <u32>(hash >> 32);
  let slot = <u32>hash & slotMask;
  while (true) {
    const entry = load<u64>(slots + (<usize>slot << 3));
    if (entry == 0) break;
    const index = <u32>entry - 1;
    if (<u32>(entry >> 32) == tag && isEqual(groupAt(index).key, key)) return index;
    slot = (slot + 1) & slotMask;
  }
  if (groupCount == capacity) {
    grow();
    slot = <u32>hash & slotMask;
    while (load<u64>(slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & slotMask;
  }
  store<u64>(slots + (<usize>slot << 3), (<u64>tag << 32) | (groupCount + 1));
  const group = groupAt(groupCount);
  group.key = key;
  group.firstUs = Infinity;
  group.lastUs = -Infinity;
  group.count = 0;
  group.success = 0;
  group.address = NO_ADDRESS;
  group.lastAddress = NO_ADDRESS;
  return groupCount++;
}

/** Room for twice as many, with no more than half of the slots taken. */
function grow(): void {
  groups = double(groups, capacity * GROUP_BYTES);
  free(slots, capacity * 16);
  capacity *= 2;
  slots = allocateZeroed(capacity * 16);
  slotMask = capacity * 2 - 1;
  for (let index: u32 = 0; index < groupCount; index++) {
    const hash = hashBlock(groupAt(index).key);
    let slot = <u32>hash & slotMask;
    while (load<u64>(slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & slotMask;
    store<u64>(slots + (<usize>slot << 3), (hash & 0xffff_ffff_0000_0000) | (index + 1));
  }
}
