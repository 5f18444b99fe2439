/** A rising list of numbers says each of them, however far apart they are. */
import { expect, test } from "bun:test";
import { RisingCodes } from "../../../lib/columns/rising-codes.ts";
import { seededRandom } from "../../support/random.ts";

test.each([
  ["none", 0, 1],
  ["one behind the other", 1000, 1],
  ["a byte apart at most", 1000, 17],
  ["two bytes apart", 1001, 4000],
  ["farther", 999, 1_000_000],
])("%s", (_, length, apart) => {
  const random = seededRandom(`rising ${apart}`);
  let last = -1;
  const numbers = Int32Array.from({ length }, () => (last += 1 + random.int(apart)));
  const rising = new RisingCodes(numbers);
  const codes = Int32Array.from({ length: 500 }, () => random.int(length + 1) - 1);
  expect([...new RisingCodes(numbers).all()]).toEqual([...numbers]);
  const expected = Array.from(codes, code => numbers[code] ?? -1);
  numbers.fill(0);
  expect(rising.length).toBe(length);
  const into = new Int32Array(codes.length);
  rising.translate(codes, into);
  expect([...into]).toEqual(expected);
  rising.translate(codes, codes);
  expect([...codes]).toEqual(expected);
});

test("at the edges of a byte and of two", () => {
  for (const far of [255, 256, 65_535, 65_536, 2 ** 31 - 1]) {
    const into = new Int32Array(3);
    new RisingCodes(Int32Array.of(0, far)).translate(Int32Array.of(1, -1, 0), into);
    expect([...into]).toEqual([far, -1, 0]);
  }
});
