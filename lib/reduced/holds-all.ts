/**
 * Whether a table counts all that another one counts: what must be true before the other may be left out as a part of it.
 *
 * That they name the same logs proves nothing, as a table may say of itself what it likes.
 */
import { type AddressSets, SET_MAX } from "../columns/address-sets.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import { pauseNowAndThen, takeWithPauses } from "../process/pause.ts";
import { type Kind, KIND_NAMES } from "./kinds.ts";
import { batchesOf, compareRows, Stream, uniteTexts } from "./merge-sorted.ts";
import type { SortedTable } from "./sorted-table.ts";

/**
 * Kinds of which a longer log says something else: the last command of a session comes later in it. A verdict may stand
 * on no sensor in one table and on some in the other.
 */
const CHANGING: ReadonlySet<Kind> = new Set<Kind>(["pre_disconnect_command", "last_command", "scan"]);

/**
 * Tell whether each row of `part` is in `whole` as well, with as much or more of it, from its addresses and others, and seen no later and no earlier;
 * sensor-days of `part` that are known from cut counts alone are passed over. Of each a batch is in memory.
 *
 * @param isAsked Of other days nothing is asked.
 */
export async function holdsAll(whole: SortedTable, part: SortedTable, isAsked: (day: number) => boolean = () => true): Promise<boolean> {
  const { recodes: [wholeCodes, partCodes] } = await takeWithPauses(uniteTexts([whole, part]));
  const isExact = await exactDays(part);
  const isHeld = (day: number, sensor: number) => isAsked(day) && isExact(day, sensor);
  for (const kind of KIND_NAMES) {
    if (CHANGING.has(kind)) continue;
    if (!(await holdsRows(new Stream(whole, kind, wholeCodes!), new Stream(part, kind, partCodes!), isHeld))) return false;
  }
  return true;
}

/** Tells the sensor-days that have events. */
async function exactDays(table: SortedTable): Promise<(day: number, sensor: number) => boolean> {
  const days = new Map<number, Set<number>>();
  for (const { table: { rows, day, sensor } } of batchesOf(table, "event", new ColumnMemory())) {
    for (let row = 0; row < rows; row++) {
      const sensors = days.get(day[row]!) ?? new Set();
      days.set(day[row]!, sensors.add(sensor[row]!));
    }
    await pauseNowAndThen();
  }
  return (day, sensor) => days.get(day)?.has(sensor) === true;
}

/** Tells whether a set of one table holds all that a set of another holds; one that is not known says nothing. */
function holdsSet(wholes: AddressSets, whole: number, parts: AddressSets, part: number): boolean {
  if (whole < 0 || part < 0) return true;
  let at = wholes.offsets[whole]!;
  const end = wholes.offsets[whole + 1]!;
  // What lies above the greatest of a full set is not kept.
  const limit = end - at < SET_MAX ? Infinity : wholes.hashes[end - 1]!;
  for (let i = parts.offsets[part]!; i < parts.offsets[part + 1]! && parts.hashes[i]! <= limit; i++) {
    while (at < end && wholes.hashes[at]! < parts.hashes[i]!) at++;
    if (at === end || wholes.hashes[at] !== parts.hashes[i]) return false;
  }
  return true;
}

/** One walk over both: each has its rows in the order of day, sensor and key. */
async function holdsRows(whole: Stream, part: Stream, isHeld: (day: number, sensor: number) => boolean): Promise<boolean> {
  let isLeft = whole.next();
  while (part.next()) {
    const { table, sets } = part.batch!;
    for (let row = 0; row < table.rows; row++) {
      if (!isHeld(table.day[row]!, table.sensor[row]!)) continue;
      while (isLeft && (whole.row === whole.batch!.table.rows || compareRows(whole.columns, whole.row, part.columns, row) < 0)) {
        if (whole.row === whole.batch!.table.rows) isLeft = whole.next();
        else whole.row++;
      }
      if (!isLeft || compareRows(whole.columns, whole.row, part.columns, row) !== 0) return false;
      const { table: other, sets: others } = whole.batch!;
      const at = whole.row;
      const isMore =
        table.count[row]! <= other.count[at]! &&
        table.success[row]! <= other.success[at]! &&
        table.firstSeenUs[row]! >= other.firstSeenUs[at]! &&
        table.lastSeenUs[row]! <= other.lastSeenUs[at]! &&
        (table.addresses === null || holdsSet(others, other.addresses![at]!, sets, table.addresses[row]!));
      if (!isMore) return false;
    }
    await pauseNowAndThen();
  }
  return true;
}
