/**
 * `reduced.json`, ours or the Python ancestor's, as a reduced table of cut counts.
 *
 * Both hold, per day and sensor, the top n entries of each kind, and neither says what n was: what is not listed may
 * have occurred all the same. So the source is marked as cut, and a sensor-day has no rows of kind `event`.
 *
 * The ancestor's differs in that objects may be nested in lists, one sensor-day may occur twice (the events of a day
 * that stood in two files), downloads have no `shasum` (their file is named by it) and uploads have `src_ip` in its
 * place (rows that differ in nothing else are added up).
 */
import { NO_SETS } from "../columns/address-sets.ts";
import { Dictionary } from "../columns/dictionary.ts";
import { parseIsoDay } from "../text/format.ts";
import {
  isTextKey,
  JSON_KINDS,
  type KeyColumn,
  type Kind,
  KIND_NAMES,
  KIND_SPECS,
  KINDS,
  NUMBER_KEY_SPECS,
  REDUCED_VERSION,
} from "./kinds.ts";
import { TextHash } from "../events/text-hash.ts";
import { CODED_COLUMNS, type CodedColumn, ReducedBuilder } from "./reduced-builder.ts";
import { type KindTable, type ReducedTable, unknownAddresses } from "./reduced-table.ts";
import { quoteForMessage } from "../text/text.ts";
import { DAY_US, EARLIEST_US, LATEST_US } from "../text/time.ts";
import type { SourceInfo } from "../events/source.ts";

/** Sessions shorter than this were robots; the file does not say, and both tools take this by default. */
const ROBOT_MAX_SECONDS = 10;
/** Largest count the Arrow form takes. */
const COUNT_MAX = 0xffff_ffff;

type JsonObject = { readonly [key: string]: unknown };

/**
 * Read a `reduced.json`.
 *
 * @param path For people, and the name of the source.
 * @param bytes UTF-8.
 * @param onNotice Told what the file holds that a reduced table has no place for.
 * @throws {SyntaxError} if it is none, or if an entry of it is not what it should be; says which.
 */
export function parseReducedJson(path: string, bytes: Uint8Array, onNotice: (line: string) => void): ReducedTable {
  const rows = new CutRows();
  const unknown = new Map<string, number>();
  let firstDay = Infinity;
  let lastDay = -Infinity;
  for (const object of listObjects(path, bytes)) {
    const { date, sensor } = object;
    const day = typeof date === "string" ? parseIsoDay(date) : undefined;
    if (day === undefined) throw wrong(path, `its date is ${show(date)}`, "YYYY-MM-DD");
    if (day * DAY_US < EARLIEST_US || day * DAY_US > LATEST_US) {
      throw wrong(path, `its date is ${show(date)}`, "a day of the years 1970 to 2199");
    }
    const where = `the object of ${date as string}`;
    if (typeof sensor !== "string" && sensor !== null && sensor !== undefined) {
      throw wrong(path, `${where} has the sensor ${show(sensor)}`, "a text");
    }
    firstDay = Math.min(firstDay, day);
    lastDay = Math.max(lastDay, day);
    for (const [name, entries] of Object.entries(object)) {
      if (name === "date" || name === "sensor") continue;
      const kind = KIND_OF_NAME.get(name);
      if (!Array.isArray(entries)) throw wrong(path, `"${name}" of ${where} is ${show(entries)}`, "a list");
      if (kind === undefined) {
        unknown.set(name, (unknown.get(name) ?? 0) + entries.length);
        continue;
      }
      for (const entry of entries) {
        try {
          rows.add(kind, day, sensor ?? "", entry);
        } catch (error) {
          throw wrong(path, `an entry of "${name}" of ${where}: ${(error as Error).message}`);
        }
      }
    }
  }
  for (const [name, entries] of unknown) {
    onNotice(
      `${quoteForMessage(path)}: left out ${entries} entries of ${quoteForMessage(name)}, which is no known kind`,
    );
  }
  const hash = new TextHash();
  hash.add(bytes);
  const source: SourceInfo = {
    path,
    sizeBytes: bytes.length,
    // All these files begin with the same line: only the whole of it tells one from another.
    headHash: hash.digest(),
    wholeHash: hash.digest(),
    counts: { lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0 },
    ...(firstDay <= lastDay ? { firstSeenUs: firstDay * DAY_US, lastSeenUs: (lastDay + 1) * DAY_US - 1 } : {}),
    cut: true,
    ...(rows.lacksSuccess ? { lacksSuccess: true } : {}),
  };
  return rows.finish(source);
}

const KIND_OF_NAME: ReadonlyMap<string, Kind> = new Map(
  JSON_KINDS.map(kind => [KIND_SPECS[kind].jsonName, kind]),
);

function wrong(path: string, what: string, wanted?: string): SyntaxError {
  return new SyntaxError(
    `Cannot read ${quoteForMessage(path)}: ${what}${wanted === undefined ? "" : `, expected ${wanted}`}`,
  );
}

function show(value: unknown): string {
  return value === undefined ? "missing" : quoteForMessage(JSON.stringify(value));
}

