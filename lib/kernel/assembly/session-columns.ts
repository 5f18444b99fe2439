/**
 * The sessions of a log as columns, in one block that TypeScript copies; see the layout.
 *
 * Written are those that left something or may go on in another log, in the order in which they were met; behind them such
 * of which no more than a refused login is known.
 *
 * Tested in `test/lib/logs/kernel-sessions.test.ts`.
 */
import {
  ACTIVITY_COUNT,
  COLUMN_FINGERPRINT,
  COLUMN_INPUT,
  COLUMN_KEY,
  COLUMN_SENSOR,
  HAS_BOTH,
  SIZE_BYTES,
  SIZE_CONNECTS,
  SIZE_COUNT,
  SIZE_CREDENTIALS,
  SIZE_INPUTS,
  SIZE_LEFT,
  SIZE_LENGTHS,
  SIZE_REACHED,
  SIZE_SENSORS,
  SIZE_SESSIONS,
  SIZE_TRACES,
  SIZE_TYPED,
} from "../layout.ts";
import { dictionaryOf } from "./dictionaries.ts";
import { allocate, allocateZeroed, free } from "./heap.ts";
import { addRecord, List, LIST_BYTES, startList } from "./lists.ts";
import { sortWords } from "./radix-sort.ts";
import { doneOf, entries, entryAt, isOpen } from "./session-reach.ts";
import { NO_ROW, Session, sessionAt, sessions } from "./session-records.ts";
import {
  connects,
  credentials,
  Left,
  LEFT_BYTES,
  leftList,
  Length,
  lengths,
  traces,
  Typed,
  TYPED_BYTES,
  typedList,
} from "./sessions.ts";
import { findTuple, recordAt, startTuples, Tuples, TUPLES_BYTES } from "./tuples.ts";

/** See `sessionSize`. */
const SIZES: usize = memory.data(SIZE_COUNT * 4);

export function sessionSize(what: i32): u32 {
  if (<u32>what >= <u32>SIZE_COUNT) unreachable();
  return load<u32>(SIZES + (<usize>what << 2));
}

@inline function setSize(what: i32, size: u32): void {
  store<u32>(SIZES + (<usize>what << 2), size);
}

// ---- Which sessions are written

/** Slots of those that are written, a word each. */
let kept: usize = 0;
let keptCount: u32 = 0;

@inline function keptAt(place: u32): Session {
  return sessionAt(load<u32>(kept + (<usize>place << 2)));
}

/** What was closed and left nothing is of no use; what was not may go on in another table. */
@inline function isKept(session: Session): bool {
  return session.flags != HAS_BOTH || isOpen(session) || session.typed > 0 || session.left > 0;
}

function keep(slot: u32): void {
  sessionAt(slot).place = keptCount;
  store<u32>(kept + (<usize>keptCount << 2), slot);
  keptCount++;
}

function keepSessions(): void {
  // Only where keys are logged does a refused login tell more than a try.
  if (dictionaryOf(COLUMN_KEY).size > 0 || dictionaryOf(COLUMN_FINGERPRINT).size > 0) takeRefused();
  const bytes = max<u32>(1, sessions.count) * 8;
  let told = allocate(bytes);
  let toldCount: u32 = 0;
  for (let slot: u32 = 0; slot < sessions.count; slot++) {
    const session = sessionAt(slot);
    session.place = -1;
    if (session.toldRow == NO_ROW || !isKept(session)) continue;
    store<u64>(told + (<usize>toldCount << 3), (<u64>session.toldRow << 32) | slot);
    toldCount++;
  }
  told = sortWords(told, toldCount, bytes);
  kept = allocate(bytes);
  keptCount = 0;
  for (let i: u32 = 0; i < toldCount; i++) keep(<u32>load<u64>(told + (<usize>i << 3)));
  for (let slot: u32 = 0; slot < sessions.count; slot++) if (sessionAt(slot).toldRow == NO_ROW) keep(slot);
}

function takeRefused(): void {
  for (let slot: u32 = 0; slot < sessions.count; slot++) {
    const session = sessionAt(slot);
    session.toldRow = min(session.toldRow, session.refusedRow);
    session.firstUs = min(session.firstUs, session.refusedFirstUs);
    session.lastUs = max(session.lastUs, session.refusedLastUs);
  }
}

// ---- Sensors, numbered in the order of the sessions, then of the lengths

