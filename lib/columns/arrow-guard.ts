/**
 * Reads what the messages of Arrow IPC say of themselves, and believes none of it.
 *
 * Tables come from files that may be damaged and from hosts that may be hostile, so every offset and length is held
 * against the bytes that are there, as flatbuffers' own verifier does in other languages, and what our tables never hold
 * (columns nested deeper than a list of numbers, compressed bodies, texts that change half-way) is refused. Not by the
 * Arrow library, which believes all of it, and takes a millisecond for a table of a few hundred rows.
 *
 * Format: https://arrow.apache.org/docs/format/Columnar.html and the .fbs files of its `format` folder.
 */
import { HEADER, TYPE } from "./arrow-format.ts";
import { ArrowError, damaged, Flatbuffer, type FieldShape } from "./flatbuffer.ts";

/** Metadata of one message at most; a schema carries the list of its sources. */
const METADATA_MAX_BYTES = 256 << 20;
/** Body of one message at most: offsets into texts are 32-bit. */
const BODY_MAX_BYTES = 2 ** 31;
const MAGIC = "ARROW1";
/** The magic at the start of a file, and what aligns the first message behind it. */
const MAGIC_BYTES = 8;
const CONTINUATION = 0xffff_ffff;
/** The mark of a message, and the length of its metadata. */
const PREFIX_BYTES = 8;
/** Length of a file's footer, and the magic behind it. */
const TRAILER_BYTES = 4 + MAGIC.length;

const KEY_VALUE: readonly FieldShape[] = ["string", "string"];
const INT: readonly FieldShape[] = [4, 1];

/** The types of columns in our tables. */
const COLUMN_TYPES: ReadonlyMap<number, readonly FieldShape[]> = new Map<number, readonly FieldShape[]>([
  [TYPE.int, INT],
  [TYPE.float, [2]],
  [TYPE.text, []],
  [TYPE.bool, []],
  [TYPE.date, [2]],
  [TYPE.timestamp, [2, "string"]],
  [TYPE.list, []],
]);
/** What the lists of a column hold. */
const ELEMENT_TYPES: ReadonlyMap<number, readonly FieldShape[]> = new Map([[TYPE.int, INT]]);

