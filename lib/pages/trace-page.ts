/** `trace.html`: sessions as lanes over time and as ordered logs, one page that needs no script and no network. */
import { describeSources } from "../origin/origins.ts";
import head from "../../templates/head.mustache" with { type: "text" };
import page from "../../templates/trace.mustache" with { type: "text" };
import purposeStyle from "../../templates/purpose.css" with { type: "text" };
import recording from "../../templates/trace-recording.mustache" with { type: "text" };
import session from "../../templates/trace-session.mustache" with { type: "text" };
import traceStyle from "../../templates/trace.css" with { type: "text" };
import type { Searched } from "../sessions/event-search.ts";
import { formatInstant, formatNumber, plural, toIsoDay } from "../text/format.ts";
import { renderPage, toScriptJson } from "./html.ts";
import type { PageRecordings } from "./screen-player.ts";
import { drawCalendar, drawLanes, drawSession, LANES_SHOWN, markLegend, STEPS_SHOWN } from "./trace-pictures.ts";
import { BASE_STYLE } from "./page-style.ts";
import { sensorLabel } from "../text/labels.ts";
import { toLongText } from "../text/long-text.ts";
import { element, type Markup, toMarkupText } from "../view/markup.ts";
import { foldedMarkup, type Head, legendMarkup, noneMarkup, numberHead, scrollBox, tableMarkup } from "../view/parts-markup.ts";
import { PURPOSES } from "../text/purpose-names.ts";
import { techniqueName, techniquesOf } from "../text/techniques.ts";
import { visible } from "../text/text.ts";
import { type Reach, reachOf, REACHES, type Story } from "../sessions/story.ts";
import { groupEqual, type SessionRow } from "../sessions/equal-sessions.ts";
import {
  countsOf,
  describeDuration,
  formatOffset,
  groupStories,
  leftText,
  rowLines,
  sessionFacts,
  singles,
  summaryFacts,
} from "../sessions/trace-text.ts";
import { describeVerdict, type Step } from "../sessions/story-steps.ts";
import { summarize } from "../sessions/story-summary.ts";

/** What was traced. */
export interface Traced {
  readonly kind: "session" | "address";
  readonly name: string;
}

/** Different sessions shown in full; a page of more opens slowly. The page says how many it leaves out. */
export const SESSIONS_SHOWN = 500;
/** Rows of the calendar; a range of addresses may have been on all sensors there are. */
const SENSORS_DRAWN = 60;
/** Rows of the summary's tables. */
const ROWS_SHOWN = 25;
const REACH_NAMES: Readonly<Record<Reach, string>> = {
  file: "moved files",
  command: "typed commands",
  letin: "login accepted",
  refused: "login refused",
  connect: "only connected",
};

export interface TracePageOptions {
  /** Different sessions shown; 0 = as many as there is room for. */
  readonly limit?: number;
  /** What the terminals of the sessions showed. */
  readonly recordings?: PageRecordings | undefined;
}

