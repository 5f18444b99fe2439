/**
 * What a report is made of, read from a table that stays in its file.
 *
 * Tested in `test/lib/pages/stored-report.test.ts`.
 */
import { addKeys } from "../reduced/add-keys.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import type { LargeTable } from "../reduced/large-tables.ts";
import { isOriginKind, type ShownKind } from "../reduced/origin-kinds.ts";
import { gatherFew, toStoredValues } from "../statistics/stored-values.ts";
import { REACH_EVENTS } from "./reach.ts";
import type { ReportParts } from "./report.ts";

export function toStoredParts({ stored, cells }: Pick<LargeTable, "stored" | "cells">): ReportParts {
  const few = gatherFew(stored);
  const { sshKeys } = addKeys(few);
  const scans = new RowGatherer();
  for (const part of stored.parts("scan")) scans.add(part);
  const partsOf = (kind: ShownKind) => {
    if (kind === "ssh_key") return sshKeys && [sshKeys.rows];
    return isOriginKind(kind) ? undefined : { [Symbol.iterator]: () => stored.parts(kind) };
  };
  return {
    source: {
      table: { ...cells.table, ...(sshKeys && { sshKeys }) },
      scans: scans.finish(stored).kinds.scan,
      partsOf,
      addresses: () => toStoredValues(stored, "address", few).rows,
    },
    reached: gatherReached(stored),
  };
}

function gatherReached(stored: LargeTable["stored"]) {
  const wanted = new Set(REACH_EVENTS.map(id => stored.dictionaries.eventid.indexOf(id)));
  const gatherer = new RowGatherer(true);
  for (const part of stored.parts("event")) {
    const eventid = part.keys.eventid!;
    const rows: number[] = [];
    for (let row = 0; row < part.rows; row++) if (wanted.has(eventid[row]!)) rows.push(row);
    gatherer.add(part, Int32Array.from(rows));
  }
  return gatherer.finish(stored);
}
