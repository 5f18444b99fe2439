/**
 * Aligned tables for people. Every cell is shown, never sent: control characters of the data come out as escapes.
 */
import { formatNumber } from "./format.ts";
import { ellipsize, textWidth, visible } from "./text.ts";

/** What a cell may hold; a number is grouped and set right, null is shown as a lone "-". */
export type TableCell = string | number | null;

export interface TableColumn {
  readonly title: string;
  /** Default: right when the column holds only numbers (and nulls), else left. */
  readonly align?: "left" | "right";
  /** Digits after the point of its numbers; default 0. */
  readonly fractionDigits?: number;
  /** Widest it may get, in columns of the terminal. */
  readonly maxWidth?: number;
}

export interface TableOptions {
  /** Columns of the terminal; nothing is cut when omitted, as when writing to a file. */
  readonly width?: number | undefined;
  /** Bold titles. */
  readonly color?: boolean;
}

/** For columns of attackers' texts: where no terminal sets a limit, one long text would push all else out of sight. */
export const VALUE_MAX_WIDTH = 100;

const GAP = "  ";
/** What a text column keeps, at least, when the terminal is too narrow for all. */
const MIN_TEXT_WIDTH = 6;
/** Text is looked at no further than this many UTF-16 units: no terminal is wider. */
const MAX_CELL_UNITS = 10_000;
const RESET = "\x1b[0m";
const STYLES = { bold: "\x1b[1m", dim: "\x1b[2m", red: "\x1b[31m", green: "\x1b[32m", yellow: "\x1b[33m" } as const;

/** Set a text in a style where colour is wanted; the text must already be through `visible` and cut to its width. */
export function paint(text: string, style: keyof typeof STYLES, color: boolean): string {
  return color && text !== "" ? `${STYLES[style]}${text}${RESET}` : text;
}

/** A text as it stands in the table; quoted where it would pass for nothing or for null. */
function showText(text: string): string {
  const quoted = text === "" || text === "-" || text.startsWith(" ") || text.endsWith(" ") ? `"${text}"` : text;
  return visible(quoted.length > MAX_CELL_UNITS ? `${quoted.slice(0, MAX_CELL_UNITS)}…` : quoted);
}

function showCell(cell: TableCell, column: TableColumn): string {
  if (cell === null) return "-";
  return typeof cell === "number" ? formatNumber(cell, column.fractionDigits) : showText(cell);
}

/**
 * Widths that fit: the widest columns that may be cut are cut to one common width, none below its minimum.
 *
 * @param widths Wanted width per column.
 * @param minimums Least width per column; equal to the wanted one where nothing may be cut.
 * @returns One width per column; their sum is more than `available` only if the minimums alone are.
 */
function fitWidths(widths: readonly number[], minimums: readonly number[], available: number): number[] {
  const cutTo = (cap: number) => widths.map((width, i) => Math.max(Math.min(width, cap), minimums[i]!));
  const total = (all: readonly number[]) => all.reduce((sum, width) => sum + width, 0);
  let cap = Math.max(0, ...widths);
  // A terminal has a few hundred columns, so stepping down is quick; cells are cut at MAX_CELL_UNITS before.
  cap = Math.min(cap, Math.max(available, 0));
  while (cap > 0 && total(cutTo(cap)) > available) cap--;
  return cutTo(cap);
}

/**
 * Lay rows out under their titles, two spaces between columns, LF after each line.
 *
 * @param rows One cell per column each.
 * @returns Titles, then the rows in the order given; the titles alone when there are none.
 */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly TableCell[])[],
  options: TableOptions = {},
): string {
  const { width, color = false } = options;
  const titles = columns.map(column => visible(column.title));
  const texts = rows.map(row => columns.map((column, i) => showCell(row[i] ?? null, column)));
  const isNumeric = columns.map(
    (_, i) => rows.some(row => typeof row[i] === "number") && rows.every(row => typeof (row[i] ?? 0) === "number"),
  );
  const isRight = columns.map((column, i) => (column.align ?? (isNumeric[i] ? "right" : "left")) === "right");

  const wanted = columns.map(({ maxWidth = Infinity }, i) => {
    let widest = textWidth(titles[i]!);
    for (const row of texts) widest = Math.max(widest, textWidth(row[i]!));
    return Math.min(widest, maxWidth);
  });
  let widths = wanted;
  if (width !== undefined) {
    const minimums = wanted.map((want, i) => (isNumeric[i] ? want : Math.min(want, MIN_TEXT_WIDTH)));
    widths = fitWidths(wanted, minimums, width - GAP.length * (columns.length - 1));
  }

  const layLine = (cells: readonly string[]) => {
    const parts = cells.map((cell, i) => {
      const text = ellipsize(cell, Math.max(widths[i]!, 1));
      const padding = " ".repeat(Math.max(0, widths[i]! - textWidth(text)));
      return isRight[i] ? padding + text : text + padding;
    });
    const line = parts.join(GAP).trimEnd();
    // Only where the minimums alone are too wide.
    return width === undefined ? line : ellipsize(line, Math.max(width, 1));
  };
  // Colour goes on whole lines after cutting, so that no escape sequence is ever cut in two.
  const head = layLine(titles);
  let table = `${paint(head, "bold", color)}\n`;
  for (const row of texts) table += `${layLine(row)}\n`;
  return table;
}
