/**
 * The terminal behind stderr, as whatever moves on it sees it: progress lines and boards.
 * Tested in `test/lib/remote/node-board.test.ts`.
 */
import { drawOnStderr, environment, note, terminal } from "./cli.ts";
import { ellipsize } from "../text/text.ts";

/** At most five times a second: more is flicker. */
export const REDRAW_MS = 200;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Where something is drawn; tests give their own. */
export type Screen = ReturnType<typeof stderrScreen>;

/** stderr of this process; a terminal that cannot clear a line counts as none. */
export function stderrScreen() {
  const { isTerminal } = terminal("stderr");
  return {
    isTerminal: isTerminal && environment("TERM") !== "dumb",
    /** As it is now; undefined if nobody knows. */
    get columns() {
      return terminal("stderr").columns;
    },
    get rows() {
      return terminal("stderr").rows;
    },
    nowMs: () => performance.now(),
    draw: drawOnStderr,
    note,
  };
}

/** A line that fits; one column is left free, since some terminals break the line when the last is written. */
export function fitLine(line: string, { columns = DEFAULT_COLUMNS }: Screen): string {
  return ellipsize(line, Math.max(1, columns - 1));
}

/**
 * Lines that fit one below the other. One is left free for the cursor, and one at the top: tmux keeps what is cleared from
 * the first line on, and a screen that is redrawn would fill its history.
 */
export function lineRoom({ rows = DEFAULT_ROWS }: Screen): number {
  return Math.max(1, rows - 2);
}
