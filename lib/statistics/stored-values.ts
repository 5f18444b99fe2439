/**
 * The values of a table that stays in its file, type by type: read part by part wherever a ledger asks for rows.
 *
 * What comes in few rows (files, URLs, SSH keys) is gathered first, as are addresses without a connection: several kinds of
 * row have them, and the rows of a value must come in the order of their days.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { codesWith, textOf } from "../columns/dictionary.ts";
import type { TupleNumbers } from "../columns/tuple-numbers.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import type { Kind } from "../reduced/kinds.ts";
import { type KindTable, type ReducedTable, takeRows } from "../reduced/reduced-table.ts";
import { type StoredTable, withTexts } from "../reduced/stored-table.ts";
import { maskCommand, sshKeysOf } from "../text/masks.ts";
import { publicKeysOf } from "../text/ssh-keys.ts";
import { type KeyTotals, totalsOf } from "./stored-keys.ts";
import { mapCodes, mergeParts, throughMap, toPart, toValueRows, type ValuePart, type ValueSource, type ValueType } from "./value-rows.ts";

export interface NamedValues {
  readonly rows: ValueSource;
  readonly textOf: (value: number) => (string | null)[];
}

/** Rows of these kinds are few in any archive: one for each file that came, and one for each key that was offered. */
const FEW: readonly Kind[] = ["file_download", "file_upload", "client_key"];

/** The rows of files and SSH keys, in memory; of commands its texts are those alone that may hold a key. */
export function gatherFew(stored: StoredTable): ReducedTable {
  const gatherer = new RowGatherer();
  for (const kind of FEW) for (const part of stored.parts(kind)) gatherer.add(part);
  const texts = stored.textsOf("input");
  const maybe = codesWith(texts, KEY_START);
  const inputs = Array.from(maybe, code => textOf(texts, code));
  const numberOf = new Int32Array(texts.size).fill(-1);
  inputs.forEach((text, i) => hasSshKey(text) && (numberOf[maybe[i]!] = i));
  if (numberOf.some(number => number >= 0)) {
    for (const part of stored.parts("command")) {
      const codes = part.keys.input!;
      const rows: number[] = [];
      for (let row = 0; row < part.rows; row++) if (codes[row]! >= 0 && numberOf[codes[row]!]! >= 0) rows.push(row);
      if (rows.length > 0) gatherer.add({ ...part, ...takeRows(part, Int32Array.from(rows)), keys: { input: Int32Array.from(rows, row => numberOf[codes[row]!]!) } });
    }
  }
  return gatherer.finish({ info: stored.info, dictionaries: withTexts(stored.dictionaries, { input: inputs }) });
}

/** What stands in every command that plants a key: the length with which its data begin, in base64. */
const KEY_START = "AAAA";

/** Whether a command plants SSH keys. */
export function hasSshKey(input: string): boolean {
  return sshKeysOf(input).length > 0 || publicKeysOf(input).length > 0;
}

/**
 * @param few What {@link gatherFew} gave.
 * @param logins The totals of credentials, where they are known.
 */
export function toStoredValues(stored: StoredTable, type: ValueType, few: ReducedTable, logins?: KeyTotals): NamedValues {
  const { dictionaries } = stored;
  switch (type) {
    case "address":
      return addressValues(stored);
    case "credential":
      return credentialValues(stored, logins ?? totalsOf(stored, "login"));
    case "command": {
      const { map, texts } = mapCodes(dictionaries.input, maskCommand);
      return named(type, texts, stored, "command", part => throughMap(part.keys.input!, map));
    }
    case "clientVersion":
      return named(type, dictionaries.version, stored, "client", part => part.keys.version!);
    case "hassh":
      return named(type, dictionaries.hassh, stored, "client", part => part.keys.hassh!);
    default:
      return toValueRows(few, type);
  }
}

function named(type: ValueType, texts: readonly string[], stored: StoredTable, kind: Kind, valueOf: (part: KindTable) => Int32Array): NamedValues {
  return { rows: { type, values: texts.length, ...storedParts(stored, kind, valueOf) }, textOf: code => [texts[code]!] };
}

/** The rows of a kind with their values. */
function storedParts(stored: StoredTable, kind: Kind, valueOf: (part: KindTable) => Int32Array): Pick<Required<ValueSource>, "parts" | "since"> {
  const read = (first: number) => ({
    *[Symbol.iterator](): Generator<ValuePart> {
      for (const part of stored.parts(kind, { first })) yield toPart(part, valueOf(part));
    },
  });
  return { parts: read(-Infinity), since: read };
}

/** Credentials are numbered as they are met; read again, they have the same numbers. */
function credentialValues(stored: StoredTable, { numbers }: KeyTotals): NamedValues {
  const numberOf = ({ keys, rows }: KindTable) => numbers.number([keys.username!, keys.password!], rows);
  return {
    rows: { type: "credential", values: numbers.size, ...storedParts(stored, "login", numberOf), rowsOf: values => credentialsOf(stored, numbers, values) },
    textOf: value => {
      const [user, secret] = numbers.tupleOf(value) as [number, number];
      return [user < 0 ? null : textOf(stored.textsOf("username"), user), secret < 0 ? null : textOf(stored.textsOf("password"), secret)];
    },
  };
}

/** The rows of some credentials. */
function* credentialsOf(stored: StoredTable, numbers: TupleNumbers, values: ReadonlySet<number>): Generator<ValuePart> {
  const wanted = new ChosenTuples(Array.from(values, value => numbers.tupleOf(value)), [...values]);
  for (const part of stored.parts("login")) {
    const { rows, numbers: value } = wanted.find([part.keys.username!, part.keys.password!], part.rows);
    if (rows.length > 0) yield toPart(takeRows(part, rows), value);
  }
}

/** As `toValueRows` says of addresses. */
export function addressValues(stored: StoredTable): NamedValues {
  const texts = stored.textsOf("src_ip");
  const connected = new Uint8Array(texts.size);
  for (const { rows, keys } of stored.parts("connect")) {
    const codes = keys.src_ip!;
    for (let row = 0; row < rows; row++) if (codes[row]! >= 0) connected[codes[row]!] = 1;
  }
  const gatherer = new RowGatherer();
  for (const kind of ["session_closed", "proxy_request"] as const) {
    for (const part of stored.parts(kind)) {
      const codes = part.keys.src_ip!;
      const rows: number[] = [];
      for (let row = 0; row < part.rows; row++) if (codes[row]! >= 0 && connected[codes[row]!] === 0) rows.push(row);
      gatherer.add(part, Int32Array.from(rows));
    }
  }
  const { session_closed, proxy_request } = gatherer.finish(stored).kinds;
  const extra = mergeParts([session_closed, proxy_request].map(part => ({ part, value: part.keys.src_ip! })));
  const connects = storedParts(stored, "connect", part => part.keys.src_ip!);
  // A value stands in one of both alone.
  const read = (first: number) => ({
    *[Symbol.iterator](): Generator<ValuePart> {
      yield* connects.since(first);
      yield extra;
    },
  });
  return { rows: { type: "address", values: texts.size, parts: read(-Infinity), since: read }, textOf: code => [textOf(texts, code)] };
}
