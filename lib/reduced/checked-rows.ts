/**
 * Rows of reduced tables as they are read, kind by kind: what no row can say is refused, whoever wrote the file.
 *
 * Tested in `test/lib/reduced/reduced-arrow.test.ts`.
 */
import { type AddressSets, SET_MAX } from "../columns/address-sets.ts";
import type { ColumnMemory } from "../columns/arrow-reader.ts";
import type { ColumnForm } from "../columns/arrow-guard.ts";
import type { IpcBatch, ListColumn } from "../columns/arrow-ipc.ts";
import { take } from "../columns/group.ts";
import { INT32_MAX, isTextKey, type KeyColumn, type Kind, KIND_NAMES, KIND_SPECS, KINDS, NUMBER_KEY_SPECS } from "./kinds.ts";
import { type KindTable, unknownAddresses } from "./reduced-table.ts";
import { quoteForMessage } from "../text/text.ts";
import { DAY_US, EARLIEST_US, LATEST_US } from "../text/time.ts";

/**
 * Most events of a kind that a table may count: no honeypot has seen so many, and a thousand such tables still add up
 * to numbers that are exact.
 */
const EVENTS_MAX = 2 ** 43;
/** Least and greatest value of a column, both included. */
type Range = readonly [least: number, greatest: number];

const DAYS: Range = [Math.ceil(EARLIEST_US / DAY_US), Math.floor(LATEST_US / DAY_US)];
const COUNTS: Range = [0, EVENTS_MAX];
const INSTANTS: Range = [EARLIEST_US, LATEST_US];
const CODES: Range = [0, INT32_MAX];

/** Of each row the addresses that its events came from, see `address-sets.ts`; null = unknown, or told by the key. */
export const ADDRESSES = "addresses";

/** The rows of a batch, kind by kind. */
export function splitKinds(
  column: (name: string) => Int32Array | Float64Array | undefined,
  kindTexts: readonly string[],
  sets: AddressSets,
  setCodes: Int32Array | undefined,
  memory?: ColumnMemory,
): Partial<Record<Kind, KindTable>> {
  const codes = column("kind") as Int32Array;
  const kinds: Partial<Record<Kind, KindTable>> = {};
  for (const [code, rows] of rowsByCode(codes)) {
    const kind = kindTexts[code] as Kind;
    if (!KIND_NAMES.includes(kind)) throw new TypeError(`a reduced table with rows of unknown kind ${quoteForMessage(String(kind))}`);
    const values = (name: string) => (rows === undefined ? column(name)! : take(column(name)!, rows));
    const number = (name: string, range: Range) => toNumbers(kind, name, values(name), range);
    const whole = (name: string, range: Range, isNullable: boolean) => toWholes(kind, name, values(name), range, isNullable, memory);
    const length = rows?.length ?? codes.length;
    const table: KindTable = {
      kind,
      rows: length,
      // The day before 1970, which a zone can lead to, is -1 and stands as a null.
      day: whole("day", DAYS, true),
      // A verdict counts whatever days and sensors were asked for: it may be of none of them.
      sensor: whole("sensor", CODES, kind === "scan"),
      keys: Object.fromEntries(
        KINDS[kind].map((name: KeyColumn) => [name, whole(name, isTextKey(name) ? CODES : [0, NUMBER_KEY_SPECS[name].most], true)]),
      ),
      count: number("count", COUNTS),
      success: number("success", COUNTS),
      addresses:
        setCodes === undefined || !KIND_SPECS[kind].hasAddresses
          ? unknownAddresses(kind, length)
          : rows === undefined ? setCodes : take(setCodes, rows),
      firstSeenUs: number("first_seen", INSTANTS),
      lastSeenUs: number("last_seen", INSTANTS),
    };
    checkRows(table, sets);
    kinds[kind] = table;
  }
  return kinds;
}

