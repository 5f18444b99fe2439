/** SSH keys, planted by commands and offered by clients, added to a table of counts. */
import { groupRows, sortedRows, take } from "../columns/group.ts";
import { sharedFloats, sharedInts } from "../columns/shared-arrays.ts";
import { publicKeysOf } from "../text/ssh-keys.ts";
import { compareText } from "../text/text.ts";
import type { SshKeyTables } from "./origin-kinds.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";

/** Of a key of which the log tells the fingerprint alone. */
const NO_TYPE = "";

interface Use {
  readonly from: KindTable;
  readonly row: number;
  readonly type: string;
  readonly fingerprint: string;
  readonly isPlanted: boolean;
}

/**
 * The same table with its SSH keys: a row for each day, sensor, key and way. A command with several keys gives a row for
 * each; a table without keys stays as it is.
 *
 * Keys go by type and SHA-256 fingerprint, so a planted one is known again where it is offered. One that was logged by
 * its MD5 fingerprint alone (before v1.3) is known where the key itself stands elsewhere in the table, else goes by that.
 */
export function addKeys(table: ReducedTable): ReducedTable {
  const uses = listUses(table);
  if (uses.length === 0) return table;
  const types = namesOf(uses.map(({ type }) => type).filter(type => type !== NO_TYPE));
  const fingerprints = namesOf(uses.map(({ fingerprint }) => fingerprint));
  const columns = [
    Int32Array.from(uses, ({ from, row }) => from.day[row]!),
    Int32Array.from(uses, ({ from, row }) => from.sensor[row]!),
    Int32Array.from(uses, ({ isPlanted }) => Number(isPlanted)),
    Int32Array.from(uses, ({ type }) => types.codes.get(type) ?? -1),
    Int32Array.from(uses, ({ fingerprint }) => fingerprints.codes.get(fingerprint)!),
  ];
  const { size, groupOf, firstRow } = groupRows(columns, uses.length);
  const [count, first, last] = [sharedFloats(size), sharedFloats(size).fill(Infinity), sharedFloats(size).fill(-Infinity)];
  for (const [i, { from, row }] of uses.entries()) {
    const group = groupOf[i]!;
    count[group]! += from.count[row]!;
    first[group] = Math.min(first[group]!, from.firstSeenUs[row]!);
    last[group] = Math.max(last[group]!, from.lastSeenUs[row]!);
  }
  const own = columns.map(column => take(column, firstRow));
  const order = sortedRows(own, size);
  const [day, sensor, planted, key_type, key_print] = own.map(column => take<Int32Array>(column, order, sharedInts));
  const put = (column: Float64Array) => take(column, order, sharedFloats);
  const sshKeys: SshKeyTables = {
    names: { key_type: types.names, key_print: fingerprints.names },
    rows: {
      kind: "ssh_key",
      rows: size,
      day: day!,
      sensor: sensor!,
      keys: { planted: planted!, key_type: key_type!, key_print: key_print! },
      count: put(count),
      success: sharedFloats(size),
      addresses: null,
      firstSeenUs: put(first),
      lastSeenUs: put(last),
    },
  };
  return { ...table, sshKeys };
}

/** Each text is looked into once, whatever rows have it. */
function listUses({ kinds: { command, client_key: offered }, dictionaries }: ReducedTable): Use[] {
  const inCommand = dictionaries.input.map(publicKeysOf);
  const inOffer = dictionaries.key.map(text => publicKeysOf(text)[0]);
  const ofMd5 = new Map([...inCommand.flat(), ...inOffer].flatMap(key => (key === undefined ? [] : [[key.md5, key] as const])));
  const uses: Use[] = [];
  for (let row = 0; row < command.rows; row++) {
    for (const { type, fingerprint } of inCommand[command.keys.input![row]!] ?? []) {
      uses.push({ from: command, row, type, fingerprint, isPlanted: true });
    }
  }
  for (let row = 0; row < offered.rows; row++) {
    const text = dictionaries.fingerprint[offered.keys.fingerprint![row]!];
    const known = inOffer[offered.keys.key![row]!] ?? (text === undefined ? undefined : ofMd5.get(text));
    // A key that is none, as a cut one, goes by its text.
    const fingerprint = known?.fingerprint ?? text ?? dictionaries.key[offered.keys.key![row]!];
    if (fingerprint !== undefined) uses.push({ from: offered, row, type: known?.type ?? NO_TYPE, fingerprint, isPlanted: false });
  }
  return uses;
}

function namesOf(texts: readonly string[]): { names: string[]; codes: ReadonlyMap<string, number> } {
  const names = [...new Set(texts)].sort(compareText);
  return { names, codes: new Map(names.map((name, code) => [name, code])) };
}
