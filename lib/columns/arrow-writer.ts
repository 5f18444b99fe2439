/**
 * Columns to Arrow IPC bytes: files and streams that other readers take. Written without the Arrow library, which takes a
 * millisecond and more for each small table, and 30 ms and 20 MB to load.
 *
 * Format: https://arrow.apache.org/docs/format/Columnar.html and the .fbs files of its `format` folder.
 */
import { FILE_MAGIC, HEADER, MARK, TYPE } from "./arrow-format.ts";
import type { BatchColumns, ColumnShape, IpcFormat, ListColumn, NumberType } from "./arrow-ipc.ts";
import type { ColumnMemory } from "./arrow-reader.ts";
import type { Texts } from "./dictionary.ts";
import { byte, type TableField, int, long, short, toFlatbuffer } from "./flatbuffer-writer.ts";
import { packCodes, type PackedColumn, type PackMemory, type PackedValues, packInt64, packNumbers, validityOfFlags } from "./packed-column.ts";

/** A column with one value a row. */
type ValueColumn = Exclude<BatchColumns[number], ListColumn | undefined>;

/** As `toIpc` says. */
export function* writeIpc(
  format: IpcFormat,
  shapes: readonly ColumnShape[],
  batches: Iterable<{ rows: number; columns: BatchColumns }>,
  metadata: ReadonlyMap<string, string>,
  memory?: ColumnMemory,
): Generator<Uint8Array> {
  const schema = toSchema(shapes, metadata);
  const memories = shapes.map((_, i): PackMemory | undefined => memory && (bytes => memory.bytes(`${i}`, bytes)));
  const output = new Output();
  if (format === "file") output.put(FILE_MAGIC);
  // Of a file the schema in its footer counts: the metadata, a list of thousands of logs perhaps, need not stand twice.
  output.putMessage(HEADER.schema, format === "file" ? toSchema(shapes, new Map()) : schema, new Body());
  const dictionaryBlocks: Block[] = [];
  const batchBlocks: Block[] = [];
  for (const { rows, columns } of batches) {
    // Before the first batch, all of them: they do not change.
    if (batchBlocks.length === 0) {
      shapes.forEach((shape, id) => {
        if ("texts" in shape) dictionaryBlocks.push(putDictionary(output, id, shape.texts));
      });
    }
    const body = new Body();
    columns.forEach((column, i) => putColumn(body, shapes[i]!, column, rows, memories[i]));
    batchBlocks.push(output.putMessage(HEADER.batch, body.layout(rows), body));
    yield* output.take();
  }
  output.put(MARK, Uint8Array.of(0, 0, 0, 0));
  if (format === "file") {
    const footer = toFlatbuffer([VERSION, { table: schema }, { longs: dictionaryBlocks }, { longs: batchBlocks }]);
    output.put(footer, toBytes(Int32Array.of(footer.length)), FILE_MAGIC.subarray(0, 6));
  }
  yield* output.take();
}

type Fields = readonly (TableField | undefined)[];

/** Where a message begins, bytes of its metadata with what stands before them, bytes of its body. */
type Block = readonly [at: number, metadataBytes: number, bodyBytes: number];

/** The fifth version of the format, the only one written since 2020. */
const VERSION = short(4);

/** Pieces of a file or stream, and how far it has come. */
class Output {
  #pieces: Uint8Array[] = [];
  #at = 0;

  put(...pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      if (piece.length > 0) this.#pieces.push(piece);
      this.#at += piece.length;
    }
  }

  putMessage(type: number, header: Fields, body: Body): Block {
    const at = this.#at;
    const metadata = toFlatbuffer([VERSION, byte(type), { table: header }, long(body.bytes)]);
    this.put(MARK, toBytes(Int32Array.of(metadata.length)), metadata);
    const bodyAt = this.#at;
    this.put(...body.pieces);
    return [at, bodyAt - at, this.#at - bodyAt];
  }

  take(): Uint8Array[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }
}

/**
 * The buffers of a batch, each filled up to eight bytes. Those that hold nothing but zeros, as of columns without a value,
 * are one and the same at the end, and one that is as the one before it lies there, too, as the last time of rows that were
 * seen once: a reader takes each from where it is said to lie. Two fifths of a reduced table.
 */
