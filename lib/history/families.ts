/**
 * What keys the history looks at: families of them, each by some columns of a kind of row.
 *
 * Tested in `test/lib/history/episodes.test.ts`.
 */
import type { KeyColumn, Kind } from "../reduced/kinds.ts";
import { maskCommand } from "../text/masks.ts";
import { networkNumber, networkOf } from "../text/network.ts";

/** Fewer watched days have no history. */
export const LEAST_DAYS = 4;

export interface FamilySpec {
  readonly kind: Kind;
  readonly columns: readonly KeyColumn[];
  /** What one of its keys is called, and several. */
  readonly word: string;
  readonly words: string;
  /** What its texts are counted as. */
  readonly mask?: (text: string) => string;
  /** A number >= 0 that texts share if and only if they are counted as one, which is found sooner; -1 of texts without. */
  readonly numberOf?: (text: string) => number;
  /** Its keys are single addresses: counted by events. */
  readonly isAddress?: true;
}

/** In this order keys that say the same are told: what an actor brought before what it made the sensor log. */
export const FAMILIES = {
  credential: { kind: "login", columns: ["username", "password"], word: "credential", words: "credentials" },
  command: { kind: "command", columns: ["input"], word: "command", words: "commands", mask: maskCommand },
  file: { kind: "file_download", columns: ["shasum"], word: "file", words: "files" },
  upload: { kind: "file_upload", columns: ["shasum"], word: "uploaded file", words: "uploaded files" },
  target: { kind: "proxy_request", columns: ["dst_ip", "dst_port"], word: "proxy target", words: "proxy targets" },
  user: { kind: "proxy_request", columns: ["src_ip"], word: "proxy user", words: "proxy users", isAddress: true },
  address: { kind: "connect", columns: ["src_ip"], word: "address", words: "addresses", isAddress: true },
  network: { kind: "connect", columns: ["src_ip"], word: "network", words: "networks", mask: text => networkOf(text) ?? text, numberOf: networkNumber },
  username: { kind: "login", columns: ["username"], word: "user name", words: "user names" },
  password: { kind: "login", columns: ["password"], word: "password", words: "passwords" },
  client: { kind: "client", columns: ["version"], word: "client", words: "clients" },
  hassh: { kind: "client", columns: ["hassh"], word: "HASSH", words: "HASSHs" },
  event: { kind: "event", columns: ["eventid"], word: "event type", words: "event types" },
} as const satisfies Record<string, FamilySpec>;

export type Family = keyof typeof FAMILIES;
export const FAMILY_NAMES = Object.keys(FAMILIES) as Family[];

/** The families that count rows of a kind, in their order. */
export function familiesOfKind(kind: Kind): Family[] {
  return FAMILY_NAMES.filter(family => FAMILIES[family].kind === kind);
}
