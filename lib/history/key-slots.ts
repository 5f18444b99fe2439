/**
 * The chosen keys of a family, found again in the rows of a table in its file: by a number or two a code, in memory that threads
 * share.
 *
 * Tested in `test/lib/history/stored-leaders.test.ts`.
 */
import type { KeyColumn } from "../reduced/kinds.ts";
import type { KindTable } from "../reduced/reduced-table.ts";

export interface KeySlots {
  readonly columns: readonly KeyColumn[];
  /** Chosen keys: they are told by their places, in the order in which they were chosen. */
  readonly keys: number;
  /**
   * By column, and there by code + 1: 0 = no chosen key has it. Of a single column the place + 1 of the key that does; of two
   * the number of the code among those that any key has, from 1.
   */
  readonly ranks: readonly Uint16Array[];
  /** Of two columns: by the first's number and then the second's (both from 0) the place + 1 of the key; 0 = none has both. */
  readonly places: Uint16Array;
  /** How many numbers the second has. */
  readonly width: number;
}

/** @param codes Of each key's columns, one or two: `codes[column][place]`. */
export function toSlots(columns: readonly KeyColumn[], codes: readonly ArrayLike<number>[]): KeySlots {
  const keys = codes[0]!.length;
  const ranks = codes.map(column => rankCodes(column));
  const [first, second] = ranks;
  if (second === undefined) return { columns, keys, ranks: [first!.ranks], places: new Uint16Array(0), width: 0 };
  const places = sharedShorts(first!.size * second.size);
  for (let place = 0; place < keys; place++) {
    const row = first!.ranks[codes[0]![place]! + 1]! - 1;
    places[row * second.size + second.ranks[codes[1]![place]! + 1]! - 1] = place + 1;
  }
  return { columns, keys, ranks: [first!.ranks, second.ranks], places, width: second.size };
}

/** Slots of a single column of which several codes may be one key: `placeOf` a code is -1 where it is none that was chosen. */
export function toManySlots(column: KeyColumn, keys: number, codes: number, placeOf: (code: number) => number): KeySlots {
  const ranks = sharedShorts(codes + 1);
  for (let code = -1; code < codes; code++) ranks[code + 1] = placeOf(code) + 1;
  return { columns: [column], keys, ranks: [ranks], places: new Uint16Array(0), width: 0 };
}

/** Numbers of codes from 1, in the order in which they come first. */
function rankCodes(codes: ArrayLike<number>): { readonly ranks: Uint16Array; readonly size: number } {
  let most = -1;
  for (let i = 0; i < codes.length; i++) most = Math.max(most, codes[i]!);
  const ranks = sharedShorts(most + 2);
  let size = 0;
  for (let i = 0; i < codes.length; i++) if (ranks[codes[i]! + 1] === 0) ranks[codes[i]! + 1] = ++size;
  return { ranks, size };
}

function sharedShorts(length: number): Uint16Array {
  return new Uint16Array(new SharedArrayBuffer(length * Uint16Array.BYTES_PER_ELEMENT));
}

/** Rows of chosen keys, and the places of these; good until the next are asked for. */
export interface SlottedRows {
  readonly size: number;
  readonly rows: Int32Array;
  readonly places: Int32Array;
}

/** Finds them batch by batch. */
export class SlotFinder {
  readonly #slots: KeySlots;
  #rows = new Int32Array(0);
  #places = new Int32Array(0);

  constructor(slots: KeySlots) {
    this.#slots = slots;
  }

  find({ rows, keys }: Pick<KindTable, "rows" | "keys">): SlottedRows {
    if (this.#rows.length < rows) {
      this.#rows = new Int32Array(rows);
      this.#places = new Int32Array(rows);
    }
    const [first, second] = this.#slots.columns.map(column => keys[column]!);
    const size = second === undefined ? this.#findCodes(first!, rows) : this.#findPairs(first!, second, rows);
    return { size, rows: this.#rows, places: this.#places };
  }

  #findCodes(codes: Int32Array, rows: number): number {
    const ranks = this.#slots.ranks[0]!;
    const [found, places] = [this.#rows, this.#places];
    let size = 0;
    for (let row = 0; row < rows; row++) {
      // A code behind the end gives nothing, which is no place.
      const rank = ranks[codes[row]! + 1]!;
      if (!(rank > 0)) continue;
      found[size] = row;
      places[size++] = rank - 1;
    }
    return size;
  }

  #findPairs(a: Int32Array, b: Int32Array, rows: number): number {
    const { ranks, places: placeOf, width } = this.#slots;
    const [ranksA, ranksB] = ranks as [Uint16Array, Uint16Array];
    const [found, places] = [this.#rows, this.#places];
    let size = 0;
    for (let row = 0; row < rows; row++) {
      const rankB = ranksB[b[row]! + 1]!;
      if (!(rankB > 0)) continue;
      const rankA = ranksA[a[row]! + 1]!;
      if (!(rankA > 0)) continue;
      const place = placeOf[(rankA - 1) * width + rankB - 1]!;
      if (place === 0) continue;
      found[size] = row;
      places[size++] = place - 1;
    }
    return size;
  }
}
