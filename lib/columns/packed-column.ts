/**
 * A column of a batch as Arrow lays it out: values at the width they need, and a bitmap of the rows that have one.
 */

export type PackedValues = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array | BigInt64Array;

export interface PackedColumn {
  /** Rows without a value. */
  readonly nulls: number;
  /** Bit set = the row has a value; lowest bit first. Not looked at where no row is without one. */
  readonly validity: Uint8Array;
  /** One per row; of a row without a value, 0 or NaN. */
  readonly values: PackedValues;
}

/** The narrowest array for the codes of a dictionary of so many texts. */
function codesFor(size: number) {
  return size <= 0x100 ? Uint8Array : size <= 0x1_0000 ? Uint16Array : Int32Array;
}

/** Bytes that a column is packed into: good until the next column that is packed into the same. */
export type PackMemory = (bytes: number) => Uint8Array;

const OWN_MEMORY: PackMemory = bytes => new Uint8Array(bytes);

/**
 * Pack codes at the width of their dictionary's index; a null is index 0, which exists, for readers that look before the
 * bitmap.
 *
 * @param codes -1 = null.
 * @param size Texts of the dictionary.
 */
export function packCodes(codes: Int32Array, size: number, memory = OWN_MEMORY): PackedColumn {
  const { validity, nulls } = validityOfWhole(codes);
  // Converted natively; a null, -1, has all bits set at any width.
  const values = packInto(codesFor(size), codes, memory);
  if (nulls > 0) {
    if (values instanceof Uint8Array) clearNulls8(values, codes);
    else if (values instanceof Uint16Array) clearNulls16(values, codes);
    else clearNulls32(values, codes);
  }
  return { nulls, validity, values };
}

/**
 * Pack numbers.
 *
 * @param numbers Each of which the array type can hold; null is NaN, of an Int32Array -1.
 */
export function packNumbers(numbers: Int32Array | Float64Array, ArrayType: NarrowArray, memory = OWN_MEMORY): PackedColumn {
  // What the conversion makes of a null stays behind the bitmap.
  return { ...validityOf(numbers), values: packInto(ArrayType, numbers, memory) };
}

/** Pack exact whole numbers as 64-bit integers. */
export function packInt64(numbers: Int32Array | Float64Array, memory = OWN_MEMORY): PackedColumn {
  return { ...validityOf(numbers), values: toInt64(numbers, memory) };
}

type NarrowArray = typeof Uint8Array | typeof Uint16Array | typeof Uint32Array | typeof Int32Array | typeof Float64Array;

/** Converted natively. */
function packInto<T extends NarrowArray>(ArrayType: T, numbers: Int32Array | Float64Array, memory: PackMemory): InstanceType<T> {
  const { buffer, byteOffset } = memory(numbers.length * ArrayType.BYTES_PER_ELEMENT);
  const values = new ArrayType(buffer as ArrayBuffer, byteOffset, numbers.length) as InstanceType<T>;
  values.set(numbers);
  return values;
}

/** Codes of a packed column, -1 = null. */
export function unpackCodes({ nulls, validity, values }: PackedColumn): Int32Array {
  // Converted natively: `from` walks an iterator (measured: 20 times as long).
  const codes = new Int32Array(values as Int32Array);
  if (nulls > 0) setNullCodes(codes, validity);
  return codes;
}

/** Numbers of a packed column, NaN = null. */
export function unpackNumbers({ nulls, validity, values }: PackedColumn): Float64Array {
  const numbers = values instanceof BigInt64Array ? fromInt64(values) : new Float64Array(values);
  if (nulls > 0) setNullNumbers(numbers, validity);
  return numbers;
}

// As with the validity below: a loop is fast if it meets one type of array.
function clearNulls8(indices: Uint8Array, codes: Int32Array): void {
  for (let row = 0; row < codes.length; row++) if (codes[row] === -1) indices[row] = 0;
}

function clearNulls16(indices: Uint16Array, codes: Int32Array): void {
  for (let row = 0; row < codes.length; row++) if (codes[row] === -1) indices[row] = 0;
}

function clearNulls32(indices: Int32Array, codes: Int32Array): void {
  for (let row = 0; row < codes.length; row++) if (codes[row] === -1) indices[row] = 0;
}

