/**
 * From a value of the report to its sessions: what the page carries of them, what it shows of them under a filter,
 * and the commands that trace them. The same on the server and in the page; nothing here knows HTML.
 */
import { type Cells, sumCells } from "./cells.ts";
import { formatInstant, formatNumber, plural, toIsoDay } from "../text/format.ts";
import type { ReportData } from "./report-data.ts";
import { type Ranking, type Scope, toParts } from "./report-view.ts";
import { SECTIONS } from "./report-sections.ts";
import type { Trail } from "../sessions/newest-sessions.ts";
import type { TrailQuery } from "../sessions/session-trails.ts";
import { stretchOf } from "../sessions/stretches.ts";
import { cutLong } from "../text/cut.ts";
import { quoteShell } from "../text/shell.ts";
import { visible } from "../text/text.ts";
import type { KeyColumn, KeyValue } from "../reduced/kinds.ts";
import { DAY_SECONDS } from "../text/time.ts";

/** Values of a section whose sessions a page carries. */
export const TRAIL_KEYS = 40;
/** Sessions in a sheet. */
const SHOWN_MOST = 10;
/** Sessions that a page carries; the newest of each value it carries whatever there are. */
const CARRY_MOST = 6000;
const NEWEST_CARRIED = 5;
/** Longest value that is written into a command. */
const ARGUMENT_MOST = 300;
const SECOND_US = 1_000_000;

/** A session as the page carries it. */
export interface CarriedSession {
  /** Whole seconds since 1970-01-01 UTC. */
  readonly second: number;
  readonly sensor: string;
  readonly session: string;
  readonly address: string | null;
}

/** Where the commands of a page find what they need, from whatever folder they are run. */
export type TrailPlaces = Pick<TrailsData, "where" | "scripts" | "folders">;

export interface TrailsData {
  /** The logs as arguments of a command, ready for a shell. */
  readonly where: string;
  /** Folder of the scripts, absolute. */
  readonly scripts: string;
  /** Folders that a screen shows as `…/`; what is copied has them. */
  readonly folders: readonly string[];
  /** Stretches of days are counted back from it. */
  readonly lastDay: number;
  readonly sessions: readonly CarriedSession[];
  /**
   * By section: `keys[key]` = places in the sessions, newest first; empty for values without. `cut[key]` = where older
   * sessions were left out, as stretch * sensors + sensor.
   */
  readonly sections: readonly {
    readonly id: string;
    readonly keys: readonly (readonly number[])[];
    readonly cut: readonly (readonly number[])[];
  }[];
}

/** What is looked for in the event tables. */
export function toTrailQueries(data: ReportData): TrailQuery[] {
  const { grid } = data;
  // Beyond the days that are drawn nothing is known of any.
  const isAllDrawn = data.eventsOutside === 0;
  const daysOf = (key: readonly KeyValue[], { at }: Cells) => {
    // Texts that are cut alike are told as one.
    const isExact = isAllDrawn && key.every(value => typeof value !== "string" || value === cutLong(value));
    return isExact ? at.map(cell => grid.firstDay + Math.floor(cell / grid.sensors)) : undefined;
  };
  return data.sections.flatMap(({ id, keys, cells, firstSeenUs, lastSeenUs }) => {
    const { eventids, columns } = SECTIONS.find(section => section.id === id)!;
    if (eventids === undefined) return [];
    const most = Math.min(TRAIL_KEYS, keys.length);
    return [
      {
        id,
        eventids,
        // Sections by origin name no events.
        columns: columns as readonly KeyColumn[],
        keys: keys.slice(0, most),
        firstSeenUs: firstSeenUs.slice(0, most),
        lastSeenUs: lastSeenUs.slice(0, most),
        days: keys.slice(0, most).map((key, i) => daysOf(key, cells[i]!)),
      },
    ];
  });
}

/**
 * Each session once, whichever values it stands behind; newest first. As many as there is room for: of every value the
 * newest, then the newest of each sensor and stretch of days, then the next of each.
 *
 * @param sensors The names by which the page knows them.
 */
