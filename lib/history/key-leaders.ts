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

/** Finds them in rows that may come part by part, in day order. */
export class KeyLeaders {
  /** By key + 1, as there are rows without one; all of a record is in one line of the cache. */
  #records = new Float64Array(0);
  /** In which order keys came, from 1, by key + 1. */
  #order = new Int32Array(0);
  #seen = 0;
  readonly #fetched = new Float64Array(1);

  /** @param key The key of each row, -1 = none, `< keys`. */
  add({ rows, day, count }: Pick<KindTable, "rows" | "day" | "count">, key: Int32Array, keys: number): void {
    this.#reserve(keys + 1);
    const records = this.#records;
    const order = this.#order;
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
        if (last === NO_DAY) order[key[row]! + 1] = ++this.#seen;
        records[at + LAST_DAY] = own;
        records[at + TODAY] = today;
        records[at] = records[at]! + count[row]!;
        if (today > records[at + MOST]!) records[at + MOST] = today;
      }
    }
    // Used, so that no compiler may leave the looking out.
    this.#fetched[0] = fetched;
  }

  /** Events of each key by key + 1, and the most of them on one day. */
  sums(): { readonly totals: Float64Array; readonly mosts: Float64Array } {
    const column = (at: number) => {
      const numbers = new Float64Array(this.#order.length);
      for (let key = 0; key < numbers.length; key++) numbers[key] = this.#records[key * RECORD + at]!;
      return numbers;
    };
    return { totals: column(0), mosts: column(MOST) };
  }

  /** First those with most events, then those with most on one day; of equal ones first what came first. */
  finish(): number[] {
    return [...new Set([0, MOST].flatMap(column => this.#leaders(column)))].map(at => at - 1);
  }

  /** What each key told by {@link finish} has at least, either way; what any frequent one has where there are few. */
  least(): { readonly total: number; readonly most: number } {
    const leastOf = (column: number, other: number) => {
      const leaders = this.#leaders(column);
      return leaders.length < KEYS_MOST ? other : this.#records[leaders.at(-1)! * RECORD + column]!;
    };
    return { total: leastOf(0, LEAST_EVENTS), most: leastOf(MOST, 0) };
  }

  /** Keys + 1. */
  #leaders(column: number): number[] {
    const frequent = this.#frequent();
    const by = (at: number) => this.#records[at * RECORD + column]!;
    // A floor first: sorting all keys by a function takes far longer than sorting their numbers.
    const floor = new Float64Array(frequent).map(by).sort()[frequent.length - KEYS_MOST] ?? 0;
    return [...frequent.filter(at => by(at) >= floor)].sort((a, b) => by(b) - by(a) || this.#order[a]! - this.#order[b]!).slice(0, KEYS_MOST);
  }

  #frequent(): Int32Array {
    const frequent = new Int32Array(this.#order.length);
    let size = 0;
    for (let at = 0; at < frequent.length; at++) if (this.#records[at * RECORD]! >= LEAST_EVENTS) frequent[size++] = at;
    return frequent.subarray(0, size);
  }

  #reserve(keys: number): void {
    const known = this.#order.length;
    if (keys <= known) return;
    this.#order = widened(this.#order, keys);
    this.#records = widened(this.#records, this.#order.length * RECORD);
    for (let key = known; key < this.#order.length; key++) this.#records[key * RECORD + LAST_DAY] = NO_DAY;
  }
}
