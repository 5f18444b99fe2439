/**
 * Events to reduced rows: for each kind pick its rows, gather its key columns, add equal keys up.
 *
 * Tested in `test/scripts/reduce.test.ts`.
 */
import { addressHashes, SetDictionary } from "../columns/address-sets.ts";
import { Dictionary, hasText, textOf, type Texts } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import { groupRows, sortedRows, take } from "../columns/group.ts";
import { INT32_MAX, isTextKey, type KeyColumn, type Kind, KIND_NAMES, KIND_SPECS, KINDS } from "./kinds.ts";
import { CODED_COLUMNS, type CodedColumn, ReducedBuilder, type ReducedRows } from "./reduced-builder.ts";
import type { KindTable } from "./reduced-table.ts";
import type { NumberColumn, TextColumn } from "../events/schema.ts";
import { DAY_US } from "../text/time.ts";
import type { ReductionParameters } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";

const HOUR_US = DAY_US / 24;

export interface ReduceOptions extends ReductionParameters {
  /** Tells the rows that count; used to leave out lines that another log holds too. */
  readonly keepRow?: (batch: EventBatch, row: number) => boolean;
}

export interface ReducedLog {
  readonly rows: ReducedRows;
  /** Time of the first and last event kept, microseconds since 1970-01-01 UTC. */
  readonly firstSeenUs?: number;
  readonly lastSeenUs?: number;
  /** Events kept. */
  readonly events: number;
}

/** Which kind, besides `event`, an event id feeds. */
const KIND_OF_EVENTID: ReadonlyMap<string, Kind> = new Map(
  KIND_NAMES.flatMap(kind => KIND_SPECS[kind].eventids.map(id => [id, kind] as const)),
);

/**
 * Reduce all events of a log.
 *
 * @param source Identity of the log, named by its rows of `last_command`.
 */
export async function reduceEvents(table: EventTable, source: string, options: ReduceOptions): Promise<ReducedLog> {
  const builder = new ReducedBuilder();
  let reducer: BatchReducer | undefined;
  let at = 0;
  for await (const batch of table.batches()) {
    // The texts of an Arrow file are known from its first batch on.
    reducer ??= new BatchReducer(table, source, options);
    builder.add(reducer.reduce(batch, at));
    at += batch.rows;
  }
  const { firstSeenUs = Infinity, lastSeenUs = -Infinity, events = 0 } = reducer ?? {};
  return {
    rows: builder.toRows(),
    events,
    ...(events > 0 ? { firstSeenUs, lastSeenUs } : {}),
  };
}

/** What is known once per log: the texts, and which codes mean what. */
class BatchReducer {
  firstSeenUs = Infinity;
  lastSeenUs = -Infinity;
  events = 0;
  readonly #options: ReduceOptions;
  readonly #texts: Record<CodedColumn, Texts>;
  /** `#kindOf[eventid code]`; undefined for ids that feed `event` only. */
  readonly #kindOf: (Kind | undefined)[];
  readonly #successCode: number;
  readonly #versionCode: number;
  /** `#hashes[src_ip code]`, see `addressHash`. */
  readonly #hashes: Uint32Array;
  /** `#sensorCode[code in the log + 1]` = code to count under, -1 = the sensor is left out. */
  readonly #sensorCode: Int32Array;

