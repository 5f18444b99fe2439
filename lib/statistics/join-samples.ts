/**
 * How much keys vary, put together of what slices of a table measured: the very samples that would have been drawn of all keys
 * in one place.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { COMPARED_KINDS } from "../reduced/kinds.ts";
import { measureDispersions } from "./comparisons.ts";
import { type DispersionSamples, learnPooled, sampleSizes, type UsualDispersions } from "./dispersion.ts";
import type { DistinctSeries } from "./distinct.ts";
import { compareFirst } from "./first-places.ts";
import { type ChangeKind, MARKED_KEYS, type Unit } from "./keyed-rows.ts";
import { GRID } from "./mixture.ts";
import type { MeasuredKeys, MeasuredSamples } from "./slice-work.ts";
import { familiesOf, SOURCE_KINDS } from "./source-counts.ts";
import { toComparedDistinct } from "./statistics.ts";
import type { PartContext } from "./statistics-parts.ts";

/** What is compared, by name. */
export interface ComparedName {
  readonly kind: ChangeKind;
  readonly unit: Unit;
}

/** What is known of all keys after the first round. */
export interface JoinedSamples {
  /** In step with `names`. */
  readonly samples: readonly DispersionSamples[];
  readonly names: readonly ComparedName[];
  /** How much the numbers of distinct values vary. */
  readonly ofDistinct: DispersionSamples;
  readonly series: readonly DistinctSeries[];
}

/** What slices compare, in the order of one table: events by kind, then sources. */
export function comparedNames({ settings, sourceWindows }: PartContext): ComparedName[] {
  const kinds = COMPARED_KINDS.filter(kind => settings.kinds.includes(kind));
  const sources = sourceWindows === undefined ? [] : [...SOURCE_KINDS.filter(kind => settings.kinds.includes(kind)), ...familiesOf(settings.kinds)];
  return [...kinds.map(kind => ({ kind, unit: "events" }) as const), ...sources.map(kind => ({ kind, unit: "sources" }) as const)];
}

/** @param parts The first round of every slice. */
export function joinSamples(parts: readonly MeasuredSamples[], context: PartContext): JoinedSamples {
  const names = comparedNames(context);
  const series = parts[0]!.distinct.flatMap((_, type) => joinSeries(parts.map(({ distinct }) => distinct[type]!)));
  const samples = names.map(({ kind, unit }) => joinKeys(parts.map(({ compared }) => compared.find(one => one.kind === kind && one.unit === unit)!), context));
  return { names, samples, series, ofDistinct: measureDispersions(toComparedDistinct(series, context.coverage).rows, context.coverage, context.windows) };
}

/** What is usual over all kinds, of events and of sources. */
export function learnOf({ samples, names, ofDistinct }: Omit<JoinedSamples, "series">): Map<Unit, UsualDispersions> {
  const of = (unit: Unit) => samples.filter((_, i) => names[i]!.unit === unit);
  return new Map([
    ["events", learnPooled([...of("events"), ofDistinct])],
    ["sources", learnPooled(of("sources"))],
  ]);
}

/**
 * The sample that would have been drawn of all keys in one place: the smallest marks of all are among the smallest of each.
 */
export function joinKeys(parts: readonly MeasuredKeys[], { coverage, windows }: PartContext): DispersionSamples {
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

/**
 * Samples of some slices without what {@link joinKeys} chooses of no more slices than these: of each group the keys with the smallest
 * marks are enough, and those that have the mark of the last.
 *
 * @param parts `samples.key` leads to `marks`; `keys` is how many the slice has.
 */
export function pruneSamples(parts: readonly { readonly keys: number; readonly samples: DispersionSamples; readonly marks: Uint32Array }[], { coverage, windows }: PartContext): DispersionSamples[] {
  if (parts.reduce((sum, { keys }) => sum + keys, 0) <= MARKED_KEYS) return parts.map(({ samples }) => samples);
  const enough = sampleSizes(coverage.sensors.length);
  const marksOf = new Map<number, number[]>();
  for (const { samples: { group, offsets, key }, marks } of parts) {
    for (let i = 0; i < group.length; i++) {
      const own = marksOf.get(group[i]!) ?? [];
      marksOf.set(group[i]!, own);
      for (let at = offsets[i]!; at < offsets[i + 1]!; at++) own.push(marks[key[at]!]!);
    }
  }
  const largest = new Map(
    Array.from(marksOf, ([group, own]) => {
      const most = group < windows.slots ? enough.fleet : enough.sensor;
      return [group, own.length <= most ? Infinity : Uint32Array.from(own).sort()[most - 1]!];
    }),
  );
  return parts.map(({ samples, marks }) => pickSamples(samples, (group, key) => marks[key]! <= largest.get(group)!));
}

function pickSamples({ group, keys, offsets, likelihoods, key }: DispersionSamples, isWanted: (group: number, key: number) => boolean): DispersionSamples {
  const kept: number[] = [];
  const starts = new Int32Array(offsets.length);
  for (let i = 0; i < group.length; i++) {
    for (let at = offsets[i]!; at < offsets[i + 1]!; at++) if (isWanted(group[i]!, key[at]!)) kept.push(at);
    starts[i + 1] = kept.length;
  }
  if (kept.length === key.length) return { group, keys, offsets, likelihoods, key };
  const picked = new Float32Array(kept.length * GRID);
  kept.forEach((at, i) => picked.set(likelihoods.subarray(at * GRID, (at + 1) * GRID), i * GRID));
  return { group, keys, offsets: starts, likelihoods: picked, key: Int32Array.from(kept, at => key[at]!) };
}

/** Values of a type are in one slice each, so their numbers add up. */
export function joinSeries(parts: readonly (readonly DistinctSeries[])[]): DistinctSeries[] {
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
