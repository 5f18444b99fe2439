/**
 * A record a session, numbered by the first event that tells or counts anything of it.
 *
 * Tested in `test/lib/logs/kernel-sessions.test.ts`.
 */
import { findTuple, recordAt, startTuples, Tuples, TUPLES_BYTES } from "./tuples.ts";

@unmanaged export class Session {
  session: i32;
  sensor: i32;
  unused: u64;
  /** Of the events that tell something of it. */
  firstUs: f64;
  lastUs: f64;
  /** The same of refused logins, which tell something only where keys are logged: known at the end of the log. */
  refusedFirstUs: f64;
  refusedLastUs: f64;
  /** Rows of the first of either, {@link NO_ROW} = none. */
  toldRow: u32;
  refusedRow: u32;
  address: i32;
  hassh: i32;
  version: i32;
  credential: i32;
  flags: u32;
  /** Commands, and traces, in the lists below. */
  typed: u32;
  left: u32;
  /** Its first day and its last one so far, see `session-reach.ts`; the number + 1, 0 = none. */
  entry: u32;
  lastEntry: u32;
  /** Among those that are written; -1 = it is not. */
  place: i32;
}
const SESSION_BYTES: u32 = 96;

export const NO_ROW: u32 = 0xffff_ffff;

export const sessions: Tuples = changetype<Tuples>(memory.data(TUPLES_BYTES, 16));

export function startRecords(): void {
  startTuples(sessions, SESSION_BYTES);
}

@inline export function sessionAt(slot: u32): Session {
  return changetype<Session>(recordAt(sessions, slot));
}

/** Number of the session of an id on a sensor. */
export function slotOf(session: i32, sensor: i32): u32 {
  const before = sessions.count;
  const slot = findTuple(sessions, session, sensor, 0, 0);
  if (sessions.count == before) return slot;
  const known = sessionAt(slot);
  known.firstUs = known.refusedFirstUs = Infinity;
  known.lastUs = known.refusedLastUs = -Infinity;
  known.toldRow = known.refusedRow = NO_ROW;
  known.address = known.hassh = known.version = known.credential = -1;
  known.flags = known.typed = known.left = known.entry = known.lastEntry = 0;
  return slot;
}
