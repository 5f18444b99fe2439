/** Campaigns: sessions that belong together, found in the event tables of a set of logs. */
import type { SensorAliases } from "../events/sensor-aliases.ts";
import { sessionsOfTables } from "../logs/log-digests.ts";
import type { LogSet } from "../logs/log-set.ts";
import { type Campaign, type CampaignOutline, chainValue, ID_DIGITS, listMembers, type CampaignOptions, outlineCampaigns } from "./campaign.ts";
import { type Joined, joinSessions } from "./join-sessions.ts";
import { markId } from "./marks.ts";
import { type MarkedSessions, NONE, SessionMarks } from "./session-marks.ts";

/** Digits of an id that are enough to name it. */
const ID_DIGITS_MIN = 4;

export interface FindOptions extends Partial<CampaignOptions> {
  readonly sensorAliases?: SensorAliases;
}

export interface Campaigns {
  /** By sessions falling, then id. */
  readonly outlines: readonly CampaignOutline[];
  /** The same, all told. */
  readonly campaigns: readonly Campaign[];
  /** Sessions of all days and sensors; of these, such as left something: a command, a file, a key. */
  readonly sessions: number;
  readonly marked: number;
  /** Of the days and sensors that count: sessions that share nothing with enough others, and that left nothing that tells. */
  readonly alone: number;
  readonly unmarked: number;
  /** First and last day on which a session began that counts; undefined where there is none. */
  readonly days: { readonly first: number; readonly last: number } | undefined;
  readonly lastDays: number;
  /** Chains that were held against none but equal ones, since there were too many. */
  readonly notCompared: number;
  /** What joined the sessions. */
  readonly joined: Joined;
}

/**
 * Find the campaigns of a set of logs.
 *
 * All sessions are joined, whatever the days and sensors that count: so ids stay, and what was there before is known.
 *
 * @param options Campaigns have two sessions at least, and the last week is held against the one before, unless told otherwise.
 */
export async function findCampaigns(set: Pick<LogSet, "logs" | "seams">, options: FindOptions = {}): Promise<Campaigns> {
  const marks = new SessionMarks(options.sensorAliases);
  for await (const sessions of sessionsOfTables(set)) marks.take(sessions);
  return toCampaigns(marks.finish(), options);
}

/** Find the campaigns of sessions that were read. */
export function toCampaigns(sessions: MarkedSessions, options: FindOptions = {}): Campaigns {
  const joined = joinSessions(sessions);
  // What was made of each chain is of no use any more: as much as what is known of the sessions.
  if (!Bun.isMainThread) Bun.gc(true);
  const all: CampaignOptions = { minSessions: 2, lastDays: 7, ...options };
  const members = listMembers(joined, all);
  const { firstDay, lastDay, alone, unmarked } = members;
  const outlines = outlineCampaigns(joined, members, all);
  let campaigns: readonly Campaign[] | undefined;
  return {
    outlines,
    get campaigns() {
      return (campaigns ??= outlines.map(({ tell }) => tell()));
    },
    sessions: sessions.all,
    marked: joined.marked,
    alone,
    unmarked,
    days: firstDay <= lastDay ? { first: firstDay, last: lastDay } : undefined,
    lastDays: all.lastDays,
    notCompared: joined.notCompared,
    joined,
  };
}

/**
 * The campaign of an id: its own, the beginning of it, or one that it had before it was joined to others.
 *
 * @param id Four digits at least.
 * @returns undefined where there is none, or several fit.
 */
export function campaignById(found: Campaigns, id: string): Campaign | undefined {
  const wanted = id.trim().toLowerCase();
  if (!/^[0-9a-f]+$/.test(wanted) || wanted.length < ID_DIGITS_MIN) return undefined;
  const own = found.campaigns.filter(campaign => campaign.id.startsWith(wanted));
  if (own.length > 0) return own.length === 1 ? own[0] : undefined;
  return campaignOfMarks(found).get(wanted.slice(0, ID_DIGITS));
}

const byMark = new WeakMap<Campaigns, Map<string, Campaign>>();

/** The campaign that each id would name now, by its first digits: of every mark and chain that joins. */
function campaignOfMarks(found: Campaigns): Map<string, Campaign> {
  let known = byMark.get(found);
  if (known !== undefined) return known;
  byMark.set(found, (known = new Map()));
  const { sessions, chains, isEveryday, isCommon, campaign, chainItem } = found.joined;
  const ofNumber = new Map(found.campaigns.map((one, i) => [found.outlines[i]!.number, one]));
  for (let session = 0; session < sessions.count; session++) {
    const one = ofNumber.get(campaign[session]!);
    if (one === undefined) continue;
    for (const mark of sessions.markSets[sessions.markSet[session]!]!) {
      if (isCommon[mark] === 0) known.set(markId(sessions.marks[mark]!).slice(0, ID_DIGITS), one);
    }
    const item = sessions.chain[session] === 0 ? NONE : chainItem[sessions.chain[session]!]!;
    if (item !== NONE && isEveryday[item] === 0) known.set(markId({ kind: "chain", value: chainValue(found.joined, chains[item]!) }).slice(0, ID_DIGITS), one);
  }
  return known;
}
