/** Small programs written inside a test, to see how `lib` behaves in a process of its own. */
import { join } from "node:path";
import { toShellWord } from "../../lib/process/crontab.ts";
import { ROOT } from "./run.ts";

/** The command that runs a program; in it, `$lib` in an import stands for the folder `lib`. */
export async function writeSource(dir: string, source: string, name = "program.ts"): Promise<string[]> {
  const path = join(dir, name);
  await Bun.write(path, source.replaceAll("$lib", join(ROOT, "lib")));
  return [process.execPath, path];
}

/** The words that run a script, for a line of any shell: the checkout may lie in any folder. */
export function scriptWords(name: string): string {
  return [process.execPath, join(ROOT, "scripts", `${name}.ts`)].map(toShellWord).join(" ");
}

/** A line of shell that runs in bash, all parts of a pipe being checked. */
export function shell(line: string): string[] {
  return ["bash", "-c", `set -o pipefail; ${line}`];
}
