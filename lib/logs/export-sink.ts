/**
 * The events of one day or month on their way into a Parquet file: collected until they are worth a row group.
 *
 * Tested in `test/lib/logs/export-events.test.ts`.
 */
import { Dictionary, textOf } from "../columns/dictionary.ts";
import { take } from "../columns/group.ts";
import { ParquetPieces, type ParquetShape, type ParquetValues } from "../columns/parquet-pieces.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import { NUMBER_COLUMN_NAMES, NUMBER_COLUMNS, TEXT_COLUMNS, type NumberColumn, type TextColumn } from "../events/schema.ts";
import { type OutputFile, OutputSet } from "../process/output-file.ts";

/** Readers share the work out by row groups, and pass over them by their bounds; smaller ones pack worse. */
const ROW_GROUP_ROWS = 1 << 17;

/** UINT16 fits into a signed 32-bit number, UINT32 into a 64-bit one: readers that know signed types only are many. */
const NUMBER_TYPES = { uint16: "int32", uint32: "int64", float64: "float64" } as const;

/** Columns of every file, whether it has a value for them or not: a reader takes the columns of one for those of all. */
const EXPORT_SHAPES: readonly ParquetShape[] = [
  { name: "timestamp", type: "timestamp", nullable: false },
  ...TEXT_COLUMNS.map(name => ({ name, type: "text" as const, nullable: name !== "eventid" && name !== "sensor" })),
  ...NUMBER_COLUMN_NAMES.map(name => ({ name, type: NUMBER_TYPES[NUMBER_COLUMNS[name]], nullable: true })),
];

/** Where a text of a table was put in a dictionary of ours; one for all columns, forgotten at each step. */
export class CodeScratch {
  #codes = new Int32Array(0);
  #rounds = new Int32Array(0);
  #round = 0;

  /** Begin anew for a dictionary of so many texts. */
  start(size: number): void {
    this.#round++;
    if (size <= this.#rounds.length && this.#round < 0x7fff_ffff) return;
    this.#codes = new Int32Array(Math.max(size, this.#codes.length));
    this.#rounds = new Int32Array(this.#codes.length);
    this.#round = 1;
  }

  /** Our code of a text, -1 if it was not met in this round. */
  get(code: number): number {
    return this.#rounds[code] === this.#round ? this.#codes[code]! : -1;
  }

  set(code: number, own: number): void {
    this.#rounds[code] = this.#round;
    this.#codes[code] = own;
  }
}

/** A column of the rows that wait; pieces that are missing are null in all rows. */
interface Waiting<Values> {
  readonly pieces: { readonly at: number; readonly values: Values }[];
}

export class ExportSink implements AsyncDisposable {
  readonly path: string;
  /** Events put into it. */
  rows = 0;
  /** Bytes of the file as far as they are written. */
  bytes = 0;
  /** Memory that the waiting rows take, roughly. */
  heldBytes = 0;
  readonly #nameOf: (sensor: string) => string;
  readonly #pieces: ParquetPieces;
  readonly #outputs = new OutputSet();
  #file: OutputFile | undefined;
  #waitingRows = 0;
  #timestamps: Waiting<Float64Array> = { pieces: [] };
  #texts = new Map<TextColumn, Waiting<Int32Array> & { readonly dictionary: Dictionary }>();
  #numbers = new Map<NumberColumn, Waiting<Float64Array>>();

  /** @param nameOf The name that a sensor counts under; "" is one that the log does not name. */
  constructor(path: string, nameOf: (sensor: string) => string, metadata: ReadonlyMap<string, string>) {
    this.path = path;
    this.#nameOf = nameOf;
    this.#pieces = new ParquetPieces(EXPORT_SHAPES, metadata);
  }

