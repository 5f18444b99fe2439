/**
 * The history of a table that is dealt out by keys, in two rounds: each slice first tells of its frequent keys, which are those
 * of the table and some more, how much they vary; once that is known of all, what happened to those that the table looks at.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { addressesOf } from "../reduced/addresses.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { joinPicked, pickTable } from "../reduced/table-slices.ts";
import type { Coverage } from "../statistics/coverage.ts";
import { compareFirst, type FirstPlace, placeOfRow } from "../statistics/first-places.ts";
import type { SliceName, StatisticsSlices } from "../statistics/slice-rules.ts";
import { bestOf, type Candidate, candidatesOf, measureSeries, type Watches } from "./candidates.ts";
import { buildSeries, type DaySeries, hasValue, leadingSeries } from "./day-series.ts";
import { type Episode, tellEpisodes } from "./episodes.ts";
import { FAMILIES, type Family, FAMILY_NAMES, type FamilySpec } from "./families.ts";
import { watchesOf } from "./history-source.ts";
import { KEYS_MOST } from "./key-leaders.ts";
import { measureNoise, type Noise, usualCorrelation } from "./noise.ts";
import { withPeaks } from "./peak-episodes.ts";
import { findPeaks, leadersOfTable, type PeakLeader } from "./peaks.ts";
import { daysOfIds, findWatchChanges } from "./watch-changes.ts";

/** Where the rows of a family stand; of events, which are few, all are told (`sliceEvents`). */
export const FAMILY_SLICES: Readonly<Record<Exclude<Family, "event">, SliceName>> = {
  credential: "keys",
  command: "masked",
  file: "few",
  upload: "few",
  target: "destination",
  user: "address",
  address: "address",
  network: "network",
  username: "username",
  password: "password",
  client: "keys",
  hassh: "keys",
};
type SlicedFamily = keyof typeof FAMILY_SLICES;
const SLICED = FAMILY_NAMES.filter(family => family !== "event");

/** A frequent key, as its slice knows it. */
interface Leader {
  readonly values: DaySeries["values"];
  readonly first: FirstPlace;
  readonly total: number;
  /** On one day. */
  readonly most: number;
  /** Of one without any value nothing is told. */
  readonly noise?: Noise;
}

/** What one slice leaves in the first round. */
export type MeasuredHistory = Readonly<Partial<Record<SlicedFamily, readonly Leader[]>>>;

/** The keys of all slices that are looked at, in their order, and what is usual. */
export type ChosenLeaders = Readonly<Record<SlicedFamily, { readonly places: ReadonlyMap<string, number>; readonly leaders: readonly Leader[]; readonly usual: number }>>;

/** What happened to a key; `place` is that of the key among all of its family. */
export type PlacedCandidate = Candidate & { readonly place: number };

/** What one slice leaves in the second round. */
export type SliceHistory = Readonly<Partial<Record<SlicedFamily, readonly PlacedCandidate[]>>>;

/** The families that stand in a slice, of the kinds that are there. */
export function familiesIn(name: SliceName, kinds: readonly string[]): SlicedFamily[] {
  return SLICED.filter(family => FAMILY_SLICES[family] === name && kinds.includes(FAMILIES[family].kind));
}

/** @param table All rows of the family's kind in this slice. */
export function measureFamily(table: ReducedTable, family: SlicedFamily, { watch }: Watches): Leader[] {
  const { kind } = FAMILIES[family];
  const { day, count } = table.kinds[kind];
  return leadingSeries(table, watch, addressesOf(table, kind), family).map(series => {
    const { values, rows, counts } = series;
    let [total, most, today] = [0, 0, 0];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      today = (i > 0 && day[row] === day[rows[i - 1]!] ? today : 0) + count[row]!;
      total += count[row]!;
      if (today > most) most = today;
    }
    const first = placeOfRow(table.kinds[kind], table, rows[0]!);
    return { values, first, total, most, ...(hasValue(series) && { noise: measureNoise(counts, watch.exposure) }) };
  });
}

/** The keys that a table looks at are among those of its slices. */
export function chooseLeaders(parts: readonly MeasuredHistory[]): ChosenLeaders {
  const chosen = SLICED.map(family => {
    const all = parts.flatMap(part => part[family] ?? []);
    const leaders = (of: (leader: Leader) => number) => all.toSorted((a, b) => of(b) - of(a) || compareFirst(a.first, b.first)).slice(0, KEYS_MOST);
    const own = [...new Set([...leaders(({ total }) => total), ...leaders(({ most }) => most)])].filter(({ noise }) => noise !== undefined);
    const places = new Map(own.map(({ values }, place) => [JSON.stringify(values), place]));
    return [family, { places, leaders: own, usual: usualCorrelation(own.map(({ noise }) => noise!)) }] as const;
  });
  return Object.fromEntries(chosen) as unknown as ChosenLeaders;
}

