/**
 * What the event table and the reduced table share of Arrow: columns to IPC bytes, and back.
 *
 * Tables are written uncompressed and without extension types, dictionary-coded text with the narrowest unsigned
 * index: what other readers (ClickHouse, DuckDB, flechette, pyarrow, apache-arrow) take. They are written and read by
 * `arrow-writer.ts` and `arrow-reader.ts`.
 * Tested in `test/lib/columns/arrow-guard.test.ts` and `test/lib/events/event-table.test.ts`.
 */
import { closeSync, readSync } from "node:fs";
import {
  checkedMessages,
  checkFile,
  checkFileBytes,
  checkStream,
  type ColumnForm,
  type IpcSchema,
  isIpcFile,
  isMagic,
  type PlacedMessage,
  readFooter,
} from "./arrow-guard.ts";
import { BatchReader, type Body, bodyOf, type ColumnMemory } from "./arrow-reader.ts";
import { writeIpc } from "./arrow-writer.ts";
import type { Texts } from "./dictionary.ts";
import { peek } from "./first-bytes.ts";
import { ArrowError } from "./flatbuffer.ts";
import type { PackedColumn } from "./packed-column.ts";
import { openRegularAs } from "./regular-file.ts";

export type IpcFormat = "file" | "stream";

/** How a column of plain numbers is written. */
export type NumberType = "uint8" | "uint16" | "uint32" | "int32" | "int64" | "float64" | "date" | "timestamp" | "bool";

/** One column of a table to be written. */
export type ColumnShape =
  | { readonly name: string; readonly texts: Texts; readonly nullable: boolean }
  | { readonly name: string; readonly type: NumberType | "list"; readonly nullable: boolean };

/** A column of lists of numbers of 32 bits, without sign. */
export interface ListColumn {
  /** Of all lists, one list behind the other. */
  readonly values: Uint32Array;
  /** `offsets[row]` and `offsets[row + 1]` = where the list of a row starts and ends. */
  readonly offsets: Int32Array;
  /** `isNull[row]` = 1 for a row without a list, which is another thing than an empty one. */
  readonly isNull: Uint8Array;
}

/**
 * Values of one batch in the order of the shapes: whole numbers and codes (-1 = null), or numbers (NaN = null), or either
 * packed already, or lists; nothing where every row is null.
 */
export type BatchColumns = readonly (Int32Array | Float64Array | PackedColumn | ListColumn | undefined)[];

/**
 * Arrow IPC bytes of a table, piece by piece.
 *
 * @param shapes The columns; texts are written once, before the first batch.
 * @param batches Each with its number of rows and a column per shape.
 * @param metadata Key-value metadata of the schema.
 * @param memory What batch after batch is packed into: its pieces are good until the next batch is asked for.
 */
export const toIpc: (
  format: IpcFormat,
  shapes: readonly ColumnShape[],
  batches: Iterable<{ rows: number; columns: BatchColumns }>,
  metadata: ReadonlyMap<string, string>,
  memory?: ColumnMemory,
) => Generator<Uint8Array> = writeIpc;

/**
 * Joins small pieces, so that a table is written in few calls.
 *
 * @param isPassing Whether a chunk is good until the next but one is asked for, and no longer: one is filled while the other is written.
 */
