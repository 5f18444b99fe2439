/**
 * Slices of a table that is too large for one task: of some kinds of row those whose keys fall to a part of N, in memory. What
 * is told of passwords needs all rows of a password, what is told of networks all of a network: so a slice is read by columns
 * of its own, when it is looked at, and no more of the files than the columns that it is made of.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { allTexts, type Texts, toTexts } from "../columns/dictionary.ts";
import { sortedRows, take } from "../columns/group.ts";
import { pickTexts, recodeInPlace } from "../columns/pick-texts.ts";
import type { RisingCodes } from "../columns/rising-codes.ts";
import { sharedFloats, sharedInts } from "../columns/shared-arrays.ts";
import { hashTuple } from "../columns/tuple-numbers.ts";
import { pauseNowAndThen, takeWithPauses } from "../process/pause.ts";
import { type CellSums, CellSummer } from "./cell-sums.ts";
import type { SortedInput } from "./combine-sorted.ts";
import { settleInputs } from "./combine.ts";
import { RowGatherer } from "./gather-rows.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_NAMES, KINDS, TEXT_KEYS } from "./kinds.ts";
import { batchesOf, ofTable, type Recodes, uniteTexts } from "./merge-sorted.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import type { LazyBatch, SortedTable, StoredRows } from "./sorted-table.ts";
import { toReducedRows } from "./reduced-arrow.ts";
import { type CodedColumn, ReducedBuilder } from "./reduced-builder.ts";
import { joinTables, type KindTable, mapColumns, type ReducedInfo, type ReducedTable, type Shard, takeRows } from "./reduced-table.ts";
import { selectSorted } from "./select-sorted.ts";
import type { TableSelection } from "./select-table.ts";
import { NO_TEXT, type ShardColumn, textHash, wholeKey } from "./shards.ts";

export interface SliceRule {
  /**
   * By kind of row, what says to which slice one belongs: columns, or "key", all of its key, as in the shards of a table;
   * no column: all stand in the first slice.
   */
  readonly by: Partial<Readonly<Record<Kind, readonly ShardColumn[] | "key">>>;
  /** Of commands those alone whose text is wanted. */
  readonly only?: { readonly command: (input: string) => boolean };
  /** Kinds of which those rows alone are wanted whose source address never connected. */
  readonly unconnected?: readonly Kind[];
}

export interface SliceAsk {
  /** Those of the rule if not given. */
  readonly kinds?: readonly Kind[];
  /** Days since 1970-01-01; earlier rows are left out. */
  readonly firstDay?: number;
  /** Leave out when rows were seen first and last, and what succeeded. */
  readonly withoutTimes?: boolean;
  /** {@link SliceFiles.hashOf} of keys: others are left out, but for those that share a number with one of these. */
  readonly hashes?: ReadonlySet<number>;
}

/** Rows of a slice that are swept up before the next is read. */
const ROWS_SWEPT = 100_000;

/** One of the files, and what its codes are in the texts of all. */
interface SliceFile {
  readonly table: SortedTable;
  readonly recodes: Recodes;
}

/** A whole table, or all shards of one, of which slices are read. */
export class SliceFiles implements Disposable {
  /** Of the table as a whole. */
  readonly info: ReducedInfo;
  /** Names by code, in all slices. */
  readonly sensors: readonly string[];
  readonly #part: Shard;
  readonly #files: readonly SliceFile[];
  readonly #texts: Readonly<Record<CodedColumn, Texts>>;
  /** What is made of the texts of a column: numbers, by code. */
  readonly #hashes = new Map<CodedColumn, Map<ShardColumn["textOf"], Int32Array>>();
  #connected: Int32Array | undefined;
  /** In the last slice. */
  #rowsRead = 0;

  private constructor(info: ReducedInfo, part: Shard, texts: Readonly<Record<CodedColumn, Texts>>, files: readonly SliceFile[]) {
    this.info = info;
    this.#part = part;
    this.#texts = texts;
    this.#files = files;
    this.sensors = allTexts(texts.sensor);
  }

