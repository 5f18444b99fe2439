/**
 * The command line of a script as one table, from which both parsing and `--help` are made, so that they cannot
 * disagree.
 *
 * An option's key is its name in code, `topNEvents`; on the command line it is `--top-n-events` or
 * `--top_n_events`. Values: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`, `-n=VALUE`. A short name may have
 * several letters (`-sid ID`), then its value is never glued on. Letters of options without a value may be joined,
 * the last of them may take one: `-qn 5`. `--` ends the options, `-` is an operand. An option given twice means both
 * where it is repeatable, and is refused where it can mean one thing only, unless it says the same.
 */
import { parseIsoDay, toIsoDay } from "../text/format.ts";
import { quoteForMessage, wrapText } from "../text/text.ts";
import { PROGRAM } from "./version.ts";

/** Columns of the help text, the same whatever the terminal. */
const HELP_COLUMNS = 96;
/** Names listed where none is near. */
const NAMES_SHOWN = 12;
/** Column at which the description of an option starts. */
const HELP_INDENT = 30;

/** The command line is wrong. Shown as one line plus a pointer to --help; exit 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The user asked for help or the version; `message` is the text. Goes to stdout; exit 0. */
export class HelpRequest extends Error {
  override readonly name = "HelpRequest";
}

interface OptionBase {
  /** Short names without the dash; of one letter or, where users know them so, of several. */
  readonly short?: string | readonly string[];
  /** Further long names, as kebab-case. */
  readonly aliases?: readonly string[];
  /** What stands for the value in the help; default: the kind of value. */
  readonly placeholder?: string;
  /** One or two sentences for the help; the default is added to them. */
  readonly help: string;
  /** The default in words, where it is not a fixed value ("one per core"). */
  readonly defaultText?: string;
  /** May be given several times; its value is the list of all. */
  readonly repeatable?: boolean;
  /** Leaving it out is a usage error. */
  readonly required?: boolean;
  /** What is given is nobody else's to see: no message quotes it, no crontab holds it. */
  readonly isSecret?: boolean;
  /** Asks on the terminal, so nothing that runs without one may have it. */
  readonly needsTerminal?: boolean;
}

/** One option; each `type` says how its text is read. */
export type OptionSpec = OptionBase &
  (
    | { readonly type: "boolean" }
    /** Any text; a path must not be empty. */
    | { readonly type: "string" | "path"; readonly default?: string }
    /** A whole number. */
    | { readonly type: "count"; readonly min?: number; readonly max?: number; readonly default?: number }
    /** A decimal number. */
    | { readonly type: "number"; readonly min?: number; readonly max?: number; readonly default?: number }
    /** YYYY-MM-DD, today, yesterday or -7d, read as days since 1970-01-01 UTC. */
    | { readonly type: "day"; readonly default?: number }
    | { readonly type: "choice"; readonly choices: readonly string[]; readonly default?: string }
  );

export type OptionTable = Readonly<Record<string, OptionSpec>>;

type SingleValue<O extends OptionSpec> = O extends { type: "boolean" }
  ? boolean
  : O extends { type: "count" | "number" | "day" }
    ? number
    : O extends { type: "choice"; choices: readonly (infer C)[] }
      ? C
      : string;
type OptionValue<O extends OptionSpec> = O extends { repeatable: true }
  ? readonly SingleValue<O>[]
  : O extends { type: "boolean" } | { required: true } | { default: unknown }
    ? SingleValue<O>
    : SingleValue<O> | undefined;

/** The values of a table's options: a list where repeatable, false or undefined where not given. */
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: OptionValue<T[K]> };

/** One operand, that is, an argument that is not an option; only the last may be repeatable. */
export interface OperandSpec {
  /** As shown in the help: "PATH". */
  readonly name: string;
  readonly help: string;
  readonly repeatable?: boolean;
  readonly required?: boolean;
}

/** All that a script's command line takes and its help tells. */
export interface Command {
  /** File name without `.ts`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly operands?: readonly OperandSpec[];
  readonly options: OptionTable;
  /** What stdout and the output files hold. */
  readonly writes: string;
  /** When the script exits with 0 and with 1; 2 is the same everywhere. */
  readonly exits?: {
    readonly ok?: string;
    readonly failed?: string;
    /** Codes of its own: `10 something changed`. */
    readonly more?: readonly string[];
  };
  readonly examples: readonly { readonly does: string; readonly run: string }[];
}

