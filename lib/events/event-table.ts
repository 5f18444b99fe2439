/**
 * The event table: every event of a log, column by column, dictionary-coded; in memory, and as an Arrow IPC file.
 */
import { type ColumnShape, inChunks, type IpcFormat, openIpc, toIpc } from "../columns/arrow-ipc.ts";
import type { Texts } from "../columns/dictionary.ts";
import { take } from "../columns/group.ts";
import type { PackedColumn } from "../columns/packed-column.ts";
import {
  MAPPING_VERSION,
  NUMBER_COLUMN_NAMES,
  NUMBER_COLUMNS,
  type NumberColumn,
  TEXT_COLUMNS,
  type TextColumn,
  UNSIGNED_MAX,
} from "./schema.ts";
import { ChangedFileError } from "../columns/regular-file.ts";
import { verifyKept } from "../process/kept-files.ts";
import { pauseNowAndThen } from "../process/pause.ts";
import { isSource, parseInfo } from "./table-metadata.ts";
import { visible } from "../text/text.ts";
import { EARLIEST_US, LATEST_US } from "../text/time.ts";
import type { FileIdentity, SourceInfo } from "./source.ts";

/** Some thousand events, every present column unpacked. */
export interface EventBatch {
  readonly rows: number;
  /** Microseconds since 1970-01-01 UTC. */
  readonly timestampUs: Float64Array;
  /** Codes per row, -1 = null; a column that is null in all rows may be absent. */
  readonly codes: Columns<TextColumn, Int32Array>;
  /** Values per row, NaN = null; a column that is null in all rows may be absent. */
  readonly numbers: Columns<NumberColumn, Float64Array>;
  /** Hash of each line, only where duplicate lines are to be found. */
  readonly lineHash?: Float64Array;
  /** The columns as they are to be written, where they are at hand: of a table that was just built. */
  readonly packed?: Columns<TextColumn | NumberColumn, PackedColumn | Int32Array> & { readonly timestamp: PackedColumn };
  /** Some of its rows, see {@link pickRows}. */
  readonly pick?: (rows: Int32Array) => EventBatch;
}

/**
 * A batch of some rows of another: of a table that is read they are all that is decoded.
 *
 * @param rows In any order, all of them there.
 */
export function pickRows(batch: EventBatch, rows: Int32Array): EventBatch {
  if (batch.pick !== undefined) return batch.pick(rows);
  const { timestampUs, codes, numbers } = batch;
  return {
    rows: rows.length,
    timestampUs: take(timestampUs, rows),
    codes: { get: name => takeOf(codes.get(name), rows) },
    numbers: { get: name => takeOf(numbers.get(name), rows) },
  };
}

function takeOf<T extends Int32Array | Float64Array>(column: T | undefined, rows: Int32Array): T | undefined {
  return column && take(column, rows);
}

/** Columns by name; one that is read from a file is decoded when it is first asked for. */
export interface Columns<Name, Values> {
  get(name: Name): Values | undefined;
}

/** All events of one log, in its order. */
export interface EventTable {
  readonly rows: number;
  /** Texts per column; those of an Arrow file are there once the first batch is, and read when they are asked for. */
  readonly dictionaries: Columns<TextColumn, Texts> & { has(name: TextColumn): boolean };
  /** Number columns that have a value somewhere. */
  readonly numbersUsed: readonly NumberColumn[];
  /** May be walked once, unless it is a {@link BuiltEventTable}. */
  batches(): Iterable<EventBatch> | AsyncIterable<EventBatch>;
  close(): void | Promise<void>;
}

/** A table that was just built from its log. */
export interface BuiltEventTable extends EventTable {
  /** Code of a column as its lines were read -> code in its dictionary; only of columns in which texts got another spelling. */
  readonly recodes?: ReadonlyMap<TextColumn, Int32Array>;
  batches(): Iterable<EventBatch>;
  close(): void;
}