/** The objects of the file, in order, out of however many lists they are nested in. */
function listObjects(path: string, bytes: Uint8Array): JsonObject[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    const isLog = bytes[0] === 0x7b;
    const wanted = isLog ? "a reduced table (reduce.ts makes one from a log)" : "a reduced table, as Arrow or JSON";
    throw new SyntaxError(`Cannot read ${quoteForMessage(path)}: it is not JSON, expected ${wanted}`, { cause: error });
  }
  if (!Array.isArray(value))
    throw wrong(path, "it holds no list", "a reduced.json, a list of objects per day and sensor");
  const objects: JsonObject[] = [];
  // Not by recursion: a file may nest as deep as it likes.
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (Array.isArray(next)) {
      for (let i = next.length - 1; i >= 0; i--) left.push(next[i]);
    } else if (typeof next === "object" && next !== null) {
      objects.push(next as JsonObject);
    } else {
      throw wrong(path, `it holds ${show(next)}`, "objects per day and sensor");
    }
  }
  return objects;
}

/** Rows in the making, with the texts of their keys. */
class CutRows {
  /** There are logins, and of none is it said whether it was accepted. */
  lacksSuccess = false;
  #saysSuccess = false;
  readonly #texts = Object.fromEntries(CODED_COLUMNS.map(name => [name, new Dictionary()])) as Record<
    CodedColumn,
    Dictionary
  >;
  readonly #kinds = new Map<
    Kind,
    { day: number[]; sensor: number[]; keys: number[][]; count: number[]; success: number[] }
  >(KIND_NAMES.map(kind => [kind, { day: [], sensor: [], keys: KINDS[kind].map(() => []), count: [], success: [] }]));

  /** @throws {SyntaxError} if the entry is not what an entry of its kind should be. */
  add(kind: Kind, day: number, sensor: string, entry: unknown): void {
    if (typeof entry !== "object" || entry === null) throw new SyntaxError(`${show(entry)}, expected an object`);
    const object = entry as JsonObject;
    const count = toWhole("count", object.count, COUNT_MAX);
    const success = object.success === undefined ? 0 : toWhole("success", object.success, count);
    this.#saysSuccess ||= object.success !== undefined;
    if (kind === "login") this.lacksSuccess = !this.#saysSuccess;
    const shasum = object.shasum ?? hashOf(object.outfile);
    this.#push(kind, day, sensor, { ...object, shasum }, count, success);
    const { positives, total } = (object.scans ?? {}) as JsonObject;
    // Both null where VirusTotal was not asked.
    if (typeof positives === "number" && typeof total === "number" && typeof shasum === "string") {
      this.#push("scan", day, sensor, { shasum, positives, total }, 1, 0);
    }
  }

  #push(kind: Kind, day: number, sensor: string, object: JsonObject, count: number, success: number): void {
    const own = this.#kinds.get(kind)!;
    const codes = (KINDS[kind] as readonly KeyColumn[]).map(column => this.#codeOf(column, object[column]));
    own.day.push(day);
    own.sensor.push(this.#texts.sensor.internText(sensor));
    codes.forEach((code, i) => own.keys[i]!.push(code));
    own.count.push(count);
    own.success.push(success);
  }

  #codeOf(column: KeyColumn, value: unknown): number {
    if (value === null || value === undefined) return -1;
    if (isTextKey(column)) {
      if (typeof value !== "string") throw new SyntaxError(`${column} is ${show(value)}, expected a text`);
      return this.#texts[column].internText(value);
    }
    if (column === "robot" && typeof value === "boolean") return Number(value);
    return toWhole(column, value, NUMBER_KEY_SPECS[column].most);
  }

  finish(source: SourceInfo): ReducedTable {
    const kinds: Partial<Record<Kind, KindTable>> = {};
    for (const [kind, { day, sensor, keys, count, success }] of this.#kinds) {
      kinds[kind] = {
        kind,
        rows: day.length,
        day: Int32Array.from(day),
        sensor: Int32Array.from(sensor),
        keys: Object.fromEntries(KINDS[kind].map((column, i) => [column, Int32Array.from(keys[i]!)])),
        count: Float64Array.from(count),
        success: Float64Array.from(success),
        addresses: unknownAddresses(kind, day.length),
        // When on that day is not known: the whole of it.
        firstSeenUs: Float64Array.from(day, value => value * DAY_US),
        lastSeenUs: Float64Array.from(day, value => (value + 1) * DAY_US - 1),
      };
    }
    const builder = new ReducedBuilder();
    builder.addCut({ texts: this.#texts, sets: NO_SETS, kinds });
    return builder.finish({
      version: REDUCED_VERSION,
      parameters: { robotMaxSeconds: ROBOT_MAX_SECONDS },
      sources: [source],
    });
  }
}

/** The ancestor names a download by its hash in the path of the file alone. */
function hashOf(outfile: unknown): string | null {
  return (typeof outfile === "string" && /(?:^|\/)([0-9a-f]{64})$/.exec(outfile)?.[1]) || null;
}

function toWhole(name: string, value: unknown, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) {
    throw new SyntaxError(`${name} is ${show(value)}, expected a whole number from 0 to ${max}`);
  }
  return value;
}