const sensors: List = changetype<List>(memory.data(LIST_BYTES, 16));
/** By code + 1: the number + 1, 0 = none yet. */
let sensorNumbers: usize = 0;

function numberOf(sensor: i32): i32 {
  const known = sensorNumbers + (<usize>(sensor + 1) << 2);
  if (load<u32>(known) == 0) {
    store<i32>(addRecord(sensors, 4), sensor);
    store<u32>(known, sensors.count);
  }
  return <i32>load<u32>(known) - 1;
}

@inline function lengthAt(i: u32): Length {
  return changetype<Length>(recordAt(lengths, i));
}

function numberSensors(): void {
  startList(sensors, 4);
  sensorNumbers = allocateZeroed((dictionaryOf(COLUMN_SENSOR).size + 1) * 4);
  for (let slot: u32 = 0; slot < sessions.count; slot++) numberOf(sessionAt(slot).sensor);
  for (let i: u32 = 0; i < lengths.count; i++) numberOf(lengthAt(i).sensor);
}

// ---- How far they came: sessions of one address that lie in the log whole, on one day, are counted together

/** Entries that are written: the first of those that are counted together, and how many these are. */
@unmanaged class Reached {
  entry: u32;
  /** Place of a session that is open, else -1. */
  session: i32;
  count: u32;
  unused: u32;
  /** Behind it how often they did what, a word each. */
}
const DONE: usize = 16;
const REACHED_BYTES: u32 = 64;
const reached: List = changetype<List>(memory.data(LIST_BYTES, 16));

/** Those of whole sessions: sensor, address, day, how far. Behind them the number of the entry. */
const together: Tuples = changetype<Tuples>(memory.data(TUPLES_BYTES, 16));
const TOGETHER_BYTES: u32 = 32;

function groupReached(): void {
  startList(reached, REACHED_BYTES);
  startTuples(together, TOGETHER_BYTES);
  for (let index: u32 = 0; index < entries.count; index++) {
    const slot = entryAt(index).slot;
    const session = sessionAt(slot);
    // Those of one session stand together, where its first stands.
    if (session.entry != index + 1) continue;
    for (let next = session.entry; next != 0; next = entryAt(next - 1).next) addReached(next - 1, session);
  }
}

function addReached(index: u32, session: Session): void {
  const entry = entryAt(index);
  let to: Reached;
  if (isOpen(session)) {
    to = newReached(index, session.place);
  } else {
    const before = together.count;
    const group = recordAt(together, findTuple(together, session.sensor, session.address, entry.day, entry.bits));
    if (together.count != before) {
      store<u32>(group, reached.count, 16);
      newReached(index, -1);
    }
    to = changetype<Reached>(reached.records + <usize>load<u32>(group, 16) * <usize>REACHED_BYTES);
  }
  to.count++;
  for (let activity = 0; activity < ACTIVITY_COUNT; activity++) {
    const done = changetype<usize>(to) + (<usize>activity << 2);
    store<u32>(done, load<u32>(done, DONE) + doneOf(entry, activity), DONE);
  }
}

function newReached(entry: u32, session: i32): Reached {
  const record = addRecord(reached, REACHED_BYTES);
  memory.fill(record, 0, REACHED_BYTES);
  const to = changetype<Reached>(record);
  to.entry = entry;
  to.session = session;
  return to;
}

// ---- Commands, numbered in the order in which they were first typed

const inputs: List = changetype<List>(memory.data(LIST_BYTES, 16));
/** By code: the number + 1, 0 = none yet. */
let inputNumbers: usize = 0;

@inline function typedAt(i: u32): Typed {
  return changetype<Typed>(typedList.records + <usize>i * <usize>TYPED_BYTES);
}

@inline function inputNumber(code: i32): usize {
  return inputNumbers + (<usize>code << 2);
}

function numberInputs(): void {
  startList(inputs, 4);
  inputNumbers = allocateZeroed((dictionaryOf(COLUMN_INPUT).size + 1) * 4);
  for (let i: u32 = 0; i < typedList.count; i++) {
    const code = typedAt(i).input;
    if (load<u32>(inputNumber(code)) != 0) continue;
    store<i32>(addRecord(inputs, 4), code);
    store<u32>(inputNumber(code), inputs.count);
  }
}

