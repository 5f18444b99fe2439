/**
 * Sections that say the same as one before them are folded to a line that says so. The rule stands here alone: of the pairs
 * in {@link SECTIONS} that are about the same thing, a section is folded where rows with the very same counts on the same
 * days and sensors make up {@link SAME_LEAST} of what the page carries of it. Rows are paired by what both name, as the address of a
 * session and of its connection; where they name nothing in common, as a client's version and its HASSH, one to one.
 */
import { areSameCells } from "./alike.ts";
import type { Cells } from "./cells.ts";
import type { ReportData } from "./report-data.ts";
import type { SectionData } from "./section-keys.ts";
import { type Section, SECTIONS } from "./report-sections.ts";
import { formatNumber, plural } from "../text/format.ts";

/** Share of a section's counts that another must have said before it. */
const SAME_LEAST = 0.95;

/** Why a section is folded. */
export interface Fold {
  /** The section that says it already. */
  readonly like: string;
  /** Rows, counted once for what both sections name; and how many of them the other section has. */
  readonly rows: number;
  readonly same: number;
}

/** Folded sections by id. */
export function findFolds({ sections }: ReportData): Map<string, Fold> {
  const folds = new Map<string, Fold>();
  for (const { id, like = [] } of SECTIONS) {
    const section = sections.find(candidate => candidate.id === id);
    for (const other of section === undefined ? [] : like) {
      const before = sections.find(candidate => candidate.id === other);
      // What is folded itself tells nobody anything.
      if (before === undefined || folds.has(other)) continue;
      const { rows, same, share } = compareSections(section!, before);
      if (share < SAME_LEAST) continue;
      folds.set(id, { like: other, rows, same });
      break;
    }
  }
  return folds;
}

export function describeFold({ like, rows, same }: Fold): string {
  const { name } = sectionOf(like);
  return `The same as ${name}: ${same === rows ? `all ${plural(rows, "row")}` : `${formatNumber(same)} of ${plural(rows, "row")}`}.`;
}

/** Why the days of the sensors are folded; "" where they are not. */
export function foldOfSensors({ grid }: ReportData): string {
  return grid.sensors === 1 ? "There is one: the activity above is its own." : "";
}

function sectionOf(id: string): Section {
  return SECTIONS.find(section => section.id === id)!;
}

/** How much of what the page carries of `section` the rows of `before` say. */
function compareSections(section: SectionData, before: SectionData): { rows: number; same: number; share: number } {
  const [columns, others] = [sectionOf(section.id).columns, sectionOf(before.id).columns];
  const shared = columns.filter(column => others.includes(column));
  const own = addUp(section, shared.map(column => columns.indexOf(column)));
  const left = Map.groupBy(addUp(before, shared.map(column => others.indexOf(column))), ({ name }) => name);
  let [same, count, all] = [0, 0, 0];
  for (const { name, cells } of own) {
    all += sumOf(cells);
    const candidates = left.get(name) ?? [];
    const at = candidates.findIndex(candidate => areSameCells(candidate.cells, cells));
    if (at < 0) continue;
    candidates.splice(at, 1);
    same++;
    count += sumOf(cells);
  }
  return { rows: own.length, same, share: count / Math.max(1, all) };
}

function sumOf({ count }: Cells): number {
  return count.reduce((sum, value) => sum + value, 0);
}

/** The rows of a section by the values of some columns, equal ones added up; each by its own where there are none. */
function addUp({ keys, cells }: SectionData, columns: readonly number[]): { name: string; cells: Cells }[] {
  if (columns.length === 0) return cells.map(own => ({ name: "", cells: own }));
  const groups = Map.groupBy(keys.keys(), key => JSON.stringify(columns.map(column => keys[key]![column])));
  return [...groups].map(([name, same]) => ({ name, cells: same.length === 1 ? cells[same[0]!]! : merge(same.map(key => cells[key]!)) }));
}

function merge(lists: readonly Cells[]): Cells {
  const counts = new Map<number, number>();
  for (const { at, count } of lists) at.forEach((cell, i) => counts.set(cell, (counts.get(cell) ?? 0) + count[i]!));
  const at = Int32Array.from(counts.keys()).sort();
  return { at, count: Float64Array.from(at, cell => counts.get(cell)!) };
}
