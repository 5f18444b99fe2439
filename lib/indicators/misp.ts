/**
 * Indicators as MISP events (https://www.misp-standard.org/rfc/misp-standard-core.html), each a file, with the manifest that
 * makes their folder a feed.
 *
 * Objects are of MISP's own templates. Ids are made of values and of the days that an event is about: the same indicators
 * give the same files, and a feed that is fetched again changes what has changed.
 */
import { plural, toIsoDay, toIsoInstant } from "../text/format.ts";
import { compareText, toSafeJson } from "../text/text.ts";
import { dayOf } from "../text/time.ts";
import { describeOrigin } from "../origin/origins.ts";
import { addressVersion } from "../text/address.ts";
import type { Indicator } from "./indicator.ts";
import { type Attribution, stableId, type Tlp } from "./stable-id.ts";

/** Id and version of the templates used (https://github.com/MISP/misp-objects, CC0). */
const TEMPLATES = {
  cowrie: { uuid: "ae085d32-6534-4d52-b3eb-063fccb753e7", version: 3, category: "network" },
  "domain-ip": { uuid: "43b3b146-77eb-4931-b4cc-b66c60f28734", version: 11, category: "network" },
  url: { uuid: "60efb77b-40b5-4c46-871b-ed1ed999fce5", version: 10, category: "network" },
  file: { uuid: "688c46fb-5edb-40a3-8273-1af7923e2215", version: 25, category: "file" },
  "ssh-authorized-keys": { uuid: "d1db3e4d-c932-4d8b-a915-4cff088cb678", version: 1, category: "network" },
  credential: { uuid: "a27e98c9-9b0e-414c-8076-d201e039ca09", version: 5, category: "misc" },
} as const;
type Template = keyof typeof TEMPLATES;

const CATEGORY = {
  "ip-src": "Network activity",
  "ip-dst": "Network activity",
  "ip-dst|port": "Network activity",
  "hostname|port": "Network activity",
  domain: "Network activity",
  url: "Network activity",
  "hassh-md5": "Network activity",
  sha256: "Payload delivery",
  text: "Other",
  datetime: "Other",
} as const;
type AttributeType = keyof typeof CATEGORY;

/** Colours of the tags, as MISP's own taxonomies have them. */
const TLP_COLOURS: Readonly<Record<Tlp, string>> = { clear: "#ffffff", green: "#339900", amber: "#ffc000", red: "#cc0033" };

type Plain = Readonly<Record<string, unknown>>;

export type MispEvent = ReturnType<typeof toMispEvent>;

export interface MispOptions extends Attribution {
  /** What was asked for, days too: runs that asked for the same make one event, the later the newer. */
  readonly about: string;
}

/** An event of indicators; those of one day where one is given. */
export function toMispEvent(indicators: readonly Indicator[], { tlp, org, about }: MispOptions, day?: number) {
  const first = day ?? dayOf(indicators.reduce((least, { firstUs }) => Math.min(least, firstUs), Infinity));
  const last = day ?? dayOf(indicators.reduce((most, { lastUs }) => Math.max(most, lastUs), -Infinity));
  const [firstDay, lastDay] = [toIsoDay(first), toIsoDay(last)];
  const uuid = stableId(`misp ${day === undefined ? "" : firstDay} ${about}`);
  const timestamp = seconds(indicators.reduce((most, { lastUs }) => Math.max(most, lastUs), -Infinity));
  const head = {
    info: `Cowrie honeypots, ${firstDay === lastDay ? firstDay : `${firstDay} to ${lastDay}`}: ${plural(indicators.length, "indicator")}`,
    date: firstDay,
    timestamp,
    analysis: "2",
    threat_level_id: "3",
    Orgc: { name: org, uuid: stableId(`organisation ${org}`) },
    Tag: [
      { name: `tlp:${tlp}`, colour: TLP_COLOURS[tlp], exportable: true },
      { name: "honeypot", colour: "#3a7d44", exportable: true },
      { name: 'honeypot-basic:interaction-level="medium"', colour: "#3a7d44", exportable: true },
    ],
  };
  const objects = indicators.flatMap(indicator => toObject(uuid, indicator) ?? []);
  const attributes = indicators.flatMap(indicator => toAttribute(uuid, indicator) ?? []);
  const event = { uuid, ...head, published: true, publish_timestamp: timestamp, distribution: "3", Attribute: attributes, Object: objects };
  return { uuid, json: `${toSafeJson({ Event: event })}\n`, entry: head };
}

/**
 * The list of the events of a folder, by their ids.
 *
 * @param known The list that is there; "" = none.
 * @throws {Error} if that is no such list.
 */
export function toManifest(events: readonly MispEvent[], known: string): string {
  const entries = new Map<string, unknown>(known === "" ? [] : Object.entries(parseManifest(known)));
  for (const { uuid, entry } of events) entries.set(uuid, entry);
  return `${toSafeJson(Object.fromEntries([...entries].sort(([a], [b]) => compareText(a, b))))}\n`;
}

