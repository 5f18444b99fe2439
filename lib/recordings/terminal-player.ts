/**
 * Plays a recording in the user's terminal: cells of the screen model, painted with sequences of our own, and nothing that an
 * attacker wrote.
 *
 * Tested in `test/scripts/replay.test.ts`.
 */
import { drawOnStdout, onStop, terminal, writeOut } from "../process/cli.ts";
import { openKeys } from "../process/keys.ts";
import { textWidth } from "../text/text.ts";
import { BLACK_LETTER, BOLD, colorsOf, DIM, ITALIC, STRIKE, UNDERLINE } from "./cell-style.ts";
import { frameAt, type Playback, rowsAt } from "./playback.ts";
import { type Row, DEFAULT_SIZE, type ScreenSize } from "./screen-size.ts";

/** Longest sleep between two looks at the keys. */
const TICK_MS = 30;
const SEEK_US = 5_000_000;
const SPEED_LEAST = 0.125;
const SPEED_MOST = 64;

const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l";
const LEAVE_SCREEN = "\x1b[0m\x1b[?25h\x1b[?1049l";
const MARKS = [
  [BOLD, 1],
  [DIM, 2],
  [ITALIC, 3],
  [UNDERLINE, 4],
  [STRIKE, 9],
] as const;

/** What the keys and the clock made of a playback. */
interface State {
  us: number;
  speed: number;
  isPaused: boolean;
  isEnded: boolean;
}

/**
 * Play to the end, or until the user leaves; the terminal is then as it was.
 *
 * @param speed Times the recorded one.
 */
export async function playOnTerminal(playback: Playback, title: string, speed = 1): Promise<void> {
  using keys = openKeys();
  const forget = onStop(() => drawOnStdout(LEAVE_SCREEN));
  await writeOut(ENTER_SCREEN);
  try {
    const state: State = { us: 0, speed, isPaused: false, isEnded: false };
    let drawn = "";
    while (!state.isEnded) {
      const text = drawScreen(playback, state, title, windowSize());
      if (text !== drawn) await writeOut(text);
      drawn = text;
      const startMs = performance.now();
      await Bun.sleep(TICK_MS);
      if (!state.isPaused) state.us += (performance.now() - startMs) * 1000 * state.speed;
      obey(keys.read(), state, playback.durationUs);
      if (state.us >= playback.durationUs) {
        state.us = playback.durationUs;
        // Where nobody can press a key, the end is the end.
        if (keys.isOpen) state.isPaused = true;
        else state.isEnded = true;
      }
    }
  } finally {
    forget();
    await writeOut(LEAVE_SCREEN);
  }
}

function windowSize(): ScreenSize {
  const { columns = DEFAULT_SIZE.columns, rows = DEFAULT_SIZE.rows } = terminal("stdout");
  return { columns, rows };
}

/** Carry out what was typed. */
function obey(typed: string, state: State, durationUs: number): void {
  for (const key of typed.match(/\x1b\[[A-D]|[^]/g) ?? []) {
    if (key === "q" || key === "\x03" || key === "\x1b") state.isEnded = true;
    else if (key === " ") {
      // From the end, play again.
      if (state.isPaused && state.us >= durationUs) state.us = 0;
      state.isPaused = !state.isPaused;
    } else if (key === "\x1b[C") state.us = Math.min(durationUs, state.us + SEEK_US);
    else if (key === "\x1b[D") state.us = Math.max(0, state.us - SEEK_US);
    else if (key === "+" || key === "\x1b[A") state.speed = Math.min(SPEED_MOST, state.speed * 2);
    else if (key === "-" || key === "\x1b[B") state.speed = Math.max(SPEED_LEAST, state.speed / 2);
  }
}

/**
 * The whole window at a time: as much of the screen as there is room for, the cursor's row in it, and a line on how to
 * steer.
 */
export function drawScreen(
  playback: Playback,
  { us, speed, isPaused }: Omit<State, "isEnded">,
  title: string,
  window: ScreenSize,
): string {
  const index = frameAt(playback, us);
  const rows = rowsAt(playback, index);
  const { cursor } = playback.frames[index]!;
  const room = Math.max(1, window.rows - 1);
  const top = Math.max(0, Math.min(cursor.row - room + 1, rows.length - room));
  const lines = Array.from({ length: room }, (_, i) => paintRow(rows[top + i] ?? [], window.columns));
  const place = `${isPaused ? "paused" : "playing"} ${clock(us)} of ${clock(playback.durationUs)}${speed === 1 ? "" : `, ${speed} times`}`;
  const help = "space: pause, arrows: 5 s back or on, + -: speed, q: leave";
  const status = cutPlain(` ${place}  ${help}  ${title}`, window.columns - 1).padEnd(window.columns - 1);
  return `\x1b[H${lines.map(line => `${line}\x1b[0m\x1b[K\r\n`).join("")}\x1b[7m${status}\x1b[0m\x1b[K`;
}

/** A row in colours, at most so many columns wide. */
export function paintRow(row: Row, columns: number): string {
  let painted = "";
  let left = columns;
  for (const { text, style } of row) {
    const cut = cutPlain(text, left);
    painted += style === 0 ? cut : `\x1b[${sgrOf(style)}m${cut}\x1b[0m`;
    left -= textWidth(cut);
    if (left <= 0) break;
  }
  return painted;
}

/** The part of a text that fits, without a sign that it was cut. */
function cutPlain(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let cut = "";
  let width = 0;
  for (const character of text) {
    width += textWidth(character);
    if (width > columns) break;
    cut += character;
  }
  return cut;
}

function sgrOf(style: number): string {
  const { letter, ground } = colorsOf(style);
  const code = (color: number, plain: number, bright: number) => (color <= 8 ? plain + color - 1 : bright + color - 9);
  return [
    ...MARKS.flatMap(([mark, sgr]) => (style & mark ? [sgr] : [])),
    ...(letter === 0 ? [] : [letter === BLACK_LETTER ? 30 : code(letter, 30, 90)]),
    ...(ground === 0 ? [] : [code(ground, 40, 100)]),
  ].join(";");
}

/** `1:05` */
function clock(us: number): string {
  const seconds = Math.floor(us / 1e6);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
