/**
 * What a report carries of a table that stays in its file, as tasks: each looks at some sections, or some values, and answers
 * what the page has of them.
 *
 * Tested in `test/lib/pages/stored-report.test.ts`.
 */
import { textOf } from "../columns/dictionary.ts";
import { takeAtOnce } from "../process/pause.ts";
import { addKeys } from "../reduced/add-keys.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import { isOriginKind, namesOf, type ShownKind, type ShownRows } from "../reduced/origin-kinds.ts";
import type { ReducedTable, Shard } from "../reduced/reduced-table.ts";
import type { StoredTasks } from "../reduced/stored-pool.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { gatherFew, storedAddresses } from "../statistics/stored-values.ts";
import { type DistinctPart, measureDistinct, type MeasuredDistinct } from "../view/build-distinct.ts";
import type { Cells, Grid } from "../view/cells.ts";
import { readVerdicts, sumHours } from "../view/report-data.ts";
import type { TableReach } from "../view/report-reach.ts";
import { SECTIONS } from "../view/report-sections.ts";
import { type KeyNames, type RankedKeys, SectionCounts, type SectionData, SectionRanking } from "../view/section-keys.ts";
import { ReachSets } from "./reach.ts";

/** Sections of one kind, by their ids. */
interface RankAsk {
  readonly ids: readonly string[];
  readonly grid: Grid;
  /** Keys that may be carried of each. */
  readonly most: number;
  /** The part of all keys that are ranked. */
  readonly slice: Shard;
}

interface CountAsk {
  readonly grid: Grid;
  /** Sections of one kind, and how many of their ranked keys the page carries. */
  readonly sections: readonly { readonly id: string; readonly keys: RankedKeys; readonly carried: number }[];
}

interface DistinctAsk {
  readonly what: "addresses" | "commands" | "files" | "flagged";
  readonly grid: Grid;
  /** A part of all values, by their numbers. */
  readonly slice: Shard;
}

export const REPORT_TASKS = {
  /** In the order of the ids; undefined where a section has no rows. */
  rankKeys(stored, { ids, grid, most, slice }: RankAsk): (RankedKeys | undefined)[] {
    const sections = ids.map(sectionOf);
    const rankings = sections.map(section => new SectionRanking(section, grid, slice));
    for (const part of storedParts(stored, sections[0]!.kind)) for (const ranking of rankings) ranking.add(part);
    return rankings.map(ranking => ranking.finish(most));
  },
  countKeys(stored, { grid, sections }: CountAsk): SectionData[] {
    const own = sections.map(({ id, keys, carried }) => new SectionCounts({ section: sectionOf(id), grid, ...keys }, carried));
    for (const part of storedParts(stored, sectionOf(sections[0]!.id).kind)) for (const counts of own) counts.add(part);
    const names = keyNamesOf(stored);
    const verdicts = verdictsOf(stored);
    return own.map(counts => counts.finish(names, verdicts));
  },
  measureDistinct(stored, { what, grid, slice }: DistinctAsk): MeasuredDistinct {
    const texts = stored.textsOf(what === "addresses" ? "src_ip" : what === "commands" ? "input" : "shasum");
    const [first, end] = [slice.number - 1, slice.number].map(number => Math.floor((texts.size * number) / slice.of)) as [number, number];
    return takeAtOnce(measureDistinct(valuesOf(stored, what, texts.size, [first, end]), end - first, grid, undefined, value => textOf(texts, first + value)));
  },
  /** Hours are null where they are not known, or too many. */
  tellEvents(stored, { grid }: { readonly grid: Grid }): { readonly hours: readonly Cells[] | null; readonly reach: TableReach } {
    const { eventid } = stored.dictionaries;
    const reach = new ReachSets(eventid);
    for (const part of stored.parts("event")) reach.add(part);
    return { hours: sumHours(stored.parts("event"), eventid, grid) ?? null, reach: reach.finish() };
  },
} as const satisfies StoredTasks;

function sectionOf(id: string) {
  return SECTIONS.find(section => section.id === id)!;
}

/** Nobody says of a table in its file where addresses come from. */
function storedParts(stored: StoredTable, kind: ShownKind): Iterable<ShownRows> {
  if (kind === "ssh_key") return withKeys(stored).sshKeys === undefined ? [] : [withKeys(stored).sshKeys!.rows];
  return isOriginKind(kind) ? [] : stored.parts(kind);
}

const known = new WeakMap<StoredTable, ReducedTable>();

/** The rows of files and SSH keys, with the table of keys. */
function withKeys(stored: StoredTable): ReducedTable {
  const table = known.get(stored) ?? addKeys(gatherFew(stored));
  known.set(stored, table);
  return table;
}

function keyNamesOf(stored: StoredTable): KeyNames {
  return {
    textOf(column, code) {
      if (column === "key_type" || column === "key_print") return namesOf(withKeys(stored), column)[code]!;
      if (isOriginKind(column)) throw new TypeError(`Cannot name a ${column}: nobody has said where addresses come from`);
      return textOf(stored.textsOf(column), code);
    },
  };
}

function verdictsOf(stored: StoredTable) {
  const scans = new RowGatherer(false);
  for (const part of stored.parts("scan")) scans.add(part);
  return readVerdicts(scans.finish(stored).kinds.scan);
}

/** Rows with their values of so many texts, numbered from `first` on; -1 = none of those below `end`. They are read as often as they are asked for. */
function valuesOf(stored: StoredTable, what: DistinctAsk["what"], texts: number, [first, end]: readonly [number, number]): Iterable<DistinctPart> {
  const parts = allValuesOf(stored, what);
  if (first === 0 && end >= texts) return parts;
  let own = new Int32Array(0);
  return {
    *[Symbol.iterator]() {
      for (const { rows, day, sensor, value } of parts) {
        if (own.length < rows) own = new Int32Array(rows);
        for (let row = 0; row < rows; row++) own[row] = value[row]! >= first && value[row]! < end ? value[row]! - first : -1;
        yield { rows, day, sensor, value: own };
      }
    },
  };
}

function allValuesOf(stored: StoredTable, what: DistinctAsk["what"]): Iterable<DistinctPart> {
  if (what === "addresses") return storedAddresses(stored).parts;
  const verdicts = what === "flagged" ? verdictsOf(stored) : undefined;
  const isWanted = (code: number) => verdicts === undefined || (verdicts.get(code)?.[0] ?? 0) > 0;
  return {
    *[Symbol.iterator]() {
      for (const { rows, day, sensor, keys } of stored.parts(what === "commands" ? "command" : "file_download")) {
        yield { rows, day, sensor, value: what === "commands" ? keys.input! : keys.shasum!.map(code => (code >= 0 && isWanted(code) ? code : -1)) };
      }
    },
  };
}
