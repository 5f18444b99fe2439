/**
 * Looks at every message of an Arrow IPC stream before the Arrow library does.
 *
 * The library believes what a message says of itself: one wrong byte in a length makes it loop until memory is gone.
 * Tables come from files that may be damaged and from hosts that may be hostile, so here every offset and length is
 * held against the bytes that are there, as flatbuffers' own verifier does in other languages, and what our tables
 * never hold (columns nested deeper than a list of numbers, compressed bodies, texts that change half-way) is refused.
 *
 * Format: https://arrow.apache.org/docs/format/Columnar.html and the .fbs files of its `format` folder.
 */

/** What is no sound Arrow table of ours; the message says what of it. */
export class ArrowError extends Error {
  override name = "ArrowError";
}

/** Metadata of one message at most; a schema carries the list of its sources. */
const METADATA_MAX_BYTES = 256 << 20;
/** Body of one message at most: offsets into texts are 32-bit. */
const BODY_MAX_BYTES = 2 ** 31;
/** Tables within one message at most: several may lie in the same bytes, and be read again and again. */
const TABLES_MAX = 1 << 20;

const MAGIC = "ARROW1";
/** The magic at the start of a file, and what aligns the first message behind it. */
const MAGIC_BYTES = 8;
const CONTINUATION = 0xffff_ffff;
/** The mark of a message, and the length of its metadata. */
const PREFIX_BYTES = 8;
/** Length of a file's footer, and the magic behind it. */
const TRAILER_BYTES = 4 + MAGIC.length;

/** A field of a flatbuffer table: bytes of a scalar, or what its offset leads to. */
type Shape =
  | number
  | "string"
  /** A list that must hold nothing. */
  | "empty"
  /** Elements of so many bytes each. */
  | { readonly vector: number }
  | { readonly table: readonly Shape[] }
  | { readonly tables: readonly Shape[] }
  /** By the type that the field before names; a type that is not listed is refused. */
  | { readonly union: ReadonlyMap<number, readonly Shape[]> };

const KEY_VALUE: readonly Shape[] = ["string", "string"];
const INT: readonly Shape[] = [4, 1];
const INT_TYPE = 2;

/** The types of columns in our tables: Int, FloatingPoint, Utf8, Bool, Date, Timestamp, List. */
const COLUMN_TYPES: ReadonlyMap<number, readonly Shape[]> = new Map<number, readonly Shape[]>([
  [INT_TYPE, INT],
  [3, [2]],
  [5, []],
  [6, []],
  [8, [2]],
  [10, [2, "string"]],
  [12, []],
]);
/** What the lists of a column hold. */
const ELEMENT_TYPES: ReadonlyMap<number, readonly Shape[]> = new Map([[INT_TYPE, INT]]);

/** Name, nullable, type, dictionary (id, index type, ordered, kind), children, metadata. */
const fieldShape = (types: ReadonlyMap<number, readonly Shape[]>, children: Shape): readonly Shape[] => [
  "string",
  1,
  1,
  { union: types },
  { table: [8, { table: INT }, 1, 2] },
  children,
  { tables: KEY_VALUE },
];

const FIELD = fieldShape(COLUMN_TYPES, { tables: fieldShape(ELEMENT_TYPES, "empty") });

/** Endianness, fields, metadata, features. */
const SCHEMA: readonly Shape[] = [2, { tables: FIELD }, { tables: KEY_VALUE }, { vector: 8 }];
/** Rows, nodes (rows, nulls), buffers (offset, length), compression, counts of variadic buffers. */
const RECORD_BATCH: readonly Shape[] = [8, { vector: 16 }, { vector: 16 }, { table: [1, 1] }, { vector: 8 }];
/** Id, texts, whether they are added to others. */
const DICTIONARY_BATCH: readonly Shape[] = [8, { table: RECORD_BATCH }, 1];

const HEADER_SCHEMA = 1;
const HEADER_DICTIONARY = 2;
const HEADER_BATCH = 3;
const HEADERS: ReadonlyMap<number, readonly Shape[]> = new Map<number, readonly Shape[]>([
  [HEADER_SCHEMA, SCHEMA],
  [HEADER_DICTIONARY, DICTIONARY_BATCH],
  [HEADER_BATCH, RECORD_BATCH],
]);
/** Version, header, length of the body, metadata. */
const MESSAGE: readonly Shape[] = [2, 1, { union: HEADERS }, 8, { tables: KEY_VALUE }];
/** Version, schema, where dictionaries and batches lie, metadata. */
const FOOTER: readonly Shape[] = [2, { table: SCHEMA }, { vector: 24 }, { vector: 24 }, { tables: KEY_VALUE }];

