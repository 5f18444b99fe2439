/**
 * How often each combination of codes occurs: for value counts over many tables.
 */
import { TupleNumbers } from "./tuple-numbers.ts";
import { widened } from "./growing-column.ts";

export interface TupleCounts {
  readonly rows: number;
  /** `keys[column][row]`, -1 = no value. */
  readonly keys: readonly Int32Array[];
  readonly count: Float64Array;
}

/** Codes that {@link TupleNumbers} numbers at once. */
const WIDEST = 3;

export class TupleCounter {
  readonly #columns: number;
  /** The first numbers as many codes as it can, each other one what the one before made of these and the next two. */
  readonly #stages: readonly TupleNumbers[];
  #numbers = new Int32Array(0);
  #count = new Float64Array(1 << 10);

  /** @param columns Codes in a combination, at least one. */
  constructor(columns: number) {
    this.#columns = columns;
    const stages: TupleNumbers[] = [];
    for (let left = columns; stages.length === 0 || left > 1; left -= WIDEST - 1) stages.push(new TupleNumbers(Math.min(WIDEST, left)));
    this.#stages = stages;
  }

  /**
   * Count rows.
   *
   * @param weights How often each row counts; once if omitted.
   */
  add(columns: readonly Int32Array[], weights?: Float64Array): void {
    const rows = columns[0]!.length;
    if (rows === 0) return;
    if (rows > this.#numbers.length) this.#numbers = new Int32Array(rows);
    const numbers = this.#numbers.subarray(0, rows);
    this.#stages.forEach((stage, i) => {
      const next = columns.slice(this.#firstColumn(i), this.#firstColumn(i + 1));
      stage.number(i === 0 ? next : [numbers, ...next], rows, numbers);
    });
    const { size } = this.#stages.at(-1)!;
    if (size > this.#count.length) this.#count = widened(this.#count, size);
    if (weights === undefined) countEach(numbers, this.#count);
    else for (let row = 0; row < rows; row++) this.#count[numbers[row]!]! += weights[row]!;
  }

  /** The first column that a stage takes. */
  #firstColumn(stage: number): number {
    return stage === 0 ? 0 : Math.min(this.#columns, WIDEST + (stage - 1) * (WIDEST - 1));
  }

  /** Each combination once, in order of first sight. */
  finish(): TupleCounts {
    const rows = this.#stages.at(-1)!.size;
    const keys: Int32Array[] = [];
    let numbers: Int32Array | undefined;
    for (let i = this.#stages.length - 1; i >= 0; i--) {
      const codes = this.#stages[i]!.codesOf(numbers);
      keys.unshift(...codes.slice(i === 0 ? 0 : 1));
      numbers = codes[0];
    }
    return { rows, keys, count: this.#count.slice(0, rows) };
  }
}

function countEach(numbers: Int32Array, count: Float64Array): void {
  for (let row = 0; row < numbers.length; row++) count[numbers[row]!]!++;
}