/** Write the commands of each session in order of time, equal times in input order. @returns Behind them. */
function writeTyped(starts: usize, typedUs: usize): usize {
  const values = starts + (<usize>(keptCount + 1) << 2);
  const next = startLists(starts, typedList.count, true);
  for (let i: u32 = 0; i < typedList.count; i++) store<u32>(values + (<usize>take(next, typedAt(i).slot) << 2), i);
  for (let place: u32 = 0; place < keptCount; place++) {
    const start = load<u32>(starts + (<usize>place << 2));
    const count = load<u32>(starts + (<usize>place << 2), 4) - start;
    const own = values + (<usize>start << 2);
    if (!isInOrder(own, count)) sortByTime(own, count);
    store<f64>(typedUs + (<usize>place << 3), count == 0 ? Infinity : typedAt(load<u32>(own)).us);
  }
  const end = values + (<usize>typedList.count << 2);
  for (let at = values; at < end; at += 4) store<u32>(at, load<u32>(inputNumber(typedAt(load<u32>(at)).input)) - 1);
  return end;
}

/** Write the traces of each session in the order in which it left them. @returns Behind them. */
function writeLeft(starts: usize): usize {
  const values = starts + (<usize>(keptCount + 1) << 2);
  const next = startLists(starts, leftList.count, false);
  for (let i: u32 = 0; i < leftList.count; i++) {
    const left = changetype<Left>(leftList.records + <usize>i * <usize>LEFT_BYTES);
    store<u32>(values + (<usize>take(next, left.slot) << 2), left.trace);
  }
  return values + (<usize>leftList.count << 2);
}

/** Write where the list of each session starts, and where the last one ends. @returns The same, to go on from. */
function startLists(starts: usize, count: u32, isTyped: bool): usize {
  let start: u32 = 0;
  for (let place: u32 = 0; place < keptCount; place++) {
    store<u32>(starts + (<usize>place << 2), start);
    start += isTyped ? keptAt(place).typed : keptAt(place).left;
  }
  // What is in a list is of a session that is written.
  if (start != count) unreachable();
  store<u32>(starts + (<usize>keptCount << 2), start);
  const next = allocate((keptCount + 1) * 4);
  memory.copy(next, starts, <usize>keptCount << 2);
  return next;
}

/** The next place in the list of a session. */
@inline function take(next: usize, slot: u32): u32 {
  const at = next + (<usize>sessionAt(slot).place << 2);
  const place = load<u32>(at);
  store<u32>(at, place + 1);
  return place;
}

function isInOrder(list: usize, count: u32): bool {
  for (let i: u32 = 1; i < count; i++) if (!isBefore(list + (<usize>(i - 1) << 2), list + (<usize>i << 2))) return false;
  return true;
}

/** Whether a command was typed no later than another one. */
@inline function isBefore(a: usize, b: usize): bool {
  return typedAt(load<u32>(a)).us <= typedAt(load<u32>(b)).us;
}

/** Merge runs of twice the length each time: equal times stay as they stand. */
function sortByTime(list: usize, count: u32): void {
  const bytes = count * 4;
  const merged = allocate(bytes);
  const end = list + bytes;
  for (let width: usize = 4; width < bytes; width *= 2) {
    let to = merged;
    for (let start = list; start < end; start += 2 * width) {
      const middle = min(start + width, end);
      const last = min(start + 2 * width, end);
      let a = start;
      let b = middle;
      for (; a < middle || b < last; to += 4) {
        const isFirst = b == last || (a < middle && isBefore(a, b));
        store<u32>(to, load<u32>(isFirst ? a : b));
        if (isFirst) a += 4;
        else b += 4;
      }
    }
    memory.copy(list, merged, bytes);
  }
  free(merged, bytes);
}

// ---- The block

/** Where the next column begins. */
let out: usize = 0;

/** Room for a column of doubles, or of words. */
@inline function column(rows: u32, shift: usize): usize {
  const start = out;
  out += <usize>rows << shift;
  return start;
}

function setSizes(): void {
  setSize(SIZE_CONNECTS, connects);
  setSize(SIZE_SESSIONS, keptCount);
  setSize(SIZE_TYPED, typedList.count);
  setSize(SIZE_LEFT, leftList.count);
  setSize(SIZE_INPUTS, inputs.count);
  setSize(SIZE_CREDENTIALS, credentials.count);
  setSize(SIZE_TRACES, traces.count);
  setSize(SIZE_LENGTHS, lengths.count);
  setSize(SIZE_SENSORS, sensors.count);
  setSize(SIZE_REACHED, reached.count);
}

