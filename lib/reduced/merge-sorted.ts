/**
 * Sorted reduced tables to one, as streams: memory holds a batch of each and the texts of all, whatever the number of rows.
 *
 * Gives the very rows of a `ReducedBuilder`. Tables of different days or sensors lie beside each other in long runs, which
 * are copied as a whole; only rows of one key meet one by one.
 *
 * Tested in `test/lib/reduced/combine-sorted.test.ts`.
 */
import { type AddressSets, SET_MAX } from "../columns/address-sets.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import type { Texts } from "../columns/dictionary.ts";
import { TextsMerger } from "../columns/merge-texts.ts";
import { RisingCodes } from "../columns/rising-codes.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_NAMES, KIND_SPECS, KINDS } from "./kinds.ts";
import { REDUCED_BATCH_ROWS, type WrittenBatch } from "./reduced-arrow.ts";
import { outOfOrder, type SortedBatch, type SortedTable, textsOfColumns } from "./sorted-table.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { type Calculation, takeWithPauses } from "../process/pause.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { widened } from "../columns/growing-column.ts";

/** Of each table the codes of all tables together, by its own. */
export type Recodes = Readonly<Record<CodedColumn, RisingCodes>>;

export interface SortedMerge {
  readonly texts: Record<CodedColumn, Texts>;
  /** All rows, kind by kind; may be asked for again. A batch is valid until the next. */
  batches(): Generator<WrittenBatch>;
}

/** @param tables No two of which count the same; kinds without rows may be missing. */
export async function mergeSorted(tables: readonly SortedTable[]): Promise<SortedMerge> {
  const { texts, recodes } = await takeWithPauses(uniteTexts(tables));
  // The same for all kinds: they come one after the other.
  const passing = new ColumnMemory();
  const memories = tables.map(() => new ColumnMemory(passing));
  return {
    texts,
    *batches() {
      for (const kind of KIND_NAMES) {
        const streams = tables.map((table, i) => new Stream(table, kind, recodes[i]!, memories[i]!));
        yield* mergeKind(kind, streams);
      }
    },
  };
}

/**
 * Read of a table, with its name in what is wrong with it.
 *
 * @throws {Error} as `read`.
 */
