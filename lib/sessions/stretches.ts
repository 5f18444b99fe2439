/**
 * Stretches of days, counted back from the last: a week, the week before, two weeks, four, eight, and so on.
 *
 * Tested in `test/lib/view/report-trails.test.ts`.
 */
export function stretchOf(day: number, lastDay: number): number {
  const age = Math.max(0, lastDay - day);
  return age < 7 ? 0 : 1 + Math.floor(Math.log2(age / 7));
}
