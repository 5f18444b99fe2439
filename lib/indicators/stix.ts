/**
 * Indicators as a STIX 2.1 bundle (https://docs.oasis-open.org/cti/stix/v2.1/): for each an indicator with its pattern, and a
 * sighting with the observed data for each sensor that saw it; campaigns, with the ATT&CK techniques that they use.
 *
 * Ids are made of values, instants of the log: the same indicators give the same bundle, and a second import adds nothing.
 */
import { toIsoInstant } from "../text/format.ts";
import { techniqueById } from "../text/techniques.ts";
import { toSafeJson } from "../text/text.ts";
import { DAY_US } from "../text/time.ts";
import { addressVersion } from "../text/address.ts";
import type { Indicator, IndicatorType, Sighting } from "./indicator.ts";
import type { CampaignTold } from "./session-campaigns.ts";
import { type Attribution, stableId, STIX_OBSERVABLES, type Tlp } from "./stable-id.ts";

/** Days after it was last seen for which an indicator is worth acting on; addresses change hands, hashes do not. */
const VALID_DAYS: Readonly<Record<IndicatorType, number | undefined>> = {
  address: 30,
  url: 90,
  host: 90,
  hash: undefined,
  key: undefined,
  hassh: undefined,
  credential: 365,
  proxy: 30,
};
/** Largest count that the format takes. */
const COUNT_MOST = 999_999_999;

/** The markings of TLP, which the specification fixes (section 7.2.1.4); what is "clear" today it calls "white". */
const MARKINGS: Readonly<Record<Tlp, { readonly id: string; readonly tlp: string }>> = {
  clear: { id: "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", tlp: "white" },
  green: { id: "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", tlp: "green" },
  amber: { id: "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", tlp: "amber" },
  red: { id: "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", tlp: "red" },
};

type StixObject = Readonly<Record<string, unknown>>;
type Identified = StixObject & { readonly id: string };

/** When what does not change was made. */
const FIXED = "2026-01-01T00:00:00.000Z";

/** The bundle as JSON, in pieces. */
export function* indicatorsToStix(
  indicators: readonly Indicator[],
  options: Attribution,
  campaigns: ReadonlyMap<string, CampaignTold> = new Map(),
): Generator<string> {
  // The bundle is a container; its id is that of what is in it.
  const content = indicators.map(({ type, value, lastUs, hits }) => [type, value, lastUs, hits]);
  const id = stableId(`bundle ${options.org} ${options.tlp} ${JSON.stringify(content)}`);
  yield `{"type":"bundle","id":"bundle--${id}","objects":[\n`;
  let isFirst = true;
  for (const object of toStixObjects(indicators, options, campaigns)) {
    yield `${isFirst ? "" : ",\n"}${toSafeJson(object)}`;
    isFirst = false;
  }
  yield "\n]}\n";
}

/** Every object of the bundle, what is referred to first, each id once. */
function* toStixObjects(
  indicators: readonly Indicator[],
  { tlp, org }: Attribution,
  campaigns: ReadonlyMap<string, CampaignTold>,
): Generator<StixObject> {
  const marking = MARKINGS[tlp];
  yield {
    type: "marking-definition",
    spec_version: "2.1",
    id: marking.id,
    created: "2017-01-20T00:00:00.000Z",
    name: `TLP:${marking.tlp.toUpperCase()}`,
    definition_type: "tlp",
    definition: { tlp: marking.tlp },
  };
  const maker = toIdentity(org, "producer");
  yield maker;
  const common = { created_by_ref: maker.id, object_marking_refs: [marking.id] };
  const known = new Set<string>();
  const once = function* (objects: readonly StixObject[]) {
    for (const object of objects) {
      if (known.has(object.id as string)) continue;
      known.add(object.id as string);
      yield object;
    }
  };
  for (const indicator of indicators) {
    const own = toStixIndicator(indicator, common);
    yield own;
    for (const id of indicator.campaigns ?? []) {
      const told = campaigns.get(id)!;
      const campaign = toCampaign(told, common);
      // What it uses is told with it, once, not with each of its indicators.
      if (!known.has(campaign.id)) yield* once([campaign, ...toUses(campaign, told, common)]);
      yield* once([toRelationship(own, "indicates", campaign, common)]);
    }
    const observables = toObservables(indicator);
    yield* once(observables);
    for (const sighting of indicator.sightings) {
      const sensor = toIdentity(sighting.sensor, "sensor");
      yield* once([sensor]);
      const observed = observables.length === 0 ? undefined : toObserved(own.id, sighting, observables, common);
      if (observed !== undefined) yield observed;
      yield {
        type: "sighting",
        spec_version: "2.1",
        id: `sighting--${stableId(`sighting ${own.id} ${sighting.sensor}`)}`,
        ...common,
        ...versionOf(sighting),
        first_seen: toInstant(sighting.firstUs),
        last_seen: toInstant(sighting.lastUs),
        count: Math.min(COUNT_MOST, sighting.hits),
        sighting_of_ref: own.id,
        ...(observed && { observed_data_refs: [observed.id] }),
        where_sighted_refs: [sensor.id],
      };
    }
  }
}

