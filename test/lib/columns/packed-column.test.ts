/** What is packed comes out of its package again. */
import { expect, test } from "bun:test";
import { packCodes, packInt64, packNumbers, unpackCodes, unpackNumbers } from "../../../lib/columns/packed-column.ts";
import { seededRandom } from "../../support/random.ts";

const random = seededRandom("packed columns");

test.each([0, 1, 7, 8, 9, 1000])("codes of %d rows at every width", rows => {
  for (const size of [1, 256, 257, 65_536, 65_537, 1_000_000]) {
    for (const nullShare of [0, 0.3, 1]) {
      const codes = Int32Array.from({ length: rows }, () => (random.chance(nullShare) ? -1 : random.int(size)));
      const packed = packCodes(codes, size);
      expect(packed.values.BYTES_PER_ELEMENT).toBe(size <= 256 ? 1 : size <= 65_536 ? 2 : 4);
      expect(packed.nulls).toBe(codes.filter(code => code < 0).length);
      expect(unpackCodes(packed)).toEqual(codes);
      // A reader that looks before the bitmap must find a text.
      codes.forEach((code, row) => code < 0 && expect(packed.values[row]).toBe(0));
    }
  }
});

test("numbers and 64-bit integers", () => {
  const numbers = Float64Array.from({ length: 77 }, () => (random.chance(0.3) ? NaN : random.int(65_536)));
  // As arrays: two NaN may differ in bits that nobody sees.
  for (const ArrayType of [Uint16Array, Float64Array]) {
    expect([...unpackNumbers(packNumbers(numbers, ArrayType))]).toEqual([...numbers]);
  }
  const times = Float64Array.of(0, -1, 2 ** 53, -(2 ** 53), 1_706_695_200_123_456);
  expect([...unpackNumbers(packInt64(times))]).toEqual([...times]);
});
