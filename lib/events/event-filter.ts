/**
 * Which events count: by id, day, sensor, and the values of columns.
 *
 * Tested in `test/scripts/value-counts.test.ts`.
 */
import { allTexts, type Texts, textOf } from "../columns/dictionary.ts";
import { type EventColumn, openColumn } from "./event-columns.ts";
import type { EventBatch, EventTable } from "./event-table.ts";
import type { Origins } from "../origin/origins.ts";
import type { EventScope } from "./scope.ts";
import { type OptionTable, UsageError } from "../process/command.ts";
import { checkNames } from "../process/option-values.ts";
import { isGlob, matchesGlob, unescapeGlob } from "../text/glob.ts";
import { RENDERED_IDS } from "./schema.ts";
import { quoteForMessage } from "../text/text.ts";
import { DAY_US } from "../text/time.ts";
import { widened } from "../columns/growing-column.ts";

const PREFIX = "cowrie.";

/** One --where: which values of a column are wanted. */
export interface Condition {
  readonly column: EventColumn;
  /** The values that match are those that do not count. */
  readonly isNegated: boolean;
  /** Of a value there is; events without one never match. */
  readonly matches: (value: string) => boolean;
  /** Where the value is to equal a text. */
  readonly equals?: string;
}

/** The options that hold conditions; {@link parseCondition} reads each. */
export const WHERE_OPTION = {
  where: {
    type: "string",
    repeatable: true,
    placeholder: "CONDITION",
    help:
      "Count only events whose COLUMN=VALUE is exactly this, or whose COLUMN~TEXT holds the text; where TEXT has * (any " +
      "text) or ? (one character), without a backslash before them, it is a pattern of the whole value. != and !~: any " +
      "other value, or none. Give it again for more conditions.",
  },
} as const satisfies OptionTable;

/**
 * Read a condition: `COLUMN=VALUE`, `COLUMN~TEXT`, `COLUMN~PATTERN`, or one of these with `!` before the sign.
 *
 * `=` has no patterns: attackers type `*`, and a value copied from a table has to mean itself.
 *
 * @throws {UsageError} if it has another form.
 */
export function parseCondition(text: string, scope: EventScope, origins?: Origins): Condition {
  const match = /^([^=!~]+)(!?)([=~])([^]*)$/.exec(text);
  if (match === null || match[1]!.trim() === "") {
    const wanted = "COLUMN=VALUE, COLUMN!=VALUE, COLUMN~TEXT or COLUMN!~TEXT";
    throw new UsageError(`Cannot read --where ${quoteForMessage(text)}: expected ${wanted}`);
  }
  const [, name, not, sign, value] = match as unknown as [string, string, string, string, string];
  const column = openColumn(name.trim(), scope.sensorAliases, origins);
  const isNegated = not === "!";
  if (sign === "~") {
    const holds = isGlob(value) ? (one: string) => matchesGlob(value, one) : undefined;
    const plain = unescapeGlob(value);
    return { column, isNegated, matches: holds ?? (one => one.includes(plain)) };
  }
  const number = Number(value);
  const isNumber = column.isNumeric && value.trim() !== "" && !Number.isNaN(number);
  const equals = isNumber ? String(number) : value;
  return { column, isNegated, equals, matches: one => one === equals };
}

/** Tells whether an event id is meant: `login.failed` stands for `cowrie.login.failed`, `*` for any letters; `?` for one. */
function matchesEventid(eventid: string, pattern: string): boolean {
  return matchesGlob(pattern, eventid) || matchesGlob(`${PREFIX}${pattern}`, eventid) || pattern === eventid;
}

/** A condition that looks at each value once, not at each event. */
class CodedCondition {
  readonly #condition: Condition;
  /** `#isMatch[code]`, as far as the values of the column were looked at. */
  #isMatch = new Uint8Array(0);
  #looked = 0;

  constructor(condition: Condition) {
    this.#condition = condition;
  }

