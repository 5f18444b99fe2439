/**
 * Adds reduced rows up: of the batches of a log, of logs, of reduced tables. The one place where rows are merged.
 *
 * Merging is exact in any order and any number of steps: equal keys add their counts and take the earliest and latest
 * time. `last_command` alone keeps, per session, the row that comes last, and `pre_disconnect_command` is made from it
 * at the end.
 *
 * Counts that were cut to the top n before we saw them are no sums: the same sensor-day in two files is one and the
 * same. Such rows are merged by a builder of their own, which keeps the larger of two counts of a key; so they, too,
 * may be merged in any order, and with themselves.
 */
import { Dictionary, type Texts, textOf } from "../columns/dictionary.ts";
import { groupRows, sortedRows, take } from "../columns/group.ts";
import { sortTexts } from "../columns/sort-texts.ts";
import { type AddressSets, renumberSets, SetDictionary } from "../columns/address-sets.ts";
import { isTextKey, type KeyColumn, KIND_NAMES, KIND_SPECS, KINDS, type Kind, TEXT_KEYS } from "./kinds.ts";
import { joinTables, mapColumns, type KindTable, type ReducedInfo, type ReducedTable, sliceRows } from "./reduced-table.ts";
import { type Calculation, takeAtOnce } from "../process/pause.ts";
import { sharedFloats, sharedInts } from "../columns/shared-arrays.ts";
import { compareSources, type SourceInfo } from "../events/source.ts";
import { compareText } from "../text/text.ts";
import { widened } from "../columns/growing-column.ts";

/** Dictionary-coded columns of the reduced table. */
export const CODED_COLUMNS = ["sensor", ...TEXT_KEYS] as const;
export type CodedColumn = (typeof CODED_COLUMNS)[number];

/** Rows of every kind with the texts their codes stand for; not sorted, a key may occur in several rows. */
export interface ReducedRows {
  readonly texts: Readonly<Record<CodedColumn, Texts>>;
  /** What the columns `addresses` lead to. */
  readonly sets: AddressSets;
  readonly kinds: Readonly<Partial<Record<Kind, KindTable>>>;
}

/** Rows gathered before equal keys are added up; then again whenever they have doubled. */
const COMPACT_MIN_ROWS = 1 << 17;
/** Elements of sets that may be held before those of rows that were added up are let go; then again when they have doubled. */
const SWEEP_MIN_ELEMENTS = 1 << 22;

/** Growing columns of one kind. */
class KindRows {
  rows = 0;
  compactedRows = 0;
  day = new Int32Array(0);
  sensor = new Int32Array(0);
  readonly keys: Int32Array<ArrayBuffer>[];
  count = new Float64Array(0);
  success = new Float64Array(0);
  firstSeenUs = new Float64Array(0);
  lastSeenUs = new Float64Array(0);
  addresses: Int32Array<ArrayBuffer> | null;

  constructor(kind: Kind) {
    this.keys = KINDS[kind].map(() => new Int32Array(0));
    this.addresses = KIND_SPECS[kind].hasAddresses ? new Int32Array(0) : null;
  }

  reserve(rows: number): void {
    if (rows <= this.count.length) return;
    const capacity = Math.max(rows, this.count.length * 2, 256);
    this.day = widened(this.day, capacity);
    this.sensor = widened(this.sensor, capacity);
    for (let i = 0; i < this.keys.length; i++) this.keys[i] = widened(this.keys[i]!, capacity);
    this.count = widened(this.count, capacity);
    this.success = widened(this.success, capacity);
    this.addresses &&= widened(this.addresses, capacity);
    this.firstSeenUs = widened(this.firstSeenUs, capacity);
    this.lastSeenUs = widened(this.lastSeenUs, capacity);
  }
}

export interface ReducedBuilderOptions {
  /** Rows of cut counts: of equal keys the larger count stays, and `pre_disconnect_command` is kept as it comes. */
  readonly isCut?: boolean;
}

export class ReducedBuilder {
  readonly #isCut: boolean;
  readonly #dictionaries = Object.fromEntries(CODED_COLUMNS.map(name => [name, new Dictionary()])) as Record<
    CodedColumn,
    Dictionary
  >;
  readonly #kinds = new Map<Kind, KindRows>(KIND_NAMES.map(kind => [kind, new KindRows(kind)]));
  #sets = new SetDictionary();
  #sweptElements = 0;
  /** Sources by identity, to tell which of two events of a session at the same microsecond came last. */
  readonly #sources = new Map<string, SourceInfo>();

