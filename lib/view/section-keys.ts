/**
 * One section of a report: its keys ranked, and then the day-by-sensor counts of those that its page carries. What is left out
 * is counted, so that the page can say what it does not know.
 *
 * Tested in `test/lib/view/report-data.test.ts`.
 */
import { type Cells, type Grid } from "./cells.ts";
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { widened } from "../columns/growing-column.ts";
import { sortedRows, take } from "../columns/group.ts";
import { hashTuple, TupleNumbers } from "../columns/tuple-numbers.ts";
import type { Calculation } from "../process/pause.ts";
import type { KeyValue } from "../reduced/kinds.ts";
import { isTextColumn, keyOf, namesOf, type ShownColumn, type ShownRows } from "../reduced/origin-kinds.ts";
import type { ReducedTable, Shard } from "../reduced/reduced-table.ts";
import { cutLong } from "../text/cut.ts";
import { type Section } from "./report-sections.ts";

/** Keys of a section that a page carries at most, and those it carries whatever they cost. */
export const CARRY_MOST = 300;
export const SHOW_MOST = 100;
/** Bounds of the cells a page may carry: about 1.3 bytes each once packed. */
const CELLS_BASE = 40_000;
const CELLS_PER_SENSOR_DAY = 20;
const CELLS_MOST = 800_000;
/** Sensor-days up to which a page can afford to say, for each of them, how large what it leaves out can be. */
const BOUNDED_SENSOR_DAYS = 8_000;

export interface SectionData {
  readonly id: string;
  /** How many keys there are, carried or not. */
  readonly distinct: number;
  /** The largest count among keys that are not carried; 0 when all are. */
  readonly leftOutLargest: number;
  /** Per cell, a count that no key which is not carried exceeds; left out where it would cost too much. */
  readonly leftOutMost?: Cells;
  /** Carried keys by count falling; `keys[i][column]`, a null where there is no value. */
  readonly keys: readonly (readonly KeyValue[])[];
  /** VirusTotal's verdict per key as [positives, total], where one is known. */
  readonly verdicts?: readonly (readonly [number, number] | null)[];
  /** Where the source address of each key comes from, "" = nobody knows; only where databases were named. */
  readonly origins?: readonly string[];
  readonly firstSeenUs: readonly number[];
  readonly lastSeenUs: readonly number[];
  /** Counts of all keys together, then of each carried one. */
  readonly all: Cells;
  readonly cells: readonly Cells[];
  /** The same for successful logins, in sections that have them. */
  readonly allSuccess?: Cells;
  readonly success?: readonly Cells[];
}

/** The keys of a section by how often they were counted. */
export interface RankedKeys {
  /** How many keys there are. */
  readonly distinct: number;
  /** Keys by total falling, as many as may be carried and one more: their codes. */
  readonly ranked: readonly (readonly number[])[];
  /** Of each of `ranked`, and how many rows it has, an upper bound of its cells. */
  readonly totals: readonly number[];
  readonly size: readonly number[];
}

/** A section with its keys ranked, before it is known how many of them the page can carry. */
export interface Draft extends RankedKeys {
  readonly section: Section;
  readonly parts: Iterable<ShownRows>;
  readonly grid: Grid;
}

/** What tells the texts of a section's keys. */
export interface KeyNames {
  textOf(column: TextColumn, code: number): string;
  /** Where an address comes from; only where databases were named. */
  originOf?(address: number): string;
}
type TextColumn = Parameters<typeof namesOf>[1];

/** @param most Keys that may be carried. */
export function* draftSection(parts: Iterable<ShownRows> | undefined, section: Section, grid: Grid, most: number): Calculation<Draft | undefined> {
  if (parts === undefined) return undefined;
  const ranking = new SectionRanking(section, grid);
  for (const part of parts) {
    ranking.add(part);
    yield;
  }
  const keys = ranking.finish(most);
  return keys && { section, parts, grid, ...keys };
}

