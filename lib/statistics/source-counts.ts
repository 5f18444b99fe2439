/**
 * Distinct source addresses of each key: per sensor and day, and over the whole fleet per day.
 *
 * They are unions of the sets that a table keeps beside its rows, and no sums: a source that comes back, or to several
 * sensors, is one. So `max over sensors <= fleet <= sum over sensors`, and no key has more sources than events.
 */
import { AddressUnion } from "../columns/address-sets.ts";
import { sharedFloats, sharedInts } from "../columns/shared-arrays.ts";
import { addressesOf, countAddresses, knowsAddresses, type RowAddresses } from "../reduced/addresses.ts";
import { type Kind, KIND_NAMES } from "../reduced/kinds.ts";
import type { ShownKind } from "../reduced/origin-kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { networkOf } from "../text/network.ts";
import type { Windows } from "./baseline.ts";
import { type Coverage, CUT } from "./coverage.ts";
import {
  type ChangeKind,
  type FleetRows,
  type InternedRows,
  type KeyedRows,
  type KeyValues,
  MARKED_KEYS,
  markTexts,
  SOURCE_FAMILIES,
  type SourceFamily,
  valuesOf,
} from "./keyed-rows.ts";
import { widened } from "../columns/growing-column.ts";

/** Kinds whose sources are counted by the same keys as their events. */
export const SOURCE_KINDS = ["event", "login", "command", "client"] as const;

/** The rows that a family's keys are taken from, and of which texts, if not those of a column. */
export const FAMILY_ROWS = {
  username: { kind: "login" },
  password: { kind: "login" },
  program: { kind: "command", textOf: (input: string) => /\S+/.exec(input)?.[0] },
  hash: { kind: "file_download" },
  client_key: { kind: "client_key" },
  subnet: { kind: "connect", textOf: networkOf },
  destination: { kind: "proxy_request" },
} as const satisfies Record<SourceFamily, { readonly kind: Kind; readonly textOf?: (text: string) => string | undefined }>;

/** A family's keys, before they are numbered: columns of codes, -1 = none, and what the codes stand for. */
export interface FamilyColumns {
  readonly family: SourceFamily;
  readonly kind: Kind;
  readonly columns: readonly Int32Array[];
  /** Texts made for the family, where its keys are not those of a column. */
  readonly texts: readonly string[] | undefined;
}

/** The families of the kinds that are compared; offered keys, whose events are not, come with all of them. */
export function familiesOf(kinds: readonly ShownKind[]): SourceFamily[] {
  const families = Object.keys(SOURCE_FAMILIES) as SourceFamily[];
  return families.filter(family => kinds.includes(FAMILY_ROWS[family].kind) || (family === "client_key" && kinds.includes("client")));
}

export function familyColumns(table: ReducedTable, family: SourceFamily): FamilyColumns {
  const from: { readonly kind: Kind; readonly textOf?: (text: string) => string | undefined } = FAMILY_ROWS[family];
  const { kind, textOf } = from;
  const { rows, keys } = table.kinds[kind];
  const columns = SOURCE_FAMILIES[family].columns.map(name => keys[name]!);
  if (textOf === undefined) return { family, kind, columns, texts: undefined };
  const name = SOURCE_FAMILIES[family].columns[0] as "input" | "src_ip";
  const { codes, texts } = mapTexts(table.dictionaries[name], textOf);
  const [column] = columns as [Int32Array];
  const mapped = sharedInts(rows);
  for (let row = 0; row < rows; row++) mapped[row] = column[row]! < 0 ? -1 : codes[column[row]!]!;
  return { family, kind, columns: [mapped], texts };
}

/** What is made of each text, -1 = nothing; equal ones are one. */
export function mapTexts(from: readonly string[], textOf: (text: string) => string | undefined) {
  const known = new Map<string, number>();
  const codes = Int32Array.from(from, text => {
    const made = textOf(text);
    if (made === undefined) return -1;
    const code = known.get(made) ?? known.size;
    if (code === known.size) known.set(made, code);
    return code;
  });
  return { codes, texts: [...known.keys()] };
}

/** What a numbered key of a family stands for. */
export function familyValues(table: ReducedTable, { family, kind, columns, texts }: FamilyColumns, keys: InternedRows, key: number): KeyValues {
  if (texts === undefined) return valuesOf(table, kind, keys, key, SOURCE_FAMILIES[family].columns);
  const code = columns[0]![keys.firstRow[key]!]!;
  return [code < 0 ? null : texts[code]!];
}

