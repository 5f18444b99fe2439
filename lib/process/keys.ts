/**
 * Keys pressed on the terminal, as they come and without an echo, whatever stdin is connected to.
 *
 * Tested in `test/scripts/replay.test.ts`.
 */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { onStop } from "./cli.ts";

export interface Keys extends Disposable {
  /** There is a terminal. */
  readonly isOpen: boolean;
  /** What was typed since the last call; does not wait. */
  read(): string;
}

/** Listen to the terminal until it is disposed of. */
export function openKeys(): Keys {
  let file: number;
  try {
    file = openSync("/dev/tty", constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    return { isOpen: false, read: () => "", [Symbol.dispose]() {} };
  }
  const stty = (...modes: string[]) => Bun.spawnSync(["stty", ...modes], { stdin: file, stdout: "pipe", stderr: "ignore" });
  const before = stty("-g").stdout.toString().trim();
  const restore = () => void stty(before === "" ? "sane" : before);
  const forget = onStop(restore);
  stty("-icanon", "-echo", "min", "0", "time", "0");
  const bytes = Buffer.alloc(256);
  return {
    isOpen: true,
    read() {
      try {
        return bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, null));
      } catch {
        // Nothing was typed.
        return "";
      }
    },
    [Symbol.dispose]() {
      restore();
      forget();
      closeSync(file);
    },
  };
}
