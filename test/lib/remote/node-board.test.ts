import { describe, expect, test } from "bun:test";
import { startBoard } from "../../../lib/remote/node-board.ts";
import type { Screen } from "../../../lib/process/screen.ts";

/**
 * A terminal of so many columns and rows that knows what a board uses of one: line ends, CR, up, clear to the end. What
 * has scrolled out at the top is kept, and nothing reaches it any more.
 */
function fakeTerminal(columns: number, rows: number, isTerminal = true) {
  const lines = [""];
  let at = 0;
  let column = 0;
  const clock = { ms: 0 };
  const unknown: string[] = [];
  const put = (text: string) => {
    for (const [token] of text.matchAll(/\x1b\[\d*[A-Za-z]|[^]/gu)) {
      const up = /^\x1b\[(\d+)A$/.exec(token);
      if (token === "\n") {
        at++;
        column = 0;
        if (at === lines.length) lines.push("");
      } else if (token === "\r") column = 0;
      else if (up !== null) at = Math.max(Math.max(0, lines.length - rows), at - Number(up[1]));
      else if (token === "\x1b[J") {
        lines.length = at + 1;
        lines[at] = lines[at]!.slice(0, column);
      } else if (token.startsWith("\x1b") || /[\x00-\x1f\x7f-\x9f]/.test(token)) unknown.push(token);
      else {
        lines[at] = lines[at]!.slice(0, column) + token;
        column++;
        expect(column).toBeLessThan(columns);
      }
    }
  };
  const screen: Screen = {
    isTerminal,
    columns,
    rows,
    nowMs: () => clock.ms,
    draw: put,
    // Notes are longer than the screen is wide, a terminal breaks them; here they are one line.
    note: line => {
      lines[at] = line;
      lines.push("");
      at = lines.length - 1;
      column = 0;
    },
  };
  return { lines, clock, unknown, screen };
}

const names = (n: number) => Array.from({ length: n }, (_, i) => `node-${i + 1}`);

describe("startBoard", () => {
  test("a line per node at work, and what is settled stays above", () => {
    const { lines, clock, screen } = fakeTerminal(80, 24);
    using board = startBoard(names(3), false, screen);
    board.show("node-1", "connecting");
    clock.ms += 1000;
    board.show("node-2", "mapping");
    expect(lines).toEqual(["node-1  connecting", "node-2  mapping", "0 of 3 nodes done, 1 waiting", ""]);
    board.settle("node-1", "5 logs, done in 1 s");
    expect(lines).toEqual(["node-1  5 logs, done in 1 s", "node-2  mapping", "1 of 3 nodes done, 1 waiting", ""]);
    board.note("node-2: something");
    board.settle("node-2", undefined);
    board[Symbol.dispose]();
    expect(lines).toEqual(["node-1  5 logs, done in 1 s", "node-2: something", ""]);
  });

  test("one node needs no sum", () => {
    const { lines, screen } = fakeTerminal(80, 24);
    using board = startBoard(["only"], false, screen);
    board.show("only", "connecting");
    expect(lines).toEqual(["only  connecting", ""]);
  });

  test("draws at most five times a second", () => {
    const { lines, clock, screen } = fakeTerminal(80, 24);
    using board = startBoard(["a"], false, screen);
    for (; clock.ms < 199; clock.ms++) board.show("a", `${clock.ms}`);
    expect(lines[0]).toBe("a  0");
    clock.ms = 200;
    board.show("a", "200");
    expect(lines[0]).toBe("a  200");
  });

  const SIZES: [columns: number, rows: number, nodes: number][] = [
    [80, 24, 3],
    [80, 24, 40],
    [40, 10, 3],
    [40, 10, 40],
    [10, 2, 5],
    [200, 60, 300],
  ];
  test.each(SIZES)("%d x %d with %d nodes: nothing is left behind, whatever the order", (columns, rows, n) => {
    const { lines, clock, screen, unknown } = fakeTerminal(columns, rows);
    {
      using board = startBoard(names(n), false, screen);
      for (const node of names(n)) {
        clock.ms += 100;
        board.show(node, `mapping, file 3 of 1,000, ${"x".repeat(columns)}`);
        // Its lines and the cursor's fit on the screen.
        expect(lines.length).toBeLessThanOrEqual(rows);
      }
      clock.ms += 1000;
      board.show("node-1", "again");
      if (n > 20 || n >= rows) expect(lines.at(-2)).toMatch(/^0 of/);
      for (const node of names(n).reverse()) board.settle(node, "done");
    }
    expect(unknown).toEqual([]);
    expect(lines).toEqual([...names(n).reverse().map(node => `${node.padEnd(`node-${n}`.length)}  done`), ""]);
  });

  test("what a node says moves no cursor and makes no line", () => {
    const { lines, clock, screen, unknown } = fakeTerminal(80, 24);
    using board = startBoard(["a", "b"], false, screen);
    board.show("a", "\x1b[5A\x1b[2J\r\nhello\u009b1;1H\u202e");
    clock.ms += 1000;
    board.settle("b", "\x1b]0;title\x07\x08\x08");
    expect(unknown).toEqual([]);
    expect(lines.length).toBe(4);
  });

  test("no terminal: what is settled and said, nothing else; quiet: nothing", () => {
    const plain = fakeTerminal(80, 24, false);
    const quiet = fakeTerminal(80, 24);
    for (const [{ screen }, isQuiet] of [[plain, false], [quiet, true]] as const) {
      using board = startBoard(["a", "b"], isQuiet, screen);
      board.show("a", "connecting");
      board.note("a: more");
      board.settle("a", "failed: no \x1b[31mway");
    }
    expect(plain.lines).toEqual(["a: more", "a  failed: no \\x1b[31mway", ""]);
    expect(quiet.lines).toEqual([""]);
  });
});