/** All that is needed to count the sources of one kind of key. */
export interface SourceAsk extends Pick<KeyedRows, "kind" | "rows" | "day" | "sensor" | "count" | "key" | "keys" | "marks"> {
  readonly addresses: RowAddresses;
  /** The key that stands for no value; -1 where that is a value like others. */
  readonly nothing: number;
}

/** Put together what {@link countSources} needs; `kind` are the rows, `as` what their keys are called. */
export function toSourceAsk(table: ReducedTable, kind: Kind, as: ChangeKind, keys: Pick<InternedRows, "key" | "keys">, marks?: Uint32Array): SourceAsk {
  const { rows, day, sensor, count } = table.kinds[kind];
  const addresses = addressesOf(table, kind)!;
  return { kind: as, rows, day, sensor, count, addresses, key: keys.key, keys: keys.keys, nothing: -1, ...(marks && { marks }) };
}

/** {@link FamilyColumns} as a {@link SourceAsk}. */
export function familyAsk(table: ReducedTable, of: FamilyColumns, keys: InternedRows, markedFrom = MARKED_KEYS): SourceAsk {
  const marks =
    keys.keys <= markedFrom
      ? undefined
      : markTexts(
          of.columns.map((codes, i) => {
            const name = SOURCE_FAMILIES[of.family].columns[i]!;
            return { codes, texts: of.texts ?? (name === "dst_port" ? undefined : table.dictionaries[name]) };
          }),
          keys,
        );
  const ask = toSourceAsk(table, of.kind, of.family, keys, marks);
  // A part of a key that is missing is no key of its own.
  const [only, more] = of.columns;
  return more === undefined ? { ...ask, nothing: keys.firstRow.findIndex(row => only![row]! < 0) } : ask;
}

/**
 * The windows of what is known of sources: sensor-days of which a row does not know them are passed over.
 *
 * @returns The windows of events where all is known; undefined where no comparison can be made.
 */
export function sourceWindows(
  table: ReducedTable,
  coverage: Coverage,
  windows: Windows,
  build: (coverage: Coverage) => Windows,
): Windows | undefined {
  const orNone = (of: Windows) => (of.windows.some(window => window !== undefined) ? of : undefined);
  if (knowsAddresses(table)) return orNone(windows);
  const status = coverage.status.slice();
  const exposure = coverage.exposure.slice();
  for (const kind of KIND_NAMES) {
    const { rows, day, sensor, addresses } = table.kinds[kind];
    for (let row = 0; addresses !== null && row < rows; row++) {
      if (addresses[row]! >= 0) continue;
      const cell = sensor[row]! * coverage.days + day[row]! - coverage.firstDay;
      status[cell] = CUT;
      exposure[cell] = 0;
    }
  }
  return orNone(build({ ...coverage, status, exposure }));
}

/** Rows of one key, chained, while a day is read. */
class Chains {
  head = new Int32Array(0);
  readonly keys: number[] = [];

  /** Make room for so many keys. */
  widen(keys: number): void {
    const known = this.head.length;
    if (keys <= known) return;
    this.head = widened(this.head, keys);
    this.head.fill(-1, known);
  }

  /** @param next By row. */
  add(key: number, row: number, next: Int32Array, at: number): void {
    if (this.head[key]! < 0) this.keys.push(key);
    next[at] = this.head[key]!;
    this.head[key] = row;
  }

  clear(): void {
    for (const key of this.keys) this.head[key] = -1;
    this.keys.length = 0;
  }
}

/** Columns that grow. */
class Rows {
  length = 0;
  #day = new Int32Array(1024);
  #sensor = new Int32Array(1024);
  #key = new Int32Array(1024);
  #count = new Float64Array(1024);
  #events = new Float64Array(1024);

  push(day: number, sensor: number, key: number, count: number, events: number): void {
    if (this.length === this.#day.length) {
      this.#day = widened(this.#day);
      this.#sensor = widened(this.#sensor);
      this.#key = widened(this.#key);
      this.#count = widened(this.#count);
      this.#events = widened(this.#events);
    }
    const at = this.length++;
    this.#day[at] = day;
    this.#sensor[at] = sensor;
    this.#key[at] = key;
    this.#count[at] = count;
    this.#events[at] = events;
  }

