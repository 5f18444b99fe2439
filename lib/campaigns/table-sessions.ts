/**
 * The sessions of one event table: who each was, what it typed, and which marks its events leave.
 *
 * Everything is gathered by slot, the number of a session in this table; texts are looked at once per code, not per event.
 *
 * Tested in `test/lib/campaigns/find-campaigns.test.ts`.
 */
import { allTexts, textOf } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import type { TextColumn } from "../events/schema.ts";

/** What an event may tell. */
const TELLS: ReadonlyMap<string, number> = new Map(
  [
    "cowrie.session.connect",
    "cowrie.session.closed",
    "cowrie.command.input",
    "cowrie.session.file_download",
    "cowrie.session.file_download.failed",
    "cowrie.session.file_upload",
    "cowrie.client.fingerprint",
    "cowrie.login.success",
    "cowrie.login.failed",
    "cowrie.client.kex",
    "cowrie.client.version",
  ].map((id, i) => [id, i + 1]),
);
const [CONNECT, CLOSED, INPUT, DOWNLOAD, DOWNLOAD_FAILED, UPLOAD, FINGERPRINT, SUCCESS, FAILED, KEX, VERSION] = [
  ...TELLS.values(),
];
const HAS_CONNECT = 1;
const HAS_CLOSED = 2;

/** How marks are numbered. */
export interface MarkCodes {
  markUrl(url: string): number[];
  /** @param place Where the file came from, or what it is called. */
  markHash(hash: string, place: string): number[];
  markOffered(key: string, fingerprint: string): number[];
}

/** What leaves a mark: the column it stands in, and the one that tells more of it. */
const MARKED = {
  url: ["url", "url"],
  download: ["shasum", "url"],
  upload: ["shasum", "filename"],
  key: ["key", "fingerprint"],
} as const;
type Marked = keyof typeof MARKED;

export class TableSessions {
  readonly table: EventTable;
  /** By slot; codes of the table, -1 = none. */
  readonly session: number[] = [];
  readonly sensor: number[] = [];
  readonly firstUs: number[] = [];
  readonly lastUs: number[] = [];
  readonly address: number[] = [];
  readonly hassh: number[] = [];
  readonly version: number[] = [];
  readonly username: number[] = [];
  readonly password: number[] = [];
  connects = 0;
  readonly #flags: number[] = [];
  readonly #marker: MarkCodes;
  readonly #typed = new Slotted();
  readonly #marked = new Slotted();
  readonly #typedAt: number[] = [];
  #tells: Uint8Array | undefined;
  #batch: EventBatch | undefined;
  #columns: Partial<Record<TextColumn, Int32Array | null>> = {};
  /** Slot of a session on the sensor on which it was met first; others, which are rare, in the map. */
  #slotOf = new Int32Array(0);
  readonly #others = new Map<string, number>();
  readonly #markCache: Readonly<Record<Marked, Map<number, number[]>>> = { url: new Map(), download: new Map(), upload: new Map(), key: new Map() };

  constructor(table: EventTable, marker: MarkCodes) {
    this.table = table;
    this.#marker = marker;
  }

  get slots(): number {
    return this.session.length;
  }

  text(column: TextColumn, code: number): string {
    const texts = this.table.dictionaries.get(column);
    return texts === undefined || code < 0 ? "" : textOf(texts, code);
  }

