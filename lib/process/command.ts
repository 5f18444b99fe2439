/**
 * The command line of a script as one table, from which parsing, `--help` and completion are made, so that they cannot
 * disagree.
 *
 * An option's key is its name in code, `topNEvents`; on the command line it is `--top-n-events`.
 * Tested in `test/lib/process/options.test.ts`.
 */

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
export function placeholder(spec: OptionSpec): string {
  return spec.placeholder ?? (spec.type === "choice" ? spec.choices.join("|") : PLACEHOLDERS[spec.type]);
}

/** `topNEvents` → `top-n-events`. */
export function toLongName(key: string): string {
  return key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

export function shortNames({ short = [] }: OptionSpec): readonly string[] {
  return typeof short === "string" ? [short] : short;
}
