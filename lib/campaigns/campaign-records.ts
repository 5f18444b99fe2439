/**
 * Campaigns for programs: JSON objects, lines of CSV, and what an earlier run wrote read back, so that merges can be told.
 *
 * Tested in `test/scripts/campaigns.test.ts`.
 */
import { readSmallText } from "../columns/regular-file.ts";
import { countOrigins, type OriginCount, type OriginCounts, originCountsToJson } from "../origin/origin-counts.ts";
import { type Origins, originToJson } from "../origin/origins.ts";
import { type CsvValue, toCsv } from "../text/csv.ts";
import { toIsoDay, toIsoInstant } from "../text/format.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { type Campaign, offeredElsewhere } from "./campaign.ts";
import { campaignById, type Campaigns } from "./find-campaigns.ts";

/** Values of a list in one cell of a spreadsheet. */
const CELL_MOST = 20;

/** All of a run as one object. */
export function campaignsToJson(found: Campaigns, campaigns: readonly Campaign[], merged: Fates | undefined, origins?: Origins): Record<string, unknown> {
  return {
    format: FORMAT,
    first_day: found.days === undefined ? null : toIsoDay(found.days.first),
    last_day: found.days === undefined ? null : toIsoDay(found.days.last),
    last_days: found.lastDays,
    sessions: found.sessions,
    marked_sessions: found.marked,
    sessions_alone: found.alone,
    sessions_unmarked: found.unmarked,
    ...(merged === undefined ? {} : { merged: merged.merged, gone: merged.gone, new: merged.fresh }),
    campaigns: campaigns.map(campaign => campaignToJson(campaign, origins)),
  };
}

const FORMAT = "cowrie-campaigns-1";

/** @param origins Where there are some, country and network of each address, and of how many each. */
export function campaignToJson(campaign: Campaign, origins?: Origins): Record<string, unknown> {
  return {
    id: campaign.id,
    name: campaign.name,
    named_by: campaign.namedBy,
    state: campaign.state ?? null,
    sessions: campaign.sessions,
    sessions_now: campaign.now,
    sessions_before: campaign.before,
    first_seen: toIsoInstant(campaign.firstUs),
    last_seen: toIsoInstant(campaign.lastUs),
    days: campaign.days.map(({ day, sessions }) => ({ day: toIsoDay(day), sessions })),
    sensors: campaign.sensors.map(({ value, sessions }) => ({ sensor: value, sessions })),
    networks: campaign.networks,
    addresses: campaign.addresses.map(({ value, sessions }) => ({ src_ip: value, sessions, ...(origins && originToJson(origins.of(value))) })),
    ...(origins && { origins: originCountsToJson(campaignOrigins(campaign, origins)) }),
    credentials: campaign.credentials,
    chains: campaign.chains.map(({ commands, isCut, sessions }) => ({ commands, cut: isCut, sessions })),
    hashes: campaign.hashes.map(({ value, name, sessions }) => ({ shasum: value, name: name ?? null, sessions })),
    hosts: campaign.hosts.map(({ value, sessions }) => ({ host: value, sessions })),
    paths: campaign.paths.map(({ value, sessions }) => ({ path: value, sessions })),
    keys: campaign.keys.map(key => ({
      fingerprint: key.fingerprint,
      type: key.type ?? null,
      comment: key.comment ?? null,
      planted: key.planted,
      offered: key.offered,
      planted_on: key.plantedOn,
      offered_on: key.offeredOn,
      offered_elsewhere: offeredElsewhere(key),
    })),
    clients: campaign.clients.map(({ value, versions, sessions }) => ({ hassh: value, versions, sessions })),
    techniques: campaign.techniques.map(({ value, sessions }) => ({ technique: value, sessions })),
    links: campaign.links,
    near_chains: campaign.near === undefined ? null : { chains: campaign.near.chains, least_share: campaign.near.leastShare },
    newest: campaign.newest.map(({ sensor, session, address, startUs }) => ({
      session,
      sensor,
      src_ip: address ?? null,
      start: toIsoInstant(startUs),
    })),
  };
}

/** Its addresses by country and network. */
export function campaignOrigins({ addresses }: Campaign, origins: Origins): OriginCounts {
  return countOrigins(addresses.map(({ value }) => value), origins);
}

