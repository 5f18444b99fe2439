/**
 * Campaigns in the report: what the page carries of them, and what it shows under a filter. The same on the server and in
 * the page; nothing here knows HTML.
 *
 * What a campaign did follows the filter; what it leaves (addresses, files, hosts, keys) is that of all its sessions.
 */
import type { CampaignCounts, CampaignSketch, Leading } from "../campaigns/campaign-counts.ts";
import { cutLong } from "../text/cut.ts";
import { formatNumber, formatShare, plural, toIsoDay } from "../text/format.ts";
import { toChange } from "../text/labels.ts";
import type { Purpose } from "../text/purpose-names.ts";
import { type Cells, type Filter, forEachCell, type Grid, sumCells } from "./cells.ts";
import { chooseRun, describeRuns, sumTallies, toRunFilter } from "./report-chains.ts";
import type { ChangeView, Scope } from "./report-view.ts";

/** Campaigns that are carried whatever they cost, and bounds of the cells and characters that the others may take. */
const CARRY_ALWAYS = 5;
const CELLS_MOST = 8_000;
const TEXT_MOST = 30_000;
/** Longest text that is carried. */
const VALUE_MOST = 300;
/** Rows before the table is unfolded. */
export const CAMPAIGNS_SHOWN = 10;
/** Fewer sessions in both periods say nothing of a change. */
const FEW = 10;

/** A campaign as the page carries it. */
export interface CarriedCampaign extends CampaignSketch {
  /** `purposes[i]` belongs to `commands[i]`. */
  readonly purposes: readonly Purpose[];
}

export interface CampaignsData {
  /** Days per cell, as with chains. */
  readonly runDays: number;
  readonly campaigns: readonly CarriedCampaign[];
  /** `cells[campaign]` = sessions by run of days and sensor. */
  readonly cells: readonly Cells[];
  /** Campaigns there are, carried or not; sessions that left something, and those of them in no campaign. */
  readonly all: number;
  readonly marked: number;
  readonly alone: number;
  /** Names of the techniques there are, by id. */
  readonly techniques: Readonly<Record<string, string>>;
}

/**
 * Choose what a page carries.
 *
 * @param sensors Names by code, as in the table.
 * @returns undefined where there is no campaign on the days and sensors of the page.
 */
export function buildCampaignsData(
  counts: CampaignCounts,
  grid: Grid,
  sensors: readonly string[],
  purposeOf: (command: string) => Purpose,
  techniqueName: (id: string) => string,
): CampaignsData | undefined {
  const runDays = chooseRun(grid);
  const campaigns: CarriedCampaign[] = [];
  const cells: Cells[] = [];
  let [cellsUsed, textUsed] = [0, 0];
  for (const { sketch, tally } of counts.campaigns) {
    const own = sumTallies([tally], counts.sensors, grid, runDays, sensors);
    // A campaign of days that the page does not draw.
    if (own.at.length === 0) continue;
    const carried = { ...cutTexts(sketch), purposes: sketch.commands.map(purposeOf) };
    const text = JSON.stringify(carried).length;
    const isOver = cellsUsed + own.at.length > CELLS_MOST || textUsed + text > TEXT_MOST;
    if (campaigns.length >= CARRY_ALWAYS && isOver) break;
    cellsUsed += own.at.length;
    textUsed += text;
    campaigns.push(carried);
    cells.push(own);
  }
  if (campaigns.length === 0) return undefined;
  const ids = new Set(campaigns.flatMap(({ techniques }) => techniques));
  const { all, marked, alone } = counts;
  return { runDays, campaigns, cells, all, marked, alone, techniques: Object.fromEntries([...ids].sort().map(id => [id, techniqueName(id)])) };
}

const cut = (text: string) => (text.length > VALUE_MOST ? `${cutLong(text).slice(0, VALUE_MOST)}…` : text);

function cutTexts(sketch: CampaignSketch): CampaignSketch {
  const texts = ({ first, all }: Leading<string>) => ({ first: first.map(cut), all });
  return {
    ...sketch,
    name: cut(sketch.name),
    commands: sketch.commands.map(cut),
    hosts: texts(sketch.hosts),
    hashes: texts(sketch.hashes),
    credentials: { ...sketch.credentials, first: sketch.credentials.first.map(([user, password]) => [cut(user), cut(password)] as const) },
    keys: { ...sketch.keys, first: sketch.keys.first.map(key => ({ ...key, text: cut(key.text) })) },
    clients: {
      ...sketch.clients,
      first: sketch.clients.first.map(({ hassh, version }) => ({ hassh: cut(hassh), version: version === undefined ? undefined : cut(version) })),
    },
  };
}