/** Everything about a log that its table is made from and by, kept in the metadata of the Arrow file. */
export interface EventTableInfo {
  readonly mappingVersion: number;
  readonly source: SourceInfo;
  /** The file as it was when it was read; tells without reading it again that it has not changed. */
  readonly file?: FileIdentity;
  /** Only where it was asked for. */
  readonly resume?: ResumePoint;
  /** Whether the table has the hash of every line. */
  readonly hasLineHashes: boolean;
}

/** Where the reading of a log that has grown can go on. */
export interface ResumePoint {
  /** Hash of the text up to its last whole block, see `TextHash.resume`. */
  readonly blockHash: string;
  /** Bytes up to the last line end; what came behind it gave no event. */
  readonly lineEnd: number;
}

/** What event tables are kept for, see `verifyKept`. */
export const EVENT_TABLE = "event table";

const INFO_KEY = "cowrie.events";
const TIMESTAMP = "timestamp";
const LINE_HASH = "line_hash";

/** Arrow IPC bytes of an event table, in chunks of about 1 MiB. Columns without any value are left out. */
export function* eventTableToIpc(
  table: BuiltEventTable,
  info: EventTableInfo,
  format: IpcFormat = "file",
): Generator<Uint8Array> {
  const used = TEXT_COLUMNS.filter(name => table.dictionaries.get(name)!.size > 0);
  const shapes: ColumnShape[] = [
    { name: TIMESTAMP, type: "timestamp", nullable: false },
    ...used.map(name => ({ name, texts: table.dictionaries.get(name)!, nullable: name !== "eventid" })),
    ...table.numbersUsed.map(name => ({ name, type: NUMBER_COLUMNS[name], nullable: true })),
    ...(info.hasLineHashes ? [{ name: LINE_HASH, type: "int64" as const, nullable: false }] : []),
  ];
  function* batches() {
    for (const batch of table.batches()) {
      const { packed } = batch;
      const columns = [
        packed?.timestamp ?? batch.timestampUs,
        ...used.map(name => (packed ?? batch.codes).get(name)),
        ...table.numbersUsed.map(name => (packed ?? batch.numbers).get(name)),
        ...(info.hasLineHashes ? [batch.lineHash!] : []),
      ];
      yield { rows: batch.rows, columns };
    }
  }
  yield* inChunks(toIpc(format, shapes, batches(), new Map([[INFO_KEY, JSON.stringify(info)]])));
}

/** An event table that was read, and what it says of its log. */
export interface StoredEventTable {
  readonly info: EventTableInfo;
  readonly table: EventTable;
  /** State of its file, see `stateOf`; undefined where it is none. */
  readonly state?: string | undefined;
}

/**
 * Open an event table.
 *
 * @param state The state in which its file must be, see `stateOf`; undefined = any.
 * @throws {TypeError} if the Arrow data are no event table, or one of another mapping version.
 */
export async function openEventTable(
  source: string | Uint8Array | AsyncIterable<Uint8Array>,
  state?: string,
): Promise<StoredEventTable> {
  const ipc = await openIpc(source, state);
  let info: EventTableInfo;
  try {
    info = readInfo(ipc.metadata);
  } catch (error) {
    await ipc.close();
    throw error;
  }
  const events = info.source.counts.events + info.source.counts.repaired;
  let hasTexts = false;
  const numbersUsed = NUMBER_COLUMN_NAMES.filter(name => ipc.names.includes(name));
  return {
    info,
    ...(ipc.state === undefined ? {} : { state: ipc.state }),
    table: {
      rows: events,
      dictionaries: {
        get: name => ipc.texts(name),
        has: name => hasTexts && ipc.names.includes(name),
      },
      numbersUsed,
      async *batches() {
        let walked = 0;
        for await (const { rows, column, pick } of ipc.batches()) {
          await pauseNowAndThen();
          walked += rows;
          hasTexts = true;
          const lineHash = column(LINE_HASH) as Float64Array | undefined;
          const pickBatch = (wanted: Int32Array) => toBatch(wanted.length, name => pick(name, wanted));
          // A spread would ask for the times.
          yield Object.assign(toBatch(rows, column), { ...(lineHash === undefined ? {} : { lineHash }), pick: pickBatch });
        }
        // A stream that ends early ends between two batches as well as any whole one does.
        if (walked !== events) throw new Error(`Cannot read an event table of ${events} events: it holds ${walked}`);
      },
      close: () => ipc.close(),
    },
  };
}