type Validity = Pick<PackedColumn, "nulls" | "validity">;

function validityOf(numbers: Int32Array | Float64Array): Validity {
  return numbers instanceof Int32Array ? validityOfWhole(numbers) : validityOfNumbers(numbers);
}

// Functions of one text: each loop then sees arrays of one type only (measured: a third of the time).
/** Which values are not -1; where all are, which is found natively, nothing is made. */
function validityOfWhole(values: Int32Array): Validity {
  if (!values.includes(-1)) return { validity: new Uint8Array(0), nulls: 0 };
  const validity = new Uint8Array((values.length + 7) >> 3);
  let nulls = 0;
  for (let row = 0, i = 0; row < values.length; i++) {
    let byte = 0;
    for (let bit = 1; bit < 256 && row < values.length; bit <<= 1, row++) {
      if (values[row] === -1) nulls++;
      else byte |= bit;
    }
    validity[i] = byte;
  }
  return { nulls, validity };
}

/** Which flags are not set; as above. */
export function validityOfFlags(isNull: Uint8Array): Validity {
  if (!isNull.includes(1)) return { validity: new Uint8Array(0), nulls: 0 };
  const validity = new Uint8Array((isNull.length + 7) >> 3);
  let nulls = 0;
  for (let row = 0; row < isNull.length; row++) {
    if (isNull[row] === 1) nulls++;
    else validity[row >> 3]! |= 1 << (row & 7);
  }
  return { nulls, validity };
}

function validityOfNumbers(values: Float64Array): Validity {
  if (!values.includes(NaN)) return { validity: new Uint8Array(0), nulls: 0 };
  const validity = new Uint8Array((values.length + 7) >> 3);
  let nulls = 0;
  for (let row = 0, i = 0; row < values.length; i++) {
    let byte = 0;
    for (let bit = 1; bit < 256 && row < values.length; bit <<= 1, row++) {
      if (values[row] !== values[row]) nulls++;
      else byte |= bit;
    }
    validity[i] = byte;
  }
  return { nulls, validity };
}

// Two functions of one text, as above; a byte whose eight rows all have a value is passed over at once.
/** Make the rows without a value -1. */
export function setNullCodes(codes: Int32Array, validity: Uint8Array): void {
  for (let start = 0; start < codes.length; start += 8) {
    const bits = validity[start >> 3]!;
    if (bits === 0xff) continue;
    const end = Math.min(start + 8, codes.length);
    for (let row = start; row < end; row++) if (((bits >> (row & 7)) & 1) === 0) codes[row] = -1;
  }
}

/** Make the rows without a value NaN. */
export function setNullNumbers(numbers: Float64Array, validity: Uint8Array): void {
  for (let start = 0; start < numbers.length; start += 8) {
    const bits = validity[start >> 3]!;
    if (bits === 0xff) continue;
    const end = Math.min(start + 8, numbers.length);
    for (let row = start; row < end; row++) if (((bits >> (row & 7)) & 1) === 0) numbers[row] = NaN;
  }
}

/** Exact whole doubles to 64-bit integers, without a BigInt per value. */
function toInt64(values: Int32Array | Float64Array, memory: PackMemory): BigInt64Array {
  const { buffer, byteOffset } = memory(values.length * 8);
  const words = new Int32Array(buffer as ArrayBuffer, byteOffset, values.length * 2);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    const isNull = value !== value;
    const high = isNull ? 0 : Math.floor(value * 2 ** -32);
    const low = isNull ? 0 : value - high * 0x1_0000_0000;
    // As a number that 32 bits hold with their sign: any other is stored by a call (measured: three times as long).
    words[row * 2] = low > 0x7fff_ffff ? low - 0x1_0000_0000 : low;
    words[row * 2 + 1] = high;
  }
  return new BigInt64Array(buffer as ArrayBuffer, byteOffset, values.length);
}

/** 64-bit integers to doubles, without a BigInt per value; exact up to 2^53. */
function fromInt64(values: BigInt64Array): Float64Array {
  const low = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const high = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) numbers[i] = high[i * 2 + 1]! * 0x1_0000_0000 + low[i * 2]!;
  return numbers;
}
