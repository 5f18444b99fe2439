/**
 * What TypeScript calls. Texts are handed over in the scratch room, text of a log in the input room.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import {
  BATCH_ROWS,
  LENGTH_STEPS,
  RULE_BYTES,
  SLACK_BYTES,
  STATUS_BATCH_FULL,
  STATUS_DONE,
  STATUS_ODD_LINE,
  TEXT_COLUMN_COUNT,
} from "../layout.ts";
import { findElements, otherCount, setElement } from "./address-elements.ts";
import * as batch from "./batch.ts";
import { dictionaryOf, initDictionary, SEEDS } from "./dictionaries.ts";
import { forgetExtras } from "./extras.ts";
import { allocate, free, markHeap, resetHeap } from "./heap.ts";
import { addKey, forgetKeys, initKeys } from "./known-keys.ts";
import { readLine } from "./lines.ts";
import { addRendered, forgetMessages, initMessages } from "./messages.ts";
import { firstUs, lastUs, pack, packedAt, packedStart } from "./pack.ts";
import { endReducedBatch, reduceRows, startReducing } from "./count-rows.ts";
import { blockBytes, rowsOfKind, setCount, writeReduced } from "./reduced-columns.ts";
import { sessionSize, writeSessions } from "./session-columns.ts";
import { addTold, endSessionBatch, readSessionRows, startSessions as startSessionRecords } from "./sessions.ts";
import { addEventid, addRule, addSensor, setColumns, startRules } from "./rules.ts";
import { resetShapes } from "./shapes.ts";
import { forgetScratch, scratchFor } from "./strings.ts";

export { pack, packedStart, scratchFor };
export { addTold, readSessionRows, sessionSize, writeSessions };
export { addEventid, addSensor, findElements, reduceRows, rowsOfKind, setColumns, setElement, writeReduced };

let input: usize = 0;
let inputBytes: u32 = 0;
let status: i32 = STATUS_DONE;
let wantsLines: bool = false;

/** Where 32 random bytes are to be put before {@link initialize}. */
export function seeds(): usize {
  return SEEDS;
}

/** To be called once; then the keys and ids of the schema are named, then {@link startLog} is called for each log. */
export function initialize(): void {
  initKeys();
  initMessages();
}

/** Name a key of the schema; its name lies in the scratch room. */
export function nameKey(length: u32, action: i32, column: i32): void {
  addKey(scratchFor(length), length, action, column);
}

/** Name an event id whose message is left out; it lies in the scratch room. */
export function nameRendered(length: u32): void {
  addRendered(scratchFor(length), length);
}

/** End of what is named once. */
export function endSetup(): void {
  markHeap();
}

/** Forget the log before. @param lines Whether the place of each row's line is asked for. */
export function startLog(lines: bool): void {
  resetHeap();
  forgetScratch();
  forgetKeys();
  forgetExtras();
  forgetMessages();
  resetShapes();
  for (let column = 0; column < TEXT_COLUMN_COUNT; column++) initDictionary(dictionaryOf(column), 256, 4096);
  batch.startBatch();
  inputBytes = 0;
  wantsLines = lines;
}

/**
 * Room for text.
 *
 * @param bytes That are needed; what is scanned ahead comes on top.
 * @param kept Bytes at the start of the room before that are to stand at its start again.
 */
export function inputFor(bytes: u32, kept: u32): usize {
  if (bytes + SLACK_BYTES > inputBytes) {
    const needed = <u32>1 << (32 - clz<u32>(bytes + SLACK_BYTES - 1));
    const grown = allocate(needed);
    if (inputBytes > 0) {
      memory.copy(grown, input, kept);
      free(input, inputBytes);
    }
    input = grown;
    inputBytes = needed;
  }
  return input;
}

/**
 * Read whole lines into rows, up to the end, a full batch, or a line that is odd: see {@link readStatus}.
 *
 * @param end Behind the LF of the last line.
 * @returns Where the line starts that was not read.
 */
export function read(at: usize, end: usize): usize {
  status = STATUS_DONE;
  while (at < end) {
    if (batch.row == BATCH_ROWS) {
      status = STATUS_BATCH_FULL;
      break;
    }
    const next = readLine(at);
    if (next == 0) {
      batch.takeBackRow();
      status = STATUS_ODD_LINE;
      break;
    }
    if (wantsLines) {
      const line = batch.LINES + (<usize>(batch.row - 1) << 3);
      store<u32>(line, <u32>at);
      store<u32>(line, <u32>(next - 1), 4);
    }
    at = next;
  }
  return at;
}

export function readStatus(): i32 {
  return status;
}

/** Rows in the batch. */
export function rows(): i32 {
  return batch.row;
}

/** Start and end, two words a row, of the lines that `read` made rows of; the end is that of its LF. */
export function lines(): usize {
  return batch.LINES;
}

/** Start a row that TypeScript fills; the batch must not be full. */
export function openRow(): void {
  batch.openRow();
}

/** Give the row a text, which lies in the scratch room. */
export function putText(column: i32, length: u32): void {
  batch.setCode(column, batch.internCell(column, scratchFor(length), length));
}

export function putNumber(column: i32, number: f64): void {
  batch.setNumber(column, number);
}

export function closeRow(us: f64): void {
  batch.closeRow(us);
}

/** Empty the batch. */
export function startBatch(): void {
  endReducedBatch();
  endSessionBatch();
  batch.startBatch();
}

/** The dictionary of a column, see the layout. */
export function dictionary(column: i32): usize {
  return changetype<usize>(dictionaryOf(column));
}

/** How a column was packed, see the layout. */
export function packedColumn(column: i32): usize {
  return packedAt(column);
}

export function firstSeenUs(): f64 {
  return firstUs;
}

export function lastSeenUs(): f64 {
  return lastUs;
}

/**
 * Reduce the log, too; to be called behind {@link startLog}. Then the columns of each kind and the rules are named; ids and
 * sensors are named as they come, before each `reduceRows`.
 */
export function startReduction(robotMaxSeconds: f64, sinceDay: f64, untilDay: f64, heldMax: u32): void {
  startRules(robotMaxSeconds, sinceDay, untilDay);
  startReducing(heldMax);
}

/** Name a rule, which lies in the scratch room. */
export function nameRule(): void {
  addRule(scratchFor(RULE_BYTES));
}

/** Sets of addresses that `writeReduced` laid out. */
export function reducedSets(): u32 {
  return setCount;
}

/** Bytes of all that it laid out. */
export function reducedBytes(): u32 {
  return blockBytes;
}

/** Addresses that `findElements` left. */
export function otherAddresses(): u32 {
  return otherCount;
}

/**
 * Gather the sessions of the log, too; to be called behind {@link startLog}. The upper ends of the steps of length lie in the
 * scratch room. Ids are named as they come, before each `readSessionRows`.
 */
export function startSessions(heldMax: u32): void {
  startSessionRecords(scratchFor(LENGTH_STEPS * 8), heldMax);
}
