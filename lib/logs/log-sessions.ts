/**
 * What the sessions of one log leave, out of its event table: who each was, what it typed, which of its events leave a mark,
 * how long sessions lasted and how far they came. No option decides any of it, and no rule of what a mark or a command is: it
 * holds for as long as the log does, and can be sent and kept.
 *
 * Gathered by slot, the number of a session in this table; texts are looked at once per code, not per event.
 *
 * Tested in `test/lib/logs/log-sessions.test.ts` and by the campaigns and chains that are counted from it.
 */
import { allTexts, Dictionary, hasText, textOf, type Texts } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import type { TextColumn } from "../events/schema.ts";
import { floats, type GrowingColumn, ints } from "../columns/growing-column.ts";
import { pickTexts } from "../columns/pick-texts.ts";
import {
  HAS_BOTH,
  HAS_CLOSED,
  HAS_CONNECT,
  TELLS_CLOSED,
  TELLS_CONNECT,
  TELLS_DOWNLOAD,
  TELLS_DOWNLOAD_FAILED,
  TELLS_FAILED,
  TELLS_FINGERPRINT,
  TELLS_INPUT,
  TELLS_KEX,
  TELLS_SUCCESS,
  TELLS_UPLOAD,
  TELLS_VERSION,
} from "../kernel/layout.ts";
import { DURATION_STEPS, durationStep } from "../text/duration-steps.ts";
import { dayOf } from "../text/time.ts";
import { activitiesOf, type LogReach, REACH_BITS, SlotReach } from "./slot-reach.ts";

/** Codes by session, -1 = none, and the texts they stand for. */
export type SessionTexts = ReturnType<typeof numberTexts>;

/** Lists by session: of session `i`, `values` from `starts[i]` to `starts[i + 1]`. */
export interface SessionLists {
  readonly starts: Int32Array;
  readonly values: Int32Array;
}

/** An event that may leave a mark: the texts of two columns, "" = none. */
export interface Trace {
  readonly what: TraceKind;
  readonly text: string;
  readonly beside: string;
}

/** Sessions that left something or may go on in another log, in the order in which they were met; behind them such of which no more than a refused login is known. */
export interface LogSessions {
  /** Sessions that connected, also such as are left out. */
  readonly connects: number;
  /** Id of each: of two sensors there may be two of one id. */
  readonly ids: Texts;
  /** Own names, before aliases. */
  readonly sensors: readonly string[];
  readonly sensor: Int32Array;
  /** 1 = connect and end are both here. */
  readonly isWhole: Uint8Array;
  /** Of the events that tell something of it, microseconds since 1970-01-01 UTC; Infinity and -Infinity where none does. */
  readonly firstUs: Float64Array;
  readonly lastUs: Float64Array;
  readonly address: SessionTexts;
  readonly hassh: SessionTexts;
  readonly version: SessionTexts;
  /** User name and password of the first login that succeeded, NUL between them. */
  readonly credential: SessionTexts;
  /** Codes of {@link inputs}, in order of time, equal times in input order. */
  readonly typed: SessionLists;
  /** When the first of them was typed; Infinity where none was. */
  readonly typedUs: Float64Array;
  /** In the order in which each was first typed. */
  readonly inputs: Texts;
  /** Places in {@link traces}. */
  readonly left: SessionLists;
  readonly traces: readonly Trace[];
  /** Closed sessions that told their length, also such as are left out above. */
  readonly lengths: {
    readonly sensor: Int32Array;
    readonly day: Int32Array;
    /** Place in `DURATION_STEPS`. */
    readonly step: Int32Array;
    readonly count: Int32Array;
  };
  /** Addresses are codes of {@link reachAddresses}, sensors places in {@link sensors}. */
  readonly reach: LogReach;
  readonly reachAddresses: Texts;
}

/** What an event may tell, by its id. */
export const TELLS: ReadonlyMap<string, number> = new Map([
  ["cowrie.session.connect", TELLS_CONNECT],
  ["cowrie.session.closed", TELLS_CLOSED],
  ["cowrie.command.input", TELLS_INPUT],
  ["cowrie.session.file_download", TELLS_DOWNLOAD],
  ["cowrie.session.file_download.failed", TELLS_DOWNLOAD_FAILED],
  ["cowrie.session.file_upload", TELLS_UPLOAD],
  ["cowrie.client.fingerprint", TELLS_FINGERPRINT],
  ["cowrie.login.success", TELLS_SUCCESS],
  ["cowrie.login.failed", TELLS_FAILED],
  ["cowrie.client.kex", TELLS_KEX],
  ["cowrie.client.version", TELLS_VERSION],
]);

