/**
 * Sorted lists of texts to one: two at a time, neighbours of equal weight first, so that a list is walked through as often as the
 * number of lists has digits, one text behind the other, and none is looked up.
 *
 * Of a text no more is held than what it does not share with the one before it. Which of two comes first is nearly always told by how
 * much either shares with the last one taken (the LCP merge of Ng and Kakehi, 2008): a byte or two are compared and copied, not all of
 * them (measured: a quarter of the time).
 */
import type { Texts } from "./dictionary.ts";
import { compareBytes } from "./sort-texts.ts";

/** A list of texts, each by what it does not share with the one before it. */
interface Shortened {
  readonly size: number;
  /** Bytes that a text shares with the one before it, from its start on. */
  readonly shared: Int32Array;
  /** What follows those, one text behind the other. */
  readonly rests: Uint8Array;
  /** `offsets[i]` and `offsets[i + 1]` = where the rest of a text starts and ends. */
  readonly offsets: Int32Array;
}

/** Lists that are one by now. */
interface Node {
  readonly texts: Shortened;
  /** Of each list the places of its texts in this one; undefined = of a single list, which has its own. */
  readonly codes: readonly (Int32Array | undefined)[];
}

/** Unites lists in the order in which they are added; each is let go once it is part of a longer one. */
export class TextsMerger {
  readonly #nodes: Node[] = [];

