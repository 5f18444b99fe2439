import { describe, expect, test } from "bun:test";
import { fromBase85, toBase85 } from "../../../lib/view/base85.ts";
import { seededRandom } from "../../support/random.ts";

describe("base 85", () => {
  test("gives back any bytes of any length", () => {
    const random = seededRandom(85);
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, () => Math.floor(random.next() * 256));
      expect(fromBase85(toBase85(bytes))).toEqual(bytes);
    }
    for (const byte of [0, 1, 127, 255]) {
      for (let length = 1; length < 9; length++) {
        const bytes = new Uint8Array(length).fill(byte);
        expect(fromBase85(toBase85(bytes))).toEqual(bytes);
      }
    }
    const many = Uint8Array.from({ length: 300_001 }, (_, i) => (i * 7919) >> 3);
    expect(fromBase85(toBase85(many))).toEqual(many);
  });

  test("takes five characters for four bytes, none of which means anything in a page", () => {
    const text = toBase85(Uint8Array.from({ length: 40_000 }, (_, i) => (i * 2_654_435_761) >>> 24));
    expect(text).toHaveLength(50_000);
    expect(text).not.toMatch(/["'<>&\\\s]/);
  });
});