  constructor({ isCut = false }: ReducedBuilderOptions = {}) {
    this.#isCut = isCut;
  }

  /** Name a source whose rows are added; needed for the order of sources only. */
  addSource(source: SourceInfo): void {
    this.#sources.set(source.wholeHash, source);
  }

  /** Make room for rows that are about to be added, as far as they will lie there before equal ones are added up. */
  expect(parts: readonly ReducedRows[]): void {
    for (const [kind, own] of this.#kinds) {
      let [sum, most] = [own.rows, 0];
      for (const { kinds } of parts) {
        const rows = kinds[kind]?.rows ?? 0;
        sum += rows;
        most = Math.max(most, rows);
      }
      own.reserve(Math.min(sum, COMPACT_MIN_ROWS + most));
    }
  }

  /** Add rows; their codes are translated into this builder's. */
  add(rows: ReducedRows): void {
    this.#add(rows, this.#isCut);
  }

  /** Add rows of cut counts, of sensor-days that no other rows are of. */
  addCut(rows: ReducedRows): void {
    this.#add(rows, true);
  }

  #add({ texts, sets, kinds }: ReducedRows, isCut: boolean): void {
    const recodeSets = makeRecode(sets.size, this.#sets.internFrom(sets));
    const recodes = new Map<CodedColumn, (codes: Int32Array, to: Int32Array, at: number) => void>();
    const recodeOf = (name: CodedColumn) => {
      let recode = recodes.get(name);
      if (recode === undefined) recodes.set(name, (recode = recodeTexts(texts[name], this.#dictionaries[name])));
      return recode;
    };
    for (const kind of KIND_NAMES) {
      const table = kinds[kind];
      if (table === undefined || table.rows === 0) continue;
      // Made anew from `last_command` at the end; cut counts have none to make it from.
      if (kind === "pre_disconnect_command" && !isCut) continue;
      const own = this.#kinds.get(kind)!;
      const at = own.rows;
      own.reserve(at + table.rows);
      own.day.set(table.day, at);
      recodeOf("sensor")(table.sensor, own.sensor, at);
      KINDS[kind].forEach((column: KeyColumn, i) => {
        const codes = table.keys[column]!;
        if (isTextKey(column)) recodeOf(column)(codes, own.keys[i]!, at);
        else own.keys[i]!.set(codes, at);
      });
      own.count.set(table.count, at);
      own.success.set(table.success, at);
      if (own.addresses !== null) recodeSets(table.addresses!, own.addresses, at);
      own.firstSeenUs.set(table.firstSeenUs, at);
      own.lastSeenUs.set(table.lastSeenUs, at);
      own.rows += table.rows;
      if (own.rows > Math.max(COMPACT_MIN_ROWS, own.compactedRows * 2)) this.#compact(kind);
    }
  }

  /** Rows that were added, as far as equal ones were not added up yet. */
  get rows(): number {
    return this.#kinds.values().reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Add up all rows with equal keys. @returns How many are left. */
  addUp(): number {
    for (const kind of KIND_NAMES) this.#compact(kind);
    return this.rows;
  }

  /** The rows so far with each key once, in no order; arrays are copies of their own, ready to be handed over. */
  toRows(): ReducedRows {
    const kinds: Partial<Record<Kind, KindTable>> = {};
    // First all: to compact one kind may number the sets of another anew.
    this.addUp();
    for (const kind of KIND_NAMES) kinds[kind] = mapColumns(this.#compacted(kind), column => column.slice() as typeof column);
    const sets = renumberSets(this.#sets, addressColumns(kinds));
    const texts = Object.fromEntries(
      CODED_COLUMNS.map(name => {
        const { size, arena, offsets } = this.#dictionaries[name];
        return [name, { size, arena: arena.slice(0, offsets[size]), offsets: offsets.slice(0, size + 1) }];
      }),
    ) as Record<CodedColumn, Texts>;
    return { texts, sets, kinds };
  }

  /** The reduced table of all rows added, in canonical order; its columns lie in memory that threads share. */
  finish(info: ReducedInfo): ReducedTable {
    return takeAtOnce(this.calculate(info));
  }

  /** {@link finish} in steps; nothing may be added in between. */
  *calculate(info: ReducedInfo): Calculation<ReducedTable> {
    const kinds = {} as Record<Kind, KindTable>;
    // All but these are added up as they are sorted: of equal keys here some rows, and their texts, are left out.
    for (const kind of ["last_command", "scan"] as const) this.#compact(kind);
    for (const kind of KIND_NAMES) kinds[kind] = viewOf(kind, this.#kinds.get(kind)!);
    kinds.pre_disconnect_command = joinLastCommands(kinds.last_command, kinds.pre_disconnect_command);
    const dictionaries = {} as Record<CodedColumn, string[]>;
    const ranks = {} as Record<CodedColumn, Int32Array>;
    for (const name of CODED_COLUMNS) {
      const texts = this.#dictionaries[name];
      const used = new Uint8Array(texts.size);
      for (const kind of KIND_NAMES) markUsed(name === "sensor" ? kinds[kind].sensor : kinds[kind].keys[name], used);
      ({ sorted: dictionaries[name], rank: ranks[name] } = sortTexts(texts, used));
      yield;
    }
    const sorted = {} as Record<Kind, KindTable>;
    for (const kind of KIND_NAMES) {
      sorted[kind] = sortKind(kinds[kind], ranks, this.#sets, this.#isCut);
      yield;
    }
    const sets = renumberSets(this.#sets, addressColumns(sorted), sharedInts);
    return { info: { ...info, sources: [...info.sources].sort(compareSources) }, dictionaries, sets, kinds: sorted };
  }

  /** The rows of a kind with each key once, as views of this builder's columns. */
  #compacted(kind: Kind): KindTable {
    this.#compact(kind);
    return viewOf(kind, this.#kinds.get(kind)!);
  }

  /** Add up rows with equal keys. */
  #compact(kind: Kind): void {
    const own = this.#kinds.get(kind)!;
    if (own.rows === own.compactedRows) return;
    if (kind === "last_command") this.#compactLastCommands(own);
    else addUpRows(own, this.#sets, this.#isCut);
    if (kind === "scan") forgetRepeats(own);
    own.compactedRows = own.rows;
    if (this.#sets.elements > Math.max(SWEEP_MIN_ELEMENTS, 2 * this.#sweptElements)) this.#sweepSets();
  }

  /** Let go the sets of rows that were added up. */
  #sweepSets(): void {
    const before = this.#sets;
    this.#sets = new SetDictionary();
    const recode = makeRecode(before.size, this.#sets.internFrom(before));
    for (const { rows, addresses } of this.#kinds.values()) if (addresses !== null) recode(addresses.subarray(0, rows), addresses, 0);
    this.#sweptElements = this.#sets.elements;
  }

  /** Keep the last command of each session: by time, then by the order of the input. */
  #compactLastCommands(own: KindRows): void {
    const [session, , source, line] = own.keys as [Int32Array, Int32Array, Int32Array, Int32Array];
    const { size, groupOf, firstRow } = groupRows([own.sensor, session], own.rows);
    const last = firstRow.slice();
    for (let row = 0; row < own.rows; row++) {
      const best = last[groupOf[row]!]!;
      const order =
        own.lastSeenUs[row]! - own.lastSeenUs[best]! ||
        this.#compareSourceCodes(source[row]!, source[best]!) ||
        line[row]! - line[best]!;
      if (order > 0) last[groupOf[row]!] = row;
    }
    const to = (column: Int32Array | Float64Array) => column.set(take(column, last));
    for (const column of [own.day, own.sensor, ...own.keys, own.firstSeenUs, own.lastSeenUs, own.addresses!]) to(column);
    own.rows = size;
  }

  #compareSourceCodes(a: number, b: number): number {
    if (a === b) return 0;
    const nameA = textOf(this.#dictionaries.source, a);
    const nameB = textOf(this.#dictionaries.source, b);
    const sourceA = this.#sources.get(nameA);
    const sourceB = this.#sources.get(nameB);
    return sourceA && sourceB ? compareSources(sourceA, sourceB) : compareText(nameA, nameB);
  }
}

/** Translate codes, each once and only if it occurs: `translate` is told of a code of `size`. */
function makeRecode(size: number, translate: (code: number) => number): (codes: Int32Array, target: Int32Array, at: number) => void {
  const known = new Int32Array(size).fill(-1);
  return (codes, target, at) => {
    for (let row = 0; row < codes.length; row++) {
      const code = codes[row]!;
      if (code < 0) {
        target[at + row] = -1;
        continue;
      }
      let own = known[code]!;
      if (own < 0) own = known[code] = translate(code);
      target[at + row] = own;
    }
  };
}

function recodeTexts({ size, arena, offsets }: Texts, to: Dictionary): ReturnType<typeof makeRecode> {
  return makeRecode(size, code => to.intern(arena, offsets[code]!, offsets[code + 1]!));
}

/** The columns that lead to sets. */
function addressColumns(kinds: ReducedRows["kinds"]): Int32Array[] {
  return KIND_NAMES.flatMap(kind => kinds[kind]?.addresses ?? []);
}

/** Bring rows with equal keys together: their counts are added up or, of cut counts, the largest stays. */
function addUpRows(own: KindRows, sets: SetDictionary, isCut = false): void {
  const { size, groupOf, firstRow } = groupRows([own.day, own.sensor, ...own.keys], own.rows);
  if (own.addresses !== null) uniteAddresses(own.addresses, own.rows, groupOf, firstRow, sets);
  // Groups are numbered by their first rows, so each sum can be built in the place of a row already read.
  for (let row = 0; row < own.rows; row++) {
    const group = groupOf[row]!;
    if (firstRow[group] === row) {
      own.count[group] = own.count[row]!;
      own.success[group] = own.success[row]!;
      own.firstSeenUs[group] = own.firstSeenUs[row]!;
      own.lastSeenUs[group] = own.lastSeenUs[row]!;
    } else {
      if (isCut) {
        if (own.count[row]! > own.count[group]!) own.count[group] = own.count[row]!;
        if (own.success[row]! > own.success[group]!) own.success[group] = own.success[row]!;
      } else {
        own.count[group]! += own.count[row]!;
        own.success[group]! += own.success[row]!;
      }
      if (own.firstSeenUs[row]! < own.firstSeenUs[group]!) own.firstSeenUs[group] = own.firstSeenUs[row]!;
      if (own.lastSeenUs[row]! > own.lastSeenUs[group]!) own.lastSeenUs[group] = own.lastSeenUs[row]!;
    }
  }
  for (const column of [own.day, own.sensor, ...own.keys]) column.set(take(column, firstRow));
  own.rows = size;
}

/**
 * Verdicts of other days or sensors than were asked for are known, not counted: two tables of one log by days both hold
 * them. So each counts once, and not at all where a sensor's own says the same of that day.
 */
function forgetRepeats(own: KindRows): void {
  const { groupOf, size } = groupRows([own.day, ...own.keys], own.rows);
  const isOfSensor = new Uint8Array(size);
  for (let row = 0; row < own.rows; row++) if (own.sensor[row]! >= 0) isOfSensor[groupOf[row]!] = 1;
  const kept = Int32Array.from({ length: own.rows }, (_, row) => row).filter(row => own.sensor[row]! >= 0 || isOfSensor[groupOf[row]!] === 0);
  for (const column of [own.day, own.sensor, ...own.keys, own.count, own.success, own.firstSeenUs, own.lastSeenUs]) column.set(take(column, kept));
  own.rows = kept.length;
  for (let row = 0; row < own.rows; row++) if (own.sensor[row]! < 0) own.count[row] = Math.min(1, own.count[row]!);
}

/** As the sums of {@link addUpRows}: all sets of a group at once, as one by one would make a set of each step. */
function uniteAddresses(addresses: Int32Array, rows: number, groupOf: Int32Array, firstRow: Int32Array, sets: SetDictionary): void {
  const order = sortedRows([groupOf], rows);
  const united = new Int32Array(firstRow.length);
  for (let group = 0, start = 0; group < united.length; group++) {
    let end = start + 1;
    while (end < rows && groupOf[order[end]!] === group) end++;
    united[group] = end === start + 1 ? addresses[order[start]!]! : sets.unite(addresses, order, start, end);
    start = end;
  }
  addresses.set(united);
}

/**
 * The last commands of sessions as rows of `pre_disconnect_command`, to be added up.
 *
 * @param cut Such rows of sensor-days whose sessions nobody knows.
 */
function joinLastCommands(last: KindTable, cut: KindTable): KindTable {
  const { kind } = cut;
  const own: KindTable = { ...last, kind, keys: { input: last.keys.input! }, count: new Float64Array(last.rows).fill(1) };
  return cut.rows === 0 ? own : joinTables(kind, [own, cut]);
}

/** The rows so far as a table, whose columns are views of the growing ones. */
function viewOf(kind: Kind, own: KindRows): KindTable {
  const { rows, day, sensor, keys, count, success, addresses, firstSeenUs, lastSeenUs } = own;
  const named = Object.fromEntries(KINDS[kind].map((column, i) => [column, keys[i]!]));
  const whole = { kind, rows, day, sensor, keys: named, count, success, addresses, firstSeenUs, lastSeenUs };
  return sliceRows(whole, 0, rows);
}

/** As `take`, into memory that threads share. */
function takeShared<T extends Int32Array | Float64Array>(column: T, rows: Int32Array): T {
  const allocate = column instanceof Int32Array ? sharedInts : sharedFloats;
  return take(column, rows, allocate as (length: number) => T);
}

/** Mark the codes that a column has. */
function markUsed(codes: Int32Array | undefined, used: Uint8Array): void {
  if (codes === undefined) return;
  for (let row = 0; row < codes.length; row++) if (codes[row]! >= 0) used[codes[row]!] = 1;
}

/** The rows in canonical order, in the codes of the sorted texts, rows with equal keys brought together as by {@link addUpRows}. */
function sortKind(
  table: KindTable,
  ranks: Readonly<Record<CodedColumn, Int32Array>>,
  sets: SetDictionary,
  isCut: boolean,
): KindTable {
  const sensor = ranked(table.sensor, ranks.sensor);
  const columns: readonly KeyColumn[] = KINDS[table.kind];
  const keys = Object.fromEntries(
    columns.map(column => {
      const codes = table.keys[column]!;
      return [column, isTextKey(column) ? ranked(codes, ranks[column]) : codes];
    }),
  );
  const keyColumns = [table.day, sensor, ...Object.values(keys)];
  const order = sortedRows(keyColumns, table.rows);
  const starts = groupStarts(keyColumns, order);
  const rows = starts.length - 1;
  if (rows === table.rows) return mapColumns({ ...table, sensor, keys }, column => takeShared(column, order));
  const firstRows = starts.subarray(0, rows).map(start => order[start]!);
  const merged = { ...mapColumns({ ...table, sensor, keys }, column => takeShared(column, firstRows)), rows };
  for (let group = 0; group < rows; group++) {
    const [start, end] = [starts[group]!, starts[group + 1]!];
    if (end === start + 1) continue;
    for (let i = start + 1; i < end; i++) addRow(merged, group, table, order[i]!, isCut);
    if (merged.addresses !== null) merged.addresses[group] = sets.unite(table.addresses!, order, start, end);
  }
  return merged;
}

function ranked(codes: Int32Array, rank: Int32Array): Int32Array {
  const ranks = new Int32Array(codes.length);
  for (let row = 0; row < codes.length; row++) ranks[row] = codes[row]! < 0 ? -1 : rank[codes[row]!]!;
  return ranks;
}

/** Where in a sorted order the rows of each key start, and where the last ones end. */
function groupStarts(columns: readonly Int32Array[], order: Int32Array): Int32Array {
  const starts = new Int32Array(order.length + 1);
  let size = 0;
  for (let i = 0; i < order.length; i++) {
    if (i === 0 || !isEqualRow(columns, order[i]!, order[i - 1]!)) starts[size++] = i;
  }
  starts[size] = order.length;
  return starts.subarray(0, size + 1);
}

function isEqualRow(columns: readonly Int32Array[], a: number, b: number): boolean {
  for (let i = columns.length - 1; i >= 0; i--) if (columns[i]![a] !== columns[i]![b]) return false;
  return true;
}

/** Add a row to one with an equal key. */
function addRow(to: KindTable, group: number, from: KindTable, row: number, isCut: boolean): void {
  if (isCut) {
    to.count[group] = Math.max(to.count[group]!, from.count[row]!);
    to.success[group] = Math.max(to.success[group]!, from.success[row]!);
  } else {
    to.count[group]! += from.count[row]!;
    to.success[group]! += from.success[row]!;
  }
  to.firstSeenUs[group] = Math.min(to.firstSeenUs[group]!, from.firstSeenUs[row]!);
  to.lastSeenUs[group] = Math.max(to.lastSeenUs[group]!, from.lastSeenUs[row]!);
}
