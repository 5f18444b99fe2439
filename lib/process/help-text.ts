/** The text of `--help`, made from a script's table. Tested in `test/lib/process/options.test.ts`. */
import {
  type Command,
  GENERAL_OPTIONS,
  type OptionSpec,
  placeholder,
  shortNames,
  toLongName,
} from "./command.ts";
import { toIsoDay } from "../text/format.ts";
import { wrapText } from "../text/text.ts";

/** Columns of the help text, the same whatever the terminal. */
const HELP_COLUMNS = 96;
/** Column at which the description of an option starts. */
const HELP_INDENT = 30;

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