/** Forms of whole numbers that fit into 32 bits with their sign, and the most that each can hold. */
const WHOLE_FORMS: ReadonlyMap<ColumnForm | undefined, number> = new Map([["bool", 1], ["uint8", 0xff], ["uint16", 0xffff], ["int32", INT32_MAX]]);
const COUNT_FORMS: ReadonlySet<ColumnForm | undefined> = new Set<ColumnForm>(["uint32", "int64"]);

/**
 * As {@link splitKinds} of rows that are all of one kind and in the forms that we write, in a fifth of the time: each column is looked
 * at once.
 *
 * @returns undefined where anything is another way: damaged or not, `splitKinds` tells.
 */
export function plainRows(
  kind: Kind,
  { rows, column, wholes, form }: Pick<IpcBatch, "rows" | "column" | "wholes"> & Partial<Pick<IpcBatch, "form">>,
  kindTexts: readonly string[],
  { offsets }: AddressSets,
  setCodes: Int32Array | undefined,
): KindTable | undefined {
  if (form === undefined || rows === 0 || form("day") !== "int32" || form("first_seen") !== "int64" || form("last_seen") !== "int64") return undefined;
  if (!COUNT_FORMS.has(form("count")) || !COUNT_FORMS.has(form("success"))) return undefined;
  const kinds = column("kind")!;
  if (kindTexts[kinds[0]!] !== kind || !isOne(kinds)) return undefined;
  const sensor = column("sensor");
  // Those without a value are looked for natively.
  if (!(sensor instanceof Int32Array) || (kind !== "scan" && sensor.includes(-1))) return undefined;
  const keys: Partial<Record<KeyColumn, Int32Array>> = {};
  for (const name of KINDS[kind]) {
    const codes = isTextKey(name) ? column(name) : plainNumbers(NUMBER_KEY_SPECS[name].most, form(name), () => wholes(name)!);
    if (!(codes instanceof Int32Array)) return undefined;
    keys[name] = codes;
  }
  const floats = (name: string) => column(name) as Float64Array;
  const addresses = setCodes === undefined || !KIND_SPECS[kind].hasAddresses ? unknownAddresses(kind, rows) : setCodes;
  const table: KindTable = {
    ...{ kind, rows, day: wholes("day")!, sensor, keys, count: floats("count"), success: floats("success"), addresses },
    ...{ firstSeenUs: floats("first_seen"), lastSeenUs: floats("last_seen") },
  };
  return isSound(table, offsets) ? table : undefined;
}

function isOne(codes: Int32Array | Float64Array): boolean {
  const first = codes[0]!;
  for (let row = 1; row < codes.length; row++) if (codes[row] !== first) return false;
  return true;
}

/** @returns undefined if they are of a form that may hold more than a key, and do. */
function plainNumbers(most: number, form: ColumnForm | undefined, read: () => Int32Array): Int32Array | undefined {
  const mostOfForm = WHOLE_FORMS.get(form);
  if (mostOfForm === undefined) return undefined;
  const numbers = read();
  if (mostOfForm <= most && form !== "int32") return numbers;
  for (let row = 0; row < numbers.length; row++) if (numbers[row]! < -1 || numbers[row]! > most) return undefined;
  return numbers;
}

/** All that the other functions check of numbers that are whole, in one walk. */
function isSound({ rows, day, count, success, addresses, firstSeenUs, lastSeenUs }: KindTable, offsets: Int32Array): boolean {
  const [[firstDay, lastDay], [, most], [earliest, latest]] = [DAYS, COUNTS, INSTANTS];
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const own = count[row]!;
    const times = success[row]!;
    const firstUs = firstSeenUs[row]!;
    const lastUs = lastSeenUs[row]!;
    const on = day[row]!;
    // False where there is none.
    if (!(times >= 0 && times <= own && own <= most && firstUs >= earliest && firstUs <= lastUs && lastUs <= latest)) return false;
    if (on !== -1 && (on < firstDay || on > lastDay)) return false;
    sum += own;
  }
  if (sum > EVENTS_MAX) return false;
  if (addresses === null) return true;
  for (let row = 0; row < rows; row++) {
    const code = addresses[row]!;
    if (code >= 0 && offsets[code + 1]! - offsets[code]! > count[row]!) return false;
  }
  return true;
}

