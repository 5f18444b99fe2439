/**
 * Keys of a kind in a table that stays in its file: how often each was counted, and the rows of some of them.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { TupleNumbers } from "../columns/tuple-numbers.ts";

export class KeyTotals {
  readonly numbers: TupleNumbers;
  totals = new Float64Array(1 << 10);

  /** @param width Columns of a key. */
  constructor(width: number) {
    this.numbers = new TupleNumbers(width);
  }

  /** @returns The number of each row's key, in order of first sight. */
  add(columns: readonly Int32Array[], count: Float64Array): Int32Array {
    const numbered = this.numbers.number(columns, count.length);
    if (this.numbers.size > this.totals.length) {
      const wider = new Float64Array(Math.max(this.numbers.size, 2 * this.totals.length));
      wider.set(this.totals);
      this.totals = wider;
    }
    for (let row = 0; row < numbered.length; row++) this.totals[numbered[row]!]! += count[row]!;
    return numbered;
  }
}

/** Some tuples of codes, each with a number of its own, found again in rows. */
export class ChosenTuples {
  /** By the first code + 1: the last tuple with it + 1, and of each tuple the one before. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #tuples: readonly (readonly number[])[];
  readonly #numbers: readonly number[];

  /** @param numbers By tuple; their place if not given. */
  constructor(tuples: readonly (readonly number[])[], numbers: readonly number[] = [...tuples.keys()]) {
    this.#tuples = tuples;
    this.#numbers = numbers;
    this.#heads = new Int32Array(tuples.reduce((most, [code]) => Math.max(most, code! + 2), 1));
    this.#next = new Int32Array(tuples.length);
    tuples.forEach(([code], i) => {
      this.#next[i] = this.#heads[code! + 1]!;
      this.#heads[code! + 1] = i + 1;
    });
  }

  /** The rows that have one of them, and which. */
  find(columns: readonly Int32Array[], rows: number): { readonly rows: Int32Array; readonly numbers: Int32Array } {
    const found: number[] = [];
    const numbers: number[] = [];
    const [first] = columns;
    for (let row = 0; row < rows; row++) {
      const code = first![row]! + 1;
      if (code >= this.#heads.length || this.#heads[code] === 0) continue;
      for (let i = this.#heads[code]! - 1; i >= 0; i = this.#next[i]! - 1) {
        const tuple = this.#tuples[i]!;
        if (!columns.every((column, c) => column[row] === tuple[c])) continue;
        found.push(row);
        numbers.push(this.#numbers[i]!);
        break;
      }
    }
    return { rows: Int32Array.from(found), numbers: Int32Array.from(numbers) };
  }
}
