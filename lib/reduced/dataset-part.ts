/**
 * A file of a dataset: rows of one kind in one month, in the order of a reduced table, with no column that the kind has not,
 * texts of its own, and the day of the month in place of a date: half of what the same rows take in a reduced table of the
 * version before, in types that every reader of Arrow knows.
 *
 * Tested in `test/lib/reduced/dataset.test.ts`.
 */
import { ArrowFile } from "../columns/arrow-file.ts";
import type { ColumnMemory } from "../columns/arrow-reader.ts";
import { type ColumnShape, type IpcBatch, type ListColumn, toIpc } from "../columns/arrow-ipc.ts";
import { type Texts, toTexts } from "../columns/dictionary.ts";
import { pickTexts, recodeInPlace } from "../columns/pick-texts.ts";
import { quoteForMessage } from "../text/text.ts";
import { type DatasetPart, daysOfMonth, placeOfPart } from "./dataset-manifest.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_SPECS, KINDS, NUMBER_KEY_SPECS } from "./kinds.ts";
import type { Recodes } from "./merge-sorted.ts";
import { ADDRESSES } from "./checked-rows.ts";
import { REDUCED_BATCH_ROWS, UINT32_MAX, type WrittenBatch } from "./reduced-arrow.ts";
import type { RowBatch } from "./sorted-table.ts";
import type { CodedColumn } from "./reduced-builder.ts";
import { joinTables, type KindTable, mapColumns, sliceRows } from "./reduced-table.ts";

/** Most rows of a part, so that who makes one holds no more; of a kind in a month there may be several. */
export const PART_ROWS = 1 << 18;
/** In the metadata: which kind and month. */
const PART_KEY = "cowrie.part";

/** Rows of a kind in a month on their way into a part. */
export class PartRows {
  readonly kind: Kind;
  readonly month: string;
  rows = 0;
  readonly #tables: KindTable[] = [];
  readonly #lists: ListColumn[] = [];

  constructor(kind: Kind, month: string) {
    this.kind = kind;
    this.month = month;
  }

  /** Add rows `[start, end)` of a batch, copied. */
  add({ table, addresses }: WrittenBatch, start: number, end: number): void {
    this.rows += end - start;
    this.#tables.push(mapColumns(sliceRows({ ...table, addresses: null }, start, end), column => column.slice() as typeof column));
    if (KIND_SPECS[this.kind].hasAddresses) this.#lists.push(sliceLists(addresses, start, end));
  }

