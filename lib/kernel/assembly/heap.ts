/**
 * Memory for what grows with a log: blocks of a power of two, freed ones kept by size for the next that asks.
 *
 * A dictionary that doubles leaves its old block to another dictionary, so that at most as much lies idle as is in use
 * (a heap that never frees kept every old copy: 251 MB for one log of 300 MB). All of it is forgotten at the start of the
 * next log, at once; the memory itself stays, as taking it from the system again costs some 2.5 ms of page faults a log.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */

const PAGE_BYTES: usize = 1 << 16;
/** The system is asked for so many pages at least: growing makes TypeScript take new views. */
const GROW_PAGES: i32 = 32;
const SMALLEST_CLASS: u32 = 6;
/** First freed block of each size, 2^class bytes; each holds the address of the next, 0 = none. */
const FREED: usize = memory.data(32 * 4);

let top: usize = 0;
let mark: usize = 0;

@inline function classOf(bytes: usize): u32 {
  return max<u32>(SMALLEST_CLASS, 32 - clz<u32>(<u32>bytes - 1));
}

/** A block of at least `bytes` bytes, with anything in it. Traps where the system has no more memory. */
export function allocate(bytes: usize): usize {
  if (bytes > 0x4000_0000) unreachable();
  const sizeClass = classOf(bytes);
  const freed = load<u32>(FREED + sizeClass * 4);
  if (freed != 0) {
    store<u32>(FREED + sizeClass * 4, load<u32>(freed));
    return freed;
  }
  if (top == 0) top = (__heap_base + 63) & ~63;
  const block = top;
  const end = <u64>block + (<u64>1 << sizeClass);
  const needed = <i64>((end + PAGE_BYTES - 1) / PAGE_BYTES) - memory.size();
  if (needed > 0 && memory.grow(max<i32>(<i32>needed, GROW_PAGES)) < 0 && memory.grow(<i32>needed) < 0) unreachable();
  top = <usize>end;
  return block;
}

/** The same, filled with zeros. */
export function allocateZeroed(bytes: usize): usize {
  const block = allocate(bytes);
  memory.fill(block, 0, bytes);
  return block;
}

/** Give a block back. @param bytes As it was asked for. */
export function free(block: usize, bytes: usize): void {
  const list = FREED + classOf(bytes) * 4;
  store<u32>(block, load<u32>(list));
  store<u32>(list, <u32>block);
}

/** A block of twice the bytes with the same content; the old one is freed. */
export function double(block: usize, bytes: usize): usize {
  const grown = allocate(bytes * 2);
  memory.copy(grown, block, bytes);
  free(block, bytes);
  return grown;
}

/** Keep for good what was taken so far. */
export function markHeap(): void {
  mark = top;
}

/** Forget what was taken since {@link markHeap}. */
export function resetHeap(): void {
  top = mark;
  memory.fill(FREED, 0, 32 * 4);
}
