/**
 * From what slices of a table left to the statistics of the table: the same, to the last digit, as those of all its rows in one
 * place. Nothing here grows with the rows.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { compareText } from "../text/text.ts";
import type { CellSums } from "../reduced/cell-sums.ts";
import { type ChangeRow, describeChanges } from "./change.ts";
import { compareKeys, type Comparisons, type KindComparisons, measureDispersions } from "./comparisons.ts";
import { type DispersionSamples, learnOwn, learnPooled, sampleSizes, type UsualDispersions } from "./dispersion.ts";
import type { DistinctSeries } from "./distinct.ts";
import { type JudgedKind, judgeComparisons } from "./judgement.ts";
import { type ChangeKind, MARKED_KEYS, type Unit } from "./keyed-rows.ts";
import type { LedgerEntry } from "./ledger.ts";
import { GRID } from "./mixture.ts";
import type { TypeNovelty } from "./novelty.ts";
import { describeSpread, type KindStandOuts } from "./sensor-compare.ts";
import type { StatisticsOptions } from "./settings.ts";
import type { MeasuredKeys, MeasuredKind, MeasuredValues, Measures, Ordered, SliceComparisons } from "./slice-work.ts";
import {
  ceilingOf,
  type ComparedRows,
  type FirstPlace,
  type NamedLedger,
  planContext,
  type Statistics,
  toComparedDistinct,
  toStatistics,
  unitsOf,
} from "./statistics.ts";
import type { PartContext } from "./statistics-parts.ts";
import { TREND_KEYS, TREND_SENSOR_KEYS, type TrendRow } from "./trend.ts";

/** What is known of all keys after the first round. */
export interface JoinedMeasures {
  /** Of kinds, then of sources. */
  readonly samples: readonly DispersionSamples[];
  readonly compared: readonly { readonly kind: ChangeKind; readonly unit: Unit }[];
  readonly kinds: number;
  /** Numbers of distinct values, with how much they vary. */
  readonly distinct: ComparedRows;
  readonly ofDistinct: DispersionSamples;
  readonly series: readonly DistinctSeries[];
}

export function joinMeasures(parts: readonly Measures[], context: PartContext): JoinedMeasures {
  const [first] = parts as [Measures];
  const series = first.values.flatMap((_, type) => joinSeries(parts.map(({ values }) => values[type]!.distinct)));
  const distinct = toComparedDistinct(series, context.coverage);
  const join = (of: (part: Measures) => readonly MeasuredKeys[]) => of(first).map((_, i) => joinSamples(parts.map(part => of(part)[i]!), context));
  return {
    samples: [...join(({ kinds }) => kinds), ...join(({ sources }) => sources)],
    compared: [...first.kinds, ...first.sources].map(({ kind, unit }) => ({ kind, unit })),
    kinds: first.kinds.length,
    distinct,
    ofDistinct: measureDispersions(distinct.rows, context.coverage, context.windows),
    series,
  };
}

/** What is usual over all kinds, of events and of sources. */
export function learnOf({ samples, kinds, ofDistinct }: JoinedMeasures): Map<Unit, UsualDispersions> {
  return new Map([
    ["events", learnPooled([...samples.slice(0, kinds), ofDistinct])],
    ["sources", learnPooled(samples.slice(kinds))],
  ]);
}

/**
 * The sample that would have been drawn of all keys in one place: the smallest marks of all are among the smallest of each.
 */
function joinSamples(parts: readonly MeasuredKeys[], { coverage, windows }: PartContext): DispersionSamples {
  const isMarked = parts.reduce((sum, { keys }) => sum + keys, 0) > MARKED_KEYS;
  const sampled = parts.flatMap(({ sampled }, part) => sampled.map((one, place) => ({ ...one, part, place })));
  sampled.sort((a, b) => (isMarked ? a.mark - b.mark : 0) || compareFirst(a.first, b.first));
  const rankOf = parts.map(part => new Int32Array(part.sampled.length));
  sampled.forEach(({ part, place }, rank) => (rankOf[part]![place] = rank));
  const byGroup = new Map<number, { readonly rank: number; readonly from: Float32Array; readonly at: number }[]>();
  parts.forEach(({ samples: { group, offsets, likelihoods, key } }, part) => {
    for (let i = 0; i < group.length; i++) {
      const list = byGroup.get(group[i]!) ?? [];
      byGroup.set(group[i]!, list);
      for (let at = offsets[i]!; at < offsets[i + 1]!; at++) list.push({ rank: rankOf[part]![key[at]!]!, from: likelihoods, at });
    }
  });
  const enough = sampleSizes(coverage.sensors.length);
  const groups = [...byGroup].sort(([a], [b]) => a - b).map(([group, list]) => {
    list.sort((a, b) => a.rank - b.rank);
    const most = group < windows.slots ? enough.fleet : enough.sensor;
    const taken = isMarked ? list.slice(0, most) : list;
    const share = (sampled[taken.at(-1)!.rank]!.mark + 1) / 2 ** 32;
    // As `SampleList` has it: so many of so small a share.
    return { group, taken, keys: isMarked && taken.length === most && share < 1 ? taken.length / share : taken.length };
  });
  const offsets = new Int32Array(groups.length + 1);
  groups.forEach(({ taken }, i) => (offsets[i + 1] = offsets[i]! + taken.length));
  const likelihoods = new Float32Array(offsets[groups.length]! * GRID);
  groups.flatMap(({ taken }) => taken).forEach(({ from, at }, i) => likelihoods.set(from.subarray(at * GRID, (at + 1) * GRID), i * GRID));
  return {
    group: Int32Array.from(groups, ({ group }) => group),
    keys: Float64Array.from(groups, ({ keys }) => keys),
    offsets,
    likelihoods,
    key: Int32Array.from(groups.flatMap(({ taken }) => taken), ({ rank }) => rank),
  };
}

