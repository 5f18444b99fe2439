/**
 * The sessions of a few days that typed something, as stories: what the page carries of them, and how they are told under a
 * filter. The same on the server and in the page.
 *
 * Tested in `test/lib/campaigns/session-stories.test.ts`.
 */
import type { SessionStory, StoryCounts } from "../campaigns/session-stories.ts";
import { clipEnd, cutLong } from "../text/cut.ts";
import { formatNumber, plural } from "../text/format.ts";
import { toDayLabel } from "../text/labels.ts";
import { visible } from "../text/text.ts";
import { DAY_US, dayOf } from "../text/time.ts";
import { type Cells, type Grid, sumCells } from "./cells.ts";
import { element, type Markup } from "./markup.ts";
import { sumTallies } from "./report-chains.ts";
import { type TrailPlaces, traceSession } from "./report-trails.ts";
import type { Scope } from "./report-view.ts";

/** Stories on the first screen. */
const SHOWN_MOST = 5;
/** Characters of what was typed, in all and of one command, that are shown; and that are carried. */
const TYPED_MOST = 110;
const COMMAND_MOST = 64;
const CARRY_MOST = 300;
const VALUE_MOST = 40;
/** Of a hash the beginning tells it apart. */
const HASH_MOST = 13;

/** A story as the page carries it. */
export interface CarriedStory extends Omit<SessionStory, "tally"> {
  /** Sessions by day and sensor. */
  readonly cells: Cells;
}

export interface StoriesData {
  readonly stories: readonly CarriedStory[];
  /** Different ones there are, carried or not. */
  readonly all: number;
}

/** @returns undefined where nothing was typed on the days and sensors of the page. */
export function buildStoriesData({ sensors: named, stories, all }: StoryCounts, grid: Grid, sensors: readonly string[]): StoriesData | undefined {
  const carried = stories.map(({ tally, ...story }): CarriedStory => ({ ...cutTexts(story), cells: sumTallies([tally], named, grid, 1, sensors) }));
  const within = carried.filter(({ cells }) => cells.at.length > 0);
  return within.length === 0 ? undefined : { stories: within, all };
}

function cutTexts<Story extends Omit<SessionStory, "tally">>(story: Story): Story {
  const cut = (text: string) => (text.length > CARRY_MOST ? `${cutLong(text).slice(0, CARRY_MOST)}…` : text);
  const { commands, files, hosts, credential } = story;
  return { ...story, commands: commands.map(cut), files: files.map(cut), hosts: hosts.map(cut), credential: credential && [cut(credential[0]), cut(credential[1])] };
}

/** The stories with a session on the days and sensors chosen. */
function storiesWithin({ stories }: StoriesData, { data, filter }: Scope): { story: CarriedStory; sessions: number }[] {
  return stories.map(story => ({ story, sessions: sumCells(story.cells, data.grid, filter) })).filter(({ sessions }) => sessions > 0);
}

/** Items of a list, and behind them how many there are that are not told. */
export function storiesMarkup(scope: Scope, data: StoriesData, places: TrailPlaces): Markup[] {
  const within = storiesWithin(data, scope);
  if (within.length === 0) return [element("li", { class: "none" }, "Nothing was typed in this selection.")];
  const items = within.slice(0, SHOWN_MOST).map(({ story, sessions }) => storyMarkup(scope, story, sessions, places));
  const left = (scope.whole ? data.all : within.length) - items.length;
  return left > 0 ? [...items, element("li", { class: "none" }, `and ${plural(left, "more way", "more ways")}, see Chains`)] : items;
}

function storyMarkup({ data, whole }: Scope, story: CarriedStory, sessions: number, places: TrailPlaces): Markup {
  const { us, sensor, session } = story;
  const time = new Date((us - dayOf(us) * DAY_US) / 1000).toISOString().slice(11, 16);
  const where = data.sensors.length > 1 ? [" on ", code(sensor === "" ? "(no name)" : sensor)] : [];
  return element(
    "li",
    { class: "told typed" },
    element("span", { class: "when" }, ...(data.grid.days > 1 ? [element("span", { class: "what" }, toDayLabel(dayOf(us)))] : []), time),
    element(
      "span",
      { class: "sentence" },
      ...typedMarkup(story),
      element("span", { class: "from" }, ...fromMarkup(story, sessions, whole), ...where, ...outcomeMarkup(story)),
    ),
    element(
      "span",
      { class: "beside" },
      element("span", { class: "basis", title: "Number of the session: trace-sid.ts tells all of it" }, visible(session)),
      element("button", { type: "button", class: "script copy show", "data-copy": traceSession(places, session), "aria-label": `Copy trace: the command that traces ${visible(session)}` }, "Copy trace"),
    ),
  );
}

const code = (text: string) => element("code", {}, clipEnd(visible(text), VALUE_MOST));

/** As many of the commands as a line or two hold. */
function typedMarkup({ commands, all, isCut }: CarriedStory): (Markup | string)[] {
  const parts: (Markup | string)[] = [];
  let [room, shown] = [TYPED_MOST, 0];
  for (const command of commands) {
    if (shown > 0 && room < command.length && room < COMMAND_MOST / 2) break;
    const text = clipEnd(visible(command), Math.max(COMMAND_MOST / 2, Math.min(room, COMMAND_MOST)));
    parts.push(...(shown > 0 ? [element("span", { class: "then" }, " → ")] : []), text.trim() === "" ? element("i", {}, "(an empty line)") : element("code", {}, text));
    room -= text.length + 3;
    shown++;
  }
  const left = all - shown;
  return left > 0 ? [...parts, element("span", { class: "what" }, ` + ${plural(left, "command")}${isCut ? " or more" : ""}`)] : parts;
}

function fromMarkup({ address, addresses, credential, variants }: CarriedStory, sessions: number, whole: boolean): (Markup | string)[] {
  const more = whole && addresses > 1 ? ` and ${plural(addresses - 1, "other address", "other addresses")}` : "";
  return [
    sessions === 1 ? "once" : `${plural(sessions, "session")}${whole && variants > 1 ? ` in ${formatNumber(variants)} variants` : ""}`,
    // The session that is told of may be none of them.
    whole ? ", " : " in this selection, first of all ",
    ...(address === null ? ["from an address that is not known"] : ["from ", code(address), more]),
    ...(credential === null ? [] : [" as ", code(`${credential[0]} / ${credential[1]}`)]),
  ];
}

/** What it left: files, keys, hosts that something was asked of. */
function outcomeMarkup({ files, filesAll, hosts, planted }: CarriedStory): (Markup | string)[] {
  const list = (texts: readonly string[]) => texts.flatMap((text, i): (Markup | string)[] => (i === 0 ? [code(text)] : [", ", code(text)]));
  const parts = [
    ...(filesAll > 0 ? [[`${plural(filesAll, "file")} `, ...list(files.slice(0, 1).map(hash => clipEnd(hash, HASH_MOST)))]] : []),
    ...(planted > 0 ? [[`${plural(planted, "SSH key")} planted`]] : []),
    ...(filesAll === 0 && hosts.length > 0 ? [["asked for something at ", ...list(hosts.slice(0, 1))]] : []),
  ];
  return parts.flatMap((part, i): (Markup | string)[] => [i === 0 ? ": " : ", ", ...part]);
}
