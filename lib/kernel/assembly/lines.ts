/**
 * One line into the cells of a row.
 *
 * What is taken must be taken exactly as JSON.parse and the mapping of its object would; all else makes the line odd, and the
 * plain path reads it: white space other than the space, a key twice, a value of another type than Cowrie's, bytes beyond
 * ASCII in a text, surrogates, a timestamp with an offset, numbers in doubt, a line that is no object.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import {
  ACTION_DROP,
  ACTION_DURATION,
  ACTION_DURATION_MS,
  ACTION_END,
  ACTION_EXTRA,
  ACTION_MESSAGE,
  ACTION_SYSTEM,
  ACTION_TEXT,
  ACTION_TIMESTAMP,
  ACTION_WHOLE,
  COLUMN_EVENTID,
  COLUMN_PROTOCOL,
  UINT16_COLUMNS,
} from "../layout.ts";
import { closeRow, codeAt, hasNumber, internCell, noteAdded, openRow, setCode, setNumber } from "./batch.ts";
import { decimalEnd, readDuration } from "./decimals.ts";
import { dictionaryOf } from "./dictionaries.ts";
import { addMessage, closeExtras, openExtras, readExtra } from "./extras.ts";
import { instantEnd, readInstant } from "./instants.ts";
import { digitAt, skipSpaces, skipValue } from "./json-values.ts";
import { actionOf, columnOf, keyOf } from "./known-keys.ts";
import { isMessageKept } from "./messages.ts";
import { branchOf, Edge, findEdge, learnEdge, Node, root } from "./shapes.ts";
import { escapedEnd, internEscaped, stringEnd, textEnd } from "./strings.ts";
import { codeOfProtocol } from "./protocols.ts";

const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
const TAB: u8 = 0x09;
const SPACE: u8 = 0x20;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;

/** Digits of a whole number that is not worth a look at its value. */
const WHOLE_DIGITS_MAX: usize = 15;

// What is known of the line being read; addresses are 0 where there is none.
let time: f64 = NaN;
let messageStart: usize = 0;
let messageEnd: usize = 0;
let systemStart: usize = 0;
let systemEnd: usize = 0;
/** Code of the text read last. */
let context: i32 = 0;

/** @returns Where the next line starts; 0 if the line is odd: then the row is to be taken back. */
export function readLine(line: usize): usize {
  openRow();
  openExtras();
  time = NaN;
  messageStart = 0;
  systemStart = 0;
  context = 0;
  let node = root;
  let at = line;
  while (true) {
    const from = at;
    let address = findEdge(node, at);
    if (address == 0) {
      address = readEdge(node, at);
      if (address == 0) return 0;
    }
    const edge = changetype<Edge>(address);
    at += edge.length;
    if (edge.action == ACTION_END) return closeLine() ? at : 0;
    const next = edge.node;
    const isEventid = edge.action == ACTION_TEXT && edge.column == COLUMN_EVENTID;
    at = readValue(edge, from, at);
    if (at == 0) return 0;
    node = changetype<Node>(next);
    if (isEventid) node = branchOf(node, context);
  }
}

/** Read what leads from one value to the next, or to the end of the line, byte by byte, and learn it; 0 = odd. */
function readEdge(node: Node, from: usize): usize {
  let at = from;
  if (node == root) {
    if (load<u8>(at) != OPEN) return 0;
  } else {
    at = skipSpaces(at);
    const separator = load<u8>(at);
    if (separator == CLOSE) return readEnd(node, from, at + 1);
    if (separator != COMMA) return 0;
  }
  at = skipSpaces(at + 1);
  if (load<u8>(at) != QUOTE) return 0;
  const keyOffset = <u32>(at - from);
  const name = at + 1;
  at = textEnd(name);
  if (load<u8>(at) != QUOTE) return 0;
  const key = keyOf(name, <u32>(at - name));
  if (key < 0 || load<u8>(at, 1) != COLON) return 0;
  at = skipSpaces(at + 2);
  const action = actionOf(key);
  // These values are texts, always: their quote belongs to what is compared.
  if (action == ACTION_TEXT || action == ACTION_TIMESTAMP || action == ACTION_SYSTEM) {
    if (load<u8>(at++) != QUOTE) return 0;
  }
  return learnEdge(node, from, <u32>(at - from), keyOffset, action, columnOf(key), key);
}

