/**
 * Campaigns as text: a table of all, a sheet of one, and why two sessions are together. Every word of an attacker is shown, none sent.
 *
 * Tested in `test/scripts/campaigns.test.ts`.
 */
import { describeCounts, originName } from "../origin/origin-counts.ts";
import { describeOrigin, type Origins } from "../origin/origins.ts";
import { formatInstant, formatNumber, formatShare, plural, toIsoDay, toSpan } from "../text/format.ts";
import { clipEnd } from "../text/cut.ts";
import { quoteEdges, sensorLabel, toChange } from "../text/labels.ts";
import { formatTable, paint, type TableCell, VALUE_MAX_WIDTH } from "../text/text-table.ts";
import { techniqueName } from "../text/techniques.ts";
import { ellipsize, visible } from "../text/text.ts";
import { type Campaign, type CampaignKey, type CampaignLink, type CampaignSession, offeredElsewhere } from "./campaign.ts";
import { campaignOrigins } from "./campaign-records.ts";
import type { Campaigns } from "./find-campaigns.ts";
import { type Mark, MARK_KINDS } from "./marks.ts";
import type { Why, WhyStep } from "./why-together.ts";

export interface TextOptions {
  /** Columns of the terminal; nothing is cut when undefined. */
  readonly width: number | undefined;
  readonly color: boolean;
  /** By which addresses have countries and networks. */
  readonly origins?: Origins | undefined;
}

/** Columns of a strip of days, at most. */
const STRIP_MOST = 28;
const BARS = "▁▂▃▄▅▆▇█";
const NO_DAY = "·";
/** Values of a list in a sheet; the rest is counted. */
const VALUES_MOST = 10;
const LABEL_WIDTH = 12;
const NAME_WIDTH = 28;
const ORIGIN_WIDTH = 28;

/**
 * Activity over days as one line of bars, empty days as dots; bars are by the logarithm, so that one busy day does not
 * flatten all others.
 */
export function dayStrip(days: Campaign["days"], first: number, last: number, most = STRIP_MOST): string {
  const length = last - first + 1;
  const per = Math.ceil(length / most);
  const sums = new Array<number>(Math.ceil(length / per)).fill(0);
  for (const { day, sessions } of days) sums[Math.floor((day - first) / per)]! += sessions;
  const top = Math.log1p(Math.max(1, ...sums));
  return sums.map(sum => (sum === 0 ? NO_DAY : BARS[Math.min(7, Math.floor((7.999 * Math.log1p(sum)) / top))]!)).join("");
}

/** Sessions of the last days against those before, in words. */
export function changeText({ state, now, before }: Pick<Campaign, "state" | "now" | "before">): string {
  if (state === undefined) return "–";
  return before === 0 ? (now === 0 ? "–" : "new") : toChange((now - before) / before);
}

/** @param limit Campaigns shown; 0 = all. */
export function campaignsToText(found: Campaigns, limit: number, { origins, ...options }: TextOptions): string {
  const shown = limit === 0 ? found.campaigns : found.campaigns.slice(0, limit);
  const days = found.days!;
  const rows = shown.map((campaign): TableCell[] => [
    campaign.id,
    campaign.name,
    campaign.state ?? null,
    toIsoDay(campaign.days[0]!.day),
    toIsoDay(campaign.days.at(-1)!.day),
    dayStrip(campaign.days, days.first, days.last),
    campaign.sessions,
    changeText(campaign),
    campaign.addresses.length,
    campaign.networks,
    campaign.sensors.length,
    campaign.hashes.length,
    campaign.hosts.length,
    campaign.keys.length,
    campaign.chains.length,
    ...(origins === undefined ? [] : originCells(campaign, origins)),
  ]);
  const titles = ["id", "name", "state", "first", "last", "days", "sessions", "change", "addresses", "networks", "sensors", "files", "hosts", "keys", "chains", ...(origins === undefined ? [] : ["countries", "largest network"])];
  return formatTable(
    titles.map(title => ({ title, ...(title === "name" ? { maxWidth: NAME_WIDTH } : {}), ...(title === "change" ? { align: "right" as const } : {}) })),
    rows,
    options,
  );
}

