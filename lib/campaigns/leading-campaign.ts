/** The campaign that made more than half of all sessions that typed something, on the days on which it was there. */
import type { EventScope } from "../events/scope.ts";
import { NO_CHAIN } from "../sessions/chain-tree.ts";
import { dayOf } from "../text/time.ts";
import type { CampaignOutline } from "./campaign.ts";
import type { Campaigns } from "./find-campaigns.ts";
import { NONE } from "./session-marks.ts";

/** Of fewer sessions a half says little. */
const SESSIONS_LEAST = 20;

export interface LeadingCampaign {
  readonly name: string;
  /** Days since 1970-01-01 UTC on which its first session began, and its last. */
  readonly first: number;
  readonly last: number;
  /** Its sessions that typed something, and all such of these days. */
  readonly typed: number;
  readonly all: number;
  readonly addresses: number;
  /** Names. */
  readonly sensors: readonly string[];
  /** Of its most frequent chain, masked. */
  readonly commands: readonly string[];
  /** Its sessions day by day, from the first on. */
  readonly perDay: readonly number[];
}

/** The largest of them; undefined where none made so much. */
export function findLeadingCampaign({ joined: { sessions, campaign }, outlines, days }: Campaigns, scope: Pick<EventScope, "sensors">): LeadingCampaign | undefined {
  if (days === undefined) return undefined;
  const wanted = scope.sensors && new Set(scope.sensors);
  const isWanted = sessions.sensors.map(name => wanted?.has(name) !== false);
  const ownOf = new Map(outlines.map(({ number }) => [number, [] as number[]]));
  const perDay = new Float64Array(days.last - days.first + 1);
  const dayAt = (session: number) => dayOf(sessions.firstUs[session]!) - days.first;
  for (let session = 0; session < sessions.count; session++) {
    const day = dayAt(session);
    if (sessions.chain[session] === NO_CHAIN || day < 0 || day >= perDay.length || !isWanted[sessions.sensor[session]!]) continue;
    perDay[day]!++;
    ownOf.get(campaign[session]!)?.push(session);
  }
  let best: (Omit<LeadingCampaign, "name" | "commands"> & Pick<CampaignOutline, "tell">) | undefined;
  for (const { number, tell } of outlines) {
    const own = ownOf.get(number)!;
    if (own.length < SESSIONS_LEAST || own.length <= (best?.typed ?? 0)) continue;
    const first = own.reduce((least, session) => Math.min(least, dayAt(session)), Infinity);
    const last = own.reduce((most, session) => Math.max(most, dayAt(session)), -Infinity);
    const all = perDay.subarray(first, last + 1).reduce((sum, one) => sum + one, 0);
    if (2 * own.length <= all) continue;
    const counts = new Array<number>(last - first + 1).fill(0);
    for (const session of own) counts[dayAt(session) - first]!++;
    best = {
      ...{ tell, first: days.first + first, last: days.first + last, typed: own.length, all, perDay: counts },
      addresses: new Set(own.map(session => sessions.address[session]!).filter(address => address !== NONE)).size,
      sensors: [...new Set(own.map(session => sessions.sensors[sessions.sensor[session]!]!))].sort(),
    };
  }
  if (best === undefined) return undefined;
  const { tell, ...counted } = best;
  const { name, chains } = tell();
  return { name, ...counted, commands: chains[0]?.commands ?? [] };
}
