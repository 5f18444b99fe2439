/**
 * Chosen keys of a table in its file, day by day: events, distinct sources, and on which sensors; all families of a kind at once,
 * on some days. No row is kept.
 *
 * Tested in `test/lib/history/stored-episodes.test.ts`.
 */
import type { AddressSets } from "../columns/address-sets.ts";
import { KeyedUnions } from "../columns/keyed-unions.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { LazyBatch } from "../reduced/sorted-table.ts";
import { type Given, lookUp } from "../reduced/stored-pool.ts";
import type { StoredDays, StoredTable } from "../reduced/stored-table.ts";
import { AddressHashes } from "./address-hashes.ts";
import { type KeySlots, SlotFinder, type SlottedRows } from "./key-slots.ts";

/** What is counted of a family. */
export interface DaysWanted {
  readonly slots: Given<KeySlots>;
  /** Whether sources are counted beside the events. */
  readonly hasSources: boolean;
  /** Only on some sensors: by sensor * keys + key the place + 1 of what is counted; 0 = nothing. */
  readonly cells?: Given<Int32Array>;
}

export interface DaysAsk {
  readonly kind: Kind;
  readonly days: StoredDays;
  readonly sensors: number;
  readonly wanted: readonly DaysWanted[];
}

/** Of each key, or of each cell that was asked for, day by day; of key k on the d-th day at `k * days + d`. */
export interface DayCounts {
  readonly keys: number;
  readonly days: StoredDays;
  readonly events: Float64Array;
  /** Distinct; undefined where they are not asked for. */
  readonly sources: Float64Array | undefined;
  /** 1 = nobody knows the sources of a row. */
  readonly isUnknown: Uint8Array;
  /** Events of a key on a sensor, by sensor * keys + key; empty of cells. */
  readonly onSensors: Float64Array;
}

export function lengthOf({ first, last }: StoredDays): number {
  return last - first + 1;
}

export function countDays(stored: StoredTable, { kind, days, sensors, wanted }: DaysAsk): DayCounts[] {
  const counters = wanted.map(one => new FamilyDays(stored, days, sensors, one));
  for (const part of stored.parts(kind, days)) for (const counter of counters) counter.add(part);
  return counters.map(counter => counter.finish());
}

/** Numbers of a line of the cache. */
const BLOCK_DAYS = 8;

class FamilyDays {
  readonly #finder: SlotFinder;
  readonly #keys: number;
  readonly #counts: DayCounts;
  /** Of the day that is added to. */
  readonly #events: Float64Array;
  readonly #unions: KeyedUnions;
  readonly #stored: StoredTable;
  readonly #cells: Int32Array | undefined;
  /** Of the days of one block, day by day. */
  readonly #blockEvents: Float64Array;
  readonly #blockSources: Float64Array;
  #block = 0;
  #day = -Infinity;

