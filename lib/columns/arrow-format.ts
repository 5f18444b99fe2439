/**
 * Numbers of the Arrow format that both who reads and who writes it goes by.
 *
 * Format: https://arrow.apache.org/docs/format/Columnar.html and the .fbs files of its `format` folder.
 * Tested in `test/lib/columns/arrow-guard.test.ts`.
 */

/** At the start of a file, with what aligns the first message behind it; without that at its end. */
export const FILE_MAGIC = Uint8Array.from("ARROW1\0\0", character => character.charCodeAt(0));

/** Before the length of a message. */
export const MARK = Uint8Array.of(0xff, 0xff, 0xff, 0xff);

/** The types of columns in our tables. */
export const TYPE = { int: 2, float: 3, text: 5, bool: 6, date: 8, timestamp: 10, list: 12 } as const;

/** What a message holds. */
export const HEADER = { schema: 1, dictionary: 2, batch: 3 } as const;
