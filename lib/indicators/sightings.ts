/**
 * How often, when and where each of many values was seen: one row per value, sensor, session and day.
 *
 * Tested in `test/lib/indicators/collect-indicators.test.ts`.
 */
import { sortedRows } from "../columns/group.ts";
import { DAY_US } from "../text/time.ts";

/** All rows of one value, summed up. */
export interface SightingTotals {
  readonly value: number;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly hits: number;
  readonly days: number;
  readonly sources: number;
  readonly sessions: number;
  /** Codes of sensor and session in which it was seen last; a session of -1 is none. */
  readonly lastSession: number;
  /** All of them, as pairs of codes of sensor and session; none but such of which the log tells one. */
  readonly inSessions: Iterable<readonly [sensor: number, session: number]>;
  readonly bySensor: readonly { readonly sensor: number; readonly firstUs: number; readonly lastUs: number; readonly hits: number }[];
}

/** Whole numbers of a row: value, sensor, session, day, source. */
const WIDTH = 5;
/** Sensors there may be, so that a session of one is a number by itself. */
const SESSIONS = 2 ** 32;

export class Sightings {
  #rows = 0;
  #codes = new Int32Array(WIDTH << 10);
  #firstUs = new Float64Array(1 << 10);
  #lastUs = new Float64Array(1 << 10);
  #hits = new Float64Array(1 << 10);
  /** Open addressing; 0 = free, else row + 1. */
  #slots = new Int32Array(1 << 12);
  /** The row that was added to last: events of a session stand together. */
  #last = -1;

  /**
   * Take an event that shows a value; codes, -1 = none.
   *
   * @param hits How often it counts; 0 = it only widens the time.
   */
  add(value: number, sensor: number, session: number, source: number, us: number, hits: number): void {
    const day = Math.floor(us / DAY_US);
    const row = this.#isRow(this.#last, value, sensor, session, day) ? this.#last : this.#find(value, sensor, session, day, us);
    this.#last = row;
    if (us < this.#firstUs[row]!) this.#firstUs[row] = us;
    if (us > this.#lastUs[row]!) this.#lastUs[row] = us;
    this.#hits[row]! += hits;
    if (this.#codes[row * WIDTH + 4]! < 0) this.#codes[row * WIDTH + 4] = source;
  }

  /**
   * Sum up the rows of each value.
   *
   * @param isWanted Which values are wanted.
   * @param isRow Only what was seen in this session of this sensor, on this day, counted from 1970-01-01 UTC.
   * @returns By value, rising.
   */
  *totals(
    isWanted: (value: number) => boolean,
    isRow?: (sensor: number, session: number, day: number) => boolean,
  ): Generator<SightingTotals> {
    const column = (i: number) => Int32Array.from({ length: this.#rows }, (_, row) => this.#codes[row * WIDTH + i]!);
    const values = column(0);
    const order = sortedRows([values, column(1)], this.#rows);
    for (let start = 0; start < order.length; ) {
      const value = values[order[start]!]!;
      let end = start + 1;
      while (end < order.length && values[order[end]!] === value) end++;
      let rows = order.subarray(start, end);
      start = end;
      if (!isWanted(value)) continue;
      const codes = this.#codes;
      if (isRow !== undefined) rows = rows.filter(row => isRow(codes[row * WIDTH + 1]!, codes[row * WIDTH + 2]!, codes[row * WIDTH + 3]!));
      if (rows.length > 0) yield this.#sum(value, rows);
    }
  }

  /** Days on which anything was seen, rising. */
  days(): number[] {
    const days = new Set<number>();
    for (let row = 0; row < this.#rows; row++) days.add(this.#codes[row * WIDTH + 3]!);
    return [...days].sort((a, b) => a - b);
  }

  /** @param rows By sensor. */
  #sum(value: number, rows: Int32Array): SightingTotals {
    const days = new Set<number>();
    const sources = new Set<number>();
    const sessions = new Set<number>();
    const bySensor: { sensor: number; firstUs: number; lastUs: number; hits: number }[] = [];
    let last = -1;
    for (const row of rows) {
      const [, sensor, session, day, source] = this.#codes.subarray(row * WIDTH, row * WIDTH + WIDTH) as unknown as [number, number, number, number, number];
      days.add(day);
      if (source >= 0) sources.add(source);
      if (session >= 0) sessions.add(sensor * SESSIONS + session);
      const [first, latest, hits] = [this.#firstUs[row]!, this.#lastUs[row]!, this.#hits[row]!];
      if (last < 0 || latest > this.#lastUs[last]!) last = row;
      const own = bySensor.at(-1);
      if (own?.sensor !== sensor) bySensor.push({ sensor, firstUs: first, lastUs: latest, hits });
      else {
        own.firstUs = Math.min(own.firstUs, first);
        own.lastUs = Math.max(own.lastUs, latest);
        own.hits += hits;
      }
    }
    return {
      value,
      firstUs: bySensor.reduce((least, { firstUs }) => Math.min(least, firstUs), Infinity),
      lastUs: bySensor.reduce((most, { lastUs }) => Math.max(most, lastUs), -Infinity),
      hits: bySensor.reduce((sum, { hits }) => sum + hits, 0),
      days: days.size,
      sources: sources.size,
      sessions: sessions.size,
      lastSession: this.#codes[last * WIDTH + 2]!,
      inSessions: Array.from(sessions, both => [Math.floor(both / SESSIONS), both % SESSIONS] as const),
      bySensor,
    };
  }

  #isRow(row: number, value: number, sensor: number, session: number, day: number): boolean {
    const at = row * WIDTH;
    const codes = this.#codes;
    return row >= 0 && codes[at] === value && codes[at + 2] === session && codes[at + 1] === sensor && codes[at + 3] === day;
  }

  #find(value: number, sensor: number, session: number, day: number, us: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(value, sensor, session, day) & mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#isRow(entry - 1, value, sensor, session, day)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    if (this.#rows === this.#hits.length) this.#grow();
    const row = this.#rows++;
    this.#codes.set([value, sensor, session, day, -1], row * WIDTH);
    this.#firstUs[row] = this.#lastUs[row] = us;
    this.#slots[slot] = row + 1;
    if (this.#rows * 2 > this.#slots.length) this.#rehash();
    return row;
  }

  #grow(): void {
    const widen = <T extends Int32Array | Float64Array>(old: T): T => {
      const wide = new (old.constructor as new (length: number) => T)(old.length * 2);
      wide.set(old);
      return wide;
    };
    this.#codes = widen(this.#codes);
    this.#firstUs = widen(this.#firstUs);
    this.#lastUs = widen(this.#lastUs);
    this.#hits = widen(this.#hits);
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let row = 0; row < this.#rows; row++) {
      const [value, sensor, session, day] = this.#codes.subarray(row * WIDTH) as unknown as [number, number, number, number];
      let slot = hash(value, sensor, session, day) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = row + 1;
    }
  }
}

function hash(value: number, sensor: number, session: number, day: number): number {
  let mixed = Math.imul(value ^ 0x5bd1e995, 0x9e3779b1);
  for (const code of [sensor, session, day]) {
    mixed = Math.imul(mixed ^ code, 0x85ebca6b);
    mixed ^= mixed >>> 15;
  }
  return mixed ^ (mixed >>> 13);
}