export function buildTrailsData(
  queries: readonly TrailQuery[],
  trails: readonly (readonly Trail[])[],
  places: TrailPlaces,
  lastDay: number,
  sensors: readonly string[],
): TrailsData {
  const codes = new Map(sensors.map((name, code) => [name, code]));
  const placeOf = (stretch: number, sensor: string) => stretch * sensors.length + (codes.get(cutLong(sensor)) ?? 0);
  const ranked = trails.map(keys => keys.map(trail => rankSessions(trail, lastDay, placeOf)));
  const rankMost = roomFor(ranked.flat(2).map(({ rank }) => rank));
  const byKey = new Map<string, CarriedSession>();
  // The same session at another second is another entry: it is shown with the time of the value.
  const keyOf = (one: CarriedSession) => `${one.second}\u0000${one.sensor}\u0000${one.session}`;
  const sections = queries.map(({ id }, i) => {
    const cuts = trails[i]!.map(({ cut }) => new Set(cut.map(({ stretch, sensor }) => placeOf(stretch, sensor))));
    const keys = ranked[i]!.map((list, key) => {
      for (const { rank, place } of list) if (rank > rankMost) cuts[key]!.add(place);
      return list.filter(({ rank }) => rank <= rankMost).map(({ session }) => session);
    });
    for (const session of keys.flat()) byKey.set(keyOf(session), byKey.get(keyOf(session)) ?? session);
    return { id, keys, cut: cuts.map(set => [...set].sort((a, b) => a - b)) };
  });
  const sorted = [...byKey].sort(([a, left], [b, right]) => right.second - left.second || (a < b ? -1 : 1));
  const order = new Map(sorted.map(([key], i) => [key, i]));
  return {
    ...places,
    lastDay,
    sessions: sorted.map(([, session]) => session),
    sections: sections.map(({ id, keys, cut }) => ({
      id,
      keys: keys.map(list => list.map(session => order.get(keyOf(session))!)),
      cut,
    })),
  };
}

/** A trail's sessions with what they stand behind: 0 for the newest of all, else 1 and on in their sensor and stretch. */
function rankSessions(
  { sessions }: Trail,
  lastDay: number,
  placeOf: (stretch: number, sensor: string) => number,
): { session: CarriedSession; place: number; rank: number }[] {
  const met = new Map<number, number>();
  return sessions.map(({ us, sensor, session, address }, i) => {
    const second = Math.floor(us / SECOND_US);
    const place = placeOf(stretchOf(Math.floor(second / DAY_SECONDS), lastDay), sensor);
    const before = met.get(place) ?? 0;
    met.set(place, before + 1);
    return { session: { second, sensor, session, address }, place, rank: i < NEWEST_CARRIED ? 0 : before + 1 };
  });
}

/** The largest rank that is carried in full. */
function roomFor(ranks: readonly number[]): number {
  const sizes: number[] = [];
  for (const rank of ranks) sizes[rank] = (sizes[rank] ?? 0) + 1;
  let sum = 0;
  for (let rank = 0; rank < sizes.length; rank++) {
    sum += sizes[rank] ?? 0;
    if (sum > CARRY_MOST) return Math.max(0, rank - 1);
  }
  return sizes.length;
}

/** Sessions of a key; none where the page carries none. */
export function sessionsOf(trails: TrailsData | undefined, id: string, key: number): CarriedSession[] {
  const section = trails?.sections.find(candidate => candidate.id === id);
  return (section?.keys[key] ?? []).map(place => trails!.sessions[place]!);
}

/** A command to copy, and what it does. */
export interface TrailCommand {
  readonly what: string;
  readonly text: string;
}

export interface TrailRowView {
  readonly time: string;
  readonly sensor: string;
  readonly address: string;
  readonly session: string;
  /** Traces this session. */
  readonly command: string;
}

export type TrailView = ReturnType<typeof buildTrail>;

/**
 * The sessions of a value under the filter.
 *
 * @param most Rows at most; what is left out is counted.
 */
