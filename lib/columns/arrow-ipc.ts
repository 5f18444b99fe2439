/**
 * What the event table and the reduced table share of Arrow: columns to vectors and back, IPC bytes out and in.
 *
 * Tables are written uncompressed and without extension types, dictionary-coded text with the narrowest unsigned
 * index: what other readers (ClickHouse, DuckDB, flechette, pyarrow) take.
 * Tested in `test/lib/columns/arrow-guard.test.ts` and `test/lib/events/event-table.test.ts`.
 */
import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
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
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
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
import { Footer } from "apache-arrow/ipc/metadata/file";
import {
  ArrowError,
  checkedMessages,
  checkFile,
  checkFileBytes,
  checkStream,
  isIpcFile,
  isMagic,
  readFooter,
} from "./arrow-guard.ts";
import type { Texts } from "./dictionary.ts";
import { peek } from "./first-bytes.ts";
import { openRegularHandle } from "./regular-file.ts";

export type IpcFormat = "file" | "stream";

/** How a column of plain numbers is written. */
export type NumberType = "uint8" | "uint16" | "uint32" | "int32" | "int64" | "float64" | "date" | "timestamp" | "bool";

/** One column of a table to be written. */
export type ColumnShape =
  | { readonly name: string; readonly texts: Texts; readonly nullable: boolean }
  | { readonly name: string; readonly type: NumberType; readonly nullable: boolean };

/**
 * Values of one batch in the order of the shapes: whole numbers and codes (-1 = null), or numbers (NaN = null); nothing
 * where every row is null.
 */
export type BatchColumns = readonly (Int32Array | Float64Array | undefined)[];

/**
 * Arrow IPC bytes of a table, piece by piece.
 *
 * @param shapes The columns; texts are written once, before the first batch.
 * @param batches Each with its number of rows and a column per shape.
 * @param metadata Key-value metadata of the schema.
 */
export function* toIpc(
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
    const children = columns.map((column, i) => toData(types[i]!, column, rows, dictionaries[i]));
    writer.write(new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows, children })));
    yield* pieces.splice(0);
  }
  writer.finish();
  yield* pieces.splice(0);
}

