/**
 * Rows into groups, a batch at a time.
 *
 * Every event counts as `event`, by id and hour; most as one more kind, by the rule of their id. Runs of one id fall into the
 * same group for an hour, so its number is remembered by id. To count after each block of text, while its rows are in the cache, took longer: then the
 * groups are not.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import {
  COLUMN_EVENTID,
  COLUMN_INPUT,
  COLUMN_REALM,
  COLUMN_SENSOR,
  COLUMN_SESSION,
  COLUMN_SHASUM,
  COLUMN_SRC_IP,
  FLAG_ANY_KEY,
  FLAG_COMMAND,
  FLAG_HASHED,
  FLAG_SUCCESS,
  FLAG_VERDICT,
  KEY_NUMBER,
  KEY_ROBOT,
  KIND_EVENT,
  KIND_LAST_COMMAND,
  NUMBER_DURATION,
  NUMBER_POSITIVES,
  NUMBER_TOTAL,
} from "../layout.ts";
import { codeIn, numberIn, row, timeIn } from "./batch.ts";
import { dictionaryOf, hasText } from "./dictionaries.ts";
import { findGroup, findPlace, groupAt, groupCount, keyOf, startGroups } from "./row-groups.ts";
import { allocateZeroed, double } from "./heap.ts";
import { flagsOf, hasAddresses, isAllNamed, keySource, kindOfRule, robotMaxSeconds, ruleOf, sensorOf, sinceDay, untilDay } from "./rules.ts";
import { addAddress, pairCount, startPairs } from "./sources.ts";
import { isEqual } from "./vectors.ts";

export const DAY_US: f64 = 86_400_000_000;
const HOUR_US: f64 = 3_600_000_000;

/** Event ids whose group is remembered, by their lowest bits. */
const REMEMBERED: i32 = 256;
/** Number of the group. */
const EVENT_GROUPS: usize = memory.data(REMEMBERED * 4);

/**
 * By address: in which hour of which place it was seen last, and of which ids, a bit each. An address sends a session of
 * events, most of them of ids that it sent before: they need no look at the pairs of groups and addresses.
 */
@unmanaged class Seen {
  period: u32;
  ids: u64;
}
const SEEN_BYTES: u32 = 16;
const SEEN_IDS: i32 = 64;
let seen: usize = 0;
let seenCapacity: u32 = 0;
/** Counts hours and places as they come; and what it stands for. */
let period: u32 = 0;
let periodPlace: i32 = -1;
let periodHour: i32 = -1;

/** The day of the event before, its first microsecond, and the number that stands for it and a sensor. */
let day: i32 = 0;
let dayUs: f64 = 0;
let place: i32 = -1;
let placeSensor: i32 = -1;

/** Groups, and pairs with addresses, that are held at most. */
let heldMax: u32 = 0;

export function startReducing(most: u32): void {
  heldMax = most;
  startGroups();
  startPairs();
  // A place, which no event's key is equal to.
  day = 0;
  dayUs = 0;
  placeSensor = -1;
  place = findPlace(day, placeSensor);
  memory.fill(EVENT_GROUPS, 0, REMEMBERED * 4);
  seenCapacity = 256;
  seen = allocateZeroed(seenCapacity * SEEN_BYTES);
  period = 0;
  periodPlace = -1;
  counted = 0;
  countedBefore = 0;
}

/** Room for all addresses of the log. */
function reserveSeen(): void {
  while (seenCapacity < dictionaryOf(COLUMN_SRC_IP).size) {
    const bytes = seenCapacity * SEEN_BYTES;
    seen = double(seen, bytes);
    memory.fill(seen + bytes, 0, bytes);
    seenCapacity *= 2;
  }
}

/** Whether an event of an id is the first from an address in its hour, as far as is remembered. */
@inline function isNews(address: i32, eventid: i32, hour: i32): bool {
  if (eventid >= SEEN_IDS) return true;
  if (place != periodPlace || hour != periodHour) {
    periodPlace = place;
    periodHour = hour;
    period++;
  }
  const known = changetype<Seen>(seen + <usize>address * <usize>SEEN_BYTES);
  const bit = <u64>1 << eventid;
  if (known.period == period) {
    if ((known.ids & bit) != 0) return false;
    known.ids |= bit;
  } else {
    known.period = period;
    known.ids = bit;
  }
  return true;
}

@inline function setPlace(sensor: i32): void {
  if (sensor == placeSensor) return;
  placeSensor = sensor;
  place = findPlace(day, sensor);
}

/** Rows of the batch that are counted, and rows of the log before them. */
let counted: i32 = 0;
let countedBefore: u32 = 0;

/**
 * Count the rows that came since the last call.
 *
 * @returns False if the log has more groups, or pairs with addresses, than are to be held: then nothing that is counted is of use.
 */
