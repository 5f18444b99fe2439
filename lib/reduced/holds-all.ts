/**
 * Whether a table counts all that another one counts: what must be true before the other may be left out as a part of it.
 *
 * That they name the same logs proves nothing, as a table may say of itself what it likes.
 */
import { type AddressSets, SET_MAX } from "../columns/address-sets.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { isTextKey, type KeyColumn, type Kind, KIND_NAMES, KINDS } from "./kinds.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";

/**
 * Kinds of which a longer log says something else: the last command of a session comes later in it. A verdict may stand
 * on no sensor in one table and on some in the other.
 */
const CHANGING: ReadonlySet<Kind> = new Set<Kind>(["pre_disconnect_command", "last_command", "scan"]);

/**
 * Tell whether each row of `part` is in `whole` as well, with as much or more of it, from its addresses and others, and seen no later and no earlier;
 * sensor-days of `part` that are known from cut counts alone are passed over. Both tables in canonical order.
 */
export function holdsAll(whole: ReducedTable, part: ReducedTable): boolean {
  const codes = Object.fromEntries(
    CODED_COLUMNS.map(name => [name, matchTexts(part.dictionaries[name], whole.dictionaries[name])]),
  ) as Record<CodedColumn, Int32Array>;
  const isExact = exactDays(part.kinds.event);
  const holdsSet = setHolder(whole.sets, part.sets);
  return KIND_NAMES.every(
    kind => CHANGING.has(kind) || holdsRows(whole.kinds[kind], part.kinds[kind], codes, isExact, holdsSet),
  );
}

/** `codes[code in from]` = code in `to`, -2 for a text it has not; both sorted. */
function matchTexts(from: readonly string[], to: readonly string[]): Int32Array {
  let at = 0;
  return Int32Array.from(from, text => {
    while (at < to.length && to[at]! < text) at++;
    return to[at] === text ? at : -2;
  });
}

/** Tells the sensor-days that have events. */
function exactDays({ rows, day, sensor }: KindTable): (day: number, sensor: number) => boolean {
  const days = new Map<number, Set<number>>();
  for (let row = 0; row < rows; row++) {
    const sensors = days.get(day[row]!) ?? new Set();
    days.set(day[row]!, sensors.add(sensor[row]!));
  }
  return (day, sensor) => days.get(day)?.has(sensor) === true;
}

/** Tells whether a set of one table holds all that a set of another holds; one that is not known says nothing. */
function setHolder(wholes: AddressSets, parts: AddressSets): (whole: number, part: number) => boolean {
  return (whole, part) => {
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
  };
}

/** One walk over both: each has its rows in the order of day, sensor and key. */
function holdsRows(
  whole: KindTable,
  part: KindTable,
  codes: Readonly<Record<CodedColumn, Int32Array>>,
  isExact: (day: number, sensor: number) => boolean,
  holdsSet: (whole: number, part: number) => boolean,
): boolean {
  const names: readonly KeyColumn[] = KINDS[part.kind];
  const wholeColumns = [whole.day, whole.sensor, ...names.map(name => whole.keys[name]!)];
  const partColumns = [part.day, part.sensor, ...names.map(name => part.keys[name]!)];
  const codesOf = [undefined, codes.sensor, ...names.map(name => (isTextKey(name) ? codes[name] : undefined))];
  const key = new Array<number>(partColumns.length);
  let at = 0;
  for (let row = 0; row < part.rows; row++) {
    if (!isExact(part.day[row]!, part.sensor[row]!)) continue;
    for (let i = 0; i < key.length; i++) {
      const value = partColumns[i]![row]!;
      key[i] = value < 0 ? value : (codesOf[i]?.[value] ?? value);
      if (codesOf[i] !== undefined && key[i] === -2) return false;
    }
    let order = -1;
    for (; at < whole.rows; at++) {
      order = 0;
      for (let i = 0; i < key.length && order === 0; i++) order = wholeColumns[i]![at]! - key[i]!;
      if (order >= 0) break;
    }
    const isHeld =
      order === 0 &&
      part.count[row]! <= whole.count[at]! &&
      part.success[row]! <= whole.success[at]! &&
      part.firstSeenUs[row]! >= whole.firstSeenUs[at]! &&
      part.lastSeenUs[row]! <= whole.lastSeenUs[at]! &&
      (part.addresses === null || holdsSet(whole.addresses![at]!, part.addresses[row]!));
    if (!isHeld) return false;
  }
  return true;
}
