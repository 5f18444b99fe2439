/**
 * The reduced table as Arrow IPC, file or stream: one row per day, sensor, kind and key.
 */
import { type AddressSets, NO_SETS, SET_MAX, SetDictionary } from "../columns/address-sets.ts";
import { ArrowFile } from "../columns/arrow-file.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import { type ColumnShape, inChunks, type IpcBatch, type IpcFormat, type ListColumn, type NumberType, openIpc, toIpc } from "../columns/arrow-ipc.ts";
import { allTexts, Dictionary, type Texts } from "../columns/dictionary.ts";
import { take } from "../columns/group.ts";
import {
  INT32_MAX,
  isTextKey,
  type KeyColumn,
  type Kind,
  KIND_NAMES,
  KIND_SPECS,
  KINDS,
  NUMBER_KEY_SPECS,
  NUMBER_KEYS,
  REDUCED_VERSION,
  TEXT_KEYS,
  VERSION_WITHOUT_ADDRESSES,
} from "./kinds.ts";
import { CODED_COLUMNS, type CodedColumn, type ReducedRows } from "./reduced-builder.ts";
import { isEmpty, type KindTable, type ReducedInfo, type ReducedTable, sliceRows, unknownAddresses } from "./reduced-table.ts";
import { pause } from "../process/pause.ts";
import { checkReducedInfo, parseInfo } from "../events/table-metadata.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import { DAY_US, EARLIEST_US, LATEST_US } from "../text/time.ts";

const INFO_KEY = "cowrie.reduced";

/**
 * Most events of a kind that a table may count: no honeypot has seen so many, and a thousand such tables still add up
 * to numbers that are exact.
 */
const EVENTS_MAX = 2 ** 43;
export const UINT32_MAX = 0xffff_ffff;

/** Least and greatest value of a column, both included. */
type Range = readonly [least: number, greatest: number];

const DAYS: Range = [Math.ceil(EARLIEST_US / DAY_US), Math.floor(LATEST_US / DAY_US)];
const COUNTS: Range = [0, EVENTS_MAX];
const INSTANTS: Range = [EARLIEST_US, LATEST_US];
const CODES: Range = [0, INT32_MAX];

/** Rows per record batch: so few that a hundred tables can be open side by side, a batch of each in memory. */
export const REDUCED_BATCH_ROWS = 1 << 13;
/** Rows read of one file after which memory is swept. */
const ROWS_PER_SWEEP = 1 << 23;
/** Says in the metadata in which order the rows stand: whoever merges need not sort. */
const ORDER_KEY = "cowrie.order";
const ORDER = "kind,day,sensor,key";

/** Some rows of one kind as they are written. */
export interface WrittenBatch {
  readonly table: KindTable;
  /** In place of `table.addresses`, whose sets nobody else knows. */
  readonly addresses: ListColumn | undefined;
}

/** Arrow IPC bytes of a reduced table, in chunks of about 1 MiB; equal tables give equal bytes. */
export function reducedToIpc(table: ReducedTable, format: IpcFormat = "file"): Generator<Uint8Array> {
  function* batches(): Generator<WrittenBatch> {
    for (const kind of KIND_NAMES) {
      const { rows } = table.kinds[kind];
      for (let start = 0; start < rows; start += REDUCED_BATCH_ROWS) {
        const part = sliceRows(table.kinds[kind], start, Math.min(start + REDUCED_BATCH_ROWS, rows));
        yield { table: part, addresses: part.addresses === null ? undefined : setsToLists(table.sets, part.addresses) };
      }
    }
  }
  const isLarge = KIND_NAMES.some(kind => table.kinds[kind].count.some(count => count > UINT32_MAX));
  return batchesToIpc({ info: table.info, texts: toReducedRows(table).texts }, isLarge, batches(), format);
}

/**
 * The same of rows that come batch by batch, kind by kind in order, {@link REDUCED_BATCH_ROWS} each but for the last of a kind.
 *
 * @param isLarge Whether a count is beyond 32 bits: where tables were added up whose counts together are more than any log
 * holds. So a sum never wraps.
 */