/** How a day may be written, in words for the help. */
export const DAY_FORMS = "YYYY-MM-DD, today, yesterday, or -7d for seven days ago";

/** What CSV makes of texts, in words for the help. */
export const CSV_SHOWS = "Control characters are shown as \\x1b or \\n; --json has every text as it was.";

/** Options with the same name, letter and wording in every script that has them; spread the ones wanted. */
export const COMMON_OPTIONS = {
  since: { type: "day", help: `First day (UTC) to count: ${DAY_FORMS}.` },
  until: { type: "day", help: `Last day (UTC) to count: ${DAY_FORMS}.` },
  sensor: {
    type: "string",
    placeholder: "NAME",
    repeatable: true,
    help: "Count this sensor only; give it again for more. All by default.",
  },
  sensorAlias: {
    type: "path",
    placeholder: "FILE",
    help: "File that renames or merges sensors, one OLD=NEW a line; * and ? in OLD, # before a comment.",
  },
  jobs: {
    type: "count",
    min: 1,
    max: 256,
    help: "Logs read at the same time.",
    defaultText: "one per core",
  },
  wait: {
    type: "number",
    min: 0,
    default: 0,
    placeholder: "SECONDS",
    help: "How long to wait for another run that writes the same outputs.",
  },
  csv: {
    type: "boolean",
    help: `Write CSV to stdout, safe to open in a spreadsheet. ${CSV_SHOWS}`,
  },
  json: { type: "boolean", help: "Write JSON to stdout." },
  quiet: { type: "boolean", short: "q", help: "No progress, notices or summary; errors only." },
} as const satisfies OptionTable;

/** Every table has them, in place of any of their names. */
export const GENERAL_OPTIONS = {
  help: { type: "boolean", short: "h", help: "Show this text." },
  version: { type: "boolean", help: "Show name and version of this program." },
} as const satisfies OptionTable;

const PLACEHOLDERS = { boolean: "", string: "TEXT", path: "FILE", count: "N", number: "NUMBER", day: "DAY" };

/** What stands for the value of an option in help and errors; nothing where it takes none. */
function placeholder(spec: OptionSpec): string {
  return spec.placeholder ?? (spec.type === "choice" ? spec.choices.join("|") : PLACEHOLDERS[spec.type]);
}

