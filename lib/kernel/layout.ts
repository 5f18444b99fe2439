/**
 * Numbers on which the kernel and TypeScript must agree: this one file is compiled into both, so it holds nothing but
 * constants that are the same in either language.
 *
 * What repeats the schema of event tables is held against it in `test/lib/kernel/layout.test.ts`.
 */

/** Rows of a batch: its columns take some 9 MB, and tables get few record batches. */
export const BATCH_ROWS = 1 << 16;

/** Columns with texts and with numbers. */
export const TEXT_COLUMN_COUNT = 23;
export const NUMBER_COLUMN_COUNT = 6;

/** Text columns that the kernel treats in a way of their own. */
export const COLUMN_EVENTID = 0;
export const COLUMN_PROTOCOL = 4;
export const COLUMN_EXTRA = 22;

/** What is done with the value of a key, as `ACTION` of the schema has it. */
export const ACTION_EXTRA = 0;
export const ACTION_TEXT = 1;
export const ACTION_WHOLE = 2;
export const ACTION_DURATION = 3;
export const ACTION_DURATION_MS = 4;
export const ACTION_TIMESTAMP = 5;
export const ACTION_MESSAGE = 6;
export const ACTION_SYSTEM = 7;
export const ACTION_DROP = 8;
/** The end of the line, which is no key: known to the kernel alone. */
export const ACTION_END = 9;

/** Why `read` came back. */
export const STATUS_DONE = 0;
export const STATUS_BATCH_FULL = 1;
export const STATUS_ODD_LINE = 2;

/** Longest name of a key that is remembered, in bytes; a line with a longer one is read by the plain path. */
export const KEY_MAX_BYTES = 64;

/** Bytes behind the text that must be readable: scans look that far ahead. */
export const SLACK_BYTES = 64;

/** A dictionary as `dictionary(column)` points to it: its size, where its texts lie, where their offsets lie. */
export const DICTIONARY_SIZE = 0;
export const DICTIONARY_ARENA = 4;
export const DICTIONARY_OFFSETS = 8;

/**
 * A packed column as `packedColumn(i)` points to it, text columns first, then numbers, then the timestamps: how many
 * rows have no value, where the bitmap of those that have one lies, where the values lie, bytes per value (0 = no row has
 * a value, and there is neither bitmap nor values).
 */
export const PACKED_NULLS = 0;
export const PACKED_VALIDITY = 4;
export const PACKED_VALUES = 8;
export const PACKED_WIDTH = 12;
export const PACKED_BYTES = 16;
export const PACKED_TIMESTAMP = TEXT_COLUMN_COUNT + NUMBER_COLUMN_COUNT;

/** Whole-number columns of 16 and of 32 bits come first, in this order; the rest are doubles. */
export const UINT16_COLUMNS = 4;
export const UINT32_COLUMNS = 1;
