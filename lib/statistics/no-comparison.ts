/** Why an archive could not be compared with its own past, in words. */
import type { TestCounts } from "./change.ts";
import { formatNumber, plural } from "../text/format.ts";

export interface NotCompared {
  readonly tests: Pick<TestCounts, "refused" | "withoutSupport">;
  /** `days` holds a letter per day: `o` and `p` are watched. */
  readonly coverage: readonly { readonly days: string }[];
  readonly options: { readonly minBaselineDays: number; readonly guardDays: number };
}

/** The reason for there being no comparison at all: how many days are missing, where it is days. */
export function whyNoComparison({ tests, coverage, options }: NotCompared): string {
  if (tests.withoutSupport > 0) return `${plural(tests.withoutSupport, "value was", "values were")} all too rare to compare`;
  if (tests.refused.length > 0 && tests.refused.every(({ reason }) => reason === "cut"))
    return "the counts were cut to the most frequent before they were read";
  const { minBaselineDays, guardDays } = options;
  const needed = minBaselineDays + guardDays + 1;
  const watched = coverage.reduce((most, { days }) => Math.max(most, days.replace(/[^op]/g, "").length), 0);
  if (watched >= needed) return "no sensor was watched on enough days before those in question";
  return (
    `a comparison needs ${needed} watched days of a sensor (${minBaselineDays} for a baseline, ` +
    `${formatNumber(guardDays)} between, 1 to judge), and the longest has ${watched}: ` +
    `${plural(needed - watched, "day is", "days are")} missing`
  );
}
