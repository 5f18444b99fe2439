/**
 * The keys that the history of a table in its file looks at, all families of a kind at once: keys of one column are counted by
 * code, without a look-up table of theirs. Of pairs no more are counted than may be among the leaders: a pair has no more events
 * than either of its halves, nor more on any day.
 *
 * Tested in `test/lib/history/stored-leaders.test.ts`.
 */
import { allTexts, type Texts, textOf } from "../columns/dictionary.ts";
import { take } from "../columns/group.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import { isTextKey, type KeyColumn, type Kind, type KeyValue, NUMBER_KEY_SPECS, type NumberKey } from "../reduced/kinds.ts";
import type { KindTable } from "../reduced/reduced-table.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { FAMILIES, type Family, type FamilySpec, familiesOfKind } from "./families.ts";
import { chooseLeading, type KeyLeader, KeyLeaders, LEAST_EVENTS, leastOf } from "./key-leaders.ts";
import { type KeySlots, toManySlots, toSlots } from "./key-slots.ts";

/** The chosen keys of a family. */
export interface FamilyLeaders {
  readonly family: Family;
  /** Of each key the values of its columns; a masked one as it is counted. */
  readonly values: readonly (readonly KeyValue[])[];
  readonly slots: KeySlots;
}

/** Keys of a column that are counted at once, 36 bytes each; more are counted in several passes. */
const KEYS_AT_ONCE = 1 << 22;

/**
 * In the order of their families.
 *
 * @param keysAtOnce Of a column.
 */
export function findLeadingKeys(stored: StoredTable, kind: Kind, keysAtOnce = KEYS_AT_ONCE): FamilyLeaders[] {
  const families = familiesOfKind(kind);
  // The halves of a pair may be families themselves.
  const counters = new Map<string, ColumnCounter>();
  const counterOf = (spec: FamilySpec, column: KeyColumn) => {
    const name = spec.mask === undefined ? column : `${column} masked`;
    const known = counters.get(name) ?? new ColumnCounter(stored, column, spec);
    counters.set(name, known);
    return known;
  };
  const columns = families.map((family): readonly ColumnCounter[] => {
    const spec: FamilySpec = FAMILIES[family];
    return spec.columns.map(column => counterOf(spec, column));
  });
  countColumns(stored, kind, [...counters.values()], keysAtOnce);
  return families.map((family, i) => {
    const [first, second] = columns[i]! as [ColumnCounter, ColumnCounter?];
    const chosen = (second === undefined ? first.codes().map(code => [code]) : findPairs(stored, kind, first, second)).filter(codes => codes.some(code => code >= 0));
    const { columns: names, mask }: FamilySpec = FAMILIES[family];
    const codes = names.map((_, column) => chosen.map(tuple => tuple[column]!));
    return {
      family,
      values: chosen.map(tuple => names.map((name, at) => valueOf(stored, name, tuple[at]!, mask))),
      slots: first.map === undefined ? toSlots(names, codes) : toMaskedSlots(names[0]!, first.map, codes[0]!),
    };
  });
}

function countColumns(stored: StoredTable, kind: Kind, counters: readonly ColumnCounter[], keysAtOnce: number): void {
  const most = counters.reduce((keys, counter) => Math.max(keys, counter.keys), 1);
  for (let start = 0; start < most; start += keysAtOnce) {
    const open = counters.filter(({ keys }) => start === 0 || keys > start);
    for (const counter of open) counter.open(start, start + keysAtOnce);
    for (const part of stored.parts(kind)) for (const counter of open) counter.add(part);
    for (const counter of open) counter.close();
  }
}

function valueOf(stored: StoredTable, column: KeyColumn, code: number, mask: FamilySpec["mask"]): KeyValue {
  if (code < 0) return null;
  const value = isTextKey(column) ? textOf(stored.textsOf(column), code) : code;
  return mask === undefined ? value : mask(String(value));
}

/** Texts of which strings are made at once. */
const STRINGS_AT_ONCE = 1 << 16;

