/**
 * From a value of the report to its sessions: what the page carries of them, what it shows of them under a filter,
 * and the commands that trace them. The same on the server and in the page; nothing here knows HTML.
 */
import { sumCells } from "./cells.ts";
import { formatInstant, formatNumber, plural, toIsoDay } from "../text/format.ts";
import type { ReportData } from "./report-data.ts";
import { type PartView, type Ranking, type Scope, toParts } from "./report-view.ts";
import { SECTIONS } from "./report-sections.ts";
import type { TrailQuery, TrailSession } from "../sessions/session-trails.ts";
import { quoteShell } from "../text/shell.ts";
import { visible } from "../text/text.ts";
import type { KeyValue } from "../reduced/kinds.ts";

/** Values of a section whose sessions a page carries. */
export const TRAIL_KEYS = 40;
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

export interface TrailsData {
  /** The logs as arguments of a command, ready for a shell. */
  readonly where: string;
  /** Sessions of a value at most: one with fewer has no others. */
  readonly most: number;
  readonly sessions: readonly CarriedSession[];
  /** By section: `keys[key]` = places in the sessions, newest first; empty for values without. */
  readonly sections: readonly { readonly id: string; readonly keys: readonly (readonly number[])[] }[];
}

/** What is looked for in the event tables. */
export function toTrailQueries(data: ReportData): TrailQuery[] {
  return data.sections.flatMap(({ id, keys, firstSeenUs, lastSeenUs }) => {
    const { eventids, columns } = SECTIONS.find(section => section.id === id)!;
    if (eventids === undefined) return [];
    const most = Math.min(TRAIL_KEYS, keys.length);
    return [
      {
        id,
        eventids,
        columns,
        keys: keys.slice(0, most),
        firstSeenUs: firstSeenUs.slice(0, most),
        lastSeenUs: lastSeenUs.slice(0, most),
      },
    ];
  });
}

/** Each session once, whichever values it stands behind; newest first. */
export function buildTrailsData(
  queries: readonly TrailQuery[],
  trails: readonly (readonly (readonly TrailSession[])[])[],
  where: string,
  most: number,
): TrailsData {
  const byKey = new Map<string, CarriedSession>();
  // The same session at another second is another entry: it is shown with the time of the value.
  const keyOf = ({ us, sensor, session }: TrailSession) =>
    `${Math.floor(us / SECOND_US)}\u0000${sensor}\u0000${session}`;
  for (const found of trails.flat(2)) {
    const { us, sensor, session, address } = found;
    const key = keyOf(found);
    if (!byKey.has(key)) byKey.set(key, { second: Math.floor(us / SECOND_US), sensor, session, address });
  }
  const sorted = [...byKey].sort(([a, left], [b, right]) => right.second - left.second || (a < b ? -1 : 1));
  const places = new Map(sorted.map(([key], i) => [key, i]));
  return {
    where,
    most,
    sessions: sorted.map(([, session]) => session),
    sections: queries.map(({ id }, i) => ({
      id,
      keys: trails[i]!.map(sessions => sessions.map(session => places.get(keyOf(session))!)),
    })),
  };
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
  readonly isInside: boolean;
  /** Traces this session. */
  readonly command: string;
}

export interface TrailView {
  /** The value. */
  readonly parts: readonly PartView[];
  /** How many of how many. */
  readonly shown: string;
  readonly rows: readonly TrailRowView[];
  /** A column that says something: sensors where there are several, addresses where the value is none. */
  readonly hasSensors: boolean;
  readonly hasAddresses: boolean;
  readonly commands: readonly TrailCommand[];
}

/**
 * The sessions of a value under the filter, those inside it first.
 *
 * @param most Rows at most; what is left out is counted.
 */