export type CampaignRowView = ReturnType<typeof buildRow>;

/** Campaigns under a filter. */
export interface CampaignsView {
  readonly data: CampaignsData;
  /** By sessions falling; ties as in the data. */
  readonly rows: readonly CampaignRowView[];
  readonly shown: string;
}

export function buildCampaignsView(scope: Scope, data: CampaignsData): CampaignsView {
  const { runs, filter, range, isWidened } = toRunFilter(scope, data.runDays);
  const lastDay = scope.data.grid.firstDay + scope.data.grid.days - 1;
  const toDay = (run: number) => lastDay - (runs.days - run) * data.runDays + 1;
  const rows: CampaignRowView[] = [];
  data.campaigns.forEach((campaign, i) => {
    const sessions = sumCells(data.cells[i]!, runs, filter);
    if (sessions === 0) return;
    rows.push(buildRow(scope, data, campaign, data.cells[i]!, sessions, { runs, filter, toDay }));
  });
  rows.sort((a, b) => b.sessions - a.sessions);
  const days = isWidened ? ` ${describeRuns(data.runDays, range)}` : "";
  const total = rows.reduce((sum, row) => sum + row.sessions, 0);
  return { data, rows, shown: `${describeRows(scope, data, rows.length, total)}${days}` };
}

function describeRows(scope: Scope, { campaigns, all, marked, alone }: CampaignsData, n: number, total: number): string {
  if (n === 0) return "No session of a campaign in this selection.";
  const sessions = plural(total, "session");
  if (!scope.whole) return `${plural(n, "campaign")} with ${sessions} in this selection${campaigns.length < all ? `, of ${formatNumber(campaigns.length)} that the page carries` : ""}.`;
  const of = campaigns.length < all ? `The ${formatNumber(n)} largest of ${formatNumber(all)} campaigns` : plural(n, "campaign");
  return `${of} with ${sessions}; of ${plural(marked, "session")} that left something, ${formatShare(alone / Math.max(1, marked))} share nothing that tells with another.`;
}

interface Runs {
  readonly runs: Grid;
  readonly filter: Filter;
  readonly toDay: (run: number) => number;
}

function buildRow(scope: Scope, data: CampaignsData, campaign: CarriedCampaign, cells: Cells, sessions: number, { runs, filter, toDay }: Runs) {
  const length = filter.range.last - filter.range.first + 1;
  const values = new Array<number>(length).fill(0);
  const sensors = new Set<number>();
  forEachCell(cells, runs, filter, (run, sensor, count) => {
    values[run]! += count;
    sensors.add(sensor);
  });
  const firstRun = values.findIndex(count => count > 0);
  const lastRun = values.findLastIndex(count => count > 0);
  const first = Math.max(toDay(filter.range.first + firstRun), scope.data.grid.firstDay);
  const last = toDay(filter.range.first + lastRun) + data.runDays - 1;
  const chosen = scope.filter.sensors.reduce((sum, one) => sum + one, 0);
  return {
    campaign,
    sessions,
    sessionsText: formatNumber(sessions),
    values: thin(values),
    change: changeOf(scope, data, cells),
    /** Days since 1970-01-01; of runs of days, the first day of the first and the last day of the last. */
    first,
    last,
    seen: first === last ? toIsoDay(first) : `${toIsoDay(first)} – ${toIsoDay(last)}`,
    sensorsText: `${sensors.size}/${chosen}`,
  };
}

/** Steps of a line in a cell: more are added up. */
const STEPS_MOST = 120;

function thin(values: readonly number[]): number[] {
  const per = Math.ceil(values.length / STEPS_MOST);
  if (per === 1) return [...values];
  return Array.from({ length: Math.ceil(values.length / per) }, (_, i) => values.slice(i * per, (i + 1) * per).reduce((sum, one) => sum + one, 0));
}

/** The last days of the selection against as many before, where both are counted by single days. */
function changeOf(scope: Scope, { runDays }: CampaignsData, cells: Cells): ChangeView {
  const { comparison } = scope;
  if (comparison === undefined || runDays > 1) return { text: "–", tone: "same", ratio: 0 };
  const [now, before] = [comparison.now, comparison.before].map(filter => sumCells(cells, scope.data.grid, filter)) as [number, number];
  if (before === 0) return now === 0 ? { text: "–", tone: "same", ratio: 0 } : { text: "from none", tone: now >= FEW ? "more" : "same", ratio: Infinity };
  const ratio = (now - before) / before;
  return { text: now === 0 ? "to none" : toChange(ratio), tone: now + before < FEW || ratio === 0 ? "same" : ratio > 0 ? "more" : "less", ratio };
}