/** Texts by code that are counted as one have one number, counting up from 0. */
function numberMasked({ size, arena, offsets }: Texts, mask: (text: string) => string, numberOf: FamilySpec["numberOf"]): Int32Array {
  const masked = new Map<string, number>();
  const numbers = new Int32Array(size);
  // Those that have a number by themselves are numbered apart from the others.
  const isText = new Int32Array(size);
  for (let start = 0; start < size; start += STRINGS_AT_ONCE) {
    const end = Math.min(size, start + STRINGS_AT_ONCE);
    const at = offsets[start]!;
    const texts = allTexts({ size: end - start, arena: arena.subarray(at), offsets: offsets.subarray(start, end + 1).map(offset => offset - at) });
    // By index: iterators and callbacks take five times as long over half a million texts.
    for (let i = 0; i < texts.length; i++) {
      const number = numberOf === undefined ? -1 : numberOf(texts[i]!);
      if (number >= 0) {
        numbers[start + i] = number;
        continue;
      }
      const own = mask(texts[i]!);
      const known = masked.get(own) ?? masked.size;
      if (known === masked.size) masked.set(own, known);
      numbers[start + i] = known;
      isText[start + i] = 1;
    }
  }
  return new TupleNumbers(2, false).number([numbers, isText], size);
}

function toMaskedSlots(column: KeyColumn, map: Int32Array, codes: readonly number[]): KeySlots {
  const places = new Map(codes.map((code, place) => [code < 0 ? -1 : map[code]!, place]));
  return toManySlots(column, codes.length, map.length, code => places.get(code < 0 ? -1 : map[code]!) ?? -1);
}

/** Counts the keys of one column, or what its texts are counted as, some of them in a pass. */
class ColumnCounter {
  readonly column: KeyColumn;
  /** The key of each code, if several are one; else a code is one itself. */
  readonly map: Int32Array | undefined;
  /** All are less. */
  readonly keys: number;
  #leaders: KeyLeader[] = [];
  /** By key + 1, see `KeyLeaders.atMost`. */
  readonly #totals: Float32Array[] = [];
  readonly #mosts: Float32Array[] = [];
  #pass: { readonly start: number; readonly end: number; readonly counted: KeyLeaders; rows: number } | undefined;
  #picked = new Int32Array(0);

  constructor(stored: StoredTable, column: KeyColumn, { mask, numberOf }: FamilySpec) {
    const texts = isTextKey(column) ? stored.textsOf(column) : undefined;
    this.column = column;
    this.map = texts && mask && numberMasked(texts, mask, numberOf);
    this.keys = this.map?.reduce((most, key) => Math.max(most, key + 1), 0) ?? texts?.size ?? NUMBER_KEY_SPECS[column as NumberKey].most + 1;
  }

  /** Count those from `start` up to `end`, and in the first pass rows without one. */
  open(start: number, end: number): void {
    this.#pass = { start, end: Math.min(end, this.keys), counted: new KeyLeaders(), rows: 0 };
  }

  add(part: KindTable): void {
    const { start, end, counted } = this.#pass!;
    const codes = part.keys[this.column]!;
    const keys = this.map === undefined ? codes : this.#masked(codes, this.map);
    if (start === 0 && end === this.keys) counted.add(part, keys, end);
    else this.#addPicked(part, keys);
    this.#pass!.rows += part.rows;
  }

  close(): void {
    const { start, counted } = this.#pass!;
    this.#leaders = chooseLeading([this.#leaders, counted.found().map(leader => ({ ...leader, key: leader.key < 0 ? -1 : leader.key + start }))]);
    // That of no key, which is in the first pass alone, stands in front of all.
    const behind = start === 0 ? 0 : 1;
    this.#totals.push(counted.atMost("total").subarray(behind));
    this.#mosts.push(counted.atMost("most").subarray(behind));
    this.#pass = undefined;
  }

  get leaders(): readonly KeyLeader[] {
    return this.#leaders;
  }

  /** Of each leader a code, the first of those that are one. */
  codes(): number[] {
    const { map } = this;
    if (map === undefined) return this.#leaders.map(({ key }) => key);
    const firsts = new Int32Array(this.keys);
    for (let code = map.length - 1; code >= 0; code--) firsts[map[code]!] = code;
    return this.#leaders.map(({ key }) => (key < 0 ? key : firsts[key]!));
  }