/** Instants of this format, to the millisecond. */
function toInstant(us: number): string {
  return toIsoInstant(us).replace(/\d{3}Z$/, "Z");
}

function versionOf({ firstUs, lastUs }: Pick<Sighting, "firstUs" | "lastUs">) {
  return { created: toInstant(firstUs), modified: toInstant(lastUs) };
}

/** Who says so, and what saw it; a sensor without a name has one here. */
function toIdentity(name: string, role: "producer" | "sensor"): Identified {
  return {
    type: "identity",
    spec_version: "2.1",
    id: `identity--${stableId(`identity ${role} ${name}`)}`,
    created: FIXED,
    modified: FIXED,
    name: name || "(unnamed sensor)",
    identity_class: role === "sensor" ? "system" : "organization",
    ...(role === "sensor" && { roles: ["honeypot"] }),
  };
}

function toStixIndicator(indicator: Indicator, common: StixObject): Identified {
  const { type, value, firstUs, lastUs, sessions, sources, days, sightings, hits, origin } = indicator;
  const validDays = VALID_DAYS[type];
  const isHarmful = type !== "proxy";
  return {
    type: "indicator",
    spec_version: "2.1",
    id: `indicator--${stableId(`indicator ${type} ${toPattern(indicator)}`)}`,
    ...common,
    ...versionOf(indicator),
    name: `${type}: ${value.length > 200 ? `${value.slice(0, 200)}…` : value}`,
    description:
      `Seen by Cowrie honeypots: ${hits} hits in ${sessions} sessions from ${sources} addresses, ` +
      `on ${sightings.length} sensors and ${days} days.` +
      (origin === undefined || origin.country === null ? "" : ` Country ${origin.country}.`),
    indicator_types: [isHarmful ? "malicious-activity" : "anomalous-activity"],
    pattern: toPattern(indicator),
    pattern_type: "stix",
    pattern_version: "2.1",
    valid_from: toInstant(firstUs),
    // After valid_from by the specification, whatever was seen in one instant.
    ...(validDays !== undefined && { valid_until: toInstant(lastUs + validDays * DAY_US) }),
    labels: ["honeypot", "cowrie", type],
    confidence: confidenceOf(indicator),
  };
}

function toCampaign({ id, name, firstUs, lastUs, sessions }: CampaignTold, common: StixObject): Identified {
  return {
    type: "campaign",
    spec_version: "2.1",
    id: `campaign--${stableId(`campaign ${id}`)}`,
    ...common,
    ...versionOf({ firstUs, lastUs }),
    name: `${id} ${name}`,
    description: `Sessions that belong together by what they left: ${sessions}.`,
    first_seen: toInstant(firstUs),
    last_seen: toInstant(lastUs),
  };
}

/** The techniques of what a campaign typed, each with that the campaign uses it. */
function toUses(campaign: Identified, { techniques }: CampaignTold, common: StixObject): Identified[] {
  return techniques.flatMap(({ value, sessions }) => {
    const pattern = toAttackPattern(value);
    return [pattern, { ...toRelationship(campaign, "uses", pattern, common), description: `Typed in so many of its sessions: ${sessions}.` }];
  });
}

/**
 * A technique of MITRE ATT&CK, found again by its external id. It is the same whoever exports it, and nobody's secret: it has
 * neither maker nor marking.
 */
function toAttackPattern(technique: string): Identified {
  const { name = technique, tactic } = techniqueById(technique) ?? {};
  return {
    type: "attack-pattern",
    spec_version: "2.1",
    id: `attack-pattern--${stableId(`attack-pattern ${technique}`)}`,
    created: FIXED,
    modified: FIXED,
    // ATT&CK's own objects of sub-techniques do not repeat the technique.
    name: technique.includes(".") ? name.slice(name.indexOf(": ") + 1).trim() : name,
    ...(tactic !== undefined && { kill_chain_phases: [{ kill_chain_name: "mitre-attack", phase_name: tactic.replaceAll(" ", "-") }] }),
    external_references: [
      { source_name: "mitre-attack", external_id: technique, url: `https://attack.mitre.org/techniques/${technique.replace(".", "/")}` },
    ],
  };
}

