/**
 * The kinds of row a reduced table holds, and the columns that make the key of each.
 *
 * Three are not shown by themselves: `last_command` is what makes `pre_disconnect_command` mergeable (one row per
 * session), `scan` carries the VirusTotal verdicts that downloads are joined with, and `client_key`, the public keys
 * that clients offered, feeds the ledger of SSH keys.
 *
 * A new kind is a row of {@link KIND_SPECS}, and counted in `lib/kernel/layout.ts` (then `bun run build`); a new key column is an
 * entry of the lists below; the compiler asks for the rest. Either changes what a reduced table holds: raise `REDUCED_VERSION`.
 *
 * Tested in `test/lib/reduced/reduced-arrow.test.ts`.
 */

import type { NumberType } from "../columns/arrow-ipc.ts";

/**
 * Version of the format; another one is refused, but for the one below.
 *
 * Raise it whenever the same events would give other rows or columns: a kind, a key column, what counts and under which
 * key. Not for what is made of the rows afterwards.
 */
export const REDUCED_VERSION = 3;
/** The last version that did not tell the addresses behind a row; it is read, too. */
export const VERSION_WITHOUT_ADDRESSES = 2;

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

/** Largest code of a text, and largest number where a key sets no limit of its own. */
export const INT32_MAX = 0x7fff_ffff;

/**
 * Key columns that hold a small whole number from 0 to `most`, and the Arrow type each is written as; -1 stands for "no
 * value". One named like a column of the event table is taken from there, the others are made in `reduce.ts`: `hour` is in
 * UTC, `line` the row of the event in its source.
 */
export const NUMBER_KEY_SPECS = {
  dst_port: { most: 0xffff, type: "uint16" },
  robot: { most: 1, type: "bool" },
  hour: { most: 23, type: "uint8" },
  positives: { most: INT32_MAX, type: "int32" },
  total: { most: INT32_MAX, type: "int32" },
  line: { most: INT32_MAX, type: "uint32" },
} as const satisfies Record<string, { readonly most: number; readonly type: NumberType }>;
export type NumberKey = keyof typeof NUMBER_KEY_SPECS;
export const NUMBER_KEYS = Object.keys(NUMBER_KEY_SPECS) as NumberKey[];

export type KeyColumn = TextKey | NumberKey;

/** All that there is to say of a kind; every place that treats them one by one takes it from here. */
interface KindSpec {
  /** Columns of its key, in the order in which keys are compared and sorted. */
  readonly key: readonly KeyColumn[];
  /** The events it counts; none where it counts all, or is made of the rows of another kind. */
  readonly eventids: readonly string[];
  /** Its name in `reduced.json`; null = it is not in there. */
  readonly jsonName: string | null;
  /** Whether its keys are compared with their own past. */
  readonly isCompared: boolean;
  /**
   * Whether its rows keep the addresses that their events came from. Not where the address is part of the key, nor where
   * it says nothing of an attacker.
   */
  readonly hasAddresses: boolean;
  /** What one of its keys is called. */
  readonly word: string;
}

/** Every kind; in this order its rows stand in a reduced table, and its entries in `reduced.json`. */
export const KIND_SPECS = {
  login: {
    key: ["username", "password"],
    eventids: ["cowrie.login.success", "cowrie.login.failed"],
    jsonName: "passwords",
    isCompared: true,
    hasAddresses: true,
    word: "credential",
  },
  command: {
    key: ["input"],
    eventids: ["cowrie.command.input"],
    jsonName: "commands",
    isCompared: true,
    hasAddresses: true,
    word: "command",
  },
  pre_disconnect_command: {
    key: ["input"],
    eventids: [],
    jsonName: "pre_disconnect_command",
    isCompared: true,
    hasAddresses: true,
    word: "last command",
  },
  connect: {
    key: ["src_ip", "dst_port"],
    eventids: ["cowrie.session.connect"],
    jsonName: "connect",
    isCompared: true,
    hasAddresses: false,
    word: "connection",
  },
  session_closed: {
    key: ["src_ip", "robot"],
    eventids: ["cowrie.session.closed"],
    jsonName: "session_closed",
    isCompared: true,
    hasAddresses: false,
    word: "session",
  },
  file_download: {
    key: ["url", "outfile", "shasum"],
    eventids: ["cowrie.session.file_download"],
    jsonName: "file_download",
    isCompared: true,
    hasAddresses: true,
    word: "download",
  },
  file_upload: {
    key: ["filename", "shasum"],
    eventids: ["cowrie.session.file_upload"],
    jsonName: "file_upload",
    isCompared: true,
    hasAddresses: true,
    word: "upload",
  },
  proxy_request: {
    key: ["src_ip", "dst_ip", "dst_port"],
    eventids: ["cowrie.direct-tcpip.request"],
    jsonName: "proxy_request",
    isCompared: true,
    hasAddresses: false,
    word: "proxy request",
  },
  client: {
    key: ["version", "hassh"],
    eventids: ["cowrie.client.version", "cowrie.client.kex"],
    jsonName: null,
    isCompared: true,
    hasAddresses: true,
    word: "client",
  },
  client_key: {
    key: ["key", "fingerprint"],
    eventids: ["cowrie.client.fingerprint"],
    jsonName: null,
    isCompared: false,
    hasAddresses: true,
    word: "offered key",
  },
  event: {
    key: ["eventid", "hour"],
    eventids: [],
    jsonName: null,
    isCompared: true,
    hasAddresses: true,
    word: "event type",
  },
  last_command: {
    key: ["session", "input", "source", "line"],
    eventids: [],
    jsonName: null,
    isCompared: false,
    hasAddresses: true,
    word: "session",
  },
  scan: {
    key: ["shasum", "positives", "total"],
    eventids: ["cowrie.virustotal.scanfile"],
    jsonName: null,
    isCompared: false,
    hasAddresses: false,
    word: "verdict",
  },
} as const satisfies Record<string, KindSpec>;

export type Kind = keyof typeof KIND_SPECS;
export const KIND_NAMES = Object.keys(KIND_SPECS) as Kind[];

/** The kinds whose `what` is as wanted, in order. */
type KindsWhere<What extends keyof KindSpec, Wanted> = {
  [K in Kind]: (typeof KIND_SPECS)[K][What] extends Wanted ? K : never;
}[Kind];

/** Columns of the key of each kind. */
export const KINDS = Object.fromEntries(KIND_NAMES.map(kind => [kind, KIND_SPECS[kind].key])) as unknown as {
  readonly [K in Kind]: (typeof KIND_SPECS)[K]["key"];
};

/** A kind that `reduced.json` holds. */
export type JsonKind = KindsWhere<"jsonName", string>;
export const JSON_KINDS = KIND_NAMES.filter((kind): kind is JsonKind => KIND_SPECS[kind].jsonName !== null);

/** A kind that is compared by key. */
export type ComparedKind = KindsWhere<"isCompared", true>;
/** Events first: what all others are part of. */
export const COMPARED_KINDS = [
  "event" as const,
  ...KIND_NAMES.filter((kind): kind is ComparedKind => KIND_SPECS[kind].isCompared && kind !== "event"),
];

const TEXT_KEY_SET: ReadonlySet<string> = new Set(TEXT_KEYS);

/** Tell a dictionary-coded key column from a numeric one. */
export function isTextKey(column: KeyColumn): column is TextKey {
  return TEXT_KEY_SET.has(column);
}

/** Value of one key column; null = none. */
export type KeyValue = string | number | null;
