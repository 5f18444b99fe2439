/**
 * The addresses behind some rows as one set, and what two such sets share.
 *
 * A set is what `address-sets.ts` keeps of it: all its elements in rising order, or the smallest where there are too many.
 *
 * Tested in `test/lib/history/episodes.test.ts`.
 */
import { AddressUnion, setSize, SET_MAX } from "../columns/address-sets.ts";
import type { RowAddresses } from "../reduced/addresses.ts";

/** Elements in rising order, each once, {@link SET_MAX} at most. */
export type SourceSet = Uint32Array;

/** The addresses behind rows; undefined where nobody knows those of a row. */
export function gatherSources({ sets, codes }: RowAddresses, rows: Int32Array): SourceSet | undefined {
  const { hashes, offsets } = sets;
  const seen = new Set<number>();
  let last = -1;
  for (let i = 0; i < rows.length; i++) {
    const code = codes[rows[i]!]!;
    if (code < 0) return undefined;
    // An address has one set, in all of its rows.
    if (code !== last) seen.add(code);
    last = code;
  }
  return uniteSets([...seen].map(code => hashes.subarray(offsets[code], offsets[code + 1])));
}

/** The union of sets. */
export function uniteSets(sets: readonly SourceSet[]): SourceSet {
  if (sets.length === 1) return sets[0]!;
  const all = new Set<number>();
  for (const set of sets) for (const element of set) all.add(element);
  return Uint32Array.from(all).sort().subarray(0, SET_MAX);
}

/** Elements that a union holds before it is sorted and cut. */
const UNION_MOST = 4 * SET_MAX;
/** Elements that came lately. */
const RECENT = 1 << 10;

/** A union that sets are added to one by one, no larger than {@link UNION_MOST} however many they are. */
export class SourceUnion {
  readonly #elements = new Uint32Array(UNION_MOST);
  #size = 0;
  /** Greater ones are cut off. */
  #limit = Infinity;
  readonly #recent = new Float64Array(RECENT).fill(-1);

  /** Add `hashes[start] .. hashes[end - 1]`, rising. */
  add(hashes: Uint32Array, start: number, end: number): void {
    for (let i = start; i < end && hashes[i]! <= this.#limit; i++) this.addOne(hashes[i]!);
  }

  addOne(element: number): void {
    if (element > this.#limit || this.#recent[element % RECENT] === element) return;
    this.#recent[element % RECENT] = element;
    if (this.#size === UNION_MOST) this.#cut();
    this.#elements[this.#size++] = element;
  }

  finish(): SourceSet {
    this.#cut();
    return this.#elements.slice(0, this.#size);
  }

  #cut(): void {
    const elements = this.#elements;
    elements.subarray(0, this.#size).sort();
    let size = 0;
    for (let i = 0; i < this.#size && size < SET_MAX; i++) if (size === 0 || elements[i] !== elements[size - 1]) elements[size++] = elements[i]!;
    this.#size = size;
    if (size === SET_MAX) this.#limit = elements[size - 1]!;
  }
}

/** How many addresses a set stands for. */
export function sourceSetSize(set: SourceSet): number {
  return setSize({ size: 1, hashes: set, offsets: Int32Array.of(0, set.length) }, 0);
}

/** What part of the smaller of two sets lies in the other, 0..1; 0 where one is empty. */
export function commonShare(a: SourceSet, b: SourceSet): number {
  // Above the last element of a set that was cut nothing is known of it.
  const limit = Math.min(...[a, b].map(set => (set.length < SET_MAX ? Infinity : set[SET_MAX - 1]!)));
  let [i, j, shared] = [0, 0, 0];
  while (i < a.length && j < b.length && a[i]! <= limit && b[j]! <= limit) {
    if (a[i] === b[j]) shared++;
    const isLess = a[i]! <= b[j]!;
    if (b[j]! <= a[i]!) j++;
    if (isLess) i++;
  }
  const known = (set: SourceSet) => set.reduce((n, element) => n + Number(element <= limit), 0);
  const least = Math.min(known(a), known(b));
  return least === 0 ? 0 : shared / least;
}

/**
 * Distinct addresses of rows, day by day.
 *
 * @param rows In day order.
 * @param placeOf Where the number of a row's day belongs; negative = nowhere.
 * @returns `days` numbers; undefined where nobody knows the addresses of a row.
 */
export function countDaily({ sets, codes }: RowAddresses, rows: Int32Array, placeOf: (row: number) => number, days: number): Float64Array | undefined {
  const counts = new Float64Array(days);
  const union = new AddressUnion(sets);
  let place = -1;
  const close = () => {
    if (place >= 0) counts[place] = union.size();
    union.clear();
  };
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const own = placeOf(row);
    if (codes[row]! < 0) return undefined;
    if (own !== place) {
      close();
      place = own;
    }
    if (own >= 0) union.add(codes[row]!);
  }
  close();
  return counts;
}
