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
import { DAY_US } from "../text/time.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";

/** Values of one section of the report that are looked for. */
export interface TrailQuery {
  readonly id: string;
  /** Ids of the events that have them. */
  readonly eventids: readonly string[];
  readonly columns: readonly KeyColumn[];
  readonly keys: readonly (readonly KeyValue[])[];
  /** When each was first and last seen: tables of other times are passed over. */
  readonly firstSeenUs: readonly number[];
  readonly lastSeenUs: readonly number[];
}

/** An event table that can be opened, and the time it covers. */
export interface TrailPlace {
  readonly firstUs: number;
  readonly lastUs: number;
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
  const trails = queries.map(({ keys }) => keys.map(() => new NewestSessions(limits)));
  const isOpen = (query: number, key: number, { firstUs, lastUs }: TrailPlace) => {
    const { firstSeenUs, lastSeenUs } = queries[query]!;
    return firstSeenUs[key]! <= lastUs && lastSeenUs[key]! >= firstUs;
  };
  for (const place of [...places].sort((a, b) => b.lastUs - a.lastUs)) {
    const open = queries.flatMap((query, i) => {
      const wanted = query.keys.flatMap((_, key) => (isOpen(i, key, place) ? [key] : []));
      return wanted.length === 0 ? [] : [{ query, trails: trails[i]!, wanted }];
    });
    if (open.length === 0) continue;
    await place.walk(async table => {
      let readers: QueryReader[] | undefined;
      for await (const batch of table.batches()) {
        readers ??= open.map(({ query, trails, wanted }) => new QueryReader(table, query, trails, wanted, scope));
        if (!readers.some(reader => reader.canMatch)) break;
        for (const reader of readers) if (reader.canMatch) reader.read(batch);
      }
    });
  }
  return trails.map(keys => keys.map(trail => trail.finish()));
}

/** Numbers the values that are wanted of a column: 0 = none of them, 1 = no value, 2 and on = one of them. */
type Numbering =
  | { readonly column: TextColumn; readonly ofCode: Int32Array; readonly ofNone: number }
  | { readonly column: KeyColumn; readonly ofNumber: ReadonlyMap<number, number>; readonly ofNone: number };

/** Looks through one table for the values of one section. */
class QueryReader {
  readonly canMatch: boolean;
  readonly #table: EventTable;
  readonly #scope: ReductionParameters;
  readonly #trails: readonly NewestSessions[];
  readonly #isEvent: Uint8Array;
  readonly #numberings: Numbering[] = [];
  readonly #base: number[] = [];
  readonly #keyOf = new Map<number, number>();
  /** By key, sensor and day. */
  readonly #places = new Map<number, Place>();
  /** `#isSensor[code + 1]` = 1 for the sensors that count. */
  readonly #isSensor: Uint8Array;
  readonly #pickSensor: (sensor: string) => string | undefined;