/** `topNEvents` → `top-n-events`. */
export function toLongName(key: string): string {
  return key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

function shortNames({ short = [] }: OptionSpec): readonly string[] {
  return typeof short === "string" ? [short] : short;
}

/** An option as the parser finds it. */
interface NamedOption {
  readonly key: string;
  /** As errors name it: `--top-n-events`. */
  readonly flag: string;
  readonly spec: OptionSpec;
}

interface OptionIndex {
  readonly long: ReadonlyMap<string, NamedOption>;
  readonly short: ReadonlyMap<string, NamedOption>;
}

/** @throws {Error} if two options share a name: a mistake in the table, not of the user. */
function indexOptions(options: OptionTable): OptionIndex {
  const long = new Map<string, NamedOption>();
  const short = new Map<string, NamedOption>();
  const add = (names: Map<string, NamedOption>, name: string, option: NamedOption) => {
    if (names.has(name)) throw new Error(`Cannot use option name "${name}" twice`);
    names.set(name, option);
  };
  for (const [key, spec] of Object.entries<OptionSpec>({ ...options, ...GENERAL_OPTIONS })) {
    const option = { key, flag: `--${toLongName(key)}`, spec };
    for (const name of [toLongName(key), ...(spec.aliases ?? [])]) add(long, name, option);
    for (const name of shortNames(spec)) add(short, name, option);
  }
  return { long, short };
}

/** What a command line says. */
export interface ParsedCommand<T extends OptionTable> {
  readonly values: OptionValues<T>;
  readonly operands: readonly string[];
  /** Keys of the options that stood on the command line, defaults left out. */
  readonly given: ReadonlySet<keyof T & string>;
  /** What stood there, by key: "yesterday" where the value is a day. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
}

/**
 * Read a script's arguments.
 *
 * @param argv Arguments after the script's name.
 * @throws {UsageError} if anything in them is unknown, missing, said twice in two ways or not readable.
 * @throws {HelpRequest} if they hold `--help`, `-h` or `--version` before the first mistake.
 */
export function parseCommand<const T extends OptionTable>(
  command: Command & { readonly options: T },
  argv: readonly string[],
): ParsedCommand<T> {
  const index = indexOptions(command.options);
  const texts = new Map<NamedOption, string[]>();
  const operands: string[] = [];

  const record = (option: NamedOption, text: string) => {
    if (option.key === "help") throw new HelpRequest(helpText(command));
    if (option.key === "version") throw new HelpRequest(`${PROGRAM}\n`);
    texts.set(option, [...(texts.get(option) ?? []), text]);
  };
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (argument === "--") {
      operands.push(...argv.slice(i + 1));
      break;
    }
    if (argument === "-" || !argument.startsWith("-")) {
      operands.push(argument);
      continue;
    }
    for (const { option, text } of splitArgument(argument, index)) {
      if (option.spec.type === "boolean" || text !== undefined) {
        if (option.spec.type === "boolean" && text !== undefined) {
          throw new UsageError(`Cannot give ${option.flag} a value: found ${quoteForMessage(text)}, expected none`);
        }
        record(option, text ?? "");
      } else {
        record(option, takeValue(option, argv[++i]));
      }
    }
  }
  checkOperands(command.operands ?? [], operands, [...texts.keys()].some(({ spec }) => spec.isSecret === true));

  const values: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries<OptionSpec>(command.options)) {
    const option = index.long.get(toLongName(key))!;
    const given = texts.get(option);
    if (given === undefined && spec.required) throw new UsageError(`Missing ${option.flag}`);
    const read = given?.map(text => readValue(option, text));
    const other = spec.repeatable ? undefined : read?.findIndex(value => value !== read[0]);
    if (other !== undefined && other > 0) {
      const [one, two] = [given![0]!, given![other]!].map(quoteForMessage);
      throw new UsageError(`Cannot use ${option.flag} twice: found ${one} and ${two}, expected one of them`);
    }
    if (spec.repeatable) values[key] = read ?? [];
    else values[key] = read?.at(-1) ?? ("default" in spec ? spec.default : spec.type === "boolean" ? false : undefined);
  }
  return {
    values: values as OptionValues<T>,
    operands,
    given: new Set([...texts.keys()].map(option => option.key)),
    texts: new Map([...texts].map(([option, own]) => [option.key, own])),
  };
}

/**
 * Take one argument apart into the options it names; only the last may still want its value.
 *
 * A short name is looked up whole first, so `-sid` is the option of that name and not `-s` with the value "id".
 */
function splitArgument(argument: string, index: OptionIndex): { option: NamedOption; text: string | undefined }[] {
  const equals = argument.indexOf("=");
  const name = equals < 0 ? argument : argument.slice(0, equals);
  const text = equals < 0 ? undefined : argument.slice(equals + 1);

  if (name.startsWith("--")) {
    const option = index.long.get(name.slice(2).replaceAll("_", "-"));
    if (option === undefined) throw unknownOption(name, index);
    return [{ option, text }];
  }
  const whole = index.short.get(name.slice(1));
  if (whole !== undefined) return [{ option: whole, text }];
  // "-path" is rather a long name with a dash too few than "-p" with the value "ath".
  if (index.long.has(name.slice(1).replaceAll("_", "-"))) throw unknownOption(name, index);

  // "-pwSECRET" is no port "wSECRET", which a message would show.
  for (const [short, { spec }] of index.short) {
    if (spec.isSecret && name.startsWith(`-${short}`)) {
      throw new UsageError(`Cannot read -${short}: expected -${short} ${placeholder(spec)}, in two words`);
    }
  }

  const found: { option: NamedOption; text: string | undefined }[] = [];
  for (let at = 1; at < argument.length; at++) {
    const option = index.short.get(argument[at]!);
    if (option === undefined) throw unknownOption(name, index);
    const rest = argument.slice(at + 1);
    if (option.spec.type !== "boolean") {
      // "-qn=5" means the same as "-n=5" does.
      return [...found, { option, text: rest === "" ? undefined : rest.replace(/^=/, "") }];
    }
    found.push({ option, text: undefined });
  }
  return found;
}

