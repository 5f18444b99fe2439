/**
 * Sets of network addresses, many beside one another: how many different addresses a row's events came from, and how many
 * those of several rows together.
 *
 * An element is a number of 32 bits that stands for an address, the same on every machine and in every run, so that sets
 * of different tables can be united. IPv4 addresses are numbered by a bijection: no two share a number. Of IPv6 the /64 is
 * what counts, as one machine has all of it; it and whatever else a log calls an address have a hash: two of n such share
 * one with a probability of some n^2 / 2^33 (n = 1,000: 1 in 8,600).
 *
 * A set holds its elements in rising order, {@link SET_MAX} at most: of more it keeps the smallest. As the numbers are
 * spread evenly, the greatest of those tells how many there are (a bottom-k or KMV sketch: Bar-Yossef et al. 2002, Beyer
 * et al. 2007), with a relative standard error of 1 / sqrt(SET_MAX - 2), 3.1 %. What is kept of a union is what is kept of
 * the union of what was kept: sets are united in any order and any number of steps, and with themselves. Up to SET_MAX - 1
 * elements all is exact.
 *
 * The numbering is no secret. Who owns many addresses, say 2^32 networks of IPv6, can pick those with the smallest numbers
 * and make a thousand look like as many as he owns, or pick some that share a number and look like one. He cannot hide
 * another's address, nor look like more than he sent events, if whoever counts holds the size against the events.
 */
import { allTexts, Dictionary, type Texts } from "./dictionary.ts";
import { addressBytes } from "../text/address.ts";

/** Most elements of a set. Measured: of 256 the error is 6.3 % and tables are hardly smaller; of 4,096 it is 1.6 %. */
export const SET_MAX = 1024;
/** Above all elements. */
const END = 2 ** 32;

/** Sets by code; the code -1 stands for a set that nobody knows. */
export interface AddressSets {
  readonly size: number;
  /** Elements of all sets, one set behind the other, each in rising order. */
  readonly hashes: Uint32Array;
  /** `offsets[code]` and `offsets[code + 1]` = where the elements of a set start and end. */
  readonly offsets: Int32Array;
}

export const NO_SETS: AddressSets = { size: 0, hashes: new Uint32Array(0), offsets: new Int32Array(1) };

/** The 32 bits that stand for an address. */
export function addressHash(text: string): number {
  const bytes = addressBytes(text);
  if (bytes === undefined) {
    let hash = text.length;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    return mix(hash);
  }
  const word = (at: number) => (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  return bytes.length === 4 ? mix(word(0) ^ 0x5bd1e995) : mix(mix(word(0) ^ 0x2545f491) ^ word(4));
}

/** {@link addressHash} of each text, by code. */
export function addressHashes(texts: Texts): Uint32Array {
  return Uint32Array.from(allTexts(texts), addressHash);
}

/** Spread 32 bits over 32 bits, each number to another (the finalizer of MurmurHash3, public domain). */
function mix(bits: number): number {
  let h = bits;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** How many addresses are in a set, NaN if nobody knows; exact below {@link SET_MAX}. */
export function setSize({ offsets, hashes }: AddressSets, code: number): number {
  return code < 0 ? NaN : sizeOfSet(hashes, offsets[code]!, offsets[code + 1]!);
}

/** The same of the set `hashes[start] .. hashes[end - 1]`. */
export function sizeOfSet(hashes: Uint32Array, start: number, end: number): number {
  return end - start < SET_MAX ? end - start : estimateSize(SET_MAX - 1, hashes[end - 1]!);
}

/** How many addresses there are, if so many have numbers below a limit. */
export function estimateSize(below: number, limit: number): number {
  return Math.round((below * END) / limit);
}

/** How many addresses are in some sets together, NaN if one of them is not known. See {@link AddressUnion}. */
export function unionSize(sets: AddressSets, codes: Iterable<number>): number {
  const union = new AddressUnion(sets);
  for (const code of codes) union.add(code);
  return union.size();
}

function isSameSet(hashes: Uint32Array, start: number, end: number, otherStart: number, otherEnd: number): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let i = 0; i < end - start; i++) if (hashes[start + i] !== hashes[otherStart + i]) return false;
  return true;
}