export function reduceRows(): bool {
  if (!isAllNamed()) unreachable();
  reserveSeen();
  for (let at = counted; at < row; at++) reduceRow(at);
  counted = row;
  return groupCount() <= heldMax && pairCount <= heldMax;
}

/** The batch is about to be emptied. */
export function endReducedBatch(): void {
  countedBefore += counted;
  counted = 0;
}

@inline function reduceRow(at: i32): void {
  const us = timeIn(at);
  if (us < dayUs || us >= dayUs + DAY_US) {
    day = <i32>Math.floor(us / DAY_US);
    dayUs = <f64>day * DAY_US;
    place = findPlace(day, placeSensor);
  }
  const eventid = codeIn(COLUMN_EVENTID, at);
  const rule = ruleOf(eventid);
  const flags = flagsOf(rule);
  const sensor = sensorOf(codeIn(COLUMN_SENSOR, at));
  const isAsked = <f64>day >= sinceDay && <f64>day <= untilDay;
  if (flags & FLAG_VERDICT) {
    // It is kept for the hash's sake; of a day that is left out it must not bring a sensor in.
    setPlace(isAsked ? sensor : -1);
    reduceVerdict(rule, at, us);
  }
  if (sensor < 0 || !isAsked) return;
  setPlace(sensor);
  const hour = <i32>((us - dayUs) / HOUR_US);
  const address = codeIn(COLUMN_SRC_IP, at);
  reduceEvent(eventid, hour, address, us);
  if (kindOfRule(rule) < 0 || flags & FLAG_VERDICT) return;
  if (flags & FLAG_COMMAND && codeIn(COLUMN_REALM, at) >= 0) return;
  // An empty hash is that of a download that failed.
  if (flags & FLAG_HASHED && !hasText(COLUMN_SHASUM, codeIn(COLUMN_SHASUM, at))) return;
  const index = countRow(rule, at, us);
  if (index < 0) return;
  const group = groupAt(index);
  if (flags & FLAG_SUCCESS) group.success++;
  if (hasAddresses(kindOfRule(rule))) addAddress(index, group, address);
  if (flags & FLAG_COMMAND) reduceLastCommand(sensor, at, address, us);
}

/** Add an event to a group. */
@inline function count(index: u32, us: f64): void {
  const group = groupAt(index);
  group.count++;
  group.firstUs = min(group.firstUs, us);
  group.lastUs = max(group.lastUs, us);
}

@inline function reduceEvent(eventid: i32, hour: i32, address: i32, us: f64): void {
  const key = keyOf(KIND_EVENT, place, eventid, hour, -1);
  const remembered = EVENT_GROUPS + ((eventid & (REMEMBERED - 1)) << 2);
  let index = load<u32>(remembered);
  if (!isEqual(groupAt(index).key, key)) {
    index = findGroup(KIND_EVENT, place, eventid, hour, -1);
    store<u32>(remembered, index);
  }
  count(index, us);
  if (address >= 0 && isNews(address, eventid, hour)) addAddress(index, groupAt(index), address);
}

/** @returns Number of the group of the row's key; -1 if it does not count for want of one. */
@inline function countRow(rule: usize, at: i32, us: f64): i32 {
  const first = keyIn(keySource(rule, 0), at);
  const second = keyIn(keySource(rule, 1), at);
  const third = keyIn(keySource(rule, 2), at);
  if (flagsOf(rule) & FLAG_ANY_KEY && (first & second & third) == -1) return -1;
  const index = findGroup(kindOfRule(rule), place, first, second, third);
  count(index, us);
  return index;
}

/** A key column of a row; -1 = no value. */
@inline function keyIn(source: i32, at: i32): i32 {
  if (source < 0) return -1;
  if (source < KEY_NUMBER) return codeIn(source, at);
  if (source < KEY_ROBOT) {
    const number = numberIn(source - KEY_NUMBER, at);
    return number == number ? <i32>number : -1;
  }
  const duration = numberIn(NUMBER_DURATION, at);
  return duration == duration ? <i32>(duration < robotMaxSeconds) : -1;
}

function reduceVerdict(rule: usize, at: i32, us: f64): void {
  const positives = numberIn(NUMBER_POSITIVES, at);
  const total = numberIn(NUMBER_TOTAL, at);
  // Not a number: an answer without figures.
  if (codeIn(COLUMN_SHASUM, at) >= 0 && positives == positives && total == total) countRow(rule, at, us);
}

/** Keep the last command of each session: by time, then by row. */
function reduceLastCommand(sensor: i32, at: i32, address: i32, us: f64): void {
  const session = codeIn(COLUMN_SESSION, at);
  if (session < 0) return;
  const group = groupAt(findGroup(KIND_LAST_COMMAND, sensor, session, -1, -1));
  if (us < group.lastUs) return;
  group.firstUs = us;
  group.lastUs = us;
  group.count = countedBefore + at;
  group.success = codeIn(COLUMN_INPUT, at);
  group.address = address;
}
