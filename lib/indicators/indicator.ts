/**
 * An indicator: a value by which an attacker, or what he brings, may be known again, and how it was seen.
 *
 * Tested in `test/lib/indicators/indicator.test.ts`.
 */
import type { Origin } from "../origin/origins.ts";

/** Every type, and what its values are. */
export const INDICATOR_TYPES = {
  address: "source addresses of attackers",
  url: "URLs that files were fetched from, and those in commands",
  host: "hosts of these URLs",
  hash: "SHA-256 of files brought",
  key: "SSH public keys planted or offered",
  hassh: "fingerprints of SSH clients (HASSH); of programs, which others may use as well",
  credential: "usernames and passwords tried; some are real ones of somebody",
  proxy: "hosts and ports that attackers wanted to be forwarded to; victims, not attackers",
} as const satisfies Record<string, string>;
export type IndicatorType = keyof typeof INDICATOR_TYPES;
export const INDICATOR_TYPE_NAMES = Object.keys(INDICATOR_TYPES) as IndicatorType[];

/** What is taken where nobody says which: what tells an attacker, and nobody else. */
export const DEFAULT_TYPES: readonly IndicatorType[] = ["address", "url", "host", "hash", "key"];

/** How one sensor saw an indicator. */
export interface Sighting {
  readonly sensor: string;
  /** Microseconds since 1970-01-01 UTC. */
  readonly firstUs: number;
  readonly lastUs: number;
  readonly hits: number;
}

export interface Indicator {
  readonly type: IndicatorType;
  /** As the log has it; hosts and hashes in lower case, a credential as `username:password`, a proxy target as `host:port`. */
  readonly value: string;
  /** Of a credential. */
  readonly username?: string;
  readonly password?: string;
  readonly firstUs: number;
  readonly lastUs: number;
  /** UTC days on which it was seen. */
  readonly days: number;
  /** By sensor, sorted by name. */
  readonly sightings: readonly Sighting[];
  /** Distinct source addresses that it was seen from. */
  readonly sources: number;
  readonly sessions: number;
  /** Events that show it; of an address its connections. */
  readonly hits: number;
  /** A session that shows it, the last one; undefined where the log names none. */
  readonly session: string | undefined;
  /** Ids of the campaigns whose sessions show it, sorted; only where campaigns were asked for. */
  readonly campaigns?: readonly string[];
  /** Of an address, and of a host that is one; only where databases were named. */
  readonly origin?: Origin;
}

/** A value that cannot be clicked on, or resolved by mistake: `hxxp://203[.]0[.]113[.]7/x`. */
export function defang({ type, value }: Pick<Indicator, "type" | "value">): string {
  if (type === "address" || type === "host" || type === "proxy") return value.replaceAll(".", "[.]").replaceAll(":", "[:]");
  if (type !== "url") return value;
  const [, scheme, host, rest] = /^(\w+):\/\/([^/?#]*)([^]*)$/.exec(value) ?? [];
  if (scheme === undefined) return value;
  return `${scheme.replace(/tt/gi, "xx")}://${host!.replaceAll(".", "[.]")}${rest}`;
}
