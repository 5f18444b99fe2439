/**
 * The reduced table as Arrow IPC, file or stream: one row per day, sensor, kind and key.
 */
import { type AddressSets, SetDictionary } from "../columns/address-sets.ts";
import { type ColumnShape, inChunks, type IpcFormat, type ListColumn, type NumberType, openIpc, toIpc } from "../columns/arrow-ipc.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import { allTexts, type Texts, toTexts } from "../columns/dictionary.ts";
import { ADDRESSES, checkSets, splitKinds } from "./checked-rows.ts";
import { KIND_NAMES, NUMBER_KEY_SPECS, NUMBER_KEYS, REDUCED_VERSION, TEXT_KEYS, VERSION_WITHOUT_ADDRESSES } from "./kinds.ts";
import { CODED_COLUMNS, type CodedColumn, type ReducedRows } from "./reduced-builder.ts";
import { type KindTable, type ReducedInfo, type ReducedTable, sliceRows } from "./reduced-table.ts";
import { pause } from "../process/pause.ts";
import { checkReducedInfo, parseInfo } from "../events/table-metadata.ts";
import { visible } from "../text/text.ts";

const INFO_KEY = "cowrie.reduced";

export const UINT32_MAX = 0xffff_ffff;

/** Rows per record batch: so few that a hundred tables can be open side by side, a batch of each in memory. */
export const REDUCED_BATCH_ROWS = 1 << 13;
/** Says in the metadata in which order the rows stand: whoever merges need not sort. */
export const ORDER_KEY = "cowrie.order";
export const ORDER = "kind,day,sensor,key";

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
 * @param isPassing Whether a chunk is good until the next but one is asked for, and no longer.
 */
export function* batchesToIpc(
  { info, texts }: { readonly info: ReducedInfo; readonly texts: Readonly<Record<CodedColumn, Texts>> },
  isLarge: boolean,
  batches: Iterable<WrittenBatch>,
  format: IpcFormat = "file",
  isPassing = false,
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
  const memory = new ColumnMemory();
  function* columns() {
    for (const { table, addresses } of batches) {
      const { kind, rows, day, sensor, keys, count, success, firstSeenUs, lastSeenUs } = table;
      // A sum must not wrap, whatever the tables said of their logs.
      if (!isLarge && isBeyond(count, UINT32_MAX)) throw new RangeError(`more events of kind ${kind} than the logs of the tables hold`);
      const code = { nulls: 0, validity: NO_BYTES, values: memory.bytes("kind", rows).fill(KIND_NAMES.indexOf(kind)) };
      const keyColumns = [...TEXT_KEYS, ...NUMBER_KEYS].map(name => keys[name]);
      yield { rows, columns: [day, sensor, code, ...keyColumns, count, success, firstSeenUs, lastSeenUs, addresses] };
    }
  }
  const metadata = new Map([[INFO_KEY, JSON.stringify(info)], [ORDER_KEY, ORDER]]);
  yield* inChunks(toIpc(format, shapes, columns(), metadata, memory), isPassing);
}

const NO_BYTES = new Uint8Array(0);

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

/**
 * What the metadata say of a reduced table.
 *
 * @throws {TypeError} if it is none, one of another version, or one that lacks a column.
 */
export function readInfo(metadata: ReadonlyMap<string, string>, names: readonly string[]): ReducedInfo {
  const json = metadata.get(INFO_KEY);
  if (json === undefined && metadata.has("cowrie.events")) throw new TypeError("not a reduced table: it is an event table");
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
  const found = new Map([...CODED_COLUMNS, "kind"].map(name => [name, textsOf(name)]));
  requireTexts(name => found.get(name) !== undefined);
  return Object.fromEntries(CODED_COLUMNS.map(name => [name, found.get(name)!])) as Record<CodedColumn, Texts>;
}

/** @throws {TypeError} if a column that has texts in every table with rows has none. */
export function requireTexts(hasTexts: (name: string) => boolean): void {
  const untold = [...CODED_COLUMNS, "kind"].filter(name => !hasTexts(name));
  if (untold.length > 0) throw new TypeError(`a reduced table with no text in the columns ${untold.join(", ")}`);
}

export function listsOf(lists: (name: string) => ListColumn | undefined): ListColumn {
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
