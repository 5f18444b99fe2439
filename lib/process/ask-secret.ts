/**
 * Asks for a password or passphrase on the terminal, whatever stdin and stdout are connected to.
 *
 * Tested in `test/scripts/passwords.test.ts`.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { onStop } from "./cli.ts";
import { visible } from "../text/text.ts";

/** Longest secret read. */
const SECRET_MAX_BYTES = 4096;

let lastQuestion: Promise<unknown> = Promise.resolve();

/**
 * Ask for a secret; what is typed is not shown. One question at a time.
 *
 * @returns undefined if there is no terminal, or nothing was typed.
 */
export function askSecret(question: string): Promise<string | undefined> {
  const answer = lastQuestion.then(() => ask(question));
  lastQuestion = answer.catch(() => {});
  return answer;
}

function ask(question: string): string | undefined {
  let terminal: number;
  try {
    terminal = openSync("/dev/tty", "r+");
  } catch {
    // Run by cron or the like: nobody is there.
    return undefined;
  }
  const echo = (mode: "-echo" | "echo") =>
    Bun.spawnSync(["stty", mode], { stdin: terminal, stdout: "ignore", stderr: "ignore" });
  const forget = onStop(() => echo("echo"));
  try {
    echo("-echo");
    writeSync(terminal, `${visible(question)}: `);
    const line = Buffer.alloc(SECRET_MAX_BYTES);
    let length = 0;
    // The terminal hands out whole lines.
    while (length < line.length && line[length - 1] !== 0x0a) {
      const n = readSync(terminal, line, length, line.length - length, null);
      if (n === 0) break;
      length += n;
    }
    writeSync(terminal, "\n");
    return line.toString("utf8", 0, length).replace(/\r?\n$/, "") || undefined;
  } finally {
    echo("echo");
    forget();
    closeSync(terminal);
  }
}