/** The value that stands as an argument of its own. Another option is none; a negative number and "-" are. */
function takeValue({ flag, spec }: NamedOption, next: string | undefined): string {
  const wanted = placeholder(spec);
  if (next === undefined) throw new UsageError(`Missing value of ${flag}: expected ${flag} ${wanted}`);
  if (next.startsWith("-") && next !== "-" && !/^-\.?\d/.test(next)) {
    const found = spec.isSecret ? "" : `found ${quoteForMessage(next)}, `;
    throw new UsageError(`Missing value of ${flag}: ${found}expected ${flag} ${wanted} ` +
      `(${flag}=${wanted} if the value begins with "-")`);
  }
  return next;
}

/** @param hasSecret A secret of several words, not quoted, leaves its later words here. */
function checkOperands(specs: readonly OperandSpec[], operands: readonly string[], hasSecret: boolean): void {
  const missing = specs.findIndex(({ required }, i) => required === true && operands[i] === undefined);
  if (missing >= 0) throw new UsageError(`Missing ${specs[missing]!.name}`);
  if (operands.length > specs.length && specs.at(-1)?.repeatable !== true) {
    const extra = hasSecret ? "an argument" : `argument ${quoteForMessage(operands[specs.length]!)}`;
    const wanted = specs.length === 0 ? "options only" : specs.map(({ name }) => name).join(" ");
    throw new UsageError(`Cannot use ${extra}: expected ${wanted}`);
  }
}

function readValue({ flag, spec }: NamedOption, text: string): unknown {
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
  const day = Number.isNaN(ago) ? parseIsoDay(text) : Math.floor(nowMs / 86_400_000) - ago;
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

function unknownOption(name: string, index: OptionIndex): UsageError {
  const nearest = nearestWord(name.replace(/^--?/, "").replaceAll("_", "-"), [...index.long.keys()]);
  const hint = nearest === undefined || name.length <= 2 ? "" : `: did you mean "--${nearest}"?`;
  return new UsageError(`Unknown option ${quoteForMessage(hideSecrets(name))}${hint}`);
}

/** A command line of which no password is to be seen: whatever stands behind `-pw` or `--password`, quoted or not. */
export function hideSecrets(command: string): string {
  return command.replace(/(^|\s)(-pw|--password(?![\w-]))(=|\s+)?(?:'[^']*'|\\.|[^\s'\\])+/g, "$1$2$3…");
}

/**
 * The word somebody most likely meant: one that begins so, else the one fewest typing slips away, if those are at
 * most a third of its letters.
 *
 * @returns The first of equals; undefined if none is near.
 */
export function nearestWord<W extends string>(text: string, words: readonly W[]): W | undefined {
  const longer = words.filter(word => text.length >= 2 && word.startsWith(text));
  if (longer.length > 0) return longer[0];
  let nearest: W | undefined;
  let fewest = Infinity;
  for (const word of words) {
    const slips = countSlips(text, word);
    if (slips < fewest && slips <= Math.max(1, Math.floor(word.length / 3)) && slips < word.length) {
      nearest = word;
      fewest = slips;
    }
  }
  return nearest;
}

/**
 * Typing slips between two words: letters left out, added, changed, or two neighbours swapped (the restricted
 * Damerau-Levenshtein distance).
 */
