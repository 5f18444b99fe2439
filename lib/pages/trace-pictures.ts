/**
 * The pictures of a trace: one session's events, sessions as lanes, all of them on the calendar.
 *
 * Tested in `test/lib/pages/trace-page.test.ts`.
 */
import type { SessionRow } from "../sessions/equal-sessions.ts";
import { reachOf, REACHES, type Story } from "../sessions/story.ts";
import type { Step, StepKind } from "../sessions/story-steps.ts";
import { formatOffset } from "../sessions/trace-text.ts";
import { clipEnd, clipMiddle } from "../text/cut.ts";
import { formatDuration, formatInstant, formatNumber, toIsoDay } from "../text/format.ts";
import { sensorLabel } from "../text/labels.ts";
import { visible } from "../text/text.ts";
import { DAY_US, dayOf } from "../text/time.ts";
import { element, type Markup } from "../view/markup.ts";
import { round1 } from "../view/scale.ts";

/** Lanes of the picture. */
export const LANES_SHOWN = 60;
/** Steps of one session; a bot that forwards mail makes tens of thousands. */
export const STEPS_SHOWN = 2000;

const WIDTH = 1040;
/** High enough for a finger where the picture is not squeezed. */
const LANE_HEIGHT = 26;
const LANE_LEFT = 250;
const LANE_RIGHT = WIDTH - 90;
const LANE_TOP = 8;
/** From this many lanes on the scale stands above them as well. */
const LANES_TALL = 12;

/** Kinds of step that are drawn, in the order of a single session's lanes. */
const MARKS: readonly { kind: StepKind; name: string }[] = [
  { kind: "connection", name: "connection" },
  { kind: "client", name: "client" },
  { kind: "login", name: "login" },
  { kind: "command", name: "command" },
  { kind: "file", name: "file" },
  { kind: "forward", name: "forward" },
  { kind: "terminal", name: "terminal" },
  { kind: "end", name: "end" },
  { kind: "other", name: "other" },
];
/** Kinds worth a mark where sessions share a picture. */
const SHARED_MARKS: ReadonlySet<StepKind> = new Set(["login", "command", "file", "forward"]);

export function markLegend(stories: readonly Story[]) {
  const kinds = new Set(stories.flatMap(({ steps }) => steps.map(({ kind }) => kind)));
  const wanted = MARKS.filter(({ kind }) => kinds.has(kind) && SHARED_MARKS.has(kind));
  const isBad = stories.some(({ steps }) => steps.some(({ tone, kind }) => tone === "alarm" && kind === "file"));
  return [
    ...wanted.filter(({ kind }) => kind !== "login").map(({ kind, name }) => ({ className: `m-${kind}`, name })),
    ...(isBad ? [{ className: "m-alarm", name: "file known as malware" }] : []),
    ...(kinds.has("login")
      ? [
          { className: "m-login", name: "login refused" },
          { className: "m-letin", name: "login accepted" },
        ]
      : []),
  ];
}

function markClass(step: Step): string {
  if (step.tone === "alarm") return "m-alarm";
  return step.kind === "login" && step.tone === "strong" ? "m-letin" : `m-${step.kind}`;
}

/** A mark of an event; its title tells what. */
function drawMark(step: Step, story: Story, x: number, y: number): Markup {
  const title = element(
    "title",
    {},
    `${formatOffset(step.us - story.startUs)} ${visible(step.what)}: ${step.parts.map(({ text }) => visible(text.slice(0, 200))).join(" ")}`,
  );
  const className = `mark-at ${markClass(step)}`;
  return step.kind === "file"
    ? element("path", { class: className, d: `M${x} ${y - 6}l5.5 6l-5.5 6l-5.5 -6z` }, title)
    : step.kind === "command" || step.kind === "forward"
      ? element("rect", { class: className, x: round1(x - 2), y: y - 6, width: 4, height: 12 }, title)
      : element("circle", { class: className, cx: x, cy: y, r: step.tone === "strong" ? 5 : 3.5 }, title);
}