/** What happened to the keys of one slice that are looked at. */
export function findInSlice(slices: StatisticsSlices, family: SlicedFamily, chosen: ChosenLeaders, watches: Watches): PlacedCandidate[] {
  const { places, leaders, usual } = chosen[family];
  const { kind }: FamilySpec = FAMILIES[family];
  const name = FAMILY_SLICES[family];
  const hashes = name === "few" ? undefined : new Set(leaders.flatMap(({ values }) => madeOf(family, values).map(made => slices.hashOf(name, kind, made))));
  const table = slices.read(name, { kinds: [kind], withoutTimes: true, ...(hashes && { hashes }) });
  const known = addressesOf(table, kind);
  const series = buildSeries(table, watches.watch, known, family);
  const placed = series.flatMap(one => {
    const place = places.get(JSON.stringify(one.values));
    return place === undefined ? [] : [{ one, place }];
  });
  placed.sort((a, b) => a.place - b.place);
  const measured = measureSeries(placed.map(({ one }) => one), watches.watch);
  return candidatesOf(table, watches, known, family, measured, usual).map(one => ({ ...one, place: places.get(JSON.stringify(one.series.values))! }));
}

/** What rows of a key may have in the columns that deal them out. */
function madeOf(family: SlicedFamily, values: DaySeries["values"]): (DaySeries["values"])[] {
  switch (family) {
    case "client":
      return [[values[0]!, null]];
    case "hassh":
      return [[null, values[0]!]];
    case "network":
      // What is in no network is one by itself.
      return [values, [null]];
    default:
      return [values];
  }
}

/** All events, by their days: few ids are rare. */
export function sliceEvents(table: ReducedTable): ReducedTable {
  const own = table.kinds.event;
  const nothing = new Float64Array(own.rows);
  const keys = { ...own.keys, hour: new Int32Array(own.rows).fill(-1) };
  const brought = { ...own, keys, success: nothing, firstSeenUs: nothing, lastSeenUs: nothing };
  return pickTable({ ...table, kinds: { ...table.kinds, event: brought } }, "event", Int32Array.from(own.day.keys()));
}

/** Addresses that made more than half of a peak, of which the table itself knows: no two slices have one of the same. */
export function sliceLeaders(table: ReducedTable, cells: CellSums): PeakLeader[] {
  return leadersOfTable(table, findPeaks(cells.table));
}

/** The events of all slices, by their days. */
export function joinEvents({ table }: CellSums, parts: readonly ReducedTable[]): ReducedTable {
  return joinPicked(parts, "event", table.info, table.dictionaries.sensor);
}

/**
 * @param cells The sums of the whole table.
 * @param events See {@link joinEvents}.
 */
export function joinHistory(
  cells: CellSums,
  events: ReducedTable,
  parts: readonly { readonly found: SliceHistory; readonly leaders: readonly PeakLeader[] }[],
  coverage: Coverage,
): Episode[] {
  const { table } = cells;
  const watches = watchesOf(cells, coverage);
  const candidates = FAMILY_NAMES.flatMap(family => {
    if (family === "event") return candidatesOfEvents(events, watches);
    // In the order in which one table would have found them: by key, then as its slice had them.
    const found = parts.flatMap(part => part.found[family] ?? []).sort((a, b) => b.span.gain - a.span.gain || a.place - b.place);
    return bestOf(found);
  });
  const changes = findWatchChanges(daysOfIds([events.kinds.event], events.dictionaries), coverage);
  const peaks = findPeaks(table);
  const leaders = parts.flatMap(part => part.leaders).sort((a, b) => peakOf(peaks.days, a) - peakOf(peaks.days, b));
  return withPeaks(tellEpisodes({ changes, watch: watches.watch, candidates, totals: table }, { coverage }), leaders, peaks);
}

function candidatesOfEvents(events: ReducedTable, watches: Watches): Candidate[] {
  const known = addressesOf(events, "event");
  if (events.kinds.event.rows === 0) return [];
  const measured = measureSeries(buildSeries(events, watches.watch, known, "event"), watches.watch);
  return candidatesOf(events, watches, known, "event", measured, usualCorrelation(measured.map(({ noise }) => noise)));
}

function peakOf(days: ReturnType<typeof findPeaks>["days"], { activity, day }: PeakLeader): number {
  return days.findIndex(peak => peak.activity === activity && peak.day === day);
}
