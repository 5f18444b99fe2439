/**
 * Some tuples of codes, found again in rows that come batch by batch: where a few hundred keys are wanted of millions of rows.
 *
 * Tested in `test/lib/columns/tuple-numbers.test.ts`.
 */
import { hashTuple } from "./tuple-numbers.ts";

/** Codes above this are not looked at one by one: a table of all would be too long. */
const MARKED_MOST = 1 << 24;

/** Rows that have one of the tuples, good until the next are asked for. */
export interface FoundRows {
  readonly rows: Int32Array;
  /** The number of each one's tuple. */
  readonly numbers: Int32Array;
}

export class ChosenTuples {
  readonly #tuples: readonly (readonly number[])[];
  readonly #numbers: readonly number[];
  /** By column and code + 1: whether any tuple has it there. Nearly all rows are passed over by it; undefined = ask further. */
  readonly #marks: readonly (Uint8Array | undefined)[];
  /** Place of a tuple + 1; open addressing, a quarter full. */
  readonly #slots: Int32Array;
  readonly #shift: number;
  #rows = new Int32Array(0);
  #found = new Int32Array(0);

  /**
   * @param tuples Each once, of one to three codes >= -1.
   * @param numbers By tuple; their places if not given.
   */
  constructor(tuples: readonly (readonly number[])[], numbers: readonly number[] = [...tuples.keys()]) {
    this.#tuples = tuples;
    this.#numbers = numbers;
    this.#marks = (tuples[0] ?? []).map((_, column) => {
      const most = tuples.reduce((largest, tuple) => Math.max(largest, tuple[column]!), -1);
      if (most > MARKED_MOST) return undefined;
      const marks = new Uint8Array(most + 2);
      for (const tuple of tuples) marks[tuple[column]! + 1] = 1;
      return marks;
    });
    const bits = 2 + Math.ceil(Math.log2(tuples.length + 1));
    this.#slots = new Int32Array(1 << bits);
    this.#shift = 32 - bits;
    tuples.forEach(([a, b, c], place) => {
      let at = hashTuple(a!, b ?? 0, c ?? 0) >>> this.#shift;
      while (this.#slots[at] !== 0) at = (at + 1) & (this.#slots.length - 1);
      this.#slots[at] = place + 1;
    });
  }

  /** The rows that have one of them, rising. */
  find(columns: readonly Int32Array[], rows: number): FoundRows {
    if (this.#rows.length < rows) {
      this.#rows = new Int32Array(rows);
      this.#found = new Int32Array(rows);
    }
    let size = 0;
    if (this.#tuples.length > 0) {
      size = this.#mark(columns, rows);
      size = this.#look(columns, size);
    }
    return { rows: this.#rows.subarray(0, size), numbers: this.#found.subarray(0, size) };
  }

  /** Rows each of whose codes some tuple has. */
  #mark(columns: readonly Int32Array[], rows: number): number {
    const wanted = this.#rows;
    let size = rows;
    let isFirst = true;
    columns.forEach((column, i) => {
      const marks = this.#marks[i];
      if (marks === undefined) return;
      const before = size;
      size = 0;
      // A code behind the end of the table gives nothing, which is no 1.
      if (isFirst) for (let row = 0; row < before; row++) marks[column[row]! + 1] === 1 && (wanted[size++] = row);
      else for (let at = 0; at < before; at++) marks[column[wanted[at]!]! + 1] === 1 && (wanted[size++] = wanted[at]!);
      isFirst = false;
    });
    if (isFirst) for (let row = 0; row < rows; row++) wanted[row] = row;
    return size;
  }

  #look(columns: readonly Int32Array[], candidates: number): number {
    const [a, b, c] = columns;
    const wanted = this.#rows;
    const mask = this.#slots.length - 1;
    let size = 0;
    for (let i = 0; i < candidates; i++) {
      const row = wanted[i]!;
      const x = a![row]!;
      const y = b === undefined ? 0 : b[row]!;
      const z = c === undefined ? 0 : c[row]!;
      for (let at = hashTuple(x, y, z) >>> this.#shift; this.#slots[at] !== 0; at = (at + 1) & mask) {
        const place = this.#slots[at]! - 1;
        const tuple = this.#tuples[place]!;
        if (tuple[0] !== x || (b !== undefined && tuple[1] !== y) || (c !== undefined && tuple[2] !== z)) continue;
        wanted[size] = row;
        this.#found[size++] = this.#numbers[place]!;
        break;
      }
    }
    return size;
  }
}