/** What leaves a mark: the column it stands in, and the one that tells more of it; the kernel knows them by their places. */
export const TRACES = {
  url: ["url", "url"],
  download: ["shasum", "url"],
  upload: ["shasum", "filename"],
  key: ["key", "fingerprint"],
} as const satisfies Record<string, readonly [TextColumn, TextColumn]>;
export type TraceKind = keyof typeof TRACES;

/**
 * Whether the sessions of a log can stand in parts: whoever adds the parts up is told the same as of the whole. So it is where
 * all a session did lies in one of them; and of one that goes on in another where the parts stand in order of time and none of
 * them takes it for whole, as then it stands in each.
 *
 * @param shared Ids that are in the last part and in others.
 * @param isInTime Whether no event of the last part is earlier than one of the others.
 */
export function sessionsAddUp(parts: readonly LogSessions[], last: LogSessions, shared: ReadonlySet<string>, isInTime: boolean): boolean {
  if (shared.size === 0) return true;
  // Of two sensors that have one id, only one may be known.
  if (!isInTime || new Set([...parts, last].flatMap(({ sensors }) => sensors)).size > 1) return false;
  return areOpen(parts, shared) && areOpen([last], shared);
}

function areOpen(parts: readonly LogSessions[], sessions: ReadonlySet<string>): boolean {
  const open = new Set<string>();
  for (const { ids, isWhole, address } of parts) {
    for (const [i, id] of allTexts(ids).entries()) {
      if (!sessions.has(id)) continue;
      if (isWhole[i] === 1 || address.codes[i]! < 0) return false;
      open.add(id);
    }
  }
  return open.size === sessions.size;
}

export async function readSessions(table: EventTable): Promise<LogSessions> {
  const reader = new SessionReader(table);
  for await (const _ of reader.batches()) continue;
  return reader.finish();
}

/** Reads a table, which is walked once. */
export class SessionReader {
  readonly #table: EventTable;
  #connects = 0;
  /** By slot; codes of the table, -1 = none. */
  readonly #session = ints();
  readonly #sensor = ints();
  readonly #address = ints();
  readonly #hassh = ints();
  readonly #version = ints();
  readonly #credential = ints();
  readonly #flags = ints();
  readonly #firstUs = floats();
  readonly #lastUs = floats();
  readonly #typed = { slot: ints(), input: ints(), us: floats() };
  readonly #left = { slot: ints(), trace: ints() };
  readonly #credentials = new Dictionary();
  readonly #credentialOf = new Map<number, number>();
  readonly #traces: Trace[] = [];
  readonly #traceOf: Readonly<Record<TraceKind, Map<number, number>>> = { url: new Map(), download: new Map(), upload: new Map(), key: new Map() };
  readonly #lengths = new Map<number, number>();
  readonly #reach = new SlotReach();
  /** Slots in the order in which an event told something of them. */
  readonly #told = ints();
  /** By code of the event's id: what it tells, and how far a session came by it. */
  #tells: Uint8Array | undefined;
  #reaches = new Uint8Array(0);
  /** By the same code, see `activitiesOf`. */
  #activities: readonly (readonly number[])[] = [];
  #batch: EventBatch | undefined;
  #columns: Partial<Record<TextColumn, Int32Array | null>> = {};
  /** Slot of a session on the sensor on which it was met first; others, which are rare, in the map. */
  #slotOf = new Int32Array(0);
  readonly #others = new Map<string, number>();

  constructor(table: EventTable) {
    this.#table = table;
  }

  /** The batches of the table, each read when it is taken: whoever else takes them walks the table once for both. */
  async *batches(): AsyncGenerator<EventBatch> {
    for await (const batch of this.#table.batches()) {
      this.#read(batch);
      yield batch;
    }
  }

