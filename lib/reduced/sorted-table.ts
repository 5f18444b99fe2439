/**
 * Reduced tables whose rows come in their order, a batch in memory at a time: files that say so, and tables in memory beside them.
 *
 * Tested in `test/lib/reduced/combine-sorted.test.ts`, `test/lib/reduced/large-tables.test.ts`.
 */
import { type AddressSets, NO_SETS } from "../columns/address-sets.ts";
import { ArrowFile } from "../columns/arrow-file.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import type { IpcBatch, ListColumn } from "../columns/arrow-ipc.ts";
import { allTexts, type Texts, toTexts } from "../columns/dictionary.ts";
import { ADDRESSES, checkSets, plainRows, splitKinds } from "./checked-rows.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_NAMES, KIND_SPECS, KINDS, VERSION_WITHOUT_ADDRESSES } from "./kinds.ts";
import { listsOf, ORDER, ORDER_KEY, readInfo, requireTexts } from "./reduced-arrow.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { isEmpty, type KindTable, type ReducedInfo, type ReducedTable } from "./reduced-table.ts";

/** Rows read after which memory is swept. */
const ROWS_PER_SWEEP = 1 << 23;

/** Rows of one kind, whose sets are those of these rows alone. */
export interface SortedBatch {
  readonly table: KindTable;
  readonly sets: AddressSets;
}

/** A reduced table whose rows come in their order, kind by kind, a batch of each in memory. */
export interface SortedTable {
  /** For people. */
  readonly name: string;
  readonly info: ReducedInfo;
  /** Texts of a column with their codes in rising order; read anew each time. */
  textsOf(name: CodedColumn): Texts;
  /** Whether it counts nothing, as `isEmpty` says of a table in memory. */
  isEmpty(): boolean;
  /**
   * @param memory What batch after batch may be read into, each good until the next; without it they are kept.
   * @throws {RangeError} if a row says what no row can.
   */
  batches(kind: Kind, memory?: ColumnMemory): Iterable<SortedBatch>;
  close(): void;
}

/** Some of what can be read apart of a kind: batches of a file, parts of a dataset, by their places in it. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** One in files, of which as little can be read as is asked for. */
export interface StoredRows extends SortedTable {
  /** Where the rows of a kind lie, and how many there are in each place. */
  placesOf(kind: Kind): Stretch & { readonly rows: readonly number[] };
  batches(kind: Kind, memory?: ColumnMemory, stretch?: Stretch): Iterable<SortedBatch>;
  /** Rows of all kinds. */
  readonly allRows: number;
  /** The batches of a kind as `batches`, for rows that were checked before; the first has rows of `firstDay` or later. A batch is good until the next. */
  lazyBatches(kind: Kind, firstDay: number, stretch?: Stretch): Iterable<LazyBatch>;
}

/**
 * Open a file that says its rows stand in order; undefined for anything else, which must be read as a whole.
 *
 * @throws {TypeError} if it is no reduced table.
 */
export function openSorted(path: string): SortedFile | undefined {
  const file = ArrowFile.open(path);
  try {
    if (file?.metadata.get(ORDER_KEY) === ORDER) return new SortedFile(path, file);
  } catch (error) {
    file?.close();
    throw error;
  }
  file?.close();
  return undefined;
}

/** Rows that this thread has read since memory was swept. */
let rowsUnswept = 0;

/** Sweep memory now and then: left to itself the engine lets many times as much lie about as is in use. */
export function sweepAfter(rows: number): void {
  rowsUnswept += rows;
  if (rowsUnswept < ROWS_PER_SWEEP) return;
  rowsUnswept = 0;
  Bun.gc(true);
}

/** Some rows of a kind of which a column is read when it is asked for, and checked for its codes alone. */
export interface LazyBatch extends KindTable {
  /** What `addresses` leads to. */
  readonly sets: AddressSets;
}

