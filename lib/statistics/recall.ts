/**
 * Rows of chosen keys from before the days that are held in memory, read once it is known which keys are to be described.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { KindTable } from "../reduced/reduced-table.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import type { KeyedRows } from "./keyed-rows.ts";

export type RecalledRows = ReturnType<typeof recallRows>;

/**
 * The rows of some keys that lie before a day.
 *
 * @param columnsOf The columns that were numbered.
 * @param keys Numbers of keys, and the codes that each stands for.
 */
export function recallRows(
  stored: StoredTable,
  kind: Kind,
  beforeDay: number,
  columnsOf: (part: KindTable) => readonly Int32Array[],
  keys: ReadonlyMap<number, readonly number[]>,
) {
  const tuples = new ChosenTuples([...keys.values()], [...keys.keys()]);
  const gatherer = new RowGatherer();
  const numbers: Int32Array[] = [];
  for (const part of stored.parts(kind, { last: beforeDay - 1 })) {
    const found = tuples.find(columnsOf(part), part.rows);
    gatherer.add(part, found.rows);
    numbers.push(found.numbers.slice());
  }
  const key = new Int32Array(numbers.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of numbers) {
    key.set(list, at);
    at += list.length;
  }
  return { table: gatherer.finish(stored), key };
}

/**
 * The rows of chosen keys, all of them: those recalled, and behind them those of the days that are held.
 *
 * @param isChosen By key.
 */
export function joinRecalled(before: Pick<KeyedRows, "day" | "sensor" | "count" | "key" | "events">, held: KeyedRows, isChosen: ReadonlySet<number>, fromDay: number): KeyedRows {
  const rows: number[] = [];
  for (let row = 0; row < held.rows; row++) if (held.day[row]! >= fromDay && isChosen.has(held.key[row]!)) rows.push(row);
  const join = <T extends Int32Array | Float64Array>(first: T, second: T): T => {
    const joined = new (second.constructor as new (length: number) => T)(first.length + rows.length);
    joined.set(first);
    rows.forEach((row, i) => (joined[first.length + i] = second[row]!));
    return joined;
  };
  return {
    ...held,
    rows: before.day.length + rows.length,
    day: join(before.day, held.day),
    sensor: join(before.sensor, held.sensor),
    count: join(before.count, held.count),
    key: join(before.key, held.key),
    ...(held.events && { events: join(before.events ?? new Float64Array(before.day.length), held.events) }),
  };
}
