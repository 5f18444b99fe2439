/**
 * Which campaign each session belongs to, for the indicators that it shows.
 *
 * Tested in `test/lib/indicators/collect-indicators.test.ts`.
 */
import type { Campaign } from "../campaigns/campaign.ts";
import { campaignById, type Campaigns, findCampaigns } from "../campaigns/find-campaigns.ts";
import type { EventScope } from "../events/scope.ts";
import type { LogSet } from "../logs/log-set.ts";
import { sessionKey } from "../sessions/event-search.ts";
import { quoteForMessage } from "../text/text.ts";

export type CampaignTold = Pick<Campaign, "id" | "name" | "firstUs" | "lastUs" | "sessions" | "techniques">;

export interface SessionCampaigns {
  /** By id. */
  readonly campaigns: ReadonlyMap<string, CampaignTold>;
  /** Only sessions of these count; undefined = all. */
  readonly only?: ReadonlySet<string>;
  /** Id of the campaign of a session; undefined where it belongs to none. */
  of(sensor: string, session: string): string | undefined;
}

/**
 * Find the campaigns of all sessions of a set, whatever days are looked at, so that their ids are those of `campaigns.ts`.
 *
 * @param wanted Ids or beginnings of ids, of the campaigns that alone count; none = all count.
 * @throws {Error} if there is no such campaign.
 */
export async function findSessionCampaigns(
  set: LogSet,
  { sensorAliases }: Pick<EventScope, "sensorAliases">,
  wanted: readonly string[],
): Promise<SessionCampaigns> {
  const found = await findCampaigns(set, sensorAliases === undefined ? {} : { sensorAliases });
  const only = wanted.map(text => {
    const campaign = campaignById(found, text);
    if (campaign !== undefined) return campaign.id;
    throw new Error(`Cannot find one campaign ${quoteForMessage(text)} in these logs: campaigns.ts lists them`);
  });
  const ofSession = listSessions(found);
  return {
    campaigns: new Map(found.campaigns.map(campaign => [campaign.id, campaign])),
    ...(only.length > 0 && { only: new Set(only) }),
    of: (sensor, session) => ofSession.get(sessionKey(sensor, session)),
  };
}

function listSessions({ outlines, joined: { sessions, campaign } }: Campaigns): Map<string, string> {
  const idOf = new Map(outlines.map(({ number, id }) => [number, id]));
  const ofSession = new Map<string, string>();
  for (let session = 0; session < sessions.count; session++) {
    const id = idOf.get(campaign[session]!);
    if (id !== undefined) ofSession.set(sessionKey(sessions.sensors[sessions.sensor[session]!]!, sessions.idOf(session)), id);
  }
  return ofSession;
}