/** The order of rows in a table: by day, sensor and key, no value first. */
function compareFirst(a: FirstPlace, b: FirstPlace): number {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (x === y) continue;
    if (x === null || y === null) return x === null ? -1 : 1;
    return typeof x === "number" ? x - Number(y) : compareText(x, String(y));
  }
  return 0;
}

/** Values of a type are in one slice each, so their numbers add up. */
function joinSeries(parts: readonly (readonly DistinctSeries[])[]): DistinctSeries[] {
  const [first] = parts as [readonly DistinctSeries[]];
  const sum = (lists: readonly (readonly number[])[]) => lists[0]!.map((_, i) => lists.reduce((all, list) => all + list[i]!, 0));
  return first.map(({ name, sensor }, i) => ({
    name,
    sensor,
    perDay: sum(parts.map(part => part[i]!.perDay)),
    newPerDay: sum(parts.map(part => part[i]!.newPerDay)),
    total: parts.reduce((all, part) => all + part[i]!.total, 0),
  }));
}

/**
 * The statistics of a table.
 *
 * @param cells The sums of all its rows.
 * @param measured The first round of every slice, and `compared` the second, in any order.
 */
export function joinSlices(cells: CellSums, options: StatisticsOptions, measured: readonly Measures[], compared: readonly SliceComparisons[]): Statistics {
  const context = planContext(cells.table, options);
  const joined = joinMeasures(measured, context);
  const { changes, tests } = judge(joined, compared, context);
  const [first] = measured as [Measures];
  const found = first.kinds.map((_, i) => joinStandOuts(measured.map(({ kinds }) => kinds[i]!.standOuts)));
  return toStatistics(cells.table, context, {
    ledgers: first.values.map((_, type) => joinValues(measured.map(({ values }) => values[type]!), context)),
    standOuts: found,
    trends: first.kinds.flatMap((_, i) => joinTrends(measured.map(({ kinds }) => kinds[i]!), context)),
    changes,
    tests,
  });
}

/** What passes over all slices together. */
function judge(joined: JoinedMeasures, parts: readonly SliceComparisons[], context: PartContext): { changes: ChangeRow[]; tests: Statistics["tests"] } {
  const { coverage, windows, settings } = context;
  const [first] = parts as [SliceComparisons];
  const { rows: distinct } = joined.distinct;
  const pooled = learnOf(joined).get("events")!;
  const ceiling = ceilingOf(context, unitsOf(joined.compared.map(({ unit }) => ({ rows: { unit } }))).length);
  const ofDistinct = compareKeys(distinct, coverage, windows, { own: learnOwn(joined.ofDistinct, pooled), pooled }, ceiling);
  const kinds: { kind: ChangeKind; unit: Unit; compared: KindComparisons; rows: readonly ChangeRow[] }[] = first.compared.map((_, i) => {
    const own = parts.map(({ compared }) => compared[i]!);
    return { ...joined.compared[i]!, compared: joinComparisons(own), rows: own.flatMap(({ rows }) => rows) };
  });
  kinds.splice(joined.kinds, 0, { kind: "distinct", unit: "events", compared: ofDistinct, rows: [] });
  const judgement = judgeComparisons(kinds, coverage, windows, settings);
  const changes = kinds.flatMap(({ kind, rows }, at) => {
    const judged = judgement.kinds[at]!;
    if (kind !== "distinct") return settleRows(rows, judged, settings.rows === "all");
    const own = describeChanges(distinct, ofDistinct.kept, judged, coverage, windows, settings);
    return own.map(row => ({ ...row, key: joined.distinct.nameOf(row.key) }));
  });
  return { changes, tests: judgement.tests };
}

