/**
 * The history of a table that is dealt out by keys: each slice leaves the rows of its frequent keys, which are those of the
 * table and some more.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import type { CellSums } from "../reduced/cell-sums.ts";
import type { KeyColumn, Kind } from "../reduced/kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { joinPicked, pickTable } from "../reduced/table-slices.ts";
import type { Coverage } from "../statistics/coverage.ts";
import type { SliceName } from "../statistics/slice-rules.ts";
import type { StatisticsSlices } from "../statistics/slice-work.ts";
import { leadingRows } from "./day-series.ts";
import { type Episode, findEpisodesIn } from "./episodes.ts";
import { FAMILIES, type Family, FAMILY_NAMES, type FamilySpec } from "./families.ts";
import { withPeaks } from "./peak-episodes.ts";
import { findPeaks, isLeader, leadersOfTable } from "./peaks.ts";

const OF_FAMILY: Readonly<Record<Family, SliceName>> = {
  credential: "keys",
  command: "masked",
  file: "few",
  upload: "few",
  target: "destination",
  user: "network",
  address: "network",
  network: "network",
  username: "username",
  password: "password",
  client: "keys",
  hassh: "keys",
  event: "keys",
};

/** What one slice leaves: tables that have rows of one kind. */
export interface SliceHistory {
  readonly families: Readonly<Record<Family, ReducedTable>>;
  /** Proxy requests of addresses that made more than half of a peak. */
  readonly leaders: ReducedTable;
}

export function sliceHistory({ tables, cells }: StatisticsSlices): SliceHistory {
  const families = FAMILY_NAMES.map(family => {
    const table = tables[OF_FAMILY[family]];
    const { kind } = FAMILIES[family];
    // Of events all is told: few ids are rare.
    const rows = family === "event" ? Int32Array.from(table.kinds.event.day.keys()) : leadingRows(table, family);
    return [family, pickTable(asFamily(table, family), kind, rows)] as const;
  });
  return { families: Object.fromEntries(families) as Record<Family, ReducedTable>, leaders: peakRows(tables.network, cells) };
}

/** Without what a family does not look at: columns of the key, where rows keep their order, so that several are one. */
function asFamily(table: ReducedTable, family: Family): ReducedTable {
  const { kind, columns }: FamilySpec = FAMILIES[family];
  const own = table.kinds[kind];
  const names = Object.keys(own.keys) as KeyColumn[];
  const last = names.findLastIndex(name => columns.includes(name));
  const keys = names.map((name, i) => [name, i > last ? new Int32Array(own.rows).fill(-1) : own.keys[name]!] as const);
  const nothing = new Float64Array(own.rows);
  return { ...table, kinds: { ...table.kinds, [kind]: { ...own, keys: Object.fromEntries(keys), success: nothing, firstSeenUs: nothing, lastSeenUs: nothing } } };
}

function peakRows(table: ReducedTable, cells: CellSums): ReducedTable {
  const { rows, day, count, keys } = table.kinds.proxy_request;
  const totals = new Map(findPeaks(cells.table).days.filter(({ activity }) => activity === "proxy requests").map(peak => [peak.day, peak.total]));
  const counts = new Map<string, number>();
  const nameOf = (row: number) => `${day[row]} ${keys.src_ip![row]}`;
  for (let row = 0; row < rows; row++) if (totals.has(day[row]!)) counts.set(nameOf(row), (counts.get(nameOf(row)) ?? 0) + count[row]!);
  const wanted = Int32Array.from(day.keys()).filter(row => totals.has(day[row]!) && isLeader(counts.get(nameOf(row))!, totals.get(day[row]!)!));
  return pickTable(table, "proxy_request", wanted);
}

/** The events of all slices, by their days. */
export function joinEvents({ table }: CellSums, parts: readonly SliceHistory[]): ReducedTable {
  return joinPicked(parts.map(({ families }) => families.event), "event", table.info, table.dictionaries.sensor);
}

/** @param cells The sums of the whole table. */
export function joinHistory(cells: CellSums, parts: readonly SliceHistory[], coverage: Coverage): Episode[] {
  const { table, rows } = cells;
  const sensors = table.dictionaries.sensor;
  const join = (of: (part: SliceHistory) => ReducedTable, kind: Kind) => joinPicked(parts.map(of), kind, table.info, sensors);
  const events = joinEvents(cells, parts);
  const connects = new Float64Array(sensors.length);
  const { connect } = table.kinds;
  for (let row = 0; row < connect.rows; row++) connects[connect.sensor[row]!]! += rows.connect[row]!;
  const source = {
    dictionaries: events.dictionaries,
    events: [events.kinds.event],
    connects,
    totals: table,
    tableOf: (family: Family) => (family === "event" ? events : join(({ families }) => families[family], FAMILIES[family].kind)),
  };
  const peaks = findPeaks(table);
  const leaders = leadersOfTable(join(part => part.leaders, "proxy_request"), peaks);
  return withPeaks(findEpisodesIn(source, { coverage }), leaders, peaks);
}
