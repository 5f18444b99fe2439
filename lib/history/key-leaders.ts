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

/** Finds them in rows that may come part by part, in day order. */
export class KeyLeaders {
  // By key + 1, as there are rows without one. A row touches the first alone; the others wait until its day is over.
  #today = new Float64Array(0);
  #totals = new Float64Array(0);
  /** The most events on one day. */
  #mosts = new Float64Array(0);
  /** In which order keys came, from 1; 0 = not yet. */
  #order = new Int32Array(0);
  #seen = 0;
  /** The keys of the day, + 1; one without events may be there more than once. */
  #touched = new Int32Array(0);
  #touches = 0;
  #day = -Infinity;

  /** @param key The key of each row, -1 = none, `< keys`. */
  add({ rows, day, count }: Pick<KindTable, "rows" | "day" | "count">, key: Int32Array, keys: number): void {
    this.#reserve(keys + 1, rows);
    for (let start = 0; start < rows; ) {
      const today = day[start]!;
      if (today !== this.#day) this.#closeDay();
      this.#day = today;
      let end = day[rows - 1] === today ? rows : start + 1;
      while (end < rows && day[end] === today) end++;
      this.#addToday(key, count, start, end);
      start = end;
    }
  }

  #addToday(key: Int32Array, count: Float64Array, start: number, end: number): void {
    const today = this.#today;
    const touched = this.#touched;
    let touches = this.#touches;
    for (let row = start; row < end; row++) {
      const at = key[row]! + 1;
      const before = today[at]!;
      if (before === 0) touched[touches++] = at;
      today[at] = before + count[row]!;
    }
    this.#touches = touches;
  }

  #closeDay(): void {
    for (let i = 0; i < this.#touches; i++) {
      const at = this.#touched[i]!;
      const count = this.#today[at]!;
      this.#today[at] = 0;
      this.#totals[at]! += count;
      if (count > this.#mosts[at]!) this.#mosts[at] = count;
      if (this.#order[at] === 0) this.#order[at] = ++this.#seen;
    }
    this.#touches = 0;
  }

  /** Events of each key by key + 1, and the most of them on one day. */
  sums(): { readonly totals: Float64Array; readonly mosts: Float64Array } {
    this.#closeDay();
    return { totals: this.#totals, mosts: this.#mosts };
  }

  /** First those with most events, then those with most on one day; of equal ones first what came first. */
  finish(): number[] {
    const { totals, mosts } = this.sums();
    return [...new Set([totals, mosts].flatMap(counts => this.#leaders(counts)))].map(at => at - 1);
  }

  /** What each key told by {@link finish} has at least, either way; what any frequent one has where there are few. */
  least(): { readonly total: number; readonly most: number } {
    const { totals, mosts } = this.sums();
    const leastOf = (counts: Float64Array, other: number) => {
      const leaders = this.#leaders(counts);
      return leaders.length < KEYS_MOST ? other : counts[leaders.at(-1)!]!;
    };
    return { total: leastOf(totals, LEAST_EVENTS), most: leastOf(mosts, 0) };
  }

  /** Keys + 1. */
  #leaders(counts: Float64Array): number[] {
    const frequent = this.#frequent();
    const by = (at: number) => counts[at]!;
    // A floor first: sorting all keys by a function takes far longer than sorting their numbers.
    const floor = new Float64Array(frequent).map(by).sort()[frequent.length - KEYS_MOST] ?? 0;
    return [...frequent.filter(at => by(at) >= floor)].sort((a, b) => by(b) - by(a) || this.#order[a]! - this.#order[b]!).slice(0, KEYS_MOST);
  }

  #frequent(): Int32Array {
    const frequent = new Int32Array(this.#totals.length);
    let size = 0;
    for (let at = 0; at < this.#totals.length; at++) if (this.#totals[at]! >= LEAST_EVENTS) frequent[size++] = at;
    return frequent.subarray(0, size);
  }

  #reserve(keys: number, rows: number): void {
    if (this.#touches + rows > this.#touched.length) this.#touched = widened(this.#touched, this.#touches + rows);
    if (keys <= this.#today.length) return;
    this.#today = widened(this.#today, keys);
    this.#totals = widened(this.#totals, keys);
    this.#mosts = widened(this.#mosts, keys);
    this.#order = widened(this.#order, keys);
  }
}