  constructor({ dictionaries }: EventTable, source: string, options: ReduceOptions) {
    this.#options = options;
    const empty = new Dictionary();
    const eventids = dictionaries.get("eventid") ?? empty;
    const ids = Array.from({ length: eventids.size }, (_, code) => textOf(eventids, code));
    this.#kindOf = ids.map(id => KIND_OF_EVENTID.get(id));
    this.#successCode = ids.indexOf("cowrie.login.success");
    this.#versionCode = ids.indexOf("cowrie.client.version");

    this.#hashes = addressHashes(dictionaries.get("src_ip") ?? empty);

    const pickSensor = sensorPicker(options);
    const logSensors = dictionaries.get("sensor") ?? empty;
    const sensors = new Dictionary();
    this.#sensorCode = new Int32Array(logSensors.size + 1);
    for (let code = -1; code < logSensors.size; code++) {
      const name = pickSensor(code < 0 ? "" : textOf(logSensors, code));
      this.#sensorCode[code + 1] = name === undefined ? -1 : sensors.internText(name);
    }

    const sources = new Dictionary();
    sources.internText(source);
    this.#texts = Object.fromEntries(
      CODED_COLUMNS.map(name => [name, dictionaries.get(name as TextColumn) ?? empty]),
    ) as Record<CodedColumn, Texts>;
    this.#texts.sensor = sensors;
    this.#texts.source = sources;
  }

  /** @param at Row of the log at which the batch starts. */
  reduce(batch: EventBatch, at: number): ReducedRows {
    const eventid = batch.codes.get("eventid")!;
    const day = new Int32Array(batch.rows);
    const hour = new Int32Array(batch.rows);
    const sensor = new Int32Array(batch.rows);
    const sensors = batch.codes.get("sensor");
    for (let row = 0; row < batch.rows; row++) {
      const us = batch.timestampUs[row]!;
      day[row] = Math.floor(us / DAY_US);
      hour[row] = Math.floor((us - day[row]! * DAY_US) / HOUR_US);
      sensor[row] = this.#sensorCode[sensors === undefined ? 0 : sensors[row]! + 1]!;
    }

    const rowsOf = this.#pickRows(batch, day, sensor);
    const sets = new GroupSets(this.#hashes);
    const kinds: Partial<Record<Kind, KindTable>> = {};
    for (const [kind, rows] of rowsOf) {
      const columns: readonly KeyColumn[] = kind === "last_command" ? ["session"] : KINDS[kind];
      const picked: Picked = {
        batch,
        rows,
        day: take(day, rows),
        sensor: take(sensor, rows),
        keys: columns.map(column =>
          column === "hour" ? take(hour, rows) : this.#gather(kind, column, batch, rows, eventid),
        ),
      };
      kinds[kind] = kind === "last_command" ? lastCommands(picked, at, sets) : this.#addUp(kind, picked, eventid, sets);
    }
    return { texts: this.#texts, sets: sets.sets, kinds };
  }

  /** Row numbers per kind; a kind without rows is absent. */
  #pickRows(batch: EventBatch, day: Int32Array, sensor: Int32Array): Map<Kind, Int32Array> {
    const { sinceDay = -Infinity, untilDay = Infinity, keepRow } = this.#options;
    const eventid = batch.codes.get("eventid")!;
    const realm = batch.codes.get("realm");
    const session = batch.codes.get("session");
    const shasum = batch.codes.get("shasum");
    const hashes = this.#texts.shasum;
    const key = batch.codes.get("key");
    const print = batch.codes.get("fingerprint");
    const positives = batch.numbers.get("positives");
    const total = batch.numbers.get("total");
    const picks = new Map<Kind, RowList>();
    const pick = (kind: Kind) => {
      let rows = picks.get(kind);
      if (rows === undefined) picks.set(kind, (rows = new RowList(batch.rows)));
      return rows;
    };
    const events = pick("event");
    for (let row = 0; row < batch.rows; row++) {
      const code = eventid[row]!;
      const kind = this.#kindOf[code];
      if (keepRow !== undefined && !keepRow(batch, row)) continue;
      // A verdict holds for the file wherever and whenever it was fetched: no filter applies.
      if (kind === "scan") {
        const isVerdict = shasum !== undefined && shasum[row]! >= 0 && positives !== undefined && total !== undefined;
        // False for NaN, that is, for an answer without figures.
        if (isVerdict && positives[row]! <= INT32_MAX && total[row]! <= INT32_MAX) pick("scan").push(row);
        // It is kept for the hash's sake; of a day that is left out it must not bring a sensor in.
        if (day[row]! < sinceDay || day[row]! > untilDay) sensor[row] = -1;
      }
      if (sensor[row]! < 0 || day[row]! < sinceDay || day[row]! > untilDay) continue;
      const us = batch.timestampUs[row]!;
      if (us < this.firstSeenUs) this.firstSeenUs = us;
      if (us > this.lastSeenUs) this.lastSeenUs = us;
      events.push(row);
      switch (kind) {
        case undefined:
        case "scan":
          break;
        case "command":
          if (realm !== undefined && realm[row]! >= 0) break;
          pick("command").push(row);
          if (session !== undefined && session[row]! >= 0) pick("last_command").push(row);
          break;
        case "client_key":
          // For two weeks of 2018 the id stood for the key exchange, which offers none.
          if ((key !== undefined && key[row]! >= 0) || (print !== undefined && print[row]! >= 0)) pick(kind).push(row);
          break;
        case "file_download":
          // An empty hash is that of a download that failed.
          if (shasum !== undefined && hasText(hashes, shasum[row]!)) pick("file_download").push(row);
          break;
        default:
          pick(kind).push(row);
      }
    }
    this.events += events.length;
    const rowsOf = new Map<Kind, Int32Array>();
    for (const [kind, rows] of picks) if (rows.length > 0) rowsOf.set(kind, rows.toArray());
    return rowsOf;
  }

  /** A key column of the picked rows: codes, or whole numbers; -1 = no value. */
  #gather(kind: Kind, column: KeyColumn, batch: EventBatch, rows: Int32Array, eventid: Int32Array): Int32Array {
    const values = new Int32Array(rows.length).fill(-1);
    if (column === "robot") {
      const durations = batch.numbers.get("duration");
      if (durations === undefined) return values;
      const { robotMaxSeconds } = this.#options;
      for (let i = 0; i < rows.length; i++) {
        const duration = durations[rows[i]!]!;
        if (!Number.isNaN(duration)) values[i] = duration < robotMaxSeconds ? 1 : 0;
      }
      return values;
    }
    // Made of more than one event, by those who ask for them.
    if (column === "hour" || column === "line" || column === "source") return values;
    if (!isTextKey(column)) {
      const numbers = batch.numbers.get(column satisfies NumberColumn);
      if (numbers === undefined) return values;
      for (let i = 0; i < rows.length; i++) {
        const number = numbers[rows[i]!]!;
        if (!Number.isNaN(number)) values[i] = number;
      }
      return values;
    }
    const codes = batch.codes.get(column satisfies TextColumn);
    if (codes === undefined) return values;
    // A client is known by its version or by its HASSH, by the event that tells it; never by both at once.
    const isVersion = column === "version";
    const isClient = kind === "client";
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      if (!isClient || (eventid[row] === this.#versionCode) === isVersion) values[i] = codes[row]!;
    }
    return values;
  }

  #addUp(kind: Kind, { batch, rows, day, sensor, keys }: Picked, eventid: Int32Array, sets: GroupSets): KindTable {
    const { size, groupOf, firstRow } = groupRows([day, sensor, ...keys], rows.length);
    const count = new Float64Array(size);
    const success = new Float64Array(size);
    const firstSeenUs = new Float64Array(size).fill(Infinity);
    const lastSeenUs = new Float64Array(size).fill(-Infinity);
    const isLogin = kind === "login";
    for (let i = 0; i < rows.length; i++) {
      const group = groupOf[i]!;
      const us = batch.timestampUs[rows[i]!]!;
      count[group]!++;
      if (isLogin && eventid[rows[i]!] === this.#successCode) success[group]!++;
      if (us < firstSeenUs[group]!) firstSeenUs[group] = us;
      if (us > lastSeenUs[group]!) lastSeenUs[group] = us;
    }
    return {
      kind,
      rows: size,
      day: take(day, firstRow),
      sensor: take(sensor, firstRow),
      keys: Object.fromEntries(KINDS[kind].map((column, i) => [column, take(keys[i]!, firstRow)])),
      count,
      success,
      addresses: KIND_SPECS[kind].hasAddresses ? sets.collect(batch.codes.get("src_ip"), rows, groupOf, size) : null,
      firstSeenUs,
      lastSeenUs,
    };
  }
}

