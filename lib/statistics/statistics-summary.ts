/** What the statistics found, in the few lines that a run ends with. */
import { formatDuration, formatInstant, formatNumber, plural, toIsoDay } from "../text/format.ts";
import type { Category, ChangeRow } from "./change.ts";
import { whyNoComparison, whyNothingNew } from "./no-comparison.ts";
import type { Statistics } from "./statistics.ts";
import { visible } from "../text/text.ts";

/** Sensors named one by one. */
const SENSORS_MOST = 5;

/** In the order in which they are said. */
const CATEGORIES: readonly Category[] = ["new", "new here", "returning", "up", "down", "gone"];

/**
 * Label and text of each line; safe to show.
 *
 * @returns A line on changes, one on what is new, and one on silent sensors if there are any.
 */
export function summarizeStatistics(statistics: Statistics): [label: string, text: string][] {
  const { tests, changes, novelty, silent } = statistics;
  const reported = changes.filter(({ reported }) => reported);
  const newValues = novelty.totals.reduce((sum, type) => sum + type.new, 0);
  const { burnInDays } = statistics.options;
  const isBurnIn = novelty.claimsFromDay === null || novelty.claimsFromDay > statistics.lastDay;
  const lines: [string, string][] = [
    ["Changes", tests.m === 0 ? `nothing was compared: ${whyNoComparison(statistics)}` : describeReported(reported, tests.m)],
    [
      "New",
      isBurnIn
        ? novelty.claimsFromDay === null
          ? `nothing is called new: ${whyNothingNew(statistics.coverage, burnInDays)}`
          : `nothing is called new in the first ${burnInDays} watched days`
        : `${plural(newValues, "value")} since ${toIsoDay(novelty.sinceDay)}: addresses, credentials, commands, files and others`,
    ],
  ];
  if (silent.length > 0) {
    const named = silent
      .slice(0, SENSORS_MOST)
      .map(({ sensor, sinceUs, hours }) => {
        return `${visible(sensor || "(no name)")} since ${formatInstant(sinceUs)} (${formatDuration(hours * 3600)})`;
      });
    const more = silent.length - named.length;
    lines.push(["SILENT", named.join(", ") + (more > 0 ? `, and ${formatNumber(more)} more` : "")]);
  }
  return lines;
}

function describeReported(reported: readonly ChangeRow[], comparisons: number): string {
  const compared = `${plural(comparisons, "comparison")} with the days before`;
  if (reported.length === 0) return `none; ${compared}`;
  const parts = CATEGORIES.flatMap(category => {
    const count = reported.filter(row => row.category === category).length;
    return count === 0 ? [] : [`${formatNumber(count)} ${category}`];
  });
  return `${parts.join(", ")}; ${compared}`;
}