/** Joins small pieces, so that a table is written in few calls. */
export function* inChunks(pieces: Iterable<Uint8Array>, chunkBytes = 1 << 20): Generator<Uint8Array> {
  let buffer = new Uint8Array(chunkBytes);
  let filled = 0;
  for (const piece of pieces) {
    if (filled + piece.length > chunkBytes) {
      if (filled > 0) {
        yield buffer.subarray(0, filled);
        buffer = new Uint8Array(chunkBytes);
      }
      filled = 0;
    }
    if (piece.length >= chunkBytes) {
      yield piece;
    } else {
      buffer.set(piece, filled);
      filled += piece.length;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
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

/** 64-bit integers to doubles, without a BigInt per value; exact up to 2^53. */
function fromInt64(values: BigInt64Array): Float64Array {
  const low = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const high = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) numbers[i] = high[i * 2 + 1]! * 0x1_0000_0000 + low[i * 2]!;
  return numbers;
}

/** A table being read: its metadata, its texts, and its batches in order. */
export interface IpcTable {
  readonly metadata: ReadonlyMap<string, string>;
  /** Columns present, in order. */
  readonly names: readonly string[];
  /** State of the file, see `stateOf`; undefined where it is none. */
  readonly state?: string;
  /** Texts of a dictionary-coded column, known once the first batch is read; undefined for other columns. */
  texts(name: string): Texts | undefined;
  /** Each batch; a column is decoded when it is asked for: codes (-1 = null) or numbers (NaN = null). */
  batches(): AsyncGenerator<{ rows: number; column(name: string): Int32Array | Float64Array | undefined }>;
  close(): Promise<void>;
}

/**
 * Files up to this size are read at once, when the first batch is asked for: in pieces it takes five times as long, of
 * memory a few batches' worth.
 */
const WHOLE_MAX_BYTES = 256 << 20;

/**
 * Open an Arrow IPC file, or the bytes of a file or stream.
 *
 * Of a file only the end is read, where its schema stands: who wants no more than the metadata pays for no more.
 *
 * @param state The state in which a file must be, see `stateOf`; undefined = any.
 */
export async function openIpc(
  source: string | Uint8Array | AsyncIterable<Uint8Array>,
  state?: string,
): Promise<IpcTable> {
  if (typeof source === "string") return openIpcFile(source, state);
  const reader = await openReader(source);
  const texts = new Map<string, Texts>();
  return {
    ...describeSchema(reader.schema),
    texts: name => texts.get(name),
    batches: () => readBatches(reader, texts),
    close: async () => {
      await reader.cancel();
    },
  };
}

async function openIpcFile(path: string, wanted: string | undefined): Promise<IpcTable> {
  const { handle, state } = await openRegularHandle(path, wanted);
  try {
    const { size } = await handle.stat();
    const read = (start: number, length: number) => readBytes(handle.fd, start, length);
    const schema = isIpcFile(read, size)
      ? (await tellDamage(() => Footer.decode(readFooter(read, size)))).schema
      : (await openReader(read(0, size))).schema;
    const texts = new Map<string, Texts>();
    let reader: RecordBatchReader | undefined;
    return {
      ...describeSchema(schema),
      state,
      texts: name => texts.get(name),
      async *batches() {
        if (size <= WHOLE_MAX_BYTES) {
          reader = await openReader(read(0, size));
        } else {
          checkFile(read, size);
          reader = await toReader(handle);
        }
        yield* readBatches(reader, texts);
      },
      close: async () => {
        await reader?.cancel();
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The library's reader over messages that have been looked at. */
async function openReader(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<RecordBatchReader> {
  if (source instanceof Uint8Array) {
    if (isMagic(source)) checkFileBytes(source);
    else checkStream(source);
    return toReader(source);
  }
  const { head, all } = await peek(source);
  // A file on a pipe: its schema stands at its end.
  return isMagic(head) ? openReader(Buffer.concat(await Array.fromAsync(all))) : toReader(checkedMessages(all));
}

async function toReader(source: Uint8Array | AsyncIterable<Uint8Array> | FileHandle): Promise<RecordBatchReader> {
  return tellDamage(async () => {
    const reader = await RecordBatchReader.from(source as AsyncIterable<Uint8Array>);
    await reader.open({ autoDestroy: false });
    return reader;
  });
}

function describeSchema({ metadata, fields }: Schema): Pick<IpcTable, "metadata" | "names"> {
  return { metadata, names: fields.map(field => field.name) };
}

async function nextBatch(reader: RecordBatchReader): Promise<RecordBatch | undefined> {
  const { done, value } = await tellDamage(() => reader.next());
  return done === true ? undefined : (value as RecordBatch);
}

/** What the library stumbles over is no fault of the program's, as such an error else would be. */
async function tellDamage<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new ArrowError(`its Arrow data are damaged: ${error.message}`, { cause: error });
  }
}

async function* readBatches(reader: RecordBatchReader, texts: Map<string, Texts>): ReturnType<IpcTable["batches"]> {
  for (;;) {
    const batch = await nextBatch(reader);
    if (batch === undefined) return;
    const columns = new Map<string, Data>();
    batch.schema.fields.forEach((field, i) => {
      const data = batch.data.children[i]!;
      checkData(data, batch.numRows, field.name);
      if (data.dictionary !== undefined && !texts.has(field.name)) {
        texts.set(field.name, toTexts(data.dictionary as Vector<Utf8>));
      }
      columns.set(field.name, data);
    });
    const decoded = new Map<string, Int32Array | Float64Array>();
    yield {
      rows: batch.numRows,
      column(name) {
        const data = columns.get(name);
        let column = decoded.get(name);
        if (column === undefined && data !== undefined) decoded.set(name, (column = fromData(data)));
        return column;
      },
    };
  }
}

function readBytes(file: number, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const n = readSync(file, bytes, filled, length - filled, start + filled);
    if (n === 0) throw new ArrowError("its Arrow data are cut short");
    filled += n;
  }
  return bytes;
}

function toTexts(vector: Vector<Utf8>): Texts {
  const [data, ...more] = vector.data;
  if (data === undefined || data.length === 0) return { size: 0, arena: new Uint8Array(0), offsets: new Int32Array(1) };
  if (more.length > 0) throw new Error("Cannot read a dictionary in several pieces: expected one");
  const { length: size, values: arena, valueOffsets: offsets } = data;
  let isSound = offsets instanceof Int32Array && offsets.length > size && offsets[0]! >= 0 && offsets[size]! <= arena.length;
  for (let code = 0; isSound && code < size; code++) isSound = offsets[code]! <= offsets[code + 1]!;
  if (!isSound) throw new ArrowError("its Arrow data are damaged: a text reaches beyond the end of all texts");
  return { size, arena, offsets };
}

/** The bytes of a column must be as many as its rows want. */
function checkData(data: Data, rows: number, name: string): void {
  const perValue = data.type instanceof Bool ? 8 : 1;
  const values: { readonly length: number } | undefined = data.values;
  const bitmap: Uint8Array | null | undefined = data.nullBitmap;
  const hasBitmap = bitmap !== undefined && bitmap !== null && bitmap.length > 0;
  if (
    data.length !== rows ||
    values === undefined ||
    values.length * perValue < rows ||
    (data.nullCount > 0 && hasBitmap && bitmap.length * 8 < rows)
  ) {
    throw new ArrowError(`its Arrow data are damaged: column ${JSON.stringify(name)} does not hold ${rows} rows`);
  }
}

function fromData(data: Data): Int32Array | Float64Array {
  const { type, length, nullCount, nullBitmap } = data;
  if (type instanceof ArrowDictionary) {
    // Converted natively: `from` walks an iterator (measured: 20 times as long).
    const codes = new Int32Array((data.values as Int32Array).subarray(0, length));
    if (nullCount > 0) setNullCodes(codes, nullBitmap);
    checkCodes(codes, data.dictionary!.length);
    return codes;
  }
  let numbers: Float64Array;
  if (data.values instanceof BigInt64Array) {
    numbers = fromInt64(data.values.subarray(0, length));
  } else if (type instanceof Bool) {
    const bits = data.values as Uint8Array;
    numbers = new Float64Array(length);
    for (let row = 0; row < length; row++) numbers[row] = (bits[row >> 3]! >> (row & 7)) & 1;
  } else {
    numbers = new Float64Array((data.values as Float64Array).subarray(0, length));
  }
  if (nullCount > 0) setNullNumbers(numbers, nullBitmap);
  return numbers;
}

// Two functions of one text, as above; a byte whose eight rows all have a value is passed over at once.
function setNullCodes(codes: Int32Array, bitmap: Uint8Array): void {
  for (let start = 0; start < codes.length; start += 8) {
    const bits = bitmap[start >> 3]!;
    if (bits === 0xff) continue;
    const end = Math.min(start + 8, codes.length);
    for (let row = start; row < end; row++) if (((bits >> (row & 7)) & 1) === 0) codes[row] = -1;
  }
}

function setNullNumbers(numbers: Float64Array, bitmap: Uint8Array): void {
  for (let start = 0; start < numbers.length; start += 8) {
    const bits = bitmap[start >> 3]!;
    if (bits === 0xff) continue;
    const end = Math.min(start + 8, numbers.length);
    for (let row = start; row < end; row++) if (((bits >> (row & 7)) & 1) === 0) numbers[row] = NaN;
  }
}

/** A damaged or hostile file must not send anybody behind the end of a dictionary. */
function checkCodes(codes: Int32Array, size: number): void {
  for (let row = 0; row < codes.length; row++) {
    if (codes[row]! >= size || codes[row]! < -1) {
      throw new RangeError(`Cannot read code ${codes[row]} of a dictionary: expected less than ${size}`);
    }
  }
}