export function* inChunks(pieces: Iterable<Uint8Array>, isPassing = false, chunkBytes = 1 << 20): Generator<Uint8Array> {
  // Copied as they come, since whoever makes them may use their memory again; small tables take a small buffer.
  let buffer = new Uint8Array(Math.min(chunkBytes, 1 << 14));
  let filled = 0;
  let other: Uint8Array<ArrayBuffer> | undefined;
  for (const piece of pieces) {
    if (filled + piece.length > chunkBytes && filled > 0) {
      yield buffer.subarray(0, filled);
      const next = other ?? new Uint8Array(chunkBytes);
      if (isPassing && buffer.length === chunkBytes) other = buffer;
      buffer = next;
      filled = 0;
    }
    if (piece.length >= chunkBytes) {
      yield isPassing ? piece.slice() : piece;
      continue;
    }
    if (filled + piece.length > buffer.length) {
      const grown = new Uint8Array(Math.min(chunkBytes, Math.max(filled + piece.length, buffer.length * 4)));
      grown.set(buffer.subarray(0, filled));
      buffer = grown;
    }
    buffer.set(piece, filled);
    filled += piece.length;
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
/** Some rows of a table being read; undefined for columns that are not there, or of another form. */
export interface IpcBatch {
  readonly rows: number;
  /** Codes (-1 = null) or numbers (NaN = null), decoded when they are asked for. */
  column(name: string): Int32Array | Float64Array | undefined;
  /** Numbers, null = -1, that are known to be whole and to fit into 32 bits. */
  wholes(name: string): Int32Array | undefined;
  /** The same of some rows, which are not checked. */
  pick(name: string, rows: Int32Array): Int32Array | Float64Array | undefined;
  /** Codes or numbers as they lie there, not checked: for our own tables. */
  packed(name: string): PackedColumn | undefined;
  lists(name: string): ListColumn | undefined;
  /** How the values of a column, or its codes, lie there. */
  form(name: string): ColumnForm | undefined;
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
  batches(): AsyncGenerator<IpcBatch>;
  close(): Promise<void>;
}

/**
 * Files up to this size are read at once, when the first batch is asked for: most of their columns are wanted then, and a
 * piece costs as much as all. Of larger ones only the columns and texts that are asked for are read.
 */
const WHOLE_MAX_BYTES = 1 << 20;
/** Columns up to this size are read into one and the same memory. */
const SCRATCH_MAX_BYTES = 4 << 20;

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
  if (source instanceof Uint8Array) return openIpcBytes(source);
  const { head, all } = await peek(source);
  // A file on a pipe: its schema stands at its end.
  return isMagic(head) ? openIpcBytes(Buffer.concat(await Array.fromAsync(all))) : openIpcStream(checkedMessages(all));
}

function openIpcBytes(bytes: Uint8Array): IpcTable {
  const { schema, messages } = isMagic(bytes) ? checkFileBytes(bytes) : checkStream(bytes);
  return {
    ...describe(schema),
    ...walk(schema, () => ({ messages, bodyAt: bodiesOf(bytes) })),
    close: async () => {},
  };
}

function openIpcFile(path: string, wanted: string | undefined): IpcTable {
  const { file, size, state } = openRegularAs(path, wanted);
  let isOpen = true;
  const look = (into: Uint8Array, start: number) => {
    // The number of a file that was closed may be that of another by now.
    if (!isOpen) throw new Error("Cannot read a table that was closed");
    return readInto(file, into, start);
  };
  const read = (start: number, length: number) => look(new Uint8Array(length), start);
  const bodyAt = (at: number) => bodyBy(look, at);
  try {
    const isFile = isIpcFile(read, size);
    const footer = isFile ? readFooter(read, size) : undefined;
    const { schema } = footer ?? checkStream(read(0, size));
    return {
      ...describe(schema),
      state,
      ...walk(schema, () => {
        if (isFile && size > WHOLE_MAX_BYTES) return { ...checkFile(read, size, footer), bodyAt };
        const bytes = read(0, size);
        return { ...(isFile ? checkFileBytes(bytes, footer) : checkStream(bytes)), bodyAt: bodiesOf(bytes) };
      }),
      close: async () => {
        isOpen = false;
        closeSync(file);
      },
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

async function openIpcStream(messages: ReturnType<typeof checkedMessages>): Promise<IpcTable> {
  const first = await messages.next();
  if (first.done === true || !("schema" in first.value.message)) throw new ArrowError("Arrow data without a schema");
  const { schema } = first.value.message;
  const reader = new BatchReader(schema);
  return {
    ...describe(schema),
    texts: name => reader.texts(name),
    async *batches() {
      for await (const { message, body } of messages) {
        const batch = reader.take(message, bodyOf(body));
        if (batch !== undefined) yield batch;
      }
    },
    close: async () => {
      await messages.return(undefined);
    },
  };
}

function describe({ metadata, columns }: IpcSchema): Pick<IpcTable, "metadata" | "names"> {
  return { metadata, names: columns.map(({ name }) => name) };
}

/** The batches of messages that can be read at any place. */
function walk(
  schema: IpcSchema,
  check: () => { readonly messages: readonly PlacedMessage[]; readonly bodyAt: (at: number) => Body },
): Pick<IpcTable, "texts" | "batches"> {
  const reader = new BatchReader(schema);
  return {
    texts: name => reader.texts(name),
    async *batches() {
      const { messages, bodyAt: bodyOfMessage } = check();
      for (const { message, bodyAt } of messages) {
        const batch = reader.take(message, bodyOfMessage(bodyAt));
        if (batch !== undefined) yield batch;
      }
    },
  };
}

/** @throws {ArrowError} if the file has not so many bytes there. */
export function readBytes(file: number, start: number, length: number): Uint8Array {
  return readInto(file, new Uint8Array(length), start);
}

/** As {@link readBytes}, into memory that is there. */
export function readInto(file: number, bytes: Uint8Array, start: number): Uint8Array {
  let filled = 0;
  while (filled < bytes.length) {
    const n = readSync(file, bytes, filled, bytes.length - filled, start + filled);
    if (n === 0) throw new ArrowError("its Arrow data are cut short");
    filled += n;
  }
  return bytes;
}

/** The body of a message that lies in a file. */
export function bodyInFile(file: number, at: number): Body {
  return bodyBy((into, start) => readInto(file, into, start), at);
}

function bodyBy(look: (into: Uint8Array, start: number) => Uint8Array, at: number): Body {
  const read = (start: number, bytes: number) => look(new Uint8Array(bytes), at + start);
  return { read, look: (start, bytes) => (bytes > SCRATCH_MAX_BYTES ? read(start, bytes) : look(scratchOf(bytes), at + start)) };
}

let scratch = new Uint8Array(0);

/** Memory that is used again by the next call. */
function scratchOf(bytes: number): Uint8Array {
  if (scratch.length < bytes) scratch = new Uint8Array(Math.max(bytes, 2 * scratch.length));
  return scratch.subarray(0, bytes);
}

/** The bodies of messages in memory. */
function bodiesOf(bytes: Uint8Array): (at: number) => Body {
  return at => bodyOf(bytes.subarray(at));
}