/** One session: a lane per kind of event, from connect to end. */
export function drawSession(story: Story): Markup {
  const kinds = MARKS.filter(({ kind }) => story.steps.some(step => step.kind === kind));
  const height = LANE_TOP + kinds.length * 26 + 22;
  const left = 110;
  const right = WIDTH - 20;
  const first = Math.min(story.startUs, ...story.steps.slice(0, 1).map(({ us }) => us));
  const last = story.steps.reduce((most, { lastUs }) => Math.max(most, lastUs), story.endUs);
  const span = Math.max(1, last - first);
  const x = (us: number) => round1(left + ((us - first) / span) * (right - left));
  const ticks = linearTicks(span / 1e6).map(seconds => ({
    at: round1(left + ((seconds * 1e6) / span) * (right - left)),
    text: shortTime(seconds),
  }));
  const bottom = LANE_TOP + kinds.length * 26;
  const lanes = kinds.flatMap(({ kind, name }, lane) => {
    const y = LANE_TOP + lane * 26 + 13;
    const own = story.steps.filter(step => step.kind === kind);
    return [
      element("text", { class: "row", x: left - 12, y, dy: ".35em" }, name),
      element("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }),
      ...own.slice(0, STEPS_SHOWN).map(step => drawMark(step, story, x(step.us), y)),
    ];
  });
  return frame(height, `Events of session ${visible(story.session)} over time`, [
    ...drawTicks(ticks, bottom),
    ...lanes,
  ]);
}

/** Several sessions: a lane each, from the connect on, on a logarithmic scale of time. */
export function drawLanes(rows: readonly SessionRow[], withAddress: boolean, anchors: ReadonlyMap<Story, string>): Markup {
  const lanesShown = rows.slice(0, LANES_SHOWN);
  const shown = lanesShown.map(({ story }) => story);
  const longest = shown.reduce((most, story) => Math.max(most, (lastOf(story) - story.startUs) / 1e6), 1);
  const reach = Math.log10(1 + longest);
  const x = (us: number, story: Story) =>
    round1(LANE_LEFT + (Math.log10(1 + Math.max(0, us - story.startUs) / 1e6) / reach) * (LANE_RIGHT - LANE_LEFT));
  const top = shown.length >= LANES_TALL ? LANE_TOP + 16 : LANE_TOP;
  // What tells the lanes apart, shortest first.
  const hasSensors = new Set(shown.map(({ sensor }) => sensor)).size > 1;
  const nameOf = ({ address, sensor, session }: Story) =>
    withAddress ? visible(address ?? "unknown") : hasSensors ? sensorLabel(sensor) : visible(session);
  const bottom = top + shown.length * LANE_HEIGHT;
  const ticks = LOG_TICKS.filter(seconds => seconds <= longest).map(seconds => ({
    at: round1(LANE_LEFT + (Math.log10(1 + seconds) / reach) * (LANE_RIGHT - LANE_LEFT)),
    text: shortTime(seconds),
  }));
  const lanes = lanesShown.map(({ story, stories }, lane) => {
    const y = top + lane * LANE_HEIGHT + LANE_HEIGHT / 2;
    const start = formatInstant(story.startUs).slice(5);
    const name = stories.length > 1 ? `${formatNumber(stories.length)} × since ${start}` : `${start} ${nameOf(story)}`;
    // A lane leads to its session below; whoever has no pointer reads on.
    return element(
      "a",
      { href: `#${anchors.get(story)!}`, class: "lane-link", tabindex: -1 },
      element("rect", { class: "reach", x: 0, y: y - LANE_HEIGHT / 2, width: WIDTH, height: LANE_HEIGHT }),
      element(
        "text",
        { class: "row", x: LANE_LEFT - 12, y, dy: ".35em" },
        clipEnd(name, 34),
        element("title", {}, `${name}, session ${visible(story.session)}`),
      ),
      element("line", {
        class: "lane",
        x1: LANE_LEFT,
        x2: Math.max(LANE_LEFT + 2, x(story.endUs, story)),
        y1: y,
        y2: y,
      }),
      ...story.steps
        .filter(({ kind }) => SHARED_MARKS.has(kind))
        .slice(0, 400)
        .map(step => drawMark(step, story, x(step.us, story), y)),
      element("text", { class: "tick", x: LANE_RIGHT + 12, y, dy: ".35em" }, formatDuration(story.durationSec)),
    );
  });
  const above =
    top > LANE_TOP ? ticks.map(({ at, text }) => element("text", { class: "tick", x: at, y: 12 }, text)) : [];
  const parts = [...above, ...drawTicks(ticks, bottom, top), ...lanes];
  return frame(bottom + 22, "Sessions as lanes from their connect on, each a link to the session", parts, "group");
}

/** All sessions on the calendar, a row per sensor. */
export function drawCalendar(stories: readonly Story[], sensors: readonly string[]): Markup {
  const firstDay = dayOf(stories.reduce((least, { startUs }) => Math.min(least, startUs), Infinity));
  const lastDay = dayOf(stories.reduce((most, { startUs }) => Math.max(most, startUs), -Infinity));
  const days = lastDay - firstDay + 1;
  const left = 170;
  const right = WIDTH - 20;
  const rowHeight = 28;
  const bottom = LANE_TOP + sensors.length * rowHeight;
  const x = (us: number) => round1(left + ((us / DAY_US - firstDay) / days) * (right - left));
  const step = Math.max(1, Math.ceil(days / 7));
  const ticks = Array.from({ length: Math.ceil(days / step) }, (_, i) => ({
    at: round1(left + ((i * step) / days) * (right - left)),
    text: toIsoDay(firstDay + i * step),
  }));
  const rows = sensors.flatMap((sensor, row) => {
    const y = LANE_TOP + row * rowHeight + rowHeight / 2;
    const own = stories.filter(story => story.sensor === sensor);
    // One path per reach: a thousand sessions are five elements; what went furthest is drawn last, on top.
    const paths = [...REACHES].reverse().flatMap(reach => {
      const d = [...new Set(own.filter(story => reachOf(story) === reach).map(({ startUs }) => x(startUs)))]
        .map(at => `M${at} ${y - 9}v18`)
        .join("");
      return d === "" ? [] : [element("path", { class: `session-at o-${reach}`, d })];
    });
    return [
      element(
        "text",
        { class: "row", x: left - 12, y, dy: ".35em" },
        clipMiddle(sensorLabel(sensor), 22),
        element("title", {}, sensorLabel(sensor)),
      ),
      element("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }),
      ...paths,
    ];
  });
  return frame(bottom + 22, "Sessions per sensor over the days", [...drawTicks(ticks, bottom), ...rows]);
}

const LOG_TICKS = [0, 1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10_800, 36_000, 86_400, 604_800];

function linearTicks(seconds: number): number[] {
  const steps = [
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800,
  ];
  const step = steps.find(candidate => seconds / candidate <= 9) ?? seconds / 8;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
}

function shortTime(seconds: number): string {
  if (seconds < 60) return `${round1(seconds)} s`;
  if (seconds < 3600) return `${round1(seconds / 60)} min`;
  return seconds < 86_400 ? `${round1(seconds / 3600)} h` : `${round1(seconds / 86_400)} d`;
}

function lastOf({ steps, endUs }: Story): number {
  return steps.reduce((most, { us, kind }) => (SHARED_MARKS.has(kind) ? Math.max(most, us) : most), endUs);
}

function drawTicks(ticks: readonly { at: number; text: string }[], bottom: number, top = LANE_TOP): Markup[] {
  return ticks.flatMap(({ at, text }) => [
    element("line", { class: "grid", x1: at, x2: at, y1: top - 4, y2: bottom }),
    element("text", { class: at > WIDTH - 50 ? "tick end" : "tick", x: at, y: bottom + 14 }, text),
  ]);
}

function frame(height: number, label: string, parts: readonly Markup[], role = "img"): Markup {
  const size = { viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height };
  return element("svg", { class: "chart trace", ...size, role, "aria-label": label }, ...parts);
}