  constructor(stored: StoredTable, days: StoredDays, sensors: number, { slots: given, hasSources, cells }: DaysWanted) {
    const slots = lookUp(given);
    this.#finder = new SlotFinder(slots);
    this.#keys = slots.keys;
    this.#cells = cells && lookUp(cells);
    const keys = this.#cells === undefined ? slots.keys : this.#cells.reduce((most, place) => Math.max(most, place), 0);
    this.#events = new Float64Array(keys);
    this.#blockEvents = new Float64Array(keys * BLOCK_DAYS);
    this.#blockSources = new Float64Array(hasSources ? keys * BLOCK_DAYS : 0);
    this.#unions = new KeyedUnions(keys);
    const numbers = () => new Float64Array(keys * lengthOf(days));
    const onSensors = new Float64Array(this.#cells === undefined ? sensors * keys : 0);
    this.#counts = { keys, days, events: numbers(), sources: hasSources ? numbers() : undefined, isUnknown: new Uint8Array(keys), onSensors };
    this.#stored = stored;
  }

  add(part: LazyBatch): void {
    const found = this.#finder.find(part);
    const size = this.#cells === undefined ? found.size : this.#toCells(found, part.sensor);
    if (size === 0) return;
    if (this.#cells === undefined) this.#addSensors(found, part);
    const { day } = part;
    const { rows } = found;
    for (let start = 0; start < size; ) {
      const today = day[rows[start]!]!;
      if (today !== this.#day) this.#closeDay();
      this.#day = today;
      let end = day[rows[size - 1]!] === today ? size : start + 1;
      while (end < size && day[rows[end]!] === today) end++;
      this.#addToday(part, found, start, end);
      start = end;
    }
  }

  finish(): DayCounts {
    this.#closeDay();
    this.#closeBlock();
    return this.#counts;
  }

  /** Rows of wanted cells, with the places of these, in front of the others. @returns How many they are. */
  #toCells({ size, rows, places }: SlottedRows, sensor: Int32Array): number {
    const cells = this.#cells!;
    let kept = 0;
    for (let i = 0; i < size; i++) {
      const row = rows[i]!;
      const cell = cells[sensor[row]! * this.#keys + places[i]!]!;
      if (cell === 0) continue;
      rows[kept] = row;
      places[kept++] = cell - 1;
    }
    return kept;
  }

  #addSensors({ size, rows, places }: SlottedRows, { sensor, count }: LazyBatch): void {
    const { onSensors } = this.#counts;
    for (let i = 0; i < size; i++) onSensors[sensor[rows[i]!]! * this.#keys + places[i]!]! += count[rows[i]!]!;
  }

  #addToday(part: LazyBatch, { rows, places }: SlottedRows, start: number, end: number): void {
    const events = this.#events;
    const { count } = part;
    for (let i = start; i < end; i++) events[places[i]!]! += count[rows[i]!]!;
    if (this.#counts.sources === undefined) return;
    const codes = part.addresses;
    if (codes !== null) this.#addSets(codes, part.sets, rows, places, start, end);
    else this.#addAddresses(part.keys.src_ip!, AddressHashes.of(this.#stored.textsOf("src_ip")), rows, places, start, end);
  }

  #addSets(codes: Int32Array, { hashes, offsets }: AddressSets, rows: Int32Array, places: Int32Array, start: number, end: number): void {
    const unions = this.#unions;
    const { isUnknown } = this.#counts;
    for (let i = start; i < end; i++) {
      const code = codes[rows[i]!]!;
      if (code < 0) isUnknown[places[i]!] = 1;
      else unions.add(places[i]!, hashes, offsets[code]!, offsets[code + 1]!);
    }
  }

  #addAddresses(codes: Int32Array, hashes: AddressHashes, rows: Int32Array, places: Int32Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const code = codes[rows[i]!]!;
      // No address, no count.
      if (code >= 0) this.#unions.addOne(places[i]!, hashes.hashOf(code));
    }
  }

  #closeDay(): void {
    if (this.#day === -Infinity) return;
    const { keys, days, sources } = this.#counts;
    const at = this.#day - days.first;
    const block = Math.floor(at / BLOCK_DAYS);
    if (block !== this.#block) this.#closeBlock();
    this.#block = block;
    this.#blockEvents.set(this.#events, (at % BLOCK_DAYS) * keys);
    this.#events.fill(0);
    if (sources === undefined) return;
    this.#blockSources.set(this.#unions.sizes(), (at % BLOCK_DAYS) * keys);
    this.#unions.clear();
  }

  /** Put the days of a block where they belong, key by key: days one by one would each touch a line of the cache a key. */
  #closeBlock(): void {
    const { keys, days, events, sources } = this.#counts;
    const first = this.#block * BLOCK_DAYS;
    const all = lengthOf(days);
    const length = Math.min(BLOCK_DAYS, all - first);
    const close = (into: Float64Array, block: Float64Array) => {
      for (let key = 0; key < keys; key++) for (let day = 0; day < length; day++) into[key * all + first + day] = block[day * keys + key]!;
      block.fill(0);
    };
    close(events, this.#blockEvents);
    if (sources !== undefined) close(sources, this.#blockSources);
  }
}

/** The same of several ranges of days that follow each other. */
export function joinDayCounts(parts: readonly DayCounts[]): DayCounts {
  const [first] = parts as [DayCounts];
  if (parts.length === 1) return first;
  const { keys } = first;
  const days = { first: first.days.first, last: parts.at(-1)!.days.last };
  const joined = { keys, days, isUnknown: new Uint8Array(keys), onSensors: new Float64Array(first.onSensors.length) };
  const join = (of: (part: DayCounts) => Float64Array) => {
    const all = new Float64Array(keys * lengthOf(days));
    for (const part of parts) {
      const own = lengthOf(part.days);
      const at = part.days.first - days.first;
      for (let key = 0; key < keys; key++) all.set(of(part).subarray(key * own, (key + 1) * own), key * lengthOf(days) + at);
    }
    return all;
  };
  for (const { isUnknown, onSensors } of parts) {
    for (let key = 0; key < keys; key++) joined.isUnknown[key]! |= isUnknown[key]!;
    for (let i = 0; i < onSensors.length; i++) joined.onSensors[i]! += onSensors[i]!;
  }
  return { ...joined, events: join(({ events }) => events), sources: first.sources && join(({ sources }) => sources!) };
}
