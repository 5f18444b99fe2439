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
    if (this.length === this.values.length) this.values = widened(this.values);
    this.values[this.length++] = value;
  }
}

/**
 * A longer column that begins as another does, with zeros behind it.
 *
 * @param least Its length at least; twice that of the other if that is more.
 */
export function widened<T extends Uint8Array | Int32Array | Uint32Array | Float32Array | Float64Array>(column: T, least = 0): T {
  const wider = new (column.constructor as new (length: number) => T)(Math.max(least, 2 * column.length));
  wider.set(column);
  return wider;
}

const FEW = 256;

export function ints(): GrowingColumn<Int32Array> {
  return new GrowingColumn(new Int32Array(FEW));
}

export function floats(): GrowingColumn<Float64Array> {
  return new GrowingColumn(new Float64Array(FEW));
}
