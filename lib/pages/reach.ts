/**
 * From how many addresses anybody tried to log in, got in, typed, fetched, as far as a reduced table knows: of IPv6 it counts
 * networks (/64).
 *
 * Tested in `test/lib/view/report-first.test.ts`.
 */
import { AddressUnion, SetDictionary } from "../columns/address-sets.ts";
import { widened } from "../columns/growing-column.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { LazyBatch } from "../reduced/sorted-table.ts";
import type { ReachStep } from "../logs/slot-reach.ts";
import type { TableReach } from "../view/report-reach.ts";

const EVENTS_OF: Readonly<Record<Exclude<ReachStep, "connected">, readonly string[]>> = {
  tried: ["cowrie.login.success", "cowrie.login.failed"],
  accepted: ["cowrie.login.success"],
  typed: ["cowrie.command.input"],
  fetched: ["cowrie.session.file_download"],
};

const STEPS = Object.entries(EVENTS_OF) as [ReachStep, readonly string[]][];

/** Distinct addresses of all days and sensors of a table; left out what it does not know. */
export function countReach(table: ReducedTable): TableReach {
  const counter = new ReachSets(table.dictionaries.eventid);
  counter.add({ ...table.kinds.event, sets: table.sets });
  return counter.finish();
}

/** Counts them of events that come part by part. */
export class ReachSets {
  /** By the code of an event: a bit for each step that it tells of. */
  readonly #stepsOf: Uint8Array;
  readonly #sets = new SetDictionary();
  /** By the code of a set: the steps that its addresses came to. */
  #steps = new Uint8Array(1 << 10);
  /** Steps of events whose addresses nobody knows. */
  #unknown = 0;

  constructor(eventids: readonly string[]) {
    this.#stepsOf = Uint8Array.from(eventids, id => STEPS.reduce((bits, [, ids], step) => bits | (ids.includes(id) ? 1 << step : 0), 0));
  }

  add({ rows, keys, addresses, sets }: Pick<LazyBatch, "rows" | "keys" | "addresses" | "sets">): void {
    const eventid = keys.eventid!;
    const codeOf = this.#sets.internFrom(sets);
    for (let row = 0; row < rows; row++) {
      const steps = this.#stepsOf[eventid[row]!]!;
      if (steps === 0) continue;
      const own = addresses![row]!;
      if (own < 0) this.#unknown |= steps;
      else this.#put(codeOf(own), steps);
    }
  }

  finish(): TableReach {
    const reach: { -readonly [Step in keyof TableReach]: TableReach[Step] } = {};
    for (const [step, [name]] of STEPS.entries()) {
      const union = new AddressUnion(this.#sets);
      if ((this.#unknown >> step) & 1) union.add(-1);
      for (let code = 0; code < this.#sets.size; code++) if ((this.#steps[code]! >> step) & 1) union.add(code);
      const value = union.size();
      if (!Number.isNaN(value)) reach[name] = { value, isExact: union.isExact };
    }
    return reach;
  }

  #put(code: number, steps: number): void {
    if (code >= this.#steps.length) this.#steps = widened(this.#steps, code + 1);
    this.#steps[code]! |= steps;
  }
}
