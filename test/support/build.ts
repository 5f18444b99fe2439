/** Build small reduced tables from literals, for tests. */
import { addressHash, renumberSets, SetDictionary } from "../../lib/columns/address-sets.ts";
import {
  isTextKey,
  type KeyColumn,
  type Kind,
  KIND_NAMES,
  KIND_SPECS,
  KINDS,
  REDUCED_VERSION,
  TEXT_KEYS,
  type TextKey,
} from "../../lib/reduced/kinds.ts";
import type { KindTable, ReducedInfo, ReducedTable } from "../../lib/reduced/reduced-table.ts";

export interface LiteralRow {
  kind: Kind;
  /** YYYY-MM-DD */
  date: string;
  sensor: string;
  key: Partial<Record<KeyColumn, string | number | null>>;
  count: number;
  success?: number;
  /** Default: noon of the day. */
  firstSeenUs?: number;
  lastSeenUs?: number;
  /** Addresses that its events came from. Default: nobody knows. */
  from?: readonly string[];
}

export const NO_INFO: ReducedInfo = { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10 }, sources: [] };

/** Rows as given become a canonical reduced table; rows with equal keys must not be given. */
export function buildReduced(rows: LiteralRow[], info: ReducedInfo = NO_INFO): ReducedTable {
  const sets = Object.fromEntries([...TEXT_KEYS, "sensor"].map(name => [name, new Set<string>()])) as Record<
    TextKey | "sensor",
    Set<string>
  >;
  for (const row of rows) {
    sets.sensor.add(row.sensor);
    for (const [column, value] of Object.entries(row.key)) {
      if (isTextKey(column as KeyColumn) && value !== null) sets[column as TextKey].add(String(value));
    }
  }
  const dictionaries = Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, [...set].sort()])) as Record<
    TextKey | "sensor",
    string[]
  >;
  const codeOf = (column: KeyColumn, value: string | number | null | undefined) =>
    value === null || value === undefined
      ? -1
      : isTextKey(column)
        ? dictionaries[column].indexOf(String(value))
        : Number(value);

  const addressSets = new SetDictionary();
  const kinds = {} as Record<Kind, KindTable>;
  for (const kind of KIND_NAMES) {
    const coded = rows
      .filter(row => row.kind === kind)
      .map(row => {
        const day = Date.parse(row.date) / 86_400_000;
        const noonUs = (day + 0.5) * 86_400_000_000;
        return {
          day,
          sensor: dictionaries.sensor.indexOf(row.sensor),
          key: KINDS[kind].map(column => codeOf(column, row.key[column])),
          count: row.count,
          success: row.success ?? 0,
          first: row.firstSeenUs ?? noonUs,
          set: row.from === undefined ? -1 : addressSets.internAny(Uint32Array.from(row.from, addressHash)),
          last: row.lastSeenUs ?? row.firstSeenUs ?? noonUs,
        };
      })
      .sort((a, b) => {
        const left = [a.day, a.sensor, ...a.key];
        const right = [b.day, b.sensor, ...b.key];
        for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
        return 0;
      });
    kinds[kind] = {
      kind,
      rows: coded.length,
      day: Int32Array.from(coded, row => row.day),
      sensor: Int32Array.from(coded, row => row.sensor),
      keys: Object.fromEntries(
        KINDS[kind].map((column, i) => [column, Int32Array.from(coded, row => row.key[i]!)]),
      ),
      count: Float64Array.from(coded, row => row.count),
      success: Float64Array.from(coded, row => row.success),
      addresses: KIND_SPECS[kind].hasAddresses ? Int32Array.from(coded, row => row.set) : null,
      firstSeenUs: Float64Array.from(coded, row => row.first),
      lastSeenUs: Float64Array.from(coded, row => row.last),
    };
  }
  return { info, dictionaries, sets: renumberSets(addressSets, KIND_NAMES.flatMap(kind => kinds[kind].addresses ?? [])), kinds };
}
