/**
 * Some texts of a dictionary, out of all; and codes of another one.
 *
 * Tested in `test/lib/columns/dictionary.test.ts` and `test/lib/logs/log-sessions.test.ts`.
 */
import type { Texts } from "./dictionary.ts";

/** The texts of some codes, one for each. */
export function pickTexts({ arena, offsets }: Texts, codes: Int32Array): Texts {
  const own = new Int32Array(codes.length + 1);
  for (let i = 0; i < codes.length; i++) own[i + 1] = own[i]! + offsets[codes[i]! + 1]! - offsets[codes[i]!]!;
  const bytes = new Uint8Array(own[codes.length]!);
  for (let i = 0; i < codes.length; i++) {
    for (let at = offsets[codes[i]!]!, to = own[i]!; to < own[i + 1]!; at++, to++) bytes[to] = arena[at]!;
  }
  return { size: codes.length, arena: bytes, offsets: own };
}

/**
 * The texts in use alone; the codes, -1 = none, are changed in place.
 *
 * @param columns All that have codes of these texts.
 */
export function keepUsedTexts(texts: Texts, columns: readonly Int32Array[]): Texts {
  const numbers = new Int32Array(texts.size).fill(-1);
  const used = new Int32Array(texts.size);
  let size = 0;
  for (const codes of columns) {
    for (let row = 0; row < codes.length; row++) {
      const code = codes[row]!;
      if (code < 0) continue;
      if (numbers[code]! < 0) {
        used[size] = code;
        numbers[code] = size++;
      }
      codes[row] = numbers[code]!;
    }
  }
  return pickTexts(texts, used.subarray(0, size));
}

/** Put other codes, -1 = none, in the place of codes; the same where there are no others. */
export function recodeInPlace(codes: Int32Array, recode: Int32Array | undefined): void {
  if (recode === undefined) return;
  for (let row = 0; row < codes.length; row++) if (codes[row]! >= 0) codes[row] = recode[codes[row]!]!;
}
