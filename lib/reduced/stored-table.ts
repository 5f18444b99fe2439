/**
 * A reduced table that stays in its file: a batch of it in memory at a time, and of that no more than the columns asked for.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { ColumnMemory } from "../columns/arrow-reader.ts";
import { allTexts, type Texts } from "../columns/dictionary.ts";
import type { Kind } from "./kinds.ts";
import { openStored } from "./dataset.ts";
import type { LazyBatch, Stretch, StoredRows } from "./sorted-table.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { type KindTable, type ReducedInfo, type ReducedTable, takeRows } from "./reduced-table.ts";

/** Days since 1970-01-01 UTC, both included. */
export interface StoredDays {
  readonly first: number;
  readonly last: number;
}

export interface StoredSelection {
  /** Names as they stand in the table; undefined = all. */
  readonly sensors?: readonly string[];
  /** Undefined = all. Events stay in any case, as in `selectTable`. */
  readonly kinds?: readonly Kind[];
  readonly days?: StoredDays;
}

const ALL_DAYS: StoredDays = { first: -Infinity, last: Infinity };

type StoredTexts = Pick<StoredTable, "dictionaries" | "textsOf">;

export class StoredTable implements Disposable {
  readonly info: ReducedInfo;
  /** All texts of a column as strings once anybody asks for them: some 50 bytes each beside its own, see `textsOf`. */
  readonly dictionaries: ReducedTable["dictionaries"];
  /** The texts of a column as they lie in the file: for whoever wants a few of millions. */
  readonly textsOf: (name: Exclude<CodedColumn, "sensor">) => Texts;
  readonly #file: StoredRows;
  readonly #texts: StoredTexts;
  readonly #kinds: ReadonlySet<Kind> | undefined;
  readonly #days: StoredDays;
  /** `#sensors[code in the file]` = code here, -1 = left out. */
  readonly #sensors: Int32Array | undefined;

  private constructor(file: StoredRows, texts: StoredTexts, { sensors, kinds, days = ALL_DAYS }: StoredSelection = {}) {
    this.#file = file;
    this.#texts = texts;
    this.#days = days;
    this.#kinds = kinds && new Set([...kinds, "event"]);
    const { info } = file;
    this.info = sensors === undefined ? info : { ...info, parameters: { ...info.parameters, sensors: [...sensors].sort() } };
    this.dictionaries = texts.dictionaries;
    this.textsOf = texts.textsOf;
    if (sensors === undefined) return;
    const all = this.dictionaries.sensor;
    const kept = all.filter(name => sensors.includes(name));
    this.#sensors = Int32Array.from(all, name => kept.indexOf(name));
    this.dictionaries = withTexts(this.dictionaries, { sensor: kept });
  }

  /**
   * @returns undefined if it is neither a file of rows in order nor a dataset.
   * @throws {TypeError} if it is no reduced table.
   */
  static open(path: string): StoredTable | undefined {
    const file = openStored(path);
    return file && new StoredTable(file, readTextsOf(file));
  }

  /** A part of the table, in the same file. */
  select(selection: StoredSelection): StoredTable {
    return new StoredTable(this.#file, this.#texts, selection);
  }

  /** @throws {Error} if texts of any column are damaged, or a column has none. */
  checkTexts(): void {
    for (const name of CODED_COLUMNS) this.#file.textsOf(name);
  }

  /** Where the rows of a kind lie, and how many there are in each place, whatever is selected. */
  placesOf(kind: Kind): ReturnType<StoredRows["placesOf"]> {
    return this.#file.placesOf(kind);
  }

  /**
   * Rows of a kind, whatever is selected, each of them checked; a batch is good until the next.
   *
   * @throws {RangeError} if a row says what no row can.
   */
  *checkedParts(kind: Kind, stretch: Stretch): Generator<KindTable> {
    for (const { table } of this.#file.batches(kind, new ColumnMemory(), stretch)) yield table;
  }

  /** Rows of a kind in their order, from the first batch that may have one of these days. */
  *parts(kind: Kind, days: Partial<StoredDays> = {}, stretch?: Stretch): Generator<LazyBatch> {
    if (this.#kinds?.has(kind) === false) return;
    const first = Math.max(this.#days.first, days.first ?? -Infinity);
    const last = Math.min(this.#days.last, days.last ?? Infinity);
    // A verdict holds whenever it was given.
    const bounds = kind === "scan" ? ALL_DAYS : { first, last };
    for (const part of this.#file.lazyBatches(kind, bounds.first, stretch)) {
      const { rows, day } = part;
      if (rows === 0) continue;
      if (day[0]! > bounds.last) return;
      const isWithin = day[0]! >= bounds.first && day[rows - 1]! <= bounds.last;
      if (isWithin && this.#sensors === undefined) yield part;
      else yield* this.#pick(part, bounds);
    }
  }

  /** Whether the file lies open is settled by who opened it, not by a selection. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  *#pick(part: LazyBatch, { first, last }: StoredDays): Generator<LazyBatch> {
    const { rows, day, sensor, sets } = part;
    const wanted: number[] = [];
    for (let row = 0; row < rows; row++) {
      if (day[row]! < first || day[row]! > last) continue;
      if (this.#sensors === undefined || (sensor[row]! >= 0 && this.#sensors[sensor[row]!]! >= 0)) wanted.push(row);
    }
    if (wanted.length === 0) return;
    const taken = takeRows(part, Int32Array.from(wanted));
    const codes = this.#sensors;
    yield { ...taken, sensor: codes === undefined ? taken.sensor : taken.sensor.map(code => (code < 0 ? -1 : codes[code]!)), sets };
  }
}

/** Each column is read once, when it is first asked for. */
function readTextsOf(file: StoredRows): StoredTexts {
  const arenas = new Map<CodedColumn, Texts>();
  const textsOf = (name: CodedColumn) => {
    const texts = arenas.get(name) ?? file.textsOf(name);
    arenas.set(name, texts);
    return texts;
  };
  const dictionaries = {} as ReducedTable["dictionaries"];
  for (const name of CODED_COLUMNS) {
    let strings: readonly string[] | undefined;
    Object.defineProperty(dictionaries, name, { get: () => (strings ??= allTexts(arenas.get(name) ?? file.textsOf(name))), enumerable: true });
  }
  return { dictionaries, textsOf };
}

/** The same dictionaries with some columns of others; a spread would read those of all columns. */
export function withTexts(dictionaries: ReducedTable["dictionaries"], others: Partial<ReducedTable["dictionaries"]>): ReducedTable["dictionaries"] {
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(dictionaries), ...Object.getOwnPropertyDescriptors(others) }) as ReducedTable["dictionaries"];
}
