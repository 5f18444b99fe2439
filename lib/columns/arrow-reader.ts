/**
 * The batches of a table out of checked messages of Arrow IPC: a column, and the texts of one, are read and decoded when
 * they are asked for.
 *
 * Tested in `test/lib/columns/arrow-guard.test.ts` and `test/lib/events/event-table.test.ts`.
 */
import type { BatchLayout, ColumnForm, ColumnLayout, IpcSchema, Message } from "./arrow-guard.ts";
import type { IpcBatch, ListColumn } from "./arrow-ipc.ts";
import type { Texts } from "./dictionary.ts";
import { ArrowError } from "./flatbuffer.ts";
import { take } from "./group.ts";
import { type PackedColumn, type PackedValues, setNullCodes, setNullNumbers } from "./packed-column.ts";

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

/** The body of a message, read piece by piece. */
export interface Body {
  /** Bytes that stay as they are. */
  read(start: number, bytes: number): Uint8Array;
  /** Bytes that are good until the next call. */
  look(start: number, bytes: number): Uint8Array;
}

/** A body that is in memory. */
export function bodyOf(bytes: Uint8Array): Body {
  const read = (start: number, length: number) => bytes.subarray(start, start + length);
  return { read, look: read };
}

/**
 * Arrays that batch after batch is decoded into, so that a file of millions of rows leaves no garbage: what a batch gives is
 * good until the next is asked for.
 */
export class ColumnMemory {
  /**
   * For what whoever asks for a batch makes something else of at once, the bytes of the batch and the codes: those who read
   * many tables side by side share it.
   */
  readonly passing: ColumnMemory;
  readonly #ints = new Map<string, Int32Array>();
  readonly #floats = new Map<string, Float64Array>();
  readonly #bytes = new Map<string, Uint8Array>();

  constructor(passing?: ColumnMemory) {
    this.passing = passing ?? this;
  }

