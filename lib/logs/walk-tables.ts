/**
 * The event tables of a set of logs, walked in canonical order; the events of lines that a rotation cut come behind the log
 * in which the line begins.
 *
 * Tested in `test/lib/logs/log-set.test.ts` and by every count that is held against the slow counter.
 */
import { type EventTable, reopenEventTable } from "../events/event-table.ts";
import type { SourceInfo } from "../events/source.ts";
import type { LogSet } from "./log-set.ts";

type OpenTable = { readonly table: EventTable } & AsyncDisposable;

/** One event table of a set, to be opened as often as wanted. */
export class TablePlace {
  readonly source: SourceInfo;
  /** Whoever opens it lets go of it again. */
  readonly open: () => Promise<OpenTable>;
  /** Where it lies, and in which state, see `stateOf`; undefined where it is no file. */
  readonly file: { readonly path: string; readonly state: string | undefined } | undefined;

  constructor(source: SourceInfo, open: () => Promise<OpenTable>, file?: TablePlace["file"]) {
    this.source = source;
    this.open = open;
    this.file = file;
  }

  /** Open the table, hand it over, close it. */
  async walk<T>(visit: (table: EventTable) => Promise<T>): Promise<T> {
    await using opened = await this.open();
    return await visit(opened.table);
  }
}

export function tablesOf({ logs, seams }: Pick<LogSet, "logs" | "seams">): TablePlace[] {
  const seamsOf = Map.groupBy(seams, ({ before }) => before.wholeHash);
  return logs.flatMap(({ source, tablePath, tableState }) => [
    new TablePlace(source, () => reopenEventTable(tablePath!, tableState), tablePath === undefined ? undefined : { path: tablePath, state: tableState }),
    ...(seamsOf.get(source.wholeHash) ?? []).map(
      ({ table }) => new TablePlace(source, async () => ({ table, async [Symbol.asyncDispose]() {} })),
    ),
  ]);
}

/** The tables of a set, each open while it is looked at. */
export async function* openTables(
  set: Pick<LogSet, "logs" | "seams">,
): AsyncGenerator<{ readonly source: SourceInfo; readonly table: EventTable }> {
  for (const { source, open } of tablesOf(set)) {
    await using opened = await open();
    yield { source, table: opened.table };
  }
}