  finish(): Omit<FleetRows, "day"> & Pick<KeyedRows, "day" | "sensor"> {
    const { length } = this;
    return {
      day: this.#day.subarray(0, length),
      sensor: this.#sensor.subarray(0, length),
      key: this.#key.subarray(0, length),
      count: this.#count.subarray(0, length),
      events: this.#events.subarray(0, length),
    };
  }
}

/** In memory that threads share. */
function shareRows({ day, sensor, key, count, events }: ReturnType<Rows["finish"]>): ReturnType<Rows["finish"]> {
  return { day: shareInts(day), sensor: shareInts(sensor), key: shareInts(key), count: shareFloats(count), events: shareFloats(events) };
}

function shareInts(column: Int32Array): Int32Array {
  const copy = sharedInts(column.length);
  copy.set(column);
  return copy;
}

function shareFloats(column: Float64Array): Float64Array {
  const copy = sharedFloats(column.length);
  copy.set(column);
  return copy;
}

/**
 * Count the sources of keys.
 *
 * @param windows Only the days of windows are told exactly: of earlier ones no more than that a key was there.
 * @returns Rows in (day, sensor) order, a key once a sensor-day; the fleet's by slot of the windows, of the sensors that have
 *   a window in it.
 */
export function countSources(ask: SourceAsk, coverage: Coverage, windows: Windows): KeyedRows {
  const { rows, day } = ask;
  const counter = new SourceCounter(ask, coverage, windows);
  for (let start = 0; start < rows; ) {
    let end = start;
    while (end < rows && day[end] === day[start]) end++;
    counter.addDay(day[start]!, start, end, ask.keys);
    start = end;
  }
  return counter.finish(ask, shareRows);
}

/** What sources are counted of; read again for each day, so its columns may be others then. */
export type SourceRows = Pick<SourceAsk, "sensor" | "count" | "key" | "addresses" | "nothing">;

/** Counts the sources of keys day by day, see {@link countSources}: nothing of a day's rows is held. */
export class SourceCounter {
  readonly #rows: SourceRows;
  readonly #firstDay: number;
  /** First day that is told exactly. */
  readonly #exactFrom: number;
  readonly #counter: KeyCounter;
  readonly #own = new Rows();
  readonly #bySlot: readonly string[];
  readonly #fleets: ReadonlyMap<string, { readonly rows: Rows; readonly first: number; readonly last: number }>;
  readonly #ofSensor = new Chains();
  readonly #ofDay = new Chains();

