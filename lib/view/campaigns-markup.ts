/**
 * The table of campaigns, drawn alike by the server and the page's script.
 *
 * Tested in `test/lib/view/report-campaigns.test.ts`.
 */
import type { Leading } from "../campaigns/campaign-counts.ts";
import { isEveryday } from "../campaigns/everyday.ts";
import { clipEnd } from "../text/cut.ts";
import { formatNumber, plural } from "../text/format.ts";
import { quoteEdges } from "../text/labels.ts";
import { visible } from "../text/text.ts";
import { sparkline } from "./chart.ts";
import { element, type Markup } from "./markup.ts";
import type { CampaignRowView, CampaignsData, CarriedCampaign } from "./report-campaigns.ts";
import { noneMarkup, numberHead, tableMarkup } from "./parts-markup.ts";
import { copyLine } from "./report-markup.ts";
import { runScript, type TrailPlaces } from "./report-trails.ts";

export const CAMPAIGNS_COLUMNS = ["Campaign", "Sessions", "Activity", "Change", "Seen", "Sensors", "Addresses", "Leaves"] as const;
/** Characters of a command that stands for the campaign. */
const PREVIEW_MOST = 110;
const NUMBERS: ReadonlySet<string> = new Set(["Sessions", "Change", "Sensors", "Addresses"]);

export interface CampaignsTableOptions {
  readonly data: CampaignsData;
  /** Of the commands that show more. */
  readonly places: TrailPlaces;
  /** With buttons, which the page's script answers. */
  readonly hasScript: boolean;
}

export function campaignsTable(rows: readonly CampaignRowView[], options: CampaignsTableOptions): Markup {
  const heads = CAMPAIGNS_COLUMNS.map(name => (NUMBERS.has(name) ? numberHead(name) : name));
  const body = rows.flatMap(row => [campaignRow(row), sheetRow(row, options)]);
  return tableMarkup(heads, body);
}

function campaignRow(row: CampaignRowView): Markup {
  const { campaign, change } = row;
  return element(
    "tr",
    { class: "campaign" },
    element("td", {}, text(campaign.name), " ", element("span", { class: "id" }, campaign.id)),
    element("td", { class: "number" }, row.sessionsText),
    element("td", {}, sparkline(row.values)),
    element("td", { class: `number change ${change.tone}` }, change.text),
    element("td", { class: "time" }, row.seen),
    element("td", { class: "number" }, row.sensorsText),
    element("td", { class: "number" }, `${formatNumber(campaign.addresses)} in ${plural(campaign.networks, "network")}`),
    element("td", { class: "leaves" }, describeMarks(campaign)),
  );
}

function describeMarks({ hosts, hashes, keys, chains }: CarriedCampaign): string {
  const some = (n: number, one: string) => (n === 0 ? [] : [plural(n, one)]);
  return [...some(hashes.all, "file"), ...some(hosts.all, "host"), ...some(keys.all, "key"), ...some(chains, "chain")].join(", ");
}

/** Below it, over all columns: the first command that is its own, and folded in that what it does and leaves. */
function sheetRow({ campaign, first, last }: CampaignRowView, { data, places, hasScript }: CampaignsTableOptions): Markup {
  const { id, credentials, hosts, hashes, keys, clients, techniques, commands, purposes, isCut, chains } = campaign;
  const goesOn = element("li", { class: "p-rest" }, noneMarkup("goes on"));
  const way = commands.map((command, i) => element("li", { class: `p-${purposes[i]!}` }, text(command)));
  const facts = [
    fact(chains > 1 ? `Most frequent of ${formatNumber(chains)} chains` : "Chain", commands.length === 0 ? [] : [element("ol", { class: "way" }, ...way, ...(isCut ? [goesOn] : []))]),
    fact("ATT&CK", techniques.length === 0 ? [] : [element("ul", { class: "techniques" }, ...techniques.map(one => element("li", {}, data.techniques[one] ?? one)))]),
    fact("Hosts", list(hosts, text)),
    fact("Files", list(hashes, text)),
    fact("Keys", list(keys, key => element("span", {}, text(key.text), ` ${describeKey(key)}`))),
    fact("Clients", list(clients, ({ hassh, version }) => element("span", {}, text(hassh), ...(version === undefined ? [] : [" ", text(version)])))),
    fact("Let in with", list(credentials, ([user, password]) => element("span", {}, text(user), " : ", text(password)))),
  ].flat();
  const details = element(
    "details",
    { "data-campaign": id },
    element("summary", {}, preview(campaign)),
    element("dl", {}, ...facts),
    ...(hasScript ? [element("p", {}, element("button", { type: "button", "data-days": `${first},${last}` }, "Show its days"))] : []),
    ...commandLines(id, places).map(line => copyLine(line, places.folders, hasScript)),
  );
  return element("tr", { class: "campaign-sheet" }, element("td", { class: "own", colspan: CAMPAIGNS_COLUMNS.length }, details));
}

/** What stands for it while it is folded. */
function preview({ commands, purposes, keys, hashes }: CarriedCampaign): Markup {
  const most = commands.findIndex((_, i) => purposes[i] !== "recon" && purposes[i] !== "probe" && purposes[i] !== "other");
  const own = most >= 0 ? most : commands.findIndex(one => !isEveryday(one));
  const command = commands[Math.max(0, own)];
  if (command !== undefined) return text(clipEnd(command, PREVIEW_MOST));
  return keys.all > 0 ? element("span", {}, "offers a key") : element("span", {}, hashes.all > 0 ? "moves a file" : "fetches");
}

function commandLines(id: string, places: TrailPlaces) {
  const line = (script: string) => `${runScript(places, script)} --campaign ${id} ${places.where}`;
  return [
    { what: "All of it", text: line("campaigns") },
    { what: "Its indicators", text: line("indicators") },
  ];
}

function describeKey({ planted, offered }: { readonly planted: number; readonly offered: number }): string {
  const parts = [...(planted > 0 ? [`planted in ${plural(planted, "session")}`] : []), ...(offered > 0 ? [`offered in ${plural(offered, "session")}`] : [])];
  return parts.join(", ");
}

function fact(name: string, values: readonly Markup[]): Markup[] {
  return values.length === 0 ? [] : [element("dt", {}, name), element("dd", {}, ...values)];
}

function list<Value>({ first, all }: Leading<Value>, show: (value: Value) => Markup): Markup[] {
  const more = all > first.length ? [noneMarkup(`and ${formatNumber(all - first.length)} more`)] : [];
  return [...first.map(show), ...more];
}

function text(value: string): Markup {
  return element("code", {}, quoteEdges(visible(value)));
}
