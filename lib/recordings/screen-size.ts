/**
 * What a screen is to those who show it: its size, and rows of letters with their styles.
 *
 * Tested in `test/lib/recordings/terminal-screen.test.ts`.
 */

/** Letters of one style next to each other, made harmless. */
export interface Run {
  readonly text: string;
  /** See `toStyle`. */
  readonly style: number;
}

/** One row from its left to the last cell that shows something. */
export type Row = readonly Run[];

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a terminal has if nobody says otherwise. */
export const DEFAULT_SIZE: ScreenSize = { columns: 80, rows: 24 };
/** A client names any size it likes. */
export const SIZE_MOST: ScreenSize = { columns: 400, rows: 120 };

/** A size within what is drawn; what is no size becomes the default. */
export function toScreenSize(columns: number | undefined, rows: number | undefined): ScreenSize {
  const fit = (value: number | undefined, least: number, most: number, none: number) =>
    value === undefined || !Number.isSafeInteger(value) || value < 1 ? none : Math.min(Math.max(value, least), most);
  return {
    columns: fit(columns, 20, SIZE_MOST.columns, DEFAULT_SIZE.columns),
    rows: fit(rows, 4, SIZE_MOST.rows, DEFAULT_SIZE.rows),
  };
}
