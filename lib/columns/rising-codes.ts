/**
 * A rising list of numbers, in little more than a byte each: the places that the texts of a table have among those of all tables,
 * which of a hundred tables would else take four times as much as all that is read of their rows.
 */

/** Neighbours that are told by how far they lie behind the first of them. */
const BLOCK_BITS = 4;

export class RisingCodes {
  readonly length: number;
  /** The first number of each block; of numbers too far apart all of them, each a block of its own. */
  readonly #firsts: Int32Array;
  readonly #steps: Uint8Array | Uint16Array | undefined;

  /** @param numbers Rising; copied. */
  constructor(numbers: Int32Array) {
    this.length = numbers.length;
    const firsts = new Int32Array((numbers.length + (1 << BLOCK_BITS) - 1) >> BLOCK_BITS);
    let widest = 0;
    for (let i = 0; i < firsts.length; i++) {
      firsts[i] = numbers[i << BLOCK_BITS]!;
      widest = Math.max(widest, numbers[Math.min(numbers.length, (i + 1) << BLOCK_BITS) - 1]! - firsts[i]!);
    }
    this.#steps = widest <= 0xff ? new Uint8Array(numbers.length) : widest <= 0xffff ? new Uint16Array(numbers.length) : undefined;
    this.#firsts = this.#steps === undefined ? numbers.slice() : firsts;
    if (this.#steps instanceof Uint8Array) fill8(this.#steps, numbers, firsts);
    else if (this.#steps instanceof Uint16Array) fill16(this.#steps, numbers, firsts);
  }

  /** All numbers. */
  all(): Int32Array {
    const numbers = new Int32Array(this.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = i;
    this.translate(numbers, numbers);
    return numbers;
  }

  /** The number in the place of each code, -1 of -1; `into` may be `codes`. */
  translate(codes: Int32Array, into: Int32Array): void {
    if (this.#steps instanceof Uint8Array) translate8(codes, this.#firsts, this.#steps, into);
    else if (this.#steps instanceof Uint16Array) translate16(codes, this.#firsts, this.#steps, into);
    else for (let row = 0; row < codes.length; row++) into[row] = codes[row]! < 0 ? -1 : this.#firsts[codes[row]!]!;
  }
}

// Functions of one text: each loop meets arrays of one type only.
function fill8(steps: Uint8Array, numbers: Int32Array, firsts: Int32Array): void {
  for (let i = 0; i < numbers.length; i++) steps[i] = numbers[i]! - firsts[i >> BLOCK_BITS]!;
}

function fill16(steps: Uint16Array, numbers: Int32Array, firsts: Int32Array): void {
  for (let i = 0; i < numbers.length; i++) steps[i] = numbers[i]! - firsts[i >> BLOCK_BITS]!;
}

function translate8(codes: Int32Array, firsts: Int32Array, steps: Uint8Array, into: Int32Array): void {
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    into[row] = code < 0 ? -1 : firsts[code >> BLOCK_BITS]! + steps[code]!;
  }
}

function translate16(codes: Int32Array, firsts: Int32Array, steps: Uint16Array, into: Int32Array): void {
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    into[row] = code < 0 ? -1 : firsts[code >> BLOCK_BITS]! + steps[code]!;
  }
}
