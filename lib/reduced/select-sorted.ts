/**
 * Some sensors and kinds of a table that comes in batches, as `selectTable` gives of one in memory.
 *
 * Tested in `test/lib/pages/sliced-run.test.ts`.
 */
import { allTexts, toTexts } from "../columns/dictionary.ts";
import { recodeInPlace } from "../columns/pick-texts.ts";
import { type KindTable, takeRows } from "./reduced-table.ts";
import type { TableSelection } from "./select-table.ts";
import type { SortedTable, StoredRows } from "./sorted-table.ts";

/** @returns The table itself where all is wanted. */
export function selectSorted(table: SortedTable | StoredRows, { sensors, kinds }: TableSelection): SortedTable | StoredRows {
  if (sensors === undefined && kinds === undefined) return table;
  const wanted = kinds && new Set([...kinds, "event"]);
  const names = allTexts(table.textsOf("sensor"));
  const kept = sensors === undefined ? names : names.filter(name => sensors.includes(name));
  const codes = sensors && Int32Array.from(names, name => kept.indexOf(name));
  const selected: SortedTable = {
    name: table.name,
    info: sensors === undefined ? table.info : { ...table.info, parameters: { ...table.info.parameters, sensors: [...sensors].sort() } },
    textsOf: name => (name === "sensor" ? toTexts(kept) : table.textsOf(name)),
    isEmpty: () => table.isEmpty(),
    *batches(kind, memory) {
      if (wanted?.has(kind) === false) return;
      for (const batch of table.batches(kind, memory)) yield codes === undefined ? batch : { ...batch, table: pickSensors(batch.table, codes) };
    },
    close: () => table.close(),
  };
  if (!("lazyBatches" in table)) return selected;
  return {
    ...selected,
    allRows: table.allRows,
    *lazyBatches(kind, firstDay) {
      if (wanted?.has(kind) === false) return;
      for (const batch of table.lazyBatches(kind, firstDay)) yield codes === undefined ? batch : { ...pickSensors(batch, codes), sets: batch.sets };
    },
  };
}

/** @param codes By code of a sensor the one it has from now on, -1 = it is left out. */
function pickSensors(rows: KindTable, codes: Int32Array): KindTable {
  const { sensor } = rows;
  const places = Int32Array.from({ length: rows.rows }, (_, row) => row).filter(row => sensor[row]! >= 0 && codes[sensor[row]!]! >= 0);
  const taken = takeRows(rows, places);
  recodeInPlace(taken.sensor, codes);
  return taken;
}
