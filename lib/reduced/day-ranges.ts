/**
 * Which days of its logs a table counts: parts of one log by days are no overlap.
 *
 * Tested in `test/lib/reduced/combine.test.ts`.
 */
import type { ReductionParameters } from "../events/scope.ts";
import type { SourceInfo } from "../events/source.ts";
import type { ReducedInfo } from "./reduced-table.ts";

/** First and last day, both included, since 1970-01-01 UTC; -Infinity and Infinity = open. */
export type DayBounds = readonly [first: number, last: number];

/** The days of a log that count, in rising order, no two of them touching. */
export function daysOf({ days }: SourceInfo, { sinceDay = -Infinity, untilDay = Infinity }: ReductionParameters): readonly DayBounds[] {
  return days?.map(([first, last]) => [first ?? -Infinity, last ?? Infinity]) ?? [[sinceDay, untilDay]];
}

/** As a {@link SourceInfo} tells them: not at all where they are those of the whole table. */
export function toDays(ranges: readonly DayBounds[], { sinceDay = -Infinity, untilDay = Infinity }: ReductionParameters): Pick<SourceInfo, "days"> {
  const [first] = ranges;
  if (ranges.length === 1 && first![0] === sinceDay && first![1] === untilDay) return {};
  return { days: ranges.map(range => range.map(day => (Number.isFinite(day) ? day : null)) as [number | null, number | null]) };
}

/** Numbers none of which is less for more days: of the first and last of a table, then of what its logs lack in between. */
export function widthOfDays({ parameters, sources }: Pick<ReducedInfo, "parameters" | "sources">): number[] {
  const { sinceDay, untilDay } = parameters;
  const openEnds = Number(sinceDay === undefined) + Number(untilDay === undefined);
  let lacking = 0;
  for (const { days = [] } of sources) for (let i = 1; i < days.length; i++) lacking += days[i]![0]! - days[i - 1]![1]! - 1;
  return [openEnds, (untilDay ?? 0) - (sinceDay ?? 0), -lacking];
}

export function uniteDays(ranges: readonly DayBounds[]): DayBounds[] {
  const united: [number, number][] = [];
  for (const [first, last] of [...ranges].sort(([a], [b]) => (a < b ? -1 : Number(a > b)))) {
    const before = united.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else united.push([first, last]);
  }
  return united;
}

export function hasDay(ranges: readonly DayBounds[], day: number): boolean {
  return ranges.some(([first, last]) => first <= day && day <= last);
}

/** Days of some ranges that are in none of others. */
export function withoutDays(ranges: readonly DayBounds[], others: readonly DayBounds[]): DayBounds[] {
  let left = [...ranges];
  for (const [first, last] of others) {
    const around = ([from, to]: DayBounds): DayBounds[] => [[from, Math.min(to, first - 1)], [Math.max(from, last + 1), to]];
    // What is left of an open end is an end without a day.
    left = left.flatMap(around).filter(([from, to]) => from <= to && from < Infinity && to > -Infinity);
  }
  return left;
}

/** Days of some ranges that lie within one. */
export function cutDays(days: readonly DayBounds[], [first, last]: DayBounds): DayBounds[] {
  return days.map(([from, to]): DayBounds => [Math.max(from, first), Math.min(to, last)]).filter(([from, to]) => from <= to);
}

/** @param whole As {@link uniteDays} gives them. */
export function coversDays(whole: readonly DayBounds[], part: readonly DayBounds[]): boolean {
  return part.every(([first, last]) => whole.some(([from, to]) => from <= first && last <= to));
}

export function shareDays(a: readonly DayBounds[], b: readonly DayBounds[]): boolean {
  return a.some(([first, last]) => b.some(([from, to]) => first <= to && from <= last));
}

/** Who has which days, no day by two: found in log n steps, however many have some of a log's days. */
export class DayOwners<Owner> {
  /** In rising order. */
  readonly #ranges: { readonly first: number; readonly last: number; readonly owner: Owner }[] = [];

  /** One of them, if there is any. */
  get any(): Owner | undefined {
    return this.#ranges[0]?.owner;
  }

  /** @param ranges As {@link uniteDays} gives them, of which nobody has a day so far. */
  add(ranges: readonly DayBounds[], owner: Owner): void {
    for (const [first, last] of ranges) this.#ranges.splice(this.#from(first), 0, { first, last, owner });
  }

  /** Those who have any of these days, each once for every stretch of days. */
  *ownersOf(ranges: readonly DayBounds[]): Generator<Owner> {
    for (const [first, last] of ranges) {
      for (let i = this.#from(first); i < this.#ranges.length && this.#ranges[i]!.first <= last; i++) yield this.#ranges[i]!.owner;
    }
  }

  /** The first place whose days do not end before a day. */
  #from(day: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.last < day) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