/** Rows whose columns are decoded, and checked, when they are asked for. */
function toBatch(rows: number, column: (name: string) => Int32Array | Float64Array | undefined): Omit<EventBatch, "lineHash"> {
  let timestampUs: Int32Array | Float64Array | undefined;
  return {
    rows,
    get timestampUs() {
      if (timestampUs === undefined) checkTimestamps((timestampUs = column(TIMESTAMP)));
      return timestampUs as Float64Array;
    },
    codes: { get: name => column(name) as Int32Array | undefined },
    numbers: { get: name => checkedNumbers(name, column(name)) },
  };
}

/** Columns that were looked at: one is asked for again and again. */
const checked = new WeakSet<Float64Array>();

/**
 * A column of numbers, none of which its type could not hold, whatever type a stranger gave it.
 *
 * @throws {RangeError} naming the first that is none.
 */
function checkedNumbers(name: NumberColumn, values: Int32Array | Float64Array | undefined): Float64Array | undefined {
  if (values === undefined || (values instanceof Float64Array && checked.has(values))) return values as undefined;
  if (!(values instanceof Float64Array)) throw new RangeError(`an event table with text in the column ${name}`);
  const type = NUMBER_COLUMNS[name];
  const isWhole = type !== "float64";
  const [least, greatest] = isWhole ? [0, UNSIGNED_MAX[type]] : [-Number.MAX_VALUE, Number.MAX_VALUE];
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value !== value || (value >= least && value <= greatest && (!isWhole || Math.floor(value) === value))) continue;
    throw new RangeError(`an event table with damaged numbers: no event has the ${name} ${value}`);
  }
  checked.add(values);
  return values;
}

/**
 * Open an event table that was opened or written before in this run; whoever lets go of it closes it.
 *
 * @param state Its state then; undefined = any will do.
 * @throws {ChangedFileError} if it is another by now, unless another run of this user's has written it anew.
 */
export async function reopenEventTable(
  path: string | Uint8Array,
  state: string | undefined,
): Promise<StoredEventTable & AsyncDisposable> {
  const stored = await openEventTable(path, state).catch(error => {
    const own = error instanceof ChangedFileError ? verifyKept(path as string, EVENT_TABLE) : undefined;
    if (own === undefined) throw error;
    return openEventTable(path, own);
  });
  return { ...stored, [Symbol.asyncDispose]: async () => stored.table.close() };
}

/** Calendars are laid out by them: what no log can hold is refused. */
function checkTimestamps(timestampUs: Int32Array | Float64Array | undefined): asserts timestampUs is Float64Array {
  let isSound = timestampUs instanceof Float64Array;
  for (let row = 0; isSound && row < timestampUs!.length; row++) {
    const us = timestampUs![row]!;
    isSound = us >= EARLIEST_US && us <= LATEST_US && Math.floor(us) === us;
  }
  if (!isSound) throw new RangeError("an event table with damaged timestamps: expected the years 1970 to 2199");
}

/** @throws {TypeError} if it is not the metadata of an event table of this version. */
function readInfo(metadata: ReadonlyMap<string, string>): EventTableInfo {
  const json = metadata.get(INFO_KEY);
  // The one thing that is easily named for the other, by its ending.
  if (json === undefined && metadata.has("cowrie.reduced")) {
    throw new TypeError("not an event table: it is a reduced table, which visualize.ts, statistics.ts and history.ts read");
  }
  if (json === undefined) throw new TypeError("not an event table: its schema has no such metadata");
  const info = parseInfo(json, "an event table");
  if (info.mappingVersion !== MAPPING_VERSION) {
    throw new TypeError(`an event table of version ${visible(String(info.mappingVersion))}: expected ${MAPPING_VERSION}`);
  }
  if (!isSource(info.source)) throw new TypeError("an event table with damaged metadata: its log is not described");
  return info as unknown as EventTableInfo;
}
