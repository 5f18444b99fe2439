/** Sessions as text for a terminal or a file: what people look at first. */
import type { Searched } from "./event-search.ts";
import { formatDuration, formatInstant, formatNumber, formatShare, plural, toIsoDay, toSpan } from "../text/format.ts";
import { quoteEdges, sensorLabel } from "../text/labels.ts";
import { ellipsize, textWidth, visible } from "../text/text.ts";
import { formatTable, paint } from "../text/text-table.ts";
import { techniqueName, TECHNIQUES, techniquesOf } from "../text/techniques.ts";
import { groupEqual, rowFacts, type SessionRow } from "./equal-sessions.ts";
import type { FoundRecording } from "./story-recordings.ts";
import { dayOfStory, type Story } from "./story.ts";
import { describeOrigin } from "../origin/origins.ts";
import { dayOf } from "../text/time.ts";
import { describeVerdict, type StepPart, type Step, toEndpoint } from "./story-steps.ts";
import type { StorySummary } from "./story-summary.ts";

export interface TraceTextOptions {
  /** Columns of the terminal; nothing is cut when undefined. */
  readonly width: number | undefined;
  readonly color: boolean;
}

/** Rows of a summary's tables; the rest is counted. */
const SUMMARY_ROWS = 10;
const LABEL_WIDTH = 9;
/** A number of a terminal's columns no line is cut below. */
const WIDTH_LEAST = 20;

