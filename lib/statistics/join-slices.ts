/**
 * From what slices of a table left to the statistics of the table: the same, to the last digit, as those of all its rows in one
 * place. Nothing here grows with the rows.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import type { CellSums } from "../reduced/cell-sums.ts";
import type { ChangeRow } from "./change.ts";
import type { Comparisons, KindComparisons } from "./comparisons.ts";
import { compareFirst } from "./first-places.ts";
import { comparedNames, joinSeries } from "./join-samples.ts";
import { type JudgedKind, judgeComparisons } from "./judgement.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { TypeNovelty } from "./novelty.ts";
import { describeSpread, type KindStandOuts } from "./sensor-compare.ts";
import type { ComparedPart, Listed, MeasuredKind, MeasuredValues, Ordered } from "./slice-work.ts";
import { type JoinedLedger, type Statistics, toStatistics } from "./statistics.ts";
import type { PartContext } from "./statistics-parts.ts";
import { TREND_KEYS, TREND_SENSOR_KEYS, type TrendRow } from "./trend.ts";

/**
 * The statistics of a table.
 *
 * @param cells The sums of all its rows.
 * @param listed What every slice left of the first round, and `compared` of the second, in any order; that of distinct values
 *   (`compareDistinct`) in one of them.
 */
export function joinSlices({ table }: CellSums, context: PartContext, listed: readonly Listed[], compared: readonly (readonly ComparedPart[])[]): Statistics {
  const { changes, tests } = judge(compared, context);
  const [first] = listed as [Listed];
  return toStatistics(table, context, {
    ledgers: first.values.map((_, type) => joinValues(listed.map(({ values }) => values[type]!), context)),
    standOuts: first.kinds.map((_, i) => joinStandOuts(listed.map(({ kinds }) => kinds[i]!.standOuts))),
    trends: first.kinds.flatMap((_, i) => joinTrends(listed.map(({ kinds }) => kinds[i]!), context)),
    changes,
    tests,
  });
}

/** What passes over all slices together. */
function judge(parts: readonly (readonly ComparedPart[])[], context: PartContext): { changes: ChangeRow[]; tests: Statistics["tests"] } {
  const { coverage, windows, settings } = context;
  const names = comparedNames(context);
  // Events by kind, distinct values, sources.
  names.splice(names.filter(({ unit }) => unit === "events").length, 0, { kind: "distinct", unit: "events" });
  const all = names.map(name => {
    const own = parts.flatMap(part => part.filter(({ kind, unit }) => kind === name.kind && unit === name.unit));
    return { ...name, compared: joinComparisons(own), rows: own.flatMap(({ rows }) => rows) };
  });
  const judgement = judgeComparisons(all, coverage, windows, settings);
  const changes = all.flatMap(({ rows }, at) => settleRows(rows, judgement.kinds[at]!, settings.rows === "all"));
  return { changes, tests: judgement.tests };
}

/** Keys of several slices have numbers of their own, one slice's behind another's. */
export function joinComparisons(parts: readonly Pick<ComparedPart, "keys" | "comparisons">[]): KindComparisons {
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

export function joinStandOuts(parts: readonly KindStandOuts[]): KindStandOuts {
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

export function joinValues<Value>(parts: readonly MeasuredValues<Value>[], { coverage, settings }: PartContext): JoinedLedger<Value> {
  const [first] = parts as [MeasuredValues<Value>];
  const list = <E extends LedgerEntry<Value>>(of: (part: MeasuredValues<Value>) => readonly Ordered<E>[]) => joinEntries(parts.flatMap(of), settings.listLimit);
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
function joinEntries<E extends LedgerEntry<unknown>>(entries: readonly Ordered<E>[], limit: number): E[] {
  const sorted = entries.toSorted((a, b) => b.count - a.count || a.firstSeenUs - b.firstSeenUs || compareFirst(a.order, b.order));
  return (limit === 0 ? sorted : sorted.slice(0, limit)).map(({ order: _, ...entry }) => entry as unknown as E);
}
