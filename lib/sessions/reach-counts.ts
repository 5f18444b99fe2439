/**
 * How far sessions came, from event tables: connected, tried to log in, let in, typed a command, fetched a file; by day and
 * sensor, with the addresses behind them.
 *
 * A session counts on the day it connected, else on that of the first of its events that tells anything, once however
 * many tables it lies in. One that connected and was closed in a table is taken to lie in it whole: of others, which are
 * few, an entry stays. A step needs none before it: a file can be fetched where nothing was typed.
 */
import { Dictionary, textOf } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import type { EventScope } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";
import { DAY_US, dayOf } from "../text/time.ts";
import { countedRows } from "./counted-rows.ts";
import { codeOf, sessionKey } from "./event-search.ts";
import { SENSORS_MOST, type Tally, toTally } from "./tally.ts";

/** Bit n of what a session did is step n. */
export const REACH_STEPS = ["connected", "tried", "accepted", "typed", "fetched"] as const;
export type ReachStep = (typeof REACH_STEPS)[number];

const [CONNECTED, TRIED, ACCEPTED, TYPED, FETCHED] = [1, 2, 4, 8, 16];
const CLOSED = 32;
const WHOLE = CONNECTED | CLOSED;
const TELLS: readonly (readonly [eventid: string, bits: number])[] = [
  ["cowrie.session.connect", CONNECTED],
  ["cowrie.login.failed", TRIED],
  ["cowrie.login.success", TRIED | ACCEPTED],
  ["cowrie.command.input", TYPED],
  ["cowrie.session.file_download", FETCHED],
  ["cowrie.session.closed", CLOSED],
];
/** Numbers of sessions by their codes and sensors are looked up in a list of so many places at most, else in a map. */
const PLACES_MOST = 2 ** 22;

export interface ReachCounts {
  readonly sensors: readonly string[];
  /** `tallies[step]` = sessions that came so far. */
  readonly tallies: readonly Tally[];
  readonly reached: ReachedAddresses;
}

/** Addresses by day and sensor, in no order, with the steps to which their sessions came; one may stand there again. */
export interface ReachedAddresses {
  /** How many different addresses there are. */
  readonly all: number;
  readonly address: Int32Array;
  readonly day: Int32Array;
  readonly sensor: Int32Array;
  readonly steps: Uint8Array;
}

interface OpenSession {
  bits: number;
  connectUs: number;
  firstUs: number;
  address: number;
  readonly sensor: number;
}

/** Counts, table by table, in any order. */
export class ReachCounter {
  readonly #scope: EventScope;
  readonly #pickSensor: (sensor: string) => string | undefined;
  readonly #sensors = new Map<string, number>();
  readonly #addresses = new Dictionary();
  readonly #open = new Map<string, OpenSession>();
  readonly #cells = REACH_STEPS.map(() => new Map<number, number>());
  readonly #reached = { address: [] as number[], cell: [] as number[], steps: [] as number[] };
  /** `#last[address]` = where it stands in the list for the last time. */
  readonly #last: number[] = [];

  constructor(scope: EventScope) {
    this.#scope = scope;
    this.#pickSensor = sensorPicker(scope);
  }

  /** What takes the batches of a table, each once; {@link take} it afterwards. */
  reader(table: EventTable): TableReach {
    return new TableReach(table, this.#scope);
  }

  take(read: TableReach): void {
    const sensors = new Map<number, number>();
    const addresses = new Map<number, number>();
    const once = (known: Map<number, number>, code: number, find: (code: number) => number) => {
      let number = known.get(code);
      if (number === undefined) known.set(code, (number = find(code)));
      return number;
    };
    const sensorOf = (code: number) => this.#sensorOf(read.text("sensor", code));
    const addressOf = (code: number) => (code < 0 ? -1 : this.#addresses.internText(read.text("src_ip", code)));
    for (let slot = 0; slot < read.bits.length; slot++) {
      const sensor = once(sensors, read.sensor[slot]!, sensorOf);
      if (sensor < 0) continue;
      const own: OpenSession = {
        bits: read.bits[slot]!,
        connectUs: read.connectUs[slot]!,
        firstUs: read.firstUs[slot]!,
        address: once(addresses, read.address[slot]!, addressOf),
        sensor,
      };
      if ((own.bits & WHOLE) === WHOLE) this.#count(own);
      else this.#join(sessionKey(String(sensor), read.text("session", read.session[slot]!)), own);
    }
  }

  finish(): ReachCounts {
    for (const session of this.#open.values()) this.#count(session);
    this.#open.clear();
    const { address, cell, steps } = this.#reached;
    const reached = {
      all: this.#addresses.size,
      address: Int32Array.from(address),
      day: Int32Array.from(cell, at => Math.floor(at / SENSORS_MOST)),
      sensor: Int32Array.from(cell, at => at % SENSORS_MOST),
      steps: Uint8Array.from(steps),
    };
    return { sensors: [...this.#sensors.keys()], tallies: this.#cells.map(toTally), reached };
  }

  #join(key: string, own: OpenSession): void {
    const known = this.#open.get(key);
    if (known === undefined) {
      this.#open.set(key, own);
      return;
    }
    known.bits |= own.bits;
    known.connectUs = Math.min(known.connectUs, own.connectUs);
    // Of what lies in two tables the part that begins sooner tells where it came from.
    if (known.address < 0 || (own.address >= 0 && own.firstUs < known.firstUs)) known.address = own.address;
    known.firstUs = Math.min(known.firstUs, own.firstUs);
  }

  #count({ bits, connectUs, firstUs, address, sensor }: OpenSession): void {
    const steps = bits & ~CLOSED;
    if (steps === 0) return;
    const cell = dayOf(connectUs < Infinity ? connectUs : firstUs) * SENSORS_MOST + sensor;
    this.#cells.forEach((counts, step) => {
      if (steps & (1 << step)) counts.set(cell, (counts.get(cell) ?? 0) + 1);
    });
    if (address < 0) return;
    const reached = this.#reached;
    const last = this.#last[address];
    if (last !== undefined && reached.cell[last] === cell) reached.steps[last]! |= steps;
    else {
      this.#last[address] = reached.cell.push(cell) - 1;
      reached.address.push(address);
      reached.steps.push(steps);
    }
  }

  #sensorOf(own: string): number {
    const name = this.#pickSensor(own);
    if (name === undefined) return -1;
    let code = this.#sensors.get(name);
    if (code === undefined) this.#sensors.set(name, (code = this.#sensors.size));
    return code;
  }
}

