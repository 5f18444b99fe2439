/**
 * The project's own scripts, looked at from outside: which there are, what their command lines take, and how a command
 * line stays the same wherever it is run from. Tested in `test/scripts/schedule.test.ts`.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Command, type OptionSpec, shortNames, toLongName } from "./command.ts";
import { parseCommand } from "./options.ts";

/** Folder of the scripts, absolute. */
export const SCRIPTS = join(import.meta.dir, "../../scripts");

/** Names of all scripts, sorted, without ".ts". */
export function listScripts(): string[] {
  return readdirSync(SCRIPTS).filter(name => name.endsWith(".ts")).map(name => basename(name, ".ts")).sort();
}

/**
 * The table of one script.
 *
 * @param own That of the script that asks: it cannot import itself, its own end is what the import would wait for.
 * @returns undefined if there is no script of that name.
 */
export async function loadCommand(name: string, own?: Command): Promise<Command | undefined> {
  if (name === own?.name) return own;
  const path = join(SCRIPTS, `${name}.ts`);
  if (!/^[a-z0-9-]+$/.test(name) || !existsSync(path)) return undefined;
  // Importing a script runs nothing.
  const { COMMAND } = (await import(path)) as { COMMAND?: Command };
  return COMMAND;
}

/** Operands of these names are paths. */
const PATH_OPERANDS = /^(PATH|TABLE|FILE|LOG|FOLDER|DIR)$/;

/** A command line that means the same in every folder. */
export interface AbsoluteArguments {
  readonly args: readonly string[];
  /** Operands that are paths. */
  readonly inputs: readonly string[];
  /** Whether it may write to the current folder all the same: a path has a default in words. */
  readonly needsFolder: boolean;
  /** Whether the script has --quiet, and it is not asked for. */
  readonly isLoud: boolean;
  /** The options on the command line that nothing may run with where others can see it, or nobody is there. */
  readonly personal: readonly { readonly flag: string; readonly isSecret: boolean }[];
}

/**
 * Make the paths of a script's command line absolute, those it leaves to their defaults too.
 *
 * @param folder What they are relative to now.
 * @throws {UsageError} as the script itself would.
 */
export function toAbsoluteArguments(command: Command, argv: readonly string[], folder: string): AbsoluteArguments {
  const { values, operands, given, texts } = parseCommand(command, argv);
  const absolute = (path: string) => (path === "-" ? path : resolve(folder, path));
  const inputs: string[] = [];
  const args = operands.map((operand, i) => {
    const spec = command.operands?.[Math.min(i, command.operands.length - 1)];
    if (spec === undefined || !PATH_OPERANDS.test(spec.name)) return operand;
    inputs.push(absolute(operand));
    return absolute(operand);
  });
  let needsFolder = false;
  const personal: { flag: string; isSecret: boolean }[] = [];
  for (const [key, spec] of Object.entries<OptionSpec>(command.options)) {
    const value = values[key] as string | number | boolean | undefined | readonly (string | number)[];
    const isGiven = given.has(key);
    if (spec.type === "path" && !isGiven && spec.defaultText !== undefined) needsFolder = true;
    if (!isGiven && !(spec.type === "path" && typeof value === "string")) continue;
    const { isSecret = false, needsTerminal = false } = spec;
    if (isSecret || needsTerminal) personal.push({ flag: `--${toLongName(key)}`, isSecret });
    const name = shortestName(key, spec);
    if (spec.type === "boolean") {
      args.push(name);
      continue;
    }
    // A day as it was written: "yesterday" is another one on every run.
    for (const single of (spec.type === "day" ? texts.get(key) : undefined) ?? (Array.isArray(value) ? value : [value])) {
      const plain = String(single);
      const text = spec.type === "path" ? absolute(plain) : plain;
      // A value that begins with "-" must not stand alone.
      args.push(...(text.startsWith("-") && text !== "-" ? [`${name}=${text}`] : [name, text]));
    }
  }
  return { args, inputs, needsFolder, isLoud: "quiet" in command.options && !given.has("quiet"), personal };
}

function shortestName(key: string, spec: OptionSpec): string {
  const [first] = shortNames(spec);
  return first === undefined ? `--${toLongName(key)}` : `-${first}`;
}
