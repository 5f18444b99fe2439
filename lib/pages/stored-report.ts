/**
 * What a report carries of a table that stays in its file: tasks rank the keys of all sections, then it is known how many of
 * them the page can carry, and tasks count these.
 *
 * Tested in `test/lib/pages/stored-report.test.ts`.
 */
import { isOriginKind } from "../reduced/origin-kinds.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { LargeTable } from "../reduced/large-tables.ts";
import type { StoredPool } from "../reduced/stored-pool.ts";
import { cutLong } from "../text/cut.ts";
import { joinDistinct } from "../view/build-distinct.ts";
import { chooseDays, describeUnknown, joinHours, type ReportData, sumEvents } from "../view/report-data.ts";
import { type Section, SECTIONS } from "../view/report-sections.ts";
import { CARRY_MOST, joinRanked, type RankedKeys, type SectionData, shareOut } from "../view/section-keys.ts";
import type { CountedParts } from "./report.ts";
import type { REPORT_TASKS } from "./report-tasks.ts";

/** Rows of which the keys, and the values of which every day, are held together at most; of more they are dealt out. */
const ROWS_PER_SLICE = { keys: 40_000_000, values: 6_000_000 };

interface StoredReport extends Pick<LargeTable, "cells"> {
  readonly pool: StoredPool<typeof REPORT_TASKS>;
}

/**
 * What is asked waits for all else that the threads are asked: nobody waits for its answers to ask more, as statistics and history do.
 *
 * @param show Keys shown per section.
 */
export async function countStored({ cells, pool: threads }: StoredReport, show: number, rowsPerSlice = ROWS_PER_SLICE): Promise<CountedParts> {
  const { table } = cells;
  const pool = threads.behind().behind();
  const { grid, eventsOutside } = chooseDays(table, undefined);
  const rowsOf = (kind: Kind) => cells.rows[kind].reduce((sum, rows) => sum + rows, 0);
  const slicesOf = (rows: number, most: number) => {
    const count = Math.max(1, Math.ceil(rows / most));
    return Array.from({ length: count }, (_, i) => ({ number: i + 1, of: count }));
  };
  const distinct = (what: keyof ReportData["distinct"], kind: Kind) =>
    Promise.all(slicesOf(rowsOf(kind), rowsPerSlice.values).map(slice => pool.ask("measureDistinct", { what, grid, slice }, rowsOf(kind)))).then(parts => joinDistinct(parts, grid));
  const sections = async (): Promise<SectionData[]> => {
    const most = Math.max(CARRY_MOST, show);
    const ranked = await Promise.all(
      [...Map.groupBy(SECTIONS, ({ kind }) => kind)].map(async ([kind, sections]) => {
        if (isOriginKind(kind)) return [];
        const ids = sections.map(({ id }) => id);
        const rows = rowsOf(rowsFrom(kind));
        const found = await Promise.all(slicesOf(rows, rowsPerSlice.keys).map(slice => pool.ask("rankKeys", { ids, grid, most, slice }, rows)));
        return ids.map((id, i) => ({ id, keys: joinRanked(found.map(slice => slice[i]), most) }));
      }),
    );
    const known = new Map(ranked.flat().map(({ id, keys }) => [id, keys]));
    const drafts = SECTIONS.flatMap(section => {
      const keys = known.get(section.id);
      return keys === undefined ? [] : [{ section, keys }];
    });
    return await countSections(pool, drafts, shareOut(drafts.map(({ keys }) => keys), grid, show), { grid, rowsOf });
  };
  const [told, addresses, commands, files, flagged, counted] = await Promise.all([
    pool.ask("tellEvents", { grid }, rowsOf("event")),
    distinct("addresses", "connect"),
    distinct("commands", "command"),
    distinct("files", "file_download"),
    distinct("flagged", "file_download"),
    sections(),
  ]);
  const data: ReportData = {
    grid,
    sensors: table.dictionaries.sensor.map(cutLong),
    events: sumEvents(table, grid),
    eventsOutside,
    distinct: { addresses, commands, files, flagged },
    sections: counted,
    ...joinHours([told.hours ?? undefined]),
    ...describeUnknown(table.info.sources),
  };
  return { data: onceCounted(data), reach: told.reach };
}

/** Nothing is left to be done. */
function* onceCounted(data: ReportData): CountedParts["data"] {
  return data;
}

/** The kind whose rows a section is made of. */
function rowsFrom(kind: Section["kind"]): Kind {
  return kind === "ssh_key" ? "client_key" : (kind as Kind);
}

/** Count the keys that are carried, kind by kind. */
async function countSections(
  pool: StoredReport["pool"],
  drafts: readonly { readonly section: Section; readonly keys: RankedKeys }[],
  carried: readonly number[],
  { grid, rowsOf }: { readonly grid: ReportData["grid"]; readonly rowsOf: (kind: Kind) => number },
): Promise<SectionData[]> {
  const asks = drafts.map(({ section, keys }, i) => ({ kind: section.kind, section: { id: section.id, keys, carried: carried[i]! } }));
  const found = await Promise.all(
    [...Map.groupBy(asks, ({ kind }) => kind)].map(([kind, own]) => pool.ask("countKeys", { grid, sections: own.map(({ section }) => section) }, rowsOf(rowsFrom(kind)))),
  );
  const byId = new Map(found.flat().map(section => [section.id, section]));
  return drafts.map(({ section }) => byId.get(section.id)!);
}
