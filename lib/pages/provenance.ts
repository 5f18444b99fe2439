/** Where a page's numbers come from: what was read, how it ended, and what was left out. */
import { formatBytes, formatInstant, formatNumber, plural, toIsoDay } from "../text/format.ts";
import type { ReducedInfo, ReducedTable } from "../reduced/reduced-table.ts";
import { element, type Markup, toMarkupText } from "../view/markup.ts";
import { headName, numberHead, scrollBox, tableMarkup } from "../view/parts-markup.ts";
import type { CardTable } from "./page-style.ts";
import { visible } from "../text/text.ts";
import { dayOf } from "../text/time.ts";
import type { SourceInfo } from "../events/source.ts";
import type { ReductionParameters } from "../events/scope.ts";

/** Sources named one by one; an archive of thousands of files would be longer than the report. */
const SOURCES_MOST = 200;

const SOURCE_HEADS = [
  "Log",
  ...["Size", "Events", "Repaired", "Rejected", "Pending"].map(numberHead),
  "First event",
  "Last event",
  "Note",
];

/** The list of sources, for a page without a script. */
export const SOURCE_CARDS: CardTable = { selector: ".sources .scroll", names: SOURCE_HEADS.map(headName) };

export type Fact = ReturnType<typeof listFacts>[number];

/**
 * @param more Facts of the page besides those of the input.
 * @param moreLimits Sentences on what the page leaves out.
 */
export function buildProvenance({ info, origins }: Pick<ReducedTable, "info" | "origins">, more: readonly Fact[], moreLimits: readonly string[]) {
  const { sources } = info;
  const limits = describeLimits(info, moreLimits);
  return {
    facts: [
      ...listFacts(info),
      ...(origins === undefined ? [] : [{ name: "Countries and networks", value: `by ${origins.by}` }]),
      ...more,
    ],
    limits,
    hasLimits: limits.length > 0,
    sources: sources.length > 0 && {
      shown:
        sources.length > SOURCES_MOST
          ? `First ${SOURCES_MOST} of ${formatNumber(sources.length)} logs`
          : plural(sources.length, "log"),
      markup: toMarkupText(scrollBox("Logs", tableMarkup(SOURCE_HEADS, sources.slice(0, SOURCES_MOST).map(sourceRow)))),
    },
  };
}

function listFacts({ sources, parameters, version }: ReducedInfo) {
  const sum = (pick: (source: SourceInfo) => number) => sources.reduce((total, source) => total + pick(source), 0);
  const first = sources.reduce((least, source) => Math.min(least, source.firstSeenUs ?? Infinity), Infinity);
  const last = sources.reduce((most, source) => Math.max(most, source.lastSeenUs ?? -Infinity), -Infinity);
  // Cut counts know neither lines nor times of day.
  const cut = sources.filter(source => source.cut === true);
  const toCount = (pick: (source: SourceInfo) => number) =>
    cut.length === sources.length && cut.length > 0 ? "not known" : formatNumber(sum(pick));
  const isDayOnly = (us: number) => cut.some(({ firstSeenUs, lastSeenUs }) => us === firstSeenUs || us === lastSeenUs);
  return [
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
  ];
}

/** Sentences on what was not read, or not to its end. */
function describeLimits({ sources, parameters }: ReducedInfo, more: readonly string[]): string[] {
  const { sinceDay, untilDay, sensors } = parameters;
  const cut = sources.filter(source => source.cut === true);
  const damaged = sources.filter(source => source.damage !== undefined);
  const limits: string[] = [];
  if (sinceDay !== undefined) limits.push(`Only days from ${toIsoDay(sinceDay)} on were read.`);
  if (untilDay !== undefined) limits.push(`Only days up to ${toIsoDay(untilDay)} were read.`);
  if (sensors !== undefined) limits.push(`Only ${plural(sensors.length, "sensor")} were read.`);
  limits.push(...more);
  if (cut.length > 0) limits.push(`${plural(cut.length, "input")} held counts that were cut to their top entries before.`);
  if (damaged.length > 0) limits.push(`${plural(damaged.length, "log")} could not be read to the end; see the list.`);
  return limits;
}

/** A source as the list shows it; cut counts know nothing of its lines. */
function sourceRow({ path, sizeBytes, counts, firstSeenUs, lastSeenUs, cut, damage }: SourceInfo): Markup {
  const field = (className: string | undefined, text: string) => element("td", { class: className }, text);
  const count = (n: number) => field("number", cut ? "–" : formatNumber(n));
  const time = (us: number | undefined) => field("time", us === undefined ? "–" : toTime(us, cut));
  const notes = [
    cut === true ? "cut to its top entries" : "",
    counts.dropped ? `${plural(counts.dropped, "event")} dropped as repeated lines` : "",
    visible(damage ?? ""),
  ];
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("code", {}, visible(path))),
    field("number", formatBytes(sizeBytes)),
    ...[counts.events + counts.repaired, counts.repaired, counts.rejected, counts.pending].map(count),
    ...[firstSeenUs, lastSeenUs].map(time),
    field(undefined, notes.filter(Boolean).join(", ")),
  );
}

function toTime(us: number, isDayOnly = false): string {
  return isDayOnly ? toIsoDay(dayOf(us)) : formatInstant(us);
}

function shortText({ robotMaxSeconds, robotMaxSecondsOf = {} }: ReductionParameters): string {
  const others = Object.entries(robotMaxSecondsOf).map(([node, seconds]) => `; of ${visible(node)} under ${seconds} s`);
  return `under ${robotMaxSeconds} s${others.join("")}`;
}