/** Keys of several slices have numbers of their own, one slice's behind another's. */
function joinComparisons(parts: SliceComparisons["compared"]): KindComparisons {
  const kept = parts.map(({ comparisons }) => comparisons.kept);
  const starts = parts.map((_, part) => parts.slice(0, part).reduce((sum, { keys }) => sum + keys, 0));
  const names = Object.keys(kept[0]!).filter(name => name !== "length") as (keyof Omit<Comparisons, "length">)[];
  const columns = names.map(name => {
    const values = kept.flatMap((own, part) => Array.from(own[name], value => (name === "key" ? value + starts[part]! : value)));
    return [name, Float64Array.from(values)] as const;
  });
  const sum = (of: (comparisons: KindComparisons) => number) => parts.reduce((all, { comparisons }) => all + of(comparisons), 0);
  return {
    kept: { length: sum(({ kept: { length } }) => length), ...Object.fromEntries(columns) } as Comparisons,
    tests: sum(({ tests }) => tests),
    periodView: sum(({ periodView }) => periodView),
    fleetScope: sum(({ fleetScope }) => fleetScope),
    withoutSupport: sum(({ withoutSupport }) => withoutSupport),
  };
}

/** Rows that were told as if they were reported, as they turned out. */
function settleRows(rows: readonly ChangeRow[], { q, reported }: JudgedKind, withOthers: boolean): ChangeRow[] {
  return rows.flatMap((row, i) => {
    if (reported[i] === 1) return [{ ...row, q: q[i]! }];
    if (!withOthers) return [];
    const isClaim = row.category === "new" || row.category === "new here" || row.category === "returning";
    return [{ ...row, q: q[i]!, reported: false, category: isClaim ? row.category : "steady" }];
  });
}

function joinStandOuts(parts: readonly KindStandOuts[]): KindStandOuts {
  const starts = parts.map((_, part) => parts.slice(0, part).reduce((sum, { ps }) => sum + ps.length, 0));
  return {
    tests: parts.reduce((sum, { tests }) => sum + tests, 0),
    ps: Float64Array.from(parts.flatMap(({ ps }) => [...ps])),
    found: parts.flatMap(({ found }, part) => found.map(row => ({ ...row, at: row.at + starts[part]! }))),
  };
}

/** The most frequent keys of all slices are among those of each. */
function joinTrends(parts: readonly MeasuredKind[], { coverage }: PartContext): TrendRow[] {
  const leaders = parts.flatMap(({ leaders }) => leaders).sort((a, b) => b.total - a.total || compareFirst(a.first, b.first));
  return leaders.slice(0, TREND_KEYS).flatMap(({ trends }, slot) => {
    return trends.filter(({ sensor }) => sensor === null || slot < TREND_SENSOR_KEYS || coverage.sensors.length === 1);
  });
}

function joinValues(parts: readonly MeasuredValues[], { coverage, settings }: PartContext): NamedLedger {
  const [first] = parts as [MeasuredValues];
  const list = <E extends LedgerEntry>(of: (part: MeasuredValues) => readonly Ordered<E>[]) => joinEntries(parts.flatMap(of), settings.listLimit);
  const sums = Object.entries(first.total).map(([name, value]) => {
    return [name, typeof value === "string" ? value : parts.reduce((sum, { total }) => sum + (total[name as keyof typeof total] as number), 0)];
  });
  const n = coverage.sensors.length;
  const shared = addUp(parts.map(part => part.shared));
  const spread = {
    type: first.spread.type,
    sensorsSeen: [...addUp(parts.map(part => part.spread.sensorsSeen))],
    sizes: addUp(parts.map(part => part.spread.sizes)),
    only: addUp(parts.map(part => part.spread.only)),
    first: addUp(parts.map(part => part.spread.first)),
  };
  return {
    novelty: {
      total: Object.fromEntries(sums) as TypeNovelty["total"],
      new: list(part => part.new),
      newHere: list(part => part.newHere),
      returning: list(part => part.returning),
      gone: list(part => part.gone),
    },
    distinct: joinSeries(parts.map(({ distinct }) => distinct)),
    spread: describeSpread(spread, coverage.sensors, compared => Float64Array.from(compared.flatMap(a => compared.map(b => shared[a * n + b]!)))),
    onlyHere: list(part => part.onlyHere),
  };
}

function addUp(lists: readonly ArrayLike<number>[]): Float64Array<ArrayBuffer> {
  const sums = new Float64Array(lists[0]!.length);
  for (const list of lists) for (let i = 0; i < sums.length; i++) sums[i]! += list[i]!;
  return sums;
}

/** As `mostFrequent` has them. */
function joinEntries<E extends LedgerEntry>(entries: readonly Ordered<E>[], limit: number): E[] {
  const sorted = entries.toSorted((a, b) => b.count - a.count || a.firstSeenUs - b.firstSeenUs || compareFirst(a.order, b.order));
  return (limit === 0 ? sorted : sorted.slice(0, limit)).map(({ order: _, ...entry }) => entry as unknown as E);
}
