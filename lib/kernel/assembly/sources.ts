/**
 * Which addresses the events of a group came from, where they are several: a list of pairs of group and address.
 *
 * A pair may stand in it more than once: what came just before is left out by a look into a small table, the rest when the
 * list is full, by sorting it. A hash table of all pairs, looked into for each event, took five times as long.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import { Group, NO_ADDRESS, SEVERAL } from "./row-groups.ts";
import { allocate, double } from "./heap.ts";
import { sortWords } from "./radix-sort.ts";

const FIRST_CAPACITY: u32 = 1024;

/** Pairs that came just before, by their lowest bits. */
const RECENT_BITS: u32 = 12;
const RECENT: usize = memory.data((1 << 12) * 8);
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

export let pairCount: u32 = 0;
/** The number of the group in the high half, the code of the address in the low one. */
export let pairs: usize = 0;
let capacity: u32 = 0;

export function startPairs(): void {
  pairCount = 0;
  capacity = FIRST_CAPACITY;
  pairs = allocate(capacity * 8);
  memory.fill(RECENT, 0xff, (1 << 12) * 8);
}

/** Note that an event of a group came from an address. @param code -1 = none is known. */
@inline export function addAddress(index: u32, group: Group, code: i32): void {
  if (code < 0 || group.lastAddress == code) return;
  group.lastAddress = code;
  if (group.address == code) return;
  if (group.address == NO_ADDRESS) {
    group.address = code;
    return;
  }
  if (group.address != SEVERAL) {
    addPair(index, group.address);
    group.address = SEVERAL;
  }
  addPair(index, code);
}

function addPair(index: u32, code: i32): void {
  const pair = (<u64>index << 32) | <u32>code;
  const recent = RECENT + (<usize>((pair * SPREAD) >> (64 - RECENT_BITS)) << 3);
  if (load<u64>(recent) == pair) return;
  store<u64>(recent, pair);
  if (pairCount == capacity) makeRoom();
  store<u64>(pairs + (<usize>pairCount << 3), pair);
  pairCount++;
}

/** Leave out what stands in the list twice; if that is little, take twice the room. */
function makeRoom(): void {
  pairs = sortWords(pairs, pairCount, capacity * 8);
  let kept: u32 = 0;
  let last: u64 = 0;
  for (let i: u32 = 0; i < pairCount; i++) {
    const pair = load<u64>(pairs + (<usize>i << 3));
    if (i > 0 && pair == last) continue;
    last = pair;
    store<u64>(pairs + (<usize>kept << 3), pair);
    kept++;
  }
  pairCount = kept;
  if (kept <= capacity / 2) return;
  pairs = double(pairs, capacity * 8);
  capacity *= 2;
}
