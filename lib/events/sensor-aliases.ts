/** The file of `--sensor-alias`: one `OLD=NEW` a line, blank lines and lines from `#` on left out. */
import { readSmallText } from "../columns/regular-file.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/**
 * Read sensor aliases.
 *
 * @returns Name in the log -> name to count under.
 * @throws {Error} if the file cannot be read.
 * @throws {SyntaxError} if a line has another form, or renames a sensor twice.
 */
export async function readSensorAliases(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = readSmallText(path);
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
  return parseSensorAliases(text, path);
}

/** @throws {SyntaxError} if a line has another form, or renames a sensor twice. */
export function parseSensorAliases(text: string, path: string): Record<string, string> {
  const aliases = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const at = line.indexOf("=");
    const [from, to] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    const where = `line ${i + 1} of ${quoteForMessage(path)}`;
    if (at < 0 || to === "") throw new SyntaxError(`Cannot read ${where}: expected OLD=NEW, found ${quoteForMessage(line)}`);
    if (aliases.has(from)) throw new SyntaxError(`Cannot read ${where}: sensor ${quoteForMessage(from)} is renamed twice`);
    aliases.set(from, to);
  }
  // fromEntries defines, it does not assign: a sensor named "__proto__" is a name like any other.
  return Object.fromEntries(aliases);
}