export function* batchesToIpc(
  { info, texts }: { readonly info: ReducedInfo; readonly texts: Readonly<Record<CodedColumn, Texts>> },
  isLarge: boolean,
  batches: Iterable<WrittenBatch>,
  format: IpcFormat = "file",
): Generator<Uint8Array> {
  const countType: NumberType = isLarge ? "int64" : "uint32";
  const shapes: ColumnShape[] = [
    { name: "day", type: "date", nullable: false },
    { name: "sensor", texts: texts.sensor, nullable: false },
    { name: "kind", texts: toTexts(KIND_NAMES), nullable: false },
    ...TEXT_KEYS.map(name => ({ name, texts: texts[name], nullable: true })),
    ...NUMBER_KEYS.map(name => ({ name, type: NUMBER_KEY_SPECS[name].type, nullable: true })),
    { name: "count", type: countType, nullable: false },
    { name: "success", type: countType, nullable: false },
    { name: "first_seen", type: "timestamp", nullable: false },
    { name: "last_seen", type: "timestamp", nullable: false },
    { name: ADDRESSES, type: "list", nullable: true },
  ];
  function* columns() {
    for (const { table, addresses } of batches) {
      const { kind, rows, day, sensor, keys, count, success, firstSeenUs, lastSeenUs } = table;
      // A sum must not wrap, whatever the tables said of their logs.
      if (!isLarge && isBeyond(count, UINT32_MAX)) throw new RangeError(`more events of kind ${kind} than the logs of the tables hold`);
      const code = new Int32Array(rows).fill(KIND_NAMES.indexOf(kind));
      const keyColumns = [...TEXT_KEYS, ...NUMBER_KEYS].map(name => keys[name]);
      yield { rows, columns: [day, sensor, code, ...keyColumns, count, success, firstSeenUs, lastSeenUs, addresses] };
    }
  }
  const metadata = new Map([[INFO_KEY, JSON.stringify(info)], [ORDER_KEY, ORDER]]);
  yield* inChunks(toIpc(format, shapes, columns(), metadata));
}

function isBeyond(counts: Float64Array, most: number): boolean {
  for (let row = 0; row < counts.length; row++) if (counts[row]! > most) return true;
  return false;
}

/** The sets of some rows as they are written. */
function setsToLists({ hashes, offsets }: AddressSets, codes: Int32Array): ListColumn {
  const lists = { offsets: new Int32Array(codes.length + 1), isNull: new Uint8Array(codes.length) };
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    lists.isNull[row] = Number(code < 0);
    lists.offsets[row + 1] = lists.offsets[row]! + (code < 0 ? 0 : offsets[code + 1]! - offsets[code]!);
  }
  const values = new Uint32Array(lists.offsets[codes.length]!);
  for (let row = 0; row < codes.length; row++) {
    const start = offsets[codes[row]!]!;
    const at = lists.offsets[row]!;
    for (let i = lists.offsets[row + 1]! - at - 1; i >= 0; i--) values[at + i] = hashes[start + i]!;
  }
  return { ...lists, values };
}

/** Of each row the addresses that its events came from, see `address-sets.ts`; null = unknown, or told by the key. */
export const ADDRESSES = "addresses";

/** The columns, every one of which every table has, but for {@link ADDRESSES}. */
const COLUMNS = [
  "day",
  "sensor",
  "kind",
  ...TEXT_KEYS,
  ...NUMBER_KEYS,
  "count",
  "success",
  "first_seen",
  "last_seen",
];

/** What a reduced Arrow file holds, ready to be added up. */
export type StoredReduced = Awaited<ReturnType<typeof readReducedArrow>>;

/**
 * Read a reduced table.
 *
 * @throws {TypeError} if the Arrow data are no reduced table, or one of another version.
 * @throws {RangeError} if they are damaged, or a row says what no row can.
 */
export async function readReducedArrow(source: string | Uint8Array | AsyncIterable<Uint8Array>) {
  const ipc = await openIpc(source);
  try {
    const info = readInfo(ipc.metadata, ipc.names);
    const hasAddresses = info.version !== VERSION_WITHOUT_ADDRESSES;
    const parts: ReducedRows[] = [];
    const sets = new SetDictionary();
    for await (const { rows, column, lists } of ipc.batches()) {
      if (rows === 0) continue;
      const addresses = hasAddresses ? listsOf(lists) : undefined;
      const texts = codedTexts(name => ipc.texts(name));
      const codes = addresses && internLists(addresses, sets);
      parts.push({ texts, sets, kinds: splitKinds(column, allTexts(ipc.texts("kind")!), sets, codes) });
      await pause();
    }
    return { info, parts };
  } finally {
    await ipc.close();
  }
}

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
  /** Texts of all columns with their codes in rising order; read anew each time. */
  texts(): Record<CodedColumn, Texts>;
  /** Whether it counts nothing, as `isEmpty` says of a table in memory. */
  isEmpty(): boolean;
  /**
   * @param memory What batch after batch may be read into, each good until the next; without it they are kept.
   * @throws {RangeError} if a row says what no row can.
   */
  batches(kind: Kind, memory?: ColumnMemory): Iterable<SortedBatch>;
  close(): void;
}

