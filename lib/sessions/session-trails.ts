/**
 * The newest sessions behind a value: of an address, a credential, a command, the last few that had it.
 *
 * Event tables are walked from the newest to the oldest; those of times at which no value was seen are passed over.
 */
import { allTexts, textOf, type Texts } from "../columns/dictionary.ts";
import { codeOf } from "./event-search.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import { isTextKey, type KeyColumn, type KeyValue } from "../reduced/kinds.ts";
import { cutLong } from "../text/cut.ts";
import type { NumberColumn, TextColumn } from "../events/schema.ts";
import { NewestSessions, type Place, type Trail, type TrailLimits } from "./newest-sessions.ts";
import { DAY_US, dayOf } from "../text/time.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";

/** Values of one section of the report that are looked for. */
export interface TrailQuery {
  readonly id: string;
  /** Ids of the events that have them. */
  readonly eventids: readonly string[];
  readonly columns: readonly KeyColumn[];
  readonly keys: readonly (readonly KeyValue[])[];
  /** When each was first and last seen, and on which days, rising: tables of other times are passed over; left out = on any. */
  readonly firstSeenUs: readonly number[];
  readonly lastSeenUs: readonly number[];
  readonly days?: readonly (Int32Array | undefined)[];
}

/** An event table that can be opened, and the time it covers. */
export interface TrailPlace {
  readonly firstUs: number;
  readonly lastUs: number;
  /** Names under which its sensors count; undefined = not known. */
  readonly sensors?: readonly string[] | undefined;
  walk(visit: (table: EventTable) => Promise<void>): Promise<void>;
}

/**
 * Find the newest sessions of each value.
 *
 * @returns `trails[query][key]`
 */
export async function findTrails(
  places: readonly TrailPlace[],
  queries: readonly TrailQuery[],
  scope: ReductionParameters,
  limits: TrailLimits,
): Promise<Trail[][]> {
  const searches = queries.map(query => new Search(query, limits));
  const pickSensor = sensorPicker(scope);
  for (const place of [...places].sort((a, b) => b.lastUs - a.lastUs)) {
    const open = searches.filter(search => search.isOpen(place));
    if (open.length === 0) continue;
    await place.walk(async table => {
      let readers: TableReader[] | undefined;
      for await (const batch of table.batches()) {
        readers ??= readTable(table, open, scope, pickSensor);
        if (readers.length === 0) break;
        for (const reader of readers) reader.read(batch);
      }
    });
  }
  return searches.map(({ trails }) => trails.map(trail => trail.finish()));
}

/** The values that are wanted of a column, each with its number: 0 = none of them, 1 = no value, 2 and on = one of them. */
interface Numbering {
  readonly column: KeyColumn;
  readonly ofValue: ReadonlyMap<KeyValue, number>;
  /** Of a column of texts, by their length in bytes; long ones together. */
  readonly ofLength: readonly (readonly { bytes: Uint8Array; number: number }[] | undefined)[] | undefined;
}

const NO_VALUE = 1;

/** The search for the values of one section, over all tables. */
class Search {
  readonly query: TrailQuery;
  /** `trails[key]` */
  readonly trails: readonly NewestSessions[];
  readonly numberings: readonly Numbering[];
  readonly #keyOf = new Map<number, number>();

  constructor(query: TrailQuery, limits: TrailLimits) {
    const { keys, columns } = query;
    this.query = query;
    this.trails = keys.map(() => new NewestSessions(limits));
    this.numberings = columns.map((column, i) => numberValues(column, keys.map(key => key[i] ?? null)));
    keys.forEach((key, k) => {
      const numbers = this.numberings.map(({ ofValue }, i) => ((key[i] ?? null) === null ? NO_VALUE : ofValue.get(key[i]!)!));
      this.#keyOf.set(numbers.reduce((at, number, i) => this.join(at, number, i), 0), k);
    });
  }

