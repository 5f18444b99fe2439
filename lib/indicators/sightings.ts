/**
 * How often, when and where each of many values was seen: rows of a value, sensor, session and day.
 *
 * Tested in `test/lib/indicators/collect-indicators.test.ts`.
 */
import { sortedRows } from "../columns/group.ts";
import { DAY_US } from "../text/time.ts";
import { widened } from "../columns/growing-column.ts";

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
  /** Open addressing; 0 = free, else row + 1. Without it a value may have several rows of one session and day. */
  #slots: Int32Array | undefined;
  /** By session + 1 the row that was added to last: events of a session, most of them of one value, stand near each other. */
  #last = new Int32Array(1 << 10).fill(-1);

  /** @param isUnique Whether a value has one row a session and day; not needed where a value tells its source. */
  constructor(isUnique = true) {
    if (isUnique) this.#slots = new Int32Array(1 << 12);
  }

  /**
   * Take an event that shows a value; codes, -1 = none.
   *
   * @param hits How often it counts; 0 = it only widens the time.
   */
  add(value: number, sensor: number, session: number, source: number, us: number, hits: number): void {
    const day = Math.floor(us / DAY_US);
    if (session + 1 >= this.#last.length) this.#growLast(session + 2);
    const last = this.#last[session + 1]!;
    const row = this.#isRow(last, value, sensor, session, day) ? last : this.#find(value, sensor, session, day, us);
    this.#last[session + 1] = row;
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
    const rows = this.#rowsOf(isWanted, isRow);
    const codes = this.#codes;
    const [values, sensors] = [0, 1].map(column => rows.map(row => codes[row * WIDTH + column]!)) as [Int32Array, Int32Array];
    const order = sortedRows([values, sensors], rows.length);
    for (let start = 0; start < order.length; ) {
      const value = values[order[start]!]!;
      let end = start + 1;
      while (end < order.length && values[order[end]!] === value) end++;
      yield this.#sum(value, order.subarray(start, end).map(place => rows[place]!));
      start = end;
    }
  }

  #rowsOf(isWanted: (value: number) => boolean, isRow?: (sensor: number, session: number, day: number) => boolean): Int32Array {
    const found = new Int32Array(this.#rows);
    const codes = this.#codes;
    let count = 0;
    for (let row = 0, at = 0; row < this.#rows; row++, at += WIDTH) {
      if (!isWanted(codes[at]!) || (isRow !== undefined && !isRow(codes[at + 1]!, codes[at + 2]!, codes[at + 3]!))) continue;
      found[count++] = row;
    }
    return found.subarray(0, count);
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
      const at = row * WIDTH;
      const sensor = this.#codes[at + 1]!;
      const session = this.#codes[at + 2]!;
      const source = this.#codes[at + 4]!;
      days.add(this.#codes[at + 3]!);
      if (source >= 0) sources.add(source);
      if (session >= 0) sessions.add(sensor * SESSIONS + session);
      const first = this.#firstUs[row]!;
      const latest = this.#lastUs[row]!;
      const hits = this.#hits[row]!;
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
    const slots = this.#slots;
    if (slots === undefined) return this.#addRow(value, sensor, session, day, us);
    const mask = slots.length - 1;
    let slot = hash(value, sensor, session, day) & mask;
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      if (this.#isRow(entry - 1, value, sensor, session, day)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    const row = this.#addRow(value, sensor, session, day, us);
    slots[slot] = row + 1;
    if (this.#rows * 2 > slots.length) this.#slots = this.#rehashed(slots.length * 2);
    return row;
  }

  #addRow(value: number, sensor: number, session: number, day: number, us: number): number {
    if (this.#rows === this.#hits.length) this.#grow();
    const row = this.#rows++;
    const at = row * WIDTH;
    this.#codes[at] = value;
    this.#codes[at + 1] = sensor;
    this.#codes[at + 2] = session;
    this.#codes[at + 3] = day;
    this.#codes[at + 4] = -1;
    this.#firstUs[row] = this.#lastUs[row] = us;
    return row;
  }

  #grow(): void {
    this.#codes = widened(this.#codes);
    this.#firstUs = widened(this.#firstUs);
    this.#lastUs = widened(this.#lastUs);
    this.#hits = widened(this.#hits);
  }

  #growLast(least: number): void {
    this.#last = widened(this.#last, least).fill(-1, this.#last.length);
  }

  #rehashed(length: number): Int32Array {
    const slots = new Int32Array(length);
    const mask = length - 1;
    for (let row = 0; row < this.#rows; row++) {
      const at = row * WIDTH;
      let slot = hash(this.#codes[at]!, this.#codes[at + 1]!, this.#codes[at + 2]!, this.#codes[at + 3]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    return slots;
  }
}

function hash(value: number, sensor: number, session: number, day: number): number {
  let mixed = Math.imul(Math.imul(value ^ 0x5bd1e995, 0x9e3779b1) ^ sensor, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ session, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ day, 0x85ebca6b);
  mixed ^= mixed >>> 15;
  return mixed ^ (mixed >>> 13);
}
