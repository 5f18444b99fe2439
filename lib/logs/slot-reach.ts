/**
 * How far the sessions of one log came, day by day: connected, tried to log in, let in, typed a command, fetched a file; and
 * how often they did so.
 *
 * Sessions that lie in the log whole and on one day are counted together where they came from one address and equally far;
 * of others, which are few, an entry a day stays, as other logs may tell more of them.
 *
 * Tested in `test/lib/sessions/reach-counts.test.ts`.
 */
import { groupRows, take } from "../columns/group.ts";
import { DAY_US } from "../text/time.ts";
import { floats, ints } from "../columns/growing-column.ts";
import { ACTIVITIES, ACTIVITY_EVENTS } from "../events/activity-events.ts";

/** Bit n of what a session did is step n. */
export const REACH_STEPS = ["connected", "tried", "accepted", "typed", "fetched"] as const;
export type ReachStep = (typeof REACH_STEPS)[number];

const [CONNECTED, TRIED, ACCEPTED, TYPED, FETCHED] = [1, 2, 4, 8, 16];
/** What is no step: the end of a session. */
export const CLOSED = 32;
/** All of it is known. */
export const WHOLE = CONNECTED | CLOSED;

/** What an event tells, by its id. */
export const REACH_BITS: ReadonlyMap<string, number> = new Map([
  ["cowrie.session.connect", CONNECTED],
  ["cowrie.login.failed", TRIED],
  ["cowrie.login.success", TRIED | ACCEPTED],
  ["cowrie.command.input", TYPED],
  ["cowrie.session.file_download", FETCHED],
  ["cowrie.session.closed", CLOSED],
]);

/** Places in `ACTIVITIES` of what an event is counted as, by its id. */
export function activitiesOf(eventid: string): number[] {
  return ACTIVITIES.flatMap((name, place) => ((ACTIVITY_EVENTS[name] as readonly string[]).includes(eventid) ? [place] : []));
}

/** Entries in the order in which sessions were met; those of one session stand together. */
export type LogReach = ReturnType<SlotReach["finish"]>;

/** By slot, the number of a session in its table. */
export class SlotReach {
  readonly #slot = ints();
  readonly #day = ints();
  readonly #bits = ints();
  readonly #connectUs = floats();
  readonly #firstUs = floats();
  readonly #done = ACTIVITIES.map(() => ints());
  /** `#entryOf[slot]` = its entry + 1, 0 = none yet. */
  readonly #entryOf = ints();
  /** Further entries of slots that go over midnight. */
  readonly #more = new Map<number, number[]>();

  /**
   * Take what an event tells.
   *
   * @param activities See {@link activitiesOf}.
   */
  see(slot: number, bits: number, activities: readonly number[], us: number): void {
    const day = Math.floor(us / DAY_US);
    while (this.#entryOf.length <= slot) this.#entryOf.push(0);
    let entry = this.#entryOf.values[slot]! - 1;
    if (entry < 0) this.#entryOf.values[slot] = (entry = this.#add(slot, day)) + 1;
    else if (this.#day.values[entry] !== day) entry = this.#entryOn(slot, day);
    for (let i = 0; i < activities.length; i++) this.#done[activities[i]!]!.values[entry]!++;
    // Most events are one more password: they tell nothing that is not known.
    if ((this.#bits.values[entry]! & bits) === bits && us >= this.#firstUs.values[entry]!) return;
    this.#bits.values[entry]! |= bits;
    if (us < this.#firstUs.values[entry]!) this.#firstUs.values[entry] = us;
    if (bits === CONNECTED && us < this.#connectUs.values[entry]!) this.#connectUs.values[entry] = us;
  }

  #add(slot: number, day: number): number {
    this.#slot.push(slot);
    this.#day.push(day);
    this.#bits.push(0);
    this.#connectUs.push(Infinity);
    this.#firstUs.push(Infinity);
    for (const column of this.#done) column.push(0);
    return this.#slot.length - 1;
  }

  #entryOn(slot: number, day: number): number {
    let more = this.#more.get(slot);
    if (more === undefined) this.#more.set(slot, (more = []));
    let entry = more.find(one => this.#day.values[one] === day);
    if (entry === undefined) more.push((entry = this.#add(slot, day)));
    return entry;
  }

  /** Whether other logs may tell more of a slot, or only some of its days count: it cannot be counted together with others. */
  isOpen(slot: number): boolean {
    const entry = (this.#entryOf.values[slot] ?? 0) - 1;
    return entry >= 0 && (this.#more.has(slot) || (this.#bits.values[entry]! & WHOLE) !== WHOLE);
  }

  /**
   * @param sessionOf Place of an open slot among the sessions of the log.
   * @param sensor Codes by slot.
   * @param address Codes by slot.
   */
  finish(sessionOf: (slot: number) => number, sensor: Int32Array, address: Int32Array) {
    const order = new Int32Array(this.#slot.length);
    let size = 0;
    for (let entry = 0; entry < this.#slot.length; entry++) {
      const slot = this.#slot.values[entry]!;
      if (this.#entryOf.values[slot] !== entry + 1) continue;
      order[size++] = entry;
      for (const more of this.#more.get(slot) ?? []) order[size++] = more;
    }
    const slots = order.map(entry => this.#slot.values[entry]!);
    const columns = {
      session: slots.map(slot => (this.isOpen(slot) ? sessionOf(slot) : -1)),
      sensor: slots.map(slot => sensor[slot]!),
      address: slots.map(slot => address[slot]!),
      day: order.map(entry => this.#day.values[entry]!),
      bits: order.map(entry => this.#bits.values[entry]!),
    };
    const { groupOf, firstRow } = groupRows(Object.values(columns), size);
    const count = new Int32Array(firstRow.length);
    for (let row = 0; row < size; row++) count[groupOf[row]!]!++;
    const done = this.#done.map(({ values }) => {
      const sums = new Int32Array(firstRow.length);
      for (let row = 0; row < size; row++) sums[groupOf[row]!]! += values[order[row]!]!;
      return sums;
    });
    return {
      /** Place among the sessions of the log; -1 = {@link count} sessions that lie in it whole, on one day. */
      session: take(columns.session, firstRow),
      sensor: take(columns.sensor, firstRow),
      address: take(columns.address, firstRow),
      day: take(columns.day, firstRow),
      bits: take(columns.bits, firstRow),
      count,
      /** Of the entry of one session, Infinity where it did not connect on that day; and of the first event that told something. */
      connectUs: Float64Array.from(firstRow, row => this.#connectUs.values[order[row]!]!),
      firstUs: Float64Array.from(firstRow, row => this.#firstUs.values[order[row]!]!),
      /** `done[place in ACTIVITIES]` = events of all its sessions. */
      done,
    };
  }
}
