/**
 * How often each combination of codes occurs: for value counts over many tables.
 */
import { groupRows, take } from "./group.ts";

/** Rows gathered before equal ones are added up; then again whenever they have doubled. */
const COMPACT_MIN_ROWS = 1 << 17;

export interface TupleCounts {
  readonly rows: number;
  /** `keys[column][row]`, -1 = no value. */
  readonly keys: readonly Int32Array[];
  readonly count: Float64Array;
}

export class TupleCounter {
  #rows = 0;
  #compactedRows = 0;
  #keys: Int32Array<ArrayBuffer>[];
  #count = new Float64Array(0);

  /** @param columns Codes in a combination, at least one. */
  constructor(columns: number) {
    this.#keys = Array.from({ length: columns }, () => new Int32Array(0));
  }

  /**
   * Count rows.
   *
   * @param weights How often each row counts; once if omitted.
   */
  add(columns: readonly Int32Array[], weights?: Float64Array): void {
    const rows = columns[0]!.length;
    if (rows === 0) return;
    const { size, groupOf, firstRow } = groupRows(columns, rows);
    this.#reserve(this.#rows + size);
    const at = this.#rows;
    if (weights === undefined) for (let row = 0; row < rows; row++) this.#count[at + groupOf[row]!]!++;
    else for (let row = 0; row < rows; row++) this.#count[at + groupOf[row]!]! += weights[row]!;
    columns.forEach((column, i) => this.#keys[i]!.set(take(column, firstRow), at));
    this.#rows += size;
    if (this.#rows > Math.max(COMPACT_MIN_ROWS, this.#compactedRows * 2)) this.#compact();
  }

  /** Each combination once, in order of first sight. */
  finish(): TupleCounts {
    this.#compact();
    const rows = this.#rows;
    return { rows, keys: this.#keys.map(key => key.subarray(0, rows)), count: this.#count.subarray(0, rows) };
  }

  #reserve(rows: number): void {
    if (rows <= this.#count.length) return;
    const capacity = Math.max(rows, this.#count.length * 2, 1024);
    const count = new Float64Array(capacity);
    count.set(this.#count);
    this.#count = count;
    this.#keys = this.#keys.map(key => {
      const grown = new Int32Array(capacity);
      grown.set(key);
      return grown;
    });
  }

  #compact(): void {
    if (this.#rows === this.#compactedRows) return;
    const { size, groupOf, firstRow } = groupRows(this.#keys, this.#rows);
    // Groups are numbered by their first rows, so each sum can be built in the place of a row already read.
    for (let row = 0; row < this.#rows; row++) {
      const group = groupOf[row]!;
      const count = this.#count[row]!;
      if (firstRow[group] === row) this.#count[group] = count;
      else this.#count[group]! += count;
    }
    this.#count.fill(0, size);
    for (const key of this.#keys) key.set(take(key, firstRow));
    this.#rows = this.#compactedRows = size;
  }
}
