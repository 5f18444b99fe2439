/**
 * How far each session came on each of its days, and what it did on them; as `SlotReach` gathers it.
 *
 * Tested in `test/lib/logs/kernel-sessions.test.ts`.
 */
import { ACTIVITY_COUNT, REACH_CONNECTED, REACH_WHOLE } from "../layout.ts";
import { DAY_US } from "./count-rows.ts";
import { Session } from "./session-records.ts";
import { findTuple, recordAt, startTuples, Tuples, TUPLES_BYTES } from "./tuples.ts";

/** A session on a day. */
@unmanaged export class Entry {
  slot: u32;
  day: i32;
  unused: u64;
  /** When it connected, and of its first event of these, Infinity = none. */
  connectUs: f64;
  firstUs: f64;
  bits: u32;
  /** The next day of the session on which anything was seen, in the order in which it was; the number + 1, 0 = none. */
  next: u32;
  /** Behind it how often it did what, a word each. */
}
const DONE: usize = 40;
const ENTRY_BYTES: u32 = 64;

export const entries: Tuples = changetype<Tuples>(memory.data(TUPLES_BYTES, 16));

export function startReach(): void {
  startTuples(entries, ENTRY_BYTES);
}

@inline export function entryAt(index: u32): Entry {
  return changetype<Entry>(recordAt(entries, index));
}

@inline export function doneOf(entry: Entry, activity: i32): u32 {
  return load<u32>(changetype<usize>(entry) + (<usize>activity << 2), DONE);
}

/**
 * Take what an event tells.
 *
 * @param activities A bit each.
 */
export function see(slot: u32, session: Session, bits: u32, activities: u32, us: f64): void {
  const day = <i32>Math.floor(us / DAY_US);
  const entry = entryOn(slot, session, day);
  for (let left = activities; left != 0; left &= left - 1) {
    const done = changetype<usize>(entry) + (<usize>ctz<u32>(left) << 2);
    store<u32>(done, load<u32>(done, DONE) + 1, DONE);
  }
  // Most events are one more password: they tell nothing that is not known.
  if ((entry.bits & bits) == bits && us >= entry.firstUs) return;
  entry.bits |= bits;
  entry.firstUs = min(entry.firstUs, us);
  if (bits == REACH_CONNECTED) entry.connectUs = min(entry.connectUs, us);
}

/** Nearly all that is seen of a session is seen on one day. */
@inline function entryOn(slot: u32, session: Session, day: i32): Entry {
  if (session.lastEntry != 0) {
    const last = entryAt(session.lastEntry - 1);
    if (last.day == day) return last;
  }
  const before = entries.count;
  const index = findTuple(entries, slot, day, 0, 0);
  const entry = entryAt(index);
  if (entries.count == before) return entry;
  entry.connectUs = entry.firstUs = Infinity;
  entry.bits = 0;
  entry.next = 0;
  memory.fill(changetype<usize>(entry) + DONE, 0, ACTIVITY_COUNT * 4);
  if (session.entry == 0) session.entry = index + 1;
  else entryAt(session.lastEntry - 1).next = index + 1;
  session.lastEntry = index + 1;
  return entry;
}

/** Whether other logs may tell more of a session, or only some of its days count: it cannot be counted together with others. */
export function isOpen(session: Session): bool {
  if (session.entry == 0) return false;
  const first = entryAt(session.entry - 1);
  return first.next != 0 || (first.bits & REACH_WHOLE) != REACH_WHOLE;
}
