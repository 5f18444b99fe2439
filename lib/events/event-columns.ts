/**
 * Columns of events over many event tables: every table has codes of its own, here equal values get equal codes.
 *
 * Work is done per distinct value of a table, not per event: an event costs one look-up in an array.
 *
 * Tested in `test/scripts/value-counts.test.ts`.
 */
import { Dictionary, type Texts, textOf } from "../columns/dictionary.ts";
import type { EventBatch, EventTable } from "./event-table.ts";
import { Extra } from "./extra.ts";
import { toIsoDay } from "../text/format.ts";
import { UsageError } from "../process/command.ts";
import { nearestWord } from "../text/nearest-word.ts";
import { ORIGIN_COLUMNS, type OriginColumn, type Origins } from "../origin/origins.ts";
import { NUMBER_COLUMN_NAMES, type NumberColumn, TEXT_COLUMNS, type TextColumn } from "./schema.ts";
import { purposeOf } from "../text/purpose.ts";
import { publicKeysOf } from "../text/ssh-keys.ts";
import { techniquesOf } from "../text/techniques.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import { DAY_US, dayOf } from "../text/time.ts";
import { sensorNamer } from "./sensor-aliases.ts";

/** Not looked up yet, in arrays of codes. */
const UNKNOWN = -2;

/** One column, whatever it is made from. */
export interface EventColumn {
  /** As the user named it. */
  readonly name: string;
  /** Its values are numbers; their texts are what JavaScript makes of them. */
  readonly isNumeric: boolean;
  /** Every value seen so far. */
  readonly values: Dictionary;
  /** `codes[i]` = code of the value in row `rows[i]`, -1 = none; good until the next batch is read. */
  read(table: EventTable, batch: EventBatch, rows: Int32Array): Int32Array;
}

const HOUR_US = DAY_US / 24;

/** Names of all columns that an event table may have. */
export const COLUMN_NAMES: readonly string[] = [...TEXT_COLUMNS, ...NUMBER_COLUMN_NAMES];

/** Columns made from the texts of others: what a command is for, its techniques, the SSH keys in it or offered. */
export const DERIVED_COLUMNS = ["purpose", "technique", "ssh_key"] as const;

/**
 * A column by its name; what is no column of the event table is taken for a key inside `extra`.
 *
 * @param aliases Names of sensors, for the column `sensor`.
 * @param origins Where there are some, `country`, `asn` and `as_org` are those of the source address.
 */
export function openColumn(
  name: string,
  aliases: Readonly<Record<string, string>> = {},
  origins?: Origins,
): EventColumn {
  if (name === "sensor") return sensorColumn(aliases);
  if (origins !== undefined && isOriginColumn(name)) {
    return new CodedColumn(name, "src_ip", address => origins.get(address, name) ?? undefined);
  }
  if (name === "purpose") return new CodedColumn(name, "input", purposeOf);
  if (name === "technique") return new DerivedColumn(name, [["input", techniquesOf]]);
  if (name === "ssh_key") return new DerivedColumn(name, [["key", sshKeys], ["input", sshKeys]]);
  if (TEXT_COLUMNS.includes(name as TextColumn)) return new CodedColumn(name, name as TextColumn);
  if (NUMBER_COLUMN_NAMES.includes(name as NumberColumn)) return new NumericColumn(name as NumberColumn);
  return new ExtraColumn(name);
}

function sshKeys(text: string): string[] {
  return publicKeysOf(text).map(({ type, fingerprint }) => `${type} ${fingerprint}`);
}

function isOriginColumn(name: string): name is OriginColumn {
  return (ORIGIN_COLUMNS as readonly string[]).includes(name);
}

/** A sensor that is not named in the log has the name "". */
function sensorColumn(sensorAliases: Readonly<Record<string, string>>): EventColumn {
  const nameOf = sensorNamer(sensorAliases);
  return new CodedColumn("sensor", "sensor", nameOf, nameOf(""));
}

/** Codes of one batch after the other in the same memory: new one for each costs as much as what is done with it. */
class Scratch {
  #codes = new Int32Array(0);

  take(length: number): Int32Array {
    if (length > this.#codes.length) this.#codes = new Int32Array(length);
    return this.#codes.subarray(0, length);
  }
}

/** A text column, its texts renamed or replaced by something found in them. */
class CodedColumn implements EventColumn {
  readonly name: string;
  readonly isNumeric = false;
  readonly values = new Dictionary();
  readonly #column: TextColumn;
  readonly #convert: ((text: string) => string | undefined) | undefined;
  readonly #none: number;
  #texts: Texts | undefined;
  /** `#codes[code of the table]` = our code. */
  #codes = new Int32Array(0);
  readonly #own = new Scratch();