export function ofTable<T>({ name }: Pick<SortedTable, "name">, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(name)}: ${errorReason(error)}`, { cause: error });
  }
}

/** The batches of a kind, see {@link ofTable}. */
export function* batchesOf(table: SortedTable, kind: Kind, memory?: ColumnMemory): Generator<SortedBatch> {
  const batches = ofTable(table, () => table.batches(kind, memory)[Symbol.iterator]());
  for (;;) {
    const { done, value } = ofTable(table, () => batches.next());
    if (done === true) return;
    yield value;
  }
}

/** See {@link ofTable}. */
export function textsOf(table: Pick<SortedTable, "name" | "textsOf">): Record<CodedColumn, Texts> {
  return ofTable(table, () => textsOfColumns(table));
}

/** Bytes of texts that are merged after which memory is swept, and after which signals have their turn. */
const TEXTS_PER_SWEEP = 32 << 20;
const TEXTS_PER_PAUSE = 4 << 20;

/** One list of texts of all for each column, a table at a time: of each no more than its codes is held, in a byte or two. */
export function* uniteTexts(
  tables: readonly Pick<SortedTable, "name" | "textsOf">[],
): Calculation<{ readonly texts: Record<CodedColumn, Texts>; readonly recodes: readonly Recodes[] }> {
  const united = {} as Record<CodedColumn, Texts>;
  const recodes = tables.map(() => ({}) as Record<CodedColumn, RisingCodes>);
  let unswept = 0;
  let unpaused = 0;
  for (const name of CODED_COLUMNS) {
    const merger = new TextsMerger();
    for (const table of tables) {
      const texts = ofTable(table, () => table.textsOf(name));
      if (!merger.add(texts)) throw notInOrder(table);
      const bytes = texts.arena.length + 4 * texts.size;
      unswept += bytes;
      unpaused += bytes;
      if (unpaused < TEXTS_PER_PAUSE) continue;
      unpaused = 0;
      yield;
      // Left to itself the engine lets the lists that became others lie about.
      if (unswept < TEXTS_PER_SWEEP) continue;
      unswept = 0;
      Bun.gc(true);
    }
    const { texts, codes } = merger.finish();
    united[name] = texts;
    codes.forEach((own, i) => (recodes[i]![name] = new RisingCodes(own)));
  }
  return { texts: united, recodes };
}

function notInOrder(table: Pick<SortedTable, "name">): Error {
  return ofTable(table, () => {
    throw outOfOrder();
  });
}

/** The rows of one kind of one table, one batch at a time, in the codes of all. */
export class Stream {
  /** Day, sensor, and the columns of the key. */
  columns: readonly Int32Array[] = [];
  batch: SortedBatch | undefined;
  row = 0;
  readonly #table: SortedTable;
  readonly #batches: Iterator<SortedBatch>;
  readonly #kind: Kind;
  readonly #recodes: Recodes;
  readonly #memory: ColumnMemory;

  constructor(table: SortedTable, kind: Kind, recodes: Recodes, memory = new ColumnMemory()) {
    this.#table = table;
    this.#memory = memory;
    this.#batches = batchesOf(table, kind, this.#memory);
    this.#kind = kind;
    this.#recodes = recodes;
  }

  /** Go to the next batch. @returns Whether there is one. */
  next(): boolean {
    const lastRow = (this.batch?.table.rows ?? 0) - 1;
    // The next batch takes the place of this one.
    const before = lastRow < 0 ? undefined : this.columns.map(column => Int32Array.of(column[lastRow]!));
    const { done, value } = this.#batches.next();
    if (done === true) return false;
    const { day, sensor, keys } = value.table;
    this.batch = value;
    this.row = 0;
    // By their places, not by name: of the next kind they are in the same memory.
    this.columns = [
      day,
      this.#recode("sensor", sensor, "sensor of all"),
      ...KINDS[this.#kind].map((name: KeyColumn, i) => (isTextKey(name) ? this.#recode(name, keys[name]!, `key ${i} of all`) : keys[name]!)),
    ];
    if (before !== undefined && compareRows(before, 0, this.columns, 0) >= 0) throw notInOrder(this.#table);
    if (!areRising(this.columns)) throw notInOrder(this.#table);
    return true;
  }

  #recode(name: CodedColumn, codes: Int32Array, place: string): Int32Array {
    const own = this.#memory.ints(place, codes.length);
    this.#recodes[name].translate(codes, own);
    return own;
  }
}

export function compareRows(a: readonly Int32Array[], rowA: number, b: readonly Int32Array[], rowB: number): number {
  for (let i = 0; i < a.length; i++) {
    const order = a[i]![rowA]! - b[i]![rowB]!;
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether each row comes behind the one before it. @param columns Three at least: nearly always one of these decides. */
function areRising([first, second, third, ...others]: readonly Int32Array[]): boolean {
  for (let row = 1; row < first!.length; row++) {
    let order = first![row]! - first![row - 1]!;
    if (order === 0) order = second![row]! - second![row - 1]!;
    if (order === 0) order = third![row]! - third![row - 1]!;
    for (let i = 0; order === 0 && i < others.length; i++) order = others[i]![row]! - others[i]![row - 1]!;
    if (order <= 0) return false;
  }
  return true;
}

function* mergeKind(kind: Kind, streams: readonly Stream[]): Generator<WrittenBatch> {
  const heap = new Heap();
  for (const stream of streams) if (stream.next()) heap.push(stream);
  const merged = new MergedRows(kind);
  for (let stream = heap.pop(); stream !== undefined; stream = heap.pop()) {
    const limit = heap.first;
    const { rows } = stream.batch!.table;
    const most = Math.min(rows, stream.row + REDUCED_BATCH_ROWS);
    const end = limit === undefined ? most : endOfRun(stream, limit, most);
    merged.add(stream, end);
    stream.row = end;
    yield* merged.takeFull();
    if (end < rows || stream.next()) heap.push(stream);
  }
  yield* merged.takeRest();
}

/** Behind the rows of a stream, `most` at most, that come before that of another or have its key; the first of them does. */
function endOfRun({ columns, row }: Stream, limit: Stream, most: number): number {
  // Runs are long, or a row.
  let step = 1;
  let known = row + 1;
  while (known + step <= most && compareRows(columns, known + step - 1, limit.columns, limit.row) <= 0) {
    known += step;
    step *= 2;
  }
  let end = Math.min(most, known + step - 1);
  while (known < end) {
    const middle = (known + end) >>> 1;
    if (compareRows(columns, middle, limit.columns, limit.row) <= 0) known = middle + 1;
    else end = middle;
  }
  return known;
}

/** Streams by the row at which they stand. */
class Heap {
  readonly #streams: Stream[] = [];

  get first(): Stream | undefined {
    return this.#streams[0];
  }

  push(stream: Stream): void {
    const streams = this.#streams;
    let at = streams.push(stream) - 1;
    while (at > 0 && isBefore(stream, streams[(at - 1) >> 1]!)) {
      streams[at] = streams[(at - 1) >> 1]!;
      at = (at - 1) >> 1;
    }
    streams[at] = stream;
  }

  pop(): Stream | undefined {
    const streams = this.#streams;
    const top = streams[0];
    const last = streams.pop();
    if (last === undefined || streams.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= streams.length) break;
      if (child + 1 < streams.length && isBefore(streams[child + 1]!, streams[child]!)) child++;
      if (!isBefore(streams[child]!, last)) break;
      streams[at] = streams[child]!;
      at = child;
    }
    streams[at] = last;
    return top;
  }
}

function isBefore(a: Stream, b: Stream): boolean {
  return compareRows(a.columns, a.row, b.columns, b.row) < 0;
}

/** Rows of one kind in the making; those with equal keys, which come one behind the other, are one. */
class MergedRows {
  readonly #kind: Kind;
  #rows = 0;
  readonly #columns: Int32Array[];
  readonly #count: Float64Array;
  readonly #success: Float64Array;
  readonly #firstSeenUs: Float64Array;
  readonly #lastSeenUs: Float64Array;
  readonly #addresses: AddressLists | undefined;

  constructor(kind: Kind) {
    this.#kind = kind;
    // A batch, and what is added to it at once.
    const capacity = 2 * REDUCED_BATCH_ROWS;
    const floats = () => new Float64Array(capacity);
    this.#columns = Array.from({ length: 2 + KINDS[kind].length }, () => new Int32Array(capacity));
    [this.#count, this.#success, this.#firstSeenUs, this.#lastSeenUs] = [floats(), floats(), floats(), floats()];
    this.#addresses = KIND_SPECS[kind].hasAddresses ? new AddressLists(capacity) : undefined;
  }

  /** Add the rows of a stream from where it stands to `end`, {@link REDUCED_BATCH_ROWS} at most. */
  add(stream: Stream, end: number): void {
    const { table, sets } = stream.batch!;
    let start = stream.row;
    if (this.#rows > 0 && compareRows(this.#columns, this.#rows - 1, stream.columns, start) === 0) {
      const last = this.#rows - 1;
      this.#count[last]! += table.count[start]!;
      this.#success[last]! += table.success[start]!;
      this.#firstSeenUs[last] = Math.min(this.#firstSeenUs[last]!, table.firstSeenUs[start]!);
      this.#lastSeenUs[last] = Math.max(this.#lastSeenUs[last]!, table.lastSeenUs[start]!);
      this.#addresses?.unite(last, sets, table.addresses![start]!);
      start++;
    }
    const at = this.#rows;
    for (let i = 0; i < this.#columns.length; i++) copyInts(stream.columns[i]!, start, end, this.#columns[i]!, at);
    copyFloats(table.count, start, end, this.#count, at);
    copyFloats(table.success, start, end, this.#success, at);
    copyFloats(table.firstSeenUs, start, end, this.#firstSeenUs, at);
    copyFloats(table.lastSeenUs, start, end, this.#lastSeenUs, at);
    this.#addresses?.add(sets, table.addresses!, start, end);
    this.#rows += end - start;
  }

  /** The first rows as a batch, where there are more: the last may still grow. */
  *takeFull(): Generator<WrittenBatch> {
    while (this.#rows > REDUCED_BATCH_ROWS) {
      yield this.#view(REDUCED_BATCH_ROWS);
      for (const column of [...this.#columns, this.#count, this.#success, this.#firstSeenUs, this.#lastSeenUs]) {
        column.copyWithin(0, REDUCED_BATCH_ROWS, this.#rows);
      }
      this.#addresses?.drop(REDUCED_BATCH_ROWS);
      this.#rows -= REDUCED_BATCH_ROWS;
    }
  }

  *takeRest(): Generator<WrittenBatch> {
    if (this.#rows > 0) yield this.#view(this.#rows);
  }

  #view(rows: number): WrittenBatch {
    const [day, sensor, ...keys] = this.#columns.map(column => column.subarray(0, rows)) as [Int32Array, Int32Array, ...Int32Array[]];
    const table = {
      kind: this.#kind,
      rows,
      day,
      sensor,
      keys: Object.fromEntries(KINDS[this.#kind].map((name, i) => [name, keys[i]!])),
      count: this.#count.subarray(0, rows),
      success: this.#success.subarray(0, rows),
      addresses: null,
      firstSeenUs: this.#firstSeenUs.subarray(0, rows),
      lastSeenUs: this.#lastSeenUs.subarray(0, rows),
    };
    return { table, addresses: this.#addresses?.view(rows) };
  }
}

// Runs are short: a view for a native copy takes as long as copying hundreds of rows.
function copyInts(from: Int32Array, start: number, end: number, to: Int32Array, at: number): void {
  for (let row = start; row < end; row++) to[at + row - start] = from[row]!;
}

function copyFloats(from: Float64Array, start: number, end: number, to: Float64Array, at: number): void {
  for (let row = start; row < end; row++) to[at + row - start] = from[row]!;
}

/** The sets of rows in the making. */
class AddressLists {
  #rows = 0;
  readonly #offsets: Int32Array;
  readonly #isNull: Uint8Array;
  #values = new Uint32Array(1 << 12);
  readonly #scratch = new Uint32Array(SET_MAX);

  constructor(capacity: number) {
    this.#offsets = new Int32Array(capacity + 1);
    this.#isNull = new Uint8Array(capacity);
  }

  /** Add the sets of rows `[start, end)` of a table, by their codes. */
  add({ hashes, offsets }: AddressSets, codes: Int32Array, start: number, end: number): void {
    let at = this.#offsets[this.#rows]!;
    for (let row = start; row < end; row++) {
      const code = codes[row]!;
      const last = code < 0 ? 0 : offsets[code + 1]!;
      let from = code < 0 ? 0 : offsets[code]!;
      this.#reserve(at + last - from);
      const values = this.#values;
      while (from < last) values[at++] = hashes[from++]!;
      this.#isNull[this.#rows++] = Number(code < 0);
      this.#offsets[this.#rows] = at;
    }
  }

  /** Unite the set of the last row with another; one that is not known makes it unknown. */
  unite(last: number, { hashes, offsets }: AddressSets, code: number): void {
    const at = this.#offsets[last]!;
    if (this.#isNull[last] === 1 || code < 0) {
      this.#isNull[last] = 1;
      this.#offsets[last + 1] = at;
      return;
    }
    let i = at;
    const endA = this.#offsets[last + 1]!;
    let j = offsets[code]!;
    const endB = offsets[code + 1]!;
    let size = 0;
    while (size < SET_MAX && (i < endA || j < endB)) {
      const left = i < endA ? this.#values[i]! : Infinity;
      const right = j < endB ? hashes[j]! : Infinity;
      this.#scratch[size++] = Math.min(left, right);
      if (left <= right) i++;
      if (right <= left) j++;
    }
    this.#reserve(at + size);
    this.#values.set(this.#scratch.subarray(0, size), at);
    this.#offsets[last + 1] = at + size;
  }

  view(rows: number) {
    const values = this.#values.subarray(0, this.#offsets[rows]!);
    return { values, offsets: this.#offsets.subarray(0, rows + 1), isNull: this.#isNull.subarray(0, rows) };
  }

  /** Let the first rows go. */
  drop(rows: number): void {
    const first = this.#offsets[rows]!;
    const end = this.#offsets[this.#rows]!;
    this.#values.copyWithin(0, first, end);
    for (let row = rows; row <= this.#rows; row++) this.#offsets[row - rows] = this.#offsets[row]! - first;
    this.#isNull.copyWithin(0, rows, this.#rows);
    this.#rows -= rows;
  }

  #reserve(elements: number): void {
    if (elements > this.#values.length) this.#values = widened(this.#values, elements);
  }
}