  /**
   * @param texts Each once, in the order of `sortTexts`.
   * @returns Whether they are; else they are not added.
   */
  add(texts: Texts): boolean {
    const shortened = shorten(texts);
    if (shortened === undefined) return false;
    this.#nodes.push({ texts: shortened, codes: [undefined] });
    while (this.#nodes.length > 1 && this.#nodes.at(-1)!.codes.length >= this.#nodes.at(-2)!.codes.length) this.#mergeLast();
    return true;
  }

  /** All texts in order, and of each list that was added the places of its texts among them. */
  finish(): { readonly texts: Texts; readonly codes: readonly Int32Array[] } {
    while (this.#nodes.length > 1) this.#mergeLast();
    const [{ texts, codes } = { texts: NO_TEXTS, codes: [] }] = this.#nodes.splice(0);
    return { texts: lengthen(texts), codes: codes.map(own => own ?? Int32Array.from({ length: texts.size }, (_, code) => code)) };
  }

  #mergeLast(): void {
    const [a, b] = this.#nodes.splice(-2) as [Node, Node];
    const { texts, places } = mergeTwo(a.texts, b.texts);
    this.#nodes.push({ texts, codes: [...recode(a, places[0]), ...recode(b, places[1])] });
  }
}

const NO_TEXTS: Shortened = { size: 0, shared: new Int32Array(0), rests: new Uint8Array(0), offsets: new Int32Array(1) };

function recode({ codes }: Node, places: Int32Array): Int32Array[] {
  return codes.map(own => {
    if (own === undefined) return places;
    for (let i = 0; i < own.length; i++) own[i] = places[own[i]!]!;
    return own;
  });
}

/** @returns undefined if a text does not come behind the one before it. */
function shorten({ size, arena, offsets: starts }: Texts): Shortened | undefined {
  const shared = new Int32Array(size);
  const offsets = new Int32Array(size + 1);
  const rests = new Uint8Array(size === 0 ? 0 : starts[size]! - starts[0]!);
  let filled = 0;
  for (let code = 0; code < size; code++) {
    const start = starts[code]!;
    const end = starts[code + 1]!;
    let at = start;
    if (code > 0) {
      let before = starts[code - 1]!;
      while (before < start && at < end && arena[before] === arena[at]) {
        before++;
        at++;
      }
      if (at === end || (before < start && compareBytes(arena[before]!, arena[at]!) > 0)) return undefined;
    }
    shared[code] = at - start;
    while (at < end) rests[filled++] = arena[at++]!;
    offsets[code + 1] = filled;
  }
  return { size, shared, rests: rests.slice(0, filled), offsets };
}

function lengthen({ size, shared, rests, offsets: restOffsets }: Shortened): Texts {
  const offsets = new Int32Array(size + 1);
  let bytes = 0;
  for (let code = 0; code < size; code++) bytes += shared[code]! + restOffsets[code + 1]! - restOffsets[code]!;
  if (bytes > 2 ** 31 - 1) throw new RangeError(`Cannot hold ${bytes} bytes of distinct text in one column: expected at most 2 GiB`);
  const arena = new Uint8Array(bytes);
  for (let code = 0, at = 0; code < size; code++) {
    const end = at + shared[code]!;
    for (let before = offsets[code - 1]!; at < end; ) arena[at++] = arena[before++]!;
    for (let from = restOffsets[code]!; from < restOffsets[code + 1]!; ) arena[at++] = rests[from++]!;
    offsets[code + 1] = at;
  }
  return { size, arena, offsets };
}

function mergeTwo(a: Shortened, b: Shortened): { readonly texts: Shortened; readonly places: readonly [Int32Array, Int32Array] } {
  const places = [new Int32Array(a.size), new Int32Array(b.size)] as const;
  if (a.size === 0 || b.size === 0) {
    for (const own of places) for (let i = 0; i < own.length; i++) own[i] = i;
    return { texts: a.size === 0 ? b : a, places };
  }
  const texts = new Growing(a.size + b.size, a.rests.length + b.rests.length);
  const [placesA, placesB] = places;
  // What the next text of either list shares with the last one taken, which lies between it and the one before it.
  let sharedA = 0;
  let sharedB = 0;
  let i = 0;
  let j = 0;
  while (i < a.size && j < b.size) {
    // Who shares more comes first, and the other shares no more with it than before.
    let order = sharedB - sharedA;
    let sharedByBoth = Math.min(sharedA, sharedB);
    if (order === 0) {
      let atA = a.offsets[i]! + sharedA - a.shared[i]!;
      let atB = b.offsets[j]! + sharedB - b.shared[j]!;
      const endA = a.offsets[i + 1]!;
      const endB = b.offsets[j + 1]!;
      while (atA < endA && atB < endB && a.rests[atA] === b.rests[atB]) {
        atA++;
        atB++;
        sharedByBoth++;
      }
      order = atA < endA && atB < endB ? compareBytes(a.rests[atA]!, b.rests[atB]!) : Number(atA < endA) - Number(atB < endB);
    }
    if (order <= 0) placesA[i] = texts.size;
    if (order >= 0) placesB[j] = texts.size;
    if (order <= 0) texts.take(a, i++, sharedA);
    else texts.take(b, j++, sharedB);
    if (order === 0) j++;
    sharedA = order > 0 ? sharedByBoth : i < a.size ? a.shared[i]! : 0;
    sharedB = order < 0 ? sharedByBoth : j < b.size ? b.shared[j]! : 0;
  }
  for (; i < a.size; sharedA = i < a.size ? a.shared[i]! : 0) {
    placesA[i] = texts.size;
    texts.take(a, i++, sharedA);
  }
  for (; j < b.size; sharedB = j < b.size ? b.shared[j]! : 0) {
    placesB[j] = texts.size;
    texts.take(b, j++, sharedB);
  }
  return { texts: texts.finish(), places };
}

/** A list in the making. */
class Growing {
  size = 0;
  readonly #shared: Int32Array;
  readonly #offsets: Int32Array;
  readonly #rests: Uint8Array;

  constructor(most: number, mostBytes: number) {
    this.#shared = new Int32Array(most);
    this.#offsets = new Int32Array(most + 1);
    this.#rests = new Uint8Array(mostBytes);
  }

  /** @param shared Bytes that it shares with the last one: no fewer than with the one before it in its own list. */
  take(from: Shortened, i: number, shared: number): void {
    const rests = this.#rests;
    let at = this.#offsets[this.size]!;
    const end = from.offsets[i + 1]!;
    for (let byte = from.offsets[i]! + shared - from.shared[i]!; byte < end; ) rests[at++] = from.rests[byte++]!;
    this.#shared[this.size++] = shared;
    this.#offsets[this.size] = at;
  }

  finish(): Shortened {
    const { size } = this;
    return { size, shared: this.#shared.slice(0, size), rests: this.#rests.slice(0, this.#offsets[size]!), offsets: this.#offsets.slice(0, size + 1) };
  }
}
