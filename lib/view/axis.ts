/** Days on the horizontal axis: how many go into one step, and which of them carry a tick. */
import { toIsoDay } from "../text/format.ts";
import { toDayLabel, toMonthLabel } from "../text/labels.ts";
import { DAY_MS } from "../text/time.ts";

/** A run of days, both inclusive, counted since 1970-01-01. */
export interface DayRange {
  readonly first: number;
  readonly last: number;
}

export function dayCount(range: DayRange): number {
  return range.last - range.first + 1;
}

/** Days per step that can be told apart; one, a week, four weeks, then multiples of those. */
const STEPS = [1, 7, 28, 84, 364];

/** The finest step of {@link STEPS} in which the range needs at most `most` steps. */
export function stepDays(range: DayRange, most: number): number {
  const days = dayCount(range);
  return STEPS.find(step => Math.ceil(days / step) <= most) ?? 364 * Math.ceil(days / (364 * most));
}

/** What the values of a chart are per: longer steps show means, which a short or silent step does not bend. */
export function perStep(step: number): string {
  const minutes = Math.round(step * 1440);
  if (step < 1) return minutes === 60 ? "per hour" : minutes === 1 ? "per minute" : minutes < 60 ? `per ${minutes} minutes` : `per ${minutes / 60} hours`;
  return step === 1 ? "per day" : step === 7 ? "per day, weekly means" : `per day, means of ${step} days`;
}

export interface DayTick {
  readonly day: number;
  readonly label: string;
}

const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120];

/**
 * Days to label: every day, every second or third, Mondays, firsts of months or years, as many as `most` allows.
 *
 * The first label, and each January, carries the year where the range spans more than a few weeks.
 */
export function dayTicks(range: DayRange, most: number): DayTick[] {
  const days = dayCount(range);
  const everyDay = [1, 2, 3, 7, 14].find(step => days / step <= most);
  if (everyDay !== undefined && (everyDay <= 7 || days <= 100)) {
    const ticks: DayTick[] = [];
    // Day 4 was a Monday: weekly ticks stand on Mondays in every chart of a page.
    const offset = everyDay >= 7 ? (((4 - range.first) % everyDay) + everyDay) % everyDay : 0;
    for (let day = range.first + offset; day <= range.last; day += everyDay)
      ticks.push({ day, label: toDayLabel(day) });
    return ticks;
  }
  const start = new Date(range.first * DAY_MS);
  const months = days / 30.44;
  const every = MONTH_STEPS.find(step => months / step <= most) ?? 12 * Math.ceil(months / 12 / most);
  const ticks: DayTick[] = [];
  let month = start.getUTCFullYear() * 12 + start.getUTCMonth() + (start.getUTCDate() > 1 ? 1 : 0);
  month += (every - (month % every)) % every;
  for (; ; month += every) {
    const day = Date.UTC(Math.floor(month / 12), month % 12, 1) / DAY_MS;
    if (day > range.last) return ticks;
    const label = every >= 12 ? toIsoDay(day).slice(0, 4) : toMonthLabel(day, month % 12 === 0 || ticks.length === 0);
    ticks.push({ day, label });
  }
}