  /** Take rows of a batch. */
  async add(table: EventTable, batch: EventBatch, rows: Int32Array, scratch: CodeScratch): Promise<void> {
    const at = this.#waitingRows;
    this.#timestamps.pieces.push({ at, values: take(batch.timestampUs, rows) });
    for (const name of TEXT_COLUMNS) this.#addTexts(name, table, batch, rows, scratch);
    for (const name of NUMBER_COLUMN_NAMES) {
      const numbers = batch.numbers.get(name);
      if (numbers === undefined) continue;
      waitingOf(this.#numbers, name, () => ({ pieces: [] })).pieces.push({ at, values: take(numbers, rows) });
    }
    this.rows += rows.length;
    this.#waitingRows += rows.length;
    this.heldBytes = this.#measure();
    if (this.#waitingRows >= ROW_GROUP_ROWS) await this.flush();
  }

  #addTexts(name: TextColumn, table: EventTable, batch: EventBatch, rows: Int32Array, scratch: CodeScratch): void {
    const texts = table.dictionaries.get(name);
    const codes = texts && batch.codes.get(name);
    const isSensor = name === "sensor";
    if (codes === undefined && !isSensor) return;
    const { pieces, dictionary } = waitingOf(this.#texts, name, () => ({ pieces: [], dictionary: new Dictionary() }));
    const own = new Int32Array(rows.length);
    pieces.push({ at: this.#waitingRows, values: own });
    const none = isSensor ? dictionary.internText(this.#nameOf("")) : -1;
    if (codes === undefined) return void own.fill(none);
    scratch.start(texts!.size);
    const { arena, offsets } = texts!;
    for (let i = 0; i < rows.length; i++) {
      const code = codes[rows[i]!]!;
      let known = code < 0 ? none : scratch.get(code);
      if (known < 0 && code >= 0) {
        known = isSensor
          ? dictionary.internText(this.#nameOf(textOf(texts!, code)))
          : dictionary.intern(arena, offsets[code]!, offsets[code + 1]!);
        scratch.set(code, known);
      }
      own[i] = known;
    }
  }

  /** Roughly: codes and numbers, texts, and what finds them. */
  #measure(): number {
    let bytes = this.#waitingRows * (8 + 4 * this.#texts.size + 8 * this.#numbers.size);
    for (const { dictionary } of this.#texts.values()) bytes += dictionary.arena.length + 16 * dictionary.offsets.length;
    return bytes;
  }

  /** Write what waits as a row group. */
  async flush(): Promise<void> {
    const rows = this.#waitingRows;
    if (rows === 0) return;
    const columns: (ParquetValues | undefined)[] = [
      joinNumbers(this.#timestamps, rows),
      ...TEXT_COLUMNS.map(name => {
        const column = this.#texts.get(name);
        return column && { codes: joinCodes(column, rows), texts: column.dictionary };
      }),
      ...NUMBER_COLUMN_NAMES.map(name => {
        const column = this.#numbers.get(name);
        return column && joinNumbers(column, rows);
      }),
    ];
    const piece = this.#pieces.add(rows, columns);
    this.#waitingRows = this.heldBytes = 0;
    this.#timestamps = { pieces: [] };
    this.#texts = new Map();
    this.#numbers = new Map();
    await this.#write(piece);
  }

  async #write(piece: Uint8Array): Promise<void> {
    this.#file ??= await this.#outputs.open(this.path);
    await this.#file.write(piece);
    this.bytes += piece.length;
  }

  /** Write the rest and give the file its name. */
  async commit(): Promise<void> {
    await this.flush();
    await this.#write(this.#pieces.finish());
    await this.#outputs.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#outputs[Symbol.asyncDispose]();
  }
}

function waitingOf<Name, Column>(columns: Map<Name, Column>, name: Name, make: () => Column): Column {
  let column = columns.get(name);
  if (column === undefined) columns.set(name, (column = make()));
  return column;
}

function joinNumbers({ pieces }: Waiting<Float64Array>, rows: number): Float64Array {
  const joined = new Float64Array(rows).fill(NaN);
  for (const { at, values } of pieces) joined.set(values, at);
  return joined;
}

function joinCodes({ pieces }: Waiting<Int32Array>, rows: number): Int32Array {
  const joined = new Int32Array(rows).fill(-1);
  for (const { at, values } of pieces) joined.set(values, at);
  return joined;
}
