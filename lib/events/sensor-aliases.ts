/**
 * Names under which sensors are counted, and the file of `--sensor-alias` that says them: one `OLD=NEW` a line, `*` and `?`
 * in OLD standing for any text and any character; blank lines, and what stands behind a `#` at the start of a line or after
 * a blank, are left out.
 */
import type { EventScope } from "./scope.ts";
import { readSmallText } from "../columns/regular-file.ts";
import { matchesGlob } from "../text/glob.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/** Name in the log, or a pattern -> name to count under. */
export type SensorAliases = Readonly<Record<string, string>>;

/**
 * The name under which a sensor of the log is counted: a name that is renamed as it stands comes before patterns, of these
 * the first that fits counts.
 */
export function sensorNamer(aliases: SensorAliases = {}): (name: string) => string {
  const names = new Map(Object.entries(aliases));
  const patterns = [...names].filter(([from]) => /[*?]/.test(from));
  return name => names.get(name) ?? patterns.find(([from]) => matchesGlob(from, name))?.[1] ?? name;
}

/** The name under which a sensor of the log is counted; undefined for a sensor that does not count. */
export function sensorPicker(scope: Pick<EventScope, "sensors" | "sensorAliases">): (name: string) => string | undefined {
  const nameOf = sensorNamer(scope.sensorAliases);
  const wanted = scope.sensors && new Set(scope.sensors);
  return name => {
    const counted = nameOf(name);
    return wanted?.has(counted) === false ? undefined : counted;
  };
}

/**
 * Read sensor aliases.
 *
 * @returns Name in the log -> name to count under.
 * @throws {Error} if the file cannot be read.
 * @throws {SyntaxError} if a line has another form, or renames a sensor twice.
 */
export async function readSensorAliases(path: string): Promise<SensorAliases> {
  let text: string;
  try {
    text = readSmallText(path);
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
  return parseSensorAliases(text, path);
}

/** @throws {SyntaxError} if a line has another form, or renames a sensor twice. */
export function parseSensorAliases(text: string, path: string): SensorAliases {
  const aliases = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const at = line.indexOf("=");
    const [from, to] = [line.slice(0, at).trim(), line.slice(at + 1).replace(/(^|\s)#.*/, "").trim()];
    const where = `line ${i + 1} of ${quoteForMessage(path)}`;
    if (at < 0 || to === "") throw new SyntaxError(`Cannot read ${where}: expected OLD=NEW, found ${quoteForMessage(line)}`);
    if (aliases.has(from)) throw new SyntaxError(`Cannot read ${where}: sensor ${quoteForMessage(from)} is renamed twice`);
    aliases.set(from, to);
  }
  // fromEntries defines, it does not assign: a sensor named "__proto__" is a name like any other.
  return Object.fromEntries(aliases);
}
