/**
 * The progress line on stderr: only on a terminal, only for people who did not ask for quiet, and gone before anything
 * else is written.
 */
import { drawOnStderr, environment, onStop } from "./cli.ts";
import { formatBytes, formatDuration, formatNumber, formatRate } from "../text/format.ts";
import { fitLine, REDRAW_MS, type Screen, stderrScreen } from "./screen.ts";
import { visible } from "../text/text.ts";

/** No time left is told before this much has passed; it would only jump about. */
const SETTLE_MS = 1000;
const CLEAR_LINE = "\r\x1b[K";

export interface ProgressOptions {
  /** What is being done: "Reading 12 logs". */
  readonly label: string;
  /** Bytes in all; without it neither percent nor time left is shown. */
  readonly totalBytes?: number;
  /** What is done if it is no bytes: "rows", of which the label says how many there are. */
  readonly unit?: string;
  readonly quiet?: boolean;
}

export interface Progress extends Disposable {
  /** Report that so many more bytes are done. */
  add(bytes: number): void;
  /** Say something above the line, for good; unless quiet. Foreign text must be through `visible`. */
  note(line: string): void;
  /** Take the line away; the next {@link add} draws it again. */
  clear(): void;
}

/**
 * Start to show how far a run is: percent, bytes, rate, time left.
 *
 * @returns Never fails and never writes anything but notes where there is no terminal.
 */
export function startProgress(options: ProgressOptions, screen: Screen = stderrScreen()): Progress {
  const { label, totalBytes, unit, quiet = false } = options;
  const isShown = screen.isTerminal && !quiet;
  const startMs = screen.nowMs();
  let doneBytes = 0;
  let drawnMs = -Infinity;
  let isDrawn = false;

  const clear = () => {
    if (isDrawn) screen.draw(CLEAR_LINE);
    isDrawn = false;
  };
  const forget = isShown ? onStop(clear) : () => {};
  return {
    add(bytes) {
      doneBytes += bytes;
      if (!isShown) return;
      const nowMs = screen.nowMs();
      if (nowMs - drawnMs < REDRAW_MS) return;
      drawnMs = nowMs;
      const line = progressLine(label, doneBytes, totalBytes, nowMs - startMs, unit);
      screen.draw(CLEAR_LINE + fitLine(visible(line), screen));
      isDrawn = true;
    },
    note(line) {
      if (quiet) return;
      clear();
      drawnMs = -Infinity;
      screen.note(line);
    },
    clear,
    [Symbol.dispose]() {
      clear();
      forget();
    },
  };
}

/** Seconds between two signs of life; set by whoever reads stderr from afar and takes silence for death. */
export const BEAT_VARIABLE = "COWRIE_BEAT_SECONDS";

/** Write an empty line to stderr every so often, as long as this thread gets on, if the environment asks for it. */
export function startBeat(): Disposable {
  const seconds = Number(environment(BEAT_VARIABLE));
  const timer = seconds > 0 ? setInterval(() => drawOnStderr("\n"), seconds * 1000) : undefined;
  timer?.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** `Reading 3 logs  42 %  1.23 GB of 2.90 GB  312 MB/s  5.4 s left`; `Working on 7 rows  42 %  1.2 million rows/s  5.4 s left` */
export function progressLine(
  label: string,
  doneBytes: number,
  totalBytes: number | undefined,
  elapsedMs: number,
  unit?: string,
): string {
  const isKnown = unit !== undefined && doneBytes > 0 && elapsedMs > 0;
  const rate = isKnown ? `${formatNumber(doneBytes / elapsedMs / 1000, 1)} million ${unit}/s` : formatRate(doneBytes, unit === undefined ? elapsedMs / 1000 : 0);
  if (totalBytes === undefined || totalBytes <= 0) return [label, formatBytes(doneBytes), rate].join("  ");
  // A log that grows while it is read gives more than was announced.
  const share = Math.min(1, doneBytes / totalBytes);
  const done = `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
  const parts = [label, `${Math.floor(share * 100)} %`, ...(unit === undefined ? [done] : []), rate];
  if (elapsedMs >= SETTLE_MS && share > 0 && share < 1) {
    parts.push(`${formatDuration((elapsedMs / 1000) * (1 / share - 1))} left`);
  }
  return parts.join("  ");
}