/** Bytes of a block that holds all of it. */
function bytesOfBlock(): u32 {
  const sessionBytes = keptCount * (3 * 8 + 8 * 4 + 1);
  const reachBytes = reached.count * (2 * 8 + (6 + ACTIVITY_COUNT) * 4);
  const words = typedList.count + leftList.count + inputs.count + 2 * credentials.count + 3 * traces.count + 4 * lengths.count + sensors.count;
  return sessionBytes + reachBytes + (words + 2) * 4;
}

/** Lay all of it out. @returns Where it lies. */
export function writeSessions(): usize {
  keepSessions();
  numberSensors();
  groupReached();
  numberInputs();
  setSizes();
  const block = allocate(bytesOfBlock());
  out = block;
  const sessionFloats = column(3 * keptCount, 3);
  const reachFloats = column(2 * reached.count, 3);
  writeRecords(sessionFloats, column(6 * keptCount, 2));
  out = writeTyped(out, sessionFloats + (<usize>(2 * keptCount) << 3));
  out = writeLeft(out);
  writeWords(inputs);
  writeWords(sensors);
  writeTuples(credentials, 2);
  writeTuples(traces, 3);
  writeLengths(column(4 * lengths.count, 2));
  writeReached(reachFloats, column((6 + ACTIVITY_COUNT) * reached.count, 2));
  for (let place: u32 = 0; place < keptCount; place++) store<u8>(column(1, 0), <u8>(keptAt(place).flags == HAS_BOTH));
  setSize(SIZE_BYTES, <u32>(out - block));
  return block;
}

function writeRecords(floats: usize, words: usize): void {
  const floatColumn = <usize>keptCount << 3;
  const wordColumn = <usize>keptCount << 2;
  for (let place: u32 = 0; place < keptCount; place++) {
    const session = keptAt(place);
    store<f64>(floats, session.firstUs);
    store<f64>(floats + floatColumn, session.lastUs);
    store<i32>(words, session.session);
    store<i32>(words + wordColumn, numberOf(session.sensor));
    store<i32>(words + 2 * wordColumn, session.address);
    store<i32>(words + 3 * wordColumn, session.hassh);
    store<i32>(words + 4 * wordColumn, session.version);
    store<i32>(words + 5 * wordColumn, session.credential);
    floats += 8;
    words += 4;
  }
}

function writeLengths(words: usize): void {
  const wordColumn = <usize>lengths.count << 2;
  for (let i: u32 = 0; i < lengths.count; i++, words += 4) {
    const length = lengthAt(i);
    store<i32>(words, numberOf(length.sensor));
    store<i32>(words + wordColumn, length.day);
    store<i32>(words + 2 * wordColumn, length.step);
    store<u32>(words + 3 * wordColumn, length.count);
  }
}

function writeReached(floats: usize, words: usize): void {
  const floatColumn = <usize>reached.count << 3;
  const wordColumn = <usize>reached.count << 2;
  for (let i: u32 = 0; i < reached.count; i++) {
    const own = changetype<Reached>(reached.records + <usize>i * <usize>REACHED_BYTES);
    const entry = entryAt(own.entry);
    const session = sessionAt(entry.slot);
    store<f64>(floats + (<usize>i << 3), entry.connectUs);
    store<f64>(floats + floatColumn + (<usize>i << 3), entry.firstUs);
    let word = words + (<usize>i << 2);
    store<i32>(word, own.session);
    store<i32>((word += wordColumn), numberOf(session.sensor));
    store<i32>((word += wordColumn), session.address);
    store<i32>((word += wordColumn), entry.day);
    store<u32>((word += wordColumn), entry.bits);
    store<u32>((word += wordColumn), own.count);
    for (let activity = 0; activity < ACTIVITY_COUNT; activity++) {
      store<u32>((word += wordColumn), load<u32>(changetype<usize>(own) + (<usize>activity << 2), DONE));
    }
  }
}

function writeWords(list: List): void {
  memory.copy(column(list.count, 2), list.records, <usize>list.count << 2);
}

/** A column for each of the first words. */
function writeTuples(tuples: Tuples, words: u32): void {
  for (let word: u32 = 0; word < words; word++) {
    for (let i: u32 = 0; i < tuples.count; i++) store<u32>(column(1, 2), load<u32>(recordAt(tuples, i) + (<usize>word << 2)));
  }
}
