/**
 * Series that lie on each other are one: keys of a section that were counted equally often on the same days and sensors,
 * such as the commands of one script. What is drawn shows each such group once; tables and what is saved list all.
 */
import type { Cells } from "./cells.ts";
import type { Line } from "./chart.ts";
import type { SectionData } from "./section-keys.ts";
import type { Ranking } from "./report-view.ts";

export function areSameCells(a: Cells, b: Cells): boolean {
  return a === b || (a.at.length === b.at.length && a.at.every((at, i) => at === b.at[i] && a.count[i] === b.count[i]));
}

const leaders = new WeakMap<SectionData, Int32Array>();

/**
 * Of each key the first that has the very same counts, itself where it is the first; the same under every filter.
 *
 * @returns `leader[key]`.
 */
function leadersOf(section: SectionData): Int32Array {
  const known = leaders.get(section);
  if (known !== undefined) return known;
  // What can be had without reading the lists comes first: few are then compared in whole.
  const candidates = new Map<string, number[]>();
  const leader = Int32Array.from(section.cells, (cells, key) => {
    const { length } = cells.at;
    const traits = [length, cells.at[0], cells.at[length - 1], cells.count[0], cells.count[length >> 1]].join(" ");
    const like = candidates.get(traits);
    if (like === undefined) candidates.set(traits, [key]);
    const same = like?.find(other => areSameCells(section.cells[other]!, cells));
    if (same === undefined) like?.push(key);
    return same ?? key;
  });
  leaders.set(section, leader);
  return leader;
}

/**
 * The leading keys of a ranking, those alike together.
 *
 * @param most Groups at most.
 * @returns Groups in the order of the ranking, each with its keys in that order.
 */
export function groupAlike({ data, order }: Ranking, most: number): number[][] {
  const leader = leadersOf(data);
  const groups = new Map<number, number[]>();
  for (const key of order) {
    const group = groups.get(leader[key]!);
    if (group !== undefined) group.push(key);
    else if (groups.size < most) groups.set(leader[key]!, [key]);
  }
  return [...groups.values()];
}

/** Rows of small multiples with the same values as one, by all their names; rows of nothing stay apart. */
export function joinAlike(lines: readonly Line[]): Line[] {
  const byValues = (line: Line) => (line.values.some(value => value !== null && value > 0) ? line.values.join() : line.name);
  return [...Map.groupBy(lines, byValues).values()].map(same => ({ ...same[0]!, name: same.map(({ name }) => name).join(" = ") }));
}
