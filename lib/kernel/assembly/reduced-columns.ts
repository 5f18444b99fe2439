/**
 * The groups of a log as columns of reduced rows, in one block that TypeScript copies; see the layout.
 *
 * Tested in `test/lib/reduced/kernel-reducer.test.ts`.
 */
import { COLUMN_SRC_IP, FLOAT_COLUMNS, KIND_COUNT, KIND_LAST_COMMAND, SET_MAX_ELEMENTS } from "../layout.ts";
import { elementOf } from "./address-elements.ts";
import { dictionaryOf } from "./dictionaries.ts";
import { dayOfPlace, Group, groupAt, groupCount, kindOf, NO_ADDRESS, placeOf, sensorOfPlace, SEVERAL } from "./row-groups.ts";
import { allocate } from "./heap.ts";
import { sortWords } from "./radix-sort.ts";
import { DAY_US } from "./count-rows.ts";
import { hasAddresses, keysOf } from "./rules.ts";
import { pairCount, pairs } from "./sources.ts";

/** By kind: its rows, how many of them are written, and where its columns lie. */
const ROWS: usize = memory.data(KIND_COUNT * 4);
const WRITTEN: usize = memory.data(KIND_COUNT * 4);
const PLACES: usize = memory.data(KIND_COUNT * 4);

export let setCount: u32 = 0;
export let blockBytes: u32 = 0;

export function rowsOfKind(kind: i32): u32 {
  return load<u32>(ROWS + (kind << 2));
}

// ---- Sets: first that of no address, then of one each, then of several

/** By code of the address: the set of it alone, 0 = not in use. */
let singles: usize = 0;
let severalCount: u32 = 0;
/** The pairs, sorted: the place of the set among those of several in the high half, the element in the low one. */
let sorted: usize = 0;

/** Not so for places, which are no rows. */
@inline function hasSet(group: Group): bool {
  return kindOf(group) < KIND_COUNT && hasAddresses(kindOf(group));
}

/** Number the sets: groups remember theirs in `lastAddress`. */
function numberSets(): void {
  const addresses = dictionaryOf(COLUMN_SRC_IP).size;
  singles = allocate(max<u32>(1, addresses) * 4);
  memory.fill(singles, 0, addresses * 4);
  setCount = 1;
  severalCount = 0;
  for (let index: u32 = 0; index < groupCount(); index++) {
    const group = groupAt(index);
    if (!hasSet(group)) continue;
    if (group.address == NO_ADDRESS) group.lastAddress = 0;
    else if (group.address == SEVERAL) severalCount++;
    else {
      const single = singles + (<usize>group.address << 2);
      if (load<u32>(single) == 0) store<u32>(single, setCount++);
      group.lastAddress = load<u32>(single);
    }
  }
  let several = setCount;
  for (let index: u32 = 0; index < groupCount(); index++) {
    const group = groupAt(index);
    if (group.address == SEVERAL && hasSet(group)) group.lastAddress = several++;
  }
}

/** Sort the pairs by their set, then by their element. */
function sortPairs(): void {
  const bytes = max<u32>(1, pairCount) * 8;
  const named = allocate(bytes);
  for (let i: u32 = 0; i < pairCount; i++) {
    const pair = load<u64>(pairs + (<usize>i << 3));
    const set = groupAt(<u32>(pair >> 32)).lastAddress - setCount;
    store<u64>(named + (<usize>i << 3), (<u64>set << 32) | elementOf(<u32>pair));
  }
  sorted = sortWords(named, pairCount, bytes);
}

// ---- Columns

@inline function align(bytes: u32): u32 {
  return (bytes + 7) & ~7;
}

/** Bytes of the columns of a kind. */
@inline function bytesOf(kind: i32): u32 {
  const words = 2 + keysOf(kind) + <i32>hasAddresses(kind);
  return align(rowsOfKind(kind) * (FLOAT_COLUMNS * 8 + words * 4));
}

