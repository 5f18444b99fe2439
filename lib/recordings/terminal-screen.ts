/**
 * The screen of a terminal, fed with what a recording wrote to it: cells of letters and colours, and no side effect.
 *
 * The model is xterm.js without its DOM. It asks nothing back, opens nothing and sets no title: only its cells are looked at,
 * so an attacker's sequences end here. Numbers inside sequences are the attacker's as well; what would keep the model
 * busy is counted and cut off.
 */
import xterm from "@xterm/headless";
import { visible } from "../text/text.ts";
import { toStyle } from "./cell-style.ts";
import type { Row, ScreenSize } from "./screen-size.ts";

/** Lines above the screen that are remembered. */
const LINES_KEPT = 20_000;
/** Insert and delete lines, scroll, tabs, repeat: the model does as many steps, or asks for as much memory, as they say. */
const COUNTED_FINALS = ["L", "M", "S", "T", "I", "Z", "b"];
/** Steps of such sequences in one recording, a microsecond each. */
const STEPS_MOST = 5_000_000;
/** Combining marks that one cell shows; there may be millions. */
const CELL_UNITS_MOST = 8;

/** A terminal nobody sits at. */
export class TerminalScreen implements Disposable {
  readonly size: ScreenSize;
  readonly #terminal: xterm.Terminal;
  readonly #cell: xterm.IBufferCell;
  readonly #gone: string[] = [];
  #steps = 0;

  /** @param isExec Line feeds go back to the left, as there is no terminal that did it. */
  constructor(size: ScreenSize, isExec: boolean) {
    this.size = size;
    this.#terminal = new xterm.Terminal({
      cols: size.columns,
      rows: size.rows,
      scrollback: LINES_KEPT,
      convertEol: isExec,
      allowProposedApi: true,
      logLevel: "off",
    });
    this.#cell = this.#terminal.buffer.active.getNullCell();
    this.#limitSteps();
    this.#keepWhatIsCleared();
  }

  /** Show some bytes of output; letters may be split between calls. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise(resolve => this.#terminal.write(bytes, resolve));
  }

  /** The screen as it is now, all its rows from the top. */
  rows(): Row[] {
    const { viewportY } = this.#terminal.buffer.active;
    return Array.from({ length: this.size.rows }, (_, y) => this.#rowAt(viewportY + y));
  }

  /** Where the cursor stands, from 0; the column may be one behind the last. */
  cursor(): { column: number; row: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { column: cursorX, row: cursorY };
  }

  /** All lines that were shown and then scrolled or cleared away, and those of the screen; none behind the last that shows something. */
  transcript(): string[] {
    const { active } = this.#terminal.buffer;
    return trimEnd([...this.#gone, ...this.#textOf(0, active.length)]);
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
  }

  #limitSteps(): void {
    for (const final of COUNTED_FINALS) {
      this.#terminal.parser.registerCsiHandler({ final }, params => {
        const [steps = 1] = params.flat();
        this.#steps += Math.max(1, steps);
        // Nothing moves by more than the whole of the screen, so no honest program says so.
        return steps > this.size.columns + this.size.rows || this.#steps > STEPS_MOST;
      });
    }
  }

  /** Take what a program is about to wipe, so that the transcript has it. */
  #keepWhatIsCleared(): void {
    const { parser } = this.#terminal;
    const keep = (isWanted: boolean) => {
      if (isWanted) this.#keep();
      return false;
    };
    parser.registerCsiHandler({ final: "J" }, params => {
      const [what = 0] = params.flat();
      const { column, row } = this.cursor();
      return keep(what === 2 || what === 3 || (what === 0 && column === 0 && row === 0));
    });
    parser.registerEscHandler({ final: "c" }, () => keep(true));
    // Leaving the second screen, as editors do when they end.
    parser.registerCsiHandler({ prefix: "?", final: "l" }, params =>
      keep(params.flat().some(mode => mode === 47 || mode === 1047 || mode === 1049) && this.#terminal.buffer.active.type === "alternate"),
    );
  }

  /** Lines of the screen join those that are gone; the lines above it stay where they are. */
  #keep(): void {
    const { active } = this.#terminal.buffer;
    const lines = trimEnd(this.#textOf(active.baseY, active.length));
    if (this.#gone.length + lines.length <= LINES_KEPT) this.#gone.push(...lines);
  }

  #textOf(from: number, to: number): string[] {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let y = from; y < to; y++) {
      const text = visible(active.getLine(y)?.translateToString(true) ?? "");
      // A line that was broken at the edge is one line.
      if (active.getLine(y)?.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines;
  }

  #rowAt(y: number): Row {
    const line = this.#terminal.buffer.active.getLine(y);
    const runs: { text: string; style: number }[] = [];
    if (line === undefined) return runs;
    let end = 0;
    for (let x = 0; x < this.size.columns; x++) {
      const cell = line.getCell(x, this.#cell);
      // The second half of a wide letter.
      if (cell === undefined || cell.getWidth() === 0) continue;
      const style = toStyle(cell);
      const chars = cell.getChars();
      const text = chars === "" || cell.isInvisible() ? " ".repeat(cell.getWidth()) : visible(chars.slice(0, CELL_UNITS_MOST));
      const last = runs.at(-1);
      if (last?.style === style) last.text += text;
      else runs.push({ text, style });
      if (text.trim() !== "" || style !== 0) end = runs.length;
    }
    runs.length = end;
    const last = runs.at(-1);
    if (last?.style === 0) last.text = last.text.trimEnd();
    return runs;
  }
}

function trimEnd(lines: string[]): string[] {
  let end = lines.length;
  while (end > 0 && lines[end - 1] === "") end--;
  return lines.slice(0, end);
}