/** Its first countries, and the network that most of its addresses are of. */
function originCells(campaign: Campaign, origins: Origins): TableCell[] {
  const { countries, networks } = campaignOrigins(campaign, origins);
  const [largest] = networks.filter(({ name }) => name !== null);
  return [describeCounts(countries, 3, ORIGIN_WIDTH), largest === undefined ? null : describeCounts([largest], 1, ORIGIN_WIDTH)];
}

export function campaignToText(campaign: Campaign, found: Campaigns, { width, color, origins }: TextOptions): string {
  const lines: string[] = [];
  const line = (label: string, text: string) => lines.push(fit(`${label.padEnd(LABEL_WIDTH)}${text}`, width));
  const list = (label: string, values: readonly string[]) => {
    values.slice(0, VALUES_MOST).forEach((value, i) => line(i === 0 ? label : "", value));
    if (values.length > VALUES_MOST) line("", `and ${formatNumber(values.length - VALUES_MOST)} more`);
  };
  const times = (sessions: number) => `${formatNumber(sessions)} ×`;
  const counted = (values: readonly { readonly value: string; readonly sessions: number }[]) =>
    values.map(({ value, sessions }) => `${times(sessions)} ${quoteEdges(visible(value))}`);
  lines.push(paint(fit(`Campaign ${campaign.id}: ${quoteEdges(visible(campaign.name))}`, width), "bold", color));
  line("Seen", `${formatInstant(campaign.firstUs)} to ${formatInstant(campaign.lastUs)}, on ${plural(campaign.days.length, "day")}${campaign.state === undefined ? "" : `; ${campaign.state}`}`);
  line("Days", `${dayStrip(campaign.days, found.days!.first, found.days!.last, 60)}  ${toSpan(toIsoDay(found.days!.first), toIsoDay(found.days!.last))}`);
  line("Sessions", `${formatNumber(campaign.sessions)}; ${formatNumber(campaign.now)} in the last ${plural(found.lastDays, "day")}, ${formatNumber(campaign.before)} in as many before`);
  line("From", `${plural(campaign.addresses.length, "address", "addresses")} of ${plural(campaign.networks, "network")}`);
  const originText = (address: string) => (origins === undefined ? "" : `  ${visible(describeOrigin(origins.of(address))) || "unknown"}`);
  list("", campaign.addresses.map(({ value, sessions }) => `${times(sessions)} ${quoteEdges(visible(value))}${originText(value)}`));
  if (origins !== undefined) {
    const { countries, networks } = campaignOrigins(campaign, origins);
    line("Countries", describeCounts(countries, VALUES_MOST, ORIGIN_WIDTH));
    list("Networks", networks.map(({ name, addresses }) => `${plural(addresses, "address", "addresses")} ${originName(name, VALUE_MAX_WIDTH)}`));
  }
  list("Sensors", campaign.sensors.map(({ value, sessions }) => `${times(sessions)} ${sensorLabel(value)}`));
  list("Let in with", campaign.credentials.map(({ username, password, sessions }) => `${times(sessions)} ${quoteEdges(visible(username))} : ${quoteEdges(visible(password))}`));
  list("Hosts", counted(campaign.hosts));
  list("Paths", counted(campaign.paths));
  list("Files", campaign.hashes.map(({ value, name, sessions }) => `${times(sessions)} ${visible(value)}${name === undefined ? "" : `  ${quoteEdges(visible(name))}`}`));
  list("Keys", campaign.keys.map(describeKey));
  list("Clients", campaign.clients.map(({ value, versions, sessions }) => `${times(sessions)} ${visible(value)}  ${versions.map(visible).join(", ")}`));
  list("ATT&CK", campaign.techniques.map(({ value, sessions }) => `${times(sessions)} ${techniqueName(value)}`));
  list("Links", campaign.links.map(describeLink));
  if (campaign.near !== undefined) line("", `${plural(campaign.near.chains, "chain")} nearly equal to another, ${formatShare(campaign.near.leastShare)} in common or more`);
  list("Newest", campaign.newest.map(one => describeSession(one)));
  campaign.chains.slice(0, 3).forEach(({ commands, isCut, sessions }, i) => {
    lines.push("", paint(`Chain ${i + 1} of ${formatNumber(campaign.chains.length)}, ${plural(sessions, "session")}`, "bold", color));
    for (const command of commands) lines.push(fit(`  ${quoteEdges(visible(clipEnd(command, 2000)))}`, width));
    if (isCut) lines.push("  …");
  });
  return `${lines.join("\n")}\n`;
}