  read(batch: EventBatch): void {
    const { dictionaries } = this.table;
    const sessions = dictionaries.get("session");
    const session = batch.codes.get("session");
    if (sessions === undefined || session === undefined) return;
    if (this.#tells === undefined) {
      // Only where keys are logged does a refused login tell more than a try.
      const hasKeys = dictionaries.has("key") || dictionaries.has("fingerprint");
      this.#tells = Uint8Array.from(allTexts(dictionaries.get("eventid")!), id => {
        const what = TELLS.get(id) ?? 0;
        return what === FAILED && !hasKeys ? 0 : what;
      });
      this.#slotOf = new Int32Array(sessions.size).fill(-1);
    }
    const tells = this.#tells;
    const eventid = batch.codes.get("eventid")!;
    const sensor = batch.codes.get("sensor");
    const address = batch.codes.get("src_ip");
    this.#batch = batch;
    this.#columns = {};
    for (let row = 0; row < batch.rows; row++) {
      // Most events are passwords that were refused: they tell nothing.
      const what = tells[eventid[row]!]!;
      if (what === 0 || session[row]! < 0) continue;
      const slot = this.#slot(session[row]!, sensor === undefined ? -1 : sensor[row]!);
      const us = batch.timestampUs[row]!;
      if (us < this.firstUs[slot]!) this.firstUs[slot] = us;
      if (us > this.lastUs[slot]!) this.lastUs[slot] = us;
      if (address !== undefined && this.address[slot] === -1) this.address[slot] = address[row]!;
      this.#take(what, slot, row, us);
    }
  }

  /** Code of a row; a column is asked for once a batch, as it may have to be decoded. */
  #code(column: TextColumn, row: number): number {
    let codes = this.#columns[column];
    if (codes === undefined) this.#columns[column] = codes = this.#batch!.codes.get(column) ?? null;
    return codes === null ? -1 : codes[row]!;
  }

  #slot(session: number, sensor: number): number {
    const first = this.#slotOf[session]!;
    if (first >= 0 && this.sensor[first] === sensor) return first;
    const key = `${session} ${sensor}`;
    let slot = first < 0 ? undefined : this.#others.get(key);
    if (slot === undefined) {
      slot = this.session.push(session) - 1;
      this.sensor.push(sensor);
      this.firstUs.push(Infinity);
      this.lastUs.push(-Infinity);
      for (const list of [this.address, this.hassh, this.version, this.username, this.password]) list.push(-1);
      this.#flags.push(0);
      if (first < 0) this.#slotOf[session] = slot;
      else this.#others.set(key, slot);
    }
    return slot;
  }

  #take(what: number, slot: number, row: number, us: number): void {
    switch (what) {
      case CONNECT:
        this.connects++;
        this.#flags[slot]! |= HAS_CONNECT;
        break;
      case CLOSED:
        this.#flags[slot]! |= HAS_CLOSED;
        break;
      case INPUT:
        // What was fed to a program is no command.
        if (this.#code("input", row) >= 0 && this.#code("realm", row) < 0) {
          this.#typed.push(slot, this.#code("input", row));
          this.#typedAt.push(us);
        }
        break;
      case DOWNLOAD:
      case DOWNLOAD_FAILED:
        this.#mark("url", slot, row);
        if (what === DOWNLOAD) this.#mark("download", slot, row);
        break;
      case UPLOAD:
        this.#mark("upload", slot, row);
        break;
      case SUCCESS:
        if (this.username[slot] === -1) {
          this.username[slot] = this.#code("username", row);
          this.password[slot] = this.#code("password", row);
        }
        this.#mark("key", slot, row);
        break;
      case FINGERPRINT:
      case FAILED:
        this.#mark("key", slot, row);
        break;
      case KEX:
        if (this.hassh[slot] === -1) this.hassh[slot] = this.#code("hassh", row);
        break;
      case VERSION:
        if (this.version[slot] === -1) this.version[slot] = this.#code("version", row);
    }
  }

  #mark(what: Marked, slot: number, row: number): void {
    const [column, more] = MARKED[what];
    const [code, beside] = [this.#code(column, row), this.#code(more, row)];
    if (code < 0 && (what !== "key" || beside < 0)) return;
    const cache = this.#markCache[what];
    // Codes stay far below 2^26, so that both fit a number.
    const key = (code + 1) * 2 ** 26 + beside + 1;
    let marks = cache.get(key);
    if (marks === undefined) {
      const [text, about] = [this.text(column, code), this.text(more, beside)];
      marks = what === "url" ? this.#marker.markUrl(text) : what === "key" ? this.#marker.markOffered(text, about) : this.#marker.markHash(text, about);
      cache.set(key, marks);
    }
    for (const mark of marks) this.#marked.push(slot, mark);
  }

  /** Put what was gathered in order; nothing can be read afterwards. */
  order(): void {
    this.#typed.order(this.slots, this.#typedAt);
    this.#marked.order(this.slots);
  }

  /** Codes of the inputs, in order of time, equal times in input order. */
  commandsOf(slot: number): number[] {
    return this.#typed.of(slot);
  }

  marksOf(slot: number): number[] {
    return this.#marked.of(slot);
  }

  /** When the first command was typed; only of a slot with commands. */
  typedUs(slot: number): number {
    return this.#typedAt[this.#typed.firstOf(slot)]!;
  }

  /** Whether the session typed something, or left a mark. */
  isMarked(slot: number): boolean {
    return this.#typed.has(slot) || this.#marked.has(slot);
  }

  /** The connect and the end are both here. */
  isWhole(slot: number): boolean {
    return this.#flags[slot] === (HAS_CONNECT | HAS_CLOSED);
  }
}

/** Values by slot, gathered in any order. */
class Slotted {
  readonly #slots: number[] = [];
  readonly #values: number[] = [];
  #places = new Int32Array(0);
  #starts = new Int32Array(0);

  push(slot: number, value: number): void {
    this.#slots.push(slot);
    this.#values.push(value);
  }

  /** @param by Values of a slot come in the order of these; in the order in which they were pushed if omitted. */
  order(slots: number, by?: readonly number[]): void {
    const starts = new Int32Array(slots + 1);
    for (const slot of this.#slots) starts[slot + 1]!++;
    for (let slot = 0; slot < slots; slot++) starts[slot + 1]! += starts[slot]!;
    const places = new Int32Array(this.#slots.length);
    const next = starts.slice();
    this.#slots.forEach((slot, i) => (places[next[slot]!++] = i));
    this.#starts = starts;
    this.#places = places;
    if (by === undefined) return;
    for (let slot = 0; slot < slots; slot++) {
      const own = places.subarray(starts[slot], starts[slot + 1]);
      // Nearly all come in order.
      if (own.some((at, i) => i > 0 && by[own[i - 1]!]! > by[at]!)) own.sort((a, b) => by[a]! - by[b]! || a - b);
    }
  }

  of(slot: number): number[] {
    const values: number[] = [];
    for (let i = this.#starts[slot]!; i < this.#starts[slot + 1]!; i++) values.push(this.#values[this.#places[i]!]!);
    return values;
  }

  has(slot: number): boolean {
    return this.#starts[slot]! < this.#starts[slot + 1]!;
  }

  firstOf(slot: number): number {
    return this.#places[this.#starts[slot]!]!;
  }
}
