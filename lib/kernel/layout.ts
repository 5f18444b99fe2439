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
export const COLUMN_SESSION = 1;
export const COLUMN_SENSOR = 2;
export const COLUMN_PROTOCOL = 4;
export const COLUMN_SRC_IP = 5;
export const COLUMN_USERNAME = 7;
export const COLUMN_PASSWORD = 8;
export const COLUMN_INPUT = 9;
export const COLUMN_REALM = 10;
export const COLUMN_URL = 11;
export const COLUMN_SHASUM = 13;
export const COLUMN_FILENAME = 14;
export const COLUMN_VERSION = 16;
export const COLUMN_HASSH = 17;
export const COLUMN_FINGERPRINT = 18;
export const COLUMN_KEY = 19;
export const COLUMN_EXTRA = 22;

/** Number columns that the kernel treats in a way of their own. */
export const NUMBER_POSITIVES = 2;
export const NUMBER_TOTAL = 3;
export const NUMBER_DURATION = 5;

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

/** Kinds of reduced rows, by their place in `KIND_NAMES`; those that the kernel treats in a way of their own. */
export const KIND_COUNT = 13;
export const KIND_EVENT = 10;
export const KIND_LAST_COMMAND = 11;
/** Key columns that a kind has at most; the kernel makes those of `last_command` itself. */
export const KIND_KEYS_MAX = 3;

/**
 * A rule, as `nameRule` takes it, a word each: the kind that an event counts as beside `event` (-1 = none), what more there
 * is to it, and where its key columns come from.
 */
export const RULE_KIND = 0;
export const RULE_FLAGS = 4;
export const RULE_KEYS = 8;
export const RULE_BYTES = RULE_KEYS + 4 * KIND_KEYS_MAX;
export const RULES_MAX = 64;

/** A login that succeeded. */
export const FLAG_SUCCESS = 1;
/** Counts only without a `realm`, and the last one of each session is kept. */
export const FLAG_COMMAND = 2;
/** Counts only with a `shasum` that is not empty. */
export const FLAG_HASHED = 4;
/** Counts only with a value in one of its key columns. */
export const FLAG_ANY_KEY = 8;
/** The verdict on a file: counts with a `shasum` and both figures, whatever the days and sensors asked for. */
export const FLAG_VERDICT = 16;

/** Where a key column comes from: a text column by its number, a number column by `KEY_NUMBER` and its number, or whether the session was a robot's. */
export const KEY_NONE = -1;
export const KEY_NUMBER = 32;
export const KEY_ROBOT = 64;

/**
 * Reduced rows lie in one block: for each kind, from a multiple of 8 bytes on, columns of doubles (first and last time, count,
 * successes), then columns of words: day, sensor, its keys, then the code of its set of addresses where the kind keeps them.
 * Behind all kinds the offsets of the sets, one more than there are, then their elements.
 */
export const FLOAT_COLUMNS = 4;
/** Elements that a set of addresses keeps, as `SET_MAX` of `columns/address-sets.ts`. */
export const SET_MAX_ELEMENTS = 1024;

/** What an event tells of its session, by its id; 0 = nothing. */
export const TELLS_CONNECT = 1;
export const TELLS_CLOSED = 2;
export const TELLS_INPUT = 3;
export const TELLS_DOWNLOAD = 4;
export const TELLS_DOWNLOAD_FAILED = 5;
export const TELLS_UPLOAD = 6;
export const TELLS_FINGERPRINT = 7;
export const TELLS_SUCCESS = 8;
export const TELLS_FAILED = 9;
export const TELLS_KEX = 10;
export const TELLS_VERSION = 11;

/** What is known of a session in its log: connect and end. */
export const HAS_CONNECT = 1;
export const HAS_CLOSED = 2;
export const HAS_BOTH = 3;

/** How far a session came on a day, a bit each: among them that it connected, and that it ended. */
export const REACH_CONNECTED = 1;
export const REACH_CLOSED = 32;
export const REACH_WHOLE = 33;
/** What a session does that is counted, as `ACTIVITIES`. */
export const ACTIVITY_COUNT = 5;
/** Steps of length, as `DURATION_STEPS`. */
export const LENGTH_STEPS = 9;

/** Kinds of traces, in the order of `TRACES`. */
export const TRACE_URL = 0;
export const TRACE_DOWNLOAD = 1;
export const TRACE_UPLOAD = 2;
export const TRACE_KEY = 3;

/** How much `writeSessions` has laid out, by what `sessionSize` is asked for. */
export const SIZE_BYTES = 0;
export const SIZE_CONNECTS = 1;
export const SIZE_SESSIONS = 2;
export const SIZE_TYPED = 3;
export const SIZE_LEFT = 4;
export const SIZE_INPUTS = 5;
export const SIZE_CREDENTIALS = 6;
export const SIZE_TRACES = 7;
export const SIZE_LENGTHS = 8;
export const SIZE_SENSORS = 9;
export const SIZE_REACHED = 10;
export const SIZE_COUNT = 11;
