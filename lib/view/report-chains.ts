/**
 * Chains of commands in the report: what the page carries of them, and what it shows under a filter. The same on the
 * server and in the page; nothing here knows HTML.
 */
import { type DayRange, dayCount } from "./axis.ts";
import type { ChainCounts } from "../sessions/chain-counts.ts";
import type { Tally } from "../sessions/tally.ts";
import { type Cells, type Filter, type Grid, sumCells } from "./cells.ts";
import { type Chain, graphOfChains, thinGraph } from "./step-graph.ts";
import { formatNumber, formatShare, plural, toIsoDay } from "../text/format.ts";
import { clipEnd, cutLong } from "../text/cut.ts";
import type { Purpose } from "../text/purpose-names.ts";
import type { Scope } from "./report-view.ts";
import type { LongText } from "../text/long-text.ts";
import { visible } from "../text/text.ts";

/** Commands per position with a bar of their own. */
const TOP = 7;
/** Links of a smaller share of the sessions are hidden. */
const THRESHOLD_SHARE = 0.002;
/** Chains that are carried whatever they cost, and bounds of the cells and the text that the others may take. */
const CARRY_ALWAYS = 10;
const CELLS_MOST = 22_000;
const TEXT_MOST = 60_000;
/** Longest text of a command that is carried; the section of commands has longer ones. */
const COMMAND_MOST = 600;
/** Sensor-days up to which chains are counted day by day; above it by runs of days. */
const DAILY_MOST = 8_000;
const RUNS = [1, 7, 28];
/** A command in a chain is folded from here on. */
const FOLD_CHARACTERS = 90;

export interface ChainsData {
  /** Positions of a chain. */
  readonly steps: number;
  /** Days per cell; the last cell ends on the last day of the page. */
  readonly runDays: number;
  /** Masked commands by code. */
  readonly commands: readonly string[];
  readonly purposes: readonly Purpose[];
  readonly chains: readonly {
    readonly commands: readonly number[];
    readonly isCut: boolean;
    /** Distinct ones, of all days and sensors. */
    readonly addresses: number;
  }[];
  /** Different chains, carried or not. */
  readonly distinct: number;
  /** `cells[chain]` = sessions by run of days and sensor. */
  readonly cells: readonly Cells[];
  /** Sessions of the chains that are not carried. */
  readonly rest: Cells;
}

/**
 * Choose what a page carries.
 *
 * @param sensors Names by code, as in the table.
 * @returns undefined where no session typed anything on the days and sensors of the page.
 */
export function buildChainsData(
  counts: ChainCounts,
  grid: Grid,
  sensors: readonly string[],
  purposeOf: (command: string) => Purpose,
): ChainsData | undefined {
  const runDays = chooseRun(grid);
  const toCells = (tallies: readonly Tally[]) => sumTallies(tallies, counts.sensors, grid, runDays, sensors);
  const texts = new Map<number, number>();
  const chains: { commands: number[]; isCut: boolean; addresses: number }[] = [];
  const cells: Cells[] = [];
  let [cellsUsed, textUsed] = [0, 0];
  let kept = 0;
  for (const { commands, isCut, addresses, tally } of counts.chains) {
    const own = toCells([tally]);
    const fresh = [...new Set(commands)].filter(code => !texts.has(code));
    const text = fresh.reduce((sum, code) => sum + Math.min(COMMAND_MOST, counts.commands[code]!.length), 0);
    const isOver = cellsUsed + own.at.length > CELLS_MOST || textUsed + text > TEXT_MOST;
    if (kept >= CARRY_ALWAYS && isOver) break;
    kept++;
    // A chain of days that the page does not draw.
    if (own.at.length === 0) continue;
    cellsUsed += own.at.length;
    textUsed += text;
    for (const code of fresh) texts.set(code, texts.size);
    chains.push({ commands: commands.map(code => texts.get(code)!), isCut, addresses });
    cells.push(own);
  }
  const rest = toCells([...counts.chains.slice(kept).map(({ tally }) => tally), counts.rest]);
  if (chains.length === 0 && rest.at.length === 0) return undefined;
  const commands = [...texts.keys()].map(code => counts.commands[code]!);
  return {
    steps: counts.steps,
    runDays,
    commands: commands.map(text => cutLong(text).slice(0, COMMAND_MOST) + (text.length > COMMAND_MOST ? "…" : "")),
    purposes: commands.map(purposeOf),
    chains,
    distinct: counts.distinct,
    cells,
    rest,
  };
}

/** Days that a page counts together, so that what it carries by day and sensor stays small. */
export function chooseRun(grid: Grid): number {
  return RUNS.find(run => Math.ceil(grid.days / run) * grid.sensors <= DAILY_MOST) ?? RUNS.at(-1)!;
}

/** `codes[i]` = code in the page of the sensor `named[i]`; -1 = none of them. */
export function sensorCodes(named: readonly string[], grid: Grid, sensors: readonly string[]): number[] {
  const codeOf = new Map(sensors.map((name, code) => [name, code]));
  return named.map(name => codeOf.get(name) ?? grid.others ?? -1);
}

/**
 * Tallies as cells of runs of days; what lies outside the page's days and sensors is left out.
 *
 * @param named Names of the tallies' sensors; `sensors` are those of the table.
 */
