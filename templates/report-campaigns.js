/** Campaigns in the report: the table drawn again for the days and sensors chosen. */
import { toCsv } from "../lib/text/csv.ts";
import { formatNumber, toIsoDay } from "../lib/text/format.ts";
import { campaignsTable } from "../lib/view/campaigns-markup.ts";
import { buildCampaignsView, CAMPAIGNS_SHOWN } from "../lib/view/report-campaigns.ts";
import { find, saveText, toNode } from "./page.js";

/** Rows that "Show more" adds. */
const MORE_ROWS = 20;
const COLUMNS = ["id", "name", "sessions", "first_day", "last_day", "sensors", "addresses", "networks", "hosts", "hashes", "keys", "techniques", "chain"];

/**
 * @param {import("./report.js").Report} report
 * @param {import("../lib/view/report-campaigns.ts").CampaignsData} data
 * @param {import("../lib/view/report-trails.ts").TrailPlaces} places
 */
export function startCampaigns(report, data, places) {
  /** @type {HTMLElement} */
  const node = find("#campaigns");
  /** @type {HTMLButtonElement} */
  const more = find("[data-table=more]", node);
  /** @type {HTMLInputElement} */
  const search = find(".find", node);
  let shownRows = CAMPAIGNS_SHOWN;
  /** @type {import("../lib/view/report-campaigns.ts").CampaignsView} */
  let view;

  function findRows() {
    const wanted = search.value.toLowerCase();
    return wanted === "" ? view.rows : view.rows.filter(({ campaign }) => JSON.stringify(campaign).toLowerCase().includes(wanted));
  }

  function drawTable() {
    const found = findRows();
    const open = new Set([...node.querySelectorAll("details[open]")].map(details => /** @type {HTMLElement} */ (details).dataset.campaign));
    const table = toNode(campaignsTable(found.slice(0, shownRows), { data, places, hasScript: true }));
    for (const details of table.querySelectorAll("details")) details.open = open.has(details.dataset.campaign);
    find(".campaigns-table", node).replaceChildren(table);
    more.hidden = found.length <= shownRows;
    more.textContent = `Show ${Math.min(MORE_ROWS, found.length - shownRows)} more`;
    find(".found", node).textContent = search.value === "" ? "" : `${formatNumber(found.length)} of ${formatNumber(view.rows.length)}`;
  }

  function draw() {
    view = buildCampaignsView(report.scope, data);
    find(".shown", node).textContent = view.shown;
    drawTable();
  }

  function save() {
    const rows = findRows().map(({ campaign, sessions, first, last, sensorsText }) => [
      campaign.id, campaign.name, sessions, toIsoDay(first), toIsoDay(last), sensorsText.split("/")[0], campaign.addresses, campaign.networks,
      campaign.hosts.first.join(" "), campaign.hashes.first.join(" "), campaign.keys.first.map(({ text }) => text).join("; "),
      campaign.techniques.join(" "), campaign.commands.join(" → "),
    ]);
    saveText(toCsv(COLUMNS, rows), "campaigns.csv", "text/csv");
  }

  search.addEventListener("input", drawTable);
  more.addEventListener("click", () => {
    shownRows += MORE_ROWS;
    drawTable();
  });
  node.addEventListener("click", event => {
    const { days, table } = /** @type {Element} */ (event.target).closest("button")?.dataset ?? {};
    if (table === "csv") save();
    if (days === undefined) return;
    const [first, last] = days.split(",").map(Number);
    report.chooseRange(first, last);
  });
  return { node, draw, drawAt: draw };
}
