/**
 * Which rows of an event table count as what their ids say, as in the reduced table: what was fed to a program is no
 * command, and a download without a hash is one that failed.
 *
 * Tested in `test/lib/sessions/peak-counts.test.ts`.
 */
import { hasText } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "../events/event-table.ts";
import type { TextColumn } from "../events/schema.ts";
import { codeOf } from "./event-search.ts";

/** @param table Its first batch must have been read. */
export function countedRows({ dictionaries }: EventTable): (batch: EventBatch, row: number) => boolean {
  const eventids = dictionaries.get("eventid");
  const input = codeOf(eventids, "cowrie.command.input");
  const download = codeOf(eventids, "cowrie.session.file_download");
  return ({ codes }, row) => {
    const eventid = codes.get("eventid")![row]!;
    const codeAt = (column: TextColumn) => codes.get(column)?.[row] ?? -1;
    if (eventid === input) return codeAt("input") >= 0 && codeAt("realm") < 0;
    return eventid !== download || (codeAt("shasum") >= 0 && hasText(dictionaries.get("shasum")!, codeAt("shasum")));
  };
}