/** Render the page; the same sessions give the same bytes. */
export function renderTrace(
  traced: Traced,
  stories: readonly Story[],
  searched: Searched,
  { limit = 0, recordings }: TracePageOptions = {},
): string {
  const summary = summarize(stories);
  const rows = groupEqual(stories);
  const shown = rows.slice(0, limit === 0 ? SESSIONS_SHOWN : Math.min(limit, SESSIONS_SHOWN));
  const repeated = shown.filter(row => row.stories.length > 1);
  const lanes = new Map(shown.map(({ story }, lane) => [story, `lane-${lane + 1}`]));
  const belonging = (story: Story) => ({ anchor: lanes.get(story), recordings: recordings?.views.get(story) ?? [] });
  const hasAddresses = summary.addresses.length > 1;
  const isOne = stories.length === 1;
  const isAddress = traced.kind === "address";
  const facts = isOne && !isAddress ? sessionFacts(stories[0]!) : summaryFacts(summary);
  const view = {
    ...toHead(traced, summary, searched, stories.length),
    facts: [...Map.groupBy(facts, ([name]) => name)].map(([name, own]) => ({ name, values: own.map(([, value]) => value) })),
    ...toPictures(stories, summary, shown, lanes),
    lanesNote: isOne
      ? "Each mark is an event; the scale is linear."
      : `Each lane is a session from its connect on, equal ones sharing the lane of the first; the scale is logarithmic.${shown.length > LANES_SHOWN ? ` First ${LANES_SHOWN} of ${leftText(rows)}.` : ""}`,
    ...(isAddress && toTables(summary)),
    hasRepeated: repeated.length > 1 || (repeated.length > 0 && repeated.length < shown.length),
    repeatedCount: `${plural(repeated.reduce((sum, row) => sum + row.stories.length, 0), "session")}, ${plural(repeated.length, "way")} to go`,
    repeated: repeated.map(row => ({ ...toRowView(row, hasAddresses), ...belonging(row.story) })),
    groups: groupStories(singles(shown)).map(group => ({
      heading: isAddress || !isOne ? `${sensorLabel(group.sensor)}, ${toIsoDay(group.day)}` : "The session, step by step",
      count: group.stories.length > 1 ? plural(group.stories.length, "session") : "",
      sessions: group.stories.map(story => ({ ...toSessionView(story, hasAddresses), ...belonging(story) })),
    })),
    left:
      rows.length > shown.length
        ? `First ${formatNumber(shown.length)} of ${leftText(rows)}; -n, --since, --until and --sensor choose others.`
        : "",
    hasLeft: rows.length > shown.length,
    hasData: recordings !== undefined,
    dataJson: toScriptJson(recordings?.data ?? []),
  };
  const style = BASE_STYLE + purposeStyle + traceStyle + (recordings?.style ?? "");
  return renderPage(page, view, { head, session, recording }, { style, script: recordings?.script ?? "" });
}

type TraceSummary = ReturnType<typeof summarize>;

function toHead({ kind, name }: Traced, { sensors }: TraceSummary, { logs, days, originSources }: Searched, sessions: number) {
  const origins = originSources === undefined ? "" : `; ${describeSources(originSources)}`;
  return {
    title: `Cowrie trace: ${visible(name.slice(0, 80))}`,
    eyebrow: kind === "address" ? "Cowrie address trace" : "Cowrie session trace",
    name: visible(name),
    lede: `${plural(sessions, "session")} on ${plural(sensors.length, "sensor")}, found in ${plural(logs, "log")} of ${plural(days, "day")}${origins}`,
  };
}

function toPictures(stories: readonly Story[], { sensors, days, addresses }: TraceSummary, shown: readonly SessionRow[], lanes: ReadonlyMap<Story, string>) {
  const isOne = stories.length === 1;
  const reaches = REACHES.filter(reach => stories.some(story => reachOf(story) === reach));
  return {
    hasCalendar: days > 1 || sensors.length > 1,
    calendar: { svg: toMarkupText(drawCalendar(stories, sensors.slice(0, SENSORS_DRAWN))) },
    calendarShown: sensors.length > SENSORS_DRAWN ? ` First ${SENSORS_DRAWN} of ${formatNumber(sensors.length)} sensors.` : "",
    lanes: { svg: toMarkupText(isOne ? drawSession(stories[0]!) : drawLanes(shown, addresses.length > 1, lanes)) },
    lanesHeading: isOne ? "What happened when?" : "How did the sessions go?",
    legend: { markup: toMarkupText(legendMarkup(markLegend(shown.slice(0, LANES_SHOWN).map(({ story }) => story)))) },
    reaches: { markup: toMarkupText(legendMarkup(reaches.map(reach => ({ className: `o-${reach}`, name: REACH_NAMES[reach] })))) },
  };
}

