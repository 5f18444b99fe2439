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
import { packCodes, type PackedColumn, type PackedValues, packInt64, packNumbers, validityOfWhole } from "./packed-column.ts";

/** A column with one value a row. */
type ValueColumn = Exclude<BatchColumns[number], ListColumn | undefined>;

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
      return toData(type, column as ValueColumn | undefined, rows, dictionaries[i]);
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
  column: ValueColumn | undefined,
  rows: number,
  dictionary: Vector<Utf8> | undefined,
): Data {
  const { nulls, validity, values } = column === undefined ? noValues(rows) : toPacked(type, column, dictionary);
  const valid = { length: rows, nullCount: nulls, nullBitmap: nulls > 0 ? validity : null };
  if (type instanceof ArrowDictionary) {
    return makeData({ type, ...valid, data: widen(values, type.indices as unknown as Float64), dictionary: dictionary! });
  }
  if (type instanceof Bool) return makeData({ type, ...valid, data: toBits(values) });
  return makeData({ type: type as Float64, ...valid, data: widen(values, type as Float64) });
}

function toListData(type: List<Uint32>, column: ListColumn | undefined, rows: number): Data {
  const { values, offsets, isNull } =
    column ?? { values: new Uint32Array(0), offsets: new Int32Array(rows + 1), isNull: new Uint8Array(rows).fill(1) };
  const { validity, nulls } = validityOfWhole(Int32Array.from(isNull, flag => -flag));
  const child = makeData({ type: new Uint32(), length: values.length, nullCount: 0, data: values });
  return makeData({ type, length: rows, nullCount: nulls, nullBitmap: nulls > 0 ? validity : null, valueOffsets: offsets, child });
}

function noValues(rows: number): PackedColumn {
  return { nulls: rows, validity: new Uint8Array((rows + 7) >> 3), values: new Float64Array(rows) };
}

function toPacked(type: DataType, column: ValueColumn, dictionary: Vector<Utf8> | undefined): PackedColumn {
  if (!ArrayBuffer.isView(column)) return column;
  if (dictionary !== undefined) return packCodes(column as Int32Array, dictionary.length);
  if (type instanceof Int64 || type instanceof TimestampMicrosecond) return packInt64(column);
  return packNumbers(column, type instanceof Bool ? Float64Array : (type as Float64).ArrayType);
}

/** Values at the width of the whole column: a batch may have been packed when its dictionary was smaller. */
function widen(values: PackedValues, { ArrayType }: Pick<Float64, "ArrayType">): Float64Array {
  if (values instanceof ArrayType) return values;
  // Of 64 bits are only those without any value.
  if ((ArrayType as unknown) === BigInt64Array) return new BigInt64Array(values.length) as unknown as Float64Array;
  return new ArrayType(values as unknown as Float64Array);
}

function toBits(values: PackedValues): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let row = 0; row < values.length; row++) if (values[row]! > 0) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}
