/**
 * How far sessions came, in the report: what the page carries of it, and what it says under a filter. Sessions where event
 * tables were at hand; else the events that a reduced table counts, named as such.
 *
 * Tested in `test/lib/view/report-first.test.ts`.
 */
import type { ReachStep } from "../logs/slot-reach.ts";
import type { ReachCounts, ReachedAddresses } from "../sessions/reach-counts.ts";
import { formatNumber } from "../text/format.ts";
import { buildDistinct, type DistinctPart } from "./build-distinct.ts";
import { type Cells, type Grid, sumCells } from "./cells.ts";
import { countDistinctValues, type DistinctCount, type DistinctData, distinctFigure } from "./distinct-values.ts";
import { element, type Markup } from "./markup.ts";
import { chooseRun, describeRuns, sensorCodes, sumTallies, toRunFilter } from "./report-chains.ts";
import type { Scope } from "./report-view.ts";

/** By step. */
export interface SessionReach {
  /** Days per cell, as with chains. */
  readonly runDays: number;
  readonly sessions: readonly Cells[];
  readonly addresses: readonly DistinctData[];
}

/** Distinct addresses of all days and sensors, as a reduced table knows them: an estimate where they are very many. */
export type TableReach = Readonly<Partial<Record<ReachStep, { readonly value: number; readonly isExact: boolean }>>>;

export interface FunnelRow {
  readonly name: string;
  readonly count: number;
  /** undefined where it is not known. */
  readonly addresses: DistinctCount | undefined;
}

export interface Funnel {
  readonly unit: "sessions" | "events";
  readonly rows: readonly FunnelRow[];
  /** What has to be said of it; empty where nothing has. */
  readonly note: string;
}

/** What a step is called, by step. */
const SESSION_NAMES = ["connected", "tried to log in", "were let in", "typed commands", "fetched files"];

/** Room for sets of addresses: a tenth of what the page takes for those of all sessions. */
const GAP_CELLS = 15_000;
const SHARED_BYTES = 40_000;
/** Standard error of an estimate of the table's sets. */
const ESTIMATE_ERROR = 0.03;

export function buildSessionReach({ sensors: named, tallies, reached }: ReachCounts, grid: Grid, sensors: readonly string[]): SessionReach {
  const runDays = chooseRun(grid);
  const codes = sensorCodes(named, grid, sensors);
  return {
    runDays,
    sessions: tallies.map(tally => sumTallies([tally], named, grid, runDays, sensors)),
    addresses: SESSION_NAMES.map((_, step) => buildDistinct([toPart(reached, codes, grid, 1 << step)], reached.all, grid, { gapCells: GAP_CELLS, sharedBytes: SHARED_BYTES })),
  };
}

/** The rows of a step, in (day, sensor) order as the page numbers sensors. */
function toPart({ address, day, sensor, steps }: ReachedAddresses, codes: readonly number[], { sensors }: Grid, bit: number): DistinctPart {
  const places: number[] = [];
  for (let i = 0; i < steps.length; i++) if ((steps[i]! & bit) !== 0 && codes[sensor[i]!]! >= 0) places.push(i);
  // Cell and place as one number: those are sorted without a comparison of ours.
  const keys = Float64Array.from(places, (at, i) => (day[at]! * sensors + codes[sensor[at]!]!) * places.length + i).sort();
  const order = Uint32Array.from(keys, key => places[key % places.length]!);
  return {
    rows: order.length,
    day: Int32Array.from(order, at => day[at]!),
    sensor: Int32Array.from(order, at => codes[sensor[at]!]!),
    value: Int32Array.from(order, at => address[at]!),
  };
}

/** How far they came, step by step, for the days and sensors chosen. */
export function buildFunnel(scope: Scope): Funnel {
  const { sessionReach } = scope.data;
  return sessionReach === undefined ? funnelOfEvents(scope) : funnelOfSessions(scope, sessionReach);
}

