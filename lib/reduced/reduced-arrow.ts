/**
 * The reduced table as Arrow IPC, file or stream: one row per day, sensor, kind and key.
 */
import { type AddressSets, SET_MAX, SetDictionary } from "../columns/address-sets.ts";
import { type ColumnShape, inChunks, type IpcFormat, type ListColumn, type NumberType, openIpc, toIpc } from "../columns/arrow-ipc.ts";
import { Dictionary, type Texts, textOf } from "../columns/dictionary.ts";
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
import { type KindTable, type ReducedInfo, type ReducedTable, unknownAddresses } from "./reduced-table.ts";
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
const UINT32_MAX = 0xffff_ffff;

/** Least and greatest value of a column, both included. */
type Range = readonly [least: number, greatest: number];

const DAYS: Range = [Math.ceil(EARLIEST_US / DAY_US), Math.floor(LATEST_US / DAY_US)];
const COUNTS: Range = [0, EVENTS_MAX];
const INSTANTS: Range = [EARLIEST_US, LATEST_US];
const CODES: Range = [0, INT32_MAX];

/** Rows per record batch. */
const BATCH_ROWS = 1 << 16;

/** Arrow IPC bytes of a reduced table, in chunks of about 1 MiB; equal tables give equal bytes. */
export function* reducedToIpc(table: ReducedTable, format: IpcFormat = "file"): Generator<Uint8Array> {
  const shapes: ColumnShape[] = [
    { name: "day", type: "date", nullable: false },
    { name: "sensor", texts: toTexts(table.dictionaries.sensor), nullable: false },
    { name: "kind", texts: toTexts(KIND_NAMES), nullable: false },
    ...TEXT_KEYS.map(name => ({ name, texts: toTexts(table.dictionaries[name]), nullable: true })),
    ...NUMBER_KEYS.map(name => ({ name, type: NUMBER_KEY_SPECS[name].type, nullable: true })),
    { name: "count", type: countType(table), nullable: false },
    { name: "success", type: countType(table), nullable: false },
    { name: "first_seen", type: "timestamp", nullable: false },
    { name: "last_seen", type: "timestamp", nullable: false },
    { name: ADDRESSES, type: "list", nullable: true },
  ];
  function* batches() {
    for (const [code, kind] of KIND_NAMES.entries()) {
      const rows = table.kinds[kind];
      for (let start = 0; start < rows.rows; start += BATCH_ROWS) {
        const end = Math.min(start + BATCH_ROWS, rows.rows);
        const columns = [
          rows.day.subarray(start, end),
          rows.sensor.subarray(start, end),
          new Int32Array(end - start).fill(code),
          ...[...TEXT_KEYS, ...NUMBER_KEYS].map(name => rows.keys[name]?.subarray(start, end)),
          rows.count.subarray(start, end),
          rows.success.subarray(start, end),
          rows.firstSeenUs.subarray(start, end),
          rows.lastSeenUs.subarray(start, end),
          rows.addresses === null ? undefined : setsToLists(table.sets, rows.addresses.subarray(start, end)),
        ];
        yield { rows: end - start, columns };
      }
    }
  }
  yield* inChunks(toIpc(format, shapes, batches(), new Map([[INFO_KEY, JSON.stringify(table.info)]])));
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

/** Wider where tables were added up whose counts together are more than any log holds: a sum never wraps. */
function countType({ kinds }: ReducedTable): NumberType {
  return KIND_NAMES.some(kind => kinds[kind].count.some(count => count > UINT32_MAX)) ? "int64" : "uint32";
}

/** Of each row the addresses that its events came from, see `address-sets.ts`; null = unknown, or told by the key. */
const ADDRESSES = "addresses";

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
export interface StoredReduced {
  readonly info: ReducedInfo;
  /** Its rows, batch by batch. */
  readonly parts: readonly ReducedRows[];
}

/**
 * Read a reduced table.
 *
 * @throws {TypeError} if the Arrow data are no reduced table, or one of another version.
 * @throws {RangeError} if they are damaged, or a row says what no row can.
 */
export async function readReducedArrow(source: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<StoredReduced> {
  const ipc = await openIpc(source);
  try {
    const json = ipc.metadata.get(INFO_KEY);
    if (json === undefined) throw new TypeError("not a reduced table: its schema has no such metadata");
    const info = parseInfo(json, "a reduced table");
    if (info.version !== REDUCED_VERSION && info.version !== VERSION_WITHOUT_ADDRESSES) {
      throw new TypeError(`a reduced table of version ${visible(String(info.version))}: expected ${REDUCED_VERSION}`);
    }
    checkReducedInfo(info);
    const parts: ReducedRows[] = [];
    const hasAddresses = info.version !== VERSION_WITHOUT_ADDRESSES;
    const missing = [...COLUMNS, ...(hasAddresses ? [ADDRESSES] : [])].filter(name => !ipc.names.includes(name));
    if (missing.length > 0) throw new TypeError(`a reduced table without the columns ${missing.join(", ")}`);
    const sets = new SetDictionary();
    for await (const { rows, column, lists } of ipc.batches()) {
      if (rows === 0) continue;
      const addresses = hasAddresses ? lists(ADDRESSES) : undefined;
      if (hasAddresses && addresses === undefined) throw new TypeError(`a reduced table with no lists in the column ${ADDRESSES}`);
      const untold = [...CODED_COLUMNS, "kind"].filter(name => ipc.texts(name) === undefined);
      if (untold.length > 0) throw new TypeError(`a reduced table with no text in the columns ${untold.join(", ")}`);
      const texts = Object.fromEntries(CODED_COLUMNS.map(name => [name, ipc.texts(name)!])) as Record<CodedColumn, Texts>;
      const codes = addresses && internLists(addresses, sets);
      parts.push({ texts, sets, kinds: splitKinds(column, ipc.texts("kind")!, sets, codes) });
      await pause();
    }
    return { info, parts };
  } finally {
    await ipc.close();
  }
}

/** Rows of a table in memory, ready to be added up with others. */
export function toReducedRows(table: ReducedTable): ReducedRows {
  const texts = Object.fromEntries(CODED_COLUMNS.map(name => [name, toTexts(table.dictionaries[name])]));
  return { texts: texts as Record<CodedColumn, Texts>, sets: table.sets, kinds: table.kinds };
}

/**
 * Codes of the sets that were read.
 *
 * @throws {RangeError} if a list is no set.
 */
function internLists({ values, offsets, isNull }: ListColumn, sets: SetDictionary): Int32Array {
  const codes = new Int32Array(isNull.length).fill(-1);
  for (let row = 0; row < codes.length; row++) {
    const [start, end] = [offsets[row]!, offsets[row + 1]!];
    if (isNull[row] === 1) continue;
    let isSet = end - start <= SET_MAX;
    for (let i = start + 1; isSet && i < end; i++) isSet = values[i - 1]! < values[i]!;
    if (!isSet) throw new RangeError(`a reduced table with damaged rows: no ${ADDRESSES} are those of row ${row}`);
    codes[row] = sets.intern(values, start, end);
  }
  return codes;
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
  kindTexts: Texts,
  sets: AddressSets,
  setCodes: Int32Array | undefined,
): Partial<Record<Kind, KindTable>> {
  const codes = column("kind") as Int32Array;
  const rowsOf = new Map<Kind, number[]>();
  const kindOf = Array.from({ length: kindTexts.size }, (_, code) => textOf(kindTexts, code) as Kind);
  for (let row = 0; row < codes.length; row++) {
    const kind = kindOf[codes[row]!]!;
    const rows = rowsOf.get(kind);
    if (rows === undefined) rowsOf.set(kind, [row]);
    else rows.push(row);
  }
  const kinds: Partial<Record<Kind, KindTable>> = {};
  for (const [kind, list] of rowsOf) {
    if (!KIND_NAMES.includes(kind)) throw new TypeError(`a reduced table with rows of unknown kind ${quoteForMessage(String(kind))}`);
    const rows = Int32Array.from(list);
    const numbers = (name: string, range: Range) => {
      const values = take(column(name)!, rows);
      checkNumbers(kind, name, values, range);
      return values;
    };
    const number = (name: string, range: Range) => Float64Array.from(numbers(name, range));
    // A null, NaN or -1, is -1.
    const whole = (name: string, range: Range, isNullable: boolean) => {
      const values = take(column(name)!, rows);
      checkNumbers(kind, name, isNullable ? values.filter(value => value === value && value !== -1) : values, range);
      return Int32Array.from(values, value => (value === value ? value : -1));
    };
    const table: KindTable = {
      kind,
      rows: rows.length,
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
          ? unknownAddresses(kind, rows.length)
          : take(setCodes, rows),
      firstSeenUs: number("first_seen", INSTANTS),
      lastSeenUs: number("last_seen", INSTANTS),
    };
    checkRows(table, sets);
    kinds[kind] = table;
  }
  return kinds;
}

/**
 * Numbers that nobody can have counted would make calendars of a million years, sums that are no numbers, and loops that
 * never end.
 *
 * @throws {RangeError} naming the first that is no whole number of its range.
 */
function checkNumbers(kind: Kind, name: string, values: Int32Array | Float64Array, [least, greatest]: Range): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    // False for NaN.
    if (value >= least && value <= greatest && Math.floor(value) === value) continue;
    throw new RangeError(`a reduced table with damaged rows: no ${kind} has the ${name} ${value}`);
  }
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