/** Ranks the keys of a section, or those of one slice of them. */
export class SectionRanking {
  readonly #section: Section;
  readonly #grid: Grid;
  readonly #slice: Shard;
  readonly #numbers: TupleNumbers;
  /** By key: how often it was counted, and how many rows it has, side by side. */
  #sums = new Float64Array(128);
  #kept = 0;

  constructor(section: Section, grid: Grid, slice: Shard = { number: 1, of: 1 }) {
    this.#section = section;
    this.#grid = grid;
    this.#slice = slice;
    this.#numbers = new TupleNumbers(section.columns.length);
  }

  /** Add rows in their order, or any part of them. */
  add(part: ShownRows): void {
    const all = this.#section.columns.map(column => part.keys[column]!);
    const picked = this.#slice.of === 1 ? undefined : rowsOfSlice(all, part.rows, this.#slice);
    const columns = picked === undefined ? all : all.map(column => take(column, picked));
    const count = picked === undefined ? part.count : take(part.count, picked);
    const rows = picked?.length ?? part.rows;
    const group = this.#numbers.number(columns, rows);
    leaveOut(picked === undefined ? part : { ...part, rows, day: take(part.day, picked), keys: needed(part, this.#section, picked) }, this.#section, this.#grid, group);
    if (this.#numbers.size * 2 > this.#sums.length) this.#sums = widened(this.#sums, this.#numbers.size * 2);
    const sums = this.#sums;
    let kept = 0;
    for (let row = 0; row < rows; row++) {
      const at = group[row]! * 2;
      if (at < 0) continue;
      kept++;
      sums[at]! += count[row]!;
      sums[at + 1]!++;
    }
    this.#kept += kept;
  }

  /** @returns undefined if there is none. */
  finish(most: number): RankedKeys | undefined {
    if (this.#kept === 0) return undefined;
    const numbers = this.#numbers;
    const totals = Float64Array.from({ length: numbers.size }, (_, id) => this.#sums[id * 2]!);
    let distinct = 0;
    for (let id = 0; id < totals.length; id++) if (totals[id]! > 0) distinct++;
    // The numbers of all keys may take more memory than all else: they are let go.
    const ranked = [...rankGroups(totals, numbers, most)];
    return {
      distinct,
      ranked: ranked.map(id => numbers.tupleOf(id)),
      totals: ranked.map(id => totals[id]!),
      size: ranked.map(id => this.#sums[id * 2 + 1]!),
    };
  }
}

/** The keys of all slices together. */
export function joinRanked(slices: readonly (RankedKeys | undefined)[], most: number): RankedKeys | undefined {
  const known = slices.filter(slice => slice !== undefined);
  if (known.length < 2) return known[0];
  const keys = known.flatMap(({ ranked, totals, size }) => ranked.map((codes, i) => ({ codes, total: totals[i]!, size: size[i]! })));
  const ranked = keys.sort((a, b) => b.total - a.total || compareCodes(a.codes, b.codes)).slice(0, most + 1);
  return {
    distinct: known.reduce((sum, slice) => sum + slice.distinct, 0),
    ranked: ranked.map(({ codes }) => codes),
    totals: ranked.map(({ total }) => total),
    size: ranked.map(({ size }) => size),
  };
}

function compareCodes(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((code, i) => code !== b[i]);
  return i < 0 ? 0 : a[i]! - b[i]!;
}

/** Rows whose keys fall to a slice. */
function rowsOfSlice([a, b, c]: readonly Int32Array[], rows: number, { number, of }: Shard): Int32Array {
  const picked = new Int32Array(rows);
  let size = 0;
  for (let row = 0; row < rows; row++) {
    // By the low bits: the high ones say where a key stands among others of its slice.
    const hash = hashTuple(a![row]!, b === undefined ? 0 : b[row]!, c === undefined ? 0 : c[row]!) & 0xffff;
    if ((hash * of) >>> 16 === number - 1) picked[size++] = row;
  }
  return picked.subarray(0, size);
}

/** The column that rows need to belong to a section, of some of them. */
function needed({ keys }: ShownRows, { needs }: Section, rows: Int32Array): ShownRows["keys"] {
  return needs === undefined ? {} : { [needs]: take(keys[needs]!, rows) };
}

/** Rows outside the days drawn, and those that do not belong, become -1. Rows come by their days. */
function leaveOut({ rows, day, keys }: Pick<ShownRows, "rows" | "day" | "keys">, { needs }: Section, { firstDay, days }: Grid, group: Int32Array): void {
  const lastDay = firstDay + days - 1;
  if (needs !== undefined) {
    const needed = keys[needs]!;
    for (let row = 0; row < rows; row++) if (needed[row] === -1) group[row] = -1;
  }
  if (rows === 0 || (day[0]! >= firstDay && day[rows - 1]! <= lastDay)) return;
  for (let row = 0; row < rows; row++) if (day[row]! < firstDay || day[row]! > lastDay) group[row] = -1;
}

/** The `most` groups with the largest totals, falling; ties by key, "no value" first. */
function rankGroups(totals: Float64Array, numbers: TupleNumbers, most: number): Int32Array {
  const compare = (a: number, b: number) => totals[b]! - totals[a]! || compareCodes(numbers.tupleOf(a), numbers.tupleOf(b));
  // A floor under the wanted totals first: sorting a million groups to keep 300 of them costs more than reading twice.
  const floor = totals.length > 4 * most ? nthLargest(totals, most) : 0;
  const ids = Int32Array.from(totals.keys());
  const above = ids.filter(id => totals[id]! > floor).sort(compare);
  // Those upon it are most of all where most came once: they are sorted by their keys alone, without a comparison of ours.
  const level = floor === 0 ? ids.subarray(0, 0) : ids.filter(id => totals[id] === floor);
  const order = sortedRows(numbers.codesOf(level), level.length).subarray(0, most + 1 - above.length);
  const ranked = new Int32Array(above.length + order.length);
  ranked.set(above);
  order.forEach((at, i) => (ranked[above.length + i] = level[at]!));
  return ranked.subarray(0, most + 1);
}

/** The n-th largest of at least n numbers, equal ones counted each. */
function nthLargest(numbers: Float64Array, n: number): number {
  const held = new Float64Array(4 * n);
  let size = 0;
  let floor = -Infinity;
  const settle = () => {
    held.subarray(0, size).sort().reverse();
    size = Math.min(size, n);
    if (size === n) floor = held[n - 1]!;
  };
  for (let i = 0; i < numbers.length; i++) {
    // As large as the n-th so far: it is there already.
    if (numbers[i]! <= floor) continue;
    held[size++] = numbers[i]!;
    if (size === held.length) settle();
  }
  settle();
  return floor;
}

/** How many keys of each section the page carries: `show` of each, then by rank as long as the cells suffice. */
export function shareOut(drafts: readonly (Pick<RankedKeys, "size"> & { readonly ranked: readonly unknown[] })[], grid: Grid, show: number): number[] {
  const budget = Math.min(CELLS_MOST, CELLS_BASE + CELLS_PER_SENSOR_DAY * grid.days * grid.sensors);
  const carried = drafts.map(() => 0);
  const open = new Set(drafts.keys());
  let used = 0;
  for (let rank = 0; open.size > 0; rank++) {
    for (const i of open) {
      const { ranked, size } = drafts[i]!;
      const cost = Math.min(size[rank] ?? 0, grid.days * grid.sensors);
      // The last of `ranked` only tells how large what is left out can be.
      const most = Math.max(CARRY_MOST, show);
      if (rank >= ranked.length || rank >= most || (rank >= show && used + cost > budget)) {
        open.delete(i);
        continue;
      }
      used += cost;
      carried[i]!++;
    }
  }
  return carried;
}

export function* finishSection(
  names: KeyNames,
  draft: Draft,
  carried: number,
  verdicts: Verdicts,
): Calculation<SectionData> {
  const counts = new SectionCounts(draft, carried);
  for (const part of draft.parts) {
    counts.add(part);
    yield;
  }
  return counts.finish(names, verdicts);
}

/** By the code of a hash: [positives, total]. */
export type Verdicts = ReadonlyMap<number, readonly [number, number]>;

/** Counts the keys of a section that its page carries, and all of them together. */
export class SectionCounts {
  readonly #draft: Omit<Draft, "parts">;
  readonly #carried: number;
  readonly #chosen: ChosenTuples;
  readonly #isBounded: boolean;
  /** A group of its own row in each cell: the largest row bounds the rest. Else their sum does. */
  readonly #isRowPerKey: boolean;
  readonly #hasSuccess: boolean;
  readonly #leftOut = { at: [] as number[], count: [] as number[] };
  readonly #firstSeenUs: number[];
  readonly #lastSeenUs: number[];
  readonly #cells: CellBuilder[];
  readonly #success: CellBuilder[];
  readonly #all = new CellBuilder();
  readonly #allSuccess = new CellBuilder();
  #slots = new Int32Array(0);

  /** @param carried How many of the ranked keys the page carries. */
  constructor(draft: Omit<Draft, "parts">, carried: number) {
    const { section, grid } = draft;
    this.#draft = draft;
    this.#carried = carried;
    this.#chosen = new ChosenTuples(draft.ranked.slice(0, carried));
    this.#isBounded = grid.days * grid.sensors <= BOUNDED_SENSOR_DAYS;
    this.#isRowPerKey = section.columns.length === keyOf(section.kind).length;
    this.#hasSuccess = section.kind === "login";
    this.#firstSeenUs = new Array<number>(carried).fill(Infinity);
    this.#lastSeenUs = new Array<number>(carried).fill(-Infinity);
    this.#cells = Array.from({ length: carried }, () => new CellBuilder());
    this.#success = Array.from({ length: carried }, () => new CellBuilder());
  }

  /** Add rows in their order. */
  add(part: ShownRows): void {
    const { section, grid } = this.#draft;
    const { rows } = part;
    const carried = this.#carried;
    const found = this.#chosen.find(section.columns.map(column => part.keys[column]!), rows);
    // What is not carried has the number behind them all.
    if (this.#slots.length < rows) this.#slots = new Int32Array(rows);
    const slots = this.#slots.fill(carried, 0, rows);
    for (let i = 0; i < found.rows.length; i++) slots[found.rows[i]!] = found.numbers[i]!;
    leaveOut(part, section, grid, slots);
    this.#addAll(part, slots);
    if (found.rows.length > 0) this.#addCarried(part, found.rows, slots);
  }

  /** Add up the rows of each cell. */
  #addAll({ rows, day, sensor, count, success }: ShownRows, slots: Int32Array): void {
    const { grid } = this.#draft;
    const { at: leftAt, count: leftCount } = this.#leftOut;
    const succeeded = this.#hasSuccess ? success : undefined;
    for (let row = 0; row < rows; ) {
      const [first, own] = [day[row]!, sensor[row]!];
      const cell = (first - grid.firstDay) * grid.sensors + own;
      let sum = 0;
      let sumSuccess = 0;
      let most = -1;
      for (; row < rows && sensor[row] === own && day[row] === first; row++) {
        const slot = slots[row]!;
        if (slot < 0) continue;
        const counted = count[row]!;
        sum += counted;
        if (succeeded !== undefined) sumSuccess += succeeded[row]!;
        if (slot === this.#carried) most = most < 0 ? counted : this.#isRowPerKey ? Math.max(most, counted) : most + counted;
      }
      this.#all.add(cell, sum);
      this.#allSuccess.add(cell, sumSuccess);
      if (!this.#isBounded || most < 0) continue;
      if (leftAt.at(-1) !== cell) leftCount[leftAt.push(cell) - 1] = most;
      else leftCount[leftAt.length - 1] = this.#isRowPerKey ? Math.max(leftCount.at(-1)!, most) : leftCount.at(-1)! + most;
    }
  }

  #addCarried({ day, sensor, count, success, firstSeenUs: first, lastSeenUs: last }: ShownRows, rows: Int32Array, slots: Int32Array): void {
    const { grid } = this.#draft;
    const succeeded = this.#hasSuccess ? success : undefined;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const slot = slots[row]!;
      if (slot < 0) continue;
      const cell = (day[row]! - grid.firstDay) * grid.sensors + sensor[row]!;
      this.#cells[slot]!.add(cell, count[row]!);
      if (succeeded !== undefined) this.#success[slot]!.add(cell, succeeded[row]!);
      this.#firstSeenUs[slot] = Math.min(this.#firstSeenUs[slot]!, first[row]!);
      this.#lastSeenUs[slot] = Math.max(this.#lastSeenUs[slot]!, last[row]!);
    }
  }

  finish(names: KeyNames, verdicts: Verdicts): SectionData {
    const { section, distinct, totals, ranked: all } = this.#draft;
    const ranked = all.slice(0, this.#carried);
    const codeOf = (key: readonly number[], column: ShownColumn) => key[section.columns.indexOf(column)]!;
    const { originOf } = names;
    return {
      id: section.id,
      distinct,
      leftOutLargest: totals[this.#carried] ?? 0,
      ...(this.#isBounded && {
        leftOutMost: { at: Int32Array.from(this.#leftOut.at), count: Float64Array.from(this.#leftOut.count) },
      }),
      keys: ranked.map(key => section.columns.map(column => keyValue(names, column, codeOf(key, column)))),
      ...(section.columns.includes("shasum") && {
        verdicts: ranked.map(key => verdicts.get(codeOf(key, "shasum")) ?? null),
      }),
      ...(originOf && section.columns.includes("src_ip") && { origins: ranked.map(key => cutLong(originOf(codeOf(key, "src_ip")))) }),
      firstSeenUs: this.#firstSeenUs,
      lastSeenUs: this.#lastSeenUs,
      all: this.#all.finish(),
      cells: this.#cells.map(builder => builder.finish()),
      ...(this.#hasSuccess && {
        allSuccess: this.#allSuccess.finish(),
        success: this.#success.map(builder => builder.finish()),
      }),
    };
  }
}

function keyValue({ textOf }: KeyNames, column: ShownColumn, code: number): KeyValue {
  if (code < 0) return null;
  if (!isTextColumn(column)) return code;
  const text = textOf(column, code);
  return column === "country" ? withCountryName(text) : cutLong(text);
}

/** The names of a table in memory. */
export function toKeyNames(table: ReducedTable): KeyNames {
  const { origins } = table;
  return {
    textOf: (column, code) => namesOf(table, column)[code]!,
    ...(origins && { originOf: (address: number) => origins.addresses[address] ?? "" }),
  };
}

const COUNTRY_NAMES = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

/** `NL Netherlands`; nobody knows all codes. */
function withCountryName(code: string): string {
  const name = COUNTRY_NAMES.of(code);
  return name === undefined ? code : `${code} ${name}`;
}

/** Cells that come in rising order, equal ones added up. */
export class CellBuilder {
  #at = new Int32Array(64);
  #count = new Float64Array(64);
  #length = 0;

  add(cell: number, count: number): void {
    if (count === 0) return;
    if (this.#length === 0 || this.#at[this.#length - 1] !== cell) {
      if (this.#length === this.#at.length) {
        this.#at = widened(this.#at);
        this.#count = widened(this.#count);
      }
      this.#at[this.#length++] = cell;
    }
    this.#count[this.#length - 1]! += count;
  }

  finish(): Cells {
    return { at: this.#at.slice(0, this.#length), count: this.#count.slice(0, this.#length) };
  }
}
