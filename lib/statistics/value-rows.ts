/**
 * Rows by value: one list per type of value (address, credential, hash, ...), whatever kinds it was found in.
 *
 * What ledgers, distinct counts and the comparison of sensors run over. Times are those of the reduced rows, minima
 * and maxima, so a merge of tables in any order gives the same.
 */
import { type InternedRows, internRows, keyColumns, valuesOf } from "./keyed-rows.ts";
import { maskCommand, sshKeysOf, urlHostOf } from "../text/masks.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import { sharedFloats, sharedInts } from "../columns/shared-arrays.ts";

export type ValueType =
  | "credential"
  | "command"
  | "hash"
  | "urlHost"
  | "address"
  | "clientVersion"
  | "hassh"
  | "sshKey";

/** Rows of one kind, in (day, sensor) order. */
export interface ValuePart extends Pick<KindTable, "rows" | "day" | "sensor" | "count" | "firstSeenUs" | "lastSeenUs"> {
  /** 0..values-1, or -1: the row has no value of this type. */
  readonly value: Int32Array;
}

/** Values whose rows may lie elsewhere: they are read part by part, as often as they are asked for. */
export interface ValueSource {
  readonly type: ValueType;
  readonly values: number;
  /** The rows of a value come in (day, sensor) order. */
  readonly parts: Iterable<ValuePart>;
  /** Rows among which are all of some values, where they are found with less work than by reading them all. */
  rowsOf?(values: ReadonlySet<number>): Iterable<ValuePart>;
}

export interface ValueRows extends ValueSource {
  /** No value stands in more than one part, so the rows of a value are in (day, sensor) order. */
  readonly parts: readonly ValuePart[];
}