/** No code. */
const NOTHING = -2;
/** An odd number that nobody can know, so that nobody can choose addresses that all fall into one slot. */
const MULTIPLIER = crypto.getRandomValues(new Uint32Array(1))[0]! | 1;

/**
 * Counts the addresses of several sets together; may be used again and again.
 *
 * Exact as long as no set is full, however large the union; else all that lies below the least limit of a full set is
 * counted (a theta sketch), so the error is no larger than that of one set. Never less than the largest set, never more
 * than the sum of all.
 */
export class AddressUnion {
  readonly #sets: AddressSets;
  #isUnknown = false;
  #last = NOTHING;
  #sum = 0;
  /** Elements below this are known of every set. */
  #limit = END;
  #count = 0;
  #elements = new Uint32Array(64);
  // Open addressing with linear probing. A slot is taken if the element that it names says so: nothing need be cleared.
  #slots = new Int32Array(128);
  #slotOf = new Int32Array(64);
  #shift = 32 - 7;

  constructor(sets: AddressSets) {
    this.#sets = sets;
  }

  add(code: number): void {
    const last = this.#last;
    if (code === last) return;
    this.#last = code;
    if (code < 0) {
      this.#isUnknown = true;
      return;
    }
    const { offsets, hashes } = this.#sets;
    const start = offsets[code]!;
    const end = offsets[code + 1]!;
    // Whether equal sets have one code is up to whoever made them.
    if (last >= 0 && isSameSet(hashes, offsets[last]!, offsets[last + 1]!, start, end)) return;
    this.#sum += setSize(this.#sets, code);
    if (end - start >= SET_MAX) this.#limit = Math.min(this.#limit, hashes[end - 1]!);
    for (let i = start; i < end && hashes[i]! < this.#limit; i++) this.#insert(hashes[i]!);
  }

  size(): number {
    if (this.#isUnknown) return NaN;
    const limit = this.#limit;
    if (limit === END) return this.#count;
    let below = 0;
    for (let i = 0; i < this.#count; i++) if (this.#elements[i]! < limit) below++;
    return Math.min(this.#sum, estimateSize(below, limit));
  }

  /** No set was full: the size is no estimate. */
  get isExact(): boolean {
    return this.#limit === END;
  }

  clear(): void {
    this.#isUnknown = false;
    this.#last = NOTHING;
    this.#sum = 0;
    this.#limit = END;
    this.#count = 0;
  }

  #insert(hash: number): void {
    if (this.#count === this.#elements.length) this.#grow();
    const mask = this.#slots.length - 1;
    let slot = Math.imul(hash, MULTIPLIER) >>> this.#shift;
    for (;;) {
      const at = this.#slots[slot]!;
      if (at >= this.#count || this.#slotOf[at] !== slot) break;
      if (this.#elements[at] === hash) return;
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = this.#count;
    this.#slotOf[this.#count] = slot;
    this.#elements[this.#count++] = hash;
  }

  #grow(): void {
    const elements = this.#elements;
    this.#elements = new Uint32Array(elements.length * 2);
    this.#slotOf = new Int32Array(elements.length * 2);
    this.#slots = new Int32Array(elements.length * 4);
    this.#shift--;
    this.#count = 0;
    for (const hash of elements) this.#insert(hash);
  }
}

/** Sets that are added one by one; equal sets have one code. */
export class SetDictionary implements AddressSets {
  // Equal sets are equal bytes.
  readonly #bytes = new Dictionary();
  #hashes = new Uint32Array(0);
  #offsets = new Int32Array(1);
  readonly #scratch = new Uint32Array(16 * SET_MAX);

  get size(): number {
    return this.#bytes.size;
  }

  /** Of all sets together. */
  get elements(): number {
    return this.#bytes.textBytes >> 2;
  }

  get hashes(): Uint32Array {
    const { buffer, byteLength } = this.#bytes.arena;
    if (this.#hashes.buffer !== buffer) this.#hashes = new Uint32Array(buffer, 0, byteLength >> 2);
    return this.#hashes;
  }

  /** Valid until the next set is added. */
  get offsets(): Int32Array {
    const { size, offsets } = this.#bytes;
    if (this.#offsets.length !== size + 1) this.#offsets = offsets.subarray(0, size + 1).map(byte => byte >> 2);
    return this.#offsets;
  }

  /**
   * Code of a set.
   *
   * @param hashes Rising strictly from `start` to `end`, {@link SET_MAX} at most; not checked here.
   */
  intern(hashes: Uint32Array, start: number, end: number): number {
    const bytes = new Uint8Array(hashes.buffer, hashes.byteOffset + start * 4, (end - start) * 4);
    return this.#bytes.intern(bytes, 0, bytes.length);
  }

  /** Codes of the sets of another dictionary, by theirs; as {@link intern}. */
  internFrom({ hashes, offsets }: AddressSets): (code: number) => number {
    // One view for all: to make one for each took as long as to look it up.
    const bytes = new Uint8Array(hashes.buffer, hashes.byteOffset, hashes.byteLength);
    return code => this.#bytes.intern(bytes, offsets[code]! * 4, offsets[code + 1]! * 4);
  }

  /** Code of the set of some elements, sorted or not, with equal ones among them or not; `hashes` is sorted by it. */
  internAny(hashes: Uint32Array): number {
    return this.intern(hashes, 0, sortSet(hashes));
  }

  /** Code of the union of the sets `codes[rows[i]]`, `start` <= i < `end`; of one that is not known, -1. */
  unite(codes: Int32Array, rows: Int32Array, start: number, end: number): number {
    const first = codes[rows[start]!]!;
    let isOne = true;
    for (let i = start; i < end; i++) {
      const code = codes[rows[i]!]!;
      if (code < 0) return -1;
      if (code !== first) isOne = false;
    }
    if (isOne) return first;
    // As bytes: offsets of all sets would be made anew each time.
    const { offsets } = this.#bytes;
    const { hashes } = this;
    let size = 0;
    for (let i = start; i < end; i++) {
      const code = codes[rows[i]!]!;
      const setEnd = offsets[code + 1]! >> 2;
      if (size + SET_MAX > this.#scratch.length) size = sortSet(this.#scratch.subarray(0, size));
      for (let at = offsets[code]! >> 2; at < setEnd; at++) this.#scratch[size++] = hashes[at]!;
    }
    return this.intern(this.#scratch, 0, sortSet(this.#scratch.subarray(0, size)));
  }
}

/** Sort elements, each once, at their start; no more than a set holds. @returns How many they are. */
function sortSet(hashes: Uint32Array): number {
  hashes.sort();
  let size = Math.min(1, hashes.length);
  for (let i = 1; i < hashes.length && size < SET_MAX; i++) {
    if (hashes[i] !== hashes[i - 1]) hashes[size++] = hashes[i]!;
  }
  return size;
}

/**
 * The sets in use, numbered by where they are first used; the columns of codes are changed in place.
 *
 * @param allocate Makes the memory in which they lie.
 */
export function renumberSets(
  { size, hashes, offsets }: AddressSets,
  columns: readonly Int32Array[],
  allocate: (length: number) => Int32Array = length => new Int32Array(length),
): AddressSets {
  const numbers = new Int32Array(size).fill(-1);
  const used: number[] = [];
  let elements = 0;
  for (const codes of columns) {
    for (let row = 0; row < codes.length; row++) {
      const code = codes[row]!;
      if (code < 0) continue;
      if (numbers[code]! < 0) {
        numbers[code] = used.push(code) - 1;
        elements += offsets[code + 1]! - offsets[code]!;
      }
      codes[row] = numbers[code]!;
    }
  }
  const { buffer } = allocate(elements);
  const taken: AddressSets = { size: used.length, hashes: new Uint32Array(buffer, 0, elements), offsets: allocate(used.length + 1) };
  let at = 0;
  for (const [code, old] of used.entries()) {
    for (let i = offsets[old]!; i < offsets[old + 1]!; i++) taken.hashes[at++] = hashes[i]!;
    taken.offsets[code + 1] = at;
  }
  return taken;
}
