/**
 * What a report carries of campaigns: each with its sessions by day and sensor, its lists cut to what a row can show.
 *
 * Tested in `test/lib/view/report-campaigns.test.ts`.
 */
import { SENSORS_MOST, toTally } from "../sessions/tally.ts";
import { dayOf } from "../text/time.ts";
import type { Campaign } from "./campaign.ts";
import type { Campaigns } from "./find-campaigns.ts";

/** Values of a list that are shown. */
const VALUES_MOST = 3;
/** Commands of the most frequent chain. */
const COMMANDS_MOST = 6;

/** The first values of a list, and how many there are. */
export interface Leading<Value> {
  readonly first: readonly Value[];
  readonly all: number;
}

/** A campaign in short; texts as attackers wrote them. */
export interface CampaignSketch {
  readonly id: string;
  readonly name: string;
  readonly addresses: number;
  readonly networks: number;
  readonly credentials: Leading<readonly [username: string, password: string]>;
  readonly hosts: Leading<string>;
  readonly hashes: Leading<string>;
  /** Type, fingerprint and comment; sessions that planted it, and that offered it. */
  readonly keys: Leading<{ readonly text: string; readonly planted: number; readonly offered: number }>;
  readonly clients: Leading<{ readonly hassh: string; readonly version: string | undefined }>;
  /** Ids, by sessions falling. */
  readonly techniques: readonly string[];
  /** The most frequent chain, and how many there are. */
  readonly commands: readonly string[];
  readonly isCut: boolean;
  readonly chains: number;
}

export type CampaignCounts = ReturnType<typeof countCampaigns>;

/** @param most Campaigns that are told. */
export function countCampaigns(found: Campaigns, most: number) {
  const { sessions, campaign } = found.joined;
  const shown = found.outlines.slice(0, most);
  const told = new Map(shown.map(({ number }, i) => [number, i]));
  const { days } = found;
  const cells = Array.from({ length: told.size }, () => new Map<number, number>());
  for (let session = 0; session < sessions.count; session++) {
    const place = told.get(campaign[session]!);
    const day = dayOf(sessions.firstUs[session]!);
    // What was counted is what the summaries count: the days and sensors asked for.
    if (place === undefined || day < days!.first || day > days!.last) continue;
    const cell = day * SENSORS_MOST + sessions.sensor[session]!;
    cells[place]!.set(cell, (cells[place]!.get(cell) ?? 0) + 1);
  }
  return {
    sensors: sessions.sensors,
    /** By sessions falling. */
    campaigns: shown.map(({ tell }, i) => ({ sketch: sketch(tell()), tally: toTally(cells[i]!) })),
    /** Campaigns there are, told or not. */
    all: found.outlines.length,
    /** Sessions that left something, and those of them that belong to no campaign. */
    marked: found.marked,
    alone: found.alone + found.unmarked,
  };
}

function sketch(campaign: Campaign): CampaignSketch {
  const chain = campaign.chains[0];
  const values = (list: readonly { readonly value: string }[]) => lead(list, ({ value }) => value);
  return {
    id: campaign.id,
    name: campaign.name,
    addresses: campaign.addresses.length,
    networks: campaign.networks,
    credentials: lead(campaign.credentials, ({ username, password }) => [username, password] as const),
    hosts: values(campaign.hosts),
    hashes: values(campaign.hashes),
    keys: lead(campaign.keys, ({ type = "", fingerprint, comment = "", planted, offered }) => ({
      text: [type, fingerprint, comment].filter(Boolean).join(" "),
      planted,
      offered,
    })),
    clients: lead(campaign.clients, ({ value, versions }) => ({ hassh: value, version: versions[0] })),
    techniques: campaign.techniques.map(({ value }) => value),
    commands: chain?.commands.slice(0, COMMANDS_MOST) ?? [],
    isCut: chain !== undefined && (chain.isCut || chain.commands.length > COMMANDS_MOST),
    chains: campaign.chains.length,
  };
}

function lead<From, Value>(list: readonly From[], convert: (one: From) => Value): Leading<Value> {
  return { first: list.slice(0, VALUES_MOST).map(convert), all: list.length };
}
