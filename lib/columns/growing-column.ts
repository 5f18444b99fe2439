/**
 * A column of numbers that grows.
 *
 * Tested in `test/lib/logs/log-sessions.test.ts`.
 */
export class GrowingColumn<Values extends Int32Array | Float64Array> {
  length = 0;
  /** Good up to {@link length}, and until the next {@link push}. */
  values: Values;

  constructor(values: Values) {
    this.values = values;
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new (this.values.constructor as new (length: number) => Values)(2 * this.length);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }
}

const FEW = 256;

export function ints(): GrowingColumn<Int32Array> {
  return new GrowingColumn(new Int32Array(FEW));
}

export function floats(): GrowingColumn<Float64Array> {
  return new GrowingColumn(new Float64Array(FEW));
}
