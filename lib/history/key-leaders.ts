/**
 * The keys of a family that are looked at: those with most events, and those with most on one day.
 *
 * Tested in `test/lib/history/key-leaders.test.ts`.
 */
import type { KindTable } from "../reduced/reduced-table.ts";
import { widened } from "../columns/growing-column.ts";

/** Keys of a family that are looked at by either. */
export const KEYS_MOST = 300;
/** Rarer keys cannot be told to have changed. */
export const LEAST_EVENTS = 8;

/** Numbers of a record: all events, most on one day, those of the last day, and that day. */
const RECORD = 4;
const MOST = 1;
const TODAY = 2;
const LAST_DAY = 3;
/** Before all days. */
const NO_DAY = -0x8000_0000;
/** Rows whose records are fetched together. */
const AHEAD_ROWS = 64;

/** A key that is looked at. */
export interface KeyLeader {
  readonly key: number;
  /** All events, and the most on one day. */
  readonly total: number;
  readonly most: number;
  /** Rises with the row in which it came first. */
  readonly first: number;
}

/** Finds them in rows that may come part by part, in day order. */
export class KeyLeaders {
  /** By key + 1, as there are rows without one; all of a record is in one line of the cache. */
  #records = new Float64Array(0);
  /** The row in which a key came first, from 1, by key + 1; 0 = not yet. */
  #firsts = new Int32Array(0);
  #rows = 0;
  readonly #fetched = new Float64Array(1);

  /**
   * @param key The key of each row, -1 = none, `< keys`.
   * @param places Which of all rows these are, rising; those behind the ones before if not given.
   */
  add({ rows, day, count }: Pick<KindTable, "rows" | "day" | "count">, key: Int32Array, keys: number, places?: Int32Array): void {
    this.#reserve(keys + 1);
    const records = this.#records;
    const before = this.#rows + 1;
    let fetched = 0;
    for (let start = 0; start < rows; start += AHEAD_ROWS) {
      const end = Math.min(rows, start + AHEAD_ROWS);
      // Looking at records without deciding anything brings them from memory side by side, not one by one: twice as fast.
      for (let row = start; row < end; row++) fetched += records[(key[row]! + 1) * RECORD]!;
      for (let row = start; row < end; row++) {
        const at = (key[row]! + 1) * RECORD;
        const own = day[row]!;
        const last = records[at + LAST_DAY]!;
        const today = (last === own ? records[at + TODAY]! : 0) + count[row]!;
        if (last === NO_DAY) this.#firsts[key[row]! + 1] = places === undefined ? before + row : places[row]! + 1;
        records[at + LAST_DAY] = own;
        records[at + TODAY] = today;
        records[at] = records[at]! + count[row]!;
        if (today > records[at + MOST]!) records[at + MOST] = today;
      }
    }
    // Used, so that no compiler may leave the looking out.
    this.#fetched[0] = fetched;
    this.#rows += rows;
  }

  /** Of each key by key + 1, rounded up to 24 bits: all its events, or the most on one day. */
  atMost(column: "total" | "most"): Float32Array {
    const numbers = new Float32Array(this.#firsts.length);
    for (let at = 0; at < numbers.length; at++) {
      const count = this.#records[at * RECORD + (column === "total" ? 0 : MOST)]!;
      numbers[at] = count;
      if (numbers[at]! < count) numbers[at] = count * (1 + 2 ** -23);
    }
    return numbers;
  }

  /** First those with most events, then those with most on one day; of equal ones first what came first. */
  finish(): number[] {
    return this.found().map(({ key }) => key);
  }

  /** The same, with what is known of each. */
  found(): KeyLeader[] {
    const leaders = new Set([...this.#leaders(0), ...this.#leaders(MOST)]);
    return [...leaders].map(at => ({ key: at - 1, total: this.#records[at * RECORD]!, most: this.#records[at * RECORD + MOST]!, first: this.#firsts[at]! }));
  }

  /** Keys + 1. */
  #leaders(column: number): number[] {
    const frequent = this.#frequent();
    const by = (at: number) => this.#records[at * RECORD + column]!;
    // A floor first: sorting all keys by a function takes far longer than sorting their numbers.
    const floor = new Float64Array(frequent).map(by).sort()[frequent.length - KEYS_MOST] ?? 0;
    return [...frequent.filter(at => by(at) >= floor)].sort((a, b) => by(b) - by(a) || this.#firsts[a]! - this.#firsts[b]!).slice(0, KEYS_MOST);
  }

  #frequent(): Int32Array {
    const frequent = new Int32Array(this.#firsts.length);
    let size = 0;
    for (let at = 0; at < frequent.length; at++) if (this.#records[at * RECORD]! >= LEAST_EVENTS) frequent[size++] = at;
    return frequent.subarray(0, size);
  }

  #reserve(keys: number): void {
    const known = this.#firsts.length;
    if (keys <= known) return;
    this.#firsts = widened(this.#firsts, keys);
    this.#records = widened(this.#records, this.#firsts.length * RECORD);
    for (let key = known; key < this.#firsts.length; key++) this.#records[key * RECORD + LAST_DAY] = NO_DAY;
  }
}

/** The leaders of several lists of leaders, no two of which have a key in common. */
export function chooseLeading(lists: readonly (readonly KeyLeader[])[]): KeyLeader[] {
  const all = lists.flat();
  const best = (by: (leader: KeyLeader) => number) => all.toSorted((a, b) => by(b) - by(a) || a.first - b.first).slice(0, KEYS_MOST);
  return [...new Set([...best(({ total }) => total), ...best(({ most }) => most)])];
}

/** What each leader has at least, by all events or by those of one day; what any frequent key has where there are few. */
export function leastOf(leaders: readonly KeyLeader[]): Pick<KeyLeader, "total" | "most"> {
  const last = (by: (leader: KeyLeader) => number, other: number) => leaders.map(by).sort((a, b) => b - a)[KEYS_MOST - 1] ?? other;
  return { total: last(({ total }) => total, LEAST_EVENTS), most: last(({ most }) => most, 0) };
}
