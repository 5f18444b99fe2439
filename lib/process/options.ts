/**
 * Reading a command line by its script's table.
 *
 * Names: `--top-n-events` or `--top_n_events`. Values: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`,
 * `-n=VALUE`. A short name may have several letters (`-sid ID`), then its value is never glued on. Letters of options
 * without a value may be joined, the last of them may take one: `-qn 5`. `--` ends the options, `-` is an operand. An
 * option given twice means both where it is repeatable, and is refused where it can mean one thing only, unless it says
 * the same.
 *
 * Not by `commander` (15): it refuses short names of several letters, takes `-pw TEXT` for `-p w`, knows no `_`, reads
 * `-n=5` as "=5", and takes another option for a value.
 */
import {
  type Command,
  GENERAL_OPTIONS,
  HelpRequest,
  type OperandSpec,
  type OptionSpec,
  type OptionTable,
  type OptionValues,
  placeholder,
  shortNames,
  toLongName,
  UsageError,
} from "./command.ts";
import { helpText } from "./help-text.ts";
import { readValue } from "./option-values.ts";
import { PROGRAM } from "./version.ts";
import { nearestWord } from "../text/nearest-word.ts";
import { quoteForMessage } from "../text/text.ts";

/** An option as the parser finds it. */
interface NamedOption {
  readonly key: string;
  /** As errors name it: `--top-n-events`. */
  readonly flag: string;
  readonly spec: OptionSpec;
}

type OptionIndex = ReturnType<typeof indexOptions>;

/** @throws {Error} if two options share a name: a mistake in the table, not of the user. */
function indexOptions(options: OptionTable) {
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
    if (given === undefined && spec.required) {
      const [short] = shortNames(spec);
      throw new UsageError(`Missing ${option.flag}: expected ${short === undefined ? option.flag : `-${short}`} ${placeholder(spec)}`);
    }
    const read = given?.map(text => readValue(option.flag, option.spec, text));
    const other = spec.repeatable ? undefined : read?.findIndex(value => value !== read[0]);
    if (other !== undefined && other > 0) {
      const [one, two] = [given![0]!, given![other]!].map(quoteForMessage);
      throw new UsageError(`Cannot use ${option.flag} twice: found ${one} and ${two}, expected one of them`);
    }
    if (spec.repeatable) values[key] = read ?? [];
    else values[key] = read?.at(-1) ?? ("default" in spec ? spec.default : spec.type === "boolean" ? false : undefined);
  }
  if (values.json && values.csv) throw new UsageError("Cannot write both --json and --csv to stdout: expected one of them");
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

/** What may be meant, the first that a command has, by what other programs call it. */
const OTHER_NAMES: readonly (readonly [meant: readonly string[], others: readonly string[]])[] = [
  [["outfile", "folder"], ["output", "out", "out-file", "html"]],
  [["path", "file"], ["input", "logs", "log", "dir", "directory"]],
  [["since"], ["from", "start", "begin", "after"]],
  [["until"], ["to", "end", "before"]],
  [["limit", "top-n-events"], ["top", "max", "count", "head"]],
  [["last-n-days", "since"], ["days", "last", "last-days"]],
  [["ip"], ["host", "node"]],
  [["identity"], ["key", "identity-file"]],
  [["session-id"], ["session", "id"]],
  [["column"], ["columns", "field"]],
  [["where"], ["filter"]],
  [["by"], ["group-by"]],
  [["mmdb"], ["geoip"]],
  [["jobs"], ["threads"]],
  [["quiet"], ["silent"]],
  [["json"], ["format"]],
];

function unknownOption(name: string, index: OptionIndex): UsageError {
  const word = name.replace(/^--?/, "").replaceAll("_", "-");
  const known = OTHER_NAMES.find(([, others]) => others.includes(word))?.[0].find(meant => index.long.has(meant));
  const nearest = known ?? nearestWord(word, [...index.long.keys()]);
  const hint = nearest === undefined || name.length <= 2 ? "" : `: did you mean "--${nearest}"?`;
  return new UsageError(`Unknown option ${quoteForMessage(hideSecrets(name))}${hint}`);
}

/** A command line of which no password is to be seen: whatever stands behind `-pw` or `--password`, quoted or not. */
export function hideSecrets(command: string): string {
  return command.replace(/(^|\s)(-pw|--password(?![\w-]))(=|\s+)?(?:'[^']*'|\\.|[^\s'\\])+/g, "$1$2$3…");
}

