/**
 * The reduced table as JSON for people, and for whoever comes from cowralyze: one object per day and sensor, with the
 * top entries of each kind.
 *
 * Tested in `test/lib/reduced/reduced-arrow.test.ts`.
 */
import { toIsoDay } from "../text/format.ts";
import { isTextKey, JSON_KINDS, type JsonKind, type KeyColumn, KIND_SPECS, KINDS } from "./kinds.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";
import { toSafeJson } from "../text/text.ts";
import { type Verdict, verdictsByHash } from "./verdicts.ts";

/**
 * `reduced.json` of a table, piece by piece.
 *
 * @param topN Entries per kind, by count falling, ties by key; 0 = all.
 */
export function* reducedToJson(table: ReducedTable, topN: number): Generator<string> {
  const verdicts = verdictsByHash(table);
  const cursors = JSON_KINDS.map(kind => new Cursor(table.kinds[kind]));
  // A sensor-day has events whatever it has else; only one of cut counts has none.
  const days = new Cursor(table.kinds.event);
  yield "[";
  let separator = "\n";
  for (;;) {
    const at = earliest([days, ...cursors].map(({ current }) => current));
    if (at === undefined) break;
    days.take(at);
    const object: Record<string, unknown> = {
      date: toIsoDay(at.day),
      sensor: table.dictionaries.sensor[at.sensor],
    };
    JSON_KINDS.forEach((kind, i) => {
      const { start, end } = cursors[i]!.take(at);
      if (end === start) return;
      const rows = topRows(table.kinds[kind], start, end, topN);
      object[KIND_SPECS[kind].jsonName] = rows.map(row => toEntry(table, kind, row, verdicts));
    });
    yield `${separator}${toSafeJson(object)}`;
    separator = ",\n";
  }
  yield "\n]\n";
}

/** Rows `[start, end)` by count falling; equal counts stay in the order of their keys. */
export function topRows(table: KindTable, start: number, end: number, n: number): number[] {
  if (n > 0 && n <= FEW_ROWS) return fewRows(table.count, start, end, n);
  const rows = Array.from({ length: end - start }, (_, i) => start + i);
  rows.sort((a, b) => table.count[b]! - table.count[a]!);
  return n === 0 ? rows : rows.slice(0, n);
}

/** So many rows are put in their places while all are looked at, which of more takes longer than to sort them. */
const FEW_ROWS = 32;

function fewRows(count: Float64Array, start: number, end: number, n: number): number[] {
  const best: number[] = [];
  let least = -Infinity;
  for (let row = start; row < end; row++) {
    const own = count[row]!;
    if (own <= least) continue;
    let place = best.length < n ? best.push(row) - 1 : n - 1;
    for (; place > 0 && count[best[place - 1]!]! < own; place--) best[place] = best[place - 1]!;
    best[place] = row;
    if (best.length === n) least = count[best[n - 1]!]!;
  }
  return best;
}

function toEntry(
  table: ReducedTable,
  kind: JsonKind,
  row: number,
  verdicts: ReadonlyMap<number, Verdict>,
): Record<string, unknown> {
  const rows = table.kinds[kind];
  const entry: Record<string, unknown> = {};
  for (const column of KINDS[kind] as readonly KeyColumn[]) {
    const value = rows.keys[column]![row]!;
    if (value < 0) entry[column] = null;
    else if (isTextKey(column)) entry[column] = table.dictionaries[column][value];
    else entry[column] = column === "robot" ? value === 1 : value;
  }
  if (kind === "file_download") entry.scans = verdicts.get(rows.keys.shasum![row]!) ?? null;
  entry.count = rows.count[row];
  if (kind === "login") entry.success = rows.success[row];
  return entry;
}

interface SensorDay {
  readonly day: number;
  readonly sensor: number;
}

/** The sensor-day that comes first. */
function earliest(days: readonly (SensorDay | undefined)[]): SensorDay | undefined {
  let first: SensorDay | undefined;
  for (const at of days) {
    const order = at === undefined ? 1 : first === undefined ? -1 : at.day - first.day || at.sensor - first.sensor;
    if (order < 0) first = at;
  }
  return first;
}

/** Walks the rows of a kind, which are sorted by day and sensor, one sensor-day after the other. */
class Cursor {
  #row = 0;

  constructor(table: KindTable) {
    this.#table = table;
  }
  readonly #table: KindTable;

  get current(): SensorDay | undefined {
    const { rows, day, sensor } = this.#table;
    return this.#row < rows ? { day: day[this.#row]!, sensor: sensor[this.#row]! } : undefined;
  }

  /** The rows of this sensor-day, which must not lie before the last one taken. */
  take(at: SensorDay): { start: number; end: number } {
    const { rows, day, sensor } = this.#table;
    const start = this.#row;
    while (this.#row < rows && day[this.#row] === at.day && sensor[this.#row] === at.sensor) this.#row++;
    return { start, end: this.#row };
  }
}
