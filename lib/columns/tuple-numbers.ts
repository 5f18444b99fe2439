/**
 * Numbers for tuples of codes that come batch by batch, counting up from 0 in order of first sight.
 *
 * Tested in `test/lib/columns/tuple-numbers.test.ts`.
 */
import { widened } from "./growing-column.ts";

/** Rows whose slots are fetched together. */
const AHEAD_ROWS = 64;

/** Pairs whose second code has so few values, and whose first is so small, have a place each in one table: nothing is hashed. */
const FEW_VALUES = 8;
const FIRST_CODES_MOST = 1 << 20;
const SECOND_CODES_MOST = 1 << 16;

export class TupleNumbers {
  /** How many different tuples there were. */
  size = 0;
  readonly #width: number;
  /** Codes of each tuple, `#width` a tuple; undefined where nobody asks for them, as they may be a fifth of all memory. */
  #tuples: Int32Array<ArrayBuffer> | undefined;
  /** Of single codes the number + 1 by code + 1; of pairs by that and the place of the second. */
  #byCode = new Int32Array(1 << 10);
  /** Of pairs: the place + 1 of each second code, by code + 1, and what stands in each place; undefined once there are too many. */
  #second: { readonly places: Int32Array; readonly codes: number[] } | undefined;
  /** By row, see {@link #placeAll}; not in the numbers, which may be one of the columns. */
  #placed = new Int32Array(0);
  #bits = 12;
  /** Four numbers a slot, the tuple and its number + 1: a look-up touches one line of the cache. */
  #slots = new Int32Array(4 << this.#bits);
  readonly #places = new Int32Array(AHEAD_ROWS);

  /**
   * @param width Columns of a tuple, one to three.
   * @param hasTuples Whether {@link tupleOf} will be asked.
   */
  constructor(width: number, hasTuples = true) {
    this.#width = width;
    if (hasTuples) this.#tuples = new Int32Array(1 << 12);
    if (width === 2) this.#second = { places: new Int32Array(SECOND_CODES_MOST + 1), codes: [] };
  }

