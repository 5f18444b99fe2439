/**
 * The kinds of row a reduced table holds, and the columns that make the key of each.
 *
 * Three are not shown by themselves: `last_command` is what makes `pre_disconnect_command` mergeable (one row per
 * session), `scan` carries the VirusTotal verdicts that downloads are joined with, and `client_key`, the public keys
 * that clients offered, feeds the ledger of SSH keys.
 */

/** Key columns that hold text; each has one dictionary per reduced table, shared by all kinds. */
export const TEXT_KEYS = [
  "username",
  "password",
  "input",
  "src_ip",
  "dst_ip",
  "url",
  "outfile",
  "shasum",
  "filename",
  "version",
  "hassh",
  "key",
  "fingerprint",
  "eventid",
  "session",
  "source",
] as const;
export type TextKey = (typeof TEXT_KEYS)[number];

/**
 * Key columns that hold a small whole number; -1 stands for "no value".
 * `robot` is 0 or 1, `hour` is 0..23 UTC, `line` is the row of the event in its source.
 */
export const NUMBER_KEYS = ["dst_port", "robot", "hour", "positives", "total", "line"] as const;
export type NumberKey = (typeof NUMBER_KEYS)[number];

export type KeyColumn = TextKey | NumberKey;

/** Every kind with the columns of its key, in the order in which keys are compared and sorted. */
export const KINDS = {
  login: ["username", "password"],
  command: ["input"],
  pre_disconnect_command: ["input"],
  connect: ["src_ip", "dst_port"],
  session_closed: ["src_ip", "robot"],
  file_download: ["url", "outfile", "shasum"],
  file_upload: ["filename", "shasum"],
  proxy_request: ["src_ip", "dst_ip", "dst_port"],
  client: ["version", "hassh"],
  client_key: ["key", "fingerprint"],
  event: ["eventid", "hour"],
  last_command: ["session", "input", "source", "line"],
  scan: ["shasum", "positives", "total"],
} as const satisfies Record<string, readonly KeyColumn[]>;

export type Kind = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as Kind[];

const TEXT_KEY_SET: ReadonlySet<string> = new Set(TEXT_KEYS);

/** Tell a dictionary-coded key column from a numeric one. */
export function isTextKey(column: KeyColumn): column is TextKey {
  return TEXT_KEY_SET.has(column);
}

/** Value of one key column; null = none. */
export type KeyValue = string | number | null;
