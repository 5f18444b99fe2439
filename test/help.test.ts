/** `--help` of every script in scripts/: tells all its table holds, and its examples run. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { listScripts, loadCommand } from "../lib/process/scripts.ts";
import { type Command, type OptionSpec, shortNames, toLongName, UsageError } from "../lib/process/command.ts";
import type { Checkout } from "./support/checkout.ts";
import { listExamples, makeExampleCheckout, readAgreed, runExample } from "./support/outputs.ts";
import { ROOT, runScript } from "./support/run.ts";

const names = listScripts();
const commands = new Map<string, Command>();
for (const name of names) {
  const command = await loadCommand(name);
  if (command !== undefined) commands.set(name, command);
}

const EXAMPLES = await listExamples();

test("every script has its table, under its own name", () => {
  expect(names.length).toBeGreaterThan(5);
  expect([...commands].map(([name, command]) => [name, command.name])).toEqual(names.map(name => [name, name]));
});

/** Letters the ancestor has for several things; each of its scripts keeps its own. */
const ANCESTORS: Readonly<Record<string, readonly string[]>> = {
  f: ["file", "logfile", "folder"],
  p: ["path", "port"],
  // How many entries, wherever the ancestor does not mean days.
  n: ["topNEvents", "limit", "lastNDays"],
};

test("a letter means one thing in all scripts, and a name takes one kind of value", () => {
  const keys = new Map<string, Set<string>>();
  for (const { options } of commands.values()) {
    for (const [key, spec] of Object.entries<OptionSpec>(options)) {
      for (const letter of shortNames(spec)) keys.set(letter, (keys.get(letter) ?? new Set()).add(key));
    }
  }
  expect(keys.size).toBeGreaterThan(10);
  for (const [letter, meant] of keys) {
    const allowed = ANCESTORS[letter] ?? [...meant].slice(0, 1);
    expect({ letter, meant: [...meant].sort() }).toEqual({ letter, meant: [...allowed].sort() });
  }
  const strict = [...commands.values()].flatMap(({ options }) => (options.strict === undefined ? [] : [options.strict.help]));
  expect(new Set(strict).size).toBe(1);
  const types = new Map<string, Set<string>>();
  for (const { options } of commands.values()) {
    for (const [key, { type }] of Object.entries<OptionSpec>(options)) types.set(key, (types.get(key) ?? new Set()).add(type));
  }
  // The ancestor's as well: percent of change, and sessions of a link in a chain.
  const several = [...types].filter(([, kinds]) => kinds.size > 1).map(([key]) => key);
  expect(several).toEqual(["threshold"]);
});

/** The help's sections from their titles; the first is the summary. */
function splitHelp(text: string) {
  return text.split("\n\n").map(section => section.replace(/\s+/g, " ").trim());
}

describe.each([...commands])("%s --help", (name, command) => {
  test("goes to stdout, exits 0, and tells usage, options, defaults, output, exit codes, examples", async () => {
    const { stdout, stderr, exitCode } = await runScript(name, ["--help"]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    const sections = splitHelp(stdout);
    expect(sections[0]).toBe(command.summary);
    expect(sections[1]).toStartWith(`Usage: bun scripts/${name}.ts `);
    const options = sections.find(section => section.startsWith("Options:"))!;
    for (const [key, spec] of Object.entries<OptionSpec>(command.options)) {
      expect(options).toContain(`--${toLongName(key)}`);
      expect(options).toContain(spec.help);
      const hasDefault = "default" in spec && spec.default !== undefined;
      if (hasDefault && spec.defaultText === undefined && spec.type !== "day") {
        expect(options).toContain(`[default: ${spec.default}]`);
      }
    }
    expect(sections.some(section => section.startsWith("Writes: "))).toBe(true);
    expect(sections.some(section => /^Exit codes: 0 .+; 1 .+; 2 wrong usage/.test(section))).toBe(true);
    expect(command.examples.length).toBeGreaterThanOrEqual(2);
    for (const { does, run } of command.examples) expect(stdout).toContain(`  ${does}\n    ${run}\n`);
    const isExample = new Set(command.examples.map(({ run }) => run));
    expect(stdout.split("\n").filter(line => line.length > 96 && !isExample.has(line.trim()))).toEqual([]);
  });

  test("knows no unknown option", async () => {
    const { main } = await import(join(ROOT, "scripts", `${name}.ts`));
    const failure = await main(["--no-such-option"]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UsageError);
    expect(failure.message).toBe('Unknown option "--no-such-option"');
  });
});

test("an unknown option is one line, a pointer to the help, and exit code 2", async () => {
  expect(await runScript("plan", ["--no-such-option"])).toMatchObject({
    stdout: "",
    stderr: 'plan: Unknown option "--no-such-option"\nTry: bun scripts/plan.ts --help\n',
    exitCode: 2,
  });
});

/** What an example may end with: 0, and where it asks for them by --exit-code, the codes of a finding. */
function allowedCodes(line: string): number[] {
  return line.includes("--exit-code") ? [0, 10, 11] : [0];
}

describe("examples of the help", () => {
  let checkout: Checkout;
  beforeAll(async () => {
    checkout = await makeExampleCheckout();
  });
  afterAll(async () => {
    await checkout[Symbol.asyncDispose]();
  });

  const agreed = readAgreed();

  test("are those whose outputs are agreed on", () => {
    expect(Object.keys(agreed)).toEqual(EXAMPLES);
  });

  test.each(EXAMPLES)("%s", async line => {
    const { result: { stderr, exitCode }, outputs } = await runExample(checkout, line);
    const isAllowed = allowedCodes(line).includes(exitCode);
    expect({ stderr: isAllowed ? "" : stderr, exitCode }).toEqual({ stderr: "", exitCode: isAllowed ? exitCode : 0 });
    // Another piece than was agreed on: a fault, or, where it is meant, `bun test/support/outputs.ts`, and named in the commit.
    expect(outputs).toEqual(agreed[line]!);
  });
});
