/**
 * One event, an object that JSON.parse read, to the cells of a row.
 *
 * This is the meaning of an event, whoever else reads it faster.
 *
 * Tested in `test/lib/events/line-reader.test.ts`.
 */
import type { JsonObject } from "./records.ts";
import { parseTimestampUs } from "../text/time.ts";
import { ACTION, isMessageRedundant, NUMBER_COLUMN_NAMES, NUMBER_COLUMNS, protocolOf, ruleOf, TEXT_COLUMNS, UNSIGNED_MAX } from "./schema.ts";

const PROTOCOL = TEXT_COLUMNS.indexOf("protocol");
const EXTRA = TEXT_COLUMNS.indexOf("extra");

/** Cells by the number of their column; undefined = null. */
export interface EventRow {
  readonly timestampUs: number;
  readonly texts: readonly (string | undefined)[];
  readonly numbers: readonly (number | undefined)[];
}

/** The cells of an event; all that has no column goes, as JSON, into `extra`. */
export function toEventRow(event: JsonObject): EventRow {
  const texts = new Array<string | undefined>(TEXT_COLUMNS.length);
  const numbers = new Array<number | undefined>(NUMBER_COLUMN_NAMES.length);
  const extras: string[] = [];
  const keep = (key: string, value: unknown) => extras.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  let timestampUs = NaN;
  let system: unknown;
  for (const key of Object.keys(event)) {
    const value = event[key];
    const { action, column } = ruleOf(key);
    switch (action) {
      case ACTION.text:
        if (key === "sha256" && typeof value !== "string") {
          // No hash, so nothing that a download could be joined with.
          if (value !== null) keep(key, value);
        } else if (value !== null && (key === TEXT_COLUMNS[column] || texts[column] === undefined)) {
          // `sha256` stands in for `shasum` and does not displace it.
          texts[column] = typeof value === "object" ? JSON.stringify(value) : String(value);
        }
        break;
      case ACTION.whole: {
        // Ports were written as text at times; a verdict with such figures is none.
        const mayBeText = key === "src_port" || key === "dst_port";
        const whole = mayBeText && typeof value === "string" && DIGITS.test(value) ? Number(value) : value;
        if (isWhole(whole, wholeMax(column))) numbers[column] = whole;
        else if (value !== null) keep(key, value);
        break;
      }
      case ACTION.duration:
      case ACTION.durationMs: {
        const duration = toNumber(value);
        if (duration === undefined) {
          if (value !== null) keep(key, value);
        } else if (action === ACTION.duration) {
          numbers[column] = duration;
        } else {
          numbers[column] ??= duration / 1000;
        }
        break;
      }
      case ACTION.timestamp:
        timestampUs = parseTimestampUs(value as string);
        break;
      case ACTION.system:
        system = value;
        break;
      case ACTION.message:
      case ACTION.drop:
        break;
      default:
        keep(key, value);
    }
  }
  if (Object.hasOwn(event, "message") && !isMessageRedundant(event.eventid as string)) keep("message", event.message);
  if (typeof system === "string") texts[PROTOCOL] ??= protocolOf(system);
  if (extras.length > 0) texts[EXTRA] = extras.join(",");
  return { timestampUs, texts, numbers };
}

function isWhole(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

function wholeMax(column: number): number {
  const type = NUMBER_COLUMNS[NUMBER_COLUMN_NAMES[column]!];
  return type === "float64" ? 2 ** 53 : UNSIGNED_MAX[type];
}

const DIGITS = /^\d+$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A finite number, or text that is one; undefined for anything else. */
function toNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && DECIMAL.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
