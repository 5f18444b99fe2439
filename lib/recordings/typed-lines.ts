/**
 * What was typed, line by line, as the keys that were pressed say it: the shell's echo may hide, repeat or colour it.
 */
import type { Recording } from "./recording.ts";

export interface TypedLine {
  /** When it was ended, since the recording began. */
  readonly us: number;
  readonly text: string;
}

const INTERRUPT = 0x03;
const END_OF_INPUT = 0x04;
const KILL_LINE = 0x15;
const KILL_WORD = 0x17;
const ESCAPE = 0x1b;

/** Longest line kept, in characters; what is pasted as one line may be a program. */
const LINE_MOST = 1 << 16;

/**
 * The lines of a recording; what was typed behind the last line end counts as one, too.
 *
 * Erased letters are gone, keys that are no letters are left out, a line given up with Ctrl+C ends in `^C`.
 */
export function typedLines({ data, durationUs }: Recording): TypedLine[] {
  const lines: TypedLine[] = [];
  const decoder = new TextDecoder();
  const line: string[] = [];
  let key: KeyState = "letter";
  const end = (us: number, mark = "") => {
    const text = line.join("") + mark;
    if (text !== "") lines.push({ us, text });
    line.length = 0;
  };
  for (const { us, direction, bytes } of data) {
    if (direction === "output") continue;
    for (const character of decoder.decode(bytes, { stream: true })) {
      const code = character.codePointAt(0)!;
      const wasLetter = key === "letter";
      key = nextState(key, code);
      if (!wasLetter || key !== "letter") continue;
      if (code === 0x0d || code === 0x0a || code === END_OF_INPUT) end(us);
      else if (code === INTERRUPT) end(us, "^C");
      else if (code === 0x7f || code === 0x08) line.pop();
      else if (code === KILL_LINE) line.length = 0;
      else if (code === KILL_WORD) eraseWord(line);
      else if (code !== 0 && line.length < LINE_MOST) line.push(character);
    }
    // The command of a session without a terminal has no line end.
    if (direction === "command") end(us);
  }
  end(durationUs);
  return lines;
}

/** Where in the bytes of a key we are: arrows and function keys send `ESC [ … letter` or `ESC O letter`. */
type KeyState = "letter" | "escape" | "one" | "sequence";

/** The state behind a character; one that ends a key that is no letter leads back to "letter", and is none itself. */
function nextState(state: KeyState, code: number): KeyState {
  if (state === "escape") return code === 0x5b ? "sequence" : code === 0x4f ? "one" : "letter";
  if (state === "sequence") return code >= 0x40 && code <= 0x7e ? "letter" : "sequence";
  return state === "letter" && code === ESCAPE ? "escape" : "letter";
}

/** As Ctrl+W does: blanks, then what is not blank. */
function eraseWord(line: string[]): void {
  while (line.at(-1) === " ") line.pop();
  while (line.length > 0 && line.at(-1) !== " ") line.pop();
}