/** That one does something with another; as old as the first. */
function toRelationship(source: Identified, type: "indicates" | "uses", target: Identified, common: StixObject): Identified {
  return {
    type: "relationship",
    spec_version: "2.1",
    id: `relationship--${stableId(`${type} ${source.id} ${target.id}`)}`,
    ...common,
    created: source.created,
    modified: source.modified,
    relationship_type: type,
    source_ref: source.id,
    target_ref: target.id,
  };
}

/**
 * How sure it is that an indicator is one, 0 to 100: a honeypot has no users, so 50 for a single sighting, more for several
 * sensors, days and sessions. What others use as well has less.
 */
function confidenceOf({ type, sightings, days, sessions }: Indicator): number {
  const seen = 50 + 10 * Math.min(2, sightings.length - 1) + 10 * Math.min(2, days - 1) + (sessions >= 10 ? 5 : 0);
  return type === "hassh" || type === "credential" || type === "proxy" ? Math.min(30, seen) : seen;
}

/** A text of a pattern in its quotes. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** The pattern that finds the value, and nothing else. */
export function toPattern({ type, value, username, password }: Indicator): string {
  switch (type) {
    case "address":
      return `[${addressType(value)}:value = ${quote(value)}]`;
    case "host":
      return `[${addressVersion(value) === 0 ? "domain-name" : addressType(value)}:value = ${quote(value)}]`;
    case "url":
      return `[url:value = ${quote(value)}]`;
    case "hash":
      return `[file:hashes.'SHA-256' = ${quote(value)}]`;
    case "key":
      // Base64 has neither of the wildcards, % and _.
      return `[process:command_line LIKE ${quote(`%${value}%`)}]`;
    case "hassh":
      return `[network-traffic:x_hassh = ${quote(value)}]`;
    case "credential":
      return `[user-account:user_id = ${quote(username!)} AND user-account:credential = ${quote(password!)}]`;
    case "proxy": {
      const colon = value.lastIndexOf(":");
      return `[network-traffic:dst_ref.value = ${quote(value.slice(0, colon))} AND network-traffic:dst_port = ${Number(value.slice(colon + 1))}]`;
    }
  }
}

function addressType(address: string): "ipv4-addr" | "ipv6-addr" {
  return addressVersion(address) === 6 ? "ipv6-addr" : "ipv4-addr";
}

/** What was observed, the indicator's own first; none where the format has no such thing. */
function toObservables({ type, value, origin }: Indicator): StixObject[] {
  const make = (kind: string, named: StixObject, more: StixObject = {}): Identified => ({
    type: kind,
    spec_version: "2.1",
    id: `${kind}--${stableId(JSON.stringify(named), STIX_OBSERVABLES)}`,
    ...named,
    ...more,
  });
  switch (type) {
    case "address":
    case "host": {
      if (addressVersion(value) === 0) return [make("domain-name", { value })];
      if (origin === undefined || origin.asn === null) return [make(addressType(value), { value })];
      const network = make("autonomous-system", { number: Number(origin.asn.slice(2)) }, origin.asOrg === null ? {} : { name: origin.asOrg });
      return [make(addressType(value), { value }, { belongs_to_refs: [network.id] }), network];
    }
    case "url":
      // The observable takes URIs alone; attackers write what they like.
      return isUri(value) ? [make("url", { value })] : [];
    case "hash":
      return [make("file", { hashes: { "SHA-256": value } })];
    // The id of an account does not tell its password, so that two credentials of one name would be one.
    default:
      return [];
  }
}

/** RFC 3986: its characters, every `%` with two digits. */
function isUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[\w.~:/?#@!$&'()*+,;=-]|\[[0-9a-f:.]{2,45}\]|%[0-9a-f]{2})+$/i.test(text) && text.split("#").length <= 2;
}

function toObserved(indicatorId: string, sighting: Sighting, observables: readonly StixObject[], common: StixObject) {
  return {
    type: "observed-data",
    spec_version: "2.1",
    id: `observed-data--${stableId(`observed ${indicatorId} ${sighting.sensor}`)}`,
    ...common,
    ...versionOf(sighting),
    first_observed: toInstant(sighting.firstUs),
    last_observed: toInstant(sighting.lastUs),
    number_observed: Math.min(COUNT_MOST, sighting.hits),
    object_refs: observables.map(({ id }) => id),
  };
}
