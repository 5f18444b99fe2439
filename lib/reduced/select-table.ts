/**
 * A part of a reduced table: some sensors, some kinds of row.
 */
import { renumberSets } from "../columns/address-sets.ts";
import { isTextKey, type KeyColumn, KIND_NAMES, KINDS, type Kind } from "./kinds.ts";
import { CODED_COLUMNS, type CodedColumn } from "./reduced-builder.ts";
import { type KindTable, type ReducedTable, takeRows } from "./reduced-table.ts";

export interface TableSelection {
  /** Names as they stand in the table; undefined = all. */
  readonly sensors?: readonly string[];
  /** Undefined = all. Events stay in any case: they tell when a sensor was watching. */
  readonly kinds?: readonly Kind[];
}

/**
 * Select rows of a reduced table; texts that no row is left of are left out as well.
 *
 * Rows and texts keep their canonical order, so the part of a table is what the same logs reduced so would give, but for
 * the names of its sources, and verdicts on files that came to another sensor.
 */
export function selectTable(table: ReducedTable, { sensors, kinds }: TableSelection): ReducedTable {
  const isSensor = sensors && Uint8Array.from(table.dictionaries.sensor, name => Number(sensors.includes(name)));
  const isKind = (kind: Kind) => kinds === undefined || kind === "event" || kinds.includes(kind);
  const selected = KIND_NAMES.map(kind => {
    const own = table.kinds[kind];
    if (!isKind(kind)) return takeRows(own, new Int32Array(0));
    if (isSensor === undefined) return own;
    return takeRows(own, Int32Array.from({ length: own.rows }, (_, row) => row).filter(row => isSensor[own.sensor[row]!] === 1));
  });
  const numberings = new Map(CODED_COLUMNS.map(name => [name, numberUsed(table.dictionaries[name], codesOf(selected, name))]));
  const recode = (codes: Int32Array, name: CodedColumn) => {
    const { numbers } = numberings.get(name)!;
    return codes.map(code => (code < 0 ? -1 : numbers[code]!));
  };
  const recoded = selected.map(own => ({
    ...own,
    sensor: recode(own.sensor, "sensor"),
    keys: Object.fromEntries(
      KINDS[own.kind].map((column: KeyColumn) => {
        const codes = own.keys[column]!;
        return [column, isTextKey(column) ? recode(codes, column as CodedColumn) : codes];
      }),
    ),
    addresses: own.addresses && own.addresses.slice(),
  }));
  const sets = renumberSets(table.sets, recoded.flatMap(({ addresses }) => addresses ?? []));
  const { info } = table;
  return {
    info: { ...info, parameters: { ...info.parameters, ...(sensors && { sensors: [...sensors].sort() }) } },
    dictionaries: Object.fromEntries(
      [...numberings].map(([name, { texts }]) => [name, texts]),
    ) as unknown as ReducedTable["dictionaries"],
    sets,
    kinds: Object.fromEntries(recoded.map(own => [own.kind, own])) as unknown as ReducedTable["kinds"],
  };
}

function codesOf(tables: readonly KindTable[], name: CodedColumn): Int32Array[] {
  return tables.flatMap(({ sensor, keys }) => (name === "sensor" ? [sensor] : (keys[name] ?? [])));
}

/** The texts that codes stand for, and their new codes. */
function numberUsed(texts: readonly string[], columns: readonly Int32Array[]) {
  const numbers = new Int32Array(texts.length);
  for (const codes of columns) for (const code of codes) if (code >= 0) numbers[code] = 1;
  let next = 0;
  const used = texts.filter((_, code) => numbers[code] === 1);
  for (let code = 0; code < numbers.length; code++) numbers[code] = numbers[code] === 1 ? next++ : -1;
  return { texts: used, numbers };
}
