/** Where connections come from, added to a table of counts. */
import { groupRows, sortedRows, take } from "../columns/group.ts";
import { sharedFloats, sharedInts } from "../columns/shared-arrays.ts";
import { describeOrigin, nameSources, networkName, type Origins } from "../origin/origins.ts";
import { compareText } from "../text/text.ts";
import { ORIGIN_KINDS, type OriginKind, type OriginRows } from "./origin-kinds.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";

/** The same table with its connections by country and by network; each address is looked up once. */
export function addOrigins(table: ReducedTable, origins: Origins): ReducedTable {
  const { connect } = table.kinds;
  const nameOf = {
    country: (address: string) => origins.of(address).country,
    network: (address: string) => networkName(origins.of(address).asn, origins.of(address).asOrg),
  };
  const grouped = ORIGIN_KINDS.map(kind => [kind, groupBy(connect, table.dictionaries.src_ip, kind, nameOf[kind])] as const);
  const pick = <T>(of: (one: (typeof grouped)[number][1]) => T) =>
    Object.fromEntries(grouped.map(([kind, one]) => [kind, of(one)])) as Record<OriginKind, T>;
  const addresses = table.dictionaries.src_ip.map(address => describeOrigin(origins.of(address)));
  const tables = { by: nameSources(origins.sources), addresses, kinds: pick(({ rows }) => rows), names: pick(({ names }) => names) };
  return { ...table, origins: tables };
}

function groupBy(
  connect: KindTable,
  addresses: readonly string[],
  kind: OriginKind,
  nameOf: (address: string) => string | null,
): { rows: OriginRows; names: string[] } {
  const found = addresses.map(nameOf);
  const names = [...new Set(found.filter(name => name !== null))].sort(compareText);
  const codes = new Map<string | null, number>(names.map((name, code) => [name, code]));
  const codeOf = Int32Array.from(found, name => codes.get(name) ?? -1);
  const key = connect.keys.src_ip!.map(code => (code < 0 ? -1 : codeOf[code]!));
  const { size, groupOf, firstRow } = groupRows([connect.day, connect.sensor, key], connect.rows);
  const [count, first, last] = [sharedFloats(size), sharedFloats(size).fill(Infinity), sharedFloats(size).fill(-Infinity)];
  for (let row = 0; row < connect.rows; row++) {
    const group = groupOf[row]!;
    count[group]! += connect.count[row]!;
    first[group] = Math.min(first[group]!, connect.firstSeenUs[row]!);
    last[group] = Math.max(last[group]!, connect.lastSeenUs[row]!);
  }
  const own = [connect.day, connect.sensor, key].map(column => take(column, firstRow));
  const order = sortedRows(own, size);
  const [day, sensor, sorted] = own.map(column => take(column, order, sharedInts)) as [Int32Array, Int32Array, Int32Array];
  const put = (column: Float64Array) => take(column, order, sharedFloats);
  return {
    names,
    rows: {
      kind,
      rows: size,
      day,
      sensor,
      keys: { [kind]: sorted },
      count: put(count),
      success: sharedFloats(size),
      addresses: null,
      firstSeenUs: put(first),
      lastSeenUs: put(last),
    },
  };
}
