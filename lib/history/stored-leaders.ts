/**
 * The keys that the history of a table in its file looks at, all families of a kind at once: keys of one column are counted by
 * code, without a look-up table of theirs. Of pairs no more are counted than may be among the leaders: a pair has no more events
 * than either of its halves, nor more on any day.
 *
 * Tested in `test/lib/history/stored-leaders.test.ts`.
 */
import { allTexts, textOf } from "../columns/dictionary.ts";
import { TupleNumbers } from "../columns/tuple-numbers.ts";
import { isTextKey, type KeyColumn, type Kind, type KeyValue, NUMBER_KEY_SPECS } from "../reduced/kinds.ts";
import type { KindTable } from "../reduced/reduced-table.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { FAMILIES, type Family, type FamilySpec, familiesOfKind } from "./families.ts";
import { KeyLeaders, LEAST_EVENTS } from "./key-leaders.ts";
import { type KeySlots, toManySlots, toSlots } from "./key-slots.ts";

/** The chosen keys of a family. */
export interface FamilyLeaders {
  readonly family: Family;
  /** Of each key the values of its columns; a masked one as it is counted. */
  readonly values: readonly (readonly KeyValue[])[];
  readonly slots: KeySlots;
}

/** In the order of their families. */
export function findLeadingKeys(stored: StoredTable, kind: Kind): FamilyLeaders[] {
  const families = familiesOfKind(kind);
  const specs = families.map((family): FamilySpec => FAMILIES[family]);
  const counters = specs.map(spec => {
    const { columns, mask } = spec;
    const map = columns.length === 1 && mask !== undefined && isTextKey(columns[0]!) ? numberMasked(allTexts(stored.textsOf(columns[0])), mask, spec.numberOf) : undefined;
    return columns.map(column => new CodeCounter(stored, column, map));
  });
  // The halves of a pair may be families themselves.
  const own = new Map<string, CodeCounter>();
  const shared = counters.map(list => list.map(counter => own.get(counter.name) ?? (own.set(counter.name, counter), counter)));
  for (const part of stored.parts(kind)) for (const counter of own.values()) counter.add(part);
  return families.map((family, i) => {
    const { columns, mask } = specs[i]!;
    const [first, second] = shared[i]!;
    const plainOf = (column: KeyColumn, code: number) => (isTextKey(column) ? textOf(stored.textsOf(column), code) : code);
    const valueOf = (column: KeyColumn, code: number) => (code < 0 ? null : mask === undefined ? plainOf(column, code) : mask(String(plainOf(column, code))));
    const chosen = (second === undefined ? first!.leaders() : findPairs(stored, kind, first!, second)).filter(codes => codes.some(code => code >= 0));
    const codes = columns.map((_, column) => chosen.map(tuple => tuple[column]!));
    return {
      family,
      values: chosen.map(tuple => columns.map((column, at) => valueOf(column, tuple[at]!))),
      slots: first!.map === undefined ? toSlots(columns, codes) : toMaskedSlots(columns[0]!, first!.map, codes[0]!),
    };
  });
}

/** Texts by code that are counted as one have one number. */
function numberMasked(texts: readonly string[], mask: (text: string) => string, numberOf: FamilySpec["numberOf"] = () => -1): Int32Array {
  const masked = new Map<string, number>();
  const numbers = new Int32Array(texts.length);
  const isText = new Int32Array(texts.length);
  // By index: iterators and callbacks take five times as long over half a million texts.
  for (let code = 0; code < numbers.length; code++) {
    numbers[code] = numberOf(texts[code]!);
    if (numbers[code]! >= 0) continue;
    const own = mask(texts[code]!);
    const known = masked.get(own) ?? masked.size;
    if (known === masked.size) masked.set(own, known);
    // Numbered apart from those that have a number by themselves.
    numbers[code] = known;
    isText[code] = 1;
  }
  return new TupleNumbers(2, false).number([numbers, isText], numbers.length);
}

function toMaskedSlots(column: KeyColumn, map: Int32Array, codes: readonly number[]): KeySlots {
  const places = new Map(codes.map((code, place) => [code < 0 ? -1 : map[code]!, place]));
  return toManySlots(column, codes.length, map.length, code => places.get(code < 0 ? -1 : map[code]!) ?? -1);
}