/** `0:00.058`, `12:03.100`, `1:02:03.004`: minutes, seconds, milliseconds since the connect. */
export function formatOffset(us: number): string {
  const sign = us < 0 ? "-" : "";
  const ms = Math.floor(Math.abs(us) / 1000);
  const pad = (value: number, digits: number) => String(value).padStart(digits, "0");
  const seconds = `${pad(Math.floor(ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60
    ? `${sign}${minutes}:${seconds}`
    : `${sign}${formatNumber(Math.floor(minutes / 60))}:${pad(minutes % 60, 2)}:${seconds}`;
}

/** A part as it is shown; foreign text is quoted where nobody would see where it ends. */
export function showPart({ text, isForeign }: StepPart): string {
  return isForeign ? quoteEdges(visible(text)) : visible(text);
}

/**
 * Sessions found under one id, each with its facts and all it did.
 *
 * @param follows Something was written before.
 * @yields Pieces of text; together whole lines.
 */
export function* storiesToText(stories: readonly Story[], options: TraceTextOptions, follows = false): Generator<string> {
  for (const [i, story] of stories.entries()) {
    if (i > 0 || follows) yield "\n";
    const heading = `Session ${visible(story.session)} on ${sensorLabel(story.sensor)}`;
    yield `${paint(cut(heading, options.width), "bold", options.color)}\n`;
    yield factLines(sessionFacts(story), options);
    yield "\n";
    yield stepsToText(story, options, "  ");
  }
}

/** What a recording showed, below the steps of its session. */
export function* recordingToText(
  { ttylog, recording, isShared }: FoundRecording,
  transcript: readonly string[],
  { width, color }: TraceTextOptions,
): Generator<string> {
  const heading = `What the terminal showed, ${formatDuration(recording.durationUs / 1e6)} since ${formatInstant(recording.startUs)} UTC (${visible(ttylog)})`;
  yield `\n  ${paint(cut(heading, width, 2), "yellow", color)}\n`;
  if (isShared) yield "  Cowrie kept it of an earlier session in which the same was typed: it may show what that session saw\n";
  if (recording.cut !== undefined) yield `  As far as it goes: ${recording.cut}\n`;
  if (transcript.length === 0) yield "  nothing\n";
  for (const line of transcript) yield `  ${cut(`| ${line}`, width, 2)}\n`;
}

/**
 * All sessions of some addresses: the summary, then sessions that came more than once, then each other, grouped by
 * sensor and day.
 *
 * @param limit Different sessions shown; 0 = all.
 */
export function* addressToText(
  title: string,
  stories: readonly Story[],
  summary: StorySummary,
  options: TraceTextOptions,
  limit = 0,
): Generator<string> {
  yield `${paint(cut(visible(title), options.width), "bold", options.color)}\n`;
  yield factLines(summaryFacts(summary), options);
  yield* summaryTables(summary, options);
  const rows = groupEqual(stories);
  const shown = limit === 0 ? rows : rows.slice(0, limit);
  const repeated = shown.filter(row => row.stories.length > 1);
  const hasAddresses = summary.addresses.length > 1;
  for (const row of repeated) {
    const [heading, ids] = rowLines(row, hasAddresses);
    yield `\n${paint(cut(heading, options.width), "bold", options.color)}\n`;
    yield `  ${paint(cut(ids, options.width, 2), "yellow", options.color)}\n`;
    yield stepsToText(row.story, options, "    ", true);
  }
  for (const group of groupStories(singles(shown))) {
    const heading = `${sensorLabel(group.sensor)}, ${toIsoDay(group.day)}, ${plural(group.stories.length, "session")}`;
    yield `\n${paint(cut(heading, options.width), "bold", options.color)}\n`;
    for (const story of group.stories) {
      yield `\n  ${paint(cut(sessionLine(story, hasAddresses), options.width, 2), "yellow", options.color)}\n`;
      yield stepsToText(story, options, "    ", true);
    }
  }
  if (shown.length < rows.length) yield `\nFirst ${formatNumber(shown.length)} of ${leftText(rows)}; -n 0 shows all\n`;
}

/** `312 distinct sessions` */
export function leftText(rows: readonly SessionRow[]): string {
  return plural(rows.length, "distinct session");
}

/** Sessions that are like no other, in order of their start. */
export function singles(rows: readonly SessionRow[]): Story[] {
  return rows.filter(({ stories }) => stories.length === 1).map(({ story }) => story);
}

/** Two lines on sessions that are equal: how often, when, where; and which they were. */
export function rowLines(row: SessionRow, withAddress: boolean): [heading: string, ids: string] {
  const { story, stories } = row;
  const { firstUs, lastUs, sensors, addresses, durationsSec } = rowFacts(row);
  const [shortest, longest] = durationsSec.map(formatDuration);
  const places = sensors.length > 1 ? plural(sensors.length, "sensor") : sensorLabel(sensors[0]!);
  const heading = [
    `${plural(stories.length, "equal session")} on ${places}, ${formatInstant(firstUs)} to ${formatInstant(lastUs)}`,
    ...(withAddress ? [`from ${addresses.length === 1 ? visible(addresses[0]!) : plural(addresses.length, "address", "addresses")}`] : []),
    story.protocol ?? "unknown protocol",
    shortest === longest ? shortest! : `${shortest} to ${longest}`,
    countsOf(story),
  ];
  const name = ({ session, sensor }: Story) =>
    `${visible(session)}${sensors.length > 1 ? ` on ${sensorLabel(sensor)}` : ""}`;
  return [heading.filter(fact => fact !== "").join(", "), `first ${name(story)} (shown), last ${name(stories.at(-1)!)}`];
}

/** Group sessions by sensor, then day; sensors in order of their first session. */
export function groupStories(stories: readonly Story[]) {
  const sensors = new Map<string, Map<number, Story[]>>();
  for (const story of stories) {
    const days = sensors.get(story.sensor) ?? new Map<number, Story[]>();
    sensors.set(story.sensor, days);
    const day = dayOfStory(story);
    const own = days.get(day);
    if (own === undefined) days.set(day, [story]);
    else own.push(story);
  }
  return [...sensors].flatMap(([sensor, days]) => [...days].map(([day, own]) => ({ sensor, day, stories: own })));
}

/** One line about a session in a list of many. */
function sessionLine(story: Story, withAddress: boolean): string {
  const clock = formatInstant(story.startUs).slice(11);
  const facts = [
    `${clock}  session ${visible(story.session)}`,
    ...(withAddress ? [visible(story.address ?? "unknown address")] : []),
    story.protocol ?? "unknown protocol",
    describeDuration(story),
    countsOf(story),
  ];
  return facts.filter(fact => fact !== "").join(", ");
}

/** `6 logins, 1 accepted; 2 commands`. */
export function countsOf({ logins, commands, files, forwards }: Story): string {
  const letIn = logins.filter(({ isLetIn }) => isLetIn).length;
  return [
    ...(logins.length > 0
      ? [`${plural(logins.length, "login")}${letIn > 0 ? ` (${formatNumber(letIn)} accepted)` : ""}`]
      : []),
    ...(commands.length > 0 ? [plural(commands.length, "command")] : []),
    ...(files.length > 0 ? [plural(files.length, "file")] : []),
    ...(forwards > 0 ? [plural(forwards, "forward")] : []),
  ].join(", ");
}

/** How long it took, and whether the log says so. */
export function describeDuration(story: Story): string {
  const length = formatDuration(story.durationSec);
  if (!story.hasStart) return `${length} seen, beginning not in these logs`;
  if (!story.hasEnd) return `${length} seen, end not in these logs`;
  return length;
}

/** What is known of a session beside its steps: name and text. */
export function sessionFacts(story: Story): [name: string, text: string][] {
  const protocol =
    story.protocol === undefined
      ? "protocol unknown"
      : `${story.protocol}${story.isProtocolDerived ? " (derived)" : ""}`;
  const target =
    story.targetAddress === undefined ? "" : ` to ${visible(toEndpoint(story.targetAddress, story.targetPort))}`;
  const isOneDay = dayOf(story.startUs) === dayOf(story.endUs);
  const end = formatInstant(story.endUs);
  const derived = story.hasStart && story.hasEnd && story.isDurationDerived ? " (derived)" : "";
  const counts = countsOf(story);
  return [
    ["from", `${visible(toEndpoint(story.address, story.port))}${target}, ${protocol}`],
    ...(story.origin === undefined ? [] : [["origin", visible(describeOrigin(story.origin)) || "unknown"] as [string, string]]),
    [
      "time",
      `${formatInstant(story.startUs)} to ${isOneDay ? end.slice(11) : end} UTC, ${describeDuration(story)}${derived}`,
    ],
    ...story.versions.map((version): [string, string] => ["client", visible(version)]),
    ...story.hasshes.map((hassh): [string, string] => ["HASSH", visible(hassh)]),
    ["events", `${formatNumber(story.events)}${counts === "" ? "" : `: ${counts}`}`],
    ...listTechniques(story.commands).map((name, i): [string, string] => [i === 0 ? "ATT&CK" : "", name]),
  ];
}

/** Techniques of some commands, each once, by name. */
function listTechniques(commands: readonly string[]): string[] {
  const ids = new Set(commands.flatMap(techniquesOf));
  return TECHNIQUES.filter(({ id }) => ids.has(id)).map(({ id }) => techniqueName(id));
}

/** The summary of several sessions: name and text. */
export function summaryFacts(summary: StorySummary): [name: string, text: string][] {
  const { sensors, addresses, sessions, days, loginsTried, loginsLetIn, commands, files } = summary;
  const shownSensors = sensors.slice(0, SUMMARY_ROWS).map(sensorLabel).join(", ");
  const moreSensors = sensors.length > SUMMARY_ROWS ? `, and ${formatNumber(sensors.length - SUMMARY_ROWS)} more` : "";
  const fetched = files.reduce((sum, { count }) => sum + count, 0);
  const typed = commands.reduce((sum, { count }) => sum + count, 0);
  const differing = (all: number, different: number) =>
    all === 0
      ? "none"
      : `${formatNumber(all)}${all === different ? "" : `, ${formatNumber(different)} distinct`}`;
  return [
    ["seen", `${formatInstant(summary.firstUs)} to ${formatInstant(summary.lastUs)} UTC`],
    [
      "sessions",
      `${formatNumber(sessions)} on ${plural(days, "day")}${addresses.length > 1 ? `, from ${plural(addresses.length, "address", "addresses")}` : ""}`,
    ],
    ...summary.origins
      .slice(0, 5)
      .map(({ text, addresses: n }): [string, string] => [
        "origin",
        `${visible(text)}${addresses.length > 1 ? ` (${plural(n, "address", "addresses")})` : ""}`,
      ]),
    ["sensors", `${shownSensors}${moreSensors}`],
    [
      "logins",
      loginsTried === 0
        ? "none"
        : `${formatNumber(loginsTried)} with ${plural(summary.credentials.length, "credential")}, ` +
          `${formatNumber(loginsLetIn)} accepted (${formatShare(loginsLetIn / loginsTried)})`,
    ],
    ["commands", differing(typed, commands.length)],
    ["files", differing(fetched, new Set(files.map(({ value }) => value.hash)).size)],
    ...(summary.forwards > 0 ? [["forwards", formatNumber(summary.forwards)] as [string, string]] : []),
    ...summary.versions
      .slice(0, 3)
      .map(({ value, sessions: n }): [string, string] => ["client", `${visible(value)} (${plural(n, "session")})`]),
    ...summary.hasshes
      .slice(0, 3)
      .map(({ value, sessions: n }): [string, string] => ["HASSH", `${visible(value)} (${plural(n, "session")})`]),
  ];
}

function* summaryTables(summary: StorySummary, options: TraceTextOptions): Generator<string> {
  const table = (title: string, all: number, text: string) => {
    const shown = all > SUMMARY_ROWS ? `, first ${SUMMARY_ROWS} of ${formatNumber(all)}` : "";
    return `\n${paint(cut(`${title}${shown}`, options.width), "bold", options.color)}\n${text}`;
  };
  const { credentials, commands, files } = summary;
  if (credentials.length > 0) {
    const rows = credentials
      .slice(0, SUMMARY_ROWS)
      .map(({ value, count, letIn }) => [count, letIn, value.username, value.password]);
    const columns = [{ title: "tried" }, { title: "accepted" }, { title: "user" }, { title: "password" }];
    yield table("Credentials tried", credentials.length, formatTable(columns, rows, { width: options.width }));
  }
  if (commands.length > 0) {
    const rows = commands.slice(0, SUMMARY_ROWS).map(({ value, count, sessions }) => [count, sessions, value]);
    const columns = [{ title: "typed" }, { title: "sessions" }, { title: "command" }];
    yield table("Commands", commands.length, formatTable(columns, rows, { width: options.width }));
  }
  if (files.length > 0) {
    const rows = files
      .slice(0, SUMMARY_ROWS)
      .map(({ value, count }) => [
        count,
        value.isUpload ? "upload" : "download",
        describeVerdict(value.verdict),
        value.hash,
        value.name || null,
      ]);
    const columns = [
      { title: "times" },
      { title: "way" },
      { title: "verdict" },
      { title: "sha256" },
      { title: "name" },
    ];
    yield table("Files", files.length, formatTable(columns, rows, { width: options.width }));
  }
}

/** What was found nowhere, in one line. */
export function notFoundText(what: string, searched: Searched): string {
  const { logs, days, firstUs, lastUs } = searched;
  const span =
    firstUs === undefined || lastUs === undefined
      ? ""
      : `, ${toSpan(formatInstant(firstUs).slice(0, 10), formatInstant(lastUs).slice(0, 10))}`;
  return `Cannot find ${what}: searched ${plural(logs, "file")} of ${plural(days, "day")}${span}`;
}

function factLines(facts: readonly (readonly [string, string])[], { width, color }: TraceTextOptions): string {
  return facts
    .map(([name, text]) => {
      const label = name.padEnd(LABEL_WIDTH);
      return `  ${paint(label, "dim", color)} ${cut(text, width, 3 + LABEL_WIDTH)}\n`;
    })
    .join("");
}

/** @param isInList What the line above it says is left out. */
function stepsToText(story: Story, { width, color }: TraceTextOptions, indent: string, isInList = false): string {
  const steps = isInList ? story.steps.filter(({ kind }) => kind !== "connection") : story.steps;
  const offsets = steps.map(({ us }) => formatOffset(us - story.startUs));
  const offsetWidth = offsets.reduce((most, offset) => Math.max(most, offset.length), 0);
  const whatWidth = steps.reduce((most, { what }) => Math.max(most, textWidth(visible(what))), 0);
  let text = "";
  steps.forEach((step, i) => {
    const left = `${indent}${offsets[i]!.padStart(offsetWidth)}  `;
    const shownWhat = visible(step.what);
    const what = `${shownWhat}${" ".repeat(whatWidth - textWidth(shownWhat))}`;
    const rest = `${what}  ${stepText(step)}`.trimEnd();
    const line = cut(rest, width, left.length);
    text += `${paint(left.trimEnd(), "dim", color)}  ${paintTone(line, step, color)}\n`;
  });
  return text;
}

function stepText({ parts, repeats }: Step): string {
  const text = parts.map(showPart).join(" ");
  return repeats > 1 ? `${text} (${formatNumber(repeats)} times)` : text;
}

function paintTone(line: string, { tone }: Step, color: boolean): string {
  if (tone === "plain") return line;
  return paint(line, tone === "alarm" ? "red" : tone === "strong" ? "green" : "dim", color);
}

/** Cut to what a terminal has left behind `used` columns. */
function cut(text: string, width: number | undefined, used = 0): string {
  return width === undefined ? text : ellipsize(text, Math.max(WIDTH_LEAST, width - used));
}
