/**
 * The values of a table that stays in its file, type by type: read part by part wherever a ledger asks for rows.
 *
 * What comes in few rows (files, URLs, SSH keys) is gathered first, as are addresses without a connection: several kinds of
 * row have them, and the rows of a value must come in the order of their days.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { ChosenTuples } from "../columns/chosen-tuples.ts";
import { ColumnMemory } from "../columns/arrow-reader.ts";
import { codesWith, textOf } from "../columns/dictionary.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import type { KeyColumn, Kind } from "../reduced/kinds.ts";
import { type KindTable, type ReducedTable, takeRows } from "../reduced/reduced-table.ts";
import { type StoredTable, withTexts } from "../reduced/stored-table.ts";
import { sshKeysOf } from "../text/masks.ts";
import { publicKeysOf } from "../text/ssh-keys.ts";
import { mapper } from "./compared-units.ts";
import { type KeySlice, SliceKeys } from "./unit-rows.ts";
import { mergeParts, toPart, type ValuePart, type ValueSource, type ValueType } from "./value-rows.ts";

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

/** As `toValueRows` says of addresses. */
export function storedAddresses(stored: StoredTable): ValueSource {
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
  const read = function* (): Generator<ValuePart> {
    for (const part of stored.parts("connect")) yield toPart(part, part.keys.src_ip!);
    // A value stands in one of both alone.
    yield extra;
  };
  return { type: "address", values: texts.size, parts: { [Symbol.iterator]: read } };
}

/** Some rows of a part with their values, and no other columns; good until it is asked for others. */
function valuePicker(): (part: KindTable, rows: Int32Array, value: Int32Array) => ValuePart {
  const memory = new ColumnMemory();
  const ints = (name: string, column: Int32Array, rows: Int32Array) => {
    const into = memory.ints(name, rows.length);
    for (let i = 0; i < rows.length; i++) into[i] = column[rows[i]!]!;
    return into;
  };
  const floats = (name: string, column: Float64Array, rows: Int32Array) => {
    const into = memory.floats(name, rows.length);
    for (let i = 0; i < rows.length; i++) into[i] = column[rows[i]!]!;
    return into;
  };
  return (part, rows, value) => ({
    rows: rows.length,
    day: ints("day", part.day, rows),
    sensor: ints("sensor", part.sensor, rows),
    value,
    count: floats("count", part.count, rows),
    firstSeenUs: floats("firstSeenUs", part.firstSeenUs, rows),
    lastSeenUs: floats("lastSeenUs", part.lastSeenUs, rows),
  });
}

/** Types of value whose rows may be many, and the rows that have them; an address stands in others as well. */
export const CODED_VALUES = {
  address: { kind: "connect", columns: ["src_ip"] },
  credential: { kind: "login", columns: ["username", "password"] },
  command: { kind: "command", columns: ["input"] },
  clientVersion: { kind: "client", columns: ["version"] },
  hassh: { kind: "client", columns: ["hassh"] },
} as const satisfies Partial<Record<ValueType, { readonly kind: Kind; readonly columns: readonly KeyColumn[] }>>;
export type CodedType = keyof typeof CODED_VALUES;

/** The values of one slice of a type, known by codes. */
export interface CodedValues {
  readonly rows: ValueSource;
  /** Codes of a value. */
  readonly codesOf: (value: number) => number[];
}

/** @param masked Of commands by code the number of the value. */
export function codedValues(stored: StoredTable, type: CodedType, slice: KeySlice, masked?: Int32Array): CodedValues {
  if (type === "credential") return credentialsIn(stored, slice);
  const codesOf = (value: number) => [value];
  if (type === "address") return { rows: storedAddresses(stored), codesOf };
  const { kind, columns: [name] } = CODED_VALUES[type];
  const values = masked === undefined ? stored.textsOf(name).size : masked.reduce((most, value) => Math.max(most, value), -1) + 1;
  const map = masked && mapper(masked);
  const read = function* (): Generator<ValuePart> {
    for (const part of stored.parts(kind)) yield toPart(part, map === undefined ? part.keys[name]! : map(part.keys[name]!));
  };
  return { rows: { type, values, parts: { [Symbol.iterator]: read } }, codesOf };
}

/** Credentials are numbered as they are met. */
function credentialsIn(stored: StoredTable, slice: KeySlice): CodedValues {
  const keys = new SliceKeys(2, slice);
  const pick = valuePicker();
  const read = function* (): Generator<ValuePart> {
    for (const part of stored.parts("login")) {
      const { rows, numbers } = keys.find([part.keys.username!, part.keys.password!], part.rows);
      if (rows.length > 0) yield rows.length === part.rows ? toPart(part, numbers) : pick(part, rows, numbers);
    }
  };
  const rows = {
    type: "credential",
    get values() {
      return keys.size;
    },
    parts: { [Symbol.iterator]: read },
  } as const;
  return { rows, codesOf: value => keys.codesOf(Int32Array.of(value)).map(column => column[0]!) };
}

/** Rows of chosen values, by their places; of a type whose codes are those of {@link codedValues}. */
export function* rowsOfCodes(stored: StoredTable, type: CodedType, codes: readonly number[][], masked?: Int32Array): Generator<ValuePart> {
  const wanted = new ChosenTuples(codes);
  const { kind, columns } = CODED_VALUES[type];
  const map = masked && mapper(masked);
  const pick = valuePicker();
  const isMissing = new Uint8Array(codes.length).fill(1);
  for (const part of stored.parts(kind)) {
    const own = columns.map(name => (map === undefined ? part.keys[name]! : map(part.keys[name]!)));
    const { rows, numbers } = wanted.find(own, part.rows);
    for (let i = 0; i < rows.length; i++) isMissing[numbers[i]!] = 0;
    if (rows.length > 0) yield pick(part, rows, numbers);
  }
  if (type !== "address" || !isMissing.includes(1)) return;
  for (const other of ["session_closed", "proxy_request"] as const) {
    for (const part of stored.parts(other)) {
      const { rows, numbers } = wanted.find([part.keys.src_ip!], part.rows);
      if (rows.length > 0) yield pick(part, rows, numbers.map(value => (isMissing[value] === 1 ? value : -1)));
    }
  }
}
