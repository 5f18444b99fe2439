/**
 * Which events' messages are kept: those of ids that TypeScript did not name as rendered from their fields.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { COLUMN_EVENTID } from "../layout.ts";
import { Dictionary, dictionaryOf, find, initDictionary, intern, textLength, textStart } from "./dictionaries.ts";

/** Event ids whose answer is remembered; it is looked up for later ones each time. */
const REMEMBERED: i32 = 256;

const rendered = changetype<Dictionary>(memory.data(128, 16));
/** By event id: 0 = not asked yet, 1 = left out, 2 = kept. */
const ANSWERS: usize = memory.data(REMEMBERED);

/** So much room that it never grows: what is named stays through all logs. */
export function initMessages(): void {
  initDictionary(rendered, 1 << 10, 1 << 16);
}

/** Name an id whose message says nothing that its fields do not. */
export function addRendered(id: usize, length: u32): void {
  intern(rendered, id, length);
}

/** Codes mean other ids in the next log. */
export function forgetMessages(): void {
  memory.fill(ANSWERS, 0, REMEMBERED);
}

export function isMessageKept(eventid: i32): bool {
  if (eventid < REMEMBERED) {
    const answer = load<u8>(ANSWERS + eventid);
    if (answer != 0) return answer == 2;
  }
  const ids = dictionaryOf(COLUMN_EVENTID);
  const isKept = find(rendered, textStart(ids, eventid), textLength(ids, eventid)) < 0;
  if (eventid < REMEMBERED) store<u8>(ANSWERS + eventid, isKept ? 2 : 1);
  return isKept;
}