  #read(batch: EventBatch): void {
    const tells = (this.#tells ??= this.#listTells());
    const eventid = batch.codes.get("eventid")!;
    const sensor = batch.codes.get("sensor");
    const session = batch.codes.get("session");
    const address = batch.codes.get("src_ip");
    const durations = batch.numbers.get("duration");
    if (session !== undefined && this.#slotOf.length === 0) {
      this.#slotOf = new Int32Array(this.#table.dictionaries.get("session")!.size).fill(-1);
    }
    this.#batch = batch;
    this.#columns = {};
    const [reaches, activities] = [this.#reaches, this.#activities];
    for (let row = 0; row < batch.rows; row++) {
      const what = tells[eventid[row]!]!;
      const bits = reaches[eventid[row]!]!;
      const counted = activities[eventid[row]!]!;
      if (what === 0 && bits === 0 && counted.length === 0) continue;
      const sensorCode = sensor === undefined ? -1 : sensor[row]!;
      const us = batch.timestampUs[row]!;
      if (what === TELLS_CLOSED && durations !== undefined) this.#addLength(durations[row]!, us, sensorCode);
      if (session === undefined || session[row]! < 0) continue;
      const slot = this.#slot(session[row]!, sensorCode);
      if (address !== undefined && this.#address.values[slot] === -1) this.#address.values[slot] = address[row]!;
      if ((bits !== 0 || counted.length > 0) && this.#isCounted(what, row)) this.#reach.see(slot, bits, counted, us);
      // Most events are passwords that were refused: they tell nothing more.
      if (what === 0) continue;
      if (this.#firstUs.values[slot] === Infinity) this.#told.push(slot);
      if (us < this.#firstUs.values[slot]!) this.#firstUs.values[slot] = us;
      if (us > this.#lastUs.values[slot]!) this.#lastUs.values[slot] = us;
      this.#take(what, slot, row, us);
    }
  }

  /** As the reduced table counts: what was fed to a program is no command, and a download that failed has no hash. */
  #isCounted(what: number, row: number): boolean {
    if (what === TELLS_INPUT) return this.#isTyped(row);
    return what !== TELLS_DOWNLOAD || hasText(this.#table.dictionaries.get("shasum") ?? NO_TEXTS, this.#code("shasum", row));
  }

  #isTyped(row: number): boolean {
    return this.#code("input", row) >= 0 && this.#code("realm", row) < 0;
  }

  #listTells(): Uint8Array {
    const { dictionaries } = this.#table;
    // Only where keys are logged does a refused login tell more than a try.
    const hasKeys = (["key", "fingerprint"] as const).some(name => (dictionaries.get(name)?.size ?? 0) > 0);
    const ids = allTexts(dictionaries.get("eventid")!);
    this.#reaches = Uint8Array.from(ids, id => REACH_BITS.get(id) ?? 0);
    this.#activities = ids.map(activitiesOf);
    return Uint8Array.from(ids, id => {
      const what = TELLS.get(id) ?? 0;
      return what === TELLS_FAILED && !hasKeys ? 0 : what;
    });
  }

  #addLength(seconds: number, us: number, sensor: number): void {
    if (Number.isNaN(seconds)) return;
    const cell = (dayOf(us) * CODES + sensor + 1) * DURATION_STEPS.length + durationStep(seconds);
    this.#lengths.set(cell, (this.#lengths.get(cell) ?? 0) + 1);
  }

  /** Code of a row; a column is asked for once a batch, as it may have to be decoded. */
  #code(column: TextColumn, row: number): number {
    let codes = this.#columns[column];
    if (codes === undefined) this.#columns[column] = codes = this.#batch!.codes.get(column) ?? null;
    return codes === null ? -1 : codes[row]!;
  }

  #slot(session: number, sensor: number): number {
    const first = this.#slotOf[session]!;
    if (first >= 0 && this.#sensor.values[first] === sensor) return first;
    const key = `${session} ${sensor}`;
    const known = first < 0 ? undefined : this.#others.get(key);
    if (known !== undefined) return known;
    const slot = this.#session.length;
    this.#session.push(session);
    this.#sensor.push(sensor);
    for (const column of [this.#address, this.#hassh, this.#version, this.#credential]) column.push(-1);
    this.#flags.push(0);
    this.#firstUs.push(Infinity);
    this.#lastUs.push(-Infinity);
    if (first < 0) this.#slotOf[session] = slot;
    else this.#others.set(key, slot);
    return slot;
  }

  #take(what: number, slot: number, row: number, us: number): void {
    switch (what) {
      case TELLS_CONNECT:
        this.#connects++;
        this.#flags.values[slot]! |= HAS_CONNECT;
        break;
      case TELLS_CLOSED:
        this.#flags.values[slot]! |= HAS_CLOSED;
        break;
      case TELLS_INPUT:
        if (this.#isTyped(row)) {
          this.#typed.slot.push(slot);
          this.#typed.input.push(this.#code("input", row));
          this.#typed.us.push(us);
        }
        break;
      case TELLS_DOWNLOAD:
      case TELLS_DOWNLOAD_FAILED:
        this.#leave("url", slot, row);
        if (what === TELLS_DOWNLOAD) this.#leave("download", slot, row);
        break;
      case TELLS_UPLOAD:
        this.#leave("upload", slot, row);
        break;
      case TELLS_SUCCESS:
        if (this.#credential.values[slot] === -1) this.#credential.values[slot] = this.#codeOfLogin(row);
        this.#leave("key", slot, row);
        break;
      case TELLS_FINGERPRINT:
      case TELLS_FAILED:
        this.#leave("key", slot, row);
        break;
      case TELLS_KEX:
        if (this.#hassh.values[slot] === -1) this.#hassh.values[slot] = this.#code("hassh", row);
        break;
      case TELLS_VERSION:
        if (this.#version.values[slot] === -1) this.#version.values[slot] = this.#code("version", row);
    }
  }

  #codeOfLogin(row: number): number {
    const [username, password] = [this.#code("username", row), this.#code("password", row)];
    if (username < 0) return -1;
    const key = pairOf(username, password);
    let code = this.#credentialOf.get(key);
    if (code === undefined) {
      code = this.#credentials.internText(`${this.#text("username", username)}\u0000${this.#text("password", password)}`);
      this.#credentialOf.set(key, code);
    }
    return code;
  }

  #leave(what: TraceKind, slot: number, row: number): void {
    const [column, more] = TRACES[what];
    const [code, beside] = [this.#code(column, row), this.#code(more, row)];
    if (code < 0 && (what !== "key" || beside < 0)) return;
    const key = pairOf(code, beside);
    let trace = this.#traceOf[what].get(key);
    if (trace === undefined) {
      trace = this.#traces.push({ what, text: this.#text(column, code), beside: this.#text(more, beside) }) - 1;
      this.#traceOf[what].set(key, trace);
    }
    this.#left.slot.push(slot);
    this.#left.trace.push(trace);
  }

  #text(column: TextColumn, code: number): string {
    const texts = this.#table.dictionaries.get(column);
    return texts === undefined || code < 0 ? "" : textOf(texts, code);
  }

  /** What was read; nothing can be read afterwards. */
  finish(): LogSessions {
    const slots = this.#session.length;
    const typed = placesBySlot(this.#typed.slot, slots, this.#typed.us.values);
    const left = placesBySlot(this.#left.slot, slots);
    const flags = this.#flags.values;
    const isKept = (slot: number) => flags[slot] !== HAS_BOTH || this.#reach.isOpen(slot) || isFilled(typed, slot) || isFilled(left, slot);
    // What was closed and left nothing is of no use; what was not may go on in another table.
    const told = this.#told.values.subarray(0, this.#told.length).filter(isKept);
    const untold = new Int32Array(slots).map((_, slot) => slot).filter(slot => this.#firstUs.values[slot] === Infinity);
    const kept = new Int32Array(told.length + untold.length);
    kept.set(told);
    kept.set(untold, told.length);
    const { dictionaries } = this.#table;
    const of = ({ values }: GrowingColumn<Int32Array>) => kept.map(slot => values[slot]!);
    const timesOf = ({ values }: GrowingColumn<Float64Array>) => Float64Array.from(kept, slot => values[slot]!);
    const inputs = numberTexts(dictionaries.get("input"), this.#typed.input.values.subarray(0, this.#typed.input.length));
    const placeOf = new Int32Array(slots).fill(-1);
    kept.forEach((slot, place) => (placeOf[slot] = place));
    const reach = this.#reach.finish(slot => placeOf[slot]!, this.#sensor.values, this.#address.values);
    const reached = numberTexts(dictionaries.get("src_ip"), reach.address);
    const { sensors, numberOf, lengths } = this.#nameSensors();
    return {
      connects: this.#connects,
      ids: pickTexts(dictionaries.get("session") ?? NO_TEXTS, of(this.#session)),
      sensors,
      sensor: of(this.#sensor).map(numberOf),
      isWhole: Uint8Array.from(kept, slot => Number(flags[slot] === HAS_BOTH)),
      firstUs: timesOf(this.#firstUs),
      lastUs: timesOf(this.#lastUs),
      address: numberTexts(dictionaries.get("src_ip"), of(this.#address)),
      hassh: numberTexts(dictionaries.get("hassh"), of(this.#hassh)),
      version: numberTexts(dictionaries.get("version"), of(this.#version)),
      credential: numberTexts(this.#credentials, of(this.#credential)),
      typed: listsOf(typed, kept, inputs.codes),
      typedUs: Float64Array.from(kept, slot => (isFilled(typed, slot) ? this.#typed.us.values[typed.values[typed.starts[slot]!]!]! : Infinity)),
      inputs: inputs.texts,
      left: listsOf(left, kept, this.#left.trace.values),
      traces: this.#traces,
      lengths,
      reach: { ...reach, sensor: reach.sensor.map(numberOf), address: reached.codes },
      reachAddresses: reached.texts,
    };
  }

  #nameSensors(): Pick<LogSessions, "sensors" | "lengths"> & { readonly numberOf: (code: number) => number } {
    const numbers = new Map<number, number>();
    const numberOf = (code: number) => {
      if (!numbers.has(code)) numbers.set(code, numbers.size);
      return numbers.get(code)!;
    };
    // All of them, before anything is named by them.
    this.#sensor.values.subarray(0, this.#sensor.length).forEach(numberOf);
    const steps = DURATION_STEPS.length;
    const cells = Float64Array.from(this.#lengths.keys());
    // Rounded down: by its zone an event may be of a day before 1970, which is negative.
    const places = cells.map(cell => Math.floor(cell / steps));
    const step = Int32Array.from(cells, (cell, i) => cell - places[i]! * steps);
    const day = Int32Array.from(places, place => Math.floor(place / CODES));
    const lengths = {
      sensor: Int32Array.from(places, (place, i) => numberOf(place - day[i]! * CODES - 1)),
      day,
      step,
      count: Int32Array.from(this.#lengths.values()),
    };
    return { lengths, numberOf, sensors: [...numbers.keys()].map(code => this.#text("sensor", code)) };
  }
}

/** Codes, and -1, stay far below; two of them fit a number, and so does one with a day. */
const CODES = 2 ** 26;

function pairOf(code: number, beside: number): number {
  return (code + 1) * CODES + beside + 1;
}

/**
 * The places of values, gathered in any order, slot by slot.
 *
 * @param by Those of a slot come in the order of these; as they were gathered if omitted.
 */
export function placesBySlot({ length, values: slotOf }: GrowingColumn<Int32Array>, slots: number, by?: Float64Array): SessionLists {
  const starts = new Int32Array(slots + 1);
  for (let i = 0; i < length; i++) starts[slotOf[i]! + 1]!++;
  for (let slot = 0; slot < slots; slot++) starts[slot + 1]! += starts[slot]!;
  const values = new Int32Array(length);
  const next = starts.slice();
  for (let i = 0; i < length; i++) values[next[slotOf[i]!]!++] = i;
  if (by === undefined) return { starts, values };
  for (let slot = 0; slot < slots; slot++) {
    const [start, end] = [starts[slot]!, starts[slot + 1]!];
    let i = start + 1;
    while (i < end && by[values[i - 1]!]! <= by[values[i]!]!) i++;
    // Nearly all come in order.
    if (i < end) values.subarray(start, end).sort((a, b) => by[a]! - by[b]! || a - b);
  }
  return { starts, values };
}

function isFilled({ starts }: SessionLists, slot: number): boolean {
  return starts[slot]! < starts[slot + 1]!;
}

/** The lists of some slots, each place of `values` with what stands there. */
function listsOf({ starts, values: places }: SessionLists, slots: Int32Array, values: Int32Array): SessionLists {
  const own = new Int32Array(slots.length + 1);
  for (let i = 0; i < slots.length; i++) own[i + 1] = own[i]! + starts[slots[i]! + 1]! - starts[slots[i]!]!;
  const list = new Int32Array(own[slots.length]!);
  for (let i = 0, to = 0; i < slots.length; i++) {
    for (let at = starts[slots[i]!]!; at < starts[slots[i]! + 1]!; at++) list[to++] = values[places[at]!]!;
  }
  return { starts: own, values: list };
}

export const NO_TEXTS: Texts = { size: 0, arena: new Uint8Array(0), offsets: new Int32Array(1) };

/** Codes numbered anew in the order of their first sight, with the texts of these alone. */
export function numberTexts(texts: Texts = NO_TEXTS, codes: Int32Array) {
  const known = new Int32Array(texts.size).fill(-1);
  const used = new Int32Array(Math.min(codes.length, texts.size));
  let size = 0;
  const own = codes.map(code => {
    if (code < 0) return -1;
    if (known[code]! < 0) {
      used[size] = code;
      known[code] = size++;
    }
    return known[code]!;
  });
  return { codes: own, texts: pickTexts(texts, used.subarray(0, size)) };
}
