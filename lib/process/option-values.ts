/** What options and operands say, read from their text and held against limits; whatever is wrong is a usage error. */
import { DAY_FORMS, type OptionSpec, UsageError } from "./command.ts";
import { parseIsoDay, toIsoDay } from "../text/format.ts";
import { nearestWord } from "../text/nearest-word.ts";
import { quoteForMessage } from "../text/text.ts";
import { DAY_MS } from "../text/time.ts";

/** Names listed where none is near. */
const NAMES_SHOWN = 12;
/** Names that may be meant, of which only the end was given. */
const NAMES_MEANT = 3;

/** The value of an option, by its type. */
export function readValue(flag: string, spec: OptionSpec, text: string): unknown {
  switch (spec.type) {
    case "boolean":
      return true;
    case "string":
      return text;
    case "path":
      if (text === "") throw new UsageError(`Cannot read ${flag} "": expected a path`);
      return text;
    case "count":
      return parseCount(flag, text, spec.min, spec.max);
    case "number":
      return parseNumber(flag, text, spec.min, spec.max);
    case "day":
      return parseDay(flag, text);
    case "choice":
      return parseChoice(flag, text, spec.choices);
  }
}

/** Limits in words: ` >= 0`, ` from 1 to 64`, ` <= 1`, or nothing. */
function describeLimits(min: number, max: number): string {
  if (max === Infinity) return min === -Infinity ? "" : ` >= ${min}`;
  return min === -Infinity ? ` <= ${max}` : ` from ${min} to ${max}`;
}

/**
 * Read a whole number from an option's text.
 *
 * @throws {UsageError} if the text is not a whole number from `min` to `max`.
 */
export function parseCount(flag: string, text: string, min = 0, max = Infinity): number {
  const count = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(count) || count < min || count > max) {
    const wanted = `a whole number${describeLimits(min, max)}`;
    throw new UsageError(`Cannot read ${flag} ${quoteForMessage(text)}: expected ${wanted}`);
  }
  return count + 0;
}

/**
 * Read a decimal number from an option's text.
 *
 * @throws {UsageError} if the text is not a finite number from `min` to `max`.
 */
export function parseNumber(flag: string, text: string, min = -Infinity, max = Infinity): number {
  const value = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value) || value < min || value > max) {
    throw new UsageError(`Cannot read ${flag} ${quoteForMessage(text)}: expected a number${describeLimits(min, max)}`);
  }
  return value + 0;
}

/**
 * Read a day from an option's text.
 *
 * @param nowMs What "today" is counted from.
 * @returns Days since 1970-01-01 UTC.
 * @throws {UsageError} if the text is neither a day of the calendar as YYYY-MM-DD nor one counted from today.
 */
export function parseDay(flag: string, text: string, nowMs = Date.now()): number {
  const ago = text === "today" ? 0 : text === "yesterday" ? 1 : Number(/^-(\d{1,5})d$/.exec(text)?.[1] ?? NaN);
  const day = Number.isNaN(ago) ? parseIsoDay(text) : Math.floor(nowMs / DAY_MS) - ago;
  if (day === undefined) throw new UsageError(`Cannot read ${flag} ${quoteForMessage(text)}: expected ${DAY_FORMS}`);
  return day;
}

/**
 * Read one of a few words from an option's text.
 *
 * @throws {UsageError} if it is none of them; names the nearest.
 */
export function parseChoice<const C extends string>(flag: string, text: string, choices: readonly C[]): C {
  const choice = choices.find(word => word === text);
  if (choice !== undefined) return choice;
  const nearest = nearestWord(text, choices);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  throw new UsageError(`Cannot read ${flag} ${quoteForMessage(text)}: expected ${listWords(choices)}${hint}`);
}

/**
 * Hold two days against each other.
 *
 * @throws {UsageError} if `since` is after `until`.
 */
export function checkDays(since: number | undefined, until: number | undefined): void {
  if (since !== undefined && until !== undefined && since > until) {
    throw new UsageError(
      `Cannot use --since ${toIsoDay(since)} with --until ${toIsoDay(until)}: expected --since on or before --until`,
    );
  }
}

/**
 * Hold the inputs a command line names against the rules all scripts share.
 *
 * @param inputs Paths, or "-" for stdin.
 * @param stdinIsTerminal Whether reading stdin would wait for somebody to type.
 * @throws {UsageError} if there is none, if "-" stands twice, or if "-" is a terminal.
 */
export function checkInputs(inputs: readonly string[], stdinIsTerminal: boolean): void {
  if (inputs.length === 0) throw new UsageError('Missing PATH: expected a log, a folder, or "-" for stdin');
  if (inputs.includes("")) throw new UsageError('Cannot read "": expected a path');
  const stdins = inputs.filter(path => path === "-").length;
  if (stdins > 1) throw new UsageError(`Cannot read stdin ${stdins} times: expected "-" once`);
  if (stdins === 1 && stdinIsTerminal) {
    throw new UsageError("Cannot read stdin: it is a terminal, expected a pipe or a file");
  }
}

/**
 * Hold names that a user gave against those there are.
 *
 * @param what In words: "sensor".
 * @param known The names there are; any may be hostile.
 * @param isMeant Whether a given name means a known one.
 * @returns A line for each given name that is none of them, with the nearest; safe to show.
 * @throws {UsageError} if all that were given are unknown.
 */
export function checkNames(
  what: string,
  given: readonly string[],
  known: readonly string[],
  isMeant: (known: string, given: string) => boolean = (a, b) => a === b,
): string[] {
  const unknown = [...new Set(given)].filter(name => !known.some(one => isMeant(one, name)));
  const lines = unknown.map(name => {
    // "success" means login.success to whoever forgets the first half, or command.success.
    const nearest = nearestWord(name, known);
    const meant = nearest !== undefined ? [nearest] : known.filter(one => name.length > 2 && one.endsWith(name)).slice(0, NAMES_MEANT);
    const some = known.slice(0, NAMES_SHOWN).map(quoteForMessage).join(", ") + (known.length > NAMES_SHOWN ? ", ..." : "");
    const hint =
      meant.length > 0 ? `did you mean ${meant.map(quoteForMessage).join(" or ")}?` : known.length === 0 ? "there is none" : `there are ${some}`;
    return `Cannot find ${what} ${quoteForMessage(name)}: ${hint}`;
  });
  if (unknown.length > 0 && unknown.length === new Set(given).size) throw new UsageError(lines.join("; "));
  return lines;
}

/** `"a", "b" or "c"` */
function listWords(words: readonly string[]): string {
  const quoted = words.map(word => `"${word}"`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}
