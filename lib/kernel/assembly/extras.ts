/**
 * The members of a line that have no column, kept as they are written; they get one spelling once the log is read.
 *
 * Most of them are the lists of a key exchange, 1.2 kB that follow from the client's HASSH: what stood behind the same text
 * the last time is compared with the line at once, in a tenth of the time that passing over, hashing and looking up takes.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { COLUMN_EXTRA } from "../layout.ts";
import { internCell, setCode } from "./batch.ts";
import { dictionaryOf, textLength, textStart } from "./dictionaries.ts";
import { skipValue } from "./json-values.ts";
import { scratchFor } from "./strings.ts";
import { equalBytes } from "./vectors.ts";

/** Members kept per line; a line with more is read by the plain path. */
const EXTRAS_MAX: i32 = 64;
const GUESSES: i32 = 1024;
const COMMA: u8 = 0x2c;

/** Start and end of each member of the line being read. */
const MEMBERS: usize = memory.data(EXTRAS_MAX * 8);
/** Code + 1 of what is expected, by what stood before it; 0 = nothing. */
const EXPECTED: usize = memory.data(GUESSES * 4);

let count: i32 = 0;
let slot: i32 = 0;
/** Code that was expected and found; -1 = none. */
let found: i32 = -1;

@inline export function openExtras(): void {
  count = 0;
}

export function forgetExtras(): void {
  memory.fill(EXPECTED, 0, GUESSES * 4);
}

@inline function startOf(member: i32): usize {
  return load<u32>(MEMBERS + (<usize>member << 3));
}

@inline function endOf(member: i32): usize {
  return load<u32>(MEMBERS + (<usize>member << 3), 4);
}

/**
 * Take a member.
 *
 * @param member Where the quote before its key stands.
 * @param at Where its value starts.
 * @param context Code of the text that stood before it.
 * @returns Behind its value; 0 if it is not sound, or there are too many.
 */
export function readExtra(member: usize, at: usize, key: i32, context: i32): usize {
  if (count == EXTRAS_MAX) return 0;
  let end: usize = 0;
  found = -1;
  if (count == 0) {
    slot = (context ^ key) & (GUESSES - 1);
    const expected = load<i32>(EXPECTED + (<usize>slot << 2)) - 1;
    if (expected >= 0) {
      const d = dictionaryOf(COLUMN_EXTRA);
      const length = textLength(d, expected);
      // What is known was checked when it came in, and holds no line end: the comparison stays within the text.
      if (equalBytes(textStart(d, expected), member, length)) {
        end = member + length;
        found = expected;
      }
    }
  }
  if (end == 0) end = skipValue(at, 0);
  if (end == 0) return 0;
  addMember(member, end);
  return end;
}

@inline function addMember(start: usize, end: usize): void {
  store<u32>(MEMBERS + (<usize>count << 3), <u32>start);
  store<u32>(MEMBERS + (<usize>count << 3), <u32>end, 4);
  count++;
}

/** Take the line's message as its last member. @returns False if there are too many. */
export function addMessage(start: usize, end: usize): bool {
  if (count == EXTRAS_MAX) return false;
  addMember(start, end);
  // With a message in it, it would be expected of events that leave theirs out.
  slot = -1;
  found = -1;
  return true;
}

/** Put the members into their cell. */
export function closeExtras(): void {
  if (count == 0) return;
  if (found < 0) {
    found = internMembers();
    if (slot >= 0) store<i32>(EXPECTED + (<usize>slot << 2), found + 1);
  }
  setCode(COLUMN_EXTRA, found);
}

function internMembers(): i32 {
  let length = <u32>(endOf(0) - startOf(0));
  let isAdjacent = true;
  for (let i = 1; i < count; i++) {
    const gap = <i32>(startOf(i) - endOf(i - 1));
    // No member fits into so few bytes: there is only a comma, perhaps a space, between the two.
    if (gap < 1 || gap > 3) isAdjacent = false;
    length += 1 + <u32>(endOf(i) - startOf(i));
  }
  const last = endOf(count - 1);
  if (isAdjacent) return internCell(COLUMN_EXTRA, startOf(0), <u32>(last - startOf(0)));
  const text = scratchFor(length);
  let to = text;
  for (let i = 0; i < count; i++) {
    if (i > 0) store<u8>(to++, COMMA);
    const bytes = endOf(i) - startOf(i);
    memory.copy(to, startOf(i), bytes);
    to += bytes;
  }
  return internCell(COLUMN_EXTRA, text, length);
}