class Body {
  readonly pieces: Uint8Array[] = [];
  bytes = 0;
  readonly #nodes: [rows: number, nulls: number][] = [];
  readonly #buffers: [start: number, bytes: number][] = [];
  readonly #zeros: [start: number, bytes: number][] = [];
  #before: readonly [start: number, content: Uint8Array] = [0, NOTHING];

  putNode(rows: number, nulls: number): void {
    this.#nodes.push([rows, nulls]);
  }

  put(values: ArrayBufferView): void {
    const bytes = toBytes(values);
    const buffer: [start: number, bytes: number] = [this.bytes, bytes.length];
    this.#buffers.push(buffer);
    if (bytes.length === 0) return;
    const [start, content] = this.#before;
    if (isZeros(bytes)) this.#zeros.push(buffer);
    else if (isSame(bytes, content)) buffer[0] = start;
    else {
      this.#before = [this.bytes, bytes];
      this.#append(bytes);
    }
  }

  /** As {@link put} of so many bytes that are known to be zeros. */
  putZeros(bytes: number): void {
    const buffer: [start: number, bytes: number] = [this.bytes, bytes];
    this.#buffers.push(buffer);
    if (bytes > 0) this.#zeros.push(buffer);
  }

  /** Once, behind the last buffer. */
  layout(rows: number): Fields {
    for (const buffer of this.#zeros) buffer[0] = this.bytes;
    this.#append(zeros(this.#zeros.reduce((most, [, bytes]) => Math.max(most, bytes), 0)));
    return [long(rows), { longs: this.#nodes }, { longs: this.#buffers }];
  }

  #append(bytes: Uint8Array): void {
    const filling = (8 - (bytes.length % 8)) % 8;
    this.pieces.push(bytes);
    if (filling > 0) this.pieces.push(zeros(filling));
    this.bytes += bytes.length + filling;
  }
}

const NOTHING = new Uint8Array(0);
/** As many as anybody has asked for. */
let allZeros = Buffer.alloc(8);

function zeros(bytes: number): Uint8Array {
  if (allZeros.length < bytes) allZeros = Buffer.alloc(bytes);
  return allZeros.subarray(0, bytes);
}

function isZeros(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0 || bytes.at(-1) !== 0) return false;
  if (allZeros.length < bytes.length) allZeros = Buffer.alloc(bytes.length);
  // Not of a view, which takes longer to make than to compare.
  return allZeros.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}

/** Compared natively, which ends at the first byte that is another. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.at(-1) === b.at(-1) && Buffer.compare(a, b) === 0;
}

function toBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

function putDictionary(output: Output, id: number, { size, offsets, arena }: Texts): Block {
  const body = new Body();
  body.putNode(size, 0);
  body.put(NOTHING);
  body.put(offsets.subarray(0, size + 1));
  body.put(arena.subarray(0, offsets[size]!));
  return output.putMessage(HEADER.dictionary, [long(id), { table: body.layout(size) }], body);
}

function putColumn(body: Body, shape: ColumnShape, column: BatchColumns[number], rows: number, memory?: PackMemory): void {
  if ("type" in shape && shape.type === "list") return putList(body, column as ListColumn | undefined, rows);
  if (column === undefined) return putNothing(body, shape, rows);
  const { nulls, validity, values } = toPacked(shape, column as ValueColumn, memory);
  body.putNode(rows, nulls);
  body.put(nulls > 0 ? validity : NOTHING);
  body.put("type" in shape && shape.type === "bool" ? toBits(values) : widen(values, arrayOf(shape)));
}

/** A column without a value in any row. */
function putNothing(body: Body, shape: ColumnShape, rows: number): void {
  const bits = "type" in shape && shape.type === "bool" ? 1 : 8 * arrayOf(shape).BYTES_PER_ELEMENT;
  body.putNode(rows, rows);
  body.putZeros((rows + 7) >> 3);
  body.putZeros((rows * bits + 7) >> 3);
}

function putList(body: Body, column: ListColumn | undefined, rows: number): void {
  const { values, offsets, isNull } =
    column ?? { values: new Uint32Array(0), offsets: new Int32Array(rows + 1), isNull: new Uint8Array(rows).fill(1) };
  const { validity, nulls } = validityOfFlags(isNull);
  body.putNode(rows, nulls);
  body.put(nulls > 0 ? validity : NOTHING);
  body.put(offsets.subarray(0, rows + 1));
  body.putNode(values.length, 0);
  body.put(NOTHING);
  body.put(values);
}

/** The narrowest index of a dictionary. */
function codeBits({ size }: Texts): 8 | 16 | 32 {
  return size <= 0x100 ? 8 : size <= 0x10000 ? 16 : 32;
}

function toSchema(shapes: readonly ColumnShape[], metadata: ReadonlyMap<string, string>): Fields {
  const fields = shapes.map((shape, id): Fields => {
    const isText = "texts" in shape;
    const [type, about] = isText ? ([TYPE.text, TEXT] as const) : TYPES[shape.type];
    const codes = isText && [long(id), { shared: CODE_TYPES[codeBits(shape.texts)] }];
    const children = "type" in shape && shape.type === "list" ? { tables: [ITEM] } : { shared: NO_CHILDREN };
    const isNullable = byte(Number(shape.nullable));
    return [{ text: shape.name }, isNullable, byte(type), { shared: about }, codes ? { table: codes } : undefined, children];
  });
  const pairs = [...metadata].map(([key, value]): Fields => [{ text: key }, { text: value }]);
  return [short(0), { tables: fields }, { tables: pairs }];
}

type Shared = Extract<TableField, { shared: unknown }>["shared"];

function toInt(bits: number, isSigned: 0 | 1): Shared {
  return { table: [int(bits), byte(isSigned)] };
}

/** What is said of types, an object each, which a schema holds once. */
const TEXT: Shared = { table: [] };
const NO_CHILDREN: Shared = { tables: [] };
/** Only the codes of many texts need a sign, as there is no larger number of them. */
const CODE_TYPES = { 8: toInt(8, 0), 16: toInt(16, 0), 32: toInt(32, 1) } as const;

/** Number of each type, and what is said of it: a date in days, a timestamp in microseconds. */
const TYPES: Readonly<Record<NumberType | "list", readonly [number, Shared]>> = {
  uint8: [TYPE.int, CODE_TYPES[8]],
  uint16: [TYPE.int, CODE_TYPES[16]],
  uint32: [TYPE.int, toInt(32, 0)],
  int32: [TYPE.int, CODE_TYPES[32]],
  int64: [TYPE.int, toInt(64, 1)],
  float64: [TYPE.float, { table: [short(2)] }],
  date: [TYPE.date, { table: [short(0)] }],
  timestamp: [TYPE.timestamp, { table: [short(2), { text: "UTC" }] }],
  bool: [TYPE.bool, { table: [] }],
  list: [TYPE.list, { table: [] }],
};
const ITEM: Fields = [{ text: "item" }, byte(0), byte(TYPE.int), { shared: TYPES.uint32[1] }, undefined, { shared: NO_CHILDREN }];

const CODES = { 8: Uint8Array, 16: Uint16Array, 32: Int32Array } as const;
const NUMBERS = {
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float64: Float64Array,
  date: Int32Array,
  // Bit by bit in the end.
  bool: Float64Array,
} as const;
type PlainArray = (typeof NUMBERS)[keyof typeof NUMBERS];

/** What holds the values of a column; those of 64 bits are put together of halves. */
function arrayOf(shape: ColumnShape): PlainArray | BigInt64ArrayConstructor {
  if ("texts" in shape) return CODES[codeBits(shape.texts)];
  if (shape.type === "int64" || shape.type === "timestamp") return BigInt64Array;
  return NUMBERS[shape.type as keyof typeof NUMBERS];
}

function toPacked(shape: ColumnShape, column: ValueColumn, memory?: PackMemory): PackedColumn {
  if (!ArrayBuffer.isView(column)) return column;
  if ("texts" in shape) return packCodes(column as Int32Array, shape.texts.size, memory);
  const ArrayType = arrayOf(shape);
  return ArrayType === BigInt64Array ? packInt64(column, memory) : packNumbers(column, ArrayType as typeof Float64Array, memory);
}

/** Values at the width of the whole column: a batch may have been packed when its dictionary was smaller. */
function widen(values: PackedValues, ArrayType: PlainArray | BigInt64ArrayConstructor): PackedValues {
  if (values instanceof ArrayType) return values;
  // Of 64 bits are only those without any value.
  if (ArrayType === BigInt64Array) return new BigInt64Array(values.length);
  return new (ArrayType as typeof Float64Array)(values as Float64Array);
}

function toBits(values: PackedValues): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let row = 0; row < values.length; row++) if (values[row]! > 0) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}