function describeKey(key: CampaignKey): string {
  const { fingerprint, type, comment, planted, offered, plantedOn, offeredOn } = key;
  const elsewhere = offeredElsewhere(key);
  const travels = elsewhere.length === 0 ? "" : `; planted elsewhere, offered on ${elsewhere.map(sensorLabel).join(", ")}`;
  const named = `${type === undefined ? "" : `${visible(type)} `}${visible(fingerprint)}${comment === undefined ? "" : ` ${visible(comment)}`}`;
  const places = (n: number, what: string, sensors: readonly string[]) =>
    n === 0 ? [] : [`${what} in ${plural(n, "session")} on ${sensors.length > 3 ? plural(sensors.length, "sensor") : sensors.map(sensorLabel).join(", ")}`];
  return `${named}: ${[...places(planted, "planted", plantedOn), ...places(offered, "offered", offeredOn)].join("; ")}${travels}`;
}

function describeLink({ kind, value, weight, sessions }: CampaignLink): string {
  return `${weight.toFixed(1)}  ${describeMark({ kind, value })}, ${plural(sessions, "session")}`;
}

/** `file 3be56c3e…`; a chain by its first command. */
function describeMark({ kind, value }: Mark): string {
  const name = MARK_KINDS.find(({ id }) => id === kind)!.name;
  if (kind !== "chain") return `${name} ${quoteEdges(visible(clipEnd(value, VALUE_MAX_WIDTH)))}`;
  const commands = value.split("\n").length;
  return `${name} of ${plural(commands, "line")}: ${quoteEdges(visible(clipEnd(value.split("\n").join(" → "), 60)))}`;
}

function describeSession({ session, sensor, address, startUs }: CampaignSession): string {
  return `${visible(session)}  ${formatInstant(startUs)}  ${address === undefined ? "-" : visible(address)}  ${sensorLabel(sensor)}`;
}

/** Why two sessions are together, or not. */
export function whyToText({ a, b, isTogether, way, shared, common, near }: Why, { width, color }: TextOptions): string {
  const lines = [paint(`${visible(a.session)} and ${visible(b.session)}: ${isTogether ? "together" : "not together"}`, "bold", color)];
  lines.push(`  ${describeSession(a)}`, `  ${describeSession(b)}`);
  if (shared.length > 0) lines.push("Both have", ...shared.map(mark => `  ${weightText(mark)}  ${describeMark(mark)}`));
  else if (way.length > 0) lines.push("From the first to the second", ...way.map(step => `  ${describeStep(step)}`));
  else if (!isTogether) lines.push("They share nothing that joins, and no other session leads from one to the other.");
  if (near > 0) lines.push(`Their chains have ${formatShare(near)} in common.`);
  for (const mark of common) {
    const who = mark.sessions === undefined ? "everyday commands" : `common: ${plural(mark.sessions, "session")}`;
    lines.push(`Both have, and it joins nobody (${who}): ${describeMark(mark)}`);
  }
  return `${lines.map(text => fit(text, width)).join("\n")}\n`;
}

function weightText({ kind }: Mark): string {
  return MARK_KINDS.find(({ id }) => id === kind)!.weight.toFixed(1);
}

function describeStep({ mark, near, by }: WhyStep): string {
  if (near !== undefined) return `${near.toFixed(1)}  a chain that is nearly equal: ${describeMark(mark)}`;
  const session = by === undefined ? "" : ` (both in ${visible(by.session)})`;
  return `${weightText(mark)}  ${describeMark(mark)}${session}`;
}

function fit(text: string, width: number | undefined): string {
  return width === undefined ? text : ellipsize(text, Math.max(width, 20));
}