/** Name, nullable, type, dictionary (id, index type, ordered, kind), children, metadata. */
const fieldShape = (types: ReadonlyMap<number, readonly FieldShape[]>, children: FieldShape): readonly FieldShape[] => [
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
const SCHEMA: readonly FieldShape[] = [2, { tables: FIELD }, { tables: KEY_VALUE }, { vector: 8 }];
/** Rows, nodes (rows, nulls), buffers (offset, length), compression, counts of variadic buffers. */
const RECORD_BATCH: readonly FieldShape[] = [8, { vector: 16 }, { vector: 16 }, { table: [1, 1] }, { vector: 8 }];
/** Id, texts, whether they are added to others. */
const DICTIONARY_BATCH: readonly FieldShape[] = [8, { table: RECORD_BATCH }, 1];

const HEADERS: ReadonlyMap<number, readonly FieldShape[]> = new Map<number, readonly FieldShape[]>([
  [HEADER.schema, SCHEMA],
  [HEADER.dictionary, DICTIONARY_BATCH],
  [HEADER.batch, RECORD_BATCH],
]);
/** Version, header, length of the body, metadata. */
const MESSAGE: readonly FieldShape[] = [2, 1, { union: HEADERS }, 8, { tables: KEY_VALUE }];
/** Version, schema, where dictionaries and batches lie, metadata. */
const FOOTER: readonly FieldShape[] = [2, { table: SCHEMA }, { vector: 24 }, { vector: 24 }, { tables: KEY_VALUE }];

/** How the values of a column lie in its bytes. */
export type ColumnForm = `${"int" | "uint"}${8 | 16 | 32 | 64}` | "float32" | "float64" | "bool" | "text" | "list";

/** What the schema says of a column. */
export interface ColumnLayout {
  readonly name: string;
  /** Of its codes, where it has a dictionary; of the numbers of a list, "list". */
  readonly form: ColumnForm;
  /** Number of its dictionary of texts. */
  readonly dictionary: number | undefined;
  /** Of what its lists hold. */
  readonly elements: ColumnForm | undefined;
}

export interface IpcSchema {
  readonly metadata: ReadonlyMap<string, string>;
  readonly columns: readonly ColumnLayout[];
}

/** Where the values of a batch lie in its body; all of it within. */
export interface BatchLayout {
  readonly rows: number;
  /** Rows and nulls of each column, of a list and then of what it holds: two numbers each. */
  readonly nodes: Float64Array;
  /** Where each buffer starts, and its bytes: two numbers each. */
  readonly buffers: Float64Array;
}

export type Message = { readonly bodyBytes: number } & (
  | { readonly schema: IpcSchema; readonly dictionary?: undefined }
  /** Texts of the dictionary of that number. */
  | { readonly dictionary: number; readonly batch: BatchLayout }
  | { readonly batch: BatchLayout; readonly dictionary?: undefined }
);

/** A message in a file or stream. */
export interface PlacedMessage {
  readonly message: Message;
  readonly bodyAt: number;
}

/** One that holds the texts of a dictionary. */
export type PlacedTexts = PlacedMessage & { readonly message: { readonly dictionary: number } };

/** Where the messages of a file or stream lie; of its batches, thousands perhaps, no more than that. */
export interface MessagePlaces {
  readonly schema: IpcSchema;
  readonly dictionaries: readonly PlacedTexts[];
  /** Of each batch where it begins and where its body does; then where the last one ends. They lie one behind the other. */
  readonly batches: Float64Array;
}

/** Bytes of a file or stream; throws if it has not so many. */
export type ReadBytes = (start: number, length: number, into?: Uint8Array) => Uint8Array;

/** @param schema A table that was checked. */
function readSchema(buffer: Flatbuffer, schema: number): IpcSchema {
  if (buffer.byte(schema, 0) !== 0) throw new ArrowError("Arrow data of a machine with another order of bytes");
  const pairs = buffer.tables(schema, 2).map(pair => [buffer.text(pair, 0), buffer.text(pair, 1)] as const);
  const columns = buffer.tables(schema, 1).map((field): ColumnLayout => {
    const dictionary = buffer.child(field, 4);
    const form = readForm(buffer, field);
    const name = buffer.text(field, 0);
    if (dictionary === undefined) {
      const [element] = form === "list" ? buffer.tables(field, 5) : [];
      return { name, form, dictionary: undefined, elements: element === undefined ? undefined : readForm(buffer, element) };
    }
    if (form !== "text") throw new ArrowError("Arrow data with a dictionary of anything but texts");
    const codes = buffer.child(dictionary, 1);
    const codeForm = codes === undefined ? "int32" : readInt(buffer, codes);
    return { name, form: codeForm, dictionary: buffer.long(dictionary, 0), elements: undefined };
  });
  return { metadata: new Map(pairs), columns };
}

function readForm(buffer: Flatbuffer, field: number): ColumnForm {
  const type = buffer.byte(field, 2);
  const about = buffer.child(field, 3);
  if (about === undefined) throw damaged();
  switch (type) {
    case TYPE.int:
      return readInt(buffer, about);
    case TYPE.float: {
      const precision = buffer.byte(about, 0);
      if (precision === 0) throw new ArrowError("Arrow data with numbers of 16 bits, which no table of ours holds");
      return precision === 1 ? "float32" : "float64";
    }
    case TYPE.bool:
      return "bool";
    case TYPE.date:
      // In days; milliseconds, which is what it means where it is not said, have 64 bits.
      return buffer.fieldAt(about, 0) !== undefined && buffer.byte(about, 0) === 0 ? "int32" : "int64";
    case TYPE.timestamp:
      return "int64";
    case TYPE.list:
      return "list";
    default:
      return "text";
  }
}

function readInt(buffer: Flatbuffer, int: number): ColumnForm {
  const bits = buffer.byte(int, 0);
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) throw damaged();
  return `${buffer.byte(int, 1) === 0 ? "uint" : "int"}${bits}`;
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
   * @throws {ArrowError} if it is damaged or nothing of ours.
   */
  check(metadata: Uint8Array): Message {
    const buffer = new Flatbuffer(metadata);
    const message = buffer.check(MESSAGE);
    const type = buffer.byte(message, 1);
    const header = buffer.child(message, 2);
    const bodyBytes = buffer.long(message, 3);
    if (header === undefined || bodyBytes > BODY_MAX_BYTES) throw damaged();
    if (type === HEADER.schema) {
      if (this.#hasSchema || this.#hasBatch || this.#dictionaries.size > 0 || bodyBytes !== 0) throw damaged();
      this.#hasSchema = true;
      return { bodyBytes, schema: readSchema(buffer, header) };
    }
    if (!this.#hasSchema && !this.#isFile) throw new ArrowError("Arrow data without a schema");
    if (type !== HEADER.dictionary) {
      this.#hasBatch = true;
      return { bodyBytes, batch: readBatch(buffer, header, bodyBytes) };
    }
    const dictionary = buffer.long(header, 0);
    const texts = buffer.child(header, 1);
    if (texts === undefined) throw damaged();
    if (this.#hasBatch || this.#dictionaries.has(dictionary) || buffer.byte(header, 2) !== 0) {
      throw textsChange();
    }
    this.#dictionaries.add(dictionary);
    return { bodyBytes, dictionary, batch: readBatch(buffer, texts, bodyBytes) };
  }
}

/** A batch's buffers must lie within its body. */
function readBatch(buffer: Flatbuffer, batch: number, bodyBytes: number): BatchLayout {
  if (buffer.child(batch, 3) !== undefined) throw new ArrowError("Arrow data that are compressed, which ours are not");
  const rows = buffer.long(batch, 0);
  if (rows > BODY_MAX_BYTES) throw damaged();
  const nodes = buffer.longPairs(batch, 1);
  for (let i = 0; i < nodes.length; i += 2) if (nodes[i + 1]! > nodes[i]! || nodes[i]! > BODY_MAX_BYTES) throw damaged();
  const buffers = buffer.longPairs(batch, 2);
  for (let i = 0; i < buffers.length; i += 2) if (buffers[i]! + buffers[i + 1]! > bodyBytes) throw damaged();
  return { rows, nodes, buffers };
}

/**
 * Check all messages of a stream in memory.
 *
 * @throws {ArrowError} if they are damaged, cut short or nothing of ours.
 */
export function checkStream(bytes: Uint8Array): { schema: IpcSchema; messages: readonly PlacedMessage[] } {
  const [first, ...messages] = walkMessages(bytesOf(bytes), new MessageGuard(false));
  return { schema: schemaOf(first), messages };
}

/** Where the messages of a stream lie that was kept as a file: each is checked, and its body not read. */
export function placeStream(read: ReadBytes): MessagePlaces {
  const messages = walkMessages(read, new MessageGuard(false));
  const schema = schemaOf(messages.next().value ?? undefined);
  const dictionaries: PlacedTexts[] = [];
  const batches: number[] = [];
  let end = 0;
  for (const { message, at, bodyAt } of messages) {
    if (message.dictionary === undefined) batches.push(at, bodyAt);
    else dictionaries.push({ message, bodyAt });
    end = bodyAt + message.bodyBytes;
  }
  return { schema, dictionaries, batches: Float64Array.from([...batches, end]) };
}

function schemaOf(first: PlacedMessage | undefined): IpcSchema {
  if (first === undefined || !("schema" in first.message)) throw new ArrowError("Arrow data without a schema");
  return first.message.schema;
}

/** Check a file in memory, as {@link checkFile}. */
export function checkFileBytes(bytes: Uint8Array, footer?: Footer): ReturnType<typeof checkFile> {
  return checkFile(bytesOf(bytes), bytes.length, footer);
}

/** Bytes that are in memory, as if read. */
export function bytesOf(bytes: Uint8Array): ReadBytes {
  return (start, length) => {
    if (start + length > bytes.length) throw cutShort();
    return bytes.subarray(start, start + length);
  };
}

/**
 * Check all messages of a file, and that its footer names them and no others.
 *
 * @param footer Where it was read already.
 * @throws {ArrowError} if they are damaged, cut short or nothing of ours.
 */
export function checkFile(
  read: ReadBytes,
  sizeBytes: number,
  footer = readFooter(read, sizeBytes),
): { schema: IpcSchema; messages: readonly PlacedMessage[] } {
  const { schema, dictionaries, batches } = placeFile(read, sizeBytes, footer);
  const messages: PlacedMessage[] = [...dictionaries];
  for (let i = 0; i + 1 < batches.length; i += 2) {
    const [at, bodyAt, end] = batches.subarray(i, i + 3) as unknown as [number, number, number];
    messages.push({ message: { bodyBytes: end - bodyAt, batch: readBatchHeader(read(at, bodyAt - at), end - bodyAt) }, bodyAt });
  }
  return { schema, messages };
}

/**
 * Where the messages of a file lie by its footer, which must name all of them and no others. Of batches nothing is read: whoever
 * looks at one checks it by {@link readBatchHeader}.
 *
 * @throws {ArrowError} as {@link checkFile}.
 */
export function placeFile(read: ReadBytes, sizeBytes: number, footer = readFooter(read, sizeBytes)): MessagePlaces {
  const { schema, dictionaries: texts, batches: blocks } = footer;
  const guard = new MessageGuard(true);
  let end = MAGIC_BYTES;
  if (Math.min(texts[0] ?? Infinity, blocks[0] ?? Infinity) !== end) {
    const front = readMessage(read, end, guard);
    if (front !== undefined && !("schema" in front.message)) throw damaged();
    end = front?.bodyAt ?? end;
  }
  if (texts.length > 0 && blocks.length > 0 && texts.at(-BLOCK_NUMBERS)! > blocks[0]!) throw textsChange();
  const dictionaries: PlacedTexts[] = [];
  // One message behind the other, with nothing between them.
  const follow = ([at, metadataBytes, bodyBytes]: Float64Array) => {
    if (at !== end || metadataBytes! <= PREFIX_BYTES || metadataBytes! > METADATA_MAX_BYTES || bodyBytes! > BODY_MAX_BYTES) throw damaged();
    end += metadataBytes! + bodyBytes!;
    return at + metadataBytes!;
  };
  for (let i = 0; i < texts.length; i += BLOCK_NUMBERS) {
    const at = end;
    const bodyAt = follow(texts.subarray(i, i + BLOCK_NUMBERS));
    const message = readHeader(read(at, bodyAt - at), end - bodyAt, guard);
    if (message.dictionary === undefined) throw damaged();
    dictionaries.push({ message, bodyAt });
  }
  const batches = new Float64Array((blocks.length / BLOCK_NUMBERS) * 2 + 1);
  for (let i = 0, to = 0; i < blocks.length; i += BLOCK_NUMBERS, to += 2) {
    batches[to] = end;
    batches[to + 1] = follow(blocks.subarray(i, i + BLOCK_NUMBERS));
  }
  batches[batches.length - 1] = end;
  if (metadataLength(read(end, PREFIX_BYTES)) !== 0) throw damaged();
  return { schema, dictionaries, batches };
}

/**
 * What a batch says of itself.
 *
 * @param header All bytes before its body.
 * @throws {ArrowError} if it is damaged, or no batch.
 */
export function readBatchHeader(header: Uint8Array, bodyBytes: number): BatchLayout {
  const message = readHeader(header, bodyBytes, new MessageGuard(true));
  if ("schema" in message || message.dictionary !== undefined) throw damaged();
  return message.batch;
}

/** Check the header of a message whose place is known. */
function readHeader(header: Uint8Array, bodyBytes: number, guard: MessageGuard): Message {
  if (metadataLength(header) !== header.length - PREFIX_BYTES) throw damaged();
  const message = guard.check(header.subarray(PREFIX_BYTES));
  if (message.bodyBytes !== bodyBytes) throw damaged();
  return message;
}

export type Footer = ReturnType<typeof readFooter>;

/** Numbers of a place in a footer: where a message begins, the bytes before its body, those of its body. */
const BLOCK_NUMBERS = 3;

/**
 * The footer of a file: its schema, and where its messages lie, {@link BLOCK_NUMBERS} numbers each.
 *
 * @throws {ArrowError} if it is damaged or nothing of ours.
 */
export function readFooter(read: ReadBytes, sizeBytes: number) {
  const trailer = read(sizeBytes - TRAILER_BYTES, TRAILER_BYTES);
  const length = new DataView(trailer.buffer, trailer.byteOffset).getUint32(0, true);
  if (length + TRAILER_BYTES > sizeBytes) throw damaged();
  const footer = new Flatbuffer(read(sizeBytes - TRAILER_BYTES - length, length));
  const root = footer.check(FOOTER);
  const schema = footer.child(root, 1);
  if (schema === undefined) throw damaged();
  const blocksAt = (index: number) => {
    const list = footer.child(root, index);
    const blocks = new Float64Array(list === undefined ? 0 : footer.lengthOf(list) * BLOCK_NUMBERS);
    for (let i = 0, block = list! + 4; i < blocks.length; i += BLOCK_NUMBERS, block += 24) {
      blocks[i] = footer.longAt(block);
      blocks[i + 1] = footer.lengthOf(block + 8);
      blocks[i + 2] = footer.longAt(block + 16);
    }
    return blocks;
  };
  return { schema: readSchema(footer, schema), dictionaries: blocksAt(2), batches: blocksAt(3) };
}

/** Tell a file, whole at its end, from a stream. */
export function isIpcFile(read: ReadBytes, sizeBytes: number): boolean {
  return sizeBytes > TRAILER_BYTES && isMagic(read(sizeBytes - MAGIC.length, MAGIC.length));
}

/** Tell a stream that was kept as a file. */
export function isIpcStream(read: ReadBytes, sizeBytes: number): boolean {
  return sizeBytes > PREFIX_BYTES && new DataView(read(0, PREFIX_BYTES).buffer).getUint32(0, true) === CONTINUATION;
}

/** Check the messages of a stream up to the mark behind the last. */
function* walkMessages(read: ReadBytes, guard: MessageGuard): Generator<PlacedMessage & { readonly at: number }> {
  for (let at = 0; ; ) {
    const placed = readMessage(read, at, guard);
    if (placed === undefined) return;
    yield { ...placed, at };
    at = placed.bodyAt + placed.message.bodyBytes;
    // Whatever the body holds, it must be there.
    read(at, 0);
  }
}

/** Check the message that begins at a place; undefined = there is the mark behind the last. */
function readMessage(read: ReadBytes, at: number, guard: MessageGuard): PlacedMessage | undefined {
  const length = metadataLength(read(at, PREFIX_BYTES));
  if (length === 0) return undefined;
  return { message: guard.check(read(at + PREFIX_BYTES, length)), bodyAt: at + PREFIX_BYTES + length };
}

/**
 * Check the messages of a stream as they come, each handed on with its body; memory holds one of them.
 *
 * @throws {ArrowError} as {@link checkStream}.
 */
export async function* checkedMessages(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ message: Message; body: Uint8Array }> {
  const guard = new MessageGuard(false);
  await using pieces = new Pieces(source);
  for (;;) {
    const length = metadataLength(await pieces.take(PREFIX_BYTES));
    if (length === 0) return;
    const message = guard.check(await pieces.take(length));
    yield { message, body: await pieces.take(message.bodyBytes) };
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

function textsChange(): ArrowError {
  return new ArrowError("Arrow data whose texts change half-way, which no table of ours does");
}

function cutShort(): ArrowError {
  return new ArrowError("its Arrow data are cut short");
}