/** The sessions of one table, by slot: the number of a session in it. */
export class TableReach {
  readonly #table: EventTable;
  readonly #startUs: number;
  readonly #endUs: number;
  /** By slot; codes of the table, -1 = none. */
  readonly session: number[] = [];
  readonly sensor: number[] = [];
  readonly address: number[] = [];
  readonly bits: number[] = [];
  /** Infinity where no connect was seen. */
  readonly connectUs: number[] = [];
  readonly firstUs: number[] = [];
  /** `#bitsOf[code of the event's id]` */
  #bitsOf: Uint8Array | undefined;
  #isCounted: (batch: EventBatch, row: number) => boolean = () => true;
  #sensors = 1;
  /** Slot + 1 by session and sensor, 0 = none yet; of too many in the map. */
  #slots: Int32Array | undefined;
  readonly #others = new Map<number, number>();

  constructor(table: EventTable, { sinceDay = -Infinity, untilDay = Infinity }: EventScope) {
    this.#table = table;
    this.#startUs = sinceDay * DAY_US;
    this.#endUs = (untilDay + 1) * DAY_US;
  }

  text(column: "session" | "sensor" | "src_ip", code: number): string {
    const texts = this.#table.dictionaries.get(column);
    return texts === undefined || code < 0 ? "" : textOf(texts, code);
  }

  read(batch: EventBatch): void {
    const session = batch.codes.get("session");
    if (session === undefined) return;
    const bitsOf = (this.#bitsOf ??= this.#start());
    const eventid = batch.codes.get("eventid")!;
    const sensor = batch.codes.get("sensor");
    const address = batch.codes.get("src_ip");
    for (let row = 0; row < batch.rows; row++) {
      const bits = bitsOf[eventid[row]!]!;
      const us = batch.timestampUs[row]!;
      if (bits === 0 || session[row]! < 0 || us < this.#startUs || us >= this.#endUs) continue;
      const slot = this.#slot(session[row]!, sensor === undefined ? -1 : sensor[row]!);
      // Most events are one more password: they tell nothing that is not known.
      if ((this.bits[slot]! & bits) === bits && us >= this.firstUs[slot]!) continue;
      if (!this.#isCounted(batch, row)) continue;
      this.bits[slot]! |= bits;
      if (us < this.firstUs[slot]!) this.firstUs[slot] = us;
      if (bits === CONNECTED && us < this.connectUs[slot]!) this.connectUs[slot] = us;
      if (address !== undefined && this.address[slot]! < 0) this.address[slot] = address[row]!;
    }
  }

  #start(): Uint8Array {
    const { dictionaries } = this.#table;
    const eventids = dictionaries.get("eventid")!;
    const bitsOf = new Uint8Array(eventids.size);
    for (const [eventid, bits] of TELLS) {
      const code = codeOf(eventids, eventid);
      if (code >= 0) bitsOf[code] = bits;
    }
    this.#isCounted = countedRows(this.#table);
    this.#sensors = (dictionaries.get("sensor")?.size ?? 0) + 1;
    const places = this.#sensors * (dictionaries.get("session")?.size ?? 0);
    if (places <= PLACES_MOST) this.#slots = new Int32Array(places);
    return bitsOf;
  }

  #slot(session: number, sensor: number): number {
    const place = session * this.#sensors + sensor + 1;
    const known = this.#slots === undefined ? this.#others.get(place) : this.#slots[place];
    if (known !== undefined && known > 0) return known - 1;
    const slot = this.session.push(session) - 1;
    this.sensor.push(sensor);
    this.address.push(-1);
    this.bits.push(0);
    this.connectUs.push(Infinity);
    this.firstUs.push(Infinity);
    if (this.#slots === undefined) this.#others.set(place, slot + 1);
    else this.#slots[place] = slot + 1;
    return slot;
  }
}