  /**
   * The numbers of rows; `columns[i][row]` >= -1.
   *
   * @param numbers Where they are put, which may be one of the columns: whoever numbers many millions has room for them already.
   */
  number(columns: readonly Int32Array[], rows: number, numbers: Int32Array = new Int32Array(rows)): Int32Array {
    const [a, b, c] = columns;
    if (b === undefined) {
      this.#numberCodes(a!, numbers);
      return numbers;
    }
    if (this.#second !== undefined) {
      const places = this.#placeAll(b, numbers.length);
      if (places !== undefined && this.#numberPairs(a!, places, numbers)) return numbers;
      this.#hashPairs();
    }
    // The second column again where there is no third: comparing it twice costs less than a branch.
    this.#numberTuples(a!, b, c ?? b, numbers);
    return numbers;
  }

  /** Let go all that is not needed to ask {@link tupleOf}; nothing may be numbered afterwards. */
  seal(): void {
    this.#slots = new Int32Array(0);
    this.#byCode = new Int32Array(0);
    this.#placed = new Int32Array(0);
    this.#second = undefined;
  }

  /** The codes that a number stands for. */
  tupleOf(number: number): number[] {
    return [...this.#tuples!.subarray(number * this.#width, (number + 1) * this.#width)];
  }

  /** The codes of many numbers, of all there are if omitted: `[column][i]`. */
  codesOf(numbers?: Int32Array): Int32Array[] {
    const rows = numbers?.length ?? this.size;
    return Array.from({ length: this.#width }, (_, column) => {
      const codes = new Int32Array(rows);
      for (let i = 0; i < rows; i++) codes[i] = this.#tuples![(numbers === undefined ? i : numbers[i]!) * this.#width + column]!;
      return codes;
    });
  }

  #numberCodes(column: Int32Array, numbers: Int32Array): void {
    for (let row = 0; row < numbers.length; row++) {
      const code = column[row]! + 1;
      if (code >= this.#byCode.length) this.#byCode = widened(this.#byCode, code + 1);
      if (this.#byCode[code] === 0) {
        this.#keep(column[row]!, 0, 0);
        this.#byCode[code] = this.size;
      }
      numbers[row] = this.#byCode[code]! - 1;
    }
  }

  /** The place of each row's second code, good until the next are asked for; undefined if there are too many codes. */
  #placeAll(column: Int32Array, rows: number): Int32Array | undefined {
    const { places, codes } = this.#second!;
    if (rows > this.#placed.length) this.#placed = new Int32Array(rows);
    const placed = this.#placed;
    for (let row = 0; row < rows; row++) {
      const code = column[row]! + 1;
      // Behind the end of the table stands nothing.
      if (!(places[code]! > 0)) {
        if (codes.length === FEW_VALUES || code > SECOND_CODES_MOST) return undefined;
        places[code] = codes.push(code - 1);
      }
      placed[row] = places[code]! - 1;
    }
    return placed;
  }

  /** @returns false, with nothing done, if a first code is too large. */
  #numberPairs(column: Int32Array, placed: Int32Array, numbers: Int32Array): boolean {
    const { codes } = this.#second!;
    let most = 0;
    for (let row = 0; row < numbers.length; row++) if (column[row]! > most) most = column[row]!;
    if (most >= FIRST_CODES_MOST) return false;
    if ((most + 2) * FEW_VALUES > this.#byCode.length) this.#byCode = widened(this.#byCode, (most + 2) * FEW_VALUES);
    const byCode = this.#byCode;
    for (let row = 0; row < numbers.length; row++) {
      const at = (column[row]! + 1) * FEW_VALUES + placed[row]!;
      if (byCode[at] === 0) {
        this.#keep(column[row]!, codes[placed[row]!]!, 0);
        byCode[at] = this.size;
      }
      numbers[row] = byCode[at]! - 1;
    }
    return true;
  }

  /** From now on pairs are hashed: those that have a number, too. */
  #hashPairs(): void {
    const { codes } = this.#second!;
    const byCode = this.#byCode;
    this.#second = undefined;
    this.#placed = new Int32Array(0);
    this.#byCode = new Int32Array(0);
    while ((this.size + AHEAD_ROWS) * 2 >= this.#slots.length / 4) this.#widenSlots();
    const slots = this.#slots;
    for (let at = 0; at < byCode.length; at++) {
      if (byCode[at] === 0) continue;
      const x = Math.floor(at / FEW_VALUES) - 1;
      const y = codes[at % FEW_VALUES]!;
      let to = (hashTuple(x, y, y) >>> (32 - this.#bits)) * 4;
      while (slots[to + 3] !== 0) to = (to + 4) & (slots.length - 1);
      slots[to] = x;
      slots[to + 1] = slots[to + 2] = y;
      slots[to + 3] = byCode[at]!;
    }
  }

  #numberTuples(a: Int32Array, b: Int32Array, c: Int32Array, numbers: Int32Array): void {
    let touched = 0;
    const places = this.#places;
    for (let start = 0; start < numbers.length; start += AHEAD_ROWS) {
      const end = Math.min(numbers.length, start + AHEAD_ROWS);
      while ((this.size + AHEAD_ROWS) * 2 >= this.#slots.length / 4) this.#widenSlots();
      const slots = this.#slots;
      const shift = 32 - this.#bits;
      // Looking at the slots without deciding anything brings them from memory side by side, not one by one.
      for (let row = start; row < end; row++) {
        const at = (hashTuple(a[row]!, b[row]!, c[row]!) >>> shift) * 4;
        places[row - start] = at;
        touched ^= slots[at]!;
      }
      for (let row = start; row < end; row++) {
        // Not taken apart from an array: one a row is garbage of gigabytes beside a large table.
        const x = a[row]!;
        const y = b[row]!;
        const z = c[row]!;
        let at = places[row - start]!;
        while (slots[at + 3] !== 0 && (slots[at] !== x || slots[at + 1] !== y || slots[at + 2] !== z)) {
          at = (at + 4) & (slots.length - 1);
        }
        if (slots[at + 3] === 0) {
          slots[at] = x;
          slots[at + 1] = y;
          slots[at + 2] = z;
          this.#keep(x, y, z);
          slots[at + 3] = this.size;
        }
        numbers[row] = slots[at + 3]! - 1;
      }
    }
    // Used, so that no compiler may leave the looking out.
    places[0] = touched;
  }

  #keep(a: number, b: number, c: number): void {
    const at = this.size++ * this.#width;
    if (this.#tuples === undefined) return;
    if (at + 3 > this.#tuples.length) this.#tuples = widened(this.#tuples, at + 3);
    this.#tuples[at] = a;
    if (this.#width > 1) this.#tuples[at + 1] = b;
    if (this.#width > 2) this.#tuples[at + 2] = c;
  }

  #widenSlots(): void {
    const old = this.#slots;
    const slots = new Int32Array(4 << ++this.#bits);
    for (let from = 0; from < old.length; from += 4) {
      if (old[from + 3] === 0) continue;
      let to = (hashTuple(old[from]!, old[from + 1]!, old[from + 2]!) >>> (32 - this.#bits)) * 4;
      while (slots[to + 3] !== 0) to = (to + 4) & (slots.length - 1);
      slots[to] = old[from]!;
      slots[to + 1] = old[from + 1]!;
      slots[to + 2] = old[from + 2]!;
      slots[to + 3] = old[from + 3]!;
    }
    this.#slots = slots;
  }
}

/** Of the codes that attackers chose: they are numbers of texts in their order, which nobody chooses one by one. */
export function hashTuple(a: number, b: number, c: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35) ^ Math.imul(c, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return Math.imul(h ^ (h >>> 13), 0x9e3779b1);
}
