/** A script run on a terminal, where somebody answers its questions. */
import { join } from "node:path";
import { ROOT } from "./run.ts";

/**
 * Run a script on a terminal of its own (by `script`, which must be there) and answer the first question for a secret.
 *
 * @returns All that was to be seen.
 */
export async function answerOnTerminal(name: string, args: readonly string[], answer: string, cwd: string) {
  const command = [process.execPath, join(ROOT, "scripts", `${name}.ts`), ...args].map(word => `'${word}'`).join(" ");
  const child = Bun.spawn(["script", "-qec", command, "/dev/null"], {
    cwd,
    env: { ...Bun.env, SSH_AUTH_SOCK: "", COWRIE_SSH_PASSWORD: undefined },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  let isAnswered = false;
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    if (isAnswered || !/Pass(word|phrase) of [^:]*: $/.test(text)) continue;
    isAnswered = true;
    child.stdin.write(`${answer}\n`);
    child.stdin.flush();
  }
  return { exitCode: await child.exited, text };
}