export function buildTrail(
  scope: Scope,
  trails: TrailsData,
  ranking: Ranking,
  key: number,
  most: number = SHOWN_MOST,
) {
  const { section, data } = ranking;
  const { found, sessions } = findInside(scope, trails, section.id, key, most);
  const rows = sessions.map(({ second, sensor, session, address }): TrailRowView => {
    return {
      time: formatInstant(second * SECOND_US),
      sensor: sensor === "" ? "(no name)" : visible(sensor),
      address: address === null ? "–" : visible(address),
      session: visible(session),
      command: traceSession(trails, session),
    };
  });
  const n = rows.length;
  const count = sumCells(data.cells[key]!, scope.data.grid, scope.filter);
  const total = plural(count, section.unit.slice(0, -1), section.unit);
  const shown = `${found}; ${total} in ${scope.whole ? "all" : "the selection"}.`;
  const all = traceAll(scope, trails, section.id, data.keys[key]!);
  const newest = rows[0];
  return {
    /** The value. */
    parts: toParts(section.columns, data.keys[key]!),
    /** How many of how many. */
    shown,
    rows,
    /** As in {@link TrailsData}. */
    folders: trails.folders,
    /** A column that says something: sensors where there are several, addresses where the value is none. */
    hasSensors: scope.data.sensors.length > 1,
    hasAddresses: section.columns[0] !== "src_ip" && sessions.some(({ address }) => address !== null),
    commands: [
      ...(newest === undefined
        ? []
        : [{ what: n === 1 ? "Trace it" : "Trace the first of them", text: newest.command }]),
      ...(all === undefined ? [] : [all]),
    ],
  };
}

/** Carried sessions inside the filter, newest first, each once, and what they are of all there are. */
function findInside(scope: Scope, trails: TrailsData, id: string, key: number, most: number) {
  const { range, sensors } = scope.filter;
  const codes = new Map(scope.data.sensors.map((name, code) => [name, code]));
  const dayOf = ({ second }: CarriedSession) => Math.floor(second / DAY_SECONDS);
  const codeOf = ({ sensor }: CarriedSession) => codes.get(cutLong(sensor)) ?? 0;
  const carried = sessionsOf(trails, id, key);
  const met = new Set<string>();
  const inside = carried.filter(one => {
    const name = `${one.sensor}\u0000${one.session}`;
    const day = dayOf(one);
    if (!scope.whole && (day < range.first || day > range.last || sensors[codeOf(one)] !== 1)) return false;
    return met.has(name) ? false : met.add(name);
  });
  // Of a sensor and stretch of which some were left out, what is carried are the newest: later ones are all carried.
  const oldest = new Map<number, number>();
  for (const one of carried) {
    oldest.set(stretchOf(dayOf(one), trails.lastDay) * sensors.length + codeOf(one), one.second);
  }
  const firstStretch = stretchOf(range.last, trails.lastDay);
  const lastStretch = stretchOf(range.first, trails.lastDay);
  let since = -Infinity;
  for (const place of trails.sections.find(section => section.id === id)?.cut[key] ?? []) {
    const stretch = Math.floor(place / sensors.length);
    if (stretch < firstStretch || stretch > lastStretch || sensors[place % sensors.length] !== 1) continue;
    since = Math.max(since, oldest.get(place) ?? Infinity);
  }
  const certain = inside.filter(one => one.second >= since).length;
  const isAll = since === -Infinity;
  const sessions = inside.slice(0, most);
  return { sessions, found: describeFound(sessions.length, inside.length, certain, isAll) };
}

function describeFound(shown: number, inside: number, certain: number, isAll: boolean): string {
  const sessions = `${formatNumber(shown)} ${shown === 1 ? "session" : "sessions"}`;
  if (inside === 0) return isAll ? "No session" : "The page carries none of the sessions";
  if (isAll && inside === 1) return "The only session";
  if (isAll && shown === inside) return `All ${sessions}`;
  if (isAll) return `The ${formatNumber(shown)} newest of ${formatNumber(inside)} sessions`;
  if (certain >= shown) return shown === 1 ? "The newest session" : `The ${formatNumber(shown)} newest sessions`;
  if (certain === 0) return `${formatNumber(shown)} of the sessions`;
  return `${formatNumber(shown)} of the sessions, the first ${certain === 1 ? "one" : formatNumber(certain)} the newest`;
}

/** An option with its value, also where the value could be taken for another option. */
function option(short: string, long: string, value: string): string {
  return value.startsWith("-") ? `${long}=${quoteShell(value)}` : `${short} ${quoteShell(value)}`;
}

/** The beginning of a command that runs one of the scripts. */
export function runScript({ scripts }: Pick<TrailPlaces, "scripts">, name: string): string {
  return `bun ${quoteShell(`${scripts}/${name}.ts`)}`;
}

export function traceSession(places: TrailPlaces, session: string): string {
  return `${runScript(places, "trace-sid")} ${option("-sid", "--session-id", session)} ${places.where}`;
}