  /**
   * @param convert Text of the table to the value, undefined = none; texts as they are if omitted.
   * @param none The value of events without a text.
   */
  constructor(name: string, column: TextColumn, convert?: (text: string) => string | undefined, none?: string) {
    this.name = name;
    this.#column = column;
    this.#convert = convert;
    this.#none = none === undefined ? -1 : this.values.internText(none);
  }

  read(table: EventTable, batch: EventBatch, rows: Int32Array): Int32Array {
    const texts = table.dictionaries.get(this.#column);
    const codes = batch.codes.get(this.#column);
    const own = this.#own.take(rows.length);
    if (texts === undefined || codes === undefined) return own.fill(this.#none);
    if (texts !== this.#texts) {
      this.#texts = texts;
      this.#codes = new Int32Array(texts.size).fill(UNKNOWN);
    }
    const known = this.#codes;
    for (let i = 0; i < rows.length; i++) {
      const code = codes[rows[i]!]!;
      let value = code < 0 ? this.#none : known[code]!;
      if (value === UNKNOWN) value = known[code] = this.#intern(texts, code);
      own[i] = value;
    }
    return own;
  }

  #intern(texts: Texts, code: number): number {
    const { arena, offsets } = texts;
    if (this.#convert === undefined) return this.values.intern(arena, offsets[code]!, offsets[code + 1]!);
    const value = this.#convert(textOf(texts, code));
    return value === undefined ? -1 : this.values.internText(value);
  }
}

/** An event counts once for each value it has. */
export class DerivedColumn implements EventColumn {
  readonly name: string;
  readonly isNumeric = false;
  readonly values = new Dictionary();
  readonly #sources: readonly (readonly [TextColumn, (text: string) => readonly string[]])[];
  readonly #known = new WeakMap<Texts, (readonly number[])[]>();

  /** @param sources Columns with what is found in their texts; of an event the first that it has. */
  constructor(name: string, sources: readonly (readonly [TextColumn, (text: string) => readonly string[]])[]) {
    this.name = name;
    this.#sources = sources;
  }

  /** All values of an event as one, blanks between them: for conditions. */
  read(table: EventTable, batch: EventBatch, rows: Int32Array): Int32Array {
    const lists = this.#listsOf(table, batch, rows);
    return Int32Array.from(lists, list => (list.length === 0 ? -1 : list.length === 1 ? list[0]! : this.#joined(list)));
  }

  /** `codes[i]` = a value of the row `rows[places[i]]`; a row without any has none here. */
  readEach(table: EventTable, batch: EventBatch, rows: Int32Array): { places: Int32Array; codes: Int32Array } {
    const lists = this.#listsOf(table, batch, rows);
    return {
      places: Int32Array.from(lists.flatMap((list, place) => list.map(() => place))),
      codes: Int32Array.from(lists.flat()),
    };
  }

  #joined(list: readonly number[]): number {
    return this.values.internText(list.map(code => this.values.text(code)).join(" "));
  }

  #listsOf(table: EventTable, batch: EventBatch, rows: Int32Array): (readonly number[])[] {
    const sources = this.#sources.flatMap(([column, listOf]) => {
      const [texts, codes] = [table.dictionaries.get(column), batch.codes.get(column)];
      return texts === undefined || codes === undefined ? [] : [{ texts, codes, listOf }];
    });
    return Array.from(rows, row => {
      const source = sources.find(({ codes }) => codes[row]! >= 0);
      return source === undefined ? [] : this.#listOf(source.texts, source.codes[row]!, source.listOf);
    });
  }

  #listOf(texts: Texts, code: number, listOf: (text: string) => readonly string[]): readonly number[] {
    let known = this.#known.get(texts);
    if (known === undefined) this.#known.set(texts, (known = []));
    return (known[code] ??= [...new Set(listOf(textOf(texts, code)))].map(value => this.values.internText(value)));
  }
}

/** A key inside `extra`: texts as they are, anything else as JSON. */
class ExtraColumn extends CodedColumn {
  /** All keys met while it was looked for, and in how many events. */
  readonly keysSeen: ReadonlySet<string>;
  eventsSeen = 0;

  constructor(name: string) {
    const keysSeen = new Set<string>();
    super(name, "extra", json => {
      const extra = new Extra(json);
      for (const key of extra.all.keys()) keysSeen.add(key);
      return extra.shown(name);
    });
    this.keysSeen = keysSeen;
  }