/** The rows of each code in their order; undefined = all of them, as in the batches that we write. */
function rowsByCode(codes: Int32Array): [code: number, rows: Int32Array | undefined][] {
  if (codes.length === 0) return [];
  let same = 1;
  while (same < codes.length && codes[same] === codes[0]) same++;
  if (same === codes.length) return [[codes[0]!, undefined]];
  return [...Map.groupBy(codes.keys(), row => codes[row]!)].map(([code, rows]) => [code, Int32Array.from(rows)]);
}

/**
 * Numbers that nobody can have counted would make calendars of a million years, sums that are no numbers, and loops that
 * never end.
 *
 * @throws {RangeError} naming the first that is no whole number of its range.
 */
function toNumbers(kind: Kind, name: string, values: Int32Array | Float64Array, range: Range): Float64Array {
  const numbers = values instanceof Float64Array ? values : new Float64Array(values);
  const [least, greatest] = range;
  for (let row = 0; row < numbers.length; row++) {
    const value = numbers[row]!;
    // False for NaN.
    if (!(value >= least && value <= greatest && Math.floor(value) === value)) throw noNumber(kind, name, value);
  }
  return numbers;
}

/**
 * The same of numbers that fit into 32 bits; a null, NaN or -1, is -1.
 *
 * @throws {RangeError} as {@link toNumbers}, or if there is a null where there must be none.
 */
function toWholes(kind: Kind, name: string, values: Int32Array | Float64Array, [least, greatest]: Range, isNullable: boolean, memory?: ColumnMemory): Int32Array {
  const refuse = (value: number): void => {
    if (!((value !== value || value === -1) && isNullable)) throw noNumber(kind, name, value);
  };
  // A loop for each type of array: one for both takes four times as long.
  if (values instanceof Int32Array) {
    for (let row = 0; row < values.length; row++) if (values[row]! < least || values[row]! > greatest) refuse(values[row]!);
    return values;
  }
  const wholes = memory?.ints(name, values.length) ?? new Int32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    const whole = value | 0;
    const isWhole = whole === value && whole >= least && whole <= greatest;
    if (!isWhole) refuse(value);
    wholes[row] = isWhole ? whole : -1;
  }
  return wholes;
}

function noNumber(kind: Kind, name: string, value: number): RangeError {
  return new RangeError(`a reduced table with damaged rows: no ${kind} has the ${name} ${value}`);
}

/**
 * What no number alone tells.
 *
 * @throws {RangeError} if more succeeded than were, or came from more addresses; the last came before the first; or all
 * together are too many.
 */
function checkRows(table: KindTable, { offsets }: AddressSets): void {
  const { kind, rows, count, success, addresses, firstSeenUs, lastSeenUs } = table;
  const elements = (code: number) => (code < 0 ? 0 : offsets[code + 1]! - offsets[code]!);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    sum += count[row]!;
    const isSound = success[row]! <= count[row]! && firstSeenUs[row]! <= lastSeenUs[row]!;
    if (isSound && (addresses === null || elements(addresses[row]!) <= count[row]!)) continue;
    throw new RangeError(`a reduced table with damaged rows: no ${kind} can be row ${row}`);
  }
  if (sum > EVENTS_MAX) throw new RangeError(`a reduced table with damaged rows: no log holds ${sum} of ${kind}`);
}

/** @throws {RangeError} if a list is no set. */
export function checkSets({ values, offsets, isNull }: ListColumn): void {
  for (let row = 0; row < isNull.length; row++) {
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    let isSet = end - start <= SET_MAX;
    for (let i = start + 1; isSet && i < end; i++) isSet = values[i - 1]! < values[i]!;
    if (!isSet) throw new RangeError(`a reduced table with damaged rows: no ${ADDRESSES} are those of row ${row}`);
  }
}