  select(table: EventTable, batch: EventBatch, rows: Int32Array): Int32Array {
    const { column, isNegated, matches } = this.#condition;
    const codes = column.read(table, batch, rows);
    const { values } = column;
    if (values.size > this.#isMatch.length) this.#isMatch = widened(this.#isMatch, 2 * values.size);
    for (; this.#looked < values.size; this.#looked++) {
      this.#isMatch[this.#looked] = Number(matches(textOf(values, this.#looked)));
    }
    const isMatch = this.#isMatch;
    return rows.filter((_, i) => (codes[i]! >= 0 && isMatch[codes[i]!] === 1) !== isNegated);
  }
}

/** Chooses rows of event tables; keeps count of which event ids it has met. */
export class EventFilter {
  readonly #patterns: readonly string[];
  readonly #scope: EventScope;
  readonly #conditions: readonly CodedCondition[];
  readonly #sensors: ReadonlySet<string> | undefined;
  readonly #sensorColumn: EventColumn;
  readonly #eventids = new Set<string>();
  #texts: Texts | undefined;
  #wanted = new Uint8Array(0);

  /** @param patterns Event ids that count; none = all. */
  constructor(patterns: readonly string[], scope: EventScope, conditions: readonly Condition[] = []) {
    this.#patterns = patterns;
    this.#scope = scope;
    this.#sensors = scope.sensors && new Set(scope.sensors);
    this.#sensorColumn = openColumn("sensor", scope.sensorAliases);
    this.#conditions = conditions.map(one => new CodedCondition(one));
  }

  /** Event ids of all tables seen. */
  get eventids(): ReadonlySet<string> {
    return this.#eventids;
  }

  /** Rows of the batch that count. */
  select(table: EventTable, batch: EventBatch): Int32Array {
    let rows = this.#selectIds(table, batch);
    if (this.#sensors !== undefined && rows.length > 0) {
      const codes = this.#sensorColumn.read(table, batch, rows);
      const wanted = new Set<number>();
      for (const sensor of this.#sensors) wanted.add(this.#sensorColumn.values.internText(sensor));
      rows = rows.filter((_, i) => wanted.has(codes[i]!));
    }
    for (const condition of this.#conditions) {
      if (rows.length === 0) break;
      rows = condition.select(table, batch, rows);
    }
    return rows;
  }

  /** Rows of the ids and days. */
  #selectIds(table: EventTable, batch: EventBatch): Int32Array {
    const texts = table.dictionaries.get("eventid")!;
    if (texts !== this.#texts) {
      this.#texts = texts;
      const ids = allTexts(texts);
      for (const id of ids) this.#eventids.add(id);
      this.#wanted = Uint8Array.from(ids, id => Number(this.#isWanted(id)));
    }
    const { sinceDay, untilDay } = this.#scope;
    const rows = rowsOf(batch.codes.get("eventid")!, this.#wanted);
    // Times are decoded only for those who ask for days.
    return sinceDay === undefined && untilDay === undefined ? rows : rowsWithin(rows, batch.timestampUs, sinceDay, untilDay);
  }

  #isWanted(eventid: string): boolean {
    return this.#patterns.length === 0 || this.#patterns.some(pattern => matchesEventid(eventid, pattern));
  }

  /**
   * Hold the patterns against what the logs have, and what Cowrie is known to write: that nobody uploaded anything is an
   * answer.
   *
   * @returns A line for each that means no event, with the nearest of the logs; safe to show.
   * @throws {UsageError} if none of them means one.
   */
  checkPatterns(): string[] {
    const known = [...[...this.#eventids].sort(), ...[...RENDERED_IDS].filter(id => !this.#eventids.has(id))];
    const short = known.map(eventid => (eventid.startsWith(PREFIX) ? eventid.slice(PREFIX.length) : eventid));
    const isMeant = (eventid: string, pattern: string) => {
      const bare = pattern.startsWith(PREFIX) ? pattern.slice(PREFIX.length) : pattern;
      return matchesEventid(eventid, bare) || matchesEventid(PREFIX + eventid, pattern);
    };
    return checkNames("event", this.#patterns, short, isMeant);
  }
}

/** Rows of the ids that are wanted. */
function rowsOf(eventid: Int32Array, wanted: Uint8Array): Int32Array {
  const rows = new Int32Array(eventid.length);
  let length = 0;
  for (let row = 0; row < eventid.length; row++) if (wanted[eventid[row]!] === 1) rows[length++] = row;
  return rows.subarray(0, length);
}

/** Those of the days. */
function rowsWithin(rows: Int32Array, timestampUs: Float64Array, sinceDay = -Infinity, untilDay = Infinity): Int32Array {
  const [sinceUs, untilUs] = [sinceDay * DAY_US, (untilDay + 1) * DAY_US];
  return rows.filter(row => timestampUs[row]! >= sinceUs && timestampUs[row]! < untilUs);
}
