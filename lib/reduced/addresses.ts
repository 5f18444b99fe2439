/**
 * From how many addresses the events of rows came: of one row, and of several together.
 *
 * Counts of addresses do not add up over days, sensors or keys: whoever wants the fleet's, or those of all rows with one
 * username, unites the sets of the rows (`unionSize`, or an `AddressUnion` for one union after the other).
 */
import { addressHash, type AddressSets, setSize } from "../columns/address-sets.ts";
import { type Kind, KIND_NAMES, KIND_SPECS } from "./kinds.ts";
import type { ReducedTable } from "./reduced-table.ts";

/** The sets behind the rows of a kind. */
export interface RowAddresses {
  readonly sets: AddressSets;
  /** `codes[row]` into `sets`; -1 = nobody knows. */
  readonly codes: Int32Array;
}

/**
 * The sets behind the rows of a kind, whether it keeps them or has the address in its key; undefined for one that has
 * neither. Of a key without an address the set is empty: no address, no count.
 */
export function addressesOf({ kinds, dictionaries, sets }: ReducedTable, kind: Kind): RowAddresses | undefined {
  const { addresses, keys } = kinds[kind];
  if (addresses !== null) return { sets, codes: addresses };
  const { src_ip } = keys;
  if (src_ip === undefined) return undefined;
  const own = setsOfEach(dictionaries.src_ip);
  const none = own.size - 1;
  return { sets: own, codes: src_ip.map(code => (code < 0 ? none : code)) };
}

/** Of some texts, for whoever asks for the same again. */
const known = new WeakMap<readonly string[], AddressSets>();

/** Each address as a set of its own; behind them the empty one. */
function setsOfEach(addresses: readonly string[]): AddressSets {
  let sets = known.get(addresses);
  if (sets !== undefined) return sets;
  const none = addresses.length;
  const hashes = new Uint32Array(none);
  const offsets = new Int32Array(none + 2);
  for (let code = 0; code < none; code++) {
    hashes[code] = addressHash(addresses[code]!);
    offsets[code] = code;
  }
  offsets[none] = offsets[none + 1] = none;
  known.set(addresses, (sets = { size: none + 1, hashes, offsets }));
  return sets;
}

/** From how many addresses the events of a row came, never more than there were events; NaN if nobody knows. */
export function countAddresses({ sets, codes }: RowAddresses, row: number, events: number): number {
  return Math.min(events, setSize(sets, codes[row]!));
}

/** Whether a table, or one kind of it, knows the addresses behind all its rows. */
export function knowsAddresses({ kinds }: ReducedTable, kind?: Kind): boolean {
  return (kind === undefined ? KIND_NAMES : [kind]).every(name => !KIND_SPECS[name].hasAddresses || !kinds[name].addresses!.includes(-1));
}