function funnelOfSessions(scope: Scope, { runDays, sessions, addresses }: SessionReach): Funnel {
  const { runs, filter, range, isWidened } = toRunFilter(scope, runDays);
  const days = { range, sensors: filter.sensors };
  const rows = sessions.map((cells, step) => ({
    name: SESSION_NAMES[step]!,
    count: sumCells(cells, runs, filter),
    addresses: countDistinctValues(addresses[step]!, scope.data.grid, days),
  }));
  return { unit: "sessions", rows, note: isWidened ? describeRuns(runDays, range) : "" };
}

/** Events by day and sensor; addresses are known of all days and sensors together alone. */
function funnelOfEvents({ data, filter, whole }: Scope): Funnel {
  const section = (id: string) => data.sections.find(one => one.id === id);
  const known = (step: ReachStep): DistinctCount | undefined => {
    const count = whole ? data.reach?.[step] : undefined;
    if (count === undefined) return undefined;
    const open = count.isExact ? 0 : Math.ceil(ESTIMATE_ERROR * count.value);
    return { value: count.value, low: count.value - open, high: count.value + open };
  };
  const row = (name: string, cells: Cells | undefined, addresses: DistinctCount | undefined): FunnelRow[] =>
    cells === undefined ? [] : [{ name, count: sumCells(cells, data.grid, filter), addresses }];
  const logins = section("credentials");
  const rows = [
    ...row("connections", section("connections")?.all, countDistinctValues(data.distinct.addresses, data.grid, filter)),
    ...row("login attempts", logins?.all, known("tried")),
    ...(data.unknown?.success === "all" ? [] : row("accepted logins", logins?.allSuccess, known("accepted"))),
    ...row("sessions that typed", section("last-commands")?.all, known("typed")),
    ...row("files fetched", section("downloads")?.all, known("fetched")),
  ];
  return { unit: "events", rows, note: "" };
}

/** From how many addresses anybody tried to log in; undefined where it is not known for this choice. */
export function countTrying(scope: Scope): DistinctCount | undefined {
  const { sessionReach } = scope.data;
  if (sessionReach === undefined) return funnelOfEvents(scope).rows.find(({ name }) => name === "login attempts")?.addresses;
  return sessionReach.runDays > 1 && !scope.whole ? undefined : funnelOfSessions(scope, sessionReach).rows[1]!.addresses;
}

/**
 * From how many addresses connections came: sessions whose beginning is in no log have addresses as well, and no connection.
 * undefined where it is not known for this choice.
 */
export function countConnecting(scope: Scope): DistinctCount | undefined {
  const { sessionReach } = scope.data;
  if (sessionReach === undefined || (sessionReach.runDays > 1 && !scope.whole)) return undefined;
  return funnelOfSessions(scope, sessionReach).rows[0]!.addresses;
}

export function funnelMarkup({ unit, rows, note }: Funnel): Markup[] {
  const most = Math.max(1, ...rows.map(({ count }) => count));
  const hasAddresses = rows.some(({ addresses }) => addresses !== undefined);
  const body = rows.map(({ name, count, addresses }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", { class: "bar" }, shareBar(count / most)),
      element("td", { class: "number" }, formatNumber(count)),
      ...(hasAddresses ? [element("td", { class: "number" }, addresses === undefined ? "" : distinctFigure(addresses))] : []),
    ),
  );
  const heads = ["", "", unit, ...(hasAddresses ? ["addresses"] : [])];
  const head = element("tr", {}, ...heads.map(name => (name === "" ? element("td") : element("th", { scope: "col", class: "number" }, name))));
  const table = element("table", { class: "funnel" }, element("thead", {}, head), element("tbody", {}, ...body));
  return note === "" ? [table] : [table, element("p", { class: "note" }, note)];
}

/** A bar as long as its share; the root of it, so that what few did is seen beside what all did. */
function shareBar(share: number): Markup {
  const width = share === 0 ? 0 : Math.max(1, Math.round(100 * Math.sqrt(share)));
  return element(
    "svg",
    { class: "share-bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", width: 100, height: 10, "aria-hidden": "true" },
    element("rect", { width, height: 10 }),
  );
}
