/**
 * An Arrow IPC file, or a stream that was kept as one, batch by batch, in any order, with no more of it in memory than the batch that is looked at: where
 * hundreds of tables are merged, their texts alone would fill it.
 */
import { closeSync } from "node:fs";
import {
  bytesOf,
  checkFile,
  checkStreamBy,
  type IpcSchema,
  isIpcFile,
  isIpcStream,
  type PlacedMessage,
  type ReadBytes,
} from "./arrow-guard.ts";
import { bodyInFile, type IpcBatch, readBytes, readInto } from "./arrow-ipc.ts";
import { BatchReader, type Body, bodyOf, type ColumnMemory, readTexts } from "./arrow-reader.ts";
import type { Texts } from "./dictionary.ts";
import { ArrowError } from "./flatbuffer.ts";
import { openRegularAs } from "./regular-file.ts";

/** Files up to this size are read at once: their messages are dozens, and a piece of them costs as much as all. */
const WHOLE_MAX_BYTES = 1 << 16;

/** Bytes of a code. */
const WIDTHS = { int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4 } as const;

export class ArrowFile {
  readonly #file: number;
  readonly #read: ReadBytes;
  readonly #schema: IpcSchema;
  readonly #reader: BatchReader;
  readonly #batches: PlacedMessage[] = [];
  readonly #dictionaries = new Map<number, PlacedMessage>();

  /**
   * @param state The state in which the file must be, see `stateOf`; undefined = any.
   * @returns undefined if it is no Arrow data.
   * @throws {ArrowError} if it is damaged.
   */
  static open(path: string, state?: string): ArrowFile | undefined {
    const { file, size } = openRegularAs(path, state);
    try {
      const read: ReadBytes = size <= WHOLE_MAX_BYTES ? bytesOf(readBytes(file, 0, size)) : (start, length, into) => readInto(file, into ?? new Uint8Array(length), start);
      if (isIpcFile(read, size)) return new ArrowFile(file, read, checkFile(read, size));
      if (isIpcStream(read, size)) return new ArrowFile(file, read, checkStreamBy(read));
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
    return undefined;
  }

  private constructor(file: number, read: ReadBytes, { schema, messages }: ReturnType<typeof checkFile>) {
    this.#file = file;
    this.#read = read;
    this.#schema = schema;
    this.#reader = new BatchReader(schema);
    for (const placed of messages) {
      const { message } = placed;
      if ("schema" in message) continue;
      if (message.dictionary === undefined) {
        this.#batches.push(placed);
      } else {
        this.#dictionaries.set(message.dictionary, placed);
        this.#reader.skip(message.dictionary, message.batch);
      }
    }
  }

  get metadata(): ReadonlyMap<string, string> {
    return this.#schema.metadata;
  }

  get names(): readonly string[] {
    return this.#schema.columns.map(({ name }) => name);
  }

  /** Number of batches. */
  get size(): number {
    return this.#batches.length;
  }

  /** Rows of a batch. */
  rows(number: number): number {
    const { message } = this.#batches[number]!;
    return "batch" in message ? message.batch.rows : 0;
  }

  /** The texts of a dictionary-coded column, read anew each time; undefined for others. */
  texts(name: string): Texts | undefined {
    const column = this.#schema.columns.find(column => column.name === name);
    const placed = column?.dictionary === undefined ? undefined : this.#dictionaries.get(column.dictionary);
    if (placed === undefined || !("batch" in placed.message)) return undefined;
    return readTexts(placed.message.batch, this.#bodyOf(placed));
  }

  /**
   * A batch by its number.
   *
   * @param isLazy Whether no more is read than the columns that are asked for, each when it is.
   * @param memory What its columns are decoded into, if not into arrays of their own.
   */
  batch(number: number, isLazy = false, memory?: ColumnMemory): IpcBatch {
    const placed = this.#batches[number]!;
    const body = isLazy ? bodyInFile(this.#file, placed.bodyAt) : this.#bodyOf(placed, memory);
    const batch = this.#reader.take(placed.message, body, memory);
    if (batch === undefined) throw new ArrowError("its Arrow data are damaged: no rows where the footer has some");
    return batch;
  }

  /** The code in the first row of a dictionary-coded column, without a look at the others; -1 = none. */
  firstCode(number: number, name: string): number {
    const { message, bodyAt } = this.#batches[number]!;
    const at = this.#schema.columns.findIndex(column => column.name === name);
    const form = this.#schema.columns[at]?.form;
    if (form === undefined || !(form in WIDTHS) || !("batch" in message)) return -1;
    const before = this.#schema.columns.slice(0, at);
    const validity = before.reduce((sum, column) => sum + (column.form === "list" ? 4 : column.form === "text" ? 3 : 2), 0);
    const bytes = WIDTHS[form as keyof typeof WIDTHS];
    const values = message.batch.buffers[validity + 1];
    if (message.batch.rows === 0 || values === undefined || values.bytes < bytes) return -1;
    return Buffer.from(this.#read(bodyAt + values.start, bytes)).readUIntLE(0, bytes);
  }

  close(): void {
    closeSync(this.#file);
  }

  #bodyOf({ message, bodyAt }: PlacedMessage, memory?: ColumnMemory): Body {
    return bodyOf(this.#read(bodyAt, message.bodyBytes, memory?.bytes("body", message.bodyBytes)));
  }
}
