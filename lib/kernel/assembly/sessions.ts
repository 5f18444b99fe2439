/**
 * What the rows of a log tell of its sessions, taken while the log is read: who each was, when it was there, what it typed and
 * what it left; as `SessionReader` gathers it from the finished table, in the same order.
 *
 * Tested in `test/lib/logs/kernel-sessions.test.ts`.
 */
import {
  COLUMN_EVENTID,
  COLUMN_FILENAME,
  COLUMN_FINGERPRINT,
  COLUMN_HASSH,
  COLUMN_INPUT,
  COLUMN_KEY,
  COLUMN_PASSWORD,
  COLUMN_REALM,
  COLUMN_SENSOR,
  COLUMN_SESSION,
  COLUMN_SHASUM,
  COLUMN_SRC_IP,
  COLUMN_URL,
  COLUMN_USERNAME,
  COLUMN_VERSION,
  HAS_CLOSED,
  HAS_CONNECT,
  LENGTH_STEPS,
  NUMBER_DURATION,
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
  TRACE_DOWNLOAD,
  TRACE_KEY,
  TRACE_UPLOAD,
  TRACE_URL,
} from "../layout.ts";
import { codeIn, numberIn, row, timeIn } from "./batch.ts";
import { DAY_US } from "./count-rows.ts";
import { dictionaryOf, hasText } from "./dictionaries.ts";
import { allocate, double } from "./heap.ts";
import { addRecord, List, LIST_BYTES, startList } from "./lists.ts";
import { entries, see, startReach } from "./session-reach.ts";
import { NO_ROW, Session, sessionAt, sessions, slotOf, startRecords } from "./session-records.ts";
import { findTuple, recordAt, startTuples, Tuples, TUPLES_BYTES } from "./tuples.ts";

/** A command of a session. */
@unmanaged export class Typed {
  us: f64;
  slot: u32;
  input: i32;
}
export const TYPED_BYTES: u32 = 16;

/** A trace of a session. */
@unmanaged export class Left {
  slot: u32;
  trace: u32;
}
export const LEFT_BYTES: u32 = 8;

/** Closed sessions of a day, sensor and step of length. */
@unmanaged export class Length {
  day: i32;
  sensor: i32;
  step: i32;
  unused: i32;
  count: u32;
}
const LENGTH_BYTES: u32 = 32;

export const lengths: Tuples = changetype<Tuples>(memory.data(TUPLES_BYTES, 16));
/** User name and password, each pair once. */
export const credentials: Tuples = changetype<Tuples>(memory.data(TUPLES_BYTES, 16));
/** Kind, and the codes of both texts, -1 = none. */
export const traces: Tuples = changetype<Tuples>(memory.data(TUPLES_BYTES, 16));
export const typedList: List = changetype<List>(memory.data(LIST_BYTES, 16));
export const leftList: List = changetype<List>(memory.data(LIST_BYTES, 16));

/** Sessions that connected. */
export let connects: u32 = 0;

/** Upper ends of the steps of length, in seconds. */
const STEPS: usize = memory.data(LENGTH_STEPS * 8, 16);

/** By event id: what it tells, then how far a session comes by it, then what it is counted as, a byte each. */
let rules: usize = 0;
let ruleCapacity: u32 = 0;
let rulesNamed: u32 = 0;
const REACH_SHIFT: u32 = 8;
const ACTIVITY_SHIFT: u32 = 16;

let heldMax: u32 = 0;
/** Rows of the batch that were looked at, and rows of the log before them. */
let looked: i32 = 0;
let lookedBefore: u32 = 0;

/** @param steps Where the upper ends of the steps of length lie. */
export function startSessions(steps: usize, most: u32): void {
  memory.copy(STEPS, steps, LENGTH_STEPS * 8);
  heldMax = most;
  startRecords();
  startTuples(lengths, LENGTH_BYTES);
  startTuples(credentials, 16);
  startTuples(traces, 16);
  startList(typedList, TYPED_BYTES);
  startList(leftList, LEFT_BYTES);
  startReach();
  ruleCapacity = 256;
  rules = allocate(ruleCapacity * 4);
  rulesNamed = 0;
  connects = 0;
  looked = 0;
  lookedBefore = 0;
}

/** Name what the next event id tells. */
export function addTold(tells: i32, reach: i32, activities: i32): void {
  if (rulesNamed == ruleCapacity) {
    rules = double(rules, ruleCapacity * 4);
    ruleCapacity *= 2;
  }
  store<u32>(rules + (<usize>rulesNamed << 2), tells | (reach << REACH_SHIFT) | (activities << ACTIVITY_SHIFT));
  rulesNamed++;
}

/**
 * Look at the rows that came since the last call.
 *
 * @returns False if the log has more than is to be held: then nothing that was gathered is of use.
 */
export function readSessionRows(): bool {
  if (rulesNamed != dictionaryOf(COLUMN_EVENTID).size) unreachable();
  for (let at = looked; at < row; at++) readRow(at);
  looked = row;
  return sessions.count <= heldMax && entries.count <= heldMax && typedList.count <= heldMax && leftList.count <= heldMax;
}

/** The batch is about to be emptied. */
export function endSessionBatch(): void {
  lookedBefore += looked;
  looked = 0;
}

