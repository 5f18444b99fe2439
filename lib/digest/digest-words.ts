/**
 * A digest in words: sections of lines, the same for the text and for the mail in HTML. Every line is safe to show.
 *
 * Tested in `test/scripts/digest.test.ts`.
 */
import type { Campaign } from "../campaigns/campaign.ts";
import { describeEpisode, toPlainSentence } from "../history/episode-words.ts";
import { basisOf, newestFirst } from "../history/history-output.ts";
import { describeCounts, type OriginCount } from "../origin/origin-counts.ts";
import { nameSources } from "../origin/origins.ts";
import type { ChangeRow } from "../statistics/change.ts";
import { clipEnd, clipMiddle } from "../text/cut.ts";
import { formatDuration, formatInstant, formatNumber, plural, toIsoDay } from "../text/format.ts";
import { quoteEdges, sensorLabel, toChange, toLongDay } from "../text/labels.ts";
import { visible, wrapText } from "../text/text.ts";
import { element, type Markup, toMarkupText } from "../view/markup.ts";
import { changeWord, keyCell } from "../view/stats-tables.ts";
import type { Digest, Figure } from "./digest.ts";
import type { FirstLook } from "./first-looks.ts";

/** Lines of a text, at most: what fits a screen and a half is read. */
export const LINES_MOST = 60;
const LINE_COLUMNS = 100;
const VALUE_MOST = 44;
const NAMES_MOST = 8;
/** Lines of each section; together with headings and blank lines they stay below {@link LINES_MOST}. */
const MOST = { changes: 5, episodes: 5, campaigns: 3, returning: 2, hashes: 3, hosts: 3, credentials: 4 };

/** Watches that differ by more than this part of the longer one make sums that cannot be held against each other. */
const UNEVEN_WATCH = 0.1;

const SENSORS = "Sensors";
/** Before what belongs to the line above: a command is copied whole, however long. */
const INDENT = "  ";

export interface MailSection {
  readonly title: string;
  readonly lines: readonly string[];
}

/** `Mon 10 Aug 2026 to Sun 16 Aug 2026`, and how long that is. */
function digestTitle({ firstDay, lastDay }: Digest): string {
  const days = lastDay - firstDay + 1;
  return days === 1 ? `Cowrie, ${toLongDay(firstDay)}` : `Cowrie, ${toLongDay(firstDay)} to ${toLongDay(lastDay)} (${days} days, UTC)`;
}

/** One line for the subject of a mail: what matters most. */
export function digestSubject(digest: Digest): string {
  const silent = digest.sensorsSilent.length + digest.sensorsAbsent.length;
  const parts = [
    ...(silent > 0 ? [`${plural(silent, "sensor")} silent`] : []),
    ...(digest.changes.length > 0 ? [plural(digest.changes.length, "change")] : []),
    ...(digest.campaignsNew.length > 0 ? [plural(digest.campaignsNew.length, "new campaign")] : []),
    `${formatNumber(digest.figures[0]!.now)} events`,
  ];
  return `Cowrie ${toIsoDay(digest.firstDay)} to ${toIsoDay(digest.lastDay)}: ${parts.join(", ")}`;
}