const CSV_COLUMNS = [
  ...["id", "name", "state", "first_seen", "last_seen", "days", "sessions", "sessions_now", "sessions_before"],
  ...["sensors", "addresses", "networks", "credentials", "hashes", "hosts", "paths", "keys", "hassh", "techniques", "chains", "chain"],
] as const;

/** As a table: lists by their first values, a blank between them; with origins, countries and networks behind all others. */
export function campaignsToCsv(campaigns: readonly Campaign[], origins?: Origins): string {
  if (origins === undefined) return toCsv(CSV_COLUMNS, campaigns.map(toCells));
  const names = (counts: readonly OriginCount[], between: string) => counts.flatMap(({ name }) => name ?? []).slice(0, CELL_MOST).join(between);
  const rows = campaigns.map(campaign => {
    const { countries, networks } = campaignOrigins(campaign, origins);
    // The name of a network has blanks.
    return [...toCells(campaign), names(countries, " "), names(networks, "; ")];
  });
  return toCsv([...CSV_COLUMNS, "countries", "as_networks"], rows);
}

function toCells(campaign: Campaign): CsvValue[] {
  const list = (values: readonly { readonly value: string }[]) => values.slice(0, CELL_MOST).map(({ value }) => value).join(" ");
  return [
    campaign.id,
    campaign.name,
    campaign.state,
    toIsoInstant(campaign.firstUs),
    toIsoInstant(campaign.lastUs),
    campaign.days.length,
    campaign.sessions,
    campaign.now,
    campaign.before,
    list(campaign.sensors),
    campaign.addresses.length,
    campaign.networks,
    campaign.credentials.slice(0, CELL_MOST).map(({ username, password }) => `${username}:${password}`).join(" "),
    list(campaign.hashes),
    list(campaign.hosts),
    list(campaign.paths),
    campaign.keys.slice(0, CELL_MOST).map(({ fingerprint }) => fingerprint).join(" "),
    list(campaign.clients),
    list(campaign.techniques),
    campaign.chains.length,
    campaign.chains[0]?.commands.join(" → ") ?? null,
  ];
}

/** A campaign that an earlier run told. */
export type EarlierCampaign = ReturnType<typeof readEarlier>[number];

/** What became of the campaigns of an earlier run. */
export interface Fates {
  /** Campaigns under another id now: joined to it, or found to have begun before. */
  readonly merged: readonly { readonly id: string; readonly name: string; readonly into: string }[];
  /** Campaigns of which these logs hold nothing. */
  readonly gone: readonly string[];
  /** Ids that the earlier run did not know. */
  readonly fresh: readonly string[];
}

/**
 * Read what `--json` wrote.
 *
 * @throws {Error} if the file cannot be read, or is something else.
 */
export function readEarlier(path: string) {
  const fail = (why: string, cause?: unknown) => new Error(`Cannot read ${quoteForMessage(path)}: ${why}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(readSmallText(path));
  } catch (error) {
    throw error instanceof SyntaxError ? fail("not JSON, expected what campaigns.ts --json wrote", error) : fail(errorReason(error), error);
  }
  const { format, campaigns } = (value ?? {}) as { format?: unknown; campaigns?: unknown };
  if (format !== FORMAT || !Array.isArray(campaigns)) throw fail("expected what campaigns.ts --json wrote");
  return campaigns.map((one: unknown) => {
    const { id, name } = (one ?? {}) as { id?: unknown; name?: unknown };
    if (typeof id !== "string" || !/^[0-9a-f]{4,64}$/.test(id) || typeof name !== "string") throw fail("a campaign without id and name");
    return { id, name };
  });
}

/** Hold the campaigns of an earlier run against those of this one. */
export function compareEarlier(found: Campaigns, earlier: readonly EarlierCampaign[]): Fates {
  const own = new Set(found.campaigns.map(({ id }) => id));
  const merged: { id: string; name: string; into: string }[] = [];
  const gone: string[] = [];
  const known = new Set<string>();
  for (const { id, name } of earlier) {
    const now = own.has(id) ? id : campaignById(found, id)?.id;
    if (now === undefined) gone.push(id);
    else if (now !== id) merged.push({ id, name, into: now });
    if (now !== undefined) known.add(now);
  }
  return { merged, gone, fresh: found.campaigns.map(({ id }) => id).filter(id => !known.has(id)) };
}