  /** The bytes of the part: the same rows give the same. */
  toBytes(texts: Record<CodedColumn, Texts>): Buffer<ArrayBuffer> {
    const { kind, month, rows } = this;
    const table = { ...joinTables(kind, this.#tables), rows };
    const lists = KIND_SPECS[kind].hasAddresses ? joinLists(this.#lists) : undefined;
    const countType = table.count.some(count => count > UINT32_MAX) ? "int64" : "uint32";
    const [firstDay] = daysOfMonth(month);
    const columns: [ColumnShape, Int32Array | Float64Array][] = [
      [{ name: "day", type: "uint8", nullable: false }, table.day.map(day => day - firstDay + 1)],
      toCoded("sensor", table.sensor, texts.sensor, kind === "scan"),
      ...KINDS[kind].map((name: KeyColumn): [ColumnShape, Int32Array] =>
        isTextKey(name)
          ? toCoded(name, table.keys[name]!, texts[name], true)
          : [{ name, type: NUMBER_KEY_SPECS[name].type, nullable: true }, table.keys[name]!],
      ),
      [{ name: "count", type: countType, nullable: false }, table.count],
      ...(hasSuccess(kind) ? [[{ name: "success", type: countType, nullable: false }, table.success] as [ColumnShape, Float64Array]] : []),
      [{ name: "first_seen", type: "timestamp", nullable: false }, table.firstSeenUs],
      [{ name: "last_seen", type: "timestamp", nullable: false }, table.lastSeenUs],
    ];
    function* batches() {
      for (let start = 0; start < rows; start += REDUCED_BATCH_ROWS) {
        const end = Math.min(start + REDUCED_BATCH_ROWS, rows);
        const plain = columns.map(([, values]) => values.subarray(start, end));
        yield { rows: end - start, columns: lists === undefined ? plain : [...plain, sliceLists(lists, start, end)] };
      }
    }
    const shapes = columns.map(([shape]) => shape);
    if (lists !== undefined) shapes.push({ name: ADDRESSES, type: "list", nullable: true });
    return Buffer.concat([...toIpc("file", shapes, batches(), new Map([[PART_KEY, JSON.stringify({ kind, month })]]))]);
  }
}

/** Only of logins it is told how many succeeded. */
function hasSuccess(kind: Kind): boolean {
  return kind === "login";
}

/** A column with those of the texts alone that occur in it, in the same order. */
function toCoded(name: CodedColumn, codes: Int32Array, texts: Texts, nullable: boolean): [ColumnShape, Int32Array] {
  const own = new Int32Array(texts.size);
  for (let row = 0; row < codes.length; row++) if (codes[row]! >= 0) own[codes[row]!] = 1;
  const used = new Int32Array(texts.size);
  let size = 0;
  for (let code = 0; code < own.length; code++) {
    if (own[code] === 0) continue;
    used[size] = code;
    own[code] = size++;
  }
  recodeInPlace(codes, own);
  return [{ name, texts: pickTexts(texts, used.subarray(0, size)), nullable }, codes];
}

function sliceLists(lists: ListColumn | undefined, start: number, end: number): ListColumn {
  if (lists === undefined) return { values: new Uint32Array(0), offsets: new Int32Array(end - start + 1), isNull: new Uint8Array(end - start).fill(1) };
  const first = lists.offsets[start]!;
  return {
    values: lists.values.slice(first, lists.offsets[end]!),
    offsets: lists.offsets.slice(start, end + 1).map(offset => offset - first),
    isNull: lists.isNull.slice(start, end),
  };
}

function joinLists(lists: readonly ListColumn[]): ListColumn {
  const rows = lists.reduce((sum, { isNull }) => sum + isNull.length, 0);
  const joined = {
    values: new Uint32Array(lists.reduce((sum, { values }) => sum + values.length, 0)),
    offsets: new Int32Array(rows + 1),
    isNull: new Uint8Array(rows),
  };
  let at = 0;
  let first = 0;
  for (const { values, offsets, isNull } of lists) {
    joined.values.set(values, first);
    joined.offsets.set(offsets.map(offset => offset + first), at);
    joined.isNull.set(isNull, at);
    at += isNull.length;
    first += values.length;
  }
  joined.offsets[rows] = first;
  return joined;
}

/** As `ArrowFile.batch`. */
export interface HowToRead {
  readonly isLazy: boolean;
  readonly memory: ColumnMemory | undefined;
}

/** A part that is read, one that the manifest says there is. */
export class PartFile implements Disposable {
  readonly #part: DatasetPart;
  readonly #file: ArrowFile;

  /** @throws {Error} if it is not what the manifest says. */
  constructor(folder: string, part: DatasetPart) {
    const path = placeOfPart(folder, part);
    const file = ArrowFile.open(path);
    const problem = file === undefined ? "it is no Arrow file" : problemOf(file, part);
    if (problem !== undefined) {
      file?.close();
      throw new Error(`Cannot read ${quoteForMessage(path)}: ${problem}`);
    }
    this.#part = part;
    this.#file = file!;
  }

  /** Texts of one of its columns; of others none. */
  textsOf(name: CodedColumn): Texts {
    return this.#file.texts(name) ?? toTexts([]);
  }

  /**
   * Its batches as those of a reduced table.
   *
   * @param recodes Codes in the whole dataset by those of the part.
   */
  *batches(recodes: Recodes, { isLazy, memory }: HowToRead): Generator<RowBatch> {
    for (let at = 0; at < this.#file.size; at++) yield inWhole(this.#file.batch(at, isLazy, memory), this.#part, recodes);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Whether parts of a kind have a column. */
export function hasColumn(kind: Kind, name: CodedColumn): boolean {
  return name === "sensor" || KINDS[kind].some(key => key === name);
}

/** What is wrong with a part, without a look at its rows. */
function problemOf(file: ArrowFile, { kind, month, rows }: DatasetPart): string | undefined {
  if (file.metadata.get(PART_KEY) !== JSON.stringify({ kind, month })) return `it does not say that it is of ${kind} in ${month}, expected a part of the dataset`;
  const wanted = ["day", "sensor", ...KINDS[kind], "count", "first_seen", "last_seen", ...(hasSuccess(kind) ? ["success"] : []), ...(KIND_SPECS[kind].hasAddresses ? [ADDRESSES] : [])];
  const missing = wanted.filter(name => !file.names.includes(name));
  if (missing.length > 0) return `it lacks the columns ${missing.join(", ")}`;
  const untold = ["sensor", ...KINDS[kind].filter(isTextKey)].filter(name => !file.hasTexts(name));
  if (untold.length > 0) return `no text is in the columns ${untold.join(", ")}`;
  let held = 0;
  for (let at = 0; at < file.size; at++) held += file.rows(at);
  return held === rows ? undefined : `it has ${held} rows, expected ${rows} as the manifest says`;
}

/** A batch in the codes and days of the whole dataset. */
function inWhole(batch: IpcBatch, { kind, month }: DatasetPart, recodes: Recodes): RowBatch {
  const { rows } = batch;
  const make = (name: string): Int32Array | Float64Array | undefined => {
    if (name === "kind") return new Int32Array(rows);
    if (name === "success" && !hasSuccess(kind)) return new Float64Array(rows);
    if (name === "day") return toDays(batch.wholes(name)!, month);
    const values = batch.column(name);
    if (name in recodes) recodes[name as CodedColumn].translate(values as Int32Array, values as Int32Array);
    return values;
  };
  const made = new Map<string, ReturnType<typeof make>>();
  const column = (name: string) => {
    if (!made.has(name)) made.set(name, make(name));
    return made.get(name);
  };
  return {
    rows,
    column,
    wholes: name => (name === "day" ? (column(name) as Int32Array) : batch.wholes(name)),
    lists: name => batch.lists(name),
    // Of a reduced table: what stands for the columns that a part lacks is made above.
    form: name => (name === "day" ? "int32" : name === "success" && !hasSuccess(kind) ? "uint32" : batch.form(name)),
  };
}

/** Days since 1970-01-01 UTC in place of days of a month. */
function toDays(days: Int32Array, month: string): Int32Array {
  const [first, last] = daysOfMonth(month);
  for (let row = 0; row < days.length; row++) {
    const day = days[row]!;
    if (day < 1 || first + day - 1 > last) throw new RangeError(`a part of a dataset with damaged rows: ${month} has no day ${day}`);
    days[row] = first + day - 1;
  }
  return days;
}