/** All sections that have something to say, the figures apart. */
export function digestSections(digest: Digest, looks: readonly FirstLook[]): MailSection[] {
  const { sensorsUp, sensorsNew, sensorsSilent, sensorsAbsent } = digest;
  const names = (list: readonly string[]) => {
    const shown = list.slice(0, NAMES_MOST).map(name => clipEnd(sensorLabel(name), VALUE_MOST));
    return shown.join(", ") + (list.length > shown.length ? `, and ${formatNumber(list.length - shown.length)} more` : "");
  };
  const sections: MailSection[] = [
    {
      title: SENSORS,
      lines: [
        sensorsUp.length === 0 ? "none was heard" : `${plural(sensorsUp.length, "sensor")} up: ${names(sensorsUp)}`,
        ...(sensorsNew.length > 0 ? [`new: ${names(sensorsNew)}`] : []),
        ...capped(sensorsSilent, 3, ({ sensor, sinceUs, hours }) => `SILENT ${sensorLabel(sensor)} since ${formatInstant(sinceUs)} (${formatDuration(hours * 3600)})`),
        ...watchLines(digest),
        ...capped(sensorsAbsent, 3, ({ sensor, lastUs }) => `NO EVENT of ${sensorLabel(sensor)}, the last one was ${Number.isNaN(lastUs) ? "never" : formatInstant(lastUs)}`),
      ],
    },
    ...originSection(digest),
    { title: "Look first at", lines: looks.flatMap(({ what, command }) => [what, `${INDENT}${command}`]) },
    {
      title: digest.whyNone === null ? `What changed (tested, ${plural(digest.comparisons, "comparison")})` : "What changed",
      lines: digest.whyNone !== null ? [`nothing was compared: ${digest.whyNone}`] : digest.changes.length === 0 ? ["nothing beyond chance"] : capped(digest.changes, MOST.changes, changeLine),
    },
    {
      title: "What happened",
      lines: capped(newestFirst(digest.episodes.slice(0, MOST.episodes)), MOST.episodes, episode => `${toPlainSentence(describeEpisode(episode))}${episode.watch ? "" : ` (${basisOf(episode)})`}`, digest.episodes.length),
    },
    { title: "New campaigns", lines: capped(digest.campaignsNew, MOST.campaigns, campaignLine) },
    { title: "Campaigns that are back", lines: capped(digest.campaignsReturning, MOST.returning, campaignLine) },
    { title: "New files", lines: capped(digest.newHashes, MOST.hashes, ({ value, count, sensors }) => `${clipEnd(visible(value[0] ?? ""), 64)}, ${plural(count, "time")} on ${plural(sensors.length, "sensor")}`) },
    { title: "New hosts", lines: capped(digest.newHosts, MOST.hosts, ({ value, count, sensors }) => `${clipMiddle(visible(value[0] ?? ""), VALUE_MOST)}, ${plural(count, "time")} on ${plural(sensors.length, "sensor")}`) },
    {
      title: "Credentials tried most",
      lines: digest.credentials.slice(0, MOST.credentials).map(({ username, password, count, accepted }) => `${valueText(username)} / ${password === null ? "(a key)" : valueText(password)}, ${plural(count, "time")}${accepted > 0 ? `, ${formatNumber(accepted)} accepted` : ""}`),
    },
  ];
  return sections.filter(({ lines }) => lines.length > 0);
}

/** A line for countries and one or two for networks, of what the databases know. */
function originSection({ origins, originSources }: Digest): MailSection[] {
  if (origins === undefined) return [];
  const line = (label: string, counts: readonly OriginCount[], most: number, width: number) =>
    counts.some(({ name }) => name !== null) ? [`${label}: ${describeCounts(counts, most, width)}`] : [];
  const lines = [...line("countries", origins.countries, 8, 2), ...line("networks", origins.networks, 3, 32)];
  const title = `Where addresses come from (${clipEnd(nameSources(originSources), LINE_COLUMNS - 30)})`;
  return [{ title, lines: lines.length === 0 ? ["no address of these days is known there"] : lines }];
}

/** A section as it stands in the text. */
interface TextSection {
  readonly title: string;
  /** Each a line with what belongs to it, wrapped. */
  readonly items: string[][];
  /** Figures below them. */
  readonly figures: readonly string[];
  /** Lines that had no room. */
  dropped: number;
}

/**
 * The digest as text, {@link LINES_MOST} lines at most. Where it is longer, the longest sections give way, so that every
 * section has its say.
 */
export function digestToText(digest: Digest, looks: readonly FirstLook[]): string {
  const width = Math.max(...digest.figures.map(({ name }) => name.length));
  const figures = digest.figures.filter(isWorthALine).map(figure => `${figure.name.padEnd(width)}  ${figureText(figure, digest)}`);
  const sections = digestSections(digest, looks).map(
    ({ title, lines }): TextSection => ({ title, items: toItems(lines), figures: title === SENSORS ? figures : [], dropped: 0 }),
  );
  const roomy = [digestTitle(digest), ...sections.flatMap(section => ["", ...sectionLines(section)])];
  if (roomy.length <= LINES_MOST) return `${roomy.join("\n")}\n`;
  // Blank lines go first.
  makeRoom(sections, LINES_MOST - 1);
  return `${[digestTitle(digest), ...sections.flatMap(sectionLines)].join("\n")}\n`;
}

/** Lines with those that belong to them, each cut to the width of a mail. */
function toItems(lines: readonly string[]): string[][] {
  const items: string[][] = [];
  for (const line of lines) {
    if (line.startsWith(INDENT)) items.at(-1)!.push(line);
    else items.push(wrapText(line, LINE_COLUMNS - 4).map((part, i) => (i === 0 ? part : INDENT + part)));
  }
  return items;
}

function sectionLines({ title, items, figures, dropped }: TextSection): string[] {
  const more = dropped === 0 ? [] : [`${plural(dropped, "more line")} did not fit: --json and --html have them`];
  return [title, ...[...items.flat(), ...more, ...figures].map(line => INDENT + line)];
}

