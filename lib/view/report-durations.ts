/**
 * How long sessions lasted, in the report: what the page carries of it, and its picture under a filter.
 *
 * Tested in `test/lib/sessions/duration-counts.test.ts`.
 */
import type { DurationCounts } from "../sessions/duration-counts.ts";
import { DURATION_STEPS } from "../text/duration-steps.ts";
import { formatNumber, formatShare, plural } from "../text/format.ts";
import { type Cells, type Grid, sumCells } from "./cells.ts";
import { element, type Markup } from "./markup.ts";
import { chooseRun, describeRuns, sumTallies, toRunFilter } from "./report-chains.ts";
import type { Scope } from "./report-view.ts";
import { round1 } from "./scale.ts";

const ROW_HEIGHT = 22;
const NAME_WIDTH = 118;
const COUNT_WIDTH = 118;

export interface DurationsData {
  /** Days per cell, as with chains. */
  readonly runDays: number;
  /** `cells[step]` = sessions by run of days and sensor. */
  readonly cells: readonly Cells[];
}

/** @returns undefined where no session on the days and sensors of the page tells its length. */
export function buildDurationsData(
  counts: DurationCounts,
  grid: Grid,
  sensors: readonly string[],
): DurationsData | undefined {
  const runDays = chooseRun(grid);
  const cells = counts.tallies.map(tally => sumTallies([tally], counts.sensors, grid, runDays, sensors));
  return cells.every(({ at }) => at.length === 0) ? undefined : { runDays, cells };
}

export interface DurationsView {
  readonly label: string;
  readonly svg: Markup;
  /** What is drawn, shortest first. */
  readonly rows: readonly { readonly name: string; readonly count: number; readonly share: string }[];
}

/** Bars of the sessions by length, for the days and sensors chosen. */
export function buildDurationsView(scope: Scope, { cells, runDays }: DurationsData, width: number): DurationsView {
  const { runs, filter, range, isWidened } = toRunFilter(scope, runDays);
  const counts = cells.map(own => sumCells(own, runs, filter));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const label = `${plural(total, "session")} by length${isWidened ? `. ${describeRuns(runDays, range)}` : ""}`;
  const most = Math.max(1, ...counts);
  const reach = Math.max(40, width - NAME_WIDTH - COUNT_WIDTH);
  const height = DURATION_STEPS.length * ROW_HEIGHT;
  const rows = DURATION_STEPS.flatMap(({ name }, step) => {
    const y = step * ROW_HEIGHT + ROW_HEIGHT / 2;
    const count = counts[step]!;
    const bar = count === 0 ? 0 : Math.max(1, round1((reach * count) / most));
    return [
      element("text", { class: "tick end", x: NAME_WIDTH - 8, y, dy: ".35em" }, name),
      element("rect", { class: "area s0", x: NAME_WIDTH, y: y - 7, width: bar, height: 14 }),
      element(
        "text",
        { class: "tick", x: NAME_WIDTH + bar + 8, y, dy: ".35em" },
        count === 0 ? "0" : `${formatNumber(count)} · ${formatShare(count / total)}`,
      ),
    ];
  });
  const numbers = DURATION_STEPS.map(({ name }, step) => {
    const count = counts[step]!;
    return { name, count, share: count === 0 ? "" : formatShare(count / total) };
  });
  const said = DURATION_STEPS.map(({ name }, step) => `${name} ${formatNumber(counts[step]!)}`).join(", ");
  const size = { viewBox: `0 0 ${width} ${height}`, width, height };
  const svg = element("svg", { class: "chart", ...size, role: "img", "aria-label": `${label}: ${said}` }, ...rows);
  return { label, svg, rows: numbers };
}