  /**
   * @param inputs A whole table, or all shards of one.
   * @param part What slices hold of it.
   * @param selection Sensors that are not there are told by whoever opens: {@link sensors}.
   * @throws {Error} if they are not, or hold cut counts.
   */
  static async open(inputs: readonly SortedInput[], part: Shard, onNotice: (line: string) => void, selection: TableSelection = {}): Promise<SliceFiles> {
    const { kept, parameters, sources, shard } = await settleInputs(inputs, onNotice);
    if (shard !== undefined) throw new Error(`Cannot work on shard ${shard.number} of ${shard.of} alone: expected all ${shard.of}`);
    if (kept.length !== (kept[0]!.info.shard?.of ?? 1)) throw new Error("Cannot work on a part of several tables: expected one, or all shards of one by combine-reduced.ts --shard");
    if (sources.some(({ cut }) => cut)) throw new Error("Cannot work on a part of counts that were cut: expected full counts");
    const opened: SortedTable[] = [];
    try {
      for (const input of kept) opened.push(selectSorted(input.open(), selection));
      const { texts, recodes } = await takeWithPauses(uniteTexts(opened.map(withoutBookkeeping)));
      const files = opened.map((table, i) => ({ table, recodes: recodes[i]! }));
      const { sensors } = opened[0]!.info.parameters;
      return new SliceFiles({ version: kept[0]!.info.version, parameters: { ...parameters, ...(selection.sensors && { sensors: sensors! }) }, sources }, part, texts, files);
    } catch (error) {
      for (const table of opened) table.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const { table } of this.#files) table.close();
  }

  /**
   * The sums of the whole table. On the way the rows of some files are checked, of all by all parts together.
   *
   * @throws {RangeError} if a row says what no row can.
   */
  async sum(): Promise<CellSums> {
    const { number, of } = this.#part;
    const cells: CellSums[] = [];
    for (const [at, { table, recodes }] of this.#files.entries()) {
      const summer = new CellSummer();
      const memory = new ColumnMemory();
      const isChecked = at % of === number - 1;
      for (const kind of KIND_NAMES) {
        if (isChecked) for (const batch of batchesOf(table, kind, memory)) summer.add(batch.table);
        else ofTable(table, () => lazyBatches(table, kind, -Infinity).forEach(batch => summer.add(batch)));
        await pauseNowAndThen();
      }
      const own = summer.finish({ info: this.info, dictionaries: { sensor: this.sensors } as unknown as ReducedTable["dictionaries"] });
      for (const kind of KIND_NAMES) recode(own.table.kinds[kind].sensor, recodes.sensor);
      cells.push(own);
    }
    return joinCells(cells);
  }

  /**
   * A number for a key: that of all its rows.
   *
   * @param values What the rule makes of the columns that it looks at.
   */
  hashOf({ by }: SliceRule, kind: Kind, values: readonly (string | number | null)[]): number {
    return values.reduce((hash: number, value) => hashTuple(hash, typeof value === "string" ? textHash(value) : (value ?? NO_TEXT), 0), startOf(kind, by[kind]!));
  }

  /** Read a slice; its texts are those alone that its rows have, its logs stay untold. `pre_disconnect_command` must be asked for alone. */
  read(rule: SliceRule, { kinds = KIND_NAMES, firstDay = -Infinity, withoutTimes = false, hashes }: SliceAsk = {}): ReducedTable {
    // Slices that were looked at: left to itself the engine lets several lie about.
    if (this.#rowsRead > ROWS_SWEPT) Bun.gc(true);
    this.#rowsRead = 0;
    const gatherer = new RowGatherer(withoutTimes);
    const own = kinds.filter(kind => rule.by[kind] !== undefined && (rule.by[kind].length > 0 || this.#part.number === 1));
    for (const file of this.#files) {
      ofTable(file.table, () => {
        for (const kind of own) this.#gather(gatherer, rule, kind, file, { firstDay, withoutTimes, ...(hashes && { hashes }) });
      });
    }
    const dictionaries = { sensor: this.sensors } as unknown as ReducedTable["dictionaries"];
    const table = this.#withOwnTexts(gatherer.finish({ info: { ...this.info, sources: [] }, dictionaries }), own);
    for (const kind of own) this.#rowsRead += table.kinds[kind].rows;
    if (this.#files.length === 1) return table;
    // What was made of sessions is added up as it was counted: none is in two shards, but what they did last is.
    if (own.includes("pre_disconnect_command")) return joinPicked([table], "pre_disconnect_command", table.info, this.sensors);
    return { ...table, kinds: { ...table.kinds, ...Object.fromEntries(own.map(kind => [kind, inOrder(table.kinds[kind])])) } };
  }

  #gather(gatherer: RowGatherer, rule: SliceRule, kind: Kind, { table, recodes }: SliceFile, { firstDay = -Infinity, withoutTimes = false, hashes }: SliceAsk): void {
    const pick = this.#pickerOf(rule, kind, { table, recodes }, hashes);
    if (pick === undefined) return;
    const isConnected = rule.unconnected?.includes(kind) === true ? take((this.#connected ??= this.#findConnected()), recodes.src_ip.all()) : undefined;
    for (const batch of lazyBatches(table, kind, firstDay)) {
      const picked = sinceDay(batch, pick(batch), firstDay);
      const rows = isConnected === undefined ? picked : unmarked(batch.keys.src_ip!, isConnected, picked!);
      if (rows === undefined || rows.length > 0) gatherer.addTaken(recoded(batch, rows, recodes, withoutTimes), batch.sets);
    }
  }

  /** Tells the rows of a batch that belong to the slice, undefined = all; undefined = none of any. */
  #pickerOf({ by, only }: SliceRule, kind: Kind, { table: { info }, recodes }: SliceFile, hashes?: ReadonlySet<number>): ((batch: KindTable) => Int32Array | undefined) | undefined {
    const columns = by[kind]!;
    if (columns.length === 0) {
      if (kind !== "command" || only === undefined) return () => undefined;
      const isWanted = allTexts(this.#texts.input).map(only.command);
      const places = recodes.input.all();
      return byCode("input", marksOf(places.length, code => code >= 0 && isWanted[places[code]!]!));
    }
    const { number, of } = this.#part;
    // A shard by all of the key is such a slice.
    const isShard = columns === "key" && info.shard?.of === of;
    if (isShard && info.shard!.number !== number) return undefined;
    if (isShard && hashes === undefined) return () => undefined;
    const wanted = new WantedHashes(isShard ? { number: 1, of: 1 } : { number, of }, hashes);
    const start = startOf(kind, columns);
    const looked = columns === "key" ? wholeKey(kind) : columns;
    const marks = looked.map(({ name, textOf }) => (name === "sensor" || isTextKey(name) ? take(this.#hashesOf(name, textOf), recodes[name].all()) : undefined));
    const [{ name }] = looked as [ShardColumn];
    if (looked.length > 1 || marks[0] === undefined || name === "sensor") return byHash(looked, marks, start, wanted);
    const [first] = marks;
    return byCode(name, marksOf(first.length, code => wanted.has(hashTuple(start, code < 0 ? NO_TEXT : first[code]!, 0))));
  }

  /** By code whether an address connected. */
  #findConnected(): Int32Array {
    const connected = new Int32Array(this.#texts.src_ip.size);
    for (const { table, recodes } of this.#files) {
      const places = recodes.src_ip.all();
      ofTable(table, () => {
        for (const { rows, keys } of lazyBatches(table, "connect", -Infinity)) {
          const codes = keys.src_ip!;
          for (let row = 0; row < rows; row++) if (codes[row]! >= 0) connected[places[codes[row]!]!] = 1;
        }
      });
    }
    return connected;
  }

  #hashesOf(name: CodedColumn, textOf: ShardColumn["textOf"]): Int32Array {
    const known = this.#hashes.get(name) ?? new Map<ShardColumn["textOf"], Int32Array>();
    this.#hashes.set(name, known);
    let hashes = known.get(textOf);
    if (hashes !== undefined) return hashes;
    const texts = allTexts(this.#texts[name]);
    known.set(textOf, (hashes = new Int32Array(texts.length)));
    for (let code = 0; code < texts.length; code++) hashes[code] = textHash(textOf === undefined ? texts[code] : textOf(texts[code]!));
    return hashes;
  }

  #withOwnTexts(table: ReducedTable, kinds: readonly Kind[]): ReducedTable {
    const dictionaries = TEXT_KEYS.map(name => {
      const columns = kinds.flatMap(kind => table.kinds[kind].keys[name] ?? []);
      return [name, columns.length === 0 ? [] : takeTexts(this.#texts[name], columns)] as const;
    });
    return { ...table, dictionaries: { ...Object.fromEntries(dictionaries), sensor: this.sensors } as unknown as ReducedTable["dictionaries"] };
  }
}

/** Sessions and logs are no part of what is compared or shown. */
function withoutBookkeeping(table: SortedTable): Pick<SortedTable, "name" | "textsOf"> {
  return { name: table.name, textsOf: name => (name === "session" || name === "source" ? toTexts([]) : table.textsOf(name)) };
}

function startOf(kind: Kind, columns: readonly ShardColumn[] | "key"): number {
  return columns === "key" ? KIND_NAMES.indexOf(kind) : 0;
}

function* lazyBatches(table: SortedTable | StoredRows, kind: Kind, firstDay: number): Generator<LazyBatch> {
  if ("lazyBatches" in table) yield* table.lazyBatches(kind, firstDay);
  else for (const { table: rows, sets } of table.batches(kind)) yield { ...rows, sets };
}

/** By code + 1 whether something holds of it, -1 = no text. */
function marksOf(size: number, holds: (code: number) => boolean): Uint8Array {
  const marks = new Uint8Array(size + 1);
  for (let code = -1; code < size; code++) marks[code + 1] = Number(holds(code));
  return marks;
}

/** @param isWanted By code + 1. */
function byCode(name: KeyColumn, isWanted: Uint8Array): (batch: KindTable) => Int32Array {
  return ({ keys, rows }) => {
    const codes = keys[name]!;
    const wanted = new Int32Array(rows);
    let size = 0;
    for (let row = 0; row < rows; row++) if (isWanted[codes[row]! + 1] === 1) wanted[size++] = row;
    return wanted.subarray(0, size);
  };
}

/** Numbers of keys that fall to a part, and of these some, where not all are wanted. */
class WantedHashes {
  readonly #place: number;
  readonly #of: number;
  readonly #some: ReadonlySet<number> | undefined;
  /** By the upper half of a number: nearly all others are passed over by it. */
  readonly #likely: Uint8Array;

  constructor({ number, of }: Shard, some: ReadonlySet<number> | undefined) {
    this.#place = number - 1;
    this.#of = of;
    this.#some = some;
    this.#likely = new Uint8Array(1 << 16).fill(some === undefined ? 1 : 0);
    for (const hash of some ?? []) this.#likely[hash >>> 16] = 1;
  }

  has(hash: number): boolean {
    if (this.#likely[hash >>> 16] === 0 || (hash >>> 0) % this.#of !== this.#place) return false;
    return this.#some === undefined || this.#some.has(hash);
  }
}

/** @param marks By code; of a column without texts undefined. */
function byHash(columns: readonly ShardColumn[], marks: readonly (Int32Array | undefined)[], start: number, hashesWanted: WantedHashes): (batch: KindTable) => Int32Array {
  return ({ keys, sensor, rows }) => {
    const hashes = new Int32Array(rows).fill(start);
    columns.forEach(({ name }, i) => {
      const codes = name === "sensor" ? sensor : keys[name]!;
      const own = marks[i];
      if (own === undefined) for (let row = 0; row < rows; row++) hashes[row] = hashTuple(hashes[row]!, codes[row]!, 0);
      else for (let row = 0; row < rows; row++) hashes[row] = hashTuple(hashes[row]!, codes[row]! < 0 ? NO_TEXT : own[codes[row]!]!, 0);
    });
    const wanted = new Int32Array(rows);
    let size = 0;
    for (let row = 0; row < rows; row++) if (hashesWanted.has(hashes[row]!)) wanted[size++] = row;
    return wanted.subarray(0, size);
  };
}

/** Of some rows those whose codes stand for none that is marked. */
function unmarked(codes: Int32Array, isMarked: Int32Array, rows: Int32Array): Int32Array {
  return rows.filter(row => codes[row]! >= 0 && isMarked[codes[row]!] === 0);
}

/** Of some rows, undefined = all, those of a day or a later one. */
function sinceDay({ day, rows }: KindTable, wanted: Int32Array | undefined, firstDay: number): Int32Array | undefined {
  if (rows === 0 || day[0]! >= firstDay) return wanted;
  return (wanted ?? Int32Array.from({ length: rows }, (_, row) => row)).filter(row => day[row]! >= firstDay);
}

/** Some rows of a batch, undefined = all, in the codes of all files. */
function recoded(batch: LazyBatch, rows: Int32Array | undefined, recodes: Recodes, withoutTimes: boolean): KindTable {
  const { kind } = batch;
  const taken = <T extends Int32Array | Float64Array>(column: T) => (rows === undefined ? (column.slice() as T) : take(column, rows));
  const nothing = new Float64Array(0);
  const keys = KINDS[kind].map((name: KeyColumn) => {
    const column = taken(batch.keys[name]!);
    return [name, isTextKey(name) ? recode(column, recodes[name]) : column] as const;
  });
  return {
    kind,
    rows: rows?.length ?? batch.rows,
    day: taken(batch.day),
    sensor: recode(taken(batch.sensor), recodes.sensor),
    keys: Object.fromEntries(keys),
    count: taken(batch.count),
    success: withoutTimes ? nothing : taken(batch.success),
    addresses: batch.addresses && taken(batch.addresses),
    firstSeenUs: withoutTimes ? nothing : taken(batch.firstSeenUs),
    lastSeenUs: withoutTimes ? nothing : taken(batch.lastSeenUs),
  };
}

/** Put other codes in the place of those of a column. */
function recode<Codes extends Int32Array>(codes: Codes, to: RisingCodes): Codes {
  to.translate(codes, codes);
  return codes;
}

/** The texts of some columns in their order; the columns get the codes of these. */
function takeTexts(texts: Texts, columns: readonly Int32Array[]): string[] {
  const codes = new Int32Array(texts.size);
  for (const column of columns) for (let row = 0; row < column.length; row++) if (column[row]! >= 0) codes[column[row]!] = 1;
  const used = new Int32Array(texts.size);
  let size = 0;
  for (let code = 0; code < codes.length; code++) {
    if (codes[code] === 0) continue;
    used[size] = code;
    codes[code] = size++;
  }
  for (const column of columns) recodeInPlace(column, codes);
  return allTexts(pickTexts(texts, used.subarray(0, size)));
}

/** Rows of several files, one file's behind another's, in the order of a table. */
function inOrder(table: KindTable): KindTable {
  const columns = [table.day, table.sensor, ...Object.values(table.keys)];
  if (isInOrder(columns, table.rows)) return table;
  const order = sortedRows(columns, table.rows);
  return mapColumns(table, column => (column.length === 0 ? column : take(column, order, (column instanceof Int32Array ? sharedInts : sharedFloats) as (length: number) => typeof column)));
}

function isInOrder(columns: readonly Int32Array[], rows: number): boolean {
  for (let row = 1; row < rows; row++) {
    let difference = 0;
    for (let i = 0; i < columns.length && difference === 0; i++) difference = columns[i]![row]! - columns[i]![row - 1]!;
    if (difference < 0) return false;
  }
  return true;
}

/** The same table with sensors by their places in a list that has all of its own, both in the same order. */
export function withSensors(table: ReducedTable, sensors: readonly string[]): ReducedTable {
  const codes = Int32Array.from(table.dictionaries.sensor, name => sensors.indexOf(name));
  const kinds = Object.fromEntries(KIND_NAMES.map(kind => [kind, { ...table.kinds[kind], sensor: take(codes, table.kinds[kind].sensor) }]));
  return { ...table, dictionaries: { ...table.dictionaries, sensor: sensors }, kinds: kinds as unknown as ReducedTable["kinds"] };
}

/** Sums of tables whose rows are those of one; codes of sensors are the same in all. */
function joinCells(all: readonly CellSums[]): CellSums {
  const [{ table: first }] = all as [CellSums];
  if (all.length === 1) return all[0]!;
  const summer = new CellSummer();
  for (const kind of KIND_NAMES) {
    const joined = joinTables(kind, all.map(({ table }) => table.kinds[kind]));
    const order = sortedRows([joined.day, joined.sensor, ...Object.values(joined.keys)], joined.rows);
    const rows = new Int32Array(joined.rows);
    let at = 0;
    for (const own of all) {
      rows.set(own.rows[kind], at);
      at += own.rows[kind].length;
    }
    summer.addSums({ table: takeRows(joined, order), rows: take(rows, order) });
  }
  return summer.finish(first);
}

/** Some rows of one kind, as a table of their own; its logs stay untold. */
export function pickTable(table: ReducedTable, kind: Kind, rows: Int32Array): ReducedTable {
  return joinPicked([{ ...table, kinds: { ...table.kinds, [kind]: takeRows(table.kinds[kind], rows) } }], kind, withoutSources(table).info, table.dictionaries.sensor);
}

/** The same table without its logs, of which there may be more than rows. */
export function withoutSources(table: ReducedTable): ReducedTable {
  return { ...table, info: { ...table.info, sources: [] } };
}

/** Rows of one kind out of several tables, as one table; codes of sensors are places in `sensors`. */
export function joinPicked(tables: readonly ReducedTable[], kind: Kind, info: ReducedInfo, sensors: readonly string[]): ReducedTable {
  const builder = new ReducedBuilder();
  for (const table of tables) {
    const { texts, sets, kinds } = toReducedRows(table);
    const rows = { texts, sets, kinds: { [kind]: kinds[kind]! } };
    if (kind === "pre_disconnect_command") builder.addCut(rows);
    else builder.add(rows);
  }
  return withSensors(builder.finish(info), sensors);
}