export function buildTrail(
  scope: Scope,
  trails: TrailsData,
  ranking: Ranking,
  key: number,
  most: number = trails.most,
): TrailView {
  const { section, data } = ranking;
  const carried = sessionsOf(trails, section.id, key);
  const sessions = carried.slice(0, most);
  const codes = new Map(scope.data.sensors.map((name, code) => [name, code]));
  const { range, sensors } = scope.filter;
  const { others = -1 } = scope.data.grid;
  const rows = sessions.map(({ second, sensor, session, address }): TrailRowView => {
    const day = Math.floor(second / 86_400);
    return {
      time: formatInstant(second * SECOND_US),
      sensor: sensor === "" ? "(no name)" : visible(sensor),
      address: address === null ? "–" : visible(address),
      session: visible(session),
      isInside: day >= range.first && day <= range.last && sensors[codes.get(sensor) ?? others] === 1,
      command: traceSession(trails.where, session),
    };
  });
  rows.sort((a, b) => Number(b.isInside) - Number(a.isInside));
  const inside = rows.filter(row => row.isInside).length;
  const count = sumCells(data.cells[key]!, scope.data.grid, scope.filter);
  const total = plural(count, section.unit.slice(0, -1), section.unit);
  const n = rows.length;
  const isAll = carried.length < trails.most && carried.length <= most;
  const found = isAll ? (n === 1 ? "The only session" : `All ${n} sessions`) : `The ${n} newest sessions`;
  const shown = scope.whole
    ? `${found}; ${total} in all.`
    : `${found} of all days and sensors, ${formatNumber(inside)} of them in the selection, which has ${total}.`;
  const all = traceAll(scope, trails.where, section.id, data.keys[key]!);
  const newest = rows[0];
  return {
    parts: toParts(section.columns, data.keys[key]!),
    shown,
    rows,
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

/** An option with its value, also where the value could be taken for another option. */
function option(short: string, long: string, value: string): string {
  return value.startsWith("-") ? `${long}=${quoteShell(value)}` : `${short} ${quoteShell(value)}`;
}

function traceSession(where: string, session: string): string {
  return `bun scripts/trace-sid.ts ${option("-sid", "--session-id", session)} ${where}`;
}

/** The command that finds all sessions of a value in the selection; undefined where it cannot be said in one line. */
function traceAll(scope: Scope, where: string, id: string, key: readonly KeyValue[]): TrailCommand | undefined {
  const selection = toSelection(scope);
  if (id === "connections" || id === "sessions" || id === "proxy") {
    const address = key[0];
    if (typeof address !== "string" || address.length > ARGUMENT_MOST) return undefined;
    const text = `bun scripts/trace-ip.ts ${option("-i", "--ip", address)} ${where}${selection}`;
    return { what: "Trace all sessions of the address", text };
  }
  const conditions = toConditions(id, key);
  if (conditions === undefined) return undefined;
  const where_ = conditions.conditions.map(condition => ` --where ${quoteShell(condition)}`).join("");
  return {
    what: "List all sessions",
    text: `bun scripts/value-counts.ts --event ${conditions.event} --column session -n 0${where_} ${where}${selection}`,
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
export interface PackedTrails {
  readonly where: string;
  readonly most: number;
  /** Sensors and addresses; null where there is none. */
  readonly texts: readonly (string | null)[];
  /** `[seconds before the one before, sensor, session, address]` */
  readonly sessions: readonly (readonly [number, number, string, number])[];
  readonly sections: TrailsData["sections"];
}

export function packTrails({ where, most, sessions, sections }: TrailsData): PackedTrails {
  const texts = new Map<string | null, number>();
  const placeOf = (text: string | null) => {
    if (!texts.has(text)) texts.set(text, texts.size);
    return texts.get(text)!;
  };
  const rows = sessions.map(({ second, sensor, session, address }, i) => {
    const back = (sessions[i - 1]?.second ?? 0) - second;
    return [back, placeOf(sensor), session, placeOf(address)] as const;
  });
  return { where, most, texts: [...texts.keys()], sessions: rows, sections };
}

export function unpackTrails({ where, most, texts, sessions, sections }: PackedTrails): TrailsData {
  let second = 0;
  return {
    where,
    most,
    sessions: sessions.map(([back, sensor, session, address]) => {
      second -= back;
      return { second, sensor: texts[sensor] ?? "", session, address: texts[address] ?? null };
    }),
    sections,
  };
}