function parseManifest(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new Error("it is no manifest of a MISP feed");
}

function seconds(us: number): string {
  return String(Math.floor(us / 1_000_000));
}

/** How it was seen, in a sentence. */
function commentOf({ hits, sessions, sightings, days, campaigns = [], origin }: Indicator): string {
  const from = origin === undefined ? "" : describeOrigin(origin);
  return (
    `${plural(hits, "hit")} in ${plural(sessions, "session")} on ${plural(sightings.length, "sensor")} and ${plural(days, "day")}` +
    (campaigns.length === 0 ? "" : `; campaign ${campaigns.join(", ")}`) +
    (from === "" ? "" : `; ${from}`)
  );
}

/** The object of an indicator; undefined for what is a mere attribute. */
function toObject(event: string, indicator: Indicator): Plain | undefined {
  const { type, value, firstUs, lastUs, username, password, session, sightings } = indicator;
  const seen: Part[] = [
    ["first-seen", "datetime", toIsoInstant(firstUs)],
    ["last-seen", "datetime", toIsoInstant(lastUs)],
  ];
  const of = (template: Template, parts: readonly Part[]) => objectOf(event, indicator, template, parts);
  switch (type) {
    case "address": {
      // The template is of a session: the last of the address.
      if (session === undefined) return undefined;
      const last = sightings.reduce((latest, own) => (own.lastUs > latest.lastUs ? own : latest));
      return of("cowrie", [
        ["src_ip", "ip-src", value, true],
        ["session", "text", session],
        ...(last.sensor === "" ? [] : [["sensor", "text", last.sensor] as Part]),
        ["timestamp", "datetime", toIsoInstant(lastUs)],
      ]);
    }
    case "host":
      return of("domain-ip", [addressVersion(value) === 0 ? ["domain", "domain", value, true] : ["ip", "ip-dst", value, true], ...seen]);
    case "url":
      return of("url", [["url", "url", value, true], ...seen]);
    case "hash":
      return of("file", [["sha256", "sha256", value, true]]);
    case "key":
      return of("ssh-authorized-keys", [["full-line", "text", value], ["key", "text", value.split(" ")[1]!], ...seen]);
    case "credential":
      // MISP has no empty values.
      return of("credential", [
        ...(username === "" ? [] : [["username", "text", username!] as Part]),
        ...(password === "" ? [] : [["password", "text", password!] as Part]),
      ]);
    default:
      return undefined;
  }
}

/** The attribute of an indicator of which there is no object. */
function toAttribute(event: string, indicator: Indicator): Plain | undefined {
  const { type, value, session } = indicator;
  const of = (kind: AttributeType, text: string, isActedOn: boolean) =>
    attributeOf(`${event} ${type} ${value}`, indicator, [undefined, kind, text, isActedOn]);
  if (type === "address" && session === undefined) return of("ip-src", value, true);
  if (type === "hassh") return of("hassh-md5", value, false);
  if (type !== "proxy") return undefined;
  const colon = value.lastIndexOf(":");
  const host = value.slice(0, colon);
  return of(addressVersion(host) === 0 ? "hostname|port" : "ip-dst|port", `${host}|${value.slice(colon + 1)}`, false);
}

/** Relation to the object, type, value, and whether it is to be acted on. */
type Part = readonly [relation: string | undefined, type: AttributeType, value: string, toIds?: boolean];

function objectOf(event: string, indicator: Indicator, template: Template, parts: readonly Part[]): Plain | undefined {
  if (parts.length === 0) return undefined;
  const { uuid: templateId, version, category } = TEMPLATES[template];
  const { type, value, lastUs, username } = indicator;
  const name = `${event} ${type} ${username?.length ?? ""} ${value}`;
  return {
    uuid: stableId(`object ${name}`),
    name: template,
    "meta-category": category,
    template_uuid: templateId,
    template_version: String(version),
    timestamp: seconds(lastUs),
    distribution: "5",
    comment: commentOf(indicator),
    first_seen: toIsoInstant(indicator.firstUs),
    last_seen: toIsoInstant(lastUs),
    Attribute: parts.map(part => attributeOf(name, indicator, part)),
  };
}

function attributeOf(name: string, indicator: Indicator, [relation, type, value, toIds = false]: Part): Plain {
  return {
    uuid: stableId(`attribute ${name} ${relation ?? ""}`),
    ...(relation !== undefined && { object_relation: relation }),
    type,
    category: CATEGORY[type],
    value,
    to_ids: toIds,
    disable_correlation: type === "datetime" || relation === "sensor",
    timestamp: seconds(indicator.lastUs),
    distribution: "5",
    comment: relation === undefined ? commentOf(indicator) : "",
  };
}
