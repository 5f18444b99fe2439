/** Why an archive could not be compared with its own past, in words. */
import type { TestCounts } from "./judgement.ts";
import { formatNumber, plural } from "../text/format.ts";

export interface NotCompared {
  readonly tests: Pick<TestCounts, "refused" | "withoutSupport">;
  /** `days` holds a letter per day: `o` and `p` are watched. */
  readonly coverage: readonly { readonly days: string }[];
  readonly options: { readonly minBaselineDays: number; readonly guardDays: number };
}

const CUT = "the counts were cut to the most frequent before they were read";

/** Tell an archive of which nothing but cut counts is known. */
export function isAllCut(coverage: NotCompared["coverage"]): boolean {
  return coverage.some(({ days }) => days.includes("c")) && !coverage.some(({ days }) => /[op]/.test(days));
}

/**
 * Why no value is called new anywhere in the archive.
 *
 * @param coverage As in {@link NotCompared}; `c` is a day of cut counts.
 */
export function whyNothingNew(coverage: NotCompared["coverage"], burnInDays: number): string {
  if (isAllCut(coverage)) return `${CUT}, so a value may have been there before and not be listed`;
  const cut = coverage.some(({ days }) => days.includes("c")) ? "; days known from cut counts alone are none" : "";
  return `the archive is not longer than its burn-in of ${burnInDays} watched days, in which every value would be new${cut}`;
}

/** The reason for there being no comparison at all: how many days are missing, where it is days. */
export function whyNoComparison({ tests, coverage, options }: NotCompared): string {
  if (tests.withoutSupport > 0) return `${plural(tests.withoutSupport, "value was", "values were")} all too rare to compare`;
  if (isAllCut(coverage) || (tests.refused.length > 0 && tests.refused.every(({ reason }) => reason === "cut"))) return CUT;
  const { minBaselineDays, guardDays } = options;
  const needed = minBaselineDays + guardDays + 1;
  const watched = coverage.reduce((most, { days }) => Math.max(most, days.replace(/[^op]/g, "").length), 0);
  if (watched >= needed) {
    return `no day in question was watched long enough and has ${minBaselineDays} watched days of the same sensor before it (${formatNumber(guardDays)} between)`;
  }
  return (
    `a comparison needs ${needed} watched days of a sensor (${minBaselineDays} for a baseline, ` +
    `${formatNumber(guardDays)} between, 1 to judge), and the longest has ${watched}: ` +
    `${plural(needed - watched, "day is", "days are")} missing`
  );
}