  constructor(rows: SourceRows, { firstDay, days, sensors }: Coverage, windows: Windows) {
    this.#rows = rows;
    this.#firstDay = firstDay;
    this.#exactFrom = firstDay + windows.firstOffset.reduce((least, offset) => Math.min(least, offset));
    this.#counter = new KeyCounter(rows);
    this.#bySlot = fleetMasks(windows, sensors.length);
    const reach = reachOf(this.#bySlot, windows, days);
    const masks = sensors.length > 1 ? [...new Set(this.#bySlot)] : [];
    this.#fleets = new Map(masks.map(mask => [mask, { rows: new Rows(), ...reach.get(mask)! }]));
  }

  /**
   * Add all rows of a day, in the order of their sensors.
   *
   * @param start Where they begin among the rows as they are now; `keys` are numbered below that by now.
   */
  addDay(day: number, start: number, end: number, keys: number): void {
    const { sensor, key, addresses, nothing } = this.#rows;
    const isExact = day >= this.#exactFrom;
    const counter = this.#counter;
    const ofSensor = this.#ofSensor;
    const ofDay = this.#ofDay;
    ofSensor.widen(keys);
    ofDay.widen(keys);
    counter.begin(start, end);
    for (let from = start; from < end; ) {
      let to = from;
      for (; to < end && sensor[to] === sensor[from]; to++) {
        if (key[to] === nothing || addresses.codes[to]! < 0) continue;
        ofSensor.add(key[to]!, to, counter.next, to - start);
        if (isExact && this.#fleets.size > 0) ofDay.add(key[to]!, to, counter.nextOfDay, to - start);
      }
      for (const one of ofSensor.keys) {
        const found = isExact ? counter.unite(ofSensor.head[one]!) : counter.largest(ofSensor.head[one]!);
        if (found.count > 0) this.#own.push(day, sensor[from]!, one, found.count, found.events);
      }
      ofSensor.clear();
      from = to;
    }
    for (const [mask, { rows, first, last }] of this.#fleets) {
      if (day - this.#firstDay < first || day - this.#firstDay > last) continue;
      for (const one of ofDay.keys) {
        const found = counter.uniteFleet(ofDay.head[one]!, mask);
        if (found.count > 0) rows.push(day, -1, one, found.count, found.events);
      }
    }
    ofDay.clear();
  }

  /** @param keep What becomes of the columns; they are not needed here any more. */
  finish({ kind, keys, marks }: Pick<SourceAsk, "kind" | "keys" | "marks">, keep: typeof shareRows = columns => columns): KeyedRows {
    const finished = new Map<string, FleetRows>();
    for (const [mask, { rows }] of this.#fleets) finished.set(mask, keep(rows.finish()));
    return {
      kind, rows: this.#own.length, ...keep(this.#own.finish()), keys, additive: true, unit: "sources",
      ...(marks && { marks }),
      ...(finished.size > 0 && { fleet: this.#bySlot.map(mask => finished.get(mask)!) }),
    };
  }
}

/** By slot: a letter for each sensor, `1` where it has a window. */
function fleetMasks({ windows, slots }: Windows, sensors: number): string[] {
  return Array.from({ length: slots }, (_, slot) =>
    Array.from({ length: sensors }, (_, sensor) => (windows[sensor * slots + slot] === undefined ? "0" : "1")).join(""),
  );
}

/** By mask: the first and last day, counted from the archive's first, that its slots look at: others need not be united. */
function reachOf(bySlot: readonly string[], { windows, slots }: Windows, days: number): Map<string, { first: number; last: number }> {
  const reach = new Map(bySlot.map(mask => [mask, { first: days, last: -1 }]));
  windows.forEach((window, at) => {
    if (window === undefined) return;
    const of = reach.get(bySlot[at % slots]!)!;
    const start = Math.floor(at / slots) * days;
    for (const cells of [window.judged, window.baseline, window.spread]) {
      of.first = Math.min(of.first, cells[0]! - start);
      of.last = Math.max(of.last, cells[cells.length - 1]! - start);
    }
  });
  return reach;
}

/** Counts the sources of chained rows of one day. */
class KeyCounter {
  readonly #ask: Pick<SourceRows, "addresses" | "count" | "sensor">;
  readonly #union: AddressUnion;
  #start = 0;
  next = new Int32Array(1024);
  nextOfDay = new Int32Array(1024);
  /** The same for every answer. */
  readonly #found = { count: 0, events: 0 };

  constructor(ask: Pick<SourceRows, "addresses" | "count" | "sensor">) {
    this.#ask = ask;
    this.#union = new AddressUnion(ask.addresses.sets);
  }

  begin(start: number, end: number): void {
    this.#start = start;
    if (this.next.length >= end - start) return;
    this.next = new Int32Array(2 * (end - start));
    this.nextOfDay = new Int32Array(2 * (end - start));
  }

  /** At least so many: the most of any row. */
  largest(head: number) {
    const { addresses, count } = this.#ask;
    let most = 0;
    let events = 0;
    for (let row = head; row >= 0; row = this.next[row - this.#start]!) {
      most = Math.max(most, countAddresses(addresses, row, count[row]!));
      events += count[row]!;
    }
    return this.#put(most, events);
  }

  unite(head: number) {
    const { addresses, count } = this.#ask;
    if (this.next[head - this.#start]! < 0) return this.largest(head);
    this.#union.clear();
    let events = 0;
    for (let row = head; row >= 0; row = this.next[row - this.#start]!) {
      this.#union.add(addresses.codes[row]!);
      events += count[row]!;
    }
    return this.#put(Math.min(events, this.#union.size()), events);
  }

  /** @param mask Of the sensors that count. */
  uniteFleet(head: number, mask: string) {
    const { addresses, count, sensor } = this.#ask;
    this.#union.clear();
    let events = 0;
    for (let row = head; row >= 0; row = this.nextOfDay[row - this.#start]!) {
      if (mask[sensor[row]!] === "0") continue;
      this.#union.add(addresses.codes[row]!);
      events += count[row]!;
    }
    return this.#put(Math.min(events, this.#union.size()), events);
  }

  #put(count: number, events: number) {
    this.#found.count = count;
    this.#found.events = events;
    return this.#found;
  }
}
