/**
 * What a report's page carries for its script, and how: everything but counts as JSON, one part a line so that a browser
 * reads it with pauses; counts as one run of bytes, equal lists once.
 */
import { areSameCells } from "./alike.ts";
import { type Cells, encodeCells, readCells } from "./cells.ts";
import type { CampaignsData } from "./report-campaigns.ts";
import type { ChainsData } from "./report-chains.ts";
import type { ChangesData } from "./report-changes.ts";
import type { ReportData } from "./report-data.ts";
import type { SectionData } from "./section-keys.ts";
import type { DurationsData } from "./report-durations.ts";
import type { HistoryData } from "./report-history.ts";
import type { StoriesData } from "./report-stories.ts";
import type { ScopeOptions } from "./report-view.ts";
import { DAY_SECONDS } from "../text/time.ts";
import { packTrails, type TrailsData, unpackTrails } from "./report-trails.ts";

export interface PageData extends ScopeOptions {
  /** Moments to the second. */
  readonly data: ReportData;
  /** Keys shown per section. */
  readonly show: number;
  readonly changes?: ChangesData;
  readonly campaigns?: CampaignsData;
  readonly chains?: ChainsData;
  readonly durations?: DurationsData;
  readonly history?: HistoryData;
  readonly stories?: StoriesData;
  readonly trails?: TrailsData;
}

export interface PackedPage {
  /** JSON, one part a line: the page, its sections, its sessions. */
  readonly lines: string;
  /** The lists that the parts name by number, see `encodeCells`. */
  readonly cells: Uint8Array<ArrayBuffer>;
}

/** What stands in a part where a list of cells was. */
interface ListRef {
  readonly list: number;
}

export function packPage({ data: { sections, ...data }, trails, ...page }: PageData): PackedPage {
  const lists = new DistinctLists();
  const line = (part: unknown) => JSON.stringify(part, (_, value) => (isCells(value) ? { list: lists.add(value) } : value));
  const toSecond = (us: number) => Math.floor(us / 1e6) - data.grid.firstDay * DAY_SECONDS;
  const lines = [
    line({ ...page, data, hasTrails: trails !== undefined }),
    ...sections.map(({ firstSeenUs, lastSeenUs, ...section }) =>
      line({ ...section, firstSeen: firstSeenUs.map(toSecond), lastSeen: lastSeenUs.map(toSecond) }),
    ),
    ...(trails === undefined ? [] : [JSON.stringify(packTrails(trails))]),
  ];
  return { lines: lines.join("\n"), cells: encodeCells(lists.all) };
}

/** Read what {@link packPage} wrote; an undefined in between is a place to pause at. */
export function* unpackPage({ lines, cells }: PackedPage): Generator<undefined, PageData> {
  const lists: Cells[] = [];
  for (const list of readCells(cells)) {
    if (list !== undefined) lists.push(list);
    yield undefined;
  }
  const parts: any[] = [];
  for (const line of lines.split("\n")) {
    parts.push(JSON.parse(line));
    yield undefined;
  }
  const { hasTrails, data, ...page } = withLists(parts.shift(), lists);
  const trails = hasTrails ? { trails: unpackTrails(parts.pop()) } : {};
  const toUs = (second: number) => (data.grid.firstDay * DAY_SECONDS + second) * 1e6;
  const sections: SectionData[] = [];
  for (const part of parts) {
    const { firstSeen, lastSeen, ...section } = withLists(part, lists);
    sections.push({ ...section, firstSeenUs: firstSeen.map(toUs), lastSeenUs: lastSeen.map(toUs) });
    yield undefined;
  }
  return { ...page, data: { ...data, sections }, ...trails };
}

function isCells(value: unknown): value is Cells {
  return typeof value === "object" && value !== null && "at" in value && value.at instanceof Int32Array;
}

function isListRef(value: object): value is ListRef {
  return "list" in value && typeof value.list === "number";
}

/** The tree with the lists back in their places; lists of numbers and texts hold none. */
function withLists(value: any, lists: readonly Cells[]): any {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return typeof value[0] === "object" ? value.map(one => withLists(one, lists)) : value;
  if (isListRef(value)) return lists[value.list]!;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withLists(one, lists)]));
}

/** Equal lists once: all sessions are counted in two sections, all events in two places. */
class DistinctLists {
  readonly all: Cells[] = [];
  readonly #byHash = new Map<number, number[]>();

  /** @returns Its number. */
  add(cells: Cells): number {
    const hash = hashOf(cells);
    const like = this.#byHash.get(hash) ?? [];
    const known = like.find(place => areSameCells(this.all[place]!, cells));
    if (known !== undefined) return known;
    const place = this.all.push(cells) - 1;
    this.#byHash.set(hash, [...like, place]);
    return place;
  }
}

/** FNV-1a over cells and counts. */
function hashOf({ at, count }: Cells): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < at.length; i++) hash = Math.imul(Math.imul(hash ^ at[i]!, 0x01000193) ^ (count[i]! | 0), 0x01000193);
  return hash;
}