@inline function readRow(at: i32): void {
  const rule = load<u32>(rules + (<usize>codeIn(COLUMN_EVENTID, at) << 2));
  if (rule == 0) return;
  const tells = <i32>(rule & 0xff);
  const us = timeIn(at);
  const sensor = codeIn(COLUMN_SENSOR, at);
  if (tells == TELLS_CLOSED) addLength(numberIn(NUMBER_DURATION, at), us, sensor);
  const session = codeIn(COLUMN_SESSION, at);
  if (session < 0) return;
  const slot = slotOf(session, sensor);
  const known = sessionAt(slot);
  if (known.address == -1) known.address = codeIn(COLUMN_SRC_IP, at);
  if (rule >> REACH_SHIFT != 0 && isCounted(tells, at)) see(slot, known, (rule >> REACH_SHIFT) & 0xff, rule >> ACTIVITY_SHIFT, us);
  if (tells == 0) return;
  if (tells == TELLS_FAILED) return refuse(slot, known, at, us);
  if (known.toldRow == NO_ROW) known.toldRow = lookedBefore + at;
  known.firstUs = min(known.firstUs, us);
  known.lastUs = max(known.lastUs, us);
  take(tells, slot, known, at, us);
}

/** As the reduced table counts: what was fed to a program is no command, and a download that failed has no hash. */
@inline function isCounted(tells: i32, at: i32): bool {
  if (tells == TELLS_INPUT) return isTyped(at);
  return tells != TELLS_DOWNLOAD || hasText(COLUMN_SHASUM, codeIn(COLUMN_SHASUM, at));
}

@inline function isTyped(at: i32): bool {
  return codeIn(COLUMN_INPUT, at) >= 0 && codeIn(COLUMN_REALM, at) < 0;
}

@inline function refuse(slot: u32, known: Session, at: i32, us: f64): void {
  if (known.refusedRow == NO_ROW) known.refusedRow = lookedBefore + at;
  known.refusedFirstUs = min(known.refusedFirstUs, us);
  known.refusedLastUs = max(known.refusedLastUs, us);
  leave(TRACE_KEY, slot, known, codeIn(COLUMN_KEY, at), codeIn(COLUMN_FINGERPRINT, at));
}

function take(tells: i32, slot: u32, known: Session, at: i32, us: f64): void {
  if (tells == TELLS_CONNECT) {
    connects++;
    known.flags |= HAS_CONNECT;
  } else if (tells == TELLS_CLOSED) {
    known.flags |= HAS_CLOSED;
  } else if (tells == TELLS_INPUT) {
    if (isTyped(at)) type(slot, known, codeIn(COLUMN_INPUT, at), us);
  } else if (tells == TELLS_DOWNLOAD || tells == TELLS_DOWNLOAD_FAILED) {
    const url = codeIn(COLUMN_URL, at);
    leave(TRACE_URL, slot, known, url, url);
    if (tells == TELLS_DOWNLOAD) leave(TRACE_DOWNLOAD, slot, known, codeIn(COLUMN_SHASUM, at), url);
  } else if (tells == TELLS_UPLOAD) {
    leave(TRACE_UPLOAD, slot, known, codeIn(COLUMN_SHASUM, at), codeIn(COLUMN_FILENAME, at));
  } else if (tells == TELLS_KEX) {
    if (known.hassh == -1) known.hassh = codeIn(COLUMN_HASSH, at);
  } else if (tells == TELLS_VERSION) {
    if (known.version == -1) known.version = codeIn(COLUMN_VERSION, at);
  } else {
    if (tells == TELLS_SUCCESS && known.credential == -1) known.credential = credentialOf(at);
    if (tells == TELLS_SUCCESS || tells == TELLS_FINGERPRINT) leave(TRACE_KEY, slot, known, codeIn(COLUMN_KEY, at), codeIn(COLUMN_FINGERPRINT, at));
  }
}

function type(slot: u32, known: Session, input: i32, us: f64): void {
  const typed = changetype<Typed>(addRecord(typedList, TYPED_BYTES));
  typed.us = us;
  typed.slot = slot;
  typed.input = input;
  known.typed++;
}

function credentialOf(at: i32): i32 {
  const username = codeIn(COLUMN_USERNAME, at);
  return username < 0 ? -1 : findTuple(credentials, username, codeIn(COLUMN_PASSWORD, at), 0, 0);
}

/** @param code Of the text, @param beside of the one that tells more of it; -1 = none. */
@inline function leave(kind: i32, slot: u32, known: Session, code: i32, beside: i32): void {
  if (code < 0 && (kind != TRACE_KEY || beside < 0)) return;
  const trace = findTuple(traces, kind, code, beside, 0);
  const left = changetype<Left>(addRecord(leftList, LEFT_BYTES));
  left.slot = slot;
  left.trace = trace;
  known.left++;
}

function addLength(seconds: f64, us: f64, sensor: i32): void {
  if (seconds != seconds) return;
  let step = 0;
  while (step < LENGTH_STEPS - 1 && !(seconds < load<f64>(STEPS + (<usize>step << 3)))) step++;
  const before = lengths.count;
  const length = changetype<Length>(recordAt(lengths, findTuple(lengths, <i32>Math.floor(us / DAY_US), sensor, step, 0)));
  if (lengths.count != before) length.count = 0;
  length.count++;
}
