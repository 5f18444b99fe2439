/**
 * What the history is looked for in: one series of daily numbers for each frequent key of each family of keys.
 *
 * A family counts its keys by distinct source addresses where the table holds them, else by events. Series are of the fleet;
 * those of single sensors are made of them in `sensor-levels.ts`.
 *
 * Tested in `test/lib/history/episodes.test.ts`.
 */
import type { Coverage } from "../statistics/coverage.ts";
import { gatherRows, type InternedRows, internRows, type RowsByKey } from "../statistics/keyed-rows.ts";
import { isTextKey, type KeyValue } from "../reduced/kinds.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import type { RowAddresses } from "../reduced/addresses.ts";
import { countDaily } from "./source-sets.ts";
import { FAMILIES, type Family, type FamilySpec } from "./families.ts";
import { KeyLeaders } from "./key-leaders.ts";

/** The days on which the fleet was watched, and how well. */
export interface Watch {
  /** Days since 1970-01-01, ascending. */
  readonly days: Int32Array;
  /** Watched share of the fleet, each sensor by what it usually sees; 1 on the mean day. */
  readonly exposure: Float64Array;
  /** `placeOf[day - firstDay]`: place in {@link days}, -1 on a day that was not watched. */
  readonly placeOf: Int32Array;
  readonly firstDay: number;
}

/** Days watched less than this, compared with the mean one, tell nothing. */
const LEAST_EXPOSURE = 0.05;

/** @param connects How many rows of connections each sensor has: addresses on a port on a day, without what one repeats. */
export function buildWatch(connects: Float64Array, coverage: Coverage): Watch {
  const { firstDay, days, sensors, exposure } = coverage;
  const usual = connects.map((rows, sensor) => {
    let watched = 1;
    for (let cell = sensor * days; cell < (sensor + 1) * days; cell++) watched += exposure[cell]! || 0;
    return (1 + rows) / watched;
  });
  const seen = new Float64Array(days);
  for (let sensor = 0; sensor < sensors.length; sensor++) {
    for (let day = 0; day < days; day++) seen[day]! += (exposure[sensor * days + day]! || 0) * usual[sensor]!;
  }
  return toWatch(seen, firstDay);
}

/** @param seen How much was watched on each day from the first on, in any unit. */
export function toWatch(seen: Float64Array, firstDay: number): Watch {
  const days = seen.length;
  const positive = seen.filter(value => value > 0);
  const mean = positive.reduce((sum, value) => sum + value, 0) / Math.max(1, positive.length);
  const placeOf = new Int32Array(days).fill(-1);
  const kept: number[] = [];
  for (let day = 0; day < days; day++) if (seen[day]! > LEAST_EXPOSURE * mean) placeOf[day] = kept.push(day) - 1;
  return {
    days: Int32Array.from(kept, day => day + firstDay),
    exposure: Float64Array.from(kept, day => seen[day]! / mean),
    placeOf,
    firstDay,
  };
}

/** One key, day by day. */
export interface KeySeries {
  readonly family: Family;
  /** The values of its columns; a masked one as it is counted. */
  readonly values: readonly KeyValue[];
  /** By place in {@link Watch.days}. */
  readonly events: Float64Array;
  /** What is looked at: distinct sources where they are known, else the events. */
  readonly counts: Float64Array;
}

/** The same of a table in memory. */
export interface DaySeries extends KeySeries {
  /** Rows of the kind's table, in day order. */
  readonly rows: Int32Array;
}

/**
 * The frequent keys of a family; a table that says nothing of the family gives none.
 *
 * @param known The addresses behind the rows of its kind.
 */
export function buildSeries(
  table: ReducedTable,
  watch: Watch,
  known: RowAddresses | undefined,
  family: Family,
): DaySeries[] {
  return leadingSeries(table, watch, known, family).filter(hasValue);
}

/** Of what has no value nothing is told. */
export function hasValue({ values }: Pick<DaySeries, "values">): boolean {
  return values.some(value => value !== null);
}

/** {@link buildSeries} with that of no value, where it is one of the frequent keys. */
export function leadingSeries(table: ReducedTable, watch: Watch, known: RowAddresses | undefined, family: Family): DaySeries[] {
  const spec: FamilySpec = FAMILIES[family];
  const own = table.kinds[spec.kind];
  if (own.rows === 0) return [];
  const interned = internFamily(table, own, spec);
  const leaders = new KeyLeaders();
  leaders.add(own, interned.key, interned.keys);
  const chosen = leaders.finish();
  const gathered = gatherRows(interned.key, interned.keys, chosen);
  const addresses = spec.isAddress ? undefined : known;
  return chosen.map((key, place) => toSeries(table, watch, family, addresses, interned, gathered, key, place));
}

/** Number the keys of a family; rows without any value have none, and are counted as one key that nobody asks for. */
function internFamily(table: ReducedTable, own: KindTable, { columns, mask }: FamilySpec): InternedRows {
  const codes = columns.map(column => own.keys[column]!);
  if (mask === undefined) return internRows(codes, own.rows);
  const [column] = columns;
  const numbers = new Map<string, number>();
  const texts = isTextKey(column!) ? table.dictionaries[column] : [];
  const used = new Uint8Array(texts.length);
  const texted = codes[0]!;
  for (let row = 0; row < own.rows; row++) if (texted[row]! >= 0) used[texted[row]!] = 1;
  const map = texts.map((text, code) => {
    if (used[code] === 0) return -1;
    const masked = mask(text);
    const known = numbers.get(masked);
    if (known === undefined) numbers.set(masked, numbers.size);
    return known ?? numbers.size - 1;
  });
  const numbered = new Int32Array(own.rows);
  for (let row = 0; row < own.rows; row++) numbered[row] = texted[row]! < 0 ? -1 : map[texted[row]!]!;
  return internRows([numbered], own.rows);
}

function toSeries(
  table: ReducedTable,
  watch: Watch,
  family: Family,
  addresses: RowAddresses | undefined,
  { firstRow }: InternedRows,
  gathered: RowsByKey,
  key: number,
  place: number,
): DaySeries {
  const { kind, columns, mask }: FamilySpec = FAMILIES[family];
  const own = table.kinds[kind];
  const rows = gathered.rows.slice(gathered.offsets[place], gathered.offsets[place + 1]);
  const placeOf = (row: number) => watch.placeOf[own.day[row]! - watch.firstDay]!;
  const events = countByDay(own, rows, placeOf, watch.days.length);
  const values = columns.map(column => {
    const code = own.keys[column]![firstRow[key]!]!;
    if (code < 0) return null;
    const text = isTextKey(column) ? table.dictionaries[column][code]! : code;
    return mask === undefined ? text : mask(String(text));
  });
  const sources = addresses && countDaily(addresses, rows, placeOf, events.length);
  return { family, values, rows, events, counts: sources ?? events };
}

/** Events of rows, day by day; `placeOf` a row is negative where its day is none. */
export function countByDay({ count }: KindTable, rows: Int32Array, placeOf: (row: number) => number, days: number): Float64Array {
  const events = new Float64Array(days);
  for (let i = 0; i < rows.length; i++) {
    const at = placeOf(rows[i]!);
    if (at >= 0) events[at]! += count[rows[i]!]!;
  }
  return events;
}
