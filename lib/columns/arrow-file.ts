/**
 * An Arrow IPC file, or a stream that was kept as one, batch by batch, in any order, with no more of it in memory than the batch that is looked at: where
 * hundreds of tables are merged, their texts alone would fill it.
 */
import { closeSync } from "node:fs";
import {
  type BatchLayout,
  bytesOf,
  type IpcSchema,
  isIpcFile,
  isIpcStream,
  type MessagePlaces,
  placeFile,
  type PlacedTexts,
  placeStream,
  readBatchHeader,
  type ReadBytes,
} from "./arrow-guard.ts";
import { bodyInFile, type IpcBatch, readBytes, readInto } from "./arrow-ipc.ts";
import { BatchReader, bodyOf, type ColumnMemory, readTexts } from "./arrow-reader.ts";
import type { Texts } from "./dictionary.ts";
import { openRegularAs } from "./regular-file.ts";

/** Files up to this size are read at once: their messages are dozens, and a piece of them costs as much as all. */
const WHOLE_MAX_BYTES = 1 << 16;

/** Bytes of a code. */
const WIDTHS = { int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4 } as const;

/** What a batch says of itself, and where its body lies. */
interface PlacedBatch {
  readonly layout: BatchLayout;
  readonly bodyAt: number;
}

export class ArrowFile {
  /** Number of batches. */
  readonly size: number;
  readonly #file: number;
  readonly #read: ReadBytes;
  readonly #schema: IpcSchema;
  readonly #reader: BatchReader;
  /** See {@link MessagePlaces}: what a batch says of itself is read and checked each time that it is looked at. */
  readonly #batches: Float64Array;
  readonly #dictionaries = new Map<number, PlacedTexts>();

  /**
   * @param state The state in which the file must be, see `stateOf`; undefined = any.
   * @returns undefined if it is no Arrow data.
   * @throws {ArrowError} if it is damaged.
   */
  static open(path: string, state?: string): ArrowFile | undefined {
    const { file, size } = openRegularAs(path, state);
    try {
      const read: ReadBytes = size <= WHOLE_MAX_BYTES ? bytesOf(readBytes(file, 0, size)) : (start, length, into) => readInto(file, into ?? new Uint8Array(length), start);
      if (isIpcFile(read, size)) return new ArrowFile(file, read, placeFile(read, size));
      if (isIpcStream(read, size)) return new ArrowFile(file, read, placeStream(read));
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
    return undefined;
  }

  private constructor(file: number, read: ReadBytes, { schema, dictionaries, batches }: MessagePlaces) {
    this.#file = file;
    this.#read = read;
    this.#schema = schema;
    this.#batches = batches;
    this.size = (batches.length - 1) / 2;
    this.#reader = new BatchReader(schema);
    for (const placed of dictionaries) {
      const { dictionary, batch } = placed.message;
      this.#dictionaries.set(dictionary, placed);
      this.#reader.skip(dictionary, batch);
    }
  }

  get metadata(): ReadonlyMap<string, string> {
    return this.#schema.metadata;
  }

  get names(): readonly string[] {
    return this.#schema.columns.map(({ name }) => name);
  }

  /** Rows of a batch. */
  rows(number: number): number {
    return this.#look(number).layout.rows;
  }

  /** Whether a column is dictionary-coded and its texts are there. */
  hasTexts(name: string): boolean {
    const column = this.#schema.columns.find(column => column.name === name);
    return column?.dictionary !== undefined && this.#dictionaries.has(column.dictionary);
  }

  /** The texts of a dictionary-coded column, read anew each time; undefined for others. */
  texts(name: string): Texts | undefined {
    const column = this.#schema.columns.find(column => column.name === name);
    const placed = column?.dictionary === undefined ? undefined : this.#dictionaries.get(column.dictionary);
    return placed && readTexts(placed.message.batch, bodyOf(this.#read(placed.bodyAt, placed.message.bodyBytes)));
  }

  /**
   * A batch by its number.
   *
   * @param isLazy Whether no more is read than the columns that are asked for, each when it is.
   * @param memory What its columns are decoded into, if not into arrays of their own.
   * @throws {ArrowError} if it is damaged.
   */
  batch(number: number, isLazy = false, memory?: ColumnMemory): IpcBatch {
    if (isLazy) {
      const { layout, bodyAt } = this.#look(number);
      return this.#reader.batch(layout, bodyInFile(this.#file, bodyAt), memory);
    }
    const [at, bodyAt, end] = this.#placeOf(number);
    const bytes = this.#read(at, end - at, memory?.passing.bytes("message", end - at));
    const layout = readBatchHeader(bytes.subarray(0, bodyAt - at), end - bodyAt);
    return this.#reader.batch(layout, bodyOf(bytes.subarray(bodyAt - at)), memory);
  }

  /** The code in the first row of a dictionary-coded column, without a look at the others; -1 = none. */
  firstCode(number: number, name: string): number {
    const form = this.#schema.columns.find(column => column.name === name)?.form;
    if (form === undefined || !(form in WIDTHS)) return -1;
    const { layout, bodyAt } = this.#look(number);
    const { start, bytes } = this.#reader.valuesOf(layout, name)!;
    const width = WIDTHS[form as keyof typeof WIDTHS];
    if (layout.rows === 0 || bytes < width) return -1;
    return Buffer.from(this.#read(bodyAt + start, width)).readUIntLE(0, width);
  }

  close(): void {
    closeSync(this.#file);
  }

  #look(number: number): PlacedBatch {
    const [at, bodyAt, end] = this.#placeOf(number);
    return { layout: readBatchHeader(this.#read(at, bodyAt - at), end - bodyAt), bodyAt };
  }

  #placeOf(number: number): readonly [at: number, bodyAt: number, end: number] {
    return [this.#batches[2 * number]!, this.#batches[2 * number + 1]!, this.#batches[2 * number + 2]!];
  }
}