  /** Whether one of the values was seen in the time of a table, and its sessions there can be among the newest. */
  isOpen({ firstUs, lastUs, sensors }: TrailPlace): boolean {
    const { firstSeenUs, lastSeenUs, days } = this.query;
    return this.trails.some((trail, key) => {
      if (firstSeenUs[key]! > lastUs || lastSeenUs[key]! < firstUs) return false;
      const own = days?.[key];
      if (own !== undefined && !hasDay(own, dayOf(firstUs), dayOf(lastUs))) return false;
      return sensors === undefined || !trail.areSettled(firstUs, lastUs, sensors);
    });
  }

  /** The numbers of the first columns as one, with that of the next. */
  join(at: number, number: number, column: number): number {
    return at * (this.numberings[column]!.ofValue.size + 2) + number;
  }

  /** The key of which all columns have their numbers. */
  keyAt(joined: number): number | undefined {
    return this.#keyOf.get(joined);
  }
}

/** Whether one of some rising days lies between two, both included. */
function hasDay(days: Int32Array, first: number, last: number): boolean {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (days[middle]! < first) low = middle + 1;
    else high = middle;
  }
  return low < days.length && days[low]! <= last;
}

function numberValues(column: KeyColumn, values: readonly KeyValue[]): Numbering {
  const ofValue = new Map<KeyValue, number>();
  for (const value of values) if (value !== null && !ofValue.has(value)) ofValue.set(value, ofValue.size + 2);
  if (!isTextKey(column)) return { column, ofValue, ofLength: undefined };
  const ofLength: { bytes: Uint8Array; number: number }[][] = [];
  for (const [value, number] of ofValue) {
    const bytes = Buffer.from(String(value));
    (ofLength[Math.min(bytes.length, WHOLE_MAX_BYTES + 1)] ??= []).push({ bytes, number });
  }
  return { column, ofValue, ofLength };
}

/** What looks through a table, for those searches that can find something in it. */
function readTable(
  table: EventTable,
  searches: readonly Search[],
  scope: ReductionParameters,
  pickSensor: (sensor: string) => string | undefined,
): TableReader[] {
  const { dictionaries } = table;
  if (!dictionaries.has("session")) return [];
  const texts = dictionaries.get("sensor");
  const sensors = ["", ...(texts === undefined ? [] : allTexts(texts))].map(pickSensor);
  return searches.flatMap(search => {
    const ids = dictionaries.get("eventid")!;
    const codes = search.query.eventids.map(id => codeOf(ids, id)).filter(code => code >= 0);
    return codes.length === 0 ? [] : [new TableReader(table, search, codes, sensors, scope)];
  });
}

/** Looks through one table for the values of one section. */
class TableReader {
  readonly #table: EventTable;
  readonly #search: Search;
  readonly #scope: ReductionParameters;
  readonly #isEvent: Uint8Array;
  /** `#ofCode[column][code]` = number of a text, where the column holds texts. */
  readonly #ofCode: readonly (Int32Array | undefined)[];
  /** `#sensors[code + 1]` = name under which a sensor counts; undefined for one that does not. */
  readonly #sensors: readonly (string | undefined)[];
  /** By key, sensor and day. */
  readonly #places = new Map<number, Place>();