  ints(name: string, length: number): Int32Array {
    return again(this.#ints, name, length, size => new Int32Array(size));
  }

  floats(name: string, length: number): Float64Array {
    return again(this.#floats, name, length, size => new Float64Array(size));
  }

  bytes(name: string, length: number): Uint8Array {
    return again(this.#bytes, name, length, size => new Uint8Array(size));
  }
}

/** The array of a name at this length; nearly all batches have the same, for which no view is made. */
function again<T extends Int32Array | Float64Array | Uint8Array>(known: Map<string, T>, name: string, length: number, make: (size: number) => T): T {
  const before = known.get(name);
  if (before?.length === length) return before;
  const isTooSmall = before !== undefined && before.buffer.byteLength < length * before.BYTES_PER_ELEMENT;
  // What grows once grows again.
  const whole = before === undefined ? make(length) : isTooSmall ? make(length + (length >> 2)) : before;
  const array = whole.length === length ? whole : (new (whole.constructor as new (buffer: ArrayBufferLike, start: number, length: number) => T)(whole.buffer, 0, length));
  known.set(name, array);
  return array;
}

/** Texts of a column that are read when they are first asked for. */
interface LazyTexts {
  readonly size: number;
  texts(): Texts;
}

/** Takes the messages behind a schema in their order. */
export class BatchReader {
  readonly #schema: IpcSchema;
  readonly #byName = new Map<string, number>();
  readonly #dictionaries = new Map<number, LazyTexts>();
  /** Nodes and buffers of a batch before each column; then those of all. */
  readonly #starts = [{ nodes: 0, buffers: 0 }];
  #hasBatch = false;

  constructor(schema: IpcSchema) {
    this.#schema = schema;
    // Of two columns of one name the first counts.
    schema.columns.forEach(({ name, form }, i) => {
      if (!this.#byName.has(name)) this.#byName.set(name, i);
      const { nodes, buffers } = this.#starts[i]!;
      // A text has its bytes behind its offsets, a list what it holds.
      this.#starts.push({ nodes: nodes + (form === "list" ? 2 : 1), buffers: buffers + (form === "list" ? 4 : form === "text" ? 3 : 2) });
    });
  }

  /** Texts of a column with a dictionary, once the first batch is read. */
  texts(name: string): Texts | undefined {
    return this.#hasBatch ? this.#textsOf(name)?.texts() : undefined;
  }

  #textsOf(name: string): LazyTexts | undefined {
    const i = this.#byName.get(name);
    const dictionary = i === undefined ? undefined : this.#schema.columns[i]!.dictionary;
    return dictionary === undefined ? undefined : (this.#dictionaries.get(dictionary) ?? NO_LAZY_TEXTS);
  }

  /** Where the values of a column lie in the body of a batch; undefined = there is no such column. */
  valuesOf(batch: BatchLayout, name: string): Place | undefined {
    const i = this.#byName.get(name);
    if (i === undefined) return undefined;
    this.#requireColumns(batch);
    return placeColumn(batch, this.#schema.columns[i]!, this.#starts[i]!).values;
  }

  #requireColumns(batch: BatchLayout): void {
    const { nodes, buffers } = this.#starts.at(-1)!;
    if (batch.nodes.length < 2 * nodes || batch.buffers.length < 2 * buffers) throw lacksColumns();
  }

  /** Take note of texts that stay where they are: of such only the codes can be read. */
  skip(dictionary: number, { rows: size }: BatchLayout): void {
    this.#dictionaries.set(dictionary, { size, texts: () => ({ ...NO_TEXTS, size }) });
  }

  /**
   * @param memory What the columns are decoded into; without it each has an array of its own.
   * @returns The batch, if the message holds one.
   */
  take(message: Message, body: Body, memory?: ColumnMemory): IpcBatch | undefined {
    if ("schema" in message) return undefined;
    if (message.dictionary !== undefined) {
      const { batch } = message;
      let texts: Texts | undefined;
      this.#dictionaries.set(message.dictionary, { size: batch.rows, texts: () => (texts ??= readTexts(batch, body)) });
      return undefined;
    }
    this.#hasBatch = true;
    return this.batch(message.batch, body, memory);
  }

  /** As {@link take} of a message that holds a batch. */
  batch(batch: BatchLayout, body: Body, memory?: ColumnMemory): IpcBatch {
    this.#requireColumns(batch);
    const { rows } = batch;
    const decoded = new Map<string, Int32Array | Float64Array>();
    const placed = (name: string) => {
      const i = this.#byName.get(name);
      return i === undefined ? undefined : placeColumn(batch, this.#schema.columns[i]!, this.#starts[i]!);
    };
    const isPlain = ({ layout: { form } }: PlacedColumn) => form !== "list" && form !== "text";
    const column = (name: string) => {
      const known = decoded.get(name);
      if (known !== undefined) return known;
      const place = placed(name);
      if (place === undefined || !isPlain(place)) return undefined;
      const { dictionary } = place.layout;
      const values =
        dictionary === undefined
          ? toNumbers(place, body, rows, memory?.floats(name, rows))
          : toCodes(place, body, rows, this.#textsOf(name)!.size, memory?.passing.ints(name, rows));
      decoded.set(name, values);
      return values;
    };
    return {
      rows,
      column,
      wholes(name) {
        const place = placed(name);
        return place === undefined || !isPlain(place) ? undefined : toWholes(place, body, rows, memory?.ints(name, rows));
      },
      pick: (name, wanted) => {
        const place = placed(name);
        if (place === undefined || !isPlain(place)) return undefined;
        const isFew = wanted.length * FEW_ROWS_SHARE <= rows && !decoded.has(name);
        const size = this.#textsOf(name)?.size;
        const picked = !isFew
          ? undefined
          : size === undefined
            ? pickNumbers(place, body, wanted, rows)
            : pickCodes(place, body, wanted, rows, size);
        return picked ?? take(column(name)!, wanted);
      },
      packed(name) {
        const place = placed(name);
        return place === undefined || !isPlain(place) ? undefined : toPacked(place, body, rows);
      },
      lists(name) {
        const place = placed(name);
        return place?.layout.form === "list" ? toLists(place, body, rows, memory) : undefined;
      },
      form: name => {
        const i = this.#byName.get(name);
        return i === undefined ? undefined : this.#schema.columns[i]!.form;
      },
    };
  }
}

/** Of a column less than one in so many rows is picked one by one; more are picked from all of it. */
const FEW_ROWS_SHARE = 4;

const NO_TEXTS: Texts = { size: 0, arena: new Uint8Array(0), offsets: new Int32Array(1) };
const NO_LAZY_TEXTS: LazyTexts = { size: 0, texts: () => NO_TEXTS };

/** Where some bytes lie in a body. */
interface Place {
  readonly start: number;
  readonly bytes: number;
}

function bufferOf({ buffers }: BatchLayout, i: number): Place {
  return { start: buffers[2 * i]!, bytes: buffers[2 * i + 1]! };
}

function lacksColumns(): ArrowError {
  return new ArrowError("its Arrow data are damaged: a batch has fewer columns than the schema");
}

/** Where one column of a batch lies. */
interface PlacedColumn {
  readonly layout: ColumnLayout;
  readonly nulls: number;
  /** Bit set = has a value, lowest bit first; for `nulls` 0 it may be empty. */
  readonly bitmap: Place;
  /** Of a list its offsets. */
  readonly values: Place;
  /** What the lists hold. */
  readonly elements: { readonly nulls: number; readonly values: Place } | undefined;
}

/** @param first The node and buffer of the batch that are its first. */
function placeColumn(batch: BatchLayout, layout: ColumnLayout, first: { readonly nodes: number; readonly buffers: number }): PlacedColumn {
  const nullsOf = (node: number) => batch.nodes[2 * (first.nodes + node) + 1]!;
  const buffer = (i: number) => bufferOf(batch, first.buffers + i);
  const nulls = nullsOf(0);
  const [bitmap, values] = [buffer(0), buffer(1)];
  const rows = batch.nodes[2 * first.nodes]!;
  if (nulls > 0 && bitmap.bytes * 8 < rows) throw holdsLess(layout, rows);
  // The third says whether what is in a list is null, bit by bit.
  const elements = layout.form === "list" ? { nulls: nullsOf(1), values: buffer(3) } : undefined;
  return { layout, nulls, bitmap, values, elements };
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
export function readTexts(batch: BatchLayout, body: Body): Texts {
  if (batch.nodes.length < 2 || batch.buffers.length < 2 * 3) throw lacksColumns();
  const size = batch.nodes[0]!;
  const [offsetPlace, arenaPlace] = [bufferOf(batch, 1), bufferOf(batch, 2)];
  if (size === 0) return NO_TEXTS;
  const offsetBytes = readAt(body, offsetPlace);
  const arena = readAt(body, arenaPlace);
  let isSound = offsetBytes.length >= 4 * (size + 1);
  const offsets = isSound ? viewOf("int32", offsetBytes, size + 1) : NO_TEXTS.offsets;
  isSound &&= offsets[0]! >= 0 && offsets[size]! <= arena.length;
  for (let code = 0; isSound && code < size; code++) isSound = offsets[code]! <= offsets[code + 1]!;
  if (!isSound) throw new ArrowError("its Arrow data are damaged: a text reaches beyond the end of all texts");
  return { size, arena, offsets };
}

function readAt(body: Body, { start, bytes }: Place): Uint8Array {
  return body.read(start, bytes);
}

function lookAt(body: Body, { start, bytes }: Place): Uint8Array {
  return body.look(start, bytes);
}

function toCodes(place: PlacedColumn, body: Body, rows: number, size: number, into: Int32Array = new Int32Array(rows)): Int32Array {
  const { layout, nulls, bitmap, values } = place;
  requireRows(place, rows);
  if (layout.form === "int64" || layout.form === "uint64") throw holdsWideCodes();
  const codes = into;
  // Converted natively: `from` walks an iterator (measured: 20 times as long).
  codes.set(viewOf(layout.form as PlainForm, lookAt(body, values), rows));
  if (nulls > 0) setNullCodes(codes, lookAt(body, bitmap));
  checkCodes(codes, size);
  return codes;
}

function holdsWideCodes(): ArrowError {
  return new ArrowError("Arrow data with codes of 64 bits");
}

function toPacked(place: PlacedColumn, body: Body, rows: number): PackedColumn {
  const { layout: { form }, nulls, bitmap, values } = place;
  requireRows(place, rows);
  const bytes = readAt(body, values);
  return { nulls, validity: readAt(body, bitmap), values: form === "int64" ? viewOf64(bytes, rows) : (viewOf(form as PlainForm, bytes, rows) as PackedValues) };
}

function viewOf64(bytes: Uint8Array, length: number): BigInt64Array {
  const words = viewOf("float64", bytes, length);
  return new BigInt64Array(words.buffer, words.byteOffset, length);
}

/** Bytes of the codes and whole numbers that our tables hold. */
const WIDTHS: Partial<Record<ColumnForm, number>> = { uint8: 1, uint16: 2, uint32: 4, int32: 4 };

/** @returns undefined where the codes are of another form than ours. */
function pickCodes(place: PlacedColumn, body: Body, wanted: Int32Array, rows: number, size: number): Int32Array | undefined {
  const width = WIDTHS[place.layout.form];
  if (width === undefined) return undefined;
  requireRows(place, rows);
  const codes = new Int32Array(wanted.length);
  pickWhole(lookAt(body, place.values), width, wanted, codes);
  if (place.nulls > 0) {
    const bits = lookAt(body, place.bitmap);
    for (let i = 0; i < wanted.length; i++) if (isNullAt(bits, wanted[i]!)) codes[i] = -1;
  }
  checkCodes(codes, size);
  return codes;
}

/** @returns undefined where the numbers are of another form than ours. */
function pickNumbers(place: PlacedColumn, body: Body, wanted: Int32Array, rows: number): Float64Array | undefined {
  const { form } = place.layout;
  const width = WIDTHS[form];
  if (width === undefined && form !== "int64" && form !== "float64") return undefined;
  requireRows(place, rows);
  const values = lookAt(body, place.values);
  const numbers = new Float64Array(wanted.length);
  if (form === "int64") {
    const low = viewOf("uint32", values, rows * 2);
    const high = viewOf("int32", values, rows * 2);
    for (let i = 0; i < wanted.length; i++) numbers[i] = high[wanted[i]! * 2 + 1]! * 0x1_0000_0000 + low[wanted[i]! * 2]!;
  } else if (form === "float64") {
    const all = viewOf("float64", values, rows);
    for (let i = 0; i < wanted.length; i++) numbers[i] = all[wanted[i]!]!;
  } else {
    const whole = new Int32Array(wanted.length);
    pickWhole(values, width!, wanted, whole);
    for (let i = 0; i < wanted.length; i++) numbers[i] = form === "uint32" ? whole[i]! >>> 0 : whole[i]!;
  }
  if (place.nulls > 0) {
    const bits = lookAt(body, place.bitmap);
    for (let i = 0; i < wanted.length; i++) if (isNullAt(bits, wanted[i]!)) numbers[i] = NaN;
  }
  return numbers;
}

/** Whole numbers of some rows; byte by byte, so that each loop meets one type of array. */
function pickWhole(bytes: Uint8Array, width: number, rows: Int32Array, into: Int32Array): void {
  if (width === 1) {
    for (let i = 0; i < rows.length; i++) into[i] = bytes[rows[i]!]!;
  } else if (width === 2) {
    for (let i = 0; i < rows.length; i++) into[i] = bytes[2 * rows[i]!]! | (bytes[2 * rows[i]! + 1]! << 8);
  } else {
    for (let i = 0; i < rows.length; i++) {
      const at = 4 * rows[i]!;
      into[i] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    }
  }
}

function isNullAt(bitmap: Uint8Array, row: number): boolean {
  return ((bitmap[row >> 3]! >> (row & 7)) & 1) === 0;
}

function toNumbers(place: PlacedColumn, body: Body, rows: number, into: Float64Array = new Float64Array(rows)): Float64Array {
  const { layout: { form }, nulls, bitmap } = place;
  requireRows(place, rows);
  const values = lookAt(body, place.values);
  const numbers = into;
  if (form === "int64" || form === "uint64") {
    fromInt64(values, rows, form === "int64", numbers);
  } else if (form === "bool") {
    for (let row = 0; row < rows; row++) numbers[row] = (values[row >> 3]! >> (row & 7)) & 1;
  } else {
    numbers.set(viewOf(form as PlainForm, values, rows));
  }
  if (nulls > 0) setNullNumbers(numbers, lookAt(body, bitmap));
  return numbers;
}

/** Numbers that are known to be whole and to fit into 32 bits; a null is -1. */
function toWholes(place: PlacedColumn, body: Body, rows: number, into: Int32Array = new Int32Array(rows)): Int32Array {
  const { layout: { form }, nulls, bitmap } = place;
  requireRows(place, rows);
  const values = lookAt(body, place.values);
  const wholes = into;
  if (form === "bool") for (let row = 0; row < rows; row++) wholes[row] = (values[row >> 3]! >> (row & 7)) & 1;
  else if (form === "int64" || form === "uint64") wholes.set(fromInt64(values, rows, form === "int64"));
  else wholes.set(viewOf(form as PlainForm, values, rows));
  if (nulls > 0) setNullCodes(wholes, lookAt(body, bitmap));
  return wholes;
}

function requireRows({ layout, values }: PlacedColumn, rows: number): void {
  if (values.bytes * 8 < rows * widthOf(layout.form)) throw holdsLess(layout, rows);
}

/** Lists whose offsets lead nowhere else than to their numbers. */
function toLists({ layout, nulls, bitmap, values: offsetPlace, elements }: PlacedColumn, body: Body, rows: number, memory?: ColumnMemory): ListColumn {
  if (offsetPlace.bytes < 4 * (rows + 1)) throw holdsLess(layout, rows);
  const read = (name: string, place: Place) => {
    if (memory === undefined) return readAt(body, place);
    const bytes = memory.bytes(name, place.bytes);
    bytes.set(lookAt(body, place));
    return bytes;
  };
  const offsets = viewOf("int32", read("offsets", offsetPlace), rows + 1);
  let isSound = layout.elements === "uint32" && elements!.nulls === 0 && offsets[0]! >= 0;
  for (let row = 0; isSound && row < rows; row++) isSound = offsets[row]! <= offsets[row + 1]!;
  if (!isSound || 4 * offsets[rows]! > elements!.values.bytes) {
    throw new ArrowError(`its Arrow data are damaged: a list of column ${JSON.stringify(layout.name)} reaches beyond the end of all lists`);
  }
  const values = viewOf("uint32", read("elements", elements!.values), elements!.values.bytes >> 2);
  const isNull = memory?.bytes("isNull", rows) ?? new Uint8Array(rows);
  isNull.fill(0);
  if (nulls > 0) {
    const bits = lookAt(body, bitmap);
    for (let row = 0; row < rows; row++) isNull[row] = 1 - ((bits[row >> 3]! >> (row & 7)) & 1);
  }
  return { values, offsets, isNull };
}

/** A damaged or hostile file must not send anybody behind the end of a dictionary. */
function checkCodes(codes: Int32Array, size: number): void {
  for (let row = 0; row < codes.length; row++) {
    // From -1 on, in one comparison.
    if ((codes[row]! + 1) >>> 0 > size) {
      throw new RangeError(`Cannot read code ${codes[row]} of a dictionary: expected less than ${size}`);
    }
  }
}

/** 64-bit integers to doubles, without a BigInt per value; exact up to 2^53. */
function fromInt64(bytes: Uint8Array, rows: number, isSigned: boolean, numbers: Float64Array = new Float64Array(rows)): Float64Array {
  const low = viewOf("uint32", bytes, rows * 2);
  const high = isSigned ? viewOf("int32", bytes, rows * 2) : low;
  for (let i = 0; i < rows; i++) numbers[i] = high[i * 2 + 1]! * 0x1_0000_0000 + low[i * 2]!;
  return numbers;
}