const TEXT = new TextDecoder();

class Flatbuffer {
  readonly #view: DataView;
  #tables = 0;

  constructor({ buffer, byteOffset, length }: Uint8Array) {
    this.#view = new DataView(buffer, byteOffset, length);
  }

  /** Check the whole message. @returns Where its root table lies. */
  check(root: readonly Shape[]): number {
    const table = this.#target(0);
    this.#checkTable(table, root);
    return table;
  }

  #u32(at: number): number {
    if (at < 0 || at + 4 > this.#view.byteLength) throw damaged();
    return this.#view.getUint32(at, true);
  }

  /** What the offset at `at` leads to. */
  #target(at: number): number {
    const target = at + this.#u32(at);
    if (target + 4 > this.#view.byteLength) throw damaged();
    return target;
  }

  /** Where a field of a table lies; undefined if the table does without. */
  fieldAt(table: number, index: number): number | undefined {
    const vtable = table - this.#view.getInt32(table, true);
    if (vtable < 0 || vtable + 4 > this.#view.byteLength) throw damaged();
    const vtableBytes = this.#view.getUint16(vtable, true);
    const slot = 4 + 2 * index;
    if (slot + 2 > vtableBytes) return undefined;
    if (vtable + vtableBytes > this.#view.byteLength) throw damaged();
    const offset = this.#view.getUint16(vtable + slot, true);
    return offset === 0 ? undefined : table + offset;
  }

  /** The table, vector or text that a field leads to. */
  child(table: number, index: number): number | undefined {
    const at = this.fieldAt(table, index);
    return at === undefined ? undefined : this.#target(at);
  }

  byte(table: number, index: number): number {
    const at = this.fieldAt(table, index);
    if (at === undefined) return 0;
    if (at + 1 > this.#view.byteLength) throw damaged();
    return this.#view.getUint8(at);
  }

  /** The tables of a list; none where there is no list. */
  tables(table: number, index: number): number[] {
    const list = this.child(table, index);
    const length = list === undefined ? 0 : this.lengthOf(list);
    return Array.from({ length }, (_, i) => this.#target(list! + 4 + 4 * i));
  }

  /** A text; "" where there is none. */
  text(table: number, index: number): string {
    const at = this.child(table, index);
    if (at === undefined) return "";
    const { buffer, byteOffset } = this.#view;
    return TEXT.decode(new Uint8Array(buffer, byteOffset + at + 4, this.lengthOf(at)));
  }

  /** A whole number of 64 bits; a field that is not there is 0. */
  long(table: number, index: number): number {
    const at = this.fieldAt(table, index);
    return at === undefined ? 0 : this.longAt(at);
  }

  /** @throws {ArrowError} if it is negative, or beyond 2^53. */
  longAt(at: number): number {
    const value = this.#u32(at + 4) * 0x1_0000_0000 + this.#u32(at);
    if (!Number.isSafeInteger(value)) throw damaged();
    return value;
  }

  lengthOf(vector: number): number {
    return this.#u32(vector);
  }

  #checkTable(table: number, shapes: readonly Shape[]): void {
    if (++this.#tables > TABLES_MAX) throw damaged();
    shapes.forEach((shape, i) => {
      const at = this.fieldAt(table, i);
      if (at === undefined) return;
      if (typeof shape === "number") {
        if (at + shape > this.#view.byteLength) throw damaged();
        return;
      }
      const target = this.#target(at);
      if (shape === "string") this.#checkVector(target, 1);
      else if (shape === "empty") {
        if (this.lengthOf(target) > 0) throw new ArrowError("Arrow data with columns in columns, which ours have not");
      }
      else if ("vector" in shape) this.#checkVector(target, shape.vector);
      else if ("table" in shape) this.#checkTable(target, shape.table);
      else if ("union" in shape) {
        const type = this.byte(table, i - 1);
        const known = shape.union.get(type);
        if (known === undefined) throw new ArrowError(`Arrow data of a kind that no table of ours holds (${type})`);
        this.#checkTable(target, known);
      } else {
        this.#checkVector(target, 4);
        for (let k = 0; k < this.lengthOf(target); k++) this.#checkTable(this.#target(target + 4 + 4 * k), shape.tables);
      }
    });
  }

  #checkVector(at: number, elementBytes: number): void {
    if (at + 4 + this.lengthOf(at) * elementBytes > this.#view.byteLength) throw damaged();
  }
}

function damaged(): ArrowError {
  return new ArrowError("its Arrow data are damaged: a length or an offset leads beyond its end");
}

/** Checks the messages of one stream or file in their order. */
class MessageGuard {
  /** A file has its schema in the footer, and need not have it in front. */
  readonly #isFile: boolean;
  #hasSchema = false;
  #hasBatch = false;
  readonly #dictionaries = new Set<number>();

  constructor(isFile: boolean) {
    this.#isFile = isFile;
  }

  /**
   * Check the metadata of the next message.
   *
   * @returns Bytes of the body behind it.
   * @throws {ArrowError} if it is damaged or nothing of ours.
   */
  check(metadata: Uint8Array): number {
    const buffer = new Flatbuffer(metadata);
    const message = buffer.check(MESSAGE);
    const type = buffer.byte(message, 1);
    const header = buffer.child(message, 2);
    const bodyBytes = buffer.long(message, 3);
    if (header === undefined || bodyBytes > BODY_MAX_BYTES) throw damaged();
    if (type === HEADER_SCHEMA) {
      if (this.#hasSchema || this.#hasBatch || this.#dictionaries.size > 0 || bodyBytes !== 0) throw damaged();
      this.#hasSchema = true;
      return 0;
    }
    if (!this.#hasSchema && !this.#isFile) throw new ArrowError("Arrow data without a schema");
    if (type === HEADER_DICTIONARY) {
      const id = buffer.long(header, 0);
      const texts = buffer.child(header, 1);
      if (texts === undefined) throw damaged();
      if (this.#hasBatch || this.#dictionaries.has(id) || buffer.byte(header, 2) !== 0) {
        throw new ArrowError("Arrow data whose texts change half-way, which no table of ours does");
      }
      this.#dictionaries.add(id);
      checkBatch(buffer, texts, bodyBytes);
    } else {
      this.#hasBatch = true;
      checkBatch(buffer, header, bodyBytes);
    }
    return bodyBytes;
  }
}

/** A batch's buffers must lie within its body. */
function checkBatch(buffer: Flatbuffer, batch: number, bodyBytes: number): void {
  if (buffer.child(batch, 3) !== undefined) throw new ArrowError("Arrow data that are compressed, which ours are not");
  if (buffer.long(batch, 0) > BODY_MAX_BYTES) throw damaged();
  const nodes = buffer.child(batch, 1);
  for (let i = 0; nodes !== undefined && i < buffer.lengthOf(nodes); i++) {
    const rows = buffer.longAt(nodes + 4 + 16 * i);
    if (buffer.longAt(nodes + 12 + 16 * i) > rows || rows > BODY_MAX_BYTES) throw damaged();
  }
  const buffers = buffer.child(batch, 2);
  for (let i = 0; buffers !== undefined && i < buffer.lengthOf(buffers); i++) {
    const offset = buffer.longAt(buffers + 4 + 16 * i);
    if (offset + buffer.longAt(buffers + 12 + 16 * i) > bodyBytes) throw damaged();
  }
}

/**
 * Check all messages of a stream in memory.
 *
 * @throws {ArrowError} if they are damaged, cut short or nothing of ours.
 */
export function checkStream(bytes: Uint8Array): void {
  walkMessages((start, length) => readFrom(bytes, start, length), 0, new MessageGuard(false));
}

/** Check a file in memory, as {@link checkFile}. */
export function checkFileBytes(bytes: Uint8Array): void {
  checkFile((start, length) => readFrom(bytes, start, length), bytes.length);
}

function readFrom(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (start + length > bytes.length) throw cutShort();
  return bytes.subarray(start, start + length);
}

/**
 * Check all messages of a file, and that its footer names no others.
 *
 * @param read Bytes of the file; throws if it has not so many.
 * @throws {ArrowError} if they are damaged, cut short or nothing of ours.
 */
export function checkFile(read: (start: number, length: number) => Uint8Array, sizeBytes: number): void {
  const messages = walkMessages(read, MAGIC_BYTES, new MessageGuard(true));
  const footer = new Flatbuffer(readFooter(read, sizeBytes));
  const root = footer.check(FOOTER);
  for (const list of [2, 3]) {
    const blocks = footer.child(root, list);
    for (let i = 0; blocks !== undefined && i < footer.lengthOf(blocks); i++) {
      const block = blocks + 4 + 24 * i;
      const message = messages.get(footer.longAt(block));
      const metadataBytes = footer.lengthOf(block + 8);
      if (message?.metadataBytes !== metadataBytes || message.bodyBytes !== footer.longAt(block + 16)) throw damaged();
    }
  }
}

/**
 * The footer of a file, looked at.
 *
 * @throws {ArrowError} if it is damaged or nothing of ours.
 */
export function readFooter(read: (start: number, length: number) => Uint8Array, sizeBytes: number): Uint8Array {
  const trailer = read(sizeBytes - TRAILER_BYTES, TRAILER_BYTES);
  const length = new DataView(trailer.buffer, trailer.byteOffset).getUint32(0, true);
  if (length + TRAILER_BYTES > sizeBytes) throw damaged();
  const footer = read(sizeBytes - TRAILER_BYTES - length, length);
  new Flatbuffer(footer).check(FOOTER);
  return footer;
}

/**
 * What the footer of a file, looked at by {@link readFooter}, says of the schema, without the library.
 *
 * @returns Key-value metadata, and the names of the columns in their order.
 */
export function readSchema(footer: Uint8Array): { metadata: ReadonlyMap<string, string>; names: readonly string[] } {
  const buffer = new Flatbuffer(footer);
  const schema = buffer.child(buffer.check([]), 1);
  if (schema === undefined) throw damaged();
  const fields = buffer.tables(schema, 1);
  const pairs = buffer.tables(schema, 2);
  return {
    metadata: new Map(pairs.map(pair => [buffer.text(pair, 0), buffer.text(pair, 1)])),
    names: fields.map(field => buffer.text(field, 0)),
  };
}

/** Tell a file, whole at its end, from a stream. */
export function isIpcFile(read: (start: number, length: number) => Uint8Array, sizeBytes: number): boolean {
  return sizeBytes > TRAILER_BYTES && isMagic(read(sizeBytes - MAGIC.length, MAGIC.length));
}

interface MessageSize {
  /** Prefix of eight bytes included, as footers count. */
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

/** Check messages up to the mark behind the last. @returns Their sizes by where they start. */
function walkMessages(
  read: (start: number, length: number) => Uint8Array,
  start: number,
  guard: MessageGuard,
): Map<number, MessageSize> {
  const messages = new Map<number, MessageSize>();
  for (let at = start; ; ) {
    const length = metadataLength(read(at, PREFIX_BYTES));
    if (length === 0) return messages;
    const bodyBytes = guard.check(read(at + PREFIX_BYTES, length));
    messages.set(at, { metadataBytes: PREFIX_BYTES + length, bodyBytes });
    at += PREFIX_BYTES + length + bodyBytes;
    // Whatever the body holds, it must be there.
    read(at, 0);
  }
}

/**
 * Check the messages of a stream as they come, each handed on in one piece; memory holds one of them.
 *
 * @throws {ArrowError} as {@link checkStream}.
 */
export async function* checkedMessages(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const guard = new MessageGuard(false);
  await using pieces = new Pieces(source);
  for (;;) {
    const prefix = await pieces.take(PREFIX_BYTES);
    const length = metadataLength(prefix);
    if (length === 0) {
      yield prefix;
      return;
    }
    const metadata = await pieces.take(length);
    const body = await pieces.take(guard.check(metadata));
    yield Buffer.concat([prefix, metadata, body]);
  }
}

/** Exact numbers of bytes out of pieces of any size. */
class Pieces implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** @throws {ArrowError} if there are not so many left. */
  async take(bytes: number): Promise<Uint8Array> {
    if (this.#rest.length < bytes) {
      const parts = [this.#rest];
      let size = this.#rest.length;
      while (size < bytes) {
        const next = await this.#source.next();
        if (next.done === true) throw cutShort();
        parts.push(next.value);
        size += next.value.length;
      }
      this.#rest = Buffer.concat(parts, size);
    }
    const taken = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return?.();
  }
}

export function isMagic(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAGIC.length)).toString("latin1") === MAGIC;
}

/** Length of the metadata from the eight bytes before them; 0 ends a stream. */
function metadataLength(prefix: Uint8Array): number {
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const length = view.getUint32(4, true);
  if (view.getUint32(0, true) !== CONTINUATION || length > METADATA_MAX_BYTES) throw damaged();
  return length;
}

function cutShort(): ArrowError {
  return new ArrowError("its Arrow data are cut short");
}
