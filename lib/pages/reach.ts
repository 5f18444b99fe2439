/**
 * From how many addresses anybody tried to log in, got in, typed, fetched, as far as a reduced table knows: of IPv6 it counts
 * networks (/64).
 *
 * Tested in `test/lib/view/report-first.test.ts`.
 */
import { AddressUnion } from "../columns/address-sets.ts";
import { addressesOf } from "../reduced/addresses.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { ReachStep } from "../logs/slot-reach.ts";
import type { TableReach } from "../view/report-reach.ts";

const EVENTS_OF: Readonly<Record<Exclude<ReachStep, "connected">, readonly string[]>> = {
  tried: ["cowrie.login.success", "cowrie.login.failed"],
  accepted: ["cowrie.login.success"],
  typed: ["cowrie.command.input"],
  fetched: ["cowrie.session.file_download"],
};

/** The events that tell how far addresses came. */
export const REACH_EVENTS: readonly string[] = [...new Set(Object.values(EVENTS_OF).flat())];

/** Distinct addresses of all days and sensors of a table; left out what it does not know. */
export function countReach(table: ReducedTable): TableReach {
  const { event } = table.kinds;
  const addresses = addressesOf(table, "event")!;
  const eventid = event.keys.eventid!;
  const reach: { -readonly [Step in keyof TableReach]: TableReach[Step] } = {};
  for (const [step, ids] of Object.entries(EVENTS_OF) as [ReachStep, readonly string[]][]) {
    const codes = new Set(ids.map(id => table.dictionaries.eventid.indexOf(id)));
    const sets = new Set<number>();
    for (let row = 0; row < event.rows; row++) if (codes.has(eventid[row]!)) sets.add(addresses.codes[row]!);
    const union = new AddressUnion(addresses.sets);
    for (const set of sets) union.add(set);
    const value = union.size();
    if (!Number.isNaN(value)) reach[step] = { value, isExact: union.isExact };
  }
  return reach;
}
