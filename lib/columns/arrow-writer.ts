/**
 * Columns to Arrow IPC bytes, by the Arrow library.
 *
 * Loaded late, by `arrow-ipc.ts`. Tested in `test/lib/events/event-table.test.ts`.
 */
import {
  Bool,
  type Data,
  type DataType,
  DateDay,
  Dictionary as ArrowDictionary,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  Uint16,
  Uint32,
  Uint8,
  Utf8,
  Vector,
} from "apache-arrow";
import type { BatchColumns, ColumnShape, IpcFormat, ListColumn } from "./arrow-ipc.ts";
import type { Texts } from "./dictionary.ts";

/** As `toIpc` says. */
export function* writeIpc(
  format: IpcFormat,
  shapes: readonly ColumnShape[],
  batches: Iterable<{ rows: number; columns: BatchColumns }>,
  metadata: ReadonlyMap<string, string>,
): Generator<Uint8Array> {
  const types = shapes.map(toArrowType);
  const schema = new Schema(
    shapes.map(({ name, nullable }, i) => new Field(name, types[i]!, nullable)),
    new Map(metadata),
  );
  // The vectors of the texts are made once: the writer tells by them that a dictionary is already written.
  const dictionaries = shapes.map(shape => ("texts" in shape ? toTextVector(shape.texts) : undefined));
  const pieces: Uint8Array[] = [];
  const writer = format === "file" ? new FilePieces(pieces) : new StreamPieces(pieces);
  writer.reset(undefined, schema);
  for (const { rows, columns } of batches) {
    const children = columns.map((column, i) => {
      const type = types[i]!;
      if (type instanceof List) return toListData(type, column as ListColumn | undefined, rows);
      return toData(type, column as Int32Array | Float64Array | undefined, rows, dictionaries[i]);
    });
    writer.write(new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows, children })));
    yield* pieces.splice(0);
  }
  writer.finish();
  yield* pieces.splice(0);
}

class FilePieces extends RecordBatchFileWriter {
  readonly #pieces: Uint8Array[];

  constructor(pieces: Uint8Array[]) {
    super();
    this.#pieces = pieces;
  }

  protected override _write(chunk: ArrayBufferView): this {
    this._position += put(this.#pieces, chunk, this._started);
    return this;
  }
}

class StreamPieces extends RecordBatchStreamWriter {
  readonly #pieces: Uint8Array[];

  constructor(pieces: Uint8Array[]) {
    super();
    this.#pieces = pieces;
  }