export class SortedFile implements StoredRows {
  readonly name: string;
  readonly info: ReducedInfo;
  readonly #file: ArrowFile;
  #kinds: readonly string[] | undefined;
  /** Place of the kind of each batch among all kinds; -1 = not looked at. */
  readonly #places: Int8Array;
  /** The batch that was asked for last. */
  #at = 0;

  constructor(name: string, file: ArrowFile) {
    this.name = name;
    this.info = readInfo(file.metadata, file.names);
    if (this.info.version === VERSION_WITHOUT_ADDRESSES) throw new TypeError("a reduced table whose metadata contradict each other");
    if (file.size > 0) requireTexts(name => file.hasTexts(name));
    this.#file = file;
    this.#places = new Int8Array(file.size).fill(-1);
  }

  textsOf(name: CodedColumn): Texts {
    return (this.#file.size === 0 ? undefined : this.#file.texts(name)) ?? toTexts([]);
  }

  isEmpty(): boolean {
    return this.#file.size === 0 || KIND_NAMES[this.#placeOf(0)] === "scan";
  }

  *batches(kind: Kind, memory?: ColumnMemory, stretch?: Stretch): Generator<SortedBatch> {
    const place = KIND_NAMES.indexOf(kind);
    if (stretch !== undefined) {
      for (let at = stretch.start; at < stretch.end; at++) {
        // Of a file that is out of order it cannot be said where the rows of a kind lie.
        if (this.#placeOf(at) !== place) throw outOfOrder();
        yield toSortedBatch(kind, this.#file.batch(at, false, memory), this.#kinds!, memory);
      }
      return;
    }
    for (this.#at = this.#firstFrom(place); this.#at < this.#file.size && this.#placeOf(this.#at) === place; this.#at++) {
      yield toSortedBatch(kind, this.#file.batch(this.#at, false, memory), this.#kinds!, memory);
    }
  }

  get allRows(): number {
    let rows = 0;
    for (let at = 0; at < this.#file.size; at++) rows += this.#file.rows(at);
    return rows;
  }

  placesOf(kind: Kind): Stretch & { readonly rows: readonly number[] } {
    const place = KIND_NAMES.indexOf(kind);
    const [start, end] = [this.#firstFrom(place), this.#firstFrom(place + 1)];
    return { start, end, rows: Array.from({ length: end - start }, (_, i) => this.#file.rows(start + i)) };
  }

  *lazyBatches(kind: Kind, firstDay: number, stretch: Stretch = this.placesOf(kind)): Generator<LazyBatch> {
    let { start: low, end: high } = stretch;
    const { end } = stretch;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#file.batch(middle, true).wholes("day")!.at(-1)! < firstDay) low = middle + 1;
      else high = middle;
    }
    const memory = new ColumnMemory();
    for (let at = low; at < end; at++) {
      const batch = this.#file.batch(at, true, memory);
      yield toLazyBatch(kind, batch, memory);
      sweepAfter(batch.rows);
    }
  }

  close(): void {
    this.#file.close();
  }

  /** The first batch of this kind, or of one behind it. */
  #firstFrom(place: number): number {
    // Kind by kind in order: where the one before ended.
    const at = this.#at;
    const isBefore = (batch: number) => this.#places[batch]! >= 0 && this.#places[batch]! < place;
    if (at > 0 && at < this.#file.size && isBefore(at - 1) && this.#placeOf(at) >= place) return at;
    let low = 0;
    let high = this.#file.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#placeOf(middle) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #placeOf(batch: number): number {
    if (this.#places[batch]! < 0) {
      this.#kinds ??= allTexts(this.#file.texts("kind") ?? toTexts([]));
      const place = KIND_NAMES.indexOf(this.#kinds[this.#file.firstCode(batch, "kind")] as Kind);
      if (place < 0) throw outOfOrder();
      this.#places[batch] = place;
    }
    return this.#places[batch]!;
  }
}

/** The code of each row's set, where the sets are the lists in their places. */
function listCodes({ isNull }: ListColumn, codes: Int32Array = new Int32Array(isNull.length)): Int32Array {
  for (let row = 0; row < codes.length; row++) codes[row] = isNull[row] === 1 ? -1 : row;
  return codes;
}

/** What is asked of a batch that is one of rows. */
export type RowBatch = Pick<IpcBatch, "rows" | "column" | "wholes" | "lists"> & Partial<Pick<IpcBatch, "form">>;

/**
 * A batch, all of it of one kind, checked.
 *
 * @param kindTexts What the codes of its column `kind` stand for.
 */
export function toSortedBatch(kind: Kind, batch: RowBatch, kindTexts: readonly string[], memory?: ColumnMemory): SortedBatch {
  const { rows, column, lists } = batch;
  const { hasAddresses } = KIND_SPECS[kind];
  const own = hasAddresses ? listsOf(lists) : undefined;
  if (own !== undefined) checkSets(own);
  // A row's set is the list in its place: nobody asks whether two are equal.
  // Copied where they are kept, as they lie within the bytes of all columns.
  const kept = <T extends Uint32Array | Int32Array>(column: T) => (memory === undefined ? (column.slice() as T) : column);
  const sets = own === undefined ? NO_SETS : { size: own.isNull.length, hashes: kept(own.values), offsets: kept(own.offsets) };
  const codes = own && listCodes(own, memory?.ints(ADDRESSES, rows));
  const table = (memory && plainRows(kind, batch, kindTexts, sets, codes)) ?? splitKinds(column, kindTexts, sets, codes, memory)[kind];
  if (table?.rows !== rows) throw outOfOrder();
  return { table, sets };
}

export function toLazyBatch(kind: Kind, batch: RowBatch, memory: ColumnMemory): LazyBatch {
  const { rows, column, lists } = batch;
  const once = <T>(make: () => T) => {
    let made: { readonly value: T } | undefined;
    return () => (made ??= { value: make() }).value;
  };
  const wholes = (name: string) => once(() => batch.wholes(name)!);
  const columns = KINDS[kind].map((name: KeyColumn) => [name, isTextKey(name) ? () => column(name) as Int32Array : wholes(name)] as const);
  const keys = Object.defineProperties({}, Object.fromEntries(columns.map(([name, get]) => [name, { get, enumerable: true }])));
  const known = once(() => (KIND_SPECS[kind].hasAddresses ? listsOf(lists) : undefined));
  const day = wholes("day");
  const codes = once(() => known() && listCodes(known()!, memory.ints(ADDRESSES, rows)));
  return {
    kind,
    rows,
    keys,
    get day() {
      return day();
    },
    get sensor() {
      return column("sensor") as Int32Array;
    },
    get count() {
      return column("count") as Float64Array;
    },
    get success() {
      return column("success") as Float64Array;
    },
    get firstSeenUs() {
      return column("first_seen") as Float64Array;
    },
    get lastSeenUs() {
      return column("last_seen") as Float64Array;
    },
    get addresses() {
      return codes() ?? null;
    },
    get sets() {
      const lists = known();
      return lists === undefined ? NO_SETS : { size: rows, hashes: lists.values, offsets: lists.offsets };
    },
  };
}

/** Texts of all columns. */
export function textsOfColumns(table: Pick<SortedTable, "textsOf">): Record<CodedColumn, Texts> {
  return Object.fromEntries(CODED_COLUMNS.map(name => [name, table.textsOf(name)])) as Record<CodedColumn, Texts>;
}

/** What a table is that says its rows stand in order, and they do not. */
export function outOfOrder(): RangeError {
  return new RangeError("a reduced table with damaged rows: they do not stand in the order that it says they have");
}

/** A table in memory as one that comes in batches. */
export function toSorted(table: ReducedTable, name = ""): SortedTable {
  return {
    name,
    info: table.info,
    textsOf: name => toTexts(table.dictionaries[name]),
    isEmpty: () => isEmpty(table),
    batches: kind => (table.kinds[kind].rows === 0 ? [] : [{ table: table.kinds[kind], sets: table.sets }]),
    close: () => {},
  };
}
