/** Two choices of days and sensors side by side: their figures, and what leads in either. Nothing of it is tested. */
import { dayCount, stepDays } from "./axis.ts";
import { type Line, type Steps, toSteps } from "./chart.ts";
import { sumByDay } from "./cells.ts";
import { formatNumber, formatShare, plural, toIsoDay, toSpan } from "../text/format.ts";
import { toChange } from "../text/labels.ts";
import type { SectionData } from "./section-keys.ts";
import { meanSteps, rankSection, type Scope, sensorName, toParts } from "./report-view.ts";
import { buildFigures } from "./report-figures.ts";

/** One side: what it is called, and what it holds. */
export interface Side {
  readonly name: string;
  readonly scope: Scope;
}

/** `2024-03-01 to 2024-03-07, hp-ams-01` */
export function sideName(scope: Scope): string {
  const { first, last } = scope.filter.range;
  return `${toSpan(toIsoDay(first), toIsoDay(last))}, ${sensorsName(scope)}`;
}

function sensorsName({ data, filter: { sensors } }: Scope): string {
  const chosen = sensors.reduce((sum, one) => sum + one, 0);
  if (chosen === 1) return sensorName(data, sensors.indexOf(1));
  const all = plural(sensors.length, "sensor");
  return chosen === sensors.length ? `all ${all}` : `${formatNumber(chosen)} of ${all}`;
}

/** The figures of both sides; both have the same ones, as these follow from what the page holds. */
export function compareFigures(sides: readonly [Side, Side]) {
  const [first, second] = sides.map(({ scope }) => buildFigures(scope)) as [
    ReturnType<typeof buildFigures>,
    ReturnType<typeof buildFigures>,
  ];
  return first.map((figure, i) => ({
    // A plural does for both.
    label: figure.label.length > second[i]!.label.length ? figure.label : second[i]!.label,
    sides: [figure, second[i]!].map(({ value, note }) => ({ value, note })),
  }));
}

/** Keys that lead on either side, by the larger share of the two; ties as in the data. */
export function compareLeaders(sides: readonly [Side, Side], data: SectionData, most: number) {
  const rankings = sides.map(({ scope }) => rankSection(scope, data));
  const watched = sides.map(({ scope }) => scope.watched.reduce((sum, n) => sum + n, 0)) as [number, number];
  const share = (side: number, key: number) => {
    const { counts, total } = rankings[side]!;
    return total === 0 ? 0 : counts[key]! / total;
  };
  const largest = (key: number) => Math.max(share(0, key), share(1, key));
  const keys = [...new Set(rankings.flatMap(ranking => ranking.order.slice(0, most)))];
  keys.sort((a, b) => largest(b) - largest(a) || a - b);
  return keys.map(key => {
    const [before, now] = rankings.map(ranking => ranking.counts[key]!) as [number, number];
    return {
      parts: toParts(rankings[0]!.section.columns, data.keys[key]!),
      sides: [before, now].map((count, side) => ({
        count,
        countText: formatNumber(count),
        shareText: count === 0 ? "–" : formatShare(share(side, key)),
      })),
      /** Of the second side against the first, per sensor-day with logs. */
      change: describeChange(before, now, watched),
    };
  });
}

function describeChange(before: number, now: number, watched: readonly [number, number]): string {
  if (watched[0] === 0 || watched[1] === 0) return "–";
  if (before === 0) return "only in B";
  if (now === 0) return "only in A";
  return toChange(now / watched[1] / (before / watched[0]) - 1);
}

/** A section's counts per day of both sides; days are counted from the first of each where the sides hold other ones. */
export function compareLines(
  sides: readonly [Side, Side],
  data: SectionData,
  most: number,
): { steps: Steps; lines: Line[]; isAligned: boolean } {
  const ranges = sides.map(({ scope }) => scope.filter.range);
  const longest = ranges.reduce((a, b) => (dayCount(b) > dayCount(a) ? b : a));
  const days = stepDays(longest, Math.max(1, Math.floor(most)));
  const steps = toSteps(longest, days);
  const isAligned = ranges[0]!.first === ranges[1]!.first;
  const lines = sides.map(({ scope }, i): Line => {
    const byDay = sumByDay(data.all, scope.data.grid, scope.filter);
    const values = meanSteps(byDay, scope.watched, toSteps(scope.filter.range, days));
    const missing = new Array<null>(Math.max(0, steps.n - values.length)).fill(null);
    const name = isAligned ? sensorsName(scope) : `from ${toIsoDay(ranges[i]!.first)}`;
    return { name: `${"AB"[i]!}: ${name}`, values: [...values, ...missing], style: i };
  });
  return { steps, lines, isAligned };
}
