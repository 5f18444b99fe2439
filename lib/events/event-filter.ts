/**
 * Which events count: by id, day, sensor, and the values of columns.
 */
import { allTexts, type Texts } from "../columns/dictionary.ts";
import { type EventColumn, openColumn } from "./event-columns.ts";
import type { EventBatch, EventTable } from "./event-table.ts";
import type { EventScope } from "./scope.ts";
import { nearestWord, UsageError } from "../process/options.ts";
import { matchesGlob } from "../text/glob.ts";
import { quoteForMessage } from "../text/text.ts";
import { DAY_US } from "../text/time.ts";

const PREFIX = "cowrie.";
/** Event ids named in a message. */
const IDS_NAMED = 12;

/** `column=value` or `column!=value`. */
export interface Condition {
  readonly column: EventColumn;
  readonly value: string;
  readonly isEqual: boolean;
}

/**
 * Read a condition.
 *
 * @throws {UsageError} if it has another form.
 */
export function parseCondition(text: string, scope: EventScope): Condition {
  const match = /^([^=!]+)(!?=)([^]*)$/.exec(text);
  if (match === null) {
    throw new UsageError(`Cannot read --where ${quoteForMessage(text)}: expected column=value or column!=value`);
  }
  const column = openColumn(match[1]!.trim(), scope.sensorAliases);
  const value = match[3]!;
  const number = Number(value);
  const isNumber = column.isNumeric && value.trim() !== "" && !Number.isNaN(number);
  return { column, value: isNumber ? String(number) : value, isEqual: match[2] === "=" };
}

/** Tells whether an event id is meant: `login.failed` stands for `cowrie.login.failed`, `*` for any letters; `?` for one. */
export function matchesEventid(eventid: string, pattern: string): boolean {
  return matchesGlob(pattern, eventid) || matchesGlob(`${PREFIX}${pattern}`, eventid) || pattern === eventid;
}

/** Chooses rows of event tables; keeps count of which event ids it has met. */
export class EventFilter {
  readonly #patterns: readonly string[];
  readonly #scope: EventScope;
  readonly #conditions: readonly (Condition & { readonly code: number })[];
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
    this.#conditions = conditions.map(one => ({ ...one, code: one.column.values.internText(one.value) }));
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
    for (const { column, code, isEqual } of this.#conditions) {
      if (rows.length === 0) break;
      const codes = column.read(table, batch, rows);
      rows = rows.filter((_, i) => (codes[i] === code) === isEqual);
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
    const { sinceDay = -Infinity, untilDay = Infinity } = this.#scope;
    const [sinceUs, untilUs] = [sinceDay * DAY_US, (untilDay + 1) * DAY_US];
    const wanted = this.#wanted;
    const { timestampUs } = batch;
    const eventid = batch.codes.get("eventid")!;
    const rows = new Int32Array(batch.rows);
    let length = 0;
    for (let row = 0; row < batch.rows; row++) {
      if (wanted[eventid[row]!] === 1 && timestampUs[row]! >= sinceUs && timestampUs[row]! < untilUs)
        rows[length++] = row;
    }
    return rows.subarray(0, length);
  }

  #isWanted(eventid: string): boolean {
    return this.#patterns.length === 0 || this.#patterns.some(pattern => matchesEventid(eventid, pattern));
  }

  /**
   * Hold the patterns against what the logs have.
   *
   * @throws {Error} if no log has an event that one of them means; names the nearest.
   */
  checkPatterns(): void {
    for (const pattern of this.#patterns) {
      if ([...this.#eventids].some(eventid => matchesEventid(eventid, pattern))) continue;
      const known = [...this.#eventids].sort();
      const short = known.map(eventid => (eventid.startsWith(PREFIX) ? eventid.slice(PREFIX.length) : eventid));
      const plain = pattern.startsWith(PREFIX) ? pattern.slice(PREFIX.length) : pattern;
      // "connect" means session.connect to whoever forgets the first half.
      const nearest = nearestWord(plain, short) ?? short.find(eventid => eventid.endsWith(`.${plain}`));
      const some = short.slice(0, IDS_NAMED).join(", ") + (short.length > IDS_NAMED ? ", ..." : "");
      const hint = nearest === undefined ? `expected one of ${some}` : `did you mean "${nearest}"?`;
      throw new Error(`Cannot find an event ${quoteForMessage(pattern)} in these logs: ${hint}`);
    }
  }
}
