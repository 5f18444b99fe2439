#!/usr/bin/env bun
/**
 * Completion of all scripts' command lines for a shell.
 */
import { EXIT, type ExitCode, runMain, writeOut } from "../lib/process/cli.ts";
import { type Command, UsageError } from "../lib/process/command.ts";
import { parseChoice } from "../lib/process/option-values.ts";
import { parseCommand } from "../lib/process/options.ts";
import { listScripts, loadCommand } from "../lib/process/scripts.ts";
import { bashCompletion, zshCompletion } from "../lib/process/completion.ts";

export const COMMAND = {
  name: "completion",
  summary: "Completion of all scripts' command lines for bash or zsh.",
  operands: [{ name: "bash|zsh", help: "The shell." }],
  options: {},
  writes:
    "The completion on stdout, for the shell to read at its start: as a line of ~/.bashrc, or of ~/.zshrc after " +
    "compinit, source <(bun /path/to/scripts/completion.ts bash). Completes bun scripts/NAME.ts and NAME.ts itself.",
  examples: [
    { does: "For this shell", run: "source <(bun scripts/completion.ts bash)" },
    { does: "As a file that is read faster", run: "bun scripts/completion.ts zsh > completion.zsh" },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { operands } = parseCommand(COMMAND, argv);
  const [shell] = operands;
  if (shell === undefined) throw new UsageError('Missing the shell: expected "bash" or "zsh"');
  const complete = { bash: bashCompletion, zsh: zshCompletion }[parseChoice("the shell", shell, ["bash", "zsh"])];
  const commands: Command[] = [];
  for (const name of listScripts()) {
    const command = await loadCommand(name, COMMAND);
    if (command !== undefined) commands.push(command);
  }
  await writeOut(complete(commands));
  return EXIT.ok;
}

if (import.meta.main) await runMain(COMMAND.name, main);
