/**
 * A batch as the buffers of an Arrow record batch: codes at the width that their dictionary needs, numbers at that of their
 * type, and for each column a bitmap of the rows that have a value.
 *
 * The widths come for nothing: narrowing saturates, so that -1 becomes index 0, which exists, and the signs are the bitmap.
 * A loop over every cell in TypeScript did the same in ten times as long.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import {
  BATCH_ROWS,
  NUMBER_COLUMN_COUNT,
  PACKED_BYTES,
  PACKED_NULLS,
  PACKED_TIMESTAMP,
  PACKED_VALIDITY,
  PACKED_VALUES,
  PACKED_WIDTH,
  TEXT_COLUMN_COUNT,
  UINT16_COLUMNS,
  UINT32_COLUMNS,
} from "../layout.ts";
import { codesOf, numbersOf, row, timeIn } from "./batch.ts";
import { dictionaryOf } from "./dictionaries.ts";

const PACKED: usize = memory.data((PACKED_TIMESTAMP + 1) * PACKED_BYTES);
/** Every column at its widest, with its bitmap, and a vector's width between buffers. */
const OUT: usize = memory.data((TEXT_COLUMN_COUNT * 4 + (NUMBER_COLUMN_COUNT + 1) * 8) * BATCH_ROWS + 32 * (BATCH_ROWS / 8 + 64), 16);

/** Earliest and latest time of the batch packed last. */
export let firstUs: f64 = Infinity;
export let lastUs: f64 = -Infinity;

export function packedAt(column: i32): usize {
  return PACKED + column * PACKED_BYTES;
}

export function packedStart(): usize {
  return OUT;
}

let out: usize = 0;

@inline function align(): void {
  out = (out + 15) & ~15;
}

/** Pack the rows so far. @returns Bytes of all buffers. */
export function pack(): u32 {
  out = OUT;
  for (let column = 0; column < TEXT_COLUMN_COUNT; column++) packCodes(column);
  for (let column = 0; column < NUMBER_COLUMN_COUNT; column++) packNumbers(column);
  packTimes();
  return <u32>(out - OUT);
}

function describe(column: i32, nulls: u32, validity: usize, values: usize, width: u32): void {
  const at = packedAt(column);
  store<u32>(at, nulls, PACKED_NULLS);
  store<u32>(at, <u32>validity, PACKED_VALIDITY);
  store<u32>(at, <u32>values, PACKED_VALUES);
  store<u32>(at, width, PACKED_WIDTH);
}

/** Bits of a byte that stand for rows. */
@inline function bitsFrom(at: i32): u32 {
  return row - at >= 8 ? 0xff : (1 << (row - at)) - 1;
}

function packCodes(column: i32): void {
  const size = dictionaryOf(column).size;
  if (size == 0) return describe(column, row, 0, 0, 0);
  const codes = codesOf(column);
  const validity = out;
  let values: u32 = 0;
  for (let i = 0; i < row; i += 8) {
    const at = codes + (<usize>i << 2);
    const halves = i16x8.narrow_i32x4_s(v128.load(at), v128.load(at, 16));
    const bits = ~i16x8.bitmask(halves) & bitsFrom(i);
    store<u8>(out++, <u8>bits);
    values += popcnt<u32>(bits);
  }
  align();
  const start = out;
  const width: u32 = size <= 0x100 ? 1 : size <= 0x1_0000 ? 2 : 4;
  if (width == 1) packBytes(codes);
  else if (width == 2) packHalves(codes);
  else packWords(codes);
  describe(column, row - values, validity, start, width);
  out = start + row * width;
  align();
}

function packBytes(codes: usize): void {
  for (let i = 0; i < row; i += 16, out += 16) {
    const at = codes + (<usize>i << 2);
    const low = i16x8.narrow_i32x4_s(v128.load(at), v128.load(at, 16));
    const high = i16x8.narrow_i32x4_s(v128.load(at, 32), v128.load(at, 48));
    v128.store(out, i8x16.narrow_i16x8_u(low, high));
  }
}

function packHalves(codes: usize): void {
  for (let i = 0; i < row; i += 8, out += 16) {
    const at = codes + (<usize>i << 2);
    v128.store(out, i16x8.narrow_i32x4_u(v128.load(at), v128.load(at, 16)));
  }
}

function packWords(codes: usize): void {
  for (let i = 0; i < row; i += 4, out += 16) {
    v128.store(out, i32x4.max_s(v128.load(codes + (<usize>i << 2)), i32x4.splat(0)));
  }
}

function packNumbers(column: i32): void {
  const numbers = numbersOf(column);
  const validity = out;
  let values: u32 = 0;
  for (let i = 0; i < row; i += 8) {
    let bits: u32 = 0;
    for (let pair = 0; pair < 8; pair += 2) {
      const two = v128.load(numbers + (<usize>(i + pair) << 3));
      // Only a number equals itself.
      bits |= <u32>i64x2.bitmask(f64x2.eq(two, two)) << pair;
    }
    bits &= bitsFrom(i);
    store<u8>(out++, <u8>bits);
    values += popcnt<u32>(bits);
  }
  if (values == 0) {
    out = validity;
    return describe(TEXT_COLUMN_COUNT + column, row, 0, 0, 0);
  }
  align();
  const start = out;
  const width: u32 = column < UINT16_COLUMNS ? 2 : column < UINT16_COLUMNS + UINT32_COLUMNS ? 4 : 8;
  if (width == 8) memory.copy(out, numbers, <usize>row << 3);
  else if (width == 4) packUint32(numbers);
  else packUint16(numbers);
  describe(TEXT_COLUMN_COUNT + column, row - values, validity, start, width);
  out = start + row * width;
  align();
}

/** What is no number becomes 0. */
function packUint32(numbers: usize): void {
  for (let i = 0; i < row; i += 2, out += 8) {
    const two = i32x4.trunc_sat_f64x2_u_zero(v128.load(numbers + (<usize>i << 3)));
    store<u64>(out, v128.extract_lane<u64>(two, 0));
  }
}

function packUint16(numbers: usize): void {
  for (let i = 0; i < row; i += 4, out += 8) {
    const at = numbers + (<usize>i << 3);
    const low = i32x4.trunc_sat_f64x2_u_zero(v128.load(at));
    const high = i32x4.trunc_sat_f64x2_u_zero(v128.load(at, 16));
    const four = i64x2.shuffle(low, high, 0, 2);
    store<u64>(out, v128.extract_lane<u64>(i16x8.narrow_i32x4_u(four, four), 0));
  }
}

function packTimes(): void {
  const start = out;
  firstUs = Infinity;
  lastUs = -Infinity;
  for (let i = 0; i < row; i++, out += 8) {
    const us = timeIn(i);
    firstUs = min(firstUs, us);
    lastUs = max(lastUs, us);
    store<i64>(out, <i64>us);
  }
  align();
  describe(PACKED_TIMESTAMP, 0, 0, start, 8);
}