/** The leaders of one column, or of what its texts are counted as. */
class CodeCounter {
  readonly map: Int32Array | undefined;
  readonly column: KeyColumn;
  /** All are less. */
  readonly #codes: number;
  readonly #leaders = new KeyLeaders();
  #numbers = new Int32Array(0);

  /** @param map Number of each code, if several are one key. */
  constructor(stored: StoredTable, column: KeyColumn, map: Int32Array | undefined) {
    this.map = map;
    this.column = column;
    this.#codes = isTextKey(column) ? stored.textsOf(column).size : NUMBER_KEY_SPECS[column].most + 1;
  }

  /** What it counts. */
  get name(): string {
    return `${this.column}${this.map === undefined ? "" : " masked"}`;
  }

  add(part: KindTable): void {
    const codes = part.keys[this.column]!;
    this.#leaders.add(part, this.map === undefined ? codes : this.#masked(codes, this.map), this.#codes);
  }

  #masked(codes: Int32Array, map: Int32Array): Int32Array {
    if (this.#numbers.length < codes.length) this.#numbers = new Int32Array(codes.length);
    const numbers = this.#numbers;
    for (let row = 0; row < codes.length; row++) numbers[row] = codes[row]! < 0 ? -1 : map[codes[row]!]!;
    return numbers;
  }

  /** A code of each, the first of those that are one. */
  leaders(): number[][] {
    const { map } = this;
    return this.#leaders.finish().map(key => [map === undefined || key < 0 ? key : map.indexOf(key)]);
  }

  get least() {
    return this.#leaders.least();
  }

  /**
   * By code + 1: 1 = it has events enough to be the half of a leader by all events, 2 = of one by those of a day, 3 = of either;
   * 0 = of none.
   */
  marks({ total, most }: Bounds): Uint8Array {
    const { totals, mosts } = this.#leaders.sums();
    return Uint8Array.from(totals, (events, at) => (events < LEAST_EVENTS ? 0 : Number(events >= total) | (Number(mosts[at]! >= most) << 1)));
  }
}

/** What the last of the leaders has, by all events and by those of one day. */
interface Bounds {
  readonly total: number;
  readonly most: number;
}

/** Of what the last leader of the scarcer halves has that of pairs has this part, mostly; else they are counted again. */
const PAIR_PART = 0.75;

/** The leaders among pairs of codes. */
function findPairs(stored: StoredTable, kind: Kind, first: CodeCounter, second: CodeCounter): number[][] {
  const [a, b] = [first.least, second.least];
  let bounds: Bounds = { total: PAIR_PART * Math.min(a.total, b.total), most: PAIR_PART * Math.min(a.most, b.most) };
  for (;;) {
    const { leaders, least } = countPairs(stored, kind, first, second, bounds);
    // All that have as much as the last of those found were counted: there are no others.
    if (least.total >= bounds.total && least.most >= bounds.most) return leaders;
    bounds = { total: Math.min(bounds.total, least.total), most: Math.min(bounds.most, least.most) };
  }
}

/** The leaders among the pairs whose halves both have as much as the bounds say. */
function countPairs(stored: StoredTable, kind: Kind, first: CodeCounter, second: CodeCounter, bounds: Bounds): { readonly leaders: number[][]; readonly least: Bounds } {
  const counted = new KeyLeaders();
  const numbers = new TupleNumbers(2);
  const pairs = new PairPicker(first, second, bounds);
  for (const part of stored.parts(kind)) {
    const picked = pairs.pick(part);
    counted.add(picked, numbers.number([picked.a, picked.b], picked.rows), numbers.size);
  }
  return { leaders: counted.finish().map(key => numbers.tupleOf(key)), least: counted.least() };
}

/** Rows whose both halves have events enough, good until the next are picked. */
class PairPicker {
  readonly #columns: readonly [CodeCounter, CodeCounter];
  readonly #marks: readonly [Uint8Array, Uint8Array];
  #day = new Int32Array(0);
  #a = new Int32Array(0);
  #b = new Int32Array(0);
  #count = new Float64Array(0);

  constructor(first: CodeCounter, second: CodeCounter, bounds: Bounds) {
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