  constructor(
    table: EventTable,
    { eventids, columns, keys }: TrailQuery,
    trails: readonly NewestSessions[],
    wanted: readonly number[],
    scope: ReductionParameters,
  ) {
    this.#table = table;
    this.#scope = scope;
    this.#trails = trails;
    this.#pickSensor = sensorPicker(scope);
    const { dictionaries } = table;
    const ids = dictionaries.get("eventid")!;
    const codes = eventids.map(id => codeOf(ids, id)).filter(code => code >= 0);
    this.#isEvent = new Uint8Array(ids.size);
    for (const code of codes) this.#isEvent[code] = 1;
    this.#isSensor = wantedSensors(dictionaries.get("sensor"), this.#pickSensor);
    const values = columns.map((column, i) => {
      const numbered = new Map<KeyValue, number>();
      for (const key of wanted) {
        const value = keys[key]![i] ?? null;
        if (value !== null && !numbered.has(value)) numbered.set(value, numbered.size + 2);
      }
      this.#numberings.push(
        isTextKey(column)
          ? { column: column as TextColumn, ofCode: numberTexts(dictionaries.get(column as TextColumn), numbered), ofNone: 1 }
          : { column, ofNumber: numbered as unknown as Map<number, number>, ofNone: 1 },
      );
      this.#base.push(numbered.size + 2);
      return numbered;
    });
    for (const key of wanted) {
      let at = 0;
      values.forEach((numbered, i) => {
        const value = keys[key]![i] ?? null;
        at = at * this.#base[i]! + (value === null ? 1 : numbered.get(value)!);
      });
      this.#keyOf.set(at, key);
    }
    this.canMatch = codes.length > 0 && dictionaries.has("session");
  }

  read(batch: EventBatch): void {
    const eventid = batch.codes.get("eventid")!;
    const isEvent = this.#isEvent;
    const rows: number[] = [];
    for (let row = 0; row < batch.rows; row++) if (isEvent[eventid[row]!] === 1) rows.push(row);
    const session = batch.codes.get("session");
    if (rows.length === 0 || session === undefined) return;
    const readers = this.#numberings.map(numbering => this.#columnReader(numbering, batch));
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
        at = at * this.#base[i]! + value;
      }
      const key = this.#keyOf.get(at);
      const us = batch.timestampUs[row]!;
      const sensorCode = sensor === undefined ? -1 : sensor[row]!;
      if (key === undefined || session[row]! < 0 || us < sinceUs || us >= untilUs) continue;
      if (this.#isSensor[sensorCode + 1] === 0) continue;
      // What was fed to a program is no command.
      if (realm !== undefined && realm[row]! >= 0) continue;
      const trail = this.#trails[key]!;
      const place = this.#placeOf(trail, key, sensorCode, us);
      if (trail.isSettled(us, place)) continue;
      const from = address === undefined || address[row]! < 0 ? null : text("src_ip", address[row]!);
      trail.add(us, place.sensor, text("session", session[row]!), from);
    }
  }

  #placeOf(trail: NewestSessions, key: number, sensor: number, us: number): Place {
    const day = Math.floor(us / DAY_US);
    const name = (day * this.#isSensor.length + sensor + 1) * this.#trails.length + key;
    let place = this.#places.get(name);
    if (place === undefined) {
      const own = sensor < 0 ? "" : textOf(this.#table.dictionaries.get("sensor")!, sensor);
      this.#places.set(name, (place = trail.placeOf(this.#pickSensor(own)!, day)));
    }
    return place;
  }

  #columnReader(numbering: Numbering, batch: EventBatch): (row: number) => number {
    const { ofNone } = numbering;
    if ("ofCode" in numbering) {
      const codes = batch.codes.get(numbering.column);
      if (codes === undefined) return () => ofNone;
      const { ofCode } = numbering;
      return row => (codes[row]! < 0 ? ofNone : ofCode[codes[row]!]!);
    }
    const { column, ofNumber } = numbering;
    if (column === "robot") {
      const durations = batch.numbers.get("duration");
      const { robotMaxSeconds } = this.#scope;
      if (durations === undefined) return () => ofNone;
      return row => {
        const duration = durations[row]!;
        return Number.isNaN(duration) ? ofNone : (ofNumber.get(duration < robotMaxSeconds ? 1 : 0) ?? 0);
      };
    }
    const numbers = batch.numbers.get(column as NumberColumn);
    if (numbers === undefined) return () => ofNone;
    return row => (Number.isNaN(numbers[row]!) ? ofNone : (ofNumber.get(numbers[row]!) ?? 0));
  }
}

function wantedSensors(
  sensors: Texts | undefined,
  pickSensor: (sensor: string) => string | undefined,
): Uint8Array {
  const names = ["", ...(sensors === undefined ? [] : allTexts(sensors))];
  return Uint8Array.from(names, name => Number(pickSensor(name) !== undefined));
}

/** Texts of so many bytes and less are never cut. */
const WHOLE_MAX_BYTES = 1000;

/** `ofCode[code]` = number of the text; long texts are cut as the report cuts them. */
function numberTexts(texts: Texts | undefined, numbered: ReadonlyMap<KeyValue, number>): Int32Array {
  if (texts === undefined) return new Int32Array(0);
  const { size, offsets, arena } = texts;
  // Few are wanted of many: those of another length are passed over without a look at them.
  const ofLength: { bytes: Uint8Array; number: number }[][] = [];
  for (const [value, number] of numbered) {
    const bytes = Buffer.from(String(value));
    (ofLength[Math.min(bytes.length, WHOLE_MAX_BYTES + 1)] ??= []).push({ bytes, number });
  }
  const ofCode = new Int32Array(size);
  for (let code = 0; code < size; code++) {
    const [start, end] = [offsets[code]!, offsets[code + 1]!];
    if (end - start > WHOLE_MAX_BYTES) {
      ofCode[code] = numbered.get(cutLong(textOf(texts, code))) ?? 0;
      continue;
    }
    const alike = ofLength[end - start];
    if (alike === undefined) continue;
    next: for (const { bytes, number } of alike) {
      for (let i = 0; i < bytes.length; i++) if (arena[start + i] !== bytes[i]) continue next;
      ofCode[code] = number;
      break;
    }
  }
  return ofCode;
}