/** Rows by value, and what the values are. */
export interface NamedValueRows {
  readonly rows: ValueRows;
  readonly textOf: (value: number) => (string | null)[];
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

/**
 * Find the rows that hold values of a type.
 *
 * @param logins The credentials, where they have been numbered before.
 */
export function toValueRows(table: ReducedTable, type: ValueType, logins?: InternedRows): NamedValueRows {
  const { kinds, dictionaries } = table;
  switch (type) {
    case "address":
      return addressRows(table);
    case "credential": {
      const keys = logins ?? internRows(keyColumns(table, "login"), kinds.login.rows);
      const rows = { type, values: keys.keys, parts: [toPart(kinds.login, keys.key)] };
      return { rows, textOf: key => valuesOf(table, "login", keys, key) as (string | null)[] };
    }
    case "command": {
      const { map, texts } = mapCodes(dictionaries.input, maskCommand);
      return named(type, texts, [toPart(kinds.command, throughMap(kinds.command.keys.input!, map))]);
    }
    case "hash": {
      const parts = [kinds.file_download, kinds.file_upload].map(part => ({ part, value: part.keys.shasum! }));
      return named(type, dictionaries.shasum, [mergeParts(parts)]);
    }
    case "urlHost": {
      const { map, texts } = mapCodes(dictionaries.url, urlHostOf);
      return named(type, texts, [toPart(kinds.file_download, throughMap(kinds.file_download.keys.url!, map))]);
    }
    case "clientVersion":
      return named(type, dictionaries.version, [toPart(kinds.client, kinds.client.keys.version!)]);
    case "hassh":
      return named(type, dictionaries.hassh, [toPart(kinds.client, kinds.client.keys.hassh!)]);
    case "sshKey":
      return sshKeyRows(table);
  }
}

function named(type: ValueType, texts: readonly string[], parts: readonly ValuePart[]): NamedValueRows {
  return { rows: { type, values: texts.length, parts }, textOf: code => [texts[code]!] };
}

export function toPart({ rows, day, sensor, count, firstSeenUs, lastSeenUs }: KindTable, value: Int32Array): ValuePart {
  return { rows, day, sensor, value, count, firstSeenUs, lastSeenUs };
}

/** Text of each code through a function; equal results share a number. */
export function mapCodes(
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

export function throughMap(codes: Int32Array, map: Int32Array): Int32Array {
  const values = sharedInts(codes.length);
  for (let row = 0; row < codes.length; row++) values[row] = codes[row]! < 0 ? -1 : map[codes[row]!]!;
  return values;
}

/**
 * Source addresses by their connections.
 *
 * An address of which the log has no connection at all (it starts in the middle of a session) is taken from what else
 * there is of it; every other row would only repeat what its connection says.
 */
function addressRows(table: ReducedTable): NamedValueRows {
  const { connect, session_closed: closed, proxy_request: proxied } = table.kinds;
  const texts = table.dictionaries.src_ip;
  const connected = new Uint8Array(texts.length);
  const codes = connect.keys.src_ip!;
  for (let row = 0; row < connect.rows; row++) if (codes[row]! >= 0) connected[codes[row]!] = 1;
  const extra = mergeParts(
    [closed, proxied].map(part => ({ part, value: part.keys.src_ip! })),
    code => connected[code] === 0,
  );
  const all = toPart(connect, codes);
  return named("address", texts, extra.rows > 0 ? [all, extra] : [all]);
}

/** Rows of several kinds in one list, in (day, sensor) order; only those whose value is wanted. */
export function mergeParts(
  parts: readonly { part: KindTable; value: Int32Array }[],
  isWanted: (value: number) => boolean = () => true,
): ValuePart {
  const picked = parts.map(({ part, value }) => {
    const rows: number[] = [];
    for (let row = 0; row < part.rows; row++) if (value[row]! >= 0 && isWanted(value[row]!)) rows.push(row);
    return { part, value, rows, next: 0 };
  });
  const total = picked.reduce((sum, { rows }) => sum + rows.length, 0);
  const merged = {
    rows: total,
    day: sharedInts(total),
    sensor: sharedInts(total),
    value: sharedInts(total),
    count: sharedFloats(total),
    firstSeenUs: sharedFloats(total),
    lastSeenUs: sharedFloats(total),
  };
  for (let to = 0; to < total; to++) {
    let best: (typeof picked)[number] | undefined;
    for (const list of picked) {
      if (list.next === list.rows.length) continue;
      if (best === undefined || comesBefore(list, best)) best = list;
    }
    const { part, value } = best!;
    const row = best!.rows[best!.next++]!;
    merged.day[to] = part.day[row]!;
    merged.sensor[to] = part.sensor[row]!;
    merged.value[to] = value[row]!;
    merged.count[to] = part.count[row]!;
    merged.firstSeenUs[to] = part.firstSeenUs[row]!;
    merged.lastSeenUs[to] = part.lastSeenUs[row]!;
  }
  return merged;
}

function comesBefore(
  a: { part: KindTable; rows: number[]; next: number },
  b: { part: KindTable; rows: number[]; next: number },
): boolean {
  const x = a.rows[a.next]!;
  const y = b.rows[b.next]!;
  const days = a.part.day[x]! - b.part.day[y]!;
  return days < 0 || (days === 0 && a.part.sensor[x]! < b.part.sensor[y]!);
}

/**
 * Keys planted by commands and keys that clients offered; a command with several keys gives a row for each.
 *
 * Both go by type and base64, so a planted key is known again when it opens a session. A key of which the log tells the
 * fingerprint alone (before v1.3) goes by that.
 */
function sshKeyRows({ kinds, dictionaries }: ReducedTable): NamedValueRows {
  const numbers = new Map<string, number>();
  const numberOf = (key: string) => {
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  };
  const ofInput = dictionaries.input.map(text => sshKeysOf(text).map(numberOf));
  const most = ofInput.reduce((length, keys) => Math.max(length, keys.length), 0);
  const planted = Array.from({ length: most }, (_, nth) => ({
    part: kinds.command,
    value: kinds.command.keys.input!.map(code => (code < 0 ? -1 : (ofInput[code]![nth] ?? -1))),
  }));
  const ofKey = dictionaries.key.map(text => numberOf(sshKeysOf(text)[0] ?? text));
  const ofFingerprint = dictionaries.fingerprint.map(text => `fingerprint ${text}`);
  const { key, fingerprint } = kinds.client_key.keys;
  const offered = {
    part: kinds.client_key,
    value: key!.map((code, row) => {
      if (code >= 0) return ofKey[code]!;
      return fingerprint![row]! < 0 ? -1 : numberOf(ofFingerprint[fingerprint![row]!]!);
    }),
  };
  return named("sshKey", [...numbers.keys()], [mergeParts([...planted, offered])]);
}