  override read(table: EventTable, batch: EventBatch, rows: Int32Array): Int32Array {
    this.eventsSeen += rows.length;
    return super.read(table, batch, rows);
  }
}

/** What people call columns, as far as no letters of their names tell which is meant. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ...["day", "date", "hour", "time", "timestamp", "month"].map(name => [name, "expected a column; --by day, --by month or --by hour counts by time"] as const),
  ...["ip", "address", "addr", "source"].map(name => [name, 'did you mean "src_ip"?'] as const),
  ...["command", "cmd", "commands"].map(name => [name, 'did you mean "input"?'] as const),
  ...["hash", "sha256", "sha", "file"].map(name => [name, 'did you mean "shasum"?'] as const),
  ["port", 'did you mean "dst_port"?'],
  ["client", 'did you mean "version"?'],
  ["event", 'did you mean "eventid"?'],
]);

/**
 * Hold the keys that were looked for inside `extra` against those that are there.
 *
 * @throws {UsageError} if one of them stands in no event that was looked at; names the nearest column or key.
 */
export function checkColumns(columns: readonly EventColumn[]): void {
  for (const column of columns) {
    if (!(column instanceof ExtraColumn) || column.eventsSeen === 0 || column.keysSeen.has(column.name)) continue;
    const known = [...COLUMN_NAMES, ...DERIVED_COLUMNS, ...column.keysSeen].filter(name => name !== "extra");
    const nearest = nearestWord(column.name, known);
    const hint = isOriginColumn(column.name)
      ? "it takes a database, --mmdb FILE"
      : (OTHER_NAMES.get(column.name.toLowerCase()) ??
        (nearest === undefined ? `expected one of ${COLUMN_NAMES.join(", ")}, or a key of these events` : `did you mean "${visible(nearest)}"?`));
    throw new UsageError(`Cannot find a column or key ${quoteForMessage(column.name)} in these events: ${hint}`);
  }
}

/** Numbers below this are looked up in an array. */
const SMALL_NUMBERS = 1 << 16;

class NumericColumn implements EventColumn {
  readonly name: NumberColumn;
  readonly isNumeric = true;
  readonly values = new Dictionary();
  readonly #small = new Int32Array(SMALL_NUMBERS).fill(UNKNOWN);
  readonly #large = new Map<number, number>();
  readonly #own = new Scratch();

  constructor(name: NumberColumn) {
    this.name = name;
  }

  read(_table: EventTable, batch: EventBatch, rows: Int32Array): Int32Array {
    const numbers = batch.numbers.get(this.name);
    const own = this.#own.take(rows.length);
    if (numbers === undefined) return own.fill(-1);
    for (let i = 0; i < rows.length; i++) own[i] = this.#codeOf(numbers[rows[i]!]!);
    return own;
  }

  #codeOf(value: number): number {
    if (value !== value) return -1;
    if (value >= 0 && value < SMALL_NUMBERS && Number.isInteger(value)) {
      let code = this.#small[value]!;
      if (code === UNKNOWN) code = this.#small[value] = this.values.internText(String(value));
      return code;
    }
    let code = this.#large.get(value);
    if (code === undefined) this.#large.set(value, (code = this.values.internText(String(value))));
    return code;
  }
}

/** The UTC day of each event as `YYYY-MM-DD`, its month as `YYYY-MM`, or its hour, 0 to 23. */
export class TimeColumn implements EventColumn {
  readonly name: "day" | "month" | "hour";
  readonly isNumeric: boolean;
  readonly values = new Dictionary();
  readonly #codes = new Map<number, number>();
  readonly #own = new Scratch();
  #lastDay = NaN;
  #lastCode = -1;

  constructor(name: "day" | "month" | "hour") {
    this.name = name;
    this.isNumeric = name === "hour";
    // In order, so that an hour is its own code.
    if (name === "hour") for (let hour = 0; hour < 24; hour++) this.values.internText(String(hour));
  }

  read(_table: EventTable, { timestampUs }: EventBatch, rows: Int32Array): Int32Array {
    const own = this.#own.take(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const us = timestampUs[rows[i]!]!;
      const day = dayOf(us);
      own[i] = this.name === "hour" ? Math.floor((us - day * DAY_US) / HOUR_US) : this.#dayCode(day);
    }
    return own;
  }

  #dayCode(day: number): number {
    if (day === this.#lastDay) return this.#lastCode;
    let code = this.#codes.get(day);
    if (code === undefined) this.#codes.set(day, (code = this.values.internText(this.name === "month" ? toIsoDay(day).slice(0, -3) : toIsoDay(day))));
    this.#lastDay = day;
    return (this.#lastCode = code);
  }
}