/** The command that finds all sessions of a value in the selection; undefined where it cannot be said in one line. */
function traceAll(scope: Scope, places: TrailPlaces, id: string, key: readonly KeyValue[]): TrailCommand | undefined {
  const selection = toSelection(scope);
  if (id === "connections" || id === "sessions" || id === "proxy") {
    const address = key[0];
    if (typeof address !== "string" || address.length > ARGUMENT_MOST) return undefined;
    const text = `${runScript(places, "trace-ip")} ${option("-i", "--ip", address)} ${places.where}${selection}`;
    return { what: "Trace all sessions of the address", text };
  }
  const conditions = toConditions(id, key);
  if (conditions === undefined) return undefined;
  const where_ = conditions.conditions.map(condition => ` --where ${quoteShell(condition)}`).join("");
  return {
    what: "List all sessions",
    text: `${runScript(places, "value-counts")} --event ${conditions.event} --column session -n 0${where_} ${places.where}${selection}`,
  };
}

/** Days and sensors of the filter as options; nothing where it holds everything. */
function toSelection({ data, filter, whole }: Scope): string {
  if (whole) return "";
  const { first, last } = filter.range;
  const lastDay = data.grid.firstDay + data.grid.days - 1;
  const chosen = data.sensors.filter((_, code) => filter.sensors[code] === 1);
  return [
    ...(first > data.grid.firstDay ? [` --since ${toIsoDay(first)}`] : []),
    ...(last < lastDay ? [` --until ${toIsoDay(last)}`] : []),
    // The others have no name that a command would take: with them all are looked at.
    ...(chosen.length < data.sensors.length && filter.sensors[data.grid.others ?? -1] !== 1 ? chosen.map(name => ` --sensor ${quoteShell(name)}`) : []),
  ].join("");
}

function toConditions(id: string, key: readonly KeyValue[]): { event: string; conditions: string[] } | undefined {
  const is = (
    event: string,
    column: string,
    value: KeyValue | undefined,
    ...more: [string, KeyValue | undefined][]
  ) => {
    const pairs = [[column, value] as const, ...more];
    if (pairs.some(([, text]) => typeof text !== "string" || text.length > ARGUMENT_MOST)) return undefined;
    return { event, conditions: pairs.map(([name, text]) => `${name}=${String(text)}`) };
  };
  switch (id) {
    case "credentials":
      return is("'login.*'", "username", key[0], ["password", key[1]]);
    case "commands":
    case "last-commands":
      return is("command.input", "input", key[0]);
    case "downloads":
      return is("session.file_download", "shasum", key[2]);
    case "uploads":
      return is("session.file_upload", "shasum", key[1]);
    case "versions":
      return is("client.version", "version", key[0]);
    case "hassh":
      return is("client.kex", "hassh", key[0]);
    default:
      return undefined;
  }
}

/** The sessions as the page's data hold them: times as steps back, texts once. */
export interface PackedTrails extends TrailPlaces {
  readonly lastDay: number;
  /** Sensors and addresses; null where there is none. */
  readonly texts: readonly (string | null)[];
  /** `[seconds before the one before, sensor, session, address]` */
  readonly sessions: readonly (readonly [number, number, string, number])[];
  readonly sections: TrailsData["sections"];
}

export function packTrails({ where, scripts, folders, lastDay, sessions, sections }: TrailsData): PackedTrails {
  const texts = new Map<string | null, number>();
  const placeOf = (text: string | null) => {
    if (!texts.has(text)) texts.set(text, texts.size);
    return texts.get(text)!;
  };
  const rows = sessions.map(({ second, sensor, session, address }, i) => {
    const back = (sessions[i - 1]?.second ?? 0) - second;
    return [back, placeOf(sensor), session, placeOf(address)] as const;
  });
  return { where, scripts, folders, lastDay, texts: [...texts.keys()], sessions: rows, sections };
}

export function unpackTrails({ where, scripts, folders, lastDay, texts, sessions, sections }: PackedTrails): TrailsData {
  let second = 0;
  return {
    ...{ where, scripts, folders, lastDay },
    sessions: sessions.map(([back, sensor, session, address]) => {
      second -= back;
      return { second, sensor: texts[sensor] ?? "", session, address: texts[address] ?? null };
    }),
    sections,
  };
}
