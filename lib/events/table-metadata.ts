/**
 * The metadata of stored tables, looked at before anyone believes them: a table may come from a stranger.
 *
 * Tested in `test/lib/reduced/reduced-arrow.test.ts`.
 */
import { COUNT_NAMES, type SourceInfo } from "./source.ts";
import type { ReductionParameters } from "./scope.ts";
import { EARLIEST_US, LATEST_US } from "../text/time.ts";

/**
 * Parse the metadata of a table.
 *
 * @param what "a reduced table", for the message.
 * @throws {TypeError} if they are no JSON object.
 */
export function parseInfo(json: string, what: string): Record<string, unknown> {
  let info: unknown;
  try {
    info = JSON.parse(json);
  } catch (error) {
    throw new TypeError(`${what} with damaged metadata: expected JSON`, { cause: error });
  }
  if (!isRecord(info)) throw new TypeError(`${what} with damaged metadata: expected an object`);
  return info;
}

/** @throws {TypeError} if it is not the metadata of a reduced table. */
export function checkReducedInfo(
  info: Record<string, unknown>,
): asserts info is {
  version: number;
  sources: readonly SourceInfo[];
  parameters: ReductionParameters;
  shard?: { readonly number: number; readonly of: number };
} {
  const { sources, parameters, shard } = info;
  if (!isList(sources, isSource) || !isParameters(parameters) || !isAbsentOr(shard, isShard)) {
    throw new TypeError("a reduced table with damaged metadata: its sources or parameters are not what they should be");
  }
}

function isShard(value: unknown): boolean {
  return isRecord(value) && isCount(value.number) && isCount(value.of) && value.number >= 1 && value.number <= value.of;
}

/** The first and the last day that `--since` and `--until` take: years of four digits. */
const FIRST_DAY = -719_528;
const LAST_DAY = 2_932_896;

/** Tell whether a value describes a log. */
export function isSource(value: unknown): value is SourceInfo {
  if (!isRecord(value)) return false;
  const { path, sizeBytes, headHash, wholeHash, counts, firstSeenUs, lastSeenUs, cut, lacksSuccess, damage, head, tail, days } = value;
  return (
    [path, headHash, wholeHash].every(isText) &&
    isCount(sizeBytes) &&
    isRecord(counts) &&
    COUNT_NAMES.every(name => isCount(counts[name])) &&
    isAbsentOr(counts.dropped, isCount) &&
    [firstSeenUs, lastSeenUs].every(time => isAbsentOr(time, isInstant)) &&
    (firstSeenUs === undefined) === (lastSeenUs === undefined) &&
    ((firstSeenUs ?? 0) as number) <= ((lastSeenUs ?? 0) as number) &&
    [cut, lacksSuccess].every(flag => isAbsentOr(flag, isFlag)) &&
    [damage, head, tail].every(text => isAbsentOr(text, isText)) &&
    isAbsentOr(days, isDays)
  );
}

/** Stretches of days in rising order, no two of them touching. */
function isDays(value: unknown): boolean {
  type Range = readonly [number | null, number | null];
  const isEnd = (day: unknown): day is number | null => day === null || isDay(day);
  const isRange = (range: unknown): range is Range => isList(range, isEnd) && range.length === 2;
  if (!isList(value, isRange) || value.length === 0) return false;
  const ranges = value;
  return ranges.every(([first, last], i) => {
    const before = ranges[i - 1];
    const isBehind = before === undefined || (before[1] !== null && first !== null && before[1] + 1 < first);
    return isBehind && (first ?? -Infinity) <= (last ?? Infinity);
  });
}

function isParameters(value: unknown): value is ReductionParameters {
  if (!isRecord(value)) return false;
  const { robotMaxSeconds, robotMaxSecondsOf, sinceDay, untilDay, sensors, sensorAliases } = value;
  return (
    isSeconds(robotMaxSeconds) &&
    isAbsentOr(robotMaxSecondsOf, limits => isRecord(limits) && Object.values(limits).every(isSeconds)) &&
    [sinceDay, untilDay].every(day => isAbsentOr(day, isDay)) &&
    isAbsentOr(sensors, names => isList(names, isText)) &&
    isAbsentOr(sensorAliases, aliases => isRecord(aliases) && Object.values(aliases).every(isText))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList<T>(value: unknown, isElement: (element: unknown) => element is T): value is T[] {
  return Array.isArray(value) && value.every(isElement);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isInRange(value: unknown, least: number, greatest: number): boolean {
  return typeof value === "number" && value >= least && value <= greatest;
}

function isInstant(value: unknown): boolean {
  return Number.isSafeInteger(value) && isInRange(value, EARLIEST_US, LATEST_US);
}

function isDay(value: unknown): boolean {
  return Number.isSafeInteger(value) && isInRange(value, FIRST_DAY, LAST_DAY);
}

function isSeconds(value: unknown): boolean {
  return isInRange(value, 0, Number.MAX_VALUE);
}

function isAbsentOr(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value);
}
