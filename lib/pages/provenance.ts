/**
 * Where a page's numbers come from: what was read, how it ended, and what was left out.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { formatBytes, formatInstant, formatNumber, plural, toIsoDay } from "../text/format.ts";
import type { ReducedInfo } from "../reduced/reduced-table.ts";
import { visible } from "../text/text.ts";
import { dayOf } from "../text/time.ts";
import type { SourceInfo } from "../events/source.ts";
import type { ReductionParameters } from "../events/scope.ts";

/** Sources named one by one; an archive of thousands of files would be longer than the report. */
const SOURCES_MOST = 200;

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/**
 * @param more Facts of the page besides those of the input.
 * @param moreLimits Sentences on what the page leaves out.
 */
export function buildProvenance(info: ReducedInfo, more: readonly Fact[], moreLimits: readonly string[]) {
  const { sources, parameters, version } = info;
  const sum = (pick: (source: SourceInfo) => number) => sources.reduce((total, source) => total + pick(source), 0);
  const first = sources.reduce((least, source) => Math.min(least, source.firstSeenUs ?? Infinity), Infinity);
  const last = sources.reduce((most, source) => Math.max(most, source.lastSeenUs ?? -Infinity), -Infinity);
  const cut = sources.filter(source => source.cut === true);
  const damaged = sources.filter(source => source.damage !== undefined);
  // Cut counts know neither lines nor times of day.
  const toCount = (pick: (source: SourceInfo) => number) =>
    cut.length === sources.length && cut.length > 0 ? "not known" : formatNumber(sum(pick));
  const isDayOnly = (us: number) => cut.some(({ firstSeenUs, lastSeenUs }) => us === firstSeenUs || us === lastSeenUs);
  const facts: Fact[] = [
    { name: "Logs", value: `${formatNumber(sources.length)} (${formatBytes(sum(source => source.sizeBytes))})` },
    { name: "Lines", value: toCount(source => source.counts.lines) },
    { name: "Events", value: toCount(source => source.counts.events + source.counts.repaired) },
    { name: "of them repaired", value: toCount(source => source.counts.repaired) },
    { name: "Rejected", value: toCount(source => source.counts.rejected) },
    ...(sources.some(({ counts }) => counts.dropped !== undefined)
      ? [{ name: "Dropped as repeated lines", value: formatNumber(sum(({ counts }) => counts.dropped ?? 0)) }]
      : []),
    { name: "Pending", value: toCount(source => source.counts.pending) },
    ...(first <= last
      ? [
          { name: "First event", value: `${toTime(first, isDayOnly(first))} UTC` },
          { name: "Last event", value: `${toTime(last, isDayOnly(last))} UTC` },
        ]
      : []),
    { name: "Short sessions", value: shortText(parameters) },
    { name: "Format of the reduced table", value: String(version) },
    ...more,
  ];
  const limits: string[] = [];
  if (parameters.sinceDay !== undefined) limits.push(`Only days from ${toIsoDay(parameters.sinceDay)} on were read.`);
  if (parameters.untilDay !== undefined) limits.push(`Only days up to ${toIsoDay(parameters.untilDay)} were read.`);
  if (parameters.sensors !== undefined) limits.push(`Only ${plural(parameters.sensors.length, "sensor")} were read.`);
  limits.push(...moreLimits);
  if (cut.length > 0)
    limits.push(`${plural(cut.length, "input")} held counts that were cut to their top entries before.`);
  if (damaged.length > 0) limits.push(`${plural(damaged.length, "log")} could not be read to the end; see the list.`);
  return {
    facts,
    limits,
    hasLimits: limits.length > 0,
    sources: sources.slice(0, SOURCES_MOST).map(source => ({
      path: visible(source.path),
      size: formatBytes(source.sizeBytes),
      events: source.cut ? "–" : formatNumber(source.counts.events + source.counts.repaired),
      repaired: source.cut ? "–" : formatNumber(source.counts.repaired),
      rejected: source.cut ? "–" : formatNumber(source.counts.rejected),
      pending: source.cut ? "–" : formatNumber(source.counts.pending),
      first: source.firstSeenUs === undefined ? "–" : toTime(source.firstSeenUs, source.cut),
      last: source.lastSeenUs === undefined ? "–" : toTime(source.lastSeenUs, source.cut),
      note: [
        source.cut === true ? "cut to its top entries" : "",
        source.counts.dropped ? `${plural(source.counts.dropped, "event")} dropped as repeated lines` : "",
        visible(source.damage ?? ""),
      ]
        .filter(Boolean)
        .join(", "),
    })),
    hasSources: sources.length > 0,
    sourcesShown:
      sources.length > SOURCES_MOST
        ? `First ${SOURCES_MOST} of ${formatNumber(sources.length)} logs`
        : plural(sources.length, "log"),
  };
}

function toTime(us: number, isDayOnly = false): string {
  return isDayOnly ? toIsoDay(dayOf(us)) : formatInstant(us);
}

function shortText({ robotMaxSeconds, robotMaxSecondsOf = {} }: ReductionParameters): string {
  const others = Object.entries(robotMaxSecondsOf).map(([node, seconds]) => `; of ${visible(node)} under ${seconds} s`);
  return `under ${robotMaxSeconds} s${others.join("")}`;
}
