/**
 * Arrow IPC bytes to columns, by the Arrow library; nobody believes a message before the guard has looked at it.
 *
 * Loaded late, by `arrow-ipc.ts`. Tested in `test/lib/columns/arrow-guard.test.ts`.
 */
import type { FileHandle } from "node:fs/promises";
import { Bool, type Data, Dictionary as ArrowDictionary, List, type RecordBatch, RecordBatchReader, type Schema, type Utf8, type Vector } from "apache-arrow";
import { ArrowError, checkedMessages, checkFileBytes, checkStream, isMagic } from "./arrow-guard.ts";
import type { IpcBatch, IpcTable, ListColumn } from "./arrow-ipc.ts";
import type { Texts } from "./dictionary.ts";
import { peek } from "./first-bytes.ts";
import { openRegularHandle } from "./regular-file.ts";

/** The library's reader over messages that have been looked at. */
export async function openReader(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<RecordBatchReader> {
  if (source instanceof Uint8Array) {
    if (isMagic(source)) checkFileBytes(source);
    else checkStream(source);
    return toReader(source);
  }
  const { head, all } = await peek(source);
  // A file on a pipe: its schema stands at its end.
  return isMagic(head) ? openReader(Buffer.concat(await Array.fromAsync(all))) : toReader(checkedMessages(all));
}

/** A reader of a file that is too large to be held whole; its messages must have been looked at. */
export async function openLargeFile(path: string, state: string): Promise<RecordBatchReader> {
  const { handle } = await openRegularHandle(path, state);
  return toReader(handle);
}

async function toReader(source: Uint8Array | AsyncIterable<Uint8Array> | FileHandle): Promise<RecordBatchReader> {
  return tellDamage(async () => {
    const reader = await RecordBatchReader.from(source as AsyncIterable<Uint8Array>);
    await reader.open({ autoDestroy: false });
    return reader;
  });
}

/** What the schema of a table says of it. */
export function describeSchema({ metadata, fields }: Schema): Pick<IpcTable, "metadata" | "names"> {
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

/**
 * The batches of a table, each column decoded when it is asked for.
 *
 * @param texts Takes the texts of its columns, with the first batch.
 */
export async function* readBatches(reader: RecordBatchReader, texts: Map<string, Texts>): AsyncGenerator<IpcBatch> {
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
        if (column === undefined && data !== undefined && !(data.type instanceof List)) {
          decoded.set(name, (column = fromData(data)));
        }
        return column;
      },
      lists(name) {
        const data = columns.get(name);
        return data?.type instanceof List ? fromListData(data, name) : undefined;
      },
    };
  }
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
  // A list has an offset more than rows.
  const values: { readonly length: number } | undefined =
    data.type instanceof List ? (data.valueOffsets as Int32Array | undefined)?.subarray(1) : data.values;
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

/** Lists whose offsets lead nowhere else than to their numbers. */
function fromListData(data: Data, name: string): ListColumn {
  const { length, nullCount, nullBitmap, valueOffsets } = data;
  const [child] = data.children;
  const values: unknown = child?.values;
  const offsets = (valueOffsets as Int32Array).subarray(0, length + 1);
  let isSound = values instanceof Uint32Array && child!.nullCount === 0 && offsets[0]! >= 0;
  for (let row = 0; isSound && row < length; row++) isSound = offsets[row]! <= offsets[row + 1]!;
  if (!isSound || offsets[length]! > (values as Uint32Array).length) {
    throw new ArrowError(`its Arrow data are damaged: a list of column ${JSON.stringify(name)} reaches beyond the end of all lists`);
  }
  const isNull = new Uint8Array(length);
  if (nullCount > 0) for (let row = 0; row < length; row++) isNull[row] = 1 - ((nullBitmap[row >> 3]! >> (row & 7)) & 1);
  return { values: values as Uint32Array, offsets, isNull };
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

/** 64-bit integers to doubles, without a BigInt per value; exact up to 2^53. */
function fromInt64(values: BigInt64Array): Float64Array {
  const low = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const high = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) numbers[i] = high[i * 2 + 1]! * 0x1_0000_0000 + low[i * 2]!;
  return numbers;
}
