/**
 * Groups of events with an equal key: how many they are, from when to when, and from which addresses.
 *
 * A key is four words, compared and hashed as one vector: the kind with the place, and up to three key columns. The place is a
 * day and a sensor, and stands as a group of its own in the same table, so that it is one word in the keys of all others.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import { findTuple, startTuples, tupleOf, Tuples, TUPLES_BYTES } from "./tuples.ts";

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

const GROUPS: Tuples = changetype<Tuples>(memory.data(TUPLES_BYTES, 16));

export function startGroups(): void {
  startTuples(GROUPS, GROUP_BYTES);
}

/** How many groups there are. */
@inline export function groupCount(): u32 {
  return GROUPS.count;
}

@inline export function groupAt(index: u32): Group {
  return changetype<Group>(GROUPS.records + <usize>index * <usize>GROUP_BYTES);
}

@inline function headOf(kind: i32, place: i32): i32 {
  return (place << KIND_BITS) | kind;
}

@inline export function keyOf(kind: i32, place: i32, first: i32, second: i32, third: i32): v128 {
  return tupleOf(headOf(kind, place), first, second, third);
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
  const before = GROUPS.count;
  const index = findTuple(GROUPS, headOf(kind, place), first, second, third);
  if (GROUPS.count == before) return index;
  const group = groupAt(index);
  group.firstUs = Infinity;
  group.lastUs = -Infinity;
  group.count = 0;
  group.success = 0;
  group.address = NO_ADDRESS;
  group.lastAddress = NO_ADDRESS;
  return index;
}