/** What an address did, as tables; only those that have rows. */
function toTables({ credentials, commands, files }: TraceSummary) {
  const cell = (text: string, className?: string) => element("td", { class: className }, text);
  const count = (n: number) => cell(formatNumber(n), "number");
  return {
    credentials: toTable("Credentials", credentials, [numberHead("Tried"), numberHead("Accepted"), "User", "Password"], one => [
      count(one.count),
      cell(one.letIn === 0 ? "" : formatNumber(one.letIn), "number"),
      element("td", {}, code(toLongText(one.value.username).text)),
      element("td", { class: "wide" }, one.value.password === null ? noneMarkup("no password") : code(toLongText(one.value.password).text)),
    ]),
    commands: toTable("Commands", commands, [numberHead("Times"), numberHead("Sessions"), "Command"], one => [
      count(one.count),
      count(one.sessions),
      element("td", { class: "wide" }, foldedMarkup(toLongText(one.value))),
    ]),
    files: toTable("Files", files, [numberHead("Times"), "Way", "Verdict", "Name", "SHA-256"], ({ value, count: times }) => [
      count(times),
      cell(value.isUpload ? "upload" : "download"),
      cell(describeVerdict(value.verdict), (value.verdict?.positives ?? 0) > 0 ? "verdict bad" : "verdict"),
      element("td", { class: "file-name" }, value.name === "" ? noneMarkup("input kept") : code(toLongText(value.name).text)),
      element("td", { class: "wide" }, code(visible(value.hash))),
    ]),
  };
}

function toTable<Row>(name: string, rows: readonly Row[], heads: readonly (Head | string)[], toCells: (row: Row) => Markup[]) {
  if (rows.length === 0) return false;
  const table = tableMarkup(heads, rows.slice(0, ROWS_SHOWN).map(row => element("tr", {}, ...toCells(row))));
  const shown = rows.length > ROWS_SHOWN ? `First ${ROWS_SHOWN} of ${formatNumber(rows.length)} ${name.toLowerCase()}` : "";
  return { shown, markup: toMarkupText(scrollBox(name, table)) };
}

function code(text: string): Markup {
  return element("code", {}, text);
}

/** Sessions that are equal, by the steps of the first. */
function toRowView(row: SessionRow, withAddress: boolean) {
  const [heading, ids] = rowLines(row, withAddress);
  return { ...toSessionView(row.story, withAddress), isRow: true, row: heading, facts: ids };
}

function toSessionView(story: Story, withAddress: boolean) {
  const steps = story.steps.slice(0, STEPS_SHOWN);
  return {
    isRow: false,
    row: "",
    id: visible(story.session),
    clock: formatInstant(story.startUs).slice(11),
    facts: [
      ...(withAddress ? [visible(story.address ?? "unknown address")] : []),
      story.protocol === undefined
        ? "unknown protocol"
        : `${story.protocol}${story.isProtocolDerived ? " (derived)" : ""}`,
      describeDuration(story),
      countsOf(story),
    ]
      .filter(fact => fact !== "")
      .join(" · "),
    steps: steps.map(step => toStepView(step, story)),
    cut:
      story.steps.length > steps.length
        ? `First ${formatNumber(steps.length)} of ${formatNumber(story.steps.length)} steps`
        : "",
    isCut: story.steps.length > steps.length,
  };
}

function toStepView(step: Step, story: Story) {
  const purpose = PURPOSES.find(({ id }) => id === step.purpose);
  return {
    offset: formatOffset(step.us - story.startUs),
    instant: `${formatInstant(step.us)} UTC`,
    name: visible(step.what),
    kind: `k-${step.kind}`,
    tone: `t-${step.tone}`,
    hasPurpose: purpose !== undefined,
    purpose: purpose?.name,
    purposeClass: `p-${step.purpose}`,
    techniques: (purpose === undefined ? [] : techniquesOf(String(step.fields.input))).map(id => ({ id, name: techniqueName(id) })),
    // What the program says itself stands beside what an attacker wrote.
    parts: { markup: toMarkupText(step.parts.flatMap(({ text, isForeign }) => [isForeign ? foldedMarkup(toLongText(text)) : element("span", { class: "own" }, toLongText(text).text), " "])) },
    repeats: step.repeats > 1 ? `${formatNumber(step.repeats)} times` : "",
    isRepeated: step.repeats > 1,
  };
}
