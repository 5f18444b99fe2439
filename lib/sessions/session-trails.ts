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
        readBatch(batch, readers);
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
const NO_CODES = new Int32Array(0);

/** Numbers of the values of a column in a batch: by code where it holds texts, else by row. */
interface ColumnNumbers {
  readonly codes: Int32Array | undefined;
  readonly ofCode: Int32Array;
  readonly ofRow: (row: number) => number;
}

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

/** Look at each row once, for those that want its event. */
function readBatch(batch: EventBatch, readers: readonly TableReader[]): void {
  const eventid = batch.codes.get("eventid")!;
  const wanting: TableReader[][] = [];
  for (const reader of readers) for (const code of reader.eventids) (wanting[code] ??= []).push(reader);
  if (batch.codes.get("session") === undefined) return;
  // The newest first: of most others a look at their time then says enough.
  for (let row = batch.rows - 1; row >= 0; row--) {
    const own = wanting[eventid[row]!];
    if (own === undefined) continue;
    for (let i = 0; i < own.length; i++) own[i]!.look(batch, row);
  }
}

/** Looks through one table for the values of one section. */
class TableReader {
  readonly #table: EventTable;
  readonly #search: Search;
  readonly #scope: ReductionParameters;
  /** Codes of its events in the table. */
  readonly eventids: readonly number[];
  /** `#ofCode[column][code]` = number of a text, where the column holds texts. */
  readonly #ofCode: readonly (Int32Array | undefined)[];
  /** `#sensors[code + 1]` = name under which a sensor counts; undefined for one that does not. */
  readonly #sensors: readonly (string | undefined)[];
  /** By key, sensor and day. */
  readonly #places = new Map<number, Place>();
  readonly #sinceUs: number;
  readonly #untilUs: number;
  #batch: EventBatch | undefined;
  /** Of this batch. */
  #numbering: readonly ColumnNumbers[] = [];
  #timestampUs: Float64Array = new Float64Array(0);
  #session: Int32Array | undefined;
  #sensor: Int32Array | undefined;
  #realm: Int32Array | undefined;
  #address: Int32Array | undefined;

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
    const { sinceDay = -Infinity, untilDay = Infinity } = scope;
    this.#sinceUs = sinceDay * DAY_US;
    this.#untilUs = (untilDay + 1) * DAY_US;
    this.eventids = eventids;
    const { dictionaries } = table;
    this.#ofCode = search.numberings.map(numbering =>
      numbering.ofLength === undefined ? undefined : numberTexts(dictionaries.get(numbering.column as TextColumn), numbering),
    );
  }

  /** To be called when the first row of a batch is looked at: a column is decoded when it is asked for. */
  #open(batch: EventBatch): void {
    const { codes, numbers, timestampUs } = batch;
    this.#batch = batch;
    this.#timestampUs = timestampUs;
    this.#session = codes.get("session");
    this.#sensor = codes.get("sensor");
    this.#realm = codes.get("realm");
    this.#address = codes.get("src_ip");
    this.#numbering = this.#search.numberings.map((numbering, i) => this.#numberOf(numbering, this.#ofCode[i], codes, numbers));
  }

  look(batch: EventBatch, row: number): void {
    if (this.#batch !== batch) this.#open(batch);
    const search = this.#search;
    let at = 0;
    for (let i = 0; i < this.#numbering.length; i++) {
      const { codes, ofCode, ofRow } = this.#numbering[i]!;
      const value = codes === undefined ? ofRow(row) : codes[row]! < 0 ? NO_VALUE : ofCode[codes[row]!]!;
      if (value === 0) return;
      at = search.join(at, value, i);
    }
    const key = search.keyAt(at);
    const session = this.#session![row]!;
    const us = this.#timestampUs[row]!;
    if (key === undefined || session < 0 || us < this.#sinceUs || us >= this.#untilUs) return;
    const sensor = this.#sensor === undefined ? -1 : this.#sensor[row]!;
    if (this.#sensors[sensor + 1] === undefined) return;
    // What was fed to a program is no command.
    if (this.#realm !== undefined && this.#realm[row]! >= 0) return;
    const trail = search.trails[key]!;
    const place = this.#placeOf(trail, key, sensor, us);
    if (trail.isSettled(us, place)) return;
    const address = this.#address === undefined ? -1 : this.#address[row]!;
    trail.add(us, place.sensor, this.#text("session", session), address < 0 ? null : this.#text("src_ip", address));
  }

  #text(column: TextColumn, code: number): string {
    return textOf(this.#table.dictionaries.get(column)!, code);
  }

  #placeOf(trail: NewestSessions, key: number, sensor: number, us: number): Place {
    const day = dayOf(us);
    const name = (day * this.#sensors.length + sensor + 1) * this.#search.trails.length + key;
    let place = this.#places.get(name);
    if (place === undefined) this.#places.set(name, (place = trail.placeOf(this.#sensors[sensor + 1]!, day)));
    return place;
  }

  #numberOf({ column, ofValue }: Numbering, ofCode: Int32Array | undefined, codes: EventBatch["codes"], numbers: EventBatch["numbers"]): ColumnNumbers {
    if (ofCode !== undefined) return { codes: codes.get(column as TextColumn), ofCode, ofRow: () => NO_VALUE };
    const values = numbers.get(column === "robot" ? "duration" : (column as NumberColumn));
    const { robotMaxSeconds } = this.#scope;
    const ofRow = (row: number) => {
      if (values === undefined || Number.isNaN(values[row]!)) return NO_VALUE;
      return ofValue.get(column === "robot" ? Number(values[row]! < robotMaxSeconds) : values[row]!) ?? 0;
    };
    return { codes: undefined, ofCode: NO_CODES, ofRow };
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
    const start = offsets[code]!;
    const end = offsets[code + 1]!;
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