  /**
   * By key + 1: 1 = it has events enough to be the half of a leader by all events, 2 = of one by those of a day, 3 = of either;
   * 0 = of none.
   */
  marks({ total, most }: Bounds): Uint8Array {
    const marks = new Uint8Array(this.keys + 1);
    let at = 0;
    this.#totals.forEach((totals, pass) => {
      const mosts = this.#mosts[pass]!;
      for (let i = 0; i < totals.length && at < marks.length; i++, at++) {
        if (totals[i]! >= LEAST_EVENTS) marks[at] = Number(totals[i]! >= total) | (Number(mosts[i]! >= most) << 1);
      }
    });
    return marks;
  }

  #masked(codes: Int32Array, map: Int32Array): Int32Array {
    const numbers = this.#room(codes.length);
    for (let row = 0; row < codes.length; row++) numbers[row] = codes[row]! < 0 ? -1 : map[codes[row]!]!;
    return numbers;
  }

  #room(rows: number): Int32Array {
    if (this.#picked.length < rows) this.#picked = new Int32Array(rows);
    return this.#picked;
  }

  /** The rows whose keys are counted in this pass. */
  #addPicked({ rows, day, count }: KindTable, keys: Int32Array): void {
    const { start, end, counted, rows: before } = this.#pass!;
    const isOwn = (key: number) => (key < 0 ? start === 0 : key >= start && key < end);
    const own = Int32Array.from({ length: rows }, (_, row) => row).filter(row => isOwn(keys[row]!));
    const picked = { rows: own.length, day: take(day, own), count: take(count, own) };
    counted.add(picked, take(keys, own).map(key => Math.max(-1, key - start)), end - start, own.map(row => before + row));
  }
}

/** What the last of the leaders has, by all events and by those of one day. */
type Bounds = Pick<KeyLeader, "total" | "most">;

/** Of what the last leader of the scarcer halves has that of pairs has this part, mostly; else they are counted again. */
const PAIR_PART = 0.75;

/** The leaders among pairs of codes. */
function findPairs(stored: StoredTable, kind: Kind, first: ColumnCounter, second: ColumnCounter): number[][] {
  const [a, b] = [leastOf(first.leaders), leastOf(second.leaders)];
  let bounds: Bounds = { total: PAIR_PART * Math.min(a.total, b.total), most: PAIR_PART * Math.min(a.most, b.most) };
  for (;;) {
    const { leaders, least } = countPairs(stored, kind, first, second, bounds);
    // All that have as much as the last of those found were counted: there are no others.
    if (least.total >= bounds.total && least.most >= bounds.most) return leaders;
    bounds = { total: Math.min(bounds.total, least.total), most: Math.min(bounds.most, least.most) };
  }
}

/** The leaders among the pairs whose halves both have as much as the bounds say. */
function countPairs(stored: StoredTable, kind: Kind, first: ColumnCounter, second: ColumnCounter, bounds: Bounds): { readonly leaders: number[][]; readonly least: Bounds } {
  const counted = new KeyLeaders();
  const numbers = new TupleNumbers(2);
  const pairs = new PairPicker(first, second, bounds);
  for (const part of stored.parts(kind)) {
    const picked = pairs.pick(part);
    counted.add(picked, numbers.number([picked.a, picked.b], picked.rows), numbers.size);
  }
  const found = counted.found();
  return { leaders: found.map(({ key }) => numbers.tupleOf(key)), least: leastOf(found) };
}

/** Rows whose both halves have events enough, good until the next are picked. */
class PairPicker {
  readonly #columns: readonly [ColumnCounter, ColumnCounter];
  readonly #marks: readonly [Uint8Array, Uint8Array];
  #day = new Int32Array(0);
  #a = new Int32Array(0);
  #b = new Int32Array(0);
  #count = new Float64Array(0);

  constructor(first: ColumnCounter, second: ColumnCounter, bounds: Bounds) {
    this.#columns = [first, second];
    this.#marks = [first.marks(bounds), second.marks(bounds)];
  }

  pick(part: KindTable) {
    const { rows, day, count } = part;
    if (this.#a.length < rows) {
      this.#day = new Int32Array(rows);
      this.#a = new Int32Array(rows);
      this.#b = new Int32Array(rows);
      this.#count = new Float64Array(rows);
    }
    const a = part.keys[this.#columns[0].column]!;
    const b = part.keys[this.#columns[1].column]!;
    const [marksA, marksB] = this.#marks;
    let size = 0;
    for (let row = 0; row < rows; row++) {
      if ((marksA[a[row]! + 1]! & marksB[b[row]! + 1]!) === 0) continue;
      this.#a[size] = a[row]!;
      this.#b[size] = b[row]!;
      this.#day[size] = day[row]!;
      this.#count[size++] = count[row]!;
    }
    return { rows: size, day: this.#day.subarray(0, size), count: this.#count.subarray(0, size), a: this.#a.subarray(0, size), b: this.#b.subarray(0, size) };
  }
}
