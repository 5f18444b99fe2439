/**
 * Bytes sixteen at a time. Reading up to 15 bytes beyond a text is right everywhere: all blocks have room behind them.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */

/** Sixteen bytes of ones, then sixteen of zeros: read from 16 - n on, they are a mask of n bytes. */
const ONES_ZEROS: usize = memory.data<u64>([-1, -1, 0, 0]);

/** A mask of the first `length` bytes, 0 to 16. */
@inline export function maskOf(length: u32): v128 {
  return v128.load(ONES_ZEROS + 16 - length);
}

@inline export function isEqual(a: v128, b: v128): bool {
  return !v128.any_true(v128.xor(a, b));
}

export function equalBytes(a: usize, b: usize, length: u32): bool {
  while (length >= 16) {
    if (v128.any_true(v128.xor(v128.load(a), v128.load(b)))) return false;
    a += 16;
    b += 16;
    length -= 16;
  }
  return length == 0 || !v128.any_true(v128.and(v128.xor(v128.load(a), v128.load(b)), maskOf(length)));
}
