/**
 * Counts the addresses of many sets together, key by key and all keys at once: what an `AddressUnion` for each key would say, in
 * one table that fits the cache.
 *
 * Tested in `test/lib/columns/keyed-unions.test.ts`.
 */
import { estimateSize, SET_MAX, sizeOfSet } from "./address-sets.ts";

/** An odd number that nobody can know, so that nobody can choose addresses that all fall into one slot. */
const MULTIPLIER = crypto.getRandomValues(new Uint32Array(1))[0]! | 1;
/** Spreads keys (the golden ratio of 32 bits). */
const SPREAD = 0x9e3779b1;
/** Greatest number of a taken slot; beyond, all is cleared. */
const TAG_MAX = 2 ** 31 - 1;

export class KeyedUnions {
  readonly #keys: number;
  /** Distinct elements of each key. */
  readonly #counts: Int32Array;
  /** Elements below this are known of every set of a key; of most keys no set is full. */
  readonly #limits = new Map<number, number>();
  /** Sizes of all sets of a key, one that follows its equal left out. */
  readonly #sums: Float64Array;
  /** The set of each key that was added last: how long it is, its first element, and the others. -1 = none yet. */
  readonly #lastLength: Int32Array;
  readonly #lastFirst: Uint32Array;
  readonly #lastRest: (Uint32Array | undefined)[];
  /** Two numbers a slot, the element and a tag that says of which key and since which {@link clear}; open addressing. */
  #slots = new Int32Array(1 << 11);
  #shift = 32 - 10;
  #taken = 0;
  /** The tag of a key is `#base + key`; lesser ones are from before, their slots free. */
  #base = 1;

  constructor(keys: number) {
    this.#keys = keys;
    this.#counts = new Int32Array(keys);
    this.#sums = new Float64Array(keys);
    this.#lastLength = new Int32Array(keys).fill(-1);
    this.#lastFirst = new Uint32Array(keys);
    this.#lastRest = new Array<Uint32Array | undefined>(keys).fill(undefined);
  }

  /** Add the set `hashes[start] .. hashes[end - 1]`, rising, to a key. */
  add(key: number, hashes: Uint32Array, start: number, end: number): void {
    const length = end - start;
    if (length === 1) return this.addOne(key, hashes[start]!);
    if (length === this.#lastLength[key] && this.#isLast(key, hashes, start, end)) return;
    this.#keepLast(key, hashes, start, end);
    this.#sums[key]! += sizeOfSet(hashes, start, end);
    if (length >= SET_MAX) this.#limits.set(key, Math.min(this.#limits.get(key) ?? Infinity, hashes[end - 1]!));
    const limit = this.#limits.size === 0 ? Infinity : (this.#limits.get(key) ?? Infinity);
    for (let i = start; i < end && hashes[i]! < limit; i++) this.#insert(key, hashes[i]!);
  }

  /** Add a set of one element. */
  addOne(key: number, element: number): void {
    if (this.#lastLength[key] === 1 && this.#lastFirst[key] === element) return;
    this.#lastLength[key] = 1;
    this.#lastFirst[key] = element;
    this.#sums[key]!++;
    this.#insert(key, element);
  }

  /** How many addresses each key has. */
  sizes(): Float64Array {
    const sizes = new Float64Array(this.#counts);
    if (this.#limits.size === 0) return sizes;
    const below = new Float64Array(this.#keys);
    for (let at = 0; at < this.#slots.length; at += 2) {
      const key = this.#slots[at + 1]! - this.#base;
      if (key >= 0 && this.#slots[at]! >>> 0 < (this.#limits.get(key) ?? 0)) below[key]!++;
    }
    for (const [key, limit] of this.#limits) sizes[key] = Math.min(this.#sums[key]!, estimateSize(below[key]!, limit));
    return sizes;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#sums.fill(0);
    this.#limits.clear();
    this.#lastLength.fill(-1);
    this.#taken = 0;
    this.#base += this.#keys;
    if (this.#base + this.#keys <= TAG_MAX) return;
    this.#slots.fill(0);
    this.#base = 1;
  }

  #isLast(key: number, hashes: Uint32Array, start: number, end: number): boolean {
    if (start === end) return true;
    if (this.#lastFirst[key] !== hashes[start]) return false;
    const rest = this.#lastRest[key]!;
    for (let i = start + 1; i < end; i++) if (rest[i - start - 1] !== hashes[i]) return false;
    return true;
  }

  #keepLast(key: number, hashes: Uint32Array, start: number, end: number): void {
    this.#lastLength[key] = end - start;
    if (start === end) return;
    this.#lastFirst[key] = hashes[start]!;
    let rest = this.#lastRest[key];
    if (rest === undefined || rest.length < end - start - 1) this.#lastRest[key] = rest = new Uint32Array(2 * (end - start));
    for (let i = start + 1; i < end; i++) rest[i - start - 1] = hashes[i]!;
  }

  #insert(key: number, element: number): void {
    const slots = this.#slots;
    const tag = this.#base + key;
    const bits = element | 0;
    let at = this.#placeOf(key, bits);
    while (slots[at + 1]! >= this.#base) {
      if (slots[at] === bits && slots[at + 1] === tag) return;
      at = (at + 2) & (slots.length - 1);
    }
    slots[at] = bits;
    slots[at + 1] = tag;
    this.#counts[key]!++;
    if (++this.#taken * 4 > slots.length) this.#grow();
  }

  #placeOf(key: number, bits: number): number {
    return (Math.imul(bits ^ Math.imul(key, SPREAD), MULTIPLIER) >>> this.#shift) * 2;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Int32Array(2 * old.length);
    this.#slots = slots;
    this.#shift--;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1]! < this.#base) continue;
      let at = this.#placeOf(old[from + 1]! - this.#base, old[from]!);
      while (slots[at + 1] !== 0) at = (at + 2) & (slots.length - 1);
      slots[at] = old[from]!;
      slots[at + 1] = old[from + 1]!;
    }
  }
}
