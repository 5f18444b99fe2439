/**
 * The batches of a table out of checked messages of Arrow IPC: a column is decoded when it is asked for.
 *
 * Tested in `test/lib/columns/arrow-guard.test.ts` and `test/lib/events/event-table.test.ts`.
 */
import type { BatchLayout, ColumnForm, ColumnLayout, IpcSchema, Message } from "./arrow-guard.ts";
import type { IpcBatch, ListColumn } from "./arrow-ipc.ts";
import type { Texts } from "./dictionary.ts";
import { ArrowError } from "./flatbuffer.ts";
import { setNullCodes, setNullNumbers } from "./packed-column.ts";

/** Arrays of numbers by their form; those of 64 bits are put together of halves, bools of bits. */
const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
type PlainForm = keyof typeof ARRAYS;

/** Takes the messages behind a schema in their order. */
export class BatchReader {
  readonly #schema: IpcSchema;
  readonly #byName = new Map<string, number>();
  readonly #dictionaries = new Map<number, Texts>();
  readonly #texts = new Map<string, Texts>();

  constructor(schema: IpcSchema) {
    this.#schema = schema;
    // Of two columns of one name the first counts.
    schema.columns.forEach(({ name }, i) => {
      if (!this.#byName.has(name)) this.#byName.set(name, i);
    });
  }

  /** Texts of a column with a dictionary, once the first batch is read. */
  texts(name: string): Texts | undefined {
    return this.#texts.get(name);
  }

  /** Take note of texts that stay where they are: of such only the codes can be read. */
  skip(dictionary: number, batch: BatchLayout): void {
    this.#dictionaries.set(dictionary, { ...NO_TEXTS, size: batch.rows });
  }

  /** @returns The batch, if the message holds one. */
  take(message: Message, body: Uint8Array): IpcBatch | undefined {
    if ("schema" in message) return undefined;
    if (message.dictionary !== undefined) {
      this.#dictionaries.set(message.dictionary, readTexts(message.batch, body));
      return undefined;
    }
    const reader = new BodyReader(message.batch, body);
    const columns = this.#schema.columns.map(layout => placeColumn(reader, layout));
    if (this.#texts.size === 0) this.#nameTexts();
    const { rows } = message.batch;
    const decoded = new Map<string, Int32Array | Float64Array>();
    const placed = (name: string) => {
      const i = this.#byName.get(name);
      return i === undefined ? undefined : columns[i];
    };
    return {
      rows,
      column: name => {
        let column = decoded.get(name);
        if (column !== undefined) return column;
        const place = placed(name);
        if (place === undefined || place.layout.form === "list" || place.layout.form === "text") return undefined;
        column = place.layout.dictionary === undefined ? toNumbers(place, rows) : toCodes(place, rows, this.#texts.get(name)!.size);
        decoded.set(name, column);
        return column;
      },
      lists(name) {
        const place = placed(name);
        return place?.layout.form === "list" ? toLists(place, rows) : undefined;
      },
    };
  }

  #nameTexts(): void {
    for (const [name, i] of this.#byName) {
      const { dictionary } = this.#schema.columns[i]!;
      if (dictionary !== undefined) this.#texts.set(name, this.#dictionaries.get(dictionary) ?? NO_TEXTS);
    }
  }
}

const NO_TEXTS: Texts = { size: 0, arena: new Uint8Array(0), offsets: new Int32Array(1) };

/** Hands out the nodes and buffers of a batch one after the other. */
class BodyReader {
  readonly #batch: BatchLayout;
  readonly #body: Uint8Array;
  #node = 0;
  #buffer = 0;

  constructor(batch: BatchLayout, body: Uint8Array) {
    this.#batch = batch;
    this.#body = body;
  }

  node(): { readonly rows: number; readonly nulls: number } {
    const node = this.#batch.nodes[this.#node++];
    if (node === undefined) throw lacksColumns();
    return node;
  }

  buffer(): Uint8Array {
    const buffer = this.#batch.buffers[this.#buffer++];
    if (buffer === undefined) throw lacksColumns();
    return this.#body.subarray(buffer.start, buffer.start + buffer.bytes);
  }
}

function lacksColumns(): ArrowError {
  return new ArrowError("its Arrow data are damaged: a batch has fewer columns than the schema");
}

/** The bytes of one column in a batch. */
interface PlacedColumn {
  readonly layout: ColumnLayout;
  readonly nulls: number;
  /** Bit set = has a value, lowest bit first; for `nulls` 0 it may be empty. */
  readonly bitmap: Uint8Array;
  /** Of a list its offsets. */
  readonly values: Uint8Array;
  /** What the lists hold. */
  readonly elements: { readonly nulls: number; readonly values: Uint8Array } | undefined;
}

function placeColumn(reader: BodyReader, layout: ColumnLayout): PlacedColumn {
  const { rows, nulls } = reader.node();
  const bitmap = reader.buffer();
  const values = reader.buffer();
  if (nulls > 0 && bitmap.length * 8 < rows) throw holdsLess(layout, rows);
  if (layout.form === "text") reader.buffer();
  if (layout.form !== "list") return { layout, nulls, bitmap, values, elements: undefined };
  const element = reader.node();
  // Whether they are null, bit by bit.
  reader.buffer();
  return { layout, nulls, bitmap, values, elements: { nulls: element.nulls, values: reader.buffer() } };
}

function holdsLess({ name }: ColumnLayout, rows: number): ArrowError {
  return new ArrowError(`its Arrow data are damaged: column ${JSON.stringify(name)} does not hold ${rows} rows`);
}

/** So many values; copied where they do not lie as the processor wants them. */
function viewOf<Form extends PlainForm>(form: Form, bytes: Uint8Array, length: number): InstanceType<(typeof ARRAYS)[Form]> {
  const ArrayType = ARRAYS[form];
  const isAligned = bytes.byteOffset % ArrayType.BYTES_PER_ELEMENT === 0;
  // Not `slice`, which of a Buffer copies nothing.
  const { buffer, byteOffset } = isAligned ? bytes : new Uint8Array(bytes.subarray(0, length * ArrayType.BYTES_PER_ELEMENT));
  return new ArrayType(buffer as ArrayBuffer, byteOffset, length) as InstanceType<(typeof ARRAYS)[Form]>;
}

function widthOf(form: ColumnForm): number {
  return form in ARRAYS ? 8 * ARRAYS[form as PlainForm].BYTES_PER_ELEMENT : form === "bool" ? 1 : 64;
}

/** The texts of a message that holds some. */
export function readTexts(batch: BatchLayout, body: Uint8Array): Texts {
  return toTexts(new BodyReader(batch, body));
}

function toTexts(reader: BodyReader): Texts {
  const { rows: size } = reader.node();
  reader.buffer();
  const offsetBytes = reader.buffer();
  const arena = reader.buffer();
  if (size === 0) return NO_TEXTS;
  let isSound = offsetBytes.length >= 4 * (size + 1);
  const offsets = isSound ? viewOf("int32", offsetBytes, size + 1) : NO_TEXTS.offsets;
  isSound &&= offsets[0]! >= 0 && offsets[size]! <= arena.length;
  for (let code = 0; isSound && code < size; code++) isSound = offsets[code]! <= offsets[code + 1]!;
  if (!isSound) throw new ArrowError("its Arrow data are damaged: a text reaches beyond the end of all texts");
  return { size, arena, offsets };
}

function toCodes(place: PlacedColumn, rows: number, size: number): Int32Array {
  const { layout, nulls, bitmap, values } = place;
  requireRows(place, rows);
  if (layout.form === "int64" || layout.form === "uint64") throw new ArrowError("Arrow data with codes of 64 bits");
  // Converted natively: `from` walks an iterator (measured: 20 times as long).
  const codes = new Int32Array(viewOf(layout.form as PlainForm, values, rows));
  if (nulls > 0) setNullCodes(codes, bitmap);
  checkCodes(codes, size);
  return codes;
}

function toNumbers(place: PlacedColumn, rows: number): Float64Array {
  const { layout: { form }, nulls, bitmap, values } = place;
  requireRows(place, rows);
  let numbers: Float64Array;
  if (form === "int64" || form === "uint64") {
    numbers = fromInt64(values, rows, form === "int64");
  } else if (form === "bool") {
    numbers = new Float64Array(rows);
    for (let row = 0; row < rows; row++) numbers[row] = (values[row >> 3]! >> (row & 7)) & 1;
  } else {
    numbers = new Float64Array(viewOf(form as PlainForm, values, rows));
  }
  if (nulls > 0) setNullNumbers(numbers, bitmap);
  return numbers;
}

function requireRows({ layout, values }: PlacedColumn, rows: number): void {
  if (values.length * 8 < rows * widthOf(layout.form)) throw holdsLess(layout, rows);
}

/** Lists whose offsets lead nowhere else than to their numbers. */
function toLists({ layout, nulls, bitmap, values: offsetBytes, elements }: PlacedColumn, rows: number): ListColumn {
  if (offsetBytes.length < 4 * (rows + 1)) throw holdsLess(layout, rows);
  const offsets = viewOf("int32", offsetBytes, rows + 1);
  let isSound = layout.elements === "uint32" && elements!.nulls === 0 && offsets[0]! >= 0;
  for (let row = 0; isSound && row < rows; row++) isSound = offsets[row]! <= offsets[row + 1]!;
  if (!isSound || 4 * offsets[rows]! > elements!.values.length) {
    throw new ArrowError(`its Arrow data are damaged: a list of column ${JSON.stringify(layout.name)} reaches beyond the end of all lists`);
  }
  const values = viewOf("uint32", elements!.values, elements!.values.length >> 2);
  const isNull = new Uint8Array(rows);
  if (nulls > 0) for (let row = 0; row < rows; row++) isNull[row] = 1 - ((bitmap[row >> 3]! >> (row & 7)) & 1);
  return { values, offsets, isNull };
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
function fromInt64(bytes: Uint8Array, rows: number, isSigned: boolean): Float64Array {
  const low = viewOf("uint32", bytes, rows * 2);
  const high = isSigned ? viewOf("int32", bytes, rows * 2) : low;
  const numbers = new Float64Array(rows);
  for (let i = 0; i < rows; i++) numbers[i] = high[i * 2 + 1]! * 0x1_0000_0000 + low[i * 2]!;
  return numbers;
}