/** Take items from the ends of the longest sections until all lines are `most`; one stays in each. */
function makeRoom(sections: readonly TextSection[], most: number): void {
  const sizeOf = (section: TextSection) => sectionLines(section).length;
  for (let size = sections.reduce((sum, section) => sum + sizeOf(section), 0); size > most; ) {
    const [longest] = sections.filter(({ items }) => items.length > 1).sort((a, b) => b.items.flat().length - a.items.flat().length);
    if (longest === undefined) return;
    const before = sizeOf(longest);
    longest.dropped += longest.items.pop()!.length;
    size += sizeOf(longest) - before;
  }
}

/** The digest as a page for mail programs, which know neither style sheets nor scripts. */
export function digestToHtml(digest: Digest, looks: readonly FirstLook[]): string {
  const cell = "padding: 2px 14px 2px 0; text-align: left; vertical-align: top";
  const figures = element(
    "table",
    { style: "border-collapse: collapse; margin: 4px 0 12px" },
    element(
      "tbody",
      {},
      ...digest.figures
        .filter(isWorthALine)
        .map(figure => element("tr", {}, element("td", { style: cell }, figure.name), element("td", { style: cell }, figureText(figure, digest)))),
    ),
  );
  const sections = digestSections(digest, looks).flatMap(({ title, lines }): Markup[] => [
    element("h2", { style: "font-size: 15px; margin: 18px 0 4px" }, title),
    element(
      "ul",
      { style: "margin: 0; padding-left: 18px" },
      ...lines.map(line => element("li", line.startsWith(INDENT) ? { style: "list-style: none; font-family: monospace" } : {}, line.trim())),
    ),
    ...(title === SENSORS ? [figures] : []),
  ]);
  const body = element(
    "body",
    { style: "font: 14px/1.5 system-ui, sans-serif; max-width: 760px; margin: 16px; overflow-wrap: anywhere" },
    element("h1", { style: "font-size: 19px" }, digestTitle(digest)),
    ...sections,
  );
  const head = `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${toMarkupText(digestTitle(digest))}</title></head>`;
  return `<!doctype html>\n<html lang="en">${head}${toMarkupText(body)}</html>\n`;
}

/** What there is none of, now or before, needs no line. */
function isWorthALine({ now, before }: Figure): boolean {
  return now > 0 || (before ?? 0) > 0;
}

/** Whether the days before were watched as long as these, nearly: else no sum says what changed. */
function isUneven({ watched: { now, before } }: Digest): boolean {
  return Math.abs(now - before) > UNEVEN_WATCH * Math.max(now, before);
}

/** Says so where changes are those of a watched day, and by which watches. */
function watchLines(digest: Digest): string[] {
  const { watched, figures } = digest;
  if (!isUneven(digest) || figures.every(({ before }) => !before)) return [];
  const length = (days: number) => formatNumber(days, 1);
  return [`watched ${length(watched.now)} sensor-days, ${length(watched.before)} in as many days before: changes are those of a watched day`];
}

function figureText({ name, now, before }: Figure, digest: Digest): string {
  if (before === null) return formatNumber(now);
  if (before === 0) return `${formatNumber(now)}${now === 0 ? "" : ", none before"}`;
  const { watched } = digest;
  if (!isUneven(digest)) return `${formatNumber(now)}, ${toChange(now / before - 1)} on ${formatNumber(before)}`;
  // Distinct values do not grow with the days, and where nobody knows who watched nothing can be made equal.
  if (name === "addresses" || watched.now === 0 || watched.before === 0) return `${formatNumber(now)}, ${formatNumber(before)} before`;
  return `${formatNumber(now)}, ${toChange(now / watched.now / (before / watched.before) - 1)} a day on ${formatNumber(before)}`;
}

function changeLine({ sensor, kind, key, unit, count, expected, category }: ChangeRow): string {
  const where = sensor === null ? "all sensors" : sensorLabel(sensor);
  const what = keyCell(kind, key).parts.map(({ text }) => clipMiddle(text, VALUE_MOST)).join(" / ");
  return `${category}: ${changeWord(kind)} ${what} on ${where}: ${formatNumber(count)} ${unit}, expected ${formatNumber(expected, expected < 10 ? 1 : 0)}`;
}

function campaignLine({ id, name, sessions, addresses, sensors }: Campaign): string {
  return `${id} ${clipEnd(visible(name), VALUE_MOST)}: ${plural(sessions, "session")} from ${plural(addresses.length, "address", "addresses")} on ${plural(sensors.length, "sensor")}`;
}

function valueText(text: string | null): string {
  return text === null ? "–" : clipMiddle(quoteEdges(visible(text)), VALUE_MOST);
}

/** The first lines of a list, and how many more there are. */
function capped<T>(list: readonly T[], most: number, toLine: (one: T) => string, all = list.length): string[] {
  const lines = list.slice(0, most).map(toLine);
  return all > lines.length ? [...lines, `and ${formatNumber(all - lines.length)} more`] : lines;
}