/** Rows of one kind with their day, sensor and key columns gathered. */
interface Picked {
  readonly batch: EventBatch;
  readonly rows: Int32Array;
  readonly day: Int32Array;
  readonly sensor: Int32Array;
  readonly keys: Int32Array[];
}

/** The last command of each session in the batch: by time, then by row. */
function lastCommands({ batch, rows, day, sensor, keys }: Picked, at: number, sets: GroupSets): KindTable {
  const session = keys[0]!;
  const { size, groupOf, firstRow } = groupRows([sensor, session], rows.length);
  const last = firstRow.slice();
  for (let i = 0; i < rows.length; i++) {
    const group = groupOf[i]!;
    if (batch.timestampUs[rows[i]!]! >= batch.timestampUs[rows[last[group]!]!]!) last[group] = i;
  }
  const lastRows = take(rows, last);
  const input = batch.codes.get("input");
  const time = take(batch.timestampUs, lastRows);
  return {
    kind: "last_command",
    rows: size,
    day: take(day, last),
    sensor: take(sensor, last),
    keys: {
      session: take(session, last),
      input: input === undefined ? new Int32Array(size).fill(-1) : take(input, lastRows),
      source: new Int32Array(size),
      line: lastRows.map(row => at + row),
    },
    count: new Float64Array(size).fill(1),
    success: new Float64Array(size),
    addresses: sets.collect(batch.codes.get("src_ip"), lastRows, Int32Array.from(last.keys()), size),
    firstSeenUs: time,
    lastSeenUs: time.slice(),
  };
}