function readEnd(node: Node, from: usize, at: usize): usize {
  let byte = load<u8>(at);
  while (byte == SPACE || byte == CR || byte == TAB) byte = load<u8>(++at);
  return byte == LF ? learnEdge(node, from, <u32>(at + 1 - from), 0, ACTION_END, 0, -1) : 0;
}

/** Read the value behind an edge. @param from Where the edge starts. @returns Behind the value; 0 = odd. */
function readValue(edge: Edge, from: usize, at: usize): usize {
  switch (edge.action) {
    case ACTION_TEXT:
      return readText(edge.column, at);
    case ACTION_TIMESTAMP:
      if (time == time) return 0;
      time = readInstant(at);
      return time == time ? instantEnd : 0;
    case ACTION_MESSAGE:
      if (messageStart != 0) return 0;
      messageStart = from + edge.keyOffset;
      messageEnd = skipValue(at, 0);
      return messageEnd;
    case ACTION_DROP:
      return skipValue(at, 0);
    case ACTION_WHOLE:
      return readWhole(edge.column, at);
    case ACTION_DURATION:
    case ACTION_DURATION_MS: {
      if (hasNumber(edge.column)) return 0;
      const duration = readDuration(at, edge.action == ACTION_DURATION_MS);
      if (duration != duration) return 0;
      setNumber(edge.column, duration);
      return decimalEnd;
    }
    case ACTION_SYSTEM:
      if (systemStart != 0) return 0;
      systemStart = at;
      systemEnd = stringEnd(at);
      // An escape could hide the letters that are looked for in it.
      return load<u8>(systemEnd) == QUOTE ? systemEnd + 1 : 0;
    case ACTION_EXTRA:
      return readExtra(from + edge.keyOffset, at, edge.key, context);
    default:
      return 0;
  }
}

@inline function readText(column: i32, at: usize): usize {
  if (codeAt(column) != -1) return 0;
  const end = textEnd(at);
  let code: i32;
  let next = end + 1;
  if (load<u8>(end) == QUOTE) {
    code = internCell(column, at, <u32>(end - at));
  } else {
    const d = dictionaryOf(column);
    const size = d.size;
    code = internEscaped(d, at);
    if (d.size != size) noteAdded(d);
    if (code < 0) return 0;
    next = escapedEnd;
  }
  setCode(column, code);
  context = code;
  return next;
}

function readWhole(column: i32, at: usize): usize {
  if (hasNumber(column)) return 0;
  const start = at;
  let whole: u64 = 0;
  for (let digit = digitAt(at); digit <= 9; digit = digitAt(++at)) whole = whole * 10 + digit;
  const digits = at - start;
  if (digits == 0 || digits > WHOLE_DIGITS_MAX || (digits > 1 && load<u8>(start) == 48)) return 0;
  if (whole > <u64>(column < UINT16_COLUMNS ? 0xffff : 0xffff_ffff)) return 0;
  setNumber(column, <f64>whole);
  return at;
}

/** Check that the line is an event, and fill the cells that take all of it. @returns False if it is odd. */
function closeLine(): bool {
  const eventid = codeAt(COLUMN_EVENTID);
  if (eventid < 0 || time != time) return false;
  if (messageStart != 0 && isMessageKept(eventid) && !addMessage(messageStart, messageEnd)) return false;
  if (systemStart != 0 && codeAt(COLUMN_PROTOCOL) < 0) {
    const protocol = codeOfProtocol(systemStart, systemEnd);
    if (protocol >= 0) setCode(COLUMN_PROTOCOL, protocol);
  }
  closeExtras();
  closeRow(time);
  return true;
}