/** One in files, of which as little can be read as is asked for. */
export interface StoredRows extends SortedTable {
  /** Rows of all kinds. */
  readonly allRows: number;
  /** The batches of a kind as `batches`, for rows that were checked before; the first has rows of `firstDay` or later. A batch is good until the next. */
  lazyBatches(kind: Kind, firstDay: number): Iterable<LazyBatch>;
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
  #readRows = 0;

  constructor(name: string, file: ArrowFile) {
    this.name = name;
    this.info = readInfo(file.metadata, file.names);
    if (this.info.version === VERSION_WITHOUT_ADDRESSES) throw new TypeError("a reduced table whose metadata contradict each other");
    this.#file = file;
    this.#places = new Int8Array(file.size).fill(-1);
  }

  texts(): Record<CodedColumn, Texts> {
    if (this.#file.size === 0) return codedTexts(() => toTexts([]));
    return codedTexts(name => this.#file.texts(name));
  }

  isEmpty(): boolean {
    return this.#file.size === 0 || KIND_NAMES[this.#placeOf(0)] === "scan";
  }

  *batches(kind: Kind, memory?: ColumnMemory): Generator<SortedBatch> {
    const place = KIND_NAMES.indexOf(kind);
    for (this.#at = this.#firstFrom(place); this.#at < this.#file.size && this.#placeOf(this.#at) === place; this.#at++) {
      yield toSortedBatch(kind, this.#file.batch(this.#at, false, memory), this.#kinds!, memory);
    }
  }

  get allRows(): number {
    let rows = 0;
    for (let at = 0; at < this.#file.size; at++) rows += this.#file.rows(at);
    return rows;
  }

  *lazyBatches(kind: Kind, firstDay: number): Generator<LazyBatch> {
    const place = KIND_NAMES.indexOf(kind);
    let low = this.#firstFrom(place);
    let high = this.#firstFrom(place + 1);
    const end = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#file.batch(middle, true).wholes("day")!.at(-1)! < firstDay) low = middle + 1;
      else high = middle;
    }
    const memory = new ColumnMemory();
    for (let at = low; at < end; at++) {
      yield toLazyBatch(kind, this.#file.batch(at, true, memory), memory);
      // Left to itself the engine lets many times as much lie about as is in use.
      this.#readRows += this.#file.rows(at);
      if (this.#readRows < ROWS_PER_SWEEP) continue;
      this.#readRows = 0;
      Bun.gc(true);
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
export type RowBatch = Pick<IpcBatch, "rows" | "column" | "wholes" | "lists">;

/**
 * A batch, all of it of one kind, checked.
 *
 * @param kindTexts What the codes of its column `kind` stand for.
 */
export function toSortedBatch(kind: Kind, { rows, column, lists }: RowBatch, kindTexts: readonly string[], memory?: ColumnMemory): SortedBatch {
  const { hasAddresses } = KIND_SPECS[kind];
  const own = hasAddresses ? listsOf(lists) : undefined;
  if (own !== undefined) checkSets(own);
  // A row's set is the list in its place: nobody asks whether two are equal.
  // Copied where they are kept, as they lie within the bytes of all columns.
  const kept = <T extends Uint32Array | Int32Array>(column: T) => (memory === undefined ? (column.slice() as T) : column);
  const sets = own === undefined ? NO_SETS : { size: own.isNull.length, hashes: kept(own.values), offsets: kept(own.offsets) };
  const codes = own && listCodes(own, memory?.ints(ADDRESSES, rows));
  const table = splitKinds(column, kindTexts, sets, codes, memory)[kind];
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

/** What a table is that says its rows stand in order, and they do not. */
export function outOfOrder(): RangeError {
  return new RangeError("a reduced table with damaged rows: they do not stand in the order that it says they have");
}

/** A table in memory as one that comes in batches. */
export function toSorted(table: ReducedTable, name = ""): SortedTable {
  return {
    name,
    info: table.info,
    texts: () => toReducedRows(table).texts,
    isEmpty: () => isEmpty(table),
    batches: kind => (table.kinds[kind].rows === 0 ? [] : [{ table: table.kinds[kind], sets: table.sets }]),
    close: () => {},
  };
}

/**
 * What the metadata say of a reduced table.
 *
 * @throws {TypeError} if it is none, one of another version, or one that lacks a column.
 */
function readInfo(metadata: ReadonlyMap<string, string>, names: readonly string[]): ReducedInfo {
  const json = metadata.get(INFO_KEY);
  if (json === undefined) throw new TypeError("not a reduced table: its schema has no such metadata");
  const info = parseInfo(json, "a reduced table");
  if (info.version !== REDUCED_VERSION && info.version !== VERSION_WITHOUT_ADDRESSES) {
    throw new TypeError(`a reduced table of version ${visible(String(info.version))}: expected ${REDUCED_VERSION}`);
  }
  checkReducedInfo(info);
  const wanted = info.version === VERSION_WITHOUT_ADDRESSES ? COLUMNS : [...COLUMNS, ADDRESSES];
  const missing = wanted.filter(name => !names.includes(name));
  if (missing.length > 0) throw new TypeError(`a reduced table without the columns ${missing.join(", ")}`);
  return info;
}

/** The texts of all columns that have them, of a table with rows. */
function codedTexts(textsOf: (name: string) => Texts | undefined): Record<CodedColumn, Texts> {
  const untold = [...CODED_COLUMNS, "kind"].filter(name => textsOf(name) === undefined);
  if (untold.length > 0) throw new TypeError(`a reduced table with no text in the columns ${untold.join(", ")}`);
  return Object.fromEntries(CODED_COLUMNS.map(name => [name, textsOf(name)!])) as Record<CodedColumn, Texts>;
}

function listsOf(lists: (name: string) => ListColumn | undefined): ListColumn {
  const column = lists(ADDRESSES);
  if (column === undefined) throw new TypeError(`a reduced table with no lists in the column ${ADDRESSES}`);
  return column;
}

/** Rows of a table in memory, ready to be added up with others. */
export function toReducedRows(table: ReducedTable): ReducedRows {
  const texts = Object.fromEntries(CODED_COLUMNS.map(name => [name, toTexts(table.dictionaries[name])]));
  return { texts: texts as Record<CodedColumn, Texts>, sets: table.sets, kinds: table.kinds };
}

/** Codes of the sets that were read. */
function internLists(lists: ListColumn, sets: SetDictionary): Int32Array {
  checkSets(lists);
  const { values, offsets, isNull } = lists;
  return Int32Array.from(isNull, (flag, row) => (flag === 1 ? -1 : sets.intern(values, offsets[row]!, offsets[row + 1]!)));
}

/** @throws {RangeError} if a list is no set. */
function checkSets({ values, offsets, isNull }: ListColumn): void {
  for (let row = 0; row < isNull.length; row++) {
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    let isSet = end - start <= SET_MAX;
    for (let i = start + 1; isSet && i < end; i++) isSet = values[i - 1]! < values[i]!;
    if (!isSet) throw new RangeError(`a reduced table with damaged rows: no ${ADDRESSES} are those of row ${row}`);
  }
}

/** Texts in an arena, in the order given. */
export function toTexts(strings: readonly string[]): Texts {
  // One byte a character: then they are encoded all at once (measured: an eighth of the time).
  const size = strings.length;
  const offsets = new Int32Array(size + 1);
  for (let i = 0; i < size; i++) offsets[i + 1] = offsets[i]! + strings[i]!.length;
  const arena = new TextEncoder().encode(strings.join(""));
  if (arena.length === offsets[size]) return { size, arena, offsets };
  const dictionary = new Dictionary();
  for (const string of strings) dictionary.internText(string);
  return dictionary;
}

/** The rows of a batch, kind by kind. */
function splitKinds(
  column: (name: string) => Int32Array | Float64Array | undefined,
  kindTexts: readonly string[],
  sets: AddressSets,
  setCodes: Int32Array | undefined,
  memory?: ColumnMemory,
): Partial<Record<Kind, KindTable>> {
  const codes = column("kind") as Int32Array;
  const kinds: Partial<Record<Kind, KindTable>> = {};
  for (const [code, rows] of rowsByCode(codes)) {
    const kind = kindTexts[code] as Kind;
    if (!KIND_NAMES.includes(kind)) throw new TypeError(`a reduced table with rows of unknown kind ${quoteForMessage(String(kind))}`);
    const values = (name: string) => (rows === undefined ? column(name)! : take(column(name)!, rows));
    const number = (name: string, range: Range) => toNumbers(kind, name, values(name), range);
    const whole = (name: string, range: Range, isNullable: boolean) => toWholes(kind, name, values(name), range, isNullable, memory);
    const length = rows?.length ?? codes.length;
    const table: KindTable = {
      kind,
      rows: length,
      // The day before 1970, which a zone can lead to, is -1 and stands as a null.
      day: whole("day", DAYS, true),
      // A verdict counts whatever days and sensors were asked for: it may be of none of them.
      sensor: whole("sensor", CODES, kind === "scan"),
      keys: Object.fromEntries(
        KINDS[kind].map((name: KeyColumn) => [name, whole(name, isTextKey(name) ? CODES : [0, NUMBER_KEY_SPECS[name].most], true)]),
      ),
      count: number("count", COUNTS),
      success: number("success", COUNTS),
      addresses:
        setCodes === undefined || !KIND_SPECS[kind].hasAddresses
          ? unknownAddresses(kind, length)
          : rows === undefined ? setCodes : take(setCodes, rows),
      firstSeenUs: number("first_seen", INSTANTS),
      lastSeenUs: number("last_seen", INSTANTS),
    };
    checkRows(table, sets);
    kinds[kind] = table;
  }
  return kinds;
}

/** The rows of each code in their order; undefined = all of them, as in the batches that we write. */
function rowsByCode(codes: Int32Array): [code: number, rows: Int32Array | undefined][] {
  if (codes.length === 0) return [];
  let same = 1;
  while (same < codes.length && codes[same] === codes[0]) same++;
  if (same === codes.length) return [[codes[0]!, undefined]];
  return [...Map.groupBy(codes.keys(), row => codes[row]!)].map(([code, rows]) => [code, Int32Array.from(rows)]);
}

/**
 * Numbers that nobody can have counted would make calendars of a million years, sums that are no numbers, and loops that
 * never end.
 *
 * @throws {RangeError} naming the first that is no whole number of its range.
 */
function toNumbers(kind: Kind, name: string, values: Int32Array | Float64Array, range: Range): Float64Array {
  const numbers = values instanceof Float64Array ? values : new Float64Array(values);
  const [least, greatest] = range;
  for (let row = 0; row < numbers.length; row++) {
    const value = numbers[row]!;
    // False for NaN.
    if (!(value >= least && value <= greatest && Math.floor(value) === value)) throw noNumber(kind, name, value);
  }
  return numbers;
}

/**
 * The same of numbers that fit into 32 bits; a null, NaN or -1, is -1.
 *
 * @throws {RangeError} as {@link toNumbers}, or if there is a null where there must be none.
 */
function toWholes(kind: Kind, name: string, values: Int32Array | Float64Array, [least, greatest]: Range, isNullable: boolean, memory?: ColumnMemory): Int32Array {
  const wholes = values instanceof Int32Array ? values : (memory?.ints(name, values.length) ?? new Int32Array(values.length));
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    const isNull = value !== value || value === -1;
    if (!(isNull ? isNullable : value >= least && value <= greatest && Math.floor(value) === value)) throw noNumber(kind, name, value);
    wholes[row] = isNull ? -1 : value;
  }
  return wholes;
}

function noNumber(kind: Kind, name: string, value: number): RangeError {
  return new RangeError(`a reduced table with damaged rows: no ${kind} has the ${name} ${value}`);
}

/**
 * What no number alone tells.
 *
 * @throws {RangeError} if more succeeded than were, or came from more addresses; the last came before the first; or all
 * together are too many.
 */
function checkRows(table: KindTable, { offsets }: AddressSets): void {
  const { kind, rows, count, success, addresses, firstSeenUs, lastSeenUs } = table;
  const elements = (code: number) => (code < 0 ? 0 : offsets[code + 1]! - offsets[code]!);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    sum += count[row]!;
    const isSound = success[row]! <= count[row]! && firstSeenUs[row]! <= lastSeenUs[row]!;
    if (isSound && (addresses === null || elements(addresses[row]!) <= count[row]!)) continue;
    throw new RangeError(`a reduced table with damaged rows: no ${kind} can be row ${row}`);
  }
  if (sum > EVENTS_MAX) throw new RangeError(`a reduced table with damaged rows: no log holds ${sum} of ${kind}`);
}