/** Lay the rows of all kinds and their sets out. @returns Where they lie. */
export function writeReduced(): usize {
  memory.fill(ROWS, 0, KIND_COUNT * 4);
  for (let index: u32 = 0; index < groupCount(); index++) {
    const kind = kindOf(groupAt(index));
    if (kind >= KIND_COUNT) continue;
    store<u32>(ROWS + (kind << 2), load<u32>(ROWS + (kind << 2)) + 1);
  }
  numberSets();
  sortPairs();
  let bytes: u32 = 0;
  for (let kind = 0; kind < KIND_COUNT; kind++) {
    store<u32>(PLACES + (kind << 2), bytes);
    bytes += bytesOf(kind);
  }
  const sets = setCount + severalCount;
  const block = allocate(bytes + (sets + 1) * 4 + (setCount + pairCount) * 4);
  writeRows(block);
  const end = writeSets(block + bytes);
  setCount = sets;
  blockBytes = <u32>(end - block);
  return block;
}

function writeRows(block: usize): void {
  memory.fill(WRITTEN, 0, KIND_COUNT * 4);
  for (let index: u32 = 0; index < groupCount(); index++) {
    const group = groupAt(index);
    const kind = kindOf(group);
    if (kind >= KIND_COUNT) continue;
    const at = load<u32>(WRITTEN + (kind << 2));
    store<u32>(WRITTEN + (kind << 2), at + 1);
    writeRow(group, kind, at, block + load<u32>(PLACES + (kind << 2)));
  }
}

@inline function writeRow(group: Group, kind: i32, at: u32, columns: usize): void {
  const rows = rowsOfKind(kind);
  const isLast = kind == KIND_LAST_COMMAND;
  const floats = columns + (<usize>at << 3);
  const floatColumn = <usize>rows << 3;
  store<f64>(floats, group.firstUs);
  store<f64>(floats + floatColumn, group.lastUs);
  store<f64>(floats + 2 * floatColumn, isLast ? 1 : <f64>group.count);
  store<f64>(floats + 3 * floatColumn, isLast ? 0 : <f64>group.success);
  let word = columns + <usize>FLOAT_COLUMNS * floatColumn + (<usize>at << 2);
  const wordColumn = <usize>rows << 2;
  const place = placeOf(group);
  store<i32>(word, isLast ? <i32>Math.floor(group.lastUs / DAY_US) : dayOfPlace(place));
  word += wordColumn;
  store<i32>(word, isLast ? place : sensorOfPlace(place));
  word += wordColumn;
  store<i32>(word, i32x4.extract_lane(group.key, 1));
  word += wordColumn;
  if (isLast) {
    store<u32>(word, group.success);
    // There is but one source, this log.
    store<i32>(word + wordColumn, 0);
    store<u32>(word + 2 * wordColumn, group.count);
    word += 3 * wordColumn;
  } else {
    const keys = keysOf(kind);
    if (keys > 1) {
      store<i32>(word, i32x4.extract_lane(group.key, 2));
      word += wordColumn;
    }
    if (keys > 2) {
      store<i32>(word, i32x4.extract_lane(group.key, 3));
      word += wordColumn;
    }
  }
  if (hasAddresses(kind)) store<i32>(word, group.lastAddress);
}

/** The offsets of the sets, then their elements. @returns Behind them. */
function writeSets(block: usize): usize {
  const sets = setCount + severalCount;
  const first = block + (<usize>(sets + 1) << 2);
  store<u32>(block, 0);
  store<u32>(block, 0, 4);
  const addresses = <i32>dictionaryOf(COLUMN_SRC_IP).size;
  for (let code = 0; code < addresses; code++) {
    const set = load<u32>(singles + (<usize>code << 2));
    if (set == 0) continue;
    store<u32>(first + (<usize>(set - 1) << 2), elementOf(code));
    store<u32>(block + (<usize>set << 2), set, 4);
  }
  let element = first + (<usize>(setCount - 1) << 2);
  let at = sorted;
  const end = sorted + (<usize>pairCount << 3);
  for (let several: u32 = 0; several < severalCount; several++) {
    const start = element;
    let last: u64 = 0xffff_ffff_ffff_ffff;
    for (; at < end && <u32>(load<u64>(at) >> 32) == several; at += 8) {
      const pair = load<u64>(at);
      if (pair == last || element - start == SET_MAX_ELEMENTS * 4) continue;
      last = pair;
      store<u32>(element, <u32>pair);
      element += 4;
    }
    store<u32>(block + (<usize>(setCount + several) << 2), <u32>((element - first) >> 2), 4);
  }
  return element;
}