  constructor(
    table: EventTable,
    search: Search,
    eventids: readonly number[],
    sensors: readonly (string | undefined)[],
    scope: ReductionParameters,
  ) {
    this.#table = table;
    this.#search = search;
    this.#scope = scope;
    this.#sensors = sensors;
    const { dictionaries } = table;
    this.#isEvent = new Uint8Array(dictionaries.get("eventid")!.size);
    for (const code of eventids) this.#isEvent[code] = 1;
    this.#ofCode = search.numberings.map(numbering =>
      numbering.ofLength === undefined ? undefined : numberTexts(dictionaries.get(numbering.column as TextColumn), numbering),
    );
  }

  read(batch: EventBatch): void {
    const eventid = batch.codes.get("eventid")!;
    const isEvent = this.#isEvent;
    const rows: number[] = [];
    for (let row = 0; row < batch.rows; row++) if (isEvent[eventid[row]!] === 1) rows.push(row);
    const session = batch.codes.get("session");
    if (rows.length === 0 || session === undefined) return;
    const search = this.#search;
    const readers = search.numberings.map((numbering, i) => this.#columnReader(numbering, this.#ofCode[i], batch));
    const sensor = batch.codes.get("sensor");
    const realm = batch.codes.get("realm");
    const address = batch.codes.get("src_ip");
    const { sinceDay = -Infinity, untilDay = Infinity } = this.#scope;
    const [sinceUs, untilUs] = [sinceDay * DAY_US, (untilDay + 1) * DAY_US];
    const text = (column: TextColumn, code: number) => textOf(this.#table.dictionaries.get(column)!, code);
    // The newest first: of most others a look at their time then says enough.
    next: for (const row of rows.reverse()) {
      let at = 0;
      for (let i = 0; i < readers.length; i++) {
        const value = readers[i]!(row);
        if (value === 0) continue next;
        at = search.join(at, value, i);
      }
      const key = search.keyAt(at);
      const us = batch.timestampUs[row]!;
      const sensorCode = sensor === undefined ? -1 : sensor[row]!;
      if (key === undefined || session[row]! < 0 || us < sinceUs || us >= untilUs) continue;
      if (this.#sensors[sensorCode + 1] === undefined) continue;
      // What was fed to a program is no command.
      if (realm !== undefined && realm[row]! >= 0) continue;
      const trail = search.trails[key]!;
      const place = this.#placeOf(trail, key, sensorCode, us);
      if (trail.isSettled(us, place)) continue;
      const from = address === undefined || address[row]! < 0 ? null : text("src_ip", address[row]!);
      trail.add(us, place.sensor, text("session", session[row]!), from);
    }
  }

  #placeOf(trail: NewestSessions, key: number, sensor: number, us: number): Place {
    const day = dayOf(us);
    const name = (day * this.#sensors.length + sensor + 1) * this.#search.trails.length + key;
    let place = this.#places.get(name);
    if (place === undefined) this.#places.set(name, (place = trail.placeOf(this.#sensors[sensor + 1]!, day)));
    return place;
  }

  #columnReader(
    { column, ofValue }: Numbering,
    ofCode: Int32Array | undefined,
    batch: EventBatch,
  ): (row: number) => number {
    if (ofCode !== undefined) {
      const codes = batch.codes.get(column as TextColumn);
      if (codes === undefined) return () => NO_VALUE;
      return row => (codes[row]! < 0 ? NO_VALUE : ofCode[codes[row]!]!);
    }
    if (column === "robot") {
      const durations = batch.numbers.get("duration");
      const { robotMaxSeconds } = this.#scope;
      if (durations === undefined) return () => NO_VALUE;
      return row => {
        const duration = durations[row]!;
        return Number.isNaN(duration) ? NO_VALUE : (ofValue.get(duration < robotMaxSeconds ? 1 : 0) ?? 0);
      };
    }
    const numbers = batch.numbers.get(column as NumberColumn);
    if (numbers === undefined) return () => NO_VALUE;
    return row => (Number.isNaN(numbers[row]!) ? NO_VALUE : (ofValue.get(numbers[row]!) ?? 0));
  }
}

/** Texts of so many bytes and less are never cut. */
const WHOLE_MAX_BYTES = 1000;

/**
 * `ofCode[code]` = number of the text; long texts are cut as the report cuts them.
 *
 * Few are wanted of many: those of another length are passed over without a look at them.
 */
function numberTexts(texts: Texts | undefined, { ofValue, ofLength }: Numbering): Int32Array {
  if (texts === undefined) return new Int32Array(0);
  const { size, offsets, arena } = texts;
  const ofCode = new Int32Array(size);
  for (let code = 0; code < size; code++) {
    const [start, end] = [offsets[code]!, offsets[code + 1]!];
    if (end - start > WHOLE_MAX_BYTES) {
      ofCode[code] = ofValue.get(cutLong(textOf(texts, code))) ?? 0;
      continue;
    }
    const alike = ofLength![end - start];
    if (alike === undefined) continue;
    next: for (const { bytes, number } of alike) {
      for (let i = 0; i < bytes.length; i++) if (arena[start + i] !== bytes[i]) continue next;
      ofCode[code] = number;
      break;
    }
  }
  return ofCode;
}
