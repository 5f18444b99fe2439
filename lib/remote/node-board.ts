/**
 * How far each node is: a line per node, redrawn on a terminal; elsewhere a plain line when something is settled.
 */
import { onStop } from "../process/cli.ts";
import { plural } from "../text/format.ts";
import { fitLine, lineRoom, REDRAW_MS, type Screen, stderrScreen } from "../process/screen.ts";
import { textWidth, visible } from "../text/text.ts";

/** Nodes shown at the same time; the rest is counted. */
const LINES_MAX = 20;

export interface NodeBoard extends Disposable {
  /** What a node is doing now. */
  show(node: string, text: string): void;
  /** A node has come to its end, well or not; without a text there is nothing to say of it. */
  settle(node: string, text: string | undefined): void;
  /** Say something for good; foreign text must be through `visible`. */
  note(line: string): void;
}

/**
 * Start a board.
 *
 * @param nodes Names in their order.
 * @param quiet Nothing is shown.
 */
export function startBoard(nodes: readonly string[], quiet: boolean, screen: Screen = stderrScreen()): NodeBoard {
  const isLive = screen.isTerminal && !quiet;
  const width = Math.min(32, Math.max(0, ...nodes.map(textWidth)));
  const active = new Map<string, string>();
  let settled = 0;
  let drawnLines = 0;
  let drawnMs = -Infinity;

  const clear = () => {
    if (drawnLines > 0) screen.draw(`\r\x1b[${drawnLines}A\x1b[J`);
    drawnLines = 0;
  };
  const lineOf = (node: string, text: string) => `${visible(node).padEnd(width)}  ${visible(text)}`;
  const draw = (isForced = false) => {
    if (!isLive) return;
    const nowMs = screen.nowMs();
    if (!isForced && nowMs - drawnMs < REDRAW_MS) return;
    drawnMs = nowMs;
    clear();
    const hasSum = nodes.length > 1;
    // What does not fit on the screen scrolls away and cannot be cleared any more.
    const shown = Math.max(0, Math.min(LINES_MAX, lineRoom(screen) - (hasSum ? 1 : 0)));
    const lines = [...active].slice(0, shown).map(([node, text]) => fitLine(lineOf(node, text), screen));
    if (hasSum) {
      const waiting = nodes.length - settled - active.size;
      const more = active.size > shown ? `, ${plural(active.size - shown, "more node")} at work` : "";
      lines.push(fitLine(`${settled} of ${plural(nodes.length, "node")} done, ${waiting} waiting${more}`, screen));
    }
    if (lines.length === 0) return;
    screen.draw(lines.map(line => `${line}\n`).join(""));
    drawnLines = lines.length;
  };
  const say = (line: string) => {
    if (quiet) return;
    clear();
    screen.note(line);
    draw(true);
  };
  const forget = isLive ? onStop(clear) : () => {};
  return {
    show(node, text) {
      active.set(node, text);
      draw();
    },
    settle(node, text) {
      active.delete(node);
      settled++;
      if (text !== undefined) say(lineOf(node, text));
    },
    note: say,
    [Symbol.dispose]() {
      clear();
      forget();
    },
  };
}