export function countSlips(a: string, b: string): number {
  // Nobody misspells an option by hundreds of letters; the table below is quadratic.
  if (Math.abs(a.length - b.length) > 20) return Infinity;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity;
      row.push(Math.min(changed, swapped, rows[i - 1]![j]! + 1, row[j - 1]! + 1));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
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
    // "connect" means session.connect to whoever forgets the first half.
    const nearest = nearestWord(name, known) ?? known.find(one => name.length > 2 && one.endsWith(name));
    const some = known.slice(0, NAMES_SHOWN).map(quoteForMessage).join(", ") + (known.length > NAMES_SHOWN ? ", ..." : "");
    const hint =
      nearest !== undefined ? `did you mean ${quoteForMessage(nearest)}?` : known.length === 0 ? "there is none" : `there are ${some}`;
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

/** The left half of an option's line: `  -n, --top-n-events N`. */
function optionUsage(key: string, spec: OptionSpec): string {
  const shorts = shortNames(spec).map(name => `-${name}`);
  const longs = [toLongName(key), ...(spec.aliases ?? [])].map(name => `--${name}`);
  const value = placeholder(spec);
  const names = [...shorts, ...longs].join(", ");
  return `  ${shorts.length === 0 ? "    " : ""}${names}${value === "" ? "" : ` ${value}`}`;
}

/** The default as a user would type it. */
function describeDefault(spec: OptionSpec): string | undefined {
  if (spec.defaultText !== undefined) return spec.defaultText;
  if (!("default" in spec) || spec.default === undefined) return undefined;
  return spec.type === "day" ? toIsoDay(spec.default) : String(spec.default);
}

/** Two columns: what is written, and what it means, wrapped; what is too long on the left gets a line of its own. */
function describe(left: string, help: string): string {
  const lines = wrapText(help, HELP_COLUMNS - HELP_INDENT);
  const indent = " ".repeat(HELP_INDENT);
  const fits = left.length + 2 <= HELP_INDENT;
  const first = fits ? left.padEnd(HELP_INDENT) + (lines[0] ?? "") : `${left}\n${indent}${lines[0] ?? ""}`;
  return [first, ...lines.slice(1).map(line => indent + line)].map(line => `${line.trimEnd()}\n`).join("");
}

function paragraph(label: string, text: string): string {
  const lines = wrapText(`${label}${text}`, HELP_COLUMNS - 2);
  return lines.map((line, i) => `${i === 0 ? "" : "  "}${line}\n`).join("");
}

/** The text of `--help`: what it does, usage, operands, options, what it writes, exit codes, examples. */
export function helpText(command: Command): string {
  const { name, summary, operands = [], options, writes, exits, examples } = command;
  const usage = operands.map(operand => {
    const shown = `${operand.name}${operand.repeatable ? "..." : ""}`;
    return operand.required ? shown : `[${shown}]`;
  });
  const required = Object.entries<OptionSpec>(options).filter(([, spec]) => spec.required);
  const requiredUsage = required.map(([key, spec]) => `--${toLongName(key)} ${placeholder(spec)}`);

  const sections = [
    wrapText(summary, HELP_COLUMNS).map(line => `${line}\n`).join(""),
    `${["Usage: bun", `scripts/${name}.ts`, ...requiredUsage, "[options]", ...usage].join(" ")}\n`,
  ];
  if (operands.length > 0) {
    sections.push(`Arguments:\n${operands.map(operand => describe(`  ${operand.name}`, operand.help)).join("")}`);
  }
  const optionLines = Object.entries<OptionSpec>({ ...options, ...GENERAL_OPTIONS }).map(([key, spec]) => {
    const preset = describeDefault(spec);
    const required = spec.required ? " Required." : "";
    // Choices that are too many to stand in the name's place are told behind it.
    const choices =
      spec.type === "choice" && spec.placeholder !== undefined ? ` ${spec.placeholder} is ${spec.choices.join(", ")}.` : "";
    const help = `${spec.help}${choices}${required}${preset === undefined ? "" : ` [default: ${preset}]`}`;
    return describe(optionUsage(key, spec), help);
  });
  sections.push(`Options:\n${optionLines.join("")}`);
  sections.push(paragraph("Writes: ", writes));
  const { ok = "done", failed = "failed or incomplete, stderr says what", more = [] } = exits ?? {};
  const codes = [`0 ${ok}`, `1 ${failed}`, "2 wrong usage", ...more];
  sections.push(paragraph("Exit codes: ", `${codes.join("; ")}.`));
  if (examples.length > 0) {
    const shown = examples.map(({ does, run }) => `  ${does}\n    ${run}\n`);
    sections.push(`Examples:\n${shown.join("")}`);
  }
  return sections.join("\n");
}