  protected override _write(chunk: ArrayBufferView): this {
    this._position += put(this.#pieces, chunk, this._started);
    return this;
  }
}

function put(pieces: Uint8Array[], chunk: ArrayBufferView, started: boolean): number {
  if (!started || chunk.byteLength === 0) return 0;
  pieces.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  return chunk.byteLength;
}

/** @param id Of the dictionary. Left to the library it would count up over all tables a process writes. */
function toArrowType(shape: ColumnShape, id: number): DataType {
  if ("texts" in shape) {
    const { size } = shape.texts;
    const indices = size <= 0x100 ? new Uint8() : size <= 0x10000 ? new Uint16() : new Int32();
    return new ArrowDictionary(new Utf8(), indices, id);
  }
  switch (shape.type) {
    case "uint8":
      return new Uint8();
    case "uint16":
      return new Uint16();
    case "uint32":
      return new Uint32();
    case "int32":
      return new Int32();
    case "int64":
      return new Int64();
    case "float64":
      return new Float64();
    case "date":
      return new DateDay();
    case "timestamp":
      return new TimestampMicrosecond("UTC");
    case "bool":
      return new Bool();
    case "list":
      return new List(new Field("item", new Uint32(), false));
  }
}

function toTextVector(texts: Texts): Vector<Utf8> {
  return new Vector([
    makeData({
      type: new Utf8(),
      length: texts.size,
      nullCount: 0,
      valueOffsets: texts.offsets.subarray(0, texts.size + 1),
      data: texts.arena.subarray(0, texts.offsets[texts.size]!),
    }),
  ]);
}

function toData(
  type: DataType,
  column: Int32Array | Float64Array | undefined,
  rows: number,
  dictionary: Vector<Utf8> | undefined,
): Data {
  const validity =
    column === undefined
      ? { nullBitmap: new Uint8Array((rows + 7) >> 3), nullCount: rows }
      : column instanceof Int32Array
        ? validityOfWhole(column, rows)
        : validityOfNumbers(column, rows);
  const valid = { length: rows, nullCount: validity.nullCount, nullBitmap: validity.nullCount > 0 ? validity.nullBitmap : null };
  if (type instanceof ArrowDictionary) {
    const data = toIndices(type.indices as Uint8 | Uint16 | Int32, column as Int32Array | undefined, rows, valid.nullCount);
    return makeData({ type, ...valid, data, dictionary: dictionary! });
  }
  if (type instanceof Int64 || type instanceof TimestampMicrosecond) {
    return makeData({ type: type as Int64, ...valid, data: toInt64(column ?? new Float64Array(rows).fill(NaN), rows) });
  }
  if (type instanceof Bool) {
    const data = new Uint8Array((rows + 7) >> 3);
    if (column !== undefined) for (let row = 0; row < rows; row++) if (column[row]! > 0) data[row >> 3]! |= 1 << (row & 7);
    return makeData({ type, ...valid, data });
  }
  // The constructor converts, natively; what it makes of a null stays behind the bitmap.
  const { ArrayType } = type as Float64;
  const data = column === undefined ? new ArrayType(rows) : new ArrayType(column);
  return makeData({ type: type as Float64, ...valid, data });
}

function toListData(type: List<Uint32>, column: ListColumn | undefined, rows: number): Data {
  const { values, offsets, isNull } =
    column ?? { values: new Uint32Array(0), offsets: new Int32Array(rows + 1), isNull: new Uint8Array(rows).fill(1) };
  const { nullBitmap, nullCount } = validityOfWhole(Int32Array.from(isNull, flag => -flag), rows);
  const child = makeData({ type: new Uint32(), length: values.length, nullCount: 0, data: values });
  return makeData({ type, length: rows, nullCount, nullBitmap: nullCount > 0 ? nullBitmap : null, valueOffsets: offsets, child });
}

/** Codes at the width of a dictionary's index; a null is index 0, which exists, for readers that look before the bitmap. */
function toIndices(
  { ArrayType }: Uint8 | Uint16 | Int32,
  codes: Int32Array | undefined,
  rows: number,
  nullCount: number,
): Uint8Array | Uint16Array | Int32Array {
  if (codes === undefined) return new ArrayType(rows);
  // Converted natively; a null, -1, has all bits set at any width.
  const indices = new ArrayType(codes);
  if (nullCount === 0) return indices;
  if (indices instanceof Uint8Array) clearNulls8(indices, codes);
  else if (indices instanceof Uint16Array) clearNulls16(indices, codes);
  else clearNulls32(indices, codes);
  return indices;
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

interface Validity {
  /** Bit set = has a value; lowest bit first. */
  readonly nullBitmap: Uint8Array;
  readonly nullCount: number;
}

// Two functions of one text: each loop then sees arrays of one type only (measured: a third of the time).
function validityOfWhole(values: Int32Array, rows: number): Validity {
  const nullBitmap = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  for (let row = 0, i = 0; row < rows; i++) {
    let byte = 0;
    for (let bit = 1; bit < 256 && row < rows; bit <<= 1, row++) {
      if (values[row] === -1) nullCount++;
      else byte |= bit;
    }
    nullBitmap[i] = byte;
  }
  return { nullBitmap, nullCount };
}

function validityOfNumbers(values: Float64Array, rows: number): Validity {
  const nullBitmap = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  for (let row = 0, i = 0; row < rows; i++) {
    let byte = 0;
    for (let bit = 1; bit < 256 && row < rows; bit <<= 1, row++) {
      if (values[row] !== values[row]) nullCount++;
      else byte |= bit;
    }
    nullBitmap[i] = byte;
  }
  return { nullBitmap, nullCount };
}

/** Exact whole doubles to 64-bit integers, without a BigInt per value. */
function toInt64(values: Int32Array | Float64Array, rows: number): BigInt64Array {
  const words = new Int32Array(rows * 2);
  for (let row = 0; row < rows; row++) {
    const value = values[row]!;
    if (value !== value) continue;
    const high = Math.floor(value / 0x1_0000_0000);
    // Storing wraps modulo 2^32, which is what the low word wants.
    words[row * 2] = value - high * 0x1_0000_0000;
    words[row * 2 + 1] = high;
  }
  return new BigInt64Array(words.buffer);
}