/** The sets of addresses behind groups of rows. */
class GroupSets {
  readonly sets = new SetDictionary();
  readonly #hashes: Uint32Array;
  /** `#single[src_ip code]` = code of the set of that address alone, -1 = not made yet. */
  readonly #single: Int32Array;

  constructor(hashes: Uint32Array) {
    this.#hashes = hashes;
    this.#single = new Int32Array(hashes.length).fill(-1);
  }

  /**
   * The set of each group; an event without an address adds none.
   *
   * @param sourceCodes Code of the address per row of the batch.
   * @param rows Rows of the batch, `groupOf` the group of each.
   */
  collect(sourceCodes: Int32Array | undefined, rows: Int32Array, groupOf: Int32Array, groups: number): Int32Array {
    const none = this.sets.intern(this.#hashes, 0, 0);
    if (sourceCodes === undefined) return new Int32Array(groups).fill(none);
    // The address of a group, or that it has several: most have one.
    const only = new Int32Array(groups).fill(NO_ADDRESS);
    let several = 0;
    for (let i = 0; i < rows.length; i++) {
      const code = sourceCodes[rows[i]!]!;
      const group = groupOf[i]!;
      if (code < 0 || only[group] === code) continue;
      if (only[group] === NO_ADDRESS) only[group] = code;
      else if (only[group] !== SEVERAL) {
        only[group] = SEVERAL;
        several++;
      }
    }
    const sets = new Int32Array(groups).fill(none);
    for (let group = 0; group < groups; group++) {
      const code = only[group]!;
      if (code < 0) continue;
      if (this.#single[code]! < 0) this.#single[code] = this.sets.intern(this.#hashes, code, code + 1);
      sets[group] = this.#single[code]!;
    }
    if (several > 0) this.#collectSeveral(sourceCodes, rows, groupOf, only, sets);
    return sets;
  }

  #collectSeveral(
    sourceCodes: Int32Array,
    rows: Int32Array,
    groupOf: Int32Array,
    only: Int32Array,
    sets: Int32Array,
  ): void {
    // Rows by group, each pair of group and address once.
    const ofSeveral = new RowList(rows.length);
    for (let i = 0; i < rows.length; i++) {
      if (only[groupOf[i]!] === SEVERAL && sourceCodes[rows[i]!]! >= 0) ofSeveral.push(i);
    }
    const places = ofSeveral.toArray();
    const groupColumn = take(groupOf, places);
    const codeColumn = take(sourceCodes, take(rows, places));
    const { firstRow } = groupRows([groupColumn, codeColumn], places.length);
    const pairs = take(firstRow, sortedRows([take(groupColumn, firstRow)], firstRow.length));
    for (let start = 0; start < pairs.length; ) {
      const group = groupColumn[pairs[start]!]!;
      let end = start;
      while (end < pairs.length && groupColumn[pairs[end]!] === group) end++;
      const hashes = new Uint32Array(end - start);
      for (let i = start; i < end; i++) hashes[i - start] = this.#hashes[codeColumn[pairs[i]!]!]!;
      sets[group] = this.sets.internAny(hashes);
      start = end;
    }
  }
}

/** What stands in place of the code of a group's only address. */
const NO_ADDRESS = -1;
const SEVERAL = -2;

/** Row numbers in rising order. */
class RowList {
  length = 0;
  readonly #rows: Int32Array;

  constructor(capacity: number) {
    this.#rows = new Int32Array(capacity);
  }

  push(row: number): void {
    this.#rows[this.length++] = row;
  }

  toArray(): Int32Array {
    return this.#rows.subarray(0, this.length);
  }
}
