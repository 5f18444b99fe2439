/**
 * Rows by value: one list per type of value (address, credential, hash, ...), whatever kinds it was found in.
 *
 * What ledgers, distinct counts and the comparison of sensors run over. Times are those of the reduced rows, minima
 * and maxima, so a merge of tables in any order gives the same.
 */
import { internRows } from "./keyed-rows.ts";
import { maskCommand, sshKeysOf, urlHostOf } from "./masks.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";
import type { ValueType } from "./statistics.ts";

export interface ValueRows {
  readonly type: ValueType;
  readonly rows: number;
  /** In (day, sensor) order. */
  readonly day: Int32Array;
  readonly sensor: Int32Array;
  /** 0..values-1, or -1: the row has no value of this type. */
  readonly value: Int32Array;
  readonly values: number;
  readonly count: Float64Array;
  readonly firstSeenUs: Float64Array;
  readonly lastSeenUs: Float64Array;
  readonly textOf: (value: number) => (string | null)[];
}

/** Every type of value, one after the other, so that no more than one need be in memory. */
export function* eachValueRows(table: ReducedTable): Generator<ValueRows> {
  for (const type of VALUE_TYPES) yield toValueRows(table, type);
}

export const VALUE_TYPES = [
  "address",
  "credential",
  "command",
  "hash",
  "urlHost",
  "clientVersion",
  "hassh",
  "sshKey",
] as const satisfies readonly ValueType[];

export function toValueRows(table: ReducedTable, type: ValueType): ValueRows {
  const { kinds, dictionaries } = table;
  switch (type) {
    case "address":
      return addressRows(table);
    case "credential": {
      const { username, password } = kinds.login.keys;
      const { key, keys, firstRow } = internRows([username!, password!], kinds.login.rows);
      const text = (code: number, list: readonly string[]) => (code < 0 ? null : list[code]!);
      return {
        ...plainRows(type, kinds.login, key, keys, dictionaries.username),
        textOf: value => {
          const row = firstRow[value]!;
          return [text(username![row]!, dictionaries.username), text(password![row]!, dictionaries.password)];
        },
      };
    }
    case "command": {
      const { map, texts } = mapCodes(dictionaries.input, maskCommand);
      return plainRows(type, kinds.command, throughMap(kinds.command.keys.input!, map), texts.length, texts);
    }
    case "hash": {
      const parts = [kinds.file_download, kinds.file_upload].map(part => ({ part, value: part.keys.shasum! }));
      return mergeParts(type, parts, dictionaries.shasum);
    }
    case "urlHost": {
      const { map, texts } = mapCodes(dictionaries.url, urlHostOf);
      return plainRows(type, kinds.file_download, throughMap(kinds.file_download.keys.url!, map), texts.length, texts);
    }
    case "clientVersion":
      return plainRows(type, kinds.client, kinds.client.keys.version!, dictionaries.version.length, dictionaries.version);
    case "hassh":
      return plainRows(type, kinds.client, kinds.client.keys.hassh!, dictionaries.hassh.length, dictionaries.hassh);
    case "sshKey":
      return sshKeyRows(table);
  }
}

function plainRows(
  type: ValueType,
  part: KindTable,
  value: Int32Array,
  values: number,
  texts: readonly string[],
): ValueRows {
  const { rows, day, sensor, count, firstSeenUs, lastSeenUs } = part;
  return { type, rows, day, sensor, value, values, count, firstSeenUs, lastSeenUs, textOf: code => [texts[code]!] };
}

/** Text of each code through a function; equal results share a number. */
function mapCodes(
  texts: readonly string[],
  change: (text: string) => string | undefined,
): { map: Int32Array; texts: string[] } {
  const numbers = new Map<string, number>();
  const map = new Int32Array(texts.length).fill(-1);
  for (const [code, text] of texts.entries()) {
    const changed = change(text);
    if (changed === undefined) continue;
    const known = numbers.get(changed);
    map[code] = known ?? numbers.size;
    if (known === undefined) numbers.set(changed, numbers.size);
  }
  return { map, texts: [...numbers.keys()] };
}

function throughMap(codes: Int32Array, map: Int32Array): Int32Array {
  const values = new Int32Array(codes.length);
  for (let row = 0; row < codes.length; row++) values[row] = codes[row]! < 0 ? -1 : map[codes[row]!]!;
  return values;
}

/**
 * Source addresses by their connections.
 *
 * An address of which the log has no connection at all (it starts in the middle of a session) is taken from what else
 * there is of it; every other row would only repeat what its connection says.
 */
function addressRows(table: ReducedTable): ValueRows {
  const { connect, session_closed: closed, proxy_request: proxied } = table.kinds;
  const texts = table.dictionaries.src_ip;
  const connected = new Uint8Array(texts.length);
  for (const code of connect.keys.src_ip!) if (code >= 0) connected[code] = 1;
  const extra = [closed, proxied].filter(part => part.keys.src_ip!.some(code => code >= 0 && connected[code] === 0));
  if (extra.length === 0) return plainRows("address", connect, connect.keys.src_ip!, texts.length, texts);
  const only = (codes: Int32Array) => codes.map(code => (code >= 0 && connected[code] === 0 ? code : -1));
  return mergeParts(
    "address",
    [
      { part: connect, value: connect.keys.src_ip! },
      ...extra.map(part => ({ part, value: only(part.keys.src_ip!) })),
    ],
    texts,
  );
}

/** Rows of several kinds in one list, in (day, sensor) order. */
function mergeParts(
  type: ValueType,
  parts: readonly { part: KindTable; value: Int32Array }[],
  texts: readonly string[],
): ValueRows {
  const picked: { part: KindTable; row: number; value: number }[] = [];
  for (const { part, value } of parts) {
    for (let row = 0; row < part.rows; row++) if (value[row]! >= 0) picked.push({ part, row, value: value[row]! });
  }
  picked.sort(
    (a, b) => a.part.day[a.row]! - b.part.day[b.row]! || a.part.sensor[a.row]! - b.part.sensor[b.row]! || a.value - b.value,
  );
  return {
    type,
    rows: picked.length,
    day: Int32Array.from(picked, ({ part, row }) => part.day[row]!),
    sensor: Int32Array.from(picked, ({ part, row }) => part.sensor[row]!),
    value: Int32Array.from(picked, ({ value }) => value),
    values: texts.length,
    count: Float64Array.from(picked, ({ part, row }) => part.count[row]!),
    firstSeenUs: Float64Array.from(picked, ({ part, row }) => part.firstSeenUs[row]!),
    lastSeenUs: Float64Array.from(picked, ({ part, row }) => part.lastSeenUs[row]!),
    textOf: code => [texts[code]!],
  };
}

/** Keys planted by commands; a command with several keys gives a row for each. */
function sshKeyRows(table: ReducedTable): ValueRows {
  const { command } = table.kinds;
  const numbers = new Map<string, number>();
  const ofCode = table.dictionaries.input.map(text =>
    sshKeysOf(text).map(key => {
      if (!numbers.has(key)) numbers.set(key, numbers.size);
      return numbers.get(key)!;
    }),
  );
  const most = ofCode.reduce((length, keys) => Math.max(length, keys.length), 0);
  const parts = Array.from({ length: most }, (_, nth) => ({
    part: command,
    value: command.keys.input!.map(code => (code < 0 ? -1 : (ofCode[code]![nth] ?? -1))),
  }));
  return mergeParts("sshKey", parts, [...numbers.keys()]);
}