export function sumTallies(
  tallies: readonly Tally[],
  named: readonly string[],
  grid: Grid,
  runDays: number,
  sensors: readonly string[],
): Cells {
  const sensorOf = sensorCodes(named, grid, sensors);
  const sums = new Map<number, number>();
  for (const { day, sensor, count } of tallies) {
    for (let i = 0; i < day.length; i++) {
      const offset = day[i]! - grid.firstDay;
      const code = sensorOf[sensor[i]!]!;
      if (offset < 0 || offset >= grid.days || code < 0) continue;
      const cell = toRun(grid, runDays, day[i]!) * grid.sensors + code;
      sums.set(cell, (sums.get(cell) ?? 0) + count[i]!);
    }
  }
  const at = Int32Array.from(sums.keys()).sort();
  return { at, count: Float64Array.from(at, cell => sums.get(cell)!) };
}

/** A filter by runs of days, and the days it is widened to. */
export function toRunFilter(scope: Scope, runDays: number) {
  const { grid } = scope.data;
  const runs: Grid = { firstDay: 0, days: Math.ceil(grid.days / runDays), sensors: grid.sensors };
  const { first, last } = scope.filter.range;
  const filter: Filter = {
    range: { first: toRun(grid, runDays, first), last: toRun(grid, runDays, last) },
    sensors: scope.filter.sensors,
  };
  const lastDay = grid.firstDay + grid.days - 1;
  const range: DayRange = {
    first: Math.max(grid.firstDay, lastDay - (runs.days - filter.range.first) * runDays + 1),
    last: lastDay - (runs.days - 1 - filter.range.last) * runDays,
  };
  return { runs, filter, range, isWidened: range.first !== first || range.last !== last };
}

/** Which days were counted where a filter was widened. */
export function describeRuns(runDays: number, range: DayRange): string {
  return (
    `Counted by runs of ${runDays} days: ${toIsoDay(range.first)} to ${toIsoDay(range.last)} ` +
    `(${plural(dayCount(range), "day")}).`
  );
}

/** Number of the run of days that a day lies in; runs are counted so that the last one is full. */
function toRun(grid: Grid, runDays: number, day: number): number {
  const runs = Math.ceil(grid.days / runDays);
  return runs - 1 - Math.floor((grid.firstDay + grid.days - 1 - day) / runDays);
}

/** Chains under a filter. */
export type ChainsView = ReturnType<typeof buildChainsView>;

export function buildChainsView(scope: Scope, data: ChainsData) {
  const { runs, filter, range, isWidened } = toRunFilter(scope, data.runDays);
  const chains: Chain[] = [];
  data.chains.forEach((chain, i) => {
    const sessions = sumCells(data.cells[i]!, runs, filter);
    if (sessions > 0) chains.push({ ...chain, sessions });
  });
  const graph = graphOfChains(chains, TOP);
  const threshold = Math.max(1, Math.ceil(graph.sessions * THRESHOLD_SHARE));
  return {
    data,
    /** Sessions that typed something, of any chain. */
    sessions: graph.sessions + sumCells(data.rest, runs, filter),
    graph,
    thinned: thinGraph(graph, threshold),
    /** Links of fewer sessions are hidden. */
    threshold,
    /** Days that are counted: those of the filter, widened to whole runs. */
    range,
    isWidened,
  };
}

/** How much of the sessions the picture and the table show. */
export function describeChains({ data, sessions, graph, range, isWidened }: ChainsView, whole: boolean): string {
  if (sessions === 0) return "No session typed anything in this selection.";
  const days = isWidened ? ` ${describeRuns(data.runDays, range)}` : "";
  const all = plural(sessions, "session");
  if (graph.sessions === sessions) return `${plural(graph.chains.length, "distinct chain")}, ${all}.${days}`;
  const of = whole ? ` of ${formatNumber(data.distinct)}` : "";
  return (
    `The page carries ${formatNumber(graph.chains.length)}${of} distinct chains, ` +
    `${formatShare(graph.sessions / sessions)} of ${all}; all numbers here are of these.${days}`
  );
}

/** A command of a chain; `ref` is the name it has in the page, where commands have names. */
export interface ChainLinkView extends LongText {
  readonly purpose: string;
  readonly ref?: string;
}

export interface ChainRowView {
  readonly rank: string;
  readonly sessions: string;
  readonly share: string;
  readonly links: readonly ChainLinkView[];
  readonly isCut: boolean;
}

/** A chain as a row of the table; shares are of all sessions that typed something. */
export function buildChainRow({ data, sessions }: ChainsView, chain: Chain, rank: number): ChainRowView {
  return {
    rank: formatNumber(rank),
    sessions: formatNumber(chain.sessions),
    share: formatShare(chain.sessions / sessions),
    links: chain.commands.map(code => {
      const text = commandText(data, code);
      const isLong = text.length > FOLD_CHARACTERS;
      const head = isLong ? clipEnd(text, FOLD_CHARACTERS) : text;
      return { text, isLong, head, purpose: `p-${data.purposes[code]!}` };
    }),
    isCut: chain.isCut,
  };
}

/** A command as it is shown; quoted where nobody would see where it ends. */
export function commandText(data: ChainsData, code: number): string {
  const text = data.commands[code]!;
  const shown = visible(text);
  return text === "" || text.startsWith(" ") || text.endsWith(" ") ? `"${shown}"` : shown;
}

/** A chain in one cell of a spreadsheet. */
export function chainText(data: ChainsData, { commands, isCut }: Chain): string {
  return [...commands.map(code => commandText(data, code)), ...(isCut ? ["…"] : [])].join(" → ");
}
