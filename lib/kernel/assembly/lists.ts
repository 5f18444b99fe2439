/**
 * Records of one size, one behind the other.
 *
 * Tested in `test/lib/logs/kernel-sessions.test.ts`.
 */
import { allocate, double } from "./heap.ts";

@unmanaged export class List {
  count: u32;
  capacity: u32;
  records: usize;
}

/** Bytes of {@link List}. */
export const LIST_BYTES: i32 = 16;

const FIRST_CAPACITY: u32 = 256;

export function startList(list: List, stride: u32): void {
  list.count = 0;
  list.capacity = FIRST_CAPACITY;
  list.records = allocate(FIRST_CAPACITY * stride);
}

/** Where the next record is to be put. @param stride As the list was started with. */
export function addRecord(list: List, stride: u32): usize {
  if (list.count == list.capacity) {
    list.records = double(list.records, list.capacity * stride);
    list.capacity *= 2;
  }
  return list.records + <usize>(list.count++) * <usize>stride;
}
