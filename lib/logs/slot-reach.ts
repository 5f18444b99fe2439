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
import { REACH_CLOSED, REACH_CONNECTED, REACH_WHOLE } from "../kernel/layout.ts";

/** Bit n of what a session did is step n. */
export const REACH_STEPS = ["connected", "tried", "accepted", "typed", "fetched"] as const;
export type ReachStep = (typeof REACH_STEPS)[number];

const [TRIED, ACCEPTED, TYPED, FETCHED] = [2, 4, 8, 16];

/** What an event tells, by its id. */
export const REACH_BITS: ReadonlyMap<string, number> = new Map([
  ["cowrie.session.connect", REACH_CONNECTED],
  ["cowrie.login.failed", TRIED],
  ["cowrie.login.success", TRIED | ACCEPTED],
  ["cowrie.command.input", TYPED],
  ["cowrie.session.file_download", FETCHED],
  ["cowrie.session.closed", REACH_CLOSED],
]);

/** Places in `ACTIVITIES` of what an event is counted as, by its id. */
export function activitiesOf(eventid: string): number[] {
  return ACTIVITIES.flatMap((name, place) => ((ACTIVITY_EVENTS[name] as readonly string[]).includes(eventid) ? [place] : []));
}

/** Entries in the order in which sessions were met; those of one session stand together. */
export interface LogReach {
  /** Place among the sessions of the log; -1 = {@link count} sessions that lie in it whole, on one day. */
  readonly session: Int32Array;
  readonly sensor: Int32Array;
  readonly address: Int32Array;
  readonly day: Int32Array;
  readonly bits: Int32Array;
  readonly count: Int32Array;
  /** Of the entry of one session, Infinity where it did not connect on that day; and of the first event that told something. */
  readonly connectUs: Float64Array;
  readonly firstUs: Float64Array;
  /** `done[place in ACTIVITIES]` = events of all its sessions. */
  readonly done: readonly Int32Array[];
}

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
    if (bits === REACH_CONNECTED && us < this.#connectUs.values[entry]!) this.#connectUs.values[entry] = us;
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
    return entry >= 0 && (this.#more.has(slot) || (this.#bits.values[entry]! & REACH_WHOLE) !== REACH_WHOLE);
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
    const entries = order.subarray(0, size);
    const slots = entries.map(entry => this.#slot.values[entry]!);
    return joinReached({
      session: slots.map(slot => (this.isOpen(slot) ? sessionOf(slot) : -1)),
      sensor: slots.map(slot => sensor[slot]!),
      address: slots.map(slot => address[slot]!),
      day: entries.map(entry => this.#day.values[entry]!),
      bits: entries.map(entry => this.#bits.values[entry]!),
      count: new Int32Array(size).fill(1),
      connectUs: Float64Array.from(entries, entry => this.#connectUs.values[entry]!),
      firstUs: Float64Array.from(entries, entry => this.#firstUs.values[entry]!),
      done: this.#done.map(({ values }) => entries.map(entry => values[entry]!)),
    });
  }
}

/** Entries of one address, day and sensor whose sessions came equally far become one, with the times of the first of them; not so of open sessions. */
export function joinReached({ session, sensor, address, day, bits, count, connectUs, firstUs, done }: LogReach): LogReach {
  const { groupOf, firstRow } = groupRows([session, sensor, address, day, bits], session.length);
  const sums = (values: Int32Array) => {
    const own = new Int32Array(firstRow.length);
    for (let row = 0; row < values.length; row++) own[groupOf[row]!]! += values[row]!;
    return own;
  };
  return {
    session: take(session, firstRow),
    sensor: take(sensor, firstRow),
    address: take(address, firstRow),
    day: take(day, firstRow),
    bits: take(bits, firstRow),
    count: sums(count),
    connectUs: take(connectUs, firstRow),
    firstUs: take(firstUs, firstRow),
    done: done.map(sums),
  };
}
